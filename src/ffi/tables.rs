//! The tables of callbacks of a store and a serializer.

use std::ffi::{c_char, c_void};

use super::arguments::{bytes, handle};
use super::guard::guard;
use super::status::khufu_status;
use crate::sys::wiped::WipedBytes;

/// The place where a callback writes its result, with khufu_sink_write. It is valid until the callback returns.
pub struct khufu_sink(pub(super) WipedBytes);

/// Appends bytes to a sink. A callback may call it many times.
///
/// @param data  any bytes.
/// @return KHUFU_OK.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn khufu_sink_write(sink: *mut khufu_sink, data: *const c_char, len: usize) -> khufu_status {
    guard(|| {
        // SAFETY: the caller passes the sink that its callback got, and valid bytes.
        unsafe { handle(sink)?.0.add(bytes(data, len)?) };
        Ok(())
    })
}

/// The callbacks of a store of the application's own, for khufu_options_set_store. It is Pyramid's "creating your own
/// session factory".
///
/// A record consists of bytes and a generation, a number of at least 1. A key is 64 hexadecimal digits. ttl is how many
/// seconds the store keeps the record from now on: at least 1, or a negative number to keep it forever. An expired
/// record counts as missing.
///
/// Callbacks run on the thread that calls khufu, possibly on several threads at once. store_timeout cannot interrupt
/// them. No exception and no longjmp may leave them. The texts that they get are not NUL-terminated. user_data is the
/// pointer that was given to khufu_options_set_store.
///
/// A callback need not wait for the store's answer: it can remember the question, and return KHUFU_ERR_PENDING. The
/// call of khufu then returns KHUFU_ERR_PENDING, too. Wait for the answer outside of khufu, and make the same call
/// again with the same arguments. khufu then calls the same callbacks with the same arguments in the same order, except
/// for steps that are finished. A callback returns its answer if it has one, and may be pending again if it has none.
/// Free a session whose opening was pending. Do not change a session between the calls; if you do, khufu treats the
/// pending write as a write whose answer was lost. To give up, return KHUFU_ERR_STORE when khufu asks again.
///
/// list, unlist and members keep the keys of a subject's records, so that a user's sessions can be listed and ended. A
/// subject is 64 hexadecimal digits, too. If these three are NULL, sessions cannot have a subject.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct khufu_store_vtable {
    /// The size of this struct, sizeof(khufu_store_vtable). Later versions may add fields at its end.
    pub struct_size: usize,
    /// Loads the record of a key: writes its bytes into the sink, and sets its generation. Returns KHUFU_OK;
    /// KHUFU_NOT_FOUND if there is no record; KHUFU_ERR_STORE if the store failed.
    pub load: Option<
        unsafe extern "C" fn(
            user_data: *mut c_void,
            key: *const c_char,
            key_len: usize,
            sink: *mut khufu_sink,
            generation: *mut u64,
        ) -> i32,
    >,
    /// Replaces the record of a key in one atomic step, if the record has the generation `expected`. If `expected` is
    /// 0, inserts a record, and an existing record is a conflict. The new record has the generation `generation`.
    /// Returns KHUFU_OK; KHUFU_ERR_CONFLICT if the record has another generation; KHUFU_ERR_GONE if there is no record
    /// to replace; KHUFU_ERR_STORE if the store failed.
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
    /// Replaces the record of a key in one atomic step, if the record has this generation, and restarts its ttl. The
    /// generation stays the same. khufu calls it to store the time when the session was last used. Returns KHUFU_OK;
    /// KHUFU_ERR_CONFLICT if the record has another generation; KHUFU_ERR_GONE if there is no record; KHUFU_ERR_STORE
    /// if the store failed.
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
    /// Removes the record of a key in one atomic step, if the record has the generation `expected`. If `expected` is 0,
    /// removes a record of any generation. Returns KHUFU_OK; KHUFU_ERR_CONFLICT if the record has another generation;
    /// KHUFU_ERR_GONE if there is no record; KHUFU_ERR_STORE if the store failed.
    pub remove:
        Option<unsafe extern "C" fn(user_data: *mut c_void, key: *const c_char, key_len: usize, expected: u64) -> i32>,
    /// Notes for at least ttl seconds that a key belongs to a subject. Noting it again never shortens that time. khufu
    /// calls it before it saves or touches the record. Returns KHUFU_OK or KHUFU_ERR_STORE.
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
    /// Removes the note that a key belongs to a subject, if there is one. khufu calls it after it has removed the
    /// record. Returns KHUFU_OK or KHUFU_ERR_STORE.
    pub unlist: Option<
        unsafe extern "C" fn(
            user_data: *mut c_void,
            subject: *const c_char,
            subject_len: usize,
            key: *const c_char,
            key_len: usize,
        ) -> i32,
    >,
    /// Writes the keys that belong to a subject into the sink, one after another, without separators. Returns KHUFU_OK
    /// or KHUFU_ERR_STORE.
    pub members: Option<
        unsafe extern "C" fn(
            user_data: *mut c_void,
            subject: *const c_char,
            subject_len: usize,
            sink: *mut khufu_sink,
        ) -> i32,
    >,
    /// Frees the user data. khufu calls it once, when no options, factory, session or subject uses the table any more.
    /// It runs inside the call that frees or changes the last of these. May be NULL.
    pub release: Option<unsafe extern "C" fn(user_data: *mut c_void)>,
}

/// The callbacks of a serializer of the application's own, for khufu_options_set_serializer. It writes payloads in
/// another form than JSON or pickle.
///
/// A payload encodes a JSON text. For a cookie, the text is the array [renewed, created, state]; both times are in
/// seconds since the Unix epoch. For a record in a store, it is the state alone, an object.
///
/// Callbacks run on the thread that opens or commits a session, possibly on several threads at once. No exception and
/// no longjmp may leave them. user_data is the pointer that was given to khufu_options_set_serializer.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct khufu_serializer_vtable {
    /// The size of this struct, sizeof(khufu_serializer_vtable). Later versions may add fields at its end.
    pub struct_size: usize,
    /// Reads a payload, and writes its JSON text, in UTF-8, into the sink. Returns KHUFU_OK, or any other status if the
    /// payload cannot be read. The session is then new and empty, and its load result is KHUFU_LOAD_MALFORMED.
    pub loads: Option<
        unsafe extern "C" fn(
            user_data: *mut c_void,
            payload: *const c_char,
            payload_len: usize,
            sink: *mut khufu_sink,
        ) -> i32,
    >,
    /// Writes a JSON text as a payload into the sink. Returns KHUFU_OK, or any other status if the text cannot be
    /// written. The commit then fails with KHUFU_ERR_UNSUPPORTED.
    pub dumps: Option<
        unsafe extern "C" fn(
            user_data: *mut c_void,
            json: *const c_char,
            json_len: usize,
            sink: *mut khufu_sink,
        ) -> i32,
    >,
    /// Frees the user data. khufu calls it once, when no options, factory, session or subject uses the table any more.
    /// It runs inside the call that frees or changes the last of these. May be NULL.
    pub release: Option<unsafe extern "C" fn(user_data: *mut c_void)>,
}

pub(super) struct UserData(pub *mut c_void);

// SAFETY: the header says that callbacks may run on any thread, several at once.
unsafe impl Send for UserData {}
// SAFETY: the header says that callbacks may run on any thread, several at once.
unsafe impl Sync for UserData {}
