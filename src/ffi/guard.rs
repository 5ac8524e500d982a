//! Turns the result of a Rust function into a status. No other file does this.

use std::ffi::{CStr, CString, c_char};
use std::panic::{AssertUnwindSafe, catch_unwind};

use super::status::{khufu_status, message};
use crate::error::Error;

/// The reason why a call did not succeed: a status and, for an error, its detail.
pub(super) struct Failure {
    status: khufu_status,
    detail: Option<String>,
}

impl Failure {
    pub fn new(status: khufu_status, detail: &str) -> Self {
        Self { status, detail: Some(detail.to_owned()) }
    }
}

/// A failure whose detail is only the status's message.
impl From<khufu_status> for Failure {
    fn from(status: khufu_status) -> Self {
        Self { status, detail: None }
    }
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Self { status: (&error).into(), detail: Some(error.to_string()) }
    }
}

/// The detail of the last failure, which a handle keeps for its error function.
#[derive(Default)]
pub(super) struct Detail(Option<CString>);

impl Detail {
    pub fn set(&mut self, text: &str) {
        // Only a text from the caller can contain NULs. They are dropped.
        let bytes: Vec<u8> = text.bytes().filter(|byte| *byte != 0).collect();
        self.0 = CString::new(bytes).ok();
    }

    pub fn as_ptr(&self) -> *const c_char {
        self.0.as_deref().unwrap_or(c"").as_ptr()
    }

    fn record(&mut self, failure: &Failure) {
        match &failure.detail {
            Some(detail) => self.set(detail),
            None if failure.status == khufu_status::KHUFU_NOT_FOUND => {}
            None => self.set(&text(message(failure.status))),
        }
    }
}

fn text(message: &CStr) -> String {
    message.to_string_lossy().into_owned()
}

/// Runs the body of a call. A panic becomes a status.
pub(super) fn guard(body: impl FnOnce() -> Result<(), Failure>) -> khufu_status {
    caught(body).map_or_else(|failure| failure.status, |()| khufu_status::KHUFU_OK)
}

/// Runs the body of a call, and records the detail of a failure in what `detail` returns. A panic becomes a status.
pub(super) fn guard_with<'d>(
    detail: impl FnOnce() -> Option<&'d mut Detail>,
    body: impl FnOnce() -> Result<(), Failure>,
) -> khufu_status {
    match caught(body) {
        Ok(()) => khufu_status::KHUFU_OK,
        Err(failure) => {
            if let Some(detail) = detail() {
                detail.record(&failure);
            }
            failure.status
        }
    }
}

/// Returns the value of a function that cannot fail. After a panic, returns `otherwise`.
pub(super) fn value<T>(otherwise: T, body: impl FnOnce() -> T) -> T {
    catch_unwind(AssertUnwindSafe(body)).unwrap_or(otherwise)
}

// After a panic, a handle may be half changed. It is still safe to use, because the core has no unsafe code.
fn caught(body: impl FnOnce() -> Result<(), Failure>) -> Result<(), Failure> {
    catch_unwind(AssertUnwindSafe(body)).unwrap_or_else(|_| Err(khufu_status::KHUFU_ERR_INTERNAL.into()))
}
