//! A store and a serializer of the caller's own: tables of callbacks.

use std::ffi::{c_char, c_void};
use std::ops::Range;
use std::ptr::null;
use std::sync::Arc;

use super::arguments::{bytes, handle};
use super::custom_store::CustomStore;
use super::guard::{Failure, guard};
use super::options::{khufu_options, on_options};
use super::status::khufu_status::{self, *};
use crate::error::Error;
use crate::load::Refusal;
use crate::moment::Moment;
use crate::serializer::{Content, CookieSerializer, Serializer, json};
use crate::state::State;
use crate::wiped::{WipedBytes, WipedText};

/// Where a callback writes what it found. Lives until the callback returns.
pub struct khufu_sink(pub(super) WipedBytes);

/// Appends bytes to a sink; to be called by a callback that was given it, as often as it likes.
///
/// @param sink     not NULL.
/// @param data     any bytes, copied; (NULL, 0) is empty.
/// @return KHUFU_OK; KHUFU_ERR_ARGUMENT.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn khufu_sink_write(sink: *mut khufu_sink, data: *const c_char, len: usize) -> khufu_status {
    guard(|| {
        // SAFETY: the sink came with the callback, and the bytes are the caller's promise.
        unsafe { handle(sink)?.0.add(bytes(data, len)?) };
        Ok(())
    })
}

/// A store of the caller's own: Pyramid's "creating your own session factory".
///
/// A record is bytes with a generation, a number from 1 on. Callbacks run on the thread that opens or commits, possibly
/// several at once; store_timeout cannot interrupt them; no exception or longjmp may leave them. Each gets the user data
/// that was given with the table, and a key (64 hexadecimal digits, not NUL-terminated). ttl says how many seconds from
/// now a record is kept: at least 1, or negative: without an end. An expired record is not there.
///
/// list, unlist and members keep the keys of a subject's records, so that a user's sessions can be listed and ended. They
/// may be NULL, all three: then calls that need subjects are refused. A subject is 64 hexadecimal digits, too.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct khufu_store_vtable {
    /// sizeof(khufu_store_vtable), so that the table can grow.
    pub struct_size: usize,
    /// Writes a key's record into the sink and sets its generation. Returns KHUFU_OK, KHUFU_NOT_FOUND, or
    /// KHUFU_ERR_STORE.
    pub load: Option<
        unsafe extern "C" fn(
            user_data: *mut c_void,
            key: *const c_char,
            key_len: usize,
            sink: *mut khufu_sink,
            generation: *mut u64,
        ) -> i32,
    >,
    /// In one step: if the key's record has the generation expected (0: there is none), puts the new record in its place
    /// and returns KHUFU_OK. Otherwise it changes nothing and returns KHUFU_ERR_GONE if there is no record, or
    /// KHUFU_ERR_CONFLICT if there is another. KHUFU_ERR_STORE if it failed.
    pub save: Option<
        unsafe extern "C" fn(
            user_data: *mut c_void,
            key: *const c_char,
            key_len: usize,
            expected: u64,
            generation: u64,
            record: *const c_char,
            record_len: usize,
            ttl: f64,
        ) -> i32,
    >,
    /// In one step: if the key's record has this generation, puts the given bytes (which say when the session was used)
    /// in its place, keeps the generation, extends its life, and returns KHUFU_OK. Otherwise it changes nothing and
    /// returns KHUFU_ERR_GONE if there is no record, or KHUFU_ERR_CONFLICT if there is another. KHUFU_ERR_STORE if it
    /// failed.
    pub touch: Option<
        unsafe extern "C" fn(
            user_data: *mut c_void,
            key: *const c_char,
            key_len: usize,
            generation: u64,
            record: *const c_char,
            record_len: usize,
            ttl: f64,
        ) -> i32,
    >,
    /// In one step: removes the key's record if it has the generation expected (0: whatever it has), and returns KHUFU_OK.
    /// Otherwise it changes nothing and returns KHUFU_ERR_GONE if there is no record, or KHUFU_ERR_CONFLICT if there is
    /// another. KHUFU_ERR_STORE if it failed.
    pub remove:
        Option<unsafe extern "C" fn(user_data: *mut c_void, key: *const c_char, key_len: usize, expected: u64) -> i32>,
    /// Notes that a key belongs to a subject, for at least ttl seconds; noting it again never shortens that. Called before
    /// the record is saved or touched. Returns KHUFU_OK or KHUFU_ERR_STORE. May be NULL.
    pub list: Option<
        unsafe extern "C" fn(
            user_data: *mut c_void,
            subject: *const c_char,
            subject_len: usize,
            key: *const c_char,
            key_len: usize,
            ttl: f64,
        ) -> i32,
    >,
    /// Takes such a note back, if there is one. Called after the record was removed. Returns KHUFU_OK or KHUFU_ERR_STORE.
    /// May be NULL.
    pub unlist: Option<
        unsafe extern "C" fn(
            user_data: *mut c_void,
            subject: *const c_char,
            subject_len: usize,
            key: *const c_char,
            key_len: usize,
        ) -> i32,
    >,
    /// Writes into the sink the keys that belong to a subject, 64 digits each, with nothing between them. Returns KHUFU_OK
    /// or KHUFU_ERR_STORE. May be NULL.
    pub members: Option<
        unsafe extern "C" fn(
            user_data: *mut c_void,
            subject: *const c_char,
            subject_len: usize,
            sink: *mut khufu_sink,
        ) -> i32,
    >,
    /// Called once, when options, factories and sessions that use the table are all gone: by the call that frees or
    /// replaces the last of them. May be NULL.
    pub release: Option<unsafe extern "C" fn(user_data: *mut c_void)>,
}

