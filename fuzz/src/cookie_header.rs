//! Opens any bytes as a `Cookie` header, with each type of session.

use std::sync::LazyLock;

use khufu::{Factory, LoadResult, OpenOptions, Outcome};

use super::common::{NOW, Settings, factory, open, value_of};

/// No cookie in the corpus is sealed with this secret.
const SECRET: (&str, &str) = ("secret", "of the target cookie_header alone");
const KEY: (&str, &str) = ("secret", "5f5e5d5c5b5a595857565554535251504f4e4d4c4b4a49484746454443424140");

const FORMATS: [Settings<'static>; 7] = [
    &[SECRET],
    &[SECRET, ("serializer", "pickle"), ("hashalg", "sha1")],
    &[KEY, ("type", "encrypted_cookie")],
    &[SECRET, ("type", "store")],
    &[SECRET, ("library", "beaker"), ("serializer", "json")],
    &[SECRET, ("library", "beaker"), ("type", "encrypted_cookie"), ("encrypt_key", "sesame")],
    &[
        ("secret", "newer"),
        ("previous_secret", "older"),
        ("accept.old.secret", "old"),
        ("accept.old.serializer", "pickle"),
    ],
];

/// The state in the cookie of the format that derives a key for each cookie, which is slow.
const SLOW: &str = "{\"format\":5}";

/// The state of the session in the store, whose cookie has only its id.
const STORED: &str = "{\"format\":3}";

/// A factory of one format, and the value of a cookie that it made. The cookie's state contains the format's number.
struct Sealed {
    factory: Factory,
    value: String,
    state: String,
}

static SEALED: LazyLock<Vec<Sealed>> = LazyLock::new(|| {
    let sealed = FORMATS.iter().enumerate().map(|(number, settings)| {
        let factory = factory(settings);
        let state = format!("{{\"format\":{number}}}");
        let mut session = factory.open_with(b"", &OpenOptions::new().now(NOW)).unwrap();
        session.update_json(&state).unwrap();
        let value = value_of(&session.commit(Outcome::Response).unwrap()[0]).to_owned();
        Sealed { factory, value, state }
    });
    sealed.collect()
});

/// Replaces each byte below the number of formats by the cookie of that format, because no input could contain a
/// genuine cookie otherwise.
fn header(data: &[u8]) -> Vec<u8> {
    let mut header = Vec::with_capacity(data.len());
    for byte in data {
        match SEALED.get(usize::from(*byte)) {
            Some(sealed) => header.extend_from_slice(sealed.value.as_bytes()),
            None => header.push(*byte),
        }
    }
    header
}

pub fn run(data: &[u8]) {
    let header = header(data);
    for Sealed { factory, value, state } in SEALED.iter() {
        let mut session =
            factory.open_with(&header, &OpenOptions::new().now(NOW)).expect("no cookie makes opening fail");
        match session.load_result() {
            LoadResult::Loaded => assert_eq!(session.to_json(), state, "only a cookie sealed here opens"),
            LoadResult::None | LoadResult::BadSignature | LoadResult::Malformed => {
                assert!(session.is_new() && session.is_empty());
            }
            other => panic!("no such cookie was sealed: {}", other.name()),
        }
        if state == SLOW && session.is_new() {
            continue;
        }
        session.set_json("key", "\"value\"").unwrap();
        let whole = session.to_json().to_owned();
        let is_new = session.is_new();
        let cookies = session.commit(Outcome::Response).expect("a small session is written");
        // The browser keeps the cookie of a session that was loaded from the store.
        let is_kept = state == STORED && !is_new;
        assert_eq!(cookies.len(), usize::from(!is_kept));
        let mut reopened = open(factory, if is_kept { value } else { value_of(&cookies[0]) });
        assert_eq!(reopened.load_result(), LoadResult::Loaded);
        assert_eq!(reopened.to_json(), whole);
        if whole != format!("{},\"key\":\"value\"}}", state.trim_end_matches('}')) {
            // No later input has this session's cookie, so its record would stay in memory.
            session.invalidate();
        } else {
            session.delete("key");
        }
        session.commit(Outcome::Response).expect("the session is small again");
    }
}
