//! Opening: how the cookies that a browser sends are opened.

mod common;

use std::time::{SystemTime, UNIX_EPOCH};

use common::*;
use khufu::{Error, LoadResult, OpenOptions};

#[test]
fn a_request_without_a_cookie_opens_a_new_empty_session() {
    for header in ["", "theme=dark", "Session=x", "session", "sessions=x; xsession=y"] {
        let mut session = factory(&[]).open_with(header.as_bytes(), &OpenOptions::new().now(NOW)).unwrap();
        assert_eq!(session.load_result(), LoadResult::None, "{header}");
        assert_eq!(session.load_format(), None);
        assert!(session.is_new() && !session.is_changed());
        assert_eq!((session.created(), session.renewed(), session.accessed()), (NOW, NOW, NOW));
        assert_eq!(session.to_json(), "{}");
        assert_eq!(commit(&mut session), None);
    }
}

#[test]
fn the_reason_mentions_other_cookies_without_their_names_or_values() {
    for header in ["theme=dark", "Session=dark", "sessions=dark; theme=x", "junk; theme=\"dark\""] {
        let session = factory(&[]).open_with(header.as_bytes(), &OpenOptions::new().now(NOW)).unwrap();
        let reason = session.refusal().unwrap();
        assert!(reason.contains("cookies, but none") && reason.contains("cookie_name"), "{reason}");
        assert!(!reason.contains("dark") && !reason.contains("theme") && !reason.contains("ession"), "{reason}");
    }
    for header in ["", "session", ";;", " "] {
        assert_eq!(
            factory(&[]).open_with(header.as_bytes(), &OpenOptions::new().now(NOW)).unwrap().refusal(),
            None,
            "{header}"
        );
    }
}

