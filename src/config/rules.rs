//! Checks which options each library allows.

use zeroize::Zeroizing;

use crate::config::choices::{Library, SessionType};
use crate::cookie::seal::Secret;
use crate::error::Error;
use crate::options::{Settings, full_name};

/// The default salt of pyramid_session_redis.
pub(super) const PYRAMID_SESSION_REDIS_SALT: &str = "pyramid_session_redis.";

/// Refuses options that a library does not have, or values that it could not read. `name` is an accepted format's name,
/// or empty.
pub(super) fn check(library: Library, name: &str, session_type: SessionType, settings: &Settings) -> Result<(), Error> {
    if (library, session_type) != (Library::Beaker, SessionType::EncryptedCookie) && settings.is_set("encrypt_key") {
        return Err(settings.refuse(
            name,
            "encrypt_key",
            "unset unless library is beaker and type is encrypted_cookie",
        ));
    }
    if library == Library::Khufu {
        return match session_type {
            SessionType::EncryptedCookie if settings.is_set("salt") => {
                let allowed =
                    format!("unset if {} is encrypted_cookie (the key is the secret alone)", full_name(name, "type"));
                Err(settings.refuse(name, "salt", &allowed))
            }
            _ => Ok(()),
        };
    }
    let stored = session_type == SessionType::Store;
    let is_set = |option: &str| settings.is_set(option);
    let is_zero = |option: &str| settings.number(option) == Some(0);
    let salted = library == Library::PyramidSessionRedis;
    let rule = if is_set("salt") && !salted {
        Some(("salt", "unset", "the signature's key is the secret alone"))
    } else if is_set("hashalg") && !salted && settings.choice("hashalg") != Some("sha1") {
        Some(("hashalg", "sha1", "the library uses no other"))
    } else if library == Library::PyramidRedisSessions
        && is_set("serializer")
        && settings.choice("serializer") == Some("json")
    {
        Some(("serializer", "pickle", "the library reads nothing else"))
    } else if stored && library != Library::Beaker && is_zero("timeout") {
        Some(("timeout", "more than 0", "Redis does not accept a time to live of 0"))
    } else if stored && library == Library::PyramidRedisSessions && settings.number("timeout").is_none() {
        Some(("timeout", "set", "each of the library's sessions has a timeout"))
    } else if stored && is_set("regenerate_grace") && !is_zero("regenerate_grace") {
        Some(("regenerate_grace", "0", "the library's records cannot be made read-only"))
    } else {
        None
    };
    let condition = || format!("if {} is {}", full_name(name, "library"), library.name());
    match rule {
        Some((option, allowed, reason)) => {
            Err(settings.refuse(name, option, &format!("{allowed} {} ({reason})", condition())))
        }
        None if !stored && library != Library::Beaker => {
            Err(settings.refuse(name, "type", &format!("store {}", condition())))
        }
        None => Ok(()),
    }
}

/// The key of Beaker's encrypted cookies. Beaker needs this key and the secrets to be ASCII.
pub(super) fn encrypt_key(name: &str, settings: &Settings, secrets: &[Secret]) -> Result<Secret, Error> {
    let wrong = |option: &str, wanted: &str| {
        let allowed = format!("{wanted} for Beaker's encrypted cookies");
        Err(settings.refuse(name, option, &allowed))
    };
    let Some(key) = settings.get("encrypt_key") else {
        return wrong("encrypt_key", "set");
    };
    if !key.is_ascii() {
        return wrong("encrypt_key", "ASCII");
    }
    if !secrets.iter().all(|secret| secret.is_ascii()) {
        return wrong("secret", "ASCII, like each previous secret,");
    }
    Ok(Zeroizing::new(key.as_bytes().to_vec()))
}
