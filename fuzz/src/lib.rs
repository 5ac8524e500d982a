//! The fuzz targets, as functions that panic when something does not hold.
//!
//! The programs in `fuzz_targets` call them with inputs that libFuzzer makes; `tests/corpus.rs` calls them with the
//! inputs in `corpus`.

#[path = "../../tests/common/mod.rs"]
mod common;

pub mod calls;
pub mod cookie_header;
mod custom_store;
mod json_text;
mod payload;
pub mod payload_json;
pub mod payload_pickle;
pub mod record;
pub mod set_json;

/// Panics if something does not hold for an input.
pub type Target = fn(&[u8]);

/// Each target by its name, which is also the name of its folder in `corpus`.
pub const TARGETS: [(&str, Target); 6] = [
    ("calls", calls::run),
    ("cookie_header", cookie_header::run),
    ("payload_json", payload_json::run),
    ("payload_pickle", payload_pickle::run),
    ("record", record::run),
    ("set_json", set_json::run),
];
