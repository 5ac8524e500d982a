//! Makes any sequence of calls to the C ABI, with NULL, right and wrong lengths, and texts borrowed from khufu.
//!
//! Arguments are copied to allocations of exactly their length, and borrowed texts are read until the session changes,
//! so that AddressSanitizer detects a read beyond the end of a text and a text that was freed too early.
//!
//! SAFETY of every call here: a handle is NULL or live; a text is readable for the given length, or khufu refuses the
//! length before it reads; and an output is NULL or writable.

use std::cell::UnsafeCell;
use std::ffi::{CStr, c_char};
use std::ptr::{null, null_mut};
use std::slice;

use arbitrary::{Result, Unstructured};
use khufu::ffi::khufu_status::{self, *};
use khufu::ffi::*;

use super::common::{KEY, NOW, SECRET};
use super::custom_store::{CustomStore, TABLE, check_calls};

const OPTIONS: &[(&str, &str)] = &[
    ("secret", SECRET),
    ("secret_hex", KEY),
    ("previous_secret", "older"),
    ("type", "encrypted_cookie"),
    ("type", "signed_cookie"),
    ("type", "store"),
    ("serializer", "pickle"),
    ("store", "memory:"),
    ("store_max_bytes", "100000"),
    ("library", "beaker"),
    ("accept.old.secret", "old"),
    ("timeout", "10"),
    ("reissue_time", ""),
    ("max_age", "60"),
    ("domain", "example.com"),
    ("set_on_exception", "false"),
    ("hashalg", "sha1"),
];
const KEYS: &[&str] = &["", "a", "b", "\u{e9}\n\"", "_f_", "_f_q", "_csrft_"];
const VALUES: &[&str] = &[
    "1",
    "-0",
    "1.5",
    "true",
    "null",
    "\"x\"",
    "\"\\ud800\"",
    "[]",
    "[1,\"a\"]",
    "{\"a\":{\"b\":1}}",
    " { } ",
    "{\"a\":1,\"b\":2}",
    "9223372036854775808",
    "[",
    "NaN",
    "q",
    "user-1",
];
/// The most calls for one input. More calls find nothing new.
const MAX_CALLS: usize = 200;

/// A text borrowed from khufu, and a copy of it.
struct Borrowed {
    session: usize,
    data: *const u8,
    text: Vec<u8>,
}

#[derive(Clone, Copy)]
struct Text {
    data: *const c_char,
    len: usize,
}

/// The handles and texts that the calls use. Each handle may be NULL.
struct World {
    options: *mut khufu_options,
    factories: [*mut khufu_factory; 2],
    sessions: [*mut khufu_session; 3],
    subject: *mut khufu_subject,
    subject_ids: Vec<Borrowed>,
    borrowed: Vec<Borrowed>,
    /// The arguments of the calls so far.
    texts: Vec<Box<[u8]>>,
    /// The cookies that commits set, each as NAME=VALUE.
    cookies: Vec<Vec<u8>>,
    /// The store that the handles use. It is dropped after they are freed.
    store: Box<UnsafeCell<CustomStore>>,
}

pub fn run(data: &[u8]) {
    let mut world = World {
        options: khufu_options_new(),
        factories: [null_mut(); 2],
        sessions: [null_mut(); 3],
        subject: null_mut(),
        subject_ids: Vec::new(),
        borrowed: Vec::new(),
        texts: Vec::new(),
        cookies: Vec::new(),
        store: Default::default(),
    };
    world.begin();
    let mut input = Unstructured::new(data);
    for _ in 0..MAX_CALLS {
        if input.is_empty() || world.call(&mut input).is_err() {
            break;
        }
        world.check_borrowed();
        check_calls();
    }
}

impl Drop for World {
    fn drop(&mut self) {
        unsafe {
            khufu_subject_free(self.subject);
            self.factories.iter().for_each(|factory| khufu_factory_free(*factory));
            // Sessions outlive their factory.
            self.sessions.iter().for_each(|session| khufu_session_free(*session));
            khufu_options_free(self.options);
        }
    }
}

