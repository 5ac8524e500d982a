use super::arguments::{Output, handle};
use super::guard::value;
use super::options::{khufu_options, on_options};
use super::status::khufu_status;
use crate::factory::Factory;

/// Opens sessions, all with the same options: Pyramid's session factory. Immutable, and safe to share between
/// threads.
pub struct khufu_factory(pub(super) Factory);

/// Makes a factory from options, which stay the caller's and may be changed or freed afterwards.
///
/// @param options  not NULL.
/// @param factory  not NULL; set to the factory, to be freed with khufu_factory_free, or to NULL on failure.
/// @return KHUFU_OK; KHUFU_ERR_OPTION (no secret, or options that contradict each other: khufu_options_error names
///         them); KHUFU_ERR_ARGUMENT.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn khufu_factory_new(
    options: *mut khufu_options,
    factory: *mut *mut khufu_factory,
) -> khufu_status {
    // SAFETY: the handle and the output are the caller's promise, as the comment above states it.
    unsafe {
        on_options(options, || {
            let output = Output::cleared(factory, std::ptr::null_mut())?;
            let made = Factory::new(&handle(options)?.options)?;
            output.put(Box::into_raw(Box::new(khufu_factory(made))));
            Ok(())
        })
    }
}

/// Frees a factory. Sessions of it may live on; with the last one its secrets are zeroed.
///
/// @param factory  may be NULL; no other thread may be using it.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn khufu_factory_free(factory: *mut khufu_factory) {
    if !factory.is_null() {
        // SAFETY: it came from khufu_factory_new, and the caller gives it up.
        value((), || drop(unsafe { Box::from_raw(factory) }));
    }
}
