//! The stores of server-side sessions.
//!
//! A store keeps records under keys and knows nothing about cookies or sessions. Every change to a record is one write
//! to its key. Each record has a generation, and a write only replaces the generation that its writer saw.

#[cfg(test)]
#[cfg_attr(not(any(feature = "redis", feature = "sqlite")), allow(dead_code))] // the memory store needs only some of it
pub(crate) mod contract;
pub(crate) mod custom;
mod driver;
mod location;
mod memory;
#[cfg(feature = "redis")]
mod redis;
#[cfg(feature = "sqlite")]
mod sqlite;

pub(crate) use driver::{Driver, Record, SUBJECT_PLACE, SubjectName, Write};
pub use driver::{Saved, StoreError};
pub(crate) use location::Location;
