//! The one table of options: names, types, defaults and help, for every language and for `docs/options.md`.

use std::net::Ipv4Addr;
use std::sync::Arc;
use std::time::Duration;

use zeroize::Zeroizing;

use crate::error::Error;
use crate::serializer::Serializer;
use crate::store::Store;

/// What an option's value may be.
#[derive(Clone, Copy, Debug)]
pub enum Kind {
    /// Any text.
    Text,
    /// The name of a cookie: a token of RFC 6265.
    Name,
    /// A path as browsers compare it: it begins with `/` and is written as in a URL.
    Path,
    /// A host name that browsers accept as a cookie's domain.
    Domain,
    /// `true` or `false` (also on/off, yes/no, 1/0).
    Switch,
    /// Whole seconds, 0 or more.
    Seconds,
    /// Seconds, with a fraction or without, more than 0.
    Duration,
    /// A number of bytes.
    Bytes,
    /// One of these words; upper and lower case are the same.
    Choice(&'static [&'static str]),
    /// A secret as text; error messages never show it.
    Secret,
    /// A secret as hex digits; error messages never show it.
    SecretHex,
}

/// A row of the table.
#[derive(Clone, Copy, Debug)]
pub struct OptionRow {
    /// Pyramid's name where Pyramid has it.
    pub name: &'static str,
    /// What its value may be.
    pub kind: Kind,
    /// The value of an option that was never set; `None`: it is unset.
    pub default: Option<&'static str>,
    /// Whether each setting adds a value, rather than replacing the last one.
    pub repeats: bool,
    /// Whether it may be said of an accepted format, too (`accept.NAME.OPTION`).
    pub of_format: bool,
    /// What it is for, in a line.
    pub help: &'static str,
}

const fn row(name: &'static str, kind: Kind, default: Option<&'static str>, help: &'static str) -> OptionRow {
    OptionRow { name, kind, default, repeats: false, of_format: false, help }
}

const fn format_row(name: &'static str, kind: Kind, default: Option<&'static str>, help: &'static str) -> OptionRow {
    OptionRow { of_format: true, ..row(name, kind, default, help) }
}

const fn repeated_row(name: &'static str, kind: Kind, help: &'static str) -> OptionRow {
    OptionRow { repeats: true, ..format_row(name, kind, None, help) }
}