/// Returns the status, after a check that it reports neither a bug in khufu nor a failed store: no store here fails.
fn checked(status: khufu_status) -> khufu_status {
    assert!(!matches!(status, KHUFU_ERR_INTERNAL | KHUFU_ERR_STORE | KHUFU_ERR_RANDOM), "{status:?}");
    status
}

/// Checks that an error's detail is UTF-8, ends with a NUL and shows no secret.
unsafe fn check_detail(detail: *const c_char) {
    let detail = unsafe { CStr::from_ptr(detail) }.to_str().expect("it is UTF-8");
    assert!(!detail.contains(SECRET) && !detail.contains(KEY), "{detail}");
}

impl World {
    /// Makes a factory and opens the sessions. Most inputs would make no factory themselves.
    fn begin(&mut self) {
        for (name, value) in &OPTIONS[..1] {
            let (name, value) = (self.text(name.as_bytes()), self.text(value.as_bytes()));
            assert_eq!(
                unsafe { khufu_options_set(self.options, name.data, name.len, value.data, value.len) },
                KHUFU_OK
            );
        }
        assert_eq!(unsafe { khufu_factory_new(self.options, &mut self.factories[0]) }, KHUFU_OK);
        for session in &mut self.sessions {
            assert_eq!(
                unsafe { khufu_session_open_with(self.factories[0], null(), 0, NOW, -1.0, 0, session) },
                KHUFU_OK
            );
        }
    }

    /// Copies a text to its own allocation, so that AddressSanitizer detects a read beyond its end.
    fn text(&mut self, bytes: &[u8]) -> Text {
        self.texts.push(bytes.into());
        let kept = self.texts.last().expect("it was pushed");
        Text { data: kept.as_ptr().cast(), len: kept.len() }
    }

    /// Chooses an argument: one of the known texts, any bytes, a text borrowed from khufu, or NULL.
    fn argument(&mut self, input: &mut Unstructured<'_>, known: &[&str]) -> Result<Text> {
        Ok(match input.int_in_range(0..=15_u8)? {
            0 => Text { data: null(), len: 0 },
            1 => Text { data: null(), len: input.arbitrary()? },
            2 => Text { data: self.text(b"a").data, len: isize::MAX as usize + 1 },
            3 => {
                let text = input.choose(known)?.as_bytes();
                let ended: Vec<u8> = text.iter().copied().filter(|byte| *byte != 0).chain([0]).collect();
                Text { len: usize::MAX, ..self.text(&ended) }
            }
            4 | 5 => {
                let length = input.int_in_range(0..=40)?;
                let bytes = input.bytes(length.min(input.len()))?;
                self.text(bytes)
            }
            6 | 7 if !self.borrowed.is_empty() => {
                let borrowed = &self.borrowed[input.choose_index(self.borrowed.len())?];
                Text { data: borrowed.data.cast(), len: borrowed.text.len() }
            }
            _ => {
                let text = input.choose(known)?.as_bytes();
                self.text(text)
            }
        })
    }

    /// Checks that every borrowed text is still readable and unchanged.
    fn check_borrowed(&self) {
        for Borrowed { data, text, .. } in self.borrowed.iter().chain(&self.subject_ids) {
            assert_eq!(unsafe { slice::from_raw_parts(*data, text.len()) }, text);
        }
    }

    fn call(&mut self, input: &mut Unstructured<'_>) -> Result<()> {
        match input.int_in_range(0..=19_u8)? {
            0 => self.configure(input)?,
            1 => self.open(input)?,
            2 => self.subjects(input)?,
            3..=6 => self.write(input)?,
            7..=9 => self.flash(input)?,
            10..=12 => self.end(input)?,
            _ => self.read(input)?,
        }
        Ok(())
    }

