//! pyramid_nacl_session's seal: `base64url(nonce[24] || tag[16] || ciphertext)`, NaCl's secretbox.

use crypto_secretbox::aead::{AeadInPlace, KeyInit};
use crypto_secretbox::{Key, Nonce, Tag, XSalsa20Poly1305};

use crate::error::Error;
use crate::load::Refusal;
use crate::seal::{Seal, Secret, Unsealed, decode};

/// Bytes of a key.
pub(crate) const KEY: usize = 32;
const NONCE: usize = 24;
const TAG: usize = 16;

pub(crate) struct Encrypted {
    /// The current secret's first.
    boxes: Vec<XSalsa20Poly1305>,
}

impl Encrypted {
    /// `secrets`: the current one, then the previous ones; each of [`KEY`] bytes.
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
        // The tag is checked before anything is decrypted, so a failed try leaves the ciphertext as it was.
        let opens = |key: &XSalsa20Poly1305| {
            key.decrypt_in_place_detached(Nonce::from_slice(nonce), b"", ciphertext, Tag::from_slice(tag)).is_ok()
        };
        let Some(index) = self.boxes.iter().position(opens) else {
            return Err(Refusal::bad_signature(
                "the cookie is not authenticated by any of the secrets: compare type and secret with its writer's",
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
