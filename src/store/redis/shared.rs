//! Records that another program writes, too.
//!
//! A value in Redis is a record's data and nothing else; what counts as its generation is the beginning of its SHA-1. The
//! other program sees none of that and writes blindly, so a record is never overwritten by us unseen, but may be by it.

use std::time::{Duration, Instant};

use sha1::{Digest, Sha1};

use super::connection::Connection;
use super::{Redis, milliseconds, script};
use crate::store::{Record, Saved, Store, StoreError};

pub(crate) struct Shared(Redis);

impl Shared {
    pub fn new(redis: Redis) -> Self {
        Self(redis)
    }
}

fn generation(data: &[u8]) -> u64 {
    let hash = Sha1::digest(data);
    hash.first_chunk().map_or(0, |start| u64::from_be_bytes(*start))
}

impl Store for Shared {
    fn load(&self, key: &str, deadline: Instant) -> Result<Option<Record>, StoreError> {
        let key = self.0.key(key);
        let run = |connection: &mut Connection| script::LOAD_SHARED.run(connection, &[&key], &[], deadline);
        let (data, left): (Option<Vec<u8>>, i64) = self.0.exchange(&key, deadline, run)?.value;
        let left = u64::try_from(left).ok().map(Duration::from_millis);
        Ok(data.map(|data| Record { generation: generation(&data), data: data.into(), left }))
    }

    fn save(
        &self,
        key: &str,
        expected: u64,
        record: &Record,
        ttl: Option<Duration>,
        deadline: Instant,
    ) -> Result<Saved, StoreError> {
        let there = if expected == 0 { String::new() } else { format!("{expected:016x}") };
        let ttl = match ttl {
            Some(Duration::ZERO) => script::NOT_AT_ALL.to_owned(),
            _ => milliseconds(ttl),
        };
        let key = self.0.key(key);
        let arguments = [there.as_bytes(), &record.data, ttl.as_bytes()];
        self.0.replace(&key, &record.data, &ttl, deadline, |connection| {
            script::SAVE_SHARED.run(connection, &[&key], &arguments, deadline)
        })
    }

    fn touch(&self, key: &str, record: &Record, ttl: Option<Duration>, deadline: Instant) -> Result<(), StoreError> {
        self.save(key, record.generation, record, ttl, deadline).map(drop)
    }

    fn delete(&self, key: &str, deadline: Instant) -> Result<(), StoreError> {
        self.0.delete(key, deadline)
    }

    fn generation(&self, data: &[u8]) -> Option<u64> {
        Some(generation(data))
    }
}
