//! The request's `Cookie` header.

/// The number of cookies of the same name that are tried, beginning with the last one.
const MOST_TRIED: usize = 8;

/// The values of the last eight cookies called `name` in a `Cookie` header, the last first.
///
/// Pairs are separated by `;` (or by `,` if a proxy joined two headers). A value may be in quotes. Anything that is not
/// a pair is skipped. WebOb also turns `\075` in a value into `=`; here such a value stays as it is, and is a bad
/// cookie, because neither Pyramid nor khufu writes a character that needs this.
#[inline]
pub(crate) fn candidates<'h>(header: &'h [u8], name: &str) -> impl Iterator<Item = &'h [u8]> {
    let mut last = None;
    // This is usually empty. It never has more cookies than are tried, however long the header is.
    let mut earlier = Vec::new();
    let mut rest = header;
    while !rest.is_empty() {
        let (pair_name, value, after) = next_pair(rest);
        if pair_name == Some(name.as_bytes()) {
            earlier.extend(last.replace(value));
            if earlier.len() == MOST_TRIED {
                earlier.remove(0);
            }
        }
        rest = after;
    }
    last.into_iter().chain(earlier.into_iter().rev())
}

/// True if the header has a cookie of any name.
#[cold]
pub(crate) fn has_any(header: &[u8]) -> bool {
    let mut rest = header;
    while !rest.is_empty() {
        let (pair_name, _, after) = next_pair(rest);
        if pair_name.is_some() {
            return true;
        }
        rest = after;
    }
    false
}

/// The name of the next pair (`None` if it is not a pair), its value, and the rest of the header.
#[inline]
fn next_pair(header: &[u8]) -> (Option<&[u8]>, &[u8], &[u8]) {
    let end = memchr::memchr2(b';', b',', header).unwrap_or(header.len());
    let Some(equal) = memchr::memchr(b'=', &header[..end]) else {
        return (None, b"", after(header, end));
    };
    let name = Some(header[..equal].trim_ascii());
    let from = header[equal + 1..].trim_ascii_start();
    let after_pair = header.len() - end;
    if let Some(quoted) = from.strip_prefix(b"\"")
        && let Some(close) = memchr::memchr(b'"', quoted)
    {
        let rest = quoted[close + 1..].trim_ascii_start();
        if matches!(rest.first(), None | Some(b';' | b',')) {
            return (name, &quoted[..close], after(rest, 0));
        }
    }
    (name, from[..from.len() - after_pair].trim_ascii_end(), after(header, end))
}

/// The header after a separator.
fn after(header: &[u8], separator: usize) -> &[u8] {
    header.get(separator + 1..).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::candidates;

    fn found(header: &str) -> Vec<String> {
        candidates(header.as_bytes(), "session").map(|value| String::from_utf8_lossy(value).into_owned()).collect()
    }

    #[test]
    fn a_header_as_browsers_and_proxies_send_it() {
        assert_eq!(found("session=a"), ["a"]);
        assert_eq!(found("x=1; session=a; y=2"), ["a"]);
        assert_eq!(found(" session = a ;"), ["a"]);
        assert_eq!(found("session=\"a\"; x=1"), ["a"]);
        assert_eq!(found("x=1,session=a"), ["a"]);
        assert_eq!(found("$Version=1; session=a; $Path=/"), ["a"]);
        assert_eq!(found("junk; ; =; ;;session=a;junk"), ["a"]);
        assert_eq!(found("session=a=="), ["a=="]);
        assert_eq!(found("session="), [""]);
    }

    #[test]
    fn the_last_cookie_of_the_name_comes_first_and_at_most_eight() {
        assert_eq!(found("session=a; session=b"), ["b", "a"]);
        let many: String = (0..11).map(|n| format!("session={n};")).collect();
        assert_eq!(found(&many), ["10", "9", "8", "7", "6", "5", "4", "3"]);
    }

    #[test]
    fn other_cookies_are_not_taken_for_it() {
        for header in ["", "session", "Session=a", "xsession=a", "session2=a", "x=session=a", "x=\"; session=a\"", "=a"]
        {
            assert_eq!(found(header), Vec::<String>::new(), "{header}");
        }
        assert_eq!(found("x=\"unclosed; session=a"), ["a"]);
        assert_eq!(found("x=\"a\"b; session=a"), ["a"]);
    }
}
