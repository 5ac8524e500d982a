//! Commit: what the response has to say.

use crate::cookie::LARGEST_VALUE;
use crate::error::Error;
use crate::seal;
use crate::session::Session;

impl Session {
    /// Makes the `Set-Cookie` values of the response: none where nothing changed.
    ///
    /// `exception` says that the request ended in one; without `set_on_exception` nothing is written then. After
    /// further changes commit may be called again.
    ///
    /// # Errors
    /// [`Error::TooLarge`] if browsers would drop the cookie; [`Error::Unsupported`] if it would overwrite a session
    /// that could not be read here. The session is as it was, still changed.
    pub fn commit(&mut self, exception: bool) -> Result<&[String], Error> {
        self.set_cookie = None;
        if exception && !self.config.set_on_exception {
            return Ok(&[]);
        }
        if self.is_changed() {
            let cookie = self.cookie()?;
            self.depended = true;
            self.set_cookie = Some(cookie);
            self.renewed = self.accessed;
            self.sent = true;
        } else if self.invalidated && self.sent {
            self.set_cookie = Some(self.config.cookie.clearing());
            self.sent = false;
        }
        self.changed = false;
        self.outdated = false;
        self.invalidated = false;
        Ok(self.set_cookies())
    }

    /// The `Set-Cookie` values of the last commit.
    pub fn set_cookies(&self) -> &[String] {
        self.set_cookie.as_slice()
    }

    /// Whether the response depended on the session: then it needs `Vary: Cookie`, and no shared cache may store it.
    pub fn vary(&self) -> bool {
        self.depended
    }

    fn cookie(&self) -> Result<String, Error> {
        if self.protected {
            return Err(Error::Unsupported(self.refusal.as_deref().unwrap_or_default().to_owned()));
        }
        let format = &self.config.formats[0];
        let mut bytes = format.serializer.dumps(format.seal.overhead(), self.accessed, self.created, &self.state)?;
        let length = seal::encoded_len(bytes.len());
        if length > LARGEST_VALUE {
            return Err(Error::TooLarge { length, limit: LARGEST_VALUE });
        }
        format.seal.seal(&mut bytes)?;
        Ok(self.config.cookie.with_value(length, self.now.seconds, |out| seal::encode(&bytes, out)))
    }
}
