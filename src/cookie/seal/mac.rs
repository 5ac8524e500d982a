//! HMAC (RFC 2104) under a key that is processed only once.
//!
//! The `hmac` crate computes it and wipes its states when they are dropped. This file uses them in place, and wipes the
//! copies of the key that the crate leaves on the stack.

use constant_time_eq::constant_time_eq;
use hmac::block_api::HmacCore;
use hmac::digest::Output;
use hmac::digest::block_api::{Buffer, FixedOutputCore, UpdateCore};
use hmac::{EagerHash, KeyInit};
use sha1::Sha1;
use sha2::{Sha224, Sha256, Sha384, Sha512};
use zeroize::{ZeroizeOnDrop, zeroize_stack};

/// The digest algorithms that `hashalg` names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Hashalg {
    Sha1,
    Sha224,
    Sha256,
    Sha384,
    Sha512,
}

impl Hashalg {
    pub fn digest_len(self) -> usize {
        match self {
            Self::Sha1 => 20,
            Self::Sha224 => 28,
            Self::Sha256 => 32,
            Self::Sha384 => 48,
            Self::Sha512 => 64,
        }
    }
}

/// The hash states after the key's inner and outer block. Whoever has them can sign.
trait KeyStates: Send + Sync {
    fn sign(&self, message: &[u8], signature: &mut [u8]);
    fn verifies(&self, message: &[u8], signature: &[u8]) -> bool;
}

impl<D> KeyStates for HmacCore<D>
where
    D: EagerHash,
    D::Core: ZeroizeOnDrop + Send + Sync,
{
    fn sign(&self, message: &[u8], signature: &mut [u8]) {
        signature.copy_from_slice(&mac(self, message));
    }

    fn verifies(&self, message: &[u8], signature: &[u8]) -> bool {
        constant_time_eq(&mac(self, message), signature)
    }
}

/// The MAC of a message. `Hmac::finalize` would compute it too, but it moves the states and the message's last block,
/// and nothing wipes the places that they were moved from.
fn mac<D: EagerHash>(states: &HmacCore<D>, message: &[u8]) -> Output<HmacCore<D>> {
    let mut states = states.clone();
    let mut buffer = Buffer::<HmacCore<D>>::default();
    let mut digest = Output::<HmacCore<D>>::default();
    buffer.digest_blocks(message, |blocks| states.update_blocks(blocks));
    states.finalize_fixed_core(&mut buffer, &mut digest);
    digest
}

/// More bytes of stack than [`key_states`] needs: about 2 KiB, or 15 KiB without optimization.
const KEY_STATES_STACK: usize = 16 << 10;

/// Not inlined, so that its copies of the key are on the stack below the caller's, where `zeroize_stack` overwrites
/// them.
#[inline(never)]
fn key_states<D>(key: &[u8]) -> Box<dyn KeyStates>
where
    D: EagerHash + 'static,
    D::Core: ZeroizeOnDrop + Send + Sync,
{
    Box::new(HmacCore::<D>::new_from_slice(key).expect("HMAC takes keys of any length"))
}

/// The HMAC of one key.
pub(crate) struct KeyedMac(Box<dyn KeyStates>);

impl KeyedMac {
    /// Processes a key, which may have any length.
    pub fn new(hashalg: Hashalg, key: &[u8]) -> Self {
        let states = match hashalg {
            Hashalg::Sha1 => key_states::<Sha1>(key),
            Hashalg::Sha224 => key_states::<Sha224>(key),
            Hashalg::Sha256 => key_states::<Sha256>(key),
            Hashalg::Sha384 => key_states::<Sha384>(key),
            Hashalg::Sha512 => key_states::<Sha512>(key),
        };
        zeroize_stack::<KEY_STATES_STACK>();
        Self(states)
    }

    /// Writes the MAC of a message to `signature`, which must have the digest's length.
    pub fn sign(&self, message: &[u8], signature: &mut [u8]) {
        self.0.sign(message, signature);
    }

    /// True if the signature is the message's. The time this takes does not depend on where they differ.
    pub fn verifies(&self, message: &[u8], signature: &[u8]) -> bool {
        self.0.verifies(message, signature)
    }
}

#[cfg(test)]
mod tests {
    use super::{Hashalg, KeyedMac};

    /// The fourth key in both RFCs, which consists of the bytes from 1 to 25.
    const COUNTED: [u8; 25] =
        [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25];

    fn check(hashalg: Hashalg, key: &[u8], message: &[u8], expected: &str) {
        let mac = KeyedMac::new(hashalg, key);
        let mut signature = vec![0; hashalg.digest_len()];
        for _ in 0..2 {
            mac.sign(message, &mut signature);
            assert_eq!(hex::encode(&signature), expected);
        }
        assert!(mac.verifies(message, &signature));
        assert!(!mac.verifies(&[message, b"."].concat(), &signature));
        assert!(!mac.verifies(message, &signature[1..]));
        for bit in 0..8 * signature.len() {
            signature[bit / 8] ^= 1 << (bit % 8);
            assert!(!mac.verifies(message, &signature));
            signature[bit / 8] ^= 1 << (bit % 8);
        }
    }

