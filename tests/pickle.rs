//! Reading pickles: data is read as Python reads it, and anything else is refused.

mod common;

use std::time::Instant;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use common::*;
use khufu::{Error, Factory, LoadResult, OpenOptions, Outcome};
use num_bigint::BigInt;
use serde_json::Value;

fn vectors(file: &str) -> Value {
    let path = format!("{}/tests/vectors/{file}", env!("CARGO_MANIFEST_DIR"));
    json(&std::fs::read_to_string(path).unwrap())
}

fn pickling() -> Factory {
    factory(&[("serializer", "pickle"), ("timeout", "")])
}

/// The pickle of a session with one key, `a`, whose value has these opcodes.
fn holding_pickled(value: &[u8]) -> Vec<u8> {
    [b"\x80\x04J\0\xf1SeJ\0\xf1Se}X\x01\0\0\0a".as_slice(), value, b"s\x87."].concat()
}

/// The JSON text of the value that has these opcodes.
fn read(value: &[u8]) -> String {
    let mut session = open(&pickling(), &signed(holding_pickled(value)));
    assert_eq!(session.load_result(), LoadResult::Loaded, "{:?}", session.refusal());
    session.at(0).unwrap().1.to_owned()
}

fn refused(value: &[u8]) -> (LoadResult, String) {
    outcome(&[("serializer", "pickle")], holding_pickled(value))
}

#[test]
fn pickles_from_cpython_are_read_as_cpython_reads_them() {
    let vectors = vectors("python_pickles.json");
    let cases = vectors["cases"].as_array().unwrap();
    assert!(cases.len() > 90);
    for case in cases {
        let pickle = STANDARD.decode(case["pickle"].as_str().unwrap()).unwrap();
        let mut session = open(&pickling(), &signed(pickle));
        let name = &case["name"];
        assert_eq!(session.load_result(), LoadResult::Loaded, "{name}: {:?}", session.refusal());
        assert_eq!((session.renewed(), session.created()), (RENEWED, CREATED), "{name}");
        let expected = case["state_json"].as_str().unwrap();
        let finite = expected.replace("-Infinity", "null").replace("Infinity", "null").replace("NaN", "null");
        assert_eq!(session.to_json(), finite, "{name}");
    }
}

#[test]
fn hostile_pickles_are_refused_with_the_reason() {
    let vectors = vectors("hostile_pickle.json");
    let cases = vectors["cases"].as_array().unwrap();
    assert!(cases.len() > 150);
    for case in cases {
        let header = format!("session={}", case["cookie"].as_str().unwrap());
        let start = Instant::now();
        let mut session =
            pickling().open_with(header.as_bytes(), &OpenOptions::new().now(vectors["now"].as_f64().unwrap())).unwrap();
        let name = &case["name"];
        assert!(start.elapsed().as_secs() < 5, "{name}");
        assert_eq!(session.load_result().name(), case["expected"], "{name}: {:?}", session.refusal());
        let refused = case["expected"] != "loaded";
        let why = session.refusal().unwrap_or_default();
        assert!(why.contains(case["told"].as_str().unwrap()), "{name}: {why}");
        assert_eq!((session.refusal().is_some(), session.is_new()), (refused, refused), "{name}");
        assert!(!refused || session.is_empty(), "{name}");
    }
}

