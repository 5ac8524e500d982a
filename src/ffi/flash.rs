use std::ffi::c_char;

use super::arguments::{Output, TextOutput, bytes, text};
use super::session::{core, khufu_session, on_session};
use super::status::khufu_status;

/// Adds a message, given as JSON text, to the end of a queue: a later request shows it.
///
/// @param session  not NULL.
/// @param json     the message, one JSON value, nested at most 500 levels; copied; json_len KHUFU_NTS means up to the NUL.
/// @param queue    UTF-8; (NULL, 0) is the default queue, queue_len KHUFU_NTS means up to the NUL.
/// @param allow_duplicate whether a message that equals one in the queue, as Python compares them (1 equals 1.0, the order
///                 of keys is ignored), is added once more; else it is not, and the session is unchanged.
/// @return KHUFU_OK; KHUFU_ERR_JSON; KHUFU_ERR_TYPE (the queue's key holds something that is no list); KHUFU_ERR_UTF8;
///         KHUFU_ERR_RANGE (as khufu_session_set); KHUFU_ERR_ARGUMENT. On an error nothing was added.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn khufu_session_flash(
    session: *mut khufu_session,
    json: *const c_char,
    json_len: usize,
    queue: *const c_char,
    queue_len: usize,
    allow_duplicate: bool,
) -> khufu_status {
    // SAFETY: the arguments are the caller's promise, as the comment above states it.
    unsafe {
        on_session(session, || {
            let (message, queue) = (text(json, json_len)?, text(queue, queue_len)?);
            Ok(core(session)?.flash(message, queue, allow_duplicate)?)
        })
    }
}

/// Adds a message, given as text, to the end of a queue: a later request shows it.
///
/// @param session  not NULL.
/// @param string   the message, UTF-8, NULs and all; copied; (NULL, 0) is empty, string_len KHUFU_NTS means up to the NUL.
/// @param queue    UTF-8; (NULL, 0) is the default queue, queue_len KHUFU_NTS means up to the NUL.
/// @param allow_duplicate whether a message that equals one in the queue, as Python compares them (1 equals 1.0, the order
///                 of keys is ignored), is added once more; else it is not, and the session is unchanged.
/// @return KHUFU_OK; KHUFU_ERR_TYPE (the queue's key holds something that is no list); KHUFU_ERR_UTF8;
///         KHUFU_ERR_RANGE; KHUFU_ERR_ARGUMENT. On an error nothing was added.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn khufu_session_flash_string(
    session: *mut khufu_session,
    string: *const c_char,
    string_len: usize,
    queue: *const c_char,
    queue_len: usize,
    allow_duplicate: bool,
) -> khufu_status {
    // SAFETY: the arguments are the caller's promise, as the comment above states it.
    unsafe {
        on_session(session, || {
            let (message, queue) = (text(string, string_len)?, text(queue, queue_len)?);
            Ok(core(session)?.flash_string(message, queue, allow_duplicate)?)
        })
    }
}

/// Takes a queue out of the session.
///
/// @param session  not NULL.
/// @param queue    UTF-8; (NULL, 0) is the default queue, queue_len KHUFU_NTS means up to the NUL.
/// @param json     not NULL; set to a JSON array of the messages, the oldest first, "[]" where there is none; borrowed.
/// @param json_len not NULL; its length in bytes.
/// @return KHUFU_OK; KHUFU_ERR_TYPE (the queue's key holds something that is no list, or NaN; it stays); KHUFU_ERR_UTF8;
///         KHUFU_ERR_ARGUMENT.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn khufu_session_pop_flash(
    session: *mut khufu_session,
    queue: *const c_char,
    queue_len: usize,
    json: *mut *const c_char,
    json_len: *mut usize,
) -> khufu_status {
    // SAFETY: the arguments are the caller's promise, as the comment above states it.
    unsafe {
        on_session(session, || {
            let output = TextOutput::cleared(json, json_len)?;
            output.put(core(session)?.pop_flash(text(queue, queue_len)?)?);
            Ok(())
        })
    }
}

/// The messages of a queue, which stay there.
///
/// @param session  not NULL.
/// @param queue    UTF-8; (NULL, 0) is the default queue, queue_len KHUFU_NTS means up to the NUL.
/// @param json     not NULL; set to a JSON array of the messages, the oldest first, "[]" where there is none; borrowed.
/// @param json_len not NULL; its length in bytes.
/// @return KHUFU_OK; KHUFU_ERR_TYPE (the queue's key holds something that is no list, or NaN; it stays); KHUFU_ERR_UTF8;
///         KHUFU_ERR_ARGUMENT.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn khufu_session_peek_flash(
    session: *mut khufu_session,
    queue: *const c_char,
    queue_len: usize,
    json: *mut *const c_char,
    json_len: *mut usize,
) -> khufu_status {
    // SAFETY: the arguments are the caller's promise, as the comment above states it.
    unsafe {
        on_session(session, || {
            let output = TextOutput::cleared(json, json_len)?;
            output.put(core(session)?.peek_flash(text(queue, queue_len)?)?);
            Ok(())
        })
    }
}

/// The session's CSRF token; where it has none, a new one, which is set.
///
/// @param session  not NULL.
/// @param token    not NULL; set to the token, borrowed.
/// @param token_len not NULL; its length in bytes.
/// @return KHUFU_OK; KHUFU_ERR_RANDOM; KHUFU_ERR_ARGUMENT.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn khufu_session_csrf_token(
    session: *mut khufu_session,
    token: *mut *const c_char,
    token_len: *mut usize,
) -> khufu_status {
    // SAFETY: the arguments are the caller's promise, as the comment above states it.
    unsafe {
        on_session(session, || {
            let output = TextOutput::cleared(token, token_len)?;
            output.put(core(session)?.csrf_token()?);
            Ok(())
        })
    }
}

/// Sets a new CSRF token, 40 hex digits, and gives it.
///
/// @param session  not NULL.
/// @param token    not NULL; set to the token, borrowed.
/// @param token_len not NULL; its length in bytes.
/// @return KHUFU_OK; KHUFU_ERR_RANDOM; KHUFU_ERR_ARGUMENT.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn khufu_session_new_csrf_token(
    session: *mut khufu_session,
    token: *mut *const c_char,
    token_len: *mut usize,
) -> khufu_status {
    // SAFETY: the arguments are the caller's promise, as the comment above states it.
    unsafe {
        on_session(session, || {
            let output = TextOutput::cleared(token, token_len)?;
            output.put(core(session)?.new_csrf_token()?);
            Ok(())
        })
    }
}

/// Whether a token is the session's, compared in constant time. A session without a token refuses every one.
///
/// @param session  not NULL.
/// @param token    any bytes; (NULL, 0) is empty, token_len KHUFU_NTS means up to the NUL.
/// @param valid    not NULL; set to the answer.
/// @return KHUFU_OK, whatever the answer; KHUFU_ERR_ARGUMENT.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn khufu_session_check_csrf_token(
    session: *mut khufu_session,
    token: *const c_char,
    token_len: usize,
    valid: *mut bool,
) -> khufu_status {
    // SAFETY: the arguments are the caller's promise, as the comment above states it.
    unsafe {
        on_session(session, || {
            let output = Output::cleared(valid, false)?;
            let token = bytes(token, token_len)?;
            output.put(core(session)?.check_csrf_token(token));
            Ok(())
        })
    }
}
