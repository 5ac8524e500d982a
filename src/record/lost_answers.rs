//! Tests with a store whose answers are lost, so that a request does not know whether its change was saved.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Instant;

use crate::session::{OpenOptions, Outcome};
use crate::store::{Driver, Location, Record, Saved, StoreError, SubjectName, Write};
use crate::{Custom, Error, Factory, LoadResult, Options, Session, SubjectSession};

/// A store in memory that can lose answers.
struct Lossy {
    store: Arc<dyn Driver>,
    /// Counts down to the save whose answer is lost. Zero means that no answer is lost.
    save: AtomicUsize,
    load: AtomicUsize,
    touch: AtomicUsize,
    remove: AtomicUsize,
    /// The deadlines of all loads.
    deadlines: Mutex<Vec<Instant>>,
}

impl Lossy {
    fn new() -> Arc<Self> {
        let store = Location::of("memory:").open().unwrap();
        let never = || AtomicUsize::new(0);
        Arc::new(Self {
            store,
            save: never(),
            load: never(),
            touch: never(),
            remove: never(),
            deadlines: Mutex::default(),
        })
    }

    fn factory(self: &Arc<Self>) -> Factory {
        let mut options = Options::new();
        options.set("secret", "itsaseekreet").unwrap().set("type", "store").unwrap();
        options.set("store_on_error", "empty").unwrap();
        let custom = Custom { store: Some(self.clone()), ..Custom::default() };
        Factory::with_custom(&options, custom).unwrap()
    }

    /// Makes the store lose the answer to the next save.
    fn lose_save(&self) {
        self.save.store(1, Ordering::Relaxed);
    }
}

fn answered<T>(countdown: &AtomicUsize, answer: T) -> Result<T, StoreError> {
    let one_less = |left: usize| left.checked_sub(1);
    match countdown.fetch_update(Ordering::Relaxed, Ordering::Relaxed, one_less) {
        Ok(1) => Err(StoreError::Failed("no answer in time".to_owned())),
        _ => Ok(answer),
    }
}

impl Driver for Lossy {
    fn load(&self, key: &str, deadline: Instant) -> Result<Option<Record>, StoreError> {
        self.deadlines.lock().unwrap().push(deadline);
        answered(&self.load, self.store.load(key, deadline)?)
    }

    fn save(&self, key: &str, expected: u64, write: &Write<'_>) -> Result<Saved, StoreError> {
        answered(&self.save, self.store.save(key, expected, write)?)
    }

    fn touch(&self, key: &str, write: &Write<'_>) -> Result<Saved, StoreError> {
        answered(&self.touch, self.store.touch(key, write)?)
    }

    fn remove(
        &self,
        key: &str,
        expected: u64,
        subject: Option<SubjectName>,
        deadline: Instant,
    ) -> Result<Saved, StoreError> {
        answered(&self.remove, self.store.remove(key, expected, subject, deadline)?)
    }

    fn keeps_subjects(&self) -> bool {
        true
    }

    fn members(&self, subjects: &[SubjectName], deadline: Instant) -> Result<Vec<String>, StoreError> {
        self.store.members(subjects, deadline)
    }

    fn revoke(&self, key: &str, subjects: &[SubjectName], deadline: Instant) -> Result<bool, StoreError> {
        self.store.revoke(key, subjects, deadline)
    }
}

fn commit(session: &mut Session) -> String {
    session.commit(Outcome::Response).unwrap()[0].split(';').next().unwrap().to_owned()
}

fn open(factory: &Factory, header: &str) -> Session {
    factory.open(header.as_bytes()).unwrap()
}

fn json(factory: &Factory, header: &str) -> String {
    open(factory, header).to_json().to_owned()
}

fn begun(factory: &Factory) -> String {
    let mut session = open(factory, "");
    session.set_json("cart", "1").unwrap();
    commit(&mut session)
}

/// A session of alice that the store has inserted without answering.
fn begun_without_answer(lossy: &Lossy, factory: &Factory) -> Session {
    let mut session = open(factory, "");
    session.set_json("a", "1").unwrap();
    session.set_subject("alice").unwrap();
    lossy.lose_save();
    assert!(is_store_error(&mut session));
    session
}

fn sessions_of_alice(factory: &Factory) -> Vec<SubjectSession> {
    factory.subject("alice").and_then(|subject| subject.sessions()).unwrap()
}

