//! Tests with Redis Cluster, Redis Sentinel, TLS and users.

use std::io::{Read, Write as _};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::thread;

use super::server::{Certificates, Cluster, Server, Watched, free_port, wait_until};
use super::{MINUTE, SECOND, long, open, saved, saved_for, within};
use crate::store::contract::{bytes, load, new_key, new_subject, record, save, soon, write};
use crate::store::redis::{Redis, cluster::slot};
use crate::store::{Driver, Saved, Write, contract};

#[test]
fn a_cluster_fulfils_the_contract() {
    let cluster = Cluster::start();
    let store = open(&cluster.url());
    contract::check(&store);
    for generation in 1..=30 {
        let key = new_key();
        let first = bytes(None, long(generation));
        assert_eq!(store.save(&key, 0, &write(generation, &first, MINUTE)), Ok(Saved::Yes));
        assert_eq!(save(&store, &key, generation, &long(generation + 1)), Saved::Yes);
        assert_eq!(load(&store, &key), Some(record(generation + 1, long(generation + 1))));
    }
    for node in &cluster.0 {
        assert_eq!(node.ask::<Vec<String>>(&["KEYS", "*next:*"]), [""; 0]);
        assert!(node.ask::<usize>(&["DBSIZE"]) > 0, "the records are on all nodes");
    }
    let one_node = open(&format!("redis://127.0.0.1:{}", cluster.0[0].port));
    let error = (0..100).find_map(|_| one_node.load(&new_key(), soon()).err()).unwrap();
    assert!(error.to_string().contains("use redis+cluster://"), "{error}");
    let data = bytes(Some(new_subject()), "data");
    let error = one_node.save(&new_key(), 0, &write(1, &data, MINUTE)).unwrap_err();
    assert!(error.to_string().contains("use redis+cluster://"), "{error}");
}

#[test]
fn a_slot_that_moves_to_another_node_is_found() {
    let cluster = Cluster::start();
    let store = open(&cluster.url());
    let ids: Vec<String> = cluster.0.iter().map(|node| node.ask(&["CLUSTER", "MYID"])).collect();
    let from_first = || loop {
        let key = new_key();
        let slot = slot(format!("khufu:{key}").as_bytes());
        if slot < 5461 {
            return (key, slot.to_string());
        }
    };
    let (key, slot) = from_first();
    assert_eq!(load(&store, &key), None, "the store knows where the slot is");
    cluster.0[1].ask::<()>(&["CLUSTER", "SETSLOT", &slot, "IMPORTING", &ids[0]]);
    cluster.0[0].ask::<()>(&["CLUSTER", "SETSLOT", &slot, "MIGRATING", &ids[1]]);
    cluster.0[1].ask::<()>(&["SCRIPT", "FLUSH"]);
    assert_eq!(save(&store, &key, 0, "on its way"), Saved::Yes);
    assert_eq!(load(&store, &key), Some(record(1, "on its way")));
    assert_eq!(save(&store, &key, 1, &long(2)), Saved::Yes);
    assert_eq!(load(&store, &key), Some(record(2, long(2))));
    assert_eq!(store.touch(&key, &write(2, &bytes(None, long(2)), MINUTE)), Ok(Saved::Yes));
    assert_eq!(store.remove(&key, 2, None, soon()), Ok(Saved::Yes));
    assert_eq!(save(&store, &key, 0, &long(1)), Saved::Yes, "the two keys are on different nodes");
    assert_eq!(load(&store, &key), Some(record(1, long(1))));
    for node in [1, 0, 2] {
        cluster.0[node].ask::<()>(&["CLUSTER", "SETSLOT", &slot, "NODE", &ids[1]]);
    }
    assert_eq!(load(&store, &key), Some(record(1, long(1))));
    assert_eq!(save(&store, &key, 1, "there"), Saved::Yes);
    assert_eq!(load(&open(&cluster.url()), &key), Some(record(2, "there")));
}

