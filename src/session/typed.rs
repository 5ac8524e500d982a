//! Reads and writes the dictionary with Rust types, which serde converts.

use std::any::type_name;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::error::Error;
use crate::json;
use crate::session::Session;
use crate::sys::wiped::{WipedBytes, WipedText};

impl Session {
    /// The value of a key as a Rust type. `None` if the key does not exist. A type that borrows, such as `&str`,
    /// borrows from the session.
    ///
    /// ```
    /// # let mut session = khufu::Factory::new(&khufu::Options::new().secret("seekrit"))?.open(b"")?;
    /// #[derive(serde::Serialize, serde::Deserialize)]
    /// struct Cart {
    ///     items: Vec<String>,
    /// }
    /// session.set("cart", &Cart { items: vec!["A-1".to_owned()] })?;
    /// let cart: Option<Cart> = session.get("cart")?;
    /// assert_eq!(cart.unwrap().items, ["A-1"]);
    /// # Ok::<(), khufu::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`Error::Type`] if the value cannot be read as that type.
    pub fn get<'s, T: Deserialize<'s>>(&'s mut self, key: &str) -> Result<Option<T>, Error> {
        self.get_json(key)?.map(|json| from_json(key, json)).transpose()
    }

    /// Sets a key to a value. A float that is not finite becomes `null`.
    ///
    /// # Errors
    /// [`Error::Serialize`] if the value cannot be written as JSON; [`Error::Json`] and [`Error::Range`] as in
    /// [`Session::set_json`].
    pub fn set<T: Serialize + ?Sized>(&mut self, key: &str, value: &T) -> Result<(), Error> {
        self.set_json(key, &to_json(value)?)
    }

    /// Returns the value of a key. If the key does not exist, it is first set to `value`. Pyramid's `setdefault`.
    ///
    /// # Errors
    /// As [`Session::set`] and [`Session::get`].
    pub fn setdefault<T: Serialize + DeserializeOwned>(&mut self, key: &str, value: &T) -> Result<T, Error> {
        let json = self.setdefault_json(key, &to_json(value)?)?;
        from_json(key, json)
    }

    /// Sets every member of a value that is an object in JSON, such as a struct or a map. After an error, none is set.
    /// Pyramid's `update`.
    ///
    /// # Errors
    /// As [`Session::set`], and [`Error::NotAnObject`] if the value is not an object.
    pub fn update<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), Error> {
        self.update_json(&to_json(value)?)
    }

    /// Deletes a key and returns its value. `None` if the key does not exist.
    ///
    /// # Errors
    /// [`Error::Type`] if the value cannot be read as that type. The key is not deleted then.
    pub fn pop<T: DeserializeOwned>(&mut self, key: &str) -> Result<Option<T>, Error> {
        let value = self.get(key)?;
        self.pop_json(key)?;
        Ok(value)
    }

    /// Adds a value to the end of the list at a key. If the key does not exist, it is set to a new list. If several
    /// requests append to a session in a store at the same time, no element is lost.
    ///
    /// # Errors
    /// As [`Session::set`], and [`Error::Type`] if the key holds something other than a list.
    pub fn append<T: Serialize + ?Sized>(&mut self, key: &str, value: &T) -> Result<(), Error> {
        self.append_json(key, &to_json(value)?)
    }
}

/// A value's JSON text.
pub(super) fn to_json<T: Serialize + ?Sized>(value: &T) -> Result<WipedText, Error> {
    let mut json = WipedBytes::with_capacity(128);
    serde_json::to_writer(&mut json, value).map_err(|error| Error::Serialize(error.to_string()))?;
    Ok(json.into_text().expect("serde_json writes UTF-8"))
}

/// Reads the JSON text of a key. The error does not contain serde_json's message, which may show a part of the value.
pub(super) fn from_json<'j, T: Deserialize<'j>>(key: &str, json: &'j str) -> Result<T, Error> {
    serde_json::from_str(json).map_err(|_| Error::wrong_type(key, json::kind(json), type_name::<T>()))
}
