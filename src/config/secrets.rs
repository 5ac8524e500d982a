//! Derives keys from secrets.

use zeroize::Zeroizing;

use crate::cookie::seal::{KEY, Secret};
use crate::error::Error;
use crate::options::{Settings, full_name};

/// How a key is derived from a secret.
pub(super) enum KeyRule<'s> {
    /// The key is this salt and the secret, encoded as WebOb does.
    Salted(&'s str),
    /// The key is the secret in UTF-8.
    Utf8,
    /// The secret is a key for encryption, in hex digits.
    Encryption,
}

/// The keys of the current secret and of the previous ones. `format` is an accepted format's name, or empty.
pub(super) fn secrets(format: &str, settings: &Settings, rule: KeyRule<'_>) -> Result<Vec<Secret>, Error> {
    let full_name = |option: &str| full_name(format, option);
    let current: Vec<_> = settings.all(&["secret", "secret_hex"]).collect();
    match current.len() {
        1 => {}
        0 => {
            return Err(Error::Option(format!(
                "the option {} or {} is required",
                full_name("secret"),
                full_name("secret_hex")
            )));
        }
        _ => {
            let [text, hex] = ["secret", "secret_hex"].map(full_name);
            return Err(Error::Option(format!("set one of the options {text} and {hex}, not both")));
        }
    }
    let previous = settings.all(&["previous_secret", "previous_secret_hex"]);
    current
        .into_iter()
        .chain(previous)
        .map(|(option, value)| match rule {
            KeyRule::Encryption => encryption_key(value).ok_or_else(|| {
                let allowed = format!("{} hex digits for an encrypted cookie", 2 * KEY);
                settings.refuse(format, option, &allowed)
            }),
            KeyRule::Salted(salt) if option.ends_with("_hex") => Ok(salted_bytes(salt, value)),
            KeyRule::Salted(salt) => Ok(salted_text(salt, value)),
            KeyRule::Utf8 if option.ends_with("_hex") => Ok(salted_bytes("", value)),
            KeyRule::Utf8 => Ok(Zeroizing::new(value.as_bytes().to_vec())),
        })
        .collect()
}

fn encryption_key(digits: &str) -> Option<Secret> {
    let key = Zeroizing::new(hex::decode(digits).ok()?);
    (key.len() == KEY).then_some(key)
}

/// Joins a salt and a secret as WebOb does: both are encoded as latin-1 if that is possible, otherwise both as UTF-8.
fn salted_text(salt: &str, secret: &str) -> Secret {
    let mut key = Zeroizing::new(Vec::with_capacity(salt.len() + secret.len()));
    let characters = salt.chars().chain(secret.chars());
    if characters.clone().all(|character| u32::from(character) <= 0xff) {
        key.extend(characters.map(|character| character as u8));
    } else {
        key.extend_from_slice(salt.as_bytes());
        key.extend_from_slice(secret.as_bytes());
    }
    key
}

/// Joins a salt and a secret that is given as hex digits.
fn salted_bytes(salt: &str, digits: &str) -> Secret {
    let mut key = salted_text(salt, "");
    key.reserve_exact(digits.len() / 2);
    key.extend_from_slice(&Zeroizing::new(hex::decode(digits).unwrap_or_default()));
    key
}
