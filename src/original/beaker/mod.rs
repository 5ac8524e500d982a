//! Beaker 1.14: one dict holds the data and what Beaker keeps with them, in Redis (`ext:redis`) or in the cookie.

mod cookie;
mod dict;
mod records;

pub(super) use cookie::{encrypted, signed};
pub(super) use dict::Dict;
pub(super) use records::Records;
