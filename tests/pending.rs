//! A store of the application's own that answers a question only when khufu's call is made again.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use khufu::{
    Custom, Error, Factory, LoadResult, NewRecord, OpenOptions, Options, Outcome, Saved, Serializer, SerializerError,
    Session, Store, StoreError,
};

type Answer = Result<(Saved, Option<(u64, Vec<u8>)>), StoreError>;

#[derive(Default)]
struct State {
    records: HashMap<String, (u64, Vec<u8>)>,
    /// The answers of the current call of khufu, by question.
    answers: Vec<(String, Answer)>,
    used: usize,
    pending: Option<Question>,
    /// How many of the next questions are answered at once, and not remembered.
    at_once: usize,
    /// The names of the questions that were answered, in their order.
    asked: Vec<&'static str>,
}

#[derive(Clone, Debug)]
struct Question {
    name: &'static str,
    key: String,
    expected: u64,
    record: Option<(u64, Vec<u8>)>,
}

impl State {
    /// Does what a question asks for.
    fn work(&mut self, Question { name, key, expected, record }: Question) -> Answer {
        self.asked.push(name);
        let found = self.records.get(&key).cloned();
        let generation = found.as_ref().map_or(0, |(generation, _)| *generation);
        match (name, record) {
            ("load", _) => Ok((Saved::Yes, found)),
            (_, Some(record)) if generation == expected => {
                self.records.insert(key, record);
                Ok((Saved::Yes, None))
            }
            (_, None) if generation > 0 => {
                self.records.remove(&key);
                Ok((Saved::Yes, None))
            }
            _ if generation == 0 => Ok((Saved::Gone, None)),
            _ => Ok((Saved::Conflict, None)),
        }
    }
}

#[derive(Clone, Default)]
struct Deferring(Arc<Mutex<State>>);

impl Deferring {
    fn factory(&self, options: &[(&str, &str)], custom: Custom) -> Factory {
        let mut all = Options::new();
        for (name, value) in [("type", "store"), ("secret", "itsaseekreet")].iter().chain(options) {
            all.set(name, value).unwrap();
        }
        Factory::with_custom(&all, custom.store(self.clone())).unwrap()
    }

    fn ask(&self, question: Question) -> Answer {
        let mut state = self.0.lock().unwrap();
        let text = format!("{question:?}");
        while state.used < state.answers.len() {
            state.used += 1;
            let (known, answer) = &state.answers[state.used - 1];
            if *known == text {
                return answer.clone();
            }
        }
        if state.at_once > 0 {
            state.at_once -= 1;
            return state.work(question);
        }
        state.pending = Some(question);
        Err(StoreError::Pending)
    }

    /// Answers some of the next questions at once.
    fn answer_at_once(&self, questions: usize) {
        self.0.lock().unwrap().at_once = questions;
    }

    /// Answers the pending question. With `loses`, the store does its work, but its answer is lost.
    fn answer(&self, loses: bool) {
        let mut state = self.0.lock().unwrap();
        let question = state.pending.take().expect("a question is pending");
        let text = format!("{question:?}");
        let answer = state.work(question);
        let lost = Err(StoreError::Failed("the answer was lost".to_owned()));
        state.answers.push((text, if loses { lost } else { answer }));
        state.used = 0;
    }

    /// Makes a call of khufu until the store has answered every question.
    fn answered<T>(&self, mut call: impl FnMut() -> Result<T, Error>) -> Result<T, Error> {
        loop {
            match call() {
                Err(Error::Pending) => self.answer(false),
                outcome => {
                    self.end();
                    return outcome;
                }
            }
        }
    }

    /// Forgets the answers of a call that is over.
    fn end(&self) {
        let mut state = self.0.lock().unwrap();
        state.answers.clear();
        state.used = 0;
    }

    fn open(&self, factory: &Factory, cookie: &str) -> Session {
        self.answered(|| factory.open(cookie.as_bytes())).unwrap()
    }

    /// Commits a session. Returns the cookie, or an empty text if the browser has it.
    fn commit(&self, session: &mut Session) -> String {
        let cookies = self.answered(|| session.commit(Outcome::Response).map(<[_]>::to_vec)).unwrap();
        cookies.first().and_then(|cookie| cookie.split(';').next()).unwrap_or_default().to_owned()
    }

