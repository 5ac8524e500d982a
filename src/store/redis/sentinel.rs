//! Asks Redis Sentinel which server is the current master.

use std::sync::Arc;
use std::time::Instant;

use redis::{ErrorKind, RedisResult, Value, cmd, from_redis_value};

use super::connection::reason;
use super::servers::{Server, Servers};
use super::socket::share;
use super::url::{Address, ConnectionSettings};
use crate::store::StoreError;

/// A search for the master with the name `master`.
pub(super) struct Lookup<'a> {
    pub sentinels: &'a [Address],
    /// The settings for connections to the sentinels.
    pub settings: &'a ConnectionSettings,
    pub master: &'a str,
    pub master_settings: &'a ConnectionSettings,
}

impl Lookup<'_> {
    /// Asks the sentinels one by one, until a server that one of them names confirms that it is a master.
    pub fn master(&self, servers: &Servers, deadline: Instant) -> Result<Arc<Server>, StoreError> {
        let mut reasons = Vec::new();
        for (asked, sentinel) in self.sentinels.iter().enumerate() {
            let until = share(deadline, self.sentinels.len() - asked + 1);
            let address = match self.ask(&servers.get(sentinel), until) {
                Ok(address) => address,
                Err(error) => {
                    reasons.push(format!("{sentinel}: {}", reason(&error)));
                    continue;
                }
            };
            let server = servers.get(&address);
            match self.confirm(&server, until) {
                Ok(()) => {
                    servers.keep(|known| *known == address);
                    return Ok(server);
                }
                Err(error) => reasons.push(format!("{address} (named by {sentinel}): {}", reason(&error))),
            }
        }
        Err(StoreError::Failed(format!("no Redis master named {:?} was found ({})", self.master, reasons.join("; "))))
    }

    fn ask(&self, sentinel: &Server, deadline: Instant) -> RedisResult<Address> {
        let mut connection = sentinel.connect(self.settings, deadline)?;
        match connection.call(cmd("SENTINEL").arg("get-master-addr-by-name").arg(self.master), deadline)? {
            Value::Nil => Err((ErrorKind::UnexpectedReturnType, "it does not know the name").into()),
            answer => {
                let (host, port) = from_redis_value(answer)?;
                Ok(Address::Tcp { host, port })
            }
        }
    }

    fn confirm(&self, server: &Server, deadline: Instant) -> RedisResult<()> {
        let mut connection = server.connect(self.master_settings, deadline)?;
        match connection.call(&cmd("ROLE"), deadline)? {
            Value::Array(role) if matches!(role.first(), Some(Value::BulkString(role)) if role == b"master") => {
                server.put_back(connection);
                Ok(())
            }
            _ => Err((ErrorKind::UnexpectedReturnType, "it is not a master").into()),
        }
    }
}
