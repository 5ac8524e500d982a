//! The header of khufu's records. It contains what a store, a list of sessions and a logout need, so that they need not
//! read the session's data.
//!
//! | bytes | content |
//! |---|---|
//! | 1 | version, 2 |
//! | 1 | flags: 0 in this version |
//! | 32 | the subject's name, or zeros |
//! | 32 | SHA-256 of the token |
//! | 8 + 8 | when the session began and was last used, as big-endian doubles, in seconds since the Unix epoch |
//! | 8 | the session's own lifetime in seconds; 0 if the option `timeout` applies |
//! | 16 | the random ids of the last four saves, the latest first |
//! | 2 | length of the label |
//! | 4 | length of the data |
//! | … | the label |
//!
//! All numbers are big-endian. The data follow the header, and then the snapshot, if there is one.

use std::ops::Range;

use crate::load::Refusal;
use crate::record::save_id::SaveId;
use crate::store::{SUBJECT_PLACE, SubjectName};

const VERSION: u8 = 2;
/// The number of bytes before the label.
const FIXED: usize = 112;
/// The number of saves whose ids a record contains.
pub(super) const SAVES: usize = 4;

pub(crate) type Hash = [u8; 32];

/// The fields of a header.
#[derive(Clone, Debug, Default)]
pub(crate) struct Header {
    pub subject: Option<SubjectName>,
    /// SHA-256 of the token.
    pub token: Hash,
    pub created: f64,
    pub accessed: f64,
    pub lifetime: u64,
    /// The random ids of the last saves, the latest first.
    pub saves: [SaveId; SAVES],
    pub label: Vec<u8>,
    /// The length of the data in bytes.
    pub data_len: u32,
}

impl Header {
    /// The length of the header in bytes.
    pub fn len(&self) -> usize {
        FIXED + self.label.len()
    }

    /// The range of the data in a record.
    pub fn data_range(&self) -> Range<usize> {
        self.len()..self.len() + self.data_len as usize
    }

    /// Reads the header of a record.
    pub fn read(record: &[u8]) -> Result<Self, Refusal> {
        let too_short = || Refusal::malformed("the record is too short");
        match record.first_chunk() {
            Some([VERSION, 0]) => {}
            Some([version, _]) if *version >= VERSION => {
                return Err(Refusal::unsupported("the record was written by a later version of khufu"));
            }
            Some(_) => return Err(Refusal::malformed("the record was not written by khufu")),
            None => return Err(too_short()),
        }
        let mut fields = Fields(record.get(2..FIXED).ok_or_else(too_short)?);
        let subject: Hash = fields.take();
        let header = Self {
            subject: (subject != [0; 32]).then_some(SubjectName(subject)),
            token: fields.take(),
            created: f64::from_be_bytes(fields.take()),
            accessed: f64::from_be_bytes(fields.take()),
            lifetime: u64::from_be_bytes(fields.take()),
            saves: std::array::from_fn(|_| fields.take()),
            label: {
                let length = u16::from_be_bytes(fields.take()).into();
                record[FIXED..].get(..length).ok_or_else(too_short)?.to_vec()
            },
            data_len: u32::from_be_bytes(fields.take()),
        };
        if !(header.created.is_finite() && header.accessed.is_finite()) {
            return Err(Refusal::malformed("a time in the record is not finite"));
        }
        if record.len() < header.data_range().end {
            return Err(too_short());
        }
        Ok(header)
    }

    /// Writes the header over the first bytes of a record.
    pub fn write(&self, record: &mut [u8]) {
        record[..2].copy_from_slice(&[VERSION, 0]);
        record[SUBJECT_PLACE].copy_from_slice(&self.subject.map_or([0; 32], |subject| subject.0));
        let fields: [&[u8]; 8] = [
            &self.token,
            &self.created.to_be_bytes(),
            &self.accessed.to_be_bytes(),
            &self.lifetime.to_be_bytes(),
            self.saves.as_flattened(),
            &(self.label.len() as u16).to_be_bytes(),
            &self.data_len.to_be_bytes(),
            &self.label,
        ];
        let mut at = SUBJECT_PLACE.end;
        for field in fields {
            record[at..at + field.len()].copy_from_slice(field);
            at += field.len();
        }
    }
}

/// Takes fields of a known length from the beginning of some bytes, which must be enough for every field.
struct Fields<'a>(&'a [u8]);

impl Fields<'_> {
    fn take<const N: usize>(&mut self) -> [u8; N] {
        let (field, rest) = self.0.split_first_chunk().expect("there are enough bytes for every field");
        self.0 = rest;
        *field
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn header() -> Header {
        Header {
            subject: Some(SubjectName([7; 32])),
            token: [9; 32],
            created: 1.25,
            accessed: 1_700_000_000.0,
            lifetime: 3600,
            saves: [*b"abcd", *b"efgh", *b"ijkl", *b"mnop"],
            label: b"Firefox".to_vec(),
            data_len: 2,
        }
    }

    fn written(header: &Header) -> Vec<u8> {
        let mut record = vec![0; header.data_range().end];
        header.write(&mut record);
        record
    }

    #[test]
    fn a_header_is_read_as_it_was_written() {
        for header in [header(), Header { subject: None, label: vec![], data_len: 0, ..header() }] {
            let record = written(&header);
            let read = Header::read(&record).unwrap();
            assert_eq!(format!("{header:?}"), format!("{read:?}"));
            let name = read.subject.map_or([0; 32], |subject| subject.0);
            assert_eq!(record[SUBJECT_PLACE], name);
        }
    }

    #[test]
    fn a_record_that_is_cut_anywhere_is_malformed() {
        let record = written(&header());
        for length in 0..record.len() {
            assert!(Header::read(&record[..length]).is_err(), "{length}");
        }
    }

    #[test]
    fn times_are_finite_and_versions_are_known() {
        for wrong in [f64::NAN, f64::INFINITY] {
            assert!(Header::read(&written(&Header { accessed: wrong, ..header() })).is_err());
            assert!(Header::read(&written(&Header { created: wrong, ..header() })).is_err());
        }
        let mut record = written(&header());
        record[0] = 3;
        assert_eq!(Header::read(&record).unwrap_err().result, crate::LoadResult::Unsupported);
        record[0] = 1;
        assert_eq!(Header::read(&record).unwrap_err().result, crate::LoadResult::Malformed);
    }
}
