//! When the sessions of other libraries end.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use khufu::{Factory, LoadResult, Session};

use super::server::{Server, begin, on_every_format, open, pickled, unbase64};

fn now() -> f64 {
    std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap().as_secs_f64()
}

fn open_after(factory: &Factory, header: &str, seconds: f64) -> Session {
    factory.open_at(header.as_bytes(), now() + seconds).unwrap()
}

#[test]
fn an_idle_session_expires_and_one_that_is_read_does_not() {
    on_every_format(|server, settings| {
        let factory = server.factory(settings);
        let header = begin(&factory, r#"{"a":1}"#);
        let key = server.key();
        assert_eq!(open_after(&factory, &header, 1195.0).load_result(), LoadResult::Loaded);
        assert_eq!(open_after(&factory, &header, 1205.0).load_result(), LoadResult::Expired);
        server.write(&key, &server.value(&key).unwrap(), 300);
        let mut session = open_after(&factory, &header, 100.0);
        session.get("a").unwrap();
        assert!(session.commit(false).unwrap().is_empty());
        assert!(server.left(&key) > 1100, "{}", server.left(&key));
    });
}

#[test]
fn reading_extends_a_session_once_per_reissue_time() {
    on_every_format(|server, settings| {
        let factory = server.factory(&[settings, &[("reissue_time", "120")]].concat());
        let header = begin(&factory, r#"{"a":1}"#);
        let mut session = open_after(&factory, &header, 100.0);
        session.get("a").unwrap();
        assert!(!session.is_changed());
        let mut session = open_after(&factory, &header, 130.0);
        session.get("a").unwrap();
        assert!(session.is_changed());
    });
}

#[test]
fn an_absolute_timeout_ends_a_session_and_shortens_the_life_of_its_record() {
    on_every_format(|server, settings| {
        let factory = server.factory(&[settings, &[("absolute_timeout", "300")]].concat());
        let header = begin(&factory, r#"{"a":1}"#);
        assert!((298..=301).contains(&server.left(&server.key())));
        assert_eq!(open_after(&factory, &header, 290.0).load_result(), LoadResult::Loaded);
        assert_eq!(open_after(&factory, &header, 305.0).load_result(), LoadResult::Expired);
    });
}

/// A session of pyramid_session_redis with this record in JSON.
fn session_redis(server: &Server, record: &str, ttl: Option<u64>) -> (Factory, String, String) {
    let factory = server.factory(&[("format", "pyramid_session_redis"), ("serializer", "json")]);
    let header = begin(&factory, "{}");
    let key = server.keys().into_iter().find(|key| server.value(key).unwrap().starts_with(br#"{"m":{},"#)).unwrap();
    match ttl {
        Some(ttl) => server.write(&key, record.as_bytes(), ttl),
        None => server.write_for_ever(&key, record.as_bytes()),
    }
    (factory, header, key)
}

fn value(server: &Server, key: &str) -> serde_json::Value {
    serde_json::from_slice(&server.value(key).unwrap()).unwrap()
}

#[test]
fn pyramid_session_redis_writes_its_times_as_it_does() {
    let server = Server::start();
    let factory = server.factory(&[("format", "pyramid_session_redis"), ("serializer", "json")]);
    let mut session = factory.open_at(b"", 1_900_000_000.25).unwrap();
    session.set("a", "1").unwrap();
    session.commit(false).unwrap();
    assert_eq!(
        String::from_utf8(server.value(&server.key()).unwrap()).unwrap(),
        r#"{"m":{"a":1},"c":1900000000,"v":1,"t":1200,"x":1900001200}"#
    );
}

#[test]
fn a_timeout_of_the_record_comes_before_the_options() {
    let server = Server::start();
    let end = now().ceil() as u64 + 5000;
    let record = format!(r#"{{"m": {{"a": 1}}, "c": 1700000000, "v": 1, "t": 7200, "x": {end}}}"#);
    let (factory, header, key) = session_redis(&server, &record, Some(5000));
    let session = open(&factory, &header);
    assert_eq!(session.load_result(), LoadResult::Loaded);
    assert_eq!((session.created(), session.renewed()), (1_700_000_000.0, end as f64 - 7200.0));
    assert_eq!(open_after(&factory, &header, 4990.0).load_result(), LoadResult::Loaded);
    assert_eq!(open_after(&factory, &header, 5010.0).load_result(), LoadResult::Expired);
    let mut session = open(&factory, &header);
    session.set("b", "2").unwrap();
    session.commit(false).unwrap();
    assert!(server.left(&key) > 7100);
    let record = value(&server, &key);
    assert_eq!((&record["t"], &record["c"], &record["v"]), (&7200.into(), &1_700_000_000.into(), &1.into()));
    assert!(record["x"].as_f64().unwrap() > now() + 7100.0);
}

#[test]
fn a_record_without_a_timeout_lives_for_ever_and_one_without_an_end_by_redis() {
    let server = Server::start();
    let (factory, header, key) = session_redis(&server, r#"{"m": {}, "c": 1700000000, "v": 1}"#, None);
    let mut session = open_after(&factory, &header, 1e9);
    assert_eq!(session.load_result(), LoadResult::Loaded);
    session.set("b", "2").unwrap();
    session.commit(false).unwrap();
    assert_eq!(server.left(&key), -1);
    assert_eq!(server.value(&key).unwrap(), br#"{"m":{"b":2},"c":1700000000,"v":1}"#);

    let (factory, header, key) = session_redis(&server, r#"{"m": {}, "c": 1700000000, "v": 1, "t": 1000}"#, Some(400));
    let mut session = open(&factory, &header);
    assert!((session.renewed() - (now() - 600.0)).abs() < 5.0, "{}", session.renewed());
    session.set("b", "2").unwrap();
    session.commit(false).unwrap();
    assert!((998..=1000).contains(&server.left(&key)));
    assert_eq!(server.value(&key).unwrap(), br#"{"m":{"b":2},"c":1700000000,"v":1,"t":1000}"#);

    let end = now().floor() as u64 + 300;
    let record = format!(r#"{{"m": {{}}, "c": 1700000000, "v": 1, "x": {end}}}"#);
    let (factory, header, key) = session_redis(&server, &record, None);
    let mut session = open(&factory, &header);
    assert_eq!(open_after(&factory, &header, 310.0).load_result(), LoadResult::Expired);
    session.set("b", "2").unwrap();
    session.commit(false).unwrap();
    assert_eq!(value(&server, &key)["x"], end, "the end that was set stays");
}

#[test]
fn a_record_of_another_version_is_not_taken_for_one_of_this() {
    let server = Server::start();
    for (version, expected) in [
        (r#", "v": 2"#, LoadResult::Unsupported),
        (r#", "v": 0"#, LoadResult::Malformed),
        (r#", "v": "1""#, LoadResult::Malformed),
        ("", LoadResult::Malformed),
        (r#", "v": 1, "t": "x""#, LoadResult::Malformed),
        (r#", "v": 1, "t": -1"#, LoadResult::Malformed),
        (r#", "v": 1, "x": []"#, LoadResult::Malformed),
        (r#", "v": 1, "m": []"#, LoadResult::Malformed),
        (r#", "v": 1, "c": null"#, LoadResult::Malformed),
        (r#", "v": 1, "t": null, "x": 0"#, LoadResult::Loaded),
    ] {
        let record = format!(r#"{{"m": {{}}, "c": 1700000000{version}}}"#);
        let (factory, header, key) = session_redis(&server, &record, Some(500));
        assert_eq!(open(&factory, &header).load_result(), expected, "{record}");
        server.delete(&key);
    }
}

#[test]
fn pyramid_redis_sessions_tells_its_idle_time_by_redis() {
    let server = Server::start();
    let factory = server.factory(&[("format", "pyramid_redis_sessions"), ("timeout", "50")]);
    let header = begin(&factory, r#"{"a":1}"#);
    let key = server.key();
    let record = server.value(&key).unwrap();
    server.write(&key, &record, 20);
    let session = open(&factory, &header);
    assert!((session.renewed() - (now() - 30.0)).abs() < 3.0, "{}", session.renewed());
    // The session has a timeout of its own.
    let other = server.factory(&[("format", "pyramid_redis_sessions"), ("timeout", "5000")]);
    let mut session = open(&other, &header);
    session.set("b", "2").unwrap();
    session.commit(false).unwrap();
    assert!((48..=50).contains(&server.left(&key)));
    server.write_for_ever(&key, &record);
    assert_eq!(open(&factory, &header).load_result(), LoadResult::Loaded);
}

#[test]
fn beakers_record_without_its_times_is_a_session_of_now() {
    let server = Server::start();
    let factory = server.factory(&[("format", "beaker")]);
    let header = begin(&factory, "{}");
    let key = server.key();
    // What Beaker writes after its own clear(): {'_domain': None, '_path': '/'}
    let cleared = unbase64("gAJ9cQAoWAcAAABfZG9tYWlucQFOWAUAAABfcGF0aHECWAEAAAAvcQN1Lg==");
    server.write(&key, &pickled(&STANDARD.encode(cleared)), 500);
    let mut session = open(&factory, &header);
    assert_eq!(session.load_result(), LoadResult::Loaded, "{:?}", session.refusal());
    assert_eq!(session.to_json(), "{}");
    assert!((session.created() - now()).abs() < 5.0);
}
