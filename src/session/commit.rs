//! Commit: writes the session, and makes the headers for the response.

use std::time::Duration;

use crate::cookie::format::Format;
use crate::cookie::{Attributes, SetCookie, SetCookies};
use crate::error::Error;
use crate::payload::serializer::Content;
use crate::record::{Attempt, Records};
use crate::session::Session;
use crate::session::shared::Current;
use crate::session::status::{Origin, Pending};

/// How a request ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// The request has a response.
    Response,
    /// The request ended in an exception. If the option `set_on_exception` is off, the session is not written, but a
    /// session that was invalidated still ends.
    Exception,
}

impl Session {
    /// Writes the session if it was changed, and returns the `Set-Cookie` values that the response needs. Call it at
    /// the end of every request, before the headers are sent.
    ///
    /// If a request commits more than once, the values of the last commit replace the earlier ones. A commit without
    /// further changes returns the same values again. [`Session::headers`] returns all headers, not only `Set-Cookie`.
    ///
    /// ```
    /// use khufu::{Factory, Options, Outcome};
    ///
    /// # let factory = Factory::new(&Options::new().secret("itsaseekreet"))?;
    /// let mut session = factory.open(b"")?;
    /// session.set("user", "zoe")?;
    /// for set_cookie in session.commit(Outcome::Response)? {
    ///     println!("Set-Cookie: {set_cookie}"); // session=...; Path=/; SameSite=Lax
    /// }
    ///
    /// // A session that was not used needs no cookie.
    /// assert!(factory.open(b"")?.commit(Outcome::Response)?.is_empty());
    /// # Ok::<(), khufu::Error>(())
    /// ```
    ///
    /// # Errors
    /// - [`Error::TooLarge`] if browsers would drop the cookie.
    /// - [`Error::Unsupported`] if the commit would overwrite a session that could not be read here.
    /// - [`Error::Serializer`] if a custom serializer cannot write the session.
    /// - [`Error::Key`] if the session has a key that Beaker uses itself.
    /// - [`Error::Range`] if the session, or an integer in it, is too long to be written.
    /// - [`Error::Store`], [`Error::Conflict`] and [`Error::Gone`] if the session is in a store.
    /// - [`Error::Random`] if the system gives no random bytes.
    ///
    /// After an error the session still has its changes, so that it can be committed again. [`Session::set_cookies`]
    /// then returns the values of the earlier commits. If the session was invalidated, it returns values that clear the
    /// browser's cookie, and after [`Error::Gone`] none.
    pub fn commit(&mut self, outcome: Outcome) -> Result<&[SetCookie], Error> {
        self.commit_within(outcome, Duration::MAX)
    }

    /// Commits the session like [`Session::commit`], but waits for the store for at most `limit`, and never longer than
    /// `store_timeout`. If `limit` is 0, writing to a store fails at once.
    ///
    /// # Errors
    /// As [`Session::commit`].
    pub fn commit_within(&mut self, outcome: Outcome, limit: Duration) -> Result<&[SetCookie], Error> {
        if outcome == Outcome::Exception && !self.shared.set_on_exception {
            if !self.pending.ends() {
                return Ok(self.set_cookies());
            }
            // The session still ends, but the data that were set after it was invalidated are dropped.
            self.invalidate();
        }
        let is_written = self.is_changed();
        match self.write(limit) {
            Ok(Some(cookie)) => {
                self.is_used.set(true);
                self.has_cookie = true;
                self.set_cookies = SetCookies::One(cookie);
            }
            outcome => {
                if self.pending.ends() {
                    // The browser must forget the session, even if the store failed to.
                    let cookies = self.shared.cookie.clearing(self.attributes.as_deref());
                    self.set_cookies = if self.has_cookie { cookies } else { SetCookies::None };
                } else if matches!(outcome, Err(Error::Gone)) {
                    self.set_cookies = SetCookies::None;
                }
                outcome?;
            }
        }
        if is_written {
            self.renewed = self.accessed;
            if self.origin == Origin::Outdated {
                self.origin = Origin::Loaded;
            }
        }
        self.pending = Pending::Nothing;
        self.attributes = None;
        Ok(self.set_cookies())
    }

