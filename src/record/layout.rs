//! The layout of sessions in a store: their ids, cookies and records.

use crate::error::Error;
use crate::load::Refusal;
use crate::payload::serializer::Content;
use crate::payload::state::State;
use crate::record::header::Header;
use crate::record::id::Id;
use crate::record::snapshot::Snapshot;
use crate::store::{Record, SubjectName};
use crate::sys::wiped::{WipedBytes, WipedText};

/// The form in which one library keeps sessions in a store.
pub(crate) trait Layout: Send + Sync {
    /// An id for a new session.
    fn new_id(&self) -> Result<Id, Error>;

    /// A new id for a session whose id is this one.
    fn next_id(&self, id: &Id) -> Result<Id, Error>;

    /// Opens a cookie's value. Returns the id, and true if a previous secret signed it.
    fn open(&self, value: &[u8]) -> Result<(Id, bool), Refusal>;

    /// The value of the cookie that carries an id.
    fn seal(&self, id: &Id) -> WipedBytes;

    /// The key of a session in the store.
    fn key(&self, id: &Id) -> String;

    /// A name for a session that may be logged, because it does not open the session.
    fn public_id(&self, id: &Id) -> String {
        id.hash()
    }

    /// The data of a record that an id opens. `now` is in seconds since the Unix epoch.
    ///
    /// # Errors
    /// A refusal with [`LoadResult::Missing`](crate::LoadResult::Missing) if the id does not open the record.
    fn view(&self, _id: &Id, _record: &[u8], _now: f64) -> Result<View, Refusal> {
        Ok(View::Current)
    }

    /// Reads the session that an id opens in a record. `now` is in seconds since the Unix epoch.
    ///
    /// # Errors
    /// A refusal with [`LoadResult::Missing`](crate::LoadResult::Missing) if the id does not open the record, or if the
    /// record shows that the session has ended.
    fn loads(&self, id: &Id, record: Record, now: f64) -> Result<Loaded, Refusal>;

    /// Writes a session as a record.
    fn dumps(&self, content: &Content, metadata: &Metadata) -> Result<EncodedRecord, Error>;

    /// The number of seconds after which the record of an unused session expires. `None` if it does not expire.
    fn idle(&self, state: &State, metadata: &Metadata) -> Option<f64>;

    /// The record's header, if the layout has [headers](Layout::has_header).
    fn header(&self, _record: &[u8]) -> Result<Header, Refusal> {
        Ok(Header::default())
    }

    /// True if records have a header. Then a session keeps its key for life, its record lists its last saves, and the
    /// session can belong to a subject.
    fn has_header(&self) -> bool {
        false
    }

    /// The names of a subject: one for each secret, the current one first.
    fn subjects(&self, _subject: &str) -> Vec<SubjectName> {
        Vec::new()
    }
}

/// The data of a record that an id opens.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub(crate) enum View {
    /// The current data.
    #[default]
    Current,
    /// The data from before the token was replaced. They can be read but not changed.
    Snapshot,
}

/// A session that was read from its record.
pub(crate) struct Loaded {
    pub content: Content,
    pub metadata: Metadata,
    pub generation: u64,
    pub view: View,
    /// The session's own idle timeout in seconds, or infinity if it does not expire. `None` if the option `timeout`
    /// applies.
    pub timeout: Option<f64>,
}

/// The parts of khufu's own records other than the session's content. Other libraries' records do not have them.
#[derive(Clone, Default)]
pub(crate) struct Metadata {
    pub header: Header,
    /// The subject's text, as the application set it.
    pub subject: Option<WipedText>,
    pub snapshot: Option<Snapshot>,
}

impl Metadata {
    /// Drops the snapshot if it has expired. `now` is in seconds since the Unix epoch.
    pub fn drop_expired_snapshot(&mut self, now: f64) {
        self.snapshot = self.snapshot.take().filter(|snapshot| snapshot.is_valid_at(now));
    }
}

/// The bytes of a record.
pub(crate) struct EncodedRecord {
    pub data: WipedBytes,
    /// The length of the header at the beginning of the record, in bytes.
    pub header_len: usize,
}
