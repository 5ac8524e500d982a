use std::ffi::c_char;
use std::time::Duration;

use super::arguments::{Output, TextOutput, bytes, handle, text};
use super::factory::khufu_factory;
use super::guard::{Detail, Failure, guard_with, value};
use super::status::khufu_load_result;
use super::status::khufu_status::{self, *};
use crate::session::{OpenOptions, Sent, Session};
use crate::sys::wiped::WipedText;

/// The session of one request. Only one thread at a time may use it, because reading also changes it.
///
/// A text that a function returns in a const char ** is borrowed: it is UTF-8 without a NUL at its end, and it is valid
/// until a call changes the session (sets, deletes, flashes, pops, makes a token, invalidates, commits) or frees it.
/// Reading leaves it valid. The text may be given to the same session again, as a key or a value.
#[derive(Default)]
pub struct khufu_session {
    /// `None` if opening failed.
    pub(super) session: Option<Session>,
    pub(super) detail: Detail,
    format: Detail,
    /// The text that the last call of khufu_session_headers or khufu_session_value returned.
    pub(super) made: WipedText,
}

/// A flag for khufu_session_open_with and khufu_session_open_value: reading the session neither renews its cookie nor
/// extends its life. Use it for polls and health checks. The session can still be changed.
pub const KHUFU_OPEN_PASSIVE: u32 = 1;

/// Opens the session of a request, at the current time.
///
/// If the request has no session cookie, or a bad one, the call succeeds and the session is new and empty.
/// khufu_session_load_result then tells which of these it is, and khufu_session_error gives the reason why a cookie was
/// refused.
///
/// @param cookie_header  the value of the request's Cookie header. It may be any bytes. If there are several such
///                       headers, join them with "; ". If there is none, use NULL and 0.
/// @param session        set to a handle, even if the call fails. After a failure, khufu_session_error returns the
///                       reason, and every other call on the handle fails. Free it with khufu_session_free.
/// @return KHUFU_OK; KHUFU_ERR_STORE if the store failed and the option store_on_error is fail.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn khufu_session_open(
    factory: *const khufu_factory,
    cookie_header: *const c_char,
    cookie_header_len: usize,
    session: *mut *mut khufu_session,
) -> khufu_status {
    // SAFETY: the caller passes valid arguments, as the header requires.
    unsafe {
        let sent = || Ok(Sent::Header(bytes(cookie_header, cookie_header_len)?));
        open(factory, session, sent, || Ok(OpenOptions::new()))
    }
}

/// Opens the session of a request like khufu_session_open, but with a given time, with a time limit, or passively.
///
/// @param cookie_header  the value of the request's Cookie header. It may be any bytes. If there are several such
///                       headers, join them with "; ". If there is none, use NULL and 0.
/// @param now            the time of opening, from 0 to 253402300799 (the year 9999), for tests and replays. If
///                       negative, the current time.
/// @param seconds        how long to wait for the store, if that is less than the option store_timeout. If negative,
///                       store_timeout applies. If 0, and sessions are kept in a store, the call fails at once with
///                       KHUFU_ERR_STORE.
/// @param flags          0 or KHUFU_OPEN_PASSIVE.
/// @param session        set to a handle, even if the call fails. After a failure, khufu_session_error returns the
///                       reason, and every other call on the handle fails. Free it with khufu_session_free.
/// @return KHUFU_OK; KHUFU_ERR_STORE if the store failed and the option store_on_error is fail, or if the time limit is
///         0; KHUFU_ERR_ARGUMENT if a time is out of range or a flag is unknown.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn khufu_session_open_with(
    factory: *const khufu_factory,
    cookie_header: *const c_char,
    cookie_header_len: usize,
    now: f64,
    seconds: f64,
    flags: u32,
    session: *mut *mut khufu_session,
) -> khufu_status {
    // SAFETY: the caller passes valid arguments, as the header requires.
    unsafe {
        let sent = || Ok(Sent::Header(bytes(cookie_header, cookie_header_len)?));
        open(factory, session, sent, || open_options(now, seconds, flags))
    }
}

