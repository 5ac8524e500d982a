use std::ffi::c_char;

use super::arguments::{Output, TextOutput, text};
use super::guard::value;
use super::session::{core, khufu_session, on_session};
use super::status::khufu_status::{self, *};

/// The value of a key as JSON text.
///
/// @param session  not NULL.
/// @param key      UTF-8; (NULL, 0) is the empty key, key_len KHUFU_NTS means up to the NUL.
/// @param json     not NULL; set to the value's JSON text, borrowed.
/// @param json_len not NULL; its length in bytes.
/// @return KHUFU_OK; KHUFU_NOT_FOUND; KHUFU_ERR_TYPE (the value holds NaN or an infinity, which JSON does not have);
///         KHUFU_ERR_UTF8; KHUFU_ERR_ARGUMENT.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn khufu_session_get(
    session: *mut khufu_session,
    key: *const c_char,
    key_len: usize,
    json: *mut *const c_char,
    json_len: *mut usize,
) -> khufu_status {
    // SAFETY: the arguments are the caller's promise, as the comment above states it.
    unsafe {
        on_session(session, || {
            let output = TextOutput::cleared(json, json_len)?;
            let value = core(session)?.get(text(key, key_len)?)?;
            output.put(value.ok_or(KHUFU_NOT_FOUND)?);
            Ok(())
        })
    }
}

/// The text of a key that holds a string.
///
/// @param session  not NULL.
/// @param key      UTF-8; (NULL, 0) is the empty key, key_len KHUFU_NTS means up to the NUL.
/// @param string   not NULL; set to the text, borrowed. It may hold NULs.
/// @param string_len not NULL; its length in bytes.
/// @return KHUFU_OK; KHUFU_NOT_FOUND; KHUFU_ERR_TYPE (no string, or one with a lone surrogate, which UTF-8 cannot write);
///         KHUFU_ERR_UTF8; KHUFU_ERR_ARGUMENT.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn khufu_session_get_string(
    session: *mut khufu_session,
    key: *const c_char,
    key_len: usize,
    string: *mut *const c_char,
    string_len: *mut usize,
) -> khufu_status {
    // SAFETY: the arguments are the caller's promise, as the comment above states it.
    unsafe {
        on_session(session, || {
            let output = TextOutput::cleared(string, string_len)?;
            let value = core(session)?.get_string(text(key, key_len)?)?;
            output.put(value.ok_or(KHUFU_NOT_FOUND)?);
            Ok(())
        })
    }
}

/// The value of a key that holds an integer.
///
/// @param session  not NULL.
/// @param key      UTF-8; (NULL, 0) is the empty key, key_len KHUFU_NTS means up to the NUL.
/// @param value    not NULL; set to it.
/// @return KHUFU_OK; KHUFU_NOT_FOUND; KHUFU_ERR_TYPE (no number, or one that is written as a float);
///         KHUFU_ERR_RANGE (it has no place in 64 bits); KHUFU_ERR_UTF8; KHUFU_ERR_ARGUMENT.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn khufu_session_get_int64(
    session: *mut khufu_session,
    key: *const c_char,
    key_len: usize,
    value: *mut i64,
) -> khufu_status {
    // SAFETY: the arguments are the caller's promise, as the comment above states it.
    unsafe {
        on_session(session, || {
            let output = Output::cleared(value, 0)?;
            let value = core(session)?.get_int64(text(key, key_len)?)?;
            output.put(value.ok_or(KHUFU_NOT_FOUND)?);
            Ok(())
        })
    }
}

/// The value of a key that holds a number.
///
/// @param session  not NULL.
/// @param key      UTF-8; (NULL, 0) is the empty key, key_len KHUFU_NTS means up to the NUL.
/// @param value    not NULL; set to it.
/// @return KHUFU_OK; KHUFU_NOT_FOUND; KHUFU_ERR_TYPE (no number; NaN and the infinities are some);
///         KHUFU_ERR_RANGE (it overflows); KHUFU_ERR_UTF8; KHUFU_ERR_ARGUMENT.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn khufu_session_get_double(
    session: *mut khufu_session,
    key: *const c_char,
    key_len: usize,
    value: *mut f64,
) -> khufu_status {
    // SAFETY: the arguments are the caller's promise, as the comment above states it.
    unsafe {
        on_session(session, || {
            let output = Output::cleared(value, 0.0)?;
            let value = core(session)?.get_double(text(key, key_len)?)?;
            output.put(value.ok_or(KHUFU_NOT_FOUND)?);
            Ok(())
        })
    }
}

