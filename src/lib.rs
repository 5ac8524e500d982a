#![doc = include_str!("crate.md")]
#![deny(unsafe_code)]
#![warn(missing_docs, rust_2018_idioms)]

mod arena;
mod cookie;
mod error;
mod factory;
mod fork;
mod format;
mod json;
mod load;
mod moment;
mod options;
mod original;
mod per_process;
mod record;
mod seal;
mod secret;
mod serializer;
mod session;
mod state;
mod store;
mod subject;
mod value;
mod wiped;

#[allow(unsafe_code)]
pub mod ffi;

pub use cookie::SetCookie;
pub use error::Error;
pub use factory::Factory;
pub use json::Fault;
pub use load::LoadResult;
pub use options::{Kind, OptionRow, Options, TABLE};
pub use secret::generate_secret;
pub use session::Session;
pub use subject::SubjectSession;
