//! Seals. A seal turns a payload into a cookie's value that only the holder of a secret can make, and back.

mod encrypted;
mod hex_signed;
mod mac;
mod secret;
mod signed;

use std::ops::Range;
use std::sync::LazyLock;

use base64::engine::{DecodePaddingMode, Engine, GeneralPurposeConfig, Simd};
use zeroize::Zeroizing;

use crate::error::Error;
use crate::load::Refusal;
use crate::sys::wiped::WipedBytes;

pub(crate) use encrypted::{Encrypted, KEY};
pub(crate) use hex_signed::HexSigned;
pub(crate) use mac::{Hashalg, KeyedMac};
pub(crate) use secret::{ENCRYPTION_SECRET, SIGNING_SECRET, fill_secret};
pub use secret::{generate_encryption_secret, generate_secret};
pub(crate) use signed::Signed;

/// A payload whose seal was verified.
pub(crate) struct Unsealed {
    /// The range of the payload in the buffer.
    pub payload: Range<usize>,
    /// True if a previous secret sealed it.
    pub previous_secret: bool,
}

/// A way to protect payloads.
pub(crate) trait Seal: Send + Sync {
    /// Verifies a cookie's value and writes its payload to `buffer`, which must be empty.
    fn open(&self, value: &[u8], buffer: &mut Vec<u8>) -> Result<Unsealed, Refusal>;

    /// The number of bytes that the seal puts before a payload.
    fn overhead(&self) -> usize;

    /// Seals a payload in place: `buffer` begins with [`Seal::overhead`] bytes for the seal's own use.
    fn seal(&self, buffer: &mut [u8]) -> Result<(), Error>;

    /// The length of the cookie's value for a sealed buffer of this many bytes.
    fn value_len(&self, sealed: usize) -> usize {
        encoded_len(sealed)
    }

    /// Writes a sealed buffer as a cookie's value to `out`, which must have the length of the value.
    fn write(&self, sealed: &[u8], out: &mut [u8]) {
        encode(sealed, out);
    }
}

/// The key that is derived from a secret. For a signature it is usually the salt and the secret.
pub(crate) type Secret = Zeroizing<Vec<u8>>;

static BASE64: LazyLock<Simd> = LazyLock::new(|| {
    let config =
        GeneralPurposeConfig::new().with_encode_padding(false).with_decode_padding_mode(DecodePaddingMode::RequireNone);
    Simd::url_safe(config)
});

/// Selects the base64 implementation for this processor. This must not happen during a fork, so a factory does it
/// early.
pub(crate) fn prepare() {
    LazyLock::force(&BASE64);
}

/// Decodes a cookie's value and appends the bytes to `buffer`. The value may have `=` padding.
#[inline]
pub(crate) fn decode(value: &[u8], buffer: &mut Vec<u8>) -> Result<(), Refusal> {
    let value = match value {
        [bare @ .., b'=', b'='] | [bare @ .., b'='] if value.len().is_multiple_of(4) => bare,
        _ => value,
    };
    BASE64.decode_vec(value, buffer).map_err(|_| Refusal::malformed("the cookie is not URL-safe base64"))
}

/// The most bytes to which a cookie's value of this length can be decoded.
pub(crate) fn decoded_most(length: usize) -> usize {
    base64::decoded_len_estimate(length)
}

/// The length of the cookie's value to which this many bytes are encoded.
pub(crate) fn encoded_len(bytes: usize) -> usize {
    (bytes * 4).div_ceil(3)
}

/// Encodes bytes as a cookie's value.
pub(crate) fn encoded(bytes: &[u8]) -> WipedBytes {
    let mut value = WipedBytes::from(vec![0; encoded_len(bytes.len())]);
    encode(bytes, &mut value);
    value
}

/// Encodes bytes as a cookie's value and writes it to `out`, which must have the length of the value.
pub(crate) fn encode(bytes: &[u8], out: &mut [u8]) {
    BASE64.encode_slice(bytes, out).expect("the value's length was computed");
}
