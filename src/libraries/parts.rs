//! The parts of records and ids that the libraries share.

use std::ops::Range;
use std::time::Duration;

use zeroize::Zeroizing;

use crate::error::Error;
use crate::json::{self, Scanner};
use crate::libraries::notation;
use crate::load::Refusal;
use crate::payload::arena::Span;
use crate::payload::moment::{Moment, now};
use crate::payload::pickle::Origin;
use crate::payload::serializer::Content;
use crate::payload::state::State;
use crate::record::id::Id;
use crate::record::layout::{EncodedRecord, Loaded, Metadata, View};
use crate::sys::wiped::{WipedBytes, WipedText};

/// The ranges of the values of these members in a text that is a JSON object. If a name occurs twice, the last one
/// counts.
pub(super) fn members<const N: usize>(text: &str, names: [&str; N]) -> Result<[Option<Range<usize>>; N], Refusal> {
    let mut found = [const { None }; N];
    let mut scanner = Scanner::lenient(text);
    scanner.space();
    let scanned = json::members(&mut scanner, |key, start, end, _| {
        if let Some(index) = names.iter().position(|name| *name == &text[key.start..key.end]) {
            found[index] = Some(start..end);
        }
    });
    scanned.and_then(|()| scanner.end()).map_err(|fault| notation::refusal(fault, text, 1))?;
    Ok(found)
}

/// Reads the state from a range of a text. `origin` describes the pickle if the text was unpickled.
pub(super) fn state(json: WipedText, place: Range<usize>, origin: Option<Origin>) -> Result<State, Refusal> {
    let mut scanner = Scanner::lenient(&json);
    scanner.at = place.start;
    let members = State::scan(&json, &mut scanner).map_err(|fault| notation::refusal(fault, &json, 1))?;
    let mut state = State::new(json, members);
    origin.into_iter().for_each(|origin| state.set_origin(origin));
    Ok(state)
}

/// Reads a time from a range of a text.
pub(super) fn moment(json: &str, place: Range<usize>) -> Result<Moment, Refusal> {
    let span = Span::of_payload(place.start, place.end);
    Moment::read(&json[place], span).ok_or_else(|| Refusal::malformed("the record's time is not a number"))
}

/// The time when a session was last used. It is computed from the session's idle timeout in seconds and from its
/// record's remaining time to live in Redis.
pub(super) fn renewed(idle: f64, left: Option<Duration>) -> Moment {
    let since = left.map_or(0.0, |left| idle - left.as_secs_f64());
    Moment::at(now() - since)
}

/// Reads a number that is written as in JSON. `None` if it is not finite.
pub(super) fn number(json: &str) -> Option<f64> {
    json.parse().ok().filter(|number: &f64| number.is_finite())
}

/// Appends a number. A whole number is written without a fraction.
pub(super) fn write_number(number: f64, out: &mut String) {
    let text = if number.fract() == 0.0 { format!("{number:.0}") } else { format!("{number:?}") };
    out.push_str(&text);
}

/// A session that was read from a record without a header. `timeout` is the session's own, in seconds.
pub(super) fn loaded(content: Content, generation: u64, timeout: Option<f64>) -> Loaded {
    Loaded { content, metadata: Metadata::default(), generation, view: View::Current, timeout }
}

/// A record without a header.
pub(super) fn without_header(data: WipedBytes) -> EncodedRecord {
    EncodedRecord { data, header_len: 0 }
}

/// Random bytes for an id.
pub(super) fn random<const N: usize>() -> Result<Zeroizing<[u8; N]>, Error> {
    let mut bytes = Zeroizing::new([0; N]);
    getrandom::fill(&mut bytes[..])?;
    Ok(bytes)
}

/// The id in a genuine cookie.
pub(super) fn id_from_cookie(id: WipedBytes) -> Result<Id, Refusal> {
    if id.is_empty() || std::str::from_utf8(&id).is_err() {
        return Err(Refusal::malformed("the session id is not a text"));
    }
    Ok(Id(id))
}

/// An id as text. The ids of other libraries are always text.
pub(super) fn text(id: &Id) -> &str {
    std::str::from_utf8(&id.0).unwrap_or_default()
}

/// The content of a JSON string. `None` if the text is not a string, or has escapes.
pub(super) fn quoted(json: WipedText) -> Option<WipedBytes> {
    let inside = json.strip_prefix('"')?.strip_suffix('"')?;
    (!inside.contains('\\')).then(|| WipedText::from(inside).into_bytes())
}
