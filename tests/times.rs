//! Times: when a session was accessed, and when reading it renews its cookie.

mod common;

use common::*;
use khufu::{OpenOptions, Session};

/// Opens a session that was renewed `age` seconds ago, at [`RENEWED`].
fn aged(settings: Settings<'_>, age: f64) -> Session {
    let header = format!("session={}", signed(session(r#"{"a": 1, "_f_": [], "_csrft_": "t"}"#)));
    factory(settings).open_with(header.as_bytes(), &OpenOptions::new().now(RENEWED + age)).unwrap()
}

/// A call, and its name.
type Call = (&'static str, fn(&mut Session));

const READS: [Call; 13] = [
    ("get", |s| {
        s.get_json("a").unwrap();
    }),
    ("get of a missing key", |s| {
        s.get_json("b").unwrap();
    }),
    ("get_string", |s| {
        s.get_str("_csrft_").unwrap();
    }),
    ("get_int64", |s| {
        s.get_i64("a").unwrap();
    }),
    ("get_double", |s| {
        s.get_f64("a").unwrap();
    }),
    ("get_bool", |s| {
        s.get_bool("b").unwrap();
    }),
    ("contains", |s| {
        s.contains("b");
    }),
    ("len", |s| {
        s.len();
    }),
    ("is_empty", |s| {
        s.is_empty();
    }),
    ("at", |s| {
        s.at(0);
    }),
    ("to_json", |s| {
        assert_ne!(s.to_json(), "{}");
    }),
    ("peek_flash", |s| {
        s.queue("").peek_json().unwrap();
    }),
    ("csrf_token", |s| {
        s.csrf_token().unwrap();
    }),
];

#[test]
fn every_read_sets_accessed_to_whole_seconds() {
    for (name, read) in READS {
        let mut session = aged(&[("reissue_time", "")], 77.75);
        assert_eq!(session.accessed(), RENEWED);
        read(&mut session);
        assert_eq!(session.accessed(), RENEWED + 77.0, "{name}");
        assert!(!session.is_changed(), "{name}: without reissue_time, reading writes nothing");
    }
}

#[test]
fn every_read_reissues_a_cookie_that_is_older_than_reissue_time() {
    for (name, read) in READS {
        for (reissue_time, age, due) in [
            ("0", 0.0, false),
            ("0", 0.99, false),
            ("0", 1.0, true),
            ("60", 60.99, false),
            ("60", 61.0, true),
            ("60", 60.0, false),
            ("", 1199.0, false),
        ] {
            let mut session = aged(&[("reissue_time", reissue_time)], age);
            read(&mut session);
            assert_eq!(session.is_changed(), due, "{name}, {age} s old, reissue_time {reissue_time}");
            assert_eq!(commit(&mut session).is_some(), due);
        }
    }
}

#[test]
fn by_default_a_read_a_second_later_reissues() {
    let mut session = aged(&[], 1.0);
    session.contains("a");
    assert_eq!(committed(&mut session), r#"[1700000001,1699999899.75,{"a":1,"_f_":[],"_csrft_":"t"}]"#);
}

#[test]
fn a_session_that_is_neither_read_nor_changed_is_not_written() {
    let mut session = aged(&[], 100.0);
    assert!(!session.is_changed() && !session.vary());
    let _ = (session.created(), session.renewed(), session.load_result());
    assert_eq!(commit(&mut session), None);
    assert!(!session.vary());
}

#[test]
fn a_session_renewed_in_the_future_is_not_reissued() {
    let mut session = aged(&[], -5000.0);
    session.len();
    assert_eq!((session.is_changed(), session.accessed()), (false, RENEWED - 5000.0));
}

#[test]
fn changed_alone_does_not_change_accessed() {
    let mut session = aged(&[], 100.0);
    session.mark_changed();
    assert!(session.is_changed());
    assert_eq!(session.accessed(), RENEWED);
    let payload = committed(&mut session);
    assert!(payload.starts_with("[1700000000,1699999899.75,"), "{payload}");
}

#[test]
fn times_are_written_back_unchanged() {
    for (renewed, created) in [("1700000000.50", "1.69e9"), ("1.7e9", "-3"), ("1700000000.0", "1699999899.7500000001")]
    {
        let value = signed(format!("[{renewed}, {created}, {{}}]"));
        let mut session = open(&factory(&[]), &value);
        session.mark_changed();
        assert_eq!(committed(&mut session), format!("[{renewed},{created},{{}}]"));
    }
}

#[test]
fn a_new_session_is_created_now_with_a_fraction_and_accessed_in_whole_seconds() {
    let mut session = fresh();
    session.set_i64("a", 1).unwrap();
    assert_eq!(committed(&mut session), r#"[1700000060,1700000060.25,{"a":1}]"#);
    let mut session = fresh();
    session.mark_changed();
    assert_eq!(committed(&mut session), "[1700000060.25,1700000060.25,{}]");
}

#[test]
fn after_a_commit_reading_does_not_reissue_again() {
    let mut session = aged(&[], 100.0);
    session.len();
    let first = commit(&mut session);
    assert!(first.is_some());
    assert_eq!(session.renewed(), RENEWED + 100.0);
    session.len();
    assert!(!session.is_changed());
    assert_eq!(commit(&mut session), first, "the response still needs the cookie");
}
