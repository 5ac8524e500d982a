//! Beaker's `ext:redis`. The cookie contains the id. The record in Redis is a pickled text: the dict in base64.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use super::dict::{Dict, new_id};
use crate::cookie::seal::{HexSigned, Secret};
use crate::error::Error;
use crate::libraries::notation::Notation;
use crate::libraries::parts::{id_from_cookie, loaded, quoted, text, without_header};
use crate::load::Refusal;
use crate::payload::pickle;
use crate::payload::serializer::{Content, CookieSerializer};
use crate::payload::state::State;
use crate::record::id::Id;
use crate::record::layout::{EncodedRecord, Layout, Loaded, Metadata};
use crate::store::Record;
use crate::sys::wiped::{WipedBytes, WipedText};

/// A record stays in Redis for this many seconds longer than the session's idle timeout.
const EXTRA_SECONDS: f64 = 120.0;

pub(in crate::libraries) struct Records {
    macs: HexSigned,
    dict: Dict,
    timeout: Option<u64>,
}

impl Records {
    pub fn new(secrets: &[Secret], notation: Notation, timeout: Option<u64>) -> Self {
        Self { macs: HexSigned::new(secrets), dict: Dict::for_record(notation), timeout }
    }
}

impl Layout for Records {
    fn new_id(&self) -> Result<Id, Error> {
        Ok(Id(WipedText::from(new_id()?.as_str()).into_bytes()))
    }

    fn next_id(&self, _id: &Id) -> Result<Id, Error> {
        self.new_id()
    }

    fn open(&self, value: &[u8]) -> Result<(Id, bool), Refusal> {
        let (signature, id) = HexSigned::split(value)?;
        let signer = self.macs.signer(id, signature)?;
        Ok((id_from_cookie(WipedBytes::from(id.to_vec()))?, signer > 0))
    }

    fn seal(&self, id: &Id) -> WipedBytes {
        let mut value = WipedBytes::with_room(HexSigned::LENGTH, id.0.len());
        value.add(&id.0);
        self.macs.sign(&id.0, &mut value[..HexSigned::LENGTH]);
        value
    }

    fn key(&self, id: &Id) -> String {
        format!("beaker_cache:{}:session", text(id))
    }

    fn loads(&self, _id: &Id, record: Record, _now: f64) -> Result<Loaded, Refusal> {
        let encoded = quoted(pickle::to_json(&record.data, 0)?.0)
            .ok_or_else(|| Refusal::malformed("the record is not a pickled text"))?;
        let mut data = WipedBytes::with_capacity(base64::decoded_len_estimate(encoded.len()));
        STANDARD.decode_vec(&**encoded, &mut data).map_err(|_| Refusal::malformed("the record is not base64"))?;
        let payload = 0..data.len();
        let content = self.dict.loads(data, payload)?;
        if Dict::has_ended(&content.state) {
            return Err(Refusal::missing());
        }
        Ok(loaded(content, record.generation, None))
    }

    fn dumps(&self, content: &Content, _metadata: &Metadata) -> Result<EncodedRecord, Error> {
        let Content { renewed: accessed, created, state } = content;
        let data = self.dict.dumps(0, *accessed, *created, state)?;
        let mut json = WipedText::with_capacity(base64::encoded_len(data.len(), true).unwrap_or_default() + 2);
        json.push('"');
        STANDARD.encode_string(&**data, &mut json);
        json.push('"');
        Ok(without_header(pickle::from_json(0, &json)?))
    }

    fn idle(&self, _state: &State, _metadata: &Metadata) -> Option<f64> {
        self.timeout.map(|timeout| timeout as f64 + EXTRA_SECONDS)
    }
}
