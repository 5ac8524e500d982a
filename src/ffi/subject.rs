use std::ffi::c_char;

use super::arguments::{Output, TextOutput, handle, text};
use super::factory::khufu_factory;
use super::guard::{Detail, Failure, guard_with, value};
use super::status::khufu_status::{self, *};
use crate::factory::Factory;
use crate::subject::SubjectSession;

/// The sessions of one subject, as they were when it was opened. Belongs to one thread at a time.
pub struct khufu_subject {
    /// `None` where opening failed.
    subject: Option<Subject>,
    detail: Detail,
}

struct Subject {
    factory: Factory,
    name: String,
    sessions: Vec<SubjectSession>,
}

/// Finds the sessions that were said to be a subject's with khufu_session_set_subject, in this process or another.
///
/// @param factory      not NULL; of the type store.
/// @param subject      UTF-8, copied; subject_len KHUFU_NTS means up to the NUL.
/// @param sessions     not NULL; set to a handle to be freed with khufu_subject_free, on failure too (then
///                     khufu_subject_error tells the detail, and every other call on it fails).
/// @return KHUFU_OK, also where there are none; KHUFU_ERR_STORE; KHUFU_ERR_UTF8; KHUFU_ERR_ARGUMENT (also: the
///         factory keeps its sessions in cookies, or in another library's records).
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
            // SAFETY: the factory and the text are the caller's promise, as the comment above states it.
            let (factory, name) = unsafe { (factory.as_ref(), text(subject, subject_len)?) };
            let factory = factory.ok_or_else(|| Failure::new(KHUFU_ERR_ARGUMENT, "the factory is NULL"))?.0.clone();
            let sessions = factory.subject_sessions(name)?;
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

/// Frees what khufu_subject_open gave.
///
/// @param subject  may be NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn khufu_subject_free(subject: *mut khufu_subject) {
    if !subject.is_null() {
        // SAFETY: it came from khufu_subject_open, and the caller gives it up.
        value((), || drop(unsafe { Box::from_raw(subject) }));
    }
}

/// The detail of the last failure of a call on this subject; "" where none failed.
///
/// @param subject  NULL gives "".
/// @return NUL-terminated UTF-8, valid until the next call on the subject; never NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn khufu_subject_error(subject: *const khufu_subject) -> *const c_char {
    // SAFETY: NULL, or a subject that the caller has not freed.
    unsafe { subject.as_ref() }.map_or(c"".as_ptr(), |subject| subject.detail.as_ptr())
}

/// The next session of the subject; the one used last comes first.
///
/// @param subject  not NULL.
/// @param cursor   not NULL; 0 before the first call; moved on by each.
/// @param id       not NULL; set to what khufu_session_id tells in that session, borrowed until the subject is freed.
/// @param id_len   not NULL; its length in bytes.
/// @param created  not NULL; set to when it began, in seconds since the Unix epoch.
/// @param accessed not NULL; set to when it was last used, in seconds since the Unix epoch.
/// @return KHUFU_OK; KHUFU_NOT_FOUND at the end; KHUFU_ERR_ARGUMENT.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn khufu_subject_next(
    subject: *mut khufu_subject,
    cursor: *mut usize,
    id: *mut *const c_char,
    id_len: *mut usize,
    created: *mut f64,
    accessed: *mut f64,
) -> khufu_status {
    // SAFETY: the arguments are the caller's promise, as the comment above states it.
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

/// Ends one session of the subject, from whatever process.
///
/// @param subject  not NULL.
/// @param id       what khufu_session_id tells in that session; id_len KHUFU_NTS means up to the NUL.
/// @return KHUFU_OK; KHUFU_NOT_FOUND (the subject has no such session); KHUFU_ERR_STORE; KHUFU_ERR_UTF8;
///         KHUFU_ERR_ARGUMENT.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn khufu_subject_revoke(
    subject: *mut khufu_subject,
    id: *const c_char,
    id_len: usize,
) -> khufu_status {
    // SAFETY: the arguments are the caller's promise, as the comment above states it.
    unsafe {
        on_subject(subject, || {
            let (subject, id) = (core(subject)?, text(id, id_len)?);
            if subject.factory.revoke(&subject.name, id)? { Ok(()) } else { Err(KHUFU_NOT_FOUND.into()) }
        })
    }
}

/// Ends every session of the subject, those that began after khufu_subject_open too, but one.
///
/// @param subject  not NULL.
/// @param except   the id of the session that stays, as khufu_session_id tells it; (NULL, 0): none does.
/// @param revoked  may be NULL; set to how many were ended.
/// @return KHUFU_OK; KHUFU_ERR_STORE, also if the listed sessions were ended but the server may have evicted others from
///         the list (a Redis whose maxmemory-policy is not noeviction; khufu_subject_error says how many were ended);
///         KHUFU_ERR_UTF8; KHUFU_ERR_ARGUMENT.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn khufu_subject_revoke_all(
    subject: *mut khufu_subject,
    except: *const c_char,
    except_len: usize,
    revoked: *mut usize,
) -> khufu_status {
    // SAFETY: the arguments are the caller's promise, as the comment above states it.
    unsafe {
        on_subject(subject, || {
            let output = if revoked.is_null() { None } else { Some(Output::cleared(revoked, 0)?) };
            let (subject, except) = (core(subject)?, text(except, except_len)?);
            let count = subject.factory.revoke_all(&subject.name, Some(except).filter(|except| !except.is_empty()))?;
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
