//! Tests of the records in Redis.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread;

use std::time::Duration;

use super::proxy::Proxy;
use super::server::{Server, wait_until};
use super::{MINUTE, Redis, SECOND, long, open, saved, saved_for};
use crate::store::contract::{bytes, count, increment, load, new_key, new_subject, record, save, soon, write};
use crate::store::{Driver, Record, Saved, contract};

#[test]
fn one_server_fulfils_the_contract() {
    let server = Server::start(&[]);
    contract::check(&open(&server.url()));
}

#[test]
fn a_unix_socket_fulfils_the_contract() {
    let server = Server::start(&[]);
    for scheme in ["redis+unix", "unix", "valkey+unix"] {
        contract::check(&open(&format!("{scheme}://{}?db=3", server.socket().display())));
    }
    assert_eq!(server.ask::<usize>(&["DBSIZE"]), 0, "all keys are in the database that the URL names");
}

#[test]
fn no_write_is_lost_among_threads() {
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
fn a_value_is_the_records_generation_and_data() {
    let server = Server::start(&[]);
    let store = open(&server.url());
    let data = bytes(None, "data");
    assert_eq!(store.save("k", 0, &write(0x0102, &data, MINUTE)), Ok(Saved::Yes));
    assert_eq!(server.ask::<Vec<u8>>(&["GET", "khufu:k"]), [&b"\0\0\0\0\0\0\x01\x02"[..], &data].concat());
    assert!((55_000..=60_000).contains(&server.ask::<u64>(&["PTTL", "khufu:k"])));
    assert_eq!(store.touch("k", &write(0x0102, &data, None)), Ok(Saved::Yes));
    assert_eq!(server.ask::<i64>(&["PTTL", "khufu:k"]), -1);
    assert_eq!(store.save("k2", 0, &write(1, &data, Some(Duration::MAX))), Ok(Saved::Yes));
    assert!(server.ask::<bool>(&["EXISTS", "khufu:k2"]));
    let store = open(&server.url()).with_prefix("other:");
    assert_eq!(store.save("k", 0, &write(1, &data, MINUTE)), Ok(Saved::Yes));
    assert_eq!(server.ask::<usize>(&["EXISTS", "other:k"]), 1);
}

#[test]
fn a_value_that_is_not_a_record_is_never_overwritten() {
    let server = Server::start(&[]);
    let store = open(&server.url());
    server.ask::<()>(&["SET", "khufu:short", "abc"]);
    assert_eq!(load(&store, "short"), Some(Record { generation: 0, data: b"abc".to_vec().into(), left: None }));
    for expected in [0, 1] {
        assert_eq!(save(&store, "short", expected, "data"), Saved::Conflict);
    }
    assert_eq!(store.touch("short", &write(1, &bytes(None, "data"), MINUTE)), Ok(Saved::Conflict));
    assert_eq!(store.remove("short", 1, None, soon()), Ok(Saved::Conflict));
    assert_eq!(store.revoke("short", &[new_subject()], soon()), Ok(false));
    assert_eq!(server.ask::<String>(&["GET", "khufu:short"]), "abc");
    server.ask::<()>(&["RPUSH", "khufu:list", "abc"]);
    let error = store.load("list", soon()).unwrap_err();
    assert!(error.to_string().contains("WRONGTYPE"), "{error}");
    for next in ["data", &long(1)] {
        assert!(store.save("list", 0, &write(1, &bytes(None, next), MINUTE)).is_err());
    }
    assert!(store.remove("list", 0, None, soon()).is_err());
    assert_eq!(server.ask::<Vec<String>>(&["LRANGE", "khufu:list", "0", "-1"]), ["abc"]);
}

#[test]
fn scripts_are_sent_to_a_server_that_forgot_them() {
    let server = Server::start(&[]);
    let (store, subject) = (open(&server.url()), new_subject());
    let key = saved_for(&store, subject, "data", MINUTE);
    let data = bytes(Some(subject), "more");
    let forget = || server.ask::<()>(&["SCRIPT", "FLUSH"]);
    forget();
    assert_eq!(store.save(&key, 1, &write(2, &data, MINUTE)), Ok(Saved::Yes));
    forget();
    assert_eq!(store.touch(&key, &write(2, &data, MINUTE)), Ok(Saved::Yes));
    forget();
    assert_eq!(store.members(&[subject], soon()), Ok(vec![key.clone()]));
    forget();
    assert_eq!(store.revoke(&key, &[subject], soon()), Ok(true));
    forget();
    assert_eq!(store.remove(&key, 0, Some(subject), soon()), Ok(Saved::Gone));
}

#[test]
fn a_call_is_one_round_trip_even_with_a_subject_or_a_long_record() {
    let server = Server::start(&[]);
    let (subject, proxy) = (new_subject(), Proxy::start(server.port));
    for data in [bytes(None, "data"), bytes(Some(subject), "data"), bytes(Some(subject), long(1))] {
        let key = new_key();
        let calls: [&dyn Fn(&Redis); 7] = [
            &|store| assert_eq!(store.save(&key, 0, &write(1, &data, MINUTE)), Ok(Saved::Yes)),
            &|store| assert_eq!(load(store, &key).unwrap().generation, 1),
            &|store| assert_eq!(store.touch(&key, &write(1, &data, MINUTE)), Ok(Saved::Yes)),
            &|store| assert_eq!(store.save(&key, 1, &write(2, &data, MINUTE)), Ok(Saved::Yes)),
            &|store| assert!(store.members(&[subject], soon()).is_ok()),
            &|store| assert_eq!(store.revoke(&key, &[new_subject()], soon()), Ok(false)),
            &|store| assert_eq!(store.remove(&key, 2, Some(subject), soon()), Ok(Saved::Yes)),
        ];
        let direct = open(&server.url());
        calls.iter().for_each(|call| call(&direct));
        let store = open(&proxy.url());
        for (number, call) in calls.iter().enumerate() {
            let before = proxy.requests();
            call(&store);
            assert_eq!(proxy.requests() - before, 1, "call {number} on {} bytes", data.len());
        }
    }
}

#[test]
fn a_long_record_leaves_no_temporary_key() {
    let server = Server::start(&[]);
    for prefix in ["khufu:", "{tag}:", "a}b"] {
        let store = open(&server.url()).with_prefix(prefix);
        let key = new_key();
        let put = |expected, ttl| {
            store.save(&key, expected, &write(expected + 1, &bytes(None, long(expected + 1)), ttl)).unwrap()
        };
        let left = || server.ask::<i64>(&["PTTL", &format!("{prefix}{key}")]);
        assert_eq!(put(0, MINUTE), Saved::Yes);
        assert!((55_000..=60_000).contains(&left()));
        assert_eq!(put(1, None), Saved::Yes);
        assert_eq!(left(), -1);
        assert_eq!(put(1, MINUTE), Saved::Conflict);
        assert_eq!(put(0, MINUTE), Saved::Conflict);
        server.ask::<()>(&["SCRIPT", "FLUSH"]);
        assert_eq!(put(2, MINUTE), Saved::Yes);
        assert_eq!(load(&store, &key), Some(record(3, long(3))));
        assert_eq!(server.ask::<usize>(&["DBSIZE"]), 1);
        assert_eq!(store.touch(&key, &write(3, &bytes(None, long(3)), Some(SECOND))), Ok(Saved::Yes));
        wait_until("it has expired", || load(&store, &key).is_none());
        assert_eq!(put(3, MINUTE), Saved::Gone);
        assert_eq!(server.ask::<usize>(&["DBSIZE"]), 0);
    }
}

#[test]
fn a_temporary_key_that_is_not_renamed_expires_soon() {
    let server = Server::start(&[]);
    let key = saved(&open(&server.url()), "data");
    server.ask::<()>(&["ACL", "SETUSER", "khufu", "on", ">opensesame", "~khufu:*", "+@all", "-evalsha"]);
    let store = open(&format!("redis://khufu:opensesame@127.0.0.1:{}", server.port));
    let error = store.save(&key, 1, &write(2, &bytes(None, long(2)), MINUTE)).unwrap_err();
    assert!(error.to_string().contains("NOPERM"), "{error}");
    assert_eq!(load(&store, &key), Some(record(1, "data")));
    let keys: Vec<String> = server.ask(&["KEYS", "khufu:next:*"]);
    assert_eq!(keys.len(), 1);
    assert!((1..=10_000).contains(&server.ask::<i64>(&["PTTL", &keys[0]])));
}

#[test]
fn a_save_is_repeated_if_its_temporary_key_disappears() {
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
        wait_until("a temporary key was deleted", || {
            server.ask::<()>(&["SCRIPT", "FLUSH"]);
            assert_eq!(save(&store, &key, generation, &long(generation + 1)), Saved::Yes);
            generation += 1;
            deleted.load(Ordering::Relaxed) > 0
        });
        over.store(true, Ordering::Relaxed);
        assert_eq!(load(&store, &key), Some(record(generation, long(generation))));
    });
}

#[test]
fn a_write_that_redis_refuses_is_an_error_and_changes_nothing() {
    let server = Server::start(&[]);
    let (store, subject) = (open(&server.url()), new_subject());
    let key = saved(&store, "data");
    server.ask::<()>(&["CONFIG", "SET", "maxmemory", "1"]);
    for next in [bytes(None, "more"), bytes(None, long(2)), bytes(Some(subject), "more"), bytes(Some(subject), long(2))]
    {
        for error in [
            store.save(&key, 1, &write(2, &next, MINUTE)).unwrap_err(),
            store.touch(&key, &write(1, &next, MINUTE)).unwrap_err(),
        ] {
            assert!(error.to_string().contains("OOM"), "{error}");
        }
        assert_eq!(load(&store, &key), Some(record(1, "data")));
    }
    server.ask::<()>(&["CONFIG", "SET", "maxmemory", "0"]);
    assert_eq!(server.ask::<usize>(&["DBSIZE"]), 1);
    assert_eq!(save(&store, &key, 1, "more"), Saved::Yes);
}
