//! Tests with a database whose files are removed or replaced while stores use it.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::SystemTime;

use super::*;

const SUBJECT: SubjectName = SubjectName([7; 32]);
const LONG: Duration = Duration::from_secs(30);

/// A way to remove files from a store that uses them.
type Removal = fn(&Folder);

const REMOVALS: [(&str, Removal); 6] = [
    ("all files", |folder| remove(folder, ["", "-wal", "-shm"])),
    ("all files, the log first", |folder| remove(folder, ["-wal", "-shm", ""])),
    ("the database", |folder| remove(folder, [""])),
    ("the database and its log", |folder| remove(folder, ["", "-wal"])),
    ("the folder", |folder| {
        // Another process may make new files in it meanwhile.
        while fs::remove_dir_all(&folder.0).is_err() {}
        fs::create_dir(&folder.0).unwrap();
    }),
    ("the folder, renamed", |folder| {
        let away = folder.0.with_extension("away");
        fs::rename(&folder.0, &away).unwrap();
        fs::create_dir(&folder.0).unwrap();
        while fs::remove_dir_all(&away).is_err() {}
    }),
];

fn remove<const N: usize>(folder: &Folder, suffixes: [&str; N]) {
    for suffix in suffixes {
        let _ = fs::remove_file(folder.0.join(format!("sessions.db{suffix}")));
    }
}

/// Makes a copy of the database that has no log.
fn back_up(folder: &Folder) {
    let copy = folder.0.join("backup.db");
    let connection = Connection::open(folder.database()).unwrap();
    connection.execute("VACUUM INTO ?1", [copy.to_str().unwrap()]).unwrap();
    drop(connection);
}

fn restore(folder: &Folder) {
    fs::rename(folder.0.join("backup.db"), folder.database()).unwrap();
}

/// The keys and generations in the file that has the database's name now.
fn found(folder: &Folder) -> Vec<(String, i64)> {
    check_integrity(&folder.database());
    let connection = Connection::open(folder.database()).unwrap();
    let mut statement = connection.prepare("SELECT key, generation FROM khufu_sessions ORDER BY key").unwrap();
    statement.query_map((), |row| row.try_into()).unwrap().map(Result::unwrap).collect()
}

/// A store that has opened all its connections, in a folder that has not changed for a second.
fn busy_store(folder: &Folder) -> Sqlite {
    let store = folder.store();
    assert_eq!(save(&store, "old", 0, "data"), Saved::Yes);
    assert_eq!(store.save("subject's", 0, &write(1, &bytes(Some(SUBJECT), ""), None)), Ok(Saved::Yes));
    sleep(Duration::from_millis(1100));
    assert_eq!(store.touch("old", &write(1, &bytes(None, "data"), None)), Ok(Saved::Yes));
    thread::scope(|scope| {
        for _ in 0..16 {
            scope.spawn(|| (0..50).for_each(|_| assert_eq!(load(&store, "old"), Some(record(1, "data")))));
        }
    });
    store
}

#[test]
fn records_saved_after_files_were_removed_are_in_the_new_files() {
    let check = |(removal, remove): (&str, Removal)| {
        let folder = Folder::new();
        let store = busy_store(&folder);
        for round in 0..3 {
            remove(&folder);
            let key = format!("new {round}");
            assert_eq!(save(&store, &key, 0, "data"), Saved::Yes, "{removal}");
            assert_eq!(load(&store, &key), Some(record(1, "data")), "{removal}");
            assert_eq!(save(&store, &key, 1, "more"), Saved::Yes, "{removal}");
            assert_eq!(load(&store, "old"), None, "{removal}");
            assert_eq!(found(&folder), [(key, 2)], "{removal}");
        }
    };
    thread::scope(|scope| {
        for removal in REMOVALS {
            scope.spawn(move || check(removal));
        }
    });
}

