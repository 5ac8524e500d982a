//! HMAC (RFC 2104) whose key was scheduled once.
//!
//! The compression functions are the sha2 and sha1 crates'. What is ours is to keep the two states after the
//! key's block, and to run whole messages from them without a hasher's buffering.

use constant_time_eq::constant_time_eq;
use sha1::block_api::compress as compress_sha1;
use sha2::block_api::{compress256, compress512};
use zeroize::{Zeroize, ZeroizeOnDrop, Zeroizing};

/// The digest algorithms that `hashalg` names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Hashalg {
    Sha1,
    Sha224,
    Sha256,
    Sha384,
    Sha512,
}

/// The longest digest, in bytes.
const LONGEST_DIGEST: usize = 64;

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

/// The chaining state of one compression function: `WORDS` words of one size, blocks of `BLOCK` bytes.
trait State<const BLOCK: usize>: Copy + Zeroize {
    /// Bytes of a block's end that hold the message's length in bits.
    const LENGTH: usize;
    fn compress(&mut self, blocks: &[[u8; BLOCK]]);
    fn write(&self, digest: &mut [u8; LONGEST_DIGEST]);
}

impl State<128> for [u64; 8] {
    const LENGTH: usize = 16;

    fn compress(&mut self, blocks: &[[u8; 128]]) {
        compress512(self, blocks);
    }

    fn write(&self, digest: &mut [u8; LONGEST_DIGEST]) {
        for (bytes, word) in digest.chunks_exact_mut(8).zip(self) {
            bytes.copy_from_slice(&word.to_be_bytes());
        }
    }
}

fn write_words(words: &[u32], digest: &mut [u8; LONGEST_DIGEST]) {
    for (bytes, word) in digest.chunks_exact_mut(4).zip(words) {
        bytes.copy_from_slice(&word.to_be_bytes());
    }
}

impl State<64> for [u32; 8] {
    const LENGTH: usize = 8;

    fn compress(&mut self, blocks: &[[u8; 64]]) {
        compress256(self, blocks);
    }

    fn write(&self, digest: &mut [u8; LONGEST_DIGEST]) {
        write_words(self, digest);
    }
}

impl State<64> for [u32; 5] {
    const LENGTH: usize = 8;

    fn compress(&mut self, blocks: &[[u8; 64]]) {
        compress_sha1(self, blocks);
    }

    fn write(&self, digest: &mut [u8; LONGEST_DIGEST]) {
        write_words(self, digest);
    }
}

/// Compresses the rest of a message of `length` bytes and pads it; `state` has taken `length` less what `message` holds.
fn finish<const BLOCK: usize, S: State<BLOCK>>(mut state: S, message: &[u8], length: usize) -> S {
    let (blocks, rest) = message.as_chunks::<BLOCK>();
    state.compress(blocks);
    let mut tail = [[0; BLOCK]; 2];
    let used = if rest.len() < BLOCK - S::LENGTH { 1 } else { 2 };
    let bytes = tail.as_flattened_mut();
    bytes[..rest.len()].copy_from_slice(rest);
    bytes[rest.len()] = 0x80;
    let end = used * BLOCK;
    bytes[end - 8..end].copy_from_slice(&(length as u64 * 8).to_be_bytes());
    state.compress(&tail[..used]);
    state
}

/// The states after the key's inner and outer block.
#[derive(Zeroize, ZeroizeOnDrop)]
struct Keyed<S: Zeroize> {
    inner: S,
    outer: S,
}

impl<S> Keyed<S>
where
    S: Zeroize + Copy,
{
    /// The states come to be where they stay, so that no copy of them is left elsewhere.
    fn new<const BLOCK: usize>(initial: S, digest_len: usize, key: &[u8]) -> Box<Self>
    where
        S: State<BLOCK>,
    {
        let mut block = Zeroizing::new([0; BLOCK]);
        if key.len() > BLOCK {
            let mut digest = Zeroizing::new([0; LONGEST_DIGEST]);
            finish(initial, key, key.len()).write(&mut digest);
            block[..digest_len].copy_from_slice(&digest[..digest_len]);
        } else {
            block[..key.len()].copy_from_slice(key);
        }
        let mut keyed = Box::new(Self { inner: initial, outer: initial });
        for (state, pad) in [(&mut keyed.inner, 0x36), (&mut keyed.outer, 0x36 ^ 0x5c)] {
            // The second turn makes the outer pad out of the inner one.
            block.iter_mut().for_each(|byte| *byte ^= pad);
            state.compress(std::slice::from_ref(&*block));
        }
        keyed
    }

    fn mac<const BLOCK: usize>(&self, digest_len: usize, message: &[u8]) -> [u8; LONGEST_DIGEST]
    where
        S: State<BLOCK>,
    {
        let mut digest = [0; LONGEST_DIGEST];
        finish(self.inner, message, BLOCK + message.len()).write(&mut digest);
        let outer = finish(self.outer, &digest[..digest_len], BLOCK + digest_len);
        outer.write(&mut digest);
        digest
    }
}

