//! Writing pickles: an unchanged session is written as it was read, and a changed one as compactly as Python does and
//! with the same types.

mod common;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use common::*;
use khufu::{Error, Factory, OpenOptions, Outcome, Session};

fn pickling() -> Factory {
    factory(&[("serializer", "pickle"), ("timeout", "")])
}

/// The opcodes of the time [`NOW`], which is written after the session was read.
const READ: &[u8] = b"J\x3c\xf1Se";

/// Opens a payload, changes the session, and returns the payload that a commit writes.
fn rewritten(payload: &[u8], change: impl FnOnce(&mut Session)) -> Result<Vec<u8>, Error> {
    let mut session = open(&pickling(), &signed(payload));
    assert!(!session.is_new(), "{:?}", session.refusal());
    change(&mut session);
    let cookies = session.commit(Outcome::Response)?;
    Ok(unbase64(value_of(&cookies[0])).split_off(64))
}

fn read(session: &mut Session) {
    session.len();
}

/// Marks the state changed, so that the whole pickle is written again, but changes no value.
fn touch(session: &mut Session) {
    session.set_json("added", "1").unwrap();
    assert!(session.delete("added"));
}

/// The names, bytes and protocols of pickles that Python wrote, and of some that were made by hand.
fn vectors() -> impl Iterator<Item = (String, Vec<u8>, u8)> {
    let file = format!("{}/tests/vectors/python_pickles.json", env!("CARGO_MANIFEST_DIR"));
    let vectors = json(&std::fs::read_to_string(file).unwrap());
    let cases = vectors["cases"].as_array().unwrap().clone();
    assert!(cases.len() > 90);
    cases.into_iter().map(|case| {
        let pickle = STANDARD.decode(case["pickle"].as_str().unwrap()).unwrap();
        let protocol = if pickle[0] == 0x80 { pickle[1] } else { 0 };
        (case["name"].as_str().unwrap().to_owned(), pickle, protocol)
    })
}

/// The written payload, or `None` if Python's own pickle is too large for a cookie.
fn fits(result: Result<Vec<u8>, Error>, name: &str, pickle: &[u8]) -> Option<Vec<u8>> {
    match result {
        Ok(written) => Some(written),
        Err(Error::TooLarge { .. }) if pickle.len() > 2900 => None,
        Err(error) => panic!("{name}: {error}"),
    }
}

/// The range of the opcode of the first time, in a pickle that Python wrote.
fn first_opcode(pickle: &[u8]) -> std::ops::Range<usize> {
    let start = match pickle {
        [0x80, _, 0x95, ..] => 11,
        [0x80, ..] => 2,
        [b'(', ..] => 1,
        _ => 0,
    };
    let length = match pickle[start] {
        b'J' => 5,
        b'G' => 9,
        b'I' | b'F' => pickle[start..].iter().position(|byte| *byte == b'\n').unwrap() + 1,
        opcode => panic!("the opcode {opcode:#x}"),
    };
    start..start + length
}

/// The pickle with another opcode for its first time.
fn with_time(pickle: &[u8], time: &[u8]) -> Vec<u8> {
    let opcode = first_opcode(pickle);
    let mut expected = [&pickle[..opcode.start], time, &pickle[opcode.end..]].concat();
    if pickle[2] == 0x95 {
        let length = u64::from_le_bytes(pickle[3..11].try_into().unwrap());
        let length = length + time.len() as u64 - opcode.len() as u64;
        expected[3..11].copy_from_slice(&length.to_le_bytes());
    }
    expected
}

#[test]
fn a_session_that_was_only_read_is_written_back_with_a_new_time() {
    let mut count = 0;
    for (name, pickle, _) in vectors() {
        let Some(written) = fits(rewritten(&pickle, read), &name, &pickle) else { continue };
        assert_eq!(written, with_time(&pickle, READ), "{name}");
        assert_eq!(rewritten(&pickle, Session::mark_changed).unwrap(), pickle, "{name}: its time stays, too");
        let float = with_time(&pickle, b"GA\xd9T\xfc@\x10\0\0");
        assert_eq!(rewritten(&float, read).unwrap(), with_time(&float, READ), "{name}");
        count += 1;
    }
    assert!(count > 80);
}

