//! A value of which every process has its own.

use std::ops::Deref;
use std::sync::Arc;

use arc_swap::ArcSwap;

use crate::fork;

/// A value that is made anew in a child after a fork. The parent's is then abandoned: no lock in it is taken and
/// nothing in it is dropped or closed, for other threads of the parent may have been at work in it.
pub(crate) struct PerProcess<T> {
    current: ArcSwap<Own<T>>,
    make: Box<dyn Fn() -> T + Send + Sync>,
}

impl<T> PerProcess<T> {
    /// Makes the value of this process, and keeps `make` for its children. Where several threads of a child ask at
    /// once for the value, more than one may be made, and all but one dropped.
    pub fn new(make: impl Fn() -> T + Send + Sync + 'static) -> Self {
        Self { current: ArcSwap::from_pointee(Own::new(make())), make: Box::new(make) }
    }

    /// The value of this process.
    pub fn get(&self) -> Arc<Own<T>> {
        let current = self.current.load_full();
        if current.is_of_this_process() {
            return current;
        }
        self.current.compare_and_swap(&current, Arc::new(Own::new((self.make)())));
        self.current.load_full()
    }
}

/// A value and the process that it belongs to. In another, dropping it does nothing.
pub(crate) struct Own<T> {
    generation: u64,
    value: Option<T>,
}

impl<T> Own<T> {
    fn new(value: T) -> Self {
        Self { generation: fork::generation(), value: Some(value) }
    }

    fn is_of_this_process(&self) -> bool {
        self.generation == fork::generation()
    }
}

impl<T> Deref for Own<T> {
    type Target = T;

    fn deref(&self) -> &T {
        self.value.as_ref().expect("the value stays until the drop")
    }
}

impl<T> Drop for Own<T> {
    fn drop(&mut self) {
        if !self.is_of_this_process() {
            std::mem::forget(self.value.take());
        }
    }
}

#[cfg(all(test, unix))]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::PerProcess;
    use crate::ffi::fork::tests::Child;

    /// Counts how many were made and how many dropped.
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
            assert_eq!(dropped.load(Ordering::Relaxed), 0, "what was inherited is abandoned");
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
