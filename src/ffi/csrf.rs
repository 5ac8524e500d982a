use std::ffi::c_char;

use super::arguments::{Output, TextOutput, bytes};
use super::session::{core, khufu_session, on_session};
use super::status::khufu_status;

/// The session's CSRF token. A session that has none gets a new one.
///
/// @param token    set to the token, borrowed.
/// @return KHUFU_OK; KHUFU_ERR_RANDOM.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn khufu_session_csrf_token(
    session: *mut khufu_session,
    token: *mut *const c_char,
    token_len: *mut usize,
) -> khufu_status {
    // SAFETY: the arguments are the caller's promise, as the header states it.
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
/// @param token    set to the token, borrowed.
/// @return KHUFU_OK; KHUFU_ERR_RANDOM.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn khufu_session_new_csrf_token(
    session: *mut khufu_session,
    token: *mut *const c_char,
    token_len: *mut usize,
) -> khufu_status {
    // SAFETY: the arguments are the caller's promise, as the header states it.
    unsafe {
        on_session(session, || {
            let output = TextOutput::cleared(token, token_len)?;
            output.put(core(session)?.new_csrf_token()?);
            Ok(())
        })
    }
}

/// Tells whether a token is the session's. They are compared in constant time. A session without a token refuses every
/// token.
///
/// @param token    any bytes.
/// @param valid    set to the answer.
/// @return KHUFU_OK, whatever the answer.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn khufu_session_check_csrf_token(
    session: *mut khufu_session,
    token: *const c_char,
    token_len: usize,
    valid: *mut bool,
) -> khufu_status {
    // SAFETY: the arguments are the caller's promise, as the header states it.
    unsafe {
        on_session(session, || {
            let output = Output::cleared(valid, false)?;
            let token = bytes(token, token_len)?;
            output.put(core(session)?.check_csrf_token(token));
            Ok(())
        })
    }
}
