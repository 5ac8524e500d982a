//! Sessions in a store: concurrent requests lose no write, and a session that has ended stays ended.

#[path = "common/redis_server.rs"]
mod redis_server;

use std::path::Path;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use khufu::{Error, Factory, LoadResult, OpenOptions, Options, Outcome, Session, SetCookie};

use redis_server::RedisServer;

const NOW: f64 = 1_700_000_000.25;

/// A store for a test, and its server, if it has one.
struct TestStore {
    url: String,
    _server: Option<RedisServer>,
}

/// All built-in stores, new and empty.
fn stores() -> Vec<TestStore> {
    static NUMBER: AtomicU32 = AtomicU32::new(0);
    let mut stores = vec![TestStore { url: "memory:".to_owned(), _server: None }];
    if cfg!(feature = "sqlite") {
        let name = format!("stores-{}-{}", std::process::id(), NUMBER.fetch_add(1, Ordering::Relaxed));
        let database = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name).with_extension("db");
        stores.push(TestStore { url: format!("sqlite:{}", database.display()), _server: None });
    }
    if cfg!(feature = "redis") {
        let server = RedisServer::start();
        stores.push(TestStore { url: server.url(), _server: Some(server) });
    }
    stores
}

fn factory_with(store: &str, settings: &[(&str, &str)]) -> Factory {
    let mut options = Options::new();
    options.set("type", "store").unwrap().set("store", store).unwrap().set("secret", "itsaseekreet").unwrap();
    for (name, value) in settings {
        options.set(name, value).unwrap();
    }
    Factory::new(&options).unwrap()
}

fn on_every_store(test: impl Fn(&Factory)) {
    for store in stores() {
        println!("on {}", store.url);
        test(&factory_with(&store.url, &[]));
    }
}

/// The `Cookie` header that a browser sends after a commit.
fn cookie(set_cookies: &[SetCookie]) -> String {
    set_cookies[0].split(';').next().unwrap().to_owned()
}

fn begin(factory: &Factory, json: &str) -> String {
    let mut session = factory.open_with(b"", &OpenOptions::new().now(NOW)).unwrap();
    session.update_json(json).unwrap();
    session.mark_changed();
    cookie(session.commit(Outcome::Response).unwrap())
}

fn open(factory: &Factory, header: &str, after: f64) -> Session {
    factory.open_with(header.as_bytes(), &OpenOptions::new().now(NOW + after)).unwrap()
}

fn json(factory: &Factory, header: &str) -> String {
    open(factory, header, 5.0).to_json().to_owned()
}

