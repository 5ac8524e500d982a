use std::ffi::c_char;

use super::arguments::{handle, text};
use super::guard::{Detail, guard_with, value};
use super::status::khufu_status;
use crate::factory::Custom;
use crate::options::Options;

/// Options of a factory, by name. They belong to one thread at a time.
#[derive(Default)]
pub struct khufu_options {
    pub(super) options: Options,
    pub(super) custom: Custom,
    pub(super) detail: Detail,
}

/// New options, each with its default. Free them with khufu_options_free.
///
/// @return never NULL.
#[unsafe(no_mangle)]
pub extern "C" fn khufu_options_new() -> *mut khufu_options {
    Box::into_raw(Box::<khufu_options>::default())
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

/// Sets an option by its name in docs/options.md. An empty value unsets it. An option that may be given many times takes
/// one more value with each call.
///
/// @return KHUFU_OK; KHUFU_ERR_OPTION (there is no such option, or the value is not allowed: khufu_options_error
///         says which are). On an error nothing was set.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn khufu_options_set(
    options: *mut khufu_options,
    name: *const c_char,
    name_len: usize,
    value: *const c_char,
    value_len: usize,
) -> khufu_status {
    // SAFETY: the handle and the two texts are the caller's promise, as the header states it.
    unsafe {
        on_options(options, || {
            let handle = handle(options)?;
            handle.options.set(text(name, name_len)?, text(value, value_len)?)?;
            Ok(())
        })
    }
}

/// Sets options from the text of an INI file: those of one section whose names begin with a prefix.
///
/// A line is NAME = VALUE, a section in brackets, empty, or a comment that begins with # or ;. A line that begins with
/// white space continues the value above it. Each line of the value of previous_secret is a secret.
///
/// @param text     the file's text.
/// @param section  the section's name, for example "app:main"; (NULL, 0): the lines before the first section.
/// @param prefix   for example "khufu."; options with other names are not looked at. (NULL, 0): every line is an option.
/// @return KHUFU_OK; KHUFU_ERR_OPTION (a line is not understood, or its option is wrong: khufu_options_error names the
///         line; or there is no such section). If an option is wrong, those before it were set; otherwise none was.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn khufu_options_load(
    options: *mut khufu_options,
    text: *const c_char,
    text_len: usize,
    section: *const c_char,
    section_len: usize,
    prefix: *const c_char,
    prefix_len: usize,
) -> khufu_status {
    // SAFETY: the handle and the texts are the caller's promise, as the header states it.
    unsafe {
        on_options(options, || {
            let handle = handle(options)?;
            let (ini, section) = (self::text(text, text_len)?, self::text(section, section_len)?);
            handle.options.load(ini, section, self::text(prefix, prefix_len)?)?;
            Ok(())
        })
    }
}

/// The detail of the last failure of a call on these options (khufu_factory_new among them); "" if none failed.
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
