//! A value that each process makes anew.

use std::ops::Deref;
use std::sync::Arc;

use arc_swap::ArcSwap;

use crate::sys::fork;

/// A value that a child makes anew after a fork. The child abandons the parent's value: it takes none of its locks, and
/// does not drop or close it, because other threads of the parent may have been using it during the fork.
pub(crate) struct PerProcess<T> {
    current: ArcSwap<ProcessValue<T>>,
    make: Box<dyn Fn() -> T + Send + Sync>,
}

impl<T> PerProcess<T> {
    /// Makes the value of this process. Children call `make` again. If several threads of a child need the value at the
    /// same time, more than one value may be made, and all but one are dropped.
    pub fn new(make: impl Fn() -> T + Send + Sync + 'static) -> Self {
        Self { current: ArcSwap::from_pointee(ProcessValue::new(make())), make: Box::new(make) }
    }

    /// The value of this process.
    pub fn get(&self) -> Arc<ProcessValue<T>> {
        let current = self.current.load_full();
        if current.belongs_to_this_process() {
            return current;
        }
        self.current.compare_and_swap(&current, Arc::new(ProcessValue::new((self.make)())));
        self.current.load_full()
    }
}

/// A value that belongs to one process. In another process, dropping it does nothing.
pub(crate) struct ProcessValue<T> {
    generation: u64,
    value: Option<T>,
}

impl<T> ProcessValue<T> {
    fn new(value: T) -> Self {
        Self { generation: fork::generation(), value: Some(value) }
    }

    fn belongs_to_this_process(&self) -> bool {
        self.generation == fork::generation()
    }
}

impl<T> Deref for ProcessValue<T> {
    type Target = T;

    fn deref(&self) -> &T {
        self.value.as_ref().expect("only drop takes the value")
    }
}

impl<T> Drop for ProcessValue<T> {
    fn drop(&mut self) {
        if !self.belongs_to_this_process() {
            std::mem::forget(self.value.take());
        }
    }
}

#[cfg(all(test, unix))]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::PerProcess;
    use crate::sys::fork::tests::Child;

    /// Counts how many values were made and how many were dropped.
    struct Counted {
        number: usize,
        dropped: Arc<AtomicUsize>,
    }

    impl Drop for Counted {
        fn drop(&mut self) {
            self.dropped.fetch_add(1, Ordering::Relaxed);
        }
    }

    fn counted() -> (PerProcess<Counted>, Arc<AtomicUsize>) {
        let (made, dropped) = (AtomicUsize::new(0), Arc::new(AtomicUsize::new(0)));
        let counter = Arc::clone(&dropped);
        let make = move || Counted { number: made.fetch_add(1, Ordering::Relaxed), dropped: Arc::clone(&counter) };
        (PerProcess::new(make), dropped)
    }

    #[test]
    fn each_process_makes_its_own_value_once() {
        let (value, dropped) = counted();
        assert_eq!([value.get().number, value.get().number], [0, 0]);
        let child = Child::fork(|| {
            assert_eq!([value.get().number, value.get().number], [1, 1]);
            assert!(Child::fork(|| assert_eq!(value.get().number, 2)).succeeds());
            assert_eq!(value.get().number, 1);
            assert_eq!(dropped.load(Ordering::Relaxed), 0, "the parent's value is abandoned");
        });
        assert!(child.succeeds());
        assert_eq!(value.get().number, 0);
        drop(value);
        assert_eq!(dropped.load(Ordering::Relaxed), 1);
    }

    #[test]
    fn a_child_drops_no_value_of_its_parent() {
        let (value, dropped) = counted();
        let child = Child::fork(|| {
            drop(value);
            assert_eq!(dropped.load(Ordering::Relaxed), 0);
        });
        assert!(child.succeeds());
        let (value, dropped) = counted();
        let child = Child::fork(|| {
            value.get();
            drop(value);
            assert_eq!(dropped.load(Ordering::Relaxed), 1, "its own");
        });
        assert!(child.succeeds());
    }
}
