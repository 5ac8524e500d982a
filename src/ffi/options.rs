use std::ffi::c_char;

use super::arguments::{TextOutput, handle, text};
use super::guard::{Detail, guard_with, value};
use super::status::khufu_status::{self, KHUFU_NOT_FOUND};
use crate::factory::Custom;
use crate::options::Options;

/// The options of a factory. Only one thread at a time may use them.
#[derive(Default)]
pub struct khufu_options {
    pub(super) options: Options,
    pub(super) custom: Custom,
    pub(super) detail: Detail,
}

/// Makes options, each with its default. Free them with khufu_options_free.
///
/// @return the options, never NULL.
#[unsafe(no_mangle)]
pub extern "C" fn khufu_options_new() -> *mut khufu_options {
    Box::into_raw(Box::<khufu_options>::default())
}

/// Frees options, and zeroes the secrets in them. Factories that were made from them can still be used.
///
/// @param options  may be NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn khufu_options_free(options: *mut khufu_options) {
    if !options.is_null() {
        // SAFETY: it came from khufu_options_new, and the caller does not use it again.
        value((), || drop(unsafe { Box::from_raw(options) }));
    }
}

/// Sets an option by its name. docs/options.md lists the names and the values. An empty value unsets the option. An
/// option that can be set many times gets one more value with each call.
///
/// @return KHUFU_OK; KHUFU_ERR_OPTION if there is no such option, or if the option does not accept the value. The
///         options are unchanged then.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn khufu_options_set(
    options: *mut khufu_options,
    name: *const c_char,
    name_len: usize,
    value: *const c_char,
    value_len: usize,
) -> khufu_status {
    // SAFETY: the caller passes a valid handle and valid texts, as the header requires.
    unsafe {
        on_options(options, || {
            let handle = handle(options)?;
            handle.options.set(text(name, name_len)?, text(value, value_len)?)?;
            Ok(())
        })
    }
}

/// Sets options from the text of an INI file. It uses only the settings in one section whose names begin with a prefix.
/// The prefix is not part of the option's name.
///
/// A line is NAME = VALUE, NAME: VALUE, a section's name in brackets, empty, or a comment that begins with # or ;. A
/// line that begins with white space continues the value of the line above. Only an option that can be set many times,
/// such as previous_secret, may have several lines: each is one value. Values are taken as they are: %(here)s and %%
/// have no special meaning.
///
/// @param text     the text of the file.
/// @param section  the section's name, for example "app:main". If it is empty, the lines before the first section are
///                 used.
/// @param prefix   for example "khufu.". If it is empty, every setting in the section must be an option.
/// @return KHUFU_OK; KHUFU_ERR_OPTION if there is no such section, if a line has the wrong syntax, or if an option is
///         wrong. khufu_options_error names the line. If an option is wrong, the options on earlier lines stay set.
///         After any other error, no option is set.
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
    // SAFETY: the caller passes a valid handle and valid texts, as the header requires.
    unsafe {
        on_options(options, || {
            let handle = handle(options)?;
            let (ini, section) = (self::text(text, text_len)?, self::text(section, section_len)?);
            handle.options.load(ini, section, self::text(prefix, prefix_len)?)?;
            Ok(())
        })
    }
}

/// Gets the value of an option: the value that was set, or the default. A word such as store is in the spelling of
/// docs/options.md, and a switch is true or false. Secrets cannot be read.
///
/// @param value  set to the value, which is valid until the next call on the options.
/// @return KHUFU_OK; KHUFU_NOT_FOUND if the option is unset; KHUFU_ERR_OPTION if there is no such option, or if it is a
///         secret.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn khufu_options_get(
    options: *mut khufu_options,
    name: *const c_char,
    name_len: usize,
    value: *mut *const c_char,
    value_len: *mut usize,
) -> khufu_status {
    // SAFETY: the caller passes a valid handle, a valid text and valid outputs, as the header requires.
    unsafe {
        on_options(options, || {
            let output = TextOutput::cleared(value, value_len)?;
            output.put(handle(options)?.options.get(text(name, name_len)?)?.ok_or(KHUFU_NOT_FOUND)?);
            Ok(())
        })
    }
}

/// Returns the message of the last call on these options that failed, which may also be khufu_factory_new.
///
/// @param options  may be NULL.
/// @return NUL-terminated UTF-8 that contains no secret, valid until the next call on the options; "" if no call has
///         failed or options is NULL; never NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn khufu_options_error(options: *const khufu_options) -> *const c_char {
    // SAFETY: NULL, or options that the caller has not freed.
    unsafe { options.as_ref() }.map_or(c"".as_ptr(), |options| options.detail.as_ptr())
}

/// SAFETY: as in [`handle`].
pub(super) unsafe fn on_options(
    options: *mut khufu_options,
    body: impl FnOnce() -> Result<(), super::guard::Failure>,
) -> khufu_status {
    // SAFETY: the body has ended, and with it its own reference, when the detail is recorded.
    guard_with(|| unsafe { options.as_mut() }.map(|options| &mut options.detail), body)
}
