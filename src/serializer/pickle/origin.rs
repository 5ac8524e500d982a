//! What a pickle said that its JSON text does not.

use std::ops::Range;

use super::write;
use crate::arena::Arena;
use crate::error::Error;
use crate::moment::Moment;
use crate::wiped::{WipedBytes, WipedText};

/// How a value was pickled, if its JSON text does not say it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Form {
    /// A tuple, which is an array in JSON.
    Tuple,
    /// Bytes, which are a string.
    Bytes,
    /// The list, tuple or dict of this number, which the pickle holds more than once.
    Shared(usize),
}

/// Places in a text at which values begin, in ascending order, and the forms of these values.
pub(crate) type Forms = Vec<(usize, Form)>;

/// Of a state that was unpickled.
pub(crate) struct Origin {
    pub protocol: u8,
    /// Of the values in the text that the state was read from.
    pub forms: Forms,
    /// The pickle itself, until the state is changed.
    pub whole: Option<Whole>,
}

/// A pickle as it came.
pub(crate) struct Whole {
    pub buffer: WipedBytes,
    pub place: Range<usize>,
    pub holds: Holds,
}

pub(crate) enum Holds {
    /// A session's times and its state. `None` if the first time cannot be replaced.
    Session(Option<Time>),
    /// The state alone.
    State,
}

/// The opcode of a pickle's first time.
#[derive(Debug)]
pub(crate) struct Time {
    pub opcode: Range<usize>,
    /// Where the length of the frame is that holds the opcode, if there is one.
    pub frame: Option<usize>,
}

impl Whole {
    fn bytes(&self) -> &[u8] {
        &self.buffer[self.place.clone()]
    }

    /// The pickle of a state, behind `room` bytes.
    pub fn state(&self, room: usize) -> Option<WipedBytes> {
        matches!(self.holds, Holds::State).then(|| behind(room, self.bytes(), 0))
    }

    /// The pickle of a session with this time as its first, behind `room` bytes.
    pub fn session(&self, room: usize, accessed: Moment, arena: &Arena) -> Result<Option<WipedBytes>, Error> {
        let Holds::Session(time) = &self.holds else { return Ok(None) };
        if accessed.is_as_read() {
            return Ok(Some(behind(room, self.bytes(), 0)));
        }
        let Some(Time { opcode, frame }) = time else { return Ok(None) };
        let mut text = WipedText::with_capacity(accessed.most());
        accessed.write(arena, &mut text);
        let written = write::scalar(&text)?;
        let (before, after) = (&self.bytes()[..opcode.start], &self.bytes()[opcode.end..]);
        let mut out = behind(room, before, written.len() + after.len());
        out.add(&written);
        out.add(after);
        if let Some(length) = frame {
            let length = &mut out[room + length..][..8];
            let longer = written.len() as u64;
            let frame = u64::from_le_bytes(length.try_into().expect("eight bytes")) - opcode.len() as u64 + longer;
            length.copy_from_slice(&frame.to_le_bytes());
        }
        Ok(Some(out))
    }
}

/// Bytes behind `room` others, and room for `more`.
fn behind(room: usize, bytes: &[u8], more: usize) -> WipedBytes {
    let mut out = WipedBytes::with_capacity(room + bytes.len() + more);
    out.resize(room, 0);
    out.add(bytes);
    out
}
