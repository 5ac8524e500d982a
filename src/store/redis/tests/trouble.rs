//! Tests with servers that hang, stop, restart and close connections, and with forks.

use std::io::{Read, Write as _};
use std::net::{Ipv4Addr, TcpListener};
use std::os::unix::net::UnixListener;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, sleep};
use std::time::{Duration, Instant};

use super::proxy::Proxy;
use super::server::{Directory, Server, free_port};
use super::{MINUTE, Redis, SECOND, long, open, saved, saved_for, within};
use crate::store::contract::{bytes, count, increment, load, new_key, new_subject, record, save, soon, write};
use crate::store::{Driver, Saved, StoreError, Write};
use crate::sys::fork::tests::Child;

/// Makes a call that must fail at its deadline, not earlier and not much later. Returns the error.
fn runs_out_of_time(store: &Redis) -> String {
    let (begin, time) = (Instant::now(), SECOND / 2);
    let error = store.load("k", begin + time).unwrap_err();
    assert!((time..2 * time).contains(&begin.elapsed()), "{error}: {:?}", begin.elapsed());
    error.to_string()
}

#[test]
fn a_call_to_a_server_that_never_answers_ends_by_its_deadline() {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let port = listener.local_addr().unwrap().port();
    for scheme in ["redis", "redis+cluster"] {
        let error = runs_out_of_time_or_earlier(&open(&format!("{scheme}://127.0.0.1:{port}")));
        assert!(error.contains(&port.to_string()) && error.contains("no answer in time"), "{error}");
    }
    let store = open(&format!("redis://127.0.0.1:{port}"));
    let (subject, short) = (new_subject(), within(SECOND / 10));
    let data = bytes(Some(subject), "data");
    let write = Write { deadline: short, ..write(1, &data, MINUTE) };
    for result in [
        store.save("k", 0, &write).map(drop),
        store.touch("k", &write).map(drop),
        store.remove("k", 0, Some(subject), within(SECOND / 10)).map(drop),
        store.revoke("k", &[subject], within(SECOND / 10)).map(drop),
        store.members(&[subject], within(SECOND / 10)).map(drop),
        store.load("k", Instant::now() - SECOND).map(drop),
    ] {
        assert!(result.is_err());
    }
}

fn runs_out_of_time_or_earlier(store: &Redis) -> String {
    let begin = Instant::now();
    let error = store.load("k", begin + SECOND / 2).unwrap_err();
    assert!(begin.elapsed() < SECOND, "{error}: {:?}", begin.elapsed());
    error.to_string()
}

#[test]
fn a_call_to_a_server_that_answers_slowly_ends_by_its_deadline() {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let port = listener.local_addr().unwrap().port();
    thread::spawn(move || {
        let (mut connection, _) = listener.accept().unwrap();
        let _asked = connection.read(&mut [0; 1000]).unwrap();
        connection.write_all(b"$1000\r\n").unwrap();
        while connection.write_all(b"x").is_ok() {
            sleep(SECOND / 50);
        }
    });
    runs_out_of_time(&open(&format!("redis://127.0.0.1:{port}")));
}

#[test]
fn a_call_to_a_unix_socket_with_a_full_queue_ends_by_its_deadline() {
    let directory = Directory::new();
    let path = directory.path().join("socket");
    let _listener = UnixListener::bind(&path).unwrap();
    let url = format!("redis+unix://{}", path.display());
    let connect = || socket2::Socket::new(socket2::Domain::UNIX, socket2::Type::STREAM, None).unwrap();
    let queued: Vec<_> = (0..5000)
        .map(|_| {
            let socket = connect();
            socket.set_nonblocking(true).unwrap();
            socket.connect(&socket2::SockAddr::unix(&path).unwrap()).map(|()| socket)
        })
        .take_while(Result::is_ok)
        .collect();
    assert!(queued.len() < 5000);
    let error = runs_out_of_time(&open(&url));
    assert!(error.contains("no connection in time") && error.contains("socket"), "{error}");
}