    /// RFC 2202, section 3.
    #[test]
    fn sha1_gives_the_macs_of_rfc_2202() {
        check(Hashalg::Sha1, &[0x0b; 20], b"Hi There", "b617318655057264e28bc0b6fb378c8ef146be00");
        check(Hashalg::Sha1, b"Jefe", b"what do ya want for nothing?", "effcdf6ae5eb2fa2d27416d5f184df9c259a7c79");
        check(Hashalg::Sha1, &[0xaa; 20], &[0xdd; 50], "125d7342b9ac11cd91a39af48aa17b4f63f175d3");
        check(Hashalg::Sha1, &COUNTED, &[0xcd; 50], "4c9007f4026250c6bc8414f9bf50c86c2d7235da");
        check(Hashalg::Sha1, &[0x0c; 20], b"Test With Truncation", "4c1a03424b55e07fe7f27be1d58bb9324a9a5a04");
        check(
            Hashalg::Sha1,
            &[0xaa; 80],
            b"Test Using Larger Than Block-Size Key - Hash Key First",
            "aa4ae5e15272d00e95705637ce8a3b55ed402112",
        );
        check(
            Hashalg::Sha1,
            &[0xaa; 80],
            b"Test Using Larger Than Block-Size Key and Larger Than One Block-Size Data",
            "e8e99d0f45237d786d6bbaa7965c7808bbff1a91",
        );
    }

    /// RFC 4231, sections 4.2 to 4.8, without the truncated MACs of 4.6.
    #[test]
    fn sha2_gives_the_macs_of_rfc_4231() {
        let sha2 = [Hashalg::Sha224, Hashalg::Sha256, Hashalg::Sha384, Hashalg::Sha512];
        let check_all = |key: &[u8], message: &[u8], expected: [&str; 4]| {
            sha2.into_iter().zip(expected).for_each(|(hashalg, expected)| check(hashalg, key, message, expected));
        };
        check_all(
            &[0x0b; 20],
            b"Hi There",
            [
                "896fb1128abbdf196832107cd49df33f47b4b1169912ba4f53684b22",
                "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7",
                "afd03944d84895626b0825f4ab46907f15f9dadbe4101ec682aa034c7cebc59c\
                faea9ea9076ede7f4af152e8b2fa9cb6",
                "87aa7cdea5ef619d4ff0b4241a1d6cb02379f4e2ce4ec2787ad0b30545e17cde\
                daa833b7d6b8a702038b274eaea3f4e4be9d914eeb61f1702e696c203a126854",
            ],
        );
        check_all(
            b"Jefe",
            b"what do ya want for nothing?",
            [
                "a30e01098bc6dbbf45690f3a7e9e6d0f8bbea2a39e6148008fd05e44",
                "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843",
                "af45d2e376484031617f78d2b58a6b1b9c7ef464f5a01b47e42ec3736322445e\
                8e2240ca5e69e2c78b3239ecfab21649",
                "164b7a7bfcf819e2e395fbe73b56e0a387bd64222e831fd610270cd7ea250554\
                9758bf75c05a994a6d034f65f8f0e6fdcaeab1a34d4a6b4b636e070a38bce737",
            ],
        );
        check_all(
            &[0xaa; 20],
            &[0xdd; 50],
            [
                "7fb3cb3588c6c1f6ffa9694d7d6ad2649365b0c1f65d69d1ec8333ea",
                "773ea91e36800e46854db8ebd09181a72959098b3ef8c122d9635514ced565fe",
                "88062608d3e6ad8a0aa2ace014c8a86f0aa635d947ac9febe83ef4e55966144b\
                2a5ab39dc13814b94e3ab6e101a34f27",
                "fa73b0089d56a284efb0f0756c890be9b1b5dbdd8ee81a3655f83e33b2279d39\
                bf3e848279a722c806b485a47e67c807b946a337bee8942674278859e13292fb",
            ],
        );
        check_all(
            &COUNTED,
            &[0xcd; 50],
            [
                "6c11506874013cac6a2abc1bb382627cec6a90d86efc012de7afec5a",
                "82558a389a443c0ea4cc819899f2083a85f0faa3e578f8077a2e3ff46729665b",
                "3e8a69b7783c25851933ab6290af6ca77a9981480850009cc5577c6e1f573b4e\
                6801dd23c4a7d679ccf8a386c674cffb",
                "b0ba465637458c6990e5a8c5f61d4af7e576d97ff94b872de76f8050361ee3db\
                a91ca5c11aa25eb4d679275cc5788063a5f19741120c4f2de2adebeb10a298dd",
            ],
        );
        check_all(
            &[0xaa; 131],
            b"Test Using Larger Than Block-Size Key - Hash Key First",
            [
                "95e9a0db962095adaebe9b2d6f0dbce2d499f112f2d2b7273fa6870e",
                "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54",
                "4ece084485813e9088d2c63a041bc5b44f9ef1012a2b588f3cd11f05033ac4c6\
                0c2ef6ab4030fe8296248df163f44952",
                "80b24263c7c1a3ebb71493c1dd7be8b49b46d1f41b4aeec1121b013783f8f352\
                6b56d037e05f2598bd0fd2215d6a1e5295e64f73f63f0aec8b915a985d786598",
            ],
        );
        check_all(
            &[0xaa; 131],
            b"This is a test using a larger than block-size key and a larger than block-size data. \
                The key needs to be hashed before being used by the HMAC algorithm.",
            [
                "3a854166ac5d9f023f54d517d0b39dbd946770db9c2b95c9f6f565d1",
                "9b09ffa71b942fcb27635fbcd5b0e944bfdc63644f0713938a7f51535c3a35e2",
                "6617178e941f020d351e2f254e8fd32c602420feb0b8fb9adccebb82461e99c5\
                a678cc31e799176d3860e6110c46523e",
                "e37b6a775dc87dbaa4dfa9f96e5e3ffddebd71f8867289865df5a32d20cdc944\
                b6022cac3c4982b10d5eeb55c3e4de15134676fb6de0446065c97440fa8c6a58",
            ],
        );
    }
}
