//! Reads and writes `(renewed, created, state)` as a Python pickle that contains only data.
//!
//! The serde-pickle crate is not used: its dictionaries lose the order of their keys, it recurses as deep as a pickle
//! nests, and it copies every value that a memo reference names, so that a pickle of a few hundred bytes can fill the
//! memory. Here a pickle becomes JSON text, which is then opened like any other session. References are followed only
//! while that text is written, and its length is limited. JSON cannot express tuples, bytes, or that two values are the
//! same object. That information is kept in addition to the text, so that unchanged values are written as they were.
//!
//! No opcode is ever executed. A pickle is refused if it names a class, calls a function or uses an extension.

mod foreign;
mod form;
mod integer;
mod number;
mod origin;
mod read;
mod refusal;
mod strings;
mod tokens;
mod transcript;
mod write;

use std::ops::Range;

use self::origin::Holds;
use self::transcript::{Transcript, transcribe};
use crate::error::Error;
use crate::load::Refusal;
use crate::payload::json;
use crate::payload::moment::Moment;
use crate::payload::serializer::{Content, CookieSerializer, Serializer};
use crate::payload::state::State;
use crate::sys::wiped::{WipedBytes, WipedText};

pub(crate) use form::Forms;
pub(crate) use origin::{Origin, Whole};
pub(crate) use write::{from_json, from_session};

/// The JSON text of a pickle's data, and the information that JSON cannot express. `level` is the number of containers
/// around the session's dict.
pub(crate) fn to_json(pickle: &[u8], level: usize) -> Result<(WipedText, Origin), Refusal> {
    transcribe(pickle, level).map(|Transcript { text, origin, .. }| (text, origin))
}

pub(crate) struct Pickle;

impl CookieSerializer for Pickle {
    fn loads(&self, buffer: WipedBytes, payload: Range<usize>) -> Result<Content, Refusal> {
        let Transcript { text, mut origin, first } = transcribe(&buffer[payload.clone()], 1)?;
        let mut content = json::loads(text, 0)?;
        origin.whole = Some(Whole { buffer, place: payload, holds: Holds::Session(first) });
        content.state.set_origin(origin);
        Ok(content)
    }

    fn dumps(&self, room: usize, accessed: Moment, created: Moment, state: &State) -> Result<WipedBytes, Error> {
        if let Some(whole) = state.whole_pickle().filter(|_| created.is_as_read())
            && let Some(payload) = whole.session(room, accessed, state.arena())?
        {
            return Ok(payload);
        }
        write::session(room, accessed, created, state)
    }
}

impl Serializer for Pickle {
    fn loads_state(&self, buffer: WipedBytes, payload: Range<usize>) -> Result<State, Refusal> {
        let Transcript { text, mut origin, .. } = transcribe(&buffer[payload.clone()], 0)?;
        let mut state = json::loads_state(text, 0)?;
        origin.whole = Some(Whole { buffer, place: payload, holds: Holds::State });
        state.set_origin(origin);
        Ok(state)
    }

    fn dumps_state(&self, room: usize, state: &State) -> Result<WipedBytes, Error> {
        match state.whole_pickle().and_then(|whole| whole.state(room)) {
            Some(payload) => Ok(payload),
            None => write::state(room, state),
        }
    }
}
