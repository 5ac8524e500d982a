//! Options: which values are accepted, and what the errors say.

mod common;

use common::*;
use khufu::options::{Kind, TABLE};
use khufu::{Error, Factory, OpenOptions, Options};

fn error_of(settings: Settings<'_>) -> String {
    match try_factory(settings) {
        Err(Error::Option(message)) => message,
        Err(other) => panic!("{settings:?}: {other}"),
        Ok(_) => panic!("{settings:?} was accepted"),
    }
}

#[test]
fn the_error_of_an_unknown_option_names_it_and_lists_the_valid_ones() {
    for name in ["secrets", "Secret", "", " secret", "time_out", "session.secret", "accept", "accept."] {
        let message = error_of(&[(name, "x")]);
        assert!(message.contains(&format!("{name:?}")), "{message}");
        for row in TABLE.iter().filter(|row| row.of_format || !name.starts_with("accept.")) {
            assert!(message.contains(row.name), "{message}");
        }
    }
    for name in ["accept.old.cookie_name", "accept.old.timeout", "accept.old.x", "accept.old"] {
        let message = error_of(&[(name, "x")]);
        assert!(message.contains(&format!("{name:?}")) && message.contains("serializer"), "{message}");
    }
    for name in ["accept..secret", "accept.a.b.secret", "accept.é.secret", "accept.a b.secret"] {
        let message = error_of(&[(name, "x")]);
        assert!(message.contains(&format!("{name:?}")) && message.contains("accept.NAME.OPTION"), "{message}");
    }
}

#[test]
fn the_error_of_a_wrong_value_names_the_option_the_value_and_what_is_allowed() {
    let whole = "whole seconds";
    for (option, values, allowed) in [
        ("type", &["signed", "cookie", "store "][..], "one of signed_cookie, encrypted_cookie"),
        ("serializer", &["yaml", "JSON5", "json "], "one of json, pickle"),
        (
            "library",
            &["redis", "pyramid", "Beaker "],
            "one of khufu, pyramid_session_redis, pyramid_redis_sessions, beaker",
        ),
        ("hashalg", &["md5", "sha3", "sha-512", "512"], "one of sha512, sha384, sha256, sha224, sha1"),
        ("samesite", &["lax ", "no", "Laxx", "unset"], "one of Lax, Strict, None"),
        ("timeout", &["-1", "1.5", "1e3", "+1", " 1", "0x10", "ten", "10000000001", "99999999999999999999999"], whole),
        ("reissue_time", &["-1", "never", "0.1"], whole),
        ("max_age", &["-1", "3600s"], whole),
        ("secure", &["maybe", "2", "truee", " true"], "true or false"),
        ("httponly", &["ja"], "true or false"),
        ("set_on_exception", &["nil"], "true or false"),
        ("cookie_name", &[&"n".repeat(3841)], "at most 3840 bytes"),
        ("cookie_name", &["a b", "a=b", "a;b", "a,b", "né", "a\n", "\"a\"", "a/b", "{a}"], "cookie's name"),
        (
            "path",
            &["/;", "/\n", "/é", "/\0", "app", "app/", " /", "/a b", "/\t", "https://example.com/app"],
            "begins with /",
        ),
        ("path", &["/a?b", "/a#b", "/\"a\"", "/<a>", "/{a}", "/`a`", "/a\\b"], "as in a URL"),
        ("domain", &["a;b.c", "a.b\r\nSet-Cookie: x=y", "exämple.com", "a.b\0"], "host name"),
        (
            "domain",
            &["localhost:8080", "example.com:443", "https://example.com", "//a.b", "example.com/"],
            "without scheme, port",
        ),
        (
            "domain",
            &["a.com,b.com", "a.com, b.com", "a b.com", "a.com ", " a.com", "*.example.com", "a@b.c"],
            "host name",
        ),
        ("domain", &["com", "intranet", "localhos", "local host", ".com", "."], "such as example.com, or localhost"),
        ("domain", &["example..com", "..example.com", "example.com.", "a.", "localhost."], "labels that dots separate"),
        ("domain", &["[::1]", "::1", "2001:db8::1", "127.1", "1.2.3.4.5", "256.1.1.1", "example.1"], "host name"),
        ("absolute_timeout", &["-1", "1d"], whole),
        ("regenerate_grace", &["0.5"], whole),
        ("store_timeout", &["0", "-1", "1s", "3601", "1e3"], "seconds, such as 1 or 0.5, from 0.001 to 3600"),
        ("store_on_error", &["ignore"], "one of fail, empty"),
        ("store_max_bytes", &["-1", "1MB"], "a number of bytes"),
    ] {
        for value in values {
            let message = error_of(&[(option, value)]);
            assert!(message.contains(&format!("option {option} ")) && message.contains(allowed), "{message}");
            // A second line may be another setting, whose line was indented by mistake.
            assert_eq!(message.contains(&format!("{value:?}")), !value.contains('\n'), "{message}");
        }
        if ["type", "serializer", "hashalg"].contains(&option) {
            let name = format!("accept.old.{option}");
            assert!(error_of(&[(&name, values[0])]).contains(&name));
        }
    }
}

