//! A connection on which commands are sent and answered, each by its deadline.

use std::io::{self, Read, Write};
use std::sync::Arc;
use std::time::Instant;

use redis::{Cmd, ErrorKind, Parser, RedisError, RedisResult, Value, cmd};
use rustls::pki_types::ServerName;
use rustls::{ClientConfig, ClientConnection, StreamOwned};

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

/// A connection to a server that has let us in and turned to our database.
pub(super) struct Connection {
    /// No other connection has it.
    pub number: u64,
    stream: Stream,
    parser: Parser,
    /// Whether the next commands are for a slot that is on its way to this node of a cluster.
    pub asking: bool,
}

impl Connection {
    pub fn open(address: &Address, names: &Names, manner: &Manner, deadline: Instant) -> RedisResult<Self> {
        let socket = Socket::connect(address, names, deadline)?;
        let stream = match (&manner.tls, address) {
            (Some(config), Address::Tcp { host, .. }) => tls(socket, config, host)?,
            _ => Stream::Plain(socket),
        };
        let number = getrandom::u64().map_err(io::Error::other)?;
        let mut connection = Self { number, stream, parser: Parser::new(), asking: false };
        connection.log_in(&manner.login, deadline)?;
        if manner.database != 0 {
            connection.call(cmd("SELECT").arg(manner.database), deadline)?;
        }
        Ok(connection)
    }

    fn log_in(&mut self, login: &Login, deadline: Instant) -> RedisResult<()> {
        let Some(password) = &login.password else { return Ok(()) };
        let outcome = self.call(cmd("AUTH").arg(login.user.as_deref()).arg(password.as_str()), deadline);
        // A server that knows no AUTH repeats what it was told.
        outcome.map(drop).map_err(|error| match answered(&error) {
            true => {
                let code = error.code().unwrap_or("ERR").to_owned();
                (ErrorKind::AuthenticationFailed, "it does not accept the user or the password", code).into()
            }
            false => error,
        })
    }

    /// Sends a command and waits for its answer. After an error that is not [`answered`] the connection is of no use.
    pub fn call(&mut self, command: &Cmd, deadline: Instant) -> RedisResult<Value> {
        self.call_all(&[command], deadline)
    }

    /// Sends commands in one go and waits for every answer. Gives the last one, or the first error.
    pub fn call_all(&mut self, commands: &[&Cmd], deadline: Instant) -> RedisResult<Value> {
        self.stream.socket().deadline = deadline;
        let mut bytes = Vec::new();
        for command in commands {
            if self.asking {
                cmd("ASKING").write_packed_command(&mut bytes);
            }
            command.write_packed_command(&mut bytes);
        }
        self.stream.write_all(&bytes)?;
        self.stream.flush()?;
        let answers = commands.len() * if self.asking { 2 } else { 1 };
        let mut outcome = Ok(Value::Nil);
        for _ in 0..answers {
            let answer = self.parser.parse_value(&mut self.stream)?;
            outcome = outcome.and_then(|_| answer.extract_error());
        }
        outcome
    }
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
        ErrorKind::AuthenticationFailed => {
            format!("it does not accept the user or the password ({})", error.detail().unwrap_or("ERR"))
        }
        ErrorKind::Parse => "its answer is not Redis's".to_owned(),
        _ => error.to_string(),
    }
}