/// Every option.
pub const TABLE: &[OptionRow] = &[
    format_row(
        "type",
        Kind::Choice(&["signed_cookie", "encrypted_cookie", "store"]),
        Some("signed_cookie"),
        "Where the session is: in a cookie that is signed, in one that is encrypted too, or in a store (the cookie then has a signed id).",
    ),
    format_row(
        "format",
        Kind::Choice(&["khufu", "pyramid_session_redis", "pyramid_redis_sessions", "beaker"]),
        Some("khufu"),
        "Whose sessions these are: khufu's (which are Pyramid's, where they are cookies), or those of another library, which goes on reading and writing them.",
    ),
    format_row(
        "serializer",
        Kind::Choice(&["json", "pickle"]),
        Some("json"),
        "How the payload is written; `pickle` (data only) is what Pyramid 1.x and pyramid_nacl_session write by default. Where `format` names another library, it is `pickle` unless it is set.",
    ),
    format_row(
        "secret",
        Kind::Secret,
        None,
        "The secret, as text; for encryption 64 hex digits. Required, unless `secret_hex` is given.",
    ),
    format_row("secret_hex", Kind::SecretHex, None, "The secret, as bytes in hex."),
    repeated_row(
        "previous_secret",
        Kind::Secret,
        "A secret that was current before, as text: sessions under it open, and are written again with the current one. May be given many times.",
    ),
    repeated_row("previous_secret_hex", Kind::SecretHex, "The same, as bytes in hex. May be given many times."),
    format_row(
        "encrypt_key",
        Kind::Secret,
        None,
        "Beaker's `encrypt_key`, for `format` `beaker` and `type` `encrypted_cookie` alone; `secret` is its `validate_key`.",
    ),
    format_row(
        "salt",
        Kind::Text,
        Some("pyramid.session."),
        "Goes before the secret in a signature's key; an encrypted cookie has none. Pyramid's `salt`; for `format` `pyramid_session_redis` it is `pyramid_session_redis.` unless it is set.",
    ),
    format_row(
        "hashalg",
        Kind::Choice(&["sha512", "sha384", "sha256", "sha224", "sha1"]),
        Some("sha512"),
        "The digest of a signature.",
    ),
    row("cookie_name", Kind::Name, Some("session"), "The cookie's name."),
    row(
        "max_age",
        Kind::Seconds,
        None,
        "For how many seconds the browser keeps the cookie; unset: until it is closed. Browsers keep none for longer than 400 days.",
    ),
    row(
        "path",
        Kind::Path,
        Some("/"),
        "The cookie's path; unset: the folder of the request's path, so that other pages may have another session.",
    ),
    row(
        "domain",
        Kind::Domain,
        None,
        "The cookie's domain, which covers its subdomains; unset: only the host that set it. A leading dot is dropped.",
    ),
    row("secure", Kind::Switch, Some("false"), "Whether the cookie is sent over https only."),
    row(
        "httponly",
        Kind::Switch,
        Some("false"),
        "Whether the cookie is hidden from scripts. Switch it on in a new application.",
    ),
    row(
        "samesite",
        Kind::Choice(&["Lax", "Strict", "None"]),
        Some("Lax"),
        "Whether other sites' requests carry the cookie; `None` (the attribute) needs `secure`; unset: no attribute.",
    ),
    row("timeout", Kind::Seconds, Some("1200"), "After how many idle seconds a session has expired; unset: never."),
    row(
        "reissue_time",
        Kind::Seconds,
        Some("0"),
        "A session that is read is written again when its cookie is older than this many seconds; less than `timeout`, or 0; unset: reading never writes it.",
    ),
    row(
        "set_on_exception",
        Kind::Switch,
        Some("true"),
        "Whether a request that ended in an exception writes its session. One that was invalidated ends in any case.",
    ),
    row(
        "absolute_timeout",
        Kind::Seconds,
        None,
        "After how many seconds since it began a session has expired, however busy it was; unset: never.",
    ),
    row("store", Kind::Text, Some("memory:"), STORE_HELP),
    row(
        "store_timeout",
        Kind::Duration,
        Some("1"),
        "For how many seconds opening or committing may wait for the store, and for other requests of the session.",
    ),
    row(
        "store_on_error",
        Kind::Choice(&["fail", "empty"]),
        Some("fail"),
        "What opening does when the store fails: an error, or an empty session, of which nothing can be saved.",
    ),
    row(
        "store_max_bytes",
        Kind::Bytes,
        Some("268435456"),
        "How much memory `memory:` may take; the sessions that would expire soonest make room.",
    ),
    row(
        "store_prefix",
        Kind::Text,
        Some("khufu:"),
        "What the names of keys in Redis begin with; nothing unless it is set, where `format` names another library.",
    ),
    row(
        "regenerate_grace",
        Kind::Seconds,
        Some("10"),
        "For how many seconds the old id of a session that got a new one shows the data from before, to be read only. Not at all if `format` names another library.",
    ),
];

const STORE_HELP: &str = "Where sessions of the type `store` are: `memory:` (this process), `sqlite:PATH`, `redis://HOST:PORT/DB`, `rediss://`, `redis+unix://`, `redis+cluster://`, `redis+sentinel://`.";

/// The prefix of options that describe an accepted format: `accept.NAME.OPTION`.
const ACCEPT: &str = "accept.";

/// Options by name, as they were set. Their values are zeroed when dropped.
#[derive(Default)]
pub struct Options {
    settings: Settings,
    /// In the order in which their names were first mentioned.
    accepted: Vec<(String, Settings)>,
    /// A store that is not made from the option `store`.
    pub(crate) own_store: Option<Arc<dyn Store>>,
    /// A serializer that is not named by the option `serializer`.
    pub(crate) own_serializer: Option<Arc<dyn Serializer>>,
}

