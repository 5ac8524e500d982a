//! The stores that the tests run on.

use std::any::Any;
#[cfg(feature = "sqlite")]
use std::path::PathBuf;
use std::sync::Arc;

#[cfg(feature = "redis")]
use self::redis_server::RedisServer;
use super::steps::Steps;
use crate::ffi::callbacks_in_memory;
#[cfg(feature = "sqlite")]
use crate::store::contract::new_key;
use crate::store::{Driver, Location};

#[cfg(feature = "redis")]
#[path = "../../../tests/common/redis_server.rs"]
mod redis_server;

pub(super) struct TestStore {
    pub name: &'static str,
    /// The value of the option `store` with which another process can open the store, if that is possible.
    url: Option<String>,
    /// The store, whose calls are steps of a schedule.
    pub store: Arc<dyn Driver>,
    /// The store's files or server, which are removed together with it.
    _owned: Option<Box<dyn Any>>,
}

impl TestStore {
    /// The store as another process would open it.
    pub fn reopened(&self) -> Arc<dyn Driver> {
        self.url.as_deref().map_or_else(|| self.store.clone(), opened)
    }
}

fn opened(url: &str) -> Arc<dyn Driver> {
    Arc::new(Steps { store: Location::of(url).open().unwrap(), is_deferred: false })
}

pub(super) fn memory() -> TestStore {
    TestStore { name: "memory", url: None, store: opened("memory:"), _owned: None }
}

/// A store in memory, which answers a question only when the call is made again.
pub(super) fn deferred() -> TestStore {
    let store = Location::of("memory:").open().unwrap();
    TestStore { name: "deferred", url: None, store: Arc::new(Steps { store, is_deferred: true }), _owned: None }
}

/// A store made of callbacks, which take the steps themselves.
pub(super) fn callbacks() -> TestStore {
    TestStore { name: "callbacks", url: None, store: callbacks_in_memory::store(), _owned: None }
}

#[cfg(feature = "sqlite")]
fn sqlite() -> TestStore {
    let folder = Folder::new();
    let url = format!("sqlite:{}", folder.0.join("sessions.db").display());
    TestStore { name: "SQLite", store: opened(&url), url: Some(url), _owned: Some(Box::new(folder)) }
}

#[cfg(feature = "redis")]
fn redis() -> TestStore {
    let server = RedisServer::start();
    let url = server.url();
    TestStore { name: "Redis", store: opened(&url), url: Some(url), _owned: Some(Box::new(server)) }
}

/// The stores in which each call is a single step.
pub(super) fn of_one_step() -> Vec<TestStore> {
    vec![
        memory(),
        deferred(),
        #[cfg(feature = "sqlite")]
        sqlite(),
        #[cfg(feature = "redis")]
        redis(),
    ]
}

pub(super) fn all() -> Vec<TestStore> {
    let mut stores = of_one_step();
    stores.push(callbacks());
    stores
}

/// A temporary folder, which is removed when this is dropped.
#[cfg(feature = "sqlite")]
struct Folder(PathBuf);

#[cfg(feature = "sqlite")]
impl Folder {
    fn new() -> Self {
        let path = std::env::temp_dir().join(format!("khufu-interleavings-{}", new_key()));
        std::fs::create_dir(&path).unwrap();
        Self(path)
    }
}

#[cfg(feature = "sqlite")]
impl Drop for Folder {
    fn drop(&mut self) {
        std::fs::remove_dir_all(&self.0).unwrap();
    }
}
