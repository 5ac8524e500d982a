//! A session's data from before its token was replaced, which the old token shows for a while.

use constant_time_eq::constant_time_eq;

use crate::load::Refusal;
use crate::record::header::Hash;
use crate::wiped::WipedBytes;

/// The hash of the old token, the time until which it counts, and the data of the record that was replaced.
#[derive(Clone, Debug)]
pub(crate) struct Snapshot(WipedBytes);

/// The hash and the time.
const FRONT: usize = 32 + 8;

impl Snapshot {
    /// `until`: in seconds since the Unix epoch.
    pub fn new(token: &Hash, until: f64, data: &[u8]) -> Self {
        let mut bytes = WipedBytes::with_capacity(FRONT + data.len());
        bytes.add(token);
        bytes.add(&until.to_be_bytes());
        bytes.add(data);
        Self(bytes)
    }

    /// The snapshot at the end of a record; `None` if it has none.
    pub fn read(bytes: &[u8]) -> Result<Option<Self>, Refusal> {
        match bytes.len() {
            0 => Ok(None),
            length if length < FRONT => Err(Refusal::malformed("the record is too short")),
            length => {
                let mut copy = WipedBytes::with_capacity(length);
                copy.add(bytes);
                Ok(Some(Self(copy)))
            }
        }
    }

    /// The bytes at the end of a record.
    pub fn bytes(&self) -> &[u8] {
        &self.0
    }

    /// The data of the record that was replaced.
    pub fn data(&self) -> &[u8] {
        &self.0[FRONT..]
    }

    /// Whether it is still shown at a time.
    pub fn counts_at(&self, now: f64) -> bool {
        let until = self.0[32..].first_chunk().copied().map_or(0.0, f64::from_be_bytes);
        now < until
    }

    /// Whether it is shown to the holder of a token, given as its hash, at a time.
    pub fn is_shown_to(&self, token: &Hash, now: f64) -> bool {
        constant_time_eq(&self.0[..32], token) && self.counts_at(now)
    }
}
