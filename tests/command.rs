//! The command `khufu`, run as a process.

use std::fs;
use std::io::Write;
use std::path::PathBuf;
use std::process::{Command, Stdio};

const SECRET: &str = "0123456789abcdef0123456789abcdef0123456789abcdef";
const STORE_DOWN: &str = "redis://127.0.0.1:1/0";

struct Answer {
    status: i32,
    out: String,
    err: String,
}

/// Runs the command with this text as its standard input. `KHUFU_SECRET` has the secret.
fn khufu_with(input: &str, arguments: &[&str]) -> Answer {
    let mut child = Command::new(env!("CARGO_BIN_EXE_khufu"))
        .args(arguments)
        .env("KHUFU_SECRET", SECRET)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    // A command that refuses its arguments does not read its input.
    let _ = child.stdin.take().unwrap().write_all(input.as_bytes());
    let output = child.wait_with_output().unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    let answer = Answer { status: output.status.code().unwrap(), out: text(output.stdout), err: text(output.stderr) };
    for shown in [&answer.out, &answer.err] {
        assert!(!shown.contains(SECRET), "{shown}");
    }
    answer
}

fn khufu(arguments: &[&str]) -> Answer {
    khufu_with("", arguments)
}

/// A file for one test. It is removed at the end.
struct TemporaryFile(PathBuf);

impl TemporaryFile {
    fn new(name: &str, text: &str) -> Self {
        let path = std::env::temp_dir().join(format!("khufu-command-{}-{name}", std::process::id()));
        fs::write(&path, text).unwrap();
        Self(path)
    }

    fn path(&self) -> &str {
        self.0.to_str().unwrap()
    }
}

impl Drop for TemporaryFile {
    fn drop(&mut self) {
        for end in ["", "-wal", "-shm"] {
            let _ = fs::remove_file(format!("{}{end}", self.0.display()));
        }
    }
}

#[test]
fn a_secret_is_random_hex_digits() {
    let [one, other] = [&[][..], &["--encryption"]].map(|more| khufu(&[&["secret"], more].concat()).out);
    assert_eq!((one.trim().len(), other.trim().len()), (128, 64));
    assert!(one.trim().bytes().all(|byte| byte.is_ascii_hexdigit()));
    assert_ne!(one, khufu(&["secret"]).out);
}