enum States {
    Words64(Box<Keyed<[u64; 8]>>),
    Words32(Box<Keyed<[u32; 8]>>),
    Sha1(Box<Keyed<[u32; 5]>>),
}

/// HMAC under one key.
pub(crate) struct KeyedMac {
    digest_len: usize,
    states: States,
}

impl KeyedMac {
    /// Schedules a key of any length.
    pub fn new(hashalg: Hashalg, key: &[u8]) -> Self {
        let digest_len = hashalg.digest_len();
        let states = match hashalg {
            Hashalg::Sha512 => States::Words64(Keyed::new(SHA512, digest_len, key)),
            Hashalg::Sha384 => States::Words64(Keyed::new(SHA384, digest_len, key)),
            Hashalg::Sha256 => States::Words32(Keyed::new(SHA256, digest_len, key)),
            Hashalg::Sha224 => States::Words32(Keyed::new(SHA224, digest_len, key)),
            Hashalg::Sha1 => States::Sha1(Keyed::new(SHA1, digest_len, key)),
        };
        Self { digest_len, states }
    }

    fn mac(&self, message: &[u8]) -> [u8; LONGEST_DIGEST] {
        match &self.states {
            States::Words64(keyed) => keyed.mac(self.digest_len, message),
            States::Words32(keyed) => keyed.mac(self.digest_len, message),
            States::Sha1(keyed) => keyed.mac(self.digest_len, message),
        }
    }

    /// Writes the MAC of a message; `signature` has the digest's length.
    pub fn sign(&self, message: &[u8], signature: &mut [u8]) {
        signature.copy_from_slice(&self.mac(message)[..self.digest_len]);
    }

    /// Whether the signature is the message's, in a time that does not depend on where they differ.
    pub fn verifies(&self, message: &[u8], signature: &[u8]) -> bool {
        constant_time_eq(&self.mac(message)[..self.digest_len], signature)
    }
}

// The initial hash values of FIPS 180-4, section 5.3.
const SHA1: [u32; 5] = [0x67452301, 0xefcdab89, 0x98badcfe, 0x10325476, 0xc3d2e1f0];
const SHA224: [u32; 8] =
    [0xc1059ed8, 0x367cd507, 0x3070dd17, 0xf70e5939, 0xffc00b31, 0x68581511, 0x64f98fa7, 0xbefa4fa4];
const SHA256: [u32; 8] =
    [0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a, 0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19];
const SHA384: [u64; 8] = [
    0xcbbb9d5dc1059ed8,
    0x629a292a367cd507,
    0x9159015a3070dd17,
    0x152fecd8f70e5939,
    0x67332667ffc00b31,
    0x8eb44a8768581511,
    0xdb0c2e0d64f98fa7,
    0x47b5481dbefa4fa4,
];
const SHA512: [u64; 8] = [
    0x6a09e667f3bcc908,
    0xbb67ae8584caa73b,
    0x3c6ef372fe94f82b,
    0xa54ff53a5f1d36f1,
    0x510e527fade682d1,
    0x9b05688c2b3e6c1f,
    0x1f83d9abfb41bd6b,
    0x5be0cd19137e2179,
];

#[cfg(test)]
mod tests {
    use super::{Hashalg, KeyedMac};
    use hmac::{Hmac, KeyInit, Mac};

    /// Every length of key and message around the edges of a block, against the hmac crate.
    fn agrees_with<M: Mac + KeyInit>(hashalg: Hashalg) {
        let bytes: Vec<u8> = (0..700).map(|n| (n * 31 % 251) as u8).collect();
        for key_len in [0, 1, 20, 63, 64, 65, 127, 128, 129, 300] {
            let mac = KeyedMac::new(hashalg, &bytes[..key_len]);
            for message_len in (0..270).chain([511, 512, 513, 640]) {
                let mut expected = <M as KeyInit>::new_from_slice(&bytes[..key_len]).unwrap();
                expected.update(&bytes[..message_len]);
                let expected = expected.finalize().into_bytes();
                let mut signature = vec![0; hashalg.digest_len()];
                mac.sign(&bytes[..message_len], &mut signature);
                assert_eq!(signature, expected.as_slice(), "{hashalg:?}, key {key_len}, message {message_len}");
                assert!(mac.verifies(&bytes[..message_len], &signature));
                signature[0] ^= 1;
                assert!(!mac.verifies(&bytes[..message_len], &signature));
            }
        }
    }

    #[test]
    fn every_algorithm_agrees_with_the_hmac_crate() {
        agrees_with::<Hmac<sha1::Sha1>>(Hashalg::Sha1);
        agrees_with::<Hmac<sha2::Sha224>>(Hashalg::Sha224);
        agrees_with::<Hmac<sha2::Sha256>>(Hashalg::Sha256);
        agrees_with::<Hmac<sha2::Sha384>>(Hashalg::Sha384);
        agrees_with::<Hmac<sha2::Sha512>>(Hashalg::Sha512);
    }
}
