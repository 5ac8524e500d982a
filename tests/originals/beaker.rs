//! Beaker's dict and its cookies, signed and encrypted.

use std::io::Write;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use flate2::Compression;
use flate2::read::ZlibDecoder;
use flate2::write::ZlibEncoder;
use hmac::{Hmac, KeyInit, Mac};
use khufu::{Error, Factory, LoadResult, OpenOptions, Outcome};
use sha1::Sha1;

use super::common::{Settings, factory, value_of};
use super::server::{Server, begin, cookie, json, open, pickled};

const SIGNED: Settings<'static> = &[("library", "beaker"), ("serializer", "json")];
const ENCRYPTED: Settings<'static> =
    &[("library", "beaker"), ("type", "encrypted_cookie"), ("encrypt_key", "sesame"), ("serializer", "json")];

fn zipped(json: &str) -> Vec<u8> {
    let mut encoder = ZlibEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(json.as_bytes()).unwrap();
    encoder.finish().unwrap()
}

fn unzipped(data: &[u8]) -> String {
    std::io::read_to_string(ZlibDecoder::new(data)).unwrap()
}

/// A `Cookie` header with a text that is signed as Beaker does.
fn signed(text: &str) -> String {
    let mut mac = Hmac::<Sha1>::new_from_slice(b"itsaseekreet").unwrap();
    mac.update(text.as_bytes());
    format!("session={}{text}", hex::encode(mac.finalize().into_bytes()))
}

fn cookie_of(json: &str) -> String {
    signed(&STANDARD.encode(zipped(json)))
}