#[test]
fn an_attribute_has_at_most_1024_bytes() {
    let domain = |length: usize| format!("{}.org", "x".repeat(length - 4));
    let path = |length: usize| format!("/{}", "x".repeat(length - 1));
    for (option, fits, more) in [("domain", domain(1024), domain(1025)), ("path", path(1024), path(1025))] {
        assert!(try_factory(&[(option, &fits)]).is_ok());
        let message = error_of(&[(option, &more)]);
        assert!(message.starts_with(&format!("the option {option} ")) && message.contains("at most 1024 bytes"));
    }
}

#[test]
fn a_domain_is_written_as_browsers_accept_it() {
    for (given, written) in [
        ("example.com", "example.com"),
        (".example.com", "example.com"),
        ("a-b.x_y.example.com", "a-b.x_y.example.com"),
        ("xn--exmple-cua.com", "xn--exmple-cua.com"),
        ("127.0.0.1", "127.0.0.1"),
        ("localhost", "localhost"),
        (".LocalHost", "LocalHost"),
    ] {
        let mut session = factory(&[("domain", given)]).open_with(b"", &OpenOptions::new().now(NOW)).unwrap();
        session.mark_changed();
        let set_cookie = commit(&mut session).unwrap();
        assert!(set_cookie.ends_with(&format!("; Domain={written}; Path=/; SameSite=Lax")), "{set_cookie}");
    }
}

#[test]
fn a_path_is_written_as_it_was_given() {
    for path in ["/", "/app", "/app/", "/a%20b/~c.d", "/a,b=c:d@e!f$g&h'i(j)*+k|[l]^"] {
        let mut session = factory(&[("path", path)]).open_with(b"", &OpenOptions::new().now(NOW)).unwrap();
        session.mark_changed();
        let set_cookie = commit(&mut session).unwrap();
        assert!(set_cookie.ends_with(&format!("; Path={path}; SameSite=Lax")), "{set_cookie}");
    }
}

#[test]
fn reissue_time_must_be_less_than_timeout() {
    for (timeout, reissue_time) in [("1200", "1200"), ("60", "120"), ("0", "1"), ("1", "1")] {
        for kind in ["signed_cookie", "store"] {
            let message = error_of(&[("type", kind), ("timeout", timeout), ("reissue_time", reissue_time)]);
            let told = format!("the option reissue_time must be less than timeout, which is {timeout} ");
            assert!(message.starts_with(&told) && message.ends_with(&format!(", not {reissue_time:?}")), "{message}");
        }
    }
    for (timeout, reissue_time) in [("1200", "1199"), ("1", "0"), ("0", "0"), ("", "9999"), ("0", ""), ("60", "")] {
        assert!(try_factory(&[("timeout", timeout), ("reissue_time", reissue_time)]).is_ok(), "{timeout}");
    }
}

