use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use crate::sys::lock;
/// A pool that lends each item to one thread at a time, and at most a fixed number of items at once. The borrower makes
/// an item when there is none.
pub(super) struct Pool<T> {
    state: Mutex<State<T>>,
    returned: Condvar,
}

struct State<T> {
    idle: Vec<T>,
    /// How many more items may be lent.
    left: usize,
}

/// A borrowed item, which returns to the pool when this is dropped.
pub(super) struct Loan<'pool, T> {
    pool: &'pool Pool<T>,
    /// The item. `None` if the borrower has not made it yet, or if it must not be used again.
    pub item: Option<T>,
}

impl<T> Pool<T> {
    pub fn new(most: usize) -> Self {
        Self { state: Mutex::new(State { idle: Vec::new(), left: most }), returned: Condvar::new() }
    }

    /// Waits until an item may be lent. Returns `None` if the deadline passes before that.
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
        Some(Loan { pool: self, item: state.idle.pop() })
    }

    /// Drops the items that are not lent.
    pub fn clear(&self) {
        let idle = std::mem::take(&mut self.lock().idle);
        drop(idle);
    }

    fn lock(&self) -> MutexGuard<'_, State<T>> {
        lock(&self.state)
    }
}

impl<T> Drop for Loan<'_, T> {
    fn drop(&mut self) {
        let mut state = self.pool.lock();
        state.left += 1;
        state.idle.extend(self.item.take());
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
    fn a_pool_lends_at_most_its_number_of_items() {
        let pool = Pool::new(1);
        let mut loan = pool.borrow(Instant::now()).unwrap();
        assert_eq!(loan.item, None);
        loan.item = Some("an item");

        let begin = Instant::now();
        assert!(pool.borrow(begin + Duration::from_millis(20)).is_none());
        assert!(begin.elapsed() >= Duration::from_millis(20));

        thread::scope(|scope| {
            let next = scope.spawn(|| pool.borrow(Instant::now() + Duration::from_secs(30)).unwrap().item.take());
            thread::sleep(Duration::from_millis(20));
            drop(loan);
            assert_eq!(next.join().unwrap(), Some("an item"));
        });
        assert_eq!(pool.borrow(Instant::now()).unwrap().item, None, "the item was not returned");
    }

    #[test]
    fn a_cleared_pool_lends_as_many_as_before() {
        let pool = Pool::new(1);
        pool.borrow(Instant::now()).unwrap().item = Some("an item");
        pool.clear();
        assert_eq!(pool.borrow(Instant::now()).unwrap().item, None);
    }
}
