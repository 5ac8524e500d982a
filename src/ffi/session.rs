use std::ffi::c_char;
use std::time::Duration;

use super::arguments::{Output, TextOutput, bytes, handle, text};
use super::factory::khufu_factory;
use super::guard::{Detail, Failure, guard_with, value};
use super::status::khufu_load_result;
use super::status::khufu_status::{self, *};
use crate::moment;
use crate::session::Session;

/// One request's session. Belongs to one thread at a time: reading changes it too.
///
/// What a session hands out (const char **) is borrowed: UTF-8, not NUL-terminated, valid until the next call that
/// changes the session (sets, deletes, flashes, pops, makes a token, invalidates, commits) or frees it. Reading leaves
/// it valid. Such a text may be handed back to the same session, as a key or a value.
#[derive(Default)]
pub struct khufu_session {
    /// `None` where opening failed.
    session: Option<Session>,
    detail: Detail,
    format: Detail,
}

/// The request ended in an exception: without the option set_on_exception nothing is written. An invalidated session
/// ends all the same; what was set after khufu_session_invalidate is dropped then.
pub const KHUFU_COMMIT_EXCEPTION: u32 = 1;

/// Opens a request's session, at the current time.
///
/// A cookie never makes opening fail: where there is none, or it is bad, the session is new and empty;
/// khufu_session_load_result says what it was, khufu_session_error why it was refused.
///
/// @param factory            not NULL.
/// @param cookie_header      the value of the request's Cookie header (several joined by "; "), copied as needed; any
///                           bytes; (NULL, 0) where there is none; cookie_header_len KHUFU_NTS means up to the NUL.
/// @param session            not NULL (the one failure without a handle); set to a handle to be freed with
///                           khufu_session_free, on failure too (then khufu_session_error tells the detail, and every
///                           other call on it fails).
/// @return KHUFU_OK; KHUFU_ERR_STORE (the session's store failed, and the option store_on_error is fail);
///         KHUFU_ERR_ARGUMENT.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn khufu_session_open(
    factory: *const khufu_factory,
    cookie_header: *const c_char,
    cookie_header_len: usize,
    session: *mut *mut khufu_session,
) -> khufu_status {
    // SAFETY: the arguments are the caller's promise, as the comment above states it.
    unsafe { open(factory, cookie_header, cookie_header_len, session, || Ok((moment::now(), Duration::MAX))) }
}

/// The same, with a limit to how long a store may take.
///
/// @param seconds  how long this call may take, from now, where that is less than the option store_timeout; more than 0.
/// @return KHUFU_OK; KHUFU_ERR_STORE; KHUFU_ERR_ARGUMENT.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn khufu_session_open_deadline(
    factory: *const khufu_factory,
    cookie_header: *const c_char,
    cookie_header_len: usize,
    seconds: f64,
    session: *mut *mut khufu_session,
) -> khufu_status {
    // SAFETY: the arguments are the caller's promise, as the comment above states it.
    unsafe { open(factory, cookie_header, cookie_header_len, session, || Ok((moment::now(), limit(seconds)?))) }
}

/// How long a call may take.
fn limit(seconds: f64) -> Result<Duration, Failure> {
    let limit = Duration::try_from_secs_f64(seconds).ok().filter(|limit| !limit.is_zero());
    limit.ok_or_else(|| Failure::new(KHUFU_ERR_ARGUMENT, "a time limit must be more than 0 seconds"))
}

/// The same at a time of the caller's: for tests and replays.
///
/// @param now  seconds since the Unix epoch, from 0 to 253402300799 (the year 9999).
/// @return KHUFU_OK; KHUFU_ERR_STORE; KHUFU_ERR_ARGUMENT, also for a time out of that range.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn khufu_session_open_at(
    factory: *const khufu_factory,
    cookie_header: *const c_char,
    cookie_header_len: usize,
    now: f64,
    session: *mut *mut khufu_session,
) -> khufu_status {
    // SAFETY: the arguments are the caller's promise, as the comment above states it.
    unsafe { open(factory, cookie_header, cookie_header_len, session, || Ok((moment::given(now)?, Duration::MAX))) }
}

