//! The C ABI, and nothing else: check arguments, call the core, store the outputs.
//!
//! `include/khufu.h` is generated from these files by cbindgen; their comments are its comments.

#![allow(non_camel_case_types)]
#![allow(clippy::missing_safety_doc)] // The header states each function's contract, for C.

mod arguments;
#[cfg(test)]
pub(crate) mod callbacks_in_memory;
mod custom;
mod custom_store;
mod factory;
mod flash;
pub(crate) mod fork;
mod guard;
mod options;
mod read;
mod session;
mod status;
mod subject;
mod version;
mod write;

pub use custom::*;
pub use factory::*;
pub use flash::*;
pub use options::*;
pub use read::*;
pub use session::*;
pub use status::*;
pub use subject::*;
pub use version::*;
pub use write::*;
