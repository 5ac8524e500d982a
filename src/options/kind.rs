//! The kinds of options: the values that each kind accepts, and how they are read.

use std::net::Ipv4Addr;
use std::time::Duration;

/// The values that an option accepts.
#[derive(Clone, Copy, Debug)]
pub enum Kind {
    /// Any text.
    Text,
    /// The name of a cookie: a token of RFC 6265.
    Name,
    /// A cookie's path. It begins with `/` and is written as in a URL.
    Path,
    /// A host name that browsers accept as a cookie's domain.
    Domain,
    /// `true` or `false` (also on/off, yes/no, 1/0).
    Switch,
    /// Whole seconds, 0 or more.
    Seconds,
    /// Seconds, from 0.001 to 3600. They may have a fraction.
    Duration,
    /// A number of bytes.
    Bytes,
    /// The URL of a store; error messages never show it, because it may hold a password.
    Store,
    /// One of these words. Upper and lower case are equal.
    Choice(&'static [&'static str]),
    /// A secret as text; error messages never show it.
    Secret,
    /// A secret as hex digits; error messages never show it.
    SecretHex,
}

impl Kind {
    /// True for the kinds of secrets.
    pub fn is_secret(self) -> bool {
        matches!(self, Self::Secret | Self::SecretHex)
    }

    /// True if a value must not be shown: a secret, or a URL, which may contain a password.
    pub fn is_hidden(self) -> bool {
        self.is_secret() || matches!(self, Self::Store)
    }
}

/// Reads the words that Pyramid's `asbool` accepts as true, and the opposite words.
pub(super) fn switch(value: &str) -> Option<bool> {
    match value.to_ascii_lowercase().as_str() {
        "true" | "t" | "yes" | "y" | "on" | "1" => Some(true),
        "false" | "f" | "no" | "n" | "off" | "0" => Some(false),
        _ => None,
    }
}

pub(super) fn duration(value: &str) -> Option<Duration> {
    let decimal = value.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.');
    let seconds: f64 = value.parse().ok().filter(|_| decimal)?;
    (0.001..=3600.0).contains(&seconds).then(|| Duration::from_secs_f64(seconds))
}

/// A longer name would leave less than 256 of a cookie's 4096 bytes for the value, too few for an empty session or an
/// id.
const LONGEST_NAME: usize = 3840;

/// Browsers ignore an attribute whose value is longer (RFC 6265bis, section 5.6).
const LONGEST_ATTRIBUTE: usize = 1024;

/// Characters that browsers encode or replace in the path of a URL. A cookie whose path has one of them would never be
/// sent back.
const NOT_IN_A_PATH: &[u8] = br##";"#?<>`{}\"##;

/// True if a text is printable ASCII, without spaces and without the excluded characters.
fn is_printable_without(excluded: &[u8], text: &str) -> bool {
    text.bytes().all(|byte| byte.is_ascii_graphic() && !excluded.contains(&byte))
}

/// True for a host name with at least two labels, for `localhost` and for an IPv4 address. An IPv6 address is not
/// allowed, because browsers disagree on how to write it.
fn is_domain(value: &str) -> bool {
    let host = value.strip_prefix('.').unwrap_or(value);
    let is_label = |label: &str| {
        !label.is_empty() && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'))
    };
    let last = host.rsplit('.').next().unwrap_or_default();
    let is_numeric = last.bytes().all(|byte| byte.is_ascii_digit());
    (host.contains('.') || host.eq_ignore_ascii_case("localhost"))
        && host.split('.').all(is_label)
        && (!is_numeric || host.parse::<Ipv4Addr>().is_ok())
}

/// The largest number of seconds, about 317 years. A larger one is a mistake.
pub(crate) const MOST_SECONDS: u64 = 10_000_000_000;

impl Kind {
    /// Checks a value.
    ///
    /// # Errors
    /// The end of an error message, such as "must be true or false".
    pub(super) fn check(self, value: &str) -> Result<(), String> {
        let allowed = match self {
            Self::Text | Self::Store => true,
            Self::Name => value.len() <= LONGEST_NAME && is_printable_without(br#"()<>@,;:\"/[]?={}"#, value),
            Self::Path => {
                value.is_empty()
                    || value.len() <= LONGEST_ATTRIBUTE
                        && value.starts_with('/')
                        && is_printable_without(NOT_IN_A_PATH, value)
            }
            Self::Domain => value.is_empty() || value.len() <= LONGEST_ATTRIBUTE && is_domain(value),
            Self::Switch => value.is_empty() || switch(value).is_some(),
            Self::Seconds => {
                let digits = value.bytes().all(|byte| byte.is_ascii_digit());
                value.is_empty() || digits && value.parse::<u64>().is_ok_and(|seconds| seconds <= MOST_SECONDS)
            }
            Self::Duration => value.is_empty() || duration(value).is_some(),
            Self::Bytes => value.is_empty() || value.parse::<usize>().is_ok(),
            Self::Choice(words) => value.is_empty() || words.iter().any(|word| word.eq_ignore_ascii_case(value)),
            Self::Secret => !value.is_empty(),
            Self::SecretHex => {
                !value.is_empty() && value.len().is_multiple_of(2) && value.bytes().all(|byte| byte.is_ascii_hexdigit())
            }
        };
        match self {
            _ if allowed => Ok(()),
            Self::Secret => Err("must not be empty".to_owned()),
            _ => Err(format!("must be {self}")),
        }
    }
}

impl std::fmt::Display for Kind {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Text => formatter.write_str("text"),
            Self::Store => formatter.write_str("the URL of a store"),
            Self::Name => write!(
                formatter,
                "letters, digits and signs that a cookie's name can contain, at most {LONGEST_NAME} bytes"
            ),
            Self::Path => write!(
                formatter,
                "a path that begins with / and is written as in a URL: printable ASCII without spaces, double quotes, \
                 backquotes and ; # ? < > {{ }} \\, at most {LONGEST_ATTRIBUTE} bytes"
            ),
            Self::Domain => write!(
                formatter,
                "a host name such as example.com, or localhost: letters, digits, - and _ in labels that dots \
                 separate, without scheme, port and path, at most {LONGEST_ATTRIBUTE} bytes"
            ),
            Self::Switch => formatter.write_str("true or false"),
            Self::Seconds => write!(formatter, "whole seconds, from 0 to {MOST_SECONDS}"),
            Self::Duration => formatter.write_str("seconds, such as 1 or 0.5, from 0.001 to 3600"),
            Self::Bytes => formatter.write_str("a number of bytes"),
            Self::Choice(words) => write!(formatter, "one of {}", words.join(", ")),
            Self::Secret => formatter.write_str("a text that is not empty"),
            Self::SecretHex => formatter.write_str("an even number of hex digits, at least two"),
        }
    }
}
