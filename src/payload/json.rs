//! Writes `[renewed, created, state]` as JSON, as WebOb's `JSONSerializer` does.

use std::ops::Range;

use crate::error::Error;
use crate::json::{Fault, FaultKind, Scanner, members};
use crate::load::Refusal;
use crate::payload::arena::Span;
use crate::payload::moment::Moment;
use crate::payload::serializer::shown_key;
use crate::payload::serializer::{Content, CookieSerializer, Serializer};
use crate::payload::state::{Members, State};
use crate::sys::wiped::{WipedBytes, WipedText};

pub(crate) struct Json;

impl CookieSerializer for Json {
    fn loads(&self, buffer: WipedBytes, payload: Range<usize>) -> Result<Content, Refusal> {
        let start = payload.start;
        loads(text(buffer, payload)?, start)
    }

    fn dumps(&self, room: usize, accessed: Moment, created: Moment, state: &State) -> Result<WipedBytes, Error> {
        Ok(dumps(room, accessed, created, state).into_bytes())
    }
}

impl Serializer for Json {
    fn loads_state(&self, buffer: WipedBytes, payload: Range<usize>) -> Result<State, Refusal> {
        let start = payload.start;
        loads_state(text(buffer, payload)?, start)
    }

    fn dumps_state(&self, room: usize, state: &State) -> Result<WipedBytes, Error> {
        Ok(dumps_state(room, state).into_bytes())
    }
}

/// The buffer as text that ends with the payload. The bytes before the payload become white space.
fn text(mut buffer: WipedBytes, payload: Range<usize>) -> Result<WipedText, Refusal> {
    buffer.truncate(payload.end);
    buffer[..payload.start].fill(b' ');
    buffer.into_text().ok_or_else(|| {
        Refusal::malformed("the payload is not UTF-8: compare the option serializer with that of its writer")
    })
}

/// Reads the payload that begins at byte `start` of a text.
pub(crate) fn loads(text: WipedText, start: usize) -> Result<Content, Refusal> {
    let mut scanner = Scanner::lenient(&text);
    scanner.at = start;
    let (times, members) = payload(&text, &mut scanner).map_err(|fault| refusal(fault, &text))?;
    let [Some(renewed), Some(created)] = times else {
        return Err(Refusal::malformed("a time in the payload is not finite"));
    };
    Ok(Content { renewed, created, state: State::new(text, members) })
}

/// Reads the object that begins at byte `start` of a text.
pub(crate) fn loads_state(text: WipedText, start: usize) -> Result<State, Refusal> {
    let mut scanner = Scanner::lenient(&text);
    scanner.at = start;
    scanner.space();
    let members = State::scan(&text, &mut scanner).and_then(|members| scanner.end().map(|()| members));
    let members = members.map_err(|fault| refusal(fault, &text))?;
    Ok(State::new(text, members))
}

/// Reads the times and the state. A time that is not finite is `None`.
#[inline(always)]
fn payload(text: &str, scanner: &mut Scanner<'_>) -> Result<([Option<Moment>; 2], Members), Fault> {
    let mut times = [None; 2];
    scanner.space();
    scanner.expect(b'[', FaultKind::Payload)?;
    for time in &mut times {
        scanner.space();
        let start = scanner.at;
        let number = scanner.number()?;
        *time = Moment::scanned(number, text, Span::of_payload(start, scanner.at));
        scanner.space();
        scanner.expect(b',', FaultKind::Payload)?;
    }
    scanner.space();
    let members = State::scan(text, scanner)?;
    scanner.space();
    scanner.expect(b']', FaultKind::Payload)?;
    scanner.end()?;
    Ok((times, members))
}

fn refusal(fault: Fault, text: &str) -> Refusal {
    refused(fault, "the payload is not a session", text, 0)
}

/// The refusal of a text that is not a session. `level` is the number of objects around the session's data.
#[cold]
pub(crate) fn refused(fault: Fault, reason: &str, text: &str, level: usize) -> Refusal {
    if !fault.is_too_deep() {
        return Refusal::malformed(format!("{reason}: {fault}; compare the option serializer with that of its writer"));
    }
    let under = faulty_key(text, level).map_or_else(String::new, |key| format!(" under the key {}", shown_key(key)));
    Refusal::unsupported(format!("{reason}: {fault}{under}"))
}

/// The key, between its quotes, of the first value that cannot be read.
fn faulty_key(text: &str, level: usize) -> Option<&str> {
    let mut scanner = Scanner::lenient(text);
    scanner.at = text.find('{')?;
    let mut key = None;
    for _ in 0..=level {
        let mut end = scanner.at + 1;
        let _ = members(&mut scanner, |_, _, value_end, _| end = value_end);
        scanner.at = end;
        scanner.space();
        if scanner.peek() == b',' {
            scanner.at += 1;
            scanner.space();
        }
        let found = scanner.string().ok()?;
        scanner.colon().ok()?;
        key = Some(&text[found.start..found.end]);
    }
    key
}

/// Writes a payload's text after `room` NUL characters.
pub(crate) fn dumps(room: usize, accessed: Moment, created: Moment, state: &State) -> WipedText {
    let times = accessed.most() + created.most() + "[,,]".len();
    let mut text = with_room(room, times + state.dump_most());
    text.push('[');
    for time in [accessed, created] {
        time.write(state.arena(), &mut text);
        text.push(',');
    }
    state.dump(&mut text);
    text.push(']');
    text
}

/// Writes a state's text after `room` NUL characters.
pub(crate) fn dumps_state(room: usize, state: &State) -> WipedText {
    let mut text = with_room(room, state.dump_most());
    state.dump(&mut text);
    text
}

/// More bytes than any seal and any usual record's header have.
const NULS: &str = match std::str::from_utf8(&[0; 256]) {
    Ok(nuls) => nuls,
    Err(_) => unreachable!(),
};

/// A text of `room` NUL characters that has room for `most` more bytes.
fn with_room(room: usize, most: usize) -> WipedText {
    let mut text = WipedText::with_capacity(room + most);
    match NULS.get(..room) {
        Some(nuls) => text.push_str(nuls),
        None => text.extend(std::iter::repeat_n('\0', room)),
    }
    text
}
