//! What every store keeps to, whatever it is made of.

use std::thread;
use std::time::{Duration, Instant};

use super::{Record, Saved, Store};

const LONG: Option<Duration> = Some(Duration::from_secs(600));
const SHORT: Option<Duration> = Some(Duration::from_millis(500));
const PAST_SHORT: Duration = Duration::from_millis(600);

/// Checks everything but what many writers do at once, for which see [`increment`].
pub(crate) fn check(store: &dyn Store) {
    let checks = [
        a_record_is_what_was_saved,
        a_first_save_overwrites_nothing,
        a_save_replaces_what_its_writer_saw,
        a_stale_save_changes_nothing,
        a_save_brings_no_deleted_record_back,
        an_expired_record_is_not_there,
        a_save_gives_a_new_life,
        a_touch_extends_the_life_and_keeps_data,
        a_touch_of_another_generation_does_nothing,
        a_touch_brings_no_record_back,
        deleting_twice_is_no_error,
        a_subject_has_its_keys,
        a_note_expires_unless_it_is_noted_again,
    ];
    thread::scope(|scope| {
        for check in checks {
            scope.spawn(move || check(store));
        }
    });
}

/// Adds one to the number in a record, so many times, as long as it takes. The record is made if need be.
pub(crate) fn increment(store: &dyn Store, key: &str, times: usize) {
    for _ in 0..times {
        while !add_one(store, key) {}
    }
}

/// The number in a record that was only ever incremented: also its generation.
pub(crate) fn count(store: &dyn Store, key: &str) -> u64 {
    let record = store.load(key, soon()).unwrap().unwrap();
    assert_eq!(number(&record), record.generation);
    record.generation
}

/// A key that nothing else has.
pub(crate) fn new_key() -> String {
    let mut bytes = [0; 16];
    getrandom::fill(&mut bytes).unwrap();
    hex::encode(bytes)
}

/// A deadline that only a store which hangs does not meet.
pub(crate) fn soon() -> Instant {
    Instant::now() + Duration::from_secs(30)
}

fn add_one(store: &dyn Store, key: &str) -> bool {
    let seen = store.load(key, soon()).unwrap();
    let expected = seen.as_ref().map_or(0, |record| record.generation);
    let next = seen.as_ref().map_or(0, number) + 1;
    let saved = store.save(key, expected, &record(expected + 1, next.to_string()), LONG, soon()).unwrap();
    assert_ne!(saved, Saved::Gone);
    saved == Saved::Yes
}

fn number(record: &Record) -> u64 {
    std::str::from_utf8(&record.data).unwrap().parse().unwrap()
}

fn record(generation: u64, data: impl Into<Vec<u8>>) -> Record {
    Record { generation, data: data.into().into(), left: None }
}

/// Saves the first record of a new key.
fn saved(store: &dyn Store, data: &str, ttl: Option<Duration>) -> String {
    let key = new_key();
    assert_eq!(store.save(&key, 0, &record(1, data), ttl, soon()), Ok(Saved::Yes));
    key
}

fn save(store: &dyn Store, key: &str, expected: u64, data: &str) -> Saved {
    store.save(key, expected, &record(expected + 1, data), LONG, soon()).unwrap()
}

fn load(store: &dyn Store, key: &str) -> Option<Record> {
    store.load(key, soon()).unwrap()
}

fn a_record_is_what_was_saved(store: &dyn Store) {
    assert_eq!(load(store, &new_key()), None);
    for data in [vec![], vec![0], (0..=255).collect(), b"text; DROP TABLE records; --".to_vec(), vec![0xa5; 3 << 20]] {
        for ttl in [LONG, None] {
            let (key, generation) = (new_key(), 1 + data.len() as u64);
            let record = record(generation, data.clone());
            assert_eq!(store.save(&key, 0, &record, ttl, soon()), Ok(Saved::Yes));
            assert_eq!(load(store, &key), Some(record));
        }
    }
}

fn a_first_save_overwrites_nothing(store: &dyn Store) {
    let key = saved(store, "the first", None);
    assert_eq!(save(store, &key, 0, "the second"), Saved::Conflict);
    assert_eq!(load(store, &key), Some(record(1, "the first")));
}

fn a_save_replaces_what_its_writer_saw(store: &dyn Store) {
    let (key, other) = (saved(store, "the first", LONG), saved(store, "another", LONG));
    assert_eq!(save(store, &key, 1, "the second"), Saved::Yes);
    assert_eq!(save(store, &key, 2, "the third"), Saved::Yes);
    assert_eq!(load(store, &key), Some(record(3, "the third")));
    let (last, one_before) = (i64::MAX as u64, i64::MAX as u64 - 1);
    assert_eq!(store.save(&key, 3, &record(one_before, "a late one"), LONG, soon()), Ok(Saved::Yes));
    assert_eq!(save(store, &key, one_before, "the last"), Saved::Yes);
    assert_eq!(load(store, &key), Some(record(last, "the last")));
    assert_eq!(load(store, &other), Some(record(1, "another")));
}

fn a_stale_save_changes_nothing(store: &dyn Store) {
    let key = saved(store, "the first", LONG);
    assert_eq!(save(store, &key, 1, "the second"), Saved::Yes);
    assert_eq!(save(store, &key, 1, "stale"), Saved::Conflict);
    assert_eq!(save(store, &key, 7, "from nowhere"), Saved::Conflict);
    assert_eq!(load(store, &key), Some(record(2, "the second")));
}

