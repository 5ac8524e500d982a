use std::ffi::c_char;

use super::arguments::{Output, TextOutput, handle, text};
use super::factory::khufu_factory;
use super::guard::{Detail, Failure, guard_with, value};
use super::status::khufu_status::{self, *};
use crate::factory::Factory;
use crate::subject::SubjectSession;

/// The sessions of one subject, as they were when khufu_subject_open found them. Only one thread at a time may use it.
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

/// Finds the sessions to which khufu_session_set_subject gave this subject, in any process.
///
/// @param factory   a factory whose option type is store.
/// @param sessions  set to a handle, even if the call fails. After a failure, khufu_subject_error returns the reason,
///                  and every other call on the handle fails. Free it with khufu_subject_free.
/// @return KHUFU_OK, even if there are no sessions; KHUFU_ERR_STORE if the store failed; KHUFU_ERR_PENDING if a custom
///         store has not answered yet; KHUFU_ERR_ARGUMENT if sessions cannot have a subject, because they are in
///         cookies or in another library's records, or because the custom store has no callbacks for subjects.
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
            // SAFETY: the caller passes a valid factory and text, as the header requires.
            let (factory, name) = unsafe { (factory.as_ref(), text(subject, subject_len)?) };
            let factory = factory.ok_or_else(|| Failure::new(KHUFU_ERR_ARGUMENT, "the factory is NULL"))?.0.clone();
            let sessions = factory.subject(name)?.sessions()?;
            opened = Some(Subject { factory, name: name.to_owned(), sessions });
            Ok(())
        },
    );
    made.subject = opened;
    // SAFETY: the caller passes a valid output, as the header requires.
    match unsafe { Output::cleared(sessions, std::ptr::null_mut()) } {
        Ok(output) => output.put(Box::into_raw(made)),
        Err(_) => status = KHUFU_ERR_ARGUMENT,
    }
    status
}

/// Frees a subject. Its sessions do not end.
///
/// @param subject  may be NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn khufu_subject_free(subject: *mut khufu_subject) {
    if !subject.is_null() {
        // SAFETY: it came from khufu_subject_open, and the caller does not use it again.
        value((), || drop(unsafe { Box::from_raw(subject) }));
    }
}

/// Returns the message of the last call on this subject that failed.
///
/// @param subject  may be NULL.
/// @return NUL-terminated UTF-8 that contains no secret, valid until the next call on the subject; "" if no call has
///         failed or subject is NULL; never NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn khufu_subject_error(subject: *const khufu_subject) -> *const c_char {
    // SAFETY: NULL, or a subject that the caller has not freed.
    unsafe { subject.as_ref() }.map_or(c"".as_ptr(), |subject| subject.detail.as_ptr())
}

/// Gets the next session of the subject. The session that was used last comes first.
///
/// @param cursor    the position in the loop. Set it to 0 before the first call. Each call moves it to the next
///                  session.
/// @param id        set to the session's id, as khufu_session_id returns it, borrowed until the subject is freed.
/// @param created   set to the time when the session began.
/// @param accessed  set to the time when the session was last used.
/// @return KHUFU_OK; KHUFU_NOT_FOUND at the end.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn khufu_subject_next(
    subject: *mut khufu_subject,
    cursor: *mut usize,
    id: *mut *const c_char,
    id_len: *mut usize,
    created: *mut f64,
    accessed: *mut f64,
) -> khufu_status {
    // SAFETY: the caller passes valid arguments, as the header requires.
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

/// Ends one session of the subject, no matter in which process it began.
///
/// @param id  the session's id, as khufu_subject_next or khufu_session_id returns it.
/// @return KHUFU_OK; KHUFU_NOT_FOUND if the subject has no session with this id; KHUFU_ERR_STORE if the store failed.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn khufu_subject_revoke(
    subject: *mut khufu_subject,
    id: *const c_char,
    id_len: usize,
) -> khufu_status {
    // SAFETY: the caller passes valid arguments, as the header requires.
    unsafe {
        on_subject(subject, || {
            let (subject, id) = (core(subject)?, text(id, id_len)?);
            if subject.factory.subject(&subject.name)?.revoke(id)? { Ok(()) } else { Err(KHUFU_NOT_FOUND.into()) }
        })
    }
}

/// Ends every session of the subject that was committed before this call, except one. This includes sessions that began
/// after khufu_subject_open.
///
/// @param except   the id of the session that does not end, as khufu_session_id returns it. If it is empty, all
///                 sessions end.
/// @param revoked  set to the number of sessions that were ended. May be NULL.
/// @return KHUFU_OK; KHUFU_ERR_STORE if the store failed. It is also returned if all listed sessions were ended, but
///         the store may have lost a part of the list (a Redis whose maxmemory-policy is not noeviction), so that some
///         sessions may remain. khufu_subject_error then says how many were ended.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn khufu_subject_revoke_all(
    subject: *mut khufu_subject,
    except: *const c_char,
    except_len: usize,
    revoked: *mut usize,
) -> khufu_status {
    // SAFETY: the caller passes valid arguments, as the header requires.
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

/// SAFETY: as in [`handle`].
unsafe fn on_subject(subject: *mut khufu_subject, body: impl FnOnce() -> Result<(), Failure>) -> khufu_status {
    // SAFETY: the body has ended, and with it its own reference, when the detail is recorded.
    guard_with(|| unsafe { subject.as_mut() }.map(|subject| &mut subject.detail), body)
}

/// SAFETY: as in [`handle`].
unsafe fn core<'a>(subject: *mut khufu_subject) -> Result<&'a mut Subject, Failure> {
    // SAFETY: the caller promises it.
    let subject = unsafe { handle(subject) }?.subject.as_mut();
    subject.ok_or_else(|| Failure::new(KHUFU_ERR_ARGUMENT, "the subject was never opened"))
}
