//! Where server-side sessions live.
//!
//! A store keeps records under keys and knows nothing of cookies or of what is in a record. Every record has a
//! generation, and is replaced only by a writer who saw the one that is there.

pub(crate) mod backend;
#[cfg(test)]
mod contract;
pub(crate) mod id;
pub(crate) mod layout;
mod memory;
pub(crate) mod own;
pub(crate) mod record;
#[cfg(feature = "redis")]
mod redis;
#[cfg(feature = "sqlite")]
mod sqlite;
pub(crate) mod turns;

use std::sync::Arc;
use std::time::{Duration, Instant};

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
            // The prefix is khufu's own unless it was said.
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

/// A record and its generation, a number from 1 on that each change of its data makes larger.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Record {
    pub generation: u64,
    pub data: WipedBytes,
    /// For how long it is kept yet, of a record that was loaded from a store which tells.
    pub left: Option<Duration>,
}

/// What became of a save.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Saved {
    /// The record is the one that was given.
    Yes,
    /// Another writer was there first: the record has another generation than was expected.
    Conflict,
    /// There is no record: it was deleted, or has expired.
    Gone,
}

/// Why a store could not do its work, in words that name no secret.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub(crate) struct StoreError(pub String);

/// A place for records. Every call ends by its deadline, with an error if need be; the calling thread waits.
///
/// Keys and subjects are short ASCII texts. `ttl` is for how long a record is kept from now on; `None`: for ever; zero:
/// not at all. An expired record is not there, whether it has been removed or not.
pub(crate) trait Store: Send + Sync {
    /// The record of a key.
    fn load(&self, key: &str, deadline: Instant) -> Result<Option<Record>, StoreError>;

    /// Puts a record in place of the one of generation `expected`, in one step; 0: only where there is none (then
    /// one that is there is a conflict).
    fn save(
        &self,
        key: &str,
        expected: u64,
        record: &Record,
        ttl: Option<Duration>,
        deadline: Instant,
    ) -> Result<Saved, StoreError>;

    /// Extends the life of the record that has the given record's generation, and keeps the given data, which says
    /// when; does nothing where another generation, or none, is there.
    fn touch(&self, key: &str, record: &Record, ttl: Option<Duration>, deadline: Instant) -> Result<(), StoreError>;

    /// Removes a record, whatever its generation.
    fn delete(&self, key: &str, deadline: Instant) -> Result<(), StoreError>;

    /// The generation of a record of this data, in a store where the data alone say it; `None`: each change makes it one
    /// larger.
    fn generation(&self, _data: &[u8]) -> Option<u64> {
        None
    }

    /// Notes that a key belongs to a subject, for as long as `ttl`. Noting it again extends that. An error, as what
    /// follows, where the store keeps no subjects.
    fn enlist(&self, _subject: &str, _key: &str, _ttl: Option<Duration>, _deadline: Instant) -> Result<(), StoreError> {
        Err(no_subjects())
    }

    /// Takes such a note back.
    fn delist(&self, _subject: &str, _key: &str, _deadline: Instant) -> Result<(), StoreError> {
        Err(no_subjects())
    }

    /// The keys of a subject, in no order. Some may have no record any more.
    fn list(&self, _subject: &str, _deadline: Instant) -> Result<Vec<String>, StoreError> {
        Err(no_subjects())
    }
}

/// Of a store of the caller's own: a record that another program writes, too, never says whose it is.
fn no_subjects() -> StoreError {
    StoreError("a store of the caller's own keeps no subjects".to_owned())
}
