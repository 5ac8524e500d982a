//! Flash messages: each queue is a list in the key `_f_` + queue.

mod common;

use common::*;
use khufu::{Error, OpenOptions};

#[test]
fn messages_queue_up_and_are_popped_once() {
    let mut session = holding("{}");
    session.queue("").push_str("saved").unwrap();
    session.queue("").push_json("{ \"n\" : 1 }").unwrap();
    assert_eq!(session.queue("").peek_json().unwrap(), r#"["saved",{"n":1}]"#);
    assert_eq!(session.queue("").peek_json().unwrap(), r#"["saved",{"n":1}]"#, "peeking keeps the messages");
    assert_eq!(session.queue("").pop_json().unwrap(), r#"["saved",{"n":1}]"#);
    assert_eq!(session.queue("").pop_json().unwrap(), "[]");
    assert!(session.is_empty(), "an empty queue leaves no key");
}

#[test]
fn a_queue_is_the_list_under_its_key() {
    let mut session = holding("{}");
    session.queue("").push_json("1").unwrap();
    session.queue("admin").push_json("2").unwrap();
    session.queue("q\"\\\n").push_json("3").unwrap();
    assert_eq!(session.get_json("_f_").unwrap(), Some("[1]"));
    assert_eq!(session.get_json("_f_admin").unwrap(), Some("[2]"));
    assert_eq!(session.get_json("_f_q\"\\\n").unwrap(), Some("[3]"));
    session.set_json("_f_later", "[4]").unwrap();
    assert_eq!(session.queue("later").pop_json().unwrap(), "[4]");
    assert_eq!(session.queue("admin").pop_json().unwrap(), "[2]");
    assert_eq!(session.queue("").peek_json().unwrap(), "[1]");
}

#[test]
fn messages_from_another_writer_are_kept_unchanged() {
    for (queue, expected) in [
        ("[]", "[1]"),
        ("[ ]", "[1]"),
        ("[\n]", "[1]"),
        ("[ \"a b\" , {\"x\" : 1.10} ]", "[\"a b\",{\"x\":1.10},1]"),
        ("[\"\\ud800\", 1180591620717411303424]", "[\"\\ud800\",1180591620717411303424,1]"),
        ("[[]]", "[[],1]"),
        ("[\"]\"]", "[\"]\",1]"),
    ] {
        let mut session = holding(&format!("{{\"_f_\": {queue}}}"));
        session.queue("").push_json("1").unwrap();
        assert_eq!(session.get_json("_f_").unwrap(), Some(expected), "{queue}");
        assert_eq!(committed_state(&mut session), format!("{{\"_f_\":{expected}}}"));
    }
}

#[test]
fn a_duplicate_is_added_only_if_allowed() {
    let mut session = holding("{}");
    session.queue("").push_json("1").unwrap();
    session.queue("").push_json("1").unwrap();
    session.queue("").allow_duplicate(false).push_json("1").unwrap();
    session.queue("").allow_duplicate(false).push_json("1.0").unwrap();
    session.queue("").allow_duplicate(false).push_json("2").unwrap();
    session.queue("other").allow_duplicate(false).push_json("1").unwrap();
    assert_eq!(session.queue("").peek_json().unwrap(), "[1,1,2]");
    assert_eq!(session.queue("other").peek_json().unwrap(), "[1]");
}

/// Returns true if a message is treated as a duplicate of one in the queue.
fn is_duplicate(existing: &str, message: &str) -> bool {
    let mut session = holding(&format!("{{\"_f_\": [\"first\", {existing}]}}"));
    session.queue("").allow_duplicate(false).push_json(message).unwrap();
    !session.is_changed()
}

#[test]
fn duplicates_are_equal_by_value_as_in_python() {
    for (one, other) in [
        ("1", "1.0"),
        ("1", "1e0"),
        ("1", "true"),
        ("0.0", "false"),
        ("0", "-0"),
        ("-0.0", "0e7"),
        ("1000", "1E+3"),
        ("0.001", "1e-3"),
        ("1180591620717411303424", "1180591620717411303424.0"),
        ("1180591620717411303424", "1.1805916207174113e21"),
        ("0.1", "0.10000000000000000555"),
        ("9007199254740993.0", "9007199254740992"),
        ("\"zo\\u00eb\"", "\"zoë\""),
        ("\"\\ud83d\\udd11\"", "\"🔑\""),
        ("\"\\ud800\"", "\"\\uD800\""),
        ("\"\\/\"", "\"/\""),
        ("[]", "[]"),
        ("[1, [2.0, {}]]", "[1.0,[2,{}]]"),
        ("{\"a\": 1, \"b\": [true]}", "{\"b\":[1],\"a\":1.0}"),
        ("{\"\\u0061\": null}", "{\"a\":null}"),
        ("{\"a\": 1, \"a\": 2}", "{\"a\":2}"),
        ("{\"a\": {\"b\": {\"c\": [1, 2, 3]}}}", "{\"a\":{\"b\":{\"c\":[1e0,2,3.0]}}}"),
        ("null", "null"),
    ] {
        assert!(is_duplicate(one, other), "{one} and {other}");
        assert!(is_duplicate(other, one), "{other} and {one}");
    }
}

#[test]
fn duplicates_are_found_in_long_queues() {
    let earlier: Vec<String> = (0..300).map(|number| format!("{{\"id\": {number}, \"text\": \"message\"}}")).collect();
    let mut session = holding(&format!("{{\"_f_\": [{}]}}", earlier.join(" , ")));
    let mut expected = 300;
    for number in (0..900).chain((0..900).rev()) {
        let is_new = number >= expected;
        session
            .queue("")
            .allow_duplicate(false)
            .push_json(&format!("{{\"text\":\"message\",\"id\":{number}.0}}"))
            .unwrap();
        expected += usize::from(is_new);
        if number % 100 == 7 {
            session.queue("").push_json("\"again\"").unwrap();
            session.set_str("other", &"x".repeat(2000)).unwrap();
            session.queue("").allow_duplicate(false).push_json("\"again\"").unwrap();
        }
    }
    let messages = json(session.queue("").pop_json().unwrap());
    let again = messages.as_array().unwrap().iter().filter(|message| **message == "again").count();
    assert_eq!((messages.as_array().unwrap().len() - again, again), (900, 18));
    session.queue("").allow_duplicate(false).push_json("{\"text\":\"message\",\"id\":1}").unwrap();
    assert_eq!(json(session.queue("").peek_json().unwrap()).as_array().unwrap().len(), 1, "the queue was emptied");
}

#[test]
fn messages_that_differ_are_both_kept() {
    for (one, other) in [
        ("1", "\"1\""),
        ("1", "-1"),
        ("1", "1.0000000000000001e1"),
        ("0", "null"),
        ("false", "null"),
        ("0", "\"\""),
        ("[]", "{}"),
        ("[]", "false"),
        ("[1]", "1"),
        ("[1, 2]", "[2, 1]"),
        ("[1]", "[1, 1]"),
        ("{\"a\": 1}", "{\"a\": 1, \"b\": 1}"),
        ("{\"a\": 1}", "{\"b\": 1}"),
        ("{\"a\": 1, \"b\": 2}", "{\"a\": 2, \"b\": 1}"),
        ("{\"a\": 1, \"a\": 2}", "{\"a\": 1}"),
        ("\"a\"", "\"A\""),
        ("\"e\\u0301\"", "\"é\""),
        ("\"\\ud800\"", "\"\u{fffd}\""),
        ("\"\\\\u0061\"", "\"a\""),
        ("10", "100"),
        ("0.1", "0.01"),
        ("1180591620717411303424", "1180591620717411303425"),
        ("1180591620717411303425", "1.1805916207174113e21"),
        ("9007199254740993", "9007199254740992.0"),
        ("1e5", "1e-5"),
    ] {
        assert!(!is_duplicate(one, other), "{one} and {other}");
        assert!(!is_duplicate(other, one), "{other} and {one}");
    }
    assert!(!is_duplicate("NaN", "null"));
    assert!(!is_duplicate("Infinity", "1e308"));
}

#[test]
fn deep_and_wide_messages_are_compared() {
    let deep = format!("{}1{}", "[".repeat(500), "]".repeat(500));
    assert!(is_duplicate(&deep, &deep.replace('1', "1.0")));
    assert!(!is_duplicate(&deep, &deep.replace('1', "2")));
    let object = |keys: &mut dyn Iterator<Item = u32>| {
        let members: Vec<String> = keys.map(|n| format!("\"k{n}\":{n}")).collect();
        format!("{{{}}}", members.join(","))
    };
    let (forward, backward) = (object(&mut (0..500)), object(&mut (0..500).rev()));
    assert!(is_duplicate(&forward, &backward));
    assert!(!is_duplicate(&forward, &backward.replace(":250,", ":251,")));
}

#[test]
fn a_queue_key_that_is_not_a_list_is_an_error_and_is_kept() {
    for value in ["1", "\"[]\"", "{}", "null", "NaN"] {
        let mut session = holding(&format!("{{\"_f_q\": {value}}}"));
        assert!(matches!(session.queue("q").push_json("1"), Err(Error::Type { .. })), "{value}");
        assert!(matches!(session.queue("q").allow_duplicate(false).push_str("x"), Err(Error::Type { .. })), "{value}");
        assert!(matches!(session.queue("q").pop_json(), Err(Error::Type { .. })), "{value}");
        assert!(matches!(session.queue("q").peek_json(), Err(Error::Type { .. })), "{value}");
        assert!(!session.is_changed());
        let expected = if value == "NaN" { "null" } else { value };
        assert_eq!(session.to_json(), format!("{{\"_f_q\":{expected}}}"));
    }
}

#[test]
fn a_queue_with_a_nonfinite_number_can_be_added_to_but_not_read() {
    let mut session = holding(r#"{"_f_": [NaN, -Infinity]}"#);
    assert!(matches!(session.queue("").peek_json(), Err(Error::Type { .. })));
    assert!(matches!(session.queue("").pop_json(), Err(Error::Type { .. })));
    session.queue("").push_json("1").unwrap();
    assert_eq!(committed_state(&mut session), r#"{"_f_":[NaN,-Infinity,1]}"#);
}

#[test]
fn a_message_that_is_not_json_is_not_added() {
    let mut session = holding("{}");
    for bad in ["", "hello", "[1", "NaN", "1 2", "'a'"] {
        assert!(matches!(session.queue("").push_json(bad), Err(Error::Json(_))), "{bad}");
    }
    assert!(session.queue("").push_json(&format!("{}{}", "[".repeat(501), "]".repeat(501))).is_err());
    assert_eq!(session.to_json(), "{}");
    session.queue("").push_json(&format!("{}{}", "[".repeat(500), "]".repeat(500))).unwrap();
    assert_eq!(committed_state(&mut session).len(), r#"{"_f_":[]}"#.len() + 1000);
}

#[test]
fn messages_of_one_request_are_read_by_the_next() {
    for settings in FORMATS {
        let factory = factory(settings);
        let mut session = factory.open_with(b"", &OpenOptions::new().now(NOW)).unwrap();
        session.queue("").push_str("zoë \"🔑\"\n").unwrap();
        session.queue("").push_json("[1.5,null]").unwrap();
        let value = value_of(&commit(&mut session).unwrap()).to_owned();
        let mut session = open(&factory, &value);
        assert_eq!(json(session.queue("").pop_json().unwrap()), json(r#"["zoë \"🔑\"\n",[1.5,null]]"#));
        assert!(session.is_changed() && session.is_empty());
    }
}
