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
const OVERHEAD: usize = 320;

/// How many records whose time may be over a call visits, beside its own work.
const VISITED_AT_ONCE: usize = 4;

/// A record's place in the order is left where it is while its time has not moved on by more than this part of it.
const LEEWAY: u32 = 8;

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
    /// When records expire, or somewhat earlier, the soonest first.
    order: BTreeSet<(Instant, Arc<str>)>,
    subjects: HashMap<Arc<str>, HashMap<String, Instant>>,
    /// When the last session of a subject expires, or somewhat earlier, the soonest first.
    subjects_order: BTreeSet<(Instant, Arc<str>)>,
    bytes: usize,
}

struct Kept {
    generation: u64,
    data: WipedBytes,
    expires: Instant,
    /// Its place in the order.
    ordered: Instant,
}

fn copy(data: &[u8]) -> WipedBytes {
    let mut copy = WipedBytes::with_capacity(data.len());
    copy.extend_from_slice(data);
    copy
}

impl Memory {
    /// `most_bytes`: what all records may take together, their overhead included; when there is no more room, those
    /// that would expire soonest go first, give or take an eighth of their time.
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
    fn save(&mut self, key: &str, expected: u64, record: &Record, ttl: Option<Duration>, now: Instant) -> Saved {
        let ttl = ttl.unwrap_or(FOR_EVER).min(FOR_EVER);
        let expires = now + ttl;
        let there = self.records.get_mut(key).filter(|kept| kept.expires > now);
        match there {
            None if expected > 0 => return Saved::Gone,
            Some(kept) if kept.generation != expected => return Saved::Conflict,
            Some(kept) if (kept.ordered..=kept.ordered + ttl / LEEWAY).contains(&expires) => {
                self.bytes = self.bytes - kept.data.len() + record.data.len();
                *kept = Kept { generation: record.generation, data: copy(&record.data), expires, ..*kept };
            }
            _ => {
                self.remove(key);
                let key: Arc<str> = key.into();
                self.bytes += record.data.len() + OVERHEAD;
                self.order.insert((expires, key.clone()));
                let data = copy(&record.data);
                self.records.insert(key, Kept { generation: record.generation, data, expires, ordered: expires });
            }
        }
        Saved::Yes
    }

    fn remove(&mut self, key: &str) {
        if let Some((key, kept)) = self.records.remove_entry(key) {
            self.bytes -= kept.data.len() + OVERHEAD;
            self.order.remove(&(kept.ordered, key));
        }
    }

    /// Removes some of the subjects whose sessions have all expired.
    fn tidy_subjects(&mut self, now: Instant) {
        for _ in 0..VISITED_AT_ONCE {
            let Some((_, subject)) = self.subjects_order.first().filter(|(ordered, _)| *ordered <= now) else { break };
            let subject = subject.clone();
            self.subjects_order.pop_first();
            let last = self.subjects.get(&subject).and_then(|keys| keys.values().max().copied());
            match last.filter(|last| *last > now) {
                Some(last) => drop(self.subjects_order.insert((last, subject))),
                None => drop(self.subjects.remove(&subject)),
            }
        }
    }

    /// Removes some of the records that have expired, and those that there is no room for.
    fn tidy(&mut self, now: Instant, most_bytes: usize) {
        for _ in 0..VISITED_AT_ONCE {
            let Some((_, key)) = self.order.first().filter(|(ordered, _)| *ordered <= now) else { break };
            let key = key.clone();
            match self.records.get_mut(&key).filter(|kept| kept.expires > now) {
                Some(kept) => {
                    self.order.pop_first();
                    kept.ordered = kept.expires;
                    self.order.insert((kept.ordered, key));
                }
                None => self.remove(&key),
            }
        }
        while self.bytes > most_bytes {
            let Some((_, key)) = self.order.first() else { break };
            self.remove(&key.clone());
        }
    }
}

