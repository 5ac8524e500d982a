//! What becomes of a session whose store did what it was asked to, or not, and whose answer was lost.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use crate::store::{self, Record, Saved, Store, StoreError};
use crate::{Error, Factory, LoadResult, Options, Session};

/// A store in memory that loses the answers to some of its saves and loads.
struct Lossy {
    store: Arc<dyn Store>,
    /// The save whose answer is lost, counted from 1 downwards.
    save: AtomicUsize,
    load: AtomicUsize,
}

impl Lossy {
    fn new() -> Arc<Self> {
        let store = store::open(Options::new().settings(), Duration::from_secs(1)).unwrap();
        Arc::new(Self { store, save: AtomicUsize::new(0), load: AtomicUsize::new(0) })
    }

    fn factory(self: &Arc<Self>) -> Factory {
        let mut options = Options::new();
        options.set("secret", "itsaseekreet").unwrap().set("type", "store").unwrap();
        options.set("store_on_error", "empty").unwrap();
        options.own_store = Some(self.clone());
        Factory::new(&options).unwrap()
    }
}

fn answered<T>(countdown: &AtomicUsize, answer: T) -> Result<T, StoreError> {
    let one_less = |left: usize| left.checked_sub(1);
    match countdown.fetch_update(Ordering::Relaxed, Ordering::Relaxed, one_less) {
        Ok(1) => Err(StoreError("no answer in time".to_owned())),
        _ => Ok(answer),
    }
}

impl Store for Lossy {
    fn load(&self, key: &str, deadline: Instant) -> Result<Option<Record>, StoreError> {
        answered(&self.load, self.store.load(key, deadline)?)
    }

    fn save(
        &self,
        key: &str,
        expected: u64,
        record: &Record,
        ttl: Option<Duration>,
        deadline: Instant,
    ) -> Result<Saved, StoreError> {
        answered(&self.save, self.store.save(key, expected, record, ttl, deadline)?)
    }

    fn touch(&self, key: &str, record: &Record, ttl: Option<Duration>, deadline: Instant) -> Result<(), StoreError> {
        self.store.touch(key, record, ttl, deadline)
    }

    fn delete(&self, key: &str, deadline: Instant) -> Result<(), StoreError> {
        self.store.delete(key, deadline)
    }

    fn enlist(&self, subject: &str, key: &str, ttl: Option<Duration>, deadline: Instant) -> Result<(), StoreError> {
        self.store.enlist(subject, key, ttl, deadline)
    }

    fn delist(&self, subject: &str, key: &str, deadline: Instant) -> Result<(), StoreError> {
        self.store.delist(subject, key, deadline)
    }

    fn list(&self, subject: &str, deadline: Instant) -> Result<Vec<String>, StoreError> {
        self.store.list(subject, deadline)
    }
}

fn commit(session: &mut Session) -> String {
    session.commit(false).unwrap()[0].split(';').next().unwrap().to_owned()
}

fn open(factory: &Factory, header: &str) -> Session {
    factory.open(header.as_bytes()).unwrap()
}

fn begun(factory: &Factory) -> String {
    let mut session = open(factory, "");
    session.set("cart", "1").unwrap();
    commit(&mut session)
}

fn is_store_error(session: &mut Session) -> bool {
    matches!(session.commit(false), Err(Error::Store(_)))
}

#[test]
fn a_new_session_is_committed_again() {
    let lossy = Lossy::new();
    let factory = lossy.factory();
    let mut session = open(&factory, "");
    session.set("a", "1").unwrap();
    lossy.save.store(1, Ordering::Relaxed);
    assert!(is_store_error(&mut session));
    session.set("b", "2").unwrap();
    let header = commit(&mut session);
    assert_eq!(open(&factory, &header).to_json(), r#"{"a":1,"b":2}"#);
}

#[test]
fn what_was_saved_is_not_added_to_itself() {
    let lossy = Lossy::new();
    let factory = lossy.factory();
    let header = begun(&factory);
    let mut session = open(&factory, &header);
    session.flash_string("paid", "", true).unwrap();
    for _ in 0..2 {
        lossy.save.store(1, Ordering::Relaxed);
        assert!(is_store_error(&mut session));
    }
    session.set("b", "2").unwrap();
    session.commit(false).unwrap();
    assert_eq!(open(&factory, &header).to_json(), r#"{"cart":1,"_f_":["paid"],"b":2}"#);
}

#[test]
fn a_move_to_a_new_id_goes_on() {
    for lost in [1, 2] {
        let lossy = Lossy::new();
        let factory = lossy.factory();
        let header = begun(&factory);
        let mut login = open(&factory, &header);
        login.set("user", "1").unwrap();
        login.regenerate_id();
        lossy.save.store(lost, Ordering::Relaxed);
        assert!(is_store_error(&mut login));
        login.set("late", "2").unwrap();
        let new = commit(&mut login);
        assert_ne!(new, header);
        assert_eq!(open(&factory, &new).to_json(), r#"{"cart":1,"user":1,"late":2}"#);
        assert_eq!(open(&factory, &header).to_json(), r#"{"cart":1}"#);
    }
}

#[test]
fn a_logout_ends_what_could_not_be_opened() {
    let lossy = Lossy::new();
    let factory = lossy.factory();
    let header = begun(&factory);
    lossy.load.store(1, Ordering::Relaxed);
    let mut session = open(&factory, &header);
    assert_eq!(session.load_result(), LoadResult::StoreError);
    session.invalidate();
    assert!(commit(&mut session).ends_with('='));
    assert_eq!(open(&factory, &header).load_result(), LoadResult::Missing);
}

#[test]
fn a_logout_ends_what_may_have_been_saved() {
    let lossy = Lossy::new();
    let factory = lossy.factory();
    let mut session = open(&factory, "");
    session.set("a", "1").unwrap();
    let key = session.id().unwrap().unwrap().to_owned();
    lossy.save.store(1, Ordering::Relaxed);
    assert!(is_store_error(&mut session));
    session.invalidate();
    session.commit(false).unwrap();
    assert_eq!(lossy.load(&key, Instant::now()), Ok(None));
}
