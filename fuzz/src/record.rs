//! Opens any bytes as a session's record in a store, with the session's current id, its previous one and an older one.
//!
//! SAFETY of every call here: handles are live, texts are readable, and outputs are writable.

use std::cell::UnsafeCell;
use std::ptr::{null, null_mut};
use std::slice;

use khufu::ffi::khufu_load_result::{KHUFU_LOAD_LOADED, KHUFU_LOAD_UNSUPPORTED};
use khufu::ffi::khufu_status::{self, *};
use khufu::ffi::*;

use super::common::{NOW, SECRET};
use super::custom_store::{CustomStore, TABLE, check_calls};
use super::json_text;

const SUBJECT: &str = "user-42";
/// The parts of a record: its subject's name, its token's hash, the length of its data; and the length of its header.
const SUBJECT_NAME: std::ops::Range<usize> = 2..34;
const TOKEN: std::ops::Range<usize> = 34..66;
const LENGTH: std::ops::Range<usize> = 108..112;
const HEADER: usize = 112;

/// A factory whose store holds one session, and the cookies of its ids: the first, the second and the current one.
struct Server {
    factory: *mut khufu_factory,
    store: Box<UnsafeCell<CustomStore>>,
    cookies: [String; 3],
    /// A copy of the store after the last commit, and its only record.
    saved: CustomStore,
    key: Vec<u8>,
    record: Vec<u8>,
    generation: u64,
}

struct Session(*mut khufu_session);

impl Drop for Session {
    fn drop(&mut self) {
        unsafe { khufu_session_free(self.0) }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        unsafe { khufu_factory_free(self.factory) }
    }
}

impl Server {
    fn new(serializer: &str) -> Self {
        let store = Box::new(UnsafeCell::new(CustomStore::default()));
        let options = khufu_options_new();
        let mut factory = null_mut();
        unsafe {
            for (name, value) in [("secret", SECRET), ("serializer", serializer), ("timeout", "")] {
                let (name, value) = (name.as_bytes(), value.as_bytes());
                let set =
                    khufu_options_set(options, name.as_ptr().cast(), name.len(), value.as_ptr().cast(), value.len());
                assert_eq!(set, KHUFU_OK);
            }
            assert_eq!(khufu_options_set_store(options, &TABLE, store.get().cast()), KHUFU_OK);
            assert_eq!(khufu_factory_new(options, &mut factory), KHUFU_OK);
            khufu_options_free(options);
        }
        let (saved, key, record, generation) = Default::default();
        let mut server = Self { factory, store, cookies: Default::default(), saved, key, record, generation };
        for round in 0..3 {
            let before = server.cookies[round.max(1) - 1].clone();
            let session = server.open(&before);
            assert_eq!(session.set_json("round", &round.to_string()), KHUFU_OK);
            let status = match round {
                0 => unsafe { khufu_session_set_subject(session.0, SUBJECT.as_ptr().cast(), SUBJECT.len()) },
                _ => unsafe { khufu_session_regenerate_id(session.0) },
            };
            assert_eq!((status, session.commit()), (KHUFU_OK, KHUFU_OK));
            server.cookies[round] = session.cookie().expect("a new id has a cookie");
        }
        server.saved = server.store.get_mut().clone();
        let (key, (generation, record)) = server.saved.records.first_key_value().expect("it was saved");
        (server.key, server.generation, server.record) = (key.clone(), *generation, record.clone());
        server
    }

    fn open(&self, cookie: &str) -> Session {
        let mut session = null_mut();
        let status = unsafe {
            khufu_session_open_with(self.factory, cookie.as_ptr().cast(), cookie.len(), NOW, -1.0, 0, &mut session)
        };
        assert_eq!(status, KHUFU_OK, "no record makes opening fail");
        Session(session)
    }

    /// Restores the store, with this record in place of the session's.
    fn put(&self, generation: u64, record: &[u8]) {
        let mut store = self.saved.clone();
        store.records.insert(self.key.clone(), (generation, record.to_vec()));
        // SAFETY: no call to khufu is running.
        unsafe { *self.store.get() = store };
    }

