//! Compares three ways to wait for a store in an async server, and measures what the layer costs.
//!
//!     cargo bench --features tower --bench tower
//!
//! In each run, 64 clients send requests to an axum application in the same process, each after the answer to its last
//! one. Each request opens its session, counts the visit and commits. All clients have sessions of their own. The Redis
//! is on the same machine; "Redis, 1 ms away" answers through a proxy that delays each direction by half a millisecond.
//! At the same time, one more client asks for a page without a session every millisecond. How long this page takes
//! shows how long a store stops other requests. The processor time is that of this process, clients and proxy included.

#[path = "../tests/common/redis_server.rs"]
mod redis_server;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use axum::body::Body;
use axum::extract::Request;
use axum::http::HeaderMap;
use axum::http::header::{COOKIE, SET_COOKIE};
use axum::response::Response;
use axum::routing::get;
use axum::{Extension, Router};
use khufu::tower::{Error, Session, SessionLayer};
use khufu::{Factory, Options, Outcome};
use redis_server::RedisServer;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{UnixListener, UnixStream};
use tokio::runtime::Runtime;
use tokio::task::{block_in_place, spawn_blocking};
use tower_service::Service;

const CLIENTS: usize = 64;
const RUN: Duration = Duration::from_secs(2);

/// The ways to call a store that blocks its thread.
#[derive(Clone, Copy, PartialEq)]
enum Way {
    /// On the thread that runs the handler.
    Inline,
    /// On tokio's pool for blocking calls.
    Pool,
    /// On the thread that runs the handler, while tokio gives its other tasks to another one.
    InPlace,
    /// As the layer decides.
    Layer,
}

impl Way {
    const ALL: [(Self, &str); 4] =
        [(Self::Inline, "inline"), (Self::Pool, "pool"), (Self::InPlace, "in place"), (Self::Layer, "layer")];

    async fn run<T: Send + 'static>(self, work: impl FnOnce() -> T + Send + 'static) -> T {
        match self {
            Self::Pool => spawn_blocking(work).await.unwrap(),
            Self::InPlace => block_in_place(work),
            _ => work(),
        }
    }

    fn app(self, factory: &Factory) -> Router {
        match self {
            Self::Layer => Router::new().route("/", get(visit)).layer(SessionLayer::new(factory.clone())),
            _ => Router::new().route("/", get(visit_by_hand)).layer(Extension((self, factory.clone()))),
        }
        .route("/plain", get(|| async { "hello" }))
    }
}

async fn visit(session: Session) -> Result<String, Error> {
    Ok(session.lock()?.increment("visits", 1)?.to_string())
}

async fn visit_by_hand(Extension((way, factory)): Extension<(Way, Factory)>, headers: HeaderMap) -> Response {
    let cookie = headers.get(COOKIE).unwrap().as_bytes().to_vec();
    let mut session = way.run(move || factory.open(&cookie).unwrap()).await;
    let visits = session.increment("visits", 1).unwrap();
    let set_cookies = way.run(move || session.commit(Outcome::Response).unwrap().to_vec()).await;
    let mut response = Response::new(Body::from(visits.to_string()));
    for cookie in set_cookies {
        response.headers_mut().append(SET_COOKIE, cookie.parse().unwrap());
    }
    response
}

async fn send(app: &mut Router, path: &str, cookie: &str) {
    let request = Request::builder().uri(path).header(COOKIE, cookie).body(Body::empty()).unwrap();
    assert!(app.call(request).await.unwrap().status().is_success());
}

/// The requests per second of the clients, the processor time of a request in microseconds, and the 99th percentile of
/// the page without a session.
async fn measure(app: &Router, cookies: &[String]) -> (f64, f64, Duration) {
    let processor_before = processor_time();
    let is_over = Arc::new(AtomicBool::new(false));
    let started = Instant::now();
    let clients: Vec<_> = cookies
        .iter()
        .map(|cookie| {
            let (mut app, is_over, cookie) = (app.clone(), Arc::clone(&is_over), cookie.clone());
            tokio::spawn(async move {
                let mut requests = 0;
                while !is_over.load(Ordering::Relaxed) {
                    send(&mut app, "/", &cookie).await;
                    tokio::task::yield_now().await; // as after reading the next request from a socket
                    requests += 1;
                }
                requests
            })
        })
        .collect();
    let (mut plain, mut times) = (app.clone(), Vec::new());
    let bystander = tokio::spawn(async move {
        while started.elapsed() < RUN {
            let due = Instant::now() + Duration::from_millis(1);
            tokio::time::sleep_until(due.into()).await;
            send(&mut plain, "/plain", "").await;
            times.push(due.elapsed()); // with the time for which the page could not begin
        }
        times.sort();
        times[times.len() * 99 / 100]
    });
    let percentile = bystander.await.unwrap();
    is_over.store(true, Ordering::Relaxed);
    let mut requests = 0;
    for client in clients {
        requests += client.await.unwrap();
    }
    let requests = f64::from(requests);
    let microseconds = (processor_time() - processor_before) * 1e6 / requests;
    (requests / started.elapsed().as_secs_f64(), microseconds, percentile)
}

