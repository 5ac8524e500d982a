//! The known servers and their idle connections.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::time::Instant;

use redis::RedisResult;

use super::connection::Connection;
use super::eviction::Eviction;
use super::socket::Names;
use super::url::{Address, ConnectionSettings};
use crate::sys::lock;

/// The most idle connections to keep for each server.
const MOST_IDLE: usize = 64;

pub(super) struct Server {
    pub address: Address,
    names: Arc<Names>,
    eviction: Arc<Eviction>,
    idle: Mutex<Vec<Connection>>,
}

impl Server {
    /// Takes an idle connection. Drops those that the server has closed.
    pub fn take(&self) -> Option<Connection> {
        loop {
            let mut connection = lock(&self.idle).pop()?;
            if connection.is_usable() {
                return Some(connection);
            }
        }
    }

    /// Opens a connection, logs in and selects the database.
    pub fn connect(&self, settings: &ConnectionSettings, deadline: Instant) -> RedisResult<Connection> {
        let connection = Connection::open(&self.address, &self.names, settings.tls.as_ref(), deadline)?;
        let mut connection = connection.with_eviction(&self.eviction);
        connection.log_in(settings, deadline)?;
        Ok(connection)
    }

    /// The server's `maxmemory-policy`, if it was asked and may evict keys.
    pub fn eviction_policy(&self) -> Option<String> {
        self.eviction.policy()
    }

    pub fn put_back(&self, connection: Connection) {
        if connection.is_broken {
            return;
        }
        let mut idle = lock(&self.idle);
        if idle.len() < MOST_IDLE {
            idle.push(connection);
        }
    }

    /// Closes all idle connections. When one connection has broken, the others have probably broken too.
    pub fn clear(&self) {
        let idle = std::mem::take(&mut *lock(&self.idle));
        drop(idle);
    }
}

#[derive(Default)]
pub(super) struct Servers {
    names: Arc<Names>,
    known: Mutex<HashMap<Address, Arc<Server>>>,
}

impl Servers {
    pub fn get(&self, address: &Address) -> Arc<Server> {
        let mut known = lock(&self.known);
        if let Some(server) = known.get(address) {
            return Arc::clone(server);
        }
        let (address, names) = (address.clone(), Arc::clone(&self.names));
        let server =
            Arc::new(Server { address: address.clone(), names, eviction: Arc::default(), idle: Mutex::default() });
        known.insert(address, Arc::clone(&server));
        server
    }

    pub fn addresses(&self) -> Vec<Address> {
        lock(&self.known).keys().cloned().collect()
    }

    /// The `maxmemory-policy` of some server that may evict keys.
    pub fn eviction_policy(&self) -> Option<String> {
        lock(&self.known).values().find_map(|server| server.eviction_policy())
    }

    pub fn keep(&self, wanted: impl Fn(&Address) -> bool) {
        lock(&self.known).retain(|address, _| wanted(address));
    }
}
