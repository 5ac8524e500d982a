//! Flash messages: a queue `q` is the list under the key `_f_` + q.

use crate::error::Error;
use crate::json;
use crate::session::changes::Change;
use crate::session::{Session, check_length, read};
use crate::state::{State, Value};
use crate::value::Tree;
use crate::wiped::WipedText;

impl Session {
    /// Adds a message, given as JSON text, to the end of a queue; the default queue is `""`.
    ///
    /// With `allow_duplicate` false, a message that equals one in the queue is not added.
    ///
    /// # Errors
    /// [`Error::Json`] as in [`Session::set`]; [`Error::Type`] if the queue's key holds something that is no list.
    pub fn flash(&mut self, json: &str, queue: &str, allow_duplicate: bool) -> Result<(), Error> {
        let message = self.keep(json)?;
        self.append(message, queue, allow_duplicate)
    }

    /// Adds a text to the end of a queue, otherwise as [`Session::flash`].
    ///
    /// # Errors
    /// As [`Session::flash`].
    pub fn flash_string(&mut self, text: &str, queue: &str, allow_duplicate: bool) -> Result<(), Error> {
        let message = self.keep_string(text)?;
        self.append(message, queue, allow_duplicate)
    }

    fn append(&mut self, message: Value, queue: &str, allow_duplicate: bool) -> Result<(), Error> {
        self.depended = true;
        let key = key(queue);
        let added = append(&mut self.state, &key, message, allow_duplicate)?;
        self.was_touched();
        if added {
            self.note(|| Change::Flash { key: key.as_str().into(), message, allow_duplicate });
        }
        Ok(())
    }

    /// Takes a queue out of the session: a JSON array of its messages, the oldest first; `[]` where there is none.
    ///
    /// # Errors
    /// [`Error::Type`] if the queue's key holds something that is no list of JSON values; it stays.
    pub fn pop_flash(&mut self, queue: &str) -> Result<&str, Error> {
        self.depended = true;
        let key = key(queue);
        let found = list(&self.state, &key)?;
        if let Some(messages) = found {
            read::strict(&key, messages)?;
            self.state.delete(&key);
            self.note(|| Change::PopFlash { key: key.as_str().into(), messages });
        }
        self.was_touched();
        Ok(found.map_or("[]", |messages| self.state.text(messages.span)))
    }

    /// The same, and the queue stays.
    ///
    /// # Errors
    /// As [`Session::pop_flash`].
    pub fn peek_flash(&mut self, queue: &str) -> Result<&str, Error> {
        self.depended = true;
        let key = key(queue);
        list(&self.state, &key)?;
        Ok(self.get(&key)?.unwrap_or("[]"))
    }
}

/// The list under a queue's key.
fn list(state: &State, key: &str) -> Result<Option<Value>, Error> {
    let found = state.get(key);
    match found.map(|value| state.text(value.span)) {
        Some(text) if !text.starts_with('[') => Err(read::wrong_type(key, read::kind(text), "a list")),
        _ => Ok(found),
    }
}

/// Adds a message to the list under a key; false where it is a duplicate that is not wanted.
pub(super) fn append(state: &mut State, key: &str, message: Value, allow_duplicate: bool) -> Result<bool, Error> {
    let earlier = list(state, key)?;
    let length = earlier.map_or(0, |list| list.span.len()) + message.span.len() + "[,]".len();
    check_length(length)?;
    let text = state.text(message.span);
    let mut list = WipedText::with_capacity(length);
    list.push('[');
    if let Some(earlier) = earlier {
        let earlier = state.text(earlier.span);
        if !allow_duplicate {
            let message = Tree::of(text);
            if json::elements(earlier).any(|there| Tree::of(there) == message) {
                return Ok(false);
            }
        }
        let inside = earlier[1..earlier.len() - 1].trim_ascii();
        list.push_str(inside);
        if !inside.is_empty() {
            list.push(',');
        }
    }
    list.push_str(text);
    list.push(']');
    let marks = earlier.map_or(message.marks, |earlier| earlier.marks);
    let list = state.keep(&list, marks);
    state.set(key, list);
    Ok(true)
}

fn key(queue: &str) -> WipedText {
    let mut key = WipedText::with_capacity("_f_".len() + queue.len());
    key.push_str("_f_");
    key.push_str(queue);
    key
}
