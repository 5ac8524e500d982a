use super::{State, Value};
use crate::json::{self, Marks};
use crate::sys::wiped::WipedText;

/// A value's JSON text, checked and without white space between its parts, that is kept outside any state.
#[derive(Default)]
pub(crate) struct JsonText {
    pub json: WipedText,
    pub marks: Marks,
}

impl JsonText {
    /// A copy of a JSON text that has been checked.
    pub fn new(json: &str, marks: Marks) -> Self {
        let mut compact = WipedText::with_capacity(json.len());
        match marks.loose {
            true => json::compact(json, &mut compact),
            false => compact.push_str(json),
        }
        Self { json: compact, marks: Marks { loose: false, ..marks } }
    }

    /// A copy of a value of a state.
    pub fn of(state: &State, value: Value) -> Self {
        Self::new(state.text(value.span), value.marks)
    }
}

impl State {
    /// Sets a key to a copy of a value.
    pub fn set_json(&mut self, key: &str, value: &JsonText) {
        let value = self.keep(&value.json, value.marks);
        self.set(key, value);
    }

    /// True if a key holds a text that is not empty and has no lone surrogate.
    pub fn has_text(&self, key: &str) -> bool {
        let inside = self.get(key).and_then(|value| self.inside(value));
        inside.is_some_and(|inside| inside.len() > 0 && json::is_text(self.text(inside)))
    }
}