#[test]
fn a_missing_server_is_an_error_at_once() {
    let port = free_port();
    let begin = Instant::now();
    let error = open(&format!("redis://127.0.0.1:{port}")).load("k", within(10 * SECOND)).unwrap_err();
    assert!(
        error.to_string().contains(&format!("127.0.0.1:{port}")) && error.to_string().contains("refused"),
        "{error}"
    );
    let error = open("redis+unix:///nowhere/socket").load("k", within(10 * SECOND)).unwrap_err();
    assert!(error.to_string().contains("/nowhere/socket"), "{error}");
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let web = listener.local_addr().unwrap().port();
    thread::spawn(move || {
        let (mut connection, _) = listener.accept().unwrap();
        connection.write_all(b"HTTP/1.1 400 Bad Request\r\n\r\n").unwrap();
        let _asked = connection.read(&mut [0; 1000]).unwrap();
    });
    let error = open(&format!("redis://127.0.0.1:{web}")).load("k", within(10 * SECOND)).unwrap_err();
    assert!(error.to_string().contains("the Redis protocol"), "{error}");
    assert!(begin.elapsed() < 5 * SECOND);
    let error = open("redis://no-such-host.invalid").load("k", within(SECOND)).unwrap_err();
    assert!(error.to_string().contains("no-such-host.invalid:6379"), "{error}");
    assert!(open("redis://localhost:1").load("k", within(SECOND)).unwrap_err().to_string().contains("refused"));
}

#[test]
fn a_call_to_a_frozen_server_succeeds_if_the_server_thaws_in_time() {
    let server = Server::start(&[]);
    let store = open(&server.url());
    let key = saved(&store, "data");
    server.freeze();
    for _ in 0..2 {
        let error = runs_out_of_time(&store);
        assert!(error.contains(&format!("127.0.0.1:{}", server.port)), "{error}");
    }
    thread::scope(|scope| {
        scope.spawn(|| {
            sleep(SECOND / 5);
            server.thaw();
        });
        assert_eq!(store.load(&key, within(5 * SECOND)), Ok(Some(record(1, "data"))), "there is enough time");
    });
}

#[test]
fn service_resumes_within_a_second_of_the_servers_return() {
    let mut server = Server::start(&["--appendonly", "yes", "--appendfsync", "always"]);
    let (store, keys) = (open(&server.url()), [0; 4].map(|_| new_key()));
    let (stop, slow) = (AtomicBool::new(false), AtomicBool::new(false));
    let back: std::sync::Mutex<Option<Instant>> = Default::default();
    thread::scope(|scope| {
        for key in &keys {
            let (store, stop, slow, back) = (&store, &stop, &slow, &back);
            scope.spawn(move || {
                let mut generation = 0;
                while !stop.load(Ordering::Relaxed) {
                    let next = record(generation + 1, format!("{key} {}", generation + 1));
                    let write = Write { deadline: within(SECOND), ..write(generation + 1, &next.data, MINUTE) };
                    // A save that timed out may have succeeded.
                    match store.save(key, generation, &write) {
                        Ok(Saved::Yes) => {}
                        Ok(Saved::Conflict) => assert_eq!(load_or_retry(store, key), next),
                        Ok(Saved::Gone) => panic!("a committed record is lost"),
                        Err(_) => {
                            let returned = *back.lock().unwrap();
                            if returned.is_some_and(|returned| returned.elapsed() > SECOND) {
                                slow.store(true, Ordering::Relaxed);
                            }
                            continue;
                        }
                    }
                    generation = next.generation;
                }
                assert_eq!(load(store, key), Some(record(generation, format!("{key} {generation}"))));
                assert!(generation > 10);
            });
        }
        sleep(SECOND / 2);
        server.freeze();
        sleep(2 * SECOND);
        server.thaw();
        *back.lock().unwrap() = Some(Instant::now());
        sleep(SECOND * 3 / 2);
        *back.lock().unwrap() = None;
        server.kill();
        sleep(SECOND / 2);
        server.restart();
        *back.lock().unwrap() = Some(Instant::now());
        sleep(SECOND * 3 / 2);
        stop.store(true, Ordering::Relaxed);
    });
    assert!(!slow.load(Ordering::Relaxed), "a call failed more than a second after the return");
}

fn load_or_retry(store: &Redis, key: &str) -> crate::store::Record {
    loop {
        if let Ok(record) = store.load(key, within(SECOND)) {
            return record.unwrap();
        }
    }
}

