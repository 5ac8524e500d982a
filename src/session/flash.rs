//! Flash messages: a queue `q` is the list under the key `_f_` + q.

use crate::arena::Span;
use crate::error::Error;
use crate::json::Marks;
use crate::session::changes::{Change, JsonText};
use crate::session::{Session, check_length, json_string, read};
use crate::state::{State, Value};
use crate::wiped::WipedText;

impl Session {
    /// Adds a message, given as JSON text, to the end of a queue; the default queue is `""`.
    ///
    /// With `allow_duplicate` false, a message that equals one in the queue, as Python compares them, is not added.
    ///
    /// # Errors
    /// [`Error::Json`] and [`Error::Range`] as in [`Session::set`]; [`Error::Type`] if the queue's key holds something
    /// that is no list.
    pub fn flash(&mut self, json: &str, queue: &str, allow_duplicate: bool) -> Result<(), Error> {
        let key = key(queue);
        let marks = super::check(&key, json)?;
        self.append(key, JsonText::new(json, marks), allow_duplicate)
    }

    /// Adds a text to the end of a queue, otherwise as [`Session::flash`].
    ///
    /// # Errors
    /// As [`Session::flash`].
    pub fn flash_string(&mut self, text: &str, queue: &str, allow_duplicate: bool) -> Result<(), Error> {
        let message = JsonText { json: json_string(text)?, marks: Marks::default() };
        self.append(key(queue), message, allow_duplicate)
    }

    fn append(&mut self, key: WipedText, message: JsonText, allow_duplicate: bool) -> Result<(), Error> {
        self.depended = true;
        let added = append(&mut self.state, &key, &message, allow_duplicate)?;
        self.was_touched();
        if added {
            self.note(|_| Change::Flash { key, message, allow_duplicate });
            self.state.settle(Span::EMPTY);
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
            self.note(|state| Change::PopFlash { key, messages: JsonText::of(state, messages) });
        }
        self.was_touched();
        Ok(match found {
            Some(messages) => {
                let span = self.state.settle(messages.span);
                self.state.text(span)
            }
            None => "[]",
        })
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
pub(super) fn append(state: &mut State, key: &str, message: &JsonText, allow_duplicate: bool) -> Result<bool, Error> {
    let list = list(state, key)?;
    check_length(list.map_or(0, |list| list.span.len()) + message.json.len() + "[,]".len())?;
    if !allow_duplicate && list.is_some_and(|list| state.holds(list, &message.json)) {
        return Ok(false);
    }
    state.append(key, &message.json, message.marks);
    Ok(true)
}

fn key(queue: &str) -> WipedText {
    let mut key = WipedText::with_capacity("_f_".len() + queue.len());
    key.push_str("_f_");
    key.push_str(queue);
    key
}
