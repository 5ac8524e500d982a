use std::ffi::c_char;

use super::status::khufu_status::{self, *};
use crate::cookie::seal::{ENCRYPTION_SECRET, SIGNING_SECRET, fill_secret};
use crate::ffi::guard::guard;

/// The version of the ABI, which is the number in the shared library's soname. It changes when programs that were built
/// with an older header no longer work.
pub const KHUFU_ABI_VERSION: u32 = 1;

/// The size of a buffer for a signing secret, in bytes: 128 hexadecimal digits and a NUL.
pub const KHUFU_SIGNING_SECRET_SIZE: usize = 129;

/// The size of a buffer for an encryption secret, in bytes: 64 hexadecimal digits and a NUL.
pub const KHUFU_ENCRYPTION_SECRET_SIZE: usize = 65;

const _: () = assert!(KHUFU_SIGNING_SECRET_SIZE == SIGNING_SECRET + 1);
const _: () = assert!(KHUFU_ENCRYPTION_SECRET_SIZE == ENCRYPTION_SECRET + 1);

/// Returns the ABI version of the library that is running. A program can check that it equals KHUFU_ABI_VERSION.
#[unsafe(no_mangle)]
pub extern "C" fn khufu_abi_version() -> u32 {
    KHUFU_ABI_VERSION
}

/// Returns the version of the library that is running, for example "0.1.0".
///
/// @return a static NUL-terminated text, never NULL.
#[unsafe(no_mangle)]
pub extern "C" fn khufu_version() -> *const c_char {
    const VERSION: &str = concat!(env!("CARGO_PKG_VERSION"), "\0");
    VERSION.as_ptr().cast()
}

/// Fills a buffer with a new random secret, as hexadecimal digits and a NUL. Use the digits as the option secret here,
/// and as the same text in Pyramid.
///
/// @param buffer      must not be NULL. It gets buffer_len - 1 digits and a NUL.
/// @param buffer_len  the size of the buffer in bytes: KHUFU_SIGNING_SECRET_SIZE for signing,
///                    KHUFU_ENCRYPTION_SECRET_SIZE for encryption, or any other odd number of at least 33.
/// @return KHUFU_OK; KHUFU_ERR_ARGUMENT if the buffer is NULL or its size is not one of these; KHUFU_ERR_RANDOM if the
///         system gives no random bytes. The buffer then holds an empty text.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn khufu_generate_secret(buffer: *mut c_char, buffer_len: usize) -> khufu_status {
    guard(|| {
        if buffer.is_null() || buffer_len < 33 || buffer_len.is_multiple_of(2) || buffer_len > isize::MAX as usize {
            return Err(KHUFU_ERR_ARGUMENT.into());
        }
        // SAFETY: the caller gives a buffer of buffer_len bytes; they are all written before they are read.
        let buffer = unsafe {
            buffer.write_bytes(0, buffer_len);
            std::slice::from_raw_parts_mut(buffer.cast::<u8>(), buffer_len)
        };
        Ok(fill_secret(&mut buffer[..buffer_len - 1])?)
    })
}
