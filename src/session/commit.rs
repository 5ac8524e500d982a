//! Commit: the `Set-Cookie` values that the response needs.

use std::time::Duration;

use crate::cookie::{SetCookie, SetCookies};
use crate::error::Error;
use crate::factory::Current;
use crate::format::Format;
use crate::session::Session;

impl Session {
    /// Writes the session if it changed, and gives the `Set-Cookie` values that the whole response needs: they take the
    /// place of those that an earlier commit of this request gave. A commit without changes since then gives the same
    /// ones again.
    ///
    /// `exception` is true if the request ended in one: then nothing is written without `set_on_exception`. A session
    /// that was invalidated ends all the same; what was set after that is dropped.
    ///
    /// # Errors
    /// [`Error::TooLarge`] if browsers would drop the cookie; [`Error::Unsupported`] if it would overwrite a session
    /// that could not be read here; of a store, [`Error::Store`], [`Error::Conflict`] and [`Error::Gone`]. The session
    /// is as it was, still changed. [`Session::set_cookies`] still has the values of an earlier commit, or, if the
    /// session was invalidated, those that clear the browser's cookie; after [`Error::Gone`], none.
    pub fn commit(&mut self, exception: bool) -> Result<&[SetCookie], Error> {
        self.commit_within(exception, Duration::MAX)
    }

    /// Commits and waits for the store for at most `limit`, and never longer than `store_timeout`.
    ///
    /// # Errors
    /// As [`Session::commit`].
    pub fn commit_within(&mut self, exception: bool, limit: Duration) -> Result<&[SetCookie], Error> {
        if exception && !self.config.set_on_exception {
            if !self.invalidated {
                return Ok(self.set_cookies());
            }
            // The option is about data: the session ends, and what was set since then goes with it.
            self.invalidate();
        }
        let written = self.is_changed();
        match self.write(limit) {
            Ok(Some(cookie)) => {
                (self.depended, self.sent) = (true, true);
                self.set_cookies = SetCookies::One(cookie);
            }
            outcome => {
                if self.invalidated {
                    // The browser must forget the session, even if the store could not.
                    self.set_cookies = if self.sent { self.config.cookie.clearing() } else { SetCookies::None };
                } else if matches!(outcome, Err(Error::Gone)) {
                    self.set_cookies = SetCookies::None;
                }
                outcome?;
            }
        }
        if written {
            self.renewed = self.accessed.seconds;
        }
        (self.changed, self.due, self.outdated, self.invalidated) = (false, false, false, false);
        Ok(self.set_cookies())
    }

    /// The `Set-Cookie` values that the response needs after the commits so far. Each is a header of its own.
    pub fn set_cookies(&self) -> &[SetCookie] {
        self.set_cookies.as_slice()
    }

    /// Writes what is to be written, and gives the cookie that the browser needs for it.
    fn write(&mut self, limit: Duration) -> Result<Option<SetCookie>, Error> {
        let changed = self.is_changed();
        if changed && self.protected {
            return Err(Error::Unsupported(self.refusal.as_deref().unwrap_or_default().to_owned()));
        }
        match &self.config.current {
            Current::Stored(_) => self.commit_stored(limit),
            Current::Cookie(format) if changed => self.cookie(format).map(Some),
            Current::Cookie(_) => Ok(None),
        }
    }

    /// Whether the response depended on the session: then it needs `Vary: Cookie`, and no shared cache may store it.
    pub fn vary(&self) -> bool {
        self.depended
    }

    fn cookie(&self, format: &Format) -> Result<SetCookie, Error> {
        let mut bytes = format.serializer.dumps(format.seal.overhead(), self.accessed, self.created, &self.state)?;
        let length = format.seal.value_len(bytes.len());
        let limit = self.config.cookie.largest_value();
        if length > limit {
            return Err(Error::TooLarge { length, limit, name: self.config.cookie.name.len() });
        }
        format.seal.seal(&mut bytes)?;
        Ok(self.config.cookie.with_value(length, self.now, |out| format.seal.write(&bytes, out)))
    }
}