#[test]
fn an_encrypted_cookie_must_not_have_a_salt() {
    let encrypted = [("type", "encrypted_cookie"), ("secret", KEY)];
    let message = error_of(&[&encrypted[..], &[("salt", "shop.")]].concat());
    assert_eq!(
        message,
        r#"the option salt must be unset if type is encrypted_cookie (the key is the secret alone), not "shop.""#
    );
    assert!(try_factory(&[&encrypted[..], &[("salt", "")]].concat()).is_ok());
    let accepted = [("accept.old.type", "encrypted_cookie"), ("accept.old.secret", KEY), ("accept.old.salt", "shop.")];
    assert!(error_of(&accepted).starts_with("the option accept.old.salt must be unset if accept.old.type is "));
}

#[test]
#[cfg(feature = "sqlite")]
fn a_sqlite_store_must_be_a_file() {
    for path in
        [":memory:", "/:memory:", "///:memory:", "file::memory:?cache=shared", "file:x?mode=memory", "file:x.db"]
    {
        let message = error_of(&[("type", "store"), ("store", &format!("sqlite:{path}"))]);
        assert!(message.starts_with("the option store must be sqlite: and a file's path"), "{message}");
        assert!(message.contains("memory: keeps sessions in this process"), "{message}");
    }
    assert!(error_of(&[("type", "store"), ("store", "sqlite:")]).contains("one of memory:, sqlite:PATH"));
}

#[test]
fn a_secrets_value_is_never_shown() {
    for (option, value) in [
        ("secret_hex", "hunter2"),
        ("secret_hex", "c0ffeeg0"),
        ("secret_hex", "c0ffe"),
        ("previous_secret_hex", "hunter2"),
        ("accept.old.secret_hex", "hunter2"),
        ("accept.old.previous_secret_hex", "c0ffe"),
    ] {
        let message = error_of(&[(option, value)]);
        assert!(message.contains(option) && message.contains("hex digits") && !message.contains(value), "{message}");
    }
    for (option, value) in [("secret", "hunter2"), ("secret_hex", "c0ffee"), ("secret", &KEY[..62])] {
        let message = error_of(&[("type", "encrypted_cookie"), (option, value)]);
        assert!(message.contains(option) && message.contains("64 hex digits") && !message.contains(value), "{message}");
        let message = error_of(&[("type", "encrypted_cookie"), ("secret", KEY), ("previous_secret", value)]);
        assert!(message.contains("previous_secret") && !message.contains(value) && !message.contains(KEY), "{message}");
        let accepted = [("accept.old.type", "encrypted_cookie"), ("accept.old.secret", value)];
        let message = error_of(&accepted);
        assert!(message.contains("accept.old.secret") && !message.contains(value), "{message}");
    }
}

/// The last store that the error message names.
const LAST_STORE: &str = if cfg!(feature = "redis") {
    "redis://"
} else if cfg!(feature = "sqlite") {
    "sqlite:"
} else {
    "memory:"
};