/// Opens a session from the value of its cookie, if the client sent the value in another way than in a Cookie header,
/// for example in another header or in a message. khufu_session_value returns such a value.
///
/// @param value    the value. It may be any bytes.
/// @param now      the time of opening, from 0 to 253402300799 (the year 9999), for tests and replays. If negative, the
///                 current time.
/// @param seconds  how long to wait for the store, if that is less than the option store_timeout. If negative,
///                 store_timeout applies. If 0, and sessions are kept in a store, the call fails at once with
///                 KHUFU_ERR_STORE.
/// @param flags    0 or KHUFU_OPEN_PASSIVE.
/// @param session  set to a handle, even if the call fails. After a failure, khufu_session_error returns the reason,
///                 and every other call on the handle fails. Free it with khufu_session_free.
/// @return KHUFU_OK; KHUFU_ERR_STORE if the store failed and the option store_on_error is fail, or if the time limit is
///         0; KHUFU_ERR_ARGUMENT if a time is out of range or a flag is unknown.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn khufu_session_open_value(
    factory: *const khufu_factory,
    value: *const c_char,
    value_len: usize,
    now: f64,
    seconds: f64,
    flags: u32,
    session: *mut *mut khufu_session,
) -> khufu_status {
    // SAFETY: the caller passes valid arguments, as the header requires.
    unsafe {
        let sent = || Ok(Sent::Value(bytes(value, value_len)?));
        open(factory, session, sent, || open_options(now, seconds, flags))
    }
}

fn open_options(now: f64, seconds: f64, flags: u32) -> Result<OpenOptions, Failure> {
    if flags & !KHUFU_OPEN_PASSIVE != 0 {
        return Err(Failure::new(KHUFU_ERR_ARGUMENT, "flags must be 0 or KHUFU_OPEN_PASSIVE"));
    }
    let mut options = OpenOptions::new();
    if now.is_nan() || now >= 0.0 {
        options = options.now(now);
    }
    if let Some(limit) = limit(seconds)? {
        options = options.limit(limit);
    }
    Ok(if flags & KHUFU_OPEN_PASSIVE == 0 { options } else { options.passive() })
}

/// The time limit of a call. `None` if it is the option `store_timeout`.
pub(super) fn limit(seconds: f64) -> Result<Option<Duration>, Failure> {
    if seconds.is_nan() {
        return Err(Failure::new(KHUFU_ERR_ARGUMENT, "a time limit is not a number"));
    }
    // A negative number, or one that is too large for a `Duration`, means no limit.
    Ok(Duration::try_from_secs_f64(seconds).ok())
}

/// Opens a session, and returns a handle to the caller.
///
/// SAFETY: `factory` is NULL or was not freed; `session` is NULL or can be written.
unsafe fn open<'a>(
    factory: *const khufu_factory,
    session: *mut *mut khufu_session,
    sent: impl FnOnce() -> Result<Sent<'a>, Failure>,
    options: impl FnOnce() -> Result<OpenOptions, Failure>,
) -> khufu_status {
    let mut made = Box::<khufu_session>::default();
    let khufu_session { session: opened, detail, format, .. } = &mut *made;
    let mut status = guard_with(
        || Some(&mut *detail),
        || {
            // SAFETY: the caller passes NULL or a valid factory. Only a shared reference to it is taken.
            let factory = unsafe { factory.as_ref() };
            let factory = factory.ok_or_else(|| Failure::new(KHUFU_ERR_ARGUMENT, "the factory is NULL"))?;
            *opened = Some(factory.0.open_sent(sent()?, &options()?)?);
            Ok(())
        },
    );
    if let Some(opened) = opened {
        if let Some(reason) = opened.refusal() {
            detail.set(reason);
        }
        if let Some(name) = opened.load_format() {
            format.set(name);
        }
    }
    // SAFETY: the caller promises it.
    match unsafe { Output::cleared(session, std::ptr::null_mut()) } {
        Ok(output) => output.put(Box::into_raw(made)),
        Err(_) => status = KHUFU_ERR_ARGUMENT,
    }
    status
}

/// Frees a session, and zeroes its data. Changes that were not committed are lost.
///
/// @param session  may be NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn khufu_session_free(session: *mut khufu_session) {
    if !session.is_null() {
        // SAFETY: it came from khufu_session_open, and the caller does not use it again.
        value((), || drop(unsafe { Box::from_raw(session) }));
    }
}

/// Returns the message of the last call on this session that failed. After opening, it is the reason why the cookie was
/// refused, or a note that the request has only other cookies. Call this function after the failed call has returned,
/// not in the same expression.
///
/// @param session  may be NULL.
/// @return NUL-terminated UTF-8 that contains no secret, valid until the next call on the session; "" if there is
///         nothing to report or session is NULL; never NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn khufu_session_error(session: *const khufu_session) -> *const c_char {
    // SAFETY: NULL, or a session that the caller has not freed.
    unsafe { session.as_ref() }.map_or(c"".as_ptr(), |session| session.detail.as_ptr())
}

