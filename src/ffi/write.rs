use std::ffi::c_char;

use super::arguments::{TextOutput, text};
use super::session::{core, khufu_session, on_session};
use super::status::khufu_status::{self, *};

/// Sets a key to a value, given as JSON text. White space between its parts is dropped.
///
/// @param session  not NULL.
/// @param key      UTF-8; (NULL, 0) is the empty key, key_len KHUFU_NTS means up to the NUL.
/// @param json     one JSON value, nested at most 500 levels; copied; json_len KHUFU_NTS means up to the NUL.
/// @return KHUFU_OK; KHUFU_ERR_JSON; KHUFU_ERR_UTF8; KHUFU_ERR_RANGE (longer than 2 GiB, or a number that Python does not
///         read back: an integer of more than 4,300 digits, or a float that overflows a double); KHUFU_ERR_ARGUMENT. On an
///         error nothing was set.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn khufu_session_set(
    session: *mut khufu_session,
    key: *const c_char,
    key_len: usize,
    json: *const c_char,
    json_len: usize,
) -> khufu_status {
    // SAFETY: the arguments are the caller's promise, as the comment above states it.
    unsafe {
        on_session(session, || {
            let (key, json) = (text(key, key_len)?, text(json, json_len)?);
            Ok(core(session)?.set(key, json)?)
        })
    }
}

/// Sets a key to a string.
///
/// @param session  not NULL.
/// @param key      UTF-8; (NULL, 0) is the empty key, key_len KHUFU_NTS means up to the NUL.
/// @param string   UTF-8, NULs and all; copied; (NULL, 0) is empty, string_len KHUFU_NTS means up to the NUL.
/// @return KHUFU_OK; KHUFU_ERR_UTF8; KHUFU_ERR_RANGE (longer than 2 GiB); KHUFU_ERR_ARGUMENT. On an error nothing was set.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn khufu_session_set_string(
    session: *mut khufu_session,
    key: *const c_char,
    key_len: usize,
    string: *const c_char,
    string_len: usize,
) -> khufu_status {
    // SAFETY: the arguments are the caller's promise, as the comment above states it.
    unsafe {
        on_session(session, || {
            let (key, string) = (text(key, key_len)?, text(string, string_len)?);
            Ok(core(session)?.set_string(key, string)?)
        })
    }
}

/// Sets a key to an integer.
///
/// @param session  not NULL.
/// @param key      UTF-8; (NULL, 0) is the empty key, key_len KHUFU_NTS means up to the NUL.
/// @param value    the value.
/// @return KHUFU_OK; KHUFU_ERR_UTF8; KHUFU_ERR_ARGUMENT. On an error nothing was set.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn khufu_session_set_int64(
    session: *mut khufu_session,
    key: *const c_char,
    key_len: usize,
    value: i64,
) -> khufu_status {
    // SAFETY: the arguments are the caller's promise, as the comment above states it.
    unsafe {
        on_session(session, || {
            let key = text(key, key_len)?;
            Ok(core(session)?.set_int64(key, value)?)
        })
    }
}

/// Sets a key to a number, written with a fraction or an exponent, so that it stays a float in every language.
///
/// @param session  not NULL.
/// @param key      UTF-8; (NULL, 0) is the empty key, key_len KHUFU_NTS means up to the NUL.
/// @param value    the value.
/// @return KHUFU_OK; KHUFU_ERR_RANGE (it is not finite); KHUFU_ERR_UTF8; KHUFU_ERR_ARGUMENT. On an error nothing was set.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn khufu_session_set_double(
    session: *mut khufu_session,
    key: *const c_char,
    key_len: usize,
    value: f64,
) -> khufu_status {
    // SAFETY: the arguments are the caller's promise, as the comment above states it.
    unsafe {
        on_session(session, || {
            let key = text(key, key_len)?;
            Ok(core(session)?.set_double(key, value)?)
        })
    }
}

/// Sets a key to true or false.
///
/// @param session  not NULL.
/// @param key      UTF-8; (NULL, 0) is the empty key, key_len KHUFU_NTS means up to the NUL.
/// @param value    the value.
/// @return KHUFU_OK; KHUFU_ERR_UTF8; KHUFU_ERR_ARGUMENT. On an error nothing was set.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn khufu_session_set_bool(
    session: *mut khufu_session,
    key: *const c_char,
    key_len: usize,
    value: bool,
) -> khufu_status {
    // SAFETY: the arguments are the caller's promise, as the comment above states it.
    unsafe {
        on_session(session, || {
            let key = text(key, key_len)?;
            Ok(core(session)?.set_bool(key, value)?)
        })
    }
}

