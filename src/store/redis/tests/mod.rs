//! Tests of the store with real servers.

mod eviction;
mod layouts;
mod proxy;
mod records;
mod server;
mod shared;
mod subjects;
mod trouble;

use std::time::{Duration, Instant};

use super::{Redis, Shared};
use crate::store::contract::{bytes, new_key, save, write};
use crate::store::{Driver, Saved, SubjectName};

const SECOND: Duration = Duration::from_secs(1);
const MINUTE: Option<Duration> = Some(Duration::from_secs(60));

fn within(time: Duration) -> Instant {
    Instant::now() + time
}

fn open(url: &str) -> Redis {
    Redis::open(url).unwrap()
}

/// The data of a record that is long enough to be set under a temporary key first.
fn long(number: u64) -> String {
    format!("{number} {}", "x".repeat(10_000))
}

/// Saves the first record of a new key.
fn saved(store: &Redis, data: &str) -> String {
    let key = new_key();
    assert_eq!(save(store, &key, 0, data), Saved::Yes);
    key
}

/// Saves the first record of a new key, which belongs to a subject.
fn saved_for(store: &Redis, subject: SubjectName, data: &str, ttl: Option<Duration>) -> String {
    let key = new_key();
    assert_eq!(store.save(&key, 0, &write(1, &bytes(Some(subject), data), ttl)), Ok(Saved::Yes));
    key
}
