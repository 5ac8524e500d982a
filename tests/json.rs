//! Values are JSON text: which texts are accepted, and that they keep their meaning.

mod common;

use common::*;
use khufu::{Error, LoadResult, OpenOptions};
use serde_json::Value;

/// Opens a session with this state, sets another key, and returns the state that is written.
fn written_back(state: &str) -> String {
    let mut session = holding(state);
    session.set_null("").unwrap();
    committed_state(&mut session)
}

#[test]
fn unchanged_values_are_written_back_unchanged() {
    for value in [
        "0",
        "-0",
        "-0.0",
        "1.10",
        "1E5",
        "1e+5",
        "1.0e-05",
        "1180591620717411303424",
        "0.1000000000000000055511151231257827",
        "1e999",
        "-1e-999",
        "NaN",
        "Infinity",
        "-Infinity",
        r#""\ud800""#,
        r#""\udc00\ud800""#,
        r#""\u0041\/\ud83d\ude00\b\f\n\r\t\"\\""#,
        "\"\u{7f}\u{80}\u{2028}\u{10ffff}\"",
        r#"{"a":1,"a":2}"#,
        r#"{"\ud800":[NaN,{"":-Infinity}]}"#,
        "[[],{},[{}],{\"a\":[]}]",
    ] {
        assert_eq!(written_back(&format!("{{\"k\":{value}}}")), format!("{{\"k\":{value},\"\":null}}"));
        let nested = format!("[{value},[{value}],{{\"x\":{value}}}]");
        assert_eq!(written_back(&format!("{{\"k\":{nested}}}")), format!("{{\"k\":{nested},\"\":null}}"));
    }
    let digits = "9".repeat(1000);
    assert_eq!(written_back(&format!("{{\"n\":-{digits}.{digits}}}"))[5..], format!("-{digits}.{digits},\"\":null}}"));
}

