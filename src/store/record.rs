//! What stands in a record: a header, then a payload like a cookie's.
//!
//! The header is the version (1), flags, 32 bytes of the subject's name or zeros, and, of a session that has moved, the
//! hash of its new id.

use crate::load::Refusal;
use crate::store::id::Subject;

const VERSION: u8 = 1;
const MOVED: u8 = 1;
const OF_SUBJECT: u8 = 2;

const HASH: usize = 32;

/// What a record's header says.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Header {
    /// The session has moved to a new id, whose hash this is; what stands here is how it was before, and may only be read.
    pub moved_to: Option<[u8; HASH]>,
    pub subject: Option<Subject>,
}

impl Header {
    /// How many bytes it has.
    pub fn len(&self) -> usize {
        2 + HASH + if self.moved_to.is_some() { HASH } else { 0 }
    }

    /// The header of a record's data.
    pub fn read(data: &[u8]) -> Result<Self, Refusal> {
        let too_short = || Refusal::malformed("the record is too short");
        let (&[version, flags], rest) = data.split_first_chunk().ok_or_else(too_short)?;
        if version != VERSION {
            return Err(Refusal::unsupported("the record is of a later version"));
        }
        let (subject, rest) = rest.split_first_chunk().ok_or_else(too_short)?;
        let moved_to = match flags & MOVED {
            0 => None,
            _ => Some(*rest.first_chunk().ok_or_else(too_short)?),
        };
        Ok(Self { moved_to, subject: (flags & OF_SUBJECT != 0).then_some(Subject(*subject)) })
    }

    /// Writes the header over the first bytes of a record's data.
    pub fn write(self, data: &mut [u8]) {
        let flag = |on: bool, flag: u8| if on { flag } else { 0 };
        let (start, rest) = data.split_at_mut(2);
        start.copy_from_slice(&[
            VERSION,
            flag(self.moved_to.is_some(), MOVED) | flag(self.subject.is_some(), OF_SUBJECT),
        ]);
        let (subject, rest) = rest.split_at_mut(HASH);
        subject.copy_from_slice(&self.subject.map_or([0; HASH], |subject| subject.0));
        if let Some(hash) = self.moved_to {
            rest[..HASH].copy_from_slice(&hash);
        }
    }

    /// The same for a session that has moved to the record of this name.
    pub fn moved_to(self, key: &str) -> Self {
        let mut hash = [0; HASH];
        // Where a record has a header, its name is a hash.
        let _ = hex::decode_to_slice(key, &mut hash);
        Self { moved_to: Some(hash), ..self }
    }

    /// The name of the record that the session has moved to.
    pub fn successor(&self) -> Option<String> {
        self.moved_to.map(hex::encode)
    }
}
