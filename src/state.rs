//! A session's data: an ordered map from keys to JSON text.
//!
//! Keys and values are spans over the payload as it was opened, or over text that was set later; nothing is
//! parsed into a tree, so a value that nobody touches goes back exactly as it came.

use zeroize::Zeroizing;

use crate::arena::{Arena, Span};
use crate::json::{self, Fault, Marks, Scanner};

#[derive(Clone, Copy)]
struct Entry {
    /// Between the key's quotes, as it is written.
    key: Span,
    key_escaped: bool,
    value: Span,
    marks: Marks,
}

/// A value as it stands: its JSON text, and what is known of it.
#[derive(Clone, Copy)]
pub(crate) struct Value {
    pub span: Span,
    pub marks: Marks,
}

#[derive(Default)]
pub(crate) struct State {
    arena: Arena,
    entries: Vec<Entry>,
    /// What was made for reading since the last change: from what it was made, and where it stands. So asking
    /// twice costs nothing.
    derived: Vec<(Span, Span)>,
    /// The whole object, if it was made since the last change.
    whole: Option<Span>,
}

/// Above this many keys, duplicates are looked for by sorting.
const FEW: usize = 32;

impl State {
    /// The state whose text is the object in `payload` at the scanner's place.
    pub fn scan(payload: &str, scanner: &mut Scanner<'_>) -> Result<Members, Fault> {
        let mut entries = Vec::with_capacity(8 + (payload.len() - scanner.at) / 48);
        json::members(scanner, |key, start, end, marks| {
            entries.push(Entry {
                key: Span::of_payload(key.start, key.end),
                key_escaped: key.escaped,
                value: Span::of_payload(start, end),
                marks,
            });
        })?;
        Ok(Members(entries))
    }

    pub fn new(payload: Zeroizing<String>, Members(entries): Members) -> Self {
        let mut state = Self { arena: Arena::new(payload), entries, derived: Vec::new(), whole: None };
        state.merge_duplicates();
        state
    }

    pub fn arena(&self) -> &Arena {
        &self.arena
    }

    pub fn arena_mut(&mut self) -> &mut Arena {
        &mut self.arena
    }

    #[inline]
    pub fn text(&self, span: Span) -> &str {
        self.arena.text(span)
    }

    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Of a key that stands twice, the last value counts, at the first place, as in Python.
    fn merge_duplicates(&mut self) {
        if self.entries.len() <= FEW {
            let mut index = 1;
            while index < self.entries.len() {
                match (0..index).find(|&earlier| self.same_key(earlier, index)) {
                    Some(earlier) => self.merge(earlier, index),
                    None => index += 1,
                }
            }
            return;
        }
        let points = |index: &usize| json::code_points(self.text(self.entries[*index].key));
        let mut order: Vec<usize> = (0..self.entries.len()).collect();
        order.sort_by(|one, other| points(one).cmp(points(other)).then(one.cmp(other)));
        let mut pairs: Vec<(usize, usize)> = Vec::new();
        for group in order.chunk_by(|one, other| points(one).eq(points(other))) {
            pairs.extend(group[1..].iter().map(|later| (group[0], *later)));
        }
        pairs.sort_by_key(|&(_, later)| later);
        for &(earlier, later) in &pairs {
            (self.entries[earlier].value, self.entries[earlier].marks) =
                (self.entries[later].value, self.entries[later].marks);
        }
        let mut index = 0;
        self.entries.retain(|_| {
            index += 1;
            pairs.binary_search_by_key(&(index - 1), |&(_, later)| later).is_err()
        });
    }

    fn merge(&mut self, earlier: usize, later: usize) {
        let last = self.entries.remove(later);
        (self.entries[earlier].value, self.entries[earlier].marks) = (last.value, last.marks);
    }

    #[inline]
    fn same_key(&self, one: usize, other: usize) -> bool {
        let (one, other) = (&self.entries[one], &self.entries[other]);
        if one.key_escaped || other.key_escaped {
            return json::code_points(self.text(one.key)).eq(json::code_points(self.text(other.key)));
        }
        one.key.len() == other.key.len() && self.text(one.key) == self.text(other.key)
    }

    #[inline]
    fn find(&self, key: &str) -> Option<usize> {
        self.entries.iter().position(|entry| {
            if entry.key_escaped {
                return json::code_points(self.text(entry.key)).eq(key.chars().map(u32::from));
            }
            entry.key.len() == key.len() && self.text(entry.key) == key
        })
    }

