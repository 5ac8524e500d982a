//! Properties that hold for any input: generated texts, headers, pickles, and sequences of calls, which are compared
//! with a simple model.

mod common;

use common::*;
use khufu::{Error, LoadResult, OpenOptions, Outcome, Session};
use proptest::prelude::*;
use serde_json::{Map, Value};

fn cases(cases: u32) -> ProptestConfig {
    ProptestConfig { failure_persistence: None, cases, ..ProptestConfig::default() }
}

fn values() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_filter_map("finite", |number| number.is_finite().then(|| Value::from(number))),
        "(0|[1-9][0-9]{1,30})(\\.[0-9]{1,9})?([eE][+-]?[0-9]{1,3})?"
            .prop_map(|text| json(&text))
            .prop_filter("finite", is_read),
        any::<String>().prop_map(Value::from),
    ];
    leaf.prop_recursive(4, 40, 6, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..6).prop_map(Value::from),
            prop::collection::vec((any::<String>(), inner), 0..6)
                .prop_map(|members| Value::Object(members.into_iter().collect())),
        ]
    })
}

/// Returns true if Python can read all numbers of a value. Its integers must be short.
fn is_read(value: &Value) -> bool {
    match value {
        Value::Number(number) => number.to_string().parse::<f64>().unwrap().is_finite(),
        Value::Array(elements) => elements.iter().all(is_read),
        Value::Object(members) => members.values().all(is_read),
        _ => true,
    }
}

/// Texts that are JSON, almost JSON, or not JSON.
fn texts() -> impl Strategy<Value = String> {
    let token = prop::sample::select(vec![
        "[",
        "]",
        "{",
        "}",
        ",",
        ":",
        "\"",
        "\"a\"",
        "\"\\u00e9\"",
        "\"\\ud83d\\udd11\"",
        "\\",
        "true",
        "false",
        "null",
        "0",
        "1",
        "-",
        "-1",
        "1.5",
        "e",
        "E+2",
        ".",
        "\"b\":",
        " ",
        "\n",
        "\t",
        "\u{b}",
        "é",
        "NaN",
    ]);
    let random = prop::collection::vec(token, 0..12).prop_map(|tokens| tokens.concat());
    let written = || values().prop_map(|value| value.to_string());
    let pretty = values().prop_map(|value| serde_json::to_string_pretty(&value).unwrap());
    let damaged = (written(), any::<prop::sample::Index>(), any::<char>()).prop_map(|(text, index, other)| {
        let mut characters: Vec<char> = text.chars().collect();
        let at = index.index(characters.len());
        characters[at] = other;
        characters.into_iter().collect()
    });
    prop_oneof![random, written(), pretty, damaged, ".{0,12}"]
}

/// Commits. Returns the value of the cookie, or `None` if the session is too large for one.
fn cookie_value(session: &mut Session) -> Option<String> {
    match session.commit(Outcome::Response) {
        Ok(cookies) => Some(value_of(&cookies[0]).to_owned()),
        Err(Error::TooLarge { length, limit, .. }) if length > limit => None,
        Err(error) => panic!("{error}"),
    }
}

