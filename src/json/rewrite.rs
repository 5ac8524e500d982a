//! Rewrites values whose text has been checked.

use super::scanner::Scanner;

/// Appends the value without the white space between its parts.
pub(crate) fn compact(value: &str, out: &mut String) {
    let mut rest = value;
    while let Some(at) = rest.find(['"', ' ', '\t', '\n', '\r']) {
        let (before, from) = rest.split_at(at);
        out.push_str(before);
        if from.starts_with('"') {
            let mut scanner = Scanner::lenient(from);
            let end = scanner.string().map_or(from.len(), |string| string.end + 1);
            out.push_str(&from[..end]);
            rest = &from[end..];
        } else {
            rest = &from[1..];
        }
    }
    out.push_str(rest);
}

/// Appends the value with `null` for every number that is not finite.
pub(crate) fn finite(value: &str, out: &mut String) {
    let mut rest = value;
    while let Some(at) = rest.find(['"', 'N', 'I']) {
        let (before, from) = rest.split_at(at);
        out.push_str(before.strip_suffix('-').filter(|_| from.starts_with('I')).unwrap_or(before));
        let end = match from.as_bytes()[0] {
            b'"' => {
                let mut scanner = Scanner::lenient(from);
                let end = scanner.string().map_or(from.len(), |string| string.end + 1);
                out.push_str(&from[..end]);
                end
            }
            first => {
                out.push_str("null");
                if first == b'N' { "NaN".len() } else { "Infinity".len() }
            }
        };
        rest = &from[end..];
    }
    out.push_str(rest);
}