/// A serializer of the caller's own: payloads in another form than JSON or pickle.
///
/// A payload stands for a JSON text. For a cookie the text is the array [renewed, created, state]. For a record of a
/// store it is the state alone, an object.
///
/// Callbacks run on the thread that opens or commits, possibly several at once; no exception or longjmp may leave them.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct khufu_serializer_vtable {
    /// sizeof(khufu_serializer_vtable), so that the table can grow.
    pub struct_size: usize,
    /// Writes into the sink the JSON text that a payload stands for. Returns KHUFU_OK, or another status if it is no
    /// such payload: the cookie or record is malformed then.
    pub loads: Option<
        unsafe extern "C" fn(
            user_data: *mut c_void,
            payload: *const c_char,
            payload_len: usize,
            sink: *mut khufu_sink,
        ) -> i32,
    >,
    /// Writes into the sink the payload that stands for a JSON text. Returns KHUFU_OK, or another status if it cannot:
    /// commit fails with KHUFU_ERR_UNSUPPORTED then.
    pub dumps: Option<
        unsafe extern "C" fn(
            user_data: *mut c_void,
            json: *const c_char,
            json_len: usize,
            sink: *mut khufu_sink,
        ) -> i32,
    >,
    /// Called once, when options, factories and sessions that use the table are all gone: by the call that frees or
    /// replaces the last of them. May be NULL.
    pub release: Option<unsafe extern "C" fn(user_data: *mut c_void)>,
}

/// Keeps sessions in a store of the caller's own; says type=store, too.
///
/// @param options   not NULL.
/// @param table     not NULL; copied. load, save, touch and remove are needed; list, unlist and members go together.
/// @param user_data given to each callback; may be NULL. On failure release is not called.
/// @return KHUFU_OK; KHUFU_ERR_ARGUMENT (a callback is missing, or struct_size is too small).
#[unsafe(no_mangle)]
pub unsafe extern "C" fn khufu_options_set_store(
    options: *mut khufu_options,
    table: *const khufu_store_vtable,
    user_data: *mut c_void,
) -> khufu_status {
    // SAFETY: the handle and the table are the caller's promise, as the comment above states it.
    unsafe {
        on_options(options, || {
            let table = copied(table)?;
            let all = table.load.is_some() && table.save.is_some() && table.touch.is_some() && table.remove.is_some();
            let options = handle(options)?;
            if !all {
                return Err(Failure::new(KHUFU_ERR_ARGUMENT, "a store needs load, save, touch and remove"));
            }
            let of_subjects = [table.list.is_some(), table.unlist.is_some(), table.members.is_some()];
            if of_subjects != [table.list.is_some(); 3] {
                return Err(Failure::new(KHUFU_ERR_ARGUMENT, "list, unlist and members go together"));
            }
            options.options.set("type", "store")?;
            options.options.own_store = Some(Arc::new(CustomStore::new(table, UserData(user_data))));
            Ok(())
        })
    }
}