/// What was set of one format, or of the session itself.
#[derive(Default)]
pub(crate) struct Settings(Vec<(&'static OptionRow, Zeroizing<String>)>);

impl Options {
    /// No option set: each has its default.
    pub fn new() -> Self {
        Self::default()
    }

    /// Sets an option. An empty value unsets it; a switch, a choice or the cookie's name that is unset has its
    /// default again.
    ///
    /// # Errors
    /// [`Error::Option`] if there is no such option, or the value is not one of its kind; nothing was set then.
    pub fn set(&mut self, name: &str, value: &str) -> Result<&mut Self, Error> {
        let Some(rest) = name.strip_prefix(ACCEPT) else {
            let row = find(name, |_| true).ok_or_else(|| unknown(name))?;
            self.settings.set(name, row, value)?;
            return Ok(self);
        };
        let (format, option) = rest.rsplit_once('.').ok_or_else(|| unknown(name))?;
        let is_label = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '-';
        if format.is_empty() || !format.chars().all(is_label) {
            return Err(Error::Option(format!(
                "there is no option {name:?}; NAME in accept.NAME.OPTION must be letters, digits, _ and -"
            )));
        }
        let row = find(option, |row| row.of_format).ok_or_else(|| unknown(name))?;
        let known = self.accepted.iter().position(|(known, _)| known == format);
        let mut settings = Settings::default();
        known.map_or(&mut settings, |index| &mut self.accepted[index].1).set(name, row, value)?;
        if known.is_none() {
            self.accepted.push((format.to_owned(), settings));
        }
        Ok(self)
    }

    pub(crate) fn settings(&self) -> &Settings {
        &self.settings
    }

    pub(crate) fn accepted(&self) -> impl Iterator<Item = (&str, &Settings)> {
        self.accepted.iter().map(|(name, settings)| (&**name, settings))
    }
}

fn find(name: &str, allowed: impl Fn(&OptionRow) -> bool) -> Option<&'static OptionRow> {
    TABLE.iter().find(|row| row.name == name && allowed(row))
}

fn unknown(name: &str) -> Error {
    let names = |rows: &mut dyn Iterator<Item = &OptionRow>| rows.map(|row| row.name).collect::<Vec<_>>().join(", ");
    Error::Option(match name.starts_with(ACCEPT) {
        true => format!(
            "there is no option {name:?}; those of an accepted format (accept.NAME.OPTION) are {}",
            names(&mut TABLE.iter().filter(|row| row.of_format))
        ),
        false => {
            format!("there is no option {name:?}; the options are {}, and accept.NAME.OPTION", names(&mut TABLE.iter()))
        }
    })
}

/// An option's name as it was set: `format` is an accepted format's name, or empty.
pub(crate) fn full_name(format: &str, option: &str) -> String {
    if format.is_empty() { option.to_owned() } else { format!("{ACCEPT}{format}.{option}") }
}

/// Names an option, what it must be, and what it is instead, unless that is a secret or a URL, which may hold one.
fn refusal(name: &str, row: &OptionRow, allowed: &str, given: Option<&str>) -> Error {
    let hidden = matches!(row.kind, Kind::Secret | Kind::SecretHex) || row.name == "store";
    let given = given.filter(|_| !hidden).map(|value| format!(", not {value:?}"));
    Error::Option(format!("the option {name} must be {allowed}{}", given.unwrap_or_default()))
}

impl Settings {
    fn set(&mut self, name: &str, row: &'static OptionRow, value: &str) -> Result<(), Error> {
        if let Err(allowed) = row.kind.check(value) {
            return Err(refusal(name, row, &allowed, Some(value)));
        }
        let falls_back = matches!(row.kind, Kind::Name | Kind::Switch | Kind::Choice(_)) && row.name != "samesite";
        if !row.repeats {
            self.0.retain(|(set, _)| set.name != row.name);
        }
        if !(value.is_empty() && falls_back) {
            self.0.push((row, Zeroizing::new(value.to_owned())));
        }
        Ok(())
    }

    /// The error of an option whose value does not go with the others; `format` is an accepted format's name, or empty.
    pub fn refuse(&self, format: &str, option: &str, allowed: &str) -> Error {
        let row = find(option, |_| true).expect("the option stands in the table");
        refusal(&full_name(format, option), row, allowed, self.get(option))
    }

    /// An option's value: what was set, or its default; `None` where it is unset.
    pub fn get(&self, name: &str) -> Option<&str> {
        let set = self.0.iter().find(|(row, _)| row.name == name);
        let value = match set {
            Some((_, value)) => Some(value.as_str()),
            None => find(name, |_| true).and_then(|row| row.default),
        };
        value.filter(|value| !value.is_empty())
    }

    /// What an option was set to; `None` where it was not set, or was unset.
    pub fn said(&self, name: &str) -> Option<&str> {
        self.all(&[name]).next().map(|(_, value)| value).filter(|value| !value.is_empty())
    }

    /// The values of these options, in the order in which they were set, with their names.
    pub fn all<'s>(&'s self, names: &[&str]) -> impl Iterator<Item = (&'static str, &'s str)> {
        self.0.iter().filter(move |(row, _)| names.contains(&row.name)).map(|(row, value)| (row.name, value.as_str()))
    }

    pub fn is_on(&self, name: &str) -> bool {
        self.get(name).and_then(switch).unwrap_or(false)
    }

    pub fn seconds(&self, name: &str) -> Option<u64> {
        self.get(name).and_then(|value| value.parse().ok())
    }

    /// Seconds with a fraction; where they are unset, `otherwise`.
    pub fn duration(&self, name: &str, otherwise: Duration) -> Duration {
        self.get(name).and_then(duration).unwrap_or(otherwise)
    }

    /// The word of a choice, as the table writes it.
    pub fn choice(&self, name: &str) -> Option<&'static str> {
        let row = find(name, |_| true)?;
        let Kind::Choice(words) = row.kind else { return None };
        let value = self.get(name)?;
        words.iter().find(|word| word.eq_ignore_ascii_case(value)).copied()
    }
}

