//! A Redis that may evict a subject's list.

use super::proxy::Proxy;
use super::server::{Cluster, Server};
use super::{open, saved, saved_for};
use crate::store::Store;
use crate::store::contract::{load, new_subject, record, soon};
use crate::{Error, Factory, Options};

const EVICTING: [&str; 4] = ["--maxmemory", "100mb", "--maxmemory-policy", "allkeys-lru"];

#[test]
fn the_first_request_to_a_server_finds_out_and_each_listing_again() {
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
fn a_login_and_the_question_are_one_round_trip() {
    let server = Server::start(&[&EVICTING[..], &["--requirepass", "hunter2"]].concat());
    let proxy = Proxy::start(server.port);
    let store = open(&format!("redis://:hunter2@127.0.0.1:{}/3", proxy.port));
    let key = saved(&store, "data");
    assert_eq!(proxy.requests(), 3, "the login, EVALSHA, EVAL");
    assert_eq!(store.may_evict().as_deref(), Some("allkeys-lru"));
    assert_eq!(load(&store, &key), Some(record(1, "data")));
}

#[test]
fn a_user_who_may_not_ask_is_served_all_the_same() {
    let server = Server::start(&EVICTING);
    server.ask::<()>(&["ACL", "SETUSER", "khufu", "on", ">opensesame", "~khufu:*", "+@all", "-info"]);
    let (store, subject) = (open(&format!("redis://khufu:opensesame@127.0.0.1:{}", server.port)), new_subject());
    let key = saved_for(&store, subject, "data", None);
    assert_eq!(store.members(&[subject], soon()), Ok(vec![key]));
    assert_eq!(store.may_evict(), None);
}

#[test]
fn the_node_of_a_cluster_that_has_the_list_is_asked() {
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
fn a_revocation_of_all_ends_what_is_listed_and_says_that_more_may_be_left() {
    let server = Server::start(&EVICTING);
    let mut options = Options::new();
    options.set("type", "store").unwrap().set("store", &server.url()).unwrap().set("secret", "itsaseekreet").unwrap();
    let factory = Factory::new(&options).unwrap();
    let log_in = || {
        let mut session = factory.open(b"").unwrap();
        session.set_subject("zoë").unwrap();
        session.commit(false).unwrap();
    };
    log_in();
    log_in();
    let Err(Error::Store(message)) = factory.revoke_all("zoë", None) else { panic!("the list may be incomplete") };
    assert!(message.contains("2 listed sessions were ended"), "{message}");
    assert!(message.contains("maxmemory-policy allkeys-lru"), "{message}");
    assert!(message.ends_with("Set maxmemory-policy noeviction."), "{message}");
    assert_eq!(factory.subject_sessions("zoë"), Ok(vec![]));
    server.ask::<()>(&["CONFIG", "SET", "maxmemory-policy", "noeviction"]);
    log_in();
    assert_eq!(factory.revoke_all("zoë", None), Ok(1));
}
