//! Commit: the response's `Set-Cookie` values.

mod common;

use common::*;
use khufu::{Error, LoadResult, SetCookie};

const EXPIRED: &str = "Expires=Thu, 01 Jan 1970 00:00:00 GMT";

#[test]
fn nothing_changed_gives_no_cookie() {
    let mut session = holding(r#"{"a": 1}"#);
    assert_eq!(session.get_int64("a").unwrap(), Some(1));
    assert_eq!(session.commit(false).unwrap(), &[] as &[SetCookie]);
    assert_eq!(session.set_cookies(), &[] as &[SetCookie]);
    assert!(session.vary(), "it was read");
}

#[test]
fn a_change_gives_one_cookie_that_opens_to_the_same() {
    for settings in FORMATS {
        let factory = factory(settings);
        let mut session = factory.open_at(b"", NOW).unwrap();
        session.update(r#"{"user":"zoë","n":[1,2.5,null,true,{"":"🔑"}],"big":1180591620717411303424}"#).unwrap();
        let state = session.to_json().to_owned();
        let set_cookie = commit(&mut session).unwrap();
        assert!(session.set_cookies().iter().map(|cookie| &**cookie).eq([&*set_cookie]));
        assert!(set_cookie.starts_with("session=") && set_cookie.ends_with("; Path=/; SameSite=Lax"), "{set_cookie}");
        let header = set_cookie.split(';').next().unwrap();
        let mut session = factory.open_at(header.as_bytes(), NOW + 0.5).unwrap();
        assert_eq!(session.load_result(), LoadResult::Loaded, "{settings:?}");
        assert_eq!(session.to_json(), state);
        assert_eq!((session.created(), session.renewed()), (NOW, NOW.floor()));
    }
}

#[test]
fn the_attributes_are_those_of_webob_in_its_order() {
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
        let factory = factory(&settings);
        let expected = case["set_cookie"].as_str().unwrap();
        let delete = options.contains_key("delete");
        let mut session = factory.open_at(b"session=x", NOW).unwrap();
        if delete {
            session.invalidate()
        } else {
            session.changed()
        }
        let set_cookie = commit(&mut session).unwrap();
        let names = |cookie: &str| -> Vec<String> {
            let attributes = cookie.split("; ").skip(1).map(|attribute| {
                let lower = attribute.to_ascii_lowercase();
                if lower.starts_with("expires=") { "expires".to_owned() } else { lower }
            });
            attributes.collect()
        };
        let mut expected_names = names(expected);
        if delete {
            // WebOb forgets the attribute; the browser would then keep what it should drop.
            expected_names.push("samesite=lax".to_owned());
        }
        assert_eq!(names(&set_cookie), expected_names, "{options:?}");
        let name = expected.split('=').next().unwrap();
        assert!(set_cookie.starts_with(&format!("{name}=")));
    }
}

#[test]
fn max_age_comes_with_the_date_that_it_means() {
    let set_cookie = |max_age, now| {
        let mut session = factory(&[("max_age", max_age)]).open_at(b"", now).unwrap();
        session.changed();
        commit(&mut session).unwrap()
    };
    let attributes = |max_age, now| set_cookie(max_age, now).split_once("; ").unwrap().1.to_owned();
    assert_eq!(
        attributes("3600", 784_111_777.9),
        "Max-Age=3600; Path=/; Expires=Sun, 06 Nov 1994 09:49:37 GMT; SameSite=Lax"
    );
    assert_eq!(attributes("0", 0.0), "Max-Age=0; Path=/; Expires=Thu, 01 Jan 1970 00:00:00 GMT; SameSite=Lax");
    assert_eq!(
        attributes("86400", 951_696_000.0),
        "Max-Age=86400; Path=/; Expires=Tue, 29 Feb 2000 00:00:00 GMT; SameSite=Lax"
    );
    let last = "Expires=Fri, 31 Dec 9999 23:59:59 GMT";
    for (max_age, now) in [("0", 253_402_300_799.0), ("1", 253_402_300_799.0), ("10000000000", 253_402_000_000.0)] {
        assert!(attributes(max_age, now).contains(last), "the year 9999 is the last");
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
    let mut session = factory(&options).open_at(b"__Secure-sid=x", 0.0).unwrap();
    session.changed();
    let set_cookie = commit(&mut session).unwrap();
    let expected = "Max-Age=60; Domain=example.com; Path=/app; Expires=Thu, 01 Jan 1970 00:01:00 GMT; Secure; \
                    HttpOnly; SameSite=None";
    assert_eq!(set_cookie.split_once("; ").unwrap().1, expected);
    session.invalidate();
    let clearing = commit(&mut session).unwrap();
    let expected =
        format!("__Secure-sid=; Max-Age=0; Domain=example.com; Path=/app; {EXPIRED}; Secure; HttpOnly; SameSite=None");
    assert_eq!(clearing, expected);
}

#[test]
fn a_cookie_too_large_names_its_length_and_loses_nothing() {
    let mut session = holding(r#"{"keep": 1}"#);
    session.set_string("big", &"x".repeat(5000)).unwrap();
    for _ in 0..2 {
        let error = session.commit(false).unwrap_err();
        let Error::TooLarge { length, limit } = error else { panic!("{error}") };
        // The signature, the payload, and four characters for each three bytes of them.
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
            let mut session = factory.open_at(b"", 1_700_000_000.0).unwrap();
            session.set_string("a", &"x".repeat(length)).unwrap();
            session.commit(false).map(|cookies| value_of(&cookies[0]).to_owned())
        };
        let most = (2900..3048).filter(|length| commit_with(*length).is_ok()).max().unwrap();
        let value = commit_with(most).unwrap();
        assert_eq!(value.len(), 4064, "{settings:?}");
        assert_eq!(open(&factory, &value).load_result(), LoadResult::Loaded);
        for more in 1..10 {
            let error = commit_with(most + more).unwrap_err();
            assert!(matches!(error, Error::TooLarge { length, limit: 4064 } if length > 4064), "{error}");
        }
    }
}

#[test]
fn commit_again_after_further_changes() {
    let mut session = holding("{}");
    session.set("a", "1").unwrap();
    assert_eq!(committed_state(&mut session), r#"{"a":1}"#);
    assert!(!session.is_changed());
    assert_eq!(commit(&mut session), None, "nothing happened since");
    session.set("b", "2").unwrap();
    assert_eq!(committed_state(&mut session), r#"{"a":1,"b":2}"#);
    assert_eq!(commit(&mut session), None);
    session.invalidate();
    assert!(commit(&mut session).unwrap().contains("Max-Age=0"));
    assert_eq!(commit(&mut session), None, "the browser has no cookie any more");
    session.invalidate();
    assert_eq!(commit(&mut session), None);
}

#[test]
fn an_exception_withholds_the_cookie_where_set_on_exception_is_off() {
    let value = signed(session("{}"));
    for (set_on_exception, exception, written) in
        [("true", true, true), ("true", false, true), ("false", true, false), ("false", false, true)]
    {
        let factory = factory(&[("set_on_exception", set_on_exception)]);
        let mut session = open(&factory, &value);
        session.set("a", "1").unwrap();
        assert_eq!(session.commit(exception).unwrap().len(), usize::from(written));
        let mut session = open(&factory, &value);
        session.invalidate();
        assert_eq!(session.commit(exception).unwrap().len(), usize::from(written));
    }
    let mut session = open(&factory(&[("set_on_exception", "false")]), &value);
    session.set("a", "1").unwrap();
    assert!(session.commit(true).unwrap().is_empty());
    assert!(session.is_changed(), "the change is still there");
    assert_eq!(session.commit(false).unwrap().len(), 1);
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
fn a_bad_cookie_can_be_cleared_too() {
    for value in [&*base64([0; 99]), "junk", "", &signed("[1, 1, {}]")] {
        let mut session = open(&factory(&[]), value);
        session.invalidate();
        assert!(commit(&mut session).unwrap().contains("Max-Age=0"), "{value}");
    }
}

#[test]
fn invalidating_where_the_browser_sent_no_cookie_gives_none() {
    let mut session = fresh();
    session.set("a", "1").unwrap();
    session.invalidate();
    assert_eq!(commit(&mut session), None);
}

#[test]
fn what_is_set_after_invalidate_belongs_to_the_new_session() {
    let mut session = holding(r#"{"old": 1, "_csrft_": "t"}"#);
    session.set("gone", "1").unwrap();
    session.invalidate();
    session.set("a", "1").unwrap();
    assert_eq!(committed(&mut session), r#"[1700000060,1700000060.25,{"a":1}]"#);
    assert!(session.is_new());
}

#[test]
fn reading_an_invalidated_session_writes_nothing() {
    let mut session = open(&factory(&[]), &signed(session(r#"{"a": 1}"#)));
    session.invalidate();
    assert_eq!(session.get("a").unwrap(), None);
    assert_eq!(session.to_json(), "{}");
    assert!(commit(&mut session).unwrap().contains("Max-Age=0"));
}

#[test]
fn vary_tells_whether_the_response_depended_on_the_session() {
    let value = signed(session(r#"{"a": 1}"#));
    let opened = || open(&factory(&[("reissue_time", "")]), &value);
    assert!(!opened().vary());
    let mut untouched = opened();
    untouched.commit(false).unwrap();
    assert!(!untouched.vary());
    let mut read = opened();
    read.contains("b");
    assert!(read.vary());
    let mut misread = opened();
    assert!(misread.get_string("a").is_err());
    assert!(misread.vary(), "the failure is an answer, too");
    let mut written = opened();
    written.set("b", "1").unwrap();
    assert!(written.vary());
    let mut rotated = open(&factory(&[("secret", "new"), ("previous_secret", SECRET)]), &value);
    rotated.commit(false).unwrap();
    assert!(rotated.vary(), "a response with a cookie is no shared cache's");
}

#[test]
fn json_is_written_compactly_and_unescaped() {
    let mut session = holding("{ \"a\" : [ 1 , { } ] , \"zo\u{eb}\" : \"\u{1f511}\" }");
    session.set_string("c", "/ \u{7f} \u{2028} é").unwrap();
    assert_eq!(committed_state(&mut session), "{\"a\":[1,{}],\"zoë\":\"\u{1f511}\",\"c\":\"/ \u{7f} \u{2028} é\"}");
}
