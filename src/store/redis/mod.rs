//! Records in Redis or Valkey.
//!
//! # URLs
//!
//! | URL | what |
//! |---|---|
//! | `redis://[USER:PASSWORD@]HOST[:PORT][/DATABASE]` | one server |
//! | `redis+unix://[USER:PASSWORD@]/PATH[?db=DATABASE]` | one server by its socket; `unix://` is the same |
//! | `redis+cluster://[USER:PASSWORD@]HOST[:PORT],HOST[:PORT]…` | Redis Cluster by some of its nodes |
//! | `redis+sentinel://[USER:PASSWORD@]HOST[:PORT],HOST[:PORT]…/MASTER[/DATABASE]` | the master of that name, by its sentinels |
//!
//! `rediss` in place of `redis` is TLS, on every connection. `valkey` and `valkeys` mean the same. The port is 6379,
//! that of a sentinel 26379, and the database 0, unless said otherwise. A password alone is written `:PASSWORD@`. What
//! has a meaning in a URL is percent-encoded in a password.
//!
//! Parameters: `db` (the database), `sentinel_user` and `sentinel_password` (for the sentinels themselves), and for TLS
//! paths of PEM files: `tls_ca_cert_file` (who vouches for the server; the system's authorities if unset),
//! `tls_cert_file` and `tls_key_file` (a certificate for a server that asks for one).
//!
//! # What is where
//!
//! A record is one string, under the prefix and its key: its generation in 8 bytes, the most significant first, and its
//! data. Redis removes it when its time is over. The keys of a subject are a sorted set by the time until which each is
//! listed, in milliseconds since 1970 by Redis's clock: a minute longer than its record is kept.
//!
//! Whoever writes a record that has a subject lists its key, and never for a shorter time than it is listed already. On
//! one server one script does both. In a cluster they are on several nodes: the key is listed first, so that a record is
//! never there unlisted. Only the request that removes a record takes its key off the list. Another subject's record may
//! therefore be listed for a while: what its header says counts.
//!
//! A long record is first set under a key of its own, on the same node as the record's, and then renamed.
//!
//! The list is only complete on a server that does not evict it: `maxmemory-policy` has to be `noeviction`.

mod client;
mod cluster;
mod connection;
mod eviction;
mod script;
mod sentinel;
mod servers;
mod shared;
mod socket;
mod tls;
mod url;

#[cfg(test)]
mod tests;

use std::time::{Duration, Instant};

use redis::{Cmd, ErrorKind, FromRedisValue, RedisResult, ServerErrorKind, Value, cmd, from_redis_value};

use self::client::{Client, Outcome, Sending};
use self::connection::Connection;
use self::url::Place;
use super::{Record, Saved, Store, StoreError, SubjectName, Write};
use crate::wiped::WipedBytes;

pub(super) use shared::Shared;

/// How URLs begin that name a Redis.
pub(super) const SCHEMES: [&str; 8] =
    ["redis", "rediss", "redis+unix", "unix", "redis+cluster", "rediss+cluster", "redis+sentinel", "rediss+sentinel"];

const PREFIX: &str = "khufu:";

/// A value of so many bytes or more is no argument of a script.
const LONG: usize = 2048;

/// For how many milliseconds such a value waits to be renamed.
const WAIT: &str = "10000";

/// Records in Redis or Valkey.
pub(crate) struct Redis {
    client: Client,
    prefix: String,
}

impl Redis {
    /// Understands a URL and reads the files that it names; connections are made when they are needed. No error holds
    /// any of the URL but names of files.
    pub fn open(url: &str) -> Result<Self, StoreError> {
        Ok(Self { client: Client::new(Place::parse(url)?), prefix: PREFIX.to_owned() })
    }

    /// The same store with this prefix before every key instead of `khufu:`.
    pub fn with_prefix(self, prefix: &str) -> Self {
        Self { prefix: prefix.to_owned(), ..self }
    }

    fn key(&self, key: &str) -> String {
        [&self.prefix, key].concat()
    }

    /// Where the keys of a subject are listed.
    fn list_of(&self, subject: &SubjectName) -> String {
        [&self.prefix, "subject:", &subject.hex()].concat()
    }

