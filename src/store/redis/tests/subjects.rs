//! Tests of the lists of subjects' keys.

use std::collections::BTreeSet;

use super::server::{Cluster, Server};
use super::{MINUTE, Redis, SECOND, long, open, saved_for};
use crate::store::contract::{bytes, load, new_key, new_subject, soon, write};
use crate::store::{Driver, Saved, SubjectName};
use std::time::Duration;

const LONGER: Option<Duration> = Some(Duration::from_secs(120));

fn list(subject: SubjectName) -> String {
    format!("khufu:subject:{}", subject.hex())
}

fn members(store: &Redis, subject: SubjectName) -> BTreeSet<String> {
    store.members(&[subject], soon()).unwrap().into_iter().collect()
}

#[test]
fn a_list_lasts_a_minute_longer_than_its_last_record() {
    let server = Server::start(&[]);
    let (store, subject) = (open(&server.url()), new_subject());
    let life = |data: &str, ttl| {
        saved_for(&store, subject, data, ttl);
        server.ask::<i64>(&["PTTL", &list(subject)])
    };
    assert!((115_000..=120_000).contains(&life("data", MINUTE)));
    assert!((115_000..=120_000).contains(&life(&long(1), Some(SECOND))));
    assert!((175_000..=180_000).contains(&life(&long(1), LONGER)));
    assert_eq!(life("data", None), -1);
    assert_eq!(life("data", MINUTE), -1);
    assert_eq!(server.ask::<usize>(&["ZCARD", &list(subject)]), 5);
}

#[test]
fn an_entry_lasts_as_long_as_the_longest_lifetime_of_any_write() {
    let server = Server::start(&[]);
    let (store, subject) = (open(&server.url()), new_subject());
    for data in [bytes(Some(subject), "data"), bytes(Some(subject), long(1))] {
        let key = new_key();
        let score = || server.ask::<f64>(&["ZSCORE", &list(subject), &key]);
        assert_eq!(store.save(&key, 0, &write(1, &data, MINUTE)), Ok(Saved::Yes));
        let first = score();
        assert_eq!(store.save(&key, 1, &write(2, &data, Some(SECOND))), Ok(Saved::Yes));
        assert_eq!(score(), first, "a score is never lowered");
        assert_eq!(store.touch(&key, &write(2, &data, Some(SECOND))), Ok(Saved::Yes));
        assert_eq!(score(), first, "a score is never lowered");
        assert_eq!(store.touch(&key, &write(2, &data, LONGER)), Ok(Saved::Yes));
        assert!((55_000.0..=65_000.0).contains(&(score() - first)));
        assert_eq!(store.save(&key, 2, &write(3, &data, None)), Ok(Saved::Yes));
        assert_eq!(store.save(&key, 3, &write(4, &data, MINUTE)), Ok(Saved::Yes));
        assert_eq!(score(), f64::INFINITY);
        // A write that fails lists nothing.
        let absent = new_key();
        assert_eq!(store.save(&absent, 1, &write(2, &data, MINUTE)), Ok(Saved::Gone));
        assert_eq!(store.touch(&absent, &write(1, &data, MINUTE)), Ok(Saved::Gone));
        assert_eq!(server.ask::<Option<f64>>(&["ZSCORE", &list(subject), &absent]), None);
    }
}

#[test]
fn listing_removes_nothing_and_a_new_entry_removes_expired_ones() {
    let server = Server::start(&[]);
    let (store, subject) = (open(&server.url()), new_subject());
    let key = saved_for(&store, subject, "data", MINUTE);
    for number in 0..20 {
        server.ask::<()>(&["ZADD", &list(subject), "1", &format!("expired {number}")]);
    }
    assert_eq!(members(&store, subject), BTreeSet::from([key.clone()]));
    assert_eq!(server.ask::<usize>(&["ZCARD", &list(subject)]), 21);
    let another = saved_for(&store, subject, "data", MINUTE);
    assert_eq!(server.ask::<usize>(&["ZCARD", &list(subject)]), 6);
    saved_for(&store, subject, "data", MINUTE);
    assert_eq!(server.ask::<usize>(&["ZCARD", &list(subject)]), 3);
    assert!(members(&store, subject).is_superset(&[key, another].into()));
}

#[test]
fn the_request_that_removes_a_record_also_removes_its_entry() {
    let server = Server::start(&[]);
    let (store, subject, other) = (open(&server.url()), new_subject(), new_subject());
    let [removed, revoked, evicted] = [0; 3].map(|_| saved_for(&store, subject, "data", MINUTE));
    assert_eq!(store.remove(&removed, 7, Some(subject), soon()), Ok(Saved::Conflict));
    assert_eq!(store.revoke(&revoked, &[other], soon()), Ok(false));
    assert_eq!(members(&store, subject).len(), 3);
    assert_eq!(store.remove(&removed, 1, Some(subject), soon()), Ok(Saved::Yes));
    assert_eq!(store.revoke(&revoked, &[other, subject], soon()), Ok(true));
    server.ask::<()>(&["DEL", &format!("khufu:{evicted}")]);
    assert_eq!(store.remove(&evicted, 0, Some(subject), soon()), Ok(Saved::Gone));
    assert_eq!(store.revoke(&evicted, &[subject], soon()), Ok(false));
    assert_eq!(members(&store, subject), BTreeSet::from([evicted]));
}

