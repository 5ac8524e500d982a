//! A format of session cookies: a seal and a serializer.

use std::sync::Arc;

use crate::cookie::seal::{self, Seal, Unsealed};
use crate::error::Error;
use crate::load::Refusal;
use crate::payload::arena;
use crate::payload::moment::Moment;
use crate::payload::serializer::CookieSerializer;
use crate::payload::state::State;
use crate::sys::wiped::WipedBytes;

pub(crate) struct Format {
    /// An accepted format's name. Empty for the current format.
    pub name: String,
    pub seal: Box<dyn Seal>,
    pub serializer: Arc<dyn CookieSerializer>,
}

impl Format {
    /// Verifies a cookie's value, and decrypts it. The payload is a part of the returned bytes.
    #[inline]
    pub fn unseal(&self, value: &[u8]) -> Result<(WipedBytes, Unsealed), Refusal> {
        let mut buffer = WipedBytes::with_capacity(seal::decoded_most(value.len()) + arena::ROOM);
        let unsealed = self.seal.open(value, &mut buffer)?;
        Ok((buffer, unsealed))
    }

    /// Serializes and seals a session. [`Seal::write`] writes the returned buffer as a cookie's value.
    #[inline]
    pub fn sealed(&self, accessed: Moment, created: Moment, state: &State) -> Result<WipedBytes, Error> {
        let mut bytes = self.serializer.dumps(self.seal.overhead(), accessed, created, state)?;
        self.seal.seal(&mut bytes)?;
        Ok(bytes)
    }
}
