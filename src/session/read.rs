//! Reading the dictionary.

use crate::error::Error;
use crate::session::Session;
use crate::state::Value;

impl Session {
    /// The value of a key as JSON text.
    ///
    /// # Errors
    /// [`Error::Type`] if it holds NaN or an infinity, at any depth: that is no JSON.
    pub fn get(&mut self, key: &str) -> Result<Option<&str>, Error> {
        self.depended = true;
        let value = self.state.get(key);
        if let Some(value) = value {
            strict(key, value)?;
        }
        self.was_read();
        Ok(value.map(|value| self.state.text(value.span)))
    }

    /// The value of a key that holds a string.
    ///
    /// # Errors
    /// [`Error::Type`] if it is no string, or one with a lone surrogate, which UTF-8 cannot write.
    pub fn get_string(&mut self, key: &str) -> Result<Option<&str>, Error> {
        self.depended = true;
        let text = match self.state.get(key) {
            None => None,
            Some(value) => {
                let not_a_string = || wrong_type(key, kind(self.state.text(value.span)), "a string");
                let inside = self.state.inside(value).ok_or_else(not_a_string)?;
                let text = self.state.unescaped(inside, None);
                Some(text.ok_or_else(|| wrong_type(key, "a string with a lone surrogate", "text"))?)
            }
        };
        self.was_read();
        Ok(text.map(|span| self.state.text(span)))
    }

    /// The value of a key that holds an integer.
    ///
    /// # Errors
    /// [`Error::Type`] if it is no number or written as a float; [`Error::Range`] if it has no place in 64 bits.
    pub fn get_int64(&mut self, key: &str) -> Result<Option<i64>, Error> {
        self.scalar(key, "an integer", |text| {
            if !is_number(text) || text.contains(['.', 'e', 'E']) {
                return Ok(None);
            }
            let range = || Error::Range(format!("the integer of the key {key:?} does not fit in 64 bits"));
            text.parse().map(Some).map_err(|_| range())
        })
    }

    /// The value of a key that holds any number, NaN and the infinities among them.
    ///
    /// # Errors
    /// [`Error::Type`] if it is no number; [`Error::Range`] if it overflows a double.
    pub fn get_double(&mut self, key: &str) -> Result<Option<f64>, Error> {
        self.scalar(key, "a number", |text| match text {
            "NaN" => Ok(Some(f64::NAN)),
            "Infinity" => Ok(Some(f64::INFINITY)),
            "-Infinity" => Ok(Some(f64::NEG_INFINITY)),
            _ if !is_number(text) => Ok(None),
            _ => {
                let number: Option<f64> = text.parse().ok().filter(|number: &f64| number.is_finite());
                number
                    .map(Some)
                    .ok_or_else(|| Error::Range(format!("the number of the key {key:?} overflows a double")))
            }
        })
    }

    /// The value of a key that holds `true` or `false`.
    ///
    /// # Errors
    /// [`Error::Type`] if it holds something else.
    pub fn get_bool(&mut self, key: &str) -> Result<Option<bool>, Error> {
        self.scalar(key, "true or false", |text| {
            Ok(match text {
                "true" => Some(true),
                "false" => Some(false),
                _ => None,
            })
        })
    }

    /// A typed read; `read` gives `None` for a value of another type.
    fn scalar<T>(
        &mut self,
        key: &str,
        wanted: &'static str,
        read: impl FnOnce(&str) -> Result<Option<T>, Error>,
    ) -> Result<Option<T>, Error> {
        self.depended = true;
        let found = match self.state.get(key) {
            Some(value) => {
                let text = self.state.text(value.span);
                Some(read(text)?.ok_or_else(|| wrong_type(key, kind(text), wanted))?)
            }
            None => None,
        };
        self.was_read();
        Ok(found)
    }

    /// Whether a key is there.
    pub fn contains(&mut self, key: &str) -> bool {
        self.was_read();
        self.state.get(key).is_some()
    }

    /// How many keys there are.
    pub fn len(&mut self) -> usize {
        self.was_read();
        self.state.len()
    }

    /// Whether there is no key.
    pub fn is_empty(&mut self) -> bool {
        self.len() == 0
    }

    /// The key and the value (JSON text) at a place, counted from 0 in the order in which keys were added.
    ///
    /// A number that is not finite shows as `null`, and a lone surrogate in a key as U+FFFD.
    pub fn at(&mut self, index: usize) -> Option<(&str, &str)> {
        self.was_read();
        let (key, value) = self.state.at(index)?;
        let key = self.state.unescaped(key, Some(char::REPLACEMENT_CHARACTER))?;
        let value = self.state.finite(value);
        Some((self.state.text(key), self.state.text(value)))
    }

    /// The whole session as a JSON object; numbers that are not finite are `null`.
    pub fn to_json(&mut self) -> &str {
        self.was_read();
        let whole = self.state.whole();
        self.state.text(whole)
    }
}

fn is_number(text: &str) -> bool {
    text.starts_with(|first: char| first == '-' || first.is_ascii_digit()) && text != "-Infinity"
}

/// What a value is, in words.
pub(super) fn kind(text: &str) -> &'static str {
    match text.as_bytes().first() {
        Some(b'"') => "a string",
        Some(b'{') => "an object",
        Some(b'[') => "a list",
        Some(b't' | b'f') => "true or false",
        Some(b'n') => "null",
        Some(b'N' | b'I') => "a number that is not finite",
        _ if !is_number(text) => "a number that is not finite",
        _ if text.contains(['.', 'e', 'E']) => "a float",
        _ => "an integer",
    }
}

pub(super) fn wrong_type(key: &str, found: &'static str, wanted: &'static str) -> Error {
    Error::Type { key: key.to_owned(), found, wanted }
}

/// An error where the value's text is not JSON.
pub(super) fn strict(key: &str, value: Value) -> Result<(), Error> {
    if value.marks.not_finite {
        return Err(wrong_type(key, "a number that is not finite", "JSON"));
    }
    Ok(())
}
