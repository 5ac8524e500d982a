//! Races of two requests on real threads without a schedule, for a fixed number of rounds.

use std::sync::Barrier;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread;
use std::time::Duration;

use super::request::open;
use super::stores::{self, TestStore};
use crate::session::Outcome;
use crate::{Custom, Error, Factory, LoadResult, Options, Session, SetCookie};

const NOW: f64 = 1_700_000_000.0;

/// A store, and two factories that use it like two processes.
struct Race {
    name: &'static str,
    rounds: usize,
    factories: [Factory; 2],
    _store: TestStore,
}

fn factory(store: &TestStore) -> Factory {
    let mut options = Options::new();
    let settings = [("type", "store"), ("secret", "itsaseekreet"), ("store_timeout", "30")];
    for (name, value) in settings {
        options.set(name, value).unwrap();
    }
    let custom = Custom { store: Some(store.reopened()), ..Custom::default() };
    Factory::with_custom(&options, custom).unwrap()
}

fn races() -> impl Iterator<Item = Race> {
    stores::all().into_iter().map(|store| {
        let rounds = match store.name {
            "SQLite" => 600,
            "Redis" => 50,
            _ => 500,
        };
        Race { name: store.name, rounds, factories: [factory(&store), factory(&store)], _store: store }
    })
}

impl Race {
    /// Runs two functions at the same time.
    fn both<A: Send, B: Send>(one: impl FnOnce() -> A + Send, other: impl FnOnce() -> B + Send) -> (A, B) {
        let start = Barrier::new(2);
        thread::scope(|scope| {
            let other = scope.spawn(|| {
                start.wait();
                other()
            });
            start.wait();
            let one = one();
            (one, other.join().unwrap())
        })
    }

    /// Begins a session. Returns its cookie.
    fn begin(&self, subject: &str) -> String {
        let mut session = open(&self.factories[0], None, NOW).unwrap();
        session.set_json("user", "1").unwrap();
        session.set_subject(subject).unwrap();
        cookie(session.commit(Outcome::Response).unwrap())
    }

    fn is_open(&self, cookie: &str) -> bool {
        open(&self.factories[0], Some(cookie), NOW + 1.0).unwrap().load_result() == LoadResult::Loaded
    }

    /// Opens a session that gets a new id when it is committed.
    fn regenerating(factory: &Factory, cookie: &str) -> Session {
        let mut session = open(factory, Some(cookie), NOW + 1.0).unwrap();
        session.regenerate_id();
        session
    }
}

/// Commits a session. Returns the cookie with its new id, or `None` if the session had ended.
fn new_cookie(session: &mut Session) -> Option<String> {
    match session.commit(Outcome::Response) {
        Ok(cookies) => Some(cookie(cookies)),
        Err(Error::Gone) => None,
        Err(error) => panic!("{error}"),
    }
}

fn cookie(set_cookies: &[SetCookie]) -> String {
    set_cookies[0].split(';').next().and_then(|pair| pair.split_once('=')).unwrap().1.to_owned()
}

#[test]
fn a_logout_is_final_while_another_request_regenerates_the_id() {
    for race in races() {
        let mut first = 0;
        for _ in 0..race.rounds {
            let old = race.begin("alice");
            let [one, other] = &race.factories;
            let mut session = open(one, Some(&old), NOW + 1.0).unwrap();
            session.invalidate();
            let mut regenerating = Race::regenerating(other, &old);
            let (logout, new) =
                Race::both(|| session.commit(Outcome::Response).map(drop), || new_cookie(&mut regenerating));
            assert_eq!(logout, Ok(()));
            first += usize::from(new.is_some());
            assert!(!race.is_open(&old), "{}: the old id", race.name);
            assert!(!new.is_some_and(|new| race.is_open(&new)), "{}: the new id", race.name);
        }
        println!("{}: in {first} of {} rounds the new id was saved first", race.name, race.rounds);
    }
}

#[test]
fn a_revocation_is_final_while_another_request_regenerates_the_id() {
    for race in races() {
        let mut first = 0;
        for round in 0..race.rounds {
            let subject = format!("alice{round}");
            let old = race.begin(&subject);
            let [one, other] = &race.factories;
            let mut regenerating = Race::regenerating(other, &old);
            let (revoked, new) = Race::both(
                || one.subject(&subject).and_then(|subject| subject.revoke_all(None)),
                || new_cookie(&mut regenerating),
            );
            assert_eq!(revoked, Ok(1), "{}", race.name);
            first += usize::from(new.is_some());
            assert!(!race.is_open(&old), "{}: the old id", race.name);
            assert!(!new.is_some_and(|new| race.is_open(&new)), "{}: the new id", race.name);
        }
        println!("{}: in {first} of {} rounds the new id was saved first", race.name, race.rounds);
    }
}

#[test]
fn a_login_is_listed_even_if_its_subject_is_being_listed() {
    for race in races() {
        let (current, is_over) = (AtomicUsize::new(0), AtomicBool::new(false));
        let [one, other] = &race.factories;
        let cookies: Vec<String> = thread::scope(|scope| {
            scope.spawn(|| {
                while !is_over.load(Ordering::Relaxed) {
                    other
                        .subject(&format!("user{}", current.load(Ordering::Relaxed)))
                        .and_then(|subject| subject.sessions())
                        .unwrap();
                    thread::sleep(Duration::from_micros(20));
                }
            });
            let login = |round: usize| {
                current.store(round, Ordering::Relaxed);
                let subject = format!("user{round}");
                if round.is_multiple_of(2) {
                    return race.begin(&subject);
                }
                let cookie = race.begin("");
                let mut session = open(one, Some(&cookie), NOW + 1.0).unwrap();
                session.set_subject(&subject).unwrap();
                session.commit(Outcome::Response).unwrap();
                cookie
            };
            let cookies = (0..race.rounds).map(login).collect();
            is_over.store(true, Ordering::Relaxed);
            cookies
        });
        for (round, cookie) in cookies.iter().enumerate() {
            assert_eq!(
                one.subject(&format!("user{round}")).and_then(|subject| subject.revoke_all(None)),
                Ok(1),
                "{}",
                race.name
            );
            assert!(!race.is_open(cookie), "{}", race.name);
        }
    }
}
