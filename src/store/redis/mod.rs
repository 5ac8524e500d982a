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
//! data; Redis removes it when its time is over. The keys of a subject are a sorted set by the time each is noted until,
//! in milliseconds since 1970 by Redis's clock.
//!
//! A command or script touches one key, as Redis Cluster requires, but for a long record: it comes in under a key of its
//! own, on the same node as the record's, and takes the record's place by its name alone.

mod client;
mod cluster;
mod connection;
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

use self::client::{Client, Outcome};
use self::connection::Connection;
use self::url::Place;
use super::{Record, Saved, Store, StoreError};
use crate::wiped::WipedBytes;

pub(super) use shared::Shared;

/// How URLs begin that name a Redis.
pub(super) const SCHEMES: [&str; 8] =
    ["redis", "rediss", "redis+unix", "unix", "redis+cluster", "rediss+cluster", "redis+sentinel", "rediss+sentinel"];

const PREFIX: &str = "khufu:";

/// A value of so many bytes or more is no argument of a script.
const LONG: usize = 2048;

/// For how many milliseconds such a value waits to become a record that is kept for ever; one with an end has it already.
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

    /// The same with another prefix before every key than `khufu:`.
    pub fn with_prefix(self, prefix: &str) -> Self {
        Self { prefix: prefix.to_owned(), ..self }
    }

    fn key(&self, key: &str) -> String {
        [&self.prefix, key].concat()
    }

    fn subject_key(&self, subject: &str) -> String {
        [&self.prefix, "subject:", subject].concat()
    }

    fn exchange<T: FromRedisValue>(
        &self,
        key: &str,
        deadline: Instant,
        mut send: impl FnMut(&mut Connection) -> RedisResult<Value>,
    ) -> Result<Outcome<T>, StoreError> {
        self.client.exchange(key.as_bytes(), deadline, |connection| Ok(from_redis_value(send(connection)?)?))
    }

    fn call<T: FromRedisValue>(&self, key: &str, command: &Cmd, deadline: Instant) -> Result<T, StoreError> {
        Ok(self.exchange(key, deadline, |connection| connection.call(command, deadline))?.value)
    }

    /// Where a long value comes in by a connection: by its tag on the node of the record.
    fn next(&self, key: &str, connection: &Connection) -> String {
        format!("{}next:{{{key}}}:{:x}", self.prefix, connection.number)
    }

    /// Puts a value in place of the one whose first 8 bytes are given; none given: only where there is no value.
    fn put(&self, key: &str, there: &[u8], value: &[u8], ttl: &str, deadline: Instant) -> Result<Saved, StoreError> {
        // A key that has a tag already, by the prefix, is not to be told from its tag.
        let comes_first = value.len() >= LONG && !key.contains(['{', '}']);
        self.replace(key, value, ttl, deadline, |connection| {
            if comes_first {
                let next = self.next(key, connection);
                let mut set = cmd("SET");
                set.arg(&next).arg(value).arg("PX").arg(if ttl.is_empty() { WAIT } else { ttl });
                let arguments = [there, ttl.as_bytes()];
                match script::SAVE_LONG.run_after(&[&set], connection, &[key, &next], &arguments, deadline) {
                    Ok(Value::Int(script::NOTHING_CAME)) => {}
                    // While a slot moves to another node, two keys may not be together.
                    Err(error) if error.kind() == ErrorKind::Server(ServerErrorKind::TryAgain) => {}
                    outcome => return outcome,
                }
            }
            script::SAVE.run(connection, &[key], &[there, value, ttl.as_bytes()], deadline)
        })
    }

    /// Puts a value in place of another one by a script.
    fn replace(
        &self,
        key: &str,
        value: &[u8],
        ttl: &str,
        deadline: Instant,
        run: impl FnMut(&mut Connection) -> RedisResult<Value>,
    ) -> Result<Saved, StoreError> {
        let Outcome { value: outcome, repeated } = self.exchange(key, deadline, run)?;
        match outcome {
            script::SAVED => Ok(Saved::Yes),
            // The first try may have taken it away.
            script::GONE if repeated && ttl == script::NOT_AT_ALL => Ok(Saved::Yes),
            script::GONE => Ok(Saved::Gone),
            // The value in the way may be this one, put there by the first try.
            _ if repeated && self.read(key, deadline)?.as_deref() == Some(value) => Ok(Saved::Yes),
            _ => Ok(Saved::Conflict),
        }
    }

    fn read(&self, key: &str, deadline: Instant) -> Result<Option<Vec<u8>>, StoreError> {
        self.call(key, cmd("GET").arg(key), deadline)
    }
}

/// Redis counts in milliseconds, from 1 on; an age of the world is as good as for ever, and does not overflow it.
fn milliseconds(ttl: Option<Duration>) -> String {
    const LONGEST: u128 = 1 << 52;
    ttl.map(|ttl| ttl.as_millis().clamp(1, LONGEST).to_string()).unwrap_or_default()
}

fn encoded(record: &Record) -> WipedBytes {
    let mut value = WipedBytes::with_capacity(size_of::<u64>() + record.data.len());
    value.add(&record.generation.to_be_bytes());
    value.add(&record.data);
    value
}

/// A value that is no record's is one of generation 0, in place of which none is put.
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

impl Store for Redis {
    fn load(&self, key: &str, deadline: Instant) -> Result<Option<Record>, StoreError> {
        Ok(self.read(&self.key(key), deadline)?.map(decoded))
    }

    fn save(
        &self,
        key: &str,
        expected: u64,
        record: &Record,
        ttl: Option<Duration>,
        deadline: Instant,
    ) -> Result<Saved, StoreError> {
        let there = if expected == 0 { &[][..] } else { &expected.to_be_bytes() };
        self.put(&self.key(key), there, &encoded(record), &milliseconds(ttl), deadline)
    }

    fn touch(&self, key: &str, record: &Record, ttl: Option<Duration>, deadline: Instant) -> Result<(), StoreError> {
        let there = record.generation.to_be_bytes();
        let ttl = milliseconds(ttl);
        self.put(&self.key(key), &there, &encoded(record), &ttl, deadline).map(drop)
    }

    fn delete(&self, key: &str, deadline: Instant) -> Result<(), StoreError> {
        let key = self.key(key);
        self.call(&key, cmd("DEL").arg(&key), deadline)
    }

    fn enlist(&self, subject: &str, key: &str, ttl: Option<Duration>, deadline: Instant) -> Result<(), StoreError> {
        let subject = self.subject_key(subject);
        let ttl = milliseconds(ttl);
        let arguments: [&[u8]; 2] = [key.as_bytes(), ttl.as_bytes()];
        let run = |connection: &mut Connection| script::ENLIST.run(connection, &[&subject], &arguments, deadline);
        self.exchange::<()>(&subject, deadline, run)?;
        Ok(())
    }

    fn delist(&self, subject: &str, key: &str, deadline: Instant) -> Result<(), StoreError> {
        let subject = self.subject_key(subject);
        self.call(&subject, cmd("ZREM").arg(&subject).arg(key), deadline)
    }

    fn list(&self, subject: &str, deadline: Instant) -> Result<Vec<String>, StoreError> {
        let subject = self.subject_key(subject);
        Ok(self
            .exchange(&subject, deadline, |connection| script::LIST.run(connection, &[&subject], &[], deadline))?
            .value)
    }
}
