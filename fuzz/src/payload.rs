//! Checks any payload that was sealed with the right secret.

use khufu::{Error, Factory, LoadResult, Outcome, Session};

use super::common::{NOW, items, open, unbase64, value_of};
use super::json_text;

/// Commits, and returns the value of the cookie. `None` if the cookie is too large for browsers, or none is needed.
fn written(session: &mut Session) -> Option<String> {
    if !session.is_changed() {
        assert_eq!(session.commit(Outcome::Response).unwrap(), []);
        return None;
    }
    match session.commit(Outcome::Response) {
        Ok(cookies) => Some(value_of(&cookies[0]).to_owned()),
        Err(Error::TooLarge { length, limit, .. }) if length > limit => None,
        Err(error) => panic!("commit failed: {error}"),
    }
}

/// Opens a payload's cookie and uses the session as an application may. Returns the value of the cookie that a commit
/// of the unchanged session writes.
pub fn check(factory: &Factory, value: &str) -> Option<String> {
    let mut session = open(factory, value);
    match session.load_result() {
        LoadResult::Loaded => {}
        LoadResult::Malformed => {
            assert!(session.is_new() && session.is_empty() && session.refusal().is_some());
            session.set_json("a", "1").unwrap();
            assert_eq!(open(factory, &written(&mut session).unwrap()).to_json(), r#"{"a":1}"#);
            return None;
        }
        LoadResult::Unsupported => {
            assert!(session.is_new() && session.is_empty() && session.refusal().is_some());
            session.set_json("a", "1").unwrap();
            assert!(
                matches!(session.commit(Outcome::Response), Err(Error::Unsupported(_))),
                "the session is not overwritten"
            );
            session.invalidate();
            assert_eq!(session.commit(Outcome::Response).unwrap().len(), 1);
            return None;
        }
        other => panic!("the payload is genuine: {}", other.name()),
    }
    let whole = read(&mut session);
    let created = session.created();
    let check_reopened = |value: &str| {
        let mut again = open(factory, value);
        assert_eq!((again.load_result(), again.created()), (LoadResult::Loaded, created));
        assert_eq!(json_text::compact(again.to_json()), json_text::compact(&whole));
    };
    if let Some(read) = written(&mut session) {
        check_reopened(&read);
        assert_eq!(open(factory, &read).renewed(), NOW.floor());
    }
    if let Some(touched) = touched(factory, value) {
        check_reopened(&touched);
    }
    let mut session = open(factory, value);
    session.mark_changed();
    let untouched = written(&mut session)?;
    check_reopened(&untouched);
    Some(untouched)
}

/// Commits the session after a key was set and deleted.
fn touched(factory: &Factory, value: &str) -> Option<String> {
    const KEY: &str = "no payload has this key";
    let mut session = open(factory, value);
    if session.contains(KEY) {
        return None;
    }
    session.set_json(KEY, "[1]").unwrap();
    assert!(session.delete(KEY));
    written(&mut session)
}

/// Reads every value in every way. Returns the whole session as JSON.
fn read(session: &mut Session) -> String {
    let whole = session.to_json().to_owned();
    let value = json_text::read(&whole).expect("to_json gives JSON");
    let members = value.as_object().expect("to_json gives an object");
    let items = items(session);
    assert!(members.len() <= items.len() && session.len() == items.len());
    for (key, json) in items {
        assert!(json_text::read(&json).is_some(), "each value is JSON");
        if session.contains(&key) && !key.contains(char::REPLACEMENT_CHARACTER) {
            match session.get_json(&key) {
                Ok(value) => assert_eq!(value, Some(&*json)),
                Err(error) => assert!(matches!(error, Error::Type { .. }) && json.contains("null")),
            }
        }
        let kinds = [
            session.get_str(&key).is_ok_and(|value| value.is_some()),
            session.get_f64(&key).is_ok_and(|value| value.is_some()),
            session.get_bool(&key).is_ok_and(|value| value.is_some()),
        ];
        assert!(kinds.iter().filter(|is| **is).count() <= 1, "a value has one type");
        if let Ok(Some(integer)) = session.get_i64(&key) {
            assert!(json == integer.to_string() || json == "-0");
        }
    }
    whole
}

/// The payload in a signed cookie's value.
pub fn of(value: &str) -> Vec<u8> {
    unbase64(value).split_off(64)
}
