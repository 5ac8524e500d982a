//! Reads JSON with serde_json and khufu's limits, to find out independently of khufu which values may be set.

use serde_json::{Deserializer, Value};

/// The most levels of nesting that khufu accepts in a value.
const LEVELS: usize = 500;
/// The number of digits in the longest integer that Python reads.
const DIGITS: usize = 4300;
/// The character that replaces a lone surrogate, which serde_json does not accept.
pub const LONE_SURROGATE: char = '\u{e000}';

/// The value of a text that khufu accepts; each lone surrogate in it is replaced by [`LONE_SURROGATE`].
pub fn accepted(text: &str) -> Option<Value> {
    if levels(text) > LEVELS {
        return None;
    }
    read(text).filter(|_| is_in_range(text))
}

/// The value of a text; each lone surrogate in it is replaced by [`LONE_SURROGATE`].
pub fn read(text: &str) -> Option<Value> {
    let text = replace_lone_surrogates(text);
    let mut deserializer = Deserializer::from_str(&text);
    deserializer.disable_recursion_limit();
    let mut values = deserializer.into_iter();
    let value = values.next()?.ok()?;
    values.next().is_none().then_some(value)
}

/// The depth of the nested brackets. For a text that is not JSON, at least the depth that a parser may reach.
fn levels(text: &str) -> usize {
    let (mut depth, mut most) = (0_usize, 0);
    for byte in outside_strings(text) {
        match byte {
            b'[' | b'{' => depth += 1,
            b']' | b'}' => depth = depth.saturating_sub(1),
            _ => {}
        }
        most = most.max(depth);
    }
    most
}

/// The text without the white space outside its strings.
pub fn compact(text: &str) -> String {
    let (mut compact, mut string, mut escaped) = (String::with_capacity(text.len()), false, false);
    for character in text.chars() {
        if string || !matches!(character, ' ' | '\t' | '\n' | '\r') {
            compact.push(character);
        }
        (string, escaped) = next(string, escaped, character as u32);
    }
    compact
}

fn outside_strings(text: &str) -> impl Iterator<Item = u8> {
    let mut at = (false, false);
    text.bytes().filter(move |byte| {
        let inside = at.0;
        at = next(at.0, at.1, (*byte).into());
        !inside
    })
}

/// The state after a character: whether the next one is in a string, and whether it is escaped.
fn next(string: bool, escaped: bool, character: u32) -> (bool, bool) {
    match (char::from_u32(character), escaped) {
        (Some('"'), false) => (!string, false),
        (Some('\\'), false) => (string, string),
        _ => (string, false),
    }
}

/// Replaces the escape of each lone surrogate by the escape of [`LONE_SURROGATE`].
fn replace_lone_surrogates(text: &str) -> String {
    let (mut out, mut rest) = (String::with_capacity(text.len()), text);
    while let Some(at) = rest.find('\\') {
        let (before, escape) = rest.split_at(at);
        out.push_str(before);
        let (kept, length) = match (surrogate(escape), escape.get(6..).and_then(surrogate)) {
            (Some(0xd800..0xdc00), Some(0xdc00..)) => (&escape[..12], 12),
            (Some(_), _) => ("\\ue000", 6),
            _ => {
                let length = 1 + escape[1..].chars().next().map_or(0, char::len_utf8);
                (&escape[..length], length)
            }
        };
        out.push_str(kept);
        rest = &escape[length..];
    }
    out + rest
}

/// The surrogate, if the text begins with the escape of one.
fn surrogate(text: &str) -> Option<u32> {
    let digits =
        text.strip_prefix("\\u")?.get(..4).filter(|digits| digits.bytes().all(|digit| digit.is_ascii_hexdigit()))?;
    u32::from_str_radix(digits, 16).ok().filter(|point| (0xd800..0xe000).contains(point))
}

/// Returns true if Python can read all numbers in a JSON text, also those of a key that a later one replaces.
fn is_in_range(text: &str) -> bool {
    let is_of_number = |byte: u8| matches!(byte, b'0'..=b'9' | b'+' | b'-' | b'.' | b'e' | b'E');
    let outside: Vec<u8> = outside_strings(text).collect();
    outside.split(|byte| !is_of_number(*byte)).all(|number| match str::from_utf8(number) {
        Ok(number) if !number.contains(|c: char| c.is_ascii_digit()) => true, // a part of true, false or null
        Ok(number) if number.contains(['.', 'e', 'E']) => number.parse::<f64>().is_ok_and(f64::is_finite),
        number => number.is_ok_and(|number| number.trim_start_matches('-').len() <= DIGITS),
    })
}

/// Returns true if Python may find two values equal. Numbers and booleans are compared as doubles, and keys may be in
/// any order.
pub fn may_be_equal(one: &Value, other: &Value) -> bool {
    let number = |value: &Value| match value {
        Value::Bool(flag) => Some(f64::from(u8::from(*flag))),
        Value::Number(number) => number.to_string().parse::<f64>().ok(),
        _ => None,
    };
    match (one, other) {
        (Value::Array(ones), Value::Array(others)) => {
            ones.len() == others.len() && ones.iter().zip(others).all(|(one, other)| may_be_equal(one, other))
        }
        (Value::Object(ones), Value::Object(others)) => {
            ones.len() == others.len()
                && ones.iter().all(|(key, one)| others.get(key).is_some_and(|other| may_be_equal(one, other)))
        }
        _ => one == other || (number(one).is_some() && number(one) == number(other)),
    }
}
