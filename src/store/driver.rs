//! The interface of a store, and the types that it uses.

use std::ops::Range;
use std::time::{Duration, Instant};

use constant_time_eq::constant_time_eq;

use crate::error::Error;
use crate::sys::wiped::WipedBytes;

/// A record as it was loaded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Record {
    /// At least 1. Each save increases it.
    pub generation: u64,
    pub data: WipedBytes,
    /// The time until the record expires, if the store reports it.
    pub left: Option<Duration>,
}

/// The name under which a store finds the records of one subject: a MAC of the subject's text.
#[derive(Debug, Clone, Copy)]
pub(crate) struct SubjectName(pub [u8; 32]);

impl SubjectName {
    /// The name as 64 hexadecimal digits.
    pub fn hex(&self) -> String {
        hex::encode(self.0)
    }
}

impl PartialEq for SubjectName {
    fn eq(&self, other: &Self) -> bool {
        constant_time_eq(&self.0, &other.0)
    }
}

/// The bytes of a record that hold the name of its subject, if the record has a header. They are all zero in a record
/// without a subject.
pub(crate) const SUBJECT_PLACE: Range<usize> = 2..34;

/// The record that a save or a touch writes.
#[cfg_attr(not(all(feature = "redis", feature = "sqlite")), allow(dead_code))] // the other stores need only some fields
pub(crate) struct Write<'a> {
    /// The generation that a save gives to the record, or that the record must have for a touch.
    pub generation: u64,
    /// A header, if the records of this layout have one, followed by the session's data.
    pub data: &'a [u8],
    /// The length of the header in bytes.
    pub header: usize,
    /// The subject that the record belongs to, as its header says.
    pub subject: Option<SubjectName>,
    /// When the session was last used, in seconds since the Unix epoch.
    pub accessed: f64,
    /// How long the record is kept from now on, at least a second. `None` keeps it forever.
    pub ttl: Option<Duration>,
    pub deadline: Instant,
}

/// The outcome of a write to a store.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Saved {
    /// The write was made.
    Yes,
    /// The record does not have the expected generation, because another writer changed it first.
    Conflict,
    /// The record does not exist: it was removed or has expired.
    Gone,
}

/// The reason why a store gave no answer.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum StoreError {
    /// The store failed, for this reason, which must not contain a secret. A write may have been made nevertheless.
    #[error("{0}")]
    Failed(String),
    /// The store has not answered yet. The caller of khufu gets [`Error::Pending`] and waits without khufu.
    #[error("the store has not answered yet")]
    Pending,
}

impl From<StoreError> for Error {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::Failed(reason) => Self::Store(reason),
            StoreError::Pending => Self::Pending,
        }
    }
}

/// A store of records. Every call blocks the calling thread, and ends by its deadline, if necessary with an error.
///
/// Keys are short ASCII texts. An expired record counts as missing, even if the store has not removed it yet.
pub(crate) trait Driver: Send + Sync {
    /// Loads the record of a key.
    fn load(&self, key: &str, deadline: Instant) -> Result<Option<Record>, StoreError>;

    /// True if a key without a record had one that expired. False if the store cannot tell.
    fn has_expired(&self, _key: &str, _deadline: Instant) -> Result<bool, StoreError> {
        Ok(false)
    }

    /// Replaces the record of generation `expected` in one atomic step. If `expected` is 0, inserts a record, and an
    /// existing record is a conflict. [`Driver::members`] lists a record with a subject as soon as it can be loaded.
    ///
    /// An insert is sent at most once. If it gets no answer, the store may still carry it out later.
    fn save(&self, key: &str, expected: u64, write: &Write<'_>) -> Result<Saved, StoreError>;

    /// Replaces the record that has the generation of `write`, and restarts its lifetime. The generation stays the
    /// same.
    fn touch(&self, key: &str, write: &Write<'_>) -> Result<Saved, StoreError>;

    /// Removes the record of generation `expected`, or of any generation if that is 0. `subject` is the subject that
    /// the caller last saw in the record.
    fn remove(
        &self,
        key: &str,
        expected: u64,
        subject: Option<SubjectName>,
        deadline: Instant,
    ) -> Result<Saved, StoreError>;

    /// The generation of a record with this data, if the store derives generations from the data. `None` means that
    /// each save increases the generation by one.
    fn generation(&self, _data: &[u8]) -> Option<u64> {
        None
    }

    /// Removes the record of generation `expected` under the old key, and writes a record under a new key, which only
    /// this request knows. It is used for layouts in which a new session id changes the record's key. Unless the
    /// outcome is [`Saved::Yes`], no record is left under the new key.
    ///
    /// A store may make both changes in one step. If it then finds only the new record, an earlier call succeeded, and
    /// this call replaces the new record.
    fn rename(&self, _key: &str, _expected: u64, _new_key: &str, _write: &Write<'_>) -> Result<Saved, StoreError> {
        Err(StoreError::Failed("this store does not rename records".to_owned()))
    }

    /// True if the store supports [`Driver::members`] and [`Driver::revoke`].
    fn keeps_subjects(&self) -> bool {
        false
    }

    /// The keys of the records that belong to one of the subjects, in any order, possibly with duplicates. A listed key
    /// may have no record, or a record of another subject. A record whose subject changes meanwhile from one of these
    /// subjects to another is listed.
    fn members(&self, _subjects: &[SubjectName], _deadline: Instant) -> Result<Vec<String>, StoreError> {
        Err(no_subjects())
    }

    /// Removes the record of a key if the record belongs to one of the subjects. Returns false if it does not, or if
    /// there is no record.
    fn revoke(&self, _key: &str, _subjects: &[SubjectName], _deadline: Instant) -> Result<bool, StoreError> {
        Err(no_subjects())
    }

    /// True if a call may wait, for a server or a disk.
    fn may_wait(&self) -> bool {
        true
    }

    /// The name of the policy by which a full store evicts records and lists of subjects. `None` if the store evicts
    /// nothing, or has not reported its policy yet.
    fn may_evict(&self) -> Option<String> {
        None
    }
}

fn no_subjects() -> StoreError {
    StoreError::Failed("this store does not keep subjects".to_owned())
}