    /// The `Set-Cookie` values that the response needs after the commits so far. Send each in its own header.
    pub fn set_cookies(&self) -> &[SetCookie] {
        self.set_cookies.as_slice()
    }

    /// The names and values of the headers that the response needs after the commits so far: `Set-Cookie`, and, if the
    /// response depends on the session, `Vary: Cookie` and `Cache-Control`. Add them to the response's other headers.
    ///
    /// ```
    /// # use khufu::{Factory, Options, Outcome};
    /// # let mut session = Factory::new(&Options::new().secret("seekrit"))?.open(b"")?;
    /// # session.set("user", "zoe")?;
    /// session.commit(Outcome::Response)?;
    /// for (name, value) in session.headers() {
    ///     println!("{name}: {value}");
    /// }
    /// # Ok::<(), khufu::Error>(())
    /// ```
    pub fn headers(&self) -> impl Iterator<Item = (&'static str, &str)> {
        let text = |bytes| str::from_utf8(bytes).expect("a header is ASCII");
        (0..).map_while(move |index| self.header(index)).map(move |(name, value)| (name, text(value)))
    }

    /// The name and the value of one of the headers, by its index from 0 on.
    pub(crate) fn header(&self, index: usize) -> Option<(&'static str, &[u8])> {
        let cookies = self.set_cookies();
        if let Some(cookie) = cookies.get(index) {
            return Some(("Set-Cookie", cookie.as_bytes()));
        }
        let cache_control: &[u8] = if self.has_ended { b"no-store" } else { b"private" };
        match index - cookies.len() {
            0 if self.vary() => Some(("Vary", b"Cookie")),
            1 if self.vary() => Some(("Cache-Control", cache_control)),
            _ => None,
        }
    }

    /// True if the request read or changed the session, so that the response depends on it. Such a response needs
    /// `Vary: Cookie`, and shared caches must not store it. Reading the id, the subject or the value of the session
    /// counts, too. Reading its times, [`Session::is_new`] or what opening reports for logs does not.
    pub fn vary(&self) -> bool {
        self.is_used.get()
    }

    /// The current value of the session's cookie, to send it in another way than in a cookie.
    /// [`Factory::open_value`](crate::Factory::open_value) opens it. `None` if there is nothing to open: the session is
    /// new and not committed, or it has ended, or it is in a cookie and has changes that are not committed.
    ///
    /// # Errors
    /// [`Error::Random`] if the value has to be encrypted again and the system gives no random bytes.
    pub fn value(&self) -> Result<Option<String>, Error> {
        self.is_used.set(true);
        if matches!(self.shared.current, Current::Cookie(_)) && self.pending.has_changes() {
            return Ok(None);
        }
        let written = self.set_cookies().first().map(SetCookie::cookie_value);
        if let Some(value) = written.filter(|value| !value.is_empty()) {
            return Ok(Some(value.to_owned()));
        }
        match &self.shared.current {
            _ if self.has_ended || self.origin.is_new() => Ok(None),
            Current::Stored(records) => {
                let sealed = self.stored.as_ref().and_then(|stored| stored.cookie(records));
                Ok(sealed.and_then(|value| String::from_utf8(value.to_vec()).ok()))
            }
            Current::Cookie(format) => {
                let sealed = format.sealed(self.renewed, self.created, &self.state)?;
                let mut value = vec![0; format.seal.value_len(sealed.len())];
                format.seal.write(&sealed, &mut value);
                Ok(String::from_utf8(value).ok())
            }
        }
    }

    /// The attributes of the cookie for a session in a store. `lifetime` is the session's own lifetime in seconds, or
    /// 0. `None` if they are the factory's.
    fn record_attributes(&self, lifetime: u64) -> Option<Box<Attributes>> {
        let template = self.shared.cookie.attributes();
        let mut attributes = self.attributes.clone();
        if lifetime > 0 {
            let attributes = attributes.get_or_insert_with(|| Box::new(template.clone()));
            if attributes.max_age == template.max_age {
                attributes.max_age = Some(lifetime);
            }
        }
        attributes
    }