/// Reads and writes payloads with a serializer of the caller's own, in place of the option serializer.
///
/// @param options   not NULL.
/// @param table     not NULL; copied. All callbacks but release are needed.
/// @param user_data given to each callback; may be NULL. On failure release is not called.
/// @return KHUFU_OK; KHUFU_ERR_ARGUMENT (a callback is missing, or struct_size is too small).
#[unsafe(no_mangle)]
pub unsafe extern "C" fn khufu_options_set_serializer(
    options: *mut khufu_options,
    table: *const khufu_serializer_vtable,
    user_data: *mut c_void,
) -> khufu_status {
    // SAFETY: the handle and the table are the caller's promise, as the comment above states it.
    unsafe {
        on_options(options, || {
            let table = copied(table)?;
            let options = handle(options)?;
            if table.loads.is_none() || table.dumps.is_none() {
                return Err(Failure::new(KHUFU_ERR_ARGUMENT, "a serializer needs loads and dumps"));
            }
            options.options.own_serializer = Some(Arc::new(CustomSerializer { table, user_data: UserData(user_data) }));
            Ok(())
        })
    }
}

/// A copy of a table.
///
/// SAFETY: where `table` is not NULL, its first field can be read, and as many bytes as it says.
unsafe fn copied<T: Copy>(table: *const T) -> Result<T, Failure> {
    if table.is_null() {
        return Err(Failure::new(KHUFU_ERR_ARGUMENT, "the table is NULL"));
    }
    // SAFETY: struct_size stands first in every table.
    if unsafe { table.cast::<usize>().read() } < size_of::<T>() {
        return Err(Failure::new(KHUFU_ERR_ARGUMENT, "the table's struct_size is too small"));
    }
    // SAFETY: the table is as large as it must be.
    Ok(unsafe { *table })
}

pub(super) struct UserData(pub *mut c_void);

// SAFETY: the header says that callbacks may run on any thread, several at once.
unsafe impl Send for UserData {}
// SAFETY: the same.
unsafe impl Sync for UserData {}

struct CustomSerializer {
    table: khufu_serializer_vtable,
    user_data: UserData,
}

impl Drop for CustomSerializer {
    fn drop(&mut self) {
        if let Some(release) = self.table.release {
            // SAFETY: the last user of the table is going.
            unsafe { release(self.user_data.0) }
        }
    }
}

impl CustomSerializer {
    /// What a callback makes of some bytes; the status where it is not KHUFU_OK.
    fn call(
        &self,
        callback: Option<unsafe extern "C" fn(*mut c_void, *const c_char, usize, *mut khufu_sink) -> i32>,
        bytes: &[u8],
        sink: WipedBytes,
    ) -> Result<WipedBytes, i32> {
        let mut sink = khufu_sink(sink);
        let data = if bytes.is_empty() { null() } else { bytes.as_ptr().cast() };
        // SAFETY: the callback is the caller's, with the arguments that the header promises it.
        match callback.map(|call| unsafe { call(self.user_data.0, data, bytes.len(), &mut sink) }) {
            Some(status) if status == KHUFU_OK as i32 => Ok(sink.0),
            status => Err(status.unwrap_or(-1)),
        }
    }

    /// The JSON text that a payload stands for.
    fn json(&self, payload: &[u8]) -> Result<WipedText, Refusal> {
        let refused = |status| Refusal::malformed(format!("the serializer's own loads returned the status {status}"));
        let json = self.call(self.table.loads, payload, WipedBytes::default()).map_err(refused)?;
        json.into_text().ok_or_else(|| Refusal::malformed("the serializer's own loads wrote no UTF-8"))
    }

    /// The payload that stands for a JSON text, behind `room` bytes.
    fn payload(&self, room: usize, json: &str) -> Result<WipedBytes, Error> {
        let payload = WipedBytes::from(vec![0; room]);
        self.call(self.table.dumps, json.as_bytes(), payload)
            .map_err(|status| Error::Serializer(format!("the serializer's own dumps returned the status {status}")))
    }
}

impl CookieSerializer for CustomSerializer {
    fn loads(&self, buffer: WipedBytes, payload: Range<usize>) -> Result<Content, Refusal> {
        json::loads(self.json(&buffer[payload])?, 0)
    }

    fn dumps(&self, room: usize, accessed: Moment, created: Moment, state: &State) -> Result<WipedBytes, Error> {
        self.payload(room, &json::dumps(0, accessed, created, state))
    }
}

impl Serializer for CustomSerializer {
    fn loads_state(&self, buffer: WipedBytes, payload: Range<usize>) -> Result<State, Refusal> {
        json::loads_state(self.json(&buffer[payload])?, 0)
    }

    fn dumps_state(&self, room: usize, state: &State) -> Result<WipedBytes, Error> {
        self.payload(room, &json::dumps_state(0, state))
    }
}