    fn exchange<T: FromRedisValue>(
        &self,
        key: &str,
        sending: Sending,
        deadline: Instant,
        mut send: impl FnMut(&mut Connection) -> RedisResult<Value>,
    ) -> Result<Outcome<T>, StoreError> {
        self.client.exchange(key.as_bytes(), sending, deadline, |connection| Ok(from_redis_value(send(connection)?)?))
    }

    /// Sends a command that may be sent twice.
    fn call<T: FromRedisValue>(&self, key: &str, command: &Cmd, deadline: Instant) -> Result<T, StoreError> {
        Ok(self.exchange(key, Sending::Again, deadline, |connection| connection.call(command, deadline))?.value)
    }

    /// Where a long record is set first by a connection: by its tag on the node of the record.
    fn next(&self, record: &str, connection: &Connection) -> String {
        format!("{}next:{{{record}}}:{:x}", self.prefix, connection.number)
    }

    /// Puts a record in place of the one of generation `expected`; 0: inserts it.
    fn put(&self, key: &str, expected: u64, write: &Write<'_>) -> Result<Outcome<Saved>, StoreError> {
        let (record, value, ttl) = (self.key(key), encoded(write), milliseconds(write.ttl));
        let there = mark(expected);
        let mut list = write.subject.map(|subject| self.list_of(&subject));
        if let Some(list) = list.take_if(|_| self.client.is_cluster()) {
            let arguments = [key.as_bytes(), ttl.as_bytes()];
            self.exchange::<()>(&list, Sending::Again, write.deadline, |connection| {
                script::ENLIST.run(connection, &[&list], &arguments, write.deadline)
            })?;
        }
        let list: Vec<&str> = list.iter().map(String::as_str).collect();
        // If the prefix has a tag, the record's tag is not known here.
        let comes_first = value.len() >= LONG && !record.contains(['{', '}']);
        let sending = if expected == 0 { Sending::Once } else { Sending::Again };
        self.exchange(&record, sending, write.deadline, |connection| {
            if comes_first {
                let next = self.next(&record, connection);
                let mut set = cmd("SET");
                set.arg(&next).arg(&*value).arg("PX").arg(WAIT);
                let keys = [&[&*record, &*next], &*list].concat();
                let arguments = [&*there, ttl.as_bytes(), key.as_bytes()];
                match script::SAVE_LONG.run_after(&[&set], connection, &keys, &arguments, write.deadline) {
                    Ok(answer) if script::is_lost(&answer) => {}
                    // While a slot moves to another node, two keys may not be together.
                    Err(error) if error.kind() == ErrorKind::Server(ServerErrorKind::TryAgain) => {}
                    outcome => return outcome,
                }
            }
            let keys = [&[&*record], &*list].concat();
            let arguments = [&*there, &value, ttl.as_bytes(), key.as_bytes()];
            script::SAVE.run(connection, &keys, &arguments, write.deadline)
        })
    }

    /// Takes a key off its subject's list in a cluster, after its record was removed. An entry that stays is harmless, for
    /// it has no record, and it expires.
    fn unlist(&self, key: &str, subject: &SubjectName, deadline: Instant) {
        if self.client.is_cluster() {
            let list = self.list_of(subject);
            let _ = self.call::<()>(&list, cmd("ZREM").arg(&list).arg(key), deadline);
        }
    }

    fn read(&self, key: &str, deadline: Instant) -> Result<Option<Vec<u8>>, StoreError> {
        self.call(key, cmd("GET").arg(key), deadline)
    }
}

/// The generation that must be there, as scripts compare it; empty for 0.
fn mark(expected: u64) -> Vec<u8> {
    if expected == 0 { Vec::new() } else { expected.to_be_bytes().into() }
}

/// Redis counts in milliseconds. The longest time is as good as for ever, and no sum with it overflows.
fn milliseconds(ttl: Option<Duration>) -> String {
    const LONGEST: u128 = 1 << 52;
    ttl.map(|ttl| ttl.as_millis().min(LONGEST).to_string()).unwrap_or_default()
}

fn encoded(write: &Write<'_>) -> WipedBytes {
    let mut value = WipedBytes::with_capacity(size_of::<u64>() + write.data.len());
    value.add(&write.generation.to_be_bytes());
    value.add(write.data);
    value
}

