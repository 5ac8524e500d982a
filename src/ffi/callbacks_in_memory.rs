//! A custom store for tests: its callbacks keep records in a map. Each call of a callback is a step of a schedule.

use std::collections::{BTreeSet, HashMap};
use std::ffi::{c_char, c_void};
use std::sync::{Arc, Mutex};

use super::arguments::bytes;
use super::callback_store::CallbackStore;
use super::status::khufu_status::{self, *};
use super::tables::{UserData, khufu_sink, khufu_sink_write, khufu_store_vtable};
use crate::record::interleavings::schedule::{Effect, step};
use crate::store::custom::CustomDriver;
use crate::store::{Driver, StoreError};

#[derive(Default)]
struct Contents {
    /// The generation and the bytes of each record.
    records: HashMap<String, (u64, Vec<u8>)>,
    /// The keys of each subject's records.
    listed: HashMap<String, BTreeSet<String>>,
}

type Shared = Arc<Mutex<Contents>>;

/// A store made from callbacks. Its records do not expire.
pub(crate) fn store() -> Arc<dyn Driver> {
    let table = khufu_store_vtable {
        struct_size: size_of::<khufu_store_vtable>(),
        load: Some(load),
        save: Some(save),
        touch: Some(touch),
        remove: Some(remove),
        list: Some(list),
        unlist: Some(unlist),
        members: Some(members),
        release: Some(release),
    };
    let contents: Box<Shared> = Box::default();
    Arc::new(CustomDriver(CallbackStore::new(table, UserData(Box::into_raw(contents).cast()))))
}

/// SAFETY: the pointer is the one that [`store`] made.
unsafe fn contents(user_data: *mut c_void) -> Shared {
    // SAFETY: the caller promises it, and `release` was not called.
    unsafe { &*user_data.cast::<Shared>() }.clone()
}

/// SAFETY: `len` bytes can be read at `data`.
unsafe fn text(data: *const c_char, len: usize) -> String {
    // SAFETY: the caller promises it.
    let bytes = unsafe { bytes(data, len) }.ok().expect("the text is not NULL");
    str::from_utf8(bytes).expect("keys and subjects are ASCII").to_owned()
}

fn status(outcome: Result<khufu_status, StoreError>) -> i32 {
    outcome.unwrap_or(KHUFU_ERR_STORE) as i32
}

/// Returns the status of a write that expects a generation.
fn meets(contents: &Contents, key: &str, expected: u64) -> khufu_status {
    match contents.records.get(key) {
        None => KHUFU_ERR_GONE,
        Some((generation, _)) if *generation != expected => KHUFU_ERR_CONFLICT,
        Some(_) => KHUFU_OK,
    }
}

unsafe extern "C" fn load(
    user_data: *mut c_void,
    key: *const c_char,
    key_len: usize,
    sink: *mut khufu_sink,
    generation: *mut u64,
) -> i32 {
    // SAFETY: the header promises these arguments.
    let (contents, key) = unsafe { (contents(user_data), text(key, key_len)) };
    let found = step("load", Effect::Reads, move || Ok(contents.lock().unwrap().records.get(&key).cloned()));
    match found {
        Err(_) => KHUFU_ERR_STORE as i32,
        Ok(None) => KHUFU_NOT_FOUND as i32,
        // SAFETY: `sink` and `generation` are the callback's arguments.
        Ok(Some((found, record))) => unsafe {
            *generation = found;
            khufu_sink_write(sink, record.as_ptr().cast(), record.len()) as i32
        },
    }
}

