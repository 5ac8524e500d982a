//! A Redis for one test alone.

use std::os::unix::net::UnixStream;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

/// A server on a socket, killed when dropped.
pub struct RedisServer {
    child: Child,
    socket: PathBuf,
}

impl RedisServer {
    pub fn start() -> Self {
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        // A socket's path must be short.
        let socket = std::env::temp_dir().join(format!("khufu-{}-{number}.sock", std::process::id()));
        let child = Command::new("redis-server")
            .args(["--port", "0", "--save", "", "--appendonly", "no", "--unixsocket"])
            .arg(&socket)
            .stdout(Stdio::null())
            .spawn()
            .expect("redis-server must be installed; scripts/dependencies installs it");
        let server = Self { child, socket };
        let started = Instant::now();
        while UnixStream::connect(&server.socket).is_err() {
            assert!(started.elapsed() < Duration::from_secs(10), "the server does not answer");
            std::thread::sleep(Duration::from_millis(5));
        }
        server
    }

    pub fn url(&self) -> String {
        format!("redis+unix://{}", self.socket.display())
    }
}

impl Drop for RedisServer {
    fn drop(&mut self) {
        self.child.kill().and_then(|()| self.child.wait()).expect("the server can be stopped");
        let _ = std::fs::remove_file(&self.socket);
    }
}
