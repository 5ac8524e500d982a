//! The table of all options: names, kinds, defaults and help texts. Every language and `docs/options.md` use it.

use crate::options::kind::Kind;

/// An option in [`TABLE`].
#[derive(Clone, Copy, Debug)]
pub struct OptionRow {
    /// The option's name. It is Pyramid's name if Pyramid has such an option.
    pub name: &'static str,
    /// The values that the option accepts.
    pub kind: Kind,
    /// The value if the option was never set. `None` if the option is then unset.
    pub default: Option<&'static str>,
    /// True if the option can be set many times: each time adds a value.
    pub repeats: bool,
    /// True if the option can also be set for an accepted format (`accept.NAME.OPTION`).
    pub of_format: bool,
    /// A description for the documentation.
    pub help: &'static str,
}

impl OptionRow {
    /// True if the option has its default when it is unset. Every other option then has no value.
    pub(crate) fn has_default_when_unset(&self) -> bool {
        let needs_value =
            matches!(self.kind, Kind::Name | Kind::Switch | Kind::Choice(_) | Kind::Duration | Kind::Store);
        needs_value && self.name != "samesite"
    }
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

/// All options.
pub const TABLE: &[OptionRow] = &[
    format_row(
        "type",
        Kind::Choice(&["signed_cookie", "encrypted_cookie", "store"]),
        Some("signed_cookie"),
        "Where sessions are kept: in a signed cookie, in an encrypted cookie, or in a store. With a store, the cookie contains a signed id.",
    ),
    format_row(
        "library",
        Kind::Choice(&["khufu", "pyramid_session_redis", "pyramid_redis_sessions", "beaker"]),
        Some("khufu"),
        "The library whose session format is used. `khufu` means Pyramid's own cookies and khufu's own records.",
    ),
    format_row(
        "serializer",
        Kind::Choice(&["json", "pickle"]),
        Some("json"),
        "The serialization of the session. Pyramid 1.x and pyramid_nacl_session write `pickle` by default; khufu reads and writes only data in it. If `library` is not `khufu`, the default is `pickle`.",
    ),
    format_row(
        "secret",
        Kind::Secret,
        None,
        "The secret as text. For an encrypted cookie, it must be 64 hex digits. Either `secret` or `secret_hex` is required.",
    ),
    format_row("secret_hex", Kind::SecretHex, None, "The secret as bytes, written as hex digits."),
    repeated_row(
        "previous_secret",
        Kind::Secret,
        "A previous secret as text. Sessions that were written with it can still be opened, and are then written again with the current secret. Can be set many times.",
    ),
    repeated_row(
        "previous_secret_hex",
        Kind::SecretHex,
        "A previous secret as bytes, written as hex digits. Can be set many times.",
    ),
    format_row(
        "encrypt_key",
        Kind::Secret,
        None,
        "Beaker's `encrypt_key`. Set it only if `library` is `beaker` and `type` is `encrypted_cookie`. `secret` is then Beaker's `validate_key`.",
    ),
    format_row(
        "salt",
        Kind::Text,
        Some("pyramid.session."),
        "Pyramid's `salt`. The key of a signature is the salt followed by the secret. An encrypted cookie has no salt. If `library` is `pyramid_session_redis`, the default is `pyramid_session_redis.`.",
    ),
    format_row(
        "hashalg",
        Kind::Choice(&["sha512", "sha384", "sha256", "sha224", "sha1"]),
        Some("sha512"),
        "The hash algorithm of signatures.",
    ),
    row("cookie_name", Kind::Name, Some("session"), "The cookie's name."),
    row(
        "max_age",
        Kind::Seconds,
        None,
        "How many seconds the browser keeps the cookie. If unset, until the browser is closed. Browsers keep a cookie for at most 400 days.",
    ),
    row(
        "path",
        Kind::Path,
        Some("/"),
        "The cookie's path. If unset, the browser uses the folder of the request's path, so pages in other folders may get a different session.",
    ),
    row(
        "domain",
        Kind::Domain,
        None,
        "The cookie's domain. The browser also sends the cookie to its subdomains. If unset, the browser sends the cookie only to the host that set it. A leading dot is removed.",
    ),
    row("secure", Kind::Switch, Some("false"), "If true, the browser sends the cookie only over https."),
    row(
        "httponly",
        Kind::Switch,
        Some("false"),
        "If true, scripts in the browser cannot read the cookie. Use true in a new application.",
    ),
    row(
        "samesite",
        Kind::Choice(&["Lax", "Strict", "None"]),
        Some("Lax"),
        "The `SameSite` attribute: when requests from other sites carry the cookie. `None` requires `secure`. If unset, the cookie has no `SameSite` attribute.",
    ),
    row(
        "partitioned",
        Kind::Switch,
        Some("false"),
        "If true, the browser keeps a separate cookie for each top-level site (CHIPS). Requires `secure`.",
    ),
    row(
        "timeout",
        Kind::Seconds,
        Some("1200"),
        "How many seconds after its last use a session expires. If unset, never.",
    ),
    row(
        "reissue_time",
        Kind::Seconds,
        Some("0"),
        "How old a cookie may get, in seconds, before reading the session renews it. 0 renews it every second; 120 avoids most renewals. Must be less than `timeout`, or 0. If unset, reading never renews it.",
    ),
    row(
        "set_on_exception",
        Kind::Switch,
        Some("true"),
        "If true, a request that ended in an exception saves its session. If false, it does not, but an invalidated session still ends.",
    ),
    row(
        "absolute_timeout",
        Kind::Seconds,
        None,
        "How many seconds after its beginning a session expires, even if it is in use. If unset, never.",
    ),
    row("store", Kind::Store, Some("memory:"), STORE_HELP),
    row(
        "store_timeout",
        Kind::Duration,
        Some("1"),
        "How many seconds opening or committing may wait for the store and for other requests of the same session.",
    ),
    row(
        "store_on_error",
        Kind::Choice(&["fail", "empty"]),
        Some("fail"),
        "What opening a session does when the store fails. `fail` returns an error. `empty` gives an empty session that cannot be saved.",
    ),
    row(
        "store_max_bytes",
        Kind::Bytes,
        Some("268435456"),
        "The most memory that the store `memory:` may use, in bytes. When it is full, the sessions that would expire first are removed.",
    ),
    row(
        "store_prefix",
        Kind::Text,
        Some("khufu:"),
        "The prefix of keys in Redis. If `library` is not `khufu`, there is no prefix by default.",
    ),
    row(
        "regenerate_grace",
        Kind::Seconds,
        Some("10"),
        "After a session got a new id, how many seconds the old id can still read the earlier data. If `library` is not `khufu`, the old id is invalid at once.",
    ),
];

const STORE_HELP: &str = "The URL of the store, for `type` `store`: `memory:` (the memory of this process), `sqlite:PATH`, `redis://HOST:PORT/DB`, `rediss://`, `redis+unix://`, `redis+cluster://` or `redis+sentinel://`.";
