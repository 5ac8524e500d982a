//! The dict that Beaker serializes. It contains the session's data and Beaker's own members, whose names begin with an
//! underscore.

use std::ops::Range;

use zeroize::Zeroizing;

use crate::error::Error;
use crate::json::Scanner;
use crate::libraries::notation::{Notation, refusal};
use crate::libraries::parts::random;
use crate::load::Refusal;
use crate::payload::arena::Arena;
use crate::payload::moment::{Moment, now};
use crate::payload::serializer::{Content, CookieSerializer};
use crate::payload::state::State;
use crate::sys::wiped::{WipedBytes, WipedText};

const ID: &str = "_id";
const ACCESSED: &str = "_accessed_time";
const CREATED: &str = "_creation_time";
/// Members that are written back as they were read. If they are missing, Beaker uses its configuration.
const KEPT: [&str; 2] = ["_domain", "_path"];

pub(in crate::libraries) struct Dict {
    notation: Notation,
    /// True if the dict contains the id, as in a cookie.
    with_id: bool,
}

impl Dict {
    pub fn for_cookie(notation: Notation) -> Self {
        Self { notation, with_id: true }
    }

    pub fn for_record(notation: Notation) -> Self {
        Self { notation, with_id: false }
    }

    /// True if the session has no data and no times: Beaker's `delete()` and `clear()` leave it so.
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
        origin.into_iter().for_each(|origin| state.set_origin(origin));
        for name in KEPT.into_iter().chain([ID, ACCESSED, CREATED]) {
            if let Some(value) = state.delete(name) {
                state.hide(name, value.span);
            }
        }
        // Beaker's `clear()` removes the times. A session that was set again after it has none.
        let renewed = time(&state, ACCESSED)?.unwrap_or_else(|| Moment::at(now()));
        let created = time(&state, CREATED)?.unwrap_or(renewed);
        Ok(Content { renewed, created, state })
    }

    fn dumps(&self, room: usize, accessed: Moment, created: Moment, state: &State) -> Result<WipedBytes, Error> {
        if let Some(name) = KEPT.into_iter().chain([ID, ACCESSED, CREATED]).find(|name| state.get(name).is_some()) {
            return Err(Error::Key(name));
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
        // The state's members continue this object: a comma replaces their opening brace, or nothing if there are none.
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

/// The id for a cookie's dict, as JSON. A session without an id gets a new one.
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