#[test]
fn the_next_request_reads_what_was_set() {
    on_every_store(|factory| {
        let header = begin(factory, r#"{"user":"zoë","n":1.10}"#);
        assert_eq!(header.len(), "session=".len() + 86);
        let mut session = open(factory, &header, 1.0);
        assert_eq!(session.load_result(), LoadResult::Loaded);
        assert!(!session.is_new());
        assert_eq!(session.created(), NOW);
        assert_eq!(session.to_json(), r#"{"user":"zoë","n":1.10}"#);
        assert!(session.commit(Outcome::Response).unwrap().is_empty(), "the browser has its cookie");
    });
}

#[test]
fn a_read_extends_the_session_and_keeps_its_data() {
    on_every_store(|factory| {
        let header = begin(factory, r#"{"a":1}"#);
        for seconds in [1000.0, 2000.0, 3000.0] {
            let mut session = open(factory, &header, seconds);
            assert_eq!(session.get_i64("a"), Ok(Some(1)));
            session.commit(Outcome::Response).unwrap();
        }
        assert_eq!(open(factory, &header, 4500.0).load_result(), LoadResult::Expired);
    });
}

#[test]
fn two_concurrent_requests_keep_each_others_changes() {
    on_every_store(|factory| {
        let header = begin(factory, r#"{"gone":1,"queue":[],"_f_":["old"]}"#);
        let (mut one, mut other) = (open(factory, &header, 1.0), open(factory, &header, 1.0));
        one.set_json("one", "1").unwrap();
        one.set_json("same", "\"one\"").unwrap();
        one.queue("").push_str("from one").unwrap();
        other.set_json("other", "2").unwrap();
        other.set_json("same", "\"other\"").unwrap();
        assert_eq!(other.queue("").pop_json().unwrap(), r#"["old"]"#);
        other.queue("").push_str("from other").unwrap();
        assert!(other.delete("gone"));
        one.commit(Outcome::Response).unwrap();
        other.commit(Outcome::Response).unwrap();
        assert_eq!(
            json(factory, &header),
            r#"{"queue":[],"_f_":["from one","from other"],"one":1,"same":"other","other":2}"#
        );
    });
}

#[test]
fn a_default_does_not_replace_what_another_request_set_first() {
    on_every_store(|factory| {
        let header = begin(factory, r#"{"a":1}"#);
        let (mut one, mut other) = (open(factory, &header, 1.0), open(factory, &header, 1.0));
        assert_eq!(one.setdefault_json("theme", "\"dark\"").unwrap(), "\"dark\"");
        let token = one.csrf_token().unwrap().to_owned();
        assert_eq!(other.setdefault_json("theme", "\"light\"").unwrap(), "\"light\"");
        other.csrf_token().unwrap();
        one.commit(Outcome::Response).unwrap();
        other.commit(Outcome::Response).unwrap();
        let mut session = open(factory, &header, 2.0);
        assert_eq!(session.get_str("theme").unwrap(), Some("dark"));
        assert_eq!(session.csrf_token().unwrap(), token);
    });
}

#[test]
fn a_csrf_token_replaces_a_value_that_is_not_a_token() {
    on_every_store(|factory| {
        for none in [r#"{"_csrft_":""}"#, r#"{"_csrft_":7}"#] {
            let header = begin(factory, none);
            let (mut one, mut other) = (open(factory, &header, 1.0), open(factory, &header, 1.0));
            one.set_json("a", "1").unwrap();
            let token = other.csrf_token().unwrap().to_owned();
            one.commit(Outcome::Response).unwrap();
            other.commit(Outcome::Response).unwrap();
            assert!(open(factory, &header, 2.0).check_csrf_token(token.as_bytes()), "{none}");
        }
    });
}

#[test]
fn changes_are_replayed_in_call_order() {
    on_every_store(|factory| {
        let header = begin(factory, r#"{"a":1,"b":2}"#);
        let (mut one, mut other) = (open(factory, &header, 1.0), open(factory, &header, 1.0));
        one.set_json("c", "3").unwrap();
        one.commit(Outcome::Response).unwrap();
        other.set_json("x", "1").unwrap();
        other.clear();
        other.set_json("y", "2").unwrap();
        other.update_json(r#"{"y":3,"z":4}"#).unwrap();
        assert_eq!(other.pop_json("z").unwrap(), Some("4"));
        other.commit(Outcome::Response).unwrap();
        assert_eq!(json(factory, &header), r#"{"y":3}"#);
    });
}

#[test]
fn a_message_conflicts_if_another_request_set_its_queue_to_another_value() {
    on_every_store(|factory| {
        for pops in [false, true] {
            let header = begin(factory, r#"{"_f_":["old"]}"#);
            let (mut one, mut other) = (open(factory, &header, 1.0), open(factory, &header, 1.0));
            one.set_json("_f_", "7").unwrap();
            match pops {
                true => assert_eq!(other.queue("").pop_json(), Ok(r#"["old"]"#)),
                false => other.queue("").push_str("new").unwrap(),
            }
            one.commit(Outcome::Response).unwrap();
            for _ in 0..2 {
                assert_eq!(other.commit(Outcome::Response).map(<[_]>::len), Err(Error::Conflict));
            }
            assert_eq!(json(factory, &header), r#"{"_f_":7}"#);
        }
    });
}

#[test]
fn a_commit_may_be_followed_by_further_changes() {
    on_every_store(|factory| {
        let header = begin(factory, "{}");
        let mut session = open(factory, &header, 1.0);
        for n in 0..3 {
            session.set_i64("n", n).unwrap();
            assert!(session.commit(Outcome::Response).unwrap().is_empty());
            let mut other = open(factory, &header, 1.0);
            other.set_i64(&format!("other {n}"), n).unwrap();
            other.commit(Outcome::Response).unwrap();
        }
        assert_eq!(json(factory, &header), r#"{"n":2,"other 0":0,"other 1":1,"other 2":2}"#);
    });
}

#[test]
fn threads_lose_no_write() {
    on_every_store(|factory| {
        let header = begin(factory, "{}");
        let next = AtomicU32::new(0);
        std::thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| {
                    for _ in 0..50 {
                        let n = next.fetch_add(1, Ordering::Relaxed);
                        let mut session = open(factory, &header, 1.0);
                        session.set_i64(&format!("key {n}"), n.into()).unwrap();
                        session.queue("").push_str(&n.to_string()).unwrap();
                        session.commit(Outcome::Response).unwrap();
                    }
                });
            }
        });
        let mut session = open(factory, &header, 2.0);
        assert_eq!(session.len(), 201);
        assert_eq!(session.queue("").pop_json().unwrap().split(',').count(), 200);
    });
}

#[test]
fn a_logout_takes_effect_when_the_request_ends_in_an_exception() {
    for store in stores() {
        let factory = factory_with(&store.url, &[("set_on_exception", "false")]);
        let header = begin(&factory, r#"{"user":1}"#);
        let mut logout = open(&factory, &header, 1.0);
        logout.invalidate();
        logout.set_json("b", "1").unwrap();
        let set_cookies = logout.commit(Outcome::Exception).unwrap();
        assert!(matches!(set_cookies, [cookie] if cookie.starts_with("session=; Max-Age=0;")), "{}", store.url);
        assert_eq!(open(&factory, &header, 2.0).load_result(), LoadResult::Missing, "{}", store.url);
        assert!(!logout.is_changed() && logout.is_empty());
    }
}

#[cfg(feature = "redis")]
#[test]
fn a_logout_reaches_the_browser_when_the_store_is_down() {
    let server = RedisServer::start();
    let factory = factory_with(&server.url(), &[("domain", "example.com"), ("store_timeout", "0.3")]);
    let header = begin(&factory, r#"{"user":1}"#);
    let mut kept = open(&factory, &header, 1.0);
    let mut logout = open(&factory, &header, 1.0);
    drop(server);
    logout.invalidate();
    for _ in 0..2 {
        assert!(matches!(logout.commit(Outcome::Response), Err(Error::Store(_))));
        assert!(matches!(logout.set_cookies(), [_, cookie] if cookie.starts_with("session=; Max-Age=0;")));
    }
    kept.set_json("a", "1").unwrap();
    assert!(matches!(kept.commit(Outcome::Response), Err(Error::Store(_))));
    assert!(kept.set_cookies().is_empty(), "the session is unchanged");
}

#[test]
fn an_id_fits_next_to_the_longest_cookie_name() {
    let name = "n".repeat(3840);
    let header = begin(&factory_with("memory:", &[("cookie_name", &name)]), "{}");
    assert!(header.len() - "=".len() <= 4096, "{}", header.len());
}

#[test]
fn a_logout_is_final() {
    on_every_store(|factory| {
        let header = begin(factory, r#"{"user":1}"#);
        let mut slow = open(factory, &header, 1.0);
        slow.set_json("seen", "1").unwrap();
        let mut logout = open(factory, &header, 1.0);
        logout.invalidate();
        let cleared = logout.commit(Outcome::Response).unwrap()[0].clone();
        assert!(cleared.starts_with("session=; Max-Age=0;"), "{cleared}");
        assert_eq!(slow.commit(Outcome::Response), Err(Error::Gone));
        assert!(slow.set_cookies().is_empty());
        assert_eq!(slow.to_json(), r#"{"user":1,"seen":1}"#);
        let mut next = open(factory, &header, 2.0);
        assert_eq!((next.load_result(), next.to_json()), (LoadResult::Missing, "{}"));
    });
}

#[test]
fn values_set_after_invalidate_belong_to_a_new_id() {
    on_every_store(|factory| {
        let header = begin(factory, r#"{"user":1}"#);
        let mut session = open(factory, &header, 1.0);
        let old = session.id().map(str::to_owned);
        session.invalidate();
        session.set_json("fresh", "true").unwrap();
        assert_eq!(session.id(), None, "there is no id before the first commit");
        let new = cookie(session.commit(Outcome::Response).unwrap());
        assert_ne!(session.id(), old.as_deref());
        assert_ne!(new, header);
        assert_eq!(json(factory, &new), r#"{"fresh":true}"#);
        assert_eq!(open(factory, &header, 2.0).load_result(), LoadResult::Missing);
    });
}

#[test]
fn an_id_from_the_browser_is_never_reused() {
    on_every_store(|factory| {
        let header = begin(factory, "{}");
        let mut session = open(factory, &header, 1.0);
        session.invalidate();
        session.commit(Outcome::Response).unwrap();
        let mut again = open(factory, &header, 2.0);
        again.set_json("a", "1").unwrap();
        assert_ne!(cookie(again.commit(Outcome::Response).unwrap()), header);
        assert_eq!(open(factory, &header, 2.0).load_result(), LoadResult::Missing);
    });
}

#[test]
fn after_regenerate_id_the_old_id_shows_the_previous_state() {
    on_every_store(|factory| {
        let header = begin(factory, r#"{"cart":[1]}"#);
        let (mut early, mut late) = (open(factory, &header, 1.0), open(factory, &header, 1.0));
        early.set_json("early", "1").unwrap();
        let mut login = open(factory, &header, 1.0);
        login.set_json("user", "42").unwrap();
        login.regenerate_id();
        early.commit(Outcome::Response).unwrap();
        let new = cookie(login.commit(Outcome::Response).unwrap());
        assert_ne!(new, header);
        assert_eq!(json(factory, &new), r#"{"cart":[1],"early":1,"user":42}"#);
        let mut old = open(factory, &header, 2.0);
        assert_eq!(old.load_result(), LoadResult::Loaded);
        assert_eq!(old.to_json(), r#"{"cart":[1],"early":1}"#);
        assert!(old.commit(Outcome::Response).unwrap().is_empty());
        old.set_json("x", "1").unwrap();
        assert_eq!(old.commit(Outcome::Response), Err(Error::Gone));
        late.set_json("late", "1").unwrap();
        assert_eq!(late.commit(Outcome::Response), Err(Error::Gone));
        login.set_json("more", "1").unwrap();
        assert_eq!(cookie(login.commit(Outcome::Response).unwrap()), new, "the response still needs the new id");
        assert_eq!(json(factory, &new), r#"{"cart":[1],"early":1,"user":42,"more":1}"#);
    });
}

#[test]
fn a_logout_by_an_old_id_ends_the_current_session() {
    on_every_store(|factory| {
        for opened_before_the_move in [true, false] {
            let header = begin(factory, "{}");
            let early = open(factory, &header, 1.0);
            let mut login = open(factory, &header, 1.0);
            login.regenerate_id();
            let new = cookie(login.commit(Outcome::Response).unwrap());
            let mut login = open(factory, &new, 1.0);
            login.regenerate_id();
            let newest = cookie(login.commit(Outcome::Response).unwrap());
            let mut logout = if opened_before_the_move { early } else { open(factory, &new, 1.0) };
            logout.invalidate();
            logout.commit(Outcome::Response).unwrap();
            for ended in [&header, &new, &newest] {
                assert_eq!(open(factory, ended, 2.0).load_result(), LoadResult::Missing);
            }
        }
    });
}

#[test]
fn after_a_logout_no_id_of_the_session_opens_it() {
    for grace in ["0", "10", "3600"] {
        for store in stores() {
            let factory = factory_with(&store.url, &[("regenerate_grace", grace)]);
            let mut ids = vec![begin(&factory, r#"{"user":1}"#)];
            for _ in 0..3 {
                let mut session = open(&factory, ids.last().unwrap(), 1.0);
                session.regenerate_id();
                ids.push(cookie(session.commit(Outcome::Response).unwrap()));
                let first = open(&factory, &ids[0], 1.0).load_result();
                let only_before = if grace != "0" && ids.len() == 2 { LoadResult::Loaded } else { LoadResult::Missing };
                assert_eq!(first, only_before, "only the previous id still opens the session");
            }
            let mut logout = open(&factory, ids.last().unwrap(), 1.0);
            logout.invalidate();
            logout.commit(Outcome::Response).unwrap();
            for id in &ids {
                assert_eq!(open(&factory, id, 1.0).load_result(), LoadResult::Missing);
            }
        }
    }
}

#[test]
fn a_logout_ends_a_session_whose_id_changed_after_it_was_opened() {
    for (grace, moved_at) in [("0", 1.0), ("1", 1.0), ("10", 1.0)] {
        for store in stores() {
            let factory = factory_with(&store.url, &[("regenerate_grace", grace)]);
            let header = begin(&factory, r#"{"user":1}"#);
            let mut logout = open(&factory, &header, 1.0);
            let mut login = open(&factory, &header, moved_at);
            login.regenerate_id();
            let new = cookie(login.commit(Outcome::Response).unwrap());
            logout.invalidate();
            assert!(logout.commit(Outcome::Response).unwrap()[0].contains("Max-Age=0"));
            assert_eq!(open(&factory, &new, 100.0).load_result(), LoadResult::Missing);
        }
    }
}

#[test]
fn the_old_id_is_missing_after_regenerate_grace() {
    for store in stores() {
        let factory = factory_with(&store.url, &[("regenerate_grace", "10")]);
        let header = begin(&factory, r#"{"cart":1}"#);
        let mut login = open(&factory, &header, 1.0);
        login.set_json("user", "1").unwrap();
        login.regenerate_id();
        let new = cookie(login.commit(Outcome::Response).unwrap());
        for (after, result) in [(10.5, LoadResult::Loaded), (11.5, LoadResult::Missing)] {
            let mut old = open(&factory, &header, after);
            assert_eq!(old.load_result(), result);
            assert_eq!(old.get_json("user"), Ok(None), "an old id never shows newer data");
            // A save keeps the snapshot only during the grace period.
            let mut session = open(&factory, &new, after);
            session.set_json("n", "1").unwrap();
            session.commit(Outcome::Response).unwrap();
        }
        let mut planted = open(&factory, &header, 12.0);
        planted.invalidate();
        planted.commit(Outcome::Response).unwrap();
        assert_eq!(
            open(&factory, &new, 12.0).load_result(),
            LoadResult::Loaded,
            "an id that opens nothing ends nothing"
        );
    }
}

#[test]
fn a_request_that_only_read_does_not_restore_an_old_cookie() {
    for store in stores() {
        for settings in [&[("max_age", "3600")][..], &[("previous_secret", "itsaseekreet"), ("secret", "another")][..]]
        {
            // The secret of the first factory is the previous one of a rotation.
            let before = factory_with(&store.url, &[]);
            let shared = store.url != "memory:";
            if !shared && settings[0].0 == "previous_secret" {
                continue; // Factories do not share a memory store.
            }
            let mut options = Options::new();
            options.set("type", "store").unwrap().set("store", &store.url).unwrap();
            if settings[0].0 == "max_age" {
                options.set("secret", "itsaseekreet").unwrap();
            }
            for (name, value) in settings {
                options.set(name, value).unwrap();
            }
            let factory = Factory::new(&options).unwrap();
            let header = begin(if shared { &before } else { &factory }, r#"{"cart":1}"#);
            // If nothing happens in between, the reader's cookie is set.
            let mut reader = open(&factory, &header, 5.0);
            reader.get_json("cart").unwrap();
            assert_eq!(reader.commit(Outcome::Response).unwrap().len(), 1);
            for ends in ["login", "logout"] {
                let header = begin(if shared { &before } else { &factory }, r#"{"cart":1}"#);
                let mut reader = open(&factory, &header, 5.0);
                reader.get_json("cart").unwrap();
                let mut other = open(&factory, &header, 5.0);
                if ends == "login" {
                    other.regenerate_id()
                } else {
                    other.invalidate()
                }
                other.commit(Outcome::Response).unwrap();
                assert!(reader.commit(Outcome::Response).unwrap().is_empty(), "{ends}");
                // The old id, which can only be read during the grace period, sets no cookie either.
                let mut late = open(&factory, &header, 7.0);
                late.get_json("cart").unwrap();
                let cookies = late.commit(Outcome::Response).unwrap();
                assert!(cookies.is_empty(), "{ends}");
            }
        }
    }
}

#[test]
fn listing_and_revoking_work_during_a_rotation_of_the_secret() {
    for store in stores().into_iter().filter(|store| store.url != "memory:") {
        let with = |settings: &[(&str, &str)]| {
            let mut options = Options::new();
            options.set("type", "store").unwrap().set("store", &store.url).unwrap();
            for (name, value) in settings {
                options.set(name, value).unwrap();
            }
            Factory::new(&options).unwrap()
        };
        let one = with(&[("secret", "old"), ("previous_secret", "new")]);
        let two = with(&[("secret", "new"), ("previous_secret", "old")]);
        let three = with(&[("secret", "new")]);
        for only_reads in [false, true] {
            let mut login = one.open_with(b"", &OpenOptions::new().now(NOW)).unwrap();
            login.set_subject("alice").unwrap();
            let header = cookie(login.commit(Outcome::Response).unwrap());
            let mut session = open(&two, &header, 5.0);
            assert_eq!(session.load_result(), LoadResult::LoadedPreviousSecret);
            match only_reads {
                true => drop(session.get_json("page").unwrap()),
                false => session.set_json("page", "1").unwrap(),
            }
            let header = cookie(session.commit(Outcome::Response).unwrap());
            assert_eq!(two.subject("alice").and_then(|subject| subject.sessions()).unwrap().len(), 1);
            assert_eq!(
                three.subject("alice").and_then(|subject| subject.sessions()).unwrap().len(),
                1,
                "it is listed with the current secret"
            );
            assert_eq!(three.subject("alice").and_then(|subject| subject.revoke_all(None)), Ok(1));
            assert_eq!(open(&three, &header, 6.0).load_result(), LoadResult::Missing);
        }
    }
}

#[test]
fn a_session_that_this_server_cannot_read_is_listed_and_revoked() {
    for store in stores().into_iter().filter(|store| store.url != "memory:") {
        let pickling = factory_with(&store.url, &[("serializer", "pickle")]);
        let factory = factory_with(&store.url, &[]);
        let mut login = pickling.open_with(b"", &OpenOptions::new().now(NOW)).unwrap();
        login.set_subject("alice").unwrap();
        let header = cookie(login.commit(Outcome::Response).unwrap());
        assert_eq!(factory.subject("alice").and_then(|subject| subject.sessions()).unwrap().len(), 1);
        assert_eq!(factory.subject("alice").and_then(|subject| subject.revoke_all(None)), Ok(1));
        assert_eq!(open(&pickling, &header, 1.0).load_result(), LoadResult::Missing);
    }
}

#[test]
fn a_failed_commit_keeps_the_subject() {
    let factory = factory_with("memory:", &[("store_max_bytes", "1000000")]);
    let mut login = factory.open_with(b"", &OpenOptions::new().now(NOW)).unwrap();
    login.set_subject("alice").unwrap();
    let header = cookie(login.commit(Outcome::Response).unwrap());
    let mut session = open(&factory, &header, 1.0);
    session.set_subject("").unwrap();
    session.set_str("big", &"x".repeat(2_000_000)).unwrap();
    assert!(matches!(session.commit(Outcome::Response), Err(Error::Store(_))));
    assert_eq!(factory.subject("alice").and_then(|subject| subject.revoke_all(None)), Ok(1));
    assert_eq!(open(&factory, &header, 1.0).load_result(), LoadResult::Missing);
}

#[test]
fn a_revoked_session_does_not_open_by_an_older_id() {
    on_every_store(|factory| {
        let mut headers = Vec::new();
        for _ in 0..2 {
            let mut session = factory.open_with(b"", &OpenOptions::new().now(NOW)).unwrap();
            session.set_subject("user-42").unwrap();
            session.set_json("a", "1").unwrap();
            let old = cookie(session.commit(Outcome::Response).unwrap());
            let mut session = open(factory, &old, 1.0);
            session.regenerate_id();
            let new = cookie(session.commit(Outcome::Response).unwrap());
            let id = session.id().unwrap().to_owned();
            headers.push((old, new, id));
        }
        let opens = |header: &str| open(factory, header, 2.0).load_result();
        let [(kept_old, kept, id), (ended_old, ended, _)] = &headers[..] else { panic!() };
        assert_eq!(factory.subject("user-42").and_then(|subject| subject.sessions()).unwrap().len(), 2);
        assert_eq!(factory.subject("user-42").and_then(|subject| subject.revoke_all(Some(id))), Ok(1));
        assert_eq!([opens(ended_old), opens(ended)], [LoadResult::Missing; 2]);
        assert_eq!([opens(kept_old), opens(kept)], [LoadResult::Loaded; 2]);
        assert_eq!(factory.subject("user-42").and_then(|subject| subject.revoke(id)), Ok(true));
        assert_eq!([opens(kept_old), opens(kept)], [LoadResult::Missing; 2]);
    });
}

#[test]
fn without_regenerate_grace_the_old_id_is_missing_at_once() {
    for store in stores() {
        let factory = factory_with(&store.url, &[("regenerate_grace", "0")]);
        let header = begin(&factory, "{}");
        let mut session = open(&factory, &header, 1.0);
        session.regenerate_id();
        session.commit(Outcome::Response).unwrap();
        std::thread::sleep(Duration::from_millis(5));
        assert_eq!(open(&factory, &header, 2.0).load_result(), LoadResult::Missing);
    }
}

#[test]
fn the_reason_of_a_missing_session_says_whether_it_expired_if_the_store_knows() {
    for store in stores() {
        let factory = factory_with(&store.url, &[("timeout", "1"), ("reissue_time", "")]);
        let begin = || begin(&factory, r#"{"a":1}"#);
        let (expired, ended) = (begin(), begin());
        let mut logout = open(&factory, &ended, 0.0);
        logout.invalidate();
        logout.commit(Outcome::Response).unwrap();
        std::thread::sleep(Duration::from_millis(2200));
        let why = |header: &str| {
            let session = open(&factory, header, 0.0);
            assert_eq!(session.load_result(), LoadResult::Missing);
            session.refusal().unwrap().to_owned()
        };
        assert!(why(&ended).contains("was ended"), "{}", why(&ended));
        if !store.url.starts_with("redis") {
            assert!(why(&expired).starts_with("the session expired"), "{}", why(&expired));
        }
    }
}

#[test]
fn an_absolute_timeout_ends_a_busy_session() {
    for kind in ["signed_cookie", "store"] {
        let mut options = Options::new();
        for (name, value) in [("type", kind), ("secret", "s"), ("absolute_timeout", "100"), ("timeout", "")] {
            options.set(name, value).unwrap();
        }
        let factory = Factory::new(&options).unwrap();
        let mut header = begin(&factory, r#"{"a":1}"#);
        for seconds in [50.0, 99.0] {
            let mut session = open(&factory, &header, seconds);
            session.get_json("a").unwrap();
            if let [set_cookie] = session.commit(Outcome::Response).unwrap() {
                header = set_cookie.split(';').next().unwrap().to_owned();
            }
        }
        assert_eq!(open(&factory, &header, 101.0).load_result(), LoadResult::Expired, "{kind}");
    }
}

#[test]
fn sessions_of_a_subject_are_listed_and_revoked() {
    on_every_store(|factory| {
        let login = |subject: &str| {
            let mut session = factory.open_with(b"", &OpenOptions::new().now(NOW)).unwrap();
            session.set_subject(subject).unwrap();
            session.set_json("a", "1").unwrap();
            let cookie = cookie(session.commit(Outcome::Response).unwrap());
            (cookie, session.id().unwrap().to_owned())
        };
        let (first, first_id) = login("user-42");
        let (second, second_id) = login("user-42");
        let (third, third_id) = login("user-42");
        let (other, _) = login("user-43");
        let mut session = open(factory, &second, 10.0);
        session.get_json("a").unwrap();
        session.commit(Outcome::Response).unwrap();
        let listed = factory.subject("user-42").and_then(|subject| subject.sessions()).unwrap();
        assert_eq!(listed.len(), 3);
        assert_eq!((&listed[0].id, listed[0].created, listed[0].accessed), (&second_id, NOW, 1_700_000_010.0));
        assert_eq!(
            factory.subject("user-43").and_then(|subject| subject.revoke(&first_id)),
            Ok(false),
            "the session belongs to another subject"
        );
        for no_id in ["", "../../etc/passwd", &first_id[1..], &first_id.to_uppercase()] {
            assert_eq!(factory.subject("user-42").and_then(|subject| subject.revoke(no_id)), Ok(false), "{no_id}");
        }
        assert_eq!(factory.subject("user-42").and_then(|subject| subject.revoke(&first_id)), Ok(true));
        assert_eq!(open(factory, &first, 11.0).load_result(), LoadResult::Missing);
        assert_eq!(factory.subject("user-42").and_then(|subject| subject.revoke_all(Some(&third_id))), Ok(1));
        assert_eq!(open(factory, &second, 11.0).load_result(), LoadResult::Missing);
        assert_eq!(open(factory, &third, 11.0).load_result(), LoadResult::Loaded);
        assert_eq!(open(factory, &other, 11.0).load_result(), LoadResult::Loaded);
        let mut moved = open(factory, &third, 11.0);
        moved.regenerate_id();
        let moved_to = cookie(moved.commit(Outcome::Response).unwrap());
        assert_eq!(factory.subject("user-42").and_then(|subject| subject.revoke_all(None)), Ok(1));
        assert_eq!(open(factory, &moved_to, 11.0).load_result(), LoadResult::Missing);
    });
}

#[test]
fn a_subject_is_kept_if_another_request_commits_first() {
    on_every_store(|factory| {
        let header = begin(factory, "{}");
        let (mut login, mut other) = (open(factory, &header, 1.0), open(factory, &header, 1.0));
        login.set_subject("user-42").unwrap();
        other.set_json("a", "1").unwrap();
        other.commit(Outcome::Response).unwrap();
        login.commit(Outcome::Response).unwrap();
        assert_eq!(factory.subject("user-42").and_then(|subject| subject.sessions()).unwrap().len(), 1);
        let (mut one, mut late) = (open(factory, &header, 1.0), open(factory, &header, 1.0));
        one.set_subject("").unwrap();
        one.commit(Outcome::Response).unwrap();
        late.set_json("b", "2").unwrap();
        late.commit(Outcome::Response).unwrap();
        assert_eq!(factory.subject("user-42").and_then(|subject| subject.sessions()).unwrap(), []);
        assert_eq!(json(factory, &header), r#"{"a":1,"b":2}"#);
    });
}

#[test]
fn an_id_signed_with_a_previous_secret_verifies() {
    // Factories do not share a memory store, so the record is missing. The load result shows that the id is valid.
    let old = factory_with("memory:", &[]);
    let header = begin(&old, "{}");
    let other = factory_with("memory:", &[("previous_secret", "other")]);
    assert_eq!(open(&other, &header, 1.0).load_result(), LoadResult::Missing);
    let mut options = Options::new();
    options.set("type", "store").unwrap().set("secret", "another").unwrap();
    assert_eq!(open(&Factory::new(&options).unwrap(), &header, 1.0).load_result(), LoadResult::BadSignature);
}

#[test]
fn a_cookie_session_moves_into_the_store() {
    let mut options = Options::new();
    options.set("secret", "cookie secret").unwrap();
    let header = begin(&Factory::new(&options).unwrap(), r#"{"user":1}"#);
    let accept = [("accept.before.secret", "cookie secret")];
    for store in stores() {
        let factory = factory_with(&store.url, &accept);
        let mut session = open(&factory, &header, 1.0);
        assert_eq!((session.load_result(), session.load_format()), (LoadResult::LoadedOtherFormat, Some("before")));
        let stored = cookie(session.commit(Outcome::Response).unwrap());
        assert_eq!(open(&factory, &stored, 2.0).load_result(), LoadResult::Loaded);
        assert_eq!(json(&factory, &stored), r#"{"user":1}"#);
    }
}

#[test]
fn memory_is_bounded_and_the_session_that_expires_first_is_evicted() {
    let factory = factory_with("memory:", &[("store_max_bytes", "2000000")]);
    let headers: Vec<String> =
        (0..2000).map(|n| begin(&factory, &format!(r#"{{"pad":"{}"}}"#, "x".repeat(1000 + n % 7)))).collect();
    let there = |header: &&String| open(&factory, header, 1.0).load_result() == LoadResult::Loaded;
    let kept = headers.iter().filter(there).count();
    assert!((1300..1700).contains(&kept), "{kept}");
    assert!(there(&&headers[1999]));
    let mut session = open(&factory, "", 0.0);
    session.set_str("large", &"x".repeat(2_000_000)).unwrap();
    assert!(
        matches!(session.commit(Outcome::Response), Err(Error::Store(reason)) if reason.contains("store_max_bytes"))
    );
}

#[test]
fn the_error_of_an_unknown_store_lists_the_built_in_stores() {
    for url in ["mysql://localhost/x", "memory:x", "nothing"] {
        let mut options = Options::new();
        options.set("type", "store").unwrap().set("store", url).unwrap().set("secret", "s").unwrap();
        let Err(Error::Option(message)) = Factory::new(&options).map(drop) else { panic!("{url} was accepted") };
        assert!(message.contains("memory:"), "{message}");
    }
}

#[test]
fn cookies_have_no_subjects() {
    let mut options = Options::new();
    options.set("secret", "s").unwrap();
    let factory = Factory::new(&options).unwrap();
    assert_eq!(open(&factory, "", 0.0).set_subject("x"), Err(Error::NoStore));
    assert_eq!(open(&factory, "", 0.0).id(), None);
    assert_eq!(factory.subject("x").and_then(|subject| subject.revoke_all(None)), Err(Error::NoStore));
}

#[test]
fn the_additions_of_two_requests_add_up() {
    on_every_store(|factory| {
        let header = begin(factory, r#"{"list":["first"],"n":1}"#);
        let (mut slow, mut fast) = (open(factory, &header, 1.0), open(factory, &header, 1.0));
        for (session, name) in [(&mut fast, "fast"), (&mut slow, "slow")] {
            session.append("list", name).unwrap();
            session.append("new", name).unwrap();
            session.increment("n", 10).unwrap();
            session.increment("m", -1).unwrap();
            session.commit(Outcome::Response).unwrap();
        }
        let expected = r#"{"list":["first","fast","slow"],"n":21,"new":["fast","slow"],"m":-2}"#;
        assert_eq!(json(factory, &header), expected);
    });
}

#[test]
fn an_addition_to_a_value_that_now_has_another_type_is_a_conflict() {
    on_every_store(|factory| {
        for other in ["\"text\"", "1.5", "{}"] {
            let header = begin(factory, r#"{"list":[],"n":1}"#);
            let (mut appending, mut adding) = (open(factory, &header, 1.0), open(factory, &header, 1.0));
            let mut fast = open(factory, &header, 1.0);
            fast.set_json("list", other).unwrap();
            fast.set_json("n", other).unwrap();
            fast.commit(Outcome::Response).unwrap();
            appending.append("list", &1).unwrap();
            adding.increment("n", 1).unwrap();
            for session in [&mut appending, &mut adding] {
                assert_eq!(session.commit(Outcome::Response), Err(Error::Conflict));
            }
            assert_eq!(json(factory, &header), format!(r#"{{"list":{other},"n":{other}}}"#));
        }
    });
}
