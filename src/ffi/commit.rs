use std::ffi::c_char;
use std::time::Duration;

use super::arguments::{TextOutput, handle};
use super::guard::{Failure, guard};
use super::session::{core, khufu_session, limit, on_session};
use super::status::khufu_status::{self, *};
use crate::session::Outcome;
use crate::sys::wiped::WipedText;

/// A flag of khufu_session_commit: the request ended in an exception. Without the option set_on_exception nothing is
/// written then, except that an invalidated session ends; what was set after khufu_session_invalidate is dropped.
pub const KHUFU_COMMIT_EXCEPTION: u32 = 1;

/// Writes the session if it changed, and makes the headers that the response needs: get them with khufu_session_header
/// or khufu_session_headers.
///
/// The commits of one request add up: send the headers that are there after the last one. An invalidated session gives
/// Set-Cookie values that clear the browser's cookie, if the browser has one: two if the option domain is set (with it,
/// and without it), otherwise one.
///
/// On an error the session is as it was, still changed, and the headers are those of the last commit that succeeded. An
/// invalidated session's headers clear the cookie even if the store fails, so that a logout reaches the browser.
///
/// @param flags  0 or KHUFU_COMMIT_EXCEPTION.
/// @return KHUFU_OK;
///         KHUFU_ERR_TOO_LARGE: browsers would drop the cookie, because its value would have more than 4064 bytes, or name
///         and value together more than 4096. Delete a key and commit again;
///         KHUFU_ERR_UNSUPPORTED: the browser's session could not be read here and is not overwritten. Invalidate it to
///         begin a new one;
///         KHUFU_ERR_KEY: the library in the option library keeps one of the session's keys for itself;
///         KHUFU_ERR_RANGE: an integer that a pickle cannot hold, or a sum of khufu_session_increment that overflows once
///         another request has added to it;
///         KHUFU_ERR_STORE: commit again; what was saved without an answer is not done twice;
///         KHUFU_ERR_CONFLICT: commit again; if that does not help, open the session anew;
///         KHUFU_ERR_GONE: another request has ended the session or given it a new id. There is no Set-Cookie header;
///         KHUFU_ERR_RANDOM.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn khufu_session_commit(session: *mut khufu_session, flags: u32) -> khufu_status {
    // SAFETY: the handle is the caller's promise.
    unsafe { khufu_session_commit_with(session, flags, -1.0) }
}

/// Commits as khufu_session_commit does, within a limit.
///
/// @param flags    0 or KHUFU_COMMIT_EXCEPTION.
/// @param seconds  how long the store may take, if that is less than the option store_timeout; negative: store_timeout;
///                 0: a session that is to be written to a store fails at once with KHUFU_ERR_STORE.
/// @return as khufu_session_commit.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn khufu_session_commit_with(
    session: *mut khufu_session,
    flags: u32,
    seconds: f64,
) -> khufu_status {
    // SAFETY: the handle is the caller's promise.
    unsafe {
        on_session(session, || {
            let session = core(session)?;
            if flags & !KHUFU_COMMIT_EXCEPTION != 0 {
                return Err(Failure::new(KHUFU_ERR_ARGUMENT, "an unknown flag of commit"));
            }
            let outcome = if flags & KHUFU_COMMIT_EXCEPTION == 0 { Outcome::Response } else { Outcome::Exception };
            session.commit_within(outcome, limit(seconds)?.unwrap_or(Duration::MAX))?;
            Ok(())
        })
    }
}

/// A header that the response needs after the commits so far: Set-Cookie, Vary or Cache-Control. Add it to the response's
/// own headers: a Vary joins those that are there, and a Cache-Control must not weaken no-store or private.
///
/// @param index  counted from 0.
/// @param name   set to the header's name, borrowed.
/// @param value  set to the header's value, borrowed.
/// @return KHUFU_OK; KHUFU_NOT_FOUND (past the last).
#[unsafe(no_mangle)]
pub unsafe extern "C" fn khufu_session_header(
    session: *const khufu_session,
    index: usize,
    name: *mut *const c_char,
    name_len: *mut usize,
    value: *mut *const c_char,
    value_len: *mut usize,
) -> khufu_status {
    guard(|| {
        // SAFETY: the handle and the outputs are the caller's promise; the session is not changed.
        let (outputs, session) =
            unsafe { ((TextOutput::cleared(name, name_len), TextOutput::cleared(value, value_len)), session.as_ref()) };
        let (name_output, value_output) = (outputs.0?, outputs.1?);
        let session = session.and_then(|handle| handle.session.as_ref()).ok_or(KHUFU_ERR_ARGUMENT)?;
        let (name, value) = session.header(index).ok_or(KHUFU_NOT_FOUND)?;
        name_output.put(name);
        value_output.put(value);
        Ok(())
    })
}

/// All headers that the response needs after the commits so far, as one text of lines: "Name: value\r\n". Bindings use it
/// to cross the border once.
///
/// @param headers  set to the text, borrowed until the next call on the session; empty if there are no headers.
/// @return KHUFU_OK.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn khufu_session_headers(
    session: *mut khufu_session,
    headers: *mut *const c_char,
    headers_len: *mut usize,
) -> khufu_status {
    // SAFETY: the arguments are the caller's promise, as the header states it.
    unsafe {
        on_session(session, || {
            let output = TextOutput::cleared(headers, headers_len)?;
            let khufu_session { session, made, .. } = handle(session)?;
            let session = session.as_ref().ok_or(KHUFU_ERR_ARGUMENT)?;
            let length = session.headers().map(|(name, value)| name.len() + value.len() + ": \r\n".len()).sum();
            let mut text = WipedText::with_capacity(length);
            for (name, value) in session.headers() {
                for part in [name, ": ", value, "\r\n"] {
                    text.push_str(part);
                }
            }
            *made = text;
            output.put(made.as_str());
            Ok(())
        })
    }
}

/// The value that the session's cookie carries now, for another way to transport it: see khufu_session_open_value.
///
/// @param data  set to the value, borrowed until the next call on the session.
/// @return KHUFU_OK; KHUFU_NOT_FOUND (there is no cookie, or it is to be cleared, or a session in a cookie has changes that
///         are not committed); KHUFU_ERR_UNSUPPORTED (of a custom serializer); KHUFU_ERR_RANDOM.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn khufu_session_value(
    session: *mut khufu_session,
    data: *mut *const c_char,
    len: *mut usize,
) -> khufu_status {
    // SAFETY: the arguments are the caller's promise, as the header states it.
    unsafe {
        on_session(session, || {
            let output = TextOutput::cleared(data, len)?;
            let khufu_session { session, made, .. } = handle(session)?;
            let value = session.as_ref().ok_or(KHUFU_ERR_ARGUMENT)?.value()?.ok_or(KHUFU_NOT_FOUND)?;
            *made = WipedText::from(value.as_str());
            output.put(made.as_str());
            Ok(())
        })
    }
}
