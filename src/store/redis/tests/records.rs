//! What is in Redis.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread;

use super::server::{Server, wait_until};
use super::{MINUTE, Redis, SECOND, load, long, open, record, saved, within};
use crate::store::contract::{count, increment, new_key, soon};
use crate::store::{Record, Saved, Store, contract};
use std::time::Duration;

#[test]
fn one_server_keeps_to_the_contract() {
    let server = Server::start(&[]);
    contract::check(&open(&server.url()));
}

#[test]
fn a_unix_socket_keeps_to_the_contract() {
    let server = Server::start(&[]);
    for scheme in ["redis+unix", "unix", "valkey+unix"] {
        contract::check(&open(&format!("{scheme}://{}?db=3", server.socket().display())));
    }
    assert_eq!(server.ask::<usize>(&["DBSIZE"]), 0, "all is in the database that was named");
}

#[test]
fn threads_lose_no_write() {
    let server = Server::start(&[]);
    let (store, key) = (open(&server.url()), new_key());
    thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| increment(&store, &key, 100));
        }
    });
    assert_eq!(count(&store, &key), 800);
}

#[test]
fn a_record_is_its_generation_and_its_data() {
    let server = Server::start(&[]);
    let store = open(&server.url());
    let record = Record { generation: 0x0102, data: b"data".to_vec().into(), left: None };
    assert_eq!(store.save("k", 0, &record, MINUTE, soon()), Ok(Saved::Yes));
    assert_eq!(server.ask::<Vec<u8>>(&["GET", "khufu:k"]), b"\0\0\0\0\0\0\x01\x02data");
    assert!((55_000..=60_000).contains(&server.ask::<u64>(&["PTTL", "khufu:k"])));
    assert_eq!(store.save("k", 0x0102, &record, None, soon()), Ok(Saved::Yes));
    assert_eq!(server.ask::<i64>(&["PTTL", "khufu:k"]), -1);
    for ttl in [Duration::ZERO, Duration::MAX] {
        assert_eq!(store.save("k2", 0, &record, Some(ttl), soon()), Ok(Saved::Yes));
        wait_until("a moment is over", || server.ask::<bool>(&["EXISTS", "khufu:k2"]) == (ttl == Duration::MAX));
    }
    let store = open(&server.url()).with_prefix("other:");
    assert_eq!(store.save("k", 0, &record, MINUTE, soon()), Ok(Saved::Yes));
    assert_eq!(server.ask::<usize>(&["EXISTS", "other:k"]), 1);
}

#[test]
fn what_is_no_record_is_never_overwritten() {
    let server = Server::start(&[]);
    let store = open(&server.url());
    server.ask::<()>(&["SET", "khufu:short", "abc"]);
    assert_eq!(load(&store, "short"), Some(record(0, "abc")));
    for expected in [0, 1] {
        assert_eq!(store.save("short", expected, &record(1, "data"), MINUTE, soon()), Ok(Saved::Conflict));
    }
    server.ask::<()>(&["RPUSH", "khufu:list", "abc"]);
    let error = store.load("list", soon()).unwrap_err();
    assert!(error.0.contains("WRONGTYPE"), "{error}");
    for next in [record(1, "data"), long(1)] {
        assert!(store.save("list", 0, &next, MINUTE, soon()).is_err());
    }
    assert_eq!(server.ask::<Vec<String>>(&["LRANGE", "khufu:list", "0", "-1"]), ["abc"]);
}

#[test]
fn scripts_are_sent_to_a_server_that_forgot_them() {
    let server = Server::start(&[]);
    let store = open(&server.url());
    let key = saved(&store, "data");
    server.ask::<()>(&["SCRIPT", "FLUSH"]);
    assert_eq!(store.save(&key, 1, &record(2, "more"), MINUTE, soon()), Ok(Saved::Yes));
    store.enlist("subject", &key, MINUTE, soon()).unwrap();
    server.ask::<()>(&["SCRIPT", "FLUSH"]);
    assert_eq!(store.list("subject", soon()), Ok(vec![key]));
}

#[test]
fn a_subject_lasts_as_long_as_its_last_key() {
    let server = Server::start(&[]);
    let store = open(&server.url());
    let life = |store: &Redis, ttl| {
        store.enlist("s", &new_key(), ttl, soon()).unwrap();
        server.ask::<i64>(&["PTTL", "khufu:subject:s"])
    };
    assert!((55_000..=60_000).contains(&life(&store, MINUTE)));
    assert!((55_000..=60_000).contains(&life(&store, Some(SECOND / 100))));
    assert!((115_000..=120_000).contains(&life(&store, Some(120 * SECOND))));
    assert_eq!(life(&store, None), -1);
    thread::sleep(SECOND / 10);
    assert_eq!(store.list("s", soon()).unwrap().len(), 3);
    store.enlist("s", "another", MINUTE, within(SECOND)).unwrap();
    assert_eq!(server.ask::<usize>(&["ZCARD", "khufu:subject:s"]), 4, "what has expired is removed");
    for key in store.list("s", soon()).unwrap() {
        store.delist("s", &key, soon()).unwrap();
    }
    assert_eq!(server.ask::<usize>(&["DBSIZE"]), 0);
}

