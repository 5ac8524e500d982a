//! Sessions of other libraries, in the form that these libraries read and write: pyramid_session_redis,
//! pyramid_redis_sessions and Beaker.
//!
//! Such a library keeps values of its own with a session's data, for example its expiry time or its path. They are kept
//! as hidden members of the state: they are written back, but the dictionary does not show them.

mod beaker;
mod notation;
mod parts;
mod pyramid_redis_sessions;
mod pyramid_session_redis;

use std::sync::Arc;

use crate::config::{FormatConfig, Library, SerializerName};
use crate::cookie::format::Format;
use crate::cookie::seal::{Seal, Signed};
use crate::record::layout::Layout;

use self::notation::Notation;

/// The format of Beaker's session cookies.
pub(crate) fn beaker_cookie(config: FormatConfig) -> Format {
    let serializer = Arc::new(beaker::Dict::for_cookie(notation(&config)));
    let seal: Box<dyn Seal> = match config.encrypt_key {
        Some(encrypt_key) => beaker::encrypted(config.secrets, encrypt_key),
        None => beaker::signed(&config.secrets),
    };
    Format { name: config.name, seal, serializer }
}

/// The layout of a library's records. `None` for khufu's own. `timeout` is in seconds.
pub(crate) fn layout(config: &FormatConfig, timeout: Option<u64>) -> Option<Box<dyn Layout>> {
    let FormatConfig { secrets, hashalg, .. } = config;
    Some(match config.library {
        Library::Khufu => return None,
        Library::PyramidSessionRedis => {
            let seal = Signed::new(*hashalg, secrets);
            Box::new(pyramid_session_redis::Records::new(seal, notation(config), timeout))
        }
        Library::PyramidRedisSessions => {
            Box::new(pyramid_redis_sessions::Records::new(secrets, timeout.unwrap_or_default()))
        }
        Library::Beaker => Box::new(beaker::Records::new(secrets, notation(config), timeout)),
    })
}

fn notation(config: &FormatConfig) -> Notation {
    match (config.serializer, config.library) {
        (SerializerName::Pickle, _) => Notation::Pickle,
        (SerializerName::Json, Library::Beaker) => Notation::ZippedJson,
        (SerializerName::Json, _) => Notation::Json,
    }
}
