use std::ffi::c_char;
use std::time::Duration;

use super::arguments::{TextOutput, handle};
use super::guard::{Failure, guard};
use super::session::{core, khufu_session, limit, on_session};
use super::status::khufu_status::{self, *};
use crate::session::Outcome;
use crate::sys::wiped::WipedText;

/// A flag for khufu_session_commit and khufu_session_commit_with: the request ended in an exception. If the option
/// set_on_exception is off, the session is not written then. A session that was invalidated still ends, but data that
/// were set after that are dropped.
pub const KHUFU_COMMIT_EXCEPTION: u32 = 1;

/// Writes the session if it was changed, and makes the headers that the response needs. Call it at the end of every
/// request. Then get the headers with khufu_session_header or khufu_session_headers.
///
/// If a request commits more than once, send the headers that khufu returns after the last commit.
///
/// If the session was invalidated and the browser has its cookie, the headers clear it: with one Set-Cookie header, or
/// with two if the option domain is set (one with the domain, one without).
///
/// After an error the session still has its changes, so that it can be committed again, and the headers are those of
/// the earlier commits. If the session was invalidated, the headers clear the browser's cookie even if the store
/// failed.
///
/// @param flags  0 or KHUFU_COMMIT_EXCEPTION.
/// @return KHUFU_OK, or one of these:
///         - KHUFU_ERR_TOO_LARGE if browsers would drop the cookie, because its value has more than 4064 bytes, or its
///           name and value together have more than 4096. Delete a key and commit again.
///         - KHUFU_ERR_UNSUPPORTED if the browser's session is valid but could not be read here (call
///           khufu_session_invalidate first to replace it), or if a custom serializer cannot write the session.
///         - KHUFU_ERR_KEY if the session has a key that Beaker uses itself, and the option library is beaker.
///         - KHUFU_ERR_RANGE if the session is too long (4 GiB in a store, 1 MiB of JSON for Beaker), if the option
///           serializer is pickle and the session contains an integer of more than 4,300 digits, or if another request
///           changed the integer of a khufu_session_increment so that the sum no longer fits in 64 bits.
///         - KHUFU_ERR_STORE if the store failed or took too long. Commit again; no change is made twice.
///         - KHUFU_ERR_PENDING if a custom store has not answered yet. Commit again when it has.
///         - KHUFU_ERR_CONFLICT if other requests kept changing the session until store_timeout. Commit again. If that
///           fails too, open the session again.
///         - KHUFU_ERR_GONE if another request has ended the session or given it a new id. There is no Set-Cookie
///           header then.
///         - KHUFU_ERR_RANDOM if the system gives no random bytes.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn khufu_session_commit(session: *mut khufu_session, flags: u32) -> khufu_status {
    // SAFETY: the caller passes a valid handle, as the header requires.
    unsafe { khufu_session_commit_with(session, flags, -1.0) }
}

/// Commits the session like khufu_session_commit, but with a time limit for the store.
///
/// @param flags    0 or KHUFU_COMMIT_EXCEPTION.
/// @param seconds  how long to wait for the store, if that is less than the option store_timeout. If negative,
///                 store_timeout applies. If 0, writing to a store fails at once with KHUFU_ERR_STORE.
/// @return KHUFU_OK, or one of the statuses of khufu_session_commit.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn khufu_session_commit_with(
    session: *mut khufu_session,
    flags: u32,
    seconds: f64,
) -> khufu_status {
    // SAFETY: the caller passes a valid handle, as the header requires.
    unsafe {
        on_session(session, || {
            let session = core(session)?;
            if flags & !KHUFU_COMMIT_EXCEPTION != 0 {
                return Err(Failure::new(KHUFU_ERR_ARGUMENT, "flags must be 0 or KHUFU_COMMIT_EXCEPTION"));
            }
            let outcome = if flags & KHUFU_COMMIT_EXCEPTION == 0 { Outcome::Response } else { Outcome::Exception };
            session.commit_within(outcome, limit(seconds)?.unwrap_or(Duration::MAX))?;
            Ok(())
        })
    }
}

/// Gets one of the headers that the response needs after the commits so far: Set-Cookie, Vary or Cache-Control. Add all
/// of them to the response's other headers. If the response already has a Vary header, keep its values, too. If its
/// Cache-Control already has no-store or private, keep these.
///
/// @param index  0 for the first header.
/// @param name   set to the header's name, borrowed.
/// @param value  set to the header's value, borrowed.
/// @return KHUFU_OK; KHUFU_NOT_FOUND after the last header.
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
        // SAFETY: the caller passes a valid handle and outputs. The session is not changed.
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

/// Gets all headers that the response needs after the commits so far, as one text. Each header is a line: "Name:
/// value\r\n". Language bindings use it to get all headers with one call.
///
/// @param headers  set to the text, borrowed until the next call on the session. The text is empty if there are no
///                 headers.
/// @return KHUFU_OK.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn khufu_session_headers(
    session: *mut khufu_session,
    headers: *mut *const c_char,
    headers_len: *mut usize,
) -> khufu_status {
    // SAFETY: the caller passes valid arguments, as the header requires.
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

/// Gets the current value of the session's cookie, to send it in another way than in a cookie. khufu_session_open_value
/// opens it.
///
/// @param data  set to the value, borrowed until the next call on the session.
/// @return KHUFU_OK; KHUFU_NOT_FOUND if there is nothing to open, because the session is new and not committed, or
///         because it has ended, or because a session in a cookie has changes that are not committed;
///         KHUFU_ERR_UNSUPPORTED if a custom serializer cannot write the session; KHUFU_ERR_RANDOM if the value has to
///         be encrypted again and the system gives no random bytes.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn khufu_session_value(
    session: *mut khufu_session,
    data: *mut *const c_char,
    len: *mut usize,
) -> khufu_status {
    // SAFETY: the caller passes valid arguments, as the header requires.
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