#[test]
fn no_call_reads_from_a_file_that_was_removed() {
    let calls: [fn(&Sqlite); 7] = [
        |store| assert_eq!(load(store, "old"), None),
        |store| assert_eq!(save(store, "old", 0, "data"), Saved::Yes),
        |store| assert_eq!(save(store, "old", 1, "data"), Saved::Gone),
        |store| assert_eq!(store.touch("old", &write(1, &bytes(None, "data"), None)), Ok(Saved::Gone)),
        |store| assert_eq!(store.remove("old", 0, None, soon()), Ok(Saved::Gone)),
        |store| assert_eq!(store.members(&[SUBJECT], soon()), Ok(vec![])),
        |store| assert_eq!(store.revoke("subject's", &[SUBJECT], soon()), Ok(false)),
    ];
    let check = |remove: Removal, call: fn(&Sqlite)| {
        let folder = Folder::new();
        let store = busy_store(&folder);
        remove(&folder);
        call(&store);
    };
    thread::scope(|scope| {
        for (_, remove) in REMOVALS {
            for call in calls {
                scope.spawn(move || check(remove, call));
            }
        }
    });
}

#[test]
fn a_backup_that_replaces_the_file_is_read() {
    for removes_log in [false, true] {
        let folder = Folder::new();
        let store = busy_store(&folder);
        back_up(&folder);
        assert_eq!(save(&store, "old", 1, "newer than the backup"), Saved::Yes);
        for round in 0..200 {
            assert_eq!(save(&store, &format!("new {round}"), 0, &"data".repeat(500)), Saved::Yes);
        }
        if removes_log {
            remove(&folder, ["-wal", "-shm"]);
        }
        restore(&folder);
        assert_eq!(load(&store, "old"), Some(record(1, "data")));
        assert_eq!(load(&store, "new 0"), None);
        assert_eq!(save(&store, "old", 2, "of the lost record"), Saved::Conflict);
        assert_eq!(save(&store, "old", 1, "of the backup"), Saved::Yes);
        assert_eq!(found(&folder), [("old".to_owned(), 2), ("subject's".to_owned(), 1)]);
    }
}

#[test]
fn a_new_connection_notices_that_the_files_of_the_others_were_replaced() {
    let folder = Folder::new();
    let store = folder.store();
    assert_eq!(save(&store, "old", 0, "data"), Saved::Yes);
    back_up(&folder);
    assert_eq!(save(&store, "old", 1, "newer"), Saved::Yes);
    restore(&folder);
    assert_eq!(load(&store, "old"), Some(record(1, "data")), "the first connection that reads");
    let other = folder.store();
    assert_eq!(save(&other, "old", 1, "more"), Saved::Yes);
    assert_eq!(load(&store, "old"), Some(record(2, "more")));
    back_up(&folder);
    assert_eq!(save(&store, "old", 2, "newer"), Saved::Yes);
    restore(&folder);
    assert_eq!(load(&folder.store(), "old"), Some(record(2, "more")), "another store");
    assert_eq!(save(&store, "old", 2, "more"), Saved::Yes);
    assert_eq!(found(&folder), [("old".to_owned(), 3)]);
}

#[test]
fn a_log_that_is_removed_does_no_lasting_harm() {
    for suffixes in [&["-wal", "-shm"][..], &["-wal"], &["-shm"]] {
        let folder = Folder::new();
        let store = busy_store(&folder);
        for suffix in suffixes {
            remove(&folder, [suffix]);
        }
        assert_eq!(save(&store, "new", 0, "data"), Saved::Yes, "{suffixes:?}");
        assert_eq!(load(&store, "new"), Some(record(1, "data")), "{suffixes:?}");
        assert!(found(&folder).contains(&("new".to_owned(), 1)), "{suffixes:?}");
    }
}

#[test]
fn files_are_not_checked_while_their_folder_has_not_changed() {
    let folder = Folder::new();
    let store = busy_store(&folder);
    let is_settled = || {
        let mut loan = store.connections.writer.borrow(soon()).unwrap();
        let database = loan.item.as_mut().unwrap();
        (database.is_current().unwrap(), database.folder.is_some())
    };
    assert_eq!(is_settled(), (true, true));
    fs::write(folder.0.join("something"), "else").unwrap();
    assert_eq!(is_settled(), (true, false), "a second change at the same moment would not be noticed");
    remove(&folder, [""]);
    assert_eq!(is_settled(), (false, false));
}

