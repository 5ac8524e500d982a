//! The store `memory:`, which keeps records in this process's memory. The records are sharded by key, they expire, and
//! their total size is limited.

use std::collections::{BTreeSet, HashMap, HashSet};
use std::hash::{BuildHasherDefault, Hash, Hasher};
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Mutex, MutexGuard};
use std::time::Instant;

use crate::store::{Driver, Record, Saved, StoreError, SubjectName, Write};
use crate::sys::lock;
use crate::sys::per_process::PerProcess;
use crate::sys::wiped::WipedBytes;

const SHARDS: usize = 64;

/// The memory in bytes that a record takes in addition to its data: its key and its entries in the two maps.
const OVERHEAD: usize = 270;

/// The additional memory in bytes of a record that belongs to a subject: its entry in the subject's list.
const LISTED: usize = 160;

/// The most records that a write checks for expiry in addition to its own work.
const VISITED_AT_ONCE: usize = 4;

/// A record keeps its place in the order of expiry until its expiry has moved by more than its lifetime divided by
/// this.
const LEEWAY: u64 = 8;

/// The lifetime in milliseconds of a record that is kept forever, for the order of expiry.
const FOR_EVER: u64 = 100 * 365 * 24 * 3600 * 1000;

/// 32 bytes that are uniformly distributed: a record's key is a hash of a random name, and a subject's name is a MAC.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Key([u8; 32]);

impl Key {
    fn number(&self) -> u64 {
        self.0.first_chunk().map_or(0, |first| u64::from_le_bytes(*first))
    }
}

impl Hash for Key {
    fn hash<H: Hasher>(&self, hasher: &mut H) {
        hasher.write_u64(self.number());
    }
}

/// A hasher that returns a key's number unchanged.
#[derive(Default)]
struct IdentityHasher(u64);

impl Hasher for IdentityHasher {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, _bytes: &[u8]) {
        unreachable!("keys are hashed as numbers");
    }

    fn write_u64(&mut self, number: u64) {
        self.0 = number;
    }
}

type ByKey<T> = HashMap<Key, T, BuildHasherDefault<IdentityHasher>>;
type Keys = HashSet<Key, BuildHasherDefault<IdentityHasher>>;

/// The store `memory:`. A forked child begins with an empty one.
pub(crate) struct Memory {
    contents: PerProcess<Contents>,
    most_bytes: usize,
}

struct Contents {
    shards: [Mutex<Shard>; SHARDS],
    /// For each shard, a lower bound of the time when its first record expires, in milliseconds since `began`.
    first: [AtomicU64; SHARDS],
    /// The keys of each subject's records. To avoid a deadlock, lock a record's shard before this.
    subjects: Mutex<ByKey<Keys>>,
    /// The memory that all records take, including their overhead.
    bytes: AtomicUsize,
    began: Instant,
}

#[derive(Default)]
struct Shard {
    records: ByKey<StoredRecord>,
    /// The keys in order of expiry. The times are lower bounds, like [`StoredRecord::ordered`].
    order: BTreeSet<(u64, Key)>,
}

struct StoredRecord {
    generation: u64,
    data: WipedBytes,
    /// The time when the record expires, in milliseconds since the store was made.
    expires: u64,
    /// The time under which the record is in [`Shard::order`]. It may be earlier than `expires`.
    ordered: u64,
    subject: Option<Box<Key>>,
}

impl StoredRecord {
    /// True if a record with this new expiry and lifetime can keep its place in the order.
    fn stays_in_place(&self, expires: u64, life: u64) -> bool {
        (self.ordered..=self.ordered.saturating_add(life / LEEWAY)).contains(&expires)
    }

    fn cost(&self) -> usize {
        cost(&self.data, self.subject.is_some())
    }
}

/// The memory in bytes that a record with these data takes, including its overhead.
fn cost(data: &[u8], has_subject: bool) -> usize {
    data.len() + OVERHEAD + if has_subject { LISTED } else { 0 }
}

fn key(key: &str) -> Result<Key, StoreError> {
    let mut bytes = [0; 32];
    hex::decode_to_slice(key, &mut bytes)
        .map_err(|_| StoreError::Failed("a key of the memory store must be 64 hexadecimal digits".to_owned()))?;
    Ok(Key(bytes))
}

impl Memory {
    /// Makes a store whose records may take `most_bytes` in total, including their overhead. When it is full, it evicts
    /// the records that expire soonest. Their order is accurate to an eighth of a record's lifetime.
    pub fn new(most_bytes: usize) -> Self {
        let contents = PerProcess::new(|| Contents {
            shards: std::array::from_fn(|_| Mutex::default()),
            first: std::array::from_fn(|_| AtomicU64::new(u64::MAX)),
            subjects: Mutex::default(),
            bytes: AtomicUsize::new(0),
            began: Instant::now(),
        });
        Self { contents, most_bytes }
    }

