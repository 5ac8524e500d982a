use std::ffi::c_char;

use super::arguments::{Output, TextOutput, bytes};
use super::session::{core, khufu_session, on_session};
use super::status::khufu_status;

/// Gets the session's CSRF token. If the session has no token, it gets a new one: 40 hexadecimal digits.
///
/// @param token  set to the token, borrowed.
/// @return KHUFU_OK; KHUFU_ERR_RANDOM if a new token is needed and the system gives no random bytes.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn khufu_session_csrf_token(
    session: *mut khufu_session,
    token: *mut *const c_char,
    token_len: *mut usize,
) -> khufu_status {
    // SAFETY: the caller passes valid arguments, as the header requires.
    unsafe {
        on_session(session, || {
            let output = TextOutput::cleared(token, token_len)?;
            output.put(core(session)?.csrf_token()?);
            Ok(())
        })
    }
}

/// Sets a new CSRF token, 40 hexadecimal digits, and gets it. The old token is no longer valid.
///
/// @param token  set to the token, borrowed.
/// @return KHUFU_OK; KHUFU_ERR_RANDOM if the system gives no random bytes.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn khufu_session_new_csrf_token(
    session: *mut khufu_session,
    token: *mut *const c_char,
    token_len: *mut usize,
) -> khufu_status {
    // SAFETY: the caller passes valid arguments, as the header requires.
    unsafe {
        on_session(session, || {
            let output = TextOutput::cleared(token, token_len)?;
            output.put(core(session)?.new_csrf_token()?);
            Ok(())
        })
    }
}

/// Checks a token from a request against the session's CSRF token, in constant time.
///
/// @param token  the token. It may be any bytes.
/// @param valid  set to true if the tokens are equal. Set to false if they differ, or if the session has no token.
/// @return KHUFU_OK, even if the token is not valid.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn khufu_session_check_csrf_token(
    session: *mut khufu_session,
    token: *const c_char,
    token_len: usize,
    valid: *mut bool,
) -> khufu_status {
    // SAFETY: the caller passes valid arguments, as the header requires.
    unsafe {
        on_session(session, || {
            let output = Output::cleared(valid, false)?;
            let token = bytes(token, token_len)?;
            output.put(core(session)?.check_csrf_token(token));
            Ok(())
        })
    }
}
