//! Changes the dictionary.

use zeroize::Zeroizing;

use crate::error::Error;
use crate::json::{self, Fault, Marks, Scanner};
use crate::payload::arena::{Span, check_length};
use crate::payload::state::{JsonText, Value};
use crate::record::changes::Change;
use crate::session::Session;
use crate::session::read::strict;
use crate::sys::wiped::WipedText;

impl Session {
    /// Checks a JSON text for a key, and adds it to the session's texts.
    fn keep(&mut self, key: &str, json: &str) -> Result<Value, Error> {
        let marks = check(key, json)?;
        Ok(self.state.keep(json, marks))
    }

    /// Adds a string as JSON text to the session's texts.
    pub(super) fn keep_string(&mut self, text: &str) -> Result<Value, Error> {
        let length = json::escaped_len(text) + 2;
        check_length(length)?;
        let span = self.state.arena_mut().write(length, |out| push_string(text, out));
        Ok(Value { span, marks: Marks::default() })
    }

    /// Sets a key to a value, given as JSON text.
    ///
    /// # Errors
    /// [`Error::Json`] if the text is not one JSON value, or nests deeper than 500 levels; [`Error::Range`] if it
    /// contains a number that Python cannot read: an integer of more than 4,300 digits, or a float that overflows a
    /// double.
    pub fn set_json(&mut self, key: &str, json: &str) -> Result<(), Error> {
        let value = self.keep(key, json)?;
        self.store(key, value)?;
        Ok(())
    }

    /// Sets a key to a value that is in the session's texts. Returns the new position of the value's text.
    pub(super) fn store(&mut self, key: &str, value: Value) -> Result<Span, Error> {
        check_length(key.len())?;
        self.state.set(key, value);
        self.note_access();
        self.note(|state| Change::Set(key.into(), JsonText::of(state, value)));
        Ok(self.state.settle(value.span))
    }

    /// Sets a key to a string.
    ///
    /// # Errors
    /// [`Error::Range`] if the string is longer than 2 GiB.
    pub fn set_str(&mut self, key: &str, text: &str) -> Result<(), Error> {
        let value = self.keep_string(text)?;
        self.store(key, value)?;
        Ok(())
    }

    /// Sets a key to an integer.
    ///
    /// # Errors
    /// As [`Session::set_json`].
    pub fn set_i64(&mut self, key: &str, value: i64) -> Result<(), Error> {
        self.set_json(key, &Zeroizing::new(value.to_string()))
    }

    /// Sets a key to a float. It is written with a fraction or an exponent, so that every language reads a float.
    ///
    /// # Errors
    /// [`Error::Range`] if the number is not finite, because JSON cannot represent it.
    pub fn set_f64(&mut self, key: &str, value: f64) -> Result<(), Error> {
        if !value.is_finite() {
            return Err(Error::Range("a float must be finite".to_owned()));
        }
        self.set_json(key, &Zeroizing::new(format!("{value:?}")))
    }

    /// Sets a key to `true` or `false`.
    ///
    /// # Errors
    /// As [`Session::set_json`].
    pub fn set_bool(&mut self, key: &str, value: bool) -> Result<(), Error> {
        self.set_json(key, if value { "true" } else { "false" })
    }

    /// Sets a key to `null`.
    ///
    /// # Errors
    /// As [`Session::set_json`].
    pub fn set_null(&mut self, key: &str) -> Result<(), Error> {
        self.set_json(key, "null")
    }

    /// Returns the value of a key as JSON text. If the key does not exist, it is first set to `json`. Pyramid's
    /// `setdefault`.
    ///
    /// # Errors
    /// [`Error::Json`] and [`Error::Range`] as in [`Session::set_json`]; [`Error::Type`] as in [`Session::get_json`].
    pub fn setdefault_json(&mut self, key: &str, json: &str) -> Result<&str, Error> {
        let span = match self.state.get(key) {
            Some(value) => {
                check(key, json)?;
                strict(key, value)?;
                self.note_access();
                value.span
            }
            None => {
                check_length(key.len())?;
                let value = self.keep(key, json)?;
                self.state.set(key, value);
                self.note_access();
                self.note(|state| Change::SetDefault(key.into(), JsonText::of(state, value)));
                self.state.settle(value.span)
            }
        };
        Ok(self.state.text(span))
    }

    /// Sets every member of a JSON object. After an error, none is set. Pyramid's `update`.
    ///
    /// # Errors
    /// [`Error::Json`] and [`Error::Range`] as in [`Session::set_json`]; [`Error::NotAnObject`] if the text is not an
    /// object; [`Error::LoneSurrogate`] if a key contains a lone surrogate.
    pub fn update_json(&mut self, json: &str) -> Result<(), Error> {
        check_length(json.len())?;
        let mut pairs = Vec::new();
        let mut scanner = Scanner::strict(json);
        scanner.space();
        if scanner.peek() != b'{' {
            json::check(json)?;
            return Err(Error::NotAnObject(json::kind(&json[scanner.at..])));
        }
        let members = json::members(&mut scanner, |key, start, end, marks| {
            pairs.push((&json[key.start..key.end], &json[start..end], marks));
        });
        members.and_then(|()| scanner.end()).map_err(|fault| refusal_of_member(json, fault))?;
        if pairs.iter().any(|(key, ..)| !json::is_text(key)) {
            return Err(Error::LoneSurrogate);
        }
        self.note_access();
        for (written, json, marks) in pairs {
            let key = json::unescaped(written);
            let value = self.state.keep(json, marks);
            self.state.set(&key, value);
            self.note(|state| Change::Set(key, JsonText::of(state, value)));
        }
        self.state.settle(Span::EMPTY);
        Ok(())
    }