/// A value that is too short for a record has generation 0, which no save replaces.
fn decoded(mut value: Vec<u8>) -> Record {
    match value.first_chunk() {
        Some(generation) => {
            let generation = u64::from_be_bytes(*generation);
            value.drain(..size_of::<u64>());
            Record { generation, data: value.into(), left: None }
        }
        None => Record { generation: 0, data: value.into(), left: None },
    }
}

/// A save was sent twice, and the record is now another writer's. The first save may have been carried out before that
/// writer's, so this is neither a success nor a conflict.
fn not_answered() -> StoreError {
    StoreError(
        "Redis did not answer a save, and another request has changed the session since; commit again".to_owned(),
    )
}

impl Store for Redis {
    fn load(&self, key: &str, deadline: Instant) -> Result<Option<Record>, StoreError> {
        Ok(self.read(&self.key(key), deadline)?.map(decoded))
    }

    fn save(&self, key: &str, expected: u64, write: &Write<'_>) -> Result<Saved, StoreError> {
        let Outcome { value: saved, repeated } = self.put(key, expected, write)?;
        if !(repeated && saved == Saved::Conflict) {
            return Ok(saved);
        }
        match self.load(key, write.deadline)? {
            Some(record) if record.generation == write.generation && *record.data == *write.data => Ok(Saved::Yes),
            _ => Err(not_answered()),
        }
    }

    /// A touch that is made twice does the same twice.
    fn touch(&self, key: &str, write: &Write<'_>) -> Result<Saved, StoreError> {
        Ok(self.put(key, write.generation, write)?.value)
    }

    fn remove(
        &self,
        key: &str,
        expected: u64,
        subject: Option<SubjectName>,
        deadline: Instant,
    ) -> Result<Saved, StoreError> {
        let (record, there) = (self.key(key), mark(expected));
        let list = subject.filter(|_| !self.client.is_cluster()).map(|subject| self.list_of(&subject));
        let keys: Vec<&str> = [&record].into_iter().chain(&list).map(String::as_str).collect();
        let arguments = [&*there, key.as_bytes()];
        let run = |connection: &mut Connection| script::REMOVE.run(connection, &keys, &arguments, deadline);
        let Outcome { value: saved, repeated } = self.exchange(&record, Sending::Again, deadline, run)?;
        // The first request removed it.
        let saved = if repeated && saved == Saved::Gone { Saved::Yes } else { saved };
        if let Some(subject) = subject.filter(|_| saved == Saved::Yes) {
            self.unlist(key, &subject, deadline);
        }
        Ok(saved)
    }

    fn keeps_subjects(&self) -> bool {
        true
    }

    // A key stays in the list of its earlier subject, so the lists need not be of one moment.
    fn members(&self, subjects: &[SubjectName], deadline: Instant) -> Result<Vec<String>, StoreError> {
        let mut keys: Vec<String> = Vec::new();
        for subject in subjects {
            let list = self.list_of(subject);
            let run = |connection: &mut Connection| {
                connection.asks_eviction = true;
                script::MEMBERS.run(connection, &[&list], &[], deadline)
            };
            keys.append(&mut self.exchange::<Vec<String>>(&list, Sending::Again, deadline, run)?.value);
        }
        Ok(keys)
    }

    fn revoke(&self, key: &str, subjects: &[SubjectName], deadline: Instant) -> Result<bool, StoreError> {
        let mut keys = vec![self.key(key)];
        if !self.client.is_cluster() {
            keys.extend(subjects.iter().map(|subject| self.list_of(subject)));
        }
        let keys: Vec<&str> = keys.iter().map(String::as_str).collect();
        let arguments: Vec<&[u8]> =
            [key.as_bytes()].into_iter().chain(subjects.iter().map(|subject| &subject.0[..])).collect();
        let run = |connection: &mut Connection| script::REVOKE.run(connection, &keys, &arguments, deadline);
        let Outcome { value: number, repeated } = self.exchange::<i64>(keys[0], Sending::Again, deadline, run)?;
        match number.checked_sub(1).and_then(|index| subjects.get(usize::try_from(index).ok()?)) {
            Some(subject) => {
                self.unlist(key, subject, deadline);
                Ok(true)
            }
            // The first request removed it.
            None => Ok(repeated && number == script::NO_RECORD),
        }
    }

    fn may_evict(&self) -> Option<String> {
        self.client.eviction_policy()
    }
}