impl Store for Memory {
    fn load(&self, key: &str, _deadline: Instant) -> Result<Option<Record>, StoreError> {
        Ok(self.shard(key, |shard| {
            let kept = shard.records.get(key).filter(|kept| kept.expires > Instant::now())?;
            Some(Record { generation: kept.generation, data: copy(&kept.data), left: None })
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
        Ok(self.shard(key, |shard| {
            let now = Instant::now();
            let saved = shard.save(key, expected, record, ttl, now);
            shard.tidy(now, self.most_bytes);
            saved
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
            let expires = now + ttl.unwrap_or(FOR_EVER).min(FOR_EVER);
            match shard.subjects.get_mut(subject) {
                Some(keys) => {
                    keys.retain(|_, expires| *expires > now);
                    keys.insert(key.to_owned(), expires);
                }
                None => {
                    let subject: Arc<str> = subject.into();
                    shard.subjects_order.insert((expires, subject.clone()));
                    shard.subjects.insert(subject, HashMap::from([(key.to_owned(), expires)]));
                }
            }
            shard.tidy_subjects(now);
        });
        Ok(())
    }

    fn delist(&self, subject: &str, key: &str, _deadline: Instant) -> Result<(), StoreError> {
        self.shard(subject, |shard| {
            if let Some(keys) = shard.subjects.get_mut(subject) {
                keys.remove(key);
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
    use std::time::{Duration, Instant};

    use super::{Memory, OVERHEAD, Shard};
    use crate::store::{Record, Saved, Store, contract};

    const MINUTE: Option<Duration> = Some(Duration::from_secs(60));

    fn record(generation: u64) -> Record {
        Record { generation, data: vec![b'x'; 100].into(), left: None }
    }

    #[test]
    fn memory_keeps_the_contract() {
        contract::check(&Memory::new(1 << 30));
    }

    #[test]
    fn what_is_used_stays_and_what_is_over_goes() {
        let mut shard = Shard::default();
        let begin = Instant::now();
        let after = |seconds| begin + Duration::from_secs(seconds);
        assert_eq!(shard.save("used", 0, &record(1), MINUTE, begin), Saved::Yes);
        for key in 0..10 {
            assert_eq!(shard.save(&key.to_string(), 0, &record(1), MINUTE, begin), Saved::Yes);
        }
        assert_eq!(shard.save("used", 1, &record(2), MINUTE, after(5)), Saved::Yes);
        for _ in 0..3 {
            assert_eq!(shard.records.len(), shard.order.len());
            shard.tidy(after(61), usize::MAX);
        }
        assert_eq!((shard.records.len(), shard.order.len(), shard.bytes), (1, 1, 100 + OVERHEAD));
        assert_eq!(shard.save("used", 2, &record(3), Some(Duration::from_secs(1)), after(62)), Saved::Yes);
        assert_eq!(shard.save("used", 3, &record(4), MINUTE, after(63)), Saved::Gone, "it expired sooner than before");
        shard.tidy(after(63), usize::MAX);
        assert_eq!((shard.records.len(), shard.order.len(), shard.bytes), (0, 0, 0));
    }

    #[test]
    fn subjects_whose_sessions_have_expired_do_not_pile_up() {
        let memory = Memory::new(1 << 20);
        let now = Instant::now();
        memory.enlist("stays", "key", MINUTE, now).unwrap();
        for n in 0..5_000 {
            memory.enlist(&n.to_string(), "key", Some(Duration::from_micros(1)), now).unwrap();
        }
        let shards = memory.shards.get();
        let subjects = |shard: &std::sync::Mutex<Shard>| {
            let shard = shard.lock().unwrap();
            assert_eq!(shard.subjects.len(), shard.subjects_order.len());
            shard.subjects.len()
        };
        assert!(shards.iter().map(subjects).sum::<usize>() < 500);
        assert_eq!(memory.list("stays", now).unwrap(), ["key"]);
    }

    #[test]
    fn what_would_expire_soonest_makes_room() {
        let mut shard = Shard::default();
        let begin = Instant::now();
        for (second, key) in ["used", "unused", "new"].into_iter().enumerate() {
            let now = begin + Duration::from_secs(second as u64);
            assert_eq!(shard.save(key, 0, &record(1), MINUTE, now), Saved::Yes);
        }
        let now = begin + Duration::from_secs(20);
        assert_eq!(shard.save("used", 1, &record(2), MINUTE, now), Saved::Yes);
        shard.tidy(now, 2 * (100 + OVERHEAD));
        let mut keys: Vec<_> = shard.records.keys().map(|key| &**key).collect();
        keys.sort_unstable();
        assert_eq!(keys, ["new", "used"]);
    }
}
