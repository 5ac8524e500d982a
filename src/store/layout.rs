//! What the sessions of a store look like: their ids, the cookies of these, and their records.

use crate::error::Error;
use crate::load::Refusal;
use crate::moment::Moment;
use crate::serializer::Content;
use crate::state::State;
use crate::store::Record;
use crate::store::id::{Id, Subject};
use crate::store::record::Header;
use crate::wiped::WipedBytes;

/// One program's way to keep sessions in a store.
pub(crate) trait Layout: Send + Sync {
    /// An id for a new session.
    fn new_id(&self) -> Result<Id, Error>;

    /// The id in a cookie's value, and whether a previous secret sealed it.
    fn open(&self, value: &[u8]) -> Result<(Id, bool), Refusal>;

    /// The value of an id's cookie.
    fn seal(&self, id: &Id) -> WipedBytes;

    /// The name of an id's record.
    fn key(&self, id: &Id) -> String;

    /// The session in a record.
    fn loads(&self, record: Record) -> Result<Loaded, Refusal>;

    /// The data of a session's record.
    fn dumps(&self, header: Header, accessed: Moment, created: Moment, state: &State) -> Result<WipedBytes, Error>;

    /// For how many seconds a session's record is kept that nobody uses; `None`: for ever.
    fn idle(&self, state: &State) -> Option<f64>;

    /// Whether a record has a [`Header`], and so can say whose it is, and that its session has moved to a new id.
    fn has_header(&self) -> bool {
        false
    }

    /// The names of a subject in the store's index: under the current secret, then under the previous ones. `None` where
    /// a record cannot say whose it is.
    fn subjects(&self, _subject: &str) -> Option<Vec<Subject>> {
        None
    }
}

/// A session as its record has it.
pub(crate) struct Loaded {
    pub content: Content,
    pub header: Header,
    pub generation: u64,
    /// The record's own idle time in seconds, infinite if it has no end; `None`: the option's counts.
    pub timeout: Option<f64>,
}
