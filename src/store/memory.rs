//! Records in this process's memory: sharded, expiring, bounded.

use std::collections::{BTreeSet, HashMap, HashSet};
use std::hash::{BuildHasher, RandomState};
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use crate::per_process::PerProcess;
use crate::store::{Record, Saved, Store, StoreError, SubjectName, Write};
use crate::wiped::WipedBytes;

const SHARDS: usize = 64;

/// What a record costs beside its data: its key and its places in the two maps, in bytes.
const OVERHEAD: usize = 240;

/// What a record that belongs to a subject costs beside that: its place among the subject's records, in bytes.
const LISTED: usize = 160;

/// How many records that may have expired a call visits, beside its own work.
const VISITED_AT_ONCE: usize = 4;

/// A record keeps its place in the order of expiry until its end has moved on by more than this part of its life.
const LEEWAY: u64 = 8;

/// In milliseconds. A record without an end is ordered as if it had this life.
const FOR_EVER: u64 = 100 * 365 * 24 * 3600 * 1000;

type Key = [u8; 32];

/// The store `memory:`. A forked child begins with an empty one.
pub(crate) struct Memory {
    contents: PerProcess<Contents>,
    hash: RandomState,
    most_bytes: usize,
}

struct Contents {
    shards: [Mutex<Shard>; SHARDS],
    /// When the first record of each shard expires, or somewhat earlier: milliseconds since `began`.
    first: [AtomicU64; SHARDS],
    /// Taken while the lock of a record's shard is held, never the other way round.
    subjects: Mutex<HashMap<Key, HashSet<Key>>>,
    bytes: AtomicUsize,
    began: Instant,
}

#[derive(Default)]
struct Shard {
    records: HashMap<Key, Kept>,
    /// When records expire, or somewhat earlier, the soonest first.
    order: BTreeSet<(u64, Key)>,
}

struct Kept {
    generation: u64,
    data: WipedBytes,
    /// Milliseconds since the store began.
    expires: u64,
    /// Its place in the order.
    ordered: u64,
    subject: Option<Box<Key>>,
}

impl Kept {
    fn cost(&self) -> usize {
        self.data.len() + OVERHEAD + if self.subject.is_some() { LISTED } else { 0 }
    }
}

