use std::ffi::c_char;
use std::time::Duration;

use super::arguments::{Output, TextOutput, bytes, handle, text};
use super::factory::khufu_factory;
use super::guard::{Detail, Failure, guard_with, value};
use super::status::khufu_load_result;
use super::status::khufu_status::{self, *};
use crate::session::{OpenOptions, Sent, Session};
use crate::sys::wiped::WipedText;

/// One request's session. It belongs to one thread at a time: reading changes it too.
///
/// What a session hands out (const char **) is borrowed: UTF-8, not NUL-terminated, and valid until the next call that
/// changes the session (sets, deletes, flashes, pops, makes a token, invalidates, commits) or frees it. Reading leaves
/// it valid. Such a text may be given back to the same session, as a key or a value.
#[derive(Default)]
pub struct khufu_session {
    /// `None` if opening failed.
    pub(super) session: Option<Session>,
    pub(super) detail: Detail,
    format: Detail,
    /// A text that was made for the last call of khufu_session_headers or khufu_session_value.
    pub(super) made: WipedText,
}

/// A flag of khufu_session_open_with: reading the session neither renews its cookie nor extends its life. Use it for polls
/// and health checks. The session can still be changed.
pub const KHUFU_OPEN_PASSIVE: u32 = 1;

/// Opens a request's session at the current time.
///
/// A cookie never makes opening fail. If there is none, or it is bad, the session is new and empty:
/// khufu_session_load_result says why, and khufu_session_error explains it.
///
/// @param cookie_header  the value of the request's Cookie header, any bytes; several headers are joined by "; ".
/// @param session        set to a handle to be freed with khufu_session_free. An open that fails gives a handle, too: it
///                       has the detail for khufu_session_error, and every other call on it fails.
/// @return KHUFU_OK; KHUFU_ERR_STORE (the session's store failed, and the option store_on_error is fail).
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn khufu_session_open(
    factory: *const khufu_factory,
    cookie_header: *const c_char,
    cookie_header_len: usize,
    session: *mut *mut khufu_session,
) -> khufu_status {
    // SAFETY: the arguments are the caller's promise, as the header states it.
    unsafe {
        let sent = || Ok(Sent::Header(bytes(cookie_header, cookie_header_len)?));
        open(factory, session, sent, || Ok(OpenOptions::new()))
    }
}

/// Opens a request's session at a given time, within a limit, or passively.
///
/// @param cookie_header  the value of the request's Cookie header, any bytes; several headers are joined by "; ".
/// @param now            the current time, from 0 to 253402300799 (the year 9999), for tests and replays; negative: the
///                       clock's.
/// @param seconds        how long the store may take, if that is less than the option store_timeout; negative:
///                       store_timeout; 0: a session in a store fails at once with KHUFU_ERR_STORE.
/// @param flags          0 or KHUFU_OPEN_PASSIVE.
/// @param session        as in khufu_session_open.
/// @return KHUFU_OK; KHUFU_ERR_STORE; KHUFU_ERR_ARGUMENT (also for a time out of range or an unknown flag).
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
    // SAFETY: the arguments are the caller's promise, as the header states it.
    unsafe {
        let sent = || Ok(Sent::Header(bytes(cookie_header, cookie_header_len)?));
        open(factory, session, sent, || open_options(now, seconds, flags))
    }
}

/// Opens the session in a cookie's value that came without a Cookie header, for example in another header, a query or a
/// message. khufu_session_value gives such a value.
///
/// @param value    the value, any bytes.
/// @param now      as in khufu_session_open_with.
/// @param seconds  as in khufu_session_open_with.
/// @param flags    0 or KHUFU_OPEN_PASSIVE.
/// @param session  as in khufu_session_open.
/// @return KHUFU_OK; KHUFU_ERR_STORE; KHUFU_ERR_ARGUMENT (also for a time out of range or an unknown flag).
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
    // SAFETY: the arguments are the caller's promise, as the header states it.
    unsafe {
        let sent = || Ok(Sent::Value(bytes(value, value_len)?));
        open(factory, session, sent, || open_options(now, seconds, flags))
    }
}

fn open_options(now: f64, seconds: f64, flags: u32) -> Result<OpenOptions, Failure> {
    if flags & !KHUFU_OPEN_PASSIVE != 0 {
        return Err(Failure::new(KHUFU_ERR_ARGUMENT, "an unknown flag of open"));
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

/// The limit of a call; `None` if it is the option `store_timeout`.
pub(super) fn limit(seconds: f64) -> Result<Option<Duration>, Failure> {
    if seconds.is_nan() {
        return Err(Failure::new(KHUFU_ERR_ARGUMENT, "a time limit is not a number"));
    }
    // A limit that is too long to represent is none.
    Ok(Duration::try_from_secs_f64(seconds).ok())
}

/// SAFETY: `factory` is NULL or alive; `session` is NULL or can be written.
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
            // SAFETY: a factory is immutable, so a shared reference is all that is taken.
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
    // SAFETY: the caller's promise.
    match unsafe { Output::cleared(session, std::ptr::null_mut()) } {
        Ok(output) => output.put(Box::into_raw(made)),
        Err(_) => status = KHUFU_ERR_ARGUMENT,
    }
    status
}

/// Frees a session and zeroes its data. What was not committed is lost.
///
/// @param session  may be NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn khufu_session_free(session: *mut khufu_session) {
    if !session.is_null() {
        // SAFETY: it came from khufu_session_open, and the caller gives it up.
        value((), || drop(unsafe { Box::from_raw(session) }));
    }
}

