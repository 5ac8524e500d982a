use std::ffi::c_char;

use super::arguments::{Output, TextOutput, text};
use super::guard::value;
use super::session::{core, khufu_session, on_session};
use super::status::khufu_status::{self, *};

/// Gets the value of a key as JSON text.
///
/// @param json  set to the JSON text, borrowed.
/// @return KHUFU_OK; KHUFU_NOT_FOUND if the key does not exist; KHUFU_ERR_TYPE if the value is or contains NaN or an
///         infinity, because JSON cannot represent them.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn khufu_session_get(
    session: *mut khufu_session,
    key: *const c_char,
    key_len: usize,
    json: *mut *const c_char,
    json_len: *mut usize,
) -> khufu_status {
    // SAFETY: the caller passes valid arguments, as the header requires.
    unsafe {
        on_session(session, || {
            let output = TextOutput::cleared(json, json_len)?;
            let value = core(session)?.get_json(text(key, key_len)?)?;
            output.put(value.ok_or(KHUFU_NOT_FOUND)?);
            Ok(())
        })
    }
}

/// Gets the value of a key as a string.
///
/// @param string  set to the text, borrowed. It may contain NULs.
/// @return KHUFU_OK; KHUFU_NOT_FOUND if the key does not exist; KHUFU_ERR_TYPE if the value is not a string, or
///         contains a lone surrogate, which UTF-8 cannot represent.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn khufu_session_get_string(
    session: *mut khufu_session,
    key: *const c_char,
    key_len: usize,
    string: *mut *const c_char,
    string_len: *mut usize,
) -> khufu_status {
    // SAFETY: the caller passes valid arguments, as the header requires.
    unsafe {
        on_session(session, || {
            let output = TextOutput::cleared(string, string_len)?;
            let value = core(session)?.get_str(text(key, key_len)?)?;
            output.put(value.ok_or(KHUFU_NOT_FOUND)?);
            Ok(())
        })
    }
}

/// Gets the value of a key as an integer.
///
/// @param value  set to the integer.
/// @return KHUFU_OK; KHUFU_NOT_FOUND if the key does not exist; KHUFU_ERR_TYPE if the value is not an integer (1.0 is a
///         float); KHUFU_ERR_RANGE if it does not fit in 64 bits.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn khufu_session_get_int64(
    session: *mut khufu_session,
    key: *const c_char,
    key_len: usize,
    value: *mut i64,
) -> khufu_status {
    // SAFETY: the caller passes valid arguments, as the header requires.
    unsafe {
        on_session(session, || {
            let output = Output::cleared(value, 0)?;
            let value = core(session)?.get_i64(text(key, key_len)?)?;
            output.put(value.ok_or(KHUFU_NOT_FOUND)?);
            Ok(())
        })
    }
}

/// Gets the value of a key as a float. The value may be an integer or a float, or NaN or an infinity.
///
/// @param value  set to the number.
/// @return KHUFU_OK; KHUFU_NOT_FOUND if the key does not exist; KHUFU_ERR_TYPE if the value is not a number;
///         KHUFU_ERR_RANGE if it overflows a double.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn khufu_session_get_double(
    session: *mut khufu_session,
    key: *const c_char,
    key_len: usize,
    value: *mut f64,
) -> khufu_status {
    // SAFETY: the caller passes valid arguments, as the header requires.
    unsafe {
        on_session(session, || {
            let output = Output::cleared(value, 0.0)?;
            let value = core(session)?.get_f64(text(key, key_len)?)?;
            output.put(value.ok_or(KHUFU_NOT_FOUND)?);
            Ok(())
        })
    }
}

/// Gets the value of a key as a boolean.
///
/// @param value  set to true or false.
/// @return KHUFU_OK; KHUFU_NOT_FOUND if the key does not exist; KHUFU_ERR_TYPE if the value is not true or false.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn khufu_session_get_bool(
    session: *mut khufu_session,
    key: *const c_char,
    key_len: usize,
    value: *mut bool,
) -> khufu_status {
    // SAFETY: the caller passes valid arguments, as the header requires.
    unsafe {
        on_session(session, || {
            let output = Output::cleared(value, false)?;
            let value = core(session)?.get_bool(text(key, key_len)?)?;
            output.put(value.ok_or(KHUFU_NOT_FOUND)?);
            Ok(())
        })
    }
}

/// Tells if a key exists.
///
/// @param found  set to true if the key exists, otherwise to false.
/// @return KHUFU_OK, even if the key does not exist.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn khufu_session_contains(
    session: *mut khufu_session,
    key: *const c_char,
    key_len: usize,
    found: *mut bool,
) -> khufu_status {
    // SAFETY: the caller passes valid arguments, as the header requires.
    unsafe {
        on_session(session, || {
            let output = Output::cleared(found, false)?;
            output.put(core(session)?.contains(text(key, key_len)?));
            Ok(())
        })
    }
}

/// Returns the number of keys.
///
/// @param session  may be NULL. The result is then 0.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn khufu_session_length(session: *mut khufu_session) -> usize {
    // SAFETY: NULL, or a session that the caller has not freed and no other thread uses.
    value(0, || unsafe { core(session) }.map_or(0, |session| session.len()))
}

/// Gets the next key and its value, in the order in which the keys were added. Do not change the session in the loop:
/// if you delete a key, the loop skips the next one, and after any change the borrowed texts are no longer valid.
///
/// @param cursor  the position in the loop. Set it to 0 before the first call. Each call moves it to the next key.
/// @param key     set to the key, borrowed. A lone surrogate in it is replaced by U+FFFD.
/// @param json    set to the value as JSON text, borrowed. NaN and the infinities in it are replaced by null.
/// @return KHUFU_OK; KHUFU_NOT_FOUND at the end.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn khufu_session_next(
    session: *mut khufu_session,
    cursor: *mut usize,
    key: *mut *const c_char,
    key_len: *mut usize,
    json: *mut *const c_char,
    json_len: *mut usize,
) -> khufu_status {
    // SAFETY: the caller passes valid arguments, as the header requires.
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

/// Gets the whole session as a JSON object. The keys are in the order in which they were added. NaN and the infinities
/// are replaced by null.
///
/// @param json  set to the JSON text, borrowed.
/// @return KHUFU_OK.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn khufu_session_to_json(
    session: *mut khufu_session,
    json: *mut *const c_char,
    json_len: *mut usize,
) -> khufu_status {
    // SAFETY: the caller passes valid arguments, as the header requires.
    unsafe {
        on_session(session, || {
            let output = TextOutput::cleared(json, json_len)?;
            output.put(core(session)?.to_json());
            Ok(())
        })
    }
}
