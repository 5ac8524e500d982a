//! Where server-side sessions live.
//!
//! A store keeps records under keys and knows nothing of cookies or of sessions. Everything that happens to a record is
//! one write to its key: each record has a generation, and a write replaces only the generation that its writer saw.

#[cfg(test)]
#[cfg_attr(not(any(feature = "redis", feature = "sqlite")), allow(dead_code))] // memory has less to keep
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

/// The store that the option `store` names; a file is opened within `limit`.
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

/// The Redis that the option `store` names, for records that another program writes, too; `None` if it names none.
pub(crate) fn open_shared(settings: &Settings) -> Option<Result<Arc<dyn Store>, Error>> {
    #[cfg(feature = "redis")]
    {
        let url = settings.get("store")?;
        redis::SCHEMES.contains(&url.split_once(':')?.0).then(|| {
            // The option's default is for khufu's own records.
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

/// The stores that are built in, for an error to list.
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
    /// From 1 on. Each save makes it larger.
    pub generation: u64,
    pub data: WipedBytes,
    /// How much longer the store keeps it, if the store tells.
    pub left: Option<Duration>,
}

/// The name under which a store finds the records of one subject: a MAC of the subject's text.
#[derive(Debug, Clone, Copy)]
pub(crate) struct SubjectName(pub [u8; 32]);

impl SubjectName {
    /// Its 64 hexadecimal digits.
    pub fn hex(&self) -> String {
        hex::encode(self.0)
    }
}

impl PartialEq for SubjectName {
    fn eq(&self, other: &Self) -> bool {
        constant_time_eq(&self.0, &other.0)
    }
}

/// Where a record that has a header holds the name of its subject. If all these bytes are zero, it has none.
pub(crate) const SUBJECT_PLACE: Range<usize> = 2..34;

/// What a save or a touch puts under a key.
pub(crate) struct Write<'a> {
    /// The generation that the record has after a save, and must have before a touch.
    pub generation: u64,
    /// A header, if records have one, and the session's data behind it.
    pub data: &'a [u8],
    /// How many bytes of `data` are the header.
    pub header: usize,
    /// The subject that the record belongs to, as its header says.
    pub subject: Option<SubjectName>,
    /// When the session was last used, in seconds since the Unix epoch.
    pub accessed: f64,
    /// How long the record is kept from now on: at least a second; `None`: without an end.
    pub ttl: Option<Duration>,
    pub deadline: Instant,
}

/// The outcome of a write.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Saved {
    /// The write was made.
    Yes,
    /// The record has another generation than was expected, so another writer was first.
    Conflict,
    /// There is no record: it was removed, or has expired.
    Gone,
}

/// Why a store could not do its work. The text names no secret.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub(crate) struct StoreError(pub String);

impl From<StoreError> for Error {
    fn from(error: StoreError) -> Self {
        Self::Store(error.0)
    }
}

/// A place for records. Every call ends by its deadline, if need be with an error; the calling thread waits.
///
/// Keys are short ASCII texts. An expired record is not there, whether it has been removed or not.
pub(crate) trait Store: Send + Sync {
    /// The record of a key.
    fn load(&self, key: &str, deadline: Instant) -> Result<Option<Record>, StoreError>;

    /// Whether a key without a record had one that expired, as far as the store can tell.
    fn has_expired(&self, _key: &str, _deadline: Instant) -> Result<bool, StoreError> {
        Ok(false)
    }

    /// Replaces the record of generation `expected`, in one step; 0 inserts, if there is no record (one that is there is
    /// a conflict). A record that has a subject can be found in [`Store::members`] as soon as it can be loaded.
    ///
    /// An insert is sent at most once: if it is not answered, it may still be carried out later.
    fn save(&self, key: &str, expected: u64, write: &Write<'_>) -> Result<Saved, StoreError>;

    /// Replaces the record that has the generation of `write`, which it keeps, and extends its life.
    fn touch(&self, key: &str, write: &Write<'_>) -> Result<Saved, StoreError>;

    /// Removes the record of generation `expected`; 0: of any. `subject` is the one that the record was last seen with.
    fn remove(
        &self,
        key: &str,
        expected: u64,
        subject: Option<SubjectName>,
        deadline: Instant,
    ) -> Result<Saved, StoreError>;

    /// The generation of a record of this data, if the data alone decide it. Otherwise each save adds one.
    fn generation(&self, _data: &[u8]) -> Option<u64> {
        None
    }

    /// Puts a record under a new key, which only this request knows, in place of the record of generation `expected` under
    /// the old key. For records whose session gets another key with a new id. If a store makes both changes in one step,
    /// and the old record is not there but the new one is, an earlier call was carried out: the new record is replaced.
    /// On anything but [`Saved::Yes`] nothing is left under the new key.
    fn rename(&self, _key: &str, _expected: u64, _new_key: &str, _write: &Write<'_>) -> Result<Saved, StoreError> {
        Err(StoreError("this store does not rename records".to_owned()))
    }

    /// Whether the calls below work.
    fn keeps_subjects(&self) -> bool {
        false
    }

    /// The keys of the records that belong to one of the subjects, in any order, and perhaps more than once. Some may have
    /// no record, or one of another subject. A record whose subject changes from one of them to another is not missed.
    fn members(&self, _subjects: &[SubjectName], _deadline: Instant) -> Result<Vec<String>, StoreError> {
        Err(no_subjects())
    }

    /// Removes the record of a key, if the record belongs to one of the subjects. False if it does not, or is not there.
    fn revoke(&self, _key: &str, _subjects: &[SubjectName], _deadline: Instant) -> Result<bool, StoreError> {
        Err(no_subjects())
    }

    /// The policy by which the store evicts records and lists of subjects when it is full; `None` if it evicts nothing, or
    /// has not told.
    fn may_evict(&self) -> Option<String> {
        None
    }
}

fn no_subjects() -> StoreError {
    StoreError("this store does not keep subjects".to_owned())
}
