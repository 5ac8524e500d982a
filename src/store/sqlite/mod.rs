//! The store `sqlite:`, which keeps records in a file that several processes can use at the same time.
//!
//! Completed writes survive when the process is killed. If the machine loses power, the file stays intact, but the last
//! writes before that may be undone: records may be missing, and removed records may be back. To prevent this, every
//! write would have to wait for the disk.
//!
//! Other software in the same process must not open the file: the system drops a process's locks on a file when any
//! descriptor of the file is closed.

mod connections;
mod database;
mod files;
mod pool;
#[cfg(test)]
mod tests;

use std::sync::Arc;
use std::thread::park_timeout;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use rusqlite::{Connection, OptionalExtension, Row, ToSql, Transaction, TransactionBehavior, params_from_iter};

use self::connections::{Connections, Database};
use self::database::DatabaseError;
use self::pool::{Loan, Pool};
use crate::store::{Driver, Record, Saved, StoreError, SubjectName, Write};
use crate::sys::fork::{Call, Close};
use crate::sys::wiped::WipedBytes;

/// The first and the longest pause of a call that waits for another process to finish writing.
const FIRST_PAUSE: Duration = Duration::from_micros(50);
const LAST_PAUSE: Duration = Duration::from_micros(500);

const LOAD: &str = include_str!("sql/load.sql");
const INSERT: &str = include_str!("sql/insert.sql");
const REPLACE: &str = include_str!("sql/replace.sql");
const REMOVE: &str = include_str!("sql/remove.sql");
const HAS_EXPIRED: &str = include_str!("sql/has_expired.sql");
const EXISTS: &str = include_str!("sql/exists.sql");
const SWEEP: &str = include_str!("sql/sweep.sql");
const MEMBERS: &str = include_str!("sql/members.sql");
const REVOKE: &str = include_str!("sql/revoke.sql");

/// True for SQLite's name of a database in memory, and for its URIs. This store would create files with these names.
pub(super) fn is_no_file(path: &str) -> bool {
    path.starts_with("file:") || path.rsplit('/').next() == Some(":memory:")
}

/// A store in a database file.
pub(crate) struct Sqlite {
    connections: Arc<Connections>,
}

/// A call to the database.
struct Task {
    /// A description of the call for error messages.
    doing: &'static str,
    kind: Kind,
    deadline: Instant,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Read,
    /// A write that can safely be repeated.
    Write,
    /// A write that must not be repeated: the second try would take the result of the first for another writer's.
    Save,
}

impl Sqlite {
    /// Opens a database, and creates it if it is missing or empty. Only the owner can read a new file. Its folder must
    /// exist.
    pub fn open(path: &str, deadline: Instant) -> Result<Self, StoreError> {
        let absolute =
            std::path::absolute(path).map_err(|error| StoreError::Failed(format!("the SQLite store: {error}")))?;
        let timed_out =
            || StoreError::Failed(format!("the SQLite store {}: opening: a fork lasted too long", absolute.display()));
        let call = Call::begin(deadline).ok_or_else(timed_out)?;
        let store = Self { connections: Connections::to(&absolute, &call) };
        drop(call);
        store.call(&store.connections.writer, &Task { doing: "opening", kind: Kind::Write, deadline }, |_| Ok(()))?;
        Ok(store)
    }

    fn read<T>(
        &self,
        doing: &'static str,
        deadline: Instant,
        work: impl Fn(&Connection) -> rusqlite::Result<T>,
    ) -> Result<T, StoreError> {
        let task = Task { doing, kind: Kind::Read, deadline };
        self.call(&self.connections.readers, &task, |connection| work(connection))
    }

