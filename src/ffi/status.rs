use std::ffi::{CStr, c_char};

use crate::error::Error;
use crate::load::LoadResult;

/// The result of a call. Numbers are never reused. Later versions may add statuses.
#[repr(i32)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum khufu_status {
    /// The call succeeded.
    KHUFU_OK = 0,
    /// There is nothing to return: no such key or session, or the end of a loop.
    KHUFU_NOT_FOUND = 1,
    /// An argument is invalid: a handle or an output is NULL, a text is NULL but its length is not 0, a flag is
    /// unknown, a time is out of range, or the session cannot have a subject.
    KHUFU_ERR_ARGUMENT = 2,
    /// A text is not UTF-8, or a key in a JSON object contains a lone surrogate, which UTF-8 cannot represent.
    KHUFU_ERR_UTF8 = 3,
    /// A text is not one JSON value, or it is nested deeper than 500 levels, or it must be an object and is not.
    KHUFU_ERR_JSON = 4,
    /// The value of the key has another type.
    KHUFU_ERR_TYPE = 5,
    /// A number is out of range or not finite, or a text is too long.
    KHUFU_ERR_RANGE = 6,
    /// Browsers would drop the cookie: its value has more than 4064 bytes, or its name and value together have more
    /// than 4096.
    KHUFU_ERR_TOO_LARGE = 7,
    /// An option's name or value is wrong, options contradict each other, or the store cannot be opened.
    KHUFU_ERR_OPTION = 8,
    /// The commit would overwrite the browser's session, which is valid but could not be read here, or a custom
    /// serializer cannot write the session.
    KHUFU_ERR_UNSUPPORTED = 9,
    /// The system's source of random bytes failed.
    KHUFU_ERR_RANDOM = 10,
    /// khufu has a defect. Please report it.
    KHUFU_ERR_INTERNAL = 11,
    /// The store failed, or took too long.
    KHUFU_ERR_STORE = 12,
    /// Other requests kept changing the session until store_timeout. Commit again. If that fails too, open the session
    /// again.
    KHUFU_ERR_CONFLICT = 13,
    /// Another request has ended the session or given it a new id. Do not send a cookie.
    KHUFU_ERR_GONE = 14,
    /// The session has a key that Beaker uses itself, and the option library is beaker.
    KHUFU_ERR_KEY = 15,
    /// A callback of the application's own store has returned this status, because the store has not answered yet. Make
    /// the same call again when it has.
    KHUFU_ERR_PENDING = 16,
}

/// How the request's session cookie was opened. Numbers are never reused. Later versions may add load results.
#[repr(i32)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum khufu_load_result {
    /// The request had no cookie with the session cookie's name. The session is new.
    KHUFU_LOAD_NONE = 0,
    /// The browser's session was opened.
    KHUFU_LOAD_LOADED = 1,
    /// The browser's session was opened with a previous secret. Commit writes it again with the current secret.
    KHUFU_LOAD_LOADED_PREVIOUS_SECRET = 2,
    /// The browser's session was opened in another accepted format. Commit writes it again in the current format.
    KHUFU_LOAD_LOADED_OTHER_FORMAT = 3,
    /// The browser's session was not used for longer than the option timeout, or is older than absolute_timeout. The
    /// session is new.
    KHUFU_LOAD_EXPIRED = 4,
    /// The cookie's signature or encryption is wrong. The session is new.
    KHUFU_LOAD_BAD_SIGNATURE = 5,
    /// The cookie is not base64 or is too short, or its payload is not a session. The session is new.
    KHUFU_LOAD_MALFORMED = 6,
    /// The cookie is genuine, but contains something that this library cannot represent. The session is new, and commit
    /// refuses to overwrite the browser's session unless khufu_session_invalidate was called.
    KHUFU_LOAD_UNSUPPORTED = 7,
    /// The store has no session with the cookie's id: it has expired, it was ended, or it has a new id. The session is
    /// new.
    KHUFU_LOAD_MISSING = 8,
    /// The store failed, and the option store_on_error is empty. The session is new, and commit refuses to overwrite
    /// the browser's session.
    KHUFU_LOAD_STORE_ERROR = 9,
}

use khufu_load_result::*;
use khufu_status::*;

impl From<&Error> for khufu_status {
    fn from(error: &Error) -> Self {
        match error {
            Error::Option(_) => KHUFU_ERR_OPTION,
            Error::Now | Error::NoStore => KHUFU_ERR_ARGUMENT,
            Error::Json(_) | Error::NotAnObject(_) => KHUFU_ERR_JSON,
            Error::LoneSurrogate => KHUFU_ERR_UTF8,
            Error::Type { .. } => KHUFU_ERR_TYPE,
            Error::Range(_) => KHUFU_ERR_RANGE,
            Error::Key(_) => KHUFU_ERR_KEY,
            Error::TooLarge { .. } => KHUFU_ERR_TOO_LARGE,
            Error::Unsupported(_) | Error::Serializer(_) | Error::Serialize(_) => KHUFU_ERR_UNSUPPORTED,
            Error::Random(_) => KHUFU_ERR_RANDOM,
            Error::Store(_) => KHUFU_ERR_STORE,
            Error::Pending => KHUFU_ERR_PENDING,
            Error::Conflict => KHUFU_ERR_CONFLICT,
            Error::Gone => KHUFU_ERR_GONE,
        }
    }
}