    /// Locks the shard of a key and works on it.
    fn on<T>(&self, key: &Key, work: impl FnOnce(&mut Open<'_>) -> T) -> T {
        work(&mut Open::of(&self.contents.get(), key))
    }

    fn put(&self, key: Key, expected: Expected, write: &Write<'_>) -> Result<Saved, StoreError> {
        if cost(write.data, write.subject.is_some()) > self.most_bytes {
            let length = write.data.len();
            return Err(StoreError::Failed(format!(
                "a record of {length} bytes does not fit into this memory store: raise store_max_bytes"
            )));
        }
        let contents = self.contents.get();
        let mut open = Open::of(&contents, &key);
        let saved = open.put(key, expected, write);
        open.tidy();
        drop(open);
        contents.make_room(self.most_bytes);
        Ok(saved)
    }
}

/// The state of a key that a write expects.
#[derive(Clone, Copy)]
enum Expected {
    Nothing,
    Generation(u64),
}

impl Contents {
    fn now(&self) -> u64 {
        self.began.elapsed().as_millis() as u64
    }

    /// Removes the records that expire soonest until the total size is within the limit.
    fn make_room(&self, most_bytes: usize) {
        while self.bytes.load(Ordering::Relaxed) > most_bytes {
            let firsts = self.first.iter().map(|first| first.load(Ordering::Relaxed)).enumerate();
            let Some((number, _)) = firsts.filter(|(_, first)| *first < u64::MAX).min_by_key(|(_, first)| *first)
            else {
                return;
            };
            let mut open = Open::new(self, number);
            // Another thread may have emptied the shard meanwhile.
            if let Some(&(_, key)) = open.shard.order.first() {
                open.remove(&key);
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
    fn of(contents: &'a Contents, key: &Key) -> Self {
        // The maps use the highest and the lowest bits of the number, so the shard comes from bits in the middle.
        Self::new(contents, (key.number() >> 32) as usize % SHARDS)
    }

    fn new(contents: &'a Contents, number: usize) -> Self {
        let shard = lock(&contents.shards[number]);
        Self { contents, number, shard, now: contents.now() }
    }

    fn live(&self, key: &Key) -> Option<&StoredRecord> {
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
        let subject = write.subject.map(|subject| Key(subject.0));
        let (generation, data) = (write.generation, WipedBytes::from(write.data.to_vec()));
        if let Some(kept) = self.shard.records.get_mut(&key)
            && kept.stays_in_place(expires, life)
            && kept.subject.as_deref() == subject.as_ref()
        {
            // Change the count in one step. If it included both versions for a moment, another thread might evict
            // records although there is room for them.
            self.contents.bytes.fetch_add(data.len().wrapping_sub(kept.data.len()), Ordering::Relaxed);
            (kept.generation, kept.data, kept.expires) = (generation, data, expires);
            return Saved::Yes;
        }
        // Add the key to the new subject's list before removing it from the old subject's list.
        if let Some(subject) = subject {
            lock(&self.contents.subjects).entry(subject).or_default().insert(key);
        }
        self.take_out(&key, subject.as_ref());
        let kept = StoredRecord { generation, data, expires, ordered: expires, subject: subject.map(Box::new) };
        self.contents.bytes.fetch_add(kept.cost(), Ordering::Relaxed);
        self.shard.order.insert((expires, key));
        self.shard.records.insert(key, kept);
        self.note_first();
        Saved::Yes
    }

    fn remove(&mut self, key: &Key) {
        self.take_out(key, None);
        self.note_first();
    }

    /// Removes a record and its entries in the order and in its subject's list. Its entry in the list of `subject`
    /// stays.
    fn take_out(&mut self, key: &Key, subject: Option<&Key>) {
        let Some(kept) = self.shard.records.remove(key) else { return };
        self.contents.bytes.fetch_sub(kept.cost(), Ordering::Relaxed);
        self.shard.order.remove(&(kept.ordered, *key));
        if let Some(subject) = kept.subject.filter(|listed| Some(&**listed) != subject) {
            let mut subjects = lock(&self.contents.subjects);
            if let Some(keys) = subjects.get_mut(&*subject) {
                keys.remove(key);
                if keys.is_empty() {
                    subjects.remove(&*subject);
                }
            }
        }
    }

    fn note_first(&self) {
        let first = self.shard.order.first().map_or(u64::MAX, |(ordered, _)| *ordered);
        self.contents.first[self.number].store(first, Ordering::Relaxed);
    }

    /// Removes a few expired records, and updates the order of a few records that have not expired.
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

impl Driver for Memory {
    fn may_wait(&self) -> bool {
        false
    }

    fn load(&self, key: &str, _deadline: Instant) -> Result<Option<Record>, StoreError> {
        let key = self::key(key)?;
        Ok(self.on(&key, |open| {
            open.live(&key).map(|kept| Record { generation: kept.generation, data: kept.data.clone(), left: None })
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

    fn members(&self, subjects: &[SubjectName], _deadline: Instant) -> Result<Vec<String>, StoreError> {
        let contents = self.contents.get();
        let listed = lock(&contents.subjects);
        let keys = subjects.iter().filter_map(|subject| listed.get(&Key(subject.0))).flatten();
        let keys: Vec<Key> = keys.copied().collect();
        // Commits wait for this lock, so release it before formatting the keys.
        drop(listed);
        Ok(keys.iter().map(|key| hex::encode(key.0)).collect())
    }

    fn revoke(&self, key: &str, subjects: &[SubjectName], _deadline: Instant) -> Result<bool, StoreError> {
        let Ok(key) = self::key(key) else { return Ok(false) };
        Ok(self.on(&key, |open| {
            let subject =
                open.live(&key).and_then(|kept| kept.subject.as_deref().copied()).map(|subject| SubjectName(subject.0));
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
