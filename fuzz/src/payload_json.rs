//! Opens any bytes as the JSON payload of a genuine cookie.

use std::sync::LazyLock;

use khufu::Factory;

use super::common::{FORMATS, encrypted, factory, signed};
use super::{json_text, payload};

static FACTORIES: LazyLock<[Factory; 2]> =
    LazyLock::new(|| [0, 2].map(|format| factory(&[FORMATS[format], &[("timeout", "")]].concat())));

pub fn run(data: &[u8]) {
    let [signing, encrypting] = &*FACTORIES;
    payload::check(encrypting, &encrypted(data));
    if let Some(untouched) = payload::check(signing, &signed(data)) {
        let untouched = String::from_utf8(payload::of(&untouched)).expect("JSON is UTF-8");
        let compact = json_text::compact(str::from_utf8(data).expect("it was opened"));
        // A key that occurs twice is written once.
        assert!(untouched == compact || untouched.len() < compact.len(), "{compact} became {untouched}");
    }
}
