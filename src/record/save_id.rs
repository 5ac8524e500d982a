//! Ids of saves, which distinguish the saves of one record.
//!
//! They protect no secret. Each factory therefore asks the system for random bytes only once in each process, not for
//! each save.

use std::sync::atomic::{AtomicU64, Ordering};

use crate::error::Error;
use crate::sys::per_process::PerProcess;

pub(super) type SaveId = [u8; 4];

/// Makes ids of saves.
pub(super) struct SaveIds(PerProcess<Sequence>);

struct Sequence {
    /// A random number from which all ids are derived. `None` if the system gave no random bytes.
    start: Option<u64>,
    /// The number of ids made so far.
    count: AtomicU64,
}

impl Default for SaveIds {
    fn default() -> Self {
        Self(PerProcess::new(|| {
            let mut start = [0; 8];
            let start = getrandom::fill(&mut start).ok().map(|()| u64::from_le_bytes(start));
            Sequence { start, count: AtomicU64::new(0) }
        }))
    }
}

impl SaveIds {
    pub fn next(&self) -> Result<SaveId, Error> {
        let sequence = self.0.get();
        let none = || Error::Random("it gave none when this process first used the factory".to_owned());
        let count = sequence.count.fetch_add(1, Ordering::Relaxed).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        // The last step of SplitMix64: two numbers in a row differ in about half of their bits.
        let mut mixed = sequence.start.ok_or_else(none)?.wrapping_add(count);
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        Ok(((mixed ^ (mixed >> 31)) as u32).to_be_bytes())
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::SaveIds;
    #[cfg(unix)]
    use crate::sys::fork::tests::Child;

    #[test]
    fn ids_rarely_repeat() {
        let save_ids = SaveIds::default();
        let ids: HashSet<_> = (0..10_000).map(|_| save_ids.next().unwrap()).collect();
        assert!(ids.len() > 9_990, "{}", ids.len());
    }

    #[cfg(unix)]
    #[test]
    fn a_child_process_makes_other_ids() {
        let save_ids = SaveIds::default();
        save_ids.next().unwrap();
        let (reader, writer) = std::io::pipe().unwrap();
        let child = Child::fork(|| {
            use std::io::Write;
            let ids: Vec<u8> = (0..100).flat_map(|_| save_ids.next().unwrap()).collect();
            (&writer).write_all(&ids).unwrap();
        });
        assert!(child.succeeds());
        drop(writer);
        let mut theirs = Vec::new();
        std::io::Read::read_to_end(&mut { reader }, &mut theirs).unwrap();
        let theirs: HashSet<_> = theirs.chunks(4).map(<[u8]>::to_vec).collect();
        assert!((0..100).all(|_| !theirs.contains(save_ids.next().unwrap().as_slice())));
    }
}
