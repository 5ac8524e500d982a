//! Finds the server of a key, and talks to it.

use std::sync::{Arc, Mutex};
use std::time::Instant;

use redis::{ErrorKind, RedisError, RedisResult, ServerErrorKind};

use super::cluster::{self, Slots};
use super::connection::{Connection, answered, reason};
use super::sentinel;
use super::servers::{Server, Servers, lock};
use super::url::{Layout, Place};
use crate::per_process::PerProcess;
use crate::store::StoreError;

/// How often a call turns to a server: a connection found broken, redirections, a master's move.
const TURNS: usize = 6;

/// The outcome of one request to Redis.
pub(super) struct Outcome<T> {
    pub value: T,
    /// The request was sent twice. The first one may have been carried out, although no answer came.
    pub repeated: bool,
}

/// Whether a request is sent again if an idle connection turns out to be broken before the answer.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Sending {
    Once,
    Again,
}

pub(super) struct Client {
    place: Place,
    state: PerProcess<State>,
}

/// What a process knows of the servers.
#[derive(Default)]
struct State {
    servers: Servers,
    slots: Mutex<Option<Arc<Slots>>>,
    master: Mutex<Option<Arc<Server>>>,
}

/// Where an exchange goes next, unless its key decides that.
struct Redirection {
    server: Arc<Server>,
    asking: bool,
}

impl Client {
    pub fn new(place: Place) -> Self {
        Self { place, state: PerProcess::new(State::default) }
    }

    /// True if keys are on several servers.
    pub fn is_cluster(&self) -> bool {
        matches!(self.place.layout, Layout::Cluster(_))
    }

    /// The `maxmemory-policy` of a server that may evict keys, among those that were asked.
    pub fn eviction_policy(&self) -> Option<String> {
        self.state.get().servers.eviction_policy()
    }

    /// Makes a request to the server of a key. An idle connection that the server has closed is passed over. One that
    /// breaks during the request makes it fail, or has it made once more on a fresh connection, as `sending` says.
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
        for turns_left in (0..TURNS).rev() {
            let (server, asking) = match redirection.take() {
                Some(Redirection { server, asking }) => (server, asking),
                None => (self.server(&state, key, deadline)?, false),
            };
            let idle = if repeated { None } else { server.take() };
            let was_idle = idle.is_some();
            let (error, again) = match idle.map_or_else(|| server.connect(&self.place.manner, deadline), Ok) {
                Err(error) => (error, self.mistrust(&state, &server)),
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
                            let again = redirection.is_some() || read_only && self.mistrust(&state, &server);
                            (error, again)
                        }
                        Err(error) => {
                            self.mistrust(&state, &server);
                            let again = was_idle && !repeated && sending == Sending::Again;
                            repeated = true;
                            (error, again)
                        }
                    }
                }
            };
            if !again || turns_left == 0 || Instant::now() >= deadline {
                return Err(self.failure(&server, &error));
            }
        }
        unreachable!("the last turn returns")
    }

    fn server(&self, state: &State, key: &[u8], deadline: Instant) -> Result<Arc<Server>, StoreError> {
        match &self.place.layout {
            Layout::One(address) => Ok(state.servers.get(address)),
            Layout::Cluster(nodes) => {
                let known = lock(&state.slots).clone();
                let slots = match known {
                    Some(slots) => slots,
                    None => {
                        let slots = Arc::new(Slots::find(nodes, &state.servers, &self.place.manner, deadline)?);
                        *lock(&state.slots) = Some(Arc::clone(&slots));
                        slots
                    }
                };
                slots.server(cluster::slot(key)).ok_or_else(|| {
                    *lock(&state.slots) = None;
                    StoreError("no node of the Redis cluster keeps the slot of this key".to_owned())
                })
            }
            Layout::Sentinel { sentinels, manner, master } => {
                let known = lock(&state.master).clone();
                match known {
                    Some(server) => Ok(server),
                    None => {
                        let seek = sentinel::Seek { sentinels, manner, master, master_manner: &self.place.manner };
                        let server = seek.master(&state.servers, deadline)?;
                        *lock(&state.master) = Some(Arc::clone(&server));
                        Ok(server)
                    }
                }
            }
        }
    }

    /// Forgets idle connections to a server, and that it is the one to turn to. Whether another one may be found.
    fn mistrust(&self, state: &State, server: &Server) -> bool {
        server.clear();
        *lock(&state.slots) = None;
        *lock(&state.master) = None;
        !matches!(self.place.layout, Layout::One(_))
    }

    fn redirection(&self, state: &State, server: &Server, error: &RedisError) -> Option<Redirection> {
        let Layout::Cluster(_) = self.place.layout else { return None };
        let (address, _) = error.redirect_node()?;
        let address = cluster::redirected(address, &server.address)?;
        let asking = error.kind() == ErrorKind::Server(ServerErrorKind::Ask);
        if !asking {
            *lock(&state.slots) = None;
        }
        Some(Redirection { server: state.servers.get(&address), asking })
    }

    fn failure(&self, server: &Server, error: &RedisError) -> StoreError {
        let hint = match (&self.place.layout, error.kind()) {
            (Layout::One(_), ErrorKind::Server(ServerErrorKind::Moved | ServerErrorKind::CrossSlot)) => {
                "; it is a node of a cluster: write redis+cluster://"
            }
            _ => "",
        };
        StoreError(format!("Redis at {}: {}{hint}", server.address, reason(error)))
    }
}
