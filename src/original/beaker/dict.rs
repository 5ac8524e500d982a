//! The dict that Beaker serializes: the session's data, and names with an underscore that are its own.

use std::ops::Range;

use zeroize::Zeroizing;

use crate::arena::Arena;
use crate::error::Error;
use crate::json::Scanner;
use crate::load::Refusal;
use crate::moment::{Moment, now};
use crate::original::notation::{Notation, refusal};
use crate::original::random;
use crate::serializer::{Content, CookieSerializer};
use crate::state::State;
use crate::wiped::{WipedBytes, WipedText};

const ID: &str = "_id";
const ACCESSED: &str = "_accessed_time";
const CREATED: &str = "_creation_time";
/// What is written as it was read, and not at all if it was not: Beaker has its configuration then.
const KEPT: [&str; 2] = ["_domain", "_path"];

pub(in crate::original) struct Dict {
    notation: Notation,
    /// In a cookie, the id stands in the dict.
    with_id: bool,
}

impl Dict {
    pub fn of_cookie(notation: Notation) -> Self {
        Self { notation, with_id: true }
    }

    pub fn of_record(notation: Notation) -> Self {
        Self { notation, with_id: false }
    }

    /// Whether this is what Beaker's `delete()` (and `clear()`) leaves of a session: no data, and not even times.
    pub fn has_ended(state: &State) -> bool {
        state.len() == 0 && [ACCESSED, CREATED].iter().all(|name| state.hidden(name).is_none())
    }
}

impl CookieSerializer for Dict {
    fn loads(&self, mut buffer: WipedBytes, payload: Range<usize>) -> Result<Content, Refusal> {
        buffer.drain(..payload.start);
        let (json, origin) = self.notation.loads(buffer, 0)?;
        let mut scanner = Scanner::lenient(&json);
        scanner.space();
        let members = State::scan(&json, &mut scanner).and_then(|members| scanner.end().map(|()| members));
        let members = members.map_err(|fault| refusal(fault, &json, 0))?;
        let mut state = State::new(json, members);
        origin.into_iter().for_each(|origin| state.came_from(origin));
        for name in KEPT.into_iter().chain([ID, ACCESSED, CREATED]) {
            if let Some(value) = state.delete(name) {
                state.hide(name, value.span);
            }
        }
        // Beaker's own clear() takes the times out, and what is set after it stands alone.
        let renewed = time(&state, ACCESSED)?.unwrap_or_else(|| Moment::at(now()));
        let created = time(&state, CREATED)?.unwrap_or(renewed);
        Ok(Content { renewed, created, state })
    }

    fn dumps(&self, room: usize, accessed: Moment, created: Moment, state: &State) -> Result<WipedBytes, Error> {
        if let Some(name) = KEPT.into_iter().chain([ID, ACCESSED, CREATED]).find(|name| state.get(name).is_some()) {
            return Err(Error::Range(format!("the key {name} is Beaker's own, and no session can hold it")));
        }
        let hidden = |name| state.hidden(name).map(|json| (name, json));
        let kept: Vec<(&str, &str)> = KEPT.into_iter().filter_map(hidden).collect();
        let id = if self.with_id { id(state)? } else { Zeroizing::default() };
        let own: usize = kept.iter().map(|(name, json)| name.len() + json.len() + r#""":,"#.len()).sum();
        let mut json =
            WipedText::with_capacity(own + id.len() + state.dump_most() + accessed.most() + created.most() + 64);
        json.push('{');
        let mut member = |name: &str, write: &dyn Fn(&mut String)| {
            json.push('"');
            json.push_str(name);
            json.push_str("\":");
            write(&mut json);
            json.push(',');
        };
        for (name, kept) in kept {
            member(name, &|out| out.push_str(kept));
        }
        if self.with_id {
            member(ID, &|out| out.push_str(&id));
        }
        let arena: &Arena = state.arena();
        member(ACCESSED, &|out| accessed.write(arena, out));
        member(CREATED, &|out| created.write(arena, out));
        // The data go on where these end: of their braces the first is not needed, and of an empty dict the comma.
        json.pop();
        let end = json.len();
        state.dump(&mut json);
        let between = if json.len() == end + "{}".len() { "" } else { "," };
        json.replace_range(end..=end, between);
        self.notation.dumps(room, &json, state, end)
    }
}

fn time(state: &State, name: &'static str) -> Result<Option<Moment>, Refusal> {
    let Some(span) = state.hidden_at(name) else { return Ok(None) };
    let time = Moment::read(state.text(span), span);
    time.map(Some).ok_or_else(|| Refusal::malformed("a time of the session is not a number"))
}

/// The id in a cookie's dict, as JSON: what it was, or a new one.
fn id(state: &State) -> Result<Zeroizing<String>, Error> {
    match state.hidden(ID) {
        Some(id) => Ok(Zeroizing::new(id.to_owned())),
        None => Ok(Zeroizing::new(format!("\"{}\"", *new_id()?))),
    }
}

/// Python's `uuid.uuid4().hex` (RFC 9562).
pub(super) fn new_id() -> Result<Zeroizing<String>, Error> {
    let mut bytes = random::<16>()?;
    bytes[6] = bytes[6] & 0x0f | 0x40;
    bytes[8] = bytes[8] & 0x3f | 0x80;
    Ok(Zeroizing::new(hex::encode(*bytes)))
}