fn a_save_brings_no_deleted_record_back(store: &dyn Store) {
    let key = saved(store, "data", LONG);
    store.delete(&key, soon()).unwrap();
    assert_eq!(load(store, &key), None);
    assert_eq!(save(store, &key, 1, "from a slow request"), Saved::Gone);
    assert_eq!(load(store, &key), None);
    assert_eq!(save(store, &key, 0, "anew"), Saved::Yes);
    assert_eq!(load(store, &key), Some(record(1, "anew")));
    assert_eq!(save(store, &new_key(), 1, "from nowhere"), Saved::Gone);
}

fn an_expired_record_is_not_there(store: &dyn Store) {
    let (read, saved_over, touched, made_anew) = {
        let short = || saved(store, "short-lived", SHORT);
        (short(), short(), short(), short())
    };
    thread::sleep(PAST_SHORT);
    assert_eq!(load(store, &read), None);
    assert_eq!(save(store, &saved_over, 1, "from a slow request"), Saved::Gone);
    store.touch(&touched, &record(1, "from a slow request"), LONG, soon()).unwrap();
    assert_eq!(load(store, &touched), None);
    assert_eq!(save(store, &made_anew, 0, "anew"), Saved::Yes);
    assert_eq!(load(store, &made_anew), Some(record(1, "anew")));
}

fn a_save_gives_a_new_life(store: &dyn Store) {
    let (longer, shorter, for_ever) =
        (saved(store, "data", SHORT), saved(store, "data", LONG), saved(store, "data", SHORT));
    for (key, ttl) in [(&longer, LONG), (&shorter, SHORT), (&for_ever, None)] {
        assert_eq!(store.save(key, 1, &record(2, "more"), ttl, soon()), Ok(Saved::Yes));
    }
    thread::sleep(PAST_SHORT);
    assert_eq!(load(store, &longer), Some(record(2, "more")));
    assert_eq!(load(store, &shorter), None);
    assert_eq!(load(store, &for_ever), Some(record(2, "more")));
}

fn a_touch_extends_the_life_and_keeps_data(store: &dyn Store) {
    let (longer, for_ever) = (saved(store, "at one", SHORT), saved(store, "at one", SHORT));
    store.touch(&longer, &record(1, "at two, which is longer"), LONG, soon()).unwrap();
    store.touch(&for_ever, &record(1, "two"), None, soon()).unwrap();
    thread::sleep(PAST_SHORT);
    assert_eq!(load(store, &longer), Some(record(1, "at two, which is longer")));
    assert_eq!(load(store, &for_ever), Some(record(1, "two")));
    assert_eq!(save(store, &longer, 1, "the next"), Saved::Yes);
}

fn a_touch_of_another_generation_does_nothing(store: &dyn Store) {
    let key = saved(store, "data", SHORT);
    for generation in [0, 2] {
        store.touch(&key, &record(generation, "of another"), LONG, soon()).unwrap();
    }
    assert_eq!(load(store, &key), Some(record(1, "data")));
    thread::sleep(PAST_SHORT);
    assert_eq!(load(store, &key), None);
}

fn a_touch_brings_no_record_back(store: &dyn Store) {
    let key = saved(store, "data", LONG);
    store.delete(&key, soon()).unwrap();
    for key in [key, new_key()] {
        store.touch(&key, &record(1, "from a slow request"), LONG, soon()).unwrap();
        assert_eq!(load(store, &key), None);
    }
}

fn deleting_twice_is_no_error(store: &dyn Store) {
    let key = saved(store, "data", LONG);
    assert_eq!(save(store, &key, 1, "of whatever generation"), Saved::Yes);
    for key in [&key, &key, &new_key()] {
        store.delete(key, soon()).unwrap();
        assert_eq!(load(store, key), None);
    }
}

fn a_subject_has_its_keys(store: &dyn Store) {
    let (subject, other) = (new_key(), new_key());
    let keys = ["a", "b", "c"].map(|end| new_key() + end);
    let list = |subject: &str| {
        let mut keys = store.list(subject, soon()).unwrap();
        keys.sort_unstable_by_key(|key| key.chars().last());
        keys
    };
    assert_eq!(list(&subject), [""; 0]);
    store.delist(&subject, &keys[0], soon()).unwrap();
    for key in keys.iter().chain(&keys) {
        store.enlist(&subject, key, LONG, soon()).unwrap();
    }
    store.enlist(&other, &keys[0], None, soon()).unwrap();
    assert_eq!(list(&subject), keys);
    store.delist(&subject, &keys[0], soon()).unwrap();
    store.delist(&subject, &keys[0], soon()).unwrap();
    assert_eq!(list(&subject), keys[1..]);
    assert_eq!(list(&other), keys[..1]);
}

fn a_note_expires_unless_it_is_noted_again(store: &dyn Store) {
    let (subject, gone, kept) = (new_key(), new_key(), new_key());
    store.enlist(&subject, &gone, SHORT, soon()).unwrap();
    store.enlist(&subject, &kept, SHORT, soon()).unwrap();
    store.enlist(&subject, &kept, LONG, soon()).unwrap();
    thread::sleep(PAST_SHORT);
    assert_eq!(store.list(&subject, soon()), Ok(vec![kept]));
}