unsafe extern "C" fn save(
    user_data: *mut c_void,
    key: *const c_char,
    key_len: usize,
    expected: u64,
    generation: u64,
    record: *const c_char,
    record_len: usize,
    _ttl: f64,
) -> i32 {
    // SAFETY: the header promises these arguments.
    let (contents, key, record) = unsafe { (contents(user_data), text(key, key_len), bytes(record, record_len)) };
    let record = record.ok().expect("the record is not NULL").to_vec();
    let (name, effect) = if expected == 0 { ("insert", Effect::Inserts) } else { ("save", Effect::Writes) };
    status(step(name, effect, move || {
        let mut contents = contents.lock().unwrap();
        let met = match (meets(&contents, &key, expected), expected) {
            (KHUFU_ERR_GONE, 0) => KHUFU_OK,
            (met, _) => met,
        };
        if met == KHUFU_OK {
            contents.records.insert(key, (generation, record));
        }
        Ok(met)
    }))
}

unsafe extern "C" fn touch(
    user_data: *mut c_void,
    key: *const c_char,
    key_len: usize,
    generation: u64,
    record: *const c_char,
    record_len: usize,
    _ttl: f64,
) -> i32 {
    // SAFETY: the header promises these arguments.
    let (contents, key, record) = unsafe { (contents(user_data), text(key, key_len), bytes(record, record_len)) };
    let record = record.ok().expect("the record is not NULL").to_vec();
    status(step("touch", Effect::Writes, move || {
        let mut contents = contents.lock().unwrap();
        let met = meets(&contents, &key, generation);
        if met == KHUFU_OK {
            contents.records.insert(key, (generation, record));
        }
        Ok(met)
    }))
}

unsafe extern "C" fn remove(user_data: *mut c_void, key: *const c_char, key_len: usize, expected: u64) -> i32 {
    // SAFETY: the header promises these arguments.
    let (contents, key) = unsafe { (contents(user_data), text(key, key_len)) };
    status(step("remove", Effect::Writes, move || {
        let mut contents = contents.lock().unwrap();
        let met = match (meets(&contents, &key, expected), expected) {
            (KHUFU_ERR_CONFLICT, 0) => KHUFU_OK,
            (met, _) => met,
        };
        if met == KHUFU_OK {
            contents.records.remove(&key);
        }
        Ok(met)
    }))
}

unsafe extern "C" fn list(
    user_data: *mut c_void,
    subject: *const c_char,
    subject_len: usize,
    key: *const c_char,
    key_len: usize,
    _ttl: f64,
) -> i32 {
    // SAFETY: the header promises these arguments.
    let (contents, subject, key) = unsafe { (contents(user_data), text(subject, subject_len), text(key, key_len)) };
    status(step("list", Effect::Writes, move || {
        contents.lock().unwrap().listed.entry(subject).or_default().insert(key);
        Ok(KHUFU_OK)
    }))
}

unsafe extern "C" fn unlist(
    user_data: *mut c_void,
    subject: *const c_char,
    subject_len: usize,
    key: *const c_char,
    key_len: usize,
) -> i32 {
    // SAFETY: the header promises these arguments.
    let (contents, subject, key) = unsafe { (contents(user_data), text(subject, subject_len), text(key, key_len)) };
    status(step("unlist", Effect::Writes, move || {
        if let Some(keys) = contents.lock().unwrap().listed.get_mut(&subject) {
            keys.remove(&key);
        }
        Ok(KHUFU_OK)
    }))
}

unsafe extern "C" fn members(
    user_data: *mut c_void,
    subject: *const c_char,
    subject_len: usize,
    sink: *mut khufu_sink,
) -> i32 {
    // SAFETY: the header promises these arguments.
    let (contents, subject) = unsafe { (contents(user_data), text(subject, subject_len)) };
    let keys = step("members", Effect::Reads, move || {
        let contents = contents.lock().unwrap();
        Ok(contents.listed.get(&subject).into_iter().flatten().cloned().collect::<String>())
    });
    let Ok(keys) = keys else { return KHUFU_ERR_STORE as i32 };
    // SAFETY: `sink` is the callback's argument.
    unsafe { khufu_sink_write(sink, keys.as_ptr().cast(), keys.len()) as i32 }
}

unsafe extern "C" fn release(user_data: *mut c_void) {
    // SAFETY: the pointer is the one that `store` made, and nothing uses it any more.
    drop(unsafe { Box::from_raw(user_data.cast::<Shared>()) });
}
