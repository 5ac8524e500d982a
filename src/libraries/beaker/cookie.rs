//! Beaker's `type=cookie`: `hex(HMAC-SHA1(validate_key, text)) || text`.
//!
//! The text of a signed cookie is `base64(dict)`. The text of an encrypted cookie is
//! `base64(nonce) || base64(iv || tag || AES-256-GCM(dict))`.

use aes_gcm::aead::AeadInOut;
use aes_gcm::{Aes256Gcm, KeyInit, Nonce, Tag};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use pbkdf2::pbkdf2_hmac_array;
use sha1::Sha1;
use zeroize::Zeroizing;

use crate::cookie::seal::{HexSigned, Seal, Secret, Unsealed};
use crate::error::Error;
use crate::load::Refusal;

const NONCE: usize = 16;
const NONCE_TEXT: usize = 24;
const IV: usize = 12;
const TAG: usize = 16;

/// The seal of signed cookies. `secrets` are the current `validate_key` and the previous ones.
pub(in crate::libraries) fn signed(secrets: &[Secret]) -> Box<dyn Seal> {
    Box::new(Signed { macs: HexSigned::new(secrets) })
}

/// The seal of encrypted cookies. `secrets` are the current `validate_key` and the previous ones.
pub(in crate::libraries) fn encrypted(secrets: Vec<Secret>, encrypt_key: Secret) -> Box<dyn Seal> {
    Box::new(Encrypted { macs: HexSigned::new(&secrets), secrets, encrypt_key })
}

struct Signed {
    macs: HexSigned,
}

/// Verifies a cookie's signature. Returns the text and the index of the secret that signed it.
fn verified<'v>(macs: &HexSigned, value: &'v [u8]) -> Result<(&'v [u8], usize), Refusal> {
    let (signature, text) = HexSigned::split(value)?;
    Ok((text, macs.signer(text, signature)?))
}

fn decode(text: &[u8], buffer: &mut Vec<u8>) -> Result<(), Refusal> {
    STANDARD.decode_vec(text, buffer).map_err(|_| Refusal::malformed("the cookie is not a signature and base64"))
}

fn encode(bytes: &[u8], out: &mut [u8]) {
    STANDARD.encode_slice(bytes, out).expect("the value's length was computed");
}

fn encoded_len(bytes: usize) -> usize {
    bytes.div_ceil(3) * 4
}

impl Seal for Signed {
    fn open(&self, value: &[u8], buffer: &mut Vec<u8>) -> Result<Unsealed, Refusal> {
        let (text, signer) = verified(&self.macs, value)?;
        decode(text, buffer)?;
        Ok(Unsealed { payload: 0..buffer.len(), previous_secret: signer > 0 })
    }

    fn overhead(&self) -> usize {
        0
    }

    /// Does nothing. Beaker signs the text in base64, which [`Seal::write`] makes.
    fn seal(&self, _buffer: &mut [u8]) -> Result<(), Error> {
        Ok(())
    }

    fn value_len(&self, sealed: usize) -> usize {
        HexSigned::LENGTH + encoded_len(sealed)
    }

    fn write(&self, sealed: &[u8], out: &mut [u8]) {
        let (signature, text) = out.split_at_mut(HexSigned::LENGTH);
        encode(sealed, text);
        self.macs.sign(text, signature);
    }
}

struct Encrypted {
    macs: HexSigned,
    secrets: Vec<Secret>,
    encrypt_key: Secret,
}

impl Encrypted {
    /// The cipher of one cookie. Its key is derived from `encrypt_key`, the secret of this index and the nonce's text.
    fn cipher(&self, secret: usize, nonce: &[u8]) -> Aes256Gcm {
        let salt = Zeroizing::new([&self.secrets[secret], nonce].concat());
        let key = Zeroizing::new(pbkdf2_hmac_array::<Sha1, 32>(&self.encrypt_key, &salt, 1));
        Aes256Gcm::new((&*key).into())
    }
}

impl Seal for Encrypted {
    fn open(&self, value: &[u8], buffer: &mut Vec<u8>) -> Result<Unsealed, Refusal> {
        let (text, signer) = verified(&self.macs, value)?;
        let too_short = || Refusal::malformed("the cookie is too short to hold a nonce and a tag");
        let (nonce, text) = text.split_at_checked(NONCE_TEXT).ok_or_else(too_short)?;
        decode(text, buffer)?;
        let (iv, rest) = buffer.split_first_chunk_mut::<IV>().ok_or_else(too_short)?;
        let (tag, ciphertext) = rest.split_first_chunk_mut::<TAG>().ok_or_else(too_short)?;
        self.cipher(signer, nonce)
            .decrypt_inout_detached((&*iv).into(), b"", ciphertext.into(), (&*tag).into())
            .map_err(|_| {
                Refusal::bad_signature(
                    "the cookie cannot be decrypted: compare the option encrypt_key with that of its writer",
                )
            })?;
        Ok(Unsealed { payload: IV + TAG..buffer.len(), previous_secret: signer > 0 })
    }

    fn overhead(&self) -> usize {
        NONCE + IV + TAG
    }

    fn seal(&self, buffer: &mut [u8]) -> Result<(), Error> {
        let (nonce, rest) = buffer.split_at_mut(NONCE);
        let (iv, rest) = rest.split_at_mut(IV);
        let (tag, payload) = rest.split_at_mut(TAG);
        getrandom::fill(nonce)?;
        getrandom::fill(iv)?;
        let mut text = [0; NONCE_TEXT];
        encode(nonce, &mut text);
        let iv = Nonce::try_from(&*iv).expect("the IV has the right length");
        let made: Tag = self
            .cipher(0, &text)
            .encrypt_inout_detached(&iv, b"", payload.into())
            .expect("a payload is shorter than the cipher's limit");
        tag.copy_from_slice(&made);
        Ok(())
    }

    fn value_len(&self, sealed: usize) -> usize {
        HexSigned::LENGTH + NONCE_TEXT + encoded_len(sealed - NONCE)
    }

    fn write(&self, sealed: &[u8], out: &mut [u8]) {
        let (signature, text) = out.split_at_mut(HexSigned::LENGTH);
        encode(&sealed[..NONCE], &mut text[..NONCE_TEXT]);
        encode(&sealed[NONCE..], &mut text[NONCE_TEXT..]);
        self.macs.sign(text, signature);
    }
}
