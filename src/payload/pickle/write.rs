//! Turns JSON text into a pickle that is not longer than Python's own pickle of the same protocol.

use std::collections::HashMap;

use super::form::Form;
use super::number::number;
use super::tokens::{Bracket, Text, Token, Tokens};
use crate::error::Error;
use crate::payload::json;
use crate::payload::moment::Moment;
use crate::payload::state::State;
use crate::sys::wiped::{WipedBytes, WipedText};

/// The protocol of new sessions, which every version of Python reads.
const PROTOCOL: u8 = 2;
/// The first protocol that has opcodes for bytes.
const OF_BYTES: u8 = 3;
/// The first protocol that has opcodes for short strings, and for storing a value at the next index of the memo.
const OF_SHORT_STRINGS: u8 = 4;

/// The pickle of a JSON text, preceded by `room` zero bytes.
pub(crate) fn from_json(room: usize, json: &str) -> Result<WipedBytes, Error> {
    pickled(room, PROTOCOL, |writer| writer.value(json, &[]))
}

/// The pickle of a JSON text that contains the object of `state` at byte `at`, preceded by `room` zero bytes.
pub(crate) fn from_session(room: usize, json: &str, state: &State, at: usize) -> Result<WipedBytes, Error> {
    pickled(room, protocol(state), |writer| writer.value(json, &state.forms(at)))
}

/// The pickle of a session's times and its state, preceded by `room` zero bytes.
pub(super) fn session(room: usize, accessed: Moment, created: Moment, state: &State) -> Result<WipedBytes, Error> {
    pickled(room, protocol(state), |writer| {
        for time in [accessed, created] {
            let mut text = WipedText::with_capacity(time.most());
            time.write(state.arena(), &mut text);
            number(&text, &mut writer.out)?;
        }
        writer.value(&json::dumps_state(0, state), &state.forms(0))?;
        writer.out.add(&[TUPLE3]);
        Ok(())
    })
}

/// The pickle of a state, preceded by `room` zero bytes.
pub(super) fn state(room: usize, state: &State) -> Result<WipedBytes, Error> {
    from_session(room, &json::dumps_state(0, state), state, 0)
}

/// The protocol to pickle a state with: the one that it was read with, or a later one if it needs that.
fn protocol(state: &State) -> u8 {
    let Some(origin) = state.origin() else { return PROTOCOL };
    let has_bytes = origin.forms.iter().any(|(_, form)| *form == Form::Bytes);
    origin.protocol.max(if has_bytes { OF_BYTES } else { PROTOCOL })
}

fn pickled(
    room: usize,
    protocol: u8,
    write: impl FnOnce(&mut Writer) -> Result<(), Error>,
) -> Result<WipedBytes, Error> {
    let mut writer = Writer { out: WipedBytes::with_room(room, 512), protocol, memo: 0 };
    writer.out.add(&[PROTO, protocol]);
    write(&mut writer)?;
    writer.out.add(b".");
    Ok(writer.out)
}

const PROTO: u8 = 0x80;
const MEMOIZE: u8 = 0x94;
const TUPLE1: u8 = 0x85;
const TUPLE3: u8 = 0x87;

struct Writer {
    out: WipedBytes,
    protocol: u8,
    /// The number of values in the memo.
    memo: usize,
}

impl Writer {
    fn value(&mut self, json: &str, forms: &[(usize, Form)]) -> Result<(), Error> {
        let tokens = Tokens::of(json, forms);
        let mut texts = tokens.texts(json);
        // The indexes of shared containers in the memo, by the tokens that open them.
        let mut places = HashMap::new();
        for (index, token) in tokens.list.iter().enumerate() {
            match *token {
                Token::Text(string) => self.text(texts.of(string)),
                Token::Scalar { start, end } => self.scalar(&json[start..end])?,
                Token::Open { bracket, count, shared } => {
                    self.open(bracket);
                    if shared && bracket != Bracket::Tuple {
                        places.insert(index, self.put());
                    }
                    if needs_mark(bracket, count) {
                        self.out.add(b"(");
                    }
                }
                Token::Close { open } => {
                    let Token::Open { bracket, count, shared } = tokens.list[open] else { continue };
                    self.close(bracket, count);
                    if shared && bracket == Bracket::Tuple {
                        places.insert(open, self.put());
                    }
                }
                Token::Again { open } => self.get(places[&open]),
            }
        }
        Ok(())
    }

    fn open(&mut self, bracket: Bracket) {
        match bracket {
            Bracket::List => self.out.add(b"]"),
            Bracket::Dict => self.out.add(b"}"),
            // A tuple is made after its items.
            Bracket::Tuple => {}
        }
    }

