//! Finds the node of a Redis Cluster that has a key.

use std::sync::Arc;
use std::time::Instant;

use redis::{ErrorKind, RedisResult, Value, cmd};

use super::connection::reason;
use super::servers::{Server, Servers};
use super::socket::share;
use super::url::{Address, ConnectionSettings};
use crate::store::StoreError;

const SLOTS: u16 = 16384;

/// The slot of a key: the CRC16 (XMODEM) of the key, or of the tag in braces if the key has one.
pub(super) fn slot(key: &[u8]) -> u16 {
    let tagged = key.iter().position(|byte| *byte == b'{').and_then(|open| {
        let rest = &key[open + 1..];
        rest.iter().position(|byte| *byte == b'}').filter(|length| *length > 0).map(|length| &rest[..length])
    });
    let crc = tagged.unwrap_or(key).iter().fold(0u16, |crc, byte| {
        (0..8).fold(crc ^ (u16::from(*byte) << 8), |crc, _| (crc << 1) ^ if crc & 0x8000 != 0 { 0x1021 } else { 0 })
    });
    crc % SLOTS
}

/// The master node of each range of slots.
pub(super) struct Slots(Vec<(u16, u16, Arc<Server>)>);

impl Slots {
    /// Asks the known nodes one by one until one of them answers.
    pub fn find(
        nodes: &[Address],
        servers: &Servers,
        settings: &ConnectionSettings,
        deadline: Instant,
    ) -> Result<Self, StoreError> {
        let mut candidates = servers.addresses();
        candidates.extend(nodes.iter().filter(|node| !candidates.contains(node)).cloned().collect::<Vec<_>>());
        let mut reasons = Vec::new();
        for (asked, address) in candidates.iter().enumerate() {
            let until = share(deadline, candidates.len() - asked + 1);
            match Self::ask(&servers.get(address), servers, settings, until) {
                Ok(slots) => {
                    servers.keep(|address| slots.0.iter().any(|(_, _, server)| server.address == *address));
                    return Ok(slots);
                }
                Err(error) => reasons.push(format!("{address}: {}", reason(&error))),
            }
        }
        Err(StoreError::Failed(format!(
            "no node of the Redis cluster says which node has which keys ({})",
            reasons.join("; ")
        )))
    }

    fn ask(asked: &Server, servers: &Servers, settings: &ConnectionSettings, deadline: Instant) -> RedisResult<Self> {
        let mut connection = asked.connect(settings, deadline)?;
        let answer = connection.call(cmd("CLUSTER").arg("SLOTS"), deadline)?;
        asked.put_back(connection);
        let Value::Array(ranges) = answer else {
            return Err((ErrorKind::UnexpectedReturnType, "it is not a node of a cluster").into());
        };
        let ranges: Vec<_> = ranges.iter().filter_map(|range| Self::range(range, &asked.address, servers)).collect();
        match ranges.is_empty() {
            true => Err((ErrorKind::UnexpectedReturnType, "it lists no slots").into()),
            false => Ok(Self(ranges)),
        }
    }

    fn range(range: &Value, asked: &Address, servers: &Servers) -> Option<(u16, u16, Arc<Server>)> {
        let Value::Array(parts) = range else { return None };
        let [Value::Int(first), Value::Int(last), Value::Array(master), ..] = &parts[..] else { return None };
        let [host, Value::Int(port), ..] = &master[..] else { return None };
        let host = match host {
            Value::BulkString(host) => str::from_utf8(host).ok()?,
            _ => "",
        };
        let address = node(host, (*port).try_into().ok()?, asked)?;
        Some(((*first).try_into().ok()?, (*last).try_into().ok()?, servers.get(&address)))
    }

    pub fn server(&self, slot: u16) -> Option<Arc<Server>> {
        let found = self.0.iter().find(|(first, last, _)| (*first..=*last).contains(&slot));
        found.map(|(_, _, server)| Arc::clone(server))
    }
}

/// The address of a node as the node `asked` reported it. If the report has no host, the host is that of `asked`.
fn node(host: &str, port: u16, asked: &Address) -> Option<Address> {
    let Address::Tcp { host: own, .. } = asked else { return None };
    let host = if host.is_empty() || host == "?" { own } else { host };
    Some(Address::Tcp { host: host.to_owned(), port })
}

/// The address that a redirection (`host:port`) names.
pub(super) fn redirected(text: &str, asked: &Address) -> Option<Address> {
    let (host, port) = text.rsplit_once(':')?;
    node(host, port.parse().ok()?, asked)
}

#[cfg(test)]
mod tests {
    use super::slot;

    #[test]
    fn slots_agree_with_the_specification() {
        assert_eq!(slot(b"123456789"), 0x31C3);
        assert_eq!(slot(b"foo"), 12182);
        assert_eq!(slot(b"{user1000}.following"), slot(b"{user1000}.followers"));
        assert_eq!(slot(b"foo{}{bar}"), slot(b"foo{}{bar}"));
        assert_ne!(slot(b"foo{}{bar}"), slot(b"bar"));
        assert_eq!(slot(b"foo{{bar}}zap"), slot(b"{bar"));
        assert_eq!(slot(b"foo{bar}{zap}"), slot(b"bar"));
    }
}
