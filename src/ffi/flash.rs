use std::ffi::c_char;

use super::arguments::{TextOutput, handle, text};
use super::session::{core, khufu_session, on_session};
use super::status::khufu_status::{self, *};

/// Adds a message, given as JSON text, to the end of a queue: a later request shows it.
///
/// @param json     the message, one JSON value, nested at most 500 levels.
/// @param queue    the queue's name; (NULL, 0): the default queue.
/// @param allow_duplicate  false: a message that equals one in the queue is not added, and the session stays unchanged.
///                 Messages are compared as Python compares them: 1 equals 1.0, and the order of keys is ignored.
/// @return KHUFU_OK; KHUFU_ERR_JSON; KHUFU_ERR_TYPE (the queue's key holds something other than a list);
///         KHUFU_ERR_RANGE (as khufu_session_set). On an error nothing was added.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn khufu_session_flash(
    session: *mut khufu_session,
    json: *const c_char,
    json_len: usize,
    queue: *const c_char,
    queue_len: usize,
    allow_duplicate: bool,
) -> khufu_status {
    // SAFETY: the arguments are the caller's promise, as the header states it.
    unsafe {
        on_session(session, || {
            let (message, queue) = (text(json, json_len)?, text(queue, queue_len)?);
            Ok(core(session)?.queue(queue).allow_duplicate(allow_duplicate).push_json(message)?)
        })
    }
}

/// Adds a message, given as text, to the end of a queue: a later request shows it.
///
/// @param string   the message; it may hold NULs.
/// @param queue    the queue's name; (NULL, 0): the default queue.
/// @param allow_duplicate  false: a message that equals one in the queue is not added, and the session stays unchanged.
///                 Messages are compared as Python compares them: 1 equals 1.0, and the order of keys is ignored.
/// @return KHUFU_OK; KHUFU_ERR_TYPE (the queue's key holds something other than a list);
///         KHUFU_ERR_RANGE. On an error nothing was added.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn khufu_session_flash_string(
    session: *mut khufu_session,
    string: *const c_char,
    string_len: usize,
    queue: *const c_char,
    queue_len: usize,
    allow_duplicate: bool,
) -> khufu_status {
    // SAFETY: the arguments are the caller's promise, as the header states it.
    unsafe {
        on_session(session, || {
            let (message, queue) = (text(string, string_len)?, text(queue, queue_len)?);
            Ok(core(session)?.queue(queue).allow_duplicate(allow_duplicate).push_str(message)?)
        })
    }
}

/// Takes all messages out of a queue.
///
/// @param queue    the queue's name; (NULL, 0): the default queue.
/// @param json     set to a JSON array of the messages, the oldest first, "[]" if there is none; borrowed.
/// @return KHUFU_OK; KHUFU_ERR_TYPE (the queue's key holds something other than a list, or NaN; the queue stays);
///         KHUFU_ERR_ARGUMENT.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn khufu_session_pop_flash(
    session: *mut khufu_session,
    queue: *const c_char,
    queue_len: usize,
    json: *mut *const c_char,
    json_len: *mut usize,
) -> khufu_status {
    // SAFETY: the arguments are the caller's promise, as the header states it.
    unsafe {
        on_session(session, || {
            let output = TextOutput::cleared(json, json_len)?;
            output.put(core(session)?.queue(text(queue, queue_len)?).pop_json()?);
            Ok(())
        })
    }
}

/// All messages of a queue, which stay there.
///
/// @param queue    the queue's name; (NULL, 0): the default queue.
/// @param json     set to a JSON array of the messages, the oldest first, "[]" if there is none; borrowed.
/// @return KHUFU_OK; KHUFU_ERR_TYPE (the queue's key holds something other than a list, or NaN; the queue stays);
///         KHUFU_ERR_ARGUMENT.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn khufu_session_peek_flash(
    session: *mut khufu_session,
    queue: *const c_char,
    queue_len: usize,
    json: *mut *const c_char,
    json_len: *mut usize,
) -> khufu_status {
    // SAFETY: the arguments are the caller's promise, as the header states it.
    unsafe {
        on_session(session, || {
            let output = TextOutput::cleared(json, json_len)?;
            output.put(core(session)?.queue(text(queue, queue_len)?).peek_json()?);
            Ok(())
        })
    }
}

/// The next message of a queue as text, the oldest first: the text of a string, or the JSON text of another value. The
/// messages stay in the queue; take them out with khufu_session_pop_flash after the loop.
///
/// @param queue    the queue's name; (NULL, 0): the default queue.
/// @param cursor   0 before the first call; each call moves it on.
/// @param string   set to the message, borrowed. It may hold NULs. A lone surrogate in it shows as U+FFFD.
/// @return KHUFU_OK; KHUFU_NOT_FOUND (at the end); KHUFU_ERR_TYPE (the queue's key holds something other than a list).
#[unsafe(no_mangle)]
pub unsafe extern "C" fn khufu_session_next_flash(
    session: *mut khufu_session,
    queue: *const c_char,
    queue_len: usize,
    cursor: *mut usize,
    string: *mut *const c_char,
    string_len: *mut usize,
) -> khufu_status {
    // SAFETY: the arguments are the caller's promise, as the header states it.
    unsafe {
        on_session(session, || {
            let output = TextOutput::cleared(string, string_len)?;
            let cursor = handle(cursor)?;
            let queue = core(session)?.queue(text(queue, queue_len)?);
            output.put(queue.next_text(cursor)?.ok_or(KHUFU_NOT_FOUND)?);
            Ok(())
        })
    }
}