#[test]
fn a_sealed_cookie_is_inspected() {
    let sealed = khufu_with(r#"{"user": "zoe", "cart": [1, 2]}"#, &["seal"]);
    assert_eq!(sealed.status, 0, "{}", sealed.err);
    let cookie = sealed.out.trim();
    let value = cookie.strip_prefix("session=").unwrap();
    for input in [cookie, value, &format!("Cookie: theme=dark; {cookie}"), &format!("set-cookie: {cookie}; Path=/")] {
        let seen = khufu_with(input, &["inspect"]);
        assert_eq!(seen.status, 0, "{}", seen.err);
        for expected in
            ["load result  loaded\n", "format       khufu, signed_cookie, json", "      5 bytes  user", " ago\n"]
        {
            assert!(seen.out.contains(expected), "{expected} in {}", seen.out);
        }
        assert!(!seen.out.contains("zoe"), "a value is shown only when it is asked for: {}", seen.out);
    }
    assert!(khufu_with(cookie, &["inspect", "--contents"]).out.contains(r#""user":"zoe""#));
    let seen: serde_json::Value =
        serde_json::from_str(&khufu_with(cookie, &["inspect", "--json", "--contents"]).out).unwrap();
    assert_eq!(seen["load_result"], "loaded");
    assert_eq!(seen["contents"]["cart"][1], 2);
    assert_eq!(seen["keys"][0], serde_json::json!({ "key": "user", "bytes": 5 }));
}

#[test]
fn a_visitor_cannot_write_to_the_operators_terminal() {
    let sealed = khufu_with("{\"\\u001b[2J\\nload result  loaded\": \"\u{9b}\u{202e}\"}", &["seal"]);
    assert_eq!(sealed.status, 0, "{}", sealed.err);
    for arguments in [&["inspect"][..], &["inspect", "--contents"], &["inspect", "--contents", "--json"]] {
        let out = khufu_with(&sealed.out, arguments).out;
        let shown = out.strip_suffix('\n').unwrap().replace('\n', "");
        assert!(!shown.contains(|c: char| c.is_control() || c == '\u{202e}'), "{shown:?}");
        assert_eq!(
            out.lines().filter(|line| line.starts_with("load result")).count(),
            usize::from(!arguments.contains(&"--json")),
            "{out}"
        );
    }
}

#[test]
fn check_creates_no_file() {
    let file = TemporaryFile::new("never.db", "");
    fs::remove_file(&file.0).unwrap();
    let ini = format!("type = Store\nstore = sqlite:{}\nsecure = on\nhttponly = yes\n", file.path());
    let ini = TemporaryFile::new("never.ini", &ini);
    assert_eq!(khufu(&["check", "--offline", "--config", ini.path()]).status, 0);
    assert_eq!(khufu(&["check", "--config", ini.path()]).status, 7);
    assert!(!file.0.exists());
}

#[test]
fn each_failure_has_its_exit_status_and_says_what_to_do() {
    let other = TemporaryFile::new("other-secret", "another secret of the same length, more or less\n");
    let cookie = khufu_with("{}", &["seal", "--secret-file", other.path()]).out;
    let expired = khufu_with("{}", &["seal", "-o", "timeout=0"]).out;
    let sqlite = TemporaryFile::new("statuses.db", "");
    fs::remove_file(&sqlite.0).unwrap();
    let stored = TemporaryFile::new("stored.ini", &format!("type = store\nstore = sqlite:{}\n", sqlite.path()));
    assert_eq!(khufu_with("{}", &["seal", "--config", stored.path()]).status, 0);
    let missing = TemporaryFile::new("missing.ini", "type = store\nstore = sqlite:/no/such/file.db\n");
    let down = TemporaryFile::new("down.ini", &format!("type = store\nstore = {STORE_DOWN}\nstore_timeout = 0.2\n"));
    let wrong = TemporaryFile::new("wrong.ini", "timeout = soon\n");
    for (input, arguments, status, expected) in [
        ("", &["inspect", "--config", "/no/such/file.ini"][..], 3, "cannot read /no/such/file.ini"),
        ("", &["inspect", "--config", wrong.path()], 4, "line 1: the option timeout must be"),
        ("", &["seal", "-o", "timeout"], 4, "-o takes NAME=VALUE"),
        ("", &["seal", "-o", "accept.old.secret=abc"], 4, "must not be an argument"),
        ("[]", &["seal"], 4, "JSON object"),
        (&cookie, &["inspect"], 5, "Compare the options secret, salt, hashalg and type"),
        ("session=nonsense", &["inspect"], 6, "malformed"),
        ("", &["inspect"], 6, "none"),
        ("theme=dark", &["inspect"], 6, "none with the name"),
        (&expired, &["inspect", "-o", "timeout=0"], 6, "expired"),
        ("", &["sessions", "list", "--config", down.path(), "user-42"], 7, "Check that the store runs"),
        ("", &["sessions", "list", "--config", missing.path(), "user-42"], 7, "has no file /no/such/file.db"),
        ("", &["inspect", "--config", missing.path()], 7, "has no file /no/such/file.db"),
        ("", &["sessions", "list", "--config", stored.path(), "user-42"], 8, "has no session. Compare the name"),
        ("", &["sessions", "revoke", "--all", "--config", stored.path(), "user-42"], 8, "nothing was ended"),
        ("", &["sessions", "show", "--config", stored.path(), "user-42", "1"], 8, "has no session"),
        ("", &["sessions", "list", "user-42"], 4, "only sessions in a store"),
        ("", &["sessions", "revoke", "user-42"], 2, "Usage"),
    ] {
        if arguments.contains(&"timeout=0") {
            std::thread::sleep(std::time::Duration::from_millis(1100)); // a session lives for its timeout, in whole seconds
        }
        let answer = khufu_with(input, arguments);
        assert_eq!(answer.status, status, "{arguments:?}: {}{}", answer.out, answer.err);
        assert!(answer.err.contains(expected), "{arguments:?}: {expected} in {}", answer.err);
    }
}

#[test]
fn the_sessions_of_a_subject_are_listed_and_ended() {
    let database = TemporaryFile::new("sessions.db", "");
    fs::remove_file(&database.0).unwrap();
    let ini = TemporaryFile::new("sessions.ini", &format!("type = store\nstore = sqlite:{}\n", database.path()));
    let with = |command: &[&str], more: &[&str]| khufu(&[command, &["--config", ini.path()], more].concat());
    let seal = ["seal", "--config", ini.path(), "--subject", "user-42"];
    let cookies = [0; 3].map(|_| khufu_with(r#"{"user": "zoe"}"#, &seal).out);
    let ids = || -> Vec<String> {
        let listed = with(&["sessions", "list"], &["user-42", "--json"]);
        let rows: serde_json::Value = serde_json::from_str(&listed.out).unwrap();
        rows.as_array().unwrap().iter().map(|row| row["id"].as_str().unwrap().to_owned()).collect()
    };
    let listed = ids();
    assert_eq!(listed.len(), 3);
    assert_eq!(with(&["sessions", "list"], &["user-42"]).out.lines().count(), 3);
    let shown = with(&["sessions", "show"], &["user-42", &listed[0]]);
    assert!(shown.out.contains(&format!("id       {}\nsubject  user-42\ncreated  ", listed[0])), "{}", shown.out);
    assert_eq!(with(&["sessions", "revoke"], &["user-42", &listed[0]]).out, "ended 1\n");
    assert_eq!(ids(), listed[1..]);
    assert_eq!(with(&["sessions", "revoke"], &["user-42", &listed[0]]).status, 8);
    let all = with(&["sessions", "revoke"], &["user-42", "--all", "--except", &listed[2]]);
    assert_eq!(all.out, "ended 1\n");
    assert_eq!(ids(), listed[2..]);
    let opened = cookies.map(|cookie| khufu_with(&cookie, &["inspect", "--config", ini.path()]).status);
    assert_eq!(opened.iter().filter(|status| **status == 0).count(), 1, "{opened:?}");
}

#[test]
fn check_explains_every_problem_of_a_file() {
    let ini = TemporaryFile::new(
        "check.ini",
        "[app:main]\nuse = egg:shop\nkhufu.timeout = soon\nkhufu.tiemout = 1\nkhufu.secret = short\n",
    );
    let seen = Command::new(env!("CARGO_BIN_EXE_khufu"))
        .args(["check", "--config", ini.path()])
        .env_remove("KHUFU_SECRET")
        .output()
        .unwrap();
    let out = String::from_utf8(seen.stdout).unwrap();
    for expected in [
        "line 3: the option timeout must be",
        "line 4: there is no option \"tiemout\"",
        "warning: the option secret has 5 bytes",
        "warning: secure is not on",
        "check.ini: 2 errors, ",
    ] {
        assert!(out.contains(expected), "{expected} in {out}");
    }
    assert_eq!(seen.status.code(), Some(4));
    assert!(!out.contains("short"), "{out}");
}

#[test]
fn check_explains_options_that_work_but_not_well() {
    let safe = "secure = true\nhttponly = true\n";
    for (text, status, expected) in [
        (safe.to_owned(), 0, "0 errors, 0 warnings"),
        (
            format!("{safe}accept.old.secret = aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\n"),
            9,
            "accept.old.secret has only 1 ",
        ),
        (format!("{safe}previous_secret_hex = 00ff\n"), 9, "previous_secret_hex has 2 bytes"),
        (format!("{safe}type = Store\n"), 9, "the memory of one process"),
        ("secure = on\nhttponly = yes\n".to_owned(), 0, "0 errors, 0 warnings"),
        (format!("{safe}max_age = 40000000\n"), 9, "400 days"),
        ("samesite = None\n".to_owned(), 4, "samesite"),
        (format!("{safe}type = store\nstore = {STORE_DOWN}\nstore_timeout = 0.2\n"), 7, "0 errors, 0 warnings"),
    ] {
        let ini = TemporaryFile::new("advice.ini", &text);
        let seen = khufu(&["check", "--config", ini.path()]);
        assert_eq!(seen.status, status, "{text}: {}{}", seen.out, seen.err);
        assert!(seen.out.contains(expected), "{expected} in {}", seen.out);
    }
    let ini = TemporaryFile::new("offline.ini", &format!("{safe}type = store\nstore = {STORE_DOWN}\n"));
    assert_eq!(khufu(&["check", "--offline", "--config", ini.path()]).status, 0);
}