impl From<LoadResult> for khufu_load_result {
    fn from(result: LoadResult) -> Self {
        match result {
            LoadResult::None => KHUFU_LOAD_NONE,
            LoadResult::Loaded => KHUFU_LOAD_LOADED,
            LoadResult::LoadedPreviousSecret => KHUFU_LOAD_LOADED_PREVIOUS_SECRET,
            LoadResult::LoadedOtherFormat => KHUFU_LOAD_LOADED_OTHER_FORMAT,
            LoadResult::Expired => KHUFU_LOAD_EXPIRED,
            LoadResult::BadSignature => KHUFU_LOAD_BAD_SIGNATURE,
            LoadResult::Malformed => KHUFU_LOAD_MALFORMED,
            LoadResult::Unsupported => KHUFU_LOAD_UNSUPPORTED,
            LoadResult::Missing => KHUFU_LOAD_MISSING,
            LoadResult::StoreError => KHUFU_LOAD_STORE_ERROR,
        }
    }
}

/// Every status and its message.
const MESSAGES: [(khufu_status, &CStr); 17] = [
    (KHUFU_OK, c"done"),
    (KHUFU_NOT_FOUND, c"not found"),
    (KHUFU_ERR_ARGUMENT, c"an argument is invalid"),
    (KHUFU_ERR_UTF8, c"a text is not UTF-8"),
    (KHUFU_ERR_JSON, c"a value is not JSON"),
    (KHUFU_ERR_TYPE, c"the value has another type"),
    (KHUFU_ERR_RANGE, c"a number or a length is out of range"),
    (KHUFU_ERR_TOO_LARGE, c"the cookie would be too large"),
    (KHUFU_ERR_OPTION, c"an option is wrong"),
    (KHUFU_ERR_UNSUPPORTED, c"the browser's session could not be read here"),
    (KHUFU_ERR_RANDOM, c"the system gave no random bytes"),
    (KHUFU_ERR_INTERNAL, c"a defect of khufu"),
    (KHUFU_ERR_STORE, c"the session store failed"),
    (KHUFU_ERR_CONFLICT, c"other requests kept changing the session"),
    (KHUFU_ERR_GONE, c"another request has ended the session"),
    (KHUFU_ERR_KEY, c"the library uses this key itself"),
    (KHUFU_ERR_PENDING, c"the session store has not answered yet"),
];

/// Every load result and its name.
const NAMES: [(khufu_load_result, &CStr); 10] = [
    (KHUFU_LOAD_NONE, c"none"),
    (KHUFU_LOAD_LOADED, c"loaded"),
    (KHUFU_LOAD_LOADED_PREVIOUS_SECRET, c"loaded_previous_secret"),
    (KHUFU_LOAD_LOADED_OTHER_FORMAT, c"loaded_other_format"),
    (KHUFU_LOAD_EXPIRED, c"expired"),
    (KHUFU_LOAD_BAD_SIGNATURE, c"bad_signature"),
    (KHUFU_LOAD_MALFORMED, c"malformed"),
    (KHUFU_LOAD_UNSUPPORTED, c"unsupported"),
    (KHUFU_LOAD_MISSING, c"missing"),
    (KHUFU_LOAD_STORE_ERROR, c"store_error"),
];

pub(super) fn message(status: khufu_status) -> &'static CStr {
    MESSAGES[status as usize].1
}

/// Returns the meaning of a status, in a few words.
///
/// @param status  any number.
/// @return a static NUL-terminated text, never NULL.
#[unsafe(no_mangle)]
pub extern "C" fn khufu_status_message(status: i32) -> *const c_char {
    let known = MESSAGES.iter().find(|(number, _)| *number as i32 == status);
    known.map_or(c"an unknown status", |(_, message)| message).as_ptr()
}

/// Returns the name of a load result in the documentation, for example "loaded" or "bad_signature".
///
/// @param load_result  any number.
/// @return a static NUL-terminated text, never NULL. "unknown" if there is no such load result.
#[unsafe(no_mangle)]
pub extern "C" fn khufu_load_result_name(load_result: i32) -> *const c_char {
    let known = NAMES.iter().find(|(number, _)| *number as i32 == load_result);
    known.map_or(c"unknown", |(_, name)| name).as_ptr()
}

#[cfg(test)]
mod tests {
    use super::{MESSAGES, NAMES};

    #[test]
    fn every_number_is_at_its_place() {
        assert!(MESSAGES.iter().enumerate().all(|(index, (status, _))| *status as usize == index));
        assert!(NAMES.iter().enumerate().all(|(index, (result, _))| *result as usize == index));
    }
}
