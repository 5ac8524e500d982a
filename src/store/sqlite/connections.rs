//! The connections of this process to one file.

#[cfg(unix)]
use std::fs::{File, TryLockError};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError, Weak};

use rusqlite::Connection;

use super::database::{self, Trouble};
use super::files::{Files, Folder};
use super::pool::Pool;
use crate::fork::{Call, Close};

/// How many threads of a process read at once.
const READERS: usize = 8;

/// Those of every file that a store of this process uses.
static ALL: Mutex<Vec<Weak<Connections>>> = Mutex::new(Vec::new());

/// The connections to a file, for all stores that use it: none crosses a fork.
///
/// All of them have the same three files open. SQLite shares a log's index among a process's connections to a file, so
/// that one with another log would destroy the database.
pub(super) struct Connections {
    pub path: PathBuf,
    pub readers: Pool<Database>,
    /// One, for the threads of a process to take turns.
    pub writer: Pool<Database>,
    /// The files that the connections have open, or had last.
    files: Mutex<Option<Arc<Files>>>,
}

/// A connection to the files of a database.
pub(super) struct Database {
    pub connection: Connection,
    files: Arc<Files>,
    /// Their folder as it was when they were found to be current.
    pub folder: Option<Folder>,
}

impl Connections {
    /// Those to the file of an absolute path.
    pub fn to(path: &Path, call: &Call) -> Arc<Self> {
        let mut all = ALL.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(connections) = all.iter().filter_map(Weak::upgrade).find(|connections| connections.path == path) {
            return connections;
        }
        let (readers, writer) = (Pool::new(READERS), Pool::new(1));
        let connections = Arc::new(Self { path: path.to_owned(), readers, writer, files: Mutex::default() });
        let inherited_by_none: Weak<Self> = Arc::downgrade(&connections);
        all.retain(|other| other.strong_count() > 0);
        all.push(inherited_by_none.clone());
        call.close_before_forks(inherited_by_none);
        connections
    }

    /// Opens one more, and makes the file if it is not there. If the files are no longer those that the other connections
    /// have open, the others are closed first.
    pub fn open(&self) -> Result<Database, Trouble> {
        let mut known = self.files.lock().unwrap_or_else(PoisonError::into_inner);
        let found = Files::of(&self.path);
        let is_replaced = known.as_deref().is_some_and(|files| *files != found);
        if is_replaced {
            self.close();
            // Those that are at work notice it before their next call.
            if known.as_ref().is_some_and(|files| Arc::strong_count(files) > 1) {
                return Err(Trouble::Replaced);
            }
        }
        if is_replaced || !found.have_a_database() {
            let _alone = alone(&self.path)?;
            Files::of(&self.path).remove_leftovers(known.as_deref())?;
            database::create(&self.path)?;
        }
        let before = Files::of(&self.path);
        let outcome = database::open(&self.path);
        let opened = Files::of(&self.path);
        if opened.lack_one_of(&before) {
            return Err(Trouble::Replaced);
        }
        let connection = outcome?;
        let files = match known.as_ref().filter(|_| !is_replaced) {
            Some(files) if **files == opened => Arc::clone(files),
            None if opened.are_all_there() => Arc::new(opened),
            _ => return Err(Trouble::Replaced),
        };
        let mut database = Database { connection, files, folder: None };
        if !database.is_current()? {
            return Err(Trouble::Replaced);
        }
        *known = Some(Arc::clone(&database.files));
        Ok(database)
    }
}

/// Keeps other processes from making a database in the same folder as long as what it returns: one must not remove the log
/// that another has just begun.
#[cfg(unix)]
fn alone(database: &Path) -> Result<File, Trouble> {
    let folder = File::open(database.parent().unwrap_or(database))?;
    match folder.try_lock() {
        Ok(()) => Ok(folder),
        Err(TryLockError::WouldBlock) => Err(Trouble::Replaced),
        Err(TryLockError::Error(error)) => Err(error.into()),
    }
}

/// A file that is open is not removed there.
#[cfg(not(unix))]
fn alone(_: &Path) -> Result<(), Trouble> {
    Ok(())
}

impl Close for Connections {
    fn close(&self) {
        self.readers.clear();
        self.writer.clear();
    }
}

impl Database {
    /// Whether its files are still the ones that their names stand for. To look at a folder that has not changed costs a
    /// third of looking at the files.
    pub fn is_current(&mut self) -> Result<bool, Trouble> {
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

/// A file that is open is not moved there.
#[cfg(not(unix))]
fn has_moved(_: &Connection) -> rusqlite::Result<bool> {
    Ok(false)
}
