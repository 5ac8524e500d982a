use std::ffi::c_char;

use super::arguments::{TextOutput, handle, text};
use super::session::{core, khufu_session, on_session};
use super::status::khufu_status::{self, *};

/// Adds a message, given as JSON text, to the end of a queue, so that a later request can show it.
///
/// @param json             the message.
/// @param queue            the name of the queue. The default queue has the empty name.
/// @param allow_duplicate  if false, the message is not added when the queue already has an equal one. Messages are
///                         compared as Python compares them: 1 equals 1.0, and the order of keys is ignored.
/// @return KHUFU_OK; KHUFU_ERR_JSON if the message is not JSON; KHUFU_ERR_RANGE if it contains a number that Python
///         cannot read; KHUFU_ERR_TYPE if the queue's key holds something other than a list.
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
    // SAFETY: the caller passes valid arguments, as the header requires.
    unsafe {
        on_session(session, || {
            let (message, queue) = (text(json, json_len)?, text(queue, queue_len)?);
            Ok(core(session)?.queue(queue).allow_duplicate(allow_duplicate).push_json(message)?)
        })
    }
}

/// Adds a message, given as text, to the end of a queue, so that a later request can show it.
///
/// @param string           the message. It may contain NULs.
/// @param queue            the name of the queue. The default queue has the empty name.
/// @param allow_duplicate  if false, the message is not added when the queue already has the same text.
/// @return KHUFU_OK; KHUFU_ERR_TYPE if the queue's key holds something other than a list.
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
    // SAFETY: the caller passes valid arguments, as the header requires.
    unsafe {
        on_session(session, || {
            let (message, queue) = (text(string, string_len)?, text(queue, queue_len)?);
            Ok(core(session)?.queue(queue).allow_duplicate(allow_duplicate).push_str(message)?)
        })
    }
}

/// Removes all messages from a queue, and gets them as a JSON array.
///
/// @param queue  the name of the queue. The default queue has the empty name.
/// @param json   set to the array, borrowed. The oldest message comes first. "[]" if there are no messages.
/// @return KHUFU_OK; KHUFU_ERR_TYPE if the queue's key holds something other than a list, or if the list contains NaN
///         or an infinity. The messages stay in the queue then.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn khufu_session_pop_flash(
    session: *mut khufu_session,
    queue: *const c_char,
    queue_len: usize,
    json: *mut *const c_char,
    json_len: *mut usize,
) -> khufu_status {
    // SAFETY: the caller passes valid arguments, as the header requires.
    unsafe {
        on_session(session, || {
            let output = TextOutput::cleared(json, json_len)?;
            output.put(core(session)?.queue(text(queue, queue_len)?).pop_json()?);
            Ok(())
        })
    }
}

/// Gets the messages of a queue as a JSON array. They stay in the queue.
///
/// @param queue  the name of the queue. The default queue has the empty name.
/// @param json   set to the array, borrowed. The oldest message comes first. "[]" if there are no messages.
/// @return KHUFU_OK; KHUFU_ERR_TYPE if the queue's key holds something other than a list, or if the list contains NaN
///         or an infinity.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn khufu_session_peek_flash(
    session: *mut khufu_session,
    queue: *const c_char,
    queue_len: usize,
    json: *mut *const c_char,
    json_len: *mut usize,
) -> khufu_status {
    // SAFETY: the caller passes valid arguments, as the header requires.
    unsafe {
        on_session(session, || {
            let output = TextOutput::cleared(json, json_len)?;
            output.put(core(session)?.queue(text(queue, queue_len)?).peek_json()?);
            Ok(())
        })
    }
}

/// Gets the next message of a queue as text. The oldest message comes first. A message that is not a string is given as
/// JSON text. The messages stay in the queue; call khufu_session_pop_flash after the loop to remove them.
///
/// @param queue   the name of the queue. The default queue has the empty name.
/// @param cursor  the position in the loop. Set it to 0 before the first call. Each call moves it to the next message.
/// @param string  set to the message, borrowed. It may contain NULs. A lone surrogate in it is replaced by U+FFFD.
/// @return KHUFU_OK; KHUFU_NOT_FOUND at the end; KHUFU_ERR_TYPE if the queue's key holds something other than a list.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn khufu_session_next_flash(
    session: *mut khufu_session,
    queue: *const c_char,
    queue_len: usize,
    cursor: *mut usize,
    string: *mut *const c_char,
    string_len: *mut usize,
) -> khufu_status {
    // SAFETY: the caller passes valid arguments, as the header requires.
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
