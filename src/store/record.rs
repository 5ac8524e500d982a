//! What stands in a record: a header, then a payload like a cookie's.
//!
//! The header is 34 bytes: the version (1), flags, and the subject's name or zeros.

use crate::load::Refusal;
use crate::store::id::Subject;

pub(crate) const HEADER: usize = 34;

const VERSION: u8 = 1;
const MOVED: u8 = 1;
const OF_SUBJECT: u8 = 2;

/// What a record's header says.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Header {
    /// The session has moved to a new id; what stands here is how it was before, and may only be read.
    pub moved: bool,
    pub subject: Option<Subject>,
}

impl Header {
    /// Reads the header of a record's data.
    pub fn read(data: &[u8]) -> Result<Self, Refusal> {
        let Some(&[version, flags, ref subject @ ..]) = data.first_chunk::<HEADER>() else {
            return Err(Refusal::malformed("the record is too short"));
        };
        if version != VERSION {
            return Err(Refusal::unsupported("the record is of a later version"));
        }
        let subject = (flags & OF_SUBJECT != 0).then_some(Subject(*subject));
        Ok(Self { moved: flags & MOVED != 0, subject })
    }

    /// Writes the header over the first bytes of a record's data.
    pub fn write(self, data: &mut [u8]) {
        let flag = |on: bool, flag: u8| if on { flag } else { 0 };
        data[0] = VERSION;
        data[1] = flag(self.moved, MOVED) | flag(self.subject.is_some(), OF_SUBJECT);
        data[2..HEADER].copy_from_slice(&self.subject.map_or([0; 32], |subject| subject.0));
    }
}
