//! When the sessions of other libraries end.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use khufu::{Factory, LoadResult, OpenOptions, Outcome, Session};

use super::server::{Server, begin, on_every_format, open, pickled, unbase64};

fn now() -> f64 {
    std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap().as_secs_f64()
}

fn open_after(factory: &Factory, header: &str, seconds: f64) -> Session {
    factory.open_with(header.as_bytes(), &OpenOptions::new().now(now() + seconds)).unwrap()
}

#[test]
fn an_idle_session_expires_and_a_read_extends_it() {
    on_every_format(|server, settings| {
        let factory = server.factory(settings);
        let header = begin(&factory, r#"{"a":1}"#);
        let key = server.key();
        assert_eq!(open_after(&factory, &header, 1195.0).load_result(), LoadResult::Loaded);
        assert_eq!(open_after(&factory, &header, 1205.0).load_result(), LoadResult::Expired);
        server.write(&key, &server.value(&key).unwrap(), 300);
        let mut session = open_after(&factory, &header, 100.0);
        session.get_json("a").unwrap();
        assert!(session.commit(Outcome::Response).unwrap().is_empty());
        assert!(server.ttl(&key) > 1100, "{}", server.ttl(&key));
    });
}

#[test]
fn reading_extends_a_session_once_per_reissue_time() {
    on_every_format(|server, settings| {
        let factory = server.factory(&[settings, &[("reissue_time", "120")]].concat());
        let header = begin(&factory, r#"{"a":1}"#);
        let mut session = open_after(&factory, &header, 100.0);
        session.get_json("a").unwrap();
        assert!(!session.is_changed());
        let mut session = open_after(&factory, &header, 130.0);
        session.get_json("a").unwrap();
        assert!(session.is_changed());
    });
}

#[test]
fn an_absolute_timeout_ends_a_session_and_limits_its_records_ttl() {
    on_every_format(|server, settings| {
        let factory = server.factory(&[settings, &[("absolute_timeout", "300")]].concat());
        let header = begin(&factory, r#"{"a":1}"#);
        assert!((298..=301).contains(&server.ttl(&server.key())));
        assert_eq!(open_after(&factory, &header, 290.0).load_result(), LoadResult::Loaded);
        assert_eq!(open_after(&factory, &header, 305.0).load_result(), LoadResult::Expired);
    });
}

/// Begins a session of pyramid_session_redis and replaces its record. Returns its factory, `Cookie` header and key.
fn session_redis(server: &Server, record: &str, ttl: Option<u64>) -> (Factory, String, String) {
    let factory = server.factory(&[("library", "pyramid_session_redis"), ("serializer", "json")]);
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
fn times_are_written_as_pyramid_session_redis_writes_them() {
    let server = Server::start();
    let factory = server.factory(&[("library", "pyramid_session_redis"), ("serializer", "json")]);
    let mut session = factory.open_with(b"", &OpenOptions::new().now(1_900_000_000.25)).unwrap();
    session.set_json("a", "1").unwrap();
    session.commit(Outcome::Response).unwrap();
    assert_eq!(
        String::from_utf8(server.value(&server.key()).unwrap()).unwrap(),
        r#"{"m":{"a":1},"c":1900000000,"v":1,"t":1200,"x":1900001200}"#
    );
}

#[test]
fn the_records_timeout_overrides_the_option() {
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
    session.set_json("b", "2").unwrap();
    session.commit(Outcome::Response).unwrap();
    assert!(server.ttl(&key) > 7100);
    let record = value(&server, &key);
    assert_eq!((&record["t"], &record["c"], &record["v"]), (&7200.into(), &1_700_000_000.into(), &1.into()));
    assert!(record["x"].as_f64().unwrap() > now() + 7100.0);
}

#[test]
fn a_record_without_a_timeout_never_expires_and_one_without_an_end_uses_its_ttl() {
    let server = Server::start();
    let (factory, header, key) = session_redis(&server, r#"{"m": {}, "c": 1700000000, "v": 1}"#, None);
    let mut session = open_after(&factory, &header, 1e9);
    assert_eq!(session.load_result(), LoadResult::Loaded);
    session.set_json("b", "2").unwrap();
    session.commit(Outcome::Response).unwrap();
    assert_eq!(server.ttl(&key), -1);
    assert_eq!(server.value(&key).unwrap(), br#"{"m":{"b":2},"c":1700000000,"v":1}"#);

    let (factory, header, key) = session_redis(&server, r#"{"m": {}, "c": 1700000000, "v": 1, "t": 1000}"#, Some(400));
    let mut session = open(&factory, &header);
    assert!((session.renewed() - (now() - 600.0)).abs() < 5.0, "{}", session.renewed());
    session.set_json("b", "2").unwrap();
    session.commit(Outcome::Response).unwrap();
    assert!((998..=1000).contains(&server.ttl(&key)));
    assert_eq!(server.value(&key).unwrap(), br#"{"m":{"b":2},"c":1700000000,"v":1,"t":1000}"#);

    let end = now().floor() as u64 + 300;
    let record = format!(r#"{{"m": {{}}, "c": 1700000000, "v": 1, "x": {end}}}"#);
    let (factory, header, key) = session_redis(&server, &record, None);
    let mut session = open(&factory, &header);
    assert_eq!(open_after(&factory, &header, 310.0).load_result(), LoadResult::Expired);
    session.set_json("b", "2").unwrap();
    session.commit(Outcome::Response).unwrap();
    assert_eq!(value(&server, &key)["x"], end, "the record's end stays");
}

#[test]
fn a_record_of_another_version_is_refused() {
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
fn the_idle_time_in_pyramid_redis_sessions_comes_from_the_ttl() {
    let server = Server::start();
    let factory = server.factory(&[("library", "pyramid_redis_sessions"), ("timeout", "50")]);
    let header = begin(&factory, r#"{"a":1}"#);
    let key = server.key();
    let record = server.value(&key).unwrap();
    server.write(&key, &record, 20);
    let session = open(&factory, &header);
    assert!((session.renewed() - (now() - 30.0)).abs() < 3.0, "{}", session.renewed());
    // The session keeps its own timeout.
    let other = server.factory(&[("library", "pyramid_redis_sessions"), ("timeout", "5000")]);
    let mut session = open(&other, &header);
    session.set_json("b", "2").unwrap();
    session.commit(Outcome::Response).unwrap();
    assert!((48..=50).contains(&server.ttl(&key)));
    server.write_for_ever(&key, &record);
    assert_eq!(open(&factory, &header).load_result(), LoadResult::Loaded);
}

#[test]
fn a_beaker_record_without_times_is_created_now() {
    let server = Server::start();
    let factory = server.factory(&[("library", "beaker")]);
    let header = begin(&factory, "{}");
    let key = server.key();
    // Beaker writes this if a request clears the session and sets a key: {'_domain': None, '_path': '/', 'a': 1}
    let cleared = unbase64("gAJ9cQAoWAcAAABfZG9tYWlucQFOWAUAAABfcGF0aHECWAEAAAAvcQNYAQAAAGFxBEsBdS4=");
    server.write(&key, &pickled(&STANDARD.encode(cleared)), 500);
    let mut session = open(&factory, &header);
    assert_eq!(session.load_result(), LoadResult::Loaded, "{:?}", session.refusal());
    assert_eq!(session.to_json(), r#"{"a":1}"#);
    assert!((session.created() - now()).abs() < 5.0);
}
