use std::ffi::c_char;

use super::arguments::{handle, text};
use super::guard::{Detail, guard_with, value};
use super::status::khufu_status;
use crate::options::Options;

/// Options of a factory, by name. Belongs to one thread at a time.
pub struct khufu_options {
    pub(super) options: Options,
    pub(super) detail: Detail,
}

/// New options, each with its default. Free them with khufu_options_free.
///
/// @return never NULL.
#[unsafe(no_mangle)]
pub extern "C" fn khufu_options_new() -> *mut khufu_options {
    Box::into_raw(Box::new(khufu_options { options: Options::new(), detail: Detail::default() }))
}

/// Frees options, and zeroes the secrets in them. Factories that were made from them stay.
///
/// @param options  may be NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn khufu_options_free(options: *mut khufu_options) {
    if !options.is_null() {
        // SAFETY: it came from khufu_options_new, and the caller gives it up.
        value((), || drop(unsafe { Box::from_raw(options) }));
    }
}

/// Sets an option, by its name in docs/options.md. An empty value unsets it.
///
/// @param options  not NULL.
/// @param name     UTF-8, copied; (NULL, 0) is empty, name_len KHUFU_NTS means up to the NUL.
/// @param value    the same. An option that may be given many times takes one more with each call.
/// @return KHUFU_OK; KHUFU_ERR_OPTION (there is no such option, or the value is not allowed: khufu_options_error
///         says which are); KHUFU_ERR_UTF8; KHUFU_ERR_ARGUMENT. On an error nothing was set.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn khufu_options_set(
    options: *mut khufu_options,
    name: *const c_char,
    name_len: usize,
    value: *const c_char,
    value_len: usize,
) -> khufu_status {
    // SAFETY: the handle and the two texts are the caller's promise, as the comment above states it.
    unsafe {
        on_options(options, || {
            let handle = handle(options)?;
            handle.options.set(text(name, name_len)?, text(value, value_len)?)?;
            Ok(())
        })
    }
}

/// The detail of the last failure of a call on these options (khufu_factory_new among them); "" where none failed.
///
/// @param options  NULL gives "".
/// @return NUL-terminated UTF-8 that never holds a secret, valid until the next call on the options; never NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn khufu_options_error(options: *const khufu_options) -> *const c_char {
    // SAFETY: NULL, or options that the caller has not freed.
    unsafe { options.as_ref() }.map_or(c"".as_ptr(), |options| options.detail.as_ptr())
}

/// SAFETY: as [`handle`].
pub(super) unsafe fn on_options(
    options: *mut khufu_options,
    body: impl FnOnce() -> Result<(), super::guard::Failure>,
) -> khufu_status {
    // SAFETY: the body's own reference is gone when the detail is asked for.
    guard_with(|| unsafe { options.as_mut() }.map(|options| &mut options.detail), body)
}
