//! The options of a format, for a session's cookie or record.

use crate::config::choices::{Library, SerializerName, SessionType};
use crate::config::rules;
use crate::config::secrets::{KeyRule, secrets};
use crate::cookie::seal::{Hashalg, Secret};
use crate::error::Error;
use crate::options::Settings;

/// The current format or an accepted one.
pub(crate) struct FormatConfig {
    /// An accepted format's name. Empty for the current format.
    pub name: String,
    pub session_type: SessionType,
    pub library: Library,
    pub serializer: SerializerName,
    pub hashalg: Hashalg,
    /// The keys of signatures or encryption. The current secret's key comes first.
    pub secrets: Vec<Secret>,
    /// The key of Beaker's encrypted cookies.
    pub encrypt_key: Option<Secret>,
}

impl FormatConfig {
    pub(super) fn accepted(name: &str, settings: &Settings) -> Result<Self, Error> {
        match SessionType::of(settings, false)? {
            SessionType::Store => Err(settings.refuse(name, "type", "one of signed_cookie, encrypted_cookie")),
            session_type => Self::new(name, session_type, settings),
        }
    }

    pub(super) fn new(name: &str, session_type: SessionType, settings: &Settings) -> Result<Self, Error> {
        let library = Library::of(settings);
        rules::check(library, name, session_type, settings)?;
        let rule = match (library, session_type) {
            (Library::Khufu, SessionType::EncryptedCookie) => KeyRule::Encryption,
            (Library::Khufu, _) => KeyRule::Salted(settings.get("salt").unwrap_or_default()),
            (Library::PyramidSessionRedis, _) => KeyRule::Salted(match settings.all(&["salt"]).next() {
                Some((_, salt)) => salt,
                None => rules::PYRAMID_SESSION_REDIS_SALT,
            }),
            (Library::PyramidRedisSessions, _) => KeyRule::Salted(""),
            (Library::Beaker, _) => KeyRule::Utf8,
        };
        let secrets = secrets(name, settings, rule)?;
        let encrypt_key = match (library, session_type) {
            (Library::Beaker, SessionType::EncryptedCookie) => Some(rules::encrypt_key(name, settings, &secrets)?),
            _ => None,
        };
        Ok(Self {
            name: name.to_owned(),
            session_type,
            library,
            serializer: SerializerName::of(library, settings),
            hashalg: hashalg(settings),
            secrets,
            encrypt_key,
        })
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
