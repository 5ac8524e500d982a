//! Records in a file, which several processes may use at once.
//!
//! What a call has written is there after the process is killed. After the machine loses power the file is whole, but
//! the last writes before may be missing, and what they deleted be back: not to risk that would cost every write a
//! wait for the disk.
//!
//! Other software in the same process must keep its hands off the file: the system drops a process's locks on a file
//! when any descriptor of it is closed.

mod database;
mod pool;
#[cfg(test)]
mod tests;

use std::path::PathBuf;
use std::sync::{Arc, Weak};
use std::thread::park_timeout;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use rusqlite::{Connection, OptionalExtension, Transaction, TransactionBehavior};

use self::database::Trouble;
use self::pool::Pool;
use crate::fork::{self, Call};
use crate::store::{Record, Saved, Store, StoreError};

/// How many threads of a process read at once.
const READERS: usize = 8;
/// How long a call sleeps, at first and at most, before it asks again whether another process is done writing.
const FIRST_PAUSE: Duration = Duration::from_micros(50);
const LAST_PAUSE: Duration = Duration::from_micros(500);

const LOAD: &str = "SELECT generation, data FROM records WHERE key = ?1 AND (expires IS NULL OR expires > ?2)";
const INSERT: &str = "
    INSERT INTO records (key, generation, expires, data) VALUES (?1, ?2, ?3, ?4) ON CONFLICT DO UPDATE
    SET generation = excluded.generation, expires = excluded.expires, data = excluded.data WHERE expires <= ?5";
const REPLACE: &str = "
    UPDATE records SET generation = ?2, expires = ?3, data = ?4
    WHERE key = ?1 AND generation = ?6 AND (expires IS NULL OR expires > ?5)";
const EXISTS: &str = "SELECT EXISTS (SELECT 1 FROM records WHERE key = ?1 AND (expires IS NULL OR expires > ?2))";
const TOUCH: &str = "
    UPDATE records SET expires = ?3, data = ?4
    WHERE key = ?1 AND generation = ?2 AND (expires IS NULL OR expires > ?5)";
const DELETE: &str = "DELETE FROM records WHERE key = ?1";
const SWEEP: &str = "
    DELETE FROM records WHERE rowid IN (SELECT rowid FROM records WHERE expires <= ?1 ORDER BY expires LIMIT 8)";

/// The later expiry stays; none is the latest.
const ENLIST: &str = "
    INSERT INTO subjects (subject, key, expires) VALUES (?1, ?2, ?3)
    ON CONFLICT DO UPDATE SET expires = max(expires, excluded.expires)";
const DELIST: &str = "DELETE FROM subjects WHERE subject = ?1 AND key = ?2";
const LIST: &str = "SELECT key FROM subjects WHERE subject = ?1 AND (expires IS NULL OR expires > ?2)";
const SWEEP_SUBJECTS: &str = "
    DELETE FROM subjects WHERE (subject, key) IN
    (SELECT subject, key FROM subjects WHERE expires <= ?1 ORDER BY expires LIMIT 8)";

/// A store in a database file.
pub(crate) struct Sqlite {
    path: PathBuf,
    connections: Arc<Connections>,
}

/// The connections of this process: none crosses a fork.
struct Connections {
    readers: Pool<Connection>,
    /// One, for the threads of a process to take turns.
    writer: Pool<Connection>,
}

impl Sqlite {
    /// Opens a database, and makes it if it is not there or empty: it is then for its owner alone to read. The folder
    /// must be there.
    pub fn open(path: &str, deadline: Instant) -> Result<Self, StoreError> {
        let absolute = std::path::absolute(path).map_err(|error| StoreError(format!("the SQLite store: {error}")))?;
        let connections = Arc::new(Connections { readers: Pool::new(READERS), writer: Pool::new(1) });
        let inherited_by_none: Weak<Connections> = Arc::downgrade(&connections);
        let store = Self { path: absolute, connections };
        Call::begin(deadline).ok_or_else(|| store.late("opening"))?.close_before_forks(inherited_by_none);
        store.call(&store.connections.writer, "opening", deadline, |_| Ok(()))?;
        Ok(store)
    }

    fn read<T>(
        &self,
        doing: &str,
        deadline: Instant,
        work: impl Fn(&Connection) -> rusqlite::Result<T>,
    ) -> Result<T, StoreError> {
        self.call(&self.connections.readers, doing, deadline, |connection| work(connection))
    }