/// SQLite would give the new connection the index of the other connection's log.
#[test]
fn no_connection_is_opened_while_another_has_replaced_files_open() {
    let folder = Folder::new();
    let store = busy_store(&folder);
    let at_work = store.connections.readers.borrow(soon()).unwrap();
    assert!(at_work.item.is_some());
    remove(&folder, ["-wal", "-shm"]);
    let error = save_within(&store, "new", 0, Duration::from_millis(100)).unwrap_err();
    assert!(error.to_string().contains("the time limit"), "{error}");
    drop(at_work);
    assert_eq!(save(&store, "new", 0, "data"), Saved::Yes);
    assert!(found(&folder).contains(&("new".to_owned(), 1)));
}

#[test]
fn without_its_folder_a_store_fails_until_the_folder_is_back() {
    let folder = Folder::new();
    let store = busy_store(&folder);
    fs::remove_dir_all(&folder.0).unwrap();
    for error in [
        store.load("old", soon()).unwrap_err(),
        save_within(&store, "new", 0, Duration::from_secs(30)).unwrap_err(),
        store.remove("old", 0, None, soon()).unwrap_err(),
    ] {
        assert!(error.to_string().contains("No such file or directory"), "{error}");
    }
    fs::create_dir(&folder.0).unwrap();
    assert_eq!(save(&store, "new", 0, "data"), Saved::Yes);
    assert_eq!(found(&folder), [("new".to_owned(), 1)]);
}

#[test]
fn a_file_that_replaces_the_database_is_checked() {
    let folder = Folder::new();
    let store = busy_store(&folder);
    let other = folder.0.join("other.db");
    Connection::open(&other).unwrap().execute_batch("CREATE TABLE orders (number)").unwrap();
    fs::rename(other, folder.database()).unwrap();
    for error in [store.load("old", soon()).unwrap_err(), save_within(&store, "new", 0, LONG).unwrap_err()] {
        assert!(error.to_string().ends_with("the file is the database of another application"), "{error}");
    }
}

/// Removes the files of a store just before its next write is committed.
fn remove_at_commit(store: &Sqlite, folder: &Folder) {
    let paths = ["", "-wal", "-shm"].map(|suffix| folder.0.join(format!("sessions.db{suffix}")));
    let done = AtomicBool::new(false);
    let hook = move || {
        if !done.swap(true, Ordering::Relaxed) {
            paths.iter().for_each(|path| fs::remove_file(path).unwrap());
        }
        false
    };
    let mut loan = store.connections.writer.borrow(soon()).unwrap();
    loan.item.as_mut().unwrap().connection.commit_hook(Some(hook)).unwrap();
}

#[test]
fn a_save_whose_files_were_removed_before_its_commit_is_an_error() {
    for expected in [0, 1] {
        let folder = Folder::new();
        let store = busy_store(&folder);
        remove_at_commit(&store, &folder);
        let key = ["new", "old"][expected as usize];
        let error = save_within(&store, key, expected, LONG).unwrap_err();
        assert!(
            error
                .to_string()
                .ends_with("its file was removed or replaced during the save, so the saved record may be lost"),
            "{error}"
        );
        assert_eq!(load(&store, key), None);
        assert_eq!(save(&store, key, 0, "data"), Saved::Yes);
        assert_eq!(found(&folder), [(key.to_owned(), 1)]);
    }
}

