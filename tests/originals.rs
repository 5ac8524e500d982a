//! The sessions of other libraries: read, written, and worked on by both sides at once.
#![cfg(feature = "redis")]

#[path = "originals/beaker.rs"]
mod beaker;
mod common;
#[path = "common/redis_server.rs"]
mod redis_server;
#[path = "originals/server.rs"]
mod server;
#[path = "originals/stored.rs"]
mod stored;
#[path = "originals/times.rs"]
mod times;
#[path = "originals/vectors.rs"]
mod vectors;