    fn write<T>(
        &self,
        doing: &str,
        deadline: Instant,
        work: impl Fn(&Transaction<'_>) -> rusqlite::Result<T>,
    ) -> Result<T, StoreError> {
        self.call(&self.connections.writer, doing, deadline, |connection| {
            let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
            let done = work(&transaction)?;
            transaction.commit()?;
            Ok(done)
        })
    }

    /// Lets a connection do the work, again and again as long as others are in the way.
    fn call<T>(
        &self,
        pool: &Pool<Connection>,
        doing: &str,
        deadline: Instant,
        work: impl Fn(&mut Connection) -> rusqlite::Result<T>,
    ) -> Result<T, StoreError> {
        let mut pause = FIRST_PAUSE;
        loop {
            match self.attempt(pool, deadline, &work).ok_or_else(|| self.late(doing))? {
                Err(trouble) if !trouble.passes() => return Err(self.error(doing, &trouble.to_string())),
                Err(_) if Instant::now() + pause >= deadline => return Err(self.late(doing)),
                // Not a sleep, which signals that keep coming (as Ruby sends to a thread that waits) make endless.
                Err(_) => park_timeout(pause),
                Ok(done) => return Ok(done),
            }
            pause = LAST_PAUSE.min(2 * pause);
        }
    }

    /// `None` if it is too late to begin.
    fn attempt<T>(
        &self,
        pool: &Pool<Connection>,
        deadline: Instant,
        work: impl Fn(&mut Connection) -> rusqlite::Result<T>,
    ) -> Option<Result<T, Trouble>> {
        let _call = Call::begin(deadline)?;
        let mut loan = pool.borrow(deadline)?;
        if Instant::now() >= deadline {
            return None;
        }
        let mut connection = match loan.thing.take().map_or_else(|| database::open(&self.path), Ok) {
            Ok(connection) => connection,
            Err(trouble) => return Some(Err(trouble)),
        };
        let outcome = work(&mut connection).map_err(Trouble::from);
        if outcome.as_ref().map_or_else(Trouble::passes, |_| true) {
            loan.thing = Some(connection);
        }
        Some(outcome)
    }

    fn late(&self, doing: &str) -> StoreError {
        self.error(doing, "the time limit passed while others were using it")
    }

    fn error(&self, doing: &str, reason: &str) -> StoreError {
        StoreError(format!("the SQLite store {}: {doing}: {reason}", self.path.display()))
    }
}

impl Store for Sqlite {
    fn load(&self, key: &str, deadline: Instant) -> Result<Option<Record>, StoreError> {
        self.read("loading a record", deadline, |connection| {
            let mut statement = connection.prepare_cached(LOAD)?;
            let record = |row: &rusqlite::Row<'_>| {
                Ok(Record {
                    generation: row.get::<_, i64>(0)?.cast_unsigned(),
                    data: row.get::<_, Vec<u8>>(1)?.into(),
                    left: None,
                })
            };
            statement.query_row((key, now()), record).optional()
        })
    }

    fn save(
        &self,
        key: &str,
        expected: u64,
        record: &Record,
        ttl: Option<Duration>,
        deadline: Instant,
    ) -> Result<Saved, StoreError> {
        self.write("saving a record", deadline, |transaction| {
            let (now, generation) = (now(), record.generation.cast_signed());
            let changed = if expected == 0 {
                let values = (key, generation, expiry(now, ttl), &**record.data, now);
                transaction.prepare_cached(INSERT)?.execute(values)?
            } else {
                let values = (key, generation, expiry(now, ttl), &**record.data, now, expected.cast_signed());
                transaction.prepare_cached(REPLACE)?.execute(values)?
            };
            if changed == 1 {
                transaction.prepare_cached(SWEEP)?.execute([now])?;
                return Ok(Saved::Yes);
            }
            let exists = transaction.prepare_cached(EXISTS)?.query_row((key, now), |row| row.get(0))?;
            Ok(if exists { Saved::Conflict } else { Saved::Gone })
        })
    }

    fn touch(&self, key: &str, record: &Record, ttl: Option<Duration>, deadline: Instant) -> Result<(), StoreError> {
        self.write("touching a record", deadline, |transaction| {
            let now = now();
            let values = (key, record.generation.cast_signed(), expiry(now, ttl), &**record.data, now);
            transaction.prepare_cached(TOUCH)?.execute(values).map(drop)
        })
    }

    fn delete(&self, key: &str, deadline: Instant) -> Result<(), StoreError> {
        self.write("deleting a record", deadline, |transaction| {
            transaction.prepare_cached(DELETE)?.execute([key]).map(drop)
        })
    }

    fn enlist(&self, subject: &str, key: &str, ttl: Option<Duration>, deadline: Instant) -> Result<(), StoreError> {
        self.write("enlisting a key", deadline, |transaction| {
            let now = now();
            transaction.prepare_cached(ENLIST)?.execute((subject, key, expiry(now, ttl)))?;
            transaction.prepare_cached(SWEEP_SUBJECTS)?.execute([now]).map(drop)
        })
    }

    fn delist(&self, subject: &str, key: &str, deadline: Instant) -> Result<(), StoreError> {
        self.write("delisting a key", deadline, |transaction| {
            transaction.prepare_cached(DELIST)?.execute([subject, key]).map(drop)
        })
    }

    fn list(&self, subject: &str, deadline: Instant) -> Result<Vec<String>, StoreError> {
        self.read("listing keys", deadline, |connection| {
            let mut statement = connection.prepare_cached(LIST)?;
            statement.query_map((subject, now()), |row| row.get(0))?.collect()
        })
    }
}

impl fork::Close for Connections {
    fn close(&self) {
        self.readers.clear();
        self.writer.clear();
    }
}

/// Closing takes SQLite's locks, so it is a call too.
impl Drop for Sqlite {
    fn drop(&mut self) {
        let _call = Call::begin(Instant::now() + Duration::from_secs(1));
        fork::Close::close(&*self.connections);
    }
}

/// In milliseconds since 1970.
fn now() -> i64 {
    let elapsed = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    milliseconds(elapsed)
}

fn expiry(now: i64, ttl: Option<Duration>) -> Option<i64> {
    ttl.map(|ttl| now.saturating_add(milliseconds(ttl)))
}

fn milliseconds(duration: Duration) -> i64 {
    i64::try_from(duration.as_millis()).unwrap_or(i64::MAX)
}
