//! Escapes and unescapes the text between a JSON string's quotes.

use super::stops::Stops;
use crate::sys::wiped::{WipedBytes, WipedText};

/// The number of bytes that [`escape`] writes for a text.
pub(crate) fn escaped_len(text: &str) -> usize {
    let length = |byte: &u8| match byte {
        b'"' | b'\\' | b'\n' | b'\r' | b'\t' | 0x08 | 0x0c => 2,
        0..0x20 => 6,
        _ => 1,
    };
    text.as_bytes().iter().map(length).sum()
}

/// Appends `text` as the content of a JSON string, without quotes. Escapes only the characters that must be escaped.
pub(crate) fn escape(text: &str, out: &mut String) {
    let mut stops = Stops::default();
    let mut start = 0;
    loop {
        let stop = stops.next(text.as_bytes(), start);
        out.push_str(&text[start..stop]);
        let Some(&byte) = text.as_bytes().get(stop) else { return };
        match byte {
            b'"' => out.push_str("\\\""),
            b'\\' => out.push_str("\\\\"),
            b'\n' => out.push_str("\\n"),
            b'\r' => out.push_str("\\r"),
            b'\t' => out.push_str("\\t"),
            0x08 => out.push_str("\\b"),
            0x0c => out.push_str("\\f"),
            _ => {
                const HEX: &[u8; 16] = b"0123456789abcdef";
                out.push_str("\\u00");
                out.push(HEX[usize::from(byte >> 4)] as char);
                out.push(HEX[usize::from(byte & 15)] as char);
            }
        }
        start = stop + 1;
    }
}

/// The code points of a string after unescaping, including lone surrogates, which UTF-8 cannot represent.
pub(crate) fn code_points(inside: &str) -> impl Iterator<Item = u32> {
    let mut rest = inside;
    std::iter::from_fn(move || {
        let first = rest.chars().next()?;
        let (point, length) = if first == '\\' { escaped_point(rest) } else { (first.into(), first.len_utf8()) };
        rest = &rest[length..];
        Some(point)
    })
}

/// The code point of the escape at the beginning of a text, and the escape's length.
fn escaped_point(text: &str) -> (u32, usize) {
    let short = match text.as_bytes()[1] {
        b'u' => {
            let first = code_unit(text).unwrap_or_default();
            return match code_unit(&text[6..]) {
                Some(second @ 0xdc00..0xe000) if (0xd800..0xdc00).contains(&first) => {
                    (0x10000 + ((first - 0xd800) << 10) + (second - 0xdc00), 12)
                }
                _ => (first, 6),
            };
        }
        b'b' => 0x08,
        b'f' => 0x0c,
        b'n' => b'\n',
        b'r' => b'\r',
        b't' => b'\t',
        same => same,
    };
    (short.into(), 2)
}

fn code_unit(text: &str) -> Option<u32> {
    u32::from_str_radix(text.strip_prefix("\\u")?.get(..4)?, 16).ok()
}

/// True if a string contains no lone surrogate, so that UTF-8 can represent it.
pub(crate) fn is_text(inside: &str) -> bool {
    code_points(inside).all(|point| char::from_u32(point).is_some())
}

/// Appends the unescaped text of a string, with `lone_surrogate` for each lone surrogate. If that is `None`, stops at a
/// lone surrogate and returns false.
pub(crate) fn unescape(inside: &str, lone_surrogate: Option<char>, out: &mut String) -> bool {
    for point in code_points(inside) {
        match char::from_u32(point).or(lone_surrogate) {
            Some(character) => out.push(character),
            None => return false,
        }
    }
    true
}

/// The unescaped text of a string, with U+FFFD for each lone surrogate.
pub(crate) fn unescaped(inside: &str) -> WipedText {
    let mut text = WipedText::with_capacity(inside.len());
    unescape(inside, Some(char::REPLACEMENT_CHARACTER), &mut text);
    text
}

/// Appends the unescaped characters of a string as UTF-8. A lone surrogate becomes three bytes that are not valid
/// UTF-8.
pub(crate) fn push_characters(inside: &str, out: &mut WipedBytes) {
    if !inside.contains('\\') {
        return out.add(inside.as_bytes());
    }
    for point in code_points(inside) {
        match char::from_u32(point) {
            Some(character) => out.add(character.encode_utf8(&mut [0; 4]).as_bytes()),
            None => {
                out.add(&[0xe0 | (point >> 12) as u8, 0x80 | (point >> 6 & 0x3f) as u8, 0x80 | (point & 0x3f) as u8]);
            }
        }
    }
}