    /// Begins a session in which the number `visits` is 1.
    fn begin(&self, factory: &Factory) -> String {
        let mut session = self.open(factory, "");
        session.increment("visits", 1).unwrap();
        self.commit(&mut session)
    }

    /// Opens a session in which `visits` becomes 2 with the next commit.
    fn counting(&self, factory: &Factory, cookie: &str) -> Session {
        let mut session = self.open(factory, cookie);
        session.increment("visits", 1).unwrap();
        session
    }

    /// A session whose commit is pending, and its cookie.
    fn pending(&self, factory: &Factory) -> (String, Session) {
        let cookie = self.begin(factory);
        let mut session = self.counting(factory, &cookie);
        assert_eq!(session.commit(Outcome::Response), Err(Error::Pending));
        (cookie, session)
    }

    /// A session that another request changes before this one commits, and its cookie.
    fn overtaken(&self, factory: &Factory) -> (String, Session) {
        let cookie = self.begin(factory);
        let session = self.counting(factory, &cookie);
        self.commit(&mut self.counting(factory, &cookie));
        (cookie, session)
    }

    fn asked(&self) -> Vec<&'static str> {
        std::mem::take(&mut self.0.lock().unwrap().asked)
    }

    fn visits(&self, factory: &Factory, cookie: &str) -> i64 {
        self.open(factory, cookie).get("visits").unwrap().unwrap_or_default()
    }
}

impl Store for Deferring {
    fn load(&self, key: &str) -> Result<Option<(u64, Vec<u8>)>, StoreError> {
        let question = Question { name: "load", key: key.to_owned(), expected: 0, record: None };
        self.ask(question).map(|(_, record)| record)
    }

    fn save(&self, key: &str, expected: u64, record: &NewRecord<'_>) -> Result<Saved, StoreError> {
        let record = Some((record.generation, record.data.to_vec()));
        self.ask(Question { name: "save", key: key.to_owned(), expected, record }).map(|(saved, _)| saved)
    }

    fn touch(&self, key: &str, record: &NewRecord<'_>) -> Result<Saved, StoreError> {
        let (expected, record) = (record.generation, Some((record.generation, record.data.to_vec())));
        self.ask(Question { name: "touch", key: key.to_owned(), expected, record }).map(|(saved, _)| saved)
    }

    fn remove(&self, key: &str, expected: u64) -> Result<Saved, StoreError> {
        let question = Question { name: "remove", key: key.to_owned(), expected, record: None };
        self.ask(question).map(|(saved, _)| saved)
    }
}

#[test]
fn each_question_is_asked_once() {
    let store = Deferring::default();
    let factory = store.factory(&[], Custom::new());
    let cookie = store.begin(&factory);
    assert_eq!(store.asked(), ["save"]);
    let mut session = store.counting(&factory, &cookie);
    assert_eq!(session.load_result(), LoadResult::Loaded);
    assert_eq!(store.commit(&mut session), "");
    assert_eq!(store.asked(), ["load", "save"]);
    session.regenerate_id();
    let new_cookie = store.commit(&mut session);
    assert_eq!(store.asked(), ["load", "save"]);
    assert_eq!(store.visits(&factory, &new_cookie), 2);
    session.invalidate();
    store.commit(&mut session);
    assert_eq!(store.asked(), ["load", "remove"]);
    assert_eq!(store.visits(&factory, &new_cookie), 0);
}

#[test]
fn a_conflict_is_merged() {
    let store = Deferring::default();
    let factory = store.factory(&[], Custom::new());
    let (cookie, mut other) = store.overtaken(&factory);
    store.asked();
    store.commit(&mut other);
    assert_eq!(store.asked(), ["save", "load", "save"]);
    assert_eq!(store.visits(&factory, &cookie), 3);
}

