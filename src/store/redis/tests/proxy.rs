//! A proxy between the store and Redis that can lose answers.

use std::io::{Read, Write};
use std::net::{Ipv4Addr, Shutdown, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread;

/// A proxy that forwards everything until it is told to lose an answer. It then closes the connection instead of
/// forwarding the answer.
pub(super) struct Proxy {
    pub port: u16,
    lose: Arc<AtomicBool>,
    requests: Arc<AtomicUsize>,
}

impl Proxy {
    pub fn start(redis: u16) -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let port = listener.local_addr().unwrap().port();
        let lose = Arc::new(AtomicBool::new(false));
        let requests = Arc::new(AtomicUsize::new(0));
        let (losing, counting) = (Arc::clone(&lose), Arc::clone(&requests));
        thread::spawn(move || {
            for client in listener.incoming() {
                let (client, server) = (client.unwrap(), TcpStream::connect((Ipv4Addr::LOCALHOST, redis)).unwrap());
                let (to, from) = (server.try_clone().unwrap(), client.try_clone().unwrap());
                let counting = Arc::clone(&counting);
                thread::spawn(move || {
                    pass(from, to, || {
                        counting.fetch_add(1, Ordering::SeqCst);
                        true
                    })
                });
                let losing = Arc::clone(&losing);
                thread::spawn(move || pass(server, client, || !losing.swap(false, Ordering::SeqCst)));
            }
        });
        Self { port, lose, requests }
    }

    pub fn url(&self) -> String {
        format!("redis://127.0.0.1:{}/", self.port)
    }

    /// The number of requests that were forwarded.
    pub fn requests(&self) -> usize {
        self.requests.load(Ordering::SeqCst)
    }

    pub fn lose_next_answer(&self) {
        self.lose.store(true, Ordering::SeqCst);
    }

    pub fn has_lost_it(&self) -> bool {
        !self.lose.load(Ordering::SeqCst)
    }
}

/// Forwards bytes as long as `may_pass` returns true, then closes the connections.
fn pass(mut from: TcpStream, mut to: TcpStream, mut may_pass: impl FnMut() -> bool) {
    let mut buffer = [0; 1 << 16];
    while let Ok(length @ 1..) = from.read(&mut buffer) {
        if !may_pass() || to.write_all(&buffer[..length]).is_err() {
            break;
        }
    }
    let _ = from.shutdown(Shutdown::Both);
    let _ = to.shutdown(Shutdown::Both);
}
