//! Commit of a session that lives in a store.

use std::time::Duration;

use crate::cookie::SetCookie;
use crate::error::Error;
use crate::record::{Attempt, Records};
use crate::serializer::Content;
use crate::session::Session;

impl Session {
    /// Whose session it is, as it was set.
    #[cfg(test)]
    pub(crate) fn subject(&self) -> Option<&str> {
        self.stored.as_ref()?.subject()
    }

    /// Writes the session's record, and gives the cookie, if the browser needs one.
    // Kept out of line so that the cookie path does not pay for this function's large stack frame.
    #[inline(never)]
    pub(super) fn commit_stored(&mut self, limit: Duration) -> Result<Option<SetCookie>, Error> {
        let config = self.config.clone();
        let Some(records) = config.current.records() else { return Ok(None) };
        let mut stored = self.stored.take().unwrap_or_default();
        let attempt = Attempt::new(records, &mut stored, self.now, records.deadline_within(limit));
        let outcome = self.write_record(records, attempt);
        self.stored = Some(stored);
        outcome
    }

    fn write_record(&mut self, records: &Records, mut attempt: Attempt<'_>) -> Result<Option<SetCookie>, Error> {
        attempt.end_retired()?;
        if !self.is_changed() {
            return Ok(None);
        }
        if attempt.stored().is_before() {
            // A read may be due to be noted, but not in what is only shown for a while.
            return if self.changed { Err(Error::Gone) } else { Ok(None) };
        }
        // From here on the state may be another one, with another text.
        self.accessed = self.accessed.detached();
        let (is_new, renews) = (attempt.stored().is_new(), attempt.stored().renews());
        let mut content =
            Content { renewed: self.accessed, created: self.created, state: std::mem::take(&mut self.state) };
        let saves = is_new || self.changed || attempt.stored().is_misnamed(records);
        let written = match saves {
            true => match attempt.save(&mut content) {
                // The save was only to name the subject under the current secret.
                Err(Error::Gone) if !self.changed => Ok(false),
                saved => saved.map(|()| true),
            },
            false => attempt.touch(&content),
        };
        (self.accessed, self.created, self.state) = (content.renewed, content.created, content.state);
        if !written? {
            return Ok(None);
        }
        if !(is_new || renews || self.outdated || self.config.cookie.expires()) {
            return Ok(None); // The browser has its cookie.
        }
        Ok(attempt
            .cookie()
            .map(|value| self.config.cookie.with_value(value.len(), self.now, |out| out.copy_from_slice(&value))))
    }
}