#[test]
fn each_of_two_conflicts_is_merged() {
    let store = Deferring::default();
    let factory = store.factory(&[], Custom::new());
    let cookie = store.begin(&factory);
    let mut sessions = [(); 3].map(|()| store.open(&factory, &cookie));
    sessions.iter_mut().for_each(|session| assert!(session.increment("visits", 1).is_ok()));
    let [one, two, other] = &mut sessions;
    store.commit(one);
    store.asked();
    for _ in ["save", "load"] {
        assert_eq!(other.commit(Outcome::Response), Err(Error::Pending));
        store.answer(false);
    }
    assert_eq!(other.commit(Outcome::Response), Err(Error::Pending));
    let (answers, pending) = {
        let mut state = store.0.lock().unwrap();
        (std::mem::take(&mut state.answers), state.pending.take())
    };
    store.commit(two);
    store.asked();
    {
        let mut state = store.0.lock().unwrap();
        (state.answers, state.pending) = (answers, pending);
    }
    store.answer(false); // another conflict
    store.commit(other);
    assert_eq!(store.asked(), ["save", "load", "save"]);
    assert_eq!(store.visits(&factory, &cookie), 4);
}

#[test]
fn a_pending_store_is_not_a_failed_one() {
    let store = Deferring::default();
    let factory = store.factory(&[("store_on_error", "empty")], Custom::new());
    let cookie = store.begin(&factory);
    assert_eq!(factory.open(cookie.as_bytes()).err(), Some(Error::Pending));
    store.answer(false);
    assert_eq!(factory.open(cookie.as_bytes()).unwrap().load_result(), LoadResult::Loaded);
}

#[test]
fn a_session_that_changes_meanwhile_loses_and_doubles_nothing() {
    for reaches_the_store in [true, false] {
        let store = Deferring::default();
        let factory = store.factory(&[], Custom::new());
        let (cookie, mut session) = store.pending(&factory);
        if reaches_the_store {
            store.answer(false);
        }
        store.end();
        session.increment("visits", 1).unwrap();
        store.commit(&mut session);
        assert_eq!(store.visits(&factory, &cookie), 3, "{reaches_the_store}");
    }
}

#[test]
fn a_logout_ends_a_session_whose_first_save_is_pending() {
    let store = Deferring::default();
    let factory = store.factory(&[], Custom::new());
    let mut session = store.open(&factory, "");
    session.set("user", "zoe").unwrap();
    assert_eq!(session.commit(Outcome::Response), Err(Error::Pending));
    store.answer(false);
    store.end();
    session.invalidate();
    store.commit(&mut session);
    assert!(store.0.lock().unwrap().records.is_empty());
}

#[test]
fn a_save_whose_answer_is_lost_is_not_made_twice() {
    let store = Deferring::default();
    let factory = store.factory(&[], Custom::new());
    let (cookie, mut session) = store.pending(&factory);
    store.answer(true);
    assert!(matches!(session.commit(Outcome::Response), Err(Error::Store(_))));
    store.end();
    store.commit(&mut session);
    assert_eq!(store.visits(&factory, &cookie), 2);
}

#[test]
fn an_insert_whose_answer_is_lost_is_removed() {
    let store = Deferring::default();
    let factory = store.factory(&[], Custom::new());
    let mut session = store.open(&factory, "");
    session.set("user", "zoe").unwrap();
    assert_eq!(session.commit(Outcome::Response), Err(Error::Pending));
    store.answer(true);
    assert!(matches!(session.commit(Outcome::Response), Err(Error::Store(_))));
    store.end();
    store.asked();
    let cookie = store.commit(&mut session);
    assert_eq!(store.asked(), ["save", "remove"]);
    assert_eq!(store.open(&factory, &cookie).get("user"), Ok(Some("zoe".to_owned())));
    assert_eq!(store.0.lock().unwrap().records.len(), 1);
}

/// Writes each payload in another way.
struct Salted(AtomicU32);

impl Serializer for Salted {
    fn loads(&self, payload: &[u8]) -> Result<Vec<u8>, SerializerError> {
        Ok(payload[4..].to_vec())
    }

    fn dumps(&self, json: &str) -> Result<Vec<u8>, SerializerError> {
        Ok([&self.0.fetch_add(1, Ordering::Relaxed).to_be_bytes(), json.as_bytes()].concat())
    }
}