/// The seconds for which this process has used a processor, from Linux, which counts hundredths.
fn processor_time() -> f64 {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap();
    let (_, after_name) = stat.rsplit_once(')').unwrap();
    let ticks = after_name.split_whitespace().skip(11).take(2).map(|ticks| ticks.parse::<f64>().unwrap());
    ticks.sum::<f64>() / 100.0
}

/// Cookies of a session for each client.
fn cookies(factory: &Factory) -> Vec<String> {
    let cookie = |_| {
        let mut session = factory.open(b"").unwrap();
        session.set("user", "zoë").unwrap();
        session.commit(Outcome::Response).unwrap()[0].split(';').next().unwrap().to_owned()
    };
    (0..CLIENTS).map(cookie).collect()
}

/// Passes connections on to a socket, and delays each direction by half a millisecond. Runs on a thread of its own.
fn start_proxy(to: String) -> String {
    let at = format!("{to}-slow");
    let listener = std::os::unix::net::UnixListener::bind(&at).unwrap();
    listener.set_nonblocking(true).unwrap();
    std::thread::spawn(move || {
        runtime(1).block_on(async {
            let listener = UnixListener::from_std(listener).unwrap();
            loop {
                let (client, _) = listener.accept().await.unwrap();
                let (from_client, to_client) = client.into_split();
                let (from_server, to_server) = UnixStream::connect(&to).await.unwrap().into_split();
                tokio::spawn(delay(from_client, to_server));
                tokio::spawn(delay(from_server, to_client));
            }
        })
    });
    at
}

async fn delay(mut from: impl AsyncReadExt + Unpin, mut to: impl AsyncWriteExt + Unpin) {
    let mut bytes = [0; 65536];
    while let Ok(length @ 1..) = from.read(&mut bytes).await {
        spawn_blocking(|| std::thread::sleep(Duration::from_micros(500))).await.unwrap(); // tokio's timer is too coarse
        if to.write_all(&bytes[..length]).await.is_err() {
            return;
        }
    }
}

fn runtime(threads: usize) -> Runtime {
    tokio::runtime::Builder::new_multi_thread().worker_threads(threads).enable_all().build().unwrap()
}

/// What a request costs whose handler uses no session: with this layer around it, with another one, and without any.
fn measure_unused(factory: &Factory) {
    let bare = Router::new().route("/", get(|| async { "hello" }));
    let extension = bare.clone().layer(Extension(factory.clone()));
    let sessions = bare.clone().layer(SessionLayer::new(factory.clone()));
    let mut apps =
        [("no layer", bare, u128::MAX), ("Extension", extension, u128::MAX), ("SessionLayer", sessions, u128::MAX)];
    for _ in 0..20 {
        for (_, app, shortest) in &mut apps {
            let started = Instant::now();
            runtime(1).block_on(async {
                for _ in 0..20_000 {
                    send(app, "/", "session=x").await;
                }
            });
            *shortest = (*shortest).min(started.elapsed().as_nanos() / 20_000);
        }
    }
    println!("a request that uses no session:");
    for (layer, _, nanoseconds) in apps {
        println!("{layer}: {nanoseconds} ns");
    }
    println!();
}

fn main() {
    let server = RedisServer::start();
    let near = server.url();
    let far = format!("redis+unix://{}", start_proxy(near.strip_prefix("redis+unix://").unwrap().to_owned()));
    let secret = || Options::new().secret("itsaseekreet");
    let factory = |url: &str| Factory::new(&secret().store(url)).unwrap();
    let in_cookies = Factory::new(&secret()).unwrap();
    let sessions = [
        ("cookie", in_cookies.clone()),
        ("memory", factory("memory:")),
        ("Redis", factory(&near)),
        ("Redis, 1 ms away", factory(&far)),
    ];
    measure_unused(&in_cookies);
    println!("| sessions | threads | way | requests/s | processor time | 99th percentile of the other page |");
    println!("|---|---|---|---|---|---|");
    for (name, factory) in &sessions {
        let cookies = cookies(factory);
        for threads in [1, 2] {
            for (way, way_name) in Way::ALL {
                let app = way.app(factory);
                let (rate, processor, percentile) = runtime(threads).block_on(measure(&app, &cookies));
                let percentile = percentile.as_secs_f64() * 1e3;
                println!("| {name} | {threads} | {way_name} | {rate:.0} | {processor:.0} µs | {percentile:.1} ms |");
            }
        }
    }
}