/// Sets a key in another request.
fn set(factory: &Factory, header: &str, key: &str) {
    let mut other = open(factory, header);
    other.set_json(key, "1").unwrap();
    other.commit(Outcome::Response).unwrap();
}

fn is_store_error(session: &mut Session) -> bool {
    matches!(session.commit(Outcome::Response), Err(Error::Store(_)))
}

#[test]
fn a_new_session_is_committed_again_under_a_new_name() {
    let lossy = Lossy::new();
    let factory = lossy.factory();
    let mut session = begun_without_answer(&lossy, &factory);
    assert_eq!(session.id(), None);
    session.set_json("b", "2").unwrap();
    let header = commit(&mut session);
    assert_eq!(json(&factory, &header), r#"{"a":1,"b":2}"#);
    let listed = sessions_of_alice(&factory);
    assert_eq!(listed.len(), 1, "the record under the first name was removed");
    assert_eq!(Some(listed[0].id.as_str()), session.id());
}

#[test]
fn a_change_that_was_saved_is_not_applied_twice() {
    for others_between in 0..=3 {
        let lossy = Lossy::new();
        let factory = lossy.factory();
        let header = begun(&factory);
        let mut session = open(&factory, &header);
        session.queue("").push_str("paid").unwrap();
        lossy.lose_save();
        assert!(is_store_error(&mut session));
        for n in 0..others_between {
            set(&factory, &header, &format!("other {n}"));
        }
        session.queue("").push_str("thanks").unwrap();
        session.commit(Outcome::Response).unwrap();
        let mut after = open(&factory, &header);
        assert_eq!(after.queue("").pop_json(), Ok(r#"["paid","thanks"]"#), "{others_between}");
        assert_eq!(after.len(), 1 + others_between);
    }
}

#[test]
fn a_change_that_was_not_saved_is_applied_once() {
    let lossy = Lossy::new();
    let factory = lossy.factory();
    let header = begun(&factory);
    let mut session = open(&factory, &header);
    session.queue("").push_str("paid").unwrap();
    // Another request changes the record first, so the first save is a conflict, and the answer to the second load is
    // lost.
    set(&factory, &header, "other");
    lossy.load.store(1, Ordering::Relaxed);
    assert!(is_store_error(&mut session));
    session.commit(Outcome::Response).unwrap();
    assert_eq!(open(&factory, &header).queue("").pop_json(), Ok(r#"["paid"]"#));
}

#[test]
fn a_save_that_can_no_longer_be_recognized_stays_a_conflict() {
    let lossy = Lossy::new();
    let factory = lossy.factory();
    let header = begun(&factory);
    let mut session = open(&factory, &header);
    session.queue("").push_str("paid").unwrap();
    lossy.lose_save();
    assert!(is_store_error(&mut session));
    for n in 0..4 {
        set(&factory, &header, &format!("other {n}"));
    }
    for _ in 0..2 {
        assert_eq!(session.commit(Outcome::Response).map(<[_]>::len), Err(Error::Conflict));
    }
    assert_eq!(open(&factory, &header).queue("").pop_json(), Ok(r#"["paid"]"#));
}

#[test]
fn a_new_id_that_was_saved_is_recognized() {
    for others_between in [false, true] {
        let lossy = Lossy::new();
        let factory = lossy.factory();
        let header = begun(&factory);
        let mut login = open(&factory, &header);
        login.set_json("user", "1").unwrap();
        login.queue("").push_str("welcome").unwrap();
        login.regenerate_id();
        lossy.lose_save();
        assert!(is_store_error(&mut login));
        if others_between {
            let mut late = open(&factory, &header);
            late.set_json("late", "1").unwrap();
            assert_eq!(late.commit(Outcome::Response).map(<[_]>::len), Err(Error::Gone));
        }
        login.set_json("more", "2").unwrap();
        let new = commit(&mut login);
        assert_ne!(new, header);
        assert_eq!(json(&factory, &new), r#"{"cart":1,"user":1,"_f_":["welcome"],"more":2}"#);
        assert_eq!(json(&factory, &header), r#"{"cart":1}"#);
    }
}

#[test]
fn an_id_that_no_response_contained_keeps_the_snapshot_of_the_previous_id() {
    let lossy = Lossy::new();
    let factory = lossy.factory();
    let header = begun(&factory);
    let mut login = open(&factory, &header);
    login.set_json("user", "1").unwrap();
    login.regenerate_id();
    let first = commit(&mut login);
    login.set_json("more", "2").unwrap();
    login.regenerate_id();
    let second = commit(&mut login);
    assert_eq!(open(&factory, &first).load_result(), LoadResult::Missing, "no browser ever received it");
    assert_eq!(json(&factory, &header), r#"{"cart":1}"#);
    assert_eq!(json(&factory, &second), r#"{"cart":1,"user":1,"more":2}"#);
}

#[test]
fn an_older_cookie_is_not_used_instead_of_one_that_could_not_be_opened() {
    let lossy = Lossy::new();
    let factory = lossy.factory();
    let (older, header) = (begun(&factory), begun(&factory));
    lossy.load.store(1, Ordering::Relaxed);
    let mut session = open(&factory, &format!("{older}; {header}"));
    assert_eq!((session.load_result(), session.len()), (LoadResult::StoreError, 0));
    session.set_json("a", "1").unwrap();
    assert!(matches!(session.commit(Outcome::Response), Err(Error::Unsupported(_))));
}

#[test]
fn all_cookies_with_the_name_share_one_deadline() {
    let lossy = Lossy::new();
    let factory = lossy.factory();
    let headers: Vec<String> = (0..3).map(|_| begun(&factory)).collect();
    for header in &headers {
        let mut session = open(&factory, header);
        session.invalidate();
        session.commit(Outcome::Response).unwrap();
    }
    lossy.deadlines.lock().unwrap().clear();
    assert_eq!(open(&factory, &headers.join("; ")).load_result(), LoadResult::Missing);
    let deadlines = lossy.deadlines.lock().unwrap();
    assert_eq!(*deadlines, [deadlines[0]; 3]);
}

#[test]
fn a_touch_whose_answer_was_lost_is_not_taken_for_a_save() {
    let lossy = Lossy::new();
    let factory = lossy.factory();
    let header = begun(&factory);
    let later = open(&factory, &header).renewed() + 60.0;
    let mut session = factory.open_with(header.as_bytes(), &OpenOptions::new().now(later)).unwrap();
    session.to_json();
    lossy.touch.store(1, Ordering::Relaxed);
    assert!(matches!(session.commit(Outcome::Response), Err(Error::Store(_))));
    lossy.deadlines.lock().unwrap().clear();
    session.set_json("b", "2").unwrap();
    session.commit(Outcome::Response).unwrap();
    assert!(lossy.deadlines.lock().unwrap().is_empty(), "the record was loaded again");
}

#[test]
fn a_logout_ends_a_session_that_could_not_be_opened() {
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
fn a_logout_by_an_old_id_that_could_not_be_opened_ends_the_session_only_within_the_grace() {
    let lossy = Lossy::new();
    let factory = lossy.factory();
    let old = begun(&factory);
    let mut login = open(&factory, &old);
    login.regenerate_id();
    let current = commit(&mut login);
    let mut login = open(&factory, &current);
    login.regenerate_id();
    let newest = commit(&mut login);
    for (id, ends) in [(&old, false), (&current, true)] {
        lossy.load.store(1, Ordering::Relaxed);
        let mut session = open(&factory, id);
        assert_eq!(session.load_result(), LoadResult::StoreError);
        session.invalidate();
        session.commit(Outcome::Response).unwrap();
        let left = if ends { LoadResult::Missing } else { LoadResult::Loaded };
        assert_eq!(open(&factory, &newest).load_result(), left);
    }
}

#[test]
fn a_logout_ends_a_session_that_may_have_been_saved() {
    let lossy = Lossy::new();
    let factory = lossy.factory();
    let mut session = begun_without_answer(&lossy, &factory);
    assert_eq!(sessions_of_alice(&factory).len(), 1);
    session.invalidate();
    session.commit(Outcome::Response).unwrap();
    assert_eq!(sessions_of_alice(&factory), []);
}

#[test]
fn a_logout_whose_answer_was_lost_can_be_repeated() {
    let lossy = Lossy::new();
    let factory = lossy.factory();
    let header = begun(&factory);
    let mut session = open(&factory, &header);
    session.invalidate();
    lossy.remove.store(1, Ordering::Relaxed);
    assert!(is_store_error(&mut session));
    assert!(session.set_cookies()[0].contains("Max-Age=0"), "the browser still deletes its cookie");
    assert!(commit(&mut session).ends_with('='));
    assert_eq!(open(&factory, &header).load_result(), LoadResult::Missing);
}