/// SAFETY: `factory` is NULL or alive; the header is as [`bytes`] has it; `session` is NULL or can be written.
unsafe fn open(
    factory: *const khufu_factory,
    cookie_header: *const c_char,
    cookie_header_len: usize,
    session: *mut *mut khufu_session,
    when: impl FnOnce() -> Result<(f64, Duration), Failure>,
) -> khufu_status {
    let mut made = Box::<khufu_session>::default();
    let khufu_session { session: opened, detail, format } = &mut *made;
    let mut status = guard_with(
        || Some(&mut *detail),
        || {
            // SAFETY: a factory is immutable, so a shared reference is all that is taken.
            let factory = unsafe { factory.as_ref() };
            let factory = factory.ok_or_else(|| Failure::new(KHUFU_ERR_ARGUMENT, "the factory is NULL"))?;
            // SAFETY: the caller's promise is handed on.
            let cookie_header = unsafe { bytes(cookie_header, cookie_header_len) }?;
            let (now, limit) = when()?;
            Ok(factory.0.load(opened.insert(factory.0.begin(now)), cookie_header, limit)?)
        },
    );
    if status != KHUFU_OK {
        *opened = None;
    }
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

/// Frees a session, and zeroes its data. What was not committed is lost.
///
/// @param session  may be NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn khufu_session_free(session: *mut khufu_session) {
    if !session.is_null() {
        // SAFETY: it came from khufu_session_open, and the caller gives it up.
        value((), || drop(unsafe { Box::from_raw(session) }));
    }
}

/// The detail of the last failure of a call on this session. After opening: why the cookie was refused, or that the
/// request has cookies, but none of the session's name. "" if there is nothing to tell.
///
/// @param session  NULL gives "".
/// @return NUL-terminated UTF-8 that never holds a secret, valid until the next call on the session; never NULL. Ask for
///         it when the call has returned, not as another argument of the expression that makes it.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn khufu_session_error(session: *const khufu_session) -> *const c_char {
    // SAFETY: NULL, or a session that the caller has not freed.
    unsafe { session.as_ref() }.map_or(c"".as_ptr(), |session| session.detail.as_ptr())
}

/// What opening made of the request's cookies.
///
/// @param session  NULL gives KHUFU_LOAD_NONE.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn khufu_session_load_result(session: *const khufu_session) -> khufu_load_result {
    // SAFETY: NULL, or a session that the caller has not freed.
    unsafe { about(session, khufu_load_result::KHUFU_LOAD_NONE, |session| session.load_result().into()) }
}

/// The name of the accepted format that the session came in, where the load result is
/// KHUFU_LOAD_LOADED_OTHER_FORMAT; else "".
///
/// @param session  NULL gives "".
/// @return NUL-terminated, valid as long as the session; never NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn khufu_session_load_format(session: *const khufu_session) -> *const c_char {
    // SAFETY: NULL, or a session that the caller has not freed.
    unsafe { session.as_ref() }.map_or(c"".as_ptr(), |session| session.format.as_ptr())
}

/// When the session began, in seconds since the Unix epoch.
///
/// @param session  NULL gives 0.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn khufu_session_created(session: *const khufu_session) -> f64 {
    // SAFETY: NULL, or a session that the caller has not freed.
    unsafe { about(session, 0.0, Session::created) }
}

/// When the session was last read or written, in seconds since the Unix epoch; whole seconds once this request has.
///
/// @param session  NULL gives 0.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn khufu_session_accessed(session: *const khufu_session) -> f64 {
    // SAFETY: NULL, or a session that the caller has not freed.
    unsafe { about(session, 0.0, Session::accessed) }
}

