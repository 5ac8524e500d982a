//! Opens a database, and checks that this store created it.

use std::fs::OpenOptions;
use std::io::ErrorKind;
use std::path::Path;
use std::time::Duration;

use rusqlite::config::DbConfig;
use rusqlite::hooks::Wal;
use rusqlite::wal::CheckpointMode;
use rusqlite::{Connection, ErrorCode, OpenFlags, Transaction, TransactionBehavior};

/// The application id of this store's databases: `khfu` in ASCII.
const APPLICATION: i32 = 0x6b68_6675;
/// The version of the table's layout. Version 1 was never released.
const VERSION: i32 = 2;

const TABLE: &str = include_str!("sql/table.sql");
const DROP_LAYOUT_1: &str = include_str!("sql/drop_layout_1.sql");

/// The length of the log, in pages, at which it is written back to the database.
const LOG_PAGES: i32 = 1000;
/// A log that has grown beyond this size, because of a large record, is truncated.
const LOG_BYTES: i64 = 16 << 20;

/// The reason why a database could not be used.
#[derive(Debug, thiserror::Error)]
pub(super) enum DatabaseError {
    #[error("{0}")]
    Sqlite(#[from] rusqlite::Error),
    #[error("{0}")]
    File(#[from] std::io::Error),
    #[error("the file is the database of another application")]
    Foreign,
    #[error("a newer version of khufu made it (layout {0}; this version needs layout {VERSION})")]
    Newer(i32),
    #[error("the file is read-only")]
    ReadOnly,
    #[error("its files were being removed or replaced")]
    Replaced,
    #[error("its file was removed or replaced during the save, so the saved record may be lost")]
    Lost,
    #[error("its file system does not support a write-ahead log (the journal mode stays {0})")]
    NoLog(String),
}

impl DatabaseError {
    /// True if a temporary condition prevented the call and nothing was done, so that it can be repeated.
    pub fn is_temporary(&self) -> bool {
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

/// Opens a database, and creates its table if the database is empty.
///
/// The connection does not wait while other connections use the database. Instead its calls fail at once with an error
/// that [`is_temporary`](DatabaseError::is_temporary).
pub(super) fn open(path: &Path) -> Result<Connection, DatabaseError> {
    let mut connection =
        Connection::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX)?;
    connection.busy_timeout(Duration::ZERO)?;
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, true)?;
    if connection.is_readonly(rusqlite::MAIN_DB)? {
        return Err(DatabaseError::ReadOnly);
    }
    check(&connection.transaction()?)?;
    let mode: String = connection.pragma_update_and_check(None, "journal_mode", "wal", |row| row.get(0))?;
    if mode != "wal" {
        return Err(DatabaseError::NoLog(mode));
    }
    connection.pragma_update(None, "synchronous", "normal")?;
    connection.pragma_update_and_check(None, "journal_size_limit", LOG_BYTES, |_| Ok(()))?;
    connection.wal_hook(Some(write_back))?;
    // This also opens the log, if it was not open before.
    if check(&connection.transaction()?)? != Found::Table {
        create_table(&mut connection)?;
    }
    Ok(connection)
}

/// Writes the log back to the database when it is long. Other writers wait meanwhile. SQLite's own automatic
/// checkpoints let them continue, so that under load it would never reach the end of the log, which would grow without
/// limit.
fn write_back(log: &mut Wal, pages: i32) -> rusqlite::Result<()> {
    if pages >= LOG_PAGES {
        // If this fails because other connections use the database, the next commit tries again.
        let _ = log.checkpoint_v2(CheckpointMode::RESTART);
    }
    Ok(())
}

/// Creates an empty file that only its owner can read, if there is no file. SQLite gives its other files the same
/// permissions.
pub(super) fn create(path: &Path) -> Result<(), DatabaseError> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    match options.open(path) {
        Err(error) if error.kind() != ErrorKind::AlreadyExists => Err(error.into()),
        _ => Ok(()),
    }
}

/// Creates the table, unless another connection has created it meanwhile.
fn create_table(connection: &mut Connection) -> Result<(), DatabaseError> {
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    match check(&transaction)? {
        Found::Table => return Ok(()),
        Found::TablesOf1 => transaction.execute_batch(DROP_LAYOUT_1)?,
        Found::Nothing => {}
    }
    transaction.execute_batch(TABLE)?;
    transaction.pragma_update(None, "application_id", APPLICATION)?;
    transaction.pragma_update(None, "user_version", VERSION)?;
    Ok(transaction.commit()?)
}

/// The contents of a database that this store can use.
#[derive(PartialEq, Eq)]
enum Found {
    Table,
    /// The tables of layout version 1.
    TablesOf1,
    Nothing,
}

fn check(transaction: &Transaction<'_>) -> Result<Found, DatabaseError> {
    let number = |name| transaction.pragma_query_value(None, name, |row| row.get(0));
    let tables: u32 = transaction.query_row("SELECT count(*) FROM sqlite_schema", (), |row| row.get(0))?;
    match (number("application_id")?, number("user_version")?) {
        (APPLICATION, VERSION) => Ok(Found::Table),
        (APPLICATION, 1) => Ok(Found::TablesOf1),
        (APPLICATION, version) => Err(DatabaseError::Newer(version)),
        (0, 0) if tables == 0 => Ok(Found::Nothing),
        _ => Err(DatabaseError::Foreign),
    }
}
