//! Tests of records that another program also writes.

use std::thread;

use super::proxy::Proxy;
use super::server::{Cluster, Server, Watched};
use super::{MINUTE, SECOND, Shared, open};
use crate::store::contract::{new_subject, soon};
use crate::store::{Driver, Saved, Write};

fn shared(url: &str) -> Shared {
    Shared::new(open(url).with_prefix(""))
}

fn generation(data: &str) -> u64 {
    super::super::shared::generation(data.as_bytes())
}

/// A write of `data` with a lifetime of a minute.
fn put(data: &str) -> Write<'_> {
    let (generation, data) = (generation(data), data.as_bytes());
    Write { generation, data, header: 0, subject: None, accessed: 0.0, ttl: MINUTE, deadline: soon() }
}

/// A touch that replaces `before` with `data`.
fn touching<'a>(before: &str, data: &'a str) -> Write<'a> {
    Write { generation: generation(before), ..put(data) }
}

fn load(store: &Shared, key: &str) -> Option<String> {
    let record = store.load(key, soon()).unwrap()?;
    let data = String::from_utf8(record.data.to_vec()).unwrap();
    assert_eq!(record.generation, generation(&data));
    Some(data)
}

#[test]
fn a_value_is_the_data_alone_and_its_hash_the_generation() {
    let server = Server::start(&[]);
    let store = shared(&server.url());
    let (first, second) = (generation("first"), generation("second"));
    assert_eq!(load(&store, "k"), None);
    assert_eq!(store.save("k", 1, &put("first")), Ok(Saved::Gone));
    assert_eq!(store.save("k", 0, &put("first")), Ok(Saved::Yes));
    assert_eq!(server.ask::<String>(&["GET", "k"]), "first");
    assert!((55_000..=60_000).contains(&server.ask::<u64>(&["PTTL", "k"])));
    assert_eq!(load(&store, "k").as_deref(), Some("first"));
    assert_eq!(store.save("k", 0, &put("second")), Ok(Saved::Conflict));
    assert_eq!(store.save("k", first, &Write { ttl: None, ..put("second") }), Ok(Saved::Yes));
    assert_eq!(server.ask::<i64>(&["PTTL", "k"]), -1);
    assert_eq!(store.save("k", first, &put("first")), Ok(Saved::Conflict));
    assert_eq!(load(&store, "k").as_deref(), Some("second"));
    server.ask::<()>(&["SET", "k", "blindly"]);
    assert_eq!(store.save("k", second, &put("first")), Ok(Saved::Conflict));
    assert_eq!(server.ask::<String>(&["GET", "k"]), "blindly");
}

#[test]
fn a_touch_needs_the_expected_value() {
    let server = Server::start(&[]);
    let store = shared(&server.url());
    assert_eq!(store.touch("k", &touching("first", "touched")), Ok(Saved::Gone));
    assert_eq!(load(&store, "k"), None);
    server.ask::<()>(&["SET", "k", "blindly"]);
    assert_eq!(store.touch("k", &touching("first", "touched")), Ok(Saved::Conflict));
    assert_eq!(store.touch("k", &touching("blindly", "touched")), Ok(Saved::Yes));
    assert_eq!(load(&store, "k").as_deref(), Some("touched"));
    assert!((55_000..=60_000).contains(&server.ask::<u64>(&["PTTL", "k"])));
}

#[test]
fn a_removal_needs_the_expected_value() {
    let server = Server::start(&[]);
    let store = shared(&server.url());
    let remove = |expected| store.remove("k", expected, None, soon()).unwrap();
    for expected in [0, generation("first")] {
        assert_eq!(store.save("k", 0, &put("first")), Ok(Saved::Yes));
        assert_eq!(remove(generation("second")), Saved::Conflict);
        assert_eq!(remove(expected), Saved::Yes);
        assert_eq!(remove(expected), Saved::Gone);
        assert_eq!(server.ask::<usize>(&["DBSIZE"]), 0);
    }
}

#[test]
fn a_load_reports_the_remaining_lifetime() {
    let server = Server::start(&[]);
    let store = shared(&server.url());
    let left = || store.load("k", soon()).unwrap().unwrap().left;
    server.ask::<()>(&["SET", "k", "data"]);
    assert_eq!(left(), None);
    server.ask::<()>(&["EXPIRE", "k", "60"]);
    assert!(left().is_some_and(|left| (55 * SECOND..=60 * SECOND).contains(&left)));
}

fn a_rename_needs_the_expected_value(store: &Shared) {
    let (first, second) = (generation("first"), put("second"));
    let rename = |new_key| store.rename("old", first, new_key, &second).unwrap();
    assert_eq!(rename("new"), Saved::Gone);
    assert_eq!(store.save("old", 0, &put("of another")), Ok(Saved::Yes));
    assert_eq!(rename("new"), Saved::Conflict);
    assert_eq!(load(store, "new"), None, "nothing is left under the new key");
    assert_eq!(load(store, "old").as_deref(), Some("of another"));
    assert_eq!(store.save("old", generation("of another"), &put("first")), Ok(Saved::Yes));
    assert_eq!(rename("new"), Saved::Yes);
    assert_eq!(load(store, "old"), None);
    assert_eq!(load(store, "new").as_deref(), Some("second"));
    let left = store.load("new", soon()).unwrap().unwrap().left;
    assert!(left.is_some_and(|left| (55 * SECOND..=60 * SECOND).contains(&left)));
    let for_ever = Write { ttl: None, ..put("third") };
    assert_eq!(store.rename("new", generation("second"), "newer", &for_ever), Ok(Saved::Yes));
    assert_eq!(store.load("newer", soon()).unwrap().unwrap().left, None);
    assert_eq!(rename("another"), Saved::Gone);
    assert_eq!(load(store, "another"), None, "nothing is left under the new key");
}

