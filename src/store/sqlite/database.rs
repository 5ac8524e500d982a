//! Opens a database, and checks that it is one of this store's.

use std::fs::OpenOptions;
use std::io::ErrorKind;
use std::path::Path;
use std::time::Duration;

use rusqlite::config::DbConfig;
use rusqlite::hooks::Wal;
use rusqlite::wal::CheckpointMode;
use rusqlite::{Connection, ErrorCode, OpenFlags, Transaction, TransactionBehavior};

/// `khfu`, the mark of a database of this store.
const APPLICATION: i32 = 0x6b68_6675;
/// The number of the table's layout. 1 was never released.
const VERSION: i32 = 2;

/// The header says whose a record is and when it was used; the columns are copies of that, to find it by. An index of
/// the rows that expire lets a save find those that have without looking at others.
const TABLE: &str = "
    CREATE TABLE khufu_sessions (
        key TEXT NOT NULL PRIMARY KEY,
        generation INTEGER NOT NULL,
        expires INTEGER, -- milliseconds since 1970
        subject BLOB,
        accessed INTEGER NOT NULL, -- microseconds since 1970
        header BLOB NOT NULL,
        data BLOB NOT NULL
    ) STRICT;
    CREATE INDEX khufu_sessions_by_expiry ON khufu_sessions (expires) WHERE expires IS NOT NULL;
    CREATE INDEX khufu_sessions_by_subject ON khufu_sessions (subject) WHERE subject IS NOT NULL;
";
const DROP_TABLES_1: &str = "DROP TABLE IF EXISTS records; DROP TABLE IF EXISTS subjects;";

/// The pages in the log from which on it is written back to the database.
const LOG_PAGES: i32 = 1000;
/// A log that grew beyond this, for a large record, is cut back.
const LOG_BYTES: i64 = 16 << 20;

/// Why a database could not be used.
#[derive(Debug, thiserror::Error)]
pub(super) enum Trouble {
    #[error("{0}")]
    Sqlite(#[from] rusqlite::Error),
    #[error("{0}")]
    File(#[from] std::io::Error),
    #[error("it is the database of something else")]
    Foreign,
    #[error("its layout is {0}, which a newer version of khufu made; this one knows {VERSION}")]
    Newer(i32),
    #[error("it may not be written to")]
    ReadOnly,
    #[error("its files were being removed or replaced")]
    Replaced,
    #[error("its file was removed or replaced during the save, so what was saved may be lost")]
    Lost,
    #[error("its file system cannot keep a write-ahead log (the journal mode stays {0})")]
    NoLog(String),
}

impl Trouble {
    /// Whether nothing was done because something was in the way that passes, so that the call can be made again.
    pub fn passes(&self) -> bool {
        match self {
            Self::Sqlite(error) => matches!(
                error.sqlite_error_code(),
                Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked | ErrorCode::FileLockingProtocolFailed)
            ),
            Self::Replaced => true,
            _ => false,
        }
    }
}

/// Opens a database, and makes its table if it is empty.
///
/// Its connections do not wait for others: their calls fail at once with a trouble that [`passes`](Trouble::passes).
pub(super) fn open(path: &Path) -> Result<Connection, Trouble> {
    let mut connection =
        Connection::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX)?;
    connection.busy_timeout(Duration::ZERO)?;
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, true)?;
    if connection.is_readonly(rusqlite::MAIN_DB)? {
        return Err(Trouble::ReadOnly);
    }
    check(&connection.transaction()?)?;
    let mode: String = connection.pragma_update_and_check(None, "journal_mode", "wal", |row| row.get(0))?;
    if mode != "wal" {
        return Err(Trouble::NoLog(mode));
    }
    connection.pragma_update(None, "synchronous", "normal")?;
    connection.pragma_update_and_check(None, "journal_size_limit", LOG_BYTES, |_| Ok(()))?;
    connection.wal_hook(Some(write_back))?;
    // This also opens the log, if it was not open before.
    if check(&connection.transaction()?)? != Found::Table {
        make(&mut connection)?;
    }
    Ok(connection)
}

/// Other writers wait meanwhile. SQLite's own way lets them write on, so that under load it never comes to the end of
/// the log, which then grows and grows.
fn write_back(log: &mut Wal, pages: i32) -> rusqlite::Result<()> {
    if pages >= LOG_PAGES {
        // If it fails because others are in the way, the next commit tries again.
        let _ = log.checkpoint_v2(CheckpointMode::RESTART);
    }
    Ok(())
}

/// Makes an empty file, for the eyes of its owner alone, if none is there. SQLite's other files get the permissions of this one.
pub(super) fn create(path: &Path) -> Result<(), Trouble> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    match options.open(path) {
        Err(error) if error.kind() != ErrorKind::AlreadyExists => Err(error.into()),
        _ => Ok(()),
    }
}

fn make(connection: &mut Connection) -> Result<(), Trouble> {
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    match check(&transaction)? {
        Found::Table => return Ok(()),
        Found::TablesOf1 => transaction.execute_batch(DROP_TABLES_1)?,
        Found::Nothing => {}
    }
    transaction.execute_batch(TABLE)?;
    transaction.pragma_update(None, "application_id", APPLICATION)?;
    transaction.pragma_update(None, "user_version", VERSION)?;
    Ok(transaction.commit()?)
}

/// What is in a database.
#[derive(PartialEq, Eq)]
enum Found {
    Table,
    TablesOf1,
    Nothing,
}

fn check(transaction: &Transaction<'_>) -> Result<Found, Trouble> {
    let number = |name| transaction.pragma_query_value(None, name, |row| row.get(0));
    let tables: u32 = transaction.query_row("SELECT count(*) FROM sqlite_schema", (), |row| row.get(0))?;
    match (number("application_id")?, number("user_version")?) {
        (APPLICATION, VERSION) => Ok(Found::Table),
        (APPLICATION, 1) => Ok(Found::TablesOf1),
        (APPLICATION, version) => Err(Trouble::Newer(version)),
        (0, 0) if tables == 0 => Ok(Found::Nothing),
        _ => Err(Trouble::Foreign),
    }
}