/// Returns how the request's session cookie was opened.
///
/// @param session  may be NULL. The result is then KHUFU_LOAD_NONE.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn khufu_session_load_result(session: *const khufu_session) -> khufu_load_result {
    // SAFETY: NULL, or a session that the caller has not freed.
    unsafe { about(session, khufu_load_result::KHUFU_LOAD_NONE, |session| session.load_result().into()) }
}

/// Returns the name of the accepted format that opened the session, if the load result is
/// KHUFU_LOAD_LOADED_OTHER_FORMAT.
///
/// @param session  may be NULL.
/// @return NUL-terminated UTF-8, valid until the session is freed; "" if the load result is another one or session is
///         NULL; never NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn khufu_session_load_format(session: *const khufu_session) -> *const c_char {
    // SAFETY: NULL, or a session that the caller has not freed.
    unsafe { session.as_ref() }.map_or(c"".as_ptr(), |session| session.format.as_ptr())
}

/// Returns the time when the session began.
///
/// @param session  may be NULL. The result is then 0.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn khufu_session_created(session: *const khufu_session) -> f64 {
    // SAFETY: NULL, or a session that the caller has not freed.
    unsafe { about(session, 0.0, Session::created) }
}

/// Returns the time when the session was last read or changed. It is in whole seconds if this request did so.
///
/// @param session  may be NULL. The result is then 0.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn khufu_session_accessed(session: *const khufu_session) -> f64 {
    // SAFETY: NULL, or a session that the caller has not freed.
    unsafe { about(session, 0.0, Session::accessed) }
}

/// Returns the time when the session was last written.
///
/// @param session  may be NULL. The result is then 0.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn khufu_session_renewed(session: *const khufu_session) -> f64 {
    // SAFETY: NULL, or a session that the caller has not freed.
    unsafe { about(session, 0.0, Session::renewed) }
}

/// Returns true if the session began with this request.
///
/// @param session  may be NULL. The result is then false.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn khufu_session_is_new(session: *const khufu_session) -> bool {
    // SAFETY: NULL, or a session that the caller has not freed.
    unsafe { about(session, false, Session::is_new) }
}

/// Returns true if commit would write the session.
///
/// @param session  may be NULL. The result is then false.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn khufu_session_is_changed(session: *const khufu_session) -> bool {
    // SAFETY: NULL, or a session that the caller has not freed.
    unsafe { about(session, false, Session::is_changed) }
}

/// Gets an id for logs. It cannot be used to open the session. For khufu's own records it is the key in the store, and
/// stays the same when the session gets a new id. For another library's records it is the SHA-256 of the session's id.
///
/// @param id  set to 64 hexadecimal digits, borrowed.
/// @return KHUFU_OK; KHUFU_NOT_FOUND before the first commit, and for a session in a cookie.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn khufu_session_id(
    session: *mut khufu_session,
    id: *mut *const c_char,
    id_len: *mut usize,
) -> khufu_status {
    // SAFETY: the caller passes valid arguments, as the header requires.
    unsafe {
        on_session(session, || {
            let output = TextOutput::cleared(id, id_len)?;
            output.put(core(session)?.id().ok_or(KHUFU_NOT_FOUND)?);
            Ok(())
        })
    }
}

/// Gives the session a new id at commit. Call it when a user logs in, to prevent session fixation. For regenerate_grace
/// seconds the old id can still read the earlier data, but not change them; an old id of another library's session is
/// invalid at once. A session in a cookie has no id, and is only written again.
///
/// @return KHUFU_OK.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn khufu_session_regenerate_id(session: *mut khufu_session) -> khufu_status {
    // SAFETY: the caller passes a valid handle, as the header requires.
    unsafe {
        on_session(session, || {
            core(session)?.regenerate_id();
            Ok(())
        })
    }
}

/// Ends the session, for example when the user logs out. Its data are dropped, and a new, empty session begins. Data
/// that are set afterwards belong to the new session. If none are set, commit clears the browser's cookie.
///
/// @return KHUFU_OK.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn khufu_session_invalidate(session: *mut khufu_session) -> khufu_status {
    // SAFETY: the caller passes a valid handle, as the header requires.
    unsafe {
        on_session(session, || {
            core(session)?.invalidate();
            Ok(())
        })
    }
}

/// Marks the session as changed, so that commit writes it even if nothing was set.
///
/// @return KHUFU_OK.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn khufu_session_mark_changed(session: *mut khufu_session) -> khufu_status {
    // SAFETY: the caller passes a valid handle, as the header requires.
    unsafe {
        on_session(session, || {
            core(session)?.mark_changed();
            Ok(())
        })
    }
}

