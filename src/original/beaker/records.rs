//! Beaker's `ext:redis`: the cookie has the id, and Redis a pickled text, which is base64 of the dict.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use super::dict::{Dict, new_id};
use crate::error::Error;
use crate::load::Refusal;
use crate::original::notation::Notation;
use crate::original::{draft, opened, quoted, text};
use crate::record::id::Id;
use crate::record::layout::{Draft, Envelope, Layout, Loaded, Standing};
use crate::seal::{HexSigned, Secret};
use crate::serializer::{Content, CookieSerializer, pickle};
use crate::state::State;
use crate::store::Record;
use crate::wiped::{WipedBytes, WipedText};

/// For how many seconds more than its idle time a session stays in Redis.
const LONGER: f64 = 120.0;

pub(in crate::original) struct Records {
    macs: HexSigned,
    dict: Dict,
    timeout: Option<u64>,
}

impl Records {
    pub fn new(secrets: &[Secret], notation: Notation, timeout: Option<u64>) -> Self {
        Self { macs: HexSigned::new(secrets), dict: Dict::of_record(notation), timeout }
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
        Ok((opened(WipedBytes::from(id.to_vec()))?, signer > 0))
    }

    fn seal(&self, id: &Id) -> WipedBytes {
        let mut value = WipedBytes::with_capacity(HexSigned::LENGTH + id.0.len());
        value.resize(HexSigned::LENGTH, 0);
        value.add(&id.0);
        self.macs.sign(&id.0, &mut value[..HexSigned::LENGTH]);
        value
    }

    fn key(&self, id: &Id) -> String {
        format!("beaker_cache:{}:session", text(id))
    }

    fn loads(&self, record: Record, standing: Standing) -> Result<Loaded, Refusal> {
        let encoded = quoted(pickle::to_json(&record.data, 0)?.0)
            .ok_or_else(|| Refusal::malformed("the record is not a pickled text"))?;
        let mut data = WipedBytes::with_capacity(base64::decoded_len_estimate(encoded.len()));
        STANDARD.decode_vec(&**encoded, &mut data).map_err(|_| Refusal::malformed("the record is not base64"))?;
        let payload = 0..data.len();
        let content = self.dict.loads(data, payload)?;
        if Dict::has_ended(&content.state) {
            return Err(Refusal::missing());
        }
        Ok(Loaded { content, envelope: Envelope::default(), standing, generation: record.generation, timeout: None })
    }

    fn dumps(&self, content: &Content, _envelope: &Envelope) -> Result<Draft, Error> {
        let Content { renewed: accessed, created, state } = content;
        let data = self.dict.dumps(0, *accessed, *created, state)?;
        let mut json = WipedText::with_capacity(base64::encoded_len(data.len(), true).unwrap_or_default() + 2);
        json.push('"');
        STANDARD.encode_string(&**data, &mut json);
        json.push('"');
        Ok(draft(pickle::from_json(0, &json)?))
    }

    fn idle(&self, _state: &State) -> Option<f64> {
        self.timeout.map(|timeout| timeout as f64 + LONGER)
    }
}
