//! `(renewed, created, state)` as a Python pickle, data only.
//!
//! The opcodes are read here and not by the serde-pickle crate: its dictionaries lose the order of their keys, it
//! recurses as deep as a pickle nests, and it copies what a memo reference names, so that a pickle of a few
//! hundred bytes can fill the memory. Here a pickle becomes JSON text, which is then opened like any other; a
//! reference is followed only while that text is written, and its length is bounded.
//!
//! Nothing that a pickle says is ever executed: an opcode that would name a class, call, or ask for an extension
//! is refused by its name.

mod integer;
mod read;
mod write;

use std::ops::Range;

use crate::error::Error;
use crate::load::Refusal;
use crate::moment::Moment;
use crate::serializer::{Content, CookieSerializer, Serializer, json};
use crate::state::State;
use crate::wiped::WipedBytes;

pub(crate) use read::to_json;
pub(crate) use write::from_json;

/// Python reads and writes no integer of more digits.
const MOST_DIGITS: usize = 4300;

pub(crate) struct Pickle;

impl CookieSerializer for Pickle {
    fn loads(&self, buffer: WipedBytes, payload: Range<usize>) -> Result<Content, Refusal> {
        json::loads(to_json(&buffer[payload])?, 0)
    }

    fn dumps(&self, room: usize, accessed: Moment, created: Moment, state: &State) -> Result<WipedBytes, Error> {
        write::tuple_from_json(room, &json::dumps(0, accessed, created, state))
    }
}

impl Serializer for Pickle {
    fn loads_state(&self, buffer: WipedBytes, payload: Range<usize>) -> Result<State, Refusal> {
        json::loads_state(to_json(&buffer[payload])?, 0)
    }

    fn dumps_state(&self, room: usize, state: &State) -> Result<WipedBytes, Error> {
        from_json(room, &json::dumps_state(0, state))
    }
}