#[test]
fn a_record_is_renamed_on_one_server() {
    let server = Server::start(&[]);
    let store = shared(&server.url());
    a_rename_needs_the_expected_value(&store);
    assert_eq!(server.ask::<usize>(&["DBSIZE"]), 1);
    // Now it looks as if an earlier call had succeeded and its answer had been lost.
    assert_eq!(store.rename("new", generation("second"), "newer", &put("fourth")), Ok(Saved::Yes));
    assert_eq!(load(&store, "newer").as_deref(), Some("fourth"));
}

#[test]
fn a_record_is_renamed_on_a_master_found_by_sentinels() {
    let watched = Watched::start();
    a_rename_needs_the_expected_value(&shared(&watched.url()));
}

#[test]
fn a_record_is_renamed_in_a_cluster() {
    let cluster = Cluster::start();
    let store = shared(&cluster.url());
    a_rename_needs_the_expected_value(&store);
    let records = || cluster.0.iter().map(|node| node.ask::<usize>(&["DBSIZE"])).sum::<usize>();
    assert_eq!(records(), 1);
    // An earlier call may have removed the old record, but so may another request, so the session counts as ended.
    assert_eq!(store.rename("new", generation("second"), "newer", &put("fourth")), Ok(Saved::Gone));
    assert_eq!(records(), 0);
    // Nothing stays under the new key if the old record cannot be removed.
    let old = cluster.node("old");
    old.ask::<()>(&["RPUSH", "old", "no string"]);
    assert!(store.rename("old", generation("first"), "new", &put("second")).is_err());
    assert_eq!(records(), 1);
}

#[test]
fn a_change_whose_answer_was_lost_is_made_once() {
    let server = Server::start(&[]);
    let proxy = Proxy::start(server.port);
    let (store, direct) = (shared(&proxy.url()), shared(&server.url()));
    let lost = |call: &dyn Fn() -> Result<Saved, crate::store::StoreError>| {
        assert_eq!(load(&store, "nothing"), None, "there is an idle connection");
        proxy.lose_next_answer();
        let outcome = call();
        assert!(proxy.has_lost_it());
        outcome
    };
    // These calls make the server remember the scripts.
    assert_eq!(direct.save("k", 0, &put("first")), Ok(Saved::Yes));
    assert_eq!(direct.remove("k", 0, None, soon()), Ok(Saved::Yes));
    assert_eq!(direct.rename("k", 1, "k2", &put("first")), Ok(Saved::Gone));
    assert_eq!(load(&direct, "k"), None);
    let before = proxy.requests();
    assert!(lost(&|| store.save("k", 0, &put("first"))).is_err(), "an insert is sent once");
    assert_eq!(load(&direct, "k").as_deref(), Some("first"));
    assert_eq!(proxy.requests() - before, 2, "one to load, one to save");
    assert_eq!(lost(&|| store.save("k", generation("first"), &put("second"))), Ok(Saved::Yes));
    assert_eq!(lost(&|| store.touch("k", &touching("second", "third"))), Ok(Saved::Yes));
    assert_eq!(load(&direct, "k").as_deref(), Some("third"));
    assert!(
        lost(&|| store.save("k", generation("second"), &put("fourth"))).is_err(),
        "the first request may have succeeded"
    );
    assert_eq!(lost(&|| store.touch("k", &touching("second", "fourth"))), Ok(Saved::Conflict));
    assert_eq!(lost(&|| store.rename("k", generation("third"), "k2", &put("fourth"))), Ok(Saved::Yes));
    assert_eq!((load(&direct, "k"), load(&direct, "k2").as_deref()), (None, Some("fourth")));
    assert_eq!(lost(&|| store.rename("k3", generation("third"), "k4", &put("fifth"))), Ok(Saved::Gone));
    assert_eq!(lost(&|| store.remove("k2", generation("third"), None, soon())), Ok(Saved::Conflict));
    assert_eq!(lost(&|| store.remove("k2", generation("fourth"), None, soon())), Ok(Saved::Yes));
    assert_eq!(server.ask::<usize>(&["DBSIZE"]), 0);
}

#[test]
fn no_write_is_lost_among_threads() {
    let server = Server::start(&[]);
    let store = shared(&server.url());
    let increment = || loop {
        let seen = store.load("k", soon()).unwrap();
        let number = seen.as_ref().map_or(0, |seen| str::from_utf8(&seen.data).unwrap().parse::<u32>().unwrap());
        let expected = seen.map_or(0, |seen| seen.generation);
        if store.save("k", expected, &put(&(number + 1).to_string())) == Ok(Saved::Yes) {
            break;
        }
    };
    thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| (0..100).for_each(|_| increment()));
        }
    });
    assert_eq!(server.ask::<u32>(&["GET", "k"]), 400);
}

#[test]
fn shared_records_have_no_subjects() {
    let server = Server::start(&[]);
    let store = shared(&server.url());
    assert!(!store.keeps_subjects());
    assert!(store.members(&[new_subject()], soon()).is_err());
    assert!(store.revoke("k", &[new_subject()], soon()).is_err());
}
