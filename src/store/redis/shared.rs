//! Records in Redis that another program also writes.
//!
//! A value in Redis is a record's data and nothing else. The first eight bytes of its SHA-1 serve as its generation.
//! The other program does not compare generations: this store never overwrites a value that it has not seen, but the
//! other program may.

use std::time::{Duration, Instant};

use redis::cmd;
use sha1::{Digest, Sha1};

use super::client::{Outcome, Sending};
use super::connection::Connection;
use super::{Redis, milliseconds, script, unknown_outcome};
use crate::store::{Driver, Record, Saved, StoreError, SubjectName, Write};

pub(crate) struct Shared(Redis);

impl Shared {
    pub fn new(redis: Redis) -> Self {
        Self(redis)
    }

    fn put(&self, key: &str, expected: u64, write: &Write<'_>) -> Result<Outcome<Saved>, StoreError> {
        let (key, hash, ttl) = (self.0.key(key), hash_argument(expected), milliseconds(write.ttl));
        let arguments = [hash.as_bytes(), write.data, ttl.as_bytes()];
        let sending = if expected == 0 { Sending::Once } else { Sending::Again };
        self.0.exchange(&key, sending, write.deadline, |connection| {
            script::SAVE_SHARED.run(connection, &[&key], &arguments, write.deadline)
        })
    }

    /// True if the value of a key is the data of this write.
    fn has(&self, key: &str, write: &Write<'_>) -> Result<bool, StoreError> {
        Ok(self.0.read(&self.0.key(key), write.deadline)?.as_deref() == Some(write.data))
    }

    fn remove_value(&self, key: &str, expected: u64, deadline: Instant) -> Result<Outcome<Saved>, StoreError> {
        let (key, hash) = (self.0.key(key), hash_argument(expected));
        self.0.exchange(&key, Sending::Again, deadline, |connection| {
            script::REMOVE_SHARED.run(connection, &[&key], &[hash.as_bytes()], deadline)
        })
    }

    fn rename_in_one_step(
        &self,
        key: &str,
        expected: u64,
        new_key: &str,
        write: &Write<'_>,
    ) -> Result<Saved, StoreError> {
        let (key, new_key, hash, ttl) =
            (self.0.key(key), self.0.key(new_key), hash_argument(expected), milliseconds(write.ttl));
        let arguments = [hash.as_bytes(), write.data, ttl.as_bytes()];
        let run = |connection: &mut Connection| {
            script::RENAME_SHARED.run(connection, &[&key, &new_key], &arguments, write.deadline)
        };
        Ok(self.0.exchange(&key, Sending::Again, write.deadline, run)?.value)
    }

    /// Inserts the new value, then removes the old one. If that fails, removes the new value again.
    fn rename_in_two_steps(
        &self,
        key: &str,
        expected: u64,
        new_key: &str,
        write: &Write<'_>,
    ) -> Result<Saved, StoreError> {
        let new = self.0.key(new_key);
        let mut set = cmd("SET");
        set.arg(&new).arg(write.data);
        if write.ttl.is_some() {
            set.arg("PX").arg(milliseconds(write.ttl));
        }
        let inserted = self
            .0
            .exchange::<()>(&new, Sending::Once, write.deadline, |connection| connection.call(&set, write.deadline));
        // If the removal was sent twice and the value is gone, another request may have removed it. Then the session
        // counts as ended.
        let removed = inserted.and_then(|_| self.remove_value(key, expected, write.deadline));
        match removed {
            Ok(Outcome { value: Saved::Yes, .. }) => Ok(Saved::Yes),
            Ok(Outcome { value: not_removed, .. }) => {
                self.remove(new_key, 0, None, write.deadline)?;
                Ok(not_removed)
            }
            Err(error) => {
                let _ = self.remove(new_key, 0, None, write.deadline);
                Err(error)
            }
        }
    }
}

pub(super) fn generation(data: &[u8]) -> u64 {
    let hash = Sha1::digest(data);
    hash.first_chunk().map_or(0, |start| u64::from_be_bytes(*start))
}

/// The expected hash as an argument of a script. It is empty for 0.
fn hash_argument(expected: u64) -> String {
    if expected == 0 { String::new() } else { format!("{expected:016x}") }
}

impl Driver for Shared {
    fn load(&self, key: &str, deadline: Instant) -> Result<Option<Record>, StoreError> {
        let key = self.0.key(key);
        let run = |connection: &mut Connection| script::LOAD_SHARED.run(connection, &[&key], &[], deadline);
        let (data, left): (Option<Vec<u8>>, i64) = self.0.exchange(&key, Sending::Again, deadline, run)?.value;
        let left = u64::try_from(left).ok().map(Duration::from_millis);
        Ok(data.map(|data| Record { generation: generation(&data), data: data.into(), left }))
    }

    fn save(&self, key: &str, expected: u64, write: &Write<'_>) -> Result<Saved, StoreError> {
        match self.put(key, expected, write)? {
            Outcome { value: Saved::Conflict, repeated: true } if self.has(key, write)? => Ok(Saved::Yes),
            Outcome { value: Saved::Conflict, repeated: true } => Err(unknown_outcome()),
            Outcome { value: saved, .. } => Ok(saved),
        }
    }

    fn touch(&self, key: &str, write: &Write<'_>) -> Result<Saved, StoreError> {
        match self.put(key, write.generation, write)? {
            Outcome { value: Saved::Conflict, repeated: true } if self.has(key, write)? => Ok(Saved::Yes),
            Outcome { value: saved, .. } => Ok(saved),
        }
    }

    fn remove(
        &self,
        key: &str,
        expected: u64,
        _subject: Option<SubjectName>,
        deadline: Instant,
    ) -> Result<Saved, StoreError> {
        Ok(match self.remove_value(key, expected, deadline)? {
            // The record is gone because the first request removed it.
            Outcome { value: Saved::Gone, repeated: true } => Saved::Yes,
            Outcome { value: saved, .. } => saved,
        })
    }

    fn generation(&self, data: &[u8]) -> Option<u64> {
        Some(generation(data))
    }

    fn rename(&self, key: &str, expected: u64, new_key: &str, write: &Write<'_>) -> Result<Saved, StoreError> {
        match self.0.client.is_cluster() {
            true => self.rename_in_two_steps(key, expected, new_key, write),
            false => self.rename_in_one_step(key, expected, new_key, write),
        }
    }
}
