//! The elements of long lists by their hashes, so that repeated searches in a long list take no longer than in a short
//! one.

use std::collections::HashMap;
use std::hash::{BuildHasher, RandomState};

use hashbrown::HashTable;

use crate::json;
use crate::json::equality::canonical;
use crate::payload::arena::Span;
use crate::sys::wiped::WipedBytes;

/// The elements of longer lists by their hashes. The key is a list's span: a list that has changed has another span.
#[derive(Default)]
pub(super) struct Searched(pub HashMap<Span, Elements>);

#[derive(Default)]
pub(super) struct Elements {
    hasher: RandomState,
    /// For each element, the hash of its canonical form and its position in the list. Of equal elements only the first
    /// is included.
    slots: HashTable<(u64, u32)>,
}

impl Elements {
    pub fn of(list: &str) -> Self {
        let mut elements = Self::default();
        json::elements(list).for_each(|(start, element)| elements.add(list, start, &canonical(element)));
        elements
    }

    pub fn holds(&self, list: &str, wanted: &WipedBytes) -> bool {
        let hash = self.hasher.hash_one(&***wanted);
        let is_equal =
            |start: u32| json::value_at(list, start as usize).is_some_and(|value| canonical(value) == *wanted);
        self.slots.find(hash, |&(other, start)| other == hash && is_equal(start)).is_some()
    }

    /// Adds the element that begins at byte `start` of the list.
    pub fn add(&mut self, list: &str, start: usize, element: &WipedBytes) {
        if !self.holds(list, element) {
            let hash = self.hasher.hash_one(&***element);
            self.slots.insert_unique(hash, (hash, start as u32), |&(hash, _)| hash);
        }
    }
}