#[test]
fn any_node_that_answers_is_enough_to_find_a_cluster() {
    let cluster = Cluster::start();
    let (nobody, last) = (free_port(), cluster.0[2].port);
    contract::check(&open(&format!("redis+cluster://localhost:{nobody},127.0.0.1:{last}")));
    cluster.0[0].freeze();
    let fresh = open(&cluster.url());
    let on_last = (0..).map(|_| new_key()).find(|key| slot(format!("khufu:{key}").as_bytes()) > 11000).unwrap();
    assert_eq!(fresh.load(&on_last, within(2 * SECOND)), Ok(None), "a node that hangs does not use up all the time");
    cluster.0[0].thaw();
    let error = open(&format!("redis+cluster://127.0.0.1:{nobody}")).load("k", within(SECOND)).unwrap_err();
    assert!(error.to_string().contains(&nobody.to_string()) && error.to_string().contains("refused"), "{error}");
}

#[test]
fn sentinels_lead_to_the_new_master() {
    let watched = Watched::start();
    let store = open(&watched.url());
    contract::check(&store);
    let subject = new_subject();
    let key = saved_for(&store, subject, "data", MINUTE);
    wait_until("the replica has it", || watched.replica.ask::<bool>(&["EXISTS", &format!("khufu:{key}")]));
    watched.sentinel.ask::<()>(&["SENTINEL", "FAILOVER", "sessions"]);
    wait_until("the replica is the master", || {
        watched.replica.ask::<String>(&["INFO", "replication"]).contains("role:master")
            && watched.master.ask::<String>(&["INFO", "replication"]).contains("role:slave")
    });
    let more = bytes(Some(subject), "more");
    wait_until("a save succeeds", || {
        store.save(&key, 1, &Write { deadline: within(SECOND), ..write(2, &more, MINUTE) }) == Ok(Saved::Yes)
    });
    assert_eq!(watched.replica.ask::<Vec<u8>>(&["GET", &format!("khufu:{key}")])[8..], more);
    assert_eq!(load(&store, &key).map(|record| record.generation), Some(2));
    assert_eq!(store.members(&[subject], soon()), Ok(vec![key.clone()]));
    assert_eq!(store.revoke(&key, &[subject], soon()), Ok(true));
    assert_eq!(store.members(&[subject], soon()), Ok(vec![]));
    let error = open(&watched.url().replace("/sessions", "/other")).load("k", within(SECOND)).unwrap_err();
    assert!(error.to_string().contains("other") && error.to_string().contains("does not know the name"), "{error}");
}

#[test]
fn passwords_and_users_are_accepted_and_appear_in_no_error() {
    let server = Server::start(&["--requirepass", "hunter2/#"]);
    let at =
        |login: &str, rest: &str| Redis::open(&format!("redis://{login}127.0.0.1:{}/{rest}", server.port)).unwrap();
    server.ask::<()>(&["ACL", "SETUSER", "khufu", "on", ">opensesame", "~khufu:*", "+@all"]);
    for login in [":hunter2%2F%23@", "default:hunter2%2f%23@", "khufu:opensesame@"] {
        let store = at(login, "2");
        let key = saved(&store, "data");
        assert_eq!(load(&store, &key), Some(record(1, "data")));
        assert_eq!(save(&store, &key, 1, &long(2)), Saved::Yes);
    }
    for (login, code) in [(":opensesame@", "WRONGPASS"), ("khufu:hunter2@", "WRONGPASS"), ("", "NOAUTH")] {
        let error = at(login, "").load("k", within(SECOND)).unwrap_err().to_string();
        assert!(error.contains(code) && error.contains(&server.port.to_string()), "{error}");
        assert!(!error.contains("hunter2") && !error.contains("opensesame"), "{error}");
    }
    let error = at(":hunter2%2F%23@", "99").load("k", within(SECOND)).unwrap_err().to_string();
    assert!(error.contains("DB index is out of range"), "{error}");
    let error = at("khufu:opensesame@", "").with_prefix("app:").load("k", within(SECOND)).unwrap_err().to_string();
    assert!(error.contains("NOPERM"), "{error}");
}

