//! Every cookie and record that the originals wrote opens to its state, is written back, and opens again.

use khufu::{Factory, LoadResult, OpenOptions, Outcome, Session};
use serde_json::Value;

use super::server::{Server, unbase64};

fn cases(file: &str) -> Vec<Value> {
    let path = format!("{}/tests/vectors/{file}", env!("CARGO_MANIFEST_DIR"));
    let vectors: Value = serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
    vectors["cases"].as_array().unwrap().clone()
}

/// Compares keys, their order and their values.
fn same(session: &mut Session, expected: &str) {
    let parsed = |json: &str| serde_json::from_str::<Value>(json).unwrap().to_string();
    assert_eq!(parsed(session.to_json()), parsed(expected));
}

/// Makes the factory that reads a case and writes cookies with the same name.
fn factory(server: &Server, format: &str, case: &Value) -> Factory {
    let text = |name: &str| case[name].as_str();
    let (name, _) = text("set_cookie").unwrap().trim().split_once('=').unwrap();
    let mut settings = vec![("library", format), ("cookie_name", name), ("serializer", text("serializer").unwrap())];
    match text("kind") {
        Some("cookie") => settings.extend([("type", "signed_cookie"), ("store", "")]),
        Some(kind) if kind.starts_with("cookie, encrypted") => {
            settings.extend([
                ("type", "encrypted_cookie"),
                ("store", ""),
                ("encrypt_key", text("encrypt_key").unwrap()),
            ]);
        }
        _ => {}
    }
    settings.extend([("secret", text("secret").or(text("validate_key")).unwrap())]);
    server.factory(&settings)
}

fn every_case(file: &str, format: &str, least: usize) {
    let server = Server::start();
    let cases = cases(file);
    assert!(cases.len() >= least);
    for case in &cases {
        println!("{} {} {}", case["name"], case["kind"], case["serializer"]);
        let factory = factory(&server, format, case);
        let records = case["records"].as_object().unwrap();
        for (key, record) in records {
            let value = unbase64(record["value_base64"].as_str().unwrap());
            server.write(key, &value, record["ttl"].as_u64().unwrap());
        }
        let header = case["set_cookie"].as_str().unwrap().trim().split(';').next().unwrap();
        let expected = case["state_json"].as_str().unwrap();
        // The session is opened within its timeout, counted from when the vectors were written.
        let began = began(&factory, header);
        let open = |header: &str, after: f64| {
            factory.open_with(header.as_bytes(), &OpenOptions::new().now(began + after)).unwrap()
        };
        let mut session = open(header, 2.0);
        assert_eq!(session.load_result(), LoadResult::Loaded, "{:?}", session.refusal());
        assert!(!session.is_new());
        same(&mut session, expected);
        session.set_json("again", "[1, \"zwei\"]").unwrap();
        let set_cookie = session.commit(Outcome::Response).unwrap().first().cloned();
        assert_eq!(set_cookie.is_none(), !records.is_empty(), "the cookie of an id stays as it is");
        let header = set_cookie.as_deref().map_or(header, |cookie| cookie.split(';').next().unwrap());
        let mut session = open(header, 3.0);
        assert_eq!(session.load_result(), LoadResult::Loaded, "{:?}", session.refusal());
        assert_eq!(session.created(), began);
        assert!(session.delete("again"));
        same(&mut session, expected);
        for (key, record) in records {
            let left = server.ttl(key);
            let ttl = record["ttl"].as_i64().unwrap();
            assert!((ttl - 5..=ttl).contains(&left), "{left} of {ttl}");
        }
    }
}

/// When the session in a cookie was created. It is opened at time 0, when nothing has expired yet.
fn began(factory: &Factory, header: &str) -> f64 {
    let session = factory.open_with(header.as_bytes(), &OpenOptions::new().now(0.0)).unwrap();
    assert_eq!(session.load_result(), LoadResult::Loaded, "{:?}", session.refusal());
    session.created()
}

#[test]
fn pyramid_session_redis() {
    every_case("pyramid_session_redis.json", "pyramid_session_redis", 6);
}

#[test]
fn pyramid_redis_sessions() {
    every_case("pyramid_redis_sessions.json", "pyramid_redis_sessions", 4);
}

#[test]
fn beaker() {
    every_case("beaker.json", "beaker", 18);
}

#[test]
fn no_changed_bit_of_a_cookie_opens_a_session() {
    let server = Server::start();
    for (file, format) in [
        ("pyramid_session_redis.json", "pyramid_session_redis"),
        ("pyramid_redis_sessions.json", "pyramid_redis_sessions"),
        ("beaker.json", "beaker"),
    ] {
        for case in cases(file).iter().filter(|case| case["name"] == "login") {
            let factory = factory(&server, format, case);
            for (key, record) in case["records"].as_object().unwrap() {
                server.write_for_ever(key, &unbase64(record["value_base64"].as_str().unwrap()));
            }
            let header = case["set_cookie"].as_str().unwrap().trim().split(';').next().unwrap();
            let (name, value) = header.split_once('=').unwrap();
            for at in 0..value.len() {
                for bit in [1, 4, 32] {
                    let mut bytes = value.as_bytes().to_vec();
                    bytes[at] ^= bit;
                    if matches!(bytes[at], b';' | b',' | b'"' | b' ') {
                        continue;
                    }
                    let header = [name.as_bytes(), b"=", &bytes].concat();
                    let result = factory.open_with(&header, &OpenOptions::new().now(0.0)).unwrap().load_result();
                    let refused = matches!(result, LoadResult::BadSignature | LoadResult::Malformed);
                    assert!(refused, "{format}: {result} with the bit {bit} of byte {at} flipped");
                }
            }
            for length in 1..value.len() {
                let header = format!("{name}={}", &value[..length]);
                let result = factory.open_with(header.as_bytes(), &OpenOptions::new().now(0.0)).unwrap().load_result();
                assert!(matches!(result, LoadResult::BadSignature | LoadResult::Malformed), "{result} at {length}");
            }
        }
    }
}