#[test]
fn an_integer_of_more_than_4300_digits_is_refused_and_not_written() {
    let settings = [FORMATS[1], &[("accept.old.serializer", "json"), ("accept.old.secret", SECRET)]].concat();
    let accepting = factory(&settings);
    let digits = "9".repeat(4300);
    let line = |digits: &str| format!("L{digits}L\n").into_bytes();
    assert_eq!(read(&line(&digits)), digits);
    assert_eq!(read(&line(&format!("-{digits}"))), format!("-{digits}"));
    for more in [format!("1{digits}"), format!("-1{digits}")] {
        assert_eq!(refused(&line(&more)).0, LoadResult::Unsupported);
        let mut session = open(&accepting, &signed(session(&format!("{{\"a\": {more}}}"))));
        assert!(matches!(session.set_json("b", &more), Err(Error::Range(_))));
        assert!(matches!(session.commit(Outcome::Response), Err(Error::Range(_))));
        assert!(session.is_changed());
        session.set_json("a", "1").unwrap();
        assert!(session.commit(Outcome::Response).is_ok());
    }
    let long4 = |bytes: usize| [&b"\x8b"[..], &(bytes as u32).to_le_bytes(), &vec![0x7f; bytes]].concat();
    assert_eq!(read(&long4(1785)).len(), 4299);
    assert_eq!(refused(&long4(1790)).0, LoadResult::Unsupported);
    assert_eq!(refused(&long4(100_000)).0, LoadResult::Unsupported);
}

#[test]
fn integers_of_any_size_are_written_and_read() {
    for power in (0..70_usize).chain([127, 128, 2030, 2031, 2032, 2039, 2040, 2041, 8000]) {
        let number: BigInt = BigInt::from(1) << power;
        for number in [number.clone() - 1, number.clone(), -number.clone(), -number.clone() - 1, 1 - number] {
            let mut session = pickling().open_with(b"", &OpenOptions::new().now(NOW)).unwrap();
            session.set_json("n", &number.to_string()).unwrap();
            let value = value_of(&commit(&mut session).unwrap()).to_owned();
            assert_eq!(open(&pickling(), &value).get_json("n").unwrap(), Some(&*number.to_string()));
        }
    }
}

