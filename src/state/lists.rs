//! Appends elements to a list, and searches lists for elements. Appending one takes time and memory in proportion to
//! the element's own text, however long the list is.

use std::collections::HashMap;
use std::hash::{BuildHasher, RandomState};

use hashbrown::HashTable;

use super::{State, Value};
use crate::arena::Span;
use crate::json::{self, Marks};
use crate::value::canonical;
use crate::wiped::{WipedBytes, WipedText};

/// In a list of up to this many bytes, an element is searched for by comparing it with every element.
const SHORT: usize = 256;

/// The elements of longer lists by their hashes. The key is a list's span: a list that has changed has another span.
#[derive(Default)]
pub(super) struct Searched(HashMap<Span, Elements>);

#[derive(Default)]
struct Elements {
    hasher: RandomState,
    /// For each element, the hash of its canonical form and its position in the list. Of equal elements only the first
    /// is included.
    slots: HashTable<(u64, u32)>,
}

impl Elements {
    fn of(list: &str) -> Self {
        let mut elements = Self::default();
        json::elements(list).for_each(|(start, element)| elements.add(list, start, &canonical(element)));
        elements
    }

    fn holds(&self, list: &str, wanted: &WipedBytes) -> bool {
        let hash = self.hasher.hash_one(&***wanted);
        let is_equal = |start: u32| canonical(json::value_at(list, start as usize)) == *wanted;
        self.slots.find(hash, |&(other, start)| other == hash && is_equal(start)).is_some()
    }

    /// Adds the element that begins at byte `start` of the list.
    fn add(&mut self, list: &str, start: usize, element: &WipedBytes) {
        if !self.holds(list, element) {
            let hash = self.hasher.hash_one(&***element);
            self.slots.insert_unique(hash, (hash, start as u32), |&(hash, _)| hash);
        }
    }
}

impl State {
    /// True if a list contains an element that equals this one, as Python's `in` decides it.
    pub fn holds(&mut self, list: Value, element: &str) -> bool {
        let wanted = canonical(element);
        let text = self.arena.text(list.span);
        if text.len() <= SHORT {
            return json::elements(text).any(|(_, there)| there == element || canonical(there) == wanted);
        }
        let searched = self.searched.get_or_insert_default();
        searched.0.entry(list.span).or_insert_with(|| Elements::of(text)).holds(text, &wanted)
    }

    /// Adds an element to the list under a key, or makes the list if there is none. The element must be compact JSON,
    /// and must not be a view of the session.
    pub fn append(&mut self, key: &str, element: &str, marks: Marks) {
        let Some(index) = self.find(key) else {
            let span = self.arena.write(element.len() + "[]".len(), |out| {
                out.push('[');
                out.push_str(element);
                out.push(']');
            });
            return self.set(key, Value { span, marks });
        };
        self.changed();
        let mut list = self.value(index);
        if list.marks.loose {
            let text = WipedText::from(self.text(list.span));
            list = self.keep(&text, list.marks);
        }
        let comma = if list.span.len() > "[]".len() { "," } else { "" };
        let span = self.arena.extend(list.span, "]".len(), element.len() + ",]".len(), |out| {
            out.push_str(comma);
            out.push_str(element);
            out.push(']');
        });
        (self.entries[index].value, self.entries[index].marks) = (span, list.marks);
        if let Some(searched) = &mut self.searched
            && let Some(mut elements) = searched.0.remove(&list.span)
        {
            let start = list.span.len() - "]".len() + comma.len();
            elements.add(self.arena.text(span), start, &canonical(element));
            searched.0.insert(span, elements);
        }
    }
}
