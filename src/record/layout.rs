//! The form of the sessions in a store: their ids, cookies and records.

use crate::error::Error;
use crate::load::Refusal;
use crate::record::header::Header;
use crate::record::id::Id;
use crate::record::snapshot::Snapshot;
use crate::serializer::Content;
use crate::state::State;
use crate::store::{Record, SubjectName};
use crate::wiped::{WipedBytes, WipedText};

/// How one program keeps sessions in a store.
pub(crate) trait Layout: Send + Sync {
    /// An id for a new session.
    fn new_id(&self) -> Result<Id, Error>;

    /// Another id for a session that has this one.
    fn next_id(&self, id: &Id) -> Result<Id, Error>;

    /// The id in a cookie's value, and whether a previous secret sealed it.
    fn open(&self, value: &[u8]) -> Result<(Id, bool), Refusal>;

    /// The value of an id's cookie.
    fn seal(&self, id: &Id) -> WipedBytes;

    /// The store's key for the session of an id.
    fn key(&self, id: &Id) -> String;

    /// A name for the session of an id that may be logged, for it opens nothing.
    fn public_id(&self, id: &Id) -> String {
        id.hash()
    }

    /// What a record shows to the holder of an id at a time, in seconds since the Unix epoch.
    ///
    /// # Errors
    /// A refusal with [`LoadResult::Missing`](crate::LoadResult::Missing) if the id opens nothing.
    fn standing(&self, _id: &Id, _record: &[u8], _now: f64) -> Result<Standing, Refusal> {
        Ok(Standing::Current)
    }

    /// The session in a record; [`Refusal::missing`] if the record says that the session has ended.
    fn loads(&self, record: Record, standing: Standing) -> Result<Loaded, Refusal>;

    /// The record of a session.
    fn dumps(&self, content: &Content, envelope: &Envelope) -> Result<Draft, Error>;

    /// How many seconds the record of an unused session is kept; `None`: without an end.
    fn idle(&self, state: &State) -> Option<f64>;

    /// The record's header, if the layout has [headers](Layout::has_header).
    fn header(&self, _record: &[u8]) -> Result<Header, Refusal> {
        Ok(Header::default())
    }

    /// Whether records have a header. Then a session keeps its key for life, its record knows its last saves, and it can
    /// belong to a subject.
    fn has_header(&self) -> bool {
        false
    }

    /// The names of a subject: under the current secret, then under the previous ones.
    fn subjects(&self, _subject: &str) -> Vec<SubjectName> {
        Vec::new()
    }
}

/// What a record shows to the holder of an id.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub(crate) enum Standing {
    /// The session as it is.
    #[default]
    Current,
    /// The session as it was before its token was replaced, to be read only.
    Before,
}

/// A session as its record has it.
pub(crate) struct Loaded {
    pub content: Content,
    pub envelope: Envelope,
    pub generation: u64,
    pub standing: Standing,
    /// The record's own idle time in seconds, infinite if it has no end; `None`: the option `timeout` applies.
    pub timeout: Option<f64>,
}

/// What khufu's own records hold beside a session's content. Another library's records hold none of it.
#[derive(Clone, Default)]
pub(crate) struct Envelope {
    pub header: Header,
    /// The subject's text, as the application set it.
    pub subject: Option<WipedText>,
    pub snapshot: Option<Snapshot>,
}

impl Envelope {
    /// Drops the snapshot if it is no longer shown at a time, in seconds since the Unix epoch.
    pub fn drop_snapshot_after(&mut self, now: f64) {
        self.snapshot = self.snapshot.take().filter(|snapshot| snapshot.counts_at(now));
    }
}

/// A record that is to be written.
pub(crate) struct Draft {
    pub data: WipedBytes,
    /// Length of the header at its beginning.
    pub header: usize,
}
