//! `[renewed, created, state]` as JSON (WebOb's `JSONSerializer`).

use std::ops::Range;

use crate::arena::Span;
use crate::error::Error;
use crate::json::{Fault, Scanner, What};
use crate::load::Refusal;
use crate::moment::Moment;
use crate::serializer::{Content, Serializer};
use crate::state::{Members, State};
use crate::wiped::{WipedBytes, WipedText};

pub(crate) struct Json;

impl Serializer for Json {
    fn loads(&self, mut buffer: WipedBytes, payload: Range<usize>) -> Result<Content, Refusal> {
        // The seal's bytes in front become white space, so that the whole buffer is text.
        buffer[..payload.start].fill(b' ');
        let text = buffer.into_text().ok_or_else(|| Refusal::malformed("the payload is not UTF-8"))?;
        loads(text, payload.start)
    }

    fn dumps(&self, overhead: usize, accessed: Moment, created: Moment, state: &State) -> Result<WipedBytes, Error> {
        Ok(dumps(overhead, accessed, created, state).into_bytes())
    }
}

/// Reads the payload that begins at byte `start` of a text.
pub(crate) fn loads(text: WipedText, start: usize) -> Result<Content, Refusal> {
    let mut scanner = Scanner::lenient(&text);
    scanner.at = start;
    let (times, members) = payload(&text, &mut scanner).map_err(refusal)?;
    let [Some(renewed), Some(created)] = times else {
        return Err(Refusal::malformed("a time in the payload is not finite"));
    };
    Ok(Content { renewed, created, state: State::new(text, members) })
}

/// The times (`None` for one that is not finite) and the state.
#[inline(always)]
fn payload(text: &str, scanner: &mut Scanner<'_>) -> Result<([Option<Moment>; 2], Members), Fault> {
    let mut times = [None; 2];
    scanner.space();
    scanner.expect(b'[', What::Payload)?;
    for time in &mut times {
        scanner.space();
        let start = scanner.at;
        let number = scanner.number()?;
        *time = Moment::scanned(number, text, Span::of_payload(start, scanner.at));
        scanner.space();
        scanner.expect(b',', What::Payload)?;
    }
    scanner.space();
    let members = State::scan(text, scanner)?;
    scanner.space();
    scanner.expect(b']', What::Payload)?;
    scanner.end()?;
    Ok((times, members))
}

fn refusal(fault: Fault) -> Refusal {
    let reason = format!("the payload is not a session: {fault}");
    if fault.is_too_deep() { Refusal::unsupported(reason) } else { Refusal::malformed(reason) }
}

/// As many as the longest seal, or header of a record, has bytes.
const NULS: &str = match std::str::from_utf8(&[0; 66]) {
    Ok(nuls) => nuls,
    Err(_) => unreachable!(),
};

/// The payload's text, behind `overhead` NUL characters.
pub(crate) fn dumps(overhead: usize, accessed: Moment, created: Moment, state: &State) -> WipedText {
    let most = overhead + accessed.most() + created.most() + state.dump_most() + "[,,]".len();
    let mut text = WipedText::with_capacity(most);
    text.push_str(&NULS[..overhead]);
    text.push('[');
    for time in [accessed, created] {
        time.write(state.arena(), &mut text);
        text.push(',');
    }
    state.dump(&mut text);
    text.push(']');
    text
}
