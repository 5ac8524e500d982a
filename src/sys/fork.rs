//! Makes forks safe: a fork waits until no call is in progress, and state that a child must not reuse is closed first.
//!
//! A child process has a copy of its parent's memory, but only one of its threads. A lock that another thread held is
//! never released in the child. SQLite counts its locks on a file for the whole process, so in a child it would assume
//! that it has locks which only the parent has.

use crate::sys::lock;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Mutex, Once, Weak};
use std::thread::park_timeout;
use std::time::{Duration, Instant};

/// The number of calls in progress. The bit `FORKING` is set during a fork.
static CALLS: AtomicUsize = AtomicUsize::new(0);
const FORKING: usize = 1 << (usize::BITS - 1);

static GENERATION: AtomicU64 = AtomicU64::new(0);
static CLOSED_BEFORE_FORKS: Mutex<Vec<Weak<dyn Close>>> = Mutex::new(Vec::new());

/// The time between two checks while a thread waits.
const PAUSE: Duration = Duration::from_micros(20);

/// A number that differs between a process and all its ancestors: the number of forks since it was first asked for.
pub(crate) fn generation() -> u64 {
    watch();
    GENERATION.load(Ordering::Relaxed)
}

/// State that a forked child must not reuse.
pub(crate) trait Close: Send + Sync {
    /// Closes the state. This is called before the process forks, when no [`Call`] is in progress.
    fn close(&self);
}

/// A call that must not be interrupted by a fork. A thread that forks waits until the `Call` is dropped.
pub(crate) struct Call(());

#[cfg_attr(not(feature = "sqlite"), expect(dead_code))]
impl Call {
    /// Begins a call. Waits if a fork is in progress; `None` if it is not finished at the deadline.
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

    /// From now on, closes this state before every fork, for as long as the state exists.
    pub fn close_before_forks(&self, closed: Weak<dyn Close>) {
        let mut all = lock(&CLOSED_BEFORE_FORKS);
        all.retain(|other| other.strong_count() > 0);
        all.push(closed);
    }
}

impl Drop for Call {
    fn drop(&mut self) {
        CALLS.fetch_sub(1, Ordering::Release);
    }
}

/// Begins to watch this process's forks, once.
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
    let all = lock(&CLOSED_BEFORE_FORKS);
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

/// Registers functions that are called on the thread that forks: before every `fork`, and after it in the parent and in
/// the child. They cannot be removed, except by unloading the library.
///
/// # Panics
/// If there is not enough memory to register them.
#[cfg(unix)]
#[allow(unsafe_code)]
fn watch_forks(before: extern "C" fn(), in_parent: extern "C" fn(), in_child: extern "C" fn()) {
    // SAFETY: the functions have the required type, are safe to call, and exist as long as the library is loaded.
    let status = unsafe { libc::pthread_atfork(Some(before), Some(in_parent), Some(in_child)) };
    assert_eq!(status, 0, "there must be memory to watch forks");
}

#[cfg(not(unix))]
fn watch_forks(_: extern "C" fn(), _: extern "C" fn(), _: extern "C" fn()) {}

#[cfg(all(test, unix))]
#[allow(unsafe_code)]
pub(crate) mod tests {
    use std::panic::{AssertUnwindSafe, catch_unwind};
    use std::thread::sleep;
    use std::time::{Duration, Instant};

    /// A child of this process.
    pub(crate) struct Child(libc::pid_t);

    impl Child {
        /// Forks. The child does the work and exits.
        pub fn fork(work: impl FnOnce()) -> Self {
            // SAFETY: a child of a process with threads may call only functions that are safe after a fork. The C
            // library's allocator is. The tests show that the stores are.
            match unsafe { libc::fork() } {
                -1 => panic!("fork failed: {}", std::io::Error::last_os_error()),
                0 => {
                    let status = i32::from(catch_unwind(AssertUnwindSafe(work)).is_err());
                    // SAFETY: this ends the child without running the parent's exit handlers.
                    unsafe { libc::_exit(status) }
                }
                pid => Self(pid),
            }
        }

        /// True if the child did its work without a panic. A child that takes longer than 30 seconds is killed.
        pub fn succeeds(self) -> bool {
            let limit = Instant::now() + Duration::from_secs(30);
            let mut status = 0;
            // SAFETY: the child belongs to this process and was not waited for yet, and `status` outlives the call.
            while unsafe { libc::waitpid(self.0, &mut status, libc::WNOHANG) } == 0 {
                if Instant::now() > limit {
                    // SAFETY: the child was not waited for yet, so its process id is still valid.
                    unsafe {
                        libc::kill(self.0, libc::SIGKILL);
                        libc::waitpid(self.0, &mut status, 0);
                    }
                    return false;
                }
                sleep(Duration::from_millis(2));
            }
            status == 0
        }
    }
}
