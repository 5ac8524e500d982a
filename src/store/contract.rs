//! Tests of the behaviour that every store must have.

use std::thread;
use std::time::{Duration, Instant};

use super::{Driver, Record, Saved, SubjectName, Write};

const LONG: Option<Duration> = Some(Duration::from_secs(600));
const SHORT: Option<Duration> = Some(Duration::from_secs(1));
const PAST_SHORT: Duration = Duration::from_millis(1200);

/// The length of the header of the tests' records, in bytes.
const HEADER: usize = 34;

/// Checks a store with one writer at a time. [`increment`] is for tests with concurrent writers.
pub(crate) fn check(store: &dyn Driver) {
    let checks = [
        a_record_is_what_was_saved,
        a_first_save_overwrites_nothing,
        a_save_replaces_the_generation_that_its_writer_saw,
        a_stale_save_changes_nothing,
        a_save_does_not_restore_a_removed_record,
        an_expired_record_counts_as_missing,
        a_save_restarts_the_lifetime,
        a_touch_restarts_the_lifetime_and_keeps_the_generation,
        a_touch_that_fails_says_why,
        a_removal_says_whether_there_was_a_record,
        a_removal_of_another_generation_does_nothing,
        members_lists_the_keys_of_a_subject,
        a_touched_record_stays_listed,
        a_revocation_removes_only_records_of_the_subject,
        a_revoked_record_stays_gone,
    ];
    thread::scope(|scope| {
        for check in checks {
            scope.spawn(move || check(store));
        }
    });
}

/// Adds one to the number in a record, `times` times, and retries after each conflict. Creates the record if needed.
pub(crate) fn increment(store: &dyn Driver, key: &str, times: usize) {
    for _ in 0..times {
        while !add_one(store, key) {}
    }
}

/// The number in a record that only [`increment`] wrote. It equals the record's generation.
pub(crate) fn count(store: &dyn Driver, key: &str) -> u64 {
    let record = store.load(key, soon()).unwrap().unwrap();
    assert_eq!(number(&record), record.generation);
    record.generation
}

/// A random key.
pub(crate) fn new_key() -> String {
    let mut bytes = [0; 32];
    getrandom::fill(&mut bytes).unwrap();
    hex::encode(bytes)
}

pub(crate) fn new_subject() -> SubjectName {
    let mut bytes = [0; 32];
    getrandom::fill(&mut bytes).unwrap();
    SubjectName(bytes)
}

/// A deadline that only a store that hangs can miss.
pub(crate) fn soon() -> Instant {
    Instant::now() + Duration::from_secs(30)
}

/// The bytes of a record: a header with the subject's name, and data.
pub(crate) fn bytes(subject: Option<SubjectName>, data: impl AsRef<[u8]>) -> Vec<u8> {
    let name = subject.map_or([0; 32], |subject| subject.0);
    [&[2, 0], &name[..], data.as_ref()].concat()
}

/// A write of a record made by [`bytes`].
pub(crate) fn write(generation: u64, bytes: &[u8], ttl: Option<Duration>) -> Write<'_> {
    let subject: [u8; 32] = bytes[2..HEADER].try_into().unwrap();
    let subject = (subject != [0; 32]).then_some(SubjectName(subject));
    Write { generation, data: bytes, header: HEADER, subject, accessed: 1_700_000_000.25, ttl, deadline: soon() }
}

/// The record, without a subject, that is expected after a write.
pub(crate) fn record(generation: u64, data: impl AsRef<[u8]>) -> Record {
    Record { generation, data: bytes(None, data).into(), left: None }
}

pub(crate) fn save(store: &dyn Driver, key: &str, expected: u64, data: &str) -> Saved {
    store.save(key, expected, &write(expected + 1, &bytes(None, data), LONG)).unwrap()
}

pub(crate) fn load(store: &dyn Driver, key: &str) -> Option<Record> {
    store.load(key, soon()).unwrap()
}

fn add_one(store: &dyn Driver, key: &str) -> bool {
    let seen = load(store, key);
    let expected = seen.as_ref().map_or(0, |record| record.generation);
    let next = seen.as_ref().map_or(0, number) + 1;
    let saved = save(store, key, expected, &next.to_string());
    assert_ne!(saved, Saved::Gone);
    saved == Saved::Yes
}

