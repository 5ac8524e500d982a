//! Flash messages: a queue `q` is the list under the key `_f_` + q.

use crate::error::Error;
use crate::json;
use crate::session::{Session, check_length, read};
use crate::state::Value;
use crate::value;
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
        let key = key(queue);
        let earlier = self.queue(&key)?;
        let length = earlier.map_or(0, |list| list.span.len()) + message.span.len() + "[,]".len();
        check_length(length)?;
        let text = self.state.text(message.span);
        let mut list = WipedText::with_capacity(length);
        if let Some(earlier) = earlier {
            let earlier = self.state.text(earlier.span);
            if !allow_duplicate && json::elements(earlier).any(|there| value::equal(there, text)) {
                self.was_touched();
                return Ok(());
            }
            let inside = earlier[1..earlier.len() - 1].trim_ascii_end();
            list.push('[');
            list.push_str(inside);
            if !inside.trim_ascii_start().is_empty() {
                list.push(',');
            }
        } else {
            list.push('[');
        }
        list.push_str(text);
        list.push(']');
        let marks = earlier.map_or(message.marks, |earlier| earlier.marks);
        let list = self.state.keep(&list, marks);
        self.store(&key, list)
    }

    /// Takes a queue out of the session: a JSON array of its messages, the oldest first; `[]` where there is none.
    ///
    /// # Errors
    /// [`Error::Type`] if the queue's key holds something that is no list of JSON values; it stays.
    pub fn pop_flash(&mut self, queue: &str) -> Result<&str, Error> {
        let key = key(queue);
        self.queue(&key)?;
        Ok(self.pop(&key)?.unwrap_or("[]"))
    }

    /// The same, and the queue stays.
    ///
    /// # Errors
    /// As [`Session::pop_flash`].
    pub fn peek_flash(&mut self, queue: &str) -> Result<&str, Error> {
        let key = key(queue);
        self.queue(&key)?;
        Ok(self.get(&key)?.unwrap_or("[]"))
    }

    fn queue(&mut self, key: &str) -> Result<Option<Value>, Error> {
        self.depended = true;
        let found = self.state.get(key);
        match found.map(|value| self.state.text(value.span)) {
            Some(text) if !text.starts_with('[') => Err(read::wrong_type(key, read::kind(text), "a list")),
            _ => Ok(found),
        }
    }
}

fn key(queue: &str) -> String {
    format!("_f_{queue}")
}