proptest! {
    #![proptest_config(cases(250))]

    #[test]
    fn exactly_the_json_that_serde_json_accepts_can_be_set(text in texts()) {
        let mut session = holding("{}");
        let outcome = session.set_json("k", &text);
        let accepted = outcome.is_ok();
        match serde_json::from_str::<Value>(&text) {
            Ok(expected) if !is_read(&expected) => prop_assert!(matches!(outcome, Err(Error::Range(_))), "{text:?}"),
            Ok(expected) => {
                prop_assert!(accepted, "{text:?} is JSON");
                let kept = session.get_json("k").unwrap().unwrap().to_owned();
                prop_assert_eq!(json(&kept), expected);
                prop_assert!(kept.len() <= text.trim_ascii().len());
                if let Some(value) = cookie_value(&mut session) {
                    let mut opened = open(&factory(&[]), &value);
                    prop_assert_eq!(opened.get_json("k").unwrap(), Some(&*kept));
                }
            }
            // serde_json refuses a lone surrogate.
            Err(why) => prop_assert!(!accepted || why.to_string().contains("surrogate"), "{text:?}: {why}"),
        }
    }

    #[test]
    fn any_state_is_kept_in_every_format(members in prop::collection::vec((any::<String>(), values()), 0..6)) {
        let state = Value::Object(members.into_iter().collect());
        for settings in FORMATS {
            let factory = factory(settings);
            let mut session = factory.open_with(b"", &OpenOptions::new().now(NOW)).unwrap();
            session.update_json(&state.to_string()).unwrap();
            session.mark_changed();
            let Some(value) = cookie_value(&mut session) else { continue };
            let mut opened = open(&factory, &value);
            prop_assert_eq!(opened.load_result(), LoadResult::Loaded);
            prop_assert_eq!(opened.created(), NOW);
            let read = json(opened.to_json());
            if settings[1].1 == "json" {
                prop_assert_eq!(read.to_string(), state.to_string(), "the text and the order are kept");
            } else {
                prop_assert!(same(&read, &state), "{read} is not {state}");
            }
        }
    }

    #[test]
    fn any_header_opens_a_session(header in prop::collection::vec(any::<u8>(), 0..200)) {
        for settings in FORMATS {
            let mut session = factory(settings).open_with(&header, &OpenOptions::new().now(NOW)).unwrap();
            prop_assert!(session.is_new() && session.is_empty());
        }
    }

    #[test]
    fn any_header_of_cookies_opens_a_session(
        header in "((session|a|\\$Path|\u{e9})?[ =]{0,2}[\"]?[A-Za-z0-9_=+/ ~-]{0,90}[\"]?[;, ]{0,2}){0,12}",
    ) {
        for settings in FORMATS {
            let session = factory(settings).open_with(header.as_bytes(), &OpenOptions::new().now(NOW)).unwrap();
            prop_assert!(session.is_new());
            let results = [LoadResult::None, LoadResult::Malformed, LoadResult::BadSignature];
            prop_assert!(results.contains(&session.load_result()));
        }
    }

    #[test]
    fn any_genuine_payload_opens_a_session(payload in prop::collection::vec(any::<u8>(), 0..200)) {
        for settings in FORMATS {
            let value = if settings[0].1 == "signed_cookie" { signed(&payload) } else { encrypted(&payload) };
            let session = open(&factory(settings), &value);
            prop_assert!([LoadResult::Malformed, LoadResult::Unsupported].contains(&session.load_result()));
        }
    }

    #[test]
    fn any_pickle_opens_a_session(opcodes in pickles(), mut damage in any::<[prop::sample::Index; 2]>(), byte: u8) {
        let mut pickle = [b"(J\0\xf1SeJ\0\xf1Se".as_slice(), &opcodes, b"t."].concat();
        for _ in 0..2 {
            let mut session = open(&factory(&[("serializer", "pickle")]), &signed(&pickle));
            prop_assert!(session.to_json().len() <= (1 << 20) + 8 * pickle.len());
            prop_assert!(holding("{}").set_json("k", session.to_json()).is_ok(), "to_json is strict JSON");
            session.mark_changed();
            if session.load_result() == LoadResult::Loaded && let Some(value) = cookie_value(&mut session) {
                let mut again = open(&factory(&[("serializer", "pickle")]), &value);
                prop_assert_eq!(again.to_json(), session.to_json());
            }
            damage.rotate_left(1);
            let at = damage[0].index(pickle.len());
            pickle[at] = byte;
        }
    }

    #[test]
    fn a_changed_cookie_never_opens(
        members in prop::collection::vec((any::<String>(), values()), 0..3),
        index: prop::sample::Index,
        character in "[A-Za-z0-9_=-]",
    ) {
        for settings in FORMATS {
            let factory = factory(settings);
            let mut session = factory.open_with(b"", &OpenOptions::new().now(NOW)).unwrap();
            session.update_json(&Value::Object(members.iter().cloned().collect()).to_string()).unwrap();
            session.mark_changed();
            let Some(value) = cookie_value(&mut session) else { continue };
            let at = index.index(value.len());
            let changed = [&value[..at], &character, &value[at + 1..]].concat();
            let removed = [&value[..at], &value[at + 1..]].concat();
            let added = [&value[..at], &character, &value[at..]].concat();
            for other in [changed, removed, added] {
                if other.trim_end_matches('=') != value {
                    prop_assert!(open(&factory, &other).is_new(), "{value} as {other}");
                }
            }
        }
    }
}

