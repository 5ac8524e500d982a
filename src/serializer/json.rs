//! `[renewed, created, state]` as JSON (WebOb's `JSONSerializer`).

use std::ops::Range;

use zeroize::Zeroizing;

use crate::arena::Span;
use crate::error::Error;
use crate::json::{Fault, Scanner};
use crate::load::Refusal;
use crate::moment::Moment;
use crate::serializer::{Content, Serializer};
use crate::state::State;

pub(crate) struct Json;

impl Serializer for Json {
    fn loads(&self, mut buffer: Zeroizing<Vec<u8>>, payload: Range<usize>) -> Result<Content, Refusal> {
        // The seal's bytes in front become white space, so that the whole buffer is text.
        buffer[..payload.start].fill(b' ');
        match String::from_utf8(std::mem::take(&mut *buffer)) {
            Ok(text) => loads(Zeroizing::new(text), payload.start),
            Err(error) => {
                drop(Zeroizing::new(error.into_bytes()));
                Err(Refusal::malformed("the payload is not UTF-8"))
            }
        }
    }

    fn dumps(
        &self,
        overhead: usize,
        accessed: Moment,
        created: Moment,
        state: &State,
    ) -> Result<Zeroizing<Vec<u8>>, Error> {
        let mut text = dumps(overhead, accessed, created, state);
        Ok(Zeroizing::new(std::mem::take(&mut *text).into_bytes()))
    }
}

/// Reads the payload that begins at byte `start` of a text.
pub(super) fn loads(text: Zeroizing<String>, start: usize) -> Result<Content, Refusal> {
    let mut scanner = Scanner::lenient(&text);
    scanner.at = start;
    let (times, members) = payload(&text, &mut scanner).map_err(refusal)?;
    let [Some(renewed), Some(created)] =
        times.map(|(start, end)| Moment::read(&text[start..end], Span::of_payload(start, end)))
    else {
        return Err(Refusal::malformed("a time in the payload is not finite"));
    };
    Ok(Content { renewed, created, state: State::new(text, members) })
}

type Times = [(usize, usize); 2];

fn payload(text: &str, scanner: &mut Scanner<'_>) -> Result<(Times, crate::state::Members), Fault> {
    const WHAT: &str = "[renewed, created, state] was expected";
    let mut times = [(0, 0); 2];
    scanner.space();
    scanner.expect(b'[', WHAT)?;
    for time in &mut times {
        scanner.space();
        time.0 = scanner.at;
        scanner.number()?;
        time.1 = scanner.at;
        scanner.space();
        scanner.expect(b',', WHAT)?;
    }
    scanner.space();
    let members = State::scan(text, scanner)?;
    scanner.space();
    scanner.expect(b']', WHAT)?;
    scanner.end()?;
    Ok((times, members))
}

fn refusal(fault: Fault) -> Refusal {
    let reason = format!("the payload is not a session: {fault}");
    if fault.is_too_deep() { Refusal::unsupported(reason) } else { Refusal::malformed(reason) }
}

/// The payload's text, behind `overhead` NUL characters.
pub(super) fn dumps(overhead: usize, accessed: Moment, created: Moment, state: &State) -> Zeroizing<String> {
    let most = overhead + accessed.most() + created.most() + state.dump_most() + "[,,]".len();
    let mut text = Zeroizing::new(String::with_capacity(most));
    text.extend(std::iter::repeat_n('\0', overhead));
    text.push('[');
    for time in [accessed, created] {
        time.write(state.arena(), &mut text);
        text.push(',');
    }
    state.dump(&mut text);
    text.push(']');
    text
}