#[test]
fn a_time_that_cannot_be_replaced_in_place_rewrites_the_whole_pickle() {
    let plain = |pickle: &[u8]| [b"\x80", &[pickle[1].max(2)], READ, b"J\0\xf1Se}X\x01\0\0\0aK\x01s\x87."].concat();
    for pickle in [
        // The time is in the memo, or was duplicated.
        &b"\x80\x02J\0\xf1Seq\0h\0}X\x01\0\0\0aK\x01s\x87."[..],
        b"\x80\x02J\0\xf1Se2}X\x01\0\0\0aK\x01s\x87.",
        b"\x80\x02J\0\xf1SeJ\0\xf1Seq\x01}X\x01\0\0\0aK\x01s\x8720h\x010.",
        // The time is not the first value, or is not a single opcode.
        b"\x80\x03N0J\0\xf1SeJ\0\xf1Se}X\x01\0\0\0aK\x01s\x87.",
        b"\x80\x02](J\0\xf1SeJ\0\xf1Se}X\x01\0\0\0aK\x01se.",
        // Frames overlap, which Python never writes.
        b"\x80\x02\x95\x01\0\0\0\0\0\0\0J\0\xf1SeJ\0\xf1Se}X\x01\0\0\0aK\x01s\x87.",
        b"\x80\x02\x95\x1e\0\0\0\0\0\0\0\x95\x05\0\0\0\0\0\0\0J\0\xf1SeJ\0\xf1Se}X\x01\0\0\0aK\x01s\x87.",
    ] {
        if pickle.ends_with(b"0.") {
            // Only the second time is in the memo, so the first one can be replaced.
            assert_eq!(rewritten(pickle, read).unwrap(), with_time(pickle, READ));
            continue;
        }
        assert_eq!(rewritten(pickle, read).unwrap(), plain(pickle), "{pickle:?}");
        assert_eq!(rewritten(pickle, Session::mark_changed).unwrap(), pickle);
    }
    let empty_frame = b"\x80\x02\x95\0\0\0\0\0\0\0\0J\0\xf1SeJ\0\xf1Se}X\x01\0\0\0aK\x01s\x87.";
    assert_eq!(rewritten(empty_frame, read).unwrap()[..11], empty_frame[..11], "the time is outside the frame");
}

#[test]
fn a_rewritten_pickle_is_no_longer_than_pythons_and_equal_in_value() {
    let mut count = 0;
    for (name, pickle, protocol) in vectors() {
        let Some(written) = fits(rewritten(&pickle, touch), &name, &pickle) else { continue };
        if protocol >= 2 && !name.starts_with("Python 2") {
            assert!(written.len() <= pickle.len(), "{name}: {} bytes became {}", pickle.len(), written.len());
            assert_eq!(written[..2], pickle[..2], "{name}: the protocol stays");
        }
        assert_eq!(rewritten(&written, touch).unwrap(), written, "{name}: nothing else changes");
        let mut before = open(&pickling(), &signed(&pickle));
        let mut after = open(&pickling(), &signed(&written));
        assert_eq!(after.to_json(), before.to_json(), "{name}");
        assert_eq!((after.renewed(), after.created()), (NOW.floor(), before.created()), "{name}");
        count += 1;
    }
    assert!(count > 80);
}

/// The opcodes of a value after another key was set.
fn beside_a_change(protocol: u8, value: &[u8]) -> Vec<u8> {
    let payload = [b"\x80", &[protocol][..], b"J\0\xf1SeJ\0\xf1Se}X\x01\0\0\0a", value, b"s\x87."].concat();
    let written = rewritten(&payload, |session| session.set_json("b", "1").unwrap()).unwrap();
    let [key, other] = match protocol {
        4.. => [&b"\x8c\x01a"[..], b"\x8c\x01bK\x01u\x87."],
        _ => [&b"X\x01\0\0\0a"[..], b"X\x01\0\0\0bK\x01u\x87."],
    };
    let before = [b"\x80", &[written[1]][..], READ, b"J\0\xf1Se}(", key].concat();
    let inside = written.strip_prefix(&before[..]).and_then(|rest| rest.strip_suffix(other));
    inside.unwrap_or_else(|| panic!("{written:?}")).to_vec()
}

#[test]
fn unchanged_values_keep_their_python_types() {
    for value in [
        &b")"[..],
        b"K\x01\x85",
        b"K\x01K\x02\x86",
        b"K\x01K\x02K\x03\x87",
        b"(K\x01K\x02K\x03K\x04t",
        b"](K\x01)\x85]K\x02a}e",
        b"G?\xf0\0\0\0\0\0\0",
        b"\x88",
        b"K\x01",
        b"N",
    ] {
        assert_eq!(beside_a_change(2, value), value, "{value:?}");
    }
    for value in [&b"C\x02ab"[..], b"C\x00", b"(C\x01aC\x02\xc3\xabNNt", b"]C\x01aa", b"C\x01a\x85"] {
        assert_eq!(beside_a_change(3, value), value);
        assert_eq!(beside_a_change(5, value), value);
    }
    let long = [b"B\x00\x01\0\0".as_slice(), &[b'x'; 256]].concat();
    assert_eq!(beside_a_change(3, &long), long);
    let payload = b"\x80\x02K\x01K\x01}X\x01\0\0\0aC\x01bs\x87.";
    assert_eq!(rewritten(payload, touch).unwrap()[..2], *b"\x80\x03", "bytes need protocol 3");
    let gone = rewritten(payload, |session| session.set_json("a", "[1]").unwrap()).unwrap();
    assert!(gone.ends_with(b"]K\x01as\x87."), "the value that was set is written");
}