    fn configure(&mut self, input: &mut Unstructured<'_>) -> Result<()> {
        let index = input.choose_index(2)?;
        match input.int_in_range(0..=7_u8)? {
            0 => unsafe {
                khufu_options_free(self.options);
                self.options = khufu_options_new();
            },
            1 => {
                let status = unsafe { khufu_options_set_store(self.options, &TABLE, self.store.get().cast()) };
                assert_eq!(status, KHUFU_OK);
            }
            2 => unsafe {
                assert_eq!(khufu_options_set_store(null_mut(), &TABLE, null_mut()), KHUFU_ERR_ARGUMENT);
                assert_eq!(khufu_options_set_store(self.options, null(), null_mut()), KHUFU_ERR_ARGUMENT);
                assert_eq!(khufu_factory_new(self.options, null_mut()), KHUFU_ERR_ARGUMENT);
                khufu_factory_free(null_mut());
            },
            3 => unsafe {
                khufu_factory_free(self.factories[index]);
                let status = checked(khufu_factory_new(self.options, &mut self.factories[index]));
                assert_eq!(status == KHUFU_OK, !self.factories[index].is_null());
            },
            _ => {
                let (name, value) = *input.choose(OPTIONS)?;
                let (name, value) = match input.arbitrary()? {
                    true => (self.text(name.as_bytes()), self.text(value.as_bytes())),
                    false => {
                        let name = self.argument(input, &[name, "accept.old.serializer", "path"])?;
                        // No secret here: the error of another option may show its value.
                        (name, self.argument(input, &["json", "1", "/", "None"])?)
                    }
                };
                // Any other store would leave this process.
                let value = if unsafe { is_store(name) } { self.text(b"memory:") } else { value };
                checked(unsafe { khufu_options_set(self.options, name.data, name.len, value.data, value.len) });
            }
        }
        unsafe { check_detail(khufu_options_error(self.options)) };
        Ok(())
    }

    fn open(&mut self, input: &mut Unstructured<'_>) -> Result<()> {
        let (index, factory) = (input.choose_index(3)?, self.factories[input.choose_index(2)?]);
        let header = match (input.int_in_range(0..=3_u8)?, self.cookies.len()) {
            (0, _) | (_, 0) => self.argument(input, &["session=", "session=a; session=b", "other=1"])?,
            (_, cookies) => {
                let cookie = self.cookies[input.choose_index(cookies)?].clone();
                self.text(&cookie)
            }
        };
        let (way, time, flags) = (input.int_in_range(0..=4_u8)?, input.arbitrary()?, input.int_in_range(0..=2_u32)?);
        // The header may be a text borrowed from the old session.
        let old = std::mem::replace(&mut self.sessions[index], null_mut());
        let session = &mut self.sessions[index];
        unsafe {
            let status = match way {
                0 => khufu_session_open(factory, header.data, header.len, session),
                1 => khufu_session_open_with(factory, header.data, header.len, NOW, time, flags, session),
                2 => khufu_session_open_with(factory, header.data, header.len, time, -1.0, flags, session),
                3 => khufu_session_open_value(factory, header.data, header.len, NOW, -1.0, flags, session),
                _ => khufu_session_open_with(factory, header.data, header.len, NOW, -1.0, 0, session),
            };
            assert!(!session.is_null());
            // The time limit may be too short for the store.
            assert!(matches!(status, KHUFU_OK | KHUFU_ERR_ARGUMENT | KHUFU_ERR_STORE), "{status:?}");
            let without = khufu_session_open_with(factory, null(), 0, NOW, -1.0, 0, null_mut());
            assert_eq!(without, KHUFU_ERR_ARGUMENT);
            khufu_session_free(old);
        }
        self.forget_borrowed(index);
        Ok(())
    }

    /// Chooses a session or NULL. Returns its number, too.
    fn session(&self, input: &mut Unstructured<'_>) -> Result<(usize, *mut khufu_session)> {
        let number = input.int_in_range(0..=12_usize)?;
        Ok(if number == 12 { (3, null_mut()) } else { (number % 3, self.sessions[number % 3]) })
    }

