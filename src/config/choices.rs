//! The options whose values are words, as enums.

use crate::error::Error;
use crate::options::Settings;

/// The option `type`: where sessions are kept.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum SessionType {
    SignedCookie,
    EncryptedCookie,
    Store,
}

/// The option `library`.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Library {
    /// Pyramid's own cookies, and khufu's own records.
    Khufu,
    PyramidSessionRedis,
    PyramidRedisSessions,
    Beaker,
}

/// The option `serializer`.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum SerializerName {
    Json,
    Pickle,
}

impl SessionType {
    /// The type that is set. A custom store makes `store` the default.
    pub(super) fn of(settings: &Settings, has_custom_store: bool) -> Result<Self, Error> {
        match settings.choice("type") {
            _ if has_custom_store && !settings.is_set("type") => Ok(Self::Store),
            Some("store") => Ok(Self::Store),
            _ if has_custom_store => Err(settings.refuse("", "type", "store for a custom store")),
            Some("encrypted_cookie") => Ok(Self::EncryptedCookie),
            _ => Ok(Self::SignedCookie),
        }
    }
}

impl Library {
    /// The value of the option `library`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Khufu => "khufu",
            Self::PyramidSessionRedis => "pyramid_session_redis",
            Self::PyramidRedisSessions => "pyramid_redis_sessions",
            Self::Beaker => "beaker",
        }
    }

    pub(super) fn of(settings: &Settings) -> Self {
        match settings.choice("library") {
            Some("pyramid_session_redis") => Self::PyramidSessionRedis,
            Some("pyramid_redis_sessions") => Self::PyramidRedisSessions,
            Some("beaker") => Self::Beaker,
            _ => Self::Khufu,
        }
    }
}

impl SerializerName {
    /// The serializer that is set. Another library than khufu uses pickle by default.
    pub(super) fn of(library: Library, settings: &Settings) -> Self {
        match settings.choice("serializer") {
            Some("json") if library == Library::Khufu || settings.is_set("serializer") => Self::Json,
            _ => Self::Pickle,
        }
    }
}