/// When the browser's cookie was written, in seconds since the Unix epoch.
///
/// @param session  NULL gives 0.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn khufu_session_renewed(session: *const khufu_session) -> f64 {
    // SAFETY: NULL, or a session that the caller has not freed.
    unsafe { about(session, 0.0, Session::renewed) }
}

/// Whether the session began with this request.
///
/// @param session  NULL gives false.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn khufu_session_is_new(session: *const khufu_session) -> bool {
    // SAFETY: NULL, or a session that the caller has not freed.
    unsafe { about(session, false, Session::is_new) }
}

/// Whether commit would write the session.
///
/// @param session  NULL gives false.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn khufu_session_is_changed(session: *const khufu_session) -> bool {
    // SAFETY: NULL, or a session that the caller has not freed.
    unsafe { about(session, false, Session::is_changed) }
}

/// Marks the session changed, though nothing was set: commit writes it.
///
/// @param session  not NULL.
/// @return KHUFU_OK; KHUFU_ERR_ARGUMENT.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn khufu_session_changed(session: *mut khufu_session) -> khufu_status {
    // SAFETY: the handle is the caller's promise.
    unsafe {
        on_session(session, || {
            core(session)?.changed();
            Ok(())
        })
    }
}

/// Drops all data and starts over: new, created now. What is set afterwards belongs to the new session; if nothing is,
/// commit clears the browser's cookie. Log a user out with it.
///
/// @param session  not NULL.
/// @return KHUFU_OK; KHUFU_ERR_ARGUMENT.
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

/// A name for a session in a store that may be logged, for it opens nothing. For khufu's own records it is the key in the
/// store, and stays the same through every login; for another library's it is the SHA-256 of the session's id.
///
/// @param session  not NULL.
/// @param id       not NULL; set to 64 hexadecimal digits, borrowed.
/// @param id_len   not NULL; their number.
/// @return KHUFU_OK; KHUFU_NOT_FOUND (before the first commit, and for a session in a cookie); KHUFU_ERR_ARGUMENT.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn khufu_session_id(
    session: *mut khufu_session,
    id: *mut *const c_char,
    id_len: *mut usize,
) -> khufu_status {
    // SAFETY: the arguments are the caller's promise, as the comment above states it.
    unsafe {
        on_session(session, || {
            let output = TextOutput::cleared(id, id_len)?;
            output.put(core(session)?.id().ok_or(KHUFU_NOT_FOUND)?);
            Ok(())
        })
    }
}

/// Gives a session in a store a new id at commit, against fixation: call it when a user has logged in. For the option
/// regenerate_grace seconds the old id shows the data as they were before, to be read only. A session in a cookie has no
/// id, and is only written anew.
///
/// @param session  not NULL.
/// @return KHUFU_OK; KHUFU_ERR_ARGUMENT.
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

/// Says whose session it is, so that khufu_subject_open finds it.
///
/// @param session  not NULL; of a store.
/// @param subject  UTF-8, as "user-42"; (NULL, 0): nobody's; subject_len KHUFU_NTS means up to the NUL.
/// @return KHUFU_OK; KHUFU_ERR_UTF8; KHUFU_ERR_ARGUMENT (also: a session in a cookie, or in another library's record,
///         has no subject).
#[unsafe(no_mangle)]
pub unsafe extern "C" fn khufu_session_set_subject(
    session: *mut khufu_session,
    subject: *const c_char,
    subject_len: usize,
) -> khufu_status {
    // SAFETY: the arguments are the caller's promise, as the comment above states it.
    unsafe {
        on_session(session, || {
            let subject = text(subject, subject_len)?;
            Ok(core(session)?.set_subject(subject)?)
        })
    }
}

