//! A custom store: a table of callbacks that keep the records in maps.

use std::cell::Cell;
use std::collections::{BTreeMap, BTreeSet};
use std::ffi::{c_char, c_void};
use std::slice;

use khufu::ffi::khufu_status::{KHUFU_ERR_CONFLICT, KHUFU_ERR_GONE, KHUFU_NOT_FOUND, KHUFU_OK};
use khufu::ffi::{khufu_sink, khufu_sink_write, khufu_store_vtable};

#[derive(Clone, Default)]
pub struct CustomStore {
    /// Each key's generation and record.
    pub records: BTreeMap<Vec<u8>, (u64, Vec<u8>)>,
    subjects: BTreeMap<Vec<u8>, BTreeSet<Vec<u8>>>,
}

pub const TABLE: khufu_store_vtable = khufu_store_vtable {
    struct_size: size_of::<khufu_store_vtable>(),
    load: Some(load),
    save: Some(save),
    touch: Some(touch),
    remove: Some(remove),
    list: Some(list),
    unlist: Some(unlist),
    members: Some(members),
    release: None,
};

thread_local! {
    static BROKEN: Cell<bool> = const { Cell::new(false) };
}

/// Notes a call that breaks a promise of the header. A callback must not panic.
fn check_promise(holds: bool) {
    if !holds {
        BROKEN.set(true);
    }
}

/// Checks that all calls since the last check kept the header's promises.
pub fn check_calls() {
    assert!(!BROKEN.take(), "a callback got arguments that break a promise of the header");
}

/// SAFETY: `data` was set together with [`TABLE`], and the callbacks of one store run one at a time.
unsafe fn store<'a>(data: *mut c_void) -> &'a mut CustomStore {
    unsafe { &mut *data.cast() }
}

/// SAFETY: khufu passes readable bytes.
unsafe fn bytes(data: *const c_char, len: usize) -> Vec<u8> {
    unsafe { slice::from_raw_parts(data.cast(), len) }.to_vec()
}

/// Copies a name, which is a key or a subject. SAFETY: khufu passes readable bytes.
unsafe fn name(data: *const c_char, len: usize) -> Vec<u8> {
    let name = unsafe { bytes(data, len) };
    check_promise(len == 64 && name.iter().all(|digit| matches!(digit, b'0'..=b'9' | b'a'..=b'f')));
    name
}

unsafe extern "C" fn load(
    data: *mut c_void,
    key: *const c_char,
    len: usize,
    sink: *mut khufu_sink,
    generation: *mut u64,
) -> i32 {
    let (store, key) = unsafe { (store(data), name(key, len)) };
    let Some((found, record)) = store.records.get(&key) else { return KHUFU_NOT_FOUND as i32 };
    unsafe {
        generation.write(*found);
        khufu_sink_write(sink, record.as_ptr().cast(), record.len()) as i32
    }
}

impl CustomStore {
    /// KHUFU_OK if the key's record has the expected generation.
    fn check(&self, key: &[u8], expected: u64) -> i32 {
        (match self.records.get(key) {
            None => KHUFU_ERR_GONE,
            Some((generation, _)) if *generation == expected => KHUFU_OK,
            Some(_) => KHUFU_ERR_CONFLICT,
        }) as i32
    }
}

unsafe extern "C" fn save(
    data: *mut c_void,
    key: *const c_char,
    len: usize,
    expected: u64,
    generation: u64,
    record: *const c_char,
    record_len: usize,
    ttl: f64,
) -> i32 {
    let (store, key, record) = unsafe { (store(data), name(key, len), bytes(record, record_len)) };
    check_promise(generation > expected && !(0.0..1.0).contains(&ttl));
    let status = match expected {
        0 if !store.records.contains_key(&key) => KHUFU_OK as i32,
        _ => store.check(&key, expected),
    };
    if status == KHUFU_OK as i32 {
        store.records.insert(key, (generation, record));
    }
    status
}

unsafe extern "C" fn touch(
    data: *mut c_void,
    key: *const c_char,
    len: usize,
    generation: u64,
    record: *const c_char,
    record_len: usize,
    ttl: f64,
) -> i32 {
    let (store, key, record) = unsafe { (store(data), name(key, len), bytes(record, record_len)) };
    check_promise(!(0.0..1.0).contains(&ttl));
    let status = store.check(&key, generation);
    if status == KHUFU_OK as i32 {
        store.records.insert(key, (generation, record));
    }
    status
}

unsafe extern "C" fn remove(data: *mut c_void, key: *const c_char, len: usize, expected: u64) -> i32 {
    let (store, key) = unsafe { (store(data), name(key, len)) };
    let status = match (expected, store.records.contains_key(&key)) {
        (0, true) => KHUFU_OK as i32,
        _ => store.check(&key, expected),
    };
    if status == KHUFU_OK as i32 {
        store.records.remove(&key);
    }
    status
}

unsafe extern "C" fn list(
    data: *mut c_void,
    subject: *const c_char,
    subject_len: usize,
    key: *const c_char,
    len: usize,
    _ttl: f64,
) -> i32 {
    let (store, subject, key) = unsafe { (store(data), name(subject, subject_len), name(key, len)) };
    store.subjects.entry(subject).or_default().insert(key);
    KHUFU_OK as i32
}

unsafe extern "C" fn unlist(
    data: *mut c_void,
    subject: *const c_char,
    subject_len: usize,
    key: *const c_char,
    len: usize,
) -> i32 {
    let (store, subject, key) = unsafe { (store(data), name(subject, subject_len), name(key, len)) };
    if let Some(keys) = store.subjects.get_mut(&subject) {
        keys.remove(&key);
    }
    KHUFU_OK as i32
}

unsafe extern "C" fn members(
    data: *mut c_void,
    subject: *const c_char,
    subject_len: usize,
    sink: *mut khufu_sink,
) -> i32 {
    let (store, subject) = unsafe { (store(data), name(subject, subject_len)) };
    for key in store.subjects.get(&subject).into_iter().flatten() {
        unsafe { khufu_sink_write(sink, key.as_ptr().cast(), key.len()) };
    }
    KHUFU_OK as i32
}
