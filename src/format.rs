//! A format: a seal, a serializer and the secrets, as one set of options names them.

use std::sync::Arc;

use zeroize::Zeroizing;

use crate::arena;
use crate::error::Error;
use crate::load::Refusal;
use crate::options::Settings;
use crate::seal::{self, Encrypted, Hashalg, Seal, Secret, Signed};
use crate::serializer::{Content, Json, Pickle, Serializer};
use crate::wiped::WipedBytes;

pub(crate) struct Format {
    /// An accepted format's name; of the current one, empty.
    pub name: String,
    pub seal: Box<dyn Seal>,
    pub serializer: Arc<dyn Serializer>,
}

impl Format {
    pub fn new(name: &str, settings: &Settings) -> Result<Self, Error> {
        let secrets = secrets(name, settings)?;
        let seal: Box<dyn Seal> = match settings.choice("type") {
            Some("encrypted_cookie") => Box::new(Encrypted::new(&secrets)),
            Some("store") => {
                let allowed = "must be signed_cookie or encrypted_cookie, not store";
                return Err(Error::Option(format!("the option accept.{name}.type {allowed}")));
            }
            _ => Box::new(Signed::new(hashalg(settings), &secrets)),
        };
        Ok(Self { name: name.to_owned(), seal, serializer: serializer(settings) })
    }

    /// What a cookie's value holds, and whether a previous secret sealed it.
    #[inline]
    pub fn open(&self, value: &[u8]) -> Result<(Content, bool), Refusal> {
        let mut buffer = WipedBytes::with_capacity(seal::decoded_most(value.len()) + arena::ROOM);
        let unsealed = self.seal.open(value, &mut buffer)?;
        let content = self.serializer.loads(buffer, unsealed.payload)?;
        Ok((content, unsealed.previous_secret))
    }
}

pub(crate) fn serializer(settings: &Settings) -> Arc<dyn Serializer> {
    match settings.choice("serializer") {
        Some("pickle") => Arc::new(Pickle),
        _ => Arc::new(Json),
    }
}

fn hashalg(settings: &Settings) -> Hashalg {
    match settings.choice("hashalg") {
        Some("sha1") => Hashalg::Sha1,
        Some("sha224") => Hashalg::Sha224,
        Some("sha256") => Hashalg::Sha256,
        Some("sha384") => Hashalg::Sha384,
        _ => Hashalg::Sha512,
    }
}

/// The current secret and the previous ones, as the seal takes them.
pub(crate) fn secrets(format: &str, settings: &Settings) -> Result<Vec<Secret>, Error> {
    let full_name =
        |option: &str| if format.is_empty() { option.to_owned() } else { format!("accept.{format}.{option}") };
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
            return Err(Error::Option(format!("give one of the options {text} and {hex}, not both")));
        }
    }
    let previous = settings.all(&["previous_secret", "previous_secret_hex"]);
    let encrypted = settings.choice("type") == Some("encrypted_cookie");
    let salt = settings.get("salt").unwrap_or_default();
    current
        .into_iter()
        .chain(previous)
        .map(|(option, value)| {
            if encrypted {
                return encryption_key(value).ok_or_else(|| {
                    let digits = 2 * seal::KEY;
                    Error::Option(format!(
                        "the option {} must be {digits} hex digits for an encrypted cookie",
                        full_name(option)
                    ))
                });
            }
            Ok(if option.ends_with("_hex") { salted_bytes(salt, value) } else { salted_text(salt, value) })
        })
        .collect()
}

fn encryption_key(digits: &str) -> Option<Secret> {
    let key = Zeroizing::new(hex::decode(digits).ok()?);
    (key.len() == seal::KEY).then_some(key)
}

/// Salt and secret as WebOb joins two texts: both as latin-1 if every character fits, else both as UTF-8.
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

fn salted_bytes(salt: &str, digits: &str) -> Secret {
    let mut key = salted_text(salt, "");
    key.reserve_exact(digits.len() / 2);
    key.extend_from_slice(&Zeroizing::new(hex::decode(digits).unwrap_or_default()));
    key
}
