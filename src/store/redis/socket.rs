//! A socket that never waits past a deadline when it looks up a name, connects, reads or writes.

use std::collections::HashMap;
use std::io::{self, ErrorKind, Read, Write};
use std::mem::MaybeUninit;
use std::net::{IpAddr, Shutdown, SocketAddr, ToSocketAddrs};
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use socket2::{Domain, SockAddr, Type};

use super::url::Address;
use crate::sys::lock;

/// Flags for looking at received bytes without consuming them and without waiting.
#[cfg(not(windows))]
const PEEK: i32 = libc::MSG_PEEK | libc::MSG_DONTWAIT;

/// Flags that prevent a SIGPIPE in the host program when the server has closed the connection.
#[cfg(not(any(target_vendor = "apple", windows)))]
const SEND_FLAGS: i32 = libc::MSG_NOSIGNAL;
#[cfg(any(target_vendor = "apple", windows))]
const SEND_FLAGS: i32 = 0;

fn timed_out(message: &str) -> io::Error {
    io::Error::new(ErrorKind::TimedOut, message)
}

/// The time until a deadline, or `None` if it has passed.
fn time_left(deadline: Instant) -> Option<Duration> {
    Some(deadline.saturating_duration_since(Instant::now())).filter(|left| !left.is_zero())
}

/// The deadline of the next try, if the time until `deadline` is divided equally among this many tries.
pub(super) fn share(deadline: Instant, tries: usize) -> Instant {
    let now = Instant::now();
    now + deadline.saturating_duration_since(now) / tries.max(1) as u32
}

pub(super) struct Socket {
    socket: socket2::Socket,
    /// The deadline of the current request.
    pub deadline: Instant,
    /// The socket's timeout for a single read or write.
    timeout: Duration,
}

impl Socket {
    pub fn connect(address: &Address, names: &Names, deadline: Instant) -> io::Result<Self> {
        let socket = match address {
            Address::Unix(path) => connect_unix(&SockAddr::unix(path)?, deadline)?,
            Address::Tcp { host, port } => connect_tcp(&names.look_up(host, deadline)?, *port, deadline)?,
        };
        Ok(Self { socket, deadline, timeout: Duration::ZERO })
    }

    /// True if the socket is open, and all received bytes have been read.
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

    /// Sets the socket's timeout so that [`Socket::wait`] ends by the deadline, possibly after several timeouts. Keeps
    /// the present timeout if it is about right, which saves system calls.
    fn set_timeout(&mut self) -> io::Result<()> {
        let left = time_left(self.deadline).ok_or_else(|| timed_out("no answer in time"))?;
        if self.timeout > left || self.timeout < left / 2 {
            let timeout = (left * 3 / 4).max(Duration::from_millis(1));
            self.socket.set_read_timeout(Some(timeout))?;
            self.socket.set_write_timeout(Some(timeout))?;
            self.timeout = timeout;
        }
        Ok(())
    }

    /// Repeats a read or write that times out or is interrupted, until the deadline.
    fn wait<T>(&mut self, mut once: impl FnMut(&mut socket2::Socket) -> io::Result<T>) -> io::Result<T> {
        loop {
            self.set_timeout()?;
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
    /// Shuts the connection down, because a forked child may still have the socket open.
    fn drop(&mut self) {
        let _ = self.socket.shutdown(Shutdown::Both);
    }
}

fn connect_unix(address: &SockAddr, deadline: Instant) -> io::Result<socket2::Socket> {
    let socket = socket2::Socket::new(Domain::UNIX, Type::STREAM, None)?;
    loop {
        // On Linux, the write timeout also limits how long a connection waits for a place in the server's queue.
        socket.set_write_timeout(Some(time_left(deadline).ok_or_else(|| timed_out("no connection in time"))?))?;
        match socket.connect(address) {
            Ok(()) => return Ok(socket),
            Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::Interrupted) => {}
            Err(error) => return Err(error),
        }
    }
}

fn connect_tcp(hosts: &[IpAddr], port: u16, deadline: Instant) -> io::Result<socket2::Socket> {
    let mut outcome = Err(io::Error::new(ErrorKind::NotFound, "the host name has no address"));
    for (tried, host) in hosts.iter().enumerate() {
        let address = SocketAddr::new(*host, port);
        let socket = socket2::Socket::new(Domain::for_address(address), Type::STREAM, None)?;
        let timeout =
            time_left(share(deadline, hosts.len() - tried)).ok_or_else(|| timed_out("no connection in time"))?;
        outcome = match socket.connect_timeout(&address.into(), timeout) {
            Ok(()) => {
                socket.set_tcp_nodelay(true)?;
                return Ok(socket);
            }
            Err(error) if error.kind() == ErrorKind::TimedOut => Err(timed_out("no connection in time")),
            Err(error) => Err(error),
        };
    }
    outcome
}

/// The host names that are being looked up. The system's lookup has no timeout, so it runs on a thread of its own.
/// There is one such thread for each name.
#[derive(Default)]
pub(super) struct Names {
    in_progress: Mutex<HashMap<String, Arc<Lookup>>>,
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
        let found = lock(&lookup.found);
        let timeout = deadline.saturating_duration_since(Instant::now());
        let (found, _) = lookup
            .done
            .wait_timeout_while(found, timeout, |found| found.is_none())
            .unwrap_or_else(PoisonError::into_inner);
        match &*found {
            Some(Ok(addresses)) => Ok(addresses.clone()),
            Some(Err(reason)) => Err(io::Error::new(ErrorKind::NotFound, reason.clone())),
            None => Err(timed_out("the host name was not resolved in time")),
        }
    }

    /// Returns the lookup of a name that is in progress, or starts one.
    fn begin(&self, host: &str) -> io::Result<Arc<Lookup>> {
        let mut in_progress = lock(&self.in_progress);
        if let Some(lookup) = in_progress.get(host)
            && lock(&lookup.found).is_none()
        {
            return Ok(Arc::clone(lookup));
        }
        let lookup = Arc::new(Lookup::default());
        let (work, name) = (Arc::clone(&lookup), host.to_owned());
        thread::Builder::new().name("khufu-lookup".to_owned()).spawn(move || {
            let found = (&*name, 0).to_socket_addrs();
            let found = found.map(|all| all.map(|address| address.ip()).collect()).map_err(|error| error.to_string());
            *lock(&work.found) = Some(found);
            work.done.notify_all();
        })?;
        in_progress.insert(host.to_owned(), Arc::clone(&lookup));
        Ok(lookup)
    }
}
