//! Commit: what the response has to say.

use std::time::Duration;

use crate::cookie::{LARGEST_VALUE, SetCookie};
use crate::error::Error;
use crate::factory::Current;
use crate::format::Format;
use crate::session::Session;

impl Session {
    /// Makes the `Set-Cookie` values of the response: none where nothing changed.
    ///
    /// `exception` says that the request ended in one; without `set_on_exception` nothing is written then. After
    /// further changes commit may be called again.
    ///
    /// # Errors
    /// [`Error::TooLarge`] if browsers would drop the cookie; [`Error::Unsupported`] if it would overwrite a session
    /// that could not be read here; of a store, [`Error::Store`], [`Error::Conflict`] and [`Error::Gone`]. The session
    /// is as it was, still changed.
    pub fn commit(&mut self, exception: bool) -> Result<&[SetCookie], Error> {
        self.commit_within(exception, Duration::MAX)
    }

    /// The same within a time of the caller's, where that is shorter than `store_timeout`.
    ///
    /// # Errors
    /// As [`Session::commit`].
    pub fn commit_within(&mut self, exception: bool, limit: Duration) -> Result<&[SetCookie], Error> {
        self.set_cookie = None;
        if exception && !self.config.set_on_exception {
            return Ok(&[]);
        }
        let written = self.is_changed();
        if written && self.protected {
            return Err(Error::Unsupported(self.refusal.as_deref().unwrap_or_default().to_owned()));
        }
        let cookie = match &self.config.current {
            Current::Stored(_) => self.commit_stored(limit)?,
            Current::Cookie(format) if written => Some(self.cookie(format)?),
            Current::Cookie(_) => None,
        };
        if let Some(cookie) = cookie {
            self.depended = true;
            self.set_cookie = Some(cookie);
            self.sent = true;
        } else if !written && self.invalidated && self.sent {
            self.set_cookie = Some(self.config.cookie.clearing());
            self.sent = false;
        }
        if written {
            self.renewed = self.accessed.seconds;
        }
        (self.changed, self.due, self.outdated, self.invalidated) = (false, false, false, false);
        Ok(self.set_cookies())
    }

    /// The `Set-Cookie` values of the last commit.
    pub fn set_cookies(&self) -> &[SetCookie] {
        self.set_cookie.as_slice()
    }

    /// Whether the response depended on the session: then it needs `Vary: Cookie`, and no shared cache may store it.
    pub fn vary(&self) -> bool {
        self.depended
    }

    fn cookie(&self, format: &Format) -> Result<SetCookie, Error> {
        let mut bytes = format.serializer.dumps(format.seal.overhead(), self.accessed, self.created, &self.state)?;
        let length = format.seal.value_len(bytes.len());
        if length > LARGEST_VALUE {
            return Err(Error::TooLarge { length, limit: LARGEST_VALUE });
        }
        format.seal.seal(&mut bytes)?;
        Ok(self.config.cookie.with_value(length, self.now, |out| format.seal.write(&bytes, out)))
    }
}