    /// Records the text that a call returned. Checks that a call that failed returned none.
    fn borrow(&mut self, session: usize, status: khufu_status, data: *const c_char, len: usize) {
        if checked(status) != KHUFU_OK {
            assert!(data.is_null() && len == 0, "{status:?}");
            return;
        }
        assert!(!data.is_null());
        let text = unsafe { slice::from_raw_parts(data.cast::<u8>(), len) }.to_vec();
        assert!(str::from_utf8(&text).is_ok());
        self.borrowed.push(Borrowed { session, data: data.cast(), text });
    }

    /// Forgets the texts borrowed from a session. A call that changes the session invalidates them.
    fn forget_borrowed(&mut self, session: usize) {
        self.borrowed.retain(|borrowed| borrowed.session != session);
    }

    fn read(&mut self, input: &mut Unstructured<'_>) -> Result<()> {
        let (number, session) = self.session(input)?;
        let key = self.argument(input, KEYS)?;
        let (mut data, mut len) = (c"unset".as_ptr(), 5);
        let output: *mut *const c_char = if input.ratio(1, 16)? { null_mut() } else { &mut data };
        let status = match input.int_in_range(0..=9_u8)? {
            0 | 1 => unsafe { khufu_session_get(session, key.data, key.len, output, &mut len) },
            2 => unsafe { khufu_session_get_string(session, key.data, key.len, output, &mut len) },
            3 => unsafe { khufu_session_to_json(session, output, &mut len) },
            4 => unsafe { khufu_session_id(session, output, &mut len) },
            5 => unsafe { khufu_session_peek_flash(session, key.data, key.len, output, &mut len) },
            6 => {
                let (mut name, mut name_len) = (null(), 0);
                let index = input.arbitrary()?;
                unsafe { khufu_session_header(session, index, &mut name, &mut name_len, output, &mut len) }
            }
            7 => return self.iterate(number, session, input.arbitrary()?),
            8 => {
                Self::read_scalars(session, key);
                return Ok(());
            }
            _ => {
                Self::read_facts(session);
                return Ok(());
            }
        };
        if output.is_null() {
            assert_eq!(status, KHUFU_ERR_ARGUMENT);
        } else {
            self.borrow(number, status, data, len);
        }
        unsafe { check_detail(khufu_session_error(session)) };
        Ok(())
    }

    fn iterate(&mut self, number: usize, session: *mut khufu_session, mut cursor: usize) -> Result<()> {
        if cursor > 5 {
            cursor = 0;
        }
        loop {
            let (mut key, mut key_len, mut json, mut json_len) = (null(), 1, null(), 1);
            let before = cursor;
            let status =
                unsafe { khufu_session_next(session, &mut cursor, &mut key, &mut key_len, &mut json, &mut json_len) };
            self.borrow(number, status, key, key_len);
            self.borrow(number, status, json, json_len);
            if status != KHUFU_OK {
                assert_eq!(status, if session.is_null() || before == cursor { status } else { KHUFU_NOT_FOUND });
                return Ok(());
            }
            assert_eq!(cursor, before + 1);
        }
    }

    fn read_scalars(session: *mut khufu_session, key: Text) {
        let (mut integer, mut double, mut flag) = (7, 7.0, true);
        unsafe {
            if checked(khufu_session_get_int64(session, key.data, key.len, &mut integer)) != KHUFU_OK {
                assert_eq!(integer, 0);
            }
            if checked(khufu_session_get_double(session, key.data, key.len, &mut double)) != KHUFU_OK {
                assert_eq!(double, 0.0);
            }
            if checked(khufu_session_get_bool(session, key.data, key.len, &mut flag)) != KHUFU_OK {
                assert!(!flag);
            }
            checked(khufu_session_contains(session, key.data, key.len, &mut flag));
            assert_eq!(khufu_session_get_int64(session, key.data, key.len, null_mut()), KHUFU_ERR_ARGUMENT);
            checked(khufu_session_check_csrf_token(session, key.data, key.len, &mut flag));
        }
    }

