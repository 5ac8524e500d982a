//! `[renewed, created, state]` as JSON (WebOb's `JSONSerializer`).

use std::ops::Range;

use crate::arena::Span;
use crate::error::Error;
use crate::json::{Fault, FaultKind, Scanner, members};
use crate::load::Refusal;
use crate::moment::Moment;
use crate::serializer::{Content, CookieSerializer, Serializer, shown_key};
use crate::state::{Members, State};
use crate::wiped::{WipedBytes, WipedText};

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

/// The buffer as text that ends with the payload; the bytes in front of it become white space.
fn text(mut buffer: WipedBytes, payload: Range<usize>) -> Result<WipedText, Refusal> {
    buffer.truncate(payload.end);
    buffer[..payload.start].fill(b' ');
    buffer
        .into_text()
        .ok_or_else(|| Refusal::malformed("the payload is not UTF-8: compare serializer with its writer's"))
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

/// The times (`None` for one that is not finite) and the state.
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

/// Why a text is no session. `level` is the number of objects around the session's data.
#[cold]
pub(crate) fn refused(fault: Fault, reason: &str, text: &str, level: usize) -> Refusal {
    if !fault.is_too_deep() {
        return Refusal::malformed(format!("{reason}: {fault}; compare serializer with its writer's"));
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

/// The payload's text, behind `room` NUL characters.
pub(crate) fn dumps(room: usize, accessed: Moment, created: Moment, state: &State) -> WipedText {
    let times = accessed.most() + created.most() + "[,,]".len();
    let mut text = behind(room, times + state.dump_most());
    text.push('[');
    for time in [accessed, created] {
        time.write(state.arena(), &mut text);
        text.push(',');
    }
    state.dump(&mut text);
    text.push(']');
    text
}

/// The state's text, behind `room` NUL characters.
pub(crate) fn dumps_state(room: usize, state: &State) -> WipedText {
    let mut text = behind(room, state.dump_most());
    state.dump(&mut text);
    text
}

/// More than the longest seal or a usual record's header has bytes.
const NULS: &str = match std::str::from_utf8(&[0; 256]) {
    Ok(nuls) => nuls,
    Err(_) => unreachable!(),
};

/// `room` NUL characters, with `most` bytes of capacity behind them.
fn behind(room: usize, most: usize) -> WipedText {
    let mut text = WipedText::with_capacity(room + most);
    match NULS.get(..room) {
        Some(nuls) => text.push_str(nuls),
        None => text.extend(std::iter::repeat_n('\0', room)),
    }
    text
}
