//! A connection on which commands are sent and answered, each by its deadline.

use std::io::{self, Read, Write};
use std::sync::Arc;
use std::time::Instant;

use redis::{Cmd, ErrorKind, Parser, RedisError, RedisResult, Value, cmd};
use rustls::pki_types::ServerName;
use rustls::{ClientConfig, ClientConnection, StreamOwned};

use super::eviction::Eviction;
use super::socket::{Names, Socket};
use super::url::{Address, Login, Manner};

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
    /// No other connection has it.
    pub number: u64,
    stream: Stream,
    parser: Parser,
    /// The next commands are for a slot that is on its way to this node of a cluster.
    pub asking: bool,
    /// The next commands also ask the server whether it may evict keys.
    pub asks_eviction: bool,
    eviction: Arc<Eviction>,
    /// An answer did not arrive whole, so the connection is of no more use.
    pub is_broken: bool,
}

impl Connection {
    /// Connects. The server may still want a [login](Self::log_in).
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

    /// Sets where the server's answers about eviction are noted. Its first connection asks, with its first commands.
    pub fn noting_in(self, eviction: &Arc<Eviction>) -> Self {
        Self { asks_eviction: eviction.is_first(), eviction: Arc::clone(eviction), ..self }
    }

    /// Logs in and selects the database, in one round trip; in none if there is nothing to say.
    pub fn log_in(&mut self, manner: &Manner, deadline: Instant) -> RedisResult<()> {
        let mut commands = Vec::new();
        if let Some(password) = &manner.login.password {
            let mut auth = cmd("AUTH");
            auth.arg(manner.login.user.as_deref()).arg(password.as_str());
            commands.push(auth);
        }
        if manner.database != 0 {
            let mut select = cmd("SELECT");
            select.arg(manner.database);
            commands.push(select);
        }
        if commands.is_empty() {
            return Ok(());
        }
        let outcome = self.call_all(&commands.iter().collect::<Vec<_>>(), deadline);
        outcome.map(drop).map_err(|error| refusal(error, &manner.login))
    }

    /// True if the server has neither closed the connection, as far as this machine knows, nor said anything unasked.
    pub fn is_usable(&mut self) -> bool {
        self.stream.socket().is_quiet()
    }

    /// Sends a command and waits for its answer. After an error that is not [`answered`] the connection is of no use.
    pub fn call(&mut self, command: &Cmd, deadline: Instant) -> RedisResult<Value> {
        self.call_all(&[command], deadline)
    }

    /// Sends commands in one go and waits for every answer. Gives the last one, or the first error.
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
        // Not every user may ask.
        if asks_eviction && let Ok(Value::BulkString(info)) = self.read() {
            self.eviction.note(&String::from_utf8_lossy(&info));
        }
        outcome
    }

    fn read(&mut self) -> RedisResult<Value> {
        self.parser.parse_value(&mut self.stream).inspect_err(|_| self.is_broken = true)
    }

    /// A server that refuses a connection says why and closes it, perhaps before a command is written.
    fn write_error(&mut self, error: io::Error) -> RedisError {
        self.is_broken = true;
        if error.kind() == io::ErrorKind::TimedOut {
            return error.into();
        }
        let told = self.read().and_then(Value::extract_error).err();
        told.filter(answered).unwrap_or_else(|| error.into())
    }
}

/// The error of a login. A server may repeat the password in it.
fn refusal(error: RedisError, login: &Login) -> RedisError {
    let detail = error.detail().unwrap_or_default();
    let code = error.code().unwrap_or("ERR");
    let is_wrong = matches!(code, "WRONGPASS" | "NOAUTH") || detail.contains("invalid password");
    let password = login.password.as_ref().map_or("", |password| password.as_str());
    let repeats_it = !password.is_empty() && detail.contains(password);
    let told = match answered(&error) {
        true if is_wrong => format!("it does not accept the user or the password ({code})"),
        true if repeats_it => {
            format!("it does not accept the login ({code}; the rest of its answer holds the password)")
        }
        _ => return error,
    };
    (ErrorKind::AuthenticationFailed, "login", told).into()
}

fn tls(socket: Socket, config: &Arc<ClientConfig>, host: &str) -> io::Result<Stream> {
    let name = ServerName::try_from(host.to_owned()).map_err(io::Error::other)?;
    let connection = ClientConnection::new(Arc::clone(config), name).map_err(io::Error::other)?;
    Ok(Stream::Tls(Box::new(StreamOwned::new(connection, socket))))
}

/// Whether the server itself said so: the connection is in order, and the command has had no effect.
pub(super) fn answered(error: &RedisError) -> bool {
    matches!(error.kind(), ErrorKind::Server(_) | ErrorKind::Extension)
}

/// An error's reason without what the server repeats of a command.
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
        ErrorKind::Parse => "its answer is not Redis's".to_owned(),
        _ => error.to_string(),
    }
}