    /// Adds an element, given as JSON text, to the end of the list at a key. If the key does not exist, it is set to a
    /// new list. If several requests append to a session in a store at the same time, no element is lost.
    ///
    /// # Errors
    /// [`Error::Json`] and [`Error::Range`] as in [`Session::set_json`]; [`Error::Type`] if the key holds something
    /// other than a list.
    pub fn append_json(&mut self, key: &str, json: &str) -> Result<(), Error> {
        let marks = check(key, json)?;
        self.append_element(key.into(), JsonText::new(json, marks), true)
    }

    pub(super) fn append_element(
        &mut self,
        key: WipedText,
        element: JsonText,
        allow_duplicate: bool,
    ) -> Result<(), Error> {
        check_length(key.len())?;
        self.is_used.set(true);
        let added = self.state.append(&key, &element, allow_duplicate)?;
        self.note_access();
        if added {
            self.note(|_| Change::Append { key, element, allow_duplicate });
            self.state.settle(Span::EMPTY);
        }
        Ok(())
    }

    /// Adds a number to the integer at a key, and returns the sum. A key that does not exist counts as 0. If several
    /// requests add to the same key of a session in a store at the same time, every addition counts.
    ///
    /// # Errors
    /// [`Error::Type`] if the key holds something other than an integer; [`Error::Range`] if the integer or the sum
    /// does not fit in 64 bits.
    pub fn increment(&mut self, key: &str, by: i64) -> Result<i64, Error> {
        check_length(key.len())?;
        self.is_used.set(true);
        let sum = self.state.increment(key, by)?;
        self.note_access();
        if by != 0 {
            self.note(|_| Change::Increment(key.into(), by));
        }
        self.state.settle(Span::EMPTY);
        Ok(sum)
    }

    /// Deletes a key. False if the key does not exist.
    pub fn delete(&mut self, key: &str) -> bool {
        let deleted = self.remove(key).is_some();
        if deleted {
            self.state.settle(Span::EMPTY);
        }
        deleted
    }

    /// Deletes a key and returns its value as JSON text. `None` if the key does not exist.
    ///
    /// # Errors
    /// [`Error::Type`] as in [`Session::get_json`]. The key is not deleted then.
    pub fn pop_json(&mut self, key: &str) -> Result<Option<&str>, Error> {
        if let Some(value) = self.state.get(key) {
            strict(key, value)?;
        }
        let Some(value) = self.remove(key) else { return Ok(None) };
        let span = self.state.settle(value.span);
        Ok(Some(self.state.text(span)))
    }

    fn remove(&mut self, key: &str) -> Option<Value> {
        let removed = self.state.delete(key);
        self.note_access();
        if removed.is_some() {
            self.note(|_| Change::Delete(key.into()));
        }
        removed
    }

    /// Deletes all keys. The session itself continues; [`Session::invalidate`] ends it.
    pub fn clear(&mut self) {
        self.note_access();
        if self.state.len() > 0 {
            self.state.clear();
            self.note(|_| Change::Clear);
            self.state.settle(Span::EMPTY);
        }
    }
}

/// A string as JSON text.
pub(super) fn json_string(text: &str) -> Result<WipedText, Error> {
    let length = json::escaped_len(text) + 2;
    check_length(length)?;
    let mut json = WipedText::with_capacity(length);
    push_string(text, &mut json);
    Ok(json)
}

fn push_string(text: &str, out: &mut String) {
    out.push('"');
    json::escape(text, out);
    out.push('"');
}

/// Checks a JSON text that is set or appended at a key.
#[inline]
pub(super) fn check(key: &str, json: &str) -> Result<Marks, Error> {
    check_length(json.len())?;
    json::check(json).map_err(|fault| Error::refused(key, fault))
}

/// The error for an object that cannot be set. If one of its members contains a number out of range, the error names
/// this member's key.
#[cold]
fn refusal_of_member(json: &str, fault: Fault) -> Error {
    if !fault.is_out_of_range() {
        return fault.into();
    }
    let mut scanner = Scanner::lenient(json);
    scanner.space();
    let mut member = None;
    let members = json::members(&mut scanner, |key, start, end, _| {
        if (start..end).contains(&fault.at()) {
            member = Some(json::unescaped(&json[key.start..key.end]));
        }
    });
    match (members, member) {
        (Ok(()), Some(key)) => Error::refused(&key, fault),
        (Ok(()), None) => fault.into(),
        (Err(other), _) => other.into(),
    }
}
