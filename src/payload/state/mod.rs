//! A session's data: an ordered map from keys to JSON text.
//!
//! Keys and values are spans of the payload that was opened, or of text that was set later. Values are not parsed into
//! a tree, so an unchanged value is written back exactly as it was read.

mod index;
mod json_text;
mod lists;
mod number;
mod searched;

use std::collections::BTreeMap;
use std::iter::once;
use std::ops::Range;

use self::index::Index;
use self::searched::Searched;
use crate::json::{self, Fault, Marks, Scanner};
use crate::payload::arena::{Arena, Span};
use crate::payload::pickle::{Forms, Origin, Whole};
use crate::sys::wiped::WipedText;

pub(crate) use self::json_text::JsonText;

#[derive(Clone, Copy)]
struct Entry {
    /// The key as it is written in JSON, without its quotes.
    key: Span,
    key_escaped: bool,
    /// A 32-bit fingerprint of the key. Different keys rarely share one.
    fingerprint: u32,
    value: Span,
    marks: Marks,
}

/// The text between a key and its value in compact JSON.
const KEY_END: &str = "\":";

impl Entry {
    /// Turns the entry into a gap. This is done for a key that is removed from many.
    fn remove(&mut self) {
        (self.key, self.value) = (Span::EMPTY, Span::EMPTY);
    }

    /// True if the entry is a gap. Any real value has at least one byte.
    fn is_gap(&self) -> bool {
        self.value.len() == 0
    }

    /// The span of the key and the value together, if only [`KEY_END`] is between them and the value has no white
    /// space.
    fn as_written(&self) -> Option<Span> {
        self.key.join(KEY_END.len(), self.value).filter(|_| !self.marks.loose)
    }
}

/// The span of a value's JSON text, and the value's properties.
#[derive(Clone, Copy)]
pub(crate) struct Value {
    pub span: Span,
    pub marks: Marks,
}

#[derive(Default)]
pub(crate) struct State {
    arena: Arena,
    entries: Vec<Entry>,
    /// An index of the keys if there are more than [`SOME`], so that finding one takes no longer than among a few.
    index: Option<Box<Index>>,
    /// Lists in which an element was searched for.
    searched: Option<Box<Searched>>,
    /// Texts that were made for reading since the last change, so that they are not made twice.
    cache: Option<Box<Cache>>,
    hidden: Option<Box<Hidden>>,
    /// The origin of a state that was read from a pickle.
    origin: Option<Box<Origin>>,
}

#[derive(Default)]
struct Cache {
    /// Derived texts, each by the span of its source.
    derived: BTreeMap<Span, Span>,
    /// The text of the whole object.
    whole: Option<Span>,
}

