//! Sets any text as a value.

use std::sync::LazyLock;

use khufu::{Error, Factory, LoadResult, OpenOptions, Outcome, Session};
use serde_json::Value;

use super::common::{FORMATS, KEY, NOW, SECRET, factory, open, same, value_of};
use super::json_text::{self, LONE_SURROGATE, accepted};

/// Separates the texts of an input. No JSON text contains this character.
const SEPARATOR: char = '\u{1e}';

static FACTORIES: LazyLock<Vec<Factory>> = LazyLock::new(|| {
    let stores =
        ["json", "pickle"].map(|serializer| [("type", "store"), ("serializer", serializer), ("secret", SECRET)]);
    assert!(FORMATS[2].contains(&("secret_hex", KEY)));
    FORMATS.iter().copied().chain(stores.iter().map(|settings| &settings[..])).map(factory).collect()
});

pub fn run(data: &[u8]) {
    let Ok(text) = str::from_utf8(data) else { return };
    // serde_json reads an object with its own secret key as a number.
    if text.contains("serde_json") {
        return;
    }
    for factory in FACTORIES.iter() {
        let mut session = factory.open_with(b"", &OpenOptions::new().now(NOW)).unwrap();
        for text in text.split(SEPARATOR).take(4) {
            set(&mut session, text);
            update(&mut session, text);
            flash(&mut session, text);
        }
        reopen(factory, &mut session);
        if session.queue("").pop_json().is_ok() {
            assert_eq!(session.queue("").peek_json().unwrap(), "[]");
        }
        session.invalidate();
        session.commit(Outcome::Response).unwrap();
    }
}

/// Checks that a text is kept if serde_json accepts it, and otherwise refused without changing the session.
fn set(session: &mut Session, text: &str) {
    session.delete("k");
    let before = session.to_json().to_owned();
    let expected = accepted(text);
    let outcome = session.set_json("k", text);
    match &expected {
        Some(expected) => {
            outcome.unwrap_or_else(|error| panic!("{text:?} is JSON: {error}"));
            let kept = session.get_json("k").unwrap().expect("it was set");
            assert!(kept.len() <= text.trim_ascii().len());
            assert_eq!(json_text::read(kept).as_ref(), Some(expected));
        }
        None => {
            assert!(matches!(outcome, Err(Error::Json(_) | Error::Range(_))), "{text:?} is not JSON");
            assert_eq!(session.to_json(), before);
        }
    }
    session.delete("k");
    let outcome = session.setdefault_json("k", text).map(json_text::read);
    assert_eq!(outcome.ok().flatten(), expected);
    // setdefault also checks a default that it does not need.
    session.set_json("k", "7").unwrap();
    assert_eq!(session.setdefault_json("k", text).ok(), expected.is_some().then_some("7"));
}

fn update(session: &mut Session, text: &str) {
    let before = session.to_json().to_owned();
    let outcome = session.update_json(text);
    let is_refused = outcome.is_err();
    match accepted(text) {
        Some(Value::Object(members)) if !members.keys().any(|key| key.contains(LONE_SURROGATE)) => {
            outcome.unwrap_or_else(|error| panic!("{text:?} is an object: {error}"));
            for (key, value) in &members {
                assert_eq!(json_text::read(session.get_json(key).unwrap().unwrap()).as_ref(), Some(value));
            }
        }
        Some(Value::Object(_)) => {
            // The key may also contain this character itself, which khufu accepts.
            assert!(
                matches!(outcome, Err(Error::LoneSurrogate)) || text.contains(LONE_SURROGATE) || text.contains("\\u")
            );
        }
        Some(_) => assert!(matches!(outcome, Err(Error::NotAnObject(_)))),
        None => assert!(matches!(outcome, Err(Error::Json(_) | Error::Range(_) | Error::LoneSurrogate))),
    }
    if is_refused {
        assert_eq!(session.to_json(), before, "a refused update changes nothing");
    }
}

fn flash(session: &mut Session, text: &str) {
    for allow_duplicate in [true, false] {
        let before = queue(session);
        let outcome = session.queue("").allow_duplicate(allow_duplicate).push_json(text);
        let Some(before) = before else {
            assert!(outcome.is_err(), "the key's value is not a list");
            return;
        };
        let Some(message) = accepted(text) else {
            assert!(matches!(outcome, Err(Error::Json(_) | Error::Range(_))), "{text:?} is not JSON");
            assert_eq!(queue(session), Some(before));
            continue;
        };
        outcome.unwrap_or_else(|error| panic!("{text:?} is JSON: {error}"));
        let after = queue(session).unwrap();
        if after.len() == before.len() {
            assert!(!allow_duplicate && before.iter().any(|there| json_text::may_be_equal(there, &message)));
        } else {
            assert_eq!(after.last(), Some(&message));
            assert!(allow_duplicate || !before.contains(&message));
        }
    }
}

/// The messages of the queue, or `None` if its key has another value than a list.
fn queue(session: &mut Session) -> Option<Vec<Value>> {
    match json_text::read(session.queue("").peek_json().ok()?) {
        Some(Value::Array(messages)) => Some(messages),
        other => panic!("peek_flash gave {other:?}"),
    }
}

/// Checks that a commit keeps everything, if it fits in a cookie.
fn reopen(factory: &Factory, session: &mut Session) {
    session.mark_changed();
    let value = match session.commit(Outcome::Response) {
        Ok(cookies) => value_of(&cookies[0]).to_owned(),
        Err(Error::TooLarge { length, limit, .. }) if length > limit => return,
        Err(error) => panic!("commit failed: {error}"),
    };
    let mut reopened = open(factory, &value);
    assert_eq!(reopened.load_result(), LoadResult::Loaded);
    let [before, after] =
        [session, &mut reopened].map(|session| json_text::read(session.to_json()).expect("it is JSON"));
    assert!(same(&before, &after), "{before} became {after}");
}