#[test]
fn a_pending_write_is_sent_again_as_it_was() {
    let store = Deferring::default();
    let factory = store.factory(&[], Custom::new().serializer(Salted(AtomicU32::new(0))));
    let cookie = store.begin(&factory);
    assert_eq!(store.asked(), ["save"]);
    assert_eq!(store.visits(&factory, &cookie), 1);
}

#[test]
fn a_commit_that_goes_on_keeps_its_deadline() {
    let store = Deferring::default();
    let factory = store.factory(&[], Custom::new());
    let (_, mut other) = store.overtaken(&factory);
    let soon = Duration::from_millis(1);
    assert_eq!(other.commit_within(Outcome::Response, soon), Err(Error::Pending));
    std::thread::sleep(2 * soon);
    store.answer(false); // a conflict
    assert_eq!(other.commit(Outcome::Response), Err(Error::Conflict));
}

#[test]
fn a_save_that_is_answered_after_the_deadline_is_a_success() {
    let store = Deferring::default();
    let factory = store.factory(&[], Custom::new());
    let cookie = store.begin(&factory);
    let (mut one, mut other) = (store.open(&factory, &cookie), store.open(&factory, &cookie));
    one.increment("visits", 1).unwrap();
    other.increment("visits", 1).unwrap();
    store.commit(&mut one);
    store.asked();
    let limit = Duration::from_secs(1);
    for _ in ["save", "load", "save"] {
        assert_eq!(other.commit_within(Outcome::Response, limit), Err(Error::Pending));
        store.answer(false);
    }
    assert_eq!(store.asked(), ["save", "load", "save"]);
    std::thread::sleep(limit);
    assert_eq!(other.commit(Outcome::Response).map(<[_]>::len), Ok(0));
    store.end();
    assert_eq!(store.visits(&factory, &cookie), 3);
}

#[test]
fn a_store_may_answer_some_questions_at_once() {
    let store = Deferring::default();
    let factory = store.factory(&[], Custom::new());
    let cookie = store.begin(&factory);
    let (mut one, mut other) = (store.open(&factory, &cookie), store.open(&factory, &cookie));
    one.set("user", "zoe").unwrap();
    other.increment("visits", 1).unwrap();
    store.commit(&mut one);
    store.asked();
    store.answer_at_once(2); // the conflict, and the newer record
    store.commit(&mut other);
    assert_eq!(store.asked(), ["save", "load", "save"]);
    assert_eq!(other.get("user"), Ok(Some("zoe")));
    other.increment("visits", 1).unwrap();
    store.commit(&mut other);
    assert_eq!(store.visits(&factory, &cookie), 3);
    assert_eq!(store.open(&factory, &cookie).get("user"), Ok(Some("zoe")));
}

#[test]
fn a_record_that_is_loaded_at_once_may_get_a_new_id() {
    let store = Deferring::default();
    let factory = store.factory(&[], Custom::new());
    let cookie = store.begin(&factory);
    let mut session = store.open(&factory, &cookie);
    session.increment("visits", 1).unwrap();
    session.regenerate_id();
    store.answer_at_once(1);
    assert_eq!(session.commit(Outcome::Response), Err(Error::Pending));
    store.answer(false);
    store.answer_at_once(1); // a second load would find the record that was saved
    let new_cookie = store.commit(&mut session);
    store.answer_at_once(0);
    assert_eq!(store.visits(&factory, &new_cookie), 2);
}

#[test]
fn a_pending_touch_is_not_sent_as_a_save() {
    let store = Deferring::default();
    let factory = store.factory(&[("reissue_time", "0")], Custom::new());
    let mut session = store.open(&factory, "");
    session.increment("visits", 1).unwrap();
    let cookie = store.commit(&mut session);
    let later = OpenOptions::new().now(session.accessed() + 1.0);
    let mut session = store.answered(|| factory.open_with(cookie.as_bytes(), &later)).unwrap();
    assert_eq!(session.get("visits"), Ok(Some(1)));
    store.asked();
    assert_eq!(session.commit(Outcome::Response), Err(Error::Pending));
    session.mark_changed();
    store.answer(false);
    store.end();
    store.commit(&mut session);
    assert_eq!(store.asked(), ["touch", "save"]);
}
