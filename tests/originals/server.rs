//! A Redis of a test's own, and factories that keep their sessions there.

use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use khufu::{Factory, Options, Session};
use redis::{Client, Cmd, Connection, FromRedisValue};

/// Killed when dropped.
pub struct Server {
    child: Child,
    socket: PathBuf,
}

impl Server {
    pub fn start() -> Self {
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        // A socket's path must be short.
        let socket = std::env::temp_dir().join(format!("khufu-originals-{}-{number}.sock", std::process::id()));
        let child = Command::new("redis-server")
            .args(["--port", "0", "--save", "", "--appendonly", "no", "--unixsocket"])
            .arg(&socket)
            .stdout(Stdio::null())
            .spawn()
            .expect("redis-server is installed: scripts/dependencies does it");
        let server = Self { child, socket };
        let started = Instant::now();
        while server.connect().is_err() {
            assert!(started.elapsed() < Duration::from_secs(10), "the server does not answer");
            std::thread::sleep(Duration::from_millis(5));
        }
        server
    }

    pub fn url(&self) -> String {
        format!("redis+unix://{}", self.socket.display())
    }

    fn connect(&self) -> redis::RedisResult<Connection> {
        Client::open(format!("unix://{}", self.socket.display()))?.get_connection()
    }

    fn ask<T: FromRedisValue>(&self, words: &[&[u8]]) -> T {
        let mut command = Cmd::new();
        for word in words {
            command.arg(*word);
        }
        command.query(&mut self.connect().unwrap()).unwrap()
    }

    /// What the other library does: it writes and does not look.
    pub fn write(&self, key: &str, value: &[u8], seconds: u64) {
        self.ask::<()>(&[b"SETEX", key.as_bytes(), seconds.to_string().as_bytes(), value]);
    }

    pub fn write_for_ever(&self, key: &str, value: &[u8]) {
        self.ask::<()>(&[b"SET", key.as_bytes(), value]);
    }

    pub fn value(&self, key: &str) -> Option<Vec<u8>> {
        self.ask(&[b"GET", key.as_bytes()])
    }

    /// For how many seconds a key is kept yet; -1: for ever.
    pub fn left(&self, key: &str) -> i64 {
        self.ask(&[b"TTL", key.as_bytes()])
    }

    pub fn delete(&self, key: &str) {
        self.ask::<()>(&[b"DEL", key.as_bytes()]);
    }

    pub fn keys(&self) -> Vec<String> {
        self.ask(&[b"KEYS", b"*"])
    }

    /// The only key there is.
    pub fn key(&self) -> String {
        let mut keys = self.keys();
        assert_eq!(keys.len(), 1, "{keys:?}");
        keys.remove(0)
    }

    /// A factory with these options, the secret `itsaseekreet` unless they say another, and this server.
    pub fn factory(&self, settings: &[(&str, &str)]) -> Factory {
        let mut options = Options::new();
        options.set("type", "store").unwrap().set("store", &self.url()).unwrap();
        options.set("secret", super::common::SECRET).unwrap();
        for (name, value) in settings {
            options.set(name, value).unwrap();
        }
        Factory::new(&options).unwrap()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.child.kill().and_then(|()| self.child.wait()).expect("the server was there to be stopped");
        let _ = std::fs::remove_file(&self.socket);
    }
}

/// The formats of sessions in Redis.
pub const STORED: [&[(&str, &str)]; 5] = [
    &[("format", "pyramid_session_redis")],
    &[("format", "pyramid_session_redis"), ("serializer", "json")],
    &[("format", "pyramid_redis_sessions")],
    &[("format", "beaker")],
    &[("format", "beaker"), ("serializer", "json")],
];

/// Runs a test with each of [`STORED`], on a server of its own.
pub fn on_every_format(test: impl Fn(&Server, &[(&str, &str)])) {
    for settings in STORED {
        println!("{settings:?}");
        test(&Server::start(), settings);
    }
}

/// The `Cookie` header that a browser sends after a commit that gave it one.
pub fn cookie(session: &mut Session) -> String {
    let set_cookies = session.commit(false).unwrap();
    set_cookies[0].split(';').next().unwrap().to_owned()
}

/// A session with these data; gives its cookie.
pub fn begin(factory: &Factory, json: &str) -> String {
    let mut session = factory.open(b"").unwrap();
    session.update(json).unwrap();
    session.changed();
    cookie(&mut session)
}

pub fn open(factory: &Factory, header: &str) -> Session {
    factory.open(header.as_bytes()).unwrap()
}

pub fn json(factory: &Factory, header: &str) -> String {
    open(factory, header).to_json().to_owned()
}

pub fn unbase64(text: &str) -> Vec<u8> {
    STANDARD.decode(text).unwrap()
}

/// A text as Python pickles it with protocol 2.
pub fn pickled(text: &str) -> Vec<u8> {
    [b"\x80\x02X", &(text.len() as u32).to_le_bytes()[..], text.as_bytes(), b"."].concat()
}