/// Sets the subject of the session: the user, or anything else, whose session it is. After the next commit,
/// khufu_subject_open finds the session.
///
/// @param subject  for example "user-42". If it is empty, the session has no subject.
/// @return KHUFU_OK; KHUFU_ERR_RANGE if the subject is longer than 65,535 bytes; KHUFU_ERR_ARGUMENT if the session
///         cannot have a subject, because it is in a cookie or in another library's record, or because the custom store
///         has no callbacks for subjects.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn khufu_session_set_subject(
    session: *mut khufu_session,
    subject: *const c_char,
    subject_len: usize,
) -> khufu_status {
    // SAFETY: the caller passes valid arguments, as the header requires.
    unsafe {
        on_session(session, || {
            let subject = text(subject, subject_len)?;
            Ok(core(session)?.set_subject(subject)?)
        })
    }
}

/// Gets the session's subject, as khufu_session_set_subject set it.
///
/// @param subject  set to the subject, borrowed.
/// @return KHUFU_OK; KHUFU_NOT_FOUND if the session has no subject.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn khufu_session_subject(
    session: *mut khufu_session,
    subject: *mut *const c_char,
    subject_len: *mut usize,
) -> khufu_status {
    // SAFETY: the caller passes valid arguments, as the header requires.
    unsafe {
        on_session(session, || {
            let output = TextOutput::cleared(subject, subject_len)?;
            output.put(core(session)?.subject().ok_or(KHUFU_NOT_FOUND)?);
            Ok(())
        })
    }
}

/// Sets the session's own lifetime: how long after its last use it expires. Use it for "remember me".
///
/// khufu's own records keep the lifetime. It replaces the options timeout and max_age for this session. Sessions in
/// cookies and other libraries' records cannot keep it: there it is only the Max-Age of the next commit's cookie.
///
/// @param seconds  the lifetime, at most 10,000,000,000. 0 means that the options apply again.
/// @return KHUFU_OK; KHUFU_ERR_RANGE if the lifetime is longer.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn khufu_session_set_lifetime(session: *mut khufu_session, seconds: u64) -> khufu_status {
    // SAFETY: the caller passes a valid handle, as the header requires.
    unsafe { on_session(session, || Ok(core(session)?.set_lifetime(seconds)?)) }
}

/// Sets an attribute of the next commit's cookie. Later commits use the options again.
///
/// @param name   max_age, secure, httponly, samesite or partitioned.
/// @param value  a value that the option of this name accepts. An empty value unsets the attribute.
/// @return KHUFU_OK; KHUFU_ERR_OPTION if there is no such attribute, if it does not accept the value, or if browsers
///         would drop the cookie. The attributes are unchanged then.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn khufu_session_set_attribute(
    session: *mut khufu_session,
    name: *const c_char,
    name_len: usize,
    value: *const c_char,
    value_len: usize,
) -> khufu_status {
    // SAFETY: the caller passes valid arguments, as the header requires.
    unsafe {
        on_session(session, || {
            let (name, value) = (text(name, name_len)?, text(value, value_len)?);
            Ok(core(session)?.set_attribute(name, value)?)
        })
    }
}

/// Reads a property of a session. `otherwise` is the result if the handle has no session.
///
/// SAFETY: `session` is NULL or was not freed.
unsafe fn about<T>(session: *const khufu_session, otherwise: T, tell: impl FnOnce(&Session) -> T) -> T {
    // SAFETY: the caller promises it.
    match unsafe { session.as_ref() }.and_then(|handle| handle.session.as_ref()) {
        Some(session) => value(otherwise, || tell(session)),
        None => otherwise,
    }
}

/// Runs the body of a call on a session. The handle keeps the detail of a failure.
///
/// SAFETY: as in [`handle`].
pub(super) unsafe fn on_session(
    session: *mut khufu_session,
    body: impl FnOnce() -> Result<(), Failure>,
) -> khufu_status {
    // SAFETY: the body has ended, and with it its own reference, when the detail is recorded.
    guard_with(|| unsafe { session.as_mut() }.map(|handle| &mut handle.detail), body)
}

/// The session of a handle.
///
/// SAFETY: as in [`handle`].
pub(super) unsafe fn core<'a>(session: *mut khufu_session) -> Result<&'a mut Session, Failure> {
    // SAFETY: the caller promises it.
    let session = unsafe { handle(session) }?.session.as_mut();
    session.ok_or_else(|| Failure::new(KHUFU_ERR_ARGUMENT, "the session was never opened"))
}
