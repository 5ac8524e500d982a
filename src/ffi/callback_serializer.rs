//! Makes a serializer of the core from callbacks.

use std::ffi::{c_char, c_void};
use std::ptr::null;

use super::status::khufu_status::*;
use super::tables::{UserData, khufu_serializer_vtable, khufu_sink};
use crate::payload::custom::{Serializer, SerializerError};
use crate::sys::wiped::WipedBytes;

pub(super) struct CallbackSerializer {
    pub table: khufu_serializer_vtable,
    pub user_data: UserData,
}

impl Drop for CallbackSerializer {
    fn drop(&mut self) {
        if let Some(release) = self.table.release {
            // SAFETY: nothing uses the table after this.
            unsafe { release(self.user_data.0) }
        }
    }
}

type Callback = unsafe extern "C" fn(*mut c_void, *const c_char, usize, *mut khufu_sink) -> i32;

impl CallbackSerializer {
    /// Calls a callback with bytes, and returns the bytes that it writes.
    fn call(&self, name: &str, callback: Option<Callback>, bytes: &[u8]) -> Result<Vec<u8>, SerializerError> {
        let mut sink = khufu_sink(WipedBytes::default());
        let data = if bytes.is_empty() { null() } else { bytes.as_ptr().cast() };
        // SAFETY: the application's callback gets the arguments that the header promises.
        match callback.map(|call| unsafe { call(self.user_data.0, data, bytes.len(), &mut sink) }) {
            Some(status) if status == KHUFU_OK as i32 => Ok(std::mem::take(&mut *sink.0)),
            status => Err(SerializerError(format!(
                "the custom serializer's {name} returned the status {}",
                status.unwrap_or(-1)
            ))),
        }
    }
}

impl Serializer for CallbackSerializer {
    fn loads(&self, payload: &[u8]) -> Result<Vec<u8>, SerializerError> {
        self.call("loads", self.table.loads, payload)
    }

    fn dumps(&self, json: &str) -> Result<Vec<u8>, SerializerError> {
        self.call("dumps", self.table.dumps, json.as_bytes())
    }
}
