use std::ffi::c_char;

use super::arguments::{Output, TextOutput, text};
use super::guard::value;
use super::session::{core, khufu_session, on_session};
use super::status::khufu_status::{self, *};

/// The value of a key as JSON text.
///
/// @param json     set to the value's JSON text, borrowed.
/// @return KHUFU_OK; KHUFU_NOT_FOUND; KHUFU_ERR_TYPE (the value holds NaN or an infinity, which JSON does not have).
#[unsafe(no_mangle)]
pub unsafe extern "C" fn khufu_session_get(
    session: *mut khufu_session,
    key: *const c_char,
    key_len: usize,
    json: *mut *const c_char,
    json_len: *mut usize,
) -> khufu_status {
    // SAFETY: the arguments are the caller's promise, as the header states it.
    unsafe {
        on_session(session, || {
            let output = TextOutput::cleared(json, json_len)?;
            let value = core(session)?.get_json(text(key, key_len)?)?;
            output.put(value.ok_or(KHUFU_NOT_FOUND)?);
            Ok(())
        })
    }
}

/// The text of a key that holds a string.
///
/// @param string   set to the text, borrowed. It may hold NULs.
/// @return KHUFU_OK; KHUFU_NOT_FOUND; KHUFU_ERR_TYPE (another type, or a string with a lone surrogate, which UTF-8 cannot write).
#[unsafe(no_mangle)]
pub unsafe extern "C" fn khufu_session_get_string(
    session: *mut khufu_session,
    key: *const c_char,
    key_len: usize,
    string: *mut *const c_char,
    string_len: *mut usize,
) -> khufu_status {
    // SAFETY: the arguments are the caller's promise, as the header states it.
    unsafe {
        on_session(session, || {
            let output = TextOutput::cleared(string, string_len)?;
            let value = core(session)?.get_str(text(key, key_len)?)?;
            output.put(value.ok_or(KHUFU_NOT_FOUND)?);
            Ok(())
        })
    }
}

/// The value of a key that holds an integer.
///
/// @param value    set to the value.
/// @return KHUFU_OK; KHUFU_NOT_FOUND; KHUFU_ERR_TYPE (another type, or a number that is written as a float);
///         KHUFU_ERR_RANGE (it does not fit in 64 bits).
#[unsafe(no_mangle)]
pub unsafe extern "C" fn khufu_session_get_int64(
    session: *mut khufu_session,
    key: *const c_char,
    key_len: usize,
    value: *mut i64,
) -> khufu_status {
    // SAFETY: the arguments are the caller's promise, as the header states it.
    unsafe {
        on_session(session, || {
            let output = Output::cleared(value, 0)?;
            let value = core(session)?.get_i64(text(key, key_len)?)?;
            output.put(value.ok_or(KHUFU_NOT_FOUND)?);
            Ok(())
        })
    }
}

/// The value of a key that holds a number, NaN and the infinities included.
///
/// @param value    set to the value.
/// @return KHUFU_OK; KHUFU_NOT_FOUND; KHUFU_ERR_TYPE; KHUFU_ERR_RANGE (it overflows).
#[unsafe(no_mangle)]
pub unsafe extern "C" fn khufu_session_get_double(
    session: *mut khufu_session,
    key: *const c_char,
    key_len: usize,
    value: *mut f64,
) -> khufu_status {
    // SAFETY: the arguments are the caller's promise, as the header states it.
    unsafe {
        on_session(session, || {
            let output = Output::cleared(value, 0.0)?;
            let value = core(session)?.get_f64(text(key, key_len)?)?;
            output.put(value.ok_or(KHUFU_NOT_FOUND)?);
            Ok(())
        })
    }
}

/// The value of a key that holds true or false.
///
/// @param value    set to the value.
/// @return KHUFU_OK; KHUFU_NOT_FOUND; KHUFU_ERR_TYPE.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn khufu_session_get_bool(
    session: *mut khufu_session,
    key: *const c_char,
    key_len: usize,
    value: *mut bool,
) -> khufu_status {
    // SAFETY: the arguments are the caller's promise, as the header states it.
    unsafe {
        on_session(session, || {
            let output = Output::cleared(value, false)?;
            let value = core(session)?.get_bool(text(key, key_len)?)?;
            output.put(value.ok_or(KHUFU_NOT_FOUND)?);
            Ok(())
        })
    }
}

/// Tells whether a key is there.
///
/// @param found    set to the answer.
/// @return KHUFU_OK.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn khufu_session_contains(
    session: *mut khufu_session,
    key: *const c_char,
    key_len: usize,
    found: *mut bool,
) -> khufu_status {
    // SAFETY: the arguments are the caller's promise, as the header states it.
    unsafe {
        on_session(session, || {
            let output = Output::cleared(found, false)?;
            output.put(core(session)?.contains(text(key, key_len)?));
            Ok(())
        })
    }
}

/// The number of keys.
///
/// @param session  NULL gives 0.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn khufu_session_length(session: *mut khufu_session) -> usize {
    // SAFETY: NULL, or a session that the caller has not freed and no other thread uses.
    value(0, || unsafe { core(session) }.map_or(0, |session| session.len()))
}

/// The next key and its value, in the order in which keys were added. Do not change the session in the loop: deleting a
/// key would skip the next one, and setting one would end what was borrowed.
///
/// @param cursor   0 before the first call; each call moves it on.
/// @param key      set to the key, borrowed; a lone surrogate in it shows as U+FFFD.
/// @param json     set to the value's JSON text, borrowed; NaN and the infinities in it show as null.
/// @return KHUFU_OK; KHUFU_NOT_FOUND (at the end).
#[unsafe(no_mangle)]
pub unsafe extern "C" fn khufu_session_next(
    session: *mut khufu_session,
    cursor: *mut usize,
    key: *mut *const c_char,
    key_len: *mut usize,
    json: *mut *const c_char,
    json_len: *mut usize,
) -> khufu_status {
    // SAFETY: the arguments are the caller's promise, as the header states it.
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
/// @param json     set to the text, borrowed.
/// @return KHUFU_OK.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn khufu_session_to_json(
    session: *mut khufu_session,
    json: *mut *const c_char,
    json_len: *mut usize,
) -> khufu_status {
    // SAFETY: the arguments are the caller's promise, as the header states it.
    unsafe {
        on_session(session, || {
            let output = TextOutput::cleared(json, json_len)?;
            output.put(core(session)?.to_json());
            Ok(())
        })
    }
}
