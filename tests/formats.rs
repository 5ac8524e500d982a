//! Seals, serializers and secrets: which cookies open with which options, and which are written again.

mod common;

use common::*;
use khufu::{LoadResult, OpenOptions, Outcome, Session};

#[test]
fn a_text_secret_is_encoded_as_webob_does() {
    let payload = session("{}");
    let cases: [(&[u8], Settings<'_>); 8] = [
        (b"pyramid.session.s\xe9cret", &[("secret", "sécret")]),
        ("pyramid.session.sécr€t".as_bytes(), &[("secret", "sécr€t")]),
        (b"s\xe4lts\xe9cret", &[("salt", "sält"), ("secret", "sécret")]),
        ("s€ltsécret".as_bytes(), &[("salt", "s€lt"), ("secret", "sécret")]),
        ("sältsécr€t".as_bytes(), &[("salt", "sält"), ("secret", "sécr€t")]),
        (b"pyramid.session.\xff\x00\xfe", &[("secret_hex", "ff00FE")]),
        (b"s\xe4lt\xff", &[("salt", "sält"), ("secret_hex", "ff")]),
        ("s€lt\u{1}".as_bytes(), &[("salt", "s€lt"), ("secret_hex", "01")]),
    ];
    for (key, settings) in cases {
        let session = open(&factory(settings), &signed_with(key, &payload));
        assert_eq!(session.load_result(), LoadResult::Loaded, "{settings:?}");
    }
    let utf8 = signed_with("pyramid.session.sécret".as_bytes(), &payload);
    assert_eq!(open(&factory(&[("secret", "sécret")]), &utf8).load_result(), LoadResult::BadSignature);
}

#[test]
fn secrets_may_have_any_length() {
    for length in [1, 63, 64, 127, 128, 129, 1000, 100_000] {
        let secret = "k".repeat(length);
        let value = signed_with(format!("pyramid.session.{secret}").as_bytes(), session("{}"));
        assert_eq!(open(&factory(&[("secret", &secret)]), &value).load_result(), LoadResult::Loaded, "{length}");
    }
}

/// Writes a session with the first options, and opens it with the second.
fn handed_on(from: Settings<'_>, to: Settings<'_>) -> Session {
    let mut session = factory(from).open_with(b"", &OpenOptions::new().now(NOW - 100.0)).unwrap();
    session.update_json(r#"{"a":[1,"zoë",null],"b":{"c":1.5}}"#).unwrap();
    let value = value_of(&commit(&mut session).unwrap()).to_owned();
    open(&factory(to), &value)
}

#[test]
fn no_format_opens_another_formats_cookies() {
    for from in FORMATS {
        for to in FORMATS {
            let session = handed_on(from, to);
            let expected = match (from == to, from[0] == to[0]) {
                (true, _) => &[LoadResult::Loaded][..],
                (false, true) => &[LoadResult::Malformed],
                (false, false) => &[LoadResult::BadSignature],
            };
            assert!(expected.contains(&session.load_result()), "{from:?} to {to:?}: {}", session.load_result());
        }
    }
}

#[test]
fn every_hashalg_can_be_written_and_read() {
    for hashalg in ["sha512", "sha384", "sha256", "sha224", "sha1"] {
        let settings = [("hashalg", hashalg)];
        assert_eq!(handed_on(&settings, &settings).load_result(), LoadResult::Loaded, "{hashalg}");
        let other = [("hashalg", if hashalg == "sha512" { "sha384" } else { "sha512" })];
        assert_eq!(handed_on(&settings, &other).load_result(), LoadResult::BadSignature, "{hashalg}");
    }
}

#[test]
fn a_session_sealed_with_a_previous_secret_is_written_again_even_if_not_read() {
    let cases: [(Settings<'_>, Settings<'_>); 3] = [
        (&[("secret", "old")], &[("secret", "new"), ("previous_secret", "older"), ("previous_secret", "old")]),
        (&[("secret_hex", "ff")], &[("secret", "new"), ("previous_secret", "x"), ("previous_secret_hex", "ff")]),
        (
            &[("type", "encrypted_cookie"), ("secret", KEY)],
            &[
                ("type", "encrypted_cookie"),
                ("secret_hex", "ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff"),
                ("previous_secret", KEY),
            ],
        ),
    ];
    for (old, new) in cases {
        let mut session = handed_on(old, new);
        assert_eq!(session.load_result(), LoadResult::LoadedPreviousSecret, "{new:?}");
        assert!(!session.is_new() && session.is_changed() && session.load_format().is_none());
        let (renewed, created) = (session.renewed(), session.created());
        let value = value_of(&commit(&mut session).unwrap()).to_owned();
        let mut again = open(&factory(&new[..2]), &value);
        assert_eq!(again.load_result(), LoadResult::Loaded, "the current secret signs");
        assert_eq!((again.renewed(), again.created()), (renewed, created), "an unread session keeps its times");
        assert_eq!(again.to_json(), r#"{"a":[1,"zoë",null],"b":{"c":1.5}}"#);
        assert!(!session.is_changed(), "it is written only once");
    }
}

#[test]
fn an_expired_session_sealed_with_a_previous_secret_is_not_written() {
    let value = signed("[1000, 1000, {}]");
    let mut session = open(&factory(&[("secret", "new"), ("previous_secret", SECRET)]), &value);
    assert_eq!(session.load_result(), LoadResult::Expired);
    assert_eq!(commit(&mut session), None);
}

#[test]
fn a_secret_that_is_not_configured_opens_nothing() {
    let session = handed_on(&[("secret", "old")], &[("secret", "new"), ("previous_secret", "older")]);
    assert_eq!(session.load_result(), LoadResult::BadSignature);
}

/// A site that now encrypts its cookies. Before, it signed JSON with one secret, and earlier pickles with another.
const MIGRATION: Settings<'static> = &[
    ("type", "encrypted_cookie"),
    ("secret", KEY),
    ("accept.signed.secret", "second"),
    ("accept.signed.previous_secret", "second before"),
    ("accept.pyramid-1_x.serializer", "pickle"),
    ("accept.pyramid-1_x.secret", "first"),
    ("accept.pyramid-1_x.salt", "pepper"),
    ("accept.pyramid-1_x.hashalg", "sha1"),
];

#[test]
fn an_accepted_format_is_read_and_named_and_written_in_the_current_one() {
    let cases: [(&str, Settings<'_>); 3] = [
        ("signed", &[("secret", "second")]),
        ("signed", &[("secret", "second before")]),
        ("pyramid-1_x", &[("secret", "first"), ("serializer", "pickle"), ("salt", "pepper"), ("hashalg", "sha1")]),
    ];
    for (name, from) in cases {
        let mut session = handed_on(from, MIGRATION);
        assert_eq!(session.load_result(), LoadResult::LoadedOtherFormat, "{from:?}");
        assert_eq!(session.load_format(), Some(name));
        assert!(session.is_changed());
        let value = value_of(&commit(&mut session).unwrap()).to_owned();
        let mut session = open(&factory(&MIGRATION[..2]), &value);
        assert_eq!(session.load_result(), LoadResult::Loaded);
        assert_eq!(session.to_json(), r#"{"a":[1,"zoë",null],"b":{"c":1.5}}"#);
    }
    let session = handed_on(&MIGRATION[..2], MIGRATION);
    assert_eq!((session.load_result(), session.load_format()), (LoadResult::Loaded, None));
}

#[test]
fn cookies_of_formats_that_are_not_accepted_do_not_open() {
    let not_listed: [Settings<'_>; 6] = [
        &[("secret", "second"), ("serializer", "pickle")],
        &[("secret", "first")],
        &[("secret", "second"), ("salt", "pepper")],
        &[("secret", "first"), ("serializer", "pickle"), ("salt", "pepper")],
        &[("secret", KEY)],
        &[("secret_hex", KEY)],
    ];
    for from in not_listed {
        let mut session = handed_on(from, MIGRATION);
        assert!(
            matches!(session.load_result(), LoadResult::BadSignature | LoadResult::Malformed),
            "{from:?}: {}",
            session.load_result()
        );
        assert!(session.is_new() && session.is_empty() && session.load_format().is_none());
    }
    for payload in [session("{}"), r#"{"a":1}"#.to_owned()] {
        for value in [base64(&payload), payload.clone(), base64([&[0; 64], payload.as_bytes()].concat())] {
            let session = open(&factory(MIGRATION), &value);
            assert!(matches!(session.load_result(), LoadResult::BadSignature | LoadResult::Malformed), "{value}");
        }
    }
}

#[test]
fn formats_are_tried_in_the_order_of_their_first_mention() {
    let chain = |first: &str, second: &str| {
        let names = [first, second, first].map(|name| format!("accept.{name}.secret"));
        let settings: Vec<_> = names.iter().map(|name| (&**name, "old")).collect();
        let settings = [&[("secret", "new")][..], &settings].concat();
        handed_on(&[("secret", "old")], &settings).load_format().map(str::to_owned)
    };
    assert_eq!(chain("b", "a").as_deref(), Some("b"));
    assert_eq!(chain("a", "b").as_deref(), Some("a"));
}

#[test]
fn a_payload_that_verifies_but_does_not_parse_is_tried_with_the_next_format() {
    let pickled: Settings<'_> = &[("serializer", "pickle")];
    let both: Settings<'_> = &[("accept.old.serializer", "pickle"), ("accept.old.secret", SECRET)];
    let session = handed_on(pickled, both);
    assert_eq!((session.load_result(), session.load_format()), (LoadResult::LoadedOtherFormat, Some("old")));
    let reversed: Settings<'_> =
        &[("serializer", "pickle"), ("accept.new.serializer", "json"), ("accept.new.secret", SECRET)];
    let session = handed_on(&[], reversed);
    assert_eq!((session.load_result(), session.load_format()), (LoadResult::LoadedOtherFormat, Some("new")));
}

#[test]
fn a_payload_that_no_format_parses_is_malformed_even_if_other_seals_are_tried() {
    let unparsed: [Settings<'_>; 2] = [
        &[("type", "encrypted_cookie"), ("secret", KEY), ("serializer", "pickle")],
        &[("secret", "second"), ("serializer", "pickle")],
    ];
    for from in unparsed {
        let session = handed_on(from, MIGRATION);
        assert_eq!(session.load_result(), LoadResult::Malformed, "{from:?}");
        assert!(session.refusal().unwrap().contains("payload"), "{from:?}: {:?}", session.refusal());
    }
}

#[test]
fn a_session_of_an_accepted_format_expires() {
    let value = signed_with(b"pyramid.session.second", "[1000, 1000, {}]");
    assert_eq!(open(&factory(MIGRATION), &value).load_result(), LoadResult::Expired);
}

/// A genuine pickle of a session with a value that khufu does not read: a call of a function.
const UNREADABLE: &[u8] = b"\x80\x02J\0\xf1SeJ\0\xf1Se}X\x01\0\0\0acdatetime\ndate\n(K\x01tRs\x87.";

#[test]
fn an_unsupported_session_is_not_overwritten_until_it_is_invalidated() {
    let settings: Settings<'_> = &[("serializer", "pickle")];
    let deep = session(&format!("{{\"a\":{}{}}}", "[".repeat(1001), "]".repeat(1001)));
    for (settings, value) in [(settings, signed(UNREADABLE)), (&[], signed(deep))] {
        let factory = factory(settings);
        let mut session = open(&factory, &value);
        assert_eq!(session.load_result(), LoadResult::Unsupported, "{:?}", session.refusal());
        assert!(session.is_new() && session.is_empty());
        let why = session.refusal().unwrap().to_owned();
        assert_eq!(commit(&mut session), None, "nothing changed, so nothing is overwritten");
        session.set_json("a", "1").unwrap();
        for _ in 0..2 {
            let error = session.commit(Outcome::Response).unwrap_err();
            assert!(matches!(error, khufu::Error::Unsupported(_)));
            assert!(error.to_string().contains(&why) && error.to_string().contains("invalidate"), "{error}");
            assert!(session.is_changed() && session.set_cookies().is_empty());
        }
        session.invalidate();
        session.set_json("a", "2").unwrap();
        let value = value_of(&commit(&mut session).unwrap()).to_owned();
        assert_eq!(open(&factory, &value).get_i64("a").unwrap(), Some(2));
    }
    let mut session = open(&factory(settings), &signed(UNREADABLE));
    session.invalidate();
    assert!(commit(&mut session).unwrap().contains("Max-Age=0"), "it can be discarded");
}

#[test]
fn an_unsupported_payload_is_unsupported_whatever_other_formats_were_tried() {
    for settings in [
        &[("serializer", "pickle"), ("accept.new.secret", SECRET), ("accept.z.secret", "x")][..],
        &[("serializer", "json"), ("accept.old.secret", SECRET), ("accept.old.serializer", "pickle")],
    ] {
        assert_eq!(open(&factory(settings), &signed(UNREADABLE)).load_result(), LoadResult::Unsupported);
    }
}

#[test]
fn an_encrypted_cookie_reveals_nothing_and_differs_each_time() {
    let settings = [("type", "encrypted_cookie"), ("secret", KEY)];
    let written = || {
        let mut session = factory(&settings).open_with(b"", &OpenOptions::new().now(NOW)).unwrap();
        session.set_str("password", "hunter2hunter2hunter2").unwrap();
        unbase64(value_of(&commit(&mut session).unwrap()))
    };
    let (one, other) = (written(), written());
    assert_ne!(one[..24], other[..24], "the nonces differ");
    assert_ne!(one[40..], other[40..]);
    for bytes in [one, other] {
        assert!(!bytes.windows(7).any(|window| window == b"hunter2"));
    }
}

#[test]
fn pyramids_encrypted_payloads_open() {
    let settings = [("type", "encrypted_cookie"), ("secret", KEY)];
    let mut session = open(&factory(&settings), &encrypted(session(r#"{"a": 1}"#)));
    assert_eq!(session.load_result(), LoadResult::Loaded);
    assert_eq!(session.get_i64("a").unwrap(), Some(1));
    let uppercase = KEY.to_uppercase();
    let settings = [("type", "encrypted_cookie"), ("secret_hex", &*uppercase)];
    assert_eq!(open(&factory(&settings), &encrypted(common::session("{}"))).load_result(), LoadResult::Loaded);
}

#[test]
fn a_value_too_short_for_a_seal_is_malformed() {
    let settings: Settings<'_> = &[("type", "encrypted_cookie"), ("secret", KEY)];
    for length in 0..40 {
        let session = open(&factory(settings), &base64(vec![7; length]));
        assert_eq!(session.load_result(), LoadResult::Malformed);
        assert!(session.refusal().unwrap().contains("too short"));
    }
    assert_eq!(open(&factory(settings), &base64([7; 40])).load_result(), LoadResult::BadSignature);
    assert_eq!(open(&factory(settings), &encrypted("")).load_result(), LoadResult::Malformed);
}

#[test]
fn a_genuine_cookie_that_cannot_be_read_is_not_replaced_by_an_older_one() {
    let good = signed(b"\x80\x02J\0\xf1SeJ\0\xf1Se}\x87.");
    let header = format!("session={good}; session={}", signed(UNREADABLE));
    let session =
        factory(&[("serializer", "pickle")]).open_with(header.as_bytes(), &OpenOptions::new().now(NOW)).unwrap();
    assert_eq!(session.load_result(), LoadResult::Unsupported);
}