#[test]
fn a_cookie_that_verifies_is_the_session() {
    let mut session = open(&factory(&[]), &signed(session(r#"{"user": "zoë", "n": 1}"#)));
    assert_eq!(session.load_result(), LoadResult::Loaded);
    assert_eq!((session.refusal(), session.load_format()), (None, None));
    assert!(!session.is_new() && !session.is_changed());
    assert_eq!((session.created(), session.renewed(), session.accessed()), (CREATED, RENEWED, RENEWED));
    assert_eq!(session.get_str("user").unwrap(), Some("zoë"));
}

#[test]
fn expired_session_is_new_and_empty() {
    let factory = factory(&[("timeout", "60")]);
    let header = format!("session={}", signed(session(r#"{"a": 1}"#)));
    for now in [RENEWED + 60.25, RENEWED + 1e9] {
        let mut session = factory.open_with(header.as_bytes(), &OpenOptions::new().now(now)).unwrap();
        assert_eq!(session.load_result(), LoadResult::Expired);
        assert!(session.is_new() && session.is_empty() && !session.is_changed());
        assert_eq!(session.created(), now, "it is a new session");
        assert_eq!(commit(&mut session), None);
        assert!(session.refusal().unwrap().contains("60 seconds"));
    }
}

#[test]
fn a_session_idle_for_exactly_its_timeout_has_not_expired() {
    let header = format!("session={}", signed(session("{}")));
    let result = |timeout, now| {
        factory(&[("timeout", timeout)])
            .open_with(header.as_bytes(), &OpenOptions::new().now(now))
            .unwrap()
            .load_result()
    };
    assert_eq!(result("60", RENEWED + 60.0), LoadResult::Loaded);
    assert_eq!(result("0", RENEWED), LoadResult::Loaded);
    assert_eq!(result("0", RENEWED + 0.001), LoadResult::Expired);
    assert_eq!(result("", 253_402_300_799.0), LoadResult::Loaded, "without a timeout, a session never expires");
    assert_eq!(result("60", RENEWED - 1e6), LoadResult::Loaded, "renewed in the future");
    let default = factory(&[]);
    assert_eq!(
        default.open_with(header.as_bytes(), &OpenOptions::new().now(RENEWED + 1200.0)).unwrap().load_result(),
        LoadResult::Loaded
    );
    assert_eq!(
        default.open_with(header.as_bytes(), &OpenOptions::new().now(RENEWED + 1200.5)).unwrap().load_result(),
        LoadResult::Expired
    );
}

#[test]
fn another_secret_salt_or_algorithm_is_a_bad_signature() {
    let value = signed(session(r#"{"a": 1}"#));
    for settings in [
        [("secret", "itsaseekreeT")],
        [("secret", "itsaseekreet ")],
        [("salt", "pyramid.session")],
        [("salt", "")],
        [("hashalg", "sha256")],
        [("type", "encrypted_cookie")],
    ] {
        let mut settings = settings.to_vec();
        if settings[0].0 == "type" {
            settings.push(("secret", KEY));
        }
        let mut session = open(&factory(&settings), &value);
        assert_eq!(session.load_result(), LoadResult::BadSignature, "{settings:?}");
        assert!(session.is_new() && session.is_empty());
        let compare: &[_] = if settings[0].0 == "type" { &["type"] } else { &["salt", "hashalg"] };
        for option in [&["secret"], compare].concat() {
            assert!(session.refusal().unwrap().contains(option), "{:?}", session.refusal());
        }
    }
}

#[test]
fn salt_and_secret_are_one_key() {
    let value = signed_with(b"ab", session("{}"));
    for settings in [[("salt", "a"), ("secret", "b")], [("salt", ""), ("secret", "ab")]] {
        assert_eq!(open(&factory(&settings), &value).load_result(), LoadResult::Loaded);
    }
}

#[test]
fn padding_is_accepted_and_escaped_padding_is_not() {
    let mut lengths = [false; 3];
    for filling in ["", "1", "12"] {
        let value = signed(session(&format!(r#"{{"a": "{filling}"}}"#)));
        let padding = &"=="[..(4 - value.len() % 4) % 4];
        lengths[padding.len()] = true;
        for (value, result) in [
            (format!("{value}{padding}"), LoadResult::Loaded),
            (format!("\"{value}{padding}\""), LoadResult::Loaded),
            (format!("{value}==="), LoadResult::Malformed),
            (
                format!("\"{value}{}\"", padding.replace('=', "\\075")),
                match padding {
                    "" => LoadResult::Loaded,
                    _ => LoadResult::Malformed,
                },
            ),
        ] {
            assert_eq!(open(&factory(&[]), &value).load_result(), result, "{value}");
        }
    }
    assert_eq!(lengths, [true; 3], "every length of padding was tested");
}

#[test]
fn a_cookie_that_is_not_base64_or_too_short_is_malformed() {
    let value = signed(session("{}"));
    let cases = [
        (String::new(), "too short"),
        ("x".to_owned(), "base64"),
        ("not base64!".to_owned(), "base64"),
        (format!("{value}*"), "base64"),
        (base64([0; 63]), "too short"),
        (value.replacen(&value[..1], "%", 1), "base64"),
    ];
    for (value, reason) in cases {
        let session = open(&factory(&[]), &value);
        assert_eq!(session.load_result(), LoadResult::Malformed, "{value}");
        assert!(session.refusal().unwrap().contains(reason), "{value}: {:?}", session.refusal());
    }
    assert_eq!(open(&factory(&[]), &base64([0; 64])).load_result(), LoadResult::BadSignature);
}

#[test]
fn a_genuine_payload_that_is_not_a_session_is_malformed() {
    for payload in [
        "",
        " ",
        "null",
        "{}",
        "[]",
        "[1]",
        "[1,2]",
        "[1,2,{}",
        "[1,2,{}]]",
        "[1,2,{}] x",
        "[1,2,{},3]",
        "[1,2,[]]",
        "[1,2,null]",
        "[1,2,\"{}\"]",
        "[1,2,NaN]",
        "[null,2,{}]",
        "[1,\"2\",{}]",
        "[true,2,{}]",
        "[NaN,2,{}]",
        "[1,Infinity,{}]",
        "[1,-Infinity,{}]",
        "[1e999,2,{}]",
        "[1,-1e999,{}]",
        "[01,2,{}]",
        "[1.,2,{}]",
        "[.1,2,{}]",
        "[+1,2,{}]",
        "[1,2,{\"a\":}]",
        "[1,2,{\"a\"}]",
        "[1,2,{a:1}]",
        "[1,2,{'a':1}]",
        "[1,2,{\"a\":1,}]",
        "[1,2,{\"a\":1}},]",
        "[1,2,{\"a\":[1}]}]",
        "[1,2,{\"a\":\"\n\"}]",
        "[1,2,{\"a\":\"\\x\"}]",
        "[1,2,{\"a\":\"\\u12g4\"}]",
        "[1,2,{\"a\":nul}]",
        "[1,2,{\"a\":NaNa}]",
        "[1,2,{\"a\":-NaN}]",
        "[1,2,{\"a\":+Infinity}]",
        "\u{feff}[1,2,{}]",
        "[1,2,{}]\u{0}",
        "[1,2,\u{c}{}]",
    ] {
        let (result, why) = outcome(&[("timeout", "")], payload);
        assert_eq!(result, LoadResult::Malformed, "{payload}");
        assert!(!why.is_empty());
    }
    assert_eq!(outcome(&[("timeout", "")], b"[1,2,{\"a\":\"\xff\"}]").0, LoadResult::Malformed);
    assert_eq!(outcome(&[("timeout", "")], b"[1,2,{\"a\":\"\xed\xa0\x80\"}]").0, LoadResult::Malformed);
}

#[test]
fn times_may_be_numbers_of_any_form() {
    for (text, number) in [("0", 0.0), ("-0.0", 0.0), ("-5", -5.0), ("17e8", 1.7e9), ("1.7E+9", 1.7e9), ("0.1", 0.1)] {
        let payload = format!("[{text}, {text}, {{}}]");
        let session = open(&factory(&[("timeout", "")]), &signed(payload));
        assert_eq!((session.load_result(), session.created()), (LoadResult::Loaded, number), "{text}");
        assert_eq!(session.renewed(), number);
    }
}

#[test]
fn white_space_is_allowed_wherever_json_allows_it() {
    let mut session = holding("\r\n\t {\n \"a\" \t:\r [ 1 , { } ] }\n ");
    assert_eq!(session.get_json("a").unwrap().map(json), Some(json("[1,{}]")));
    let (result, _) = outcome(&[], " [ 1700000000 , 1 ,\t{ } ] \n");
    assert_eq!(result, LoadResult::Loaded);
}

#[test]
fn the_last_cookie_that_verifies_and_has_not_expired_is_used() {
    let factory = factory(&[]);
    let good = |n: u32| signed(session(&format!("{{\"n\": {n}}}")));
    let expired = signed(r#"[1000, 1000, {"n": 99}]"#);
    let which = |values: &[&str]| {
        let header: Vec<String> = values.iter().map(|value| format!("session={value}")).collect();
        let mut session = factory.open_with(header.join("; ").as_bytes(), &OpenOptions::new().now(NOW)).unwrap();
        (session.load_result(), session.get_i64("n").unwrap())
    };
    assert_eq!(which(&[&good(1), &good(2)]), (LoadResult::Loaded, Some(2)));
    assert_eq!(which(&[&good(1), "junk"]), (LoadResult::Loaded, Some(1)));
    assert_eq!(which(&[&good(1), &expired]), (LoadResult::Loaded, Some(1)));
    assert_eq!(which(&[&good(1), &base64([0; 99]), "", &expired]), (LoadResult::Loaded, Some(1)));
    assert_eq!(which(&["junk", &expired, &base64([0; 99])]), (LoadResult::Expired, None));
    assert_eq!(which(&["junk", &base64([0; 99]), "junk"]), (LoadResult::BadSignature, None));
    assert_eq!(which(&["junk", ""]), (LoadResult::Malformed, None));
    let junk = ["junk"; 7];
    assert_eq!(
        which(&[&[&*good(1)][..], &junk].concat()),
        (LoadResult::Loaded, Some(1)),
        "the eighth cookie from the end is tried"
    );
    assert_eq!(which(&[&[&*good(1), "junk"][..], &junk].concat()), (LoadResult::Malformed, None), "the ninth is not");
}

#[test]
fn headers_as_browsers_and_proxies_send_them_are_read() {
    let value = signed(session(r#"{"a": 1}"#));
    let factory = factory(&[]);
    for header in [
        format!("session={value}"),
        format!("session=\"{value}\""),
        format!("a=1; session={value}; b=2"),
        format!("a=1;session={value};b=2"),
        format!("a=1, session={value}"),
        format!("  session  =  {value}  "),
        format!("$Version=1; session={value}; $Path=/"),
        format!("a=\"b; c\"; session={value}"),
        format!("a; =; ;;; ==;session={value}; \"; x"),
        format!("a=\"; session={value}"),
    ] {
        let session = factory.open_with(header.as_bytes(), &OpenOptions::new().now(NOW)).unwrap();
        assert_eq!(session.load_result(), LoadResult::Loaded, "{header}");
    }
    let bytes = [b"a=\xff\xfe\x00\x80; session=".as_slice(), value.as_bytes(), b"; \xc3"].concat();
    assert_eq!(factory.open_with(&bytes, &OpenOptions::new().now(NOW)).unwrap().load_result(), LoadResult::Loaded);
    for header in
        [format!("a=\"; session={value}\""), format!("a=session={value}"), format!("session{value}"), value.clone()]
    {
        assert_eq!(
            factory.open_with(header.as_bytes(), &OpenOptions::new().now(NOW)).unwrap().load_result(),
            LoadResult::None,
            "{header}"
        );
    }
}

#[test]
fn a_cookie_of_another_name_is_another_session() {
    let value = signed(session("{}"));
    let factory = factory(&[("cookie_name", "__Host-sid"), ("secure", "true")]);
    let result =
        |header: String| factory.open_with(header.as_bytes(), &OpenOptions::new().now(NOW)).unwrap().load_result();
    assert_eq!(result(format!("session={value}")), LoadResult::None);
    assert_eq!(result(format!("__host-sid={value}")), LoadResult::None);
    assert_eq!(result(format!("__Host-sid={value}")), LoadResult::Loaded);
}

#[test]
fn open_uses_the_systems_time() {
    let clock = || SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs_f64();
    let before = clock();
    let session = factory(&[]).open(b"").unwrap();
    assert!((before..=clock()).contains(&session.created()));
}

#[test]
fn a_time_out_of_range_is_an_error() {
    let factory = factory(&[]);
    for now in [-1.0, -f64::MIN_POSITIVE, f64::NAN, f64::INFINITY, f64::NEG_INFINITY, 253_402_300_800.0] {
        let error = factory.open_with(b"", &OpenOptions::new().now(now)).err();
        assert_eq!(error, Some(Error::Now), "{now}");
        assert!(error.unwrap().to_string().contains("253402300799"));
    }
    for now in [0.0, -0.0, f64::MIN_POSITIVE, 253_402_300_799.0] {
        let mut session = factory.open_with(b"", &OpenOptions::new().now(now)).unwrap();
        session.set_i64("a", 1).unwrap();
        let value = value_of(&commit(&mut session).unwrap()).to_owned();
        let header = format!("session={value}");
        assert_eq!(
            factory.open_with(header.as_bytes(), &OpenOptions::new().now(now)).unwrap().load_result(),
            LoadResult::Loaded,
            "{now}"
        );
    }
}

#[test]
fn a_factory_is_shared_between_threads() {
    let factory = factory(&[]);
    let value = signed(session(r#"{"a": 1}"#));
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                for _ in 0..20 {
                    assert_eq!(open(&factory.clone(), &value).get_i64("a").unwrap(), Some(1));
                }
            });
        }
    });
}

#[test]
fn a_session_outlives_its_factory() {
    let mut session = open(&factory(&[]), &signed(session("{}")));
    session.set_i64("a", 1).unwrap();
    assert_eq!(committed_state(&mut session), r#"{"a":1}"#);
}
