//! A socket whose every wait ends by a deadline: looking a name up, connecting, reading, writing.

use std::collections::HashMap;
use std::io::{self, ErrorKind, Read, Write};
use std::mem::MaybeUninit;
use std::net::{IpAddr, Shutdown, SocketAddr, ToSocketAddrs};
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use socket2::{Domain, SockAddr, Type};

use super::url::Address;

/// Looks at what has arrived, leaves it there and does not wait.
#[cfg(not(windows))]
const PEEK: i32 = libc::MSG_PEEK | libc::MSG_DONTWAIT;

/// No SIGPIPE for the host program when the server has closed the connection.
#[cfg(not(any(target_vendor = "apple", windows)))]
const SEND_FLAGS: i32 = libc::MSG_NOSIGNAL;
#[cfg(any(target_vendor = "apple", windows))]
const SEND_FLAGS: i32 = 0;

fn late(what: &str) -> io::Error {
    io::Error::new(ErrorKind::TimedOut, what)
}

fn left(deadline: Instant) -> Option<Duration> {
    Some(deadline.saturating_duration_since(Instant::now())).filter(|left| !left.is_zero())
}

/// The deadline of the next of so many tries, so that each that follows has as long as it.
pub(super) fn share(deadline: Instant, tries: usize) -> Instant {
    let now = Instant::now();
    now + deadline.saturating_duration_since(now) / tries.max(1) as u32
}

pub(super) struct Socket {
    socket: socket2::Socket,
    /// When the exchange under way must be over.
    pub deadline: Instant,
    /// How long the system lets a single read or write wait.
    patience: Duration,
}

impl Socket {
    pub fn connect(address: &Address, names: &Names, deadline: Instant) -> io::Result<Self> {
        let socket = match address {
            Address::Unix(path) => connect_unix(&SockAddr::unix(path)?, deadline)?,
            Address::Tcp { host, port } => connect_tcp(&names.look_up(host, deadline)?, *port, deadline)?,
        };
        Ok(Self { socket, deadline, patience: Duration::ZERO })
    }

    /// True if nothing has arrived that was not read: no bytes, no end, no error.
    pub fn is_quiet(&self) -> bool {
        let mut byte = [MaybeUninit::uninit()];
        self.peek(&mut byte).is_err_and(|error| error.kind() == ErrorKind::WouldBlock)
    }

    #[cfg(not(windows))]
    fn peek(&self, byte: &mut [MaybeUninit<u8>]) -> io::Result<usize> {
        self.socket.recv_with_flags(byte, PEEK)
    }

    #[cfg(windows)]
    fn peek(&self, byte: &mut [MaybeUninit<u8>]) -> io::Result<usize> {
        self.socket.set_nonblocking(true)?;
        let seen = self.socket.peek(byte);
        self.socket.set_nonblocking(false)?;
        seen
    }

    /// Sees to it that a wait from now on ends by the deadline, if after several rounds. The limit that the socket has
    /// stays where it will do, which saves system calls.
    fn prepare(&mut self) -> io::Result<()> {
        let left = left(self.deadline).ok_or_else(|| late("no answer in time"))?;
        if self.patience > left || self.patience < left / 2 {
            let patience = (left * 3 / 4).max(Duration::from_millis(1));
            self.socket.set_read_timeout(Some(patience))?;
            self.socket.set_write_timeout(Some(patience))?;
            self.patience = patience;
        }
        Ok(())
    }

    fn wait<T>(&mut self, mut once: impl FnMut(&mut socket2::Socket) -> io::Result<T>) -> io::Result<T> {
        loop {
            self.prepare()?;
            match once(&mut self.socket) {
                Err(error)
                    if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut | ErrorKind::Interrupted) => {
                }
                outcome => return outcome,
            }
        }
    }
}

impl Read for Socket {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.wait(|socket| socket.read(buffer))
    }
}

impl Write for Socket {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.wait(|socket| socket.send_with_flags(bytes, SEND_FLAGS))
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Drop for Socket {
    /// A child of a fork may hold the socket open.
    fn drop(&mut self) {
        let _ = self.socket.shutdown(Shutdown::Both);
    }
}

fn connect_unix(address: &SockAddr, deadline: Instant) -> io::Result<socket2::Socket> {
    let socket = socket2::Socket::new(Domain::UNIX, Type::STREAM, None)?;
    loop {
        // Linux waits for a place in the server's queue for as long as a write may take.
        socket.set_write_timeout(Some(left(deadline).ok_or_else(|| late("no connection in time"))?))?;
        match socket.connect(address) {
            Ok(()) => return Ok(socket),
            Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::Interrupted) => {}
            Err(error) => return Err(error),
        }
    }
}

fn connect_tcp(hosts: &[IpAddr], port: u16, deadline: Instant) -> io::Result<socket2::Socket> {
    let mut outcome = Err(io::Error::new(ErrorKind::NotFound, "the name has no address"));
    for (tried, host) in hosts.iter().enumerate() {
        let address = SocketAddr::new(*host, port);
        let socket = socket2::Socket::new(Domain::for_address(address), Type::STREAM, None)?;
        let patience = left(share(deadline, hosts.len() - tried)).ok_or_else(|| late("no connection in time"))?;
        outcome = match socket.connect_timeout(&address.into(), patience) {
            Ok(()) => {
                socket.set_tcp_nodelay(true)?;
                return Ok(socket);
            }
            Err(error) if error.kind() == ErrorKind::TimedOut => Err(late("no connection in time")),
            Err(error) => Err(error),
        };
    }
    outcome
}

/// Names being looked up, each by one thread at a time, for the system's own call cannot be told to hurry.
#[derive(Default)]
pub(super) struct Names {
    under_way: Mutex<HashMap<String, Arc<Lookup>>>,
}

#[derive(Default)]
struct Lookup {
    found: Mutex<Option<Result<Vec<IpAddr>, String>>>,
    done: Condvar,
}

impl Names {
    fn look_up(&self, host: &str, deadline: Instant) -> io::Result<Vec<IpAddr>> {
        if let Ok(address) = host.parse() {
            return Ok(vec![address]);
        }
        let lookup = self.begin(host)?;
        let found = lookup.found.lock().unwrap_or_else(PoisonError::into_inner);
        let patience = deadline.saturating_duration_since(Instant::now());
        let (found, _) = lookup
            .done
            .wait_timeout_while(found, patience, |found| found.is_none())
            .unwrap_or_else(PoisonError::into_inner);
        match &*found {
            Some(Ok(addresses)) => Ok(addresses.clone()),
            Some(Err(reason)) => Err(io::Error::new(ErrorKind::NotFound, reason.clone())),
            None => Err(late("its name was not looked up in time")),
        }
    }

    /// The lookup that is under way, or one that now begins.
    fn begin(&self, host: &str) -> io::Result<Arc<Lookup>> {
        let mut under_way = self.under_way.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(lookup) = under_way.get(host)
            && lookup.found.lock().unwrap_or_else(PoisonError::into_inner).is_none()
        {
            return Ok(Arc::clone(lookup));
        }
        let lookup = Arc::new(Lookup::default());
        let (work, name) = (Arc::clone(&lookup), host.to_owned());
        thread::Builder::new().name("khufu-lookup".to_owned()).spawn(move || {
            let found = (&*name, 0).to_socket_addrs();
            let found = found.map(|all| all.map(|address| address.ip()).collect()).map_err(|error| error.to_string());
            *work.found.lock().unwrap_or_else(PoisonError::into_inner) = Some(found);
            work.done.notify_all();
        })?;
        under_way.insert(host.to_owned(), Arc::clone(&lookup));
        Ok(lookup)
    }
}
