//! `SignedCookieSessionFactory`'s seal (WebOb's `SignedSerializer`): `base64url(HMAC(salt || secret, payload) || payload)`.

use crate::cookie::seal::mac::{Hashalg, KeyedMac};
use crate::cookie::seal::{Seal, Secret, Unsealed, decode};
use crate::error::Error;
use crate::load::Refusal;

pub(crate) struct Signed {
    digest: usize,
    /// The current secret's first.
    macs: Vec<KeyedMac>,
}

impl Signed {
    /// `secrets`: the current one, then the previous ones; each with its salt in front.
    pub fn new(hashalg: Hashalg, secrets: &[Secret]) -> Self {
        let macs = secrets.iter().map(|secret| KeyedMac::new(hashalg, secret)).collect();
        Self { digest: hashalg.digest_len(), macs }
    }
}

impl Seal for Signed {
    fn open(&self, value: &[u8], buffer: &mut Vec<u8>) -> Result<Unsealed, Refusal> {
        decode(value, buffer)?;
        let Some((signature, payload)) = buffer.split_at_checked(self.digest) else {
            return Err(Refusal::malformed("the cookie is too short to hold a signature"));
        };
        let Some(index) = self.macs.iter().position(|mac| mac.verifies(payload, signature)) else {
            return Err(Refusal::bad_signature(
                "the cookie's signature is not by any of the secrets: compare secret, salt and hashalg with its writer's",
            ));
        };
        Ok(Unsealed { payload: self.digest..buffer.len(), previous_secret: index > 0 })
    }

    fn overhead(&self) -> usize {
        self.digest
    }

    fn seal(&self, buffer: &mut [u8]) -> Result<(), Error> {
        let (signature, payload) = buffer.split_at_mut(self.digest);
        self.macs[0].sign(payload, signature);
        Ok(())
    }
}
