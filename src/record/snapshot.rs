//! A copy of a session's data from before its token was replaced. The old token opens it for a while.

use constant_time_eq::constant_time_eq;

use crate::load::Refusal;
use crate::record::header::Hash;
use crate::sys::wiped::WipedBytes;

/// The hash of the old token, the time until which this token opens the snapshot, and the data of the earlier record.
#[derive(Clone, Debug)]
pub(crate) struct Snapshot(WipedBytes);

/// The length of the hash and the time, in bytes.
const FRONT: usize = 32 + 8;

impl Snapshot {
    /// `until` is in seconds since the Unix epoch.
    pub fn new(token: &Hash, until: f64, data: &[u8]) -> Self {
        let mut bytes = WipedBytes::with_capacity(FRONT + data.len());
        bytes.add(token);
        bytes.add(&until.to_be_bytes());
        bytes.add(data);
        Self(bytes)
    }

    /// Reads the snapshot from the bytes after a record's data. `None` if there are no bytes.
    pub fn read(bytes: &[u8]) -> Result<Option<Self>, Refusal> {
        match bytes.len() {
            0 => Ok(None),
            length if length < FRONT => Err(Refusal::malformed("the record is too short")),
            _ => Ok(Some(Self(WipedBytes::from(bytes.to_vec())))),
        }
    }

    /// The snapshot as bytes, to be written after a record's data.
    pub fn bytes(&self) -> &[u8] {
        &self.0
    }

    /// The data of the earlier record.
    pub fn data(&self) -> &[u8] {
        &self.0[FRONT..]
    }

    /// True if the snapshot has not expired at the time `now`.
    pub fn is_valid_at(&self, now: f64) -> bool {
        let until = self.0[32..].first_chunk().copied().map_or(0.0, f64::from_be_bytes);
        now < until
    }

    /// True if a token, given as its hash, opens the snapshot at the time `now`.
    pub fn is_opened_by(&self, token: &Hash, now: f64) -> bool {
        constant_time_eq(&self.0[..32], token) && self.is_valid_at(now)
    }
}
