//! Opens any bytes as the pickled payload of a genuine cookie.

use std::sync::LazyLock;

use khufu::Factory;

use super::common::{FORMATS, encrypted, factory, signed};
use super::payload;

static FACTORIES: LazyLock<[Factory; 2]> =
    LazyLock::new(|| [1, 3].map(|format| factory(&[FORMATS[format], &[("timeout", "")]].concat())));

pub fn run(data: &[u8]) {
    let [signing, encrypting] = &*FACTORIES;
    payload::check(encrypting, &encrypted(data));
    if let Some(untouched) = payload::check(signing, &signed(data)) {
        assert_eq!(payload::of(&untouched), data, "an unchanged session is written as it was read");
    }
}
