//! pyramid_redis_sessions 1.0: the key is the session's id, and the record is a pickled
//! `{"managed_dict": state, "created": created, "timeout": timeout}`.
//!
//! The record does not contain the time when the session was last used. It follows from the record's time to live in
//! Redis.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use super::notation::Notation;
use super::parts::{
    id_from_cookie, loaded, members, moment, number, quoted, random, renewed, state, text, without_header, write_number,
};
use crate::cookie::seal::{HexSigned, Secret};
use crate::error::Error;
use crate::load::Refusal;
use crate::payload::arena::Span;
use crate::payload::pickle;
use crate::payload::serializer::Content;
use crate::payload::state::State;
use crate::record::id::Id;
use crate::record::layout::{EncodedRecord, Layout, Loaded, Metadata};
use crate::store::Record;
use crate::sys::wiped::{WipedBytes, WipedText};

/// The hidden member of the state: the session's own idle timeout.
const TIMEOUT: &str = "timeout";

pub(super) struct Records {
    macs: HexSigned,
    timeout: u64,
}

impl Records {
    pub fn new(secrets: &[Secret], timeout: u64) -> Self {
        Self { macs: HexSigned::new(secrets), timeout }
    }

    /// The idle timeout of a session, in seconds.
    fn timeout(&self, state: &State) -> f64 {
        state.hidden(TIMEOUT).and_then(number).unwrap_or(self.timeout as f64)
    }
}

impl Layout for Records {
    /// Makes an id of 64 hex digits.
    fn new_id(&self) -> Result<Id, Error> {
        let mut id = WipedBytes::from(vec![0; 64]);
        hex::encode_to_slice(*random::<32>()?, &mut id).expect("the buffer has two digits for each byte");
        Ok(Id(id))
    }

    fn next_id(&self, _id: &Id) -> Result<Id, Error> {
        self.new_id()
    }

    /// Does the same as Pyramid 1.x's `signed_deserialize`.
    fn open(&self, value: &[u8]) -> Result<(Id, bool), Refusal> {
        let (signature, encoded) = HexSigned::split(value)?;
        let mut pickled = WipedBytes::with_capacity(base64::decoded_len_estimate(encoded.len()));
        STANDARD
            .decode_vec(encoded, &mut pickled)
            .map_err(|_| Refusal::malformed("the cookie is not a signature and base64"))?;
        let signer = self.macs.signer(&pickled, signature)?;
        let id = pickle::to_json(&pickled, 0).ok().and_then(|(json, _)| quoted(json));
        let id = id.ok_or_else(|| Refusal::malformed("the session id is not a pickled text"))?;
        Ok((id_from_cookie(id)?, signer > 0))
    }

    /// Does the same as Pyramid 1.x's `signed_serialize`.
    fn seal(&self, id: &Id) -> WipedBytes {
        let mut json = WipedText::with_capacity(id.0.len() + 2);
        json.push('"');
        json.push_str(text(id));
        json.push('"');
        let pickled = pickle::from_json(0, &json).expect("a text can be pickled");
        let length = base64::encoded_len(pickled.len(), true).unwrap_or_default();
        let mut value = WipedBytes::from(vec![0; HexSigned::LENGTH + length]);
        let (signature, encoded) = value.split_at_mut(HexSigned::LENGTH);
        self.macs.sign(&pickled, signature);
        STANDARD.encode_slice(&**pickled, encoded).expect("the value's length was computed");
        value
    }

    fn key(&self, id: &Id) -> String {
        text(id).to_owned()
    }

    fn loads(&self, _id: &Id, record: Record, _now: f64) -> Result<Loaded, Refusal> {
        let (json, origin) = Notation::Pickle.loads(record.data, 1)?;
        let [Some(data), Some(created), Some(timeout)] = members(&json, ["managed_dict", "created", TIMEOUT])? else {
            return Err(Refusal::malformed("the record has no data, no time or no timeout"));
        };
        let created = moment(&json, created)?;
        let idle = number(&json[timeout.clone()])
            .filter(|timeout| *timeout > 0.0)
            .ok_or_else(|| Refusal::malformed("the record's timeout is not a positive number"))?;
        let mut state = state(json, data, origin)?;
        state.hide(TIMEOUT, Span::of_payload(timeout.start, timeout.end));
        let content = Content { renewed: renewed(idle, record.left), created, state };
        Ok(loaded(content, record.generation, Some(idle)))
    }

    fn dumps(&self, content: &Content, _metadata: &Metadata) -> Result<EncodedRecord, Error> {
        let Content { created, state, .. } = content;
        let mut json = WipedText::with_capacity(state.dump_most() + created.most() + 96);
        json.push_str(r#"{"managed_dict":"#);
        let at = json.len();
        state.dump(&mut json);
        json.push_str(r#","created":"#);
        created.write(state.arena(), &mut json);
        json.push_str(r#","timeout":"#);
        write_number(self.timeout(state), &mut json);
        json.push('}');
        Ok(without_header(Notation::Pickle.dumps(0, &json, state, at)?))
    }

    fn idle(&self, state: &State, _metadata: &Metadata) -> Option<f64> {
        Some(self.timeout(state))
    }
}
