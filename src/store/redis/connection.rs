//! A connection to a Redis server. Each call sends commands and reads their answers by a deadline.

use std::io::{self, Read, Write};
use std::sync::Arc;
use std::time::Instant;

use redis::{Cmd, ErrorKind, Parser, RedisError, RedisResult, Value, cmd};
use rustls::pki_types::ServerName;
use rustls::{ClientConfig, ClientConnection, StreamOwned};

use super::eviction::Eviction;
use super::socket::{Names, Socket};
use super::url::{Address, ConnectionSettings, Login};

enum Stream {
    Plain(Socket),
    Tls(Box<StreamOwned<ClientConnection, Socket>>),
}

impl Stream {
    fn socket(&mut self) -> &mut Socket {
        match self {
            Self::Plain(socket) => socket,
            Self::Tls(stream) => stream.get_mut(),
        }
    }
}

impl Read for Stream {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match self {
            Self::Plain(socket) => socket.read(buffer),
            Self::Tls(stream) => stream.read(buffer),
        }
    }
}

impl Write for Stream {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match self {
            Self::Plain(socket) => socket.write(bytes),
            Self::Tls(stream) => stream.write(bytes),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        match self {
            Self::Plain(socket) => socket.flush(),
            Self::Tls(stream) => stream.flush(),
        }
    }
}

/// A connection to a server.
pub(super) struct Connection {
    /// A random number that identifies this connection.
    pub number: u64,
    stream: Stream,
    parser: Parser,
    /// Set if the next commands are for a slot that is being moved to this cluster node. They are sent with `ASKING`.
    pub asking: bool,
    /// Set if the next commands also ask the server whether it may evict keys.
    pub asks_eviction: bool,
    eviction: Arc<Eviction>,
    /// Set if a read or a write failed, so that the connection cannot be used again.
    pub is_broken: bool,
}

impl Connection {
    /// Connects to a server. Call [`log_in`](Self::log_in) before other commands.
    pub fn open(
        address: &Address,
        names: &Names,
        tls: Option<&Arc<ClientConfig>>,
        deadline: Instant,
    ) -> RedisResult<Self> {
        let socket = Socket::connect(address, names, deadline)?;
        let stream = match (tls, address) {
            (Some(config), Address::Tcp { host, .. }) => self::tls(socket, config, host)?,
            _ => Stream::Plain(socket),
        };
        let number = getrandom::u64().map_err(io::Error::other)?;
        Ok(Self {
            number,
            stream,
            parser: Parser::new(),
            asking: false,
            asks_eviction: false,
            eviction: Arc::default(),
            is_broken: false,
        })
    }

    /// Sets where to record the server's answers about eviction. The first connection to a server asks about it
    /// together with its first commands.
    pub fn with_eviction(self, eviction: &Arc<Eviction>) -> Self {
        Self { asks_eviction: eviction.is_first(), eviction: Arc::clone(eviction), ..self }
    }

    /// Logs in and selects the database in one round trip. Sends nothing if neither is needed.
    pub fn log_in(&mut self, settings: &ConnectionSettings, deadline: Instant) -> RedisResult<()> {
        let mut commands = Vec::new();
        if let Some(password) = &settings.login.password {
            let mut auth = cmd("AUTH");
            auth.arg(settings.login.user.as_deref()).arg(password.as_str());
            commands.push(auth);
        }
        if settings.database != 0 {
            let mut select = cmd("SELECT");
            select.arg(settings.database);
            commands.push(select);
        }
        if commands.is_empty() {
            return Ok(());
        }
        let outcome = self.call_all(&commands.iter().collect::<Vec<_>>(), deadline);
        outcome.map(drop).map_err(|error| login_error(error, &settings.login))
    }

    /// True if the server has not closed the connection, as far as this machine knows, and has sent nothing unexpected.
    pub fn is_usable(&mut self) -> bool {
        self.stream.socket().is_quiet()
    }

    /// Sends a command and waits for its answer. The connection can be used again only after success, or after an error
    /// for which [`answered`] is true.
    pub fn call(&mut self, command: &Cmd, deadline: Instant) -> RedisResult<Value> {
        self.call_all(&[command], deadline)
    }

