use std::ffi::c_char;

use super::status::khufu_status::{self, *};
use crate::cookie::seal::{ENCRYPTION_SECRET, SIGNING_SECRET, fill_secret};
use crate::ffi::guard::guard;

/// The version of the ABI: the number in the shared library's soname. It changes when a program that was built with an
/// older header would no longer work.
pub const KHUFU_ABI_VERSION: u32 = 1;

/// The size of a buffer for a secret that signs: 128 hexadecimal digits and a NUL.
pub const KHUFU_SIGNING_SECRET_SIZE: usize = 129;

/// The size of a buffer for a secret that encrypts: 64 hexadecimal digits and a NUL.
pub const KHUFU_ENCRYPTION_SECRET_SIZE: usize = 65;

const _: () = assert!(KHUFU_SIGNING_SECRET_SIZE == SIGNING_SECRET + 1);
const _: () = assert!(KHUFU_ENCRYPTION_SECRET_SIZE == ENCRYPTION_SECRET + 1);

/// The ABI version of the library that is running. A program checks khufu_abi_version() == KHUFU_ABI_VERSION.
#[unsafe(no_mangle)]
pub extern "C" fn khufu_abi_version() -> u32 {
    KHUFU_ABI_VERSION
}

/// The version of the library that is running, for example "0.1.0".
///
/// @return static NUL-terminated text, never NULL.
#[unsafe(no_mangle)]
pub extern "C" fn khufu_version() -> *const c_char {
    const VERSION: &str = concat!(env!("CARGO_PKG_VERSION"), "\0");
    VERSION.as_ptr().cast()
}

/// Writes a new random secret, as hexadecimal digits and a NUL, into the caller's buffer.
///
/// @param buffer      not NULL; filled with buffer_len - 1 digits and a NUL.
/// @param buffer_len  in bytes: KHUFU_SIGNING_SECRET_SIZE for signing (give the text as the option secret, here and
///                    to Pyramid), KHUFU_ENCRYPTION_SECRET_SIZE for encryption; any odd number from 33 on.
/// @return KHUFU_OK; KHUFU_ERR_ARGUMENT (nothing was written); KHUFU_ERR_RANDOM (the buffer is empty text).
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
