//! The information in a pickle that its JSON text cannot express.

use std::ops::Range;

use super::form::Forms;
use super::number::pickled_number;
use crate::error::Error;
use crate::payload::arena::Arena;
use crate::payload::moment::Moment;
use crate::sys::wiped::{WipedBytes, WipedText};

/// The information that is kept about the pickle of a state.
pub(crate) struct Origin {
    pub protocol: u8,
    /// The forms of the values in the JSON text that the state was read from.
    pub forms: Forms,
    /// The pickle itself, as long as the state is unchanged.
    pub whole: Option<Whole>,
}

/// A pickle as it was received.
pub(crate) struct Whole {
    pub buffer: WipedBytes,
    pub place: Range<usize>,
    pub holds: Holds,
}

/// The content of a pickle.
pub(crate) enum Holds {
    /// A session's times and its state. `None` if the first time cannot be replaced.
    Session(Option<Time>),
    /// The state alone.
    State,
}

/// The position of the opcode of a session's first time in a pickle.
#[derive(Debug)]
pub(crate) struct Time {
    pub opcode: Range<usize>,
    /// The position of the length of the frame that contains the opcode, if there is a frame.
    pub frame: Option<usize>,
}

impl Whole {
    fn bytes(&self) -> &[u8] {
        &self.buffer[self.place.clone()]
    }

    /// The pickle of a state, preceded by `room` zero bytes.
    pub fn state(&self, room: usize) -> Option<WipedBytes> {
        matches!(self.holds, Holds::State).then(|| behind(room, self.bytes(), 0))
    }

    /// The pickle of a session with its first time replaced by `accessed`, preceded by `room` zero bytes.
    pub fn session(&self, room: usize, accessed: Moment, arena: &Arena) -> Result<Option<WipedBytes>, Error> {
        let Holds::Session(time) = &self.holds else { return Ok(None) };
        if accessed.is_as_read() {
            return Ok(Some(behind(room, self.bytes(), 0)));
        }
        let Some(Time { opcode, frame }) = time else { return Ok(None) };
        let mut text = WipedText::with_capacity(accessed.most());
        accessed.write(arena, &mut text);
        let written = pickled_number(&text)?;
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

/// The bytes, preceded by `room` zero bytes, in a buffer with room for `more` bytes.
fn behind(room: usize, bytes: &[u8], more: usize) -> WipedBytes {
    let mut out = WipedBytes::with_room(room, bytes.len() + more);
    out.add(bytes);
    out
}
