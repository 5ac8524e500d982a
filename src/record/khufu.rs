//! khufu's own records: a header, the session's data, and for a while a snapshot from before its token was replaced.
//!
//! The data are the subject's text (its length in two big-endian bytes in front) and the state, written by the
//! serializer.

use std::sync::Arc;

use constant_time_eq::constant_time_eq;

use crate::arena;
use crate::error::Error;
use crate::load::Refusal;
use crate::moment::Moment;
use crate::record::header::Header;
use crate::record::id::{Id, Keys};
use crate::record::layout::{Draft, Envelope, Layout, Loaded, Standing};
use crate::record::snapshot::Snapshot;
use crate::seal;
use crate::serializer::{Content, Serializer};
use crate::state::State;
use crate::store::{Record, SubjectName};
use crate::wiped::{WipedBytes, WipedText};

/// The longest text of a subject, in bytes.
pub(crate) const LONGEST_SUBJECT: usize = u16::MAX as usize;

/// The largest generation, for SQL has signed integers. A record that has it cannot be saved again.
const LAST_GENERATION: u64 = i64::MAX as u64;

pub(crate) struct KhufuLayout {
    pub keys: Keys,
    pub serializer: Arc<dyn Serializer>,
    pub timeout: Option<u64>,
}

impl KhufuLayout {
    /// The subject and the state in a record's data, which are the bytes from `start` to the end.
    fn data(&self, bytes: WipedBytes, start: usize) -> Result<(Option<WipedText>, State), Refusal> {
        let too_short = || Refusal::malformed("the record is too short");
        let (length, rest) = bytes[start..].split_first_chunk().ok_or_else(too_short)?;
        let subject = rest.get(..u16::from_be_bytes(*length).into()).ok_or_else(too_short)?;
        let state = start + length.len() + subject.len();
        let subject = match str::from_utf8(subject) {
            Ok("") => None,
            Ok(text) => Some(WipedText::from(text)),
            Err(_) => return Err(Refusal::malformed("the record's subject is not UTF-8")),
        };
        let end = bytes.len();
        Ok((subject, self.serializer.loads_state(bytes, state..end)?))
    }
}

impl Layout for KhufuLayout {
    fn new_id(&self) -> Result<Id, Error> {
        Id::random()
    }

    fn next_id(&self, id: &Id) -> Result<Id, Error> {
        id.with_new_token()
    }

    fn open(&self, value: &[u8]) -> Result<(Id, bool), Refusal> {
        self.keys.open(value)
    }

    fn seal(&self, id: &Id) -> WipedBytes {
        seal::encoded(&*self.keys.seal(id))
    }

    fn key(&self, id: &Id) -> String {
        id.key()
    }

    /// The key, which the session keeps for life.
    fn public_id(&self, id: &Id) -> String {
        id.key()
    }

    fn standing(&self, id: &Id, record: &[u8], now: f64) -> Result<Standing, Refusal> {
        let (header, token) = (Header::read(record)?, id.token_hash());
        if constant_time_eq(&header.token, &token) {
            return Ok(Standing::Current);
        }
        match Snapshot::read(&record[header.data_place().end..])? {
            Some(snapshot) if snapshot.is_shown_to(&token, now) => Ok(Standing::Before),
            _ => Err(Refusal::replaced()),
        }
    }

    fn loads(&self, record: Record, standing: Standing) -> Result<Loaded, Refusal> {
        let Record { generation, mut data, .. } = record;
        if !(1..LAST_GENERATION).contains(&generation) {
            return Err(Refusal::malformed("the record's generation is out of range"));
        }
        let header = Header::read(&data)?;
        let place = header.data_place();
        let snapshot = Snapshot::read(&data[place.end..])?;
        let (subject, state) = match (&snapshot, standing) {
            (Some(snapshot), Standing::Before) => {
                let mut before = WipedBytes::with_capacity(snapshot.data().len() + arena::ROOM);
                before.add(snapshot.data());
                self.data(before, 0)?
            }
            _ => {
                data.truncate(place.end);
                self.data(data, place.start)?
            }
        };
        let (renewed, created) = (Moment::at(header.accessed), Moment::at(header.created));
        let content = Content { renewed, created, state };
        Ok(Loaded { content, envelope: Envelope { header, subject, snapshot }, generation, standing, timeout: None })
    }

    fn dumps(&self, content: &Content, envelope: &Envelope) -> Result<Draft, Error> {
        let subject = envelope.subject.as_deref().map_or("", String::as_str).as_bytes();
        let length = envelope.header.len();
        let mut data = self.serializer.dumps_state(length + 2 + subject.len(), &content.state)?;
        let header = Header {
            created: content.created.seconds,
            accessed: content.renewed.seconds,
            data: u32::try_from(data.len() - length)
                .map_err(|_| Error::Range("a session in a store may have at most 4 GiB".to_owned()))?,
            ..envelope.header.clone()
        };
        header.write(&mut data);
        data[length..length + 2].copy_from_slice(&(subject.len() as u16).to_be_bytes());
        data[length + 2..length + 2 + subject.len()].copy_from_slice(subject);
        if let Some(snapshot) = &envelope.snapshot {
            data.add(snapshot.bytes());
        }
        Ok(Draft { data, header: length })
    }

    /// A second more than the option, for a session is still open in the last second of its timeout.
    fn idle(&self, _state: &State) -> Option<f64> {
        self.timeout.map(|timeout| timeout as f64 + 1.0)
    }

    fn header(&self, record: &[u8]) -> Result<Header, Refusal> {
        Header::read(record)
    }

    fn has_header(&self) -> bool {
        true
    }

    fn subjects(&self, subject: &str) -> Vec<SubjectName> {
        self.keys.subjects(subject)
    }
}