#[test]
fn numbers_beyond_a_double_are_written_as_the_nearest_double() {
    let settings = [FORMATS[1], &[("accept.old.serializer", "json"), ("accept.old.secret", SECRET)]].concat();
    let numbers = r#"{"n": [1e999,-1e999,1e-999,0.1000000000000000055511151231257827,-0,1E2]}"#;
    let mut session = open(&factory(&settings), &signed(session(numbers)));
    let value = value_of(&commit(&mut session).unwrap()).to_owned();
    assert_eq!(open(&pickling(), &value).to_json(), r#"{"n":[null,null,0.0,0.1,0,100.0]}"#);
}

#[test]
fn a_memo_that_expands_to_more_than_a_mebibyte_is_refused() {
    let lists = |levels: u8, fan: usize| {
        let mut opcodes = b"]\x94".to_vec();
        for level in 0..levels {
            opcodes.extend_from_slice(b"0](");
            for _ in 0..fan {
                opcodes.extend_from_slice(&[b'h', level]);
            }
            opcodes.extend_from_slice(b"e\x94");
        }
        opcodes
    };
    assert_eq!(read(&lists(3, 10)).matches("[]").count(), 1000);
    for (levels, fan) in [(100, 2), (7, 10), (30, 50)] {
        let start = Instant::now();
        let (result, why) = refused(&lists(levels, fan));
        assert_eq!(result, LoadResult::Unsupported, "{why}");
        assert!(why.contains("1 MiB"), "{why}");
        assert!(start.elapsed().as_secs() < 5);
    }
    let text = [&b"X\x00\x40\0\0"[..], &[b'x'; 0x4000], b"\x940](", &b"h\0".repeat(200), b"e"].concat();
    assert_eq!(refused(&text).0, LoadResult::Unsupported);
}

#[test]
fn a_value_that_contains_itself_is_refused() {
    for cycle in [&b"]\x94h\0a"[..], b"}\x94X\x01\0\0\0kh\0s", b"]\x94((h\0te"] {
        let (result, why) = refused(cycle);
        assert_eq!(result, LoadResult::Unsupported, "{why}");
        assert!(why.contains("1,000 levels"), "{why}");
    }
}

#[test]
fn pickles_nest_up_to_1000_levels() {
    for (open, close) in [(&b"]"[..], &b"a"[..]), (b"", b"\x85"), (b"}X\x01\0\0\0k", b"s")] {
        let nested = |levels: usize| [&open.repeat(levels)[..], b"N", &close.repeat(levels)].concat();
        assert_eq!(read(&nested(1000)).matches(['[', '{']).count(), 1000);
        assert_eq!(refused(&nested(1001)).0, LoadResult::Unsupported);
        assert_eq!(refused(&nested(50_000)).0, LoadResult::Unsupported, "the depth does not overflow the stack");
    }
}

#[test]
fn every_truncated_pickle_is_malformed() {
    let pickle = holding_pickled(b"(K\x01X\x01\0\0\0xL5L\nF1.5\nV\\u0041\n\x8a\x02\xff\x7fG\0\0\0\0\0\0\0\0l");
    assert_eq!(open(&pickling(), &signed(&pickle)).load_result(), LoadResult::Loaded);
    for length in 0..pickle.len() {
        assert_eq!(outcome(&[("serializer", "pickle")], &pickle[..length]).0, LoadResult::Malformed, "{length}");
    }
}

#[test]
fn a_pickle_that_python_cannot_read_is_malformed() {
    for broken in [
        &b"h\x05"[..],
        b"g5\n",
        b"j\xff\xff\xff\xff",
        b"gx\n",
        b"px\n",
        b"I\n",
        b"Ix\n",
        b"I0x10\n",
        b"I5L\n",
        b"L1_0L\n",
        b"Fx\n",
        b"X\xff\xff\xff\xff",
        b"\x8d\xff\xff\xff\xff\xff\xff\xff\xff",
        b"\x8e\xff\xff\xff\xff\xff\xff\xff\x7f",
        b"\x8b\xff\xff\xff\x7f",
        b"\x95\x05\0\0\0\0\0\0\0N",
        b"\x95\xff\xff\xff\xff\xff\xff\xff\xffN",
        b"X\x01\0\0\0\xff",
        b"X\x03\0\0\0\xed\xa0\x7f",
        b"X\x02\0\0\0\xed\xa0",
        b"V\\u12g4\n",
        b"V\\U00110000\n",
        b"V\\u\n",
        b"S'a\n",
        b"Sa\n",
        b"S'\n",
        b"S'\\x4'\n",
        b"(",
        b"(K\x01",
        b"1",
        b"l",
        b"Na",
        b"]Ne",
        b"N(Ne",
        b"](K\x01u",
        b"}(X\x01\0\0\0au",
        b"\xffN",
        b"\x00N",
    ] {
        let (result, why) = refused(broken);
        assert_eq!(result, LoadResult::Malformed, "{broken:?}: {why}");
    }
    assert_eq!(read(b"\x95\x04\0\0\0\0\0\0\0N"), "null", "a frame may reach the end");
    let good = holding_pickled(b"N");
    for pickle in [[&good[..], b"N"].concat(), [&good[..], &good].concat(), [b" ", &good[..]].concat()] {
        assert_eq!(outcome(&[("serializer", "pickle")], pickle).0, LoadResult::Malformed);
    }
}

#[test]
fn data_that_json_does_not_have_is_unsupported() {
    for (opcodes, reason) in [
        (&b"}K\x01Ns"[..], "not a str"),
        (b"}NNs", "not a str"),
        (b"})Ns", "not a str"),
        (b"}C\x01aNs", "not a str"),
        (b"(K\x01Nd", "not a str"),
        (b"C\x01\xff", "not UTF-8"),
        (b"B\x03\0\0\0\xed\xa0\x80", "not UTF-8"),
        (b"\x80\x06N", "protocol is later than 5"),
        (b"\x80\xffN", "protocol is later than 5"),
        (b"U\x01\xe9", "not ASCII"),
        (b"S'\\xe9'\n", "not ASCII"),
        (b"\x8f", "set under the key \"a\""),
        (b"(\x91", "frozenset under the key \"a\""),
        (b"\x96\0\0\0\0\0\0\0\0", "bytearray under the key \"a\""),
    ] {
        let (result, why) = refused(opcodes);
        assert_eq!(result, LoadResult::Unsupported, "{opcodes:?}: {why}");
        assert!(why.contains(reason), "{why}");
    }
}

#[test]
fn a_refusal_names_the_key_and_shows_nothing_else_of_the_session() {
    let state = |key: &[u8], value: &[u8]| {
        let key = [b"X", &(key.len() as u32).to_le_bytes()[..], key].concat();
        [b"\x80\x04K\x01K\x01}(X\x05\0\0\0firstK\x01", &key[..], value, b"X\x04\0\0\0lastK\x02u\x87."].concat()
    };
    let set = &b"\x8f"[..];
    let deep = b"}(X\x06\0\0\0secretK\x07X\x06\0\0\0hidden](X\x05\0\0\0valuecsite.models\nCart\n)\x81}beu";
    for (pickle, reason) in [
        (state(b"a b", set), r#": set under the key "a b""#.to_owned()),
        (state("zoë".as_bytes(), set), r#": set under the key "zoë""#.to_owned()),
        (state(b"\"\n\\", set), r#": set under the key "\"\n\\""#.to_owned()),
        (state(b"\xed\xa0\x80", set), ": set under the key \"\u{fffd}\"".to_owned()),
        (state(&[b'k'; 101], set), format!(": set under the key \"{}\"…", "k".repeat(100))),
        (state(b"cart", deep), r#": site.models.Cart under the key "cart""#.to_owned()),
        (
            state(b"n", &[b"c", &[b'm'; 200][..], b"\nC\n"].concat()),
            format!(": {}.C under the key \"n\"", "m".repeat(100)),
        ),
    ] {
        let (result, why) = outcome(&[("serializer", "pickle"), ("timeout", "")], pickle);
        assert_eq!(result, LoadResult::Unsupported, "{why}");
        assert!(why.ends_with(&reason), "{why}, not {reason}");
    }
    for (state, reason) in [
        (r#"{"a":1,"b c":[X],"d":2}"#, r#"under the key "b c""#),
        (r#"{"a":[X]}"#, r#"under the key "a""#),
        (r#"{ "a" : 1 , "\u00eb" : { "x": [X] } }"#, r#"under the key "ë""#),
    ] {
        let deep = format!("{}{}", "[".repeat(1000), "]".repeat(1000));
        let (result, why) = outcome(&[("timeout", "")], session(&state.replace('X', &deep)));
        assert_eq!(result, LoadResult::Unsupported, "{why}");
        assert!(why.ends_with(reason), "{why}, not {reason}");
    }
}

#[test]
fn the_payload_must_be_two_times_and_a_dict() {
    let settings = [("serializer", "pickle"), ("timeout", "")];
    for (payload, expected) in [
        (&b"(K\x01K\x02}t."[..], LoadResult::Loaded),
        (b"(K\x01K\x02}l.", LoadResult::Loaded),
        (b"K\x01F2.5\n}\x87.", LoadResult::Loaded),
        (b"(K\x01K\x02}K\x03t.", LoadResult::Malformed),
        (b"(K\x01K\x02t.", LoadResult::Malformed),
        (b"(K\x01K\x02]t.", LoadResult::Malformed),
        (b"(K\x01K\x02Nt.", LoadResult::Malformed),
        (b"(NK\x02}t.", LoadResult::Malformed),
        (b"(\x88K\x02}t.", LoadResult::Malformed),
        (b"(Fnan\nK\x02}t.", LoadResult::Malformed),
        (b"(K\x01Finf\n}t.", LoadResult::Malformed),
        (b"(S'1'\nK\x02}t.", LoadResult::Malformed),
        (b"}.", LoadResult::Malformed),
        (b"N.", LoadResult::Malformed),
        (b".", LoadResult::Malformed),
    ] {
        assert_eq!(outcome(&settings, payload).0, expected, "{payload:?}");
    }
}
