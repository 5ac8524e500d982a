//! An index that finds a key in constant time, however many keys there are.

use std::hash::{BuildHasher, RandomState};

use hashbrown::HashTable;

/// The positions of keys by their hashes. The hashes are randomized, so that nobody can choose keys that share one.
pub(super) struct Index {
    hasher: RandomState,
    slots: HashTable<Slot>,
    removed: Removed,
}

struct Slot {
    hash: u32,
    place: u32,
}

/// Spreads a hash over 64 bits, because the table uses the highest and the lowest bits.
fn spread(hash: u32) -> u64 {
    u64::from(hash).wrapping_mul(0x9e37_79b9_7f4a_7c15)
}

impl Index {
    pub fn with_capacity(keys: usize) -> Self {
        Self { hasher: RandomState::new(), slots: HashTable::with_capacity(keys), removed: Removed::default() }
    }

    pub fn hash(&self, key: &str) -> u32 {
        self.hasher.hash_one(key) as u32
    }

    /// Among the keys with this hash, the position for which `is_key` returns true.
    pub fn find(&self, hash: u32, is_key: impl Fn(usize) -> bool) -> Option<usize> {
        let is_here = |slot: &Slot| slot.hash == hash && is_key(slot.place as usize);
        self.slots.find(spread(hash), is_here).map(|slot| slot.place as usize)
    }

    /// Adds a key at the position after all others.
    pub fn push(&mut self, hash: u32, place: usize) {
        self.slots.insert_unique(spread(hash), Slot { hash, place: place as u32 }, |slot| spread(slot.hash));
        self.removed.push();
    }

    /// Removes a key. The other keys keep their positions. `places` is the number of positions, including gaps.
    pub fn remove(&mut self, hash: u32, place: usize, places: usize) {
        if let Ok(slot) = self.slots.find_entry(spread(hash), |slot| slot.place as usize == place) {
            slot.remove();
        }
        self.removed.add(place, places);
    }

    /// The number of keys.
    pub fn len(&self) -> usize {
        self.slots.len()
    }

    /// The position of the key with this number among the keys that were not removed.
    pub fn place(&self, number: usize) -> usize {
        self.removed.place(number)
    }

    /// Moves all keys forward so that no gaps of removed keys are left.
    pub fn close_gaps(&mut self) {
        for slot in &mut self.slots {
            slot.place -= self.removed.before(slot.place as usize);
        }
        self.removed = Removed::default();
    }
}

/// The removed positions, as a binary indexed tree. Nodes and positions are counted from 1 here: node `n` contains the
/// number of removed positions among the last `b` positions up to `n`, where `b` is the lowest set bit of `n`. The tree
/// is empty until a position is removed.
#[derive(Default)]
struct Removed(Vec<u32>);

impl Removed {
    fn push(&mut self) {
        if self.0.is_empty() {
            return;
        }
        let node = self.0.len() + 1;
        let (mut below, mut count) = (node - 1, 0);
        while below > node - lowest_bit(node) {
            count += self.0[below - 1];
            below -= lowest_bit(below);
        }
        self.0.push(count);
    }

    /// Counts a position as removed. `places` is the number of positions.
    fn add(&mut self, place: usize, places: usize) {
        self.0.resize(places.max(self.0.len()), 0);
        let mut node = place + 1;
        while let Some(count) = self.0.get_mut(node - 1) {
            *count += 1;
            node += lowest_bit(node);
        }
    }

    /// The number of removed positions before this one.
    fn before(&self, place: usize) -> u32 {
        let (mut node, mut count) = (place, 0);
        while node > 0 && !self.0.is_empty() {
            count += self.0[node - 1];
            node -= lowest_bit(node);
        }
        count
    }

    /// The position with this number among those that are not removed.
    fn place(&self, number: usize) -> usize {
        if self.0.is_empty() {
            return number;
        }
        let (mut passed, mut left) = (0, number);
        let mut step = 1 << self.0.len().ilog2();
        while step > 0 {
            if let Some(&removed) = self.0.get(passed + step - 1) {
                let there = step - removed as usize;
                if there <= left {
                    (passed, left) = (passed + step, left - there);
                }
            }
            step /= 2;
        }
        passed
    }
}

fn lowest_bit(node: usize) -> usize {
    node & node.wrapping_neg()
}

#[cfg(test)]
mod tests {
    use super::{Index, Removed};

    #[test]
    fn an_index_agrees_with_a_simple_list() {
        let (mut index, mut places, mut next) = (Index::with_capacity(0), Vec::new(), 0);
        for round in 0_usize..3000 {
            if round % 5 < 3 || places.is_empty() {
                index.push(next as u32 % 7, next);
                places.push(next);
                next += 1;
            } else {
                let place = places.remove(round * 31 % places.len());
                index.remove(place as u32 % 7, place, next);
            }
            assert_eq!(index.len(), places.len());
            for number in [0, places.len() / 2, places.len().saturating_sub(1)] {
                if let Some(place) = places.get(number) {
                    assert_eq!((index.place(number), index.removed.before(*place)), (*place, (*place - number) as u32));
                    assert_eq!(index.find(*place as u32 % 7, |found| found == *place), Some(*place));
                }
            }
            if round % 500 == 499 {
                index.close_gaps();
                // The hashes in this test are derived from the positions, which have changed.
                let count = places.len();
                index = Index::with_capacity(count);
                (0..count).for_each(|place| index.push(place as u32 % 7, place));
                (places, next) = ((0..count).collect(), count);
            }
        }
    }

    #[test]
    fn gaps_are_closed() {
        let mut index = Index::with_capacity(8);
        (0..100).for_each(|place| index.push(place, place as usize));
        (0..100).filter(|place| place % 3 > 0).for_each(|place| index.remove(place, place as usize, 100));
        index.close_gaps();
        for place in (0..100).step_by(3) {
            assert_eq!(index.find(place, |_| true), Some(place as usize / 3));
        }
        assert_eq!((index.len(), index.place(33)), (34, 33));
    }

    #[test]
    fn without_removed_keys_the_tree_takes_no_memory() {
        let mut removed = Removed::default();
        removed.push();
        assert_eq!((removed.0.capacity(), removed.place(5), removed.before(5)), (0, 5, 0));
    }
}
