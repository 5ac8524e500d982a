//! Redis servers for one test, on the loopback address and a Unix socket.

use std::fs;
use std::net::{Ipv4Addr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread::sleep;
use std::time::{Duration, Instant};

use super::super::cluster::slot;
use redis::{Client, Connection, ConnectionAddr, FromRedisValue, IntoConnectionInfo, RedisConnectionInfo, cmd};

/// A temporary directory, which is removed when this is dropped.
pub(super) struct Directory(PathBuf);

impl Directory {
    pub fn new() -> Self {
        static MADE: AtomicUsize = AtomicUsize::new(0);
        let number = MADE.fetch_add(1, Ordering::Relaxed);
        let path = std::env::temp_dir().join(format!("khufu-redis-{}-{number}", std::process::id()));
        fs::create_dir(&path).unwrap();
        Self(path)
    }

    pub fn path(&self) -> &Path {
        &self.0
    }
}

impl Drop for Directory {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

pub(super) fn free_port() -> u16 {
    // A cluster node also listens on its port plus 10000.
    loop {
        let port = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap().local_addr().unwrap().port();
        if port < 50000 {
            return port;
        }
    }
}

/// Waits until a condition holds. Panics after 20 seconds.
pub(super) fn wait_until(what: &str, mut is_so: impl FnMut() -> bool) {
    let limit = Instant::now() + Duration::from_secs(20);
    while !is_so() {
        assert!(Instant::now() < limit, "timed out waiting until {what}");
        sleep(Duration::from_millis(10));
    }
}

/// A Redis server, which is killed when this is dropped.
pub(super) struct Server {
    child: Child,
    directory: Directory,
    pub port: u16,
    settings: Vec<String>,
    password: Option<String>,
}

impl Server {
    pub fn start(settings: &[&str]) -> Self {
        let directory = Directory::new();
        let port = free_port();
        let settings: Vec<_> = settings.iter().map(|setting| (*setting).to_owned()).collect();
        let password =
            settings.iter().position(|setting| setting == "--requirepass").map(|at| settings[at + 1].clone());
        let child = spawn(&directory, port, &settings);
        let server = Self { child, directory, port, settings, password };
        server.wait();
        server
    }

    fn wait(&self) {
        wait_until("the server answers", || {
            self.admin().and_then(|mut admin| cmd("PING").query::<String>(&mut admin)).is_ok()
        });
    }

    pub fn socket(&self) -> PathBuf {
        self.directory.path().join("socket")
    }

    pub fn url(&self) -> String {
        format!("redis://127.0.0.1:{}/", self.port)
    }

    fn admin(&self) -> redis::RedisResult<Connection> {
        let mut settings = RedisConnectionInfo::default();
        if let Some(password) = &self.password {
            settings = settings.set_password(password);
        }
        let place = ConnectionAddr::Unix(self.socket()).into_connection_info()?.set_redis_settings(settings);
        Client::open(place)?.get_connection_with_timeout(Duration::from_secs(2))
    }

    /// Sends a command directly to the server. Tries again if the server closes the connection, as it does when it
    /// changes its role.
    pub fn ask<T: FromRedisValue>(&self, words: &[&str]) -> T {
        let mut command = cmd(words[0]);
        for word in &words[1..] {
            command.arg(*word);
        }
        for _ in 0..20 {
            match self.admin().and_then(|mut connection| command.query(&mut connection)) {
                Err(error) if error.is_io_error() => std::thread::sleep(Duration::from_millis(50)),
                answer => return answer.unwrap(),
            }
        }
        panic!("the server accepts no command");
    }

    fn signal(&self, name: &str) {
        let status = Command::new("kill").args([name, &self.child.id().to_string()]).status().unwrap();
        assert!(status.success());
    }

    pub fn freeze(&self) {
        self.signal("-STOP");
    }

    pub fn thaw(&self) {
        self.signal("-CONT");
    }

    pub fn kill(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// Starts a killed server again, on the same port and in the same directory.
    pub fn restart(&mut self) {
        self.child = spawn(&self.directory, self.port, &self.settings);
        self.wait();
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn spawn(directory: &Directory, port: u16, settings: &[String]) -> Child {
    let path = directory.path();
    let mut command = Command::new("redis-server");
    if settings.iter().any(|setting| setting == "--sentinel") {
        fs::write(path.join("sentinel.conf"), "").unwrap();
        command.arg(path.join("sentinel.conf"));
    }
    command.args(["--bind", "127.0.0.1", "--port", &port.to_string(), "--unixsocket", "socket", "--save", ""]);
    command.arg("--dir").arg(path).args(settings);
    command.stdout(Stdio::null()).spawn().expect("redis-server is installed")
}

/// A Redis Cluster of three masters.
pub(super) struct Cluster(pub Vec<Server>);

impl Cluster {
    pub fn start() -> Self {
        let settings = ["--cluster-enabled", "yes", "--cluster-node-timeout", "500"];
        let nodes: Vec<_> = (0..3).map(|_| Server::start(&settings)).collect();
        for (number, node) in nodes.iter().enumerate() {
            let (first, last) = (16384 * number / 3, 16384 * (number + 1) / 3 - 1);
            node.ask::<()>(&["CLUSTER", "ADDSLOTSRANGE", &first.to_string(), &last.to_string()]);
            node.ask::<()>(&["CLUSTER", "SET-CONFIG-EPOCH", &(number + 1).to_string()]);
        }
        for node in &nodes[1..] {
            node.ask::<()>(&["CLUSTER", "MEET", "127.0.0.1", &nodes[0].port.to_string()]);
        }
        wait_until("the nodes agree", || {
            nodes.iter().all(|node| {
                let info: String = node.ask(&["CLUSTER", "INFO"]);
                info.contains("cluster_state:ok") && info.contains("cluster_known_nodes:3")
            })
        });
        Self(nodes)
    }

    pub fn url(&self) -> String {
        let nodes: Vec<_> = self.0.iter().map(|node| format!("127.0.0.1:{}", node.port)).collect();
        format!("redis+cluster://{}/", nodes.join(","))
    }
}

impl Cluster {
    /// The node that has the slot of a key.
    pub fn node(&self, key: &str) -> &Server {
        let slot = usize::from(slot(key.as_bytes()));
        let number = (0..3).rfind(|number| 16384 * number / 3 <= slot).unwrap();
        &self.0[number]
    }
}

/// A master, its replica, and a sentinel that can promote the replica without the agreement of other sentinels.
pub(super) struct Watched {
    pub master: Server,
    pub replica: Server,
    pub sentinel: Server,
}

impl Watched {
    pub fn start() -> Self {
        let master = Server::start(&[]);
        let replica = Server::start(&["--replicaof", "127.0.0.1", &master.port.to_string()]);
        let sentinel = Server::start(&["--sentinel"]);
        sentinel.ask::<()>(&["SENTINEL", "MONITOR", "sessions", "127.0.0.1", &master.port.to_string(), "1"]);
        wait_until("the replica is known", || {
            let replicas: Vec<redis::Value> = sentinel.ask(&["SENTINEL", "REPLICAS", "sessions"]);
            let info: String = replica.ask(&["INFO", "replication"]);
            replicas.len() == 1 && info.contains("master_link_status:up")
        });
        Self { master, replica, sentinel }
    }

    pub fn url(&self) -> String {
        format!("redis+sentinel://127.0.0.1:{}/sessions", self.sentinel.port)
    }
}

/// The certificate of an authority, and a certificate that it signed for 127.0.0.1 and localhost, each with its key.
pub(super) struct Certificates(Directory);

impl Certificates {
    pub fn make() -> Self {
        let certificates = Self(Directory::new());
        let new = ["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2"];
        certificates.openssl(&[&new[..], &["-subj", "/CN=authority", "-keyout", "ca.key", "-out", "ca.crt"]].concat());
        let signed = ["-CA", "ca.crt", "-CAkey", "ca.key", "-addext", "basicConstraints=critical,CA:FALSE"];
        let names = ["-subj", "/CN=redis", "-addext", "subjectAltName=IP:127.0.0.1,DNS:localhost"];
        let files = ["-keyout", "redis.key", "-out", "redis.crt"];
        certificates.openssl(&[&new[..], &signed, &names, &files].concat());
        certificates
    }

    fn openssl(&self, words: &[&str]) {
        let output = Command::new("openssl").args(words).current_dir(self.0.path()).output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    }

    pub fn path(&self, name: &str) -> String {
        self.0.path().join(name).display().to_string()
    }
}