/// The detail of the last call on this session that failed. After opening: why the cookie was refused, or that the
/// request has cookies but none of the session's name.
///
/// @param session  NULL gives "".
/// @return NUL-terminated UTF-8 without secrets, valid until the next call on the session; "" if there is nothing to
///         tell; never NULL. Ask for it after the call has returned, not in the same expression.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn khufu_session_error(session: *const khufu_session) -> *const c_char {
    // SAFETY: NULL, or a session that the caller has not freed.
    unsafe { session.as_ref() }.map_or(c"".as_ptr(), |session| session.detail.as_ptr())
}

/// How the request's session cookie was opened.
///
/// @param session  NULL gives KHUFU_LOAD_NONE.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn khufu_session_load_result(session: *const khufu_session) -> khufu_load_result {
    // SAFETY: NULL, or a session that the caller has not freed.
    unsafe { about(session, khufu_load_result::KHUFU_LOAD_NONE, |session| session.load_result().into()) }
}

/// The name of the accepted format that opened the session, if the load result is KHUFU_LOAD_LOADED_OTHER_FORMAT.
///
/// @param session  NULL gives "".
/// @return NUL-terminated, valid as long as the session; otherwise ""; never NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn khufu_session_load_format(session: *const khufu_session) -> *const c_char {
    // SAFETY: NULL, or a session that the caller has not freed.
    unsafe { session.as_ref() }.map_or(c"".as_ptr(), |session| session.format.as_ptr())
}

/// When the session began.
///
/// @param session  NULL gives 0.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn khufu_session_created(session: *const khufu_session) -> f64 {
    // SAFETY: NULL, or a session that the caller has not freed.
    unsafe { about(session, 0.0, Session::created) }
}

/// When the session was last read or written; whole seconds once this request has.
///
/// @param session  NULL gives 0.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn khufu_session_accessed(session: *const khufu_session) -> f64 {
    // SAFETY: NULL, or a session that the caller has not freed.
    unsafe { about(session, 0.0, Session::accessed) }
}

/// When the browser's cookie was written.
///
/// @param session  NULL gives 0.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn khufu_session_renewed(session: *const khufu_session) -> f64 {
    // SAFETY: NULL, or a session that the caller has not freed.
    unsafe { about(session, 0.0, Session::renewed) }
}

/// True if the session began with this request.
///
/// @param session  NULL gives false.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn khufu_session_is_new(session: *const khufu_session) -> bool {
    // SAFETY: NULL, or a session that the caller has not freed.
    unsafe { about(session, false, Session::is_new) }
}

/// True if commit would write the session.
///
/// @param session  NULL gives false.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn khufu_session_is_changed(session: *const khufu_session) -> bool {
    // SAFETY: NULL, or a session that the caller has not freed.
    unsafe { about(session, false, Session::is_changed) }
}

/// A name for a session in a store that may be logged, because it opens nothing. For khufu's own records it is the key in
/// the store, and stays the same through every login; for another library's it is the SHA-256 of the session's id.
///
/// @param id  set to 64 hexadecimal digits, borrowed.
/// @return KHUFU_OK; KHUFU_NOT_FOUND (before the first commit, and for a session in a cookie).
#[unsafe(no_mangle)]
pub unsafe extern "C" fn khufu_session_id(
    session: *mut khufu_session,
    id: *mut *const c_char,
    id_len: *mut usize,
) -> khufu_status {
    // SAFETY: the arguments are the caller's promise, as the header states it.
    unsafe {
        on_session(session, || {
            let output = TextOutput::cleared(id, id_len)?;
            output.put(core(session)?.id().ok_or(KHUFU_NOT_FOUND)?);
            Ok(())
        })
    }
}

/// Gives a session in a store a new id at commit, against session fixation: call it when a user has logged in. For the
/// option regenerate_grace seconds the old id still shows the data as they were before, to be read only. A session in a
/// cookie has no id, and is only written again.
///
/// @return KHUFU_OK.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn khufu_session_regenerate_id(session: *mut khufu_session) -> khufu_status {
    // SAFETY: the handle is the caller's promise.
    unsafe {
        on_session(session, || {
            core(session)?.regenerate_id();
            Ok(())
        })
    }
}