    fn write<T>(&self, task: &Task, work: impl Fn(&Transaction<'_>) -> rusqlite::Result<T>) -> Result<T, StoreError> {
        self.call(&self.connections.writer, task, |connection| {
            let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
            let done = work(&transaction)?;
            transaction.commit()?;
            Ok(done)
        })
    }

    /// Lets a connection do the work. Repeats it as long as a temporary condition prevents it, until the deadline.
    fn call<T>(
        &self,
        pool: &Pool<Database>,
        task: &Task,
        work: impl Fn(&mut Connection) -> rusqlite::Result<T>,
    ) -> Result<T, StoreError> {
        let timed_out = || self.error(task.doing, "the time limit passed while others were using it");
        let mut pause = FIRST_PAUSE;
        loop {
            let begun = Call::begin(task.deadline).ok_or_else(timed_out)?;
            let mut loan = pool.borrow(task.deadline).ok_or_else(timed_out)?;
            if Instant::now() >= task.deadline {
                return Err(timed_out());
            }
            match self.attempt(&mut loan, task.kind, &work) {
                Err(error) if !error.is_temporary() => return Err(self.error(task.doing, &error.to_string())),
                Err(_) if Instant::now() + pause >= task.deadline => return Err(timed_out()),
                Err(_) => {}
                Ok(done) => return Ok(done),
            }
            drop((loan, begun));
            // A sleep would never end if signals kept interrupting it, as Ruby's do for a waiting thread.
            park_timeout(pause);
            pause = LAST_PAUSE.min(2 * pause);
        }
    }

    /// Lets a connection do the work. If the connection's files were removed or replaced, closes the connection and
    /// does not report its error.
    fn attempt<T>(
        &self,
        loan: &mut Loan<'_, Database>,
        kind: Kind,
        work: impl Fn(&mut Connection) -> rusqlite::Result<T>,
    ) -> Result<T, DatabaseError> {
        let is_current = loan.item.as_mut().map_or(Ok(false), Database::is_current)?;
        let mut database = match loan.item.take().filter(|_| is_current) {
            Some(database) => database,
            None => self.connections.open()?,
        };
        let outcome = work(&mut database.connection).map_err(DatabaseError::from);
        let is_certain = match &outcome {
            Ok(_) => kind == Kind::Read,
            Err(error) => error.is_temporary(),
        };
        if is_certain || database.is_current()? {
            if outcome.as_ref().map_or_else(DatabaseError::is_temporary, |_| true) {
                loan.item = Some(database);
            }
            return outcome;
        }
        match kind {
            Kind::Save => Err(DatabaseError::Lost),
            Kind::Read | Kind::Write => Err(DatabaseError::Replaced),
        }
    }

    fn error(&self, doing: &str, reason: &str) -> StoreError {
        StoreError::Failed(format!("the SQLite store {}: {doing}: {reason}", self.connections.path.display()))
    }
}

impl Driver for Sqlite {
    fn load(&self, key: &str, deadline: Instant) -> Result<Option<Record>, StoreError> {
        self.read("loading a record", deadline, |connection| {
            connection.prepare_cached(LOAD)?.query_row((key, now()), record).optional()
        })
    }

    fn has_expired(&self, key: &str, deadline: Instant) -> Result<bool, StoreError> {
        self.read("looking for an expired record", deadline, |connection| {
            connection.prepare_cached(HAS_EXPIRED)?.query_row((key, now()), |row| row.get(0))
        })
    }

    fn save(&self, key: &str, expected: u64, write: &Write<'_>) -> Result<Saved, StoreError> {
        let task = Task { doing: "saving a record", kind: Kind::Save, deadline: write.deadline };
        self.write(&task, |transaction| {
            let saved = put(transaction, key, expected, write)?;
            if saved == Saved::Yes {
                transaction.prepare_cached(SWEEP)?.execute([now()])?;
            }
            Ok(saved)
        })
    }

    fn touch(&self, key: &str, write: &Write<'_>) -> Result<Saved, StoreError> {
        let task = Task { doing: "touching a record", kind: Kind::Write, deadline: write.deadline };
        self.write(&task, |transaction| put(transaction, key, write.generation, write))
    }

