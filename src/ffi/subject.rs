use std::ffi::c_char;

use super::arguments::{Output, TextOutput, handle, text};
use super::factory::khufu_factory;
use super::guard::{Detail, Failure, guard_with, value};
use super::status::khufu_status::{self, *};
use crate::factory::Factory;
use crate::subject::SubjectSession;

/// The sessions of one subject, as they were when khufu_subject_open found them. It belongs to one thread at a time.
pub struct khufu_subject {
    /// `None` if opening failed.
    subject: Option<Subject>,
    detail: Detail,
}

struct Subject {
    factory: Factory,
    name: String,
    sessions: Vec<SubjectSession>,
}

/// Finds a subject's sessions: those that khufu_session_set_subject gave this subject, in any process.
///
/// @param factory      a factory of the type store.
/// @param sessions     set to a handle to be freed with khufu_subject_free. An open that fails gives a handle, too: it has
///                     the detail for khufu_subject_error, and every other call on it fails.
/// @return KHUFU_OK, also if there are no sessions; KHUFU_ERR_STORE; KHUFU_ERR_ARGUMENT (also for a factory whose sessions
///         are in cookies or in another library's records).
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn khufu_subject_open(
    factory: *const khufu_factory,
    subject: *const c_char,
    subject_len: usize,
    sessions: *mut *mut khufu_subject,
) -> khufu_status {
    let mut made = Box::new(khufu_subject { subject: None, detail: Detail::default() });
    let mut opened = None;
    let mut status = guard_with(
        || Some(&mut made.detail),
        || {
            // SAFETY: the factory and the text are the caller's promise, as the header states it.
            let (factory, name) = unsafe { (factory.as_ref(), text(subject, subject_len)?) };
            let factory = factory.ok_or_else(|| Failure::new(KHUFU_ERR_ARGUMENT, "the factory is NULL"))?.0.clone();
            let sessions = factory.subject(name)?.sessions()?;
            opened = Some(Subject { factory, name: name.to_owned(), sessions });
            Ok(())
        },
    );
    made.subject = opened;
    // SAFETY: the output is the caller's promise.
    match unsafe { Output::cleared(sessions, std::ptr::null_mut()) } {
        Ok(output) => output.put(Box::into_raw(made)),
        Err(_) => status = KHUFU_ERR_ARGUMENT,
    }
    status
}

/// Frees a handle that khufu_subject_open gave.
///
/// @param subject  may be NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn khufu_subject_free(subject: *mut khufu_subject) {
    if !subject.is_null() {
        // SAFETY: it came from khufu_subject_open, and the caller gives it up.
        value((), || drop(unsafe { Box::from_raw(subject) }));
    }
}

/// The detail of the last call on this subject that failed; "" if none failed.
///
/// @param subject  NULL gives "".
/// @return NUL-terminated UTF-8, valid until the next call on the subject; never NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn khufu_subject_error(subject: *const khufu_subject) -> *const c_char {
    // SAFETY: NULL, or a subject that the caller has not freed.
    unsafe { subject.as_ref() }.map_or(c"".as_ptr(), |subject| subject.detail.as_ptr())
}

/// The next session of the subject. The session that was used last comes first.
///
/// @param cursor   0 before the first call; each call moves it on.
/// @param id       set to the session's id as khufu_session_id gives it, borrowed until the subject is freed.
/// @param created  set to the time when the session began.
/// @param accessed set to the time when the session was last used.
/// @return KHUFU_OK; KHUFU_NOT_FOUND (at the end).
#[unsafe(no_mangle)]
pub unsafe extern "C" fn khufu_subject_next(
    subject: *mut khufu_subject,
    cursor: *mut usize,
    id: *mut *const c_char,
    id_len: *mut usize,
    created: *mut f64,
    accessed: *mut f64,
) -> khufu_status {
    // SAFETY: the arguments are the caller's promise, as the header states it.
    unsafe {
        on_subject(subject, || {
            let outputs =
                (TextOutput::cleared(id, id_len), Output::cleared(created, 0.0), Output::cleared(accessed, 0.0));
            let (id, created, accessed) = (outputs.0?, outputs.1?, outputs.2?);
            let cursor = handle(cursor)?;
            let session = core(subject)?.sessions.get(*cursor).ok_or(KHUFU_NOT_FOUND)?;
            *cursor += 1;
            id.put(&session.id);
            created.put(session.created);
            accessed.put(session.accessed);
            Ok(())
        })
    }
}

/// Ends one session of the subject, in whatever process it is used.
///
/// @param id  the session's id as khufu_session_id gives it.
/// @return KHUFU_OK; KHUFU_NOT_FOUND (the subject has no such session); KHUFU_ERR_STORE.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn khufu_subject_revoke(
    subject: *mut khufu_subject,
    id: *const c_char,
    id_len: usize,
) -> khufu_status {
    // SAFETY: the arguments are the caller's promise, as the header states it.
    unsafe {
        on_subject(subject, || {
            let (subject, id) = (core(subject)?, text(id, id_len)?);
            if subject.factory.subject(&subject.name)?.revoke(id)? { Ok(()) } else { Err(KHUFU_NOT_FOUND.into()) }
        })
    }
}

/// Ends every session of the subject except one, those that began after khufu_subject_open included.
///
/// @param except   the id of the session that stays, as khufu_session_id gives it; (NULL, 0): none stays.
/// @param revoked  may be NULL; set to the number of sessions that were ended.
/// @return KHUFU_OK; KHUFU_ERR_STORE, also if the listed sessions were ended but the server may have evicted others from
///         the list (a Redis whose maxmemory-policy is not noeviction; khufu_subject_error says how many were ended).
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn khufu_subject_revoke_all(
    subject: *mut khufu_subject,
    except: *const c_char,
    except_len: usize,
    revoked: *mut usize,
) -> khufu_status {
    // SAFETY: the arguments are the caller's promise, as the header states it.
    unsafe {
        on_subject(subject, || {
            let output = if revoked.is_null() { None } else { Some(Output::cleared(revoked, 0)?) };
            let (subject, except) = (core(subject)?, text(except, except_len)?);
            let count =
                subject.factory.subject(&subject.name)?.revoke_all(Some(except).filter(|except| !except.is_empty()))?;
            if let Some(output) = output {
                output.put(count);
            }
            Ok(())
        })
    }
}

/// SAFETY: as [`handle`].
unsafe fn on_subject(subject: *mut khufu_subject, body: impl FnOnce() -> Result<(), Failure>) -> khufu_status {
    // SAFETY: the body's own reference is gone when the detail is asked for.
    guard_with(|| unsafe { subject.as_mut() }.map(|subject| &mut subject.detail), body)
}

/// SAFETY: as [`handle`].
unsafe fn core<'a>(subject: *mut khufu_subject) -> Result<&'a mut Subject, Failure> {
    // SAFETY: the caller's promise is handed on.
    let subject = unsafe { handle(subject) }?.subject.as_mut();
    subject.ok_or_else(|| Failure::new(KHUFU_ERR_ARGUMENT, "the subject was never opened"))
}