/// Pickles of random opcodes, most of which make data and some of which run code.
fn pickles() -> impl Strategy<Value = Vec<u8>> {
    let opcode = prop::sample::select(vec![
        b"(".to_vec(),
        b"0".to_vec(),
        b"1".to_vec(),
        b"2".to_vec(),
        b"]".to_vec(),
        b"}".to_vec(),
        b")".to_vec(),
        b"l".to_vec(),
        b"d".to_vec(),
        b"t".to_vec(),
        b"a".to_vec(),
        b"e".to_vec(),
        b"s".to_vec(),
        b"u".to_vec(),
        b"\x85".to_vec(),
        b"\x86".to_vec(),
        b"\x87".to_vec(),
        b"\x94".to_vec(),
        b"q\0".to_vec(),
        b"h\0".to_vec(),
        b"h\x01".to_vec(),
        b"p3\n".to_vec(),
        b"g3\n".to_vec(),
        b"N".to_vec(),
        b"\x88".to_vec(),
        b"I01\n".to_vec(),
        b"I-7\n".to_vec(),
        b"L12L\n".to_vec(),
        b"K\x05".to_vec(),
        b"\x8a\x02\xff\x7f".to_vec(),
        b"F1.5\n".to_vec(),
        b"G\x7f\xf0\0\0\0\0\0\0".to_vec(),
        b"X\x01\0\0\0k".to_vec(),
        b"X\x03\0\0\0\xed\xa0\x80".to_vec(),
        b"V\\ud800x\n".to_vec(),
        b"S'a\\'b'\n".to_vec(),
        b"U\x01k".to_vec(),
        b"C\x02\xc3\xa9".to_vec(),
        b"\x80\x04".to_vec(),
        b"\x95\0\0\0\0\0\0\0\0".to_vec(),
        b"R".to_vec(),
        b"cos\nsystem\n".to_vec(),
    ]);
    let random = prop::collection::vec(opcode, 0..40).prop_map(|opcodes| opcodes.concat());
    prop_oneof![
        random.clone(),
        random.clone().prop_map(|opcodes| [b"}X\x01\0\0\0k(", &*opcodes, b"ls"].concat()),
        random.prop_map(|opcodes| [b"}(X\x01\0\0\0k]", &*opcodes, b"u"].concat()),
        prop::collection::vec(any::<u8>(), 0..60),
    ]
}

#[derive(Debug, Clone)]
enum Call {
    Set(String, Value),
    SetString(String, String),
    Delete(String),
    Pop(String),
    SetDefault(String, Value),
    Update(Map<String, Value>),
    UpdateBadly(Map<String, Value>),
    Get(String),
    Clear,
    Changed,
    Invalidate,
    Flash(String, Value, bool),
    PopFlash(String),
    PeekFlash(String),
    Commit,
    Reopen,
}

