//! Payload ⇄ `(renewed, created, state)`.

pub(crate) mod json;
pub(crate) mod pickle;

use std::ops::Range;

use crate::error::Error;
use crate::load::Refusal;
use crate::moment::Moment;
use crate::state::State;
use crate::wiped::WipedBytes;

pub(crate) use json::Json;
pub(crate) use pickle::Pickle;

/// What a payload says.
pub(crate) struct Content {
    pub renewed: Moment,
    pub created: Moment,
    pub state: State,
}

/// A way to write a session as bytes.
pub(crate) trait Serializer: Send + Sync {
    /// Reads the payload that stands at `payload` in `buffer`.
    fn loads(&self, buffer: WipedBytes, payload: Range<usize>) -> Result<Content, Refusal>;

    /// The payload, behind `overhead` bytes that are the seal's.
    fn dumps(&self, overhead: usize, accessed: Moment, created: Moment, state: &State) -> Result<WipedBytes, Error>;
}
