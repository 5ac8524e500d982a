//! The C ABI, and nothing else: each function checks its arguments, calls the core and stores the outputs.
//!
//! cbindgen generates `include/khufu.h` from these files, with their comments.

#![allow(non_camel_case_types)]
#![allow(clippy::missing_safety_doc)] // The header states each function's contract, for C.

mod arguments;
mod callback_serializer;
mod callback_store;
#[cfg(test)]
pub(crate) mod callbacks_in_memory;
mod commit;
mod csrf;
mod custom;
mod factory;
mod flash;
mod guard;
mod options;
mod read;
mod session;
mod status;
mod subject;
mod tables;
mod version;
mod write;

pub use commit::*;
pub use csrf::*;
pub use custom::*;
pub use factory::*;
pub use flash::*;
pub use options::*;
pub use read::*;
pub use session::*;
pub use status::*;
pub use subject::*;
pub use tables::*;
pub use version::*;
pub use write::*;
