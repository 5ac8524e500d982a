//! The `Cookie` header in, the `Set-Cookie` value out.

use std::borrow::Cow;
use std::fmt;
use std::ops::Deref;
use std::time::{Duration, UNIX_EPOCH};

use crate::moment::LATEST;

/// How many cookies of one name are tried, the last first.
const TRIED: usize = 8;

/// A cookie's value may have at most this many bytes: with its name and attributes, what browsers keep.
pub(crate) const LARGEST_VALUE: usize = 4064;

/// The values of the last eight cookies called `name` in a `Cookie` header, the last first.
///
/// Pairs are parted by `;` (or `,`, where a proxy joined two headers); a value may stand in quotes; what is
/// not a pair is passed over (RFC 6265, section 5.4; WebOb reads it the same way).
#[inline]
pub(crate) fn candidates<'h>(header: &'h [u8], name: &str) -> impl Iterator<Item = &'h [u8]> {
    let mut last = None;
    // Seldom is there any; however long the header, no more are kept than are tried.
    let mut earlier = Vec::new();
    let mut rest = header;
    while !rest.is_empty() {
        let (pair_name, value, after) = next_pair(rest);
        if pair_name == Some(name.as_bytes()) {
            earlier.extend(last.replace(value));
            if earlier.len() == TRIED {
                earlier.remove(0);
            }
        }
        rest = after;
    }
    last.into_iter().chain(earlier.into_iter().rev())
}

/// A pair's name (if it is a pair), its value, and what follows it.
#[inline]
fn next_pair(header: &[u8]) -> (Option<&[u8]>, &[u8], &[u8]) {
    let end = memchr::memchr2(b';', b',', header).unwrap_or(header.len());
    let Some(equal) = memchr::memchr(b'=', &header[..end]) else {
        return (None, b"", after(header, end));
    };
    let name = Some(header[..equal].trim_ascii());
    let from = header[equal + 1..].trim_ascii_start();
    let behind = header.len() - end;
    if let Some(quoted) = from.strip_prefix(b"\"")
        && let Some(close) = memchr::memchr(b'"', quoted)
    {
        let rest = quoted[close + 1..].trim_ascii_start();
        if matches!(rest.first(), None | Some(b';' | b',')) {
            return (name, &quoted[..close], after(rest, 0));
        }
    }
    (name, from[..from.len() - behind].trim_ascii_end(), after(header, end))
}

fn after(header: &[u8], separator: usize) -> &[u8] {
    header.get(separator + 1..).unwrap_or_default()
}

/// The attributes of every cookie that a factory writes.
pub(crate) struct Attributes {
    pub name: String,
    pub max_age: Option<u64>,
    pub domain: Option<String>,
    pub path: Option<String>,
    pub secure: bool,
    pub httponly: bool,
    pub samesite: Option<&'static str>,
}

/// The value of a `Set-Cookie` header: ASCII, and as a `str` where one is asked for.
#[derive(Clone, PartialEq, Eq)]
pub struct SetCookie(Vec<u8>);

impl SetCookie {
    /// What goes into the response as it is, and costs nothing to take.
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }
}

impl Deref for SetCookie {
    type Target = str;

    fn deref(&self) -> &str {
        std::str::from_utf8(&self.0).expect("a cookie is ASCII")
    }
}

impl fmt::Display for SetCookie {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self)
    }
}

impl fmt::Debug for SetCookie {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&**self, formatter)
    }
}

/// The parts of a cookie in the form in which they are written, but for the times.
pub(crate) struct Template {
    pub name: String,
    /// The name and the equals sign.
    head: String,
    max_age: Option<u64>,
    place: String,
    flags: String,
    /// Place and flags.
    attributes: String,
}

impl Template {
    pub fn new(attributes: Attributes) -> Self {
        let Attributes { name, max_age, domain, path, secure, httponly, samesite } = attributes;
        let mut place = String::new();
        let mut flags = String::new();
        for (attribute, value) in [("; Domain=", domain), ("; Path=", path)] {
            if let Some(value) = value {
                place.extend([attribute, &value]);
            }
        }
        for (attribute, on) in [("; Secure", secure), ("; HttpOnly", httponly)] {
            if on {
                flags.push_str(attribute);
            }
        }
        if let Some(samesite) = samesite {
            flags.extend(["; SameSite=", samesite]);
        }
        Self { head: format!("{name}="), attributes: format!("{place}{flags}"), name, max_age, place, flags }
    }

    /// Whether the browser forgets the cookie if it is not sent again.
    pub fn expires(&self) -> bool {
        self.max_age.is_some()
    }

    /// A cookie whose value, `length` bytes of ASCII, is written by `write`; `now` in seconds since the epoch.
    pub fn with_value(&self, length: usize, now: f64, write: impl FnOnce(&mut [u8])) -> SetCookie {
        let Self { head, place, flags, .. } = self;
        let attributes = match self.max_age {
            Some(max_age) => {
                let end = http_date(now + max_age as f64);
                Cow::from(format!("; Max-Age={max_age}{place}; Expires={end}{flags}"))
            }
            None => Cow::from(&self.attributes),
        };
        let mut cookie = Vec::with_capacity(head.len() + length + attributes.len());
        cookie.extend_from_slice(head.as_bytes());
        cookie.resize(head.len() + length, 0);
        write(&mut cookie[head.len()..]);
        cookie.extend_from_slice(attributes.as_bytes());
        SetCookie(cookie)
    }

    /// A cookie that makes the browser forget the session.
    pub fn clearing(&self) -> SetCookie {
        let Self { head, place, flags, .. } = self;
        let end = httpdate::fmt_http_date(UNIX_EPOCH);
        SetCookie(format!("{head}; Max-Age=0{place}; Expires={end}{flags}").into_bytes())
    }
}

fn http_date(seconds: f64) -> String {
    httpdate::fmt_http_date(UNIX_EPOCH + Duration::from_secs(seconds.clamp(0.0, LATEST) as u64))
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