fn number(record: &Record) -> u64 {
    std::str::from_utf8(&record.data[HEADER..]).unwrap().parse().unwrap()
}

/// Saves the first record of a new key.
fn saved(store: &dyn Driver, data: &str, ttl: Option<Duration>) -> String {
    let key = new_key();
    assert_eq!(store.save(&key, 0, &write(1, &bytes(None, data), ttl)), Ok(Saved::Yes));
    key
}

fn touch(store: &dyn Driver, key: &str, generation: u64, data: &str, ttl: Option<Duration>) -> Saved {
    store.touch(key, &write(generation, &bytes(None, data), ttl)).unwrap()
}

fn remove(store: &dyn Driver, key: &str, expected: u64) -> Saved {
    store.remove(key, expected, None, soon()).unwrap()
}

fn a_record_is_what_was_saved(store: &dyn Driver) {
    assert_eq!(load(store, &new_key()), None);
    for data in [vec![], vec![0], (0..=255).collect(), b"text; DROP TABLE records; --".to_vec(), vec![0xa5; 3 << 20]] {
        for ttl in [LONG, None] {
            let (key, generation) = (new_key(), 1 + data.len() as u64);
            assert_eq!(store.save(&key, 0, &write(generation, &bytes(None, &data), ttl)), Ok(Saved::Yes));
            assert_eq!(load(store, &key), Some(record(generation, &data)));
        }
    }
}

fn a_first_save_overwrites_nothing(store: &dyn Driver) {
    let key = saved(store, "the first", None);
    assert_eq!(save(store, &key, 0, "the second"), Saved::Conflict);
    assert_eq!(load(store, &key), Some(record(1, "the first")));
}

fn a_save_replaces_the_generation_that_its_writer_saw(store: &dyn Driver) {
    let (key, other) = (saved(store, "the first", LONG), saved(store, "another", LONG));
    assert_eq!(save(store, &key, 1, "the second"), Saved::Yes);
    assert_eq!(save(store, &key, 2, "the third"), Saved::Yes);
    assert_eq!(load(store, &key), Some(record(3, "the third")));
    let (last, one_before) = (i64::MAX as u64, i64::MAX as u64 - 1);
    assert_eq!(store.save(&key, 3, &write(one_before, &bytes(None, "a late one"), LONG)), Ok(Saved::Yes));
    assert_eq!(save(store, &key, one_before, "the last"), Saved::Yes);
    assert_eq!(load(store, &key), Some(record(last, "the last")));
    assert_eq!(load(store, &other), Some(record(1, "another")));
}

fn a_stale_save_changes_nothing(store: &dyn Driver) {
    let key = saved(store, "the first", LONG);
    assert_eq!(save(store, &key, 1, "the second"), Saved::Yes);
    assert_eq!(save(store, &key, 1, "stale"), Saved::Conflict);
    assert_eq!(save(store, &key, 7, "from nowhere"), Saved::Conflict);
    assert_eq!(load(store, &key), Some(record(2, "the second")));
}

fn a_save_does_not_restore_a_removed_record(store: &dyn Driver) {
    let key = saved(store, "data", LONG);
    assert_eq!(remove(store, &key, 0), Saved::Yes);
    assert_eq!(load(store, &key), None);
    assert_eq!(save(store, &key, 1, "from a slow request"), Saved::Gone);
    assert_eq!(load(store, &key), None);
    assert_eq!(save(store, &key, 0, "anew"), Saved::Yes);
    assert_eq!(load(store, &key), Some(record(1, "anew")));
    assert_eq!(save(store, &new_key(), 1, "from nowhere"), Saved::Gone);
}