    fn read_facts(session: *mut khufu_session) {
        unsafe {
            assert!(khufu_session_length(session) < 1000);
            let times = [khufu_session_created, khufu_session_accessed, khufu_session_renewed];
            assert!(times.iter().all(|time| time(session).is_finite()));
            let _ = (khufu_session_is_new(session), khufu_session_is_changed(session));
            check_detail(khufu_session_load_format(session));
            check_detail(khufu_load_result_name(khufu_session_load_result(session) as i32));
        }
    }

    fn write(&mut self, input: &mut Unstructured<'_>) -> Result<()> {
        let (number, session) = self.session(input)?;
        let (key, json) = (self.argument(input, KEYS)?, self.argument(input, VALUES)?);
        let (mut data, mut len) = (null(), 1);
        let status = match input.int_in_range(0..=11_u8)? {
            0 | 1 => unsafe { khufu_session_set(session, key.data, key.len, json.data, json.len) },
            2 => unsafe { khufu_session_set_string(session, key.data, key.len, json.data, json.len) },
            3 => unsafe { khufu_session_set_int64(session, key.data, key.len, input.arbitrary()?) },
            4 => unsafe { khufu_session_set_double(session, key.data, key.len, input.arbitrary()?) },
            5 => unsafe { khufu_session_set_bool(session, key.data, key.len, input.arbitrary()?) },
            6 => unsafe { khufu_session_set_null(session, key.data, key.len) },
            7 => unsafe { khufu_session_update(session, json.data, json.len) },
            8 => unsafe { khufu_session_delete(session, key.data, key.len) },
            9 => unsafe { khufu_session_clear(session) },
            10 => {
                let status = unsafe { khufu_session_pop(session, key.data, key.len, &mut data, &mut len) };
                self.forget_borrowed(number);
                self.borrow(number, status, data, len);
                status
            }
            _ => {
                let status = unsafe {
                    khufu_session_setdefault(session, key.data, key.len, json.data, json.len, &mut data, &mut len)
                };
                self.forget_borrowed(number);
                self.borrow(number, status, data, len);
                return Ok(());
            }
        };
        if data.is_null() {
            self.forget_borrowed(number);
        }
        checked(status);
        unsafe { check_detail(khufu_session_error(session)) };
        Ok(())
    }

    fn flash(&mut self, input: &mut Unstructured<'_>) -> Result<()> {
        let (number, session) = self.session(input)?;
        let (queue, message) = (self.argument(input, &["", "q", "csrf"])?, self.argument(input, VALUES)?);
        let (mut data, mut len) = (null(), 1);
        let duplicate = input.arbitrary()?;
        let status = match input.int_in_range(0..=5_u8)? {
            0 | 1 => {
                let status = unsafe {
                    khufu_session_flash(session, message.data, message.len, queue.data, queue.len, duplicate)
                };
                self.forget_borrowed(number);
                checked(status);
                return Ok(());
            }
            2 => {
                let status = unsafe {
                    khufu_session_flash_string(session, message.data, message.len, queue.data, queue.len, duplicate)
                };
                self.forget_borrowed(number);
                checked(status);
                return Ok(());
            }
            3 => unsafe { khufu_session_pop_flash(session, queue.data, queue.len, &mut data, &mut len) },
            4 => unsafe { khufu_session_csrf_token(session, &mut data, &mut len) },
            _ => unsafe { khufu_session_new_csrf_token(session, &mut data, &mut len) },
        };
        self.forget_borrowed(number);
        self.borrow(number, status, data, len);
        Ok(())
    }