    fn remove(
        &self,
        key: &str,
        expected: u64,
        _subject: Option<SubjectName>,
        deadline: Instant,
    ) -> Result<Saved, StoreError> {
        self.write(&Task { doing: "removing a record", kind: Kind::Write, deadline }, |transaction| {
            let now = now();
            let removed = transaction.prepare_cached(REMOVE)?.execute((key, now, expected.cast_signed()))?;
            outcome(transaction, removed, key, now)
        })
    }

    fn keeps_subjects(&self) -> bool {
        true
    }

    fn members(&self, subjects: &[SubjectName], deadline: Instant) -> Result<Vec<String>, StoreError> {
        let statement = for_subjects(MEMBERS, "?2", subjects.len());
        self.read("listing a subject's records", deadline, |connection| {
            let now = now();
            let names = subjects.iter().map(|subject| &subject.0 as &dyn ToSql);
            let values = [&now as &dyn ToSql].into_iter().chain(names);
            connection.prepare_cached(&statement)?.query_map(params_from_iter(values), |row| row.get(0))?.collect()
        })
    }

    fn revoke(&self, key: &str, subjects: &[SubjectName], deadline: Instant) -> Result<bool, StoreError> {
        let statement = for_subjects(REVOKE, "?3", subjects.len());
        self.write(&Task { doing: "revoking a record", kind: Kind::Write, deadline }, |transaction| {
            let now = now();
            let names = subjects.iter().map(|subject| &subject.0 as &dyn ToSql);
            let values = [&key as &dyn ToSql, &now].into_iter().chain(names);
            Ok(transaction.prepare_cached(&statement)?.execute(params_from_iter(values))? == 1)
        })
    }
}

/// Closes the connections. Closing takes SQLite's locks, so it must not happen during a fork.
impl Drop for Sqlite {
    fn drop(&mut self) {
        let _call = Call::begin(Instant::now() + Duration::from_secs(1));
        self.connections.close();
    }
}

/// The statement for several subjects instead of one, which is its last parameter.
fn for_subjects(statement: &str, last: &str, subjects: usize) -> String {
    statement.replace(last, &vec!["?"; subjects].join(", "))
}

/// Inserts a record, or replaces the one of generation `expected`.
fn put(transaction: &Transaction<'_>, key: &str, expected: u64, write: &Write<'_>) -> rusqlite::Result<Saved> {
    let now = now();
    let (header, data) = write.data.split_at(write.header);
    let subject = write.subject.as_ref().map(|subject| &subject.0);
    let (generation, expected) = (write.generation.cast_signed(), expected.cast_signed());
    let (expires, accessed) = (expiry(now, write.ttl), (write.accessed * 1e6).round() as i64);
    let changed = match expected {
        0 => {
            let values = (key, generation, expires, subject, accessed, header, data, now);
            transaction.prepare_cached(INSERT)?.execute(values)?
        }
        _ => {
            let values = (key, generation, expires, subject, accessed, header, data, now, expected);
            transaction.prepare_cached(REPLACE)?.execute(values)?
        }
    };
    outcome(transaction, changed, key, now)
}

/// Reads a record, and joins its header and its data.
fn record(row: &Row<'_>) -> rusqlite::Result<Record> {
    let (header, data) = (row.get_ref(1)?.as_blob()?, row.get_ref(2)?.as_blob()?);
    let mut bytes = WipedBytes::with_capacity(header.len() + data.len());
    bytes.extend_from_slice(header);
    bytes.extend_from_slice(data);
    Ok(Record { generation: row.get::<_, i64>(0)?.cast_unsigned(), data: bytes, left: None })
}

/// The outcome of a write that changed `changed` rows: either none, or the row of this key.
fn outcome(transaction: &Transaction<'_>, changed: usize, key: &str, now: i64) -> rusqlite::Result<Saved> {
    if changed == 1 {
        return Ok(Saved::Yes);
    }
    let exists = transaction.prepare_cached(EXISTS)?.query_row((key, now), |row| row.get(0))?;
    Ok(if exists { Saved::Conflict } else { Saved::Gone })
}

/// The current time in milliseconds since 1970.
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
