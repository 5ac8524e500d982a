//! The Lua scripts, each of which Redis runs in one atomic step. In a cluster, all keys of a script are on one node.

use std::sync::LazyLock;
use std::time::Instant;

use redis::{Cmd, ErrorKind, FromRedisValue, ParsingError, RedisResult, ServerErrorKind, Value};
use sha1::{Digest, Sha1};

use super::connection::Connection;
use crate::store::{SUBJECT_PLACE, Saved};

pub(super) struct Script {
    code: &'static str,
    hash: String,
}

impl Script {
    fn new(code: &'static str) -> Self {
        Self { code, hash: hex::encode(Sha1::digest(code)) }
    }

    /// Runs the script. Sends only its hash, and sends its text if the server does not know the hash.
    pub fn run(
        &self,
        connection: &mut Connection,
        keys: &[&str],
        arguments: &[&[u8]],
        deadline: Instant,
    ) -> RedisResult<Value> {
        self.call(connection, &Call { first: &[], keys, arguments, deadline })
    }

    pub fn call(&self, connection: &mut Connection, call: &Call<'_>) -> RedisResult<Value> {
        let Call { first, keys, arguments, deadline } = *call;
        let named = command("EVALSHA", &self.hash, keys, arguments);
        match connection.call_all(&[first, &[&named]].concat(), deadline) {
            Err(error) if error.kind() == ErrorKind::Server(ServerErrorKind::NoScript) => {
                connection.call(&command("EVAL", self.code, keys, arguments), deadline)
            }
            outcome => outcome,
        }
    }
}

/// The run of a script after some commands, in one round trip.
pub(super) struct Call<'a> {
    /// The commands to send before the script.
    pub first: &'a [&'a Cmd],
    pub keys: &'a [&'a str],
    pub arguments: &'a [&'a [u8]],
    pub deadline: Instant,
}

fn command(name: &str, script: &str, keys: &[&str], arguments: &[&[u8]]) -> Cmd {
    let length = keys.iter().map(|key| key.len()).chain(arguments.iter().map(|argument| argument.len())).sum::<usize>();
    let mut command = Cmd::with_capacity(3 + keys.len() + arguments.len(), length + script.len() + 16);
    command.arg(name).arg(script).arg(keys.len()).arg(keys);
    for argument in arguments {
        command.arg(*argument);
    }
    command
}

impl FromRedisValue for Saved {
    fn from_redis_value(answer: Value) -> Result<Self, ParsingError> {
        match &answer {
            Value::BulkString(word) if word == b"saved" => Ok(Self::Yes),
            Value::BulkString(word) if word == b"gone" => Ok(Self::Gone),
            Value::BulkString(word) if word == b"conflict" => Ok(Self::Conflict),
            _ => Err("the script gave an unknown answer".into()),
        }
    }
}

/// True if [`SAVE_LONG`] found that the temporary key no longer exists.
pub(super) fn is_temporary_key_lost(answer: &Value) -> bool {
    matches!(answer, Value::BulkString(word) if word == b"lost")
}

/// [`REVOKE`]'s answer if there is no record.
pub(super) const NO_RECORD: i64 = 0;

// revoke.lua contains the position of the subject's name as numbers.
const _: () = assert!(SUBJECT_PLACE.start == 2 && SUBJECT_PLACE.end == 34);

macro_rules! script {
    ($($file:literal),+) => {
        LazyLock::new(|| Script::new(concat!($(include_str!(concat!("lua/", $file, ".lua"))),+)))
    };
}

// Each Lua file documents its keys, arguments and answers.
pub(super) static SAVE: LazyLock<Script> = script!("list", "save");
pub(super) static SAVE_LONG: LazyLock<Script> = script!("list", "save_long");
pub(super) static REMOVE: LazyLock<Script> = script!("remove");
pub(super) static ENLIST: LazyLock<Script> = script!("list", "enlist");
pub(super) static MEMBERS: LazyLock<Script> = script!("members");
pub(super) static REVOKE: LazyLock<Script> = script!("revoke");
pub(super) static LOAD_SHARED: LazyLock<Script> = script!("load_shared");
pub(super) static SAVE_SHARED: LazyLock<Script> = script!("save_shared");
pub(super) static REMOVE_SHARED: LazyLock<Script> = script!("remove_shared");
pub(super) static RENAME_SHARED: LazyLock<Script> = script!("rename_shared");
