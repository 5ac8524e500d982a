//! Work that may wait for a store.

use std::panic::resume_unwind;
use std::pin::Pin;
use std::task::{Context, Poll};

use tokio::runtime::Handle;
use tokio::task::JoinHandle;

/// Work that was done at once, or that a thread of tokio's pool for blocking calls does.
pub(super) enum Job<T> {
    Done(Option<T>),
    Running(JoinHandle<T>),
}

impl<T: Send + 'static> Job<T> {
    /// Begins the work: on the pool if it may wait and a tokio runtime is there, and otherwise on this thread.
    pub fn begin(may_wait: bool, work: impl FnOnce() -> T + Send + 'static) -> Self {
        match Handle::try_current() {
            Ok(runtime) if may_wait => Self::Running(runtime.spawn_blocking(work)),
            _ => Self::Done(Some(work())),
        }
    }
}

impl<T: Unpin> Future for Job<T> {
    type Output = T;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<T> {
        match &mut *self {
            Self::Done(result) => Poll::Ready(result.take().expect("a job is polled until it is ready")),
            Self::Running(task) => Pin::new(task).poll(context).map(|joined| match joined {
                Ok(result) => result,
                Err(error) if error.is_panic() => resume_unwind(error.into_panic()),
                Err(_) => panic!("the runtime was shut down"),
            }),
        }
    }
}
