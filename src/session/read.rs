//! Reads the dictionary.

use crate::error::Error;
use crate::json;
use crate::payload::arena::Span;
use crate::payload::state::{State, Value};
use crate::session::Session;

impl Session {
    /// The value of a key as JSON text. `None` if the key does not exist.
    ///
    /// ```
    /// # let mut session = khufu::Factory::new(&khufu::Options::new().secret("seekrit"))?.open(b"")?;
    /// session.set_json("cart", r#"{"items":["A-1"],"total":9.50}"#)?;
    /// assert_eq!(session.get_json("cart")?, Some(r#"{"items":["A-1"],"total":9.50}"#));
    /// # Ok::<(), khufu::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`Error::Type`] if the value is NaN or an infinity, or contains one, because JSON cannot represent them.
    pub fn get_json(&mut self, key: &str) -> Result<Option<&str>, Error> {
        self.is_used.set(true);
        let value = self.state.get(key);
        if let Some(value) = value {
            strict(key, value)?;
        }
        self.note_read();
        Ok(value.map(|value| self.state.text(value.span)))
    }

    /// The value of a key as a string. `None` if the key does not exist.
    ///
    /// # Errors
    /// [`Error::Type`] if the value is not a string, or contains a lone surrogate, which UTF-8 cannot write.
    pub fn get_str(&mut self, key: &str) -> Result<Option<&str>, Error> {
        self.is_used.set(true);
        let text = match self.state.get(key) {
            None => None,
            Some(value) => {
                let not_a_string = || Error::wrong_type(key, json::kind(self.state.text(value.span)), "a string");
                let inside = self.state.inside(value).ok_or_else(not_a_string)?;
                let text = self.state.unescaped(inside, None);
                Some(text.ok_or_else(|| Error::wrong_type(key, "a string with a lone surrogate", "text"))?)
            }
        };
        self.note_read();
        Ok(text.map(|span| self.state.text(span)))
    }

    /// The value of a key as an integer. `None` if the key does not exist.
    ///
    /// # Errors
    /// [`Error::Type`] if the value is not an integer; [`Error::Range`] if it does not fit in 64 bits.
    pub fn get_i64(&mut self, key: &str) -> Result<Option<i64>, Error> {
        self.is_used.set(true);
        let integer = self.state.integer(key)?;
        self.note_read();
        Ok(integer)
    }

    /// The value of a key as a float. It may be an integer or a float, or NaN or an infinity. `None` if the key does
    /// not exist.
    ///
    /// # Errors
    /// [`Error::Type`] if the value is not a number; [`Error::Range`] if it overflows a double.
    pub fn get_f64(&mut self, key: &str) -> Result<Option<f64>, Error> {
        self.scalar(key, "a number", |text| match text {
            "NaN" => Ok(Some(f64::NAN)),
            "Infinity" => Ok(Some(f64::INFINITY)),
            "-Infinity" => Ok(Some(f64::NEG_INFINITY)),
            _ if !json::is_number(text) => Ok(None),
            _ => {
                let number: Option<f64> = text.parse().ok().filter(|number: &f64| number.is_finite());
                number
                    .map(Some)
                    .ok_or_else(|| Error::Range(format!("the number of the key {key:?} overflows a double")))
            }
        })
    }

    /// The value of a key as a boolean. `None` if the key does not exist.
    ///
    /// # Errors
    /// [`Error::Type`] if the value is not `true` or `false`.
    pub fn get_bool(&mut self, key: &str) -> Result<Option<bool>, Error> {
        self.scalar(key, "true or false", |text| {
            Ok(match text {
                "true" => Some(true),
                "false" => Some(false),
                _ => None,
            })
        })
    }

    /// Reads a value from its JSON text. `read` returns `None` if the value has another type.
    fn scalar<T>(
        &mut self,
        key: &str,
        wanted: &'static str,
        read: impl FnOnce(&str) -> Result<Option<T>, Error>,
    ) -> Result<Option<T>, Error> {
        self.is_used.set(true);
        let found = match self.state.get(key) {
            Some(value) => {
                let text = self.state.text(value.span);
                Some(read(text)?.ok_or_else(|| Error::wrong_type(key, json::kind(text), wanted))?)
            }
            None => None,
        };
        self.note_read();
        Ok(found)
    }

    /// True if a key exists.
    pub fn contains(&mut self, key: &str) -> bool {
        self.note_read();
        self.state.get(key).is_some()
    }

    /// The number of keys.
    pub fn len(&mut self) -> usize {
        self.note_read();
        self.state.len()
    }

    /// True if the session has no keys.
    pub fn is_empty(&mut self) -> bool {
        self.len() == 0
    }

    /// The key at an index, and its value as JSON text. The first key that was added has the index 0. `None` after
    /// the last key.
    ///
    /// A number that is not finite is replaced by `null`, and a lone surrogate in a key by U+FFFD.
    pub fn at(&mut self, index: usize) -> Option<(&str, &str)> {
        self.note_read();
        let (key, value) = self.place(index)?;
        Some((self.state.text(key), self.state.text(value)))
    }

    /// The positions of the key at an index and of its value.
    fn place(&mut self, index: usize) -> Option<(Span, Span)> {
        let (key, value) = self.state.at(index)?;
        let key = self.state.unescaped(key, Some(char::REPLACEMENT_CHARACTER))?;
        let value = self.state.finite(value);
        Some((key, value))
    }

    /// All keys, with their values as JSON text, in the order in which the keys were added.
    ///
    /// A number that is not finite is replaced by `null`, and a lone surrogate in a key by U+FFFD.
    ///
    /// ```
    /// # let mut session = khufu::Factory::new(&khufu::Options::new().secret("seekrit"))?.open(b"")?;
    /// session.set("user", "zoe")?;
    /// for (key, json) in session.iter() {
    ///     assert_eq!((key, json), ("user", r#""zoe""#));
    /// }
    /// # Ok::<(), khufu::Error>(())
    /// ```
    pub fn iter(&mut self) -> Iter<'_> {
        self.note_read();
        let places: Vec<_> = (0..self.state.len()).filter_map(|index| self.place(index)).collect();
        Iter { state: &self.state, places: places.into_iter() }
    }

    /// The whole session as a JSON object. A number that is not finite is replaced by `null`.
    pub fn to_json(&mut self) -> &str {
        self.note_read();
        let whole = self.state.whole();
        self.state.text(whole)
    }
}

/// The keys and values of a session, from [`Session::iter`].
pub struct Iter<'s> {
    state: &'s State,
    places: std::vec::IntoIter<(Span, Span)>,
}

impl<'s> Iterator for Iter<'s> {
    type Item = (&'s str, &'s str);

    fn next(&mut self) -> Option<Self::Item> {
        let (key, value) = self.places.next()?;
        Some((self.state.text(key), self.state.text(value)))
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        self.places.size_hint()
    }
}

impl ExactSizeIterator for Iter<'_> {}

/// Checks that a value can be returned as JSON text.
///
/// # Errors
/// [`Error::Type`] if it contains a number that is not finite.
pub(super) fn strict(key: &str, value: Value) -> Result<(), Error> {
    if value.marks.not_finite {
        return Err(Error::wrong_type(key, "a number that is not finite", "JSON"));
    }
    Ok(())
}
