//! Makes random secrets.

use zeroize::Zeroizing;

use crate::error::Error;

/// The number of hex digits of a secret for signing. The digits themselves are the text of the option `secret`.
pub(crate) const SIGNING_SECRET: usize = 128;
/// The number of hex digits of a secret for encryption.
pub(crate) const ENCRYPTION_SECRET: usize = 64;

/// Makes a random secret for signing, 128 hexadecimal digits. Use the digits as the option `secret` here, and as the
/// same text in Pyramid.
///
/// ```
/// assert_eq!(khufu::generate_secret()?.len(), 128);
/// # Ok::<(), khufu::Error>(())
/// ```
///
/// # Errors
/// [`Error::Random`] if the system gives no random bytes.
pub fn generate_secret() -> Result<String, Error> {
    digits(SIGNING_SECRET)
}

/// Makes a random secret for encryption, 64 hexadecimal digits. Use it as the option `secret` of an encrypted cookie.
///
/// ```
/// assert_eq!(khufu::generate_encryption_secret()?.len(), 64);
/// # Ok::<(), khufu::Error>(())
/// ```
///
/// # Errors
/// [`Error::Random`] if the system gives no random bytes.
pub fn generate_encryption_secret() -> Result<String, Error> {
    digits(ENCRYPTION_SECRET)
}

fn digits(count: usize) -> Result<String, Error> {
    let mut digits = vec![0; count];
    fill_secret(&mut digits)?;
    Ok(String::from_utf8(digits).expect("digits are ASCII"))
}

/// Fills a buffer with random hex digits. A last odd byte is not written.
///
/// # Errors
/// [`Error::Random`] if the system gives no random bytes. The buffer is unchanged then.
pub(crate) fn fill_secret(digits: &mut [u8]) -> Result<(), Error> {
    let mut bytes = Zeroizing::new(vec![0; digits.len() / 2]);
    getrandom::fill(&mut bytes)?;
    let even = 2 * bytes.len();
    hex::encode_to_slice(&*bytes, &mut digits[..even]).expect("the buffer has two digits for each byte");
    Ok(())
}
