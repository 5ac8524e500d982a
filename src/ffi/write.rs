use std::ffi::c_char;

use super::arguments::{Output, TextOutput, text};
use super::session::{core, khufu_session, on_session};
use super::status::khufu_status::{self, *};

/// Sets a key to a value, given as JSON text. White space between the parts of the JSON text is dropped.
///
/// @return KHUFU_OK; KHUFU_ERR_JSON if the text is not JSON; KHUFU_ERR_RANGE if it contains a number that Python cannot
///         read.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn khufu_session_set(
    session: *mut khufu_session,
    key: *const c_char,
    key_len: usize,
    json: *const c_char,
    json_len: usize,
) -> khufu_status {
    // SAFETY: the caller passes valid arguments, as the header requires.
    unsafe {
        on_session(session, || {
            let (key, json) = (text(key, key_len)?, text(json, json_len)?);
            Ok(core(session)?.set_json(key, json)?)
        })
    }
}

/// Sets a key to a string.
///
/// @param string  the text. It may contain NULs.
/// @return KHUFU_OK.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn khufu_session_set_string(
    session: *mut khufu_session,
    key: *const c_char,
    key_len: usize,
    string: *const c_char,
    string_len: usize,
) -> khufu_status {
    // SAFETY: the caller passes valid arguments, as the header requires.
    unsafe {
        on_session(session, || {
            let (key, string) = (text(key, key_len)?, text(string, string_len)?);
            Ok(core(session)?.set_str(key, string)?)
        })
    }
}

/// Sets a key to an integer.
///
/// @return KHUFU_OK.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn khufu_session_set_int64(
    session: *mut khufu_session,
    key: *const c_char,
    key_len: usize,
    value: i64,
) -> khufu_status {
    // SAFETY: the caller passes valid arguments, as the header requires.
    unsafe {
        on_session(session, || {
            let key = text(key, key_len)?;
            Ok(core(session)?.set_i64(key, value)?)
        })
    }
}

/// Sets a key to a float. It is written with a fraction or an exponent, so that every language reads a float.
///
/// @return KHUFU_OK; KHUFU_ERR_RANGE if the number is not finite, because JSON cannot represent it.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn khufu_session_set_double(
    session: *mut khufu_session,
    key: *const c_char,
    key_len: usize,
    value: f64,
) -> khufu_status {
    // SAFETY: the caller passes valid arguments, as the header requires.
    unsafe {
        on_session(session, || {
            let key = text(key, key_len)?;
            Ok(core(session)?.set_f64(key, value)?)
        })
    }
}

/// Sets a key to true or false.
///
/// @return KHUFU_OK.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn khufu_session_set_bool(
    session: *mut khufu_session,
    key: *const c_char,
    key_len: usize,
    value: bool,
) -> khufu_status {
    // SAFETY: the caller passes valid arguments, as the header requires.
    unsafe {
        on_session(session, || {
            let key = text(key, key_len)?;
            Ok(core(session)?.set_bool(key, value)?)
        })
    }
}

/// Sets a key to null.
///
/// @return KHUFU_OK.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn khufu_session_set_null(
    session: *mut khufu_session,
    key: *const c_char,
    key_len: usize,
) -> khufu_status {
    // SAFETY: the caller passes valid arguments, as the header requires.
    unsafe {
        on_session(session, || {
            let key = text(key, key_len)?;
            Ok(core(session)?.set_null(key)?)
        })
    }
}

/// Gets the value of a key as JSON text. If the key does not exist, it is first set to a default, given as JSON text.
///
/// @param json   the default.
/// @param value  set to the value as JSON text, borrowed. value and value_len may both be NULL.
/// @return KHUFU_OK; KHUFU_ERR_JSON if the default is not JSON; KHUFU_ERR_RANGE if it contains a number that Python
///         cannot read; KHUFU_ERR_TYPE if the key exists and its value contains NaN or an infinity.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn khufu_session_setdefault(
    session: *mut khufu_session,
    key: *const c_char,
    key_len: usize,
    json: *const c_char,
    json_len: usize,
    value: *mut *const c_char,
    value_len: *mut usize,
) -> khufu_status {
    // SAFETY: the caller passes valid arguments, as the header requires.
    unsafe {
        on_session(session, || {
            let output = match value.is_null() && value_len.is_null() {
                true => None,
                false => Some(TextOutput::cleared(value, value_len)?),
            };
            let (key, json) = (text(key, key_len)?, text(json, json_len)?);
            let value = core(session)?.setdefault_json(key, json)?;
            if let Some(output) = output {
                output.put(value);
            }
            Ok(())
        })
    }
}

