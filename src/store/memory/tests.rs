use std::sync::atomic::Ordering;
use std::thread;
use std::time::Duration;

use super::{LISTED, Memory, OVERHEAD};
use crate::store::contract::{self, bytes, new_key, new_subject, soon, write};
use crate::store::{Driver, Saved};

const MINUTE: Option<Duration> = Some(Duration::from_secs(60));

fn put(store: &Memory, key: &str, expected: u64, seconds: f64) -> Saved {
    let ttl = Some(Duration::from_secs_f64(seconds));
    store.save(key, expected, &write(expected + 1, &bytes(None, [b'x'; 66]), ttl)).unwrap()
}

/// The memory that the store counts for a record of [`put`].
const COST: usize = 100 + OVERHEAD;

fn counted(store: &Memory) -> usize {
    store.contents.get().bytes.load(Ordering::Relaxed)
}

fn is_there(store: &Memory, key: &str) -> bool {
    store.load(key, soon()).unwrap().is_some()
}

#[test]
fn memory_keeps_the_contract() {
    contract::check(&Memory::new(1 << 30));
}

#[test]
fn records_in_use_stay_and_expired_records_are_removed() {
    let store = Memory::new(1 << 20);
    let used = new_key();
    assert_eq!(put(&store, &used, 0, 60.0), Saved::Yes);
    for _ in 0..100 {
        assert_eq!(put(&store, &new_key(), 0, 0.01), Saved::Yes);
    }
    thread::sleep(Duration::from_millis(20));
    for generation in 1..2000 {
        assert_eq!(put(&store, &used, generation, 60.0), Saved::Yes);
        put(&store, &new_key(), 0, 0.001);
    }
    assert!(is_there(&store, &used));
    assert!(counted(&store) < 500 * COST, "writes remove expired records");
}

#[test]
fn the_size_limit_applies_to_the_whole_store() {
    let room = 2000;
    let store = Memory::new(room * COST);
    let keys: Vec<_> = (0..room).map(|_| new_key()).collect();
    for (index, key) in keys.iter().enumerate() {
        assert_eq!(put(&store, key, 0, 60.0 + index as f64), Saved::Yes);
    }
    assert_eq!(counted(&store), room * COST);
    assert!(keys.iter().all(|key| is_there(&store, key)), "nothing is evicted before the limit");
    for later in 0..100 {
        assert_eq!(put(&store, &new_key(), 0, 10_000.0 + later as f64), Saved::Yes);
    }
    assert_eq!(counted(&store), room * COST);
    let evicted: Vec<_> = keys.iter().map(|key| !is_there(&store, key)).collect();
    assert!(evicted[..100].iter().all(|evicted| *evicted), "the records that expire soonest, in any shard");
    assert!(!evicted[100..].iter().any(|evicted| *evicted));
}

#[test]
fn one_session_may_be_as_large_as_the_limit() {
    let store = Memory::new(1 << 20);
    let data = bytes(None, vec![b'x'; (1 << 20) - OVERHEAD - 34]);
    assert_eq!(store.save(&new_key(), 0, &write(1, &data, MINUTE)), Ok(Saved::Yes));
    let larger = bytes(None, vec![b'x'; (1 << 20) - OVERHEAD - 33]);
    let refused = store.save(&new_key(), 0, &write(1, &larger, MINUTE)).unwrap_err();
    assert!(refused.to_string().contains("store_max_bytes"), "{refused}");
}

#[test]
fn a_record_that_is_replaced_or_removed_is_counted_once() {
    let store = Memory::new(1 << 20);
    let (key, subject) = (new_key(), new_subject());
    for generation in 0..10 {
        let data = bytes(Some(subject), vec![b'x'; 10 * generation as usize]);
        assert_eq!(store.save(&key, generation, &write(generation + 1, &data, MINUTE)), Ok(Saved::Yes));
        assert_eq!(counted(&store), data.len() + OVERHEAD + LISTED);
    }
    assert_eq!(store.remove(&key, 0, None, soon()), Ok(Saved::Yes));
    assert_eq!(counted(&store), 0);
    assert!(store.contents.get().subjects.lock().unwrap().is_empty());
}

#[test]
fn a_subject_is_removed_with_its_last_record() {
    let store = Memory::new(1 << 20);
    for _ in 0..2000 {
        let data = bytes(Some(new_subject()), "x");
        let ttl = Some(Duration::from_millis(1));
        assert_eq!(store.save(&new_key(), 0, &write(1, &data, ttl)), Ok(Saved::Yes));
    }
    thread::sleep(Duration::from_millis(5));
    for _ in 0..2000 {
        put(&store, &new_key(), 0, 0.001);
    }
    assert!(store.contents.get().subjects.lock().unwrap().len() < 500);
}
