//! What Redis does in one step. The keys of a script are on one node.

use std::sync::LazyLock;
use std::time::Instant;

use redis::{Cmd, ErrorKind, RedisResult, ServerErrorKind, Value};
use sha1::{Digest, Sha1};

use super::connection::Connection;

pub(super) struct Script {
    code: &'static str,
    hash: String,
}

impl Script {
    fn new(code: &'static str) -> Self {
        Self { code, hash: hex::encode(Sha1::digest(code)) }
    }

    /// Names the script; a server that does not know it yet is told all of it.
    pub fn run(
        &self,
        connection: &mut Connection,
        keys: &[&str],
        arguments: &[&[u8]],
        deadline: Instant,
    ) -> RedisResult<Value> {
        self.run_after(&[], connection, keys, arguments, deadline)
    }

    /// The same behind commands that are sent along.
    pub fn run_after(
        &self,
        first: &[&Cmd],
        connection: &mut Connection,
        keys: &[&str],
        arguments: &[&[u8]],
        deadline: Instant,
    ) -> RedisResult<Value> {
        let named = command("EVALSHA", &self.hash, keys, arguments);
        match connection.call_all(&[first, &[&named]].concat(), deadline) {
            Err(error) if error.kind() == ErrorKind::Server(ServerErrorKind::NoScript) => {
                connection.call(&command("EVAL", self.code, keys, arguments), deadline)
            }
            outcome => outcome,
        }
    }
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

pub(super) const SAVED: i64 = 1;
pub(super) const GONE: i64 = 0;
pub(super) const NOTHING_CAME: i64 = -2;

/// The time to live of a value that is to go.
pub(super) const NOT_AT_ALL: &str = "0";

/// Arguments: the generation that must be there, as its 8 bytes, or nothing where no record may be; the value; its time
/// to live in milliseconds, or nothing. Answers `SAVED`, `GONE` or, for a conflict, something else.
pub(super) static SAVE: LazyLock<Script> = LazyLock::new(|| {
    Script::new(
        "local there = redis.call('GETRANGE', KEYS[1], '0', '7')
if there ~= ARGV[1] then return there == '' and 0 or -1 end
if ARGV[3] == '' then redis.call('SET', KEYS[1], ARGV[2])
else redis.call('SET', KEYS[1], ARGV[2], 'PX', ARGV[3]) end
return 1",
    )
});

/// The same with a value that has come in under a second key, as Lua would read every byte of a long one. Arguments: the
/// generation and the time to live as above. Answers `NOTHING_CAME`, too: the value is not there any more.
pub(super) static SAVE_LONG: LazyLock<Script> = LazyLock::new(|| {
    Script::new(
        "local there = redis.call('GETRANGE', KEYS[1], '0', '7')
if there ~= ARGV[1] then
redis.call('DEL', KEYS[2])
return there == '' and 0 or -1
end
if redis.pcall('RENAME', KEYS[2], KEYS[1]).err then return -2 end
if ARGV[2] == '' then redis.call('PERSIST', KEYS[1]) end
return 1",
    )
});

/// The same for values that are nothing but a record's data: the first argument is the beginning of the hex SHA-1 of the
/// value that must be there. It is removed where its time to live is [`NOT_AT_ALL`], for no mark in it could tell an old
/// writer that it is about to go.
pub(super) static SAVE_SHARED: LazyLock<Script> = LazyLock::new(|| {
    Script::new(
        "local there = redis.call('GET', KEYS[1])
local hash = there and string.sub(redis.sha1hex(there), 1, 16) or ''
if hash ~= ARGV[1] then return there and -1 or 0 end
if ARGV[3] == '0' then redis.call('DEL', KEYS[1])
elseif ARGV[3] == '' then redis.call('SET', KEYS[1], ARGV[2])
else redis.call('SET', KEYS[1], ARGV[2], 'PX', ARGV[3]) end
return 1",
    )
});

/// The value, and for how many milliseconds it is kept yet; negative: for ever.
pub(super) static LOAD_SHARED: LazyLock<Script> =
    LazyLock::new(|| Script::new("return {redis.call('GET', KEYS[1]), redis.call('PTTL', KEYS[1])}"));

/// Arguments: the member; for how many milliseconds, or nothing. Some members whose time is over are removed.
pub(super) static ENLIST: LazyLock<Script> = LazyLock::new(|| {
    Script::new(
        "local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local till = ARGV[2] == '' and '+inf' or string.format('%.0f', now + ARGV[2])
redis.call('ZADD', KEYS[1], till, ARGV[1])
local over = redis.call('ZRANGEBYSCORE', KEYS[1], '-inf', string.format('%.0f', now), 'LIMIT', 0, 16)
if #over > 0 then redis.call('ZREM', KEYS[1], unpack(over)) end
local last = redis.call('ZREVRANGE', KEYS[1], 0, 0, 'WITHSCORES')[2]
if last == 'inf' then redis.call('PERSIST', KEYS[1])
else redis.call('PEXPIREAT', KEYS[1], string.format('%.0f', tonumber(last))) end
return 1",
    )
});

/// The members whose time is not over.
pub(super) static LIST: LazyLock<Script> = LazyLock::new(|| {
    Script::new(
        "local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
return redis.call('ZRANGEBYSCORE', KEYS[1], '(' .. string.format('%.0f', now), '+inf')",
    )
});
