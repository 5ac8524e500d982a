//! The three files of a database: the database itself, its write-ahead log, and the log's index.
//!
//! SQLite keeps them open. If one of them is removed or replaced, a connection continues to use the file that it has
//! open, and whatever it writes there is lost.

use std::fs;
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// Identifies a file independently of its name. Files that exist at the same time have different identities.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Identity {
    #[cfg(unix)]
    inode: (u64, u64),
    created: Option<SystemTime>,
}

/// The paths and identities of the three files: the database, its log, and the log's index. Each belongs to the files
/// before it.
#[derive(PartialEq, Eq)]
pub(super) struct Files {
    paths: [PathBuf; 3],
    identities: [Option<Identity>; 3],
}

impl Files {
    /// The files that exist now.
    pub fn of(database: &Path) -> Self {
        // SQLite follows a symbolic link, and puts the other files next to the link's target.
        let path = fs::canonicalize(database).unwrap_or_else(|_| database.to_owned());
        let beside = |suffix| {
            let mut name = path.clone().into_os_string();
            name.push(suffix);
            PathBuf::from(name)
        };
        let paths = ["", "-wal", "-shm"].map(beside);
        let identities = paths.each_ref().map(|path| identity(path));
        Self { paths, identities }
    }

    pub fn have_a_database(&self) -> bool {
        self.identities[0].is_some()
    }

    pub fn are_all_there(&self) -> bool {
        self.identities.iter().all(Option::is_some)
    }

    /// True if one of the files of `before` has been removed or replaced.
    pub fn lack_one_of(&self, before: &Self) -> bool {
        let both = self.identities.iter().zip(&before.identities);
        both.into_iter().any(|(now, before)| before.is_some() && now != before)
    }

    /// The folder of the files, if the system reports when a folder changes. Removing or replacing one of the files
    /// changes the folder.
    #[cfg(unix)]
    pub fn folder(&self) -> Option<Folder> {
        use std::os::unix::fs::MetadataExt;
        let metadata = fs::metadata(self.paths[0].parent()?).ok()?;
        let changed = Duration::new(metadata.ctime().try_into().ok()?, metadata.ctime_nsec().try_into().ok()?);
        Some(Folder { inode: inode(&metadata), changed })
    }

    #[cfg(not(unix))]
    pub fn folder(&self) -> Option<Folder> {
        None
    }

    /// True if the log and its index have not been removed or replaced.
    pub fn have_their_log(&self) -> bool {
        (1..3).all(|file| identity(&self.paths[file]) == self.identities[file])
    }

    /// Removes a log and an index that belong to a database file which no longer exists, because SQLite would apply
    /// them to the new file. `before` are the files that this process had open.
    pub fn remove_leftovers(&self, before: Option<&Self>) -> io::Result<()> {
        let is_left = |file: usize| {
            let stayed = |before: &Self| self.identities[file] == before.identities[file];
            let lost_another = |before: &Self| self.identities[..file] != before.identities[..file];
            self.identities[0].is_none() || before.is_some_and(|before| stayed(before) && lost_another(before))
        };
        for file in (1..3).filter(|file| self.identities[*file].is_some() && is_left(*file)) {
            match fs::remove_file(&self.paths[file]) {
                Err(error) if error.kind() != ErrorKind::NotFound => return Err(error),
                _ => {}
            }
        }
        Ok(())
    }
}

/// A folder and the time of its last change.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) struct Folder {
    inode: (u64, u64),
    changed: Duration,
}

impl Folder {
    /// True if the last change is old enough that the next one will get another time. The clock of a file system may be
    /// coarse, so that two quick changes get the same time.
    pub fn has_settled(&self) -> bool {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        now.saturating_sub(self.changed) > Duration::from_secs(1)
    }
}

/// Finds the identity of a file by its name. Opening and closing the file would drop SQLite's locks on it.
fn identity(path: &Path) -> Option<Identity> {
    fs::metadata(path).ok().map(|metadata| Identity {
        #[cfg(unix)]
        inode: inode(&metadata),
        created: metadata.created().ok(),
    })
}

#[cfg(unix)]
fn inode(metadata: &fs::Metadata) -> (u64, u64) {
    use std::os::unix::fs::MetadataExt;
    (metadata.dev(), metadata.ino())
}
