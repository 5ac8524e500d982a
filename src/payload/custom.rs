//! An application's own serializer.

use std::ops::Range;

use crate::error::Error;
use crate::load::Refusal;
use crate::payload::json;
use crate::payload::moment::Moment;
use crate::payload::serializer::{Content, CookieSerializer, Serializer as RecordSerializer};
use crate::payload::state::State;
use crate::sys::wiped::{WipedBytes, WipedText};

/// An application's own serializer, for [`Custom::serializer`](crate::Custom::serializer). It writes payloads in
/// another form than JSON or pickle. It is called on the thread that opens or commits a session, possibly on several at
/// once.
///
/// A payload encodes a JSON text. For a cookie, the text is the array `[renewed, created, state]`; both times are in
/// seconds since the Unix epoch. For a record in a store, it is the state alone, an object.
///
/// ```
/// use khufu::{Custom, Factory, Options, Outcome, Serializer, SerializerError};
///
/// /// JSON after a version byte.
/// struct Versioned;
///
/// impl Serializer for Versioned {
///     fn loads(&self, payload: &[u8]) -> Result<Vec<u8>, SerializerError> {
///         match payload {
///             [1, json @ ..] => Ok(json.to_vec()),
///             _ => Err(SerializerError("the version is unknown".to_owned())),
///         }
///     }
///
///     fn dumps(&self, json: &str) -> Result<Vec<u8>, SerializerError> {
///         Ok([&[1], json.as_bytes()].concat())
///     }
/// }
///
/// let custom = Custom::new().serializer(Versioned);
/// let factory = Factory::with_custom(&Options::new().secret("seekrit"), custom)?;
/// let mut session = factory.open(b"")?;
/// session.set("user", "zoe")?;
/// let cookie = session.commit(Outcome::Response)?[0].split(';').next().unwrap().to_owned();
/// assert_eq!(factory.open(cookie.as_bytes())?.get("user")?, Some("zoe"));
/// # Ok::<(), khufu::Error>(())
/// ```
pub trait Serializer: Send + Sync {
    /// Reads a payload, and returns its JSON text in UTF-8.
    ///
    /// # Errors
    /// [`SerializerError`] if the payload cannot be read. The session is then new and empty, and its
    /// [`load_result`](crate::Session::load_result) is [`Malformed`](crate::LoadResult::Malformed).
    fn loads(&self, payload: &[u8]) -> Result<Vec<u8>, SerializerError>;

    /// Writes a JSON text as a payload.
    ///
    /// # Errors
    /// [`SerializerError`] if the text cannot be written. [`Session::commit`](crate::Session::commit) then fails with
    /// [`Error::Serializer`].
    fn dumps(&self, json: &str) -> Result<Vec<u8>, SerializerError>;
}

/// The reason why a custom serializer failed, as a message. Do not include the session's contents.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct SerializerError(pub String);

/// Uses an application's own serializer for cookies and records.
pub(crate) struct CustomSerializer<S>(pub S);

impl<S: Serializer> CustomSerializer<S> {
    /// Reads a payload's JSON text.
    fn json(&self, payload: &[u8]) -> Result<WipedText, Refusal> {
        let refused = |error| Refusal::malformed(format!("the custom serializer cannot read the payload: {error}"));
        let json = WipedBytes::from(self.0.loads(payload).map_err(refused)?);
        json.into_text().ok_or_else(|| Refusal::malformed("the text that the custom serializer returned is not UTF-8"))
    }

    /// Writes a JSON text as a payload after `room` bytes.
    fn payload(&self, room: usize, json: &str) -> Result<WipedBytes, Error> {
        let payload = self.0.dumps(json).map_err(|error| Error::Serializer(error.to_string()))?;
        let payload = WipedBytes::from(payload);
        let mut bytes = WipedBytes::with_room(room, payload.len());
        bytes.add(&payload);
        Ok(bytes)
    }
}

impl<S: Serializer> CookieSerializer for CustomSerializer<S> {
    fn loads(&self, buffer: WipedBytes, payload: Range<usize>) -> Result<Content, Refusal> {
        json::loads(self.json(&buffer[payload])?, 0)
    }

    fn dumps(&self, room: usize, accessed: Moment, created: Moment, state: &State) -> Result<WipedBytes, Error> {
        self.payload(room, &json::dumps(0, accessed, created, state))
    }
}

impl<S: Serializer> RecordSerializer for CustomSerializer<S> {
    fn loads_state(&self, buffer: WipedBytes, payload: Range<usize>) -> Result<State, Refusal> {
        json::loads_state(self.json(&buffer[payload])?, 0)
    }

    fn dumps_state(&self, room: usize, state: &State) -> Result<WipedBytes, Error> {
        self.payload(room, &json::dumps_state(0, state))
    }
}