/// Starts a server that sends `words` on every connection and closes it. Returns its port.
fn answering(words: &'static str) -> u16 {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let port = listener.local_addr().unwrap().port();
    thread::spawn(move || {
        for connection in listener.incoming() {
            let mut connection = connection.unwrap();
            let _asked = connection.read(&mut [0; 1000]);
            connection.write_all(words.as_bytes()).unwrap();
        }
    });
    port
}

#[test]
fn an_error_about_a_login_says_what_the_server_answered() {
    let error_of = |words: &'static str| {
        let url = format!("redis://khufu:hunter2@127.0.0.1:{}/1", answering(words));
        open(&url).load("k", within(SECOND)).unwrap_err().to_string()
    };
    for words in ["-WRONGPASS invalid username-password pair\r\n", "-ERR invalid password\r\n", "-NOAUTH log in\r\n"] {
        let error = error_of(words);
        assert!(error.contains("does not accept the user or the password"), "{error}");
    }
    let error = error_of("-ERR max number of clients reached\r\n");
    assert!(error.ends_with(": ERR max number of clients reached"), "{error}");
    let error = error_of("-LOADING Redis is loading the dataset in memory\r\n");
    assert!(error.contains("loading the dataset") && !error.contains("accept"), "{error}");
    for words in [
        "-ERR unknown command 'AUTH', with args beginning with: 'khufu' 'hunter2'\r\n",
        "-ERR no such command: AUTH khufu hunter2\r\n",
    ] {
        let error = error_of(words);
        assert!(error.contains("ERR") && !error.contains("hunter2"), "{error}");
    }
}

#[test]
fn a_server_with_too_many_clients_says_so() {
    let server = Server::start(&["--requirepass", "hunter2"]);
    let _only_one = TcpStream::connect((Ipv4Addr::LOCALHOST, server.port)).unwrap();
    server.ask::<()>(&["CONFIG", "SET", "maxclients", "1"]);
    for url in [server.url().replace("127", ":hunter2@127"), server.url()] {
        for _ in 0..20 {
            let error = open(&url).load("k", within(SECOND)).unwrap_err().to_string();
            assert!(error.ends_with(": ERR max number of clients reached"), "{error}");
        }
    }
}

#[test]
fn tls_uses_the_configured_authorities_and_client_certificate() {
    let certificates = Certificates::make();
    let files = [("--tls-ca-cert-file", "ca.crt"), ("--tls-cert-file", "redis.crt"), ("--tls-key-file", "redis.key")];
    let files = files.map(|(setting, name)| [setting.to_owned(), certificates.path(name)]).concat();
    let port = free_port().to_string();
    let mut settings: Vec<&str> = files.iter().map(String::as_str).collect();
    settings.extend(["--tls-port", &port]);
    let _server = Server::start(&settings);
    let trusting = format!("tls_ca_cert_file={}", certificates.path("ca.crt"));
    let shown =
        |key| format!("tls_cert_file={}&tls_key_file={}", certificates.path("redis.crt"), certificates.path(key));
    contract::check(&open(&format!("rediss://localhost:{port}/1?{trusting}&{}", shown("redis.key"))));
    contract::check(&open(&format!("valkeys://127.0.0.1:{port}?{trusting}&{}", shown("redis.key"))));

    let refused =
        |url: &str| Redis::open(url).and_then(|store| store.load("k", within(SECOND))).unwrap_err().to_string();
    let error = refused(&format!("rediss://127.0.0.1:{port}?{}", shown("redis.key")));
    assert!(error.contains("certificate") || error.contains("authorities"), "{error}");
    let error = refused(&format!("rediss://127.0.0.1:{port}?{trusting}"));
    assert!(error.contains(&port), "{error}");
    let error = refused(&format!("rediss://127.0.0.1:{port}?{trusting}&{}", shown("ca.key")));
    assert!(error.contains("TLS"), "{error}");
    let error = refused(&format!("rediss://127.0.0.1:{port}?tls_ca_cert_file=/nowhere.crt"));
    assert!(error.contains("/nowhere.crt"), "{error}");
}