/// Values that another library stores together with a session's data, as JSON texts by name. They are written back, but
/// are not part of the dictionary.
#[derive(Default)]
struct Hidden(Vec<(&'static str, Span)>);

/// For up to this many keys, duplicates are found by comparing each fingerprint with all earlier ones.
const FEW: usize = 8;
/// For up to this many keys, duplicates are found with a table on the stack. More keys have an index.
const SOME: usize = 128;

impl State {
    /// Scans the members of the object in `payload` at the scanner's position.
    pub fn scan(payload: &str, scanner: &mut Scanner<'_>) -> Result<Members, Fault> {
        let mut entries = Vec::with_capacity(8 + (payload.len() - scanner.at) / 48);
        json::members(scanner, |key, start, end, marks| {
            entries.push(Entry {
                key: Span::of_payload(key.start, key.end),
                key_escaped: key.escaped,
                fingerprint: match key.escaped {
                    true => escaped_fingerprint(&payload[key.start..key.end]),
                    false => fingerprint(&payload.as_bytes()[key.start..key.end]),
                },
                value: Span::of_payload(start, end),
                marks,
            });
        })?;
        Ok(Members(entries))
    }

    pub fn new(payload: WipedText, Members(entries): Members) -> Self {
        let arena = Arena::new(payload);
        let mut state = Self { arena, entries, ..Self::default() };
        if state.entries.len() > SOME {
            state.make_index();
        } else if state.may_have_duplicates() {
            state.merge_by_sorting();
        }
        state
    }

    /// Records the information about the state's pickle that its JSON text cannot express.
    pub fn set_origin(&mut self, origin: Origin) {
        self.origin = Some(Box::new(origin));
    }

    pub fn origin(&self) -> Option<&Origin> {
        self.origin.as_deref()
    }

    /// The pickle that the state was read from, if the state has not changed since.
    pub fn whole_pickle(&self) -> Option<&Whole> {
        self.origin.as_ref()?.whole.as_ref()
    }

    /// The forms of the values in the text that [`State::dump`] writes, if that text begins at byte `at`.
    pub fn forms(&self, mut at: usize) -> Forms {
        let mut forms = Forms::new();
        let Some(origin) = self.origin() else { return forms };
        for entry in self.entries.iter().filter(|entry| !entry.is_gap()) {
            at += "{\"".len() + entry.key.len() + KEY_END.len();
            if entry.value.is_of_payload() {
                let range = entry.value.range();
                let first = origin.forms.partition_point(|(place, _)| *place < range.start);
                let inside = origin.forms[first..].iter().take_while(|(place, _)| *place < range.end);
                forms.extend(inside.map(|(place, form)| (place - range.start + at, *form)));
            }
            // The JSON text of a pickle has no white space, so the value is written with the same length.
            at += entry.value.len();
        }
        forms
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
        self.index.as_ref().map_or(self.entries.len(), |index| index.len())
    }

    /// True if two keys have the same fingerprint. There must be at most [`SOME`] keys.
    fn may_have_duplicates(&self) -> bool {
        let prints = |range: Range<usize>| self.entries[range].iter().map(|entry| entry.fingerprint);
        match self.entries.len() {
            count @ 0..=FEW => {
                (1..count).any(|later| prints(0..later).any(|earlier| earlier == self.entries[later].fingerprint))
            }
            count => {
                // There are twice as many slots as keys. A slot contains the position of a key, counted from 1.
                let mut table = [0; 2 * SOME];
                prints(0..count).enumerate().any(|(later, print)| {
                    // The highest bits depend on all bits that went into the fingerprint.
                    let mut slot = (print >> 24) as usize;
                    while let Some(earlier) = usize::from(table[slot]).checked_sub(1) {
                        if self.entries[earlier].fingerprint == print {
                            return true;
                        }
                        slot = (slot + 1) % table.len();
                    }
                    table[slot] = later as u8 + 1;
                    false
                })
            }
        }
    }

    /// Merges duplicate keys. As in Python, the last value counts, at the first position.
    fn merge_by_sorting(&mut self) {
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

    /// Makes the index of the keys and merges duplicate keys. As in Python, the last value counts, at the first
    /// position.
    #[cold]
    fn make_index(&mut self) {
        let mut index = Index::with_capacity(self.entries.len());
        let mut count = 0;
        for place in 0..self.entries.len() {
            let entry = self.entries[place];
            let hash = self.hash(&index, &entry);
            match index.find(hash, |earlier| self.have_one_key(&self.entries[earlier], &entry)) {
                Some(earlier) => {
                    (self.entries[earlier].value, self.entries[earlier].marks) = (entry.value, entry.marks);
                }
                None => {
                    index.push(hash, count);
                    self.entries[count] = entry;
                    count += 1;
                }
            }
        }
        self.entries.truncate(count);
        self.index = Some(Box::new(index));
    }

    /// The hash of a key, in which a lone surrogate counts as U+FFFD. Equal keys have the same hash.
    fn hash(&self, index: &Index, entry: &Entry) -> u32 {
        match entry.key_escaped {
            true => index.hash(&json::unescaped(self.text(entry.key))),
            false => index.hash(self.text(entry.key)),
        }
    }

    fn have_one_key(&self, one: &Entry, other: &Entry) -> bool {
        let [key, other_key] = [one, other].map(|entry| self.text(entry.key));
        match one.key_escaped || other.key_escaped {
            true => json::code_points(key).eq(json::code_points(other_key)),
            false => key == other_key,
        }
    }

    #[inline]
    fn find(&self, key: &str) -> Option<usize> {
        match &self.index {
            None => {
                let print = fingerprint(key.as_bytes());
                self.entries.iter().position(|entry| entry.fingerprint == print && self.is_key(entry, key))
            }
            Some(index) => self.find_by(index, key),
        }
    }

    #[inline(never)]
    fn find_by(&self, index: &Index, key: &str) -> Option<usize> {
        index.find(index.hash(key), |place| self.is_key(&self.entries[place], key))
    }

    #[inline(always)]
    fn is_key(&self, entry: &Entry, key: &str) -> bool {
        match entry.key_escaped {
            true => json::code_points(self.text(entry.key)).eq(key.chars().map(u32::from)),
            false => self.arena.bytes(entry.key) == key.as_bytes(),
        }
    }

    #[inline]
    pub fn get(&self, key: &str) -> Option<Value> {
        self.find(key).map(|index| self.value(index))
    }

    fn value(&self, index: usize) -> Value {
        let Entry { value: span, marks, .. } = self.entries[index];
        Value { span, marks }
    }

    /// The key (as it is written, without its quotes) and the value at a position.
    pub fn at(&self, number: usize) -> Option<(Span, Value)> {
        let index = match &self.index {
            Some(index) if number < index.len() => index.place(number),
            Some(_) => return None,
            None => number,
        };
        let entry = self.entries.get(index)?;
        Some((entry.key, self.value(index)))
    }

    /// Keeps a compact copy of a value, whose JSON text has been checked.
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
            None => self.push(key, value),
        }
    }

    fn push(&mut self, key: &str, value: Value) {
        let written = self.arena.write(json::escaped_len(key), |out| json::escape(key, out));
        let key_escaped = written.len() != key.len();
        let fingerprint = fingerprint(key.as_bytes());
        self.entries.push(Entry { key: written, key_escaped, fingerprint, value: value.span, marks: value.marks });
        match &mut self.index {
            Some(index) => index.push(index.hash(key), self.entries.len() - 1),
            None if self.entries.len() > SOME => self.make_index(),
            None => {}
        }
    }

    pub fn delete(&mut self, key: &str) -> Option<Value> {
        let index = self.find(key)?;
        self.changed();
        let deleted = self.value(index);
        match self.index {
            Some(_) => self.leave_gap(key, index),
            None => drop(self.entries.remove(index)),
        }
        Some(deleted)
    }

    /// Removes one of many keys. The other entries stay at their positions until more than half of the entries are
    /// gaps.
    #[cold]
    fn leave_gap(&mut self, key: &str, place: usize) {
        let Some(index) = &mut self.index else { return };
        index.remove(index.hash(key), place, self.entries.len());
        self.entries[place].remove();
        if self.entries.len() > 2 * index.len() {
            index.close_gaps();
            self.entries.retain(|entry| !entry.is_gap());
            if self.entries.len() <= SOME / 2 {
                self.index = None;
            }
        }
    }

    pub fn clear(&mut self) {
        self.changed();
        self.entries.clear();
        self.index = None;
    }

    /// Removes everything: the data, the hidden values and the origin.
    pub fn reset(&mut self) {
        self.clear();
        self.hidden = None;
        self.origin = None;
    }

    /// Adds a hidden value with a name.
    pub fn hide(&mut self, name: &'static str, json: Span) {
        self.hidden.get_or_insert_default().0.push((name, json));
    }

    /// The JSON text of the hidden value with a name.
    pub fn hidden(&self, name: &str) -> Option<&str> {
        self.hidden_at(name).map(|json| self.text(json))
    }

    /// The span of the hidden value with a name.
    pub fn hidden_at(&self, name: &str) -> Option<Span> {
        let Hidden(hidden) = self.hidden.as_deref()?;
        hidden.iter().find(|(hidden, _)| *hidden == name).map(|(_, json)| *json)
    }

    fn changed(&mut self) {
        self.cache = None;
        if let Some(origin) = &mut self.origin {
            origin.whole = None;
        }
    }

    /// Ends a change. If there is more unused text than used text, frees the unused text. All spans and views become
    /// invalid then, except that of `kept`, for which this returns the new span.
    #[inline]
    pub fn settle(&mut self, kept: Span) -> Span {
        if self.arena.is_overgrown() { self.collect(kept) } else { kept }
    }

    #[cold]
    fn collect(&mut self, mut kept: Span) -> Span {
        self.cache = None;
        self.searched = None;
        let entries = self.entries.iter_mut().flat_map(|entry| [&mut entry.key, &mut entry.value]);
        let hidden = self.hidden.iter_mut().flat_map(|hidden| hidden.0.iter_mut().map(|(_, json)| json));
        self.arena.collect(entries.chain(hidden).chain(once(&mut kept)));
        kept
    }

    /// The span of a string without its quotes. `None` if the value is not a string.
    pub fn inside(&self, value: Value) -> Option<Span> {
        self.text(value.span).starts_with('"').then(|| value.span.part(1, value.span.len() - 1))
    }

    /// The unescaped text of the string at `inside`, which is a span without quotes. A lone surrogate is replaced by
    /// `lone_surrogate`. If that is `None`, a string with a lone surrogate gives `None`.
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

    /// The text that `make` makes from the text at `from`. It may be at most twice as long.
    fn derive(&mut self, from: Span, make: impl FnOnce(&str, &mut String)) -> Span {
        if let Some(&made) = self.cache.as_ref().and_then(|cache| cache.derived.get(&from)) {
            return made;
        }
        let text = WipedText::from(self.text(from));
        let made = self.arena.write(2 * text.len(), |out| make(&text, out));
        self.cache.get_or_insert_default().derived.insert(from, made);
        made
    }

    /// The whole object as strict JSON: `null` for each number that is not finite.
    pub fn whole(&mut self) -> Span {
        if let Some(whole) = self.cache.as_ref().and_then(|cache| cache.whole) {
            return whole;
        }
        let mut text = WipedText::with_capacity(2 * self.dump_most());
        self.dump_finite(&mut text);
        let whole = self.arena.push(&text);
        self.cache.get_or_insert_default().whole = Some(whole);
        whole
    }

    /// The most bytes that [`State::dump`] writes.
    pub fn dump_most(&self) -> usize {
        let most = |entry: &Entry| entry.key.len() + entry.value.len() + r#""":,"#.len();
        self.entries.iter().map(most).sum::<usize>() + "{}".len()
    }

    /// Appends the whole object as compact JSON. Entries that are still adjacent in the payload are copied in one
    /// piece.
    pub fn dump(&self, out: &mut String) {
        let mut before = "{\"";
        let mut entries = self.entries.iter().peekable();
        while let Some(entry) = entries.next() {
            let written = entry.as_written();
            if written.is_none() && entry.is_gap() {
                continue;
            }
            out.push_str(before);
            before = ",\"";
            match written {
                Some(mut run) => {
                    let behind = |run: Span, next: &&Entry| run.join(before.len(), next.as_written()?);
                    while let Some(longer) = entries.peek().and_then(|next| behind(run, next)) {
                        run = longer;
                        entries.next();
                    }
                    out.push_str(self.text(run));
                }
                None => {
                    self.write_key(entry, out);
                    match entry.marks.loose {
                        true => json::compact(self.text(entry.value), out),
                        false => out.push_str(self.text(entry.value)),
                    }
                }
            }
        }
        // If there are entries, at least one of them is not a gap.
        out.push_str(if self.entries.is_empty() { "{}" } else { "}" });
    }

    /// Appends the whole object as strict JSON: `null` for each number that is not finite.
    fn dump_finite(&self, out: &mut String) {
        let mut before = "{\"";
        for entry in self.entries.iter().filter(|entry| !entry.is_gap()) {
            out.push_str(before);
            before = ",\"";
            self.write_key(entry, out);
            match entry.marks.not_finite {
                true => json::finite(self.text(entry.value), out),
                false => out.push_str(self.text(entry.value)),
            }
        }
        // If there are entries, at least one of them is not a gap.
        out.push_str(if self.entries.is_empty() { "{}" } else { "}" });
    }

    fn write_key(&self, entry: &Entry, out: &mut String) {
        out.push_str(self.text(entry.key));
        out.push_str(KEY_END);
    }
}

/// The members that [`State::scan`] found. [`State::new`] combines them with the text that contains them.
pub(crate) struct Members(Vec<Entry>);

/// A fingerprint made from the key's first and last eight bytes and its length.
#[inline]
fn fingerprint(key: &[u8]) -> u32 {
    let (first, last) = match (key.first_chunk(), key.last_chunk(), key.first_chunk(), key.last_chunk()) {
        (Some(first), Some(last), ..) => (u64::from_le_bytes(*first), u64::from_le_bytes(*last)),
        (_, _, Some(first), Some(last)) => (u32::from_le_bytes(*first).into(), u32::from_le_bytes(*last).into()),
        _ => (key.iter().fold(0, |word, byte| word << 8 | u64::from(*byte)), 0),
    };
    let mixed = (first ^ last.rotate_left(29) ^ key.len() as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    (mixed >> 32) as u32
}

/// The fingerprint of the unescaped text of a key that is written with escapes.
#[cold]
fn escaped_fingerprint(written: &str) -> u32 {
    fingerprint(json::unescaped(written).as_bytes())
}

#[cfg(test)]
mod tests {
    use super::{SOME, State};
    use crate::json::{Marks, Scanner};
    use crate::sys::wiped::WipedText;

    fn opened(keys: usize) -> State {
        let members: Vec<String> = (0..keys).map(|number| format!("\"k{number}\":{number}")).collect();
        let payload = WipedText::from(&*format!("{{{}}}", members.join(",")));
        let members = State::scan(&payload, &mut Scanner::lenient(&payload)).unwrap();
        State::new(payload, members)
    }

    fn built(keys: usize) -> State {
        let mut state = State::default();
        for number in 0..keys {
            let value = state.keep(&number.to_string(), Marks::default());
            state.set(&format!("k{number}"), value);
        }
        state
    }

    #[test]
    fn only_many_keys_have_an_index() {
        for make in [opened, built] {
            for (keys, has_index) in [(0, false), (1, false), (SOME, false), (SOME + 1, true), (5000, true)] {
                assert_eq!(make(keys).index.is_some(), has_index, "{keys} keys");
            }
        }
    }

    #[test]
    fn deleted_keys_leave_no_more_gaps_than_there_are_keys() {
        for make in [opened, built] {
            let mut state = make(5000);
            for number in 0..5000 {
                assert!(state.delete(&format!("k{number}")).is_some());
                assert!(state.entries.len() <= 2 * state.len(), "{} places for {}", state.entries.len(), state.len());
                let first = state.at(0).map(|(key, _)| state.text(key).to_owned());
                assert_eq!(first, (number < 4999).then(|| format!("k{}", number + 1)));
            }
            assert!(state.index.is_none() && state.dump_most() == 2);
        }
    }
}
