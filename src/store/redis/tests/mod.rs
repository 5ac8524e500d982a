//! The store against real servers.

mod layouts;
mod proxy;
mod records;
mod server;
mod shared;
mod trouble;

use std::time::{Duration, Instant};

use super::{Redis, Shared};
use crate::store::contract::new_key;
use crate::store::{Record, Saved, Store};

const SECOND: Duration = Duration::from_secs(1);
const MINUTE: Option<Duration> = Some(Duration::from_secs(60));

fn within(time: Duration) -> Instant {
    Instant::now() + time
}

fn open(url: &str) -> Redis {
    Redis::open(url).unwrap()
}

fn record(generation: u64, data: &str) -> Record {
    Record { generation, data: Vec::from(data).into(), left: None }
}

/// A record that comes in under a key of its own.
fn long(generation: u64) -> Record {
    record(generation, &format!("{generation} {}", "x".repeat(10_000)))
}

/// Saves the first record of a new key.
fn saved(store: &Redis, data: &str) -> String {
    let key = new_key();
    assert_eq!(store.save(&key, 0, &record(1, data), MINUTE, within(5 * SECOND)), Ok(Saved::Yes));
    key
}

fn load(store: &Redis, key: &str) -> Option<Record> {
    store.load(key, within(5 * SECOND)).unwrap()
}
