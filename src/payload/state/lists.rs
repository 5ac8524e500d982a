//! Lists under a key that grow by one element at a time: each append takes as long, and as much memory, as its own text.

use std::collections::HashMap;

use super::searched::Elements;
use super::{JsonText, State, Value};
use crate::error::Error;
use crate::json::equality::canonical;
use crate::json::{self, Marks};
use crate::payload::arena::check_length;
use crate::sys::wiped::WipedText;

/// In a list of up to this many bytes, an element is searched for by comparing it with every element.
const SHORT: usize = 256;

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

    /// The list at a key, if the key is there.
    ///
    /// # Errors
    /// [`Error::Type`] if the key holds another type of value.
    pub fn list(&self, key: &str) -> Result<Option<Value>, Error> {
        let found = self.get(key);
        match found.map(|value| self.text(value.span)) {
            Some(text) if !text.starts_with('[') => Err(Error::wrong_type(key, json::kind(text), "a list")),
            _ => Ok(found),
        }
    }

    /// The next element of a list from a byte of the list on (0: the first), and the byte behind it. `None` at the end,
    /// and for a byte where no element can begin: the list may have changed since the byte was given.
    pub fn element(&self, list: Value, from: usize) -> Option<(Value, usize)> {
        let text = self.text(list.span);
        let from = from.max("[".len());
        let skipped = text.get(from..)?.find(|byte: char| byte != ',' && !byte.is_ascii_whitespace())?;
        let start = from + skipped;
        if text[start..].starts_with(']') {
            return None;
        }
        let end = start + json::value_at(text, start)?.len();
        Some((Value { span: list.span.part(start, end), marks: list.marks }, end))
    }

    /// Adds an element to the list at a key, which is made if it is not there. False if the list has the element
    /// already and duplicates are not allowed.
    ///
    /// # Errors
    /// [`Error::Type`] if the key holds another type of value; [`Error::Range`] if the list would be too long.
    pub fn append(&mut self, key: &str, element: &JsonText, allow_duplicate: bool) -> Result<bool, Error> {
        let list = self.list(key)?;
        check_length(list.map_or(0, |list| list.span.len()) + element.json.len() + "[,]".len())?;
        if !allow_duplicate && list.is_some_and(|list| self.holds(list, &element.json)) {
            return Ok(false);
        }
        self.extend_list(key, &element.json, element.marks);
        Ok(true)
    }

    /// Takes elements, given as the text of a list, out of the list at a key, each as often as it is given. The key is
    /// deleted with the last element.
    ///
    /// # Errors
    /// [`Error::Type`] if the key holds another type of value.
    pub fn take(&mut self, key: &str, elements: &str) -> Result<(), Error> {
        let Some(list) = self.list(key)? else { return Ok(()) };
        let mut times: HashMap<_, usize> = HashMap::new();
        for (_, element) in json::elements(elements) {
            *times.entry(canonical(element)).or_default() += 1;
        }
        let text = self.text(list.span);
        let mut left = WipedText::with_capacity(text.len());
        for (_, element) in json::elements(text) {
            match times.get_mut(&canonical(element)) {
                Some(times @ 1..) => *times -= 1,
                _ => {
                    let before = if left.is_empty() { '[' } else { ',' };
                    left.push(before);
                    left.push_str(element);
                }
            }
        }
        if left.is_empty() {
            self.delete(key);
            return Ok(());
        }
        left.push(']');
        self.set_json(key, &JsonText { json: left, marks: list.marks });
        Ok(())
    }

    /// Adds an element to the list at a key, or makes the list if there is none. The element must be compact JSON, and must
    /// not be a view of the session.
    fn extend_list(&mut self, key: &str, element: &str, marks: Marks) {
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
