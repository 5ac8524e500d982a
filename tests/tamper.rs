//! No cookie that was changed opens.

mod common;

use common::*;
use khufu::{Factory, LoadResult, OpenOptions};

/// A factory of each format, and the value of a cookie that it opens.
fn written() -> Vec<(Factory, String)> {
    let write = |settings| {
        let factory = factory(settings);
        let mut session = factory.open_with(b"", &OpenOptions::new().now(NOW)).unwrap();
        session.update_json(r#"{"user":"zoë","admin":false}"#).unwrap();
        let value = value_of(&commit(&mut session).unwrap()).to_owned();
        assert_eq!(open(&factory, &value).load_result(), LoadResult::Loaded);
        (factory, value)
    };
    FORMATS.into_iter().map(write).collect()
}

/// Checks that a cookie with this value opens a new, empty session. The value may contain any bytes.
fn does_not_open(factory: &Factory, value: impl AsRef<[u8]>) -> LoadResult {
    let value = value.as_ref();
    let mut session = factory.open_with(&[b"session=", value].concat(), &OpenOptions::new().now(NOW)).unwrap();
    let result = session.load_result();
    let shown = String::from_utf8_lossy(value);
    assert!(matches!(result, LoadResult::BadSignature | LoadResult::Malformed), "{shown}: {result}");
    assert!(session.is_new() && session.is_empty() && session.refusal().is_some());
    result
}

#[test]
fn no_bit_of_a_cookie_can_be_flipped() {
    for (factory, value) in written() {
        for at in 0..value.len() {
            for bit in 0..8 {
                let mut flipped = value.clone().into_bytes();
                flipped[at] ^= 1 << bit;
                does_not_open(&factory, flipped);
            }
        }
    }
}

#[test]
fn no_bit_of_its_bytes_can_be_flipped() {
    for (factory, value) in written() {
        let bytes = unbase64(&value);
        for at in 0..bytes.len() {
            for bit in 0..8 {
                let mut flipped = bytes.clone();
                flipped[at] ^= 1 << bit;
                assert_eq!(does_not_open(&factory, base64(flipped)), LoadResult::BadSignature);
            }
        }
    }
}

#[test]
fn a_truncated_or_extended_cookie_does_not_open() {
    for (factory, value) in written() {
        for length in 0..value.len() {
            does_not_open(&factory, &value[..length]);
            does_not_open(&factory, &value[value.len() - length..]);
        }
        let bytes = unbase64(&value);
        for length in 0..bytes.len() {
            does_not_open(&factory, base64(&bytes[..length]));
        }
        for added in ["A", "AA", "AAA", "AAAA", "_", &value] {
            does_not_open(&factory, format!("{value}{added}"));
            does_not_open(&factory, format!("{added}{value}"));
        }
        for added in [&b"\0"[..], b" ", b"}", b"\0\0\0\0"] {
            assert_eq!(does_not_open(&factory, base64([&bytes, added].concat())), LoadResult::BadSignature);
        }
    }
}

#[test]
fn parts_of_two_cookies_do_not_open() {
    for (settings, seal) in [(FORMATS[0], 64), (FORMATS[2], 40), (FORMATS[2], 24)] {
        let factory = factory(settings);
        let bytes = |state: &str| {
            let mut session = factory.open_with(b"", &OpenOptions::new().now(NOW)).unwrap();
            session.update_json(state).unwrap();
            unbase64(value_of(&commit(&mut session).unwrap()))
        };
        let (one, other) = (bytes(r#"{"user":"eve"}"#), bytes(r#"{"user":"bob"}"#));
        for (front, back) in [(&one, &other), (&other, &one)] {
            does_not_open(&factory, base64([&front[..seal], &back[seal..]].concat()));
        }
    }
}

#[test]
fn an_empty_or_constant_signature_does_not_open() {
    let payload = session(r#"{"admin": true}"#);
    for byte in [0, 0xff, b' '] {
        does_not_open(&factory(&[]), base64([&[byte; 64], payload.as_bytes()].concat()));
        does_not_open(&factory(FORMATS[2]), base64([&[byte; 40], payload.as_bytes()].concat()));
    }
    does_not_open(&factory(&[]), base64(&payload));
    does_not_open(&factory(&[]), &payload);
}

/// Three cookies, whose values need no padding, one `=` and two.
fn of_each_length() -> [String; 3] {
    let values = ["", "x", "xx"].map(|text| signed(session(&format!("{{\"a\": \"{text}\"}}"))));
    let mut values = values.to_vec();
    values.sort_by_key(|value| (4 - value.len() % 4) % 4);
    assert_eq!([0, 3, 2], [0, 1, 2].map(|n: usize| values[n].len() % 4));
    values.try_into().unwrap()
}

#[test]
fn padding_is_complete_or_absent() {
    let factory = factory(&[]);
    for (padding, value) in of_each_length().into_iter().enumerate() {
        for signs in 0..6 {
            let padded = format!("{value}{}", "=".repeat(signs));
            if signs == 0 || signs == padding {
                assert_eq!(open(&factory, &padded).load_result(), LoadResult::Loaded, "{padded}");
                assert_eq!(open(&factory, &format!("\"{padded}\"")).load_result(), LoadResult::Loaded);
            } else {
                assert_eq!(does_not_open(&factory, &padded), LoadResult::Malformed);
            }
        }
        for at in 1..value.len() {
            let inside = format!("{}={}", &value[..at], &value[at..]);
            assert_eq!(does_not_open(&factory, &inside), LoadResult::Malformed);
            let instead = format!("{}={}", &value[..at], &value[at + 1..]);
            does_not_open(&factory, &instead);
        }
    }
}

#[test]
fn trailing_bits_must_be_zero() {
    const ALPHABET: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    let factory = factory(&[]);
    for (padding, value) in of_each_length().into_iter().enumerate().skip(1) {
        let last = *value.as_bytes().last().unwrap();
        let index = ALPHABET.iter().position(|character| *character == last).unwrap();
        for bits in 1..1 << (2 * padding) {
            let other = format!("{}{}", &value[..value.len() - 1], ALPHABET[index | bits] as char);
            assert_eq!(does_not_open(&factory, &other), LoadResult::Malformed);
            assert_eq!(does_not_open(&factory, format!("{other}{}", "=".repeat(padding))), LoadResult::Malformed);
        }
    }
}

#[test]
fn a_character_outside_the_alphabet_is_found_at_every_position() {
    let factory = factory(&[]);
    let state = |length| session(&format!("{{\"a\": \"{}\"}}", "x".repeat(length)));
    for value in [signed(state(0)), signed(state(150)), signed(state(151)), signed(state(152))] {
        for at in 0..value.len() {
            for other in *b"+/. \t~*%\\\0\x0b\x7f\x80\xaf\xff" {
                let mut bytes = value.clone().into_bytes();
                bytes[at] = other;
                // White space around a value is not part of the value.
                let around = other.is_ascii_whitespace() && (at == 0 || at == value.len() - 1);
                if around {
                    does_not_open(&factory, bytes);
                } else {
                    assert_eq!(does_not_open(&factory, &bytes), LoadResult::Malformed, "{other} at {at}");
                    bytes.insert(at, value.as_bytes()[at]);
                    assert_eq!(does_not_open(&factory, bytes), LoadResult::Malformed, "{other} after {at}");
                }
            }
        }
    }
}

#[test]
fn the_standard_base64_alphabet_is_refused() {
    let factory = factory(&[]);
    let states = (0..200).map(|n| signed(session(&format!("{{\"n\": {n}}}"))));
    let values: Vec<String> = states.filter(|value| value.contains(['-', '_'])).collect();
    assert!(values.len() > 50);
    for value in values {
        assert_eq!(does_not_open(&factory, value.replace('-', "+").replace('_', "/")), LoadResult::Malformed);
    }
}