#[test]
fn a_stores_url_is_never_shown() {
    for store in ["mysql://user:hunter2@localhost", "hunter2", "redis://user:hunter2@localhost:x", "sqlite:"] {
        let message = error_of(&[("type", "store"), ("store", store)]);
        assert!(message.contains("the option store") && message.contains(LAST_STORE), "{message}");
        assert!(!message.contains("hunter2") && !message.contains(", not "), "{message}");
    }
    let message = error_of(&[("library", "beaker"), ("type", "store"), ("store", "mysql://:hunter2@localhost")]);
    assert!(message.contains("a Redis server's URL if library is beaker") && !message.contains("hunter2"), "{message}");
    let message = error_of(&[("store", "redis://:hunter2@localhost")]);
    assert_eq!(message, r#"the option type must be store if the option store is set, not "signed_cookie""#);
}

#[test]
fn exactly_one_secret_is_required() {
    for settings in [&[("timeout", "")][..], &[("previous_secret", "x")], &[("accept.old.secret", "x")]] {
        let mut options = Options::new();
        for (name, value) in settings {
            options.set(name, value).unwrap();
        }
        let message = Factory::new(&options).err().unwrap().to_string();
        assert!(message.contains("secret") && message.contains("secret_hex") && message.contains("required"));
    }
    let message = error_of(&[("secret", "a"), ("secret_hex", "00")]);
    assert!(message.contains("secret and secret_hex"), "{message}");
    let message = error_of(&[("accept.old.serializer", "pickle")]);
    assert!(message.contains("accept.old.secret") && message.contains("required"), "{message}");
    let message = error_of(&[("accept.old.secret", "a"), ("accept.old.secret_hex", "00")]);
    assert!(message.contains("accept.old.secret and accept.old.secret_hex"), "{message}");
}

#[test]
fn an_empty_secret_is_an_error() {
    for option in ["secret", "secret_hex"] {
        assert!(error_of(&[(option, "")]).contains(option));
        assert!(error_of(&[(&format!("accept.old.{option}"), "")]).contains(option));
    }
}

#[test]
fn a_failed_set_sets_nothing() {
    let mut options = Options::new();
    options.set("secret", SECRET).unwrap().set("cookie_name", "sid").unwrap();
    assert!(options.set("cookie_name", "a b").is_err());
    assert!(options.set("accept.old.secret_hex", "x").is_err(), "it does not add an accepted format either");
    assert!(options.set("accept.old.nonsense", "x").is_err());
    let mut session = Factory::new(&options).unwrap().open_with(b"", &OpenOptions::new().now(NOW)).unwrap();
    session.mark_changed();
    assert!(commit(&mut session).unwrap().starts_with("sid="));
}

#[test]
fn the_last_value_of_an_option_counts() {
    let set_cookie = |settings: Settings<'_>| {
        let mut session = factory(settings).open_with(b"", &OpenOptions::new().now(NOW)).unwrap();
        session.mark_changed();
        commit(&mut session).unwrap()
    };
    assert!(set_cookie(&[("cookie_name", "a"), ("cookie_name", "b")]).starts_with("b="));
    assert!(set_cookie(&[("path", ""), ("path", "/x")]).contains("Path=/x"));
    assert!(!set_cookie(&[("path", "/x"), ("path", "")]).contains("Path"));
    assert!(set_cookie(&[("samesite", ""), ("samesite", "Strict")]).contains("SameSite=Strict"));
}

#[test]
fn an_empty_value_unsets_an_option() {
    let opened = |settings: Settings<'_>| {
        let mut session = factory(settings).open_with(b"", &OpenOptions::new().now(NOW)).unwrap();
        session.mark_changed();
        commit(&mut session).unwrap().split_once("; ").map(|(_, attributes)| attributes.to_owned())
    };
    assert_eq!(opened(&[("path", ""), ("samesite", "")]), None);
    assert_eq!(opened(&[("path", ""), ("samesite", ""), ("domain", "x.org"), ("domain", "")]), None);
    assert_eq!(opened(&[("max_age", "5"), ("max_age", "")]).as_deref(), Some("Path=/; SameSite=Lax"));
    let defaults = ["secure", "httponly", "type", "serializer", "hashalg", "cookie_name", "set_on_exception"];
    let defaults = defaults.map(|name| (name, ""));
    assert_eq!(opened(&defaults).as_deref(), Some("Path=/; SameSite=Lax"));
    let unsalted = signed_with(SECRET.as_bytes(), session("{}"));
    assert_eq!(open(&factory(&[("salt", "")]), &unsalted).load_result().name(), "loaded");
}

#[test]
fn choices_ignore_case_and_the_cookie_has_the_standard_spelling() {
    for (given, written) in [("lax", "Lax"), ("STRICT", "Strict"), ("NoNe", "None")] {
        let mut session =
            factory(&[("samesite", given), ("secure", "True")]).open_with(b"", &OpenOptions::new().now(NOW)).unwrap();
        session.mark_changed();
        assert!(commit(&mut session).unwrap().ends_with(&format!("; secure; SameSite={written}")));
    }
    let value = signed(session("{}"));
    let settings = [("hashalg", "SHA512"), ("type", "Signed_Cookie"), ("serializer", "JSON")];
    assert_eq!(open(&factory(&settings), &value).load_result().name(), "loaded");
}

#[test]
fn a_boolean_option_accepts_pyramids_words() {
    let is_secure = |value| {
        let mut session = factory(&[("secure", value)]).open_with(b"", &OpenOptions::new().now(NOW)).unwrap();
        session.mark_changed();
        commit(&mut session).unwrap().contains("; secure")
    };
    for value in ["true", "True", "t", "yes", "y", "on", "ON", "1"] {
        assert!(is_secure(value), "{value}");
    }
    for value in ["false", "F", "no", "n", "off", "0", ""] {
        assert!(!is_secure(value), "{value}");
    }
}

