//! The connections of this process to a database file.

#[cfg(unix)]
use std::fs::{File, TryLockError};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, Weak};

use rusqlite::Connection;

use super::database::{self, DatabaseError};
use super::files::{Files, Folder};
use super::pool::Pool;
use crate::sys::fork::{Call, Close};
use crate::sys::lock;

/// How many threads of a process can read at the same time.
const READERS: usize = 8;

/// The connections to every file that a store of this process uses.
static ALL: Mutex<Vec<Weak<Connections>>> = Mutex::new(Vec::new());

/// The connections to a file, shared by all stores that use it. They are closed before a fork.
///
/// All connections must have the same three files open. SQLite shares the index of the log among a process's
/// connections to a file, so a connection that had another log open would destroy the database.
pub(super) struct Connections {
    pub path: PathBuf,
    pub readers: Pool<Database>,
    /// A single connection, so that the threads of a process take turns.
    pub writer: Pool<Database>,
    /// The files that the connections have open, or that the last connection had open.
    files: Mutex<Option<Arc<Files>>>,
}

/// A connection to the files of a database.
pub(super) struct Database {
    pub connection: Connection,
    files: Arc<Files>,
    /// The folder of the files at the last check, if the files were current then.
    pub folder: Option<Folder>,
}

impl Connections {
    /// The connections to the file with an absolute path.
    pub fn to(path: &Path, call: &Call) -> Arc<Self> {
        let mut all = lock(&ALL);
        if let Some(connections) = all.iter().filter_map(Weak::upgrade).find(|connections| connections.path == path) {
            return connections;
        }
        let (readers, writer) = (Pool::new(READERS), Pool::new(1));
        let connections = Arc::new(Self { path: path.to_owned(), readers, writer, files: Mutex::default() });
        let weak: Weak<Self> = Arc::downgrade(&connections);
        all.retain(|other| other.strong_count() > 0);
        all.push(weak.clone());
        call.close_before_forks(weak);
        connections
    }

    /// Opens another connection, and creates the file if it is missing. If the files are no longer those that the other
    /// connections have open, closes the other connections first.
    pub fn open(&self) -> Result<Database, DatabaseError> {
        let mut known = lock(&self.files);
        let found = Files::of(&self.path);
        let is_replaced = known.as_deref().is_some_and(|files| *files != found);
        if is_replaced {
            self.close();
            // Connections in use notice the change before their next call.
            if known.as_ref().is_some_and(|files| Arc::strong_count(files) > 1) {
                return Err(DatabaseError::Replaced);
            }
        }
        if is_replaced || !found.have_a_database() {
            let _lock = lock_folder(&self.path)?;
            Files::of(&self.path).remove_leftovers(known.as_deref())?;
            database::create(&self.path)?;
        }
        let before = Files::of(&self.path);
        let outcome = database::open(&self.path);
        let opened = Files::of(&self.path);
        if opened.lack_one_of(&before) {
            return Err(DatabaseError::Replaced);
        }
        let connection = outcome?;
        let files = match known.as_ref().filter(|_| !is_replaced) {
            Some(files) if **files == opened => Arc::clone(files),
            None if opened.are_all_there() => Arc::new(opened),
            _ => return Err(DatabaseError::Replaced),
        };
        let mut database = Database { connection, files, folder: None };
        if !database.is_current()? {
            return Err(DatabaseError::Replaced);
        }
        *known = Some(Arc::clone(&database.files));
        Ok(database)
    }
}

/// Prevents other processes from creating a database in the same folder until the returned file is closed. Otherwise a
/// process could remove the log that another process has just created.
#[cfg(unix)]
fn lock_folder(database: &Path) -> Result<File, DatabaseError> {
    let folder = File::open(database.parent().unwrap_or(database))?;
    match folder.try_lock() {
        Ok(()) => Ok(folder),
        Err(TryLockError::WouldBlock) => Err(DatabaseError::Replaced),
        Err(TryLockError::Error(error)) => Err(error.into()),
    }
}

/// Locks nothing: on this system an open file cannot be removed.
#[cfg(not(unix))]
fn lock_folder(_: &Path) -> Result<(), DatabaseError> {
    Ok(())
}

impl Close for Connections {
    fn close(&self) {
        self.readers.clear();
        self.writer.clear();
    }
}

impl Database {
    /// True if the open files are still the files with their names. If the folder has not changed, this does not look
    /// at the files, which would take three times as long.
    pub fn is_current(&mut self) -> Result<bool, DatabaseError> {
        let folder = self.files.folder();
        if folder.is_some() && folder == self.folder {
            return Ok(true);
        }
        let is_current = !has_moved(&self.connection)? && self.files.have_their_log();
        self.folder = folder.filter(|folder| is_current && folder.has_settled());
        Ok(is_current)
    }
}

#[cfg(unix)]
fn has_moved(connection: &Connection) -> rusqlite::Result<bool> {
    let mut has_moved = 0;
    connection.file_control(rusqlite::DEFAULT_NAME, rusqlite::FileControl::HasMoved(&mut has_moved))?;
    Ok(has_moved != 0)
}

/// Always false: on this system an open file cannot be moved.
#[cfg(not(unix))]
fn has_moved(_: &Connection) -> rusqlite::Result<bool> {
    Ok(false)
}