#[test]
fn numbers_keep_their_text_when_they_are_read_and_set() {
    let mut session = holding(r#"{"n": 1.10, "big": 1180591620717411303424}"#);
    assert_eq!(session.get_json("n").unwrap(), Some("1.10"));
    assert_eq!(session.get_json("big").unwrap(), Some("1180591620717411303424"));
    for text in ["1.10", "1E+2", "-0", "123456789012345678901234567890.10e-5"] {
        session.set_json("n", text).unwrap();
        assert_eq!(session.get_json("n").unwrap(), Some(text));
    }
}

#[test]
fn a_lone_surrogate_is_kept_but_cannot_be_read_as_text() {
    let mut session = holding(r#"{"\ud800": "a", "v": "\udfffx", "both": ["\ud83d","\ude00"]}"#);
    assert!(matches!(session.get_str("v"), Err(Error::Type { .. })));
    assert_eq!(session.get_json("v").unwrap(), Some(r#""\udfffx""#));
    assert_eq!(session.at(0), Some(("\u{fffd}", "\"a\"")));
    assert!(!session.contains("\u{fffd}"), "the key is only shown as this character");
    session.set_json("set", r#""\ud800""#).unwrap();
    let expected = r#"{"\ud800":"a","v":"\udfffx","both":["\ud83d","\ude00"],"set":"\ud800"}"#;
    assert_eq!(session.to_json(), expected);
    assert_eq!(committed_state(&mut session), expected);
}

#[test]
fn nonfinite_numbers_are_kept_but_cannot_be_read_as_json() {
    let state = r#"{"nan":NaN,"list":[1,[Infinity],"NaN"],"object":{"a":{"b":-Infinity}},"text":"Infinity","x":1}"#;
    let mut session = holding(state);
    assert!(session.get_f64("nan").unwrap().unwrap().is_nan());
    for key in ["nan", "list", "object"] {
        assert!(matches!(session.get_json(key), Err(Error::Type { .. })), "{key}");
        assert!(matches!(session.pop_json(key), Err(Error::Type { .. })), "{key}");
    }
    assert_eq!(session.get_json("text").unwrap(), Some("\"Infinity\""));
    let strict = r#"{"nan":null,"list":[1,[null],"NaN"],"object":{"a":{"b":null}},"text":"Infinity","x":1}"#;
    assert_eq!(session.to_json(), strict);
    assert_eq!(session.at(1), Some(("list", r#"[1,[null],"NaN"]"#)));
    session.set_json("x", "2").unwrap();
    assert_eq!(committed_state(&mut session), state.replace("\"x\":1", "\"x\":2"));
    for (text, number) in [("Infinity", f64::INFINITY), ("-Infinity", f64::NEG_INFINITY)] {
        assert_eq!(holding(&format!("{{\"a\": {text}}}")).get_f64("a").unwrap(), Some(number));
    }
    assert!(session.delete("nan") && session.delete("object"), "such keys can be deleted");
    session.set_json("list", "[]").unwrap();
    assert_eq!(session.to_json(), r#"{"list":[],"text":"Infinity","x":2}"#);
}

#[test]
fn nonfinite_numbers_cannot_be_set() {
    let mut session = holding("{}");
    for text in ["NaN", "Infinity", "-Infinity", "[NaN]", "{\"a\":[-Infinity]}", "nan", "inf", "-inf", "-NaN"] {
        assert!(matches!(session.set_json("a", text), Err(Error::Json(_))), "{text}");
        assert!(matches!(session.setdefault_json("a", text), Err(Error::Json(_))), "{text}");
        assert!(matches!(session.queue("").push_json(text), Err(Error::Json(_))), "{text}");
        assert!(matches!(session.update_json(&format!("{{\"a\":{text}}}")), Err(Error::Json(_))), "{text}");
    }
    assert!(session.is_empty());
}

/// The texts of numbers, each with whether CPython can read it.
fn numbers() -> Vec<(String, bool)> {
    let path = format!("{}/tests/vectors/python_values.json", env!("CARGO_MANIFEST_DIR"));
    let vectors = json(&std::fs::read_to_string(path).unwrap());
    let numbers = vectors["numbers"].as_array().unwrap().iter().map(|number| {
        let [before, digit, behind] = ["before", "digit", "behind"].map(|part| number[part].as_str().unwrap());
        let digits = digit.repeat(number["times"].as_u64().unwrap() as usize);
        (format!("{before}{digits}{behind}"), number["is_read"].as_bool().unwrap())
    });
    numbers.collect()
}

/// The start of a number, for messages.
fn shown(number: &str) -> &str {
    &number[..number.len().min(20)]
}

#[test]
fn a_number_is_set_if_python_reads_it_back() {
    let numbers = numbers();
    assert!(numbers.iter().filter(|(_, is_read)| *is_read).count() > 10);
    assert!(numbers.iter().filter(|(_, is_read)| !*is_read).count() > 10);
    for settings in &FORMATS[..2] {
        let factory = factory(settings);
        for (number, is_read) in &numbers {
            let nested = format!("[\"1e999\", {{\"a\" : [null,{number}]}}]");
            for text in [number, &nested] {
                let mut session = factory.open_with(b"", &OpenOptions::new().now(NOW)).unwrap();
                let outcomes = [
                    session.set_json("set", text),
                    session.setdefault_json("default", text).map(drop),
                    session.update_json(&format!("{{\"before\":1,\"updated\":{text}}}")),
                    session.queue("queue").push_json(text),
                    session.queue("other").allow_duplicate(false).push_json(text),
                ];
                for (outcome, key) in outcomes.iter().zip(["set", "default", "updated", "_f_queue", "_f_other"]) {
                    match outcome {
                        Ok(()) => assert!(is_read, "{key}: {}", shown(number)),
                        Err(Error::Range(why)) => {
                            assert!(!is_read, "{key}: {}", shown(number));
                            assert!(why.contains(&format!("{key:?}")) && !why.contains("999"), "{why}");
                            let limit =
                                if number.contains(['.', 'e', 'E']) { "1.7976931348623157e308" } else { "4,300" };
                            assert!(why.contains(limit), "{why}");
                        }
                        Err(other) => panic!("{other}"),
                    }
                }
                assert_eq!((session.is_empty(), session.is_changed()), (!is_read, *is_read), "{}", shown(number));
            }
        }
    }
}

#[test]
fn an_existing_number_that_python_cannot_read_is_kept() {
    for (number, _) in numbers() {
        let mut session = holding(&format!("{{\"n\": {number}, \"m\": 1}}"));
        assert_eq!(session.get_json("n").unwrap(), Some(&*number));
        assert!(session.setdefault_json("m", &number).is_ok() || session.set_json("m", &number).is_err());
        session.mark_changed();
        assert!(session.to_json().contains(&number), "{}", shown(&number));
        assert_eq!(session.pop_json("n").unwrap(), Some(&*number));
    }
}

#[test]
fn invalid_json_is_reported_before_an_invalid_number() {
    let mut session = holding("{}");
    assert!(matches!(session.update_json("{\"a\":[1e999,{\"b\":]}"), Err(Error::Json(_))));
    assert!(matches!(session.update_json("{\"a\":1e999"), Err(Error::Json(_))));
    let error = session.update_json("{\"a\":1,\"b\\u0020\":{\"c\":1e999},\"d\":1}").unwrap_err();
    assert!(matches!(&error, Error::Range(why) if why.contains("\"b \"")), "{error}");
    assert!(session.is_empty());
}

/// A value with this many levels: of lists, of objects, or of both in turns.
fn nested(levels: usize, kind: usize) -> String {
    let [open, close] = [["[", "{\"a\":"], ["]", "}"]];
    let which = |level: usize| [0, 1, level % 2][kind];
    let opened: String = (0..levels).map(|level| open[which(level)]).collect();
    let closed: String = (0..levels).rev().map(|level| close[which(level)]).collect();
    format!("{opened}0{closed}")
}

#[test]
fn values_nest_up_to_500_levels_when_they_are_set() {
    for kind in 0..3 {
        let mut session = holding("{}");
        let (deepest, too_deep) = (nested(500, kind), nested(501, kind));
        session.set_json("a", &deepest).unwrap();
        assert_eq!(session.get_json("a").unwrap(), Some(&*deepest));
        session.setdefault_json("b", &deepest).unwrap();
        session.queue("").allow_duplicate(false).push_json(&deepest).unwrap();
        session.queue("").allow_duplicate(false).push_json(&deepest).unwrap();
        session.update_json(&format!("{{\"c\":{deepest}}}")).unwrap();
        for error in [
            session.set_json("a", &too_deep).unwrap_err(),
            session.setdefault_json("d", &too_deep).map(drop).unwrap_err(),
            session.queue("").push_json(&too_deep).unwrap_err(),
            session.update_json(&format!("{{\"a\":{too_deep}}}")).unwrap_err(),
        ] {
            assert!(matches!(error, Error::Json(_)) && error.to_string().contains("deep"), "{error}");
        }
        assert_eq!(session.len(), 4);
    }
    assert!(holding("{}").set_json("a", &nested(1_000_000, 0)).is_err(), "the depth does not overflow the stack");
}

#[test]
fn values_nest_up_to_1000_levels_on_opening() {
    for kind in 0..3 {
        let deepest = nested(1000, kind);
        let mut session = holding(&format!("{{\"a\":{deepest}}}"));
        assert_eq!(session.get_json("a").unwrap(), Some(&*deepest));
        session.mark_changed();
        let (result, why) = outcome(&[], session_with(&nested(1001, kind)));
        assert_eq!(result, LoadResult::Unsupported, "the cookie is genuine");
        assert!(why.contains("deep"), "{why}");
    }
    assert_eq!(outcome(&[], session_with(&"[".repeat(1_000_000))).0, LoadResult::Unsupported);
}

fn session_with(value: &str) -> String {
    session(&format!("{{\"a\":{value}}}"))
}

#[test]
fn only_json_is_set() {
    for bad in [
        "",
        " ",
        "\u{feff}1",
        "\u{a0}1",
        "\u{c}1",
        "1\0",
        "tru",
        "truee",
        "True",
        "nulll",
        "01",
        "00",
        "-",
        "-01",
        "+1",
        ".5",
        "5.",
        "1.e5",
        "1e",
        "1e+",
        "1_000",
        "0x10",
        "1 2",
        "1,",
        "[",
        "]",
        "[1",
        "[1,",
        "[1,]",
        "[,1]",
        "[1 2]",
        "[1}",
        "{",
        "}",
        "{]",
        "{\"a\"}",
        "{\"a\":}",
        "{\"a\":1,}",
        "{\"a\" 1}",
        "{\"a\":1 \"b\":2}",
        "{a:1}",
        "{1:1}",
        "{\"a\":1]",
        "[[1]",
        "[1]]",
        "\"",
        "\"a",
        "'a'",
        "\"\\\"",
        "\"\\a\"",
        "\"\\u\"",
        "\"\\u12\"",
        "\"\\u123g\"",
        "\"\\u+123\"",
        "\"\\U00000041\"",
        "\"\t\"",
        "\"\n\"",
        "\"\0\"",
        "\"\u{1f}\"",
        "\"a\" // b",
        "/**/1",
    ] {
        assert!(matches!(holding("{}").set_json("a", bad), Err(Error::Json(_))), "{bad:?}");
    }
}

#[test]
fn an_error_gives_the_byte_offset() {
    for (text, byte) in [("", 0), ("[1,]", 3), ("{\"é\":x}", 6), ("\"\\q\"", 1), ("12x", 2), ("  ", 2)] {
        let message = holding("{}").set_json("a", text).unwrap_err().to_string();
        assert!(message.ends_with(&format!("at byte {byte}")), "{text:?}: {message}");
    }
}

/// Characters that a string may contain, as text and as they are written in JSON.
const PIECES: [(&str, &str); 7] = [
    ("\"", "\\\""),
    ("\\", "\\\\"),
    ("\n", "\\n"),
    ("\u{1}", "\\u0001"),
    ("é", "é"),
    ("🔑", "\\ud83d\\udd11"),
    ("", ""),
];

#[test]
fn strings_of_every_length_may_contain_any_character_at_any_position() {
    for (text, written) in PIECES {
        for length in (0..70).chain(124..132) {
            let strings: Vec<(String, String)> = (0..=length)
                .map(|at| {
                    let [before, after] = [&"abcdefg".repeat(20)[..at], &"hijklmn".repeat(20)[..length - at]];
                    (format!("{before}{text}{after}"), format!("\"{before}{written}{after}\""))
                })
                .collect();
            let values: Vec<&str> = strings.iter().map(|(_, written)| &**written).collect();
            let mut opened = holding(&format!("{{\"l\":[{0}],{0}:[{0}]}}", values[0]).replace(":[", ": ["));
            assert_eq!(opened.len(), if values[0] == "\"l\"" { 1 } else { 2 });
            let mut session = holding("{}");
            for (string, json_text) in &strings {
                session.set_json("json", json_text).unwrap();
                assert_eq!(session.get_str("json").unwrap(), Some(&**string));
                session.set_str("text", string).unwrap();
                assert_eq!(session.get_str("text").unwrap(), Some(&**string));
                assert_eq!(json(session.get_json("text").unwrap().unwrap()), Value::from(&**string));
            }
            let list = format!("[{}]", values.join(","));
            session.set_json("list", &list).unwrap();
            assert_eq!(session.get_json("list").unwrap(), Some(&*list));
        }
    }
}

#[test]
fn keys_and_strings_of_every_length_are_opened() {
    for (text, written) in PIECES {
        let strings: Vec<String> = (0..150).map(|length| format!("{}{written}", "x".repeat(length))).collect();
        let members: Vec<String> = strings.iter().map(|string| format!("\"{string}\":\"{string}\"")).collect();
        let mut session = holding(&format!("{{{}}}", members.join(",")));
        assert_eq!(session.len(), 150);
        for length in 0..150 {
            let expected = format!("{}{text}", "x".repeat(length));
            assert_eq!(session.get_str(&expected).unwrap(), Some(&*expected));
        }
        session.mark_changed();
        assert_eq!(session.to_json(), format!("{{{}}}", members.join(",")));
    }
}

#[test]
fn a_control_character_is_found_at_every_position_of_a_string() {
    let mut session = holding("{}");
    for length in 1..140 {
        for at in 0..length {
            let mut text = vec![b'a'; length];
            text[at] = [0, 1, b'\n', 0x1f][at % 4];
            let text = format!("\"{}\"", String::from_utf8(text).unwrap());
            assert!(session.set_json("a", &text).is_err(), "{length}, {at}");
            assert!(session.set_json("a", &format!("[\"\",{text}]")).is_err(), "{length}, {at}");
        }
        let unclosed = format!("\"{}", "a".repeat(length));
        assert!(session.set_json("a", &unclosed).is_err() && session.set_json("a", &format!("{unclosed}\\")).is_err());
    }
}