#[test]
fn cookies_that_browsers_would_drop_are_errors() {
    const HOST: Settings<'static> = &[("cookie_name", "__Host-sid"), ("secure", "true")];
    const HTTP: Settings<'static> = &[("cookie_name", "__hTTp-sid"), ("secure", "true"), ("httponly", "true")];
    const HOST_HTTP: Settings<'static> =
        &[("cookie_name", "__host-HTTP-sid"), ("secure", "true"), ("httponly", "true")];
    for (cookie, more, told) in [
        (&[("samesite", "None")][..], &[][..], r#"secure must be true if samesite is None, not "false""#),
        (&[("cookie_name", "__Secure-sid")], &[], "secure must be true for a cookie_name that begins with __Secure-"),
        (&[("cookie_name", "__Host-sid")], &[], "secure must be true for a cookie_name that begins with __Host-"),
        (
            HOST,
            &[("domain", "a.org")],
            r#"domain must be unset for a cookie_name that begins with __Host-, not "a.org""#,
        ),
        (HOST, &[("path", "/app")], r#"path must be / for a cookie_name that begins with __Host-, not "/app""#),
        (HOST, &[("path", "")], "path must be / for a cookie_name that begins with __Host-"),
        (&[("cookie_name", "__host-sid")], &[], "secure must be true for a cookie_name that begins with __Host-"),
        (&[("cookie_name", "__SECURE-sid")], &[], "secure must be true for a cookie_name that begins with __Secure-"),
        (HTTP, &[("secure", "false")], "secure must be true for a cookie_name that begins with __Http-"),
        (HTTP, &[("httponly", "false")], "httponly must be true for a cookie_name that begins with __Http-"),
        (HOST_HTTP, &[("secure", "false")], "secure must be true for a cookie_name that begins with __Host-Http-"),
        (HOST_HTTP, &[("httponly", "")], "httponly must be true for a cookie_name that begins with __Host-Http-"),
        (HOST_HTTP, &[("path", "/app")], "path must be / for a cookie_name that begins with __Host-Http-"),
        (HOST_HTTP, &[("domain", "a.org")], "domain must be unset for a cookie_name that begins with __Host-Http-"),
    ] {
        let message = error_of(&[cookie, more].concat());
        assert!(message.contains(&format!("the option {told}")), "{message}");
    }
    for settings in [
        &[("samesite", "None"), ("secure", "true")][..],
        &[("samesite", "")],
        &[("cookie_name", "__Secure-sid"), ("secure", "true"), ("domain", "example.com"), ("path", "/app")],
        &[("cookie_name", "__Host-sid"), ("secure", "true")],
        &[HTTP, &[("domain", "example.com"), ("path", "")]].concat(),
        HOST_HTTP,
        &[("cookie_name", "__Hostsid")],
        &[("cookie_name", "x__Host-sid")],
        &[("cookie_name", &"n".repeat(3840))],
    ] {
        assert!(try_factory(settings).is_ok(), "{settings:?}");
    }
}

/// The options of a format and its type, with the URL of a Redis.
#[cfg(feature = "redis")]
const SESSION_REDIS: Settings<'static> =
    &[("library", "pyramid_session_redis"), ("type", "store"), ("store", "redis://localhost")];
#[cfg(feature = "redis")]
const REDIS_SESSIONS: Settings<'static> =
    &[("library", "pyramid_redis_sessions"), ("type", "store"), ("store", "redis://localhost")];
#[cfg(feature = "redis")]
const BEAKER_REDIS: Settings<'static> = &[("library", "beaker"), ("type", "store"), ("store", "redis://localhost")];
#[cfg(feature = "redis")]
const BEAKER_SIGNED: Settings<'static> = &[("library", "beaker")];
#[cfg(feature = "redis")]
const BEAKER_ENCRYPTED: Settings<'static> =
    &[("library", "beaker"), ("type", "encrypted_cookie"), ("encrypt_key", "sesame")];

#[test]
#[cfg(feature = "redis")]
fn another_librarys_format_accepts_the_librarys_options() {
    let timeless = &[("timeout", "")][..];
    for (format, more) in [
        (SESSION_REDIS, &[("serializer", "json"), ("salt", "other."), ("hashalg", "sha256"), ("timeout", "")][..]),
        (SESSION_REDIS, &[("store", "rediss+cluster://localhost:1,localhost:2"), ("store_prefix", "x:")]),
        (SESSION_REDIS, &[("secret", "\u{1f511}"), ("previous_secret_hex", "00ff"), ("regenerate_grace", "0")]),
        (REDIS_SESSIONS, &[("serializer", "pickle"), ("hashalg", "sha1"), ("timeout", "1")]),
        (BEAKER_REDIS, &[("serializer", "json"), ("timeout", "0"), ("salt", "")]),
        (BEAKER_REDIS, timeless),
        (BEAKER_SIGNED, timeless),
        (BEAKER_SIGNED, &[("store", "")]),
        (BEAKER_ENCRYPTED, timeless),
    ] {
        let settings = [format, more].concat();
        assert!(try_factory(&settings).is_ok(), "{settings:?}: {:?}", try_factory(&settings).err());
    }
}

#[cfg(feature = "redis")]
const ENCRYPT_KEY_ELSEWHERE: &str =
    "option encrypt_key must be unset unless library is beaker and type is encrypted_cookie";

#[test]
#[cfg(feature = "redis")]
fn an_option_that_another_library_does_not_have_is_an_error() {
    for (format, more, reason) in [
        (
            &[("library", "pyramid_session_redis")][..],
            &[][..],
            "option type must be store if library is pyramid_session_redis, not \"signed_cookie\"",
        ),
        (
            &[("library", "pyramid_redis_sessions"), ("type", "encrypted_cookie")],
            &[],
            "option type must be store if library is pyramid_redis_sessions, not \"encrypted_cookie\"",
        ),
        (
            SESSION_REDIS,
            &[("store", "memory:")],
            "option store must be a Redis server's URL if library is pyramid_session_redis",
        ),
        (REDIS_SESSIONS, &[("store", "sqlite:x.db")], "option store must be a Redis"),
        (BEAKER_REDIS, &[("store", "")], "option store must be a Redis server's URL if library is beaker"),
        (BEAKER_REDIS, &[("store", "redis://localhost:x")], "option store: "),
        (SESSION_REDIS, &[("timeout", "0")], "option timeout must be more than 0 if library is "),
        (REDIS_SESSIONS, &[("timeout", "0")], "option timeout must be more than 0 if library is "),
        (REDIS_SESSIONS, &[("timeout", "")], "option timeout must be set"),
        (
            REDIS_SESSIONS,
            &[("serializer", "json")],
            "option serializer must be pickle if library is pyramid_redis_sessions (the library reads nothing else), not \"json\"",
        ),
        (REDIS_SESSIONS, &[("salt", "x")], "option salt must be unset if library is "),
        (REDIS_SESSIONS, &[("hashalg", "sha512")], "option hashalg must be sha1 if library is pyramid_redis_sessions"),
        (BEAKER_SIGNED, &[("salt", "x")], "option salt must be unset if library is "),
        (BEAKER_REDIS, &[("hashalg", "sha256")], "option hashalg must be sha1"),
        (BEAKER_REDIS, &[("regenerate_grace", "5")], "option regenerate_grace must be 0 if library is beaker"),
        (SESSION_REDIS, &[("encrypt_key", "x")], ENCRYPT_KEY_ELSEWHERE),
        (BEAKER_REDIS, &[("encrypt_key", "x")], ENCRYPT_KEY_ELSEWHERE),
        (BEAKER_SIGNED, &[("encrypt_key", "x")], ENCRYPT_KEY_ELSEWHERE),
        (&[], &[("encrypt_key", "x")], ENCRYPT_KEY_ELSEWHERE),
        (&[("type", "store")], &[("encrypt_key", "x")], ENCRYPT_KEY_ELSEWHERE),
        (
            &[("library", "beaker"), ("type", "encrypted_cookie")],
            &[],
            "option encrypt_key must be set for Beaker's encrypted cookies",
        ),
        (BEAKER_ENCRYPTED, &[("encrypt_key", "sésame")], "option encrypt_key must be ASCII"),
        (BEAKER_ENCRYPTED, &[("secret", "sécret")], "option secret must be ASCII"),
        (BEAKER_ENCRYPTED, &[("previous_secret", "sécret")], "option secret must be ASCII"),
        (&[("library", "django")], &[], "one of khufu, pyramid_session_redis, pyramid_redis_sessions, beaker"),
    ] {
        let settings = [format, more].concat();
        let message = error_of(&settings);
        assert!(message.contains(reason), "{settings:?}: {message}");
        assert!(!message.contains("sésame") && !message.contains("sécret"), "{message}");
    }
}

#[test]
fn the_errors_of_an_accepted_format_name_it() {
    let accepted: Settings<'_> = &[("accept.old.secret", "x"), ("accept.old.library", "beaker")];
    assert!(try_factory(accepted).is_ok());
    for (more, reason) in [
        (
            &[("accept.old.library", "pyramid_session_redis")][..],
            "accept.old.type must be store if accept.old.library is pyramid_session_redis",
        ),
        (
            &[("accept.old.type", "store")],
            "accept.old.type must be one of signed_cookie, encrypted_cookie, not \"store\"",
        ),
        (&[("accept.old.type", "encrypted_cookie")], "accept.old.encrypt_key must be set"),
        (&[("accept.old.encrypt_key", "x")], "accept.old.encrypt_key must be unset"),
        (
            &[("accept.old.salt", "x")],
            "accept.old.salt must be unset if accept.old.library is beaker (the signature's key is the secret alone), not \"x\"",
        ),
        (&[("accept.old.hashalg", "sha384")], "accept.old.hashalg must be"),
    ] {
        let message = error_of(&[accepted, more].concat());
        assert!(message.contains(reason), "{message}");
    }
}

#[test]
fn the_defaults_equal_pyramids() {
    let defaults = [
        ("type", Some("signed_cookie")),
        ("serializer", Some("json")),
        ("secret", None),
        ("salt", Some("pyramid.session.")),
        ("hashalg", Some("sha512")),
        ("cookie_name", Some("session")),
        ("max_age", None),
        ("path", Some("/")),
        ("domain", None),
        ("secure", Some("false")),
        ("httponly", Some("false")),
        ("samesite", Some("Lax")),
        ("timeout", Some("1200")),
        ("reissue_time", Some("0")),
        ("set_on_exception", Some("true")),
    ];
    for (name, default) in defaults {
        let row = TABLE.iter().find(|row| row.name == name).unwrap();
        assert_eq!(row.default, default, "{name}");
    }
}

#[test]
fn every_option_accepts_its_own_default_and_choices() {
    for row in TABLE {
        assert!(!row.help.is_empty() && row.help.ends_with('.'), "{}", row.name);
        if let Some(default) = row.default {
            Options::new().set(row.name, default).unwrap();
        }
        if let Kind::Choice(words) = row.kind {
            for word in words {
                Options::new().set(row.name, word).unwrap();
            }
        }
    }
}

#[test]
fn options_may_be_used_again_after_a_factory_was_made() {
    let mut options = Options::new();
    options.set("secret", SECRET).unwrap();
    let first = Factory::new(&options).unwrap();
    options.set("secret", "another").unwrap();
    let second = Factory::new(&options).unwrap();
    let value = signed(session("{}"));
    assert_eq!(open(&first, &value).load_result().name(), "loaded");
    assert_eq!(open(&second, &value).load_result().name(), "bad_signature");
}

#[test]
fn a_new_secret_is_random_hexadecimal_digits() {
    let [one, other] = [(); 2].map(|()| khufu::generate_secret().unwrap());
    assert!(one.len() == 128 && one != other);
    assert!(one.bytes().all(|digit| digit.is_ascii_digit() || (b'a'..=b'f').contains(&digit)));
    let key = khufu::generate_encryption_secret().unwrap();
    assert!(Factory::new(&Options::new().encrypted(&key)).is_ok() && key.len() == 64);
}