    /// Sends commands in one write and waits for every answer. Returns the last answer, or the first error.
    pub fn call_all(&mut self, commands: &[&Cmd], deadline: Instant) -> RedisResult<Value> {
        self.stream.socket().deadline = deadline;
        let asks_eviction = std::mem::take(&mut self.asks_eviction);
        let mut bytes = Vec::new();
        for command in commands {
            if self.asking {
                cmd("ASKING").write_packed_command(&mut bytes);
            }
            command.write_packed_command(&mut bytes);
        }
        if asks_eviction {
            cmd("INFO").arg("memory").write_packed_command(&mut bytes);
        }
        if let Err(error) = self.stream.write_all(&bytes).and_then(|()| self.stream.flush()) {
            return Err(self.write_error(error));
        }
        let mut outcome = Ok(Value::Nil);
        for _ in 0..commands.len() * if self.asking { 2 } else { 1 } {
            match self.read() {
                Ok(answer) => outcome = outcome.and_then(|_| answer.extract_error()),
                Err(error) => return outcome.and(Err(error)),
            }
        }
        // Ignore an error: some users are not allowed to run INFO.
        if asks_eviction && let Ok(Value::BulkString(info)) = self.read() {
            self.eviction.note(&String::from_utf8_lossy(&info));
        }
        outcome
    }

    fn read(&mut self) -> RedisResult<Value> {
        self.parser.parse_value(&mut self.stream).inspect_err(|_| self.is_broken = true)
    }

    /// The error of a failed write. A server that refuses a connection sends the reason and closes it, possibly before
    /// the command is written, so this reads the reason.
    fn write_error(&mut self, error: io::Error) -> RedisError {
        self.is_broken = true;
        if error.kind() == io::ErrorKind::TimedOut {
            return error.into();
        }
        let refusal = self.read().and_then(Value::extract_error).err();
        refusal.filter(answered).unwrap_or_else(|| error.into())
    }
}

/// The error of a login, without the password. A server may repeat the password in its answer.
fn login_error(error: RedisError, login: &Login) -> RedisError {
    let detail = error.detail().unwrap_or_default();
    let code = error.code().unwrap_or("ERR");
    let is_wrong = matches!(code, "WRONGPASS" | "NOAUTH") || detail.contains("invalid password");
    let password = login.password.as_ref().map_or("", |password| password.as_str());
    let repeats_it = !password.is_empty() && detail.contains(password);
    let message = match answered(&error) {
        true if is_wrong => format!("it does not accept the user or the password ({code})"),
        true if repeats_it => {
            format!(
                "it does not accept the login ({code}; the rest of its answer contains the password and is not shown)"
            )
        }
        _ => return error,
    };
    (ErrorKind::AuthenticationFailed, "login", message).into()
}

fn tls(socket: Socket, config: &Arc<ClientConfig>, host: &str) -> io::Result<Stream> {
    let name = ServerName::try_from(host.to_owned()).map_err(io::Error::other)?;
    let connection = ClientConnection::new(Arc::clone(config), name).map_err(io::Error::other)?;
    Ok(Stream::Tls(Box::new(StreamOwned::new(connection, socket))))
}

/// True if the server itself sent this error. Then the connection still works, and the command had no effect.
pub(super) fn answered(error: &RedisError) -> bool {
    matches!(error.kind(), ErrorKind::Server(_) | ErrorKind::Extension)
}

/// The reason of an error, without the command's arguments, which a server may repeat.
pub(super) fn reason(error: &RedisError) -> String {
    match error.kind() {
        ErrorKind::Server(_) | ErrorKind::Extension => {
            let detail = error.detail().unwrap_or_default();
            let detail = detail.split(", with args beginning with").next().unwrap_or_default();
            format!("{} {detail}", error.code().unwrap_or("ERR")).trim_end().to_owned()
        }
        ErrorKind::Io if error.is_connection_dropped() && !error.is_connection_refusal() => {
            "the connection was closed".to_owned()
        }
        ErrorKind::AuthenticationFailed => error.detail().unwrap_or_default().to_owned(),
        ErrorKind::Parse => "its answer does not follow the Redis protocol".to_owned(),
        _ => error.to_string(),
    }
}
