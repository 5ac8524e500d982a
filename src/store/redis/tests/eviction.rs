//! Tests with a Redis that may evict the list of a subject's keys.

use super::proxy::Proxy;
use super::server::{Cluster, Server};
use super::{open, saved, saved_for};
use crate::session::Outcome;
use crate::store::Driver;
use crate::store::contract::{load, new_subject, record, soon};
use crate::{Error, Factory, Options};

const EVICTING: [&str; 4] = ["--maxmemory", "100mb", "--maxmemory-policy", "allkeys-lru"];

#[test]
fn the_first_request_and_each_listing_ask_for_the_eviction_policy() {
    let server = Server::start(&EVICTING);
    let (proxy, subject) = (Proxy::start(server.port), new_subject());
    let store = open(&proxy.url());
    assert_eq!(store.may_evict(), None);
    assert_eq!(load(&store, "k"), None);
    assert_eq!(store.may_evict().as_deref(), Some("allkeys-lru"));
    assert_eq!(proxy.requests(), 1, "the question is part of the first request");
    server.ask::<()>(&["CONFIG", "SET", "maxmemory-policy", "noeviction"]);
    assert_eq!(store.members(&[subject], soon()), Ok(vec![]));
    assert_eq!(store.may_evict(), None);
    server.ask::<()>(&["CONFIG", "SET", "maxmemory-policy", "volatile-ttl"]);
    assert_eq!(store.members(&[subject], soon()), Ok(vec![]));
    assert_eq!(store.may_evict().as_deref(), Some("volatile-ttl"));
    server.ask::<()>(&["CONFIG", "SET", "maxmemory", "0"]);
    assert_eq!(store.members(&[subject], soon()), Ok(vec![]));
    assert_eq!(store.may_evict(), None);
}

#[test]
fn a_login_and_the_question_about_eviction_are_one_round_trip() {
    let server = Server::start(&[&EVICTING[..], &["--requirepass", "hunter2"]].concat());
    let proxy = Proxy::start(server.port);
    let store = open(&format!("redis://:hunter2@127.0.0.1:{}/3", proxy.port));
    let key = saved(&store, "data");
    assert_eq!(proxy.requests(), 3, "the login, EVALSHA, EVAL");
    assert_eq!(store.may_evict().as_deref(), Some("allkeys-lru"));
    assert_eq!(load(&store, &key), Some(record(1, "data")));
}

#[test]
fn a_user_who_may_not_run_info_can_use_the_store() {
    let server = Server::start(&EVICTING);
    server.ask::<()>(&["ACL", "SETUSER", "khufu", "on", ">opensesame", "~khufu:*", "+@all", "-info"]);
    let (store, subject) = (open(&format!("redis://khufu:opensesame@127.0.0.1:{}", server.port)), new_subject());
    let key = saved_for(&store, subject, "data", None);
    assert_eq!(store.members(&[subject], soon()), Ok(vec![key]));
    assert_eq!(store.may_evict(), None);
}

#[test]
fn the_cluster_node_that_has_the_list_is_asked() {
    let cluster = Cluster::start();
    for node in &cluster.0 {
        node.ask::<()>(&["CONFIG", "SET", "maxmemory", "100mb"]);
        node.ask::<()>(&["CONFIG", "SET", "maxmemory-policy", "allkeys-lfu"]);
    }
    let store = open(&cluster.url());
    assert_eq!(store.members(&[new_subject()], soon()), Ok(vec![]));
    assert_eq!(store.may_evict().as_deref(), Some("allkeys-lfu"));
}

#[test]
fn revoke_all_ends_the_listed_sessions_and_says_that_there_may_be_more() {
    let server = Server::start(&EVICTING);
    let mut options = Options::new();
    options.set("type", "store").unwrap().set("store", &server.url()).unwrap().set("secret", "itsaseekreet").unwrap();
    let factory = Factory::new(&options).unwrap();
    let log_in = || {
        let mut session = factory.open(b"").unwrap();
        session.set_subject("zoë").unwrap();
        session.commit(Outcome::Response).unwrap();
    };
    log_in();
    log_in();
    let Err(Error::Store(message)) = factory.subject("zoë").and_then(|subject| subject.revoke_all(None)) else {
        panic!("the list may be incomplete")
    };
    assert!(message.contains("2 listed sessions were ended"), "{message}");
    assert!(message.contains("maxmemory-policy allkeys-lru"), "{message}");
    assert!(message.ends_with("Set maxmemory-policy to noeviction."), "{message}");
    assert_eq!(factory.subject("zoë").and_then(|subject| subject.sessions()), Ok(vec![]));
    server.ask::<()>(&["CONFIG", "SET", "maxmemory-policy", "noeviction"]);
    log_in();
    assert_eq!(factory.subject("zoë").and_then(|subject| subject.revoke_all(None)), Ok(1));
}
