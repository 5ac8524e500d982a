use super::arguments::{Output, handle};
use super::guard::value;
use super::options::{khufu_options, on_options};
use super::status::khufu_status;
use crate::factory::Factory;

/// Opens sessions, all with the same options: Pyramid's session factory. It never changes and may be shared between
/// threads.
pub struct khufu_factory(pub(super) Factory);

/// Makes a factory from options. The options still belong to the caller and may be changed or freed afterwards.
///
/// @param factory  set to the factory, to be freed with khufu_factory_free, or to NULL on failure.
/// @return KHUFU_OK; KHUFU_ERR_OPTION (no secret, or options that contradict each other: khufu_options_error names
///         them).
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn khufu_factory_new(
    options: *mut khufu_options,
    factory: *mut *mut khufu_factory,
) -> khufu_status {
    // SAFETY: the handle and the output are the caller's promise, as the header states it.
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

/// Frees a factory. Its sessions stay usable; its secrets are zeroed with the last of them.
///
/// @param factory  may be NULL; no other thread may be using it.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn khufu_factory_free(factory: *mut khufu_factory) {
    if !factory.is_null() {
        // SAFETY: it came from khufu_factory_new, and the caller gives it up.
        value((), || drop(unsafe { Box::from_raw(factory) }));
    }
}
