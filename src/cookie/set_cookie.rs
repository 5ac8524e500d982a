//! The response's `Set-Cookie` values.

use std::borrow::Cow;
use std::fmt;
use std::ops::Deref;
use std::time::{Duration, UNIX_EPOCH};

use crate::cookie::Attributes;
use crate::moment::LATEST;

/// The most bytes that a cookie's value may have: Pyramid's limit.
const LARGEST_VALUE: usize = 4064;
/// The most bytes that a cookie's name and value may have together: browsers drop a larger cookie without a word (RFC
/// 6265bis, section 5.6).
const LARGEST_PAIR: usize = 4096;

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

/// The `Set-Cookie` values that a response needs.
#[derive(Clone, Default)]
pub(crate) enum SetCookies {
    #[default]
    None,
    One(SetCookie),
    /// The clearing cookies with the option `domain` and without it.
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

/// The parts of a cookie that are the same in every response, as they are written. The order and the spelling are
/// WebOb's.
pub(crate) struct Template {
    pub name: String,
    /// The name and the equals sign.
    head: String,
    max_age: Option<u64>,
    /// The attributes up to `Path`.
    place: String,
    /// The attributes after `expires`.
    flags: String,
    /// `place` and `flags`: all attributes of a cookie that has no `expires`.
    attributes: String,
    clearing: SetCookies,
}

impl Template {
    pub fn new(attributes: Attributes) -> Self {
        let head = format!("{}=", attributes.name);
        let place = place(&attributes, attributes.domain.as_deref(), attributes.max_age);
        let flags = flags(&attributes);
        let end = httpdate::fmt_http_date(UNIX_EPOCH);
        let clear = |domain: Option<&str>| {
            SetCookie(format!("{head}{}; expires={end}{flags}", self::place(&attributes, domain, Some(0))).into_bytes())
        };
        let clearing = match attributes.domain.as_deref() {
            Some(domain) => SetCookies::Two(Box::new([clear(Some(domain)), clear(None)])),
            None => SetCookies::One(clear(None)),
        };
        let Attributes { name, max_age, .. } = attributes;
        Self { attributes: format!("{place}{flags}"), name, head, max_age, place, flags, clearing }
    }

    /// Whether the browser forgets the cookie if it is not sent again.
    pub fn expires(&self) -> bool {
        self.max_age.is_some()
    }

    /// The most bytes that a value may have beside this name.
    pub fn largest_value(&self) -> usize {
        LARGEST_VALUE.min(LARGEST_PAIR.saturating_sub(self.name.len()))
    }

    /// A cookie whose value, `length` bytes of ASCII, is written by `write`; `now` in seconds since the epoch.
    pub fn with_value(&self, length: usize, now: f64, write: impl FnOnce(&mut [u8])) -> SetCookie {
        let Self { head, place, flags, .. } = self;
        let attributes = match self.max_age {
            Some(max_age) => Cow::from(format!("{place}; expires={}{flags}", http_date(now + max_age as f64))),
            None => Cow::from(&self.attributes),
        };
        let mut cookie = Vec::with_capacity(head.len() + length + attributes.len());
        cookie.extend_from_slice(head.as_bytes());
        cookie.resize(head.len() + length, 0);
        write(&mut cookie[head.len()..]);
        cookie.extend_from_slice(attributes.as_bytes());
        SetCookie(cookie)
    }

    /// Cookies that make the browser forget the session. With the option `domain`, a second one clears a cookie that was
    /// set without it.
    pub fn clearing(&self) -> SetCookies {
        self.clearing.clone()
    }
}

/// The attributes up to `Path`, with this domain and this age.
fn place(attributes: &Attributes, domain: Option<&str>, max_age: Option<u64>) -> String {
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
fn flags(attributes: &Attributes) -> String {
    let mut flags = String::new();
    for (attribute, on) in [("; secure", attributes.secure), ("; HttpOnly", attributes.httponly)] {
        if on {
            flags.push_str(attribute);
        }
    }
    if let Some(samesite) = attributes.samesite {
        flags.extend(["; SameSite=", samesite]);
    }
    flags
}

fn http_date(seconds: f64) -> String {
    httpdate::fmt_http_date(UNIX_EPOCH + Duration::from_secs(seconds.clamp(0.0, LATEST) as u64))
}