#[test]
fn other_writes_whose_files_were_removed_before_their_commit_are_repeated() {
    let calls: [fn(&Sqlite); 3] = [
        |store| assert_eq!(store.touch("old", &write(1, &bytes(None, ""), None)), Ok(Saved::Gone)),
        |store| assert_eq!(store.remove("old", 0, None, soon()), Ok(Saved::Gone)),
        |store| assert_eq!(store.revoke("subject's", &[SUBJECT], soon()), Ok(false)),
    ];
    for call in calls {
        let folder = Folder::new();
        let store = busy_store(&folder);
        remove_at_commit(&store, &folder);
        call(&store);
        assert_eq!(found(&folder), []);
    }
}

/// The current time in nanoseconds since 1970.
fn clock() -> u128 {
    SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap().as_nanos()
}

fn acknowledgements(database: &Path) -> PathBuf {
    database.parent().unwrap().with_extension("acknowledged")
}

/// Saves and loads new records until the process is killed. Acknowledges each saved record with the time when its save
/// began.
fn save_until_killed(database: &Path) {
    let store = open(database);
    thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                let mut file = OpenOptions::new().create(true).append(true).open(acknowledgements(database)).unwrap();
                loop {
                    let (key, began) = (new_key(), clock());
                    let saved = save_within(&store, &key, 0, LONG);
                    let loaded = store.load(&key, soon());
                    for error in [saved.as_ref().err(), loaded.as_ref().err()].into_iter().flatten() {
                        if !(error.to_string().contains("was removed or replaced")
                            || error.to_string().contains("No such file"))
                        {
                            eprintln!("{error}");
                            std::process::exit(1);
                        }
                    }
                    if saved == Ok(Saved::Yes) {
                        file.write_all(format!("{key} {began} {}\n", std::process::id()).as_bytes()).unwrap();
                    }
                }
            });
        }
    });
}

/// The keys of the acknowledged saves that began after a time, and the processes that made them.
fn acknowledged_since(database: &Path, time: u128) -> Vec<(String, u32)> {
    let text = fs::read_to_string(acknowledgements(database)).unwrap_or_default();
    let whole = text.rfind('\n').map_or("", |end| &text[..end]);
    let save = |line: &str| {
        let [key, began, process] = line.split(' ').collect::<Vec<_>>().try_into().unwrap();
        (began.parse::<u128>().unwrap() > time).then(|| (key.to_owned(), process.parse().unwrap()))
    };
    whole.lines().filter_map(save).collect()
}

#[test]
fn no_save_is_lost_that_began_after_the_files_were_removed() {
    if let Some(database) = given_database() {
        return save_until_killed(&database);
    }
    let folder = Folder::new();
    let test = "replaced::no_save_is_lost_that_began_after_the_files_were_removed";
    let mut others = [(); 2].map(|()| Killed(other_process(test, &folder.database())));
    let processes = others.each_ref().map(|other| other.0.id());
    let mut wait_for_saves = |since: u128| {
        let limit = soon();
        let are_enough = |saves: &[(String, u32)]| {
            processes.iter().all(|process| saves.iter().filter(|(_, saver)| saver == process).count() >= 50)
        };
        while !are_enough(&acknowledged_since(&folder.database(), since)) {
            assert!(Instant::now() < limit, "timed out waiting for saves");
            assert!(others.iter_mut().all(|other| other.0.try_wait().unwrap().is_none()), "a process failed");
            sleep(Duration::from_millis(5));
        }
    };
    wait_for_saves(0);
    let by_backup: (&str, Removal) = ("by a backup", |folder| {
        back_up(folder);
        restore(folder);
    });
    for (removal, remove) in REMOVALS.into_iter().chain([by_backup]).cycle().take(21) {
        remove(&folder);
        let since = clock();
        wait_for_saves(since);
        let acknowledged = acknowledged_since(&folder.database(), since);
        let store = folder.store();
        let lost = acknowledged.iter().filter(|(key, _)| load(&store, key).is_none()).count();
        assert_eq!(lost, 0, "of {}, after {removal}", acknowledged.len());
        check_integrity(&folder.database());
    }
    drop(others);
    fs::remove_file(acknowledgements(&folder.database())).unwrap();
}

/// A process that is killed when this is dropped.
struct Killed(Child);

impl Drop for Killed {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}