#[test]
fn a_record_that_cannot_be_listed_is_not_written() {
    let server = Server::start(&[]);
    let (store, subject) = (open(&server.url()), new_subject());
    server.ask::<()>(&["SET", &list(subject), "no set"]);
    for data in [bytes(Some(subject), "data"), bytes(Some(subject), long(1))] {
        let key = new_key();
        let error = store.save(&key, 0, &write(1, &data, MINUTE)).unwrap_err();
        assert!(error.to_string().contains("WRONGTYPE"), "{error}");
        assert_eq!(load(&store, &key), None);
    }
}

#[test]
fn a_record_without_a_subject_is_never_revoked() {
    let server = Server::start(&[]);
    let store = open(&server.url());
    let key = super::saved(&store, "data");
    assert_eq!(store.revoke(&key, &[SubjectName([0; 32])], soon()), Ok(false));
    assert!(load(&store, &key).is_some());
}

/// How many scripts the nodes of a cluster have run.
fn scripts(cluster: &Cluster) -> usize {
    let of_node = |node: &Server| {
        let stats: String = node.ask(&["INFO", "commandstats"]);
        let calls = |name: &str| {
            let line = stats.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(":calls="));
            line.and_then(|rest| rest.split(',').next()?.parse::<usize>().ok()).unwrap_or_default()
        };
        calls("cmdstat_evalsha") + calls("cmdstat_eval") + calls("cmdstat_zrem")
    };
    cluster.0.iter().map(of_node).sum()
}

#[test]
fn a_cluster_lists_a_key_before_it_writes_the_record_and_unlists_it_after() {
    let cluster = Cluster::start();
    let (store, subject) = (open(&cluster.url()), new_subject());
    let nodes_know_the_scripts = (0..50).map(|_| saved_for(&store, subject, "data", MINUTE)).collect::<Vec<_>>();
    for key in &nodes_know_the_scripts[..25] {
        assert_eq!(store.remove(key, 0, Some(subject), soon()), Ok(Saved::Yes));
    }
    for key in &nodes_know_the_scripts[25..] {
        assert_eq!(store.revoke(key, &[new_subject(), subject], soon()), Ok(true));
    }
    assert_eq!(members(&store, subject), BTreeSet::new());
    let round_trips = |call: &dyn Fn()| {
        let before = scripts(&cluster);
        call();
        scripts(&cluster) - before
    };
    let (data, nobodys) = (bytes(Some(subject), "data"), bytes(None, "data"));
    let (key, other) = (new_key(), new_key());
    assert_eq!(round_trips(&|| assert_eq!(store.save(&key, 0, &write(1, &data, MINUTE)), Ok(Saved::Yes))), 2);
    assert_eq!(round_trips(&|| assert_eq!(store.touch(&key, &write(1, &data, MINUTE)), Ok(Saved::Yes))), 2);
    assert_eq!(round_trips(&|| assert_eq!(store.save(&other, 0, &write(1, &nobodys, MINUTE)), Ok(Saved::Yes))), 1);
    assert_eq!(round_trips(&|| assert_eq!(store.remove(&other, 1, None, soon()), Ok(Saved::Yes))), 1);
    assert_eq!(members(&store, subject), BTreeSet::from([key.clone()]));
    // The record is already gone, so this call does not change the list.
    assert_eq!(round_trips(&|| assert_eq!(store.remove(&other, 0, Some(subject), soon()), Ok(Saved::Gone))), 1);
    // A save that fails has already listed its key. That does no harm.
    assert_eq!(store.save(&other, 1, &write(2, &data, MINUTE)), Ok(Saved::Gone));
    assert_eq!(members(&store, subject), BTreeSet::from([key.clone(), other]));
    assert_eq!(round_trips(&|| assert_eq!(store.remove(&key, 0, Some(subject), soon()), Ok(Saved::Yes))), 2);
    // A record whose key cannot be listed is not written.
    let unlisted = new_subject();
    for node in &cluster.0 {
        node.ask::<()>(&["CONFIG", "SET", "maxmemory", "1"]);
    }
    let key = new_key();
    assert!(store.save(&key, 0, &write(1, &bytes(Some(unlisted), "data"), MINUTE)).is_err());
    assert_eq!(load(&store, &key), None);
}
