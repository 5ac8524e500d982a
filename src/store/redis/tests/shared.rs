//! Records that another program writes, too.

use std::thread;
use std::time::Duration;

use super::proxy::Proxy;
use super::server::Server;
use super::{MINUTE, SECOND, Shared, open};
use crate::store::contract::soon;
use crate::store::{Record, Saved, Store};

fn shared(url: &str) -> Shared {
    Shared::new(open(url).with_prefix(""))
}

fn record(store: &Shared, data: &str) -> Record {
    Record { generation: store.generation(data.as_bytes()).unwrap(), data: Vec::from(data).into(), left: None }
}

fn load(store: &Shared, key: &str) -> Option<(String, u64)> {
    let record = store.load(key, soon()).unwrap()?;
    Some((String::from_utf8(record.data.to_vec()).unwrap(), record.generation))
}

#[test]
fn a_value_is_the_data_alone_and_its_hash_the_generation() {
    let server = Server::start(&[]);
    let store = shared(&server.url());
    let (first, second) = (record(&store, "first"), record(&store, "second"));
    assert_eq!(store.load("k", soon()), Ok(None));
    assert_eq!(store.save("k", 1, &first, MINUTE, soon()), Ok(Saved::Gone));
    assert_eq!(store.save("k", 0, &first, MINUTE, soon()), Ok(Saved::Yes));
    assert_eq!(server.ask::<String>(&["GET", "k"]), "first");
    assert!((55_000..=60_000).contains(&server.ask::<u64>(&["PTTL", "k"])));
    assert_eq!(load(&store, "k"), Some(("first".to_owned(), first.generation)));
    assert_eq!(store.save("k", 0, &second, MINUTE, soon()), Ok(Saved::Conflict));
    assert_eq!(store.save("k", first.generation, &second, None, soon()), Ok(Saved::Yes));
    assert_eq!(store.save("k", first.generation, &first, MINUTE, soon()), Ok(Saved::Conflict));
    assert_eq!(load(&store, "k"), Some(("second".to_owned(), second.generation)));
    server.ask::<()>(&["SET", "k", "blindly"]);
    assert_eq!(store.save("k", second.generation, &first, MINUTE, soon()), Ok(Saved::Conflict));
    store.touch("k", &Record { generation: second.generation, ..record(&store, "x") }, MINUTE, soon()).unwrap();
    assert_eq!(server.ask::<String>(&["GET", "k"]), "blindly");
    let there = load(&store, "k").unwrap().1;
    store.touch("k", &Record { generation: there, ..record(&store, "touched") }, MINUTE, soon()).unwrap();
    assert_eq!(server.ask::<String>(&["GET", "k"]), "touched");
    store.delete("k", soon()).unwrap();
    store.touch("k", &record(&store, "touched"), MINUTE, soon()).unwrap();
    assert_eq!(store.load("k", soon()), Ok(None));
}

#[test]
fn it_tells_how_long_a_record_is_kept_yet() {
    let server = Server::start(&[]);
    let store = shared(&server.url());
    let left = || store.load("k", soon()).unwrap().unwrap().left;
    server.ask::<()>(&["SET", "k", "data"]);
    assert_eq!(left(), None);
    server.ask::<()>(&["EXPIRE", "k", "60"]);
    assert!(left().is_some_and(|left| (55 * SECOND..=60 * SECOND).contains(&left)));
}

#[test]
fn what_is_kept_not_at_all_is_removed_if_it_is_what_was_seen() {
    let server = Server::start(&[]);
    let store = shared(&server.url());
    let (first, second) = (record(&store, "first"), record(&store, "second"));
    let remove = |seen: &Record| store.save("k", seen.generation, seen, Some(Duration::ZERO), soon());
    assert_eq!(store.save("k", 0, &first, MINUTE, soon()), Ok(Saved::Yes));
    assert_eq!(remove(&second), Ok(Saved::Conflict));
    assert_eq!(remove(&first), Ok(Saved::Yes));
    assert_eq!(remove(&first), Ok(Saved::Gone));
    assert_eq!(server.ask::<usize>(&["DBSIZE"]), 0);
}

#[test]
fn a_change_whose_answer_was_lost_is_made_once() {
    let server = Server::start(&[]);
    let proxy = Proxy::start(server.port);
    let store = shared(&format!("redis://127.0.0.1:{}", proxy.port));
    let (first, second) = (record(&store, "first"), record(&store, "second"));
    assert_eq!(store.save("k", 0, &first, MINUTE, soon()), Ok(Saved::Yes));
    proxy.lose_next_answer();
    assert_eq!(store.save("k", first.generation, &second, MINUTE, soon()), Ok(Saved::Yes));
    assert!(proxy.has_lost_it());
    assert_eq!(server.ask::<String>(&["GET", "k"]), "second");
    proxy.lose_next_answer();
    assert_eq!(store.save("k", second.generation, &second, Some(Duration::ZERO), soon()), Ok(Saved::Yes));
    assert!(proxy.has_lost_it());
    assert_eq!(store.load("k", soon()), Ok(None));
}

#[test]
fn threads_lose_no_write() {
    let server = Server::start(&[]);
    let store = shared(&server.url());
    let increment = || loop {
        let seen = store.load("k", soon()).unwrap();
        let number = seen.as_ref().map_or(0, |seen| str::from_utf8(&seen.data).unwrap().parse::<u32>().unwrap());
        let expected = seen.map_or(0, |seen| seen.generation);
        let next = record(&store, &(number + 1).to_string());
        if store.save("k", expected, &next, MINUTE, soon()) == Ok(Saved::Yes) {
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
fn there_are_no_subjects() {
    let server = Server::start(&[]);
    let store = shared(&server.url());
    for result in
        [store.enlist("s", "k", None, soon()), store.delist("s", "k", soon()), store.list("s", soon()).map(drop)]
    {
        assert!(result.unwrap_err().0.contains("no subjects"));
    }
}
