//! Payload ⇄ cookie value: the part that only holders of a secret can do.

mod encrypted;
mod hex_signed;
mod mac;
mod signed;

use std::ops::Range;
use std::sync::LazyLock;

use base64::engine::{DecodePaddingMode, Engine, GeneralPurposeConfig, Simd};
use zeroize::Zeroizing;

use crate::error::Error;
use crate::load::Refusal;
use crate::wiped::WipedBytes;

pub(crate) use encrypted::{Encrypted, KEY};
pub(crate) use hex_signed::HexSigned;
pub(crate) use mac::{Hashalg, KeyedMac};
pub(crate) use signed::Signed;

/// A payload that was genuine.
pub(crate) struct Unsealed {
    /// Where it stands in the buffer.
    pub payload: Range<usize>,
    /// Whether a previous secret sealed it.
    pub previous_secret: bool,
}

/// How payloads are protected.
pub(crate) trait Seal: Send + Sync {
    /// Checks a cookie's value and puts its payload into `buffer`, which is empty.
    fn open(&self, value: &[u8], buffer: &mut Vec<u8>) -> Result<Unsealed, Refusal>;

    /// How many bytes the seal puts in front of a payload.
    fn overhead(&self) -> usize;

    /// Seals a payload in place: `buffer` begins with [`Seal::overhead`] bytes for the seal's own use.
    fn seal(&self, buffer: &mut [u8]) -> Result<(), Error>;

    /// The length of the cookie's value for a sealed buffer of so many bytes.
    fn value_len(&self, sealed: usize) -> usize {
        encoded_len(sealed)
    }

    /// Writes a sealed buffer as a cookie's value into `out`, which has just the length for it.
    fn write(&self, sealed: &[u8], out: &mut [u8]) {
        encode(sealed, out);
    }
}

/// A secret as bytes: the salt and the secret, in that order, for signing; the key alone for encryption.
pub(crate) type Secret = Zeroizing<Vec<u8>>;

static BASE64: LazyLock<Simd> = LazyLock::new(|| {
    let config =
        GeneralPurposeConfig::new().with_encode_padding(false).with_decode_padding_mode(DecodePaddingMode::RequireNone);
    Simd::url_safe(config)
});

/// Chooses the base64 code for this processor: before a fork could come between.
pub(crate) fn prepare() {
    LazyLock::force(&BASE64);
}

/// Appends what a cookie's value stands for, with or without its `=` padding.
#[inline]
pub(crate) fn decode(value: &[u8], buffer: &mut Vec<u8>) -> Result<(), Refusal> {
    let value = match value {
        [bare @ .., b'=', b'='] | [bare @ .., b'='] if value.len().is_multiple_of(4) => bare,
        _ => value,
    };
    BASE64.decode_vec(value, buffer).map_err(|_| Refusal::malformed("the cookie is not URL-safe base64"))
}

/// Most bytes that a cookie's value of this length stands for.
pub(crate) fn decoded_most(length: usize) -> usize {
    base64::decoded_len_estimate(length)
}

/// The length of a cookie's value that stands for so many bytes.
pub(crate) fn encoded_len(bytes: usize) -> usize {
    (bytes * 4).div_ceil(3)
}

/// Bytes as a cookie's value.
pub(crate) fn encoded(bytes: &[u8]) -> WipedBytes {
    let mut value = WipedBytes::from(vec![0; encoded_len(bytes.len())]);
    encode(bytes, &mut value);
    value
}

/// Writes bytes as a cookie's value into `out`, which has just the length for it.
pub(crate) fn encode(bytes: &[u8], out: &mut [u8]) {
    BASE64.encode_slice(bytes, out).expect("the value's length was computed");
}
