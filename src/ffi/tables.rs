//! The tables of callbacks of a store and a serializer.

use std::ffi::{c_char, c_void};

use super::arguments::{bytes, handle};
use super::guard::guard;
use super::status::khufu_status;
use crate::sys::wiped::WipedBytes;

/// The place where a callback writes its result. It lives until the callback returns.
pub struct khufu_sink(pub(super) WipedBytes);

/// Appends bytes to a sink. A callback that was given the sink may call this as often as it likes.
///
/// @param data     any bytes.
/// @return KHUFU_OK.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn khufu_sink_write(sink: *mut khufu_sink, data: *const c_char, len: usize) -> khufu_status {
    guard(|| {
        // SAFETY: the sink came with the callback, and the bytes are the caller's promise.
        unsafe { handle(sink)?.0.add(bytes(data, len)?) };
        Ok(())
    })
}

/// A store of the application's own: Pyramid's "creating your own session factory".
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
    /// In one step: if the key's record has the generation expected (0: there is no record), puts the new record in its
    /// place and returns KHUFU_OK. Otherwise it changes nothing and returns KHUFU_ERR_GONE if there is no record, or
    /// KHUFU_ERR_CONFLICT if there is another one. If it failed, it returns KHUFU_ERR_STORE.
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
    /// returns KHUFU_ERR_GONE if there is no record, or KHUFU_ERR_CONFLICT if there is another one. If it
    /// failed, it returns KHUFU_ERR_STORE.
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
    /// In one step: removes the key's record if it has the generation expected (0: any generation), and returns KHUFU_OK.
    /// Otherwise it changes nothing and returns KHUFU_ERR_GONE if there is no record, or KHUFU_ERR_CONFLICT if there
    /// is another one. If it failed, it returns KHUFU_ERR_STORE.
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
    /// Called once, when no options, factory or session uses the table any more, by the call that frees or replaces the
    /// last of them. May be NULL.
    pub release: Option<unsafe extern "C" fn(user_data: *mut c_void)>,
}

/// A serializer of the application's own: it writes payloads in another form than JSON or pickle.
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
    /// Called once, when no options, factory or session uses the table any more, by the call that frees or replaces the
    /// last of them. May be NULL.
    pub release: Option<unsafe extern "C" fn(user_data: *mut c_void)>,
}

pub(super) struct UserData(pub *mut c_void);

// SAFETY: the header says that callbacks may run on any thread, several at once.
unsafe impl Send for UserData {}
// SAFETY: the header says that callbacks may run on any thread, several at once.
unsafe impl Sync for UserData {}
