use std::ffi::c_char;

use super::arguments::{Output, TextOutput, text};
use super::session::{core, khufu_session, on_session};
use super::status::khufu_status::{self, *};

/// Sets a key to a value, given as JSON text. White space between its parts is dropped.
///
/// @param json     one JSON value, nested at most 500 levels.
/// @return KHUFU_OK; KHUFU_ERR_JSON; KHUFU_ERR_RANGE (longer than 2 GiB, or a number that Python does not
///         read back: an integer of more than 4,300 digits, or a float that overflows a double). On an
///         error nothing was set.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn khufu_session_set(
    session: *mut khufu_session,
    key: *const c_char,
    key_len: usize,
    json: *const c_char,
    json_len: usize,
) -> khufu_status {
    // SAFETY: the arguments are the caller's promise, as the header states it.
    unsafe {
        on_session(session, || {
            let (key, json) = (text(key, key_len)?, text(json, json_len)?);
            Ok(core(session)?.set_json(key, json)?)
        })
    }
}

/// Sets a key to a string.
///
/// @param string   may hold NULs.
/// @return KHUFU_OK; KHUFU_ERR_RANGE (longer than 2 GiB). On an error nothing was set.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn khufu_session_set_string(
    session: *mut khufu_session,
    key: *const c_char,
    key_len: usize,
    string: *const c_char,
    string_len: usize,
) -> khufu_status {
    // SAFETY: the arguments are the caller's promise, as the header states it.
    unsafe {
        on_session(session, || {
            let (key, string) = (text(key, key_len)?, text(string, string_len)?);
            Ok(core(session)?.set_str(key, string)?)
        })
    }
}

/// Sets a key to an integer.
///
/// @return KHUFU_OK. On an error nothing was set.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn khufu_session_set_int64(
    session: *mut khufu_session,
    key: *const c_char,
    key_len: usize,
    value: i64,
) -> khufu_status {
    // SAFETY: the arguments are the caller's promise, as the header states it.
    unsafe {
        on_session(session, || {
            let key = text(key, key_len)?;
            Ok(core(session)?.set_i64(key, value)?)
        })
    }
}

/// Sets a key to a float. It is written with a fraction or an exponent, so that it stays a float in every language.
///
/// @return KHUFU_OK; KHUFU_ERR_RANGE (it is not finite). On an error nothing was set.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn khufu_session_set_double(
    session: *mut khufu_session,
    key: *const c_char,
    key_len: usize,
    value: f64,
) -> khufu_status {
    // SAFETY: the arguments are the caller's promise, as the header states it.
    unsafe {
        on_session(session, || {
            let key = text(key, key_len)?;
            Ok(core(session)?.set_f64(key, value)?)
        })
    }
}

/// Sets a key to true or false.
///
/// @return KHUFU_OK. On an error nothing was set.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn khufu_session_set_bool(
    session: *mut khufu_session,
    key: *const c_char,
    key_len: usize,
    value: bool,
) -> khufu_status {
    // SAFETY: the arguments are the caller's promise, as the header states it.
    unsafe {
        on_session(session, || {
            let key = text(key, key_len)?;
            Ok(core(session)?.set_bool(key, value)?)
        })
    }
}

/// Sets a key to null.
///
/// @return KHUFU_OK. On an error nothing was set.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn khufu_session_set_null(
    session: *mut khufu_session,
    key: *const c_char,
    key_len: usize,
) -> khufu_status {
    // SAFETY: the arguments are the caller's promise, as the header states it.
    unsafe {
        on_session(session, || {
            let key = text(key, key_len)?;
            Ok(core(session)?.set_null(key)?)
        })
    }
}

/// The value of a key as JSON text. A key that is not there is set first; a key that is there stays as it is.
///
/// @param json     one JSON value, nested at most 500 levels.
/// @param value    may be NULL, with value_len; set to the key's value as JSON text, borrowed.
/// @return KHUFU_OK; KHUFU_ERR_JSON; KHUFU_ERR_TYPE (as khufu_session_get); KHUFU_ERR_RANGE (as
///         khufu_session_set). On an error nothing was set.
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
    // SAFETY: the arguments are the caller's promise, as the header states it.
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

