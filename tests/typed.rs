//! The dictionary and flash messages with Rust types, and the options' builder methods.

mod common;

use std::collections::BTreeMap;

use common::*;
use khufu::{Error, Factory, Options, Outcome};
use serde_json::json;

#[derive(Debug, PartialEq)]
struct Line(String, u32);

impl serde::Serialize for Line {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serde::Serialize::serialize(&(&self.0, self.1), serializer)
    }
}

impl<'de> serde::Deserialize<'de> for Line {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        <(String, u32)>::deserialize(deserializer).map(|(sku, count)| Self(sku, count))
    }
}

#[test]
fn a_value_is_read_as_the_type_that_it_was_set_as() {
    let mut session = fresh();
    let cart = vec![Line("A-1".to_owned(), 2), Line("é\n".to_owned(), u32::MAX)];
    session.set("cart", &cart).unwrap();
    session.set("user", "zoë").unwrap();
    session.set("price", &1.0).unwrap();
    session.set("none", &None::<u8>).unwrap();
    assert_eq!(session.get("cart").unwrap(), Some(cart));
    assert_eq!(session.get("user").unwrap(), Some("zoë"), "borrowed from the session");
    assert_eq!(session.get("user").unwrap(), Some("zoë".to_owned()));
    assert_eq!(session.get_json("price").unwrap(), Some("1.0"), "it stays a float in every language");
    assert_eq!(session.get::<Option<u8>>("none").unwrap(), Some(None));
    assert_eq!(session.get::<u8>("absent").unwrap(), None);
    assert_eq!(session.get("cart").unwrap(), Some(json!([["A-1", 2], ["é\n", 4_294_967_295_u32]])));
}

#[test]
fn a_value_of_another_type_is_an_error_that_names_key_and_types_and_not_the_value() {
    let mut session = fresh();
    session.set("user", "hunter2").unwrap();
    for error in [
        session.get::<u32>("user").unwrap_err(),
        session.get::<BTreeMap<String, u8>>("user").unwrap_err(),
        session.pop::<u32>("user").unwrap_err(),
        session.setdefault::<u32>("user", &1).unwrap_err(),
    ] {
        let Error::Type { key, found, wanted } = &error else { panic!("{error}") };
        assert_eq!((key.as_str(), *found), ("user", "a string"));
        assert!(wanted.contains("u32") || wanted.contains("BTreeMap"));
        assert!(!error.to_string().contains("hunter2"));
    }
    assert_eq!(session.get("user").unwrap(), Some("hunter2"), "the value is unchanged");
}

#[test]
fn a_value_that_json_cannot_represent_is_an_error_and_sets_nothing() {
    let mut session = fresh();
    let no_text: BTreeMap<Vec<u8>, u8> = [(vec![1], 1)].into();
    assert!(matches!(session.set("a", &no_text), Err(Error::Serialize(_))));
    assert!(matches!(session.append("a", &no_text), Err(Error::Serialize(_))));
    assert!(matches!(session.flash(&no_text), Err(Error::Serialize(_))));
    assert!(matches!(session.update(&[1]), Err(Error::NotAnObject("a list"))));
    session.set("a", &f64::NAN).unwrap();
    assert_eq!(session.get_json("a").unwrap(), Some("null"), "as serde_json writes it");
    assert_eq!(session.len(), 1);
}

#[test]
fn values_are_taken_defaulted_updated_and_iterated() {
    let mut session = fresh();
    session.update(&json!({"b": 1, "a": [true]})).unwrap();
    assert_eq!(session.setdefault("b", &5).unwrap(), 1);
    assert_eq!(session.setdefault("c", &5).unwrap(), 5);
    assert_eq!(session.pop::<Vec<bool>>("a").unwrap(), Some(vec![true]));
    assert_eq!(session.pop::<u8>("a").unwrap(), None);
    assert_eq!(session.iter().collect::<Vec<_>>(), [("b", "1"), ("c", "5")]);
    assert_eq!(session.iter().len(), 2);
}

#[test]
fn flash_messages_have_types_and_queues() {
    let mut session = fresh();
    session.flash("saved").unwrap();
    session.queue("cart").push(&Line("A-1".to_owned(), 1)).unwrap();
    session.queue("cart").allow_duplicate(false).push(&("A-1", 1.0)).unwrap();
    assert_eq!(session.peek_flash::<&str>().unwrap(), ["saved"]);
    assert!(matches!(session.pop_flash::<u8>(), Err(Error::Type { .. })));
    assert_eq!(session.pop_flash::<String>().unwrap(), ["saved"], "the message is still there");
    assert_eq!(session.pop_flash::<String>().unwrap(), [""; 0]);
    assert_eq!(session.queue("cart").peek::<Line>().unwrap(), [Line("A-1".to_owned(), 1)]);
    assert_eq!(session.queue("cart").pop::<Line>().unwrap().len(), 1);
    assert!(session.is_empty());
}

#[test]
fn an_integer_is_incremented_and_a_list_grows() {
    let mut session = fresh();
    assert_eq!(session.increment("n", 5).unwrap(), 5);
    assert_eq!(session.increment("n", -7).unwrap(), -2);
    assert_eq!(session.increment("n", 0).unwrap(), -2);
    session.set("n", &i64::MAX).unwrap();
    assert!(matches!(session.increment("n", 1), Err(Error::Range(_))));
    session.set_json("n", "9223372036854775808").unwrap();
    assert!(matches!(session.increment("n", -1), Err(Error::Range(_))));
    for other in ["1.0", "1e2", "\"1\"", "null", "true", "[1]"] {
        session.set_json("n", other).unwrap();
        assert!(matches!(session.increment("n", 1), Err(Error::Type { .. })), "{other}");
        assert_eq!(session.get_json("n").unwrap(), Some(other));
    }
    session.append("list", &1).unwrap();
    session.append_json("list", " [ 2 ] ").unwrap();
    assert_eq!(session.get_json("list").unwrap(), Some("[1,[2]]"));
    assert!(matches!(session.append("n", &1), Ok(())), "it is a list now");
    assert!(matches!(session.append("user", &1).and_then(|()| session.append_json("list", "{")), Err(Error::Json(_))));
    session.set("user", "zoë").unwrap();
    assert!(matches!(session.append("user", &1), Err(Error::Type { .. })));
}

#[test]
fn a_wrong_option_of_a_builder_makes_the_factory_fail() {
    let options = || Options::new().secret(SECRET).cookie_name("s").path("/a").domain("example.org").secure(true);
    let options =
        || options().httponly(true).samesite("Strict").max_age(5).timeout(60).absolute_timeout(90).reissue_time(7);
    let mut session = Factory::new(&options()).unwrap().open(b"").unwrap();
    session.mark_changed();
    let set_cookie = session.commit(Outcome::Response).unwrap()[0].to_string();
    assert!(set_cookie.starts_with("s=") && set_cookie.contains("; Domain=example.org; Max-Age=5; Path=/a; expires="));
    assert!(set_cookie.ends_with("; secure; HttpOnly; SameSite=Strict"));
    for (wrong, expected) in [
        (options().secret(""), "the option secret must not be empty"),
        (options().with("tiemout", "1").path("a"), "there is no option \"tiemout\""),
        (options().reissue_time(60), "the option reissue_time must be less than timeout"),
        (options().store("mysql:"), "the option store must be one of"),
    ] {
        let error = Factory::new(&wrong).err().expect(expected);
        assert!(error.to_string().contains(expected), "{error}");
    }
    assert!(Factory::new(&Options::new().encrypted(KEY)).is_ok());
}
