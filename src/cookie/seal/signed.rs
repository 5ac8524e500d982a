//! The seal of `SignedCookieSessionFactory` (WebOb's `SignedSerializer`):
//! `base64url(HMAC(salt || secret, payload) || payload)`.

use crate::cookie::seal::mac::{Hashalg, KeyedMac};
use crate::cookie::seal::{Seal, Secret, Unsealed, decode};
use crate::error::Error;
use crate::load::Refusal;

pub(crate) struct Signed {
    digest: usize,
    /// One for each secret, the current one first.
    macs: Vec<KeyedMac>,
}

impl Signed {
    /// `secrets` are the current one, then the previous ones. Each begins with its salt.
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
                "none of the secrets made the cookie's signature: compare the options secret, salt and hashalg with \
                 those of its writer",
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