#[test]
fn a_cookie_contains_the_dict_as_beaker_writes_it() {
    let factory = factory(SIGNED);
    let mut session = factory.open_with(b"", &OpenOptions::new().now(1_900_000_000.25)).unwrap();
    session.update_json(r#"{"a":1,"b":"zwei"}"#).unwrap();
    let header = cookie(&mut session);
    let text = &header["session=".len() + 40..];
    assert_eq!(signed(text), header);
    let dict = unzipped(&STANDARD.decode(text).unwrap());
    let (id, rest) = dict.strip_prefix(r#"{"_id":""#).unwrap().split_once('"').unwrap();
    assert!(id.len() == 32 && id.as_bytes()[12] == b'4' && matches!(id.as_bytes()[16], b'8' | b'9' | b'a' | b'b'));
    assert_eq!(rest, r#","_accessed_time":1900000000,"_creation_time":1900000000.25,"a":1,"b":"zwei"}"#);
    let mut session = factory.open_with(header.as_bytes(), &OpenOptions::new().now(1_900_000_100.0)).unwrap();
    assert!(session.delete("a") && session.delete("b"));
    let header = cookie(&mut session);
    let emptied = unzipped(&STANDARD.decode(&header["session=".len() + 40..]).unwrap());
    assert!(emptied.ends_with(r#","_creation_time":1900000000.25}"#) && emptied.contains(id), "{emptied}");
}

#[test]
fn beakers_own_keys_are_kept_and_hidden() {
    let header = cookie_of(
        r#"{"_domain": "x.org", "_path": "/app", "a": 1, "_id": "0123", "_accessed_time": 1700000000.5, "_creation_time": 1699999999.25}"#,
    );
    let factory = factory(SIGNED);
    let mut session = factory.open_with(header.as_bytes(), &OpenOptions::new().now(1_700_000_100.0)).unwrap();
    assert_eq!(session.load_result(), LoadResult::Loaded);
    assert_eq!((session.renewed(), session.created()), (1_700_000_000.5, 1_699_999_999.25));
    assert_eq!((session.len(), session.to_json()), (1, r#"{"a":1}"#));
    session.clear();
    session.set_json("b", "2").unwrap();
    let written = cookie(&mut session);
    assert_eq!(
        unzipped(&STANDARD.decode(&written["session=".len() + 40..]).unwrap()),
        r#"{"_domain":"x.org","_path":"/app","_id":"0123","_accessed_time":1700000100,"_creation_time":1699999999.25,"b":2}"#
    );
    let mut session = factory.open_with(header.as_bytes(), &OpenOptions::new().now(1_700_000_100.0)).unwrap();
    session.invalidate();
    session.set_json("c", "3").unwrap();
    let written = cookie(&mut session);
    let fresh = unzipped(&STANDARD.decode(&written["session=".len() + 40..]).unwrap());
    assert!(!fresh.contains("0123") && !fresh.contains("x.org"), "{fresh}");
}

#[test]
fn beakers_own_keys_cannot_be_set() {
    let server = Server::start();
    for factory in [factory(SIGNED), factory(ENCRYPTED), server.factory(&[("library", "beaker")])] {
        for name in ["_id", "_domain", "_path", "_accessed_time", "_creation_time"] {
            let mut session = factory.open(b"").unwrap();
            session.set_json(name, "1").unwrap();
            session.set_json("a", "1").unwrap();
            let Err(error @ Error::Key(_)) = session.commit(Outcome::Response) else { panic!("{name} was written") };
            assert!(error.to_string().contains(name), "{error}");
            assert!(session.delete(name));
            assert_eq!(session.commit(Outcome::Response).unwrap().len(), 1);
        }
    }
}

#[test]
fn both_kinds_of_cookie_can_be_written_and_opened() {
    for settings in [SIGNED, ENCRYPTED] {
        for serializer in ["json", "pickle"] {
            let factory = factory(&[settings, &[("serializer", serializer)]].concat());
            for length in 0..40 {
                let data = format!(r#"{{"a":"{}"}}"#, "x".repeat(length));
                let header = begin(&factory, &data);
                assert_eq!(json(&factory, &header), data);
            }
        }
    }
}

#[test]
fn an_encrypted_cookie_reveals_nothing_and_needs_both_keys() {
    let open_with = |settings: Settings<'_>, header: &str| open(&factory(&[ENCRYPTED, settings].concat()), header);
    let header = begin(&factory(ENCRYPTED), r#"{"a":1}"#);
    assert_ne!(header, begin(&factory(ENCRYPTED), r#"{"a":1}"#));
    assert_eq!(open_with(&[], &header).to_json(), r#"{"a":1}"#);
    assert_eq!(open_with(&[("encrypt_key", "other")], &header).load_result(), LoadResult::BadSignature);
    assert_eq!(open_with(&[("secret", "other")], &header).load_result(), LoadResult::BadSignature);
    let rotated = [("secret", "new"), ("previous_secret", "itsaseekreet")];
    assert_eq!(open_with(&rotated, &header).load_result(), LoadResult::LoadedPreviousSecret);
    for text in ["", "AAAA", "AAAAAAAAAAAAAAAAAAAAAA==", "AAAAAAAAAAAAAAAAAAAAAA==AAAA", "AAAAAAAAAAAAAAAAAAAAAA==!"] {
        assert_eq!(open_with(&[], &signed(text)).load_result(), LoadResult::Malformed, "{text}");
    }
    let sealed = format!("AAAAAAAAAAAAAAAAAAAAAA=={}", STANDARD.encode([0; 40]));
    assert_eq!(open_with(&[], &signed(&sealed)).load_result(), LoadResult::BadSignature);
}

#[test]
fn the_encrypt_key_can_be_changed_by_accepting_the_old_one() {
    let header = begin(&factory(ENCRYPTED), r#"{"a":1}"#);
    let moved: Settings<'_> = &[
        ("encrypt_key", "new"),
        ("accept.old.library", "beaker"),
        ("accept.old.type", "encrypted_cookie"),
        ("accept.old.serializer", "json"),
        ("accept.old.secret", "itsaseekreet"),
        ("accept.old.encrypt_key", "sesame"),
    ];
    let factory = factory(&[ENCRYPTED, moved].concat());
    let mut session = open(&factory, &header);
    assert_eq!(session.load_result(), LoadResult::LoadedOtherFormat);
    let header = cookie(&mut session);
    assert_eq!(open(&factory, &header).load_result(), LoadResult::Loaded);
}

/// A Beaker cookie moves to a cookie of khufu and to stores of each kind.
#[test]
fn an_accepted_beaker_cookie_moves_to_the_current_format() {
    let header = begin(&factory(SIGNED), r#"{"a":1}"#);
    let accepted: Settings<'_> = &[
        ("accept.beaker.library", "beaker"),
        ("accept.beaker.serializer", "json"),
        ("accept.beaker.secret", "itsaseekreet"),
    ];
    let server = Server::start();
    let of_redis = |format| server.factory(&[accepted, &[("library", format)]].concat());
    for factory in [factory(accepted), of_redis("khufu"), of_redis("pyramid_session_redis"), of_redis("beaker")] {
        let mut session = open(&factory, &header);
        assert_eq!(session.load_result(), LoadResult::LoadedOtherFormat, "{:?}", session.refusal());
        assert_eq!(session.load_format(), Some("beaker"));
        let moved = cookie(&mut session);
        let mut session = open(&factory, &moved);
        assert_eq!((session.load_result(), session.to_json()), (LoadResult::Loaded, r#"{"a":1}"#));
    }
}

#[test]
fn a_cookie_that_browsers_would_drop_is_an_error() {
    for settings in [SIGNED, ENCRYPTED] {
        let mut session = factory(&[settings, &[("serializer", "pickle")]].concat()).open(b"").unwrap();
        session.set_str("a", &"x".repeat(3000)).unwrap();
        assert!(
            matches!(session.commit(Outcome::Response), Err(Error::TooLarge { length, limit: 4064, .. }) if length > 4064)
        );
        session.set_str("a", &"x".repeat(2000)).unwrap();
        let length = value_of(&session.commit(Outcome::Response).unwrap()[0]).len();
        assert!((2700..4064).contains(&length), "{length}");
    }
}

#[test]
fn an_invalid_dict_is_malformed() {
    let factory = factory(SIGNED);
    let result = |header: String| open(&factory, &header).load_result();
    for json in
        ["", "[]", "1", "{", "{}x", "null", r#"{"_accessed_time": "x"}"#, r#"{"_creation_time": null}"#, "\u{0}"]
    {
        assert_eq!(result(cookie_of(json)), LoadResult::Malformed, "{json}");
    }
    assert_eq!(result(cookie_of("{}")), LoadResult::Loaded);
    for text in ["", "e30=", "e30", "!", "eJyrrgUAAXUA"] {
        assert_eq!(result(signed(text)), LoadResult::Malformed, "{text}");
    }
    let whole = zipped(r#"{"a": 1}"#);
    for length in 0..whole.len() - 4 {
        assert_eq!(result(signed(&STANDARD.encode(&whole[..length]))), LoadResult::Malformed, "{length}");
    }
}

fn bomb(megabytes: usize) -> Vec<u8> {
    zipped(&format!(r#"{{"a":"{}"}}"#, "x".repeat(megabytes << 20)))
}

#[test]
fn a_session_that_expands_to_more_than_a_megabyte_is_refused() {
    // Browsers would not send a cookie of this size, but an attacker may.
    assert_eq!(open(&factory(SIGNED), &signed(&STANDARD.encode(bomb(16)))).load_result(), LoadResult::Unsupported);
    let server = Server::start();
    let factory = server.factory(&[("library", "beaker"), ("serializer", "json")]);
    let header = begin(&factory, "{}");
    server.write(&server.key(), &pickled(&STANDARD.encode(bomb(64))), 500);
    let mut session = open(&factory, &header);
    assert_eq!(session.load_result(), LoadResult::Unsupported, "{:?}", session.refusal());
    session.set_json("a", "1").unwrap();
    assert!(matches!(session.commit(Outcome::Response), Err(Error::Unsupported(_))));
}

#[test]
fn a_session_too_large_to_be_read_again_is_not_written() {
    let server = Server::start();
    let store: Factory = server.factory(&[("library", "beaker"), ("serializer", "json")]);
    let mut session = store.open(b"").unwrap();
    session.set_str("a", &"x".repeat(1 << 20)).unwrap();
    assert!(matches!(session.commit(Outcome::Response), Err(Error::Range(_))));
    session.set_str("a", &"x".repeat((1 << 20) - 200)).unwrap();
    let header = cookie(&mut session);
    assert_eq!(open(&store, &header).load_result(), LoadResult::Loaded);
}

#[test]
fn a_hostile_pickle_in_a_cookie_is_refused() {
    let factory = factory(&[("library", "beaker")]);
    let evil = signed(&STANDARD.encode(b"cos\nsystem\n(S'echo hacked'\ntR."));
    assert_eq!(open(&factory, &evil).load_result(), LoadResult::Unsupported);
    let list = signed(&STANDARD.encode(b"\x80\x02]q\0."));
    assert_eq!(open(&factory, &list).load_result(), LoadResult::Malformed);
}

#[test]
fn a_secret_is_encoded_as_utf_8() {
    let factory = factory(&[SIGNED, &[("secret", "sécret")]].concat());
    let header = begin(&factory, r#"{"a":1}"#);
    let (signature, text) = header["session=".len()..].split_at(40);
    let mut mac = Hmac::<Sha1>::new_from_slice("sécret".as_bytes()).unwrap();
    mac.update(text.as_bytes());
    assert_eq!(signature, hex::encode(mac.finalize().into_bytes()));
}

#[test]
fn a_session_that_beaker_deleted_is_gone() {
    let server = Server::start();
    let factory = server.factory(&[("library", "beaker"), ("serializer", "json")]);
    let header = begin(&factory, r#"{"a":1}"#);
    let mut slow = open(&factory, &header);
    slow.set_json("b", "2").unwrap();
    let left = pickled(&STANDARD.encode(zipped(r#"{"_domain": null, "_path": "/"}"#)));
    server.write(&server.key(), &left, 500);
    assert_eq!(slow.commit(Outcome::Response), Err(Error::Gone));
    assert_eq!(server.value(&server.key()), Some(left));
    let mut session = open(&factory, &header);
    assert_eq!(session.load_result(), LoadResult::Missing);
    session.set_json("c", "3").unwrap();
    assert_ne!(cookie(&mut session), header);
}
