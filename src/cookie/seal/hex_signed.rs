//! Signs and verifies `hex(HMAC-SHA1(secret, message)) || text`, as Pyramid 1.x does for pyramid_redis_sessions, and as
//! Beaker does. Pyramid signs the data that the text encodes in base64; Beaker signs the text itself.

use constant_time_eq::constant_time_eq;

use crate::cookie::seal::Secret;
use crate::cookie::seal::mac::{Hashalg, KeyedMac};
use crate::load::Refusal;

const DIGEST: usize = 20;

pub(crate) struct HexSigned {
    /// One for each secret, the current one first.
    macs: Vec<KeyedMac>,
}

impl HexSigned {
    /// The length of a signature in bytes.
    pub const LENGTH: usize = 2 * DIGEST;

    /// `secrets` are the current one, then the previous ones.
    pub fn new(secrets: &[Secret]) -> Self {
        Self { macs: secrets.iter().map(|secret| KeyedMac::new(Hashalg::Sha1, secret)).collect() }
    }

    /// Splits a cookie's value into its signature and its text.
    pub fn split(value: &[u8]) -> Result<(&[u8], &[u8]), Refusal> {
        value
            .split_at_checked(Self::LENGTH)
            .ok_or_else(|| Refusal::malformed("the cookie is too short to hold a signature"))
    }

    /// The index of the secret that made a signature.
    pub fn signer(&self, message: &[u8], signature: &[u8]) -> Result<usize, Refusal> {
        let mut made = [0; Self::LENGTH];
        let made_it = |mac: &KeyedMac| {
            sign(mac, message, &mut made);
            constant_time_eq(&made, signature)
        };
        self.macs.iter().position(made_it).ok_or_else(|| {
            Refusal::bad_signature(
                "none of the secrets made the cookie's signature: compare the option secret with that of its writer",
            )
        })
    }

    /// Writes the signature of a message, [`HexSigned::LENGTH`] bytes, with the current secret.
    pub fn sign(&self, message: &[u8], signature: &mut [u8]) {
        sign(&self.macs[0], message, signature);
    }
}

fn sign(mac: &KeyedMac, message: &[u8], signature: &mut [u8]) {
    let mut digest = [0; DIGEST];
    mac.sign(message, &mut digest);
    hex::encode_to_slice(digest, signature).expect("a signature has its length");
}
