use super::State;
use crate::error::Error;
use crate::json::{self, Marks};

impl State {
    /// The integer at a key.
    ///
    /// # Errors
    /// [`Error::Type`] if the key holds something other than an integer; [`Error::Range`] if it does not fit in 64
    /// bits.
    pub fn integer(&self, key: &str) -> Result<Option<i64>, Error> {
        let Some(value) = self.get(key) else { return Ok(None) };
        let text = self.text(value.span);
        if !json::is_number(text) || text.contains(['.', 'e', 'E']) {
            return Err(Error::wrong_type(key, json::kind(text), "an integer"));
        }
        let range = |_| Error::Range(format!("the integer of the key {key:?} does not fit in 64 bits"));
        text.parse().map(Some).map_err(range)
    }

    /// Adds a number to the integer at a key, and returns the sum. A key that does not exist counts as 0.
    ///
    /// # Errors
    /// As [`State::integer`], and [`Error::Range`] if the sum does not fit in 64 bits.
    pub fn increment(&mut self, key: &str, by: i64) -> Result<i64, Error> {
        let sum = self.integer(key)?.unwrap_or_default().checked_add(by);
        let sum = sum.ok_or_else(|| Error::Range(format!("the sum at the key {key:?} does not fit in 64 bits")))?;
        if by != 0 {
            let value = self.keep(itoa::Buffer::new().format(sum), Marks::default());
            self.set(key, value);
        }
        Ok(sum)
    }
}