/// The value of a key that holds true or false.
///
/// @param session  not NULL.
/// @param key      UTF-8; (NULL, 0) is the empty key, key_len KHUFU_NTS means up to the NUL.
/// @param value    not NULL; set to it.
/// @return KHUFU_OK; KHUFU_NOT_FOUND; KHUFU_ERR_TYPE; KHUFU_ERR_UTF8; KHUFU_ERR_ARGUMENT.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn khufu_session_get_bool(
    session: *mut khufu_session,
    key: *const c_char,
    key_len: usize,
    value: *mut bool,
) -> khufu_status {
    // SAFETY: the arguments are the caller's promise, as the comment above states it.
    unsafe {
        on_session(session, || {
            let output = Output::cleared(value, false)?;
            let value = core(session)?.get_bool(text(key, key_len)?)?;
            output.put(value.ok_or(KHUFU_NOT_FOUND)?);
            Ok(())
        })
    }
}

/// Whether a key is there.
///
/// @param session  not NULL.
/// @param key      UTF-8; (NULL, 0) is the empty key, key_len KHUFU_NTS means up to the NUL.
/// @param found    not NULL; set to the answer.
/// @return KHUFU_OK; KHUFU_ERR_UTF8; KHUFU_ERR_ARGUMENT.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn khufu_session_contains(
    session: *mut khufu_session,
    key: *const c_char,
    key_len: usize,
    found: *mut bool,
) -> khufu_status {
    // SAFETY: the arguments are the caller's promise, as the comment above states it.
    unsafe {
        on_session(session, || {
            let output = Output::cleared(found, false)?;
            output.put(core(session)?.contains(text(key, key_len)?));
            Ok(())
        })
    }
}

/// How many keys there are.
///
/// @param session  NULL gives 0.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn khufu_session_length(session: *mut khufu_session) -> usize {
    // SAFETY: NULL, or a session that the caller has not freed and no other thread uses.
    value(0, || unsafe { core(session) }.map_or(0, |session| session.len()))
}

/// The next key and its value, in the order in which keys were added. Deleting the key that was just given, and going on,
/// passes over the one behind it; setting a key ends the views that were given: collect first, then change.
///
/// @param session  not NULL.
/// @param cursor   not NULL; 0 before the first call; moved on by each.
/// @param key      not NULL; set to the key, borrowed; a lone surrogate in it shows as U+FFFD.
/// @param key_len  not NULL; its length in bytes.
/// @param json     not NULL; set to the value's JSON text, borrowed; NaN and the infinities in it show as null.
/// @param json_len not NULL; its length in bytes.
/// @return KHUFU_OK; KHUFU_NOT_FOUND at the end; KHUFU_ERR_ARGUMENT.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn khufu_session_next(
    session: *mut khufu_session,
    cursor: *mut usize,
    key: *mut *const c_char,
    key_len: *mut usize,
    json: *mut *const c_char,
    json_len: *mut usize,
) -> khufu_status {
    // SAFETY: the arguments are the caller's promise, as the comment above states it.
    unsafe {
        on_session(session, || {
            let (key_output, json_output) = (TextOutput::cleared(key, key_len), TextOutput::cleared(json, json_len));
            let (key_output, json_output) = (key_output?, json_output?);
            let session = core(session)?;
            let cursor = super::arguments::handle(cursor)?;
            let (key, json) = session.at(*cursor).ok_or(KHUFU_NOT_FOUND)?;
            *cursor += 1;
            key_output.put(key);
            json_output.put(json);
            Ok(())
        })
    }
}

/// The whole session as a JSON object, its keys in order; NaN and the infinities show as null.
///
/// @param session  not NULL.
/// @param json     not NULL; set to the text, borrowed.
/// @param json_len not NULL; its length in bytes.
/// @return KHUFU_OK; KHUFU_ERR_ARGUMENT.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn khufu_session_to_json(
    session: *mut khufu_session,
    json: *mut *const c_char,
    json_len: *mut usize,
) -> khufu_status {
    // SAFETY: the arguments are the caller's promise, as the comment above states it.
    unsafe {
        on_session(session, || {
            let output = TextOutput::cleared(json, json_len)?;
            output.put(core(session)?.to_json());
            Ok(())
        })
    }
}
