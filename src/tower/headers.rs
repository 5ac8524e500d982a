//! Merges the session's headers into the response's own.

use http::header::{CACHE_CONTROL, HeaderMap, HeaderName, HeaderValue, SET_COOKIE, VARY};

use crate::SetCookie;

/// Merges the headers that a session needs into those of a response. `before` are the cookies of earlier commits, which
/// the response may have; the session's cookies replace them.
pub(super) fn merge<'s>(
    headers: &mut HeaderMap,
    added: impl Iterator<Item = (&'static str, &'s str)>,
    before: &[SetCookie],
) {
    if !before.is_empty() {
        let is_before = |value: &HeaderValue| before.iter().any(|cookie| cookie.as_bytes() == value.as_bytes());
        replace(headers, SET_COOKIE, |values| values.retain(|value| !is_before(value)));
    }
    for (name, value) in added {
        let mut value = HeaderValue::from_str(value).expect("the session's headers are valid");
        match name {
            "Set-Cookie" => {
                value.set_sensitive(true); // not shown in logs of headers
                headers.append(SET_COOKIE, value);
            }
            "Vary" if has_any(headers, VARY, &["cookie", "*"]) => {}
            "Vary" => drop(headers.append(VARY, value)),
            _ => restrict_caching(headers, value),
        }
    }
}

/// Adds a directive, `private` or `no-store`, to `Cache-Control`, and removes those that contradict it.
fn restrict_caching(headers: &mut HeaderMap, directive: HeaderValue) {
    replace(headers, CACHE_CONTROL, |values| {
        for value in values.iter_mut() {
            let directives = split(value);
            let kept: Vec<_> = directives.iter().copied().filter(|directive| !is_shared(directive)).collect();
            if kept.len() < directives.len() {
                *value = HeaderValue::from_bytes(&kept.join(&b", "[..])).expect("a part of a header is valid");
            }
        }
        values.retain(|value| !value.is_empty());
    });
    let is_private = directive == "private" && has_any(headers, CACHE_CONTROL, &["private"]);
    if !is_private && !has_any(headers, CACHE_CONTROL, &["no-store"]) {
        headers.append(CACHE_CONTROL, directive);
    }
}

/// True if the directive lets a shared cache store the response.
fn is_shared(directive: &[u8]) -> bool {
    let name = directive.split(|byte| *byte == b'=').next().unwrap_or_default().trim_ascii();
    name.eq_ignore_ascii_case(b"public") || name.eq_ignore_ascii_case(b"s-maxage")
}

/// Changes the values of a header.
fn replace(headers: &mut HeaderMap, name: HeaderName, change: impl FnOnce(&mut Vec<HeaderValue>)) {
    let mut values: Vec<_> = headers.get_all(&name).iter().cloned().collect();
    change(&mut values);
    headers.remove(&name);
    for value in values {
        headers.append(&name, value);
    }
}

/// True if a header's comma-separated values have one of these words.
fn has_any(headers: &HeaderMap, name: HeaderName, words: &[&str]) -> bool {
    let mut parts = headers.get_all(name).iter().flat_map(split);
    parts.any(|part| words.iter().any(|word| part.eq_ignore_ascii_case(word.as_bytes())))
}

/// The parts of a comma-separated value. A part may contain commas in quotes.
fn split(value: &HeaderValue) -> Vec<&[u8]> {
    let (mut is_quoted, mut is_escaped) = (false, false);
    let parts = value.as_bytes().split(|byte| {
        match *byte {
            _ if is_escaped => is_escaped = false,
            b'\\' => is_escaped = is_quoted,
            b'"' => is_quoted = !is_quoted,
            _ => {}
        }
        *byte == b',' && !is_quoted
    });
    parts.map(<[u8]>::trim_ascii).collect()
}
