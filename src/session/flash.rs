//! Flash messages. The queue `q` is the list at the key `_f_` + `q`.

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::error::Error;
use crate::json::Marks;
use crate::payload::state::JsonText;
use crate::record::changes::Change;
use crate::session::Session;
use crate::session::read::strict;
use crate::session::typed::{from_json, to_json};
use crate::session::write::{check, json_string};
use crate::sys::wiped::WipedText;

/// A queue of flash messages, from [`Session::queue`].
///
/// ```
/// # let mut session = khufu::Factory::new(&khufu::Options::new().secret("seekrit"))?.open(b"")?;
/// session.queue("errors").push("No such user.")?;
/// let errors: Vec<String> = session.queue("errors").pop()?;
/// assert_eq!(errors, ["No such user."]);
/// # Ok::<(), khufu::Error>(())
/// ```
pub struct Queue<'s> {
    session: &'s mut Session,
    key: WipedText,
    allow_duplicate: bool,
}

impl Session {
    /// Adds a message to the end of the default queue, so that a later request can show it. Pyramid's `flash`.
    ///
    /// # Errors
    /// As [`Queue::push`].
    pub fn flash<T: Serialize + ?Sized>(&mut self, message: &T) -> Result<(), Error> {
        self.queue("").push(message)
    }

    /// Removes all messages from the default queue and returns them, the oldest first. Pyramid's `pop_flash`.
    ///
    /// # Errors
    /// As [`Queue::pop`].
    pub fn pop_flash<T: DeserializeOwned>(&mut self) -> Result<Vec<T>, Error> {
        self.queue("").pop()
    }

    /// The messages in the default queue, the oldest first. They stay in the queue. Pyramid's `peek_flash`.
    ///
    /// # Errors
    /// As [`Queue::peek`].
    pub fn peek_flash<'s, T: Deserialize<'s>>(&'s mut self) -> Result<Vec<T>, Error> {
        self.queue("").peek()
    }

    /// The messages of a queue as a JSON array.
    fn messages(&mut self, key: &str) -> Result<&str, Error> {
        self.is_used.set(true);
        self.state.list(key)?;
        Ok(self.get_json(key)?.unwrap_or("[]"))
    }

    /// The queue of flash messages that has this name. The default queue's name is `""`.
    pub fn queue(&mut self, name: &str) -> Queue<'_> {
        let mut key = WipedText::with_capacity("_f_".len() + name.len());
        key.push_str("_f_");
        key.push_str(name);
        Queue { session: self, key, allow_duplicate: true }
    }
}

impl<'s> Queue<'s> {
    /// If false, a message is not added when the queue already has an equal one. The default is true. Messages are
    /// compared as Python compares them: 1 equals 1.0, and the order of keys is ignored. Pyramid's `allow_duplicate`.
    pub fn allow_duplicate(self, allow_duplicate: bool) -> Self {
        Self { allow_duplicate, ..self }
    }

    /// Adds a message to the end of the queue.
    ///
    /// # Errors
    /// [`Error::Serialize`], [`Error::Json`] and [`Error::Range`] as in [`Session::set`]; [`Error::Type`] if the
    /// queue's key holds something other than a list.
    pub fn push<T: Serialize + ?Sized>(self, message: &T) -> Result<(), Error> {
        let json = to_json(message)?;
        self.push_json(&json)
    }

    /// Adds a message, given as JSON text, to the end of the queue.
    ///
    /// # Errors
    /// [`Error::Json`] and [`Error::Range`] as in [`Session::set_json`]; [`Error::Type`] if the queue's key holds
    /// something other than a list.
    pub fn push_json(self, json: &str) -> Result<(), Error> {
        let marks = check(&self.key, json)?;
        self.session.append_element(self.key, JsonText::new(json, marks), self.allow_duplicate)
    }

    /// Adds a text to the end of the queue.
    ///
    /// # Errors
    /// [`Error::Range`] if it is longer than a session can hold (2 GiB); [`Error::Type`] if the queue's key holds
    /// something other than a list.
    pub fn push_str(self, text: &str) -> Result<(), Error> {
        let message = JsonText { json: json_string(text)?, marks: Marks::default() };
        self.session.append_element(self.key, message, self.allow_duplicate)
    }

    /// Removes all messages from the queue and returns them, the oldest first.
    ///
    /// # Errors
    /// [`Error::Type`] if the queue's key holds something other than a list, or a message cannot be read as that type.
    /// The messages stay in the queue then.
    pub fn pop<T: DeserializeOwned>(self) -> Result<Vec<T>, Error> {
        let messages = from_json(&self.key, self.session.messages(&self.key)?)?;
        self.pop_json()?;
        Ok(messages)
    }

    /// The messages in the queue, the oldest first. They stay in the queue.
    ///
    /// # Errors
    /// [`Error::Type`] if the queue's key holds something other than a list, or a message cannot be read as that type.
    pub fn peek<T: Deserialize<'s>>(self) -> Result<Vec<T>, Error> {
        let Self { session, key, .. } = self;
        from_json(&key, session.messages(&key)?)
    }

    /// Removes all messages from the queue and returns them as a JSON array, the oldest first. `[]` if there are none.
    ///
    /// # Errors
    /// [`Error::Type`] if the queue's key holds something other than a list of JSON values. The messages stay in
    /// the queue then.
    pub fn pop_json(self) -> Result<&'s str, Error> {
        let Self { session, key, .. } = self;
        session.is_used.set(true);
        let found = session.state.list(&key)?;
        if let Some(messages) = found {
            strict(&key, messages)?;
            session.state.delete(&key);
            session.note(|state| Change::Take { key, elements: JsonText::of(state, messages) });
        }
        session.note_access();
        Ok(match found {
            Some(messages) => {
                let span = session.state.settle(messages.span);
                session.state.text(span)
            }
            None => "[]",
        })
    }

    /// The messages in the queue as a JSON array, the oldest first. `[]` if there are none. They stay in the queue.
    ///
    /// # Errors
    /// [`Error::Type`] if the queue's key holds something other than a list of JSON values.
    pub fn peek_json(self) -> Result<&'s str, Error> {
        let Self { session, key, .. } = self;
        session.messages(&key)
    }

    /// Returns the message at the cursor, and moves the cursor to the next one. `None` at the end. A string is returned
    /// as its text, another value as its JSON text. The messages stay in the queue.
    pub(crate) fn next_text(self, cursor: &mut usize) -> Result<Option<&'s str>, Error> {
        let Self { session, key, .. } = self;
        session.note_read();
        let Some(list) = session.state.list(&key)? else { return Ok(None) };
        let Some((value, end)) = session.state.element(list, *cursor) else { return Ok(None) };
        *cursor = end;
        let text = match session.state.inside(value) {
            Some(inside) => session.state.unescaped(inside, Some(char::REPLACEMENT_CHARACTER)).unwrap_or(inside),
            None => session.state.finite(value),
        };
        Ok(Some(session.state.text(text)))
    }
}