    fn is_there(&self) -> bool {
        // SAFETY: no call to khufu is running.
        unsafe { &*self.store.get() }.records.contains_key(&self.key)
    }
}

impl Session {
    fn set_json(&self, key: &str, json: &str) -> khufu_status {
        unsafe { khufu_session_set(self.0, key.as_ptr().cast(), key.len(), json.as_ptr().cast(), json.len()) }
    }

    fn commit(&self) -> khufu_status {
        unsafe { khufu_session_commit(self.0, 0) }
    }

    fn is_loaded(&self) -> bool {
        unsafe { khufu_session_load_result(self.0) == KHUFU_LOAD_LOADED }
    }

    fn to_json(&self) -> String {
        let (mut data, mut len) = (null(), 0);
        assert_eq!(unsafe { khufu_session_to_json(self.0, &mut data, &mut len) }, KHUFU_OK);
        String::from_utf8(unsafe { slice::from_raw_parts(data.cast(), len) }.to_vec()).expect("it is text")
    }

    /// The first cookie that the response sets, as a `Cookie` header contains it.
    fn cookie(&self) -> Option<String> {
        let (mut name, mut name_len, mut data, mut len) = (null(), 0, null(), 0);
        match unsafe { khufu_session_header(self.0, 0, &mut name, &mut name_len, &mut data, &mut len) } {
            KHUFU_OK if name_len != "Set-Cookie".len() => return None,
            KHUFU_OK => {}
            status => {
                assert_eq!(status, KHUFU_NOT_FOUND);
                return None;
            }
        }
        let text = str::from_utf8(unsafe { slice::from_raw_parts(data.cast(), len) }).expect("it is text");
        text.split(';').next().map(str::to_owned)
    }
}

thread_local! {
    static SERVERS: [Server; 2] = ["json", "pickle"].map(Server::new);
}

pub fn run(data: &[u8]) {
    let Some((mode, rest)) = data.split_first() else { return };
    SERVERS.with(|servers| {
        let server = &servers[usize::from(mode & 1)];
        let record = match mode >> 1 & 3 {
            0 => rest.to_vec(),
            1 => with_real_token(server, rest),
            2 => mutated(&server.record, rest),
            _ => with_data(server, rest),
        };
        let generation = match mode >> 6 {
            0 => 0,
            1 => u64::MAX,
            // Leaves room for a few more saves.
            2 => i64::MAX as u64 - 16,
            _ => server.generation,
        };
        for cookie in 0..3 {
            for action in [read_it, write_it, renew_it, end_it] {
                server.put(generation, &record);
                action(server, cookie);
            }
        }
        server.put(generation, &record);
        subject(server, &record);
        check_calls();
    });
}

fn with_real_token(server: &Server, record: &[u8]) -> Vec<u8> {
    let mut record = record.to_vec();
    if let Some(token) = record.get_mut(TOKEN) {
        token.copy_from_slice(&server.record[TOKEN]);
    }
    record
}

/// Changes a record. Each three bytes of `changes` are one change: its kind, its place and a new byte.
fn mutated(record: &[u8], changes: &[u8]) -> Vec<u8> {
    let mut record = record.to_vec();
    for &[what, place, byte] in changes.as_chunks::<3>().0 {
        let at = usize::from(what & 1) << 8 | usize::from(place);
        match (record.get_mut(at), what >> 1 & 3) {
            (Some(place), 0) => *place = byte,
            (Some(place), 1) => *place ^= byte,
            (Some(_), 2) => record.truncate(at),
            (Some(_), _) => record.insert(at, byte),
            (None, _) => record.push(byte),
        }
    }
    record
}

/// The real header followed by other data, which begins with an empty subject and has no snapshot.
fn with_data(server: &Server, state: &[u8]) -> Vec<u8> {
    let data = [&[0, 0], state].concat();
    let mut record = [&server.record[..HEADER], &data].concat();
    record[LENGTH].copy_from_slice(&(data.len() as u32).to_be_bytes());
    record
}