/// Sets each member of a JSON object as a key, or none on an error. A value replaces the one that was there.
///
/// @param json     a JSON object, nested at most 500 levels.
/// @return KHUFU_OK; KHUFU_ERR_JSON (also: not an object); KHUFU_ERR_UTF8 (also: a key with a lone surrogate);
///         KHUFU_ERR_RANGE (as khufu_session_set).
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn khufu_session_update(
    session: *mut khufu_session,
    json: *const c_char,
    json_len: usize,
) -> khufu_status {
    // SAFETY: the arguments are the caller's promise, as the header states it.
    unsafe {
        on_session(session, || {
            let json = text(json, json_len)?;
            Ok(core(session)?.update_json(json)?)
        })
    }
}

/// Adds an element, given as JSON text, to the end of the list at a key. A key that is not there becomes a list. Elements
/// that several requests append to a session in a store at the same time all stay.
///
/// @param json     one JSON value, nested at most 500 levels.
/// @return KHUFU_OK; KHUFU_ERR_JSON; KHUFU_ERR_TYPE (the key holds something other than a list); KHUFU_ERR_RANGE (as
///         khufu_session_set). On an error nothing was added.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn khufu_session_append(
    session: *mut khufu_session,
    key: *const c_char,
    key_len: usize,
    json: *const c_char,
    json_len: usize,
) -> khufu_status {
    // SAFETY: the arguments are the caller's promise, as the header states it.
    unsafe {
        on_session(session, || {
            let (key, json) = (text(key, key_len)?, text(json, json_len)?);
            Ok(core(session)?.append_json(key, json)?)
        })
    }
}

/// Adds to the integer at a key. A key that is not there counts as 0. What several requests add to a session in a store at
/// the same time adds up.
///
/// @param by       the number to add; negative to subtract.
/// @param result   may be NULL; set to the sum.
/// @return KHUFU_OK; KHUFU_ERR_TYPE (the key holds something other than an integer); KHUFU_ERR_RANGE (the integer or the
///         sum does not fit in 64 bits). On an error nothing was added.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn khufu_session_increment(
    session: *mut khufu_session,
    key: *const c_char,
    key_len: usize,
    by: i64,
    result: *mut i64,
) -> khufu_status {
    // SAFETY: the arguments are the caller's promise, as the header states it.
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
/// @return KHUFU_OK; KHUFU_NOT_FOUND (the session is unchanged).
#[unsafe(no_mangle)]
pub unsafe extern "C" fn khufu_session_delete(
    session: *mut khufu_session,
    key: *const c_char,
    key_len: usize,
) -> khufu_status {
    // SAFETY: the arguments are the caller's promise, as the header states it.
    unsafe {
        on_session(session, || {
            let key = text(key, key_len)?;
            if core(session)?.delete(key) { Ok(()) } else { Err(KHUFU_NOT_FOUND.into()) }
        })
    }
}

/// Deletes a key and gives its value as JSON text.
///
/// @param json     set to the value's JSON text, borrowed.
/// @return KHUFU_OK; KHUFU_NOT_FOUND (the session is unchanged); KHUFU_ERR_TYPE (as khufu_session_get: the key stays).
#[unsafe(no_mangle)]
pub unsafe extern "C" fn khufu_session_pop(
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
            let value = core(session)?.pop_json(text(key, key_len)?)?;
            output.put(value.ok_or(KHUFU_NOT_FOUND)?);
            Ok(())
        })
    }
}

/// Deletes every key. The session stays the same one; khufu_session_invalidate begins a new one.
///
/// @return KHUFU_OK.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn khufu_session_clear(session: *mut khufu_session) -> khufu_status {
    // SAFETY: the arguments are the caller's promise, as the header states it.
    unsafe {
        on_session(session, || {
            core(session)?.clear();
            Ok(())
        })
    }
}