/// Writes the session if it changed, and makes the Set-Cookie values that the whole response needs: fetch them with
/// khufu_session_set_cookie.
///
/// The commits of one request add up. After a further commit the values take the place of the earlier ones; after one
/// without changes they are the same again. Send those that are there after the last commit. An invalidated session
/// gives the values that clear the browser's cookie if the request had one or an earlier commit gave one: two if the
/// option domain is set (with it, and without it), else one.
///
/// @param session  not NULL.
/// @param flags    0 or KHUFU_COMMIT_EXCEPTION.
/// @return KHUFU_OK; KHUFU_ERR_TOO_LARGE (browsers would drop the cookie: its value would be over 4064 bytes, or name
///         and value together over 4096; khufu_session_error names the lengths; delete a key and commit again);
///         KHUFU_ERR_UNSUPPORTED (the browser's session could not be read here and is not overwritten; invalidate it to
///         begin a new one); KHUFU_ERR_RANGE (an integer that a pickle cannot hold); KHUFU_ERR_RANDOM; of a store:
///         KHUFU_ERR_STORE (commit again: what was saved without an answer is not done twice), KHUFU_ERR_CONFLICT (commit
///         again; if it stays, open the session anew), KHUFU_ERR_GONE (another request has ended the session or given it
///         a new id); KHUFU_ERR_ARGUMENT. On an error the session is as it was, still changed, and the values are those
///         of the last commit that succeeded. An invalidated session's clear the browser's cookie, so that a logout
///         reaches the browser even if the store fails; after KHUFU_ERR_GONE there are none.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn khufu_session_commit(session: *mut khufu_session, flags: u32) -> khufu_status {
    // SAFETY: the handle is the caller's promise.
    unsafe { commit(session, flags, || Ok(Duration::MAX)) }
}

/// The same, with a limit to how long a store may take.
///
/// @param seconds  how long this call may take, from now, where that is less than the option store_timeout; more than 0.
/// @return As khufu_session_commit.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn khufu_session_commit_deadline(
    session: *mut khufu_session,
    flags: u32,
    seconds: f64,
) -> khufu_status {
    // SAFETY: the handle is the caller's promise.
    unsafe { commit(session, flags, || limit(seconds)) }
}

/// SAFETY: as [`handle`].
unsafe fn commit(
    session: *mut khufu_session,
    flags: u32,
    limit: impl FnOnce() -> Result<Duration, Failure>,
) -> khufu_status {
    // SAFETY: the handle is the caller's promise.
    unsafe {
        on_session(session, || {
            let session = core(session)?;
            if flags & !KHUFU_COMMIT_EXCEPTION != 0 {
                return Err(Failure::new(KHUFU_ERR_ARGUMENT, "an unknown flag of commit"));
            }
            session.commit_within(flags & KHUFU_COMMIT_EXCEPTION != 0, limit()?)?;
            Ok(())
        })
    }
}

/// A Set-Cookie value that the response needs after the commits so far. Each is a header of its own. They replace those
/// that were fetched after an earlier commit.
///
/// @param session  not NULL.
/// @param index    counted from 0.
/// @param data     not NULL; set to the value, borrowed until the next call that changes the session.
/// @param len      not NULL; its length in bytes.
/// @return KHUFU_OK; KHUFU_NOT_FOUND past the last; KHUFU_ERR_ARGUMENT.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn khufu_session_set_cookie(
    session: *const khufu_session,
    index: usize,
    data: *mut *const c_char,
    len: *mut usize,
) -> khufu_status {
    super::guard::guard(|| {
        // SAFETY: the handle and the outputs are the caller's promise; the session is not changed.
        let (output, session) = unsafe { (TextOutput::cleared(data, len)?, session.as_ref()) };
        let session = session.and_then(|handle| handle.session.as_ref());
        let cookies = session.ok_or(KHUFU_ERR_ARGUMENT)?.set_cookies();
        output.put(cookies.get(index).ok_or(KHUFU_NOT_FOUND)?.as_bytes());
        Ok(())
    })
}

/// Whether the response depended on the session, to be asked after commit: then it needs Vary: Cookie, and no shared
/// cache may store it.
///
/// @param session  NULL gives false.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn khufu_session_vary(session: *const khufu_session) -> bool {
    // SAFETY: NULL, or a session that the caller has not freed.
    unsafe { about(session, false, Session::vary) }
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