#[test]
fn a_long_record_leaves_nothing_beside_it() {
    let server = Server::start(&[]);
    for prefix in ["khufu:", "{tag}:", "a}b"] {
        let store = open(&server.url()).with_prefix(prefix);
        let key = new_key();
        let life = || server.ask::<i64>(&["PTTL", &format!("{prefix}{key}")]);
        assert_eq!(store.save(&key, 0, &long(1), MINUTE, soon()), Ok(Saved::Yes));
        assert!((55_000..=60_000).contains(&life()));
        assert_eq!(store.save(&key, 1, &long(2), None, soon()), Ok(Saved::Yes));
        assert_eq!(life(), -1);
        assert_eq!(store.save(&key, 1, &long(2), MINUTE, soon()), Ok(Saved::Conflict));
        assert_eq!(store.save(&key, 0, &long(1), MINUTE, soon()), Ok(Saved::Conflict));
        server.ask::<()>(&["SCRIPT", "FLUSH"]);
        assert_eq!(store.save(&key, 2, &long(3), MINUTE, soon()), Ok(Saved::Yes));
        assert_eq!(load(&store, &key), Some(long(3)));
        assert_eq!(server.ask::<usize>(&["DBSIZE"]), 1);
        store.touch(&key, &long(3), Some(SECOND / 10), soon()).unwrap();
        wait_until("it has expired", || load(&store, &key).is_none());
        assert_eq!(store.save(&key, 3, &long(4), MINUTE, soon()), Ok(Saved::Gone));
        assert_eq!(server.ask::<usize>(&["DBSIZE"]), 0);
    }
}

#[test]
fn a_long_record_that_gets_no_further_expires_soon() {
    let server = Server::start(&[]);
    let key = saved(&open(&server.url()), "data");
    server.ask::<()>(&["ACL", "SETUSER", "khufu", "on", ">opensesame", "~khufu:*", "+@all", "-evalsha"]);
    let store = open(&format!("redis://khufu:opensesame@127.0.0.1:{}", server.port));
    let error = store.save(&key, 1, &long(2), None, soon()).unwrap_err();
    assert!(error.0.contains("NOPERM"), "{error}");
    assert_eq!(load(&store, &key), Some(record(1, "data")));
    let keys: Vec<String> = server.ask(&["KEYS", "khufu:next:*"]);
    assert_eq!(keys.len(), 1);
    assert!((1..=10_000).contains(&server.ask::<i64>(&["PTTL", &keys[0]])));
}

#[test]
fn a_long_record_that_goes_before_it_is_in_place_comes_again() {
    const DELETE: &str = "local keys = redis.call('KEYS', 'khufu:next:*')
return #keys == 0 and 0 or redis.call('DEL', unpack(keys))";
    let server = Server::start(&[]);
    let (store, key) = (open(&server.url()), new_key());
    let (deleted, over) = (AtomicUsize::new(0), AtomicBool::new(false));
    thread::scope(|scope| {
        scope.spawn(|| {
            while !over.load(Ordering::Relaxed) {
                deleted.fetch_add(server.ask::<usize>(&["EVAL", DELETE, "0"]), Ordering::Relaxed);
            }
        });
        let mut generation = 0;
        wait_until("a value has gone", || {
            server.ask::<()>(&["SCRIPT", "FLUSH"]);
            assert_eq!(store.save(&key, generation, &long(generation + 1), MINUTE, soon()), Ok(Saved::Yes));
            generation += 1;
            deleted.load(Ordering::Relaxed) > 0
        });
        over.store(true, Ordering::Relaxed);
        assert_eq!(load(&store, &key), Some(long(generation)));
    });
}

#[test]
fn what_redis_refuses_is_an_error_and_changes_nothing() {
    let server = Server::start(&[]);
    let store = open(&server.url());
    let key = saved(&store, "data");
    server.ask::<()>(&["CONFIG", "SET", "maxmemory", "1"]);
    for next in [record(2, "more"), long(2)] {
        let error = store.save(&key, 1, &next, MINUTE, soon()).unwrap_err();
        assert!(error.0.contains("OOM"), "{error}");
        assert_eq!(load(&store, &key), Some(record(1, "data")));
    }
    server.ask::<()>(&["CONFIG", "SET", "maxmemory", "0"]);
    assert_eq!(store.save(&key, 1, &record(2, "more"), MINUTE, soon()), Ok(Saved::Yes));
    assert_eq!(server.ask::<usize>(&["DBSIZE"]), 1);
}
