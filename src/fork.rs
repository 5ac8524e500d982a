//! Forks, and calls that no fork may catch half done.
//!
//! A child has its parent's memory and one of its threads. A lock that another thread held is held for ever; and
//! SQLite, which counts the locks it has on a file once for the whole process, believes in locks that the child does
//! not have. Hence a fork waits until no call is under way, and has what must not be inherited closed first.

use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Mutex, Once, PoisonError, Weak};
use std::thread::park_timeout;
use std::time::{Duration, Instant};

use crate::ffi::fork::watch_forks;

/// The calls under way, and `FORKING`.
static CALLS: AtomicUsize = AtomicUsize::new(0);
const FORKING: usize = 1 << (usize::BITS - 1);

static GENERATION: AtomicU64 = AtomicU64::new(0);
static CLOSED_BEFORE_FORKS: Mutex<Vec<Weak<dyn Close>>> = Mutex::new(Vec::new());

const PAUSE: Duration = Duration::from_micros(20);

/// How many forks lie between this process and the one in which this was first asked: no process has the generation
/// of one that it descends from.
pub(crate) fn generation() -> u64 {
    watch();
    GENERATION.load(Ordering::Relaxed)
}

/// What a child must not inherit.
pub(crate) trait Close: Send + Sync {
    /// Called when the process is about to fork and no [`Call`] is under way.
    fn close(&self);
}

/// A call that no fork catches half done: until it is dropped, a thread that wants to fork waits.
pub(crate) struct Call(());

#[cfg_attr(not(feature = "sqlite"), expect(dead_code))]
impl Call {
    /// Waits for a fork that is under way; `None` if that lasts past the deadline.
    pub fn begin(deadline: Instant) -> Option<Self> {
        watch();
        let one_more = |calls| (calls & FORKING == 0).then_some(calls + 1);
        while CALLS.fetch_update(Ordering::Acquire, Ordering::Relaxed, one_more).is_err() {
            if Instant::now() >= deadline {
                return None;
            }
            park_timeout(PAUSE);
        }
        Some(Self(()))
    }

    /// Has something closed before every fork from now on, as long as it is there.
    pub fn close_before_forks(&self, closed: Weak<dyn Close>) {
        let mut all = CLOSED_BEFORE_FORKS.lock().unwrap_or_else(PoisonError::into_inner);
        all.retain(|other| other.strong_count() > 0);
        all.push(closed);
    }
}

impl Drop for Call {
    fn drop(&mut self) {
        CALLS.fetch_sub(1, Ordering::Release);
    }
}

fn watch() {
    static WATCHING: Once = Once::new();
    WATCHING.call_once(|| watch_forks(before, in_parent, in_child));
}

extern "C" fn before() {
    while CALLS.fetch_or(FORKING, Ordering::Acquire) & FORKING != 0 {
        park_timeout(PAUSE);
    }
    while CALLS.load(Ordering::Acquire) != FORKING {
        park_timeout(PAUSE);
    }
    let all = CLOSED_BEFORE_FORKS.lock().unwrap_or_else(PoisonError::into_inner);
    for closed in all.iter().filter_map(Weak::upgrade) {
        closed.close();
    }
}

extern "C" fn in_parent() {
    CALLS.store(0, Ordering::Release);
}

extern "C" fn in_child() {
    GENERATION.fetch_add(1, Ordering::Relaxed);
    CALLS.store(0, Ordering::Release);
}