fn calls() -> impl Strategy<Value = Call> {
    let key = || prop::sample::select(vec!["", "a", "b", "\"\n\\", "ключ", "_f_", "_f_q"]).prop_map(str::to_owned);
    let queue = || prop::sample::select(vec!["", "q"]).prop_map(str::to_owned);
    let small =
        || prop::sample::select(vec!["0", "1", "1.0", "\"x\"", "[1,{\"a\":2,\"b\":3}]", "[1.0,{\"b\":3,\"a\":2}]"]);
    let value = || prop_oneof![values(), small().prop_map(json)];
    let object = || prop::collection::vec((key(), value()), 0..4).prop_map(|members| members.into_iter().collect());
    prop_oneof![
        3 => (key(), value()).prop_map(|(key, value)| Call::Set(key, value)),
        1 => (key(), any::<String>()).prop_map(|(key, text)| Call::SetString(key, text)),
        // Long enough that unused text is freed.
        1 => (key(), 1..4_usize).prop_map(|(key, length)| Call::SetString(key, "long ".repeat(1500 * length))),
        2 => key().prop_map(Call::Delete),
        2 => key().prop_map(Call::Pop),
        1 => (key(), value()).prop_map(|(key, value)| Call::SetDefault(key, value)),
        1 => object().prop_map(Call::Update),
        1 => object().prop_map(Call::UpdateBadly),
        1 => key().prop_map(Call::Get),
        1 => Just(Call::Clear),
        1 => Just(Call::Changed),
        1 => Just(Call::Invalidate),
        3 => (queue(), small(), any::<bool>()).prop_map(|(queue, value, twice)| Call::Flash(queue, json(value), twice)),
        2 => queue().prop_map(Call::PopFlash),
        1 => queue().prop_map(Call::PeekFlash),
        2 => Just(Call::Commit),
        1 => Just(Call::Reopen),
    ]
}

/// A simple model of a session.
#[derive(Default)]
struct Model {
    state: Map<String, Value>,
    changed: bool,
    invalidated: bool,
    sent: bool,
    response: Response,
}

/// The cookie that the response needs after the commits so far.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
enum Response {
    #[default]
    None,
    Cookie,
    Clearing,
}

impl Model {
    /// Makes a call. Returns true if it succeeds.
    fn call(&mut self, call: &Call) -> bool {
        let list = |queue: &str| self.state.get(&format!("_f_{queue}")).cloned().unwrap_or(Value::Array(Vec::new()));
        let before = self.state.clone();
        let mut marks = false;
        match call {
            Call::Set(key, value) => {
                self.state.insert(key.clone(), value.clone());
                marks = true;
            }
            Call::SetString(key, text) => {
                self.state.insert(key.clone(), Value::from(&**text));
                marks = true;
            }
            Call::Delete(key) | Call::Pop(key) => marks = self.state.shift_remove(key).is_some(),
            Call::SetDefault(key, value) if !before.contains_key(key) => {
                self.state.insert(key.clone(), value.clone());
                marks = true;
            }
            Call::Update(object) => {
                self.state.extend(object.clone());
                marks = !object.is_empty();
            }
            Call::UpdateBadly(_) => return false,
            Call::Clear => {
                marks = !before.is_empty();
                self.state.clear();
            }
            Call::Changed => marks = true,
            Call::Invalidate => {
                *self = Self { invalidated: true, sent: self.sent, response: self.response, ..Self::default() };
            }
            Call::Flash(queue, message, allow_duplicate) => {
                let Value::Array(mut messages) = list(queue) else { return false };
                if *allow_duplicate || !messages.iter().any(|existing| equal(existing, message)) {
                    messages.push(message.clone());
                    self.state.insert(format!("_f_{queue}"), Value::Array(messages));
                    marks = true;
                }
            }
            Call::PopFlash(queue) => {
                if !list(queue).is_array() {
                    return false;
                }
                marks = self.state.shift_remove(&format!("_f_{queue}")).is_some();
            }
            Call::PeekFlash(queue) => return list(queue).is_array(),
            Call::SetDefault(..) | Call::Get(_) | Call::Commit | Call::Reopen => {}
        }
        self.changed |= marks;
        true
    }
}

/// Python's `==` for the messages that [`calls`] makes.
fn equal(one: &Value, other: &Value) -> bool {
    match (one, other) {
        (Value::Array(ones), Value::Array(others)) => {
            ones.len() == others.len() && ones.iter().zip(others).all(|(one, other)| equal(one, other))
        }
        (Value::Object(ones), Value::Object(others)) => {
            ones.len() == others.len()
                && ones.iter().all(|(key, one)| others.get(key).is_some_and(|other| equal(one, other)))
        }
        _ => number(one).is_some() && number(one) == number(other) || one == other,
    }
}

fn number(value: &Value) -> Option<f64> {
    match value {
        Value::Bool(flag) => Some(f64::from(u8::from(*flag))),
        Value::Number(number) => number.to_string().parse().ok(),
        _ => None,
    }
}