#[test]
fn values_keep_their_types_when_other_keys_are_deleted() {
    let key = |number: usize| format!("k{number:03}");
    let item = |number: usize| [b"X\x04\0\0\0", key(number).as_bytes(), b"K\x01\x85"].concat();
    let dict =
        |numbers: std::ops::Range<usize>| [&b"}("[..], &numbers.flat_map(item).collect::<Vec<_>>(), b"u"].concat();
    // With this many keys, a deleted key leaves a gap.
    let payload = [&b"\x80\x02K\x01K\x01"[..], &dict(0..200), b"\x87."].concat();
    let written = rewritten(&payload, |session| {
        assert!((0..10).all(|number| session.delete(&key(number))));
    });
    assert!(written.unwrap().ends_with(&[&dict(10..200)[..], b"\x87."].concat()));
}

#[test]
fn setting_a_list_replaces_a_tuple_by_a_list() {
    let payload = b"\x80\x02K\x01K\x01}(X\x01\0\0\0aK\x01\x85X\x01\0\0\0bK\x02\x85u\x87.";
    let written = rewritten(payload, |session| session.set_json("a", "[[3],4]").unwrap()).unwrap();
    assert_eq!(written[10..], *b"(X\x01\0\0\0a](]K\x03aK\x04eX\x01\0\0\0bK\x02\x85u\x87.");
    let flashed = b"\x80\x02K\x01K\x01}X\x03\0\0\0_f_](C\x01aK\x02\x85es\x87.";
    let written = rewritten(flashed, |session| session.queue("").push_json("3").unwrap()).unwrap();
    assert!(written.ends_with(b"X\x03\0\0\0_f_](X\x01\0\0\0a]K\x02aK\x03es\x87."), "{written:?}");
}

#[test]
fn an_object_that_occurs_twice_stays_one_object() {
    for (value, expected) in [
        (&b"(]q\x07K\x01ah\x07h\x07l"[..], &b"](]q\0K\x01ah\0h\0e"[..]),
        (b"(}X\x01\0\0\0kNsq\x01h\x01l", b"](}q\0X\x01\0\0\0kNsh\0e"),
        (b"(K\x01K\x02\x86q\x05h\x05l", b"](K\x01K\x02\x86q\0h\0e"),
        (b"(]q\x01(]q\x02h\x02eh\x01h\x02l", b"](]q\0(]q\x01h\x01eh\0h\x01e"),
    ] {
        assert_eq!(beside_a_change(2, value), expected);
    }
    assert_eq!(beside_a_change(4, b"(]\x94K\x01ah\0h\0l"), b"](]\x94K\x01ah\0h\0e");
    // Several keys have the same object, and one of them is deleted.
    let payload = b"\x80\x02K\x01K\x01}(X\x01\0\0\0a]q\0K\x01aX\x01\0\0\0bh\0X\x01\0\0\0ch\0u\x87.";
    let written = rewritten(payload, |session| assert!(session.delete("a"))).unwrap();
    assert_eq!(written[9..], *b"}(X\x01\0\0\0b]q\0K\x01aX\x01\0\0\0ch\0u\x87.");
}

/// The opcodes of a value that was set in a new session.
fn set(json: &str) -> Vec<u8> {
    let mut session = pickling().open_with(b"", &OpenOptions::new().now(NOW)).unwrap();
    session.set_json("a", json).unwrap();
    let written = unbase64(value_of(&commit(&mut session).unwrap())).split_off(64);
    let before = [b"\x80\x02", READ, b"GA\xd9T\xfcO\x10\0\0}X\x01\0\0\0a"].concat();
    let inside = written.strip_prefix(&before[..]).and_then(|rest| rest.strip_suffix(b"s\x87."));
    inside.unwrap_or_else(|| panic!("{written:?}")).to_vec()
}

#[test]
fn the_shortest_opcodes_are_written() {
    for (json, opcodes) in [
        ("0", &b"K\0"[..]),
        ("255", b"K\xff"),
        ("256", b"M\0\x01"),
        ("65535", b"M\xff\xff"),
        ("65536", b"J\0\0\x01\0"),
        ("-1", b"J\xff\xff\xff\xff"),
        ("2147483648", b"\x8a\x05\0\0\0\x80\0"),
        ("[]", b"]"),
        ("[1]", b"]K\x01a"),
        ("[1,2]", b"](K\x01K\x02e"),
        ("{}", b"}"),
        (r#"{"x":1}"#, b"}X\x01\0\0\0xK\x01s"),
        (r#"{"x":1,"y":2}"#, b"}(X\x01\0\0\0xK\x01X\x01\0\0\0yK\x02u"),
        (r#"["x","y","x"]"#, b"](X\x01\0\0\0xq\0X\x01\0\0\0yh\0e"),
        (r#"["x","\u0078"]"#, b"](X\x01\0\0\0xq\0h\0e"),
        (r#"["",""]"#, b"](X\0\0\0\0q\0h\0e"),
        (r#"[{"x":"\\"},{"x":"\\"}]"#, b"](}X\x01\0\0\0xq\0X\x01\0\0\0\\q\x01s}h\0h\x01se"),
    ] {
        assert_eq!(set(json), opcodes, "{json}");
    }
}
