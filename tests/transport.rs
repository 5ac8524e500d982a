//! Opens sessions passively and from a value, and checks a session's value, headers, lifetime and attributes.

mod common;

use std::time::Duration;

use common::*;
use khufu::{Error, LoadResult, OpenOptions, Outcome, Session};

const STORE: Settings<'static> = &[("type", "store")];

/// Sessions in a signed cookie, in an encrypted cookie and in a store.
const KINDS: [Settings<'static>; 3] = [&[], FORMATS[2], STORE];

fn at(now: f64) -> OpenOptions {
    OpenOptions::new().now(now)
}

fn header(set_cookie: &str) -> Vec<u8> {
    set_cookie.split(';').next().unwrap().as_bytes().to_vec()
}

fn headers(session: &Session) -> Vec<String> {
    session.headers().map(|(name, value)| format!("{name}: {value}")).collect()
}

#[test]
fn a_session_is_opened_from_the_value_of_its_cookie() {
    for kind in KINDS {
        let factory = factory(kind);
        let mut session = factory.open_value(b"", &at(NOW)).unwrap();
        assert_eq!((session.load_result(), session.value().unwrap()), (LoadResult::Malformed, None));
        session.set("user", "zoë").unwrap();
        assert_eq!(session.value().unwrap(), None, "nothing is committed yet");
        let set_cookie = session.commit(Outcome::Response).unwrap()[0].to_string();
        let value = session.value().unwrap().unwrap();
        assert_eq!(value, value_of(&set_cookie));
        let mut session = factory.open_value(value.as_bytes(), &at(NOW)).unwrap();
        assert_eq!((session.load_result(), session.get("user").unwrap()), (LoadResult::Loaded, Some("zoë")));
        let again = session.value().unwrap().expect("the session was not changed");
        if kind.is_empty() {
            assert_eq!(again, value, "a signed value is the same text");
        }
        assert_eq!(factory.open_value(again.as_bytes(), &at(NOW)).unwrap().load_result(), LoadResult::Loaded);
        session.invalidate();
        session.commit(Outcome::Response).unwrap();
        assert_eq!(session.value().unwrap(), None, "it has ended");
    }
}

#[test]
fn passive_opening_renews_nothing_but_allows_changes() {
    for kind in KINDS {
        let factory = factory(&[kind, &[("reissue_time", "10"), ("max_age", "500")]].concat());
        let mut session = factory.open_with(b"", &at(NOW)).unwrap();
        session.set("user", "zoë").unwrap();
        let cookie = header(&session.commit(Outcome::Response).unwrap()[0]);
        for (passive, renews) in [(true, false), (false, true)] {
            let options = if passive { at(NOW + 60.0).passive() } else { at(NOW + 60.0) };
            let mut session = factory.open_with(&cookie, &options).unwrap();
            assert_eq!(session.get("user").unwrap(), Some("zoë"));
            assert_eq!((session.is_changed(), session.vary()), (renews, true));
            assert_eq!(session.commit(Outcome::Response).unwrap().len(), usize::from(renews));
        }
        let mut session = factory.open_with(&cookie, &at(NOW + 61.0).passive()).unwrap();
        session.set("user", "zoe").unwrap();
        assert_eq!(session.accessed(), (NOW + 61.0).floor());
        assert_eq!(session.commit(Outcome::Response).unwrap().len(), 1);
    }
}

#[test]
fn passive_opening_does_not_replace_the_cookie_of_a_previous_secret() {
    let old = factory(&[]);
    let mut session = old.open_with(b"", &at(NOW)).unwrap();
    session.set("user", "zoë").unwrap();
    let cookie = header(&session.commit(Outcome::Response).unwrap()[0]);
    let new = factory(&[("secret", "another"), ("previous_secret", SECRET), ("reissue_time", "")]);
    for (options, cookies) in [(at(NOW).passive(), 0), (at(NOW), 1)] {
        let mut session = new.open_with(&cookie, &options).unwrap();
        assert_eq!(session.load_result(), LoadResult::LoadedPreviousSecret);
        assert_eq!(session.commit(Outcome::Response).unwrap().len(), cookies);
    }
}

#[test]
fn a_time_limit_of_0_fails_a_store_at_once_and_a_cookie_never() {
    let none = OpenOptions::new().limit(Duration::ZERO);
    assert!(factory(&[]).open_with(b"", &none).is_ok());
    let stored = factory(STORE);
    assert!(matches!(stored.open_with(b"", &none), Err(Error::Store(_))));
    let mut session = stored.open_with(b"", &at(NOW)).unwrap();
    assert!(session.commit_within(Outcome::Response, Duration::ZERO).is_ok(), "there is nothing to write");
    session.set("user", "zoë").unwrap();
    assert!(matches!(session.commit_within(Outcome::Response, Duration::ZERO), Err(Error::Store(_))));
    assert_eq!(session.commit(Outcome::Response).unwrap().len(), 1, "it is still changed");
}

#[test]
fn the_headers_are_those_that_the_response_needs() {
    let factory = factory(&[("domain", "example.org")]);
    let mut session = factory.open_with(b"", &at(NOW)).unwrap();
    session.commit(Outcome::Response).unwrap();
    assert_eq!(headers(&session), [""; 0], "the session was not used");
    let _ = session.get_json("user");
    session.commit(Outcome::Response).unwrap();
    assert_eq!(headers(&session), ["Vary: Cookie", "Cache-Control: private"]);
    session.set("user", "zoë").unwrap();
    session.commit(Outcome::Response).unwrap();
    let set = headers(&session);
    assert!(set[0].starts_with("Set-Cookie: session=") && set[1..] == ["Vary: Cookie", "Cache-Control: private"]);
    session.invalidate();
    session.commit(Outcome::Response).unwrap();
    let ended = headers(&session);
    assert!(ended[..2].iter().all(|line| line.starts_with("Set-Cookie: session=;")));
    assert_eq!(ended[2..], ["Vary: Cookie", "Cache-Control: no-store"]);
}

#[test]
fn a_store_keeps_a_lifetime_and_a_cookie_does_not() {
    for (kind, is_kept) in [(KINDS[0], false), (STORE, true)] {
        let factory = factory(&[kind, &[("timeout", "60")]].concat());
        let mut session = factory.open_with(b"", &at(NOW)).unwrap();
        session.set("user", "zoë").unwrap();
        session.set_lifetime(1000).unwrap();
        let set_cookie = session.commit(Outcome::Response).unwrap()[0].to_string();
        assert!(set_cookie.contains("; Max-Age=1000; "), "{set_cookie}");
        let later = factory.open_with(&header(&set_cookie), &at(NOW + 500.0)).unwrap();
        assert_eq!(later.load_result() == LoadResult::Loaded, is_kept);
        if is_kept {
            let mut session = later;
            session.set("n", &1).unwrap();
            let set_cookie = session.commit(Outcome::Response).unwrap()[0].to_string();
            assert!(set_cookie.contains("; Max-Age=1000; "), "{set_cookie}");
            session.set_lifetime(0).unwrap();
            session.commit(Outcome::Response).unwrap();
            let expired = factory.open_with(&header(&set_cookie), &at(NOW + 561.0)).unwrap();
            assert_ne!(expired.load_result(), LoadResult::Loaded, "the option timeout applies again");
        }
    }
}

#[test]
fn a_commit_keeps_the_lifetime_that_another_request_set() {
    let factory = factory(STORE);
    let mut session = factory.open_with(b"", &at(NOW)).unwrap();
    session.set("user", "zoë").unwrap();
    let cookie = header(&session.commit(Outcome::Response).unwrap()[0]);
    let open = || factory.open_with(&cookie, &at(NOW + 1.0)).unwrap();
    let (mut slow, mut fast) = (open(), open());
    fast.set_lifetime(5000).unwrap();
    assert!(matches!(fast.set_lifetime(10_000_000_001), Err(Error::Range(_))));
    fast.commit(Outcome::Response).unwrap();
    slow.set("n", &1).unwrap();
    slow.commit(Outcome::Response).unwrap();
    assert!(slow.set_cookies().is_empty() || slow.set_cookies()[0].contains("Max-Age=5000"));
    let mut later = factory.open_with(&cookie, &at(NOW + 4000.0)).unwrap();
    assert_eq!((later.load_result(), later.get("n").unwrap()), (LoadResult::Loaded, Some(1)));
}

#[test]
fn an_attribute_applies_to_one_commit() {
    for kind in [KINDS[0], STORE] {
        let factory = factory(&[kind, &[("secure", "true")]].concat());
        let mut session = factory.open_with(b"", &at(NOW)).unwrap();
        for (name, value) in
            [("max_age", "7"), ("httponly", "on"), ("samesite", "none"), ("partitioned", "yes"), ("secure", "1")]
        {
            session.set_attribute(name, value).unwrap();
        }
        let set_cookie = session.commit(Outcome::Response).unwrap()[0].to_string();
        assert!(set_cookie.contains("; Max-Age=7; Path=/; expires="), "{set_cookie}");
        assert!(set_cookie.ends_with("; secure; HttpOnly; SameSite=None; Partitioned"), "{set_cookie}");
        session.set_attribute("samesite", "").unwrap();
        let set_cookie = session.commit(Outcome::Response).unwrap()[0].to_string();
        assert!(set_cookie.ends_with("; Path=/; secure"), "{set_cookie}");
        session.regenerate_id();
        let set_cookie = session.commit(Outcome::Response).unwrap()[0].to_string();
        assert!(set_cookie.ends_with("; Path=/; secure; SameSite=Lax"), "{set_cookie}");
    }
}

#[test]
fn a_wrong_attribute_is_refused_and_changes_nothing() {
    let mut session = factory(&[("cookie_name", "__Host-s"), ("secure", "true")]).open_with(b"", &at(NOW)).unwrap();
    for (name, value, expected) in [
        ("path", "/a", "there is no attribute \"path\" for a single cookie"),
        ("domain", "example.org", "there is no attribute \"domain\" for a single cookie"),
        ("tiemout", "1", "the attributes are max_age, secure, httponly, samesite, partitioned"),
        ("max_age", "soon", "the option max_age must be whole seconds"),
        ("samesite", "Loose", "the option samesite must be one of Lax, Strict, None"),
        ("secure", "false", "the attribute secure must be true for a cookie_name that begins with __Host-"),
    ] {
        let error = session.set_attribute(name, value).unwrap_err();
        assert!(matches!(&error, Error::Option(message) if message.contains(expected)), "{error}");
    }
    assert!(!session.is_changed());
    let mut session = factory(&[]).open_with(b"", &at(NOW)).unwrap();
    for name in ["partitioned", "samesite"] {
        let error = session.set_attribute(name, if name == "samesite" { "None" } else { "true" }).unwrap_err();
        assert!(error.to_string().contains("the attribute secure must be true if"), "{error}");
    }
}

#[test]
fn the_option_partitioned_needs_secure() {
    let error = try_factory(&[("partitioned", "true")]).err().expect("it is refused");
    assert!(error.to_string().starts_with("the option secure must be true if partitioned is true"), "{error}");
    let mut session = factory(&[("partitioned", "true"), ("secure", "true")]).open_with(b"", &at(NOW)).unwrap();
    session.mark_changed();
    assert!(session.commit(Outcome::Response).unwrap()[0].ends_with("; secure; SameSite=Lax; Partitioned"));
    session.invalidate();
    assert!(session.commit(Outcome::Response).unwrap()[0].ends_with("; secure; SameSite=Lax; Partitioned"));
}
