//! Records that another program writes, too.
//!
//! A value in Redis is a record's data and nothing else; what counts as its generation is the beginning of its SHA-1. The
//! other program sees none of that and writes blindly, so a record is never overwritten by us unseen, but may be by it.

use std::time::{Duration, Instant};

use redis::cmd;
use sha1::{Digest, Sha1};

use super::client::{Outcome, Sending};
use super::connection::Connection;
use super::{Redis, milliseconds, not_answered, script};
use crate::store::{Record, Saved, Store, StoreError, SubjectName, Write};

pub(crate) struct Shared(Redis);

impl Shared {
    pub fn new(redis: Redis) -> Self {
        Self(redis)
    }

    fn put(&self, key: &str, expected: u64, write: &Write<'_>) -> Result<Outcome<Saved>, StoreError> {
        let (key, there, ttl) = (self.0.key(key), hash(expected), milliseconds(write.ttl));
        let arguments = [there.as_bytes(), write.data, ttl.as_bytes()];
        let sending = if expected == 0 { Sending::Once } else { Sending::Again };
        self.0.exchange(&key, sending, write.deadline, |connection| {
            script::SAVE_SHARED.run(connection, &[&key], &arguments, write.deadline)
        })
    }

    /// True if a value is the one of a write.
    fn has(&self, key: &str, write: &Write<'_>) -> Result<bool, StoreError> {
        Ok(self.0.read(&self.0.key(key), write.deadline)?.as_deref() == Some(write.data))
    }

    fn take(&self, key: &str, expected: u64, deadline: Instant) -> Result<Outcome<Saved>, StoreError> {
        let (key, there) = (self.0.key(key), hash(expected));
        self.0.exchange(&key, Sending::Again, deadline, |connection| {
            script::REMOVE_SHARED.run(connection, &[&key], &[there.as_bytes()], deadline)
        })
    }

    fn rename_in_one_step(
        &self,
        key: &str,
        expected: u64,
        new_key: &str,
        write: &Write<'_>,
    ) -> Result<Saved, StoreError> {
        let (key, new_key, there, ttl) =
            (self.0.key(key), self.0.key(new_key), hash(expected), milliseconds(write.ttl));
        let arguments = [there.as_bytes(), write.data, ttl.as_bytes()];
        let run = |connection: &mut Connection| {
            script::RENAME_SHARED.run(connection, &[&key, &new_key], &arguments, write.deadline)
        };
        Ok(self.0.exchange(&key, Sending::Again, write.deadline, run)?.value)
    }

    /// Inserts the new value, then removes the old one. If that fails, the new one is taken away.
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
        // Who removed the old value is not known if the removal was sent twice, so the session has ended.
        let removed = inserted.and_then(|_| self.take(key, expected, write.deadline));
        match removed {
            Ok(Outcome { value: Saved::Yes, .. }) => Ok(Saved::Yes),
            Ok(Outcome { value: missed, .. }) => {
                self.remove(new_key, 0, None, write.deadline)?;
                Ok(missed)
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

/// The hash that must be there, as scripts compare it; empty for 0.
fn hash(expected: u64) -> String {
    if expected == 0 { String::new() } else { format!("{expected:016x}") }
}

impl Store for Shared {
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
            Outcome { value: Saved::Conflict, repeated: true } => Err(not_answered()),
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
        Ok(match self.take(key, expected, deadline)? {
            // The first request removed it.
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
