use std::ffi::c_char;

use super::status::khufu_status::{self, *};
use crate::ffi::guard::guard;
use crate::secret::{self, generate_secret};

/// Changes when a program that was built against an older header would no longer work. It is the number in the
/// shared library's soname.
pub const KHUFU_ABI_VERSION: u32 = 1;

/// Bytes of a buffer for a secret that signs: 128 hex digits and a NUL.
pub const KHUFU_SIGNING_SECRET_SIZE: usize = 129;

/// Bytes of a buffer for a secret that encrypts: 64 hex digits and a NUL.
pub const KHUFU_ENCRYPTION_SECRET_SIZE: usize = 65;

const _: () = assert!(KHUFU_SIGNING_SECRET_SIZE == secret::SIGNING_SECRET + 1);
const _: () = assert!(KHUFU_ENCRYPTION_SECRET_SIZE == secret::ENCRYPTION_SECRET + 1);

/// The ABI version of the library that is running. A program checks khufu_abi_version() == KHUFU_ABI_VERSION.
#[unsafe(no_mangle)]
pub extern "C" fn khufu_abi_version() -> u32 {
    KHUFU_ABI_VERSION
}

/// The version of the library that is running, as "0.1.0". Static text, NUL-terminated, never NULL.
#[unsafe(no_mangle)]
pub extern "C" fn khufu_version() -> *const c_char {
    const VERSION: &str = concat!(env!("CARGO_PKG_VERSION"), "\0");
    VERSION.as_ptr().cast()
}

/// Writes a new random secret, as hex digits and a NUL, into the caller's buffer.
///
/// @param buffer      not NULL; filled with buffer_len - 1 digits and a NUL.
/// @param buffer_len  in bytes: KHUFU_SIGNING_SECRET_SIZE for signing (give the text as the option secret, here and
///                    to Pyramid), KHUFU_ENCRYPTION_SECRET_SIZE for encryption; any odd number from 33 on.
/// @return KHUFU_OK; KHUFU_ERR_ARGUMENT (nothing was written); KHUFU_ERR_RANDOM (the buffer is empty text).
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
        Ok(generate_secret(&mut buffer[..buffer_len - 1])?)
    })
}