fn an_expired_record_counts_as_missing(store: &dyn Driver) {
    let short = || saved(store, "short-lived", SHORT);
    let (read, saved_over, touched, removed, made_anew) = (short(), short(), short(), short(), short());
    thread::sleep(PAST_SHORT);
    assert_eq!(load(store, &read), None);
    assert_eq!(save(store, &saved_over, 1, "from a slow request"), Saved::Gone);
    assert_eq!(touch(store, &touched, 1, "from a slow request", LONG), Saved::Gone);
    assert_eq!(load(store, &touched), None);
    assert_eq!(remove(store, &removed, 1), Saved::Gone);
    assert_eq!(save(store, &made_anew, 0, "anew"), Saved::Yes);
    assert_eq!(load(store, &made_anew), Some(record(1, "anew")));
}

fn a_save_restarts_the_lifetime(store: &dyn Driver) {
    let (longer, shorter, for_ever) =
        (saved(store, "data", SHORT), saved(store, "data", LONG), saved(store, "data", SHORT));
    for (key, ttl) in [(&longer, LONG), (&shorter, SHORT), (&for_ever, None)] {
        assert_eq!(store.save(key, 1, &write(2, &bytes(None, "more"), ttl)), Ok(Saved::Yes));
    }
    thread::sleep(PAST_SHORT);
    assert_eq!(load(store, &longer), Some(record(2, "more")));
    assert_eq!(load(store, &shorter), None);
    assert_eq!(load(store, &for_ever), Some(record(2, "more")));
}

fn a_touch_restarts_the_lifetime_and_keeps_the_generation(store: &dyn Driver) {
    let (longer, for_ever) = (saved(store, "at one", SHORT), saved(store, "at one", SHORT));
    assert_eq!(touch(store, &longer, 1, "at two, which is longer", LONG), Saved::Yes);
    assert_eq!(touch(store, &for_ever, 1, "two", None), Saved::Yes);
    thread::sleep(PAST_SHORT);
    assert_eq!(load(store, &longer), Some(record(1, "at two, which is longer")));
    assert_eq!(load(store, &for_ever), Some(record(1, "two")));
    assert_eq!(save(store, &longer, 1, "the next"), Saved::Yes);
}

fn a_touch_that_fails_says_why(store: &dyn Driver) {
    let key = saved(store, "data", SHORT);
    assert_eq!(touch(store, &key, 2, "of another", LONG), Saved::Conflict);
    assert_eq!(load(store, &key), Some(record(1, "data")));
    thread::sleep(PAST_SHORT);
    assert_eq!(load(store, &key), None, "the lifetime was not restarted");
    let removed = saved(store, "data", LONG);
    assert_eq!(remove(store, &removed, 0), Saved::Yes);
    for key in [key, removed, new_key()] {
        assert_eq!(touch(store, &key, 1, "from a slow request", LONG), Saved::Gone);
        assert_eq!(load(store, &key), None);
    }
}

fn a_removal_says_whether_there_was_a_record(store: &dyn Driver) {
    let key = saved(store, "data", LONG);
    assert_eq!(save(store, &key, 1, "of whatever generation"), Saved::Yes);
    assert_eq!(remove(store, &key, 0), Saved::Yes);
    for key in [&key, &new_key()] {
        assert_eq!(remove(store, key, 0), Saved::Gone);
        assert_eq!(remove(store, key, 1), Saved::Gone);
        assert_eq!(load(store, key), None);
    }
}

fn a_removal_of_another_generation_does_nothing(store: &dyn Driver) {
    let key = saved(store, "data", LONG);
    assert_eq!(remove(store, &key, 2), Saved::Conflict);
    assert_eq!(load(store, &key), Some(record(1, "data")));
    assert_eq!(remove(store, &key, 1), Saved::Yes);
    assert_eq!(load(store, &key), None);
}

fn members(store: &dyn Driver, subject: &SubjectName) -> Vec<String> {
    let mut keys = store.members(&[*subject], soon()).unwrap();
    keys.sort_unstable();
    keys
}

/// The keys of a subject's live records.
fn live(store: &dyn Driver, subject: &SubjectName) -> Vec<String> {
    let belongs = |key: &String| load(store, key).is_some_and(|record| record.data[2..HEADER] == subject.0);
    members(store, subject).into_iter().filter(belongs).collect()
}