#[test]
fn the_next_call_finds_a_restarted_server() {
    let mut server = Server::start(&["--appendonly", "yes", "--appendfsync", "always"]);
    let store = open(&server.url());
    let key = saved(&store, "data");
    server.kill();
    server.restart();
    assert_eq!(save(&store, &key, 1, "more"), Saved::Yes);
    server.kill();
    let error = store.load(&key, within(SECOND)).unwrap_err();
    assert!(error.to_string().contains("refused"), "{error}");
    server.restart();
    assert_eq!(load(&store, &key), Some(record(2, "more")));
    server.kill();
    server.restart();
    saved(&store, "a login");
}

#[test]
fn a_closed_idle_connection_is_not_an_error() {
    let server = Server::start(&[]);
    let (store, subject, key) = (open(&server.url()), new_subject(), new_key());
    let (data, more) = (bytes(Some(subject), "data"), bytes(Some(subject), long(3)));
    let calls: [&dyn Fn() -> Result<Saved, StoreError>; 8] = [
        &|| store.save(&key, 0, &write(1, &data, MINUTE)),
        &|| store.load(&key, soon()).map(|found| found.map_or(Saved::Gone, |_| Saved::Yes)),
        &|| store.touch(&key, &write(1, &data, MINUTE)),
        &|| store.save(&key, 1, &write(2, &data, MINUTE)),
        &|| store.save(&key, 2, &write(3, &more, MINUTE)),
        &|| store.members(&[subject], soon()).map(|keys| if keys == [&*key] { Saved::Yes } else { Saved::Gone }),
        &|| store.remove(&key, 3, Some(subject), soon()),
        &|| store.save(&key, 0, &write(1, &more, MINUTE)),
    ];
    for (number, call) in calls.iter().enumerate() {
        server.ask::<()>(&["CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes"]);
        assert_eq!(call(), Ok(Saved::Yes), "call {number}");
    }
    server.ask::<()>(&["CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes"]);
    assert_eq!(store.save(&key, 2, &write(3, &data, MINUTE)), Ok(Saved::Conflict));
    server.ask::<()>(&["CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes"]);
    assert_eq!(store.revoke(&key, &[subject], soon()), Ok(true));
}

/// A server, a store that uses it through a proxy that can lose answers, and a store that uses it directly.
struct Lossy {
    store: Redis,
    direct: Redis,
    proxy: Proxy,
    server: Server,
}

impl Lossy {
    fn start() -> Self {
        let server = Server::start(&[]);
        let (proxy, direct, subject) = (Proxy::start(server.port), open(&server.url()), new_subject());
        // These calls make the server remember the scripts.
        for data in ["data", &long(1)] {
            let key = saved_for(&direct, subject, data, MINUTE);
            assert_eq!(direct.revoke(&key, &[], soon()), Ok(false));
            assert_eq!(direct.remove(&key, 1, Some(subject), soon()), Ok(Saved::Yes));
        }
        Self { store: open(&proxy.url()), direct, proxy, server }
    }

    /// Makes a call on an open connection, and loses the first answer.
    fn lose_answer<T>(&self, call: impl FnOnce(&Redis) -> T) -> T {
        assert_eq!(load(&self.store, "nothing"), None);
        self.proxy.lose_next_answer();
        let outcome = call(&self.store);
        assert!(self.proxy.has_lost_it());
        outcome
    }
}

#[test]
fn a_save_whose_answer_was_lost_is_distinguished_from_another_writers() {
    let lossy = Lossy::start();
    for data in [&|number: u64| format!("{number}"), &long as &dyn Fn(u64) -> String] {
        let key = saved(&lossy.direct, &data(1));
        assert_eq!(save(&lossy.direct, &key, 1, &data(2)), Saved::Yes);
        assert_eq!(lossy.lose_answer(|store| save(store, &key, 2, &data(3))), Saved::Yes);
        assert_eq!(load(&lossy.direct, &key), Some(record(3, data(3))));
        // The first request may have succeeded before the other writer saved.
        assert_eq!(save(&lossy.direct, &key, 3, "of another"), Saved::Yes);
        let late = bytes(None, data(4));
        let error = lossy.lose_answer(|store| store.save(&key, 3, &write(4, &late, MINUTE))).unwrap_err();
        assert!(error.to_string().contains("did not answer") && error.to_string().contains("commit again"), "{error}");
        assert_eq!(load(&lossy.direct, &key), Some(record(4, "of another")));
        assert_eq!(lossy.direct.remove(&key, 0, None, soon()), Ok(Saved::Yes));
        assert_eq!(lossy.lose_answer(|store| store.save(&key, 4, &write(5, &late, MINUTE))), Ok(Saved::Gone));
    }
    assert_eq!(lossy.server.ask::<usize>(&["DBSIZE"]), 0);
}

