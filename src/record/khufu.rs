//! khufu's own records. A record consists of a header and the session's data. For a while after the token was replaced,
//! a snapshot of the earlier data follows.
//!
//! The data consist of the length of the subject's text (two bytes, big-endian), this text, and the state as the
//! serializer writes it.

use std::sync::Arc;

use constant_time_eq::constant_time_eq;

use crate::cookie::seal;
use crate::error::Error;
use crate::load::Refusal;
use crate::payload::arena;
use crate::payload::moment::Moment;
use crate::payload::serializer::{Content, Serializer};
use crate::payload::state::State;
use crate::record::header::Header;
use crate::record::id::{Id, Keys};
use crate::record::layout::{EncodedRecord, Layout, Loaded, Metadata, View};
use crate::record::snapshot::Snapshot;
use crate::store::{Record, SubjectName};
use crate::sys::wiped::{WipedBytes, WipedText};

/// The longest text of a subject, in bytes.
pub(crate) const LONGEST_SUBJECT: usize = u16::MAX as usize;

/// The largest generation: an SQL integer is signed. A record of this generation could not be saved again.
const LAST_GENERATION: u64 = i64::MAX as u64;

pub(crate) struct KhufuLayout {
    pub keys: Keys,
    pub serializer: Arc<dyn Serializer>,
    pub timeout: Option<u64>,
}

impl KhufuLayout {
    /// Reads the subject and the state from a record's data: the bytes from `start` to the end.
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

    fn view(&self, id: &Id, record: &[u8], now: f64) -> Result<View, Refusal> {
        view(&Header::read(record)?, id, record, now)
    }

    fn loads(&self, id: &Id, record: Record, now: f64) -> Result<Loaded, Refusal> {
        let Record { generation, mut data, .. } = record;
        let header = Header::read(&data)?;
        let view = view(&header, id, &data, now)?;
        if !(1..LAST_GENERATION).contains(&generation) {
            return Err(Refusal::malformed("the record's generation is out of range"));
        }
        let place = header.data_range();
        let snapshot = Snapshot::read(&data[place.end..])?;
        let (subject, state) = match (&snapshot, view) {
            (Some(snapshot), View::Snapshot) => {
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
        let timeout = Some(header.lifetime as f64).filter(|lifetime| *lifetime > 0.0);
        Ok(Loaded { content, metadata: Metadata { header, subject, snapshot }, generation, view, timeout })
    }

    fn dumps(&self, content: &Content, metadata: &Metadata) -> Result<EncodedRecord, Error> {
        let subject = metadata.subject.as_deref().map_or("", String::as_str).as_bytes();
        let length = metadata.header.len();
        let mut data = self.serializer.dumps_state(length + 2 + subject.len(), &content.state)?;
        let header = Header {
            created: content.created.seconds,
            accessed: content.renewed.seconds,
            data_len: u32::try_from(data.len() - length)
                .map_err(|_| Error::Range("a session in a store may have at most 4 GiB".to_owned()))?,
            ..metadata.header.clone()
        };
        header.write(&mut data);
        data[length..length + 2].copy_from_slice(&(subject.len() as u16).to_be_bytes());
        data[length + 2..length + 2 + subject.len()].copy_from_slice(subject);
        if let Some(snapshot) = &metadata.snapshot {
            data.add(snapshot.bytes());
        }
        Ok(EncodedRecord { data, header_len: length })
    }

    /// One second longer than the timeout, because a session can still be opened in the last second of its timeout.
    fn idle(&self, _state: &State, metadata: &Metadata) -> Option<f64> {
        let timeout = Some(metadata.header.lifetime).filter(|lifetime| *lifetime > 0).or(self.timeout);
        timeout.map(|timeout| timeout as f64 + 1.0)
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

/// The data that an id opens in a record with this header.
fn view(header: &Header, id: &Id, record: &[u8], now: f64) -> Result<View, Refusal> {
    let token = id.token_hash();
    if constant_time_eq(&header.token, &token) {
        return Ok(View::Current);
    }
    match Snapshot::read(&record[header.data_range().end..])? {
        Some(snapshot) if snapshot.is_opened_by(&token, now) => Ok(View::Snapshot),
        _ => Err(Refusal::replaced()),
    }
}
