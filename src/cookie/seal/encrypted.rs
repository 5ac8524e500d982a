//! The seal of pyramid_nacl_session, a secretbox of NaCl: `base64url(nonce[24] || tag[16] || ciphertext)`.

use crypto_secretbox::aead::{AeadInPlace, KeyInit};
use crypto_secretbox::{Key, Nonce, Tag, XSalsa20Poly1305};

use crate::cookie::seal::{Seal, Secret, Unsealed, decode};
use crate::error::Error;
use crate::load::Refusal;

/// The length of a key in bytes.
pub(crate) const KEY: usize = 32;
const NONCE: usize = 24;
const TAG: usize = 16;

pub(crate) struct Encrypted {
    /// One for each secret, the current one first.
    boxes: Vec<XSalsa20Poly1305>,
}

impl Encrypted {
    /// `secrets` are the current one, then the previous ones. Each has [`KEY`] bytes.
    pub fn new(secrets: &[Secret]) -> Self {
        Self { boxes: secrets.iter().map(|secret| XSalsa20Poly1305::new(Key::from_slice(secret))).collect() }
    }
}

impl Seal for Encrypted {
    fn open(&self, value: &[u8], buffer: &mut Vec<u8>) -> Result<Unsealed, Refusal> {
        decode(value, buffer)?;
        if buffer.len() < NONCE + TAG {
            return Err(Refusal::malformed("the cookie is too short to hold a nonce and a tag"));
        }
        let (nonce, rest) = buffer.split_at_mut(NONCE);
        let (tag, ciphertext) = rest.split_at_mut(TAG);
        // The tag is checked before decryption, so a failed attempt does not change the ciphertext.
        let opens = |key: &XSalsa20Poly1305| {
            key.decrypt_in_place_detached(Nonce::from_slice(nonce), b"", ciphertext, Tag::from_slice(tag)).is_ok()
        };
        let Some(index) = self.boxes.iter().position(opens) else {
            return Err(Refusal::bad_signature(
                "none of the secrets opens the cookie: compare the options type and secret with those of its writer",
            ));
        };
        Ok(Unsealed { payload: NONCE + TAG..buffer.len(), previous_secret: index > 0 })
    }

    fn overhead(&self) -> usize {
        NONCE + TAG
    }

    fn seal(&self, buffer: &mut [u8]) -> Result<(), Error> {
        let (nonce, rest) = buffer.split_at_mut(NONCE);
        let (tag, payload) = rest.split_at_mut(TAG);
        getrandom::fill(nonce)?;
        let made = self.boxes[0]
            .encrypt_in_place_detached(Nonce::from_slice(nonce), b"", payload)
            .expect("a payload is shorter than the cipher's limit");
        tag.copy_from_slice(&made);
        Ok(())
    }
}