fn copy(data: &[u8]) -> WipedBytes {
    let mut copy = WipedBytes::with_capacity(data.len());
    copy.extend_from_slice(data);
    copy
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

fn key(key: &str) -> Result<Key, StoreError> {
    let mut bytes = [0; 32];
    hex::decode_to_slice(key, &mut bytes)
        .map_err(|_| StoreError("a key of the memory store must be 64 hexadecimal digits".to_owned()))?;
    Ok(bytes)
}

impl Memory {
    /// `most_bytes`: what all records may take together, their overhead included. If there is no more room, the records
    /// that expire soonest are removed first, give or take an eighth of their life.
    pub fn new(most_bytes: usize) -> Self {
        let contents = PerProcess::new(|| Contents {
            shards: std::array::from_fn(|_| Mutex::default()),
            first: std::array::from_fn(|_| AtomicU64::new(u64::MAX)),
            subjects: Mutex::default(),
            bytes: AtomicUsize::new(0),
            began: Instant::now(),
        });
        Self { contents, hash: RandomState::new(), most_bytes }
    }

    /// Works on the shard of a key.
    fn on<T>(&self, key: &Key, work: impl FnOnce(&mut Open<'_>) -> T) -> T {
        let contents = self.contents.get();
        work(&mut Open::new(&contents, self.hash.hash_one(key) as usize % SHARDS))
    }

    fn put(&self, key: Key, expected: Expected, write: &Write<'_>) -> Result<Saved, StoreError> {
        let cost = write.data.len() + OVERHEAD + if write.subject.is_some() { LISTED } else { 0 };
        if cost > self.most_bytes {
            let length = write.data.len();
            return Err(StoreError(format!(
                "a record of {length} bytes does not fit into this memory store: raise store_max_bytes"
            )));
        }
        let saved = self.on(&key, |open| {
            let saved = open.put(key, expected, write);
            open.tidy();
            saved
        });
        self.contents.get().make_room(self.most_bytes);
        Ok(saved)
    }
}

/// What a write replaces.
#[derive(Clone, Copy)]
enum Expected {
    Nothing,
    Generation(u64),
}

impl Contents {
    fn now(&self) -> u64 {
        self.began.elapsed().as_millis() as u64
    }

    /// Removes the records that expire soonest until the others fit.
    fn make_room(&self, most_bytes: usize) {
        while self.bytes.load(Ordering::Relaxed) > most_bytes {
            let soonest = (0..SHARDS).min_by_key(|shard| self.first[*shard].load(Ordering::Relaxed));
            let mut open = Open::new(self, soonest.unwrap_or_default());
            match open.shard.order.first() {
                Some(&(_, key)) => open.remove(&key),
                None => return,
            }
        }
    }
}

/// A shard whose lock is held.
struct Open<'a> {
    contents: &'a Contents,
    number: usize,
    shard: MutexGuard<'a, Shard>,
    now: u64,
}

impl<'a> Open<'a> {
    fn new(contents: &'a Contents, number: usize) -> Self {
        let shard = locked(&contents.shards[number]);
        Self { contents, number, shard, now: contents.now() }
    }

    fn live(&self, key: &Key) -> Option<&Kept> {
        self.shard.records.get(key).filter(|kept| kept.expires > self.now)
    }

    fn put(&mut self, key: Key, expected: Expected, write: &Write<'_>) -> Saved {
        match (self.live(&key), expected) {
            (None, Expected::Generation(_)) => return Saved::Gone,
            (Some(_), Expected::Nothing) => return Saved::Conflict,
            (Some(kept), Expected::Generation(generation)) if kept.generation != generation => return Saved::Conflict,
            _ => {}
        }
        let life = write.ttl.map_or(FOR_EVER, |ttl| (ttl.as_millis() as u64).clamp(1, FOR_EVER));
        let expires = self.now + life;
        let subject = write.subject.map(|subject| Box::new(subject.0));
        let old = self.shard.records.remove(&key);
        let kept_place = old
            .as_ref()
            .map(|old| old.ordered)
            .filter(|ordered| (*ordered..=ordered.saturating_add(life / LEEWAY)).contains(&expires));
        let ordered = kept_place.unwrap_or(expires);
        if let Some(old) = old {
            self.forget(&key, &old, subject.as_deref(), kept_place.is_none());
        }
        if kept_place.is_none() {
            self.shard.order.insert((ordered, key));
        }
        if let Some(subject) = &subject {
            locked(&self.contents.subjects).entry(**subject).or_default().insert(key);
        }
        let kept = Kept { generation: write.generation, data: copy(write.data), expires, ordered, subject };
        self.contents.bytes.fetch_add(kept.cost(), Ordering::Relaxed);
        self.shard.records.insert(key, kept);
        self.note_first();
        Saved::Yes
    }

    /// Takes a record that was removed out of the count, its subject's records (unless they are those of `subject`, which
    /// it stays with) and, if need be, the order.
    fn forget(&mut self, key: &Key, kept: &Kept, subject: Option<&Key>, from_order: bool) {
        self.contents.bytes.fetch_sub(kept.cost(), Ordering::Relaxed);
        if from_order {
            self.shard.order.remove(&(kept.ordered, *key));
        }
        if let Some(listed) = kept.subject.as_deref().filter(|listed| Some(*listed) != subject) {
            let mut subjects = locked(&self.contents.subjects);
            if let Some(keys) = subjects.get_mut(listed) {
                keys.remove(key);
                if keys.is_empty() {
                    subjects.remove(listed);
                }
            }
        }
    }

    fn remove(&mut self, key: &Key) {
        if let Some(kept) = self.shard.records.remove(key) {
            self.forget(key, &kept, None, true);
            self.note_first();
        }
    }

    fn note_first(&self) {
        let first = self.shard.order.first().map_or(u64::MAX, |(ordered, _)| *ordered);
        self.contents.first[self.number].store(first, Ordering::Relaxed);
    }

    /// Removes some of the records that have expired, and orders anew some that have not.
    fn tidy(&mut self) {
        for _ in 0..VISITED_AT_ONCE {
            let Some(&(ordered, key)) = self.shard.order.first().filter(|(ordered, _)| *ordered <= self.now) else {
                return;
            };
            let now = self.now;
            match self.shard.records.get_mut(&key).filter(|kept| kept.expires > now) {
                Some(kept) => {
                    kept.ordered = kept.expires;
                    let place = (kept.ordered, key);
                    self.shard.order.remove(&(ordered, key));
                    self.shard.order.insert(place);
                    self.note_first();
                }
                None => self.remove(&key),
            }
        }
    }
}

impl Store for Memory {
    fn load(&self, key: &str, _deadline: Instant) -> Result<Option<Record>, StoreError> {
        let key = self::key(key)?;
        Ok(self.on(&key, |open| {
            open.live(&key).map(|kept| Record { generation: kept.generation, data: copy(&kept.data), left: None })
        }))
    }

    fn has_expired(&self, key: &str, _deadline: Instant) -> Result<bool, StoreError> {
        let key = self::key(key)?;
        Ok(self.on(&key, |open| open.shard.records.contains_key(&key) && open.live(&key).is_none()))
    }

    fn save(&self, key: &str, expected: u64, write: &Write<'_>) -> Result<Saved, StoreError> {
        let expected = if expected == 0 { Expected::Nothing } else { Expected::Generation(expected) };
        self.put(self::key(key)?, expected, write)
    }

    fn touch(&self, key: &str, write: &Write<'_>) -> Result<Saved, StoreError> {
        self.put(self::key(key)?, Expected::Generation(write.generation), write)
    }

    fn remove(
        &self,
        key: &str,
        expected: u64,
        _subject: Option<SubjectName>,
        _deadline: Instant,
    ) -> Result<Saved, StoreError> {
        let key = self::key(key)?;
        Ok(self.on(&key, |open| match open.live(&key).map(|kept| kept.generation) {
            None => Saved::Gone,
            Some(generation) if expected != 0 && generation != expected => Saved::Conflict,
            Some(_) => {
                open.remove(&key);
                Saved::Yes
            }
        }))
    }

    fn keeps_subjects(&self) -> bool {
        true
    }

    fn members(&self, subject: &SubjectName, _deadline: Instant) -> Result<Vec<String>, StoreError> {
        let contents = self.contents.get();
        let subjects = locked(&contents.subjects);
        Ok(subjects.get(&subject.0).into_iter().flatten().map(hex::encode).collect())
    }

    fn revoke(&self, key: &str, subjects: &[SubjectName], _deadline: Instant) -> Result<bool, StoreError> {
        let Ok(key) = self::key(key) else { return Ok(false) };
        Ok(self.on(&key, |open| {
            let subject = open.live(&key).and_then(|kept| kept.subject.as_deref().copied()).map(SubjectName);
            let belongs = subject.is_some_and(|subject| subjects.contains(&subject));
            if belongs {
                open.remove(&key);
            }
            belongs
        }))
    }
}

#[cfg(test)]
mod tests;
