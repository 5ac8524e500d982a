//! Records in this process's memory: sharded, expiring, bounded.

use std::collections::{BTreeSet, HashMap};
use std::hash::{BuildHasher, RandomState};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use crate::per_process::PerProcess;
use crate::store::{Record, Saved, Store, StoreError};
use crate::wiped::WipedBytes;

const SHARDS: usize = 64;

/// What a record costs beside its data: its key and its places in the two maps, in bytes.
const OVERHEAD: usize = 256;

/// How many expired records a call removes at most, beside its own work.
const REMOVED_AT_ONCE: usize = 4;

/// A record that never expires is kept in order with the others as if it lived so long.
const FOR_EVER: Duration = Duration::from_secs(100 * 365 * 24 * 3600);

/// The store `memory:`. A forked child begins with an empty one.
pub(crate) struct Memory {
    shards: PerProcess<Shards>,
    hash: RandomState,
    most_bytes: usize,
}

type Shards = [Mutex<Shard>; SHARDS];

#[derive(Default)]
struct Shard {
    records: HashMap<Arc<str>, Kept>,
    /// When records expire, the soonest first.
    order: BTreeSet<(Instant, Arc<str>)>,
    subjects: HashMap<String, HashMap<String, Instant>>,
    bytes: usize,
}

struct Kept {
    generation: u64,
    data: WipedBytes,
    expires: Instant,
}

impl Memory {
    /// `most_bytes`: what all records may take together, their overhead included; when there is no more room, those
    /// that would expire soonest go first.
    pub fn new(most_bytes: usize) -> Self {
        let shards = PerProcess::new(|| std::array::from_fn(|_| Mutex::default()));
        Self { shards, hash: RandomState::new(), most_bytes: most_bytes / SHARDS }
    }

    /// Works on the shard of a name.
    fn shard<T>(&self, name: &str, work: impl FnOnce(&mut Shard) -> T) -> T {
        let shards = self.shards.get();
        let shard = &shards[self.hash.hash_one(name) as usize % SHARDS];
        let mut shard: MutexGuard<'_, Shard> = shard.lock().unwrap_or_else(PoisonError::into_inner);
        work(&mut shard)
    }
}

impl Shard {
    fn live(&self, key: &str) -> Option<&Kept> {
        self.records.get(key).filter(|kept| kept.expires > Instant::now())
    }

    fn remove(&mut self, key: &str) {
        if let Some((key, kept)) = self.records.remove_entry(key) {
            self.bytes -= kept.data.len() + OVERHEAD;
            self.order.remove(&(kept.expires, key));
        }
    }

    fn put(&mut self, key: &str, record: &Record, ttl: Option<Duration>, most_bytes: usize) {
        self.remove(key);
        let now = Instant::now();
        let expires = now + ttl.unwrap_or(FOR_EVER);
        let mut data = WipedBytes::with_capacity(record.data.len());
        data.extend_from_slice(&record.data);
        self.bytes += data.len() + OVERHEAD;
        let key: Arc<str> = key.into();
        self.order.insert((expires, key.clone()));
        self.records.insert(key, Kept { generation: record.generation, data, expires });
        for _ in 0..REMOVED_AT_ONCE {
            self.remove_first(|expires, _| expires <= now);
        }
        while self.remove_first(|_, bytes| bytes > most_bytes) {}
    }

    /// Removes the record that expires first, if `wanted` says so of its time and of the bytes that are kept.
    fn remove_first(&mut self, wanted: impl FnOnce(Instant, usize) -> bool) -> bool {
        match self.order.first().cloned() {
            Some((expires, key)) if wanted(expires, self.bytes) => {
                self.remove(&key);
                true
            }
            _ => false,
        }
    }
}

impl Store for Memory {
    fn load(&self, key: &str, _deadline: Instant) -> Result<Option<Record>, StoreError> {
        Ok(self.shard(key, |shard| {
            shard.live(key).map(|kept| Record { generation: kept.generation, data: kept.data.to_vec(), left: None })
        }))
    }

    fn save(
        &self,
        key: &str,
        expected: u64,
        record: &Record,
        ttl: Option<Duration>,
        _deadline: Instant,
    ) -> Result<Saved, StoreError> {
        if record.data.len() + OVERHEAD > self.most_bytes {
            return Err(StoreError(format!(
                "a record of {} bytes does not fit into this memory store: raise store_max_bytes",
                record.data.len()
            )));
        }
        Ok(self.shard(key, |shard| match shard.live(key).map(|kept| kept.generation) {
            None if expected > 0 => Saved::Gone,
            found if found.unwrap_or(0) != expected => Saved::Conflict,
            _ => {
                shard.put(key, record, ttl, self.most_bytes);
                Saved::Yes
            }
        }))
    }

    fn touch(&self, key: &str, record: &Record, ttl: Option<Duration>, deadline: Instant) -> Result<(), StoreError> {
        self.save(key, record.generation, record, ttl, deadline).map(drop)
    }

    fn delete(&self, key: &str, _deadline: Instant) -> Result<(), StoreError> {
        self.shard(key, |shard| shard.remove(key));
        Ok(())
    }

    fn enlist(&self, subject: &str, key: &str, ttl: Option<Duration>, _deadline: Instant) -> Result<(), StoreError> {
        self.shard(subject, |shard| {
            let now = Instant::now();
            let keys = shard.subjects.entry(subject.to_owned()).or_default();
            keys.retain(|_, expires| *expires > now);
            keys.insert(key.to_owned(), now + ttl.unwrap_or(FOR_EVER));
        });
        Ok(())
    }

    fn delist(&self, subject: &str, key: &str, _deadline: Instant) -> Result<(), StoreError> {
        self.shard(subject, |shard| {
            if let Some(keys) = shard.subjects.get_mut(subject) {
                keys.remove(key);
                if keys.is_empty() {
                    shard.subjects.remove(subject);
                }
            }
        });
        Ok(())
    }

    fn list(&self, subject: &str, _deadline: Instant) -> Result<Vec<String>, StoreError> {
        Ok(self.shard(subject, |shard| {
            let now = Instant::now();
            let keys = shard.subjects.get(subject).into_iter().flatten();
            keys.filter(|(_, expires)| **expires > now).map(|(key, _)| key.clone()).collect()
        }))
    }
}

#[cfg(test)]
mod tests {
    use super::Memory;
    use crate::store::contract;

    #[test]
    fn memory_keeps_the_contract() {
        contract::check(&Memory::new(1 << 30));
    }
}
