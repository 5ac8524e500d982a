//! New secrets.

use zeroize::Zeroizing;

use crate::error::Error;

/// Hex digits of a secret for signing, to be given as the text `secret`, here and to Pyramid.
pub const SIGNING_SECRET: usize = 128;
/// Hex digits of a secret for encryption.
pub const ENCRYPTION_SECRET: usize = 64;

/// Fills a buffer with random hex digits, an even number of them.
///
/// # Errors
/// [`Error::Random`] if the system gives no random bytes; the buffer is as it was.
pub fn generate_secret(digits: &mut [u8]) -> Result<(), Error> {
    let mut bytes = Zeroizing::new(vec![0; digits.len() / 2]);
    getrandom::fill(&mut bytes)?;
    let even = 2 * bytes.len();
    hex::encode_to_slice(&*bytes, &mut digits[..even]).expect("there are two digits a byte");
    Ok(())
}
