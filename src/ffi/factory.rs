use super::arguments::{Output, handle};
use super::guard::value;
use super::options::{khufu_options, on_options};
use super::status::khufu_status;
use crate::factory::Factory;

/// Opens sessions, all with the same options. It is Pyramid's session factory. A factory never changes, and threads can
/// share it.
pub struct khufu_factory(pub(super) Factory);

/// Makes a factory from options. The factory has its own copy of the options, so the caller may change or free them.
///
/// @param factory  set to the factory. Free it with khufu_factory_free.
/// @return KHUFU_OK; KHUFU_ERR_OPTION if a secret is missing, if the store cannot be opened, or if options contradict
///         each other. khufu_options_error names the option.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn khufu_factory_new(
    options: *mut khufu_options,
    factory: *mut *mut khufu_factory,
) -> khufu_status {
    // SAFETY: the caller passes a valid handle and output, as the header requires.
    unsafe {
        on_options(options, || {
            let output = Output::cleared(factory, std::ptr::null_mut())?;
            let khufu_options { options, custom, .. } = handle(options)?;
            let made = Factory::with_custom(options, custom.clone())?;
            output.put(Box::into_raw(Box::new(khufu_factory(made))));
            Ok(())
        })
    }
}

/// Frees a factory. Its sessions can still be used. Its secrets are zeroed when the factory and all its sessions have
/// been freed.
///
/// @param factory  may be NULL. No other thread may be using it.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn khufu_factory_free(factory: *mut khufu_factory) {
    if !factory.is_null() {
        // SAFETY: it came from khufu_factory_new, and the caller does not use it again.
        value((), || drop(unsafe { Box::from_raw(factory) }));
    }
}
