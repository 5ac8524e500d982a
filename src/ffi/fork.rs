//! Word of forks, from the C library.

/// Has the functions called around every `fork`, on the thread that forks: just before it, and just after it in the
/// parent and in the child. There is no taking it back; they go when the library is unloaded.
///
/// # Panics
/// If there is no memory for the note.
#[cfg(unix)]
pub(crate) fn watch_forks(before: extern "C" fn(), in_parent: extern "C" fn(), in_child: extern "C" fn()) {
    // SAFETY: the functions have the type that is asked for, are safe to call, and live as long as the library.
    let status = unsafe { libc::pthread_atfork(Some(before), Some(in_parent), Some(in_child)) };
    assert_eq!(status, 0, "there is no memory to watch forks");
}

#[cfg(not(unix))]
pub(crate) fn watch_forks(_: extern "C" fn(), _: extern "C" fn(), _: extern "C" fn()) {}

#[cfg(all(test, unix))]
pub(crate) mod tests {
    use std::panic::{AssertUnwindSafe, catch_unwind};
    use std::thread::sleep;
    use std::time::{Duration, Instant};

    /// A child of this process.
    pub(crate) struct Child(libc::pid_t);

    impl Child {
        /// Forks; the child does the work and ends.
        pub fn fork(work: impl FnOnce()) -> Self {
            // SAFETY: a child of a process with threads may call only what bears it. The C library's allocator does;
            // that the store does is what is tested.
            match unsafe { libc::fork() } {
                -1 => panic!("no fork: {}", std::io::Error::last_os_error()),
                0 => {
                    let status = i32::from(catch_unwind(AssertUnwindSafe(work)).is_err());
                    // SAFETY: ends the child without running what the parent left to be run at its exit.
                    unsafe { libc::_exit(status) }
                }
                pid => Self(pid),
            }
        }

        /// Whether the child did its work and had no panic. One that hangs for half a minute is killed.
        pub fn succeeds(self) -> bool {
            let limit = Instant::now() + Duration::from_secs(30);
            let mut status = 0;
            // SAFETY: the child is this process's own and has not been waited for yet; status outlives the call.
            while unsafe { libc::waitpid(self.0, &mut status, libc::WNOHANG) } == 0 {
                if Instant::now() > limit {
                    // SAFETY: as above; a child that was not waited for keeps its number.
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
