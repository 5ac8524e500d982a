//! Opens the store that the option `store` names.

use std::sync::Arc;
use std::time::Duration;
#[cfg(feature = "sqlite")]
use std::time::Instant;

use zeroize::Zeroizing;

use crate::error::Error;
#[cfg(feature = "redis")]
use crate::store::redis;
#[cfg(feature = "sqlite")]
use crate::store::sqlite;
use crate::store::{Driver, StoreError, memory};

/// The store of a factory's records, as the options describe it.
#[cfg_attr(not(feature = "redis"), allow(dead_code))] // only Redis needs a prefix
pub(crate) struct Location {
    /// The option `store`. It may hold a password.
    pub url: Zeroizing<String>,
    /// The prefix of keys in Redis.
    pub prefix: String,
    /// The most memory that `memory:` may take, in bytes. `None` if there is no limit.
    pub most_bytes: Option<usize>,
    /// The longest time that a call may take.
    pub timeout: Duration,
}

impl Location {
    /// A location for tests, whose calls may take half a minute.
    #[cfg(test)]
    pub fn of(url: &str) -> Self {
        let timeout = Duration::from_secs(30);
        Self { url: url.to_owned().into(), prefix: "khufu:".to_owned(), most_bytes: None, timeout }
    }

    /// Opens a store for khufu's own records.
    pub fn open(&self) -> Result<Arc<dyn Driver>, Error> {
        let (scheme, rest) = self.url.split_once(':').unwrap_or_default();
        let opened: Result<Arc<dyn Driver>, StoreError> = match scheme {
            "memory" if rest.is_empty() => {
                Ok(Arc::new(memory::Memory::new(self.most_bytes.unwrap_or(usize::MAX))) as Arc<dyn Driver>)
            }
            #[cfg(feature = "sqlite")]
            "sqlite" if sqlite::is_no_file(rest) => {
                return Err(refused(
                    "sqlite: and a file's path, not a URI. memory: keeps sessions in this process's memory",
                ));
            }
            #[cfg(feature = "sqlite")]
            "sqlite" if !rest.is_empty() => sqlite::Sqlite::open(rest, Instant::now() + self.timeout)
                .map(|store| Arc::new(store) as Arc<dyn Driver>),
            #[cfg(feature = "redis")]
            _ if self.is_redis() => self.redis().map(|store| Arc::new(store) as Arc<dyn Driver>),
            _ => return Err(refused(&format!("one of {}", BUILT_IN.join(", ")))),
        };
        opened.map_err(not_opened)
    }

    /// Opens a Redis server for records that another library also writes.
    pub fn open_shared(&self, library: &str) -> Result<Arc<dyn Driver>, Error> {
        #[cfg(feature = "redis")]
        if self.is_redis() {
            let store = self.redis().map_err(not_opened)?;
            return Ok(Arc::new(redis::Shared::new(store)));
        }
        Err(refused(&format!("a Redis server's URL if library is {library}")))
    }

    #[cfg(feature = "redis")]
    fn is_redis(&self) -> bool {
        self.url.split_once(':').is_some_and(|(scheme, _)| redis::SCHEMES.contains(&scheme))
    }

    #[cfg(feature = "redis")]
    fn redis(&self) -> Result<redis::Redis, StoreError> {
        Ok(redis::Redis::open(&self.url)?.with_prefix(&self.prefix))
    }
}

fn not_opened(error: StoreError) -> Error {
    Error::Option(format!("the option store: {error}"))
}

/// The error for a URL that is not allowed. It does not contain the URL, which may hold a password.
fn refused(allowed: &str) -> Error {
    Error::Option(format!("the option store must be {allowed}"))
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
