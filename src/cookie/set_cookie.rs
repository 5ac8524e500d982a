//! The response's `Set-Cookie` values.

use std::borrow::Cow;
use std::fmt;
use std::ops::Deref;
use std::time::{Duration, UNIX_EPOCH};

use crate::cookie::attributes::Attributes;
use crate::payload::moment::LATEST;

/// The most bytes that a cookie's value may have: Pyramid's limit.
const LARGEST_VALUE: usize = 4064;
/// The most bytes that a cookie's name and value may have together: browsers silently drop a larger cookie (RFC
/// 6265bis, section 5.6).
const LARGEST_PAIR: usize = 4096;

/// The value of a `Set-Cookie` header, in ASCII. It can be used as a `&str`.
#[derive(Clone, PartialEq, Eq)]
pub struct SetCookie(Vec<u8>);

impl SetCookie {
    /// The header's value as bytes. This is faster than the `&str`, for which the bytes are checked.
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    /// The cookie's value.
    pub(crate) fn cookie_value(&self) -> &str {
        let (_, value) = self.split_once('=').unwrap_or_default();
        value.split_once(';').map_or(value, |(value, _)| value)
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

/// The `Set-Cookie` values that a response needs.
#[derive(Clone, Default)]
pub(crate) enum SetCookies {
    #[default]
    None,
    One(SetCookie),
    /// Two cookies that clear the session: one with the option `domain` and one without it.
    Two(Box<[SetCookie; 2]>),
}

impl SetCookies {
    pub fn as_slice(&self) -> &[SetCookie] {
        match self {
            Self::None => &[],
            Self::One(cookie) => std::slice::from_ref(cookie),
            Self::Two(cookies) => &cookies[..],
        }
    }
}

/// The parts that are the same in all cookies of a factory. Their order and spelling are WebOb's.
pub(crate) struct Template {
    attributes: Attributes,
    /// The name and the equals sign.
    head: String,
    tail: Tail,
    clearing: SetCookies,
}

/// The attributes as they are written after the value.
struct Tail {
    max_age: Option<u64>,
    /// The attributes before `expires`.
    before: String,
    /// The attributes after `expires`.
    after: String,
    /// All attributes of a cookie that has no `expires`.
    whole: String,
}

impl Template {
    pub fn new(attributes: Attributes) -> Self {
        let head = format!("{}=", attributes.name);
        Self { clearing: clearing(&head, &attributes), tail: Tail::new(&attributes), head, attributes }
    }

    pub fn name(&self) -> &str {
        &self.attributes.name
    }

    pub fn attributes(&self) -> &Attributes {
        &self.attributes
    }

    /// The most bytes that a value may have in a cookie of this name.
    pub fn largest_value(&self) -> usize {
        LARGEST_VALUE.min(LARGEST_PAIR.saturating_sub(self.name().len()))
    }

    /// A cookie whose value, `length` bytes of ASCII, is written by `write`. `attributes` replaces those of the
    /// template. `now` is in seconds since the Unix epoch.
    pub fn with_value(
        &self,
        length: usize,
        attributes: Option<&Attributes>,
        now: f64,
        write: impl FnOnce(&mut [u8]),
    ) -> SetCookie {
        match attributes {
            None => self.write(length, &self.tail, now, write),
            Some(attributes) => self.write(length, &Tail::new(attributes), now, write),
        }
    }

    #[inline(always)]
    fn write(&self, length: usize, tail: &Tail, now: f64, write: impl FnOnce(&mut [u8])) -> SetCookie {
        let Tail { max_age, before, after, whole } = tail;
        let tail = match *max_age {
            Some(max_age) => Cow::from(format!("{before}; expires={}{after}", http_date(now + max_age as f64))),
            None => Cow::from(whole),
        };
        let mut cookie = Vec::with_capacity(self.head.len() + length + tail.len());
        cookie.extend_from_slice(self.head.as_bytes());
        cookie.resize(self.head.len() + length, 0);
        write(&mut cookie[self.head.len()..]);
        cookie.extend_from_slice(tail.as_bytes());
        SetCookie(cookie)
    }

    /// Cookies that make the browser forget the session. `attributes` replaces those of the template.
    pub fn clearing(&self, attributes: Option<&Attributes>) -> SetCookies {
        attributes.map_or_else(|| self.clearing.clone(), |attributes| clearing(&self.head, attributes))
    }
}

/// Cookies that make the browser forget the session. With the option `domain`, a second one clears a cookie that was
/// set without it.
fn clearing(head: &str, attributes: &Attributes) -> SetCookies {
    let (expires, after) = (httpdate::fmt_http_date(UNIX_EPOCH), after_expires(attributes));
    let clear = |domain: Option<&str>| {
        SetCookie(
            format!("{head}{}; expires={expires}{after}", before_expires(attributes, domain, Some(0))).into_bytes(),
        )
    };
    match attributes.domain.as_deref() {
        Some(domain) => SetCookies::Two(Box::new([clear(Some(domain)), clear(None)])),
        None => SetCookies::One(clear(None)),
    }
}

impl Tail {
    fn new(attributes: &Attributes) -> Self {
        let before = before_expires(attributes, attributes.domain.as_deref(), attributes.max_age);
        let after = after_expires(attributes);
        Self { max_age: attributes.max_age, whole: format!("{before}{after}"), before, after }
    }
}

/// The attributes before `expires`, with this domain and this age.
fn before_expires(attributes: &Attributes, domain: Option<&str>, max_age: Option<u64>) -> String {
    let mut place = String::new();
    if let Some(domain) = domain {
        place.extend(["; Domain=", domain]);
    }
    if let Some(max_age) = max_age {
        place.extend(["; Max-Age=", &max_age.to_string()]);
    }
    if let Some(path) = &attributes.path {
        place.extend(["; Path=", path]);
    }
    place
}

/// The attributes after `expires`.
fn after_expires(attributes: &Attributes) -> String {
    let mut flags = String::new();
    for (attribute, is_on) in [("; secure", attributes.secure), ("; HttpOnly", attributes.httponly)] {
        if is_on {
            flags.push_str(attribute);
        }
    }
    if let Some(samesite) = attributes.samesite {
        flags.extend(["; SameSite=", samesite]);
    }
    if attributes.partitioned {
        flags.push_str("; Partitioned");
    }
    flags
}

fn http_date(seconds: f64) -> String {
    httpdate::fmt_http_date(UNIX_EPOCH + Duration::from_secs(seconds.clamp(0.0, LATEST) as u64))
}