    /// Makes a call that ends a request, a login or a session.
    fn end(&mut self, input: &mut Unstructured<'_>) -> Result<()> {
        let (number, session) = self.session(input)?;
        let status = match input.int_in_range(0..=7_u8)? {
            0 => unsafe { khufu_session_invalidate(session) },
            1 => unsafe { khufu_session_regenerate_id(session) },
            2 => {
                let subject = self.argument(input, VALUES)?;
                unsafe { khufu_session_set_subject(session, subject.data, subject.len) }
            }
            3 => unsafe { khufu_session_mark_changed(session) },
            4 => unsafe { khufu_session_commit(session, input.arbitrary()?) },
            5 => unsafe { khufu_session_commit_with(session, 0, input.arbitrary()?) },
            _ => unsafe { khufu_session_commit(session, 0) },
        };
        self.forget_borrowed(number);
        unsafe { check_detail(khufu_session_error(session)) };
        if status == KHUFU_OK {
            let (mut data, mut len) = (null(), 0);
            let (mut name, mut name_len) = (null(), 0);
            let header = unsafe { khufu_session_header(session, 0, &mut name, &mut name_len, &mut data, &mut len) };
            // "Set-Cookie" is the only name of this length.
            if header == KHUFU_OK && name_len == 10 {
                let cookie = unsafe { slice::from_raw_parts(data.cast::<u8>(), len) };
                let pair = cookie.split(|byte| *byte == b';').next().unwrap_or_default();
                self.cookies.push(pair.to_vec());
                self.borrow(number, KHUFU_OK, data, len);
            }
        }
        // The time limit may be too short for the store.
        assert!(!matches!(status, KHUFU_ERR_INTERNAL | KHUFU_ERR_RANDOM), "{status:?}");
        Ok(())
    }

    fn subjects(&mut self, input: &mut Unstructured<'_>) -> Result<()> {
        let text = self.argument(input, VALUES)?;
        let subject = if input.ratio(1, 12)? { null_mut() } else { self.subject };
        unsafe {
            match input.int_in_range(0..=3_u8)? {
                0 => {
                    khufu_subject_free(self.subject);
                    self.subject_ids.clear();
                    let factory = self.factories[input.choose_index(2)?];
                    let status = checked(khufu_subject_open(factory, text.data, text.len, &mut self.subject));
                    assert!(!self.subject.is_null(), "{status:?}");
                }
                1 => {
                    let (mut id, mut len, mut created, mut accessed) = (null(), 1, 1.0, 1.0);
                    let mut cursor = input.choose_index(3)?;
                    let status =
                        khufu_subject_next(subject, &mut cursor, &mut id, &mut len, &mut created, &mut accessed);
                    if checked(status) == KHUFU_OK {
                        let text = slice::from_raw_parts(id.cast::<u8>(), len).to_vec();
                        assert_eq!(len, 64);
                        self.subject_ids.push(Borrowed { session: 3, data: id.cast(), text });
                    } else {
                        assert!(id.is_null() && len == 0 && created == 0.0 && accessed == 0.0);
                    }
                }
                2 => {
                    checked(khufu_subject_revoke(subject, text.data, text.len));
                }
                _ => {
                    let mut revoked = 7;
                    let status = khufu_subject_revoke_all(subject, text.data, text.len, &mut revoked);
                    assert!(checked(status) == KHUFU_OK || revoked == 0);
                }
            }
            check_detail(khufu_subject_error(self.subject));
        }
        Ok(())
    }
}

/// Returns true if an option's name is `store`. SAFETY: the name must be as for a call to khufu.
unsafe fn is_store(name: Text) -> bool {
    if name.data.is_null() || (name.len != usize::MAX && name.len > isize::MAX as usize) {
        return false;
    }
    let bytes = match name.len {
        usize::MAX => unsafe { CStr::from_ptr(name.data) }.to_bytes(),
        len => unsafe { slice::from_raw_parts(name.data.cast(), len) },
    };
    bytes == b"store"
}
