//! The stores of server-side sessions.
//!
//! A store keeps records under keys and knows nothing about cookies or sessions. Every change to a record is one write
//! to its key. Each record has a generation, and a write only replaces the generation that its writer saw.

#[cfg(test)]
#[cfg_attr(not(any(feature = "redis", feature = "sqlite")), allow(dead_code))] // the memory store needs only some of it
pub(crate) mod contract;
mod memory;
#[cfg(feature = "redis")]
mod redis;
#[cfg(feature = "sqlite")]
mod sqlite;

use std::ops::Range;
use std::sync::Arc;
use std::time::{Duration, Instant};

use constant_time_eq::constant_time_eq;

use crate::error::Error;
use crate::options::Settings;
use crate::wiped::WipedBytes;

/// Opens the store that the option `store` names. Opening a database file takes at most `limit`.
#[cfg_attr(not(feature = "sqlite"), expect(unused_variables))]
pub(crate) fn open(settings: &Settings, limit: Duration) -> Result<Arc<dyn Store>, Error> {
    let url = settings.get("store").unwrap_or("memory:");
    let (scheme, rest) = url.split_once(':').unwrap_or_default();
    let opened: Result<Arc<dyn Store>, StoreError> = match scheme {
        "memory" if rest.is_empty() => {
            let most_bytes = settings.get("store_max_bytes").and_then(|bytes| bytes.parse().ok());
            Ok(Arc::new(memory::Memory::new(most_bytes.unwrap_or(usize::MAX))) as Arc<dyn Store>)
        }
        #[cfg(feature = "sqlite")]
        "sqlite" if sqlite::is_no_file(rest) => {
            let allowed = "sqlite: and a file's path, not a URI; memory: keeps sessions in this process's memory";
            return Err(settings.refuse("", "store", allowed));
        }
        #[cfg(feature = "sqlite")]
        "sqlite" if !rest.is_empty() => {
            sqlite::Sqlite::open(rest, Instant::now() + limit).map(|store| Arc::new(store) as Arc<dyn Store>)
        }
        #[cfg(feature = "redis")]
        scheme if redis::SCHEMES.contains(&scheme) => {
            let prefix = settings.get("store_prefix").unwrap_or_default();
            redis::Redis::open(url).map(|store| Arc::new(store.with_prefix(prefix)) as Arc<dyn Store>)
        }
        _ => {
            let built_in = BUILT_IN.join(", ");
            return Err(settings.refuse("", "store", &format!("one of {built_in}")));
        }
    };
    opened.map_err(|error| Error::Option(format!("the option store: {error}")))
}

/// Opens the Redis that the option `store` names, for records that another program also writes. Returns `None` if the
/// option is unset or names another store.
pub(crate) fn open_shared(settings: &Settings) -> Option<Result<Arc<dyn Store>, Error>> {
    #[cfg(feature = "redis")]
    {
        let url = settings.get("store")?;
        redis::SCHEMES.contains(&url.split_once(':')?.0).then(|| {
            // The option's default prefix is meant for khufu's own records.
            let prefix = settings.said("store_prefix").unwrap_or_default();
            let store = redis::Redis::open(url).map_err(|error| Error::Option(format!("the option store: {error}")))?;
            Ok(Arc::new(redis::Shared::new(store.with_prefix(prefix))) as Arc<dyn Store>)
        })
    }
    #[cfg(not(feature = "redis"))]
    {
        let _ = settings;
        None
    }
}

/// The URLs of the built-in stores, as an error message lists them.
const BUILT_IN: &[&str] = &[
    "memory:",
    #[cfg(feature = "sqlite")]
    "sqlite:PATH",
    #[cfg(feature = "redis")]
    "redis://HOST:PORT/DB",
    #[cfg(feature = "redis")]
    "rediss://HOST:PORT/DB",
    #[cfg(feature = "redis")]
    "redis+unix:///PATH",
    #[cfg(feature = "redis")]
    "redis+cluster://HOST:PORT,HOST:PORT",
    #[cfg(feature = "redis")]
    "redis+sentinel://HOST:PORT,HOST:PORT/MASTER",
];

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

/// The outcome of a write.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Saved {
    /// The write was made.
    Yes,
    /// The record does not have the expected generation, because another writer changed it first.
    Conflict,
    /// The record does not exist: it was removed or has expired.
    Gone,
}

/// The reason why a store failed. The text contains no secret.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub(crate) struct StoreError(pub String);

impl From<StoreError> for Error {
    fn from(error: StoreError) -> Self {
        Self::Store(error.0)
    }
}

/// A store of records. Every call blocks the calling thread, and ends by its deadline, if necessary with an error.
///
/// Keys are short ASCII texts. An expired record counts as missing, even if the store has not removed it yet.
pub(crate) trait Store: Send + Sync {
    /// Loads the record of a key.
    fn load(&self, key: &str, deadline: Instant) -> Result<Option<Record>, StoreError>;

    /// True if a key without a record had one that expired. False if the store cannot tell.
    fn has_expired(&self, _key: &str, _deadline: Instant) -> Result<bool, StoreError> {
        Ok(false)
    }

    /// Replaces the record of generation `expected` in one atomic step. If `expected` is 0, inserts a record, and an
    /// existing record is a conflict. [`Store::members`] lists a record with a subject as soon as it can be loaded.
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
        Err(StoreError("this store does not rename records".to_owned()))
    }

    /// True if the store supports [`Store::members`] and [`Store::revoke`].
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

    /// The name of the policy by which a full store evicts records and lists of subjects. `None` if the store evicts
    /// nothing, or has not reported its policy yet.
    fn may_evict(&self) -> Option<String> {
        None
    }
}

fn no_subjects() -> StoreError {
    StoreError("this store does not keep subjects".to_owned())
}
