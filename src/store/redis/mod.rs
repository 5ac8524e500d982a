//! Records in Redis or Valkey.
//!
//! # URLs
//!
//! | URL | servers |
//! |---|---|
//! | `redis://[USER:PASSWORD@]HOST[:PORT][/DATABASE]` | one server |
//! | `redis+unix://[USER:PASSWORD@]/PATH[?db=DATABASE]` | one server on a Unix socket; `unix://` means the same |
//! | `redis+cluster://[USER:PASSWORD@]HOST[:PORT],HOST[:PORT]…` | a Redis Cluster; the URL names some of its nodes |
//! | `redis+sentinel://[USER:PASSWORD@]HOST[:PORT],HOST[:PORT]…/MASTER[/DATABASE]` | a master, by its sentinels |
//!
//! With `rediss` instead of `redis`, every connection uses TLS. `valkey` means `redis`, and `valkeys` means `rediss`.
//! The default port is 6379, or 26379 for a sentinel, and the default database is 0. A password without a user is
//! written `:PASSWORD@`. Characters that have a meaning in a URL must be percent-encoded in a password.
//!
//! Parameters: `db` is the database. `sentinel_user` and `sentinel_password` are the login for the sentinels. For TLS,
//! these parameters are paths of PEM files: `tls_ca_cert_file` has the authorities that may certify the server (if
//! unset, the system's authorities), and `tls_cert_file` and `tls_key_file` have a certificate and its key for a server
//! that asks for one.
//!
//! # Keys and values in Redis
//!
//! A record is one string. Its key is the prefix followed by the record's key. Its value is the generation as 8 bytes,
//! the most significant first, followed by the data. Redis removes it when it expires. The keys of a subject are the
//! members of a sorted set. The score of a member is the time when its entry expires, in milliseconds since 1970 by
//! Redis's clock. An entry lasts a minute longer than its record.
//!
//! Every write of a record with a subject also adds its key to the subject's set, and never shortens an entry's time.
//! On one server, one script does both. In a cluster the record and the set are on different nodes: the key is added
//! first, so that no record is ever unlisted. Only the request that removes a record removes its key from the set.
//! Therefore a set may for a while contain the key of a record that now belongs to another subject; the record's header
//! decides.
//!
//! A long record is first set under a temporary key on the same node, and then renamed.
//!
//! A subject's set is complete only if the server does not evict it: `maxmemory-policy` must be `noeviction`.

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
use self::url::Endpoint;
use super::{Driver, Record, Saved, StoreError, SubjectName, Write};
use crate::sys::wiped::WipedBytes;

pub(super) use shared::Shared;

/// The schemes of URLs that name a Redis.
pub(super) const SCHEMES: [&str; 8] =
    ["redis", "rediss", "redis+unix", "unix", "redis+cluster", "rediss+cluster", "redis+sentinel", "rediss+sentinel"];

const PREFIX: &str = "khufu:";

/// A value of at least this many bytes is set under a temporary key instead of being passed to a script.
const LONG: usize = 2048;

/// The lifetime of a temporary key, in milliseconds.
const TEMPORARY_TTL: &str = "10000";

/// Records in Redis or Valkey.
pub(crate) struct Redis {
    client: Client,
    prefix: String,
}

impl Redis {
    /// Parses a URL and reads the files that it names. Connections are made when they are needed. An error repeats
    /// nothing from the URL except file names.
    pub fn open(url: &str) -> Result<Self, StoreError> {
        Ok(Self { client: Client::new(Endpoint::parse(url)?), prefix: PREFIX.to_owned() })
    }

    /// Makes a store whose keys have this prefix instead of `khufu:`.
    pub fn with_prefix(self, prefix: &str) -> Self {
        Self { prefix: prefix.to_owned(), ..self }
    }

    fn key(&self, key: &str) -> String {
        [&self.prefix, key].concat()
    }

    /// The key of the sorted set that lists a subject's keys.
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

    /// The temporary key under which a connection first sets a long record. Its tag puts it on the record's node.
    fn temporary_key(&self, record: &str, connection: &Connection) -> String {
        format!("{}next:{{{record}}}:{:x}", self.prefix, connection.number)
    }

