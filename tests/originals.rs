//! The sessions of other libraries: khufu reads and writes them, even while the library does so, too.
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