/// Commits, and checks that the result is possible while no other request uses the store. Returns true if the commit
/// succeeded.
fn check_commit(session: &Session) -> bool {
    let loaded = unsafe { khufu_session_load_result(session.0) };
    match session.commit() {
        KHUFU_OK => true,
        KHUFU_ERR_UNSUPPORTED => {
            assert_eq!(loaded, KHUFU_LOAD_UNSUPPORTED);
            false
        }
        // The session was opened with its previous id.
        KHUFU_ERR_GONE => {
            assert_eq!(loaded, KHUFU_LOAD_LOADED);
            assert!(session.cookie().is_none());
            false
        }
        status => panic!("commit gave {status:?}"),
    }
}

fn opened(server: &Server, cookie: usize) -> Session {
    let session = server.open(&server.cookies[cookie]);
    assert!(cookie > 0 || !session.is_loaded(), "the first id was replaced twice");
    session
}

fn read_it(server: &Server, cookie: usize) {
    let session = opened(server, cookie);
    let whole = session.to_json();
    assert!(json_text::read(&whole).is_some(), "to_json gives JSON");
    assert!(session.is_loaded() || whole == "{}");
    if check_commit(&session) && session.is_loaded() {
        assert_eq!(opened(server, cookie).to_json(), whole, "reading changes nothing");
    }
}

fn write_it(server: &Server, cookie: usize) {
    let session = opened(server, cookie);
    assert_eq!(session.set_json("set by the fuzzer", "[1]"), KHUFU_OK);
    let whole = session.to_json();
    if check_commit(&session) {
        let cookie = session.cookie().unwrap_or_else(|| server.cookies[cookie].clone());
        let again = server.open(&cookie);
        assert!(again.is_loaded());
        assert_eq!(again.to_json(), whole);
    }
}

fn renew_it(server: &Server, cookie: usize) {
    let session = opened(server, cookie);
    assert_eq!(unsafe { khufu_session_regenerate_id(session.0) }, KHUFU_OK);
    if check_commit(&session) {
        let again = server.open(&session.cookie().expect("a new id has a cookie"));
        assert!(again.is_loaded());
        assert_eq!(again.to_json(), session.to_json());
    }
}

fn end_it(server: &Server, cookie: usize) {
    let session = opened(server, cookie);
    let was_loaded = session.is_loaded();
    assert_eq!(unsafe { khufu_session_invalidate(session.0) }, KHUFU_OK);
    assert_eq!(session.commit(), KHUFU_OK);
    assert!(session.cookie().is_some(), "the browser's cookie is cleared");
    assert!(!(was_loaded && server.is_there()), "a logout is final");
}

fn subject(server: &Server, record: &[u8]) {
    let (mut sessions, mut revoked, mut cursor) = (null_mut(), 0, 0);
    let named = record.get(SUBJECT_NAME) == Some(&server.record[SUBJECT_NAME]);
    unsafe {
        let status = khufu_subject_open(server.factory, SUBJECT.as_ptr().cast(), SUBJECT.len(), &mut sessions);
        assert_eq!(status, KHUFU_OK);
        let (mut id, mut id_len, mut created, mut accessed) = (null(), 0, 0.0, 0.0);
        while khufu_subject_next(sessions, &mut cursor, &mut id, &mut id_len, &mut created, &mut accessed) == KHUFU_OK {
            assert!(named && slice::from_raw_parts(id.cast::<u8>(), id_len) == server.key);
            assert!(created.is_finite() && accessed.is_finite());
        }
        assert!(cursor <= 1);
        assert_eq!(khufu_subject_revoke_all(sessions, null(), 0, &mut revoked), KHUFU_OK);
        khufu_subject_free(sessions);
    }
    assert_eq!(revoked == 1, !server.is_there());
    assert!(revoked >= cursor && (named || revoked == 0));
}
