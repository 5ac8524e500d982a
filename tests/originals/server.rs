//! Commands for the test's Redis, and factories that keep their sessions there.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use khufu::{Factory, Options, Outcome, Session};
use redis::{Client, Cmd, FromRedisValue};

pub use super::redis_server::RedisServer as Server;

impl Server {
    fn send<T: FromRedisValue>(&self, words: &[&[u8]]) -> T {
        let mut command = Cmd::new();
        for word in words {
            command.arg(*word);
        }
        let client = Client::open(self.url().replace("redis+unix", "unix")).unwrap();
        command.query(&mut client.get_connection().unwrap()).unwrap()
    }

    /// Writes a key without checking its old value, as the other libraries do.
    pub fn write(&self, key: &str, value: &[u8], seconds: u64) {
        self.send::<()>(&[b"SETEX", key.as_bytes(), seconds.to_string().as_bytes(), value]);
    }

    pub fn write_for_ever(&self, key: &str, value: &[u8]) {
        self.send::<()>(&[b"SET", key.as_bytes(), value]);
    }

    pub fn value(&self, key: &str) -> Option<Vec<u8>> {
        self.send(&[b"GET", key.as_bytes()])
    }

    /// How many more seconds a key is kept, or -1 if it does not expire.
    pub fn ttl(&self, key: &str) -> i64 {
        self.send(&[b"TTL", key.as_bytes()])
    }

    pub fn delete(&self, key: &str) {
        self.send::<()>(&[b"DEL", key.as_bytes()]);
    }

    pub fn keys(&self) -> Vec<String> {
        self.send(&[b"KEYS", b"*"])
    }

    /// The only key in the database.
    pub fn key(&self) -> String {
        let mut keys = self.keys();
        assert_eq!(keys.len(), 1, "{keys:?}");
        keys.remove(0)
    }

    /// Makes a factory with these options and this server. The secret is `itsaseekreet` unless they set another.
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

/// The formats of sessions in Redis.
pub const STORED: [&[(&str, &str)]; 5] = [
    &[("library", "pyramid_session_redis")],
    &[("library", "pyramid_session_redis"), ("serializer", "json")],
    &[("library", "pyramid_redis_sessions")],
    &[("library", "beaker")],
    &[("library", "beaker"), ("serializer", "json")],
];

/// Runs a test with each of the formats in [`STORED`], each on its own server.
pub fn on_every_format(test: impl Fn(&Server, &[(&str, &str)])) {
    for settings in STORED {
        println!("{settings:?}");
        test(&Server::start(), settings);
    }
}

/// Commits a session whose cookie is set. Returns the `Cookie` header of the browser's next request.
pub fn cookie(session: &mut Session) -> String {
    let set_cookies = session.commit(Outcome::Response).unwrap();
    set_cookies[0].split(';').next().unwrap().to_owned()
}

/// Begins a session with this state. Returns its `Cookie` header.
pub fn begin(factory: &Factory, json: &str) -> String {
    let mut session = factory.open(b"").unwrap();
    session.update_json(json).unwrap();
    session.mark_changed();
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
