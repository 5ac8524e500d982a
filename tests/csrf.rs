//! CSRF tokens: the text under `_csrft_`.

mod common;

use common::*;

fn is_token(text: &str) -> bool {
    text.len() == 40 && text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
}

#[test]
fn a_token_is_made_once_and_then_stays() {
    let mut session = holding("{}");
    let token = session.csrf_token().unwrap().to_owned();
    assert!(is_token(&token), "{token}");
    assert!(session.is_changed());
    assert_eq!(session.csrf_token().unwrap(), token);
    assert_eq!(session.get_str("_csrft_").unwrap(), Some(&*token));
    let value = value_of(&commit(&mut session).unwrap()).to_owned();
    let mut session = open(&factory(&[]), &value);
    assert_eq!(session.csrf_token().unwrap(), token);
    assert!(session.check_csrf_token(token.as_bytes()));
    assert!(!session.is_changed(), "reading an existing token changes nothing");
}

#[test]
fn a_new_token_replaces_the_old_one() {
    let mut session = holding(r#"{"_csrft_": "old", "a": 1}"#);
    let token = session.new_csrf_token().unwrap().to_owned();
    assert!(is_token(&token));
    assert!(session.check_csrf_token(token.as_bytes()) && !session.check_csrf_token(b"old"));
    assert_ne!(session.new_csrf_token().unwrap(), token);
    assert_eq!(session.at(0).unwrap().0, "_csrft_");
}

#[test]
fn tokens_of_two_sessions_differ() {
    let tokens: std::collections::HashSet<String> =
        (0..50).map(|_| holding("{}").csrf_token().unwrap().to_owned()).collect();
    assert_eq!(tokens.len(), 50);
}

#[test]
fn any_existing_text_is_the_token() {
    for (value, token) in [("\"x\"", "x"), ("\"zo\\u00eb \\\"\\n\"", "zoë \"\n"), ("\"\\u0000\"", "\0")] {
        let mut session = holding(&format!("{{\"_csrft_\": {value}}}"));
        assert_eq!(session.csrf_token().unwrap(), token);
        assert!(session.check_csrf_token(token.as_bytes()));
        assert!(!session.is_changed());
    }
}

#[test]
fn csrf_token_replaces_a_value_that_is_not_a_token() {
    for value in ["\"\"", "1", "null", "[\"x\"]", "true", "NaN"] {
        let mut session = holding(&format!("{{\"_csrft_\": {value}}}"));
        assert!(!session.check_csrf_token(b"") && !session.check_csrf_token(b"1") && !session.check_csrf_token(b"x"));
        assert!(!session.is_changed(), "a check makes no token");
        let token = session.csrf_token().unwrap().to_owned();
        assert!(is_token(&token), "{value}");
        assert!(session.check_csrf_token(token.as_bytes()));
    }
}

#[test]
fn only_the_whole_token_is_accepted() {
    let mut session = holding(r#"{"_csrft_": "0123456789abcdef"}"#);
    assert!(session.check_csrf_token(b"0123456789abcdef"));
    for wrong in ["", "0", "0123456789abcde", "0123456789abcdef0", "0123456789abcdeF", "0123456789abcdef\0", "null"] {
        assert!(!session.check_csrf_token(wrong.as_bytes()), "{wrong:?}");
    }
    for at in 0..16 {
        for bit in 0..8 {
            let mut wrong = *b"0123456789abcdef";
            wrong[at] ^= 1 << bit;
            assert!(!session.check_csrf_token(&wrong));
        }
    }
    assert!(!session.check_csrf_token(b"\xff\xfe"));
}

#[test]
fn a_session_without_a_token_refuses_every_token_and_makes_none() {
    let mut session = holding("{}");
    for token in ["", "null", "x", "0000000000000000000000000000000000000000"] {
        assert!(!session.check_csrf_token(token.as_bytes()), "{token}");
    }
    assert!(!session.is_changed() && session.is_empty());
}