    #[inline]
    pub fn get(&self, key: &str) -> Option<Value> {
        self.find(key).map(|index| self.value(index))
    }

    fn value(&self, index: usize) -> Value {
        let Entry { value: span, marks, .. } = self.entries[index];
        Value { span, marks }
    }

    /// The key (between its quotes, as it is written) and the value at a place.
    pub fn at(&self, index: usize) -> Option<(Span, Value)> {
        let entry = self.entries.get(index)?;
        Some((entry.key, self.value(index)))
    }

    /// Keeps a copy of a value's checked JSON text, compactly.
    pub fn keep(&mut self, json: &str, marks: Marks) -> Value {
        let span = self.arena.write(json.len(), |out| match marks.loose {
            true => json::compact(json, out),
            false => out.push_str(json),
        });
        Value { span, marks: Marks { loose: false, ..marks } }
    }

    pub fn set(&mut self, key: &str, value: Value) {
        self.changed();
        match self.find(key) {
            Some(index) => (self.entries[index].value, self.entries[index].marks) = (value.span, value.marks),
            None => {
                let written = self.arena.write(json::escaped_len(key), |out| json::escape(key, out));
                let key_escaped = written.len() != key.len();
                self.entries.push(Entry { key: written, key_escaped, value: value.span, marks: value.marks });
            }
        }
    }

    pub fn delete(&mut self, key: &str) -> Option<Value> {
        let index = self.find(key)?;
        self.changed();
        let Entry { value: span, marks, .. } = self.entries.remove(index);
        Some(Value { span, marks })
    }

    pub fn clear(&mut self) {
        self.changed();
        self.entries.clear();
    }

    fn changed(&mut self) {
        self.derived.clear();
        self.whole = None;
    }

    /// The text of a string that is written at `inside`. A lone surrogate becomes `lone_surrogate`, or makes it `None`.
    pub fn unescaped(&mut self, inside: Span, lone_surrogate: Option<char>) -> Option<Span> {
        if !self.text(inside).contains('\\') {
            return Some(inside);
        }
        if lone_surrogate.is_none() && !json::is_text(self.text(inside)) {
            return None;
        }
        Some(self.derive(inside, |written, out| {
            json::unescape(written, lone_surrogate, out);
        }))
    }

    /// A value's text, with `null` for each number that is not finite.
    pub fn finite(&mut self, value: Value) -> Span {
        if !value.marks.not_finite {
            return value.span;
        }
        self.derive(value.span, json::finite)
    }

    /// What `make` makes of a text, in at most twice the bytes.
    fn derive(&mut self, from: Span, make: impl FnOnce(&str, &mut String)) -> Span {
        if let Some(&(_, made)) = self.derived.iter().find(|(text, _)| *text == from) {
            return made;
        }
        let text = Zeroizing::new(self.text(from).to_owned());
        let made = self.arena.write(2 * text.len(), |out| make(&text, out));
        self.derived.push((from, made));
        made
    }

    /// The whole object as strict JSON: `null` for each number that is not finite.
    pub fn whole(&mut self) -> Span {
        if let Some(whole) = self.whole {
            return whole;
        }
        let mut text = Zeroizing::new(String::with_capacity(2 * self.dump_most()));
        self.write_object(&mut text, |value, out| match value.marks.not_finite {
            true => json::finite(self.text(value.span), out),
            false => out.push_str(self.text(value.span)),
        });
        let whole = self.arena.push(&text);
        self.whole = Some(whole);
        whole
    }

    /// Most bytes that [`State::dump`] writes.
    pub fn dump_most(&self) -> usize {
        let most = |entry: &Entry| entry.key.len() + entry.value.len() + r#""":,"#.len();
        self.entries.iter().map(most).sum::<usize>() + "{}".len()
    }

    /// Appends the whole object, compactly.
    pub fn dump(&self, out: &mut String) {
        self.write_object(out, |value, out| match value.marks.loose {
            true => json::compact(self.text(value.span), out),
            false => out.push_str(self.text(value.span)),
        });
    }

    fn write_object(&self, out: &mut String, mut write_value: impl FnMut(Value, &mut String)) {
        let mut before = "{\"";
        for (index, entry) in self.entries.iter().enumerate() {
            out.push_str(before);
            out.push_str(self.text(entry.key));
            out.push_str("\":");
            write_value(self.value(index), out);
            before = ",\"";
        }
        out.push_str(if self.entries.is_empty() { "{}" } else { "}" });
    }
}

/// What [`State::scan`] found, before it is joined with the text that it stands in.
pub(crate) struct Members(Vec<Entry>);
