//! Finds the server of a key, and sends requests to it.

use std::sync::{Arc, Mutex};
use std::time::Instant;

use redis::{ErrorKind, RedisError, RedisResult, ServerErrorKind};

use super::cluster::{self, Slots};
use super::connection::{Connection, answered, reason};
use super::sentinel;
use super::servers::{Server, Servers};
use super::url::{Endpoint, Layout};
use crate::store::StoreError;
use crate::sys::lock;
use crate::sys::per_process::PerProcess;

/// How many times a call may contact a server. It needs more than one try after a broken connection, a redirection or a
/// failover.
const ATTEMPTS: usize = 6;

/// The outcome of one request to Redis.
pub(super) struct Outcome<T> {
    pub value: T,
    /// The request was sent twice. The server may have carried out the first one although its answer was lost.
    pub repeated: bool,
}

/// Says whether to send a request again if an idle connection breaks before the answer arrives.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Sending {
    Once,
    Again,
}

pub(super) struct Client {
    endpoint: Endpoint,
    state: PerProcess<State>,
}

/// The servers that this process has found.
#[derive(Default)]
struct State {
    servers: Servers,
    slots: Mutex<Option<Arc<Slots>>>,
    master: Mutex<Option<Arc<Server>>>,
}

/// The server to contact next, if a cluster's node redirected the request.
struct Redirection {
    server: Arc<Server>,
    asking: bool,
}

impl Client {
    pub fn new(endpoint: Endpoint) -> Self {
        Self { endpoint, state: PerProcess::new(State::default) }
    }

    /// True for a Redis Cluster, whose keys are on several servers.
    pub fn is_cluster(&self) -> bool {
        matches!(self.endpoint.layout, Layout::Cluster(_))
    }

    /// The `maxmemory-policy` of a server that may evict keys. Only servers that were asked count.
    pub fn eviction_policy(&self) -> Option<String> {
        self.state.get().servers.eviction_policy()
    }

    /// Makes a request to the server of a key. Idle connections that the server has closed are skipped. If an idle
    /// connection breaks during the request, `sending` decides whether the request fails or is repeated on a new
    /// connection.
    pub fn exchange<T>(
        &self,
        key: &[u8],
        sending: Sending,
        deadline: Instant,
        mut exchange: impl FnMut(&mut Connection) -> RedisResult<T>,
    ) -> Result<Outcome<T>, StoreError> {
        let state = self.state.get();
        let mut repeated = false;
        let mut redirection: Option<Redirection> = None;
        for attempts_left in (0..ATTEMPTS).rev() {
            let (server, asking) = match redirection.take() {
                Some(Redirection { server, asking }) => (server, asking),
                None => (self.server(&state, key, deadline)?, false),
            };
            let idle = if repeated { None } else { server.take() };
            let was_idle = idle.is_some();
            let (error, again) = match idle.map_or_else(|| server.connect(&self.endpoint.settings, deadline), Ok) {
                Err(error) => (error, self.forget_routes(&state, &server)),
                Ok(mut connection) => {
                    connection.asking = asking;
                    let outcome = exchange(&mut connection);
                    connection.asking = false;
                    match outcome {
                        Ok(value) => {
                            server.put_back(connection);
                            return Ok(Outcome { value, repeated });
                        }
                        Err(error) if answered(&error) => {
                            server.put_back(connection);
                            redirection = self.redirection(&state, &server, &error);
                            let read_only = error.kind() == ErrorKind::Server(ServerErrorKind::ReadOnly);
                            let again = redirection.is_some() || read_only && self.forget_routes(&state, &server);
                            (error, again)
                        }
                        Err(error) => {
                            self.forget_routes(&state, &server);
                            let again = was_idle && !repeated && sending == Sending::Again;
                            repeated = true;
                            (error, again)
                        }
                    }
                }
            };
            if !again || attempts_left == 0 || Instant::now() >= deadline {
                return Err(self.failure(&server, &error));
            }
        }
        unreachable!("the last attempt returns")
    }

    fn server(&self, state: &State, key: &[u8], deadline: Instant) -> Result<Arc<Server>, StoreError> {
        match &self.endpoint.layout {
            Layout::One(address) => Ok(state.servers.get(address)),
            Layout::Cluster(nodes) => {
                let known = lock(&state.slots).clone();
                let slots = match known {
                    Some(slots) => slots,
                    None => {
                        let slots = Arc::new(Slots::find(nodes, &state.servers, &self.endpoint.settings, deadline)?);
                        *lock(&state.slots) = Some(Arc::clone(&slots));
                        slots
                    }
                };
                slots.server(cluster::slot(key)).ok_or_else(|| {
                    *lock(&state.slots) = None;
                    StoreError::Failed("no node of the Redis cluster serves the slot of this key".to_owned())
                })
            }
            Layout::Sentinel { sentinels, settings, master } => {
                let known = lock(&state.master).clone();
                match known {
                    Some(server) => Ok(server),
                    None => {
                        let lookup =
                            sentinel::Lookup { sentinels, settings, master, master_settings: &self.endpoint.settings };
                        let server = lookup.master(&state.servers, deadline)?;
                        *lock(&state.master) = Some(Arc::clone(&server));
                        Ok(server)
                    }
                }
            }
        }
    }

    /// Closes the idle connections to a server, and forgets which servers have which keys. Returns true if a new search
    /// may find another server.
    fn forget_routes(&self, state: &State, server: &Server) -> bool {
        server.clear();
        *lock(&state.slots) = None;
        *lock(&state.master) = None;
        !matches!(self.endpoint.layout, Layout::One(_))
    }

    fn redirection(&self, state: &State, server: &Server, error: &RedisError) -> Option<Redirection> {
        let Layout::Cluster(_) = self.endpoint.layout else { return None };
        let (address, _) = error.redirect_node()?;
        let address = cluster::redirected(address, &server.address)?;
        let asking = error.kind() == ErrorKind::Server(ServerErrorKind::Ask);
        if !asking {
            *lock(&state.slots) = None;
        }
        Some(Redirection { server: state.servers.get(&address), asking })
    }

    fn failure(&self, server: &Server, error: &RedisError) -> StoreError {
        let hint = match (&self.endpoint.layout, error.kind()) {
            (Layout::One(_), ErrorKind::Server(ServerErrorKind::Moved | ServerErrorKind::CrossSlot)) => {
                "; this server is a node of a cluster: use redis+cluster:// in the URL"
            }
            _ => "",
        };
        StoreError::Failed(format!("Redis at {}: {}{hint}", server.address, reason(error)))
    }
}