/// Makes a call, and checks its result with the model's state before the call. Returns true if the call succeeded.
fn call(session: &mut Session, call: &Call, before: &Map<String, Value>) -> bool {
    let as_value = |text: Option<&str>| text.map(json);
    let queue_of = |queue: &str| before.get(&format!("_f_{queue}")).cloned().unwrap_or(Value::Array(Vec::new()));
    match call {
        Call::Set(key, value) => session.set_json(key, &value.to_string()).is_ok(),
        Call::SetString(key, text) => session.set_str(key, text).is_ok(),
        Call::Delete(key) => {
            assert_eq!(session.delete(key), before.contains_key(key));
            true
        }
        Call::Pop(key) => {
            assert_eq!(as_value(session.pop_json(key).unwrap()).as_ref(), before.get(key));
            true
        }
        Call::SetDefault(key, value) => {
            let text = serde_json::to_string_pretty(value).unwrap();
            assert_eq!(&json(session.setdefault_json(key, &text).unwrap()), before.get(key).unwrap_or(value));
            true
        }
        Call::Update(object) => session.update_json(&Value::Object(object.clone()).to_string()).is_ok(),
        Call::UpdateBadly(object) => {
            let text = Value::Object(object.clone()).to_string();
            session.update_json(&format!("{},}}", &text[..text.len() - 1])).is_ok()
        }
        Call::Get(key) => {
            assert_eq!(as_value(session.get_json(key).unwrap()).as_ref(), before.get(key));
            true
        }
        Call::Clear => {
            session.clear();
            true
        }
        Call::Changed => {
            session.mark_changed();
            true
        }
        Call::Invalidate => {
            session.invalidate();
            true
        }
        Call::Flash(queue, message, allow_duplicate) => {
            session.queue(queue).allow_duplicate(*allow_duplicate).push_json(&message.to_string()).is_ok()
        }
        Call::PopFlash(queue) => {
            let popped = session.queue(queue).pop_json().map(json);
            assert!(popped.as_ref().is_ok_and(|popped| *popped == queue_of(queue)) || popped.is_err());
            popped.is_ok()
        }
        Call::PeekFlash(queue) => {
            let peeked = session.queue(queue).peek_json().map(json);
            assert!(peeked.as_ref().is_ok_and(|peeked| *peeked == queue_of(queue)) || peeked.is_err());
            peeked.is_ok()
        }
        Call::Commit | Call::Reopen => true,
    }
}

proptest! {
    #![proptest_config(cases(150))]

    #[test]
    fn any_sequence_of_calls_matches_a_simple_model(
        members in prop::collection::vec(("[ab]|_f_|_f_q", values()), 0..4),
        calls in prop::collection::vec(calls(), 0..40),
        format in prop::sample::select(vec![0, 2]),
    ) {
        let settings = [&[("reissue_time", "")], FORMATS[format]].concat();
        let factory = factory(&settings);
        let state: Map<String, Value> = members.into_iter().collect();
        let payload = session(&Value::Object(state.clone()).to_string());
        let mut session = open(&factory, &if format == 0 { signed(payload) } else { encrypted(payload) });
        let mut model = Model { state, sent: true, ..Model::default() };
        for made in calls {
            let before = model.state.clone();
            prop_assert_eq!(call(&mut session, &made, &before), model.call(&made), "{:?}", made);
            if matches!(made, Call::Commit | Call::Reopen) {
                let too_large = match session.commit(Outcome::Response) {
                    Ok(_) => false,
                    Err(Error::TooLarge { .. }) => true,
                    Err(error) => panic!("{error}"),
                };
                prop_assert!(model.changed || !too_large);
                if model.changed && !too_large {
                    (model.response, model.sent) = (Response::Cookie, true);
                } else if model.invalidated {
                    model.response = if model.sent { Response::Clearing } else { Response::None };
                }
                let response = match session.set_cookies() {
                    [] => Response::None,
                    [cookie] if cookie.contains("Max-Age=0") => Response::Clearing,
                    _ => Response::Cookie,
                };
                prop_assert_eq!(response, model.response);
                if too_large {
                    continue;
                }
                (model.changed, model.invalidated) = (false, false);
                if matches!(made, Call::Reopen) && response == Response::Cookie {
                    session = open(&factory, value_of(&session.set_cookies()[0]));
                    prop_assert_eq!(session.load_result(), LoadResult::Loaded);
                    model.response = Response::None;
                }
            }
            prop_assert_eq!(session.is_changed(), model.changed, "after {:?}", made);
            prop_assert_eq!(session.len(), model.state.len());
            prop_assert_eq!(session.to_json(), Value::Object(model.state.clone()).to_string(), "after {:?}", made);
        }
    }
}