    fn close(&mut self, bracket: Bracket, count: usize) {
        let opcode = match (bracket, count) {
            (Bracket::Tuple, 0) => b')',
            (Bracket::Tuple, 1..=3) => TUPLE1 - 1 + count as u8,
            (Bracket::Tuple, _) => b't',
            (_, 0) => return,
            (Bracket::List, 1) => b'a',
            (Bracket::List, _) => b'e',
            (Bracket::Dict, 2) => b's',
            (Bracket::Dict, _) => b'u',
        };
        self.out.add(&[opcode]);
    }

    /// Writes the opcode that puts the topmost value into the memo. Returns its index there.
    fn put(&mut self) -> usize {
        let place = self.memo;
        self.memo += 1;
        match u8::try_from(place) {
            _ if self.protocol >= OF_SHORT_STRINGS => self.out.add(&[MEMOIZE]),
            Ok(place) => self.out.add(&[b'q', place]),
            Err(_) => {
                self.out.add(b"r");
                self.out.add(&(place as u32).to_le_bytes());
            }
        }
        place
    }

    fn get(&mut self, place: usize) {
        match u8::try_from(place) {
            Ok(place) => self.out.add(&[b'h', place]),
            Err(_) => {
                self.out.add(b"j");
                self.out.add(&(place as u32).to_le_bytes());
            }
        }
    }

    /// The numbers of bytes that [`Writer::put`] and [`Writer::get`] write for an index of the memo.
    fn costs(&self, place: usize) -> (usize, usize) {
        let get = if place <= usize::from(u8::MAX) { 2 } else { 5 };
        (if self.protocol >= OF_SHORT_STRINGS { 1 } else { get }, get)
    }

    /// Writes a str or bytes, or a reference to the memo if the value is there and the reference is shorter.
    fn text(&mut self, text: &mut Text<'_>) {
        let is_short = text.bytes.len() <= usize::from(u8::MAX) && (text.is_bytes || self.protocol >= OF_SHORT_STRINGS);
        let length = text.bytes.len() + if is_short { 2 } else { 5 };
        if let Some(place) = text.place.filter(|place| self.costs(*place).1 <= length) {
            return self.get(place);
        }
        self.out.add(match (text.is_bytes, is_short) {
            (true, true) => b"C",
            (true, false) => b"B",
            (false, true) => &[0x8c],
            (false, false) => b"X",
        });
        match is_short {
            true => self.out.add(&[text.bytes.len() as u8]),
            false => self.out.add(&(text.bytes.len() as u32).to_le_bytes()),
        }
        self.out.add(text.bytes);
        let (put, get) = self.costs(self.memo);
        if text.place.is_none() && (text.count - 1) * length > put + (text.count - 1) * get {
            text.place = Some(self.put());
        }
    }

    fn scalar(&mut self, json: &str) -> Result<(), Error> {
        match json {
            "null" => self.out.add(b"N"),
            "true" => self.out.add(&[0x88]),
            "false" => self.out.add(&[0x89]),
            _ => number(json, &mut self.out)?,
        }
        Ok(())
    }
}

/// True if a mark precedes a container's items.
fn needs_mark(bracket: Bracket, count: usize) -> bool {
    count
        > match bracket {
            Bracket::Tuple => 3,
            Bracket::List => 1,
            Bracket::Dict => 2,
        }
}

#[cfg(test)]
mod tests {
    use super::pickled;
    use crate::payload::pickle::to_json;

    /// Strings of `width` characters, each of them twice.
    fn twice(count: usize, width: usize) -> String {
        let strings: Vec<String> = (0..count).map(|number| format!("\"{number:0width$}\"")).collect();
        format!("[{0},{0}]", strings.join(","))
    }

    #[test]
    fn strings_after_the_256th_are_in_the_memo_only_if_that_saves_bytes() {
        for count in [2, 256, 257, 400] {
            for width in 3..16 {
                for (protocol, length, put) in [(2, 5 + width, 5), (4, 2 + width, 1)] {
                    let json = twice(count, width);
                    let written = pickled(0, protocol, |writer| writer.value(&json, &[])).unwrap();
                    let near = count.min(256) * (length + if protocol == 4 { 1 } else { 2 } + 2);
                    let far = count.saturating_sub(256) * (length + length.min(put + 5));
                    assert_eq!(written.len(), 2 + "](e.".len() + near + far, "{count} of {width}, protocol {protocol}");
                    assert_eq!(**to_json(&written, 0).unwrap().0, json);
                }
            }
        }
    }
}
