//! Commit: the response's `Set-Cookie` values.

mod common;

use common::*;
use khufu::{Error, LoadResult, OpenOptions, Outcome, SetCookie};

const EXPIRED: &str = "expires=Thu, 01 Jan 1970 00:00:00 GMT";

#[test]
fn an_unchanged_session_sets_no_cookie() {
    let mut session = holding(r#"{"a": 1}"#);
    assert_eq!(session.get_i64("a").unwrap(), Some(1));
    assert_eq!(session.commit(Outcome::Response).unwrap(), &[] as &[SetCookie]);
    assert_eq!(session.set_cookies(), &[] as &[SetCookie]);
    assert!(session.vary(), "the session was read");
}

#[test]
fn a_changed_session_sets_one_cookie_that_opens_to_the_same_state() {
    for settings in FORMATS {
        let factory = factory(settings);
        let mut session = factory.open_with(b"", &OpenOptions::new().now(NOW)).unwrap();
        session.update_json(r#"{"user":"zoë","n":[1,2.5,null,true,{"":"🔑"}],"big":1180591620717411303424}"#).unwrap();
        let state = session.to_json().to_owned();
        let set_cookie = commit(&mut session).unwrap();
        assert!(session.set_cookies().iter().map(|cookie| &**cookie).eq([&*set_cookie]));
        assert!(set_cookie.starts_with("session=") && set_cookie.ends_with("; Path=/; SameSite=Lax"), "{set_cookie}");
        let header = set_cookie.split(';').next().unwrap();
        let mut session = factory.open_with(header.as_bytes(), &OpenOptions::new().now(NOW + 0.5)).unwrap();
        assert_eq!(session.load_result(), LoadResult::Loaded, "{settings:?}");
        assert_eq!(session.to_json(), state);
        assert_eq!((session.created(), session.renewed()), (NOW, NOW.floor()));
    }
}

/// A `Set-Cookie` value without the session and without the time.
fn outline(set_cookie: &str) -> String {
    let parts = set_cookie.split(';').enumerate().map(|(index, part)| match part.split_once('=') {
        Some((name, _)) if index == 0 || name == " expires" => format!("{name}=…"),
        _ => part.to_owned(),
    });
    parts.collect::<Vec<_>>().join(";")
}

#[test]
fn a_set_cookie_value_equals_webobs_byte_for_byte() {
    let path = format!("{}/tests/vectors/set_cookie.json", env!("CARGO_MANIFEST_DIR"));
    let vectors = json(&std::fs::read_to_string(path).unwrap());
    for case in vectors["cases"].as_array().unwrap() {
        let options = case["options"].as_object().unwrap();
        let mut settings = Vec::new();
        for (name, value) in options.iter().filter(|(name, _)| *name != "delete") {
            settings.push((&**name, value.as_str().map_or_else(|| value.to_string(), str::to_owned)));
        }
        let settings: Vec<_> =
            settings.iter().map(|(name, value)| (*name, if value == "null" { "" } else { value })).collect();
        let mut session = factory(&settings).open_with(b"session=x", &OpenOptions::new().now(NOW)).unwrap();
        let expected = outline(case["set_cookie"].as_str().unwrap());
        if !options.contains_key("delete") {
            session.mark_changed();
            let [set_cookie] = session.commit(Outcome::Response).unwrap() else { panic!("{options:?}") };
            assert_eq!(outline(set_cookie), expected);
            continue;
        }
        session.invalidate();
        let cleared: Vec<_> =
            session.commit(Outcome::Response).unwrap().iter().map(|set_cookie| outline(set_cookie)).collect();
        // WebOb omits the attribute, and clears only the cookie with the domain.
        let mut all = vec![format!("{expected}; SameSite=Lax")];
        if options.contains_key("domain") {
            all.push(all[0].replace("; Domain=example.com", ""));
        }
        assert_eq!(cleared, all);
    }
}

#[test]
fn max_age_also_sets_expires_to_the_same_time() {
    let set_cookie = |max_age, now| {
        let mut session = factory(&[("max_age", max_age)]).open_with(b"", &OpenOptions::new().now(now)).unwrap();
        session.mark_changed();
        commit(&mut session).unwrap()
    };
    let attributes = |max_age, now| set_cookie(max_age, now).split_once("; ").unwrap().1.to_owned();
    assert_eq!(
        attributes("3600", 784_111_777.9),
        "Max-Age=3600; Path=/; expires=Sun, 06 Nov 1994 09:49:37 GMT; SameSite=Lax"
    );
    assert_eq!(attributes("0", 0.0), "Max-Age=0; Path=/; expires=Thu, 01 Jan 1970 00:00:00 GMT; SameSite=Lax");
    assert_eq!(
        attributes("86400", 951_696_000.0),
        "Max-Age=86400; Path=/; expires=Tue, 29 Feb 2000 00:00:00 GMT; SameSite=Lax"
    );
    let last = "expires=Fri, 31 Dec 9999 23:59:59 GMT";
    for (max_age, now) in [("0", 253_402_300_799.0), ("1", 253_402_300_799.0), ("10000000000", 253_402_000_000.0)] {
        assert!(attributes(max_age, now).contains(last), "no date is later than the year 9999");
    }
}

#[test]
fn every_attribute_at_once() {
    let options = [
        ("cookie_name", "__Secure-sid"),
        ("max_age", "60"),
        ("path", "/app"),
        ("domain", "example.com"),
        ("secure", "yes"),
        ("httponly", "1"),
        ("samesite", "none"),
    ];
    let mut session = factory(&options).open_with(b"__Secure-sid=x", &OpenOptions::new().now(0.0)).unwrap();
    session.mark_changed();
    let set_cookie = commit(&mut session).unwrap();
    let expected = "Domain=example.com; Max-Age=60; Path=/app; expires=Thu, 01 Jan 1970 00:01:00 GMT; secure; \
                    HttpOnly; SameSite=None";
    assert_eq!(set_cookie.split_once("; ").unwrap().1, expected);
}

#[test]
fn with_a_domain_a_logout_also_clears_the_cookie_without_domain() {
    let options = [
        ("cookie_name", "__Secure-sid"),
        ("max_age", "60"),
        ("path", "/app"),
        ("domain", ".example.com"),
        ("secure", "yes"),
        ("httponly", "1"),
        ("samesite", "none"),
    ];
    let mut session = factory(&options).open_with(b"__Secure-sid=x", &OpenOptions::new().now(NOW)).unwrap();
    session.invalidate();
    let [first, second] = session.commit(Outcome::Response).unwrap() else { panic!("{:?}", session.set_cookies()) };
    let rest = format!("Max-Age=0; Path=/app; {EXPIRED}; secure; HttpOnly; SameSite=None");
    assert_eq!(&**first, format!("__Secure-sid=; Domain=example.com; {rest}"));
    assert_eq!(&**second, format!("__Secure-sid=; {rest}"));
    session.set_json("a", "1").unwrap();
    let [set_cookie] = session.commit(Outcome::Response).unwrap() else { panic!("{:?}", session.set_cookies()) };
    assert!(set_cookie.contains("; Domain=example.com; Max-Age=60;"), "{set_cookie}");
}

#[test]
fn the_error_of_a_large_cookie_gives_its_length_and_nothing_is_lost() {
    let mut session = holding(r#"{"keep": 1}"#);
    session.set_str("big", &"x".repeat(5000)).unwrap();
    for _ in 0..2 {
        let error = session.commit(Outcome::Response).unwrap_err();
        let Error::TooLarge { length, limit, .. } = error else { panic!("{error}") };
        // The signature and the payload, with four characters for each three bytes.
        let bytes = 64 + r#"[1700000060,1699999899.75,{"keep":1,"big":""}]"#.len() + 5000;
        assert_eq!((length, limit), ((bytes * 4).div_ceil(3), 4064));
        assert!(error.to_string().contains(&length.to_string()) && error.to_string().contains("4064"));
        assert!(session.is_changed() && session.contains("big"));
        assert_eq!(session.set_cookies(), &[] as &[SetCookie]);
    }
    assert!(session.delete("big"));
    assert_eq!(committed_state(&mut session), r#"{"keep":1}"#);
}

#[test]
fn the_largest_cookie_has_4064_bytes() {
    for settings in FORMATS {
        let factory = factory(settings);
        let commit_with = |length: usize| {
            let mut session = factory.open_with(b"", &OpenOptions::new().now(1_700_000_000.0)).unwrap();
            session.set_str("a", &"x".repeat(length)).unwrap();
            session.commit(Outcome::Response).map(|cookies| value_of(&cookies[0]).to_owned())
        };
        let most = (2900..3048).filter(|length| commit_with(*length).is_ok()).max().unwrap();
        let value = commit_with(most).unwrap();
        assert_eq!(value.len(), 4064, "{settings:?}");
        assert_eq!(open(&factory, &value).load_result(), LoadResult::Loaded);
        for more in 1..10 {
            let error = commit_with(most + more).unwrap_err();
            assert!(matches!(error, Error::TooLarge { length, limit: 4064, .. } if length > 4064), "{error}");
        }
    }
}

#[test]
fn with_a_long_name_the_value_must_be_shorter() {
    for (name, limit) in [("n".repeat(32), 4064), ("n".repeat(33), 4063), ("n".repeat(3840), 256)] {
        let factory = factory(&[("cookie_name", &name)]);
        let commit_with = |length: usize| {
            let mut session = factory.open_with(b"", &OpenOptions::new().now(1_700_000_000.0)).unwrap();
            session.set_str("a", &"x".repeat(length)).unwrap();
            session.commit(Outcome::Response).map(|cookies| cookies[0].split(';').next().unwrap().len() - 1)
        };
        let most = (0..3048).filter(|length| commit_with(*length).is_ok()).max().unwrap();
        let pair = commit_with(most).unwrap();
        assert!((name.len() + limit - 1..=name.len() + limit).contains(&pair) && pair <= 4096, "{pair}");
        let error = commit_with(most + 1).unwrap_err();
        let Error::TooLarge { length, .. } = error else { panic!("{error}") };
        assert_eq!(error, Error::TooLarge { length, limit, name: name.len() });
        assert!(length > limit && length <= limit + 2);
        for number in [length, limit, 4064, 4096, name.len()] {
            assert!(error.to_string().contains(&number.to_string()), "{error}");
        }
    }
}

#[test]
fn each_commit_writes_all_changes_so_far() {
    let mut session = holding("{}");
    session.set_json("a", "1").unwrap();
    let first = commit(&mut session);
    assert_eq!(value_of(first.as_ref().unwrap()), signed(r#"[1700000060,1699999899.75,{"a":1}]"#));
    assert!(!session.is_changed());
    assert_eq!(commit(&mut session), first, "nothing has changed since");
    session.set_json("b", "2").unwrap();
    assert_eq!(session.set_cookies()[0].to_string(), first.unwrap(), "only commit makes cookies");
    assert_eq!(committed_state(&mut session), r#"{"a":1,"b":2}"#);
    assert_eq!(committed_state(&mut session), r#"{"a":1,"b":2}"#);
    session.invalidate();
    let clearing = commit(&mut session).unwrap();
    assert!(clearing.contains("Max-Age=0"));
    assert_eq!(commit(&mut session).unwrap(), clearing, "the browser still has a cookie");
    session.invalidate();
    assert_eq!(commit(&mut session).unwrap(), clearing);
    session.set_json("c", "3").unwrap();
    assert_eq!(committed_state(&mut session), r#"{"c":3}"#);
}

#[test]
fn invalidate_clears_the_cookie_of_an_earlier_commit() {
    let mut session = fresh();
    session.set_json("a", "1").unwrap();
    assert!(commit(&mut session).is_some());
    session.invalidate();
    assert!(commit(&mut session).unwrap().contains("Max-Age=0"), "the first cookie may have been sent");
}

#[test]
fn a_failed_commit_keeps_the_cookie_of_an_earlier_one() {
    let mut session = fresh();
    session.set_json("a", "1").unwrap();
    let first = commit(&mut session).unwrap();
    session.set_str("big", &"x".repeat(5000)).unwrap();
    session.commit(Outcome::Response).unwrap_err();
    assert_eq!(session.set_cookies()[0].to_string(), first);
}

#[test]
fn a_logout_reaches_the_browser_when_the_new_session_cannot_be_written() {
    let mut session = holding(r#"{"user": 1}"#);
    session.invalidate();
    session.set_str("big", &"x".repeat(5000)).unwrap();
    for _ in 0..2 {
        assert!(matches!(session.commit(Outcome::Response), Err(Error::TooLarge { .. })));
        assert!(session.is_changed());
        assert!(session.set_cookies()[0].contains("Max-Age=0"));
    }
    session.delete("big");
    session.set_json("a", "1").unwrap();
    assert_eq!(committed(&mut session), r#"[1700000060,1700000060.25,{"a":1}]"#);
    let mut session = fresh();
    session.invalidate();
    session.set_str("big", &"x".repeat(5000)).unwrap();
    session.commit(Outcome::Response).unwrap_err();
    assert!(session.set_cookies().is_empty(), "the browser has no cookie to clear");
}

#[test]
fn after_an_exception_no_cookie_is_set_if_set_on_exception_is_off() {
    let value = signed(session("{}"));
    for (set_on_exception, exception, written) in
        [("true", true, true), ("true", false, true), ("false", true, false), ("false", false, true)]
    {
        let factory = factory(&[("set_on_exception", set_on_exception)]);
        let mut session = open(&factory, &value);
        session.set_json("a", "1").unwrap();
        assert_eq!(
            session.commit(if exception { Outcome::Exception } else { Outcome::Response }).unwrap().len(),
            usize::from(written)
        );
    }
    let mut session = open(&factory(&[("set_on_exception", "false")]), &value);
    session.set_json("a", "1").unwrap();
    assert!(session.commit(Outcome::Exception).unwrap().is_empty());
    assert!(session.is_changed(), "the change is kept");
    assert_eq!(session.commit(Outcome::Response).unwrap().len(), 1);
}

#[test]
fn a_logout_takes_effect_when_the_request_ends_in_an_exception() {
    let value = signed(session(r#"{"user": 1}"#));
    for set_on_exception in ["true", "false"] {
        let factory = factory(&[("set_on_exception", set_on_exception)]);
        let mut session = open(&factory, &value);
        session.set_json("a", "1").unwrap();
        session.invalidate();
        assert!(session.commit(Outcome::Exception).unwrap()[0].contains("Max-Age=0"));
        session.commit(Outcome::Exception).unwrap();
        assert!(session.set_cookies()[0].contains("Max-Age=0"), "the response still clears the cookie");

        let mut session = open(&factory, &value);
        session.invalidate();
        session.set_json("b", "1").unwrap();
        let cleared = session.commit(Outcome::Exception).unwrap()[0].contains("Max-Age=0");
        assert_eq!(cleared, set_on_exception == "false", "values set after invalidate are written or dropped");
        assert_eq!(session.is_empty(), cleared);
        assert!(!session.is_changed());
        session.set_json("c", "1").unwrap();
        assert_eq!(committed_state(&mut session), if cleared { r#"{"c":1}"# } else { r#"{"b":1,"c":1}"# });
    }
    let factory = factory(&[("set_on_exception", "false")]);
    let mut session = open(&factory, &value);
    session.set_json("a", "1").unwrap();
    let first = commit(&mut session).unwrap();
    session.set_json("b", "1").unwrap();
    assert_eq!(
        session.commit(Outcome::Exception).unwrap()[0].to_string(),
        first,
        "the cookie of the earlier commit stays"
    );
}

#[test]
fn an_invalidated_session_clears_the_browsers_cookie() {
    let mut session = holding(r#"{"a": 1}"#);
    session.invalidate();
    assert!(session.is_new() && session.is_empty() && !session.is_changed());
    assert_eq!((session.created(), session.renewed()), (NOW, NOW));
    assert_eq!(commit(&mut session).unwrap(), format!("session=; Max-Age=0; Path=/; {EXPIRED}; SameSite=Lax"));
    assert!(session.vary());
}

#[test]
fn a_bad_cookie_can_also_be_cleared() {
    for value in [&*base64([0; 99]), "junk", "", &signed("[1, 1, {}]")] {
        let mut session = open(&factory(&[]), value);
        session.invalidate();
        assert!(commit(&mut session).unwrap().contains("Max-Age=0"), "{value}");
    }
}

#[test]
fn invalidating_without_a_browser_cookie_sets_no_cookie() {
    let mut session = fresh();
    session.set_json("a", "1").unwrap();
    session.invalidate();
    assert_eq!(commit(&mut session), None);
}

#[test]
fn values_set_after_invalidate_belong_to_the_new_session() {
    let mut session = holding(r#"{"old": 1, "_csrft_": "t"}"#);
    session.set_json("gone", "1").unwrap();
    session.invalidate();
    session.set_json("a", "1").unwrap();
    assert_eq!(committed(&mut session), r#"[1700000060,1700000060.25,{"a":1}]"#);
    assert!(session.is_new());
}

#[test]
fn reading_an_invalidated_session_writes_nothing() {
    let mut session = open(&factory(&[]), &signed(session(r#"{"a": 1}"#)));
    session.invalidate();
    assert_eq!(session.get_json("a").unwrap(), None);
    assert_eq!(session.to_json(), "{}");
    assert!(commit(&mut session).unwrap().contains("Max-Age=0"));
}

#[test]
fn vary_is_true_if_the_response_depends_on_the_session() {
    let value = signed(session(r#"{"a": 1}"#));
    let opened = || open(&factory(&[("reissue_time", "")]), &value);
    assert!(!opened().vary());
    let mut untouched = opened();
    untouched.commit(Outcome::Response).unwrap();
    assert!(!untouched.vary());
    let mut read = opened();
    read.contains("b");
    assert!(read.vary());
    let mut misread = opened();
    assert!(misread.get_str("a").is_err());
    assert!(misread.vary(), "a failed read also depends on the session");
    let mut written = opened();
    written.set_json("b", "1").unwrap();
    assert!(written.vary());
    let mut rotated = open(&factory(&[("secret", "new"), ("previous_secret", SECRET)]), &value);
    rotated.commit(Outcome::Response).unwrap();
    assert!(rotated.vary(), "a shared cache must not keep a response with a cookie");
}

#[test]
fn json_is_written_compactly_and_unescaped() {
    let mut session = holding("{ \"a\" : [ 1 , { } ] , \"zo\u{eb}\" : \"\u{1f511}\" }");
    session.set_str("c", "/ \u{7f} \u{2028} é").unwrap();
    assert_eq!(committed_state(&mut session), "{\"a\":[1,{}],\"zoë\":\"\u{1f511}\",\"c\":\"/ \u{7f} \u{2028} é\"}");
}
