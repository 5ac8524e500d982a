//! Text and bytes that leave no copy in memory: their whole allocation is zeroed when they are dropped.
//!
//! `Zeroizing<Vec<u8>>` does the same, but zeroes one byte at a time.

use std::fmt;
use std::mem::take;
use std::ops::{Deref, DerefMut};

use zeroize::optimization_barrier;

/// Bytes that are zeroed when dropped. Appending bytes through `Deref` may leave a copy; [`WipedBytes::add`] does not.
#[derive(Clone, Default, PartialEq, Eq, Hash)]
pub(crate) struct WipedBytes(Vec<u8>);

impl WipedBytes {
    pub fn with_capacity(capacity: usize) -> Self {
        Self(Vec::with_capacity(capacity))
    }

    /// `room` zero bytes, with capacity for `most` more bytes.
    pub fn with_room(room: usize, most: usize) -> Self {
        let mut bytes = Self::with_capacity(room + most);
        bytes.resize(room, 0);
        bytes
    }

    /// Appends bytes. If there is not enough room, the bytes move, and their old place is zeroed.
    pub fn add(&mut self, bytes: &[u8]) {
        let needed = self.len() + bytes.len();
        if needed > self.capacity() {
            let mut larger = Self::with_capacity(needed.max(2 * self.capacity()));
            larger.extend_from_slice(self);
            *self = larger;
        }
        self.extend_from_slice(bytes);
    }

    /// Converts the bytes to text. `None` if they are not UTF-8.
    pub fn into_text(mut self) -> Option<WipedText> {
        match String::from_utf8(take(&mut self.0)) {
            Ok(text) => Some(WipedText(text)),
            Err(error) => {
                self.0 = error.into_bytes();
                None
            }
        }
    }
}

/// Shows only the number of bytes.
impl fmt::Debug for WipedBytes {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{} bytes", self.len())
    }
}

/// Appends bytes as [`WipedBytes::add`] does.
impl std::io::Write for WipedBytes {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.add(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

impl From<Vec<u8>> for WipedBytes {
    fn from(bytes: Vec<u8>) -> Self {
        Self(bytes)
    }
}

impl Drop for WipedBytes {
    fn drop(&mut self) {
        self.0.clear();
        self.0.resize(self.0.capacity(), 0);
        optimization_barrier(self.0.as_slice());
    }
}

impl Deref for WipedBytes {
    type Target = Vec<u8>;

    fn deref(&self) -> &Vec<u8> {
        &self.0
    }
}

impl DerefMut for WipedBytes {
    fn deref_mut(&mut self) -> &mut Vec<u8> {
        &mut self.0
    }
}

/// Text that is zeroed when dropped. It must be made with enough room: appending beyond it may leave a copy.
#[derive(Clone, Default, PartialEq, Eq)]
pub(crate) struct WipedText(String);

impl WipedText {
    pub fn with_capacity(capacity: usize) -> Self {
        Self(String::with_capacity(capacity))
    }

    pub fn into_bytes(mut self) -> WipedBytes {
        WipedBytes(take(&mut self.0).into_bytes())
    }
}

impl From<&str> for WipedText {
    fn from(text: &str) -> Self {
        Self(text.to_owned())
    }
}

impl Drop for WipedText {
    fn drop(&mut self) {
        drop(WipedBytes(take(&mut self.0).into_bytes()));
    }
}

impl Deref for WipedText {
    type Target = String;

    fn deref(&self) -> &String {
        &self.0
    }
}

impl DerefMut for WipedText {
    fn deref_mut(&mut self) -> &mut String {
        &mut self.0
    }
}

#[cfg(test)]
mod tests {
    use super::WipedBytes;

    #[test]
    fn bytes_that_are_not_utf_8_are_no_text() {
        let mut bytes = WipedBytes::with_capacity(2);
        bytes.add(b"abc");
        bytes.add(&[0xff; 100]);
        assert_eq!(bytes.len(), 103);
        assert!(bytes.into_text().is_none());
    }
}
