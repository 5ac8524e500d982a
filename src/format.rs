//! A format: a seal, a serializer and the secrets, as one set of options names them.

use std::sync::Arc;
use std::time::Duration;

use zeroize::Zeroizing;

use crate::arena;
use crate::error::Error;
use crate::load::Refusal;
use crate::options::{Options, Settings, full_name};
use crate::original::Original;
use crate::record::id::Keys;
use crate::record::khufu::KhufuLayout;
use crate::record::layout::Layout;
use crate::seal::{self, Encrypted, Hashalg, Seal, Secret, Signed, Unsealed};
use crate::serializer::{CookieSerializer, Json, Pickle, Serializer};
use crate::store::{self, Store};
use crate::wiped::WipedBytes;

pub(crate) struct Format {
    /// An accepted format's name; of the current one, empty.
    pub name: String,
    pub seal: Box<dyn Seal>,
    pub serializer: Arc<dyn CookieSerializer>,
}

impl Format {
    pub fn new(name: &str, settings: &Settings) -> Result<Self, Error> {
        if settings.choice("type") == Some("store") {
            return Err(settings.refuse(name, "type", "one of signed_cookie, encrypted_cookie"));
        }
        if let Some(original) = Original::of(settings) {
            return original.format(name, settings);
        }
        no_encrypt_key(name, settings)?;
        let seal: Box<dyn Seal> = match settings.choice("type") {
            Some("encrypted_cookie") => {
                no_salt(name, settings)?;
                Box::new(Encrypted::new(&secrets(name, settings, Rule::Encryption)?))
            }
            _ => Box::new(signed(settings, &salted_secrets(name, settings)?)),
        };
        Ok(Self { name: name.to_owned(), seal, serializer: serializer(settings) })
    }

    /// The format that cookies are written in.
    pub fn current(options: &Options) -> Result<Self, Error> {
        let format = Self::new("", options.settings())?;
        Ok(match own_serializer(options)? {
            Some(serializer) => Self { serializer, ..format },
            None => format,
        })
    }

    /// A cookie's value as bytes, of which the payload is a part, and genuine.
    #[inline]
    pub fn unseal(&self, value: &[u8]) -> Result<(WipedBytes, Unsealed), Refusal> {
        let mut buffer = WipedBytes::with_capacity(seal::decoded_most(value.len()) + arena::ROOM);
        let unsealed = self.seal.open(value, &mut buffer)?;
        Ok((buffer, unsealed))
    }
}

/// Where sessions are kept, and what they look like there.
pub(crate) type Kept = (Arc<dyn Store>, Box<dyn Layout>);

/// The store and the layout of a factory of type `store`, whose operations may take as long as `limit`.
pub(crate) fn stored(options: &Options, limit: Duration) -> Result<Kept, Error> {
    let settings = options.settings();
    if let Some(original) = Original::of(settings) {
        return original.stored(options);
    }
    no_encrypt_key("", settings)?;
    let store = match &options.own_store {
        Some(store) => store.clone(),
        None => store::open(settings, limit)?,
    };
    let layout = KhufuLayout {
        keys: Keys::new(&salted_secrets("", settings)?),
        serializer: own_serializer(options)?.unwrap_or_else(|| serializer(settings)),
        timeout: settings.seconds("timeout"),
    };
    Ok((store, Box::new(layout)))
}

/// The caller's own serializer, if there is one. Another library does not know it.
pub(crate) fn own_serializer(options: &Options) -> Result<Option<Arc<dyn Serializer>>, Error> {
    if options.own_serializer.is_some() && Original::of(options.settings()).is_some() {
        return Err(options.settings().refuse("", "format", "khufu for a serializer of the caller's own"));
    }
    Ok(options.own_serializer.clone())
}

/// Only encrypted cookies of Beaker's have one.
pub(crate) fn no_encrypt_key(name: &str, settings: &Settings) -> Result<(), Error> {
    match settings.said("encrypt_key") {
        Some(_) => Err(settings.refuse(name, "encrypt_key", "unset, but for format beaker and type encrypted_cookie")),
        None => Ok(()),
    }
}

/// The key of an encrypted cookie is the secret alone.
fn no_salt(name: &str, settings: &Settings) -> Result<(), Error> {
    match settings.said("salt") {
        Some(_) => {
            let allowed =
                format!("unset where {} is encrypted_cookie (the key is the secret alone)", full_name(name, "type"));
            Err(settings.refuse(name, "salt", &allowed))
        }
        None => Ok(()),
    }
}

fn serializer(settings: &Settings) -> Arc<dyn Serializer> {
    match settings.choice("serializer") {
        Some("pickle") => Arc::new(Pickle),
        _ => Arc::new(Json),
    }
}

/// Pyramid's seal; `secrets` have their salt in front.
pub(crate) fn signed(settings: &Settings, secrets: &[Secret]) -> Signed {
    Signed::new(hashalg(settings), secrets)
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

/// What a secret becomes.
pub(crate) enum Rule<'s> {
    /// Bytes behind a salt, by WebOb's rule.
    Salted(&'s str),
    /// Its text in UTF-8.
    Utf8,
    /// A key for encryption.
    Encryption,
}

fn salted_secrets(format: &str, settings: &Settings) -> Result<Vec<Secret>, Error> {
    secrets(format, settings, Rule::Salted(settings.get("salt").unwrap_or_default()))
}

/// The current secret and the previous ones.
pub(crate) fn secrets(format: &str, settings: &Settings, rule: Rule<'_>) -> Result<Vec<Secret>, Error> {
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
            return Err(Error::Option(format!("give one of the options {text} and {hex}, not both")));
        }
    }
    let previous = settings.all(&["previous_secret", "previous_secret_hex"]);
    current
        .into_iter()
        .chain(previous)
        .map(|(option, value)| match rule {
            Rule::Encryption => encryption_key(value).ok_or_else(|| {
                let allowed = format!("{} hex digits for an encrypted cookie", 2 * seal::KEY);
                settings.refuse(format, option, &allowed)
            }),
            Rule::Salted(salt) if option.ends_with("_hex") => Ok(salted_bytes(salt, value)),
            Rule::Salted(salt) => Ok(salted_text(salt, value)),
            Rule::Utf8 if option.ends_with("_hex") => Ok(salted_bytes("", value)),
            Rule::Utf8 => Ok(Zeroizing::new(value.as_bytes().to_vec())),
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
