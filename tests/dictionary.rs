//! The session as a dictionary of JSON values.

mod common;

use common::*;
use khufu::{Error, Session};

/// A call, and its name.
type Call = (&'static str, fn(&mut Session));

#[test]
fn keys_stay_in_the_order_in_which_they_were_added() {
    let mut session = holding(r#"{"b": 1, "a": 2}"#);
    session.set_json("c", "3").unwrap();
    session.set_json("b", "4").unwrap();
    assert_eq!(session.to_json(), r#"{"b":4,"a":2,"c":3}"#, "a key that is set again keeps its position");
    assert!(session.delete("b"));
    session.set_json("b", "5").unwrap();
    assert_eq!(session.to_json(), r#"{"a":2,"c":3,"b":5}"#, "a deleted key that is set again comes last");
    let expected = [("a", "2"), ("c", "3"), ("b", "5")].map(|(key, value)| (key.to_owned(), value.to_owned()));
    assert_eq!(items(&mut session), expected);
    assert_eq!(session.len(), 3);
    assert!(session.contains("a") && !session.contains("A"));
    assert_eq!(committed_state(&mut session), r#"{"a":2,"c":3,"b":5}"#);
}

#[test]
fn any_text_is_a_key() {
    let keys = ["", "\0", "\"", "\\", "\\u0061", "\n\r\t\u{8}\u{c}\u{1f}\u{7f}", "ключ", "🔑", "a.b", "__proto__"];
    let mut session = holding("{}");
    for (number, key) in keys.into_iter().enumerate() {
        session.set_i64(key, number as i64).unwrap();
    }
    let value = value_of(&commit(&mut session).unwrap()).to_owned();
    let mut session = open(&factory(&[]), &value);
    assert_eq!(session.len(), keys.len());
    for (number, key) in keys.into_iter().enumerate() {
        assert_eq!(session.get_i64(key).unwrap(), Some(number as i64), "{key:?}");
        assert_eq!(session.at(number).unwrap().0, key);
    }
    for key in keys {
        assert!(session.delete(key), "{key:?}");
    }
    assert!(session.is_empty());
}

#[test]
fn keys_compare_unescaped() {
    let mut session = holding(r#"{"\u0061": 1, "b": 2, "\ud83d\udd11": 3, "\/": 4, "\"": 5}"#);
    for (key, value) in [("a", 1), ("b", 2), ("🔑", 3), ("/", 4), ("\"", 5)] {
        assert_eq!(session.get_i64(key).unwrap(), Some(value), "{key}");
    }
    assert!(!session.contains(r"\u0061"));
    session.set_json("a", "6").unwrap();
    assert!(session.delete("/"));
    assert_eq!(json(session.to_json()), json(r#"{"a":6,"b":2,"🔑":3,"\"":5}"#));
    assert_eq!(session.len(), 4);
}

/// A state with the keys `k0` …, followed by each key once more in reverse order, with every third of these escaped;
/// and the state without duplicates.
fn with_duplicates(keys: usize) -> (String, String) {
    let escaped = |n: usize| if n.is_multiple_of(3) { format!(r#""\u006b{n}""#) } else { format!("\"k{n}\"") };
    let first = (0..keys).map(|n| format!("\"k{n}\":{n}"));
    let second = (0..keys).rev().map(|n| format!("{}:\"{n}\"", escaped(n)));
    let members: Vec<String> = first.chain(second).collect();
    let expected: Vec<String> = (0..keys).map(|n| format!("\"k{n}\":\"{n}\"")).collect();
    (format!("{{{}}}", members.join(",")), format!("{{{}}}", expected.join(",")))
}

#[test]
fn duplicate_keys_keep_the_last_value_at_the_first_place() {
    for (state, expected) in [
        (r#"{"a":1,"a":2}"#, r#"{"a":2}"#),
        (r#"{"a":1,"b":0,"a":2,"a":3}"#, r#"{"a":3,"b":0}"#),
        (r#"{"a":1,"b":0,"\u0061":[2]}"#, r#"{"a":[2],"b":0}"#),
        (r#"{"":1,"":2}"#, r#"{"":2}"#),
    ] {
        assert_eq!(holding(state).to_json(), expected);
    }
    for keys in [1, 2, 4, 5, 8, 9, 33, 64, 65, 128, 129, 200, 1000] {
        let (state, expected) = with_duplicates(keys);
        let mut session = holding(&state);
        assert_eq!(session.len(), keys);
        assert_eq!(json(session.to_json()).to_string(), json(&expected).to_string(), "{keys} keys");
        session.mark_changed();
        if keys <= 200 {
            assert_eq!(json(&committed_state(&mut session)).to_string(), json(&expected).to_string());
        }
    }
}

#[test]
fn a_duplicate_is_found_at_every_position() {
    for keys in [2, 8, 9, 33, 128, 129, 200] {
        for twice in [0, keys / 2, keys - 1] {
            for written in [format!("\"k{twice}\""), format!(r#""\u006b{twice}""#)] {
                let mut members: Vec<String> = (0..keys).map(|n| format!("\"k{n}\":{n}")).collect();
                members.push(format!("{written}:\"last\""));
                let mut session = holding(&format!("{{{}}}", members.join(",")));
                assert_eq!(session.len(), keys);
                assert_eq!(session.get_str(&format!("k{twice}")).unwrap(), Some("last"));
                assert_eq!(session.at(twice), Some((&*format!("k{twice}"), "\"last\"")));
            }
        }
    }
}

#[test]
fn similar_keys_are_different_keys() {
    let keys: Vec<String> =
        (0..120).map(|n| format!("a long prefix {n} and a long suffix")).chain((0..8).map(|n| "x".repeat(n))).collect();
    let members: Vec<String> = keys.iter().enumerate().map(|(n, key)| format!("{key:?}:{n}")).collect();
    let mut session = holding(&format!("{{{}}}", members.join(", ")));
    for (n, key) in keys.iter().enumerate() {
        assert_eq!(session.get_i64(key).unwrap(), Some(n as i64));
    }
}

#[test]
fn set_values_can_be_read() {
    let mut session = holding("{}");
    session.set_json("json", " { \"a\" : [ 1 , null ] } ").unwrap();
    assert_eq!(session.get_json("json").unwrap(), Some(r#"{"a":[1,null]}"#), "white space between tokens is dropped");
    session.set_json("json", r#""a b\u0020c""#).unwrap();
    assert_eq!(session.get_json("json").unwrap(), Some(r#""a b\u0020c""#), "white space in strings is kept");
    session.set_str("text", "a \"b\"\\\0\n🔑").unwrap();
    assert_eq!(session.get_str("text").unwrap(), Some("a \"b\"\\\0\n🔑"));
    session.set_str("text", "").unwrap();
    assert_eq!(session.get_str("text").unwrap(), Some(""));
    for number in [0, 1, -1, i64::MAX, i64::MIN] {
        session.set_i64("int", number).unwrap();
        assert_eq!(session.get_i64("int").unwrap(), Some(number));
        assert_eq!(session.get_json("int").unwrap(), Some(&*number.to_string()));
    }
    for flag in [true, false] {
        session.set_bool("bool", flag).unwrap();
        assert_eq!(session.get_bool("bool").unwrap(), Some(flag));
    }
    session.set_null("null").unwrap();
    assert_eq!(session.get_json("null").unwrap(), Some("null"));
}

#[test]
fn a_double_stays_a_double() {
    let mut session = holding("{}");
    for number in
        [0.0, -0.0, 1.0, -1.0, 0.1, 1e15, 1e16, 1e21, 1e300, 1e-7, f64::MAX, f64::MIN, f64::MIN_POSITIVE, 5e-324]
    {
        session.set_f64("n", number).unwrap();
        let text = session.get_json("n").unwrap().unwrap().to_owned();
        assert!(text.contains(['.', 'e']), "{text}");
        assert_eq!(json(&text).as_f64(), Some(number));
        assert_eq!(session.get_f64("n").unwrap().map(f64::to_bits), Some(number.to_bits()));
        assert!(matches!(session.get_i64("n"), Err(Error::Type { .. })), "{text}");
    }
    for number in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY] {
        assert!(matches!(session.set_f64("n", number), Err(Error::Range(_))));
        assert_eq!(session.get_f64("n").unwrap(), Some(5e-324), "the value is unchanged");
    }
}

/// The names of the typed reads that accept a value, with `range` if the value overflows the type.
fn typed_reads(value: &str) -> String {
    fn read<T>(name: &str, outcome: Result<Option<T>, Error>) -> String {
        match outcome {
            Ok(Some(_)) => name.to_owned(),
            Ok(None) => panic!("the key exists"),
            Err(Error::Type { key, .. }) if key == "k" => String::new(),
            Err(Error::Range(message)) if message.contains("\"k\"") => format!("{name} range"),
            Err(other) => panic!("{other}"),
        }
    }
    let mut session = holding(&format!("{{\"k\": {value}}}"));
    let reads = [
        read("json", session.get_json("k")),
        read("string", session.get_str("k")),
        read("int64", session.get_i64("k")),
        read("double", session.get_f64("k")),
        read("bool", session.get_bool("k")),
    ];
    reads.into_iter().filter(|read| !read.is_empty()).collect::<Vec<_>>().join(", ")
}

#[test]
fn a_typed_read_accepts_only_its_type() {
    for (value, expected) in [
        ("\"\"", "json, string"),
        ("\"true\"", "json, string"),
        ("\"\\ud83d\\udd11\"", "json, string"),
        ("\"\\ud800\"", "json"),
        ("\"\\udd11\\ud83d\"", "json"),
        ("true", "json, bool"),
        ("false", "json, bool"),
        ("null", "json"),
        ("[]", "json"),
        ("{}", "json"),
        ("0", "json, int64, double"),
        ("-0", "json, int64, double"),
        ("9223372036854775807", "json, int64, double"),
        ("-9223372036854775808", "json, int64, double"),
        ("9223372036854775808", "json, int64 range, double"),
        ("-9223372036854775809", "json, int64 range, double"),
        ("1.0", "json, double"),
        ("1e2", "json, double"),
        ("-1E2", "json, double"),
        ("1e308", "json, double"),
        ("1e309", "json, double range"),
        ("-1e309", "json, double range"),
        ("1e-999", "json, double"),
        ("NaN", "double"),
        ("Infinity", "double"),
        ("-Infinity", "double"),
        ("[NaN]", ""),
        ("{\"a\": [[-Infinity]]}", ""),
    ] {
        assert_eq!(typed_reads(value), expected, "{value}");
    }
    assert_eq!(typed_reads(&"9".repeat(400)), "json, int64 range, double range");
}

#[test]
fn a_missing_key_is_none_for_every_type() {
    let mut session = holding(r#"{"b": 1}"#);
    assert_eq!(session.get_json("a").unwrap(), None);
    assert_eq!(session.get_str("a").unwrap(), None);
    assert_eq!(session.get_i64("a").unwrap(), None);
    assert_eq!(session.get_f64("a").unwrap(), None);
    assert_eq!(session.get_bool("a").unwrap(), None);
    assert_eq!(session.pop_json("a").unwrap(), None);
    assert_eq!(session.at(1), None);
    assert_eq!(session.at(usize::MAX), None);
}

/// Makes a call that fails, and checks that it left the session unchanged.
fn fails_without_a_change(session: &mut Session, call: impl FnOnce(&mut Session) -> Error) -> Error {
    let state = session.to_json().to_owned();
    let properties = (session.is_changed(), session.is_new(), session.accessed(), session.created());
    let error = call(session);
    assert_eq!((session.is_changed(), session.is_new(), session.accessed(), session.created()), properties);
    assert_eq!(session.to_json(), state);
    error
}

#[test]
fn a_failed_call_changes_nothing() {
    let mut session = holding(r#"{"s": "x", "n": 1, "inf": Infinity, "_f_": 1}"#);
    let mut fails = |call: fn(&mut Session) -> Error| fails_without_a_change(&mut session, call);
    assert!(matches!(fails(|s| s.set_json("s", "{").unwrap_err()), Error::Json(_)));
    assert!(matches!(fails(|s| s.set_json("new", "").unwrap_err()), Error::Json(_)));
    assert!(matches!(fails(|s| s.set_f64("s", f64::NAN).unwrap_err()), Error::Range(_)));
    assert!(matches!(fails(|s| s.get_i64("s").unwrap_err()), Error::Type { .. }));
    assert!(matches!(fails(|s| s.get_str("n").unwrap_err()), Error::Type { .. }));
    assert!(matches!(fails(|s| s.get_json("inf").unwrap_err()), Error::Type { .. }));
    assert!(matches!(fails(|s| s.pop_json("inf").unwrap_err()), Error::Type { .. }));
    assert!(matches!(fails(|s| s.setdefault_json("inf", "1").unwrap_err()), Error::Type { .. }));
    assert!(matches!(fails(|s| s.setdefault_json("new", "x").unwrap_err()), Error::Json(_)));
    assert!(matches!(fails(|s| s.update_json("{\"new\":1,\"s\":}").unwrap_err()), Error::Json(_)));
    assert!(matches!(fails(|s| s.queue("").push_json("1").unwrap_err()), Error::Type { .. }));
    assert!(matches!(fails(|s| s.queue("q").push_json("'").unwrap_err()), Error::Json(_)));
    assert!(matches!(fails(|s| s.queue("").pop_json().unwrap_err()), Error::Type { .. }));
}

#[test]
fn a_failed_read_does_not_change_accessed() {
    let mut session = holding(r#"{"s": "x", "inf": Infinity}"#);
    assert!(session.get_i64("s").is_err() && session.get_json("inf").is_err() && session.pop_json("inf").is_err());
    assert!(
        session.set_json("s", "]").is_err()
            && session.update_json("[]").is_err()
            && session.setdefault_json("s", "").is_err()
    );
    assert_eq!(session.accessed(), RENEWED);
}

#[test]
fn an_error_names_the_problem_and_shows_no_value() {
    let mut session = holding(r#"{"name": "hunter2", "list": ["hunter2"]}"#);
    let error = session.get_i64("name").unwrap_err().to_string();
    assert!(error.contains("\"name\"") && error.contains("a string") && error.contains("an integer"), "{error}");
    let error = session.get_str("list").unwrap_err().to_string();
    assert!(error.contains("\"list\"") && error.contains("a list") && !error.contains("hunter2"), "{error}");
    let error = session.set_json("name", "[\"hunter2\",").unwrap_err().to_string();
    assert!(error.contains("not JSON") && error.contains("byte 11") && !error.contains("hunter2"), "{error}");
    let error = session.update_json("[\"hunter2\"]").unwrap_err().to_string();
    assert!(error.contains("object") && error.contains("a list") && !error.contains("hunter2"), "{error}");
}

#[test]
fn pop_removes_a_key_and_returns_its_value() {
    let mut session = holding(r#"{"a": [ 1 ], "b": 2}"#);
    let popped = session.pop_json("a").unwrap().map(json);
    assert_eq!(popped, Some(json("[1]")));
    assert!(session.is_changed() && !session.contains("a"));
    assert_eq!(session.pop_json("a").unwrap(), None);
    assert_eq!(session.to_json(), r#"{"b":2}"#);
}

#[test]
fn setdefault_sets_only_a_missing_key() {
    let mut session = holding(r#"{"a": 1}"#);
    assert_eq!(session.setdefault_json("a", "2").unwrap(), "1");
    assert!(!session.is_changed());
    assert_eq!(session.setdefault_json("b", " [ 2 ] ").unwrap(), "[2]");
    assert!(session.is_changed());
    assert_eq!(session.to_json(), r#"{"a":1,"b":[2]}"#);
}

#[test]
fn update_is_shallow_and_keeps_the_order() {
    let mut session = holding(r#"{"a": {"x": 1}, "b": 2, "c": 3}"#);
    session.update_json(" { \"d\" : 4 , \"a\" : { \"y\" : [ ] } , \"\\u0062\" : 5, \"d\": 6 } ").unwrap();
    assert_eq!(session.to_json(), r#"{"a":{"y":[]},"b":5,"c":3,"d":6}"#);
    assert!(session.is_changed());
}

#[test]
fn update_of_many_keys_equals_setting_each() {
    for keys in [8, 9, 33, 128, 129, 300] {
        let (members, _) = with_duplicates(keys);
        let mut updated = holding(r#"{"z": 0, "\u006b5": 0, "k200": 0, "k7": 0}"#);
        let mut set = holding(r#"{"z": 0, "\u006b5": 0, "k200": 0, "k7": 0}"#);
        updated.update_json(&members).unwrap();
        (0..keys).for_each(|n| set.set_i64(&format!("k{n}"), n as i64).unwrap());
        (0..keys).rev().for_each(|n| set.set_str(&format!("k{n}"), &n.to_string()).unwrap());
        assert_eq!(items(&mut updated), items(&mut set), "{keys} keys");
        assert_eq!(updated.to_json(), set.to_json());
    }
}

#[test]
fn update_sets_all_keys_or_none() {
    let mut session = holding(r#"{"a": 1}"#);
    for bad in [
        "",
        " ",
        "{\"a\":2,\"b\":}",
        "{\"a\":2,\"b\":3",
        "{\"a\":2}}",
        "{\"a\":2} x",
        "{\"a\":2,\"b\":NaN}",
        "{\"a\":2,\"b\":[Infinity]}",
        "{\"a\":2,}",
        "\u{feff}{\"a\":2}",
        "\u{c}{\"a\":2}",
        "{\"a\":2}\u{c}",
    ] {
        let error = session.update_json(bad).unwrap_err();
        assert!(matches!(error, Error::Json(_)), "{bad:?}: {error}");
    }
    for bad in ["[]", "1", "null", "\"{}\"", " [{\"a\": 2}] "] {
        assert!(matches!(session.update_json(bad), Err(Error::NotAnObject(_))), "{bad}");
    }
    assert!(matches!(session.update_json("{\"a\":2,\"\\ud800\":1}"), Err(Error::LoneSurrogate)));
    let deep = format!("{{\"a\":2,\"b\":{}{}}}", "[".repeat(501), "]".repeat(501));
    assert!(matches!(session.update_json(&deep), Err(Error::Json(_))));
    assert_eq!(session.to_json(), r#"{"a":1}"#);
    assert!(!session.is_changed());
}

#[test]
fn clear_removes_every_key() {
    let mut session = holding(r#"{"a": 1, "b": 2}"#);
    session.clear();
    assert!(session.is_empty() && session.is_changed() && !session.is_new());
    assert_eq!(session.created(), CREATED, "clear does not begin a new session");
    assert_eq!(committed_state(&mut session), "{}");
}

#[test]
fn a_write_that_changes_nothing_does_not_mark_the_session() {
    let state = r#"{"a": 1, "_f_": ["hello"]}"#;
    let idle: [Call; 8] = [
        ("pop_flash of an empty queue", |s| assert_eq!(s.queue("none").pop_json().unwrap(), "[]")),
        ("setdefault of an existing key", |s| {
            s.setdefault_json("a", "2").unwrap();
        }),
        ("pop of a missing key", |s| assert_eq!(s.pop_json("b").unwrap(), None)),
        ("delete of a missing key", |s| assert!(!s.delete("b"))),
        ("update with an empty object", |s| s.update_json("{}").unwrap()),
        ("a refused duplicate", |s| s.queue("").allow_duplicate(false).push_json("\"hello\"").unwrap()),
        ("a refused duplicate text", |s| s.queue("").allow_duplicate(false).push_str("hello").unwrap()),
        ("a CSRF check without a token", |s| assert!(!s.check_csrf_token(b"x"))),
    ];
    for (name, write) in idle {
        let mut session = holding(state);
        write(&mut session);
        assert!(!session.is_changed(), "{name}");
        assert_eq!(session.accessed(), NOW.floor(), "{name}: the session was used");
        assert_eq!(json(session.to_json()), json(state), "{name}");
        assert_eq!(commit(&mut session), None, "{name}");
    }
    let mut session = holding("{}");
    session.clear();
    assert!(!session.is_changed());
}

#[test]
fn every_write_that_changes_something_marks_the_session() {
    let writes: [Call; 13] = [
        ("set", |s| s.set_json("a", "2").unwrap()),
        ("set_string", |s| s.set_str("b", "").unwrap()),
        ("set_int64", |s| s.set_i64("b", 1).unwrap()),
        ("set_double", |s| s.set_f64("b", 1.0).unwrap()),
        ("set_bool", |s| s.set_bool("b", true).unwrap()),
        ("set_null", |s| s.set_null("b").unwrap()),
        ("delete", |s| assert!(s.delete("a"))),
        ("pop", |s| assert_eq!(s.pop_json("a").unwrap(), Some("1"))),
        ("clear", Session::clear),
        ("setdefault", |s| {
            s.setdefault_json("b", "1").unwrap();
        }),
        ("update", |s| s.update_json("{\"b\":1}").unwrap()),
        ("flash", |s| s.queue("").allow_duplicate(false).push_json("1").unwrap()),
        ("new_csrf_token", |s| {
            s.new_csrf_token().unwrap();
        }),
    ];
    for (name, write) in writes {
        let mut session = holding(r#"{"a": 1}"#);
        write(&mut session);
        assert!(session.is_changed(), "{name}");
        assert_eq!(session.accessed(), NOW.floor(), "{name}");
        assert_ne!(session.to_json(), r#"{"a":1}"#, "{name}");
        assert!(commit(&mut session).is_some(), "{name}");
    }
}

#[test]
fn reading_twice_gives_the_same_text_at_the_same_place() {
    let mut session = holding(r#"{"\u0061": "tab\t", "inf": [Infinity]}"#);
    let first = [session.get_str("a").unwrap().unwrap().as_ptr(), session.to_json().as_ptr()];
    let at = session.at(0).map(|(key, value)| (key.as_ptr(), value.as_ptr()));
    session.contains("x");
    assert_eq!([session.get_str("a").unwrap().unwrap().as_ptr(), session.to_json().as_ptr()], first);
    assert_eq!(session.at(0).map(|(key, value)| (key.as_ptr(), value.as_ptr())), at);
}