    /// Writes the session if necessary. Returns the cookie if the browser needs a new one.
    fn write(&mut self, limit: Duration) -> Result<Option<SetCookie>, Error> {
        let is_changed = self.is_changed();
        if is_changed && self.origin == Origin::Unreadable {
            return Err(Error::Unsupported(self.refusal.as_deref().unwrap_or_default().to_owned()));
        }
        match &self.shared.current {
            Current::Stored(_) if is_changed || self.pending.ends() => self.write_record(limit),
            Current::Cookie(format) if is_changed => self.cookie(format).map(Some),
            _ => Ok(None),
        }
    }

    /// The cookie that contains the session.
    fn cookie(&self, format: &Format) -> Result<SetCookie, Error> {
        let template = &self.shared.cookie;
        let sealed = format.sealed(self.accessed, self.created, &self.state)?;
        let (length, limit) = (format.seal.value_len(sealed.len()), template.largest_value());
        if length > limit {
            return Err(Error::TooLarge { length, limit, name: template.name().len() });
        }
        let attributes = self.attributes.as_deref();
        Ok(template.with_value(length, attributes, self.now, |out| format.seal.write(&sealed, out)))
    }

    /// Commits a session in a store. Returns the cookie if the browser needs a new one.
    // Kept out of line so that the cookie path does not pay for this function's large stack frame.
    #[inline(never)]
    fn write_record(&mut self, limit: Duration) -> Result<Option<SetCookie>, Error> {
        let shared = self.shared.clone();
        let Some(records) = shared.current.records() else { return Ok(None) };
        let deadline = records.deadline_within(limit)?;
        let Some(mut stored) = self.stored.take() else { return Ok(None) };
        let mut attempt = Attempt::new(records, &mut stored, self.now, deadline);
        let outcome = self.attempt(records, &mut attempt);
        attempt.end(matches!(outcome, Err(Error::Pending)));
        self.stored = Some(stored);
        outcome
    }

    /// Removes the records of ended sessions and saves this one.
    fn attempt(&mut self, records: &Records, attempt: &mut Attempt<'_>) -> Result<Option<SetCookie>, Error> {
        attempt.remove_invalidated()?;
        if !self.is_changed() {
            return Ok(None);
        }
        let has_changes = self.pending.has_changes();
        if attempt.stored().is_snapshot() {
            // Reading a snapshot does not renew the session.
            return if has_changes { Err(Error::Gone) } else { Ok(None) };
        }
        // The save may replace the state, so a time must not refer to the old state's text.
        (self.accessed, self.renewed) = (self.accessed.detached(), self.renewed.detached());
        let (is_new, renews_id) = (attempt.stored().is_new(), attempt.stored().renews_id());
        let mut content =
            Content { renewed: self.accessed, created: self.created, state: std::mem::take(&mut self.state) };
        let saves = is_new || has_changes || attempt.stored().has_outdated_subject_name(records);
        let is_written = match saves {
            true => match attempt.save(&mut content) {
                // The only purpose of the save was to write the subject's name with the current secret.
                Err(Error::Gone) if !has_changes => Ok(false),
                saved => saved.map(|()| true),
            },
            false => attempt.touch(&content),
        };
        (self.accessed, self.created, self.state) = (content.renewed, content.created, content.state);
        if !is_written? {
            return Ok(None);
        }
        let attributes = self.record_attributes(attempt.stored().lifetime());
        let expires = attributes.as_deref().unwrap_or(self.shared.cookie.attributes()).max_age.is_some();
        let is_outdated = self.origin == Origin::Outdated;
        if !(is_new || renews_id || is_outdated || expires || self.attributes.is_some()) {
            return Ok(None); // The browser has its cookie.
        }
        Ok(attempt.cookie().map(|value| {
            let write = |out: &mut [u8]| out.copy_from_slice(&value);
            self.shared.cookie.with_value(value.len(), attributes.as_deref(), self.now, write)
        }))
    }
}
