//! Tests that every library's sessions in Redis must pass.

use std::sync::atomic::{AtomicU32, Ordering};

use khufu::{Error, Factory, LoadResult, OpenOptions, Outcome};

use super::server::{Server, begin, cookie, json, on_every_format, open, pickled};

/// The session's id in a record's key.
fn id(key: &str) -> &str {
    key.strip_prefix("beaker_cache:").and_then(|rest| rest.strip_suffix(":session")).unwrap_or(key)
}

/// Begins a session with the state `{"a":1}`. Returns its factory, `Cookie` header and key.
fn begun(server: &Server, settings: &[(&str, &str)]) -> (Factory, String, String) {
    let factory = server.factory(settings);
    let header = begin(&factory, r#"{"a":1}"#);
    (factory, header, server.key())
}

#[test]
fn a_new_session_has_an_id_like_the_librarys_and_a_time_to_live() {
    on_every_format(|server, settings| {
        let (factory, header, key) = begun(server, settings);
        let (length, allowed): (_, fn(char) -> bool) = match settings[0].1 {
            "pyramid_session_redis" => (64, |c| c.is_ascii_alphanumeric() || c == '-' || c == '_'),
            "pyramid_redis_sessions" => (64, |c| matches!(c, '0'..='9' | 'a'..='f')),
            _ => (32, |c| matches!(c, '0'..='9' | 'a'..='f')),
        };
        assert!(id(&key).len() == length && id(&key).chars().all(allowed), "{key}");
        let ttl = if settings[0].1 == "beaker" { 1320 } else { 1200 };
        assert!((ttl - 2..=ttl).contains(&server.ttl(&key)));
        assert!(header.len() - "session=".len() <= 256, "it fits next to the longest cookie_name");
        assert_eq!(json(&factory, &header), r#"{"a":1}"#);
        let mut session = open(&factory, &header);
        let public_id = session.id().unwrap();
        assert_eq!(public_id.len(), 64);
        assert!(!header.contains(public_id) && !key.contains(public_id), "an id in a log opens nothing");
    });
}

#[test]
fn changes_by_the_library_and_by_this_request_are_both_kept() {
    on_every_format(|server, settings| {
        let (factory, header, key) = begun(server, settings);
        let mut session = open(&factory, &header);
        session.set_json("ours", "1").unwrap();
        session.queue("").push_str("hello").unwrap();
        let mut other = open(&factory, &header);
        other.set_json("theirs", "2").unwrap();
        let before = server.value(&key).unwrap();
        other.commit(Outcome::Response).unwrap();
        let blindly_written = server.value(&key).unwrap();
        server.write(&key, &before, 500);
        let mut late = open(&factory, &header);
        late.set_json("late", "3").unwrap();
        server.write(&key, &blindly_written, 500);
        session.commit(Outcome::Response).unwrap();
        late.commit(Outcome::Response).unwrap();
        assert_eq!(json(&factory, &header), r#"{"a":1,"theirs":2,"ours":1,"_f_":["hello"],"late":3}"#);
    });
}

#[test]
fn threads_lose_no_write() {
    on_every_format(|server, settings| {
        let (factory, header, _) = begun(server, settings);
        let next = AtomicU32::new(0);
        // Two factories do not take turns, just as two processes do not.
        let other = server.factory(settings);
        std::thread::scope(|scope| {
            for factory in [&factory, &other, &factory, &other] {
                let (next, header) = (&next, &header);
                scope.spawn(move || {
                    for _ in 0..25 {
                        let n = next.fetch_add(1, Ordering::Relaxed);
                        let mut session = open(factory, header);
                        session.set_i64(&format!("key {n}"), n.into()).unwrap();
                        session.queue("").push_str(&n.to_string()).unwrap();
                        session.commit(Outcome::Response).unwrap();
                    }
                });
            }
        });
        let mut session = open(&factory, &header);
        assert_eq!(session.len(), 102);
        assert_eq!(session.queue("").pop_json().unwrap().split(',').count(), 100);
    });
}

#[test]
fn a_logout_is_final() {
    on_every_format(|server, settings| {
        let (factory, header, key) = begun(server, settings);
        let mut slow = open(&factory, &header);
        slow.set_json("seen", "1").unwrap();
        let mut reader = open(&factory, &header);
        reader.get_json("a").unwrap();
        let mut logout = open(&factory, &header);
        logout.invalidate();
        assert!(logout.commit(Outcome::Response).unwrap()[0].starts_with("session=; Max-Age=0;"));
        assert_eq!(server.value(&key), None);
        assert_eq!(slow.commit(Outcome::Response), Err(Error::Gone));
        reader.commit(Outcome::Response).unwrap();
        assert_eq!(server.keys(), Vec::<String>::new(), "no request restores the record");
        assert_eq!(open(&factory, &header).load_result(), LoadResult::Missing);
        let mut next = open(&factory, &header);
        next.set_json("b", "2").unwrap();
        assert_ne!(cookie(&mut next), header, "an id from the browser is never reused");
    });
}

#[test]
fn a_session_that_the_library_deleted_is_gone() {
    on_every_format(|server, settings| {
        let (factory, header, key) = begun(server, settings);
        let mut session = open(&factory, &header);
        session.set_json("b", "2").unwrap();
        server.delete(&key);
        assert_eq!(session.commit(Outcome::Response), Err(Error::Gone));
        assert_eq!(session.to_json(), r#"{"a":1,"b":2}"#);
        assert_eq!(server.value(&key), None);
    });
}

#[test]
fn a_logout_ends_a_session_that_cannot_be_read_here() {
    on_every_format(|server, settings| {
        let (factory, header, key) = begun(server, settings);
        server.write(&key, b"cdatetime\ndate\n(I1\nI1\nI1\ntR.", 500);
        let mut session = open(&factory, &header);
        assert_ne!(session.load_result(), LoadResult::Loaded);
        session.invalidate();
        assert!(cookie(&mut session).ends_with('='));
        assert_eq!(server.value(&key), None);
    });
}

#[test]
fn values_set_after_invalidate_belong_to_a_new_id() {
    on_every_format(|server, settings| {
        let (factory, header, key) = begun(server, settings);
        let mut session = open(&factory, &header);
        session.invalidate();
        session.set_json("fresh", "true").unwrap();
        let new = cookie(&mut session);
        assert_eq!(json(&factory, &new), r#"{"fresh":true}"#);
        assert_eq!(server.value(&key), None);
        assert_ne!(server.key(), key);
    });
}

#[test]
fn a_regenerated_session_moves_and_its_old_record_is_deleted() {
    on_every_format(|server, settings| {
        let (factory, header, key) = begun(server, settings);
        let mut late = open(&factory, &header);
        late.set_json("late", "1").unwrap();
        let mut login = open(&factory, &header);
        login.set_json("user", "42").unwrap();
        login.regenerate_id();
        let new = cookie(&mut login);
        assert_ne!(new, header);
        assert_eq!(server.value(&key), None);
        assert_eq!(late.commit(Outcome::Response), Err(Error::Gone));
        assert_eq!(open(&factory, &header).load_result(), LoadResult::Missing);
        login.set_json("more", "1").unwrap();
        assert_eq!(cookie(&mut login), new, "the response still needs the new id");
        assert_eq!(json(&factory, &new), r#"{"a":1,"user":42,"more":1}"#);
    });
}

#[test]
fn a_commit_may_be_followed_by_further_changes() {
    on_every_format(|server, settings| {
        let (factory, header, _) = begun(server, settings);
        let mut session = factory.open_with(header.as_bytes(), &OpenOptions::new().now(now() + 100.0)).unwrap();
        session.get_json("a").unwrap();
        assert!(session.commit(Outcome::Response).unwrap().is_empty(), "the record was extended");
        for n in 0..3 {
            session.set_i64("n", n).unwrap();
            assert!(session.commit(Outcome::Response).unwrap().is_empty());
            let mut other = open(&factory, &header);
            other.set_i64(&format!("other {n}"), n).unwrap();
            other.commit(Outcome::Response).unwrap();
        }
        assert_eq!(json(&factory, &header), r#"{"a":1,"n":2,"other 0":0,"other 1":1,"other 2":2}"#);
    });
}

fn now() -> f64 {
    std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap().as_secs_f64()
}

#[test]
fn a_bare_id_an_id_of_another_secret_and_a_missing_one_open_nothing() {
    on_every_format(|server, settings| {
        let (factory, header, key) = begun(server, settings);
        let bare = format!("session={}", id(&key));
        let unsigned = open(&factory, &bare).load_result();
        assert!(matches!(unsigned, LoadResult::BadSignature | LoadResult::Malformed), "{unsigned}");
        let other = server.factory(&[settings, &[("secret", "another")]].concat());
        assert_eq!(open(&other, &header).load_result(), LoadResult::BadSignature);
        server.delete(&key);
        assert_eq!(open(&factory, &header).load_result(), LoadResult::Missing);
    });
}

#[test]
fn a_previous_secret_opens_and_the_cookie_is_written_again() {
    on_every_format(|server, settings| {
        let (_, header, key) = begun(server, settings);
        let factory = server.factory(&[settings, &[("secret", "new"), ("previous_secret", "itsaseekreet")]].concat());
        let mut session = open(&factory, &header);
        assert_eq!(session.load_result(), LoadResult::LoadedPreviousSecret);
        let new = cookie(&mut session);
        assert_ne!(new, header);
        assert_eq!(open(&factory, &new).load_result(), LoadResult::Loaded);
        assert_eq!(server.key(), key, "the id stays");
    });
}

#[test]
fn an_invalid_record_opens_a_new_session_with_a_new_id() {
    on_every_format(|server, settings| {
        let (factory, header, key) = begun(server, settings);
        let good = server.value(&key).unwrap();
        let broken = [&b""[..], b"{", b"null", b"[]", b"\x80\x04}.", b"\x80\x02]q\0.", &pickled("&"), &pickled("e30=")];
        let cut = (1..good.len()).map(|length| &good[..length]);
        for value in broken.into_iter().chain(cut) {
            server.write(&key, value, 500);
            let session = open(&factory, &header);
            assert_eq!(session.load_result(), LoadResult::Malformed, "{value:?}");
        }
        server.write(&key, &good[..good.len() - 1], 500);
        let mut session = open(&factory, &header);
        assert_eq!(session.load_result(), LoadResult::Malformed);
        session.set_json("b", "2").unwrap();
        assert_ne!(cookie(&mut session), header);
        assert_eq!(server.value(&key).as_deref(), Some(&good[..good.len() - 1]), "the record stays");
    });
}

#[test]
fn a_pickle_that_would_run_code_is_refused_and_not_overwritten() {
    const EVIL: &[u8] = b"cos\nsystem\n(S'echo hacked'\ntR.";
    on_every_format(|server, settings| {
        let (factory, header, key) = begun(server, settings);
        if settings.contains(&("serializer", "json")) && settings[0].1 != "beaker" {
            return;
        }
        server.write(&key, EVIL, 500);
        let mut session = open(&factory, &header);
        assert_eq!(session.load_result(), LoadResult::Unsupported);
        session.set_json("b", "2").unwrap();
        assert!(matches!(session.commit(Outcome::Response), Err(Error::Unsupported(_))));
        assert_eq!(server.value(&key).as_deref(), Some(EVIL));
    });
}

#[test]
fn sessions_of_other_libraries_have_no_subject() {
    on_every_format(|server, settings| {
        let (factory, header, _) = begun(server, settings);
        assert_eq!(open(&factory, &header).set_subject("user-42"), Err(Error::NoStore));
        assert_eq!(factory.subject("user-42").and_then(|subject| subject.sessions()), Err(Error::NoStore));
        assert_eq!(factory.subject("user-42").and_then(|subject| subject.revoke_all(None)), Err(Error::NoStore));
        assert!(Error::NoStore.to_string().contains("khufu's own format"));
    });
}

#[test]
fn every_kind_of_value_is_written_and_read() {
    on_every_format(|server, settings| {
        let data = r#"{"n":null,"t":true,"f":false,"i":-7,"big":1180591620717411303424,"d":9.5,"s":"Zoë \"\\ \u0001","l":[[],{}],"o":{"x":{"y":[1,2]}},"":1}"#;
        let factory = server.factory(settings);
        let header = begin(&factory, data);
        assert_eq!(json(&factory, &header), data);
    });
}

#[test]
fn every_key_begins_with_the_store_prefix() {
    on_every_format(|server, settings| {
        let factory = server.factory(&[settings, &[("store_prefix", "site:")]].concat());
        begin(&factory, "{}");
        assert!(server.key().starts_with("site:"));
    });
}