fn saved_for(store: &dyn Driver, subject: SubjectName, ttl: Option<Duration>) -> String {
    let key = new_key();
    assert_eq!(store.save(&key, 0, &write(1, &bytes(Some(subject), "data"), ttl)), Ok(Saved::Yes));
    key
}

fn members_lists_the_keys_of_a_subject(store: &dyn Driver) {
    let (subject, other) = (new_subject(), new_subject());
    assert_eq!(members(store, &subject), [""; 0]);
    let mut keys: Vec<_> = (0..3).map(|_| saved_for(store, subject, LONG)).collect();
    let short = saved_for(store, subject, SHORT);
    keys.sort_unstable();
    let mut all = keys.clone();
    all.push(short);
    all.sort_unstable();
    assert_eq!(members(store, &subject), all);
    // The first record changes to another subject, the second to no subject, and the third is removed.
    let moved = bytes(Some(other), "data");
    assert_eq!(store.save(&keys[0], 1, &write(2, &moved, LONG)), Ok(Saved::Yes));
    assert_eq!(save(store, &keys[1], 1, "data"), Saved::Yes);
    assert_eq!(store.remove(&keys[2], 0, Some(subject), soon()), Ok(Saved::Yes));
    thread::sleep(PAST_SHORT);
    assert_eq!(live(store, &subject), [""; 0]);
    assert_eq!(live(store, &other), [keys[0].as_str()]);
    // A save that fails changes nothing.
    assert_eq!(store.save(&keys[0], 1, &write(2, &bytes(None, "stale"), LONG)), Ok(Saved::Conflict));
    assert_eq!(live(store, &other), [keys[0].as_str()]);
    // The record is listed whichever subject comes first.
    assert!(store.members(&[subject, other], soon()).unwrap().contains(&keys[0]));
    assert!(store.members(&[other, subject], soon()).unwrap().contains(&keys[0]));
    // The record changes back to its first subject.
    assert_eq!(store.save(&keys[0], 2, &write(3, &bytes(Some(subject), "data"), LONG)), Ok(Saved::Yes));
    assert_eq!(live(store, &subject), [keys[0].as_str()]);
    assert_eq!(live(store, &other), [""; 0]);
}

fn a_touched_record_stays_listed(store: &dyn Driver) {
    let subject = new_subject();
    let key = saved_for(store, subject, SHORT);
    assert_eq!(store.touch(&key, &write(1, &bytes(Some(subject), "touched"), LONG)), Ok(Saved::Yes));
    thread::sleep(PAST_SHORT);
    assert_eq!(live(store, &subject), [key]);
}

fn a_revocation_removes_only_records_of_the_subject(store: &dyn Driver) {
    let (subject, former, other) = (new_subject(), new_subject(), new_subject());
    let (key, foreign, nobodys) =
        (saved_for(store, subject, LONG), saved_for(store, other, LONG), saved(store, "", LONG));
    for key in [&foreign, &nobodys, &new_key()] {
        assert_eq!(store.revoke(key, &[subject, former], soon()), Ok(false));
    }
    assert!(load(store, &foreign).is_some() && load(store, &nobodys).is_some());
    assert_eq!(store.revoke(&key, &[former], soon()), Ok(false));
    assert_eq!(store.revoke(&key, &[former, subject], soon()), Ok(true));
    assert_eq!(load(store, &key), None);
    assert_eq!(store.revoke(&key, &[former, subject], soon()), Ok(false));
    let expired = saved_for(store, subject, SHORT);
    thread::sleep(PAST_SHORT);
    assert_eq!(store.revoke(&expired, &[subject], soon()), Ok(false));
}

fn a_revoked_record_stays_gone(store: &dyn Driver) {
    let subject = new_subject();
    let key = saved_for(store, subject, LONG);
    assert_eq!(store.revoke(&key, &[subject], soon()), Ok(true));
    let data = bytes(Some(subject), "from a slow request");
    assert_eq!(store.save(&key, 1, &write(2, &data, LONG)), Ok(Saved::Gone));
    assert_eq!(store.touch(&key, &write(1, &data, LONG)), Ok(Saved::Gone));
    assert_eq!(live(store, &subject), [""; 0]);
}