#[test]
fn a_touch_whose_answer_was_lost_is_repeated() {
    let (lossy, subject) = (Lossy::start(), new_subject());
    for text in ["touched", &long(1)] {
        let key = saved_for(&lossy.direct, subject, "data", MINUTE);
        let data = bytes(Some(subject), text);
        assert_eq!(lossy.lose_answer(|store| store.touch(&key, &write(1, &data, MINUTE))), Ok(Saved::Yes));
        assert_eq!(*load(&lossy.direct, &key).unwrap().data, *data);
        assert_eq!(lossy.direct.save(&key, 1, &write(2, &data, MINUTE)), Ok(Saved::Yes));
        assert_eq!(lossy.lose_answer(|store| store.touch(&key, &write(1, &data, MINUTE))), Ok(Saved::Conflict));
        assert_eq!(lossy.direct.remove(&key, 0, Some(subject), soon()), Ok(Saved::Yes));
        assert_eq!(lossy.lose_answer(|store| store.touch(&key, &write(2, &data, MINUTE))), Ok(Saved::Gone));
    }
    assert_eq!(lossy.server.ask::<usize>(&["DBSIZE"]), 0);
}

#[test]
fn a_removal_whose_answer_was_lost_succeeds() {
    let (lossy, subject) = (Lossy::start(), new_subject());
    for expected in [0, 1] {
        let key = saved_for(&lossy.direct, subject, "data", MINUTE);
        let removed = lossy.lose_answer(|store| store.remove(&key, expected, Some(subject), soon()));
        assert_eq!(removed, Ok(Saved::Yes));
        assert_eq!(load(&lossy.direct, &key), None);
    }
    let key = saved_for(&lossy.direct, subject, "data", MINUTE);
    assert_eq!(lossy.lose_answer(|store| store.remove(&key, 2, Some(subject), soon())), Ok(Saved::Conflict));
    assert_eq!(lossy.lose_answer(|store| store.revoke(&key, &[new_subject()], soon())), Ok(false));
    assert_eq!(lossy.lose_answer(|store| store.revoke(&key, &[new_subject(), subject], soon())), Ok(true));
    assert_eq!(lossy.server.ask::<usize>(&["DBSIZE"]), 0);
}

#[test]
fn an_insert_is_sent_once() {
    let (lossy, subject) = (Lossy::start(), new_subject());
    for text in ["data", &long(1)] {
        let (key, data) = (new_key(), bytes(Some(subject), text));
        let before = lossy.proxy.requests();
        let error = lossy.lose_answer(|store| store.save(&key, 0, &write(1, &data, MINUTE))).unwrap_err();
        assert!(error.to_string().contains("closed"), "{error}");
        assert_eq!(lossy.proxy.requests() - before, 2, "one to load, one to save");
        assert_eq!(lossy.direct.remove(&key, 1, Some(subject), soon()), Ok(Saved::Yes), "the insert had succeeded");
    }
}

#[test]
fn a_forked_child_has_its_own_connections() {
    let server = Server::start(&[]);
    let store = open(&server.url());
    let keys = ["parent", "child"].map(|data| saved(&store, data));
    let shared = new_key();
    let work = |key: &str, data: &str| {
        for _ in 0..300 {
            assert_eq!(load(&store, key), Some(record(1, data)));
        }
        increment(&store, &shared, 100);
    };
    let child = Child::fork(|| work(&keys[1], "child"));
    work(&keys[0], "parent");
    assert!(child.succeeds());
    assert_eq!(count(&store, &shared), 200);
    let clients: String = server.ask(&["INFO", "clients"]);
    assert!(clients.contains("connected_clients:2\r"), "the parent's connection and this one are open: {clients}");
}

#[test]
fn at_most_64_idle_connections_are_kept() {
    let server = Server::start(&[]);
    let store = open(&server.url());
    server.ask::<()>(&["CLIENT", "PAUSE", "300", "ALL"]);
    thread::scope(|scope| {
        for _ in 0..100 {
            scope.spawn(|| store.load("k", within(Duration::from_secs(20))).unwrap());
        }
    });
    let clients: String = server.ask(&["INFO", "clients"]);
    assert!(clients.contains("connected_clients:65\r"), "{clients}");
}