/// The words that Pyramid's `asbool` and its counterparts take.
fn switch(value: &str) -> Option<bool> {
    match value.to_ascii_lowercase().as_str() {
        "true" | "t" | "yes" | "y" | "on" | "1" => Some(true),
        "false" | "f" | "no" | "n" | "off" | "0" => Some(false),
        _ => None,
    }
}

fn duration(value: &str) -> Option<Duration> {
    let decimal = value.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.');
    let seconds: f64 = value.parse().ok().filter(|_| decimal)?;
    (0.001..=3600.0).contains(&seconds).then(|| Duration::from_secs_f64(seconds))
}

/// The longest name that leaves 256 of a cookie's 4096 bytes for its value: an empty session or a store's id fits.
const LONGEST_NAME: usize = 3840;

/// Browsers ignore an attribute whose value is longer (RFC 6265bis, section 5.6).
const LONGEST_ATTRIBUTE: usize = 1024;

/// The path of a URL never has these: browsers encode or replace them, so that such a cookie is never sent back.
const NOT_IN_A_PATH: &[u8] = br##";"#?<>`{}\"##;

/// True if the text is printable ASCII without spaces and without these.
fn all_but(excluded: &[u8], text: &str) -> bool {
    text.bytes().all(|byte| byte.is_ascii_graphic() && !excluded.contains(&byte))
}

/// True for a host name of two or more labels, `localhost` and an IPv4 address. An IPv6 address is none: browsers
/// disagree on how it is written.
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

/// More seconds than this (about 317 years) are a mistake.
const MOST_SECONDS: u64 = 10_000_000_000;

impl Kind {
    /// What is allowed, where `value` is not.
    fn check(self, value: &str) -> Result<(), String> {
        let allowed = match self {
            Self::Text => true,
            Self::Name => value.len() <= LONGEST_NAME && all_but(br#"()<>@,;:\"/[]?={}"#, value),
            Self::Path => {
                value.is_empty()
                    || value.len() <= LONGEST_ATTRIBUTE && value.starts_with('/') && all_but(NOT_IN_A_PATH, value)
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
        if allowed { Ok(()) } else { Err(self.to_string()) }
    }
}

impl std::fmt::Display for Kind {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Text => formatter.write_str("text"),
            Self::Name => write!(
                formatter,
                "letters, digits and the signs that a cookie's name may have, at most {LONGEST_NAME} bytes"
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
