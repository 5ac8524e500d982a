//! Every cookie that the Python originals wrote opens to its state.

use khufu::{Factory, LoadResult, OpenOptions, Options};
use serde_json::Value;

fn read(file: &str) -> Value {
    let path = format!("{}/tests/vectors/{file}", env!("CARGO_MANIFEST_DIR"));
    serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap()
}

fn factory(case: &Value, kind: &str) -> Factory {
    let mut options = Options::new();
    options.set("type", kind).unwrap();
    for name in ["secret", "secret_hex", "salt", "hashalg", "serializer"] {
        if let Some(value) = case[name].as_str() {
            options.set(name, value).unwrap();
        }
    }
    Factory::new(&options).unwrap()
}

fn every_case_opens(file: &str, kind: &str) {
    let vectors = read(file);
    let cases = vectors["cases"].as_array().unwrap();
    assert!(cases.len() > 20);
    for case in cases {
        let header = format!("session={}", case["cookie"].as_str().unwrap());
        let mut session = factory(case, kind)
            .open_with(header.as_bytes(), &OpenOptions::new().now(vectors["now"].as_f64().unwrap()))
            .unwrap();
        let name = &case["name"];
        assert_eq!(session.load_result(), LoadResult::Loaded, "{name}: {:?}", session.refusal());
        assert_eq!(session.created(), case["created"].as_f64().unwrap(), "{name}");
        assert_eq!(session.renewed(), case["renewed"].as_f64().unwrap(), "{name}");
        assert!(!session.is_new());
        let expected: Value = serde_json::from_str(case["state_json"].as_str().unwrap()).unwrap();
        let state: Value = serde_json::from_str(session.to_json()).unwrap();
        assert_eq!(state.to_string(), expected.to_string(), "{name}: keys, their order and their values");
    }
}

#[test]
fn signed_json() {
    every_case_opens("pyramid_signed_json.json", "signed_cookie");
}

#[test]
fn signed_pickle_of_every_protocol() {
    every_case_opens("pyramid_signed_pickle.json", "signed_cookie");
}

#[test]
fn encrypted() {
    every_case_opens("pyramid_nacl.json", "encrypted_cookie");
}