    /// Replaces the record of generation `expected`, or inserts a record if that is 0.
    fn put(&self, key: &str, expected: u64, write: &Write<'_>) -> Result<Outcome<Saved>, StoreError> {
        let (record, value, ttl) = (self.key(key), encoded(write), milliseconds(write.ttl));
        let sending = if expected == 0 { Sending::Once } else { Sending::Again };
        let expected = generation_argument(expected);
        let mut list = write.subject.map(|subject| self.list_of(&subject));
        if let Some(list) = list.take_if(|_| self.client.is_cluster()) {
            let arguments = [key.as_bytes(), ttl.as_bytes()];
            self.exchange::<()>(&list, Sending::Again, write.deadline, |connection| {
                script::ENLIST.run(connection, &[&list], &arguments, write.deadline)
            })?;
        }
        let list: Vec<&str> = list.iter().map(String::as_str).collect();
        // The tag of a temporary key is the record's key, which therefore must not contain braces.
        let uses_temporary_key = value.len() >= LONG && !record.contains(['{', '}']);
        self.exchange(&record, sending, write.deadline, |connection| {
            if uses_temporary_key {
                let temporary = self.temporary_key(&record, connection);
                let mut set = cmd("SET");
                set.arg(&temporary).arg(&*value).arg("PX").arg(TEMPORARY_TTL);
                let keys = [&[&*record, &*temporary], &*list].concat();
                let arguments = [&*expected, ttl.as_bytes(), key.as_bytes()];
                let call =
                    script::Call { first: &[&set], keys: &keys, arguments: &arguments, deadline: write.deadline };
                match script::SAVE_LONG.call(connection, &call) {
                    Ok(answer) if script::is_temporary_key_lost(&answer) => {}
                    // While a slot moves to another node, its keys may be on two nodes.
                    Err(error) if error.kind() == ErrorKind::Server(ServerErrorKind::TryAgain) => {}
                    outcome => return outcome,
                }
            }
            let keys = [&[&*record], &*list].concat();
            let arguments = [&*expected, &value, ttl.as_bytes(), key.as_bytes()];
            script::SAVE.run(connection, &keys, &arguments, write.deadline)
        })
    }

    /// In a cluster, removes a key from its subject's set after the record was removed. If this fails, the entry that
    /// stays is harmless: it has no record, and it expires.
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

/// The expected generation as an argument of a script. It is empty for 0.
fn generation_argument(expected: u64) -> Vec<u8> {
    if expected == 0 { Vec::new() } else { expected.to_be_bytes().into() }
}

/// A lifetime as an argument of a script, in milliseconds. It is empty for a record that is kept forever. The longest
/// lifetime is practically forever, and adding it to a time does not overflow.
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

/// Decodes a value. One that is too short to be a record gets generation 0, which no save replaces.
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

/// The error of a save that was sent twice, when another writer has saved the record since. The first request may have
/// succeeded before that writer saved, so this is neither a success nor a conflict.
fn unknown_outcome() -> StoreError {
    StoreError::Failed(
        "Redis did not answer a save, and another request has changed the session since; commit again".to_owned(),
    )
}

impl Driver for Redis {
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
            _ => Err(unknown_outcome()),
        }
    }

    /// A touch may be sent twice: the second one has no further effect.
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
        let (record, expected) = (self.key(key), generation_argument(expected));
        let list = subject.filter(|_| !self.client.is_cluster()).map(|subject| self.list_of(&subject));
        let keys: Vec<&str> = [&record].into_iter().chain(&list).map(String::as_str).collect();
        let arguments = [&*expected, key.as_bytes()];
        let run = |connection: &mut Connection| script::REMOVE.run(connection, &keys, &arguments, deadline);
        let Outcome { value: saved, repeated } = self.exchange(&record, Sending::Again, deadline, run)?;
        // The record is gone because the first request removed it.
        let saved = if repeated && saved == Saved::Gone { Saved::Yes } else { saved };
        if let Some(subject) = subject.filter(|_| saved == Saved::Yes) {
            self.unlist(key, &subject, deadline);
        }
        Ok(saved)
    }

    fn keeps_subjects(&self) -> bool {
        true
    }

    // A key stays in the set of its earlier subject, so the sets need not be read at the same moment.
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
            // The record is gone because the first request removed it.
            None => Ok(repeated && number == script::NO_RECORD),
        }
    }

    fn may_evict(&self) -> Option<String> {
        self.client.eviction_policy()
    }
}
