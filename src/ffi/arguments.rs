//! Turns the arguments of C functions into Rust values.

use std::ffi::{CStr, c_char};

use super::guard::Failure;
use super::status::khufu_status::*;

/// The length `KHUFU_NTS`: the text ends at its NUL.
pub(super) const NTS: usize = usize::MAX;

fn argument(what: &str) -> Failure {
    Failure::new(KHUFU_ERR_ARGUMENT, what)
}

/// The bytes at (data, len).
///
/// SAFETY: if `data` is not NULL, `len` bytes (or, for NTS, all bytes up to a NUL) can be read there, and they do not
/// change until the call is over.
pub(super) unsafe fn bytes<'a>(data: *const c_char, len: usize) -> Result<&'a [u8], Failure> {
    if data.is_null() {
        return if len == 0 { Ok(&[]) } else { Err(argument("a text is NULL, but its length is not 0")) };
    }
    if len == NTS {
        // SAFETY: the caller promises a NUL-terminated text.
        return Ok(unsafe { CStr::from_ptr(data) }.to_bytes());
    }
    if len > isize::MAX as usize {
        return Err(argument("a length is larger than memory"));
    }
    // SAFETY: the caller promises `len` readable bytes.
    Ok(unsafe { std::slice::from_raw_parts(data.cast(), len) })
}

/// The UTF-8 text at (data, len).
///
/// SAFETY: as in [`bytes`].
#[inline]
pub(super) unsafe fn text<'a>(data: *const c_char, len: usize) -> Result<&'a str, Failure> {
    // SAFETY: the caller promises it.
    let bytes = unsafe { bytes(data, len) }?;
    if bytes.is_ascii() {
        // SAFETY: ASCII is UTF-8. The general check of a key takes longer than finding the key.
        return Ok(unsafe { std::str::from_utf8_unchecked(bytes) });
    }
    std::str::from_utf8(bytes).map_err(|_| Failure::new(KHUFU_ERR_UTF8, "a key or a text is not UTF-8"))
}

/// The value that a handle points to.
///
/// SAFETY: if `handle` is not NULL, the function that makes this type returned it, it was not freed, and no other
/// thread uses it.
pub(super) unsafe fn handle<'a, T>(handle: *mut T) -> Result<&'a mut T, Failure> {
    // SAFETY: the caller promises it.
    unsafe { handle.as_mut() }.ok_or_else(|| argument("a handle is NULL"))
}

/// The address of an output. It holds NULL, 0 or false until a value is written to it.
pub(super) struct Output<T>(*mut T);

impl<T> Output<T> {
    /// SAFETY: if `place` is not NULL, a `T` can be written there until the call is over.
    pub unsafe fn cleared(place: *mut T, nothing: T) -> Result<Self, Failure> {
        if place.is_null() {
            return Err(argument("an output is NULL"));
        }
        // SAFETY: the caller promises that it can be written. `write` does not read the old value.
        unsafe { place.write(nothing) };
        Ok(Self(place))
    }

    pub fn put(self, value: T) {
        // SAFETY: the caller of `cleared` promised that `place` can be written until the call is over.
        unsafe { self.0.write(value) }
    }
}

/// The two outputs of a text: its address and its length.
pub(super) struct TextOutput {
    data: Output<*const c_char>,
    len: Output<usize>,
}

impl TextOutput {
    /// SAFETY: as in [`Output::cleared`], for both outputs.
    #[inline]
    pub unsafe fn cleared(data: *mut *const c_char, len: *mut usize) -> Result<Self, Failure> {
        // SAFETY: the caller promises it.
        let (data, len) = unsafe { (Output::cleared(data, std::ptr::null()), Output::cleared(len, 0)) };
        Ok(Self { data: data?, len: len? })
    }

    /// Writes a text, which must be UTF-8.
    pub fn put(self, text: impl AsRef<[u8]>) {
        let text = text.as_ref();
        // The pointer of an empty Rust text need not point to memory.
        self.data.put(if text.is_empty() { c"".as_ptr() } else { text.as_ptr().cast() });
        self.len.put(text.len());
    }
}
