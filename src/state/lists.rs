//! Lists under a key that grow by one element at a time: each takes as long, and as much memory, as its own text.

use std::collections::HashMap;
use std::hash::{BuildHasher, RandomState};

use hashbrown::HashTable;

use super::{State, Value};
use crate::arena::Span;
use crate::json::{self, Marks};
use crate::value::canonical;
use crate::wiped::{WipedBytes, WipedText};

/// Bytes of a list in which an element is looked for by comparing it with each that is there.
const SHORT: usize = 256;

/// Longer lists, each with its elements by their hashes. A list that has changed stands somewhere else.
#[derive(Default)]
pub(super) struct Searched(HashMap<Span, Elements>);

#[derive(Default)]
struct Elements {
    hasher: RandomState,
    /// The hash of an element's canonical form, and the byte of the list at which it begins. Of equal ones, the first.
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

    /// Adds the element that begins at a byte of the list.
    fn add(&mut self, list: &str, start: usize, element: &WipedBytes) {
        if !self.holds(list, element) {
            let hash = self.hasher.hash_one(&***element);
            self.slots.insert_unique(hash, (hash, start as u32), |&(hash, _)| hash);
        }
    }
}

impl State {
    /// Whether a list holds an element that equals this one, as Python's `in` has it.
    pub fn holds(&mut self, list: Value, element: &str) -> bool {
        let wanted = canonical(element);
        let text = self.arena.text(list.span);
        if text.len() <= SHORT {
            return json::elements(text).any(|(_, there)| there == element || canonical(there) == wanted);
        }
        let searched = self.searched.get_or_insert_default();
        searched.0.entry(list.span).or_insert_with(|| Elements::of(text)).holds(text, &wanted)
    }

    /// Adds an element, given as compact JSON that is no view of the session, to the list under a key, or makes the list.
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