/// Sets a key to null.
///
/// @param session  not NULL.
/// @param key      UTF-8; (NULL, 0) is the empty key, key_len KHUFU_NTS means up to the NUL.
/// @return KHUFU_OK; KHUFU_ERR_UTF8; KHUFU_ERR_ARGUMENT. On an error nothing was set.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn khufu_session_set_null(
    session: *mut khufu_session,
    key: *const c_char,
    key_len: usize,
) -> khufu_status {
    // SAFETY: the arguments are the caller's promise, as the comment above states it.
    unsafe {
        on_session(session, || {
            let key = text(key, key_len)?;
            Ok(core(session)?.set_null(key)?)
        })
    }
}

/// The value of a key as JSON text; where the key is not there, it is set first. A key that is there stays, and the
/// session unchanged.
///
/// @param session  not NULL.
/// @param key      UTF-8; (NULL, 0) is the empty key, key_len KHUFU_NTS means up to the NUL.
/// @param json     one JSON value, nested at most 500 levels; copied; json_len KHUFU_NTS means up to the NUL.
/// @param value    may be NULL (and value_len then too); set to the key's value as JSON text, borrowed.
/// @param value_len its length in bytes.
/// @return KHUFU_OK; KHUFU_ERR_JSON; KHUFU_ERR_TYPE (as khufu_session_get); KHUFU_ERR_UTF8; KHUFU_ERR_RANGE (as
///         khufu_session_set); KHUFU_ERR_ARGUMENT. On an error nothing was set.
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
    // SAFETY: the arguments are the caller's promise, as the comment above states it.
    unsafe {
        on_session(session, || {
            let output = match value.is_null() && value_len.is_null() {
                true => None,
                false => Some(TextOutput::cleared(value, value_len)?),
            };
            let (key, json) = (text(key, key_len)?, text(json, json_len)?);
            let value = core(session)?.setdefault(key, json)?;
            if let Some(output) = output {
                output.put(value);
            }
            Ok(())
        })
    }
}

/// Sets each member of a JSON object as a key; on an error, none. Shallow: a value replaces the one that was there.
///
/// @param session  not NULL.
/// @param json     a JSON object, nested at most 500 levels; copied; json_len KHUFU_NTS means up to the NUL.
/// @return KHUFU_OK; KHUFU_ERR_JSON (also: not an object); KHUFU_ERR_UTF8 (also: a key with a lone surrogate);
///         KHUFU_ERR_RANGE (as khufu_session_set); KHUFU_ERR_ARGUMENT.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn khufu_session_update(
    session: *mut khufu_session,
    json: *const c_char,
    json_len: usize,
) -> khufu_status {
    // SAFETY: the arguments are the caller's promise, as the comment above states it.
    unsafe {
        on_session(session, || {
            let json = text(json, json_len)?;
            Ok(core(session)?.update(json)?)
        })
    }
}

/// Deletes a key.
///
/// @param session  not NULL.
/// @param key      UTF-8; (NULL, 0) is the empty key, key_len KHUFU_NTS means up to the NUL.
/// @return KHUFU_OK; KHUFU_NOT_FOUND (the session is unchanged); KHUFU_ERR_UTF8; KHUFU_ERR_ARGUMENT.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn khufu_session_delete(
    session: *mut khufu_session,
    key: *const c_char,
    key_len: usize,
) -> khufu_status {
    // SAFETY: the arguments are the caller's promise, as the comment above states it.
    unsafe {
        on_session(session, || {
            let key = text(key, key_len)?;
            if core(session)?.delete(key) { Ok(()) } else { Err(KHUFU_NOT_FOUND.into()) }
        })
    }
}

/// Takes a key out and gives its value as JSON text.
///
/// @param session  not NULL.
/// @param key      UTF-8; (NULL, 0) is the empty key, key_len KHUFU_NTS means up to the NUL.
/// @param json     not NULL; set to the value's JSON text, borrowed.
/// @param json_len not NULL; its length in bytes.
/// @return KHUFU_OK; KHUFU_NOT_FOUND (the session is unchanged); KHUFU_ERR_TYPE (as khufu_session_get: the key stays);
///         KHUFU_ERR_UTF8; KHUFU_ERR_ARGUMENT.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn khufu_session_pop(
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
            let value = core(session)?.pop(text(key, key_len)?)?;
            output.put(value.ok_or(KHUFU_NOT_FOUND)?);
            Ok(())
        })
    }
}

/// Takes every key out. The session stays the same one; khufu_session_invalidate begins a new one.
///
/// @param session  not NULL.
/// @return KHUFU_OK; KHUFU_ERR_ARGUMENT.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn khufu_session_clear(session: *mut khufu_session) -> khufu_status {
    // SAFETY: the arguments are the caller's promise, as the comment above states it.
    unsafe {
        on_session(session, || {
            core(session)?.clear();
            Ok(())
        })
    }
}