/// Sets one key for each member of a JSON object. After an error, none is set.
///
/// @param json  the JSON object.
/// @return KHUFU_OK; KHUFU_ERR_JSON if the text is not a JSON object; KHUFU_ERR_RANGE if it contains a number that
///         Python cannot read; KHUFU_ERR_UTF8 if a key contains a lone surrogate.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn khufu_session_update(
    session: *mut khufu_session,
    json: *const c_char,
    json_len: usize,
) -> khufu_status {
    // SAFETY: the caller passes valid arguments, as the header requires.
    unsafe {
        on_session(session, || {
            let json = text(json, json_len)?;
            Ok(core(session)?.update_json(json)?)
        })
    }
}

/// Adds an element, given as JSON text, to the end of the list at a key. If the key does not exist, it is set to a new
/// list. If several requests append to a session in a store at the same time, no element is lost.
///
/// @return KHUFU_OK; KHUFU_ERR_JSON if the text is not JSON; KHUFU_ERR_RANGE if it contains a number that Python cannot
///         read; KHUFU_ERR_TYPE if the key holds something other than a list.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn khufu_session_append(
    session: *mut khufu_session,
    key: *const c_char,
    key_len: usize,
    json: *const c_char,
    json_len: usize,
) -> khufu_status {
    // SAFETY: the caller passes valid arguments, as the header requires.
    unsafe {
        on_session(session, || {
            let (key, json) = (text(key, key_len)?, text(json, json_len)?);
            Ok(core(session)?.append_json(key, json)?)
        })
    }
}

/// Adds a number to the integer at a key. A key that does not exist counts as 0. If several requests add to the same
/// key of a session in a store at the same time, every addition counts.
///
/// @param by      the number to add. It may be negative.
/// @param result  set to the sum. May be NULL.
/// @return KHUFU_OK; KHUFU_ERR_TYPE if the key holds something other than an integer; KHUFU_ERR_RANGE if the integer or
///         the sum does not fit in 64 bits.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn khufu_session_increment(
    session: *mut khufu_session,
    key: *const c_char,
    key_len: usize,
    by: i64,
    result: *mut i64,
) -> khufu_status {
    // SAFETY: the caller passes valid arguments, as the header requires.
    unsafe {
        on_session(session, || {
            let output = if result.is_null() { None } else { Some(Output::cleared(result, 0)?) };
            let key = text(key, key_len)?;
            let sum = core(session)?.increment(key, by)?;
            if let Some(output) = output {
                output.put(sum);
            }
            Ok(())
        })
    }
}

/// Deletes a key.
///
/// @return KHUFU_OK; KHUFU_NOT_FOUND if the key does not exist.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn khufu_session_delete(
    session: *mut khufu_session,
    key: *const c_char,
    key_len: usize,
) -> khufu_status {
    // SAFETY: the caller passes valid arguments, as the header requires.
    unsafe {
        on_session(session, || {
            let key = text(key, key_len)?;
            if core(session)?.delete(key) { Ok(()) } else { Err(KHUFU_NOT_FOUND.into()) }
        })
    }
}

/// Deletes a key, and gets its value as JSON text.
///
/// @param json  set to the JSON text, borrowed.
/// @return KHUFU_OK; KHUFU_NOT_FOUND if the key does not exist; KHUFU_ERR_TYPE if the value is or contains NaN or an
///         infinity. The key is not deleted then.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn khufu_session_pop(
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
            let value = core(session)?.pop_json(text(key, key_len)?)?;
            output.put(value.ok_or(KHUFU_NOT_FOUND)?);
            Ok(())
        })
    }
}

/// Deletes all keys. The session itself continues; khufu_session_invalidate ends it.
///
/// @return KHUFU_OK.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn khufu_session_clear(session: *mut khufu_session) -> khufu_status {
    // SAFETY: the caller passes valid arguments, as the header requires.
    unsafe {
        on_session(session, || {
            core(session)?.clear();
            Ok(())
        })
    }
}
