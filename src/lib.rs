#![doc = include_str!("crate.md")]
#![deny(unsafe_code)]
#![warn(missing_docs, rust_2018_idioms)]

// A module imports only the modules below it. CONTRIBUTING.md explains this under "Layout", and `tests/imports.rs`
// checks it.
#[allow(unsafe_code)]
pub mod ffi;
#[cfg(feature = "tower")]
pub mod tower;

mod factory;
mod subject;

mod libraries;
mod session;

mod config;
mod record;
mod store;

mod cookie;
mod payload;

mod load;
pub mod options;

mod error;
mod json;
mod sys;

pub use cookie::SetCookie;
pub use cookie::seal::{generate_encryption_secret, generate_secret};
pub use error::Error;
pub use factory::{Custom, Factory};
pub use json::Fault;
pub use load::LoadResult;
pub use options::Options;
pub use payload::custom::{Serializer, SerializerError};
pub use session::{Iter, OpenOptions, Outcome, Queue, Session};
pub use store::custom::{NewRecord, Store};
pub use store::{Saved, StoreError};
pub use subject::{Subject, SubjectSession};
