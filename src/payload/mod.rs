//! Payloads: a session's times and state as bytes.

pub(crate) mod arena;
pub(crate) mod custom;
pub(crate) mod json;
pub(crate) mod moment;
pub(crate) mod pickle;
pub(crate) mod serializer;
pub(crate) mod state;
