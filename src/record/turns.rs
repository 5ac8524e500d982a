//! Lets the commits of one process to the same session take turns, so that they do not conflict with each other.

use std::hash::{BuildHasher, RandomState};
use std::sync::Arc;
use std::time::Instant;

use parking_lot::Mutex;

use crate::sys::per_process::PerProcess;

/// The number of locks. Two sessions may happen to share a lock, and then also wait for each other.
const LOCKS: usize = 256;

pub(crate) struct Turns {
    locks: PerProcess<[Mutex<()>; LOCKS]>,
    hash: RandomState,
}

impl Default for Turns {
    fn default() -> Self {
        let locks = PerProcess::new(|| std::array::from_fn(|_| Mutex::default()));
        Self { locks, hash: RandomState::new() }
    }
}

impl Turns {
    /// Runs `work` when it is this key's turn. `None` if the deadline comes first.
    pub fn take<T>(&self, key: &str, deadline: Instant, work: impl FnOnce() -> T) -> Option<T> {
        let locks: Arc<_> = self.locks.get();
        let _turn = locks[self.hash.hash_one(key) as usize % LOCKS].try_lock_until(deadline)?;
        Some(work())
    }
}