/// Drops all data and starts over: the session is new, created now. What is set afterwards belongs to the new session; if
/// nothing is, commit clears the browser's cookie. Log a user out with it.
///
/// @return KHUFU_OK.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn khufu_session_invalidate(session: *mut khufu_session) -> khufu_status {
    // SAFETY: the handle is the caller's promise.
    unsafe {
        on_session(session, || {
            core(session)?.invalidate();
            Ok(())
        })
    }
}

/// Marks the session changed, though nothing was set: commit writes it.
///
/// @return KHUFU_OK.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn khufu_session_mark_changed(session: *mut khufu_session) -> khufu_status {
    // SAFETY: the handle is the caller's promise.
    unsafe {
        on_session(session, || {
            core(session)?.mark_changed();
            Ok(())
        })
    }
}

/// Sets whose session it is, so that khufu_subject_open finds it.
///
/// @param subject  for example "user-42"; (NULL, 0): nobody's.
/// @return KHUFU_OK; KHUFU_ERR_RANGE (more than 65,535 bytes); KHUFU_ERR_ARGUMENT (also for a session in a
///         cookie or in another library's record, which has no subject).
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn khufu_session_set_subject(
    session: *mut khufu_session,
    subject: *const c_char,
    subject_len: usize,
) -> khufu_status {
    // SAFETY: the arguments are the caller's promise, as the header states it.
    unsafe {
        on_session(session, || {
            let subject = text(subject, subject_len)?;
            Ok(core(session)?.set_subject(subject)?)
        })
    }
}

/// Whose session it is, as khufu_session_set_subject set it.
///
/// @param subject  set to the subject, borrowed.
/// @return KHUFU_OK; KHUFU_NOT_FOUND (nobody's).
#[unsafe(no_mangle)]
pub unsafe extern "C" fn khufu_session_subject(
    session: *mut khufu_session,
    subject: *mut *const c_char,
    subject_len: *mut usize,
) -> khufu_status {
    // SAFETY: the arguments are the caller's promise, as the header states it.
    unsafe {
        on_session(session, || {
            let output = TextOutput::cleared(subject, subject_len)?;
            output.put(core(session)?.subject().ok_or(KHUFU_NOT_FOUND)?);
            Ok(())
        })
    }
}

/// Sets how long the session lives when it is not used ("remember me").
///
/// A store keeps the lifetime: from now on the session's idle time and its cookie's Max-Age follow it. A cookie has no
/// place for it, and neither has another library's record: there it is only the Max-Age of the next commit's cookie.
///
/// @param seconds  the lifetime, at most 10,000,000,000; 0: as the options say.
/// @return KHUFU_OK; KHUFU_ERR_RANGE.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn khufu_session_set_lifetime(session: *mut khufu_session, seconds: u64) -> khufu_status {
    // SAFETY: the handle is the caller's promise.
    unsafe { on_session(session, || Ok(core(session)?.set_lifetime(seconds)?)) }
}

/// Sets an attribute of the next commit's cookie.
///
/// @param name   max_age, secure, httponly, samesite or partitioned.
/// @param value  a value that the option of this name accepts; empty: unset.
/// @return KHUFU_OK; KHUFU_ERR_OPTION (there is no such attribute, or browsers would drop the cookie).
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn khufu_session_set_attribute(
    session: *mut khufu_session,
    name: *const c_char,
    name_len: usize,
    value: *const c_char,
    value_len: usize,
) -> khufu_status {
    // SAFETY: the arguments are the caller's promise, as the header states it.
    unsafe {
        on_session(session, || {
            let (name, value) = (text(name, name_len)?, text(value, value_len)?);
            Ok(core(session)?.set_attribute(name, value)?)
        })
    }
}

/// SAFETY: `session` is NULL or alive.
unsafe fn about<T>(session: *const khufu_session, otherwise: T, tell: impl FnOnce(&Session) -> T) -> T {
    // SAFETY: the caller's promise.
    match unsafe { session.as_ref() }.and_then(|handle| handle.session.as_ref()) {
        Some(session) => value(otherwise, || tell(session)),
        None => otherwise,
    }
}

/// Runs a body that works on the session of a handle, and keeps a failure's detail there.
///
/// SAFETY: as [`handle`].
pub(super) unsafe fn on_session(
    session: *mut khufu_session,
    body: impl FnOnce() -> Result<(), Failure>,
) -> khufu_status {
    // SAFETY: the body's own reference is gone when the detail is asked for.
    guard_with(|| unsafe { session.as_mut() }.map(|handle| &mut handle.detail), body)
}

/// The session of a handle.
///
/// SAFETY: as [`handle`].
pub(super) unsafe fn core<'a>(session: *mut khufu_session) -> Result<&'a mut Session, Failure> {
    // SAFETY: the caller's promise is handed on.
    let session = unsafe { handle(session) }?.session.as_mut();
    session.ok_or_else(|| Failure::new(KHUFU_ERR_ARGUMENT, "the session was never opened"))
}