/// A change to a session with many keys. The number selects a key or a position.
#[derive(Debug, Clone)]
enum Many {
    Set(usize),
    Delete(usize),
    DeleteAt(usize),
    Reopen,
}

fn many() -> impl Strategy<Value = Many> {
    prop_oneof![
        30 => (0..600_usize).prop_map(Many::Set),
        30 => (0..600_usize).prop_map(Many::Delete),
        30 => (0..600_usize).prop_map(Many::DeleteAt),
        1 => Just(Many::Reopen),
    ]
}

/// The key with this number. Every third key needs an escape.
fn many_key(number: usize) -> String {
    if number.is_multiple_of(3) { format!("k\"{number}") } else { format!("key {number}") }
}

proptest! {
    #![proptest_config(cases(60))]

    #[test]
    fn many_keys_match_a_simple_list(
        keys in 0..400_usize,
        repeated in 0..400_usize,
        changes in prop::collection::vec(many(), 0..600),
    ) {
        let factory = factory(&[("type", "store"), ("reissue_time", "")]);
        let mut session = factory.open_with(b"", &OpenOptions::new().now(NOW)).unwrap();
        let mut model: Vec<(String, String)> = Vec::new();
        let written = (0..keys).chain(0..repeated.min(keys)).map(|number| {
            let key = many_key(number);
            let value = format!("\"{number}.{}\"", model.len());
            match model.iter_mut().find(|(there, _)| *there == key) {
                Some((_, there)) => *there = value.clone(),
                None => model.push((key.clone(), value.clone())),
            }
            format!("{}:{value}", json_string(&key))
        });
        let written: Vec<String> = written.collect();
        session.update_json(&format!("{{{}}}", written.join(","))).unwrap();
        for (count, change) in changes.into_iter().enumerate() {
            match change {
                Many::Set(number) => {
                    let (key, value) = (many_key(number), count.to_string());
                    session.set_json(&key, &value).unwrap();
                    match model.iter_mut().find(|(there, _)| *there == key) {
                        Some((_, there)) => *there = value,
                        None => model.push((key, value)),
                    }
                }
                Many::Delete(number) => {
                    let key = many_key(number);
                    let there = model.iter().position(|(there, _)| *there == key);
                    prop_assert_eq!(session.delete(&key), there.is_some());
                    there.map(|place| model.remove(place));
                }
                Many::DeleteAt(place) => {
                    let Some((key, value)) = session.at(place).map(|(key, value)| (key.to_owned(), value.to_owned())) else {
                        prop_assert!(place >= model.len());
                        continue;
                    };
                    prop_assert_eq!((&key, &value), (&model[place].0, &model[place].1));
                    prop_assert!(session.delete(&key));
                    model.remove(place);
                }
                Many::Reopen => {
                    let Some(cookie) = session.commit(Outcome::Response).unwrap().first().map(|cookie| cookie.to_string()) else { continue };
                    session = open(&factory, value_of(&cookie));
                }
            }
            prop_assert_eq!(session.len(), model.len());
        }
        prop_assert_eq!(items(&mut session), model.clone());
        for (key, value) in &model {
            prop_assert_eq!(session.get_json(key).unwrap(), Some(&**value));
        }
        let members: Vec<String> = model.iter().map(|(key, value)| format!("{}:{value}", json_string(key))).collect();
        prop_assert_eq!(session.to_json(), format!("{{{}}}", members.join(",")));
    }
}

fn json_string(text: &str) -> String {
    Value::from(text).to_string()
}
