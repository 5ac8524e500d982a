//! Beaker 1.14. One dict contains the session's data and Beaker's own members. It is stored in Redis (`ext:redis`) or
//! in the cookie.

mod cookie;
mod dict;
mod records;

pub(super) use cookie::{encrypted, signed};
pub(super) use dict::Dict;
pub(super) use records::Records;
