//! The lists in a state. The time and the memory that appending takes depend on the element, not on the list.

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

    /// The list at a key. `None` if the key does not exist.
    ///
    /// # Errors
    /// [`Error::Type`] if the key holds something other than a list.
    pub fn list(&self, key: &str) -> Result<Option<Value>, Error> {
        let found = self.get(key);
        match found.map(|value| self.text(value.span)) {
            Some(text) if !text.starts_with('[') => Err(Error::wrong_type(key, json::kind(text), "a list")),
            _ => Ok(found),
        }
    }

    /// The first element that begins at byte `from` of a list's text or later, and the position of the byte after it.
    /// `None` if there is no further element. Also `None` if no element can begin there, because the list has changed
    /// since the position was given.
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

    /// Adds an element to the list at a key. If the key does not exist, it is set to a new list. False if duplicates
    /// are not allowed and the list already has the element.
    ///
    /// # Errors
    /// [`Error::Type`] if the key holds something other than a list; [`Error::Range`] if the list would be too long.
    pub fn append(&mut self, key: &str, element: &JsonText, allow_duplicate: bool) -> Result<bool, Error> {
        let list = self.list(key)?;
        check_length(list.map_or(0, |list| list.span.len()) + element.json.len() + "[,]".len())?;
        if !allow_duplicate && list.is_some_and(|list| self.holds(list, &element.json)) {
            return Ok(false);
        }
        self.extend_list(key, &element.json, element.marks);
        Ok(true)
    }

    /// Removes elements from the list at a key. `elements` is a list as JSON text; an element that occurs in it several
    /// times is removed as many times. If no element is left, the key is deleted.
    ///
    /// # Errors
    /// [`Error::Type`] if the key holds something other than a list.
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

    /// Adds an element to the list at a key, or sets the key to a new list. The element must be compact JSON, and must
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
