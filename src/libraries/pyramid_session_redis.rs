//! pyramid_session_redis 1.8: the key is the session's id, and the record is
//! `{"m": state, "c": created, "v": 1, "t": timeout, "x": expires}`.

use std::ops::Range;
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use super::notation::Notation;
use super::parts::{
    id_from_cookie, loaded, members, moment, number, random, renewed, state, text, without_header, write_number,
};
use crate::cookie::seal::{self, Seal, Signed};
use crate::error::Error;
use crate::load::Refusal;
use crate::payload::arena::Span;
use crate::payload::moment::{Moment, now};
use crate::payload::serializer::Content;
use crate::payload::state::State;
use crate::record::id::Id;
use crate::record::layout::{EncodedRecord, Layout, Loaded, Metadata};
use crate::store::Record;
use crate::sys::wiped::{WipedBytes, WipedText};

/// The version of the records.
const VERSION: f64 = 1.0;

/// The hidden members of the state: the session's own idle timeout and its expiry time. Each is `null` if the record
/// has none.
const TIMEOUT: &str = "t";
const EXPIRES: &str = "x";

pub(super) struct Records {
    seal: Signed,
    notation: Notation,
    timeout: Option<u64>,
}

impl Records {
    pub fn new(seal: Signed, notation: Notation, timeout: Option<u64>) -> Self {
        Self { seal, notation, timeout }
    }

    /// The idle timeout of a session, in seconds.
    fn timeout(&self, state: &State) -> Option<f64> {
        match state.hidden(TIMEOUT) {
            Some(own) => number(own),
            None => self.timeout.map(|timeout| timeout as f64),
        }
    }
}

impl Layout for Records {
    /// Makes an id like Python's `secrets.token_urlsafe(48)`.
    fn new_id(&self) -> Result<Id, Error> {
        let mut id = WipedBytes::from(vec![0; 64]);
        URL_SAFE_NO_PAD.encode_slice(*random::<48>()?, &mut id[..]).expect("48 bytes have 64 characters");
        Ok(Id(id))
    }

    fn next_id(&self, _id: &Id) -> Result<Id, Error> {
        self.new_id()
    }

    fn open(&self, value: &[u8]) -> Result<(Id, bool), Refusal> {
        let mut buffer = WipedBytes::with_capacity(seal::decoded_most(value.len()));
        let unsealed = self.seal.open(value, &mut buffer)?;
        buffer.drain(..unsealed.payload.start);
        Ok((id_from_cookie(buffer)?, unsealed.previous_secret))
    }

    fn seal(&self, id: &Id) -> WipedBytes {
        let mut buffer = WipedBytes::with_room(self.seal.overhead(), id.0.len());
        buffer.add(&id.0);
        self.seal.seal(&mut buffer).expect("a signature needs no random bytes");
        seal::encoded(&buffer)
    }

    fn key(&self, id: &Id) -> String {
        text(id).to_owned()
    }

    fn loads(&self, _id: &Id, record: Record, _now: f64) -> Result<Loaded, Refusal> {
        let (json, origin) = self.notation.loads(record.data, 1)?;
        let [data, created, version, timeout, expires] = members(&json, ["m", "c", "v", TIMEOUT, EXPIRES])?;
        match version.and_then(|version| number(&json[version])) {
            Some(version) if version > VERSION => return Err(Refusal::unsupported("the record has a later version")),
            Some(VERSION) => {}
            _ => return Err(Refusal::malformed("the record has no version, or an earlier one")),
        }
        let (Some(data), Some(created)) = (data, created) else {
            return Err(Refusal::malformed("the record has no data, or no time"));
        };
        let created = moment(&json, created)?;
        let (idle, end) = (positive(&json, timeout.as_ref())?, positive(&json, expires.as_ref())?);
        let mut state = state(json, data, origin)?;
        for (name, place, number) in [(TIMEOUT, timeout, idle), (EXPIRES, expires, end)] {
            let span = match place.filter(|_| number.is_some()) {
                Some(place) => Span::of_payload(place.start, place.end),
                None => state.arena_mut().push("null"),
            };
            state.hide(name, span);
        }
        let (renewed, timeout) = ages(idle, end, created, record.left);
        let content = Content { renewed, created, state };
        Ok(loaded(content, record.generation, Some(timeout)))
    }

    fn dumps(&self, content: &Content, _metadata: &Metadata) -> Result<EncodedRecord, Error> {
        let Content { renewed: accessed, created, state } = content;
        let created = created.whole_unless_read();
        let mut json = WipedText::with_capacity(state.dump_most() + created.most() + 128);
        json.push_str(r#"{"m":"#);
        let at = json.len();
        state.dump(&mut json);
        json.push_str(r#","c":"#);
        created.write(state.arena(), &mut json);
        json.push_str(r#","v":1"#);
        let timeout = self.timeout(state);
        if let Some(timeout) = timeout {
            json.push_str(r#","t":"#);
            write_number(timeout, &mut json);
        }
        let expires = match (state.hidden(EXPIRES).map(number), timeout) {
            // A record without an expiry time stays without one. A record without an idle timeout keeps its expiry
            // time.
            (Some(None), _) | (None, None) => None,
            (Some(end), None) => end,
            (_, Some(timeout)) => Some(accessed.seconds.ceil() + timeout),
        };
        if let Some(expires) = expires {
            json.push_str(r#","x":"#);
            write_number(expires, &mut json);
        }
        json.push('}');
        Ok(without_header(self.notation.dumps(0, &json, state, at)?))
    }

    fn idle(&self, state: &State, _metadata: &Metadata) -> Option<f64> {
        // A record that has only an expiry time is kept until then.
        let left = || state.hidden(EXPIRES).and_then(number).map(|end| end - now());
        self.timeout(state).or_else(left)
    }
}

/// The timeout or the expiry time in a record. `None` if it is missing, `null` or 0.
fn positive(json: &str, place: Option<&Range<usize>>) -> Result<Option<f64>, Refusal> {
    match place.map(|place| &json[place.clone()]) {
        None | Some("null" | "0") => Ok(None),
        Some(text) => match number(text) {
            Some(number) if number > 0.0 => Ok(Some(number)),
            _ => Err(Refusal::malformed("the record's timeout or expiry time is not a positive number")),
        },
    }
}

/// The time when a session was last written, and the number of seconds after which it expires from then on. `left` is
/// the record's remaining time to live in Redis.
fn ages(idle: Option<f64>, end: Option<f64>, created: Moment, left: Option<Duration>) -> (Moment, f64) {
    match (idle, end) {
        (Some(idle), Some(end)) => (Moment::at(end - idle), idle),
        (Some(idle), None) => (renewed(idle, left), idle),
        (None, Some(end)) => (created, end - created.seconds),
        (None, None) => (Moment::at(now()), f64::INFINITY),
    }
}
