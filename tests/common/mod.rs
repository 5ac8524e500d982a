//! Helpers for most tests: factories, and cookies made without khufu.
#![allow(dead_code)] // Each test file uses only some of the helpers.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use crypto_secretbox::aead::{AeadInPlace, KeyInit as _};
use crypto_secretbox::{Key, Nonce, XSalsa20Poly1305};
use hmac::{Hmac, KeyInit as _, Mac};
use khufu::{Error, Factory, LoadResult, OpenOptions, Options, Outcome, Session};
use serde_json::Value;
use sha2::Sha512;

pub type Settings<'a> = &'a [(&'a str, &'a str)];

/// The time when sessions are opened, a little more than a minute after their cookies were written.
pub const NOW: f64 = 1_700_000_060.25;
/// The times in the payload of [`session`].
pub const RENEWED: f64 = 1_700_000_000.0;
pub const CREATED: f64 = 1_699_999_899.75;

pub const SECRET: &str = "itsaseekreet";
pub const SALTED_SECRET: &[u8] = b"pyramid.session.itsaseekreet";
/// A secret for encryption: the bytes from 0 to 31, in hex.
pub const KEY: &str = "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f";

/// The four formats of session cookies, each with its secret.
pub const FORMATS: [Settings<'static>; 4] = [
    &[("type", "signed_cookie"), ("serializer", "json"), ("secret", SECRET)],
    &[("type", "signed_cookie"), ("serializer", "pickle"), ("secret", SECRET)],
    &[("type", "encrypted_cookie"), ("serializer", "json"), ("secret_hex", KEY)],
    &[("type", "encrypted_cookie"), ("serializer", "pickle"), ("secret_hex", KEY)],
];

/// Makes a factory with these options. The secret is [`SECRET`] if they do not set one.
pub fn try_factory(settings: Settings<'_>) -> Result<Factory, Error> {
    let mut options = Options::new();
    if !settings.iter().any(|(name, _)| ["secret", "secret_hex"].contains(name)) {
        options.set("secret", SECRET)?;
    }
    for (name, value) in settings {
        options.set(name, value)?;
    }
    Factory::new(&options)
}

pub fn factory(settings: Settings<'_>) -> Factory {
    try_factory(settings).unwrap()
}

pub fn base64(bytes: impl AsRef<[u8]>) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

pub fn unbase64(value: &str) -> Vec<u8> {
    URL_SAFE_NO_PAD.decode(value).unwrap()
}

/// The value of a signed cookie with any payload. `key` is the salt followed by the secret.
pub fn signed_with(key: &[u8], payload: impl AsRef<[u8]>) -> String {
    let mut mac = Hmac::<Sha512>::new_from_slice(key).unwrap();
    mac.update(payload.as_ref());
    base64([&mac.finalize().into_bytes(), payload.as_ref()].concat())
}

pub fn signed(payload: impl AsRef<[u8]>) -> String {
    signed_with(SALTED_SECRET, payload)
}

/// The value of a cookie with any payload, encrypted with [`KEY`].
pub fn encrypted(payload: impl AsRef<[u8]>) -> String {
    let key: Vec<u8> = (0..32).collect();
    let nonce = [7; 24];
    let mut bytes = payload.as_ref().to_vec();
    let tag = XSalsa20Poly1305::new(Key::from_slice(&key))
        .encrypt_in_place_detached(Nonce::from_slice(&nonce), b"", &mut bytes)
        .unwrap();
    base64([&nonce[..], &tag, &bytes].concat())
}

/// The payload of a session with this state, as Pyramid's JSON serializer may write it.
pub fn session(state: &str) -> String {
    format!("[1700000000, 1699999899.75, {state}]")
}

/// Opens the session in a cookie with this value.
pub fn open(factory: &Factory, value: &str) -> Session {
    factory.open_with(format!("session={value}").as_bytes(), &OpenOptions::new().now(NOW)).unwrap()
}

/// Opens a session with this state from a cookie. Reading it does not renew the cookie.
pub fn holding(state: &str) -> Session {
    let opened = open(&factory(&[("reissue_time", "")]), &signed(session(state)));
    assert_eq!(opened.load_result(), LoadResult::Loaded, "{state}: {:?}", opened.refusal());
    opened
}

/// Opens the session of a browser that sends no cookie.
pub fn fresh() -> Session {
    factory(&[]).open_with(b"", &OpenOptions::new().now(NOW)).unwrap()
}

/// Commits. Returns the `Set-Cookie` value, if there is one.
pub fn commit(session: &mut Session) -> Option<String> {
    let cookies = session.commit(Outcome::Response).unwrap();
    assert!(cookies.len() <= 1);
    cookies.first().map(ToString::to_string)
}

/// The value of the cookie that a `Set-Cookie` value sets.
pub fn value_of(set_cookie: &str) -> &str {
    let pair = set_cookie.split(';').next().unwrap();
    pair.split_once('=').unwrap().1
}

/// The payload of a signed cookie's value.
pub fn payload_of(value: &str) -> String {
    String::from_utf8(unbase64(value).split_off(64)).unwrap()
}

/// Commits a changed session. Returns the payload that was written.
pub fn committed(session: &mut Session) -> String {
    payload_of(value_of(&commit(session).expect("the session changed")))
}

/// Commits a changed session. Returns the JSON text of the state that was written.
pub fn committed_state(session: &mut Session) -> String {
    let payload = committed(session);
    payload[payload.find('{').unwrap()..payload.len() - 1].to_owned()
}

/// Opens a genuine signed cookie with this payload. Returns the load result, and the reason if it was refused.
pub fn outcome(settings: Settings<'_>, payload: impl AsRef<[u8]>) -> (LoadResult, String) {
    let opened = open(&factory(settings), &signed(payload));
    (opened.load_result(), opened.refusal().unwrap_or_default().to_owned())
}

pub fn json(text: &str) -> Value {
    serde_json::from_str(text).unwrap_or_else(|error| panic!("{text}: {error}"))
}

/// The session's keys and values, in order.
pub fn items(session: &mut Session) -> Vec<(String, String)> {
    let length = session.len();
    let items = (0..length).map(|index| session.at(index).map(|(key, value)| (key.to_owned(), value.to_owned())));
    let items = items.collect::<Option<Vec<_>>>().unwrap();
    assert!(session.at(length).is_none());
    items
}

/// Returns true if two values are equal. Numbers are compared as doubles, and keys must be in the same order.
pub fn same(one: &Value, other: &Value) -> bool {
    match (one, other) {
        (Value::Array(ones), Value::Array(others)) => {
            ones.len() == others.len() && ones.iter().zip(others).all(|(one, other)| same(one, other))
        }
        (Value::Object(ones), Value::Object(others)) => {
            ones.len() == others.len()
                && ones.iter().zip(others).all(|(one, other)| one.0 == other.0 && same(one.1, other.1))
        }
        (Value::Number(one), Value::Number(other)) => one.to_string().parse::<f64>() == other.to_string().parse(),
        _ => one == other,
    }
}
