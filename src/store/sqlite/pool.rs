use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

/// Things that are made when they are needed, lent to one thread at a time, and no more than so many of them at once.
pub(super) struct Pool<T> {
    state: Mutex<State<T>>,
    returned: Condvar,
}

struct State<T> {
    idle: Vec<T>,
    /// How many may be lent still.
    left: usize,
}

/// The right to use one.
pub(super) struct Loan<'pool, T> {
    pool: &'pool Pool<T>,
    /// The thing; `None` where it has yet to be made, and where it shall not be used again.
    pub thing: Option<T>,
}

impl<T> Pool<T> {
    pub fn new(most: usize) -> Self {
        Self { state: Mutex::new(State { idle: Vec::new(), left: most }), returned: Condvar::new() }
    }

    /// Waits until one is free; `None` if that lasts past the deadline.
    pub fn borrow(&self, deadline: Instant) -> Option<Loan<'_, T>> {
        let left = deadline.saturating_duration_since(Instant::now());
        let (mut state, _) = self
            .returned
            .wait_timeout_while(self.lock(), left, |state| state.left == 0)
            .unwrap_or_else(PoisonError::into_inner);
        if state.left == 0 {
            return None;
        }
        state.left -= 1;
        Some(Loan { pool: self, thing: state.idle.pop() })
    }

    /// Drops those that are not lent.
    pub fn clear(&self) {
        let idle = std::mem::take(&mut self.lock().idle);
        drop(idle);
    }

    fn lock(&self) -> MutexGuard<'_, State<T>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<T> Drop for Loan<'_, T> {
    fn drop(&mut self) {
        let mut state = self.pool.lock();
        state.left += 1;
        state.idle.extend(self.thing.take());
        drop(state);
        self.pool.returned.notify_one();
    }
}

#[cfg(test)]
mod tests {
    use std::thread;
    use std::time::{Duration, Instant};

    use super::Pool;

    #[test]
    fn no_more_are_lent_than_there_may_be() {
        let pool = Pool::new(1);
        let mut loan = pool.borrow(Instant::now()).unwrap();
        assert_eq!(loan.thing, None);
        loan.thing = Some("a thing");

        let begin = Instant::now();
        assert!(pool.borrow(begin + Duration::from_millis(20)).is_none());
        assert!(begin.elapsed() >= Duration::from_millis(20));

        thread::scope(|scope| {
            let next = scope.spawn(|| pool.borrow(Instant::now() + Duration::from_secs(30)).unwrap().thing.take());
            thread::sleep(Duration::from_millis(20));
            drop(loan);
            assert_eq!(next.join().unwrap(), Some("a thing"));
        });
        assert_eq!(pool.borrow(Instant::now()).unwrap().thing, None, "it was not given back");
    }

    #[test]
    fn a_cleared_pool_lends_as_many_as_before() {
        let pool = Pool::new(1);
        pool.borrow(Instant::now()).unwrap().thing = Some("a thing");
        pool.clear();
        assert_eq!(pool.borrow(Instant::now()).unwrap().thing, None);
    }
}
