//! The session, Pyramid's `ISession`. Its values are kept as JSON text.
//!
//! This file contains the session's times, its subject, its lifetime and its end. The other files contain the
//! dictionary, flash messages, CSRF tokens, opening and commit.

mod commit;
mod csrf;
mod flash;
mod open;
mod read;
pub(crate) mod shared;
mod status;
mod typed;
mod write;

use std::borrow::Cow;
use std::cell::Cell;
use std::sync::Arc;

use crate::cookie::{Attributes, SetCookies};
use crate::error::Error;
use crate::load::LoadResult;
use crate::options::{MOST_SECONDS, Settings};
use crate::payload::moment::Moment;
use crate::payload::state::State;
use crate::record::changes::Change;
use crate::record::khufu::LONGEST_SUBJECT;
use crate::record::{Records, Stored};
use crate::sys::wiped::WipedText;

pub use commit::Outcome;
pub use flash::Queue;
pub use open::OpenOptions;
pub(crate) use open::Sent;
pub use read::Iter;

use self::open::Opened;
use self::shared::Shared;
use self::status::{Origin, Pending};

/// The session of one request. It is a dictionary whose keys are strings and whose values are JSON.
///
/// Reading also needs `&mut self`: it sets [`Session::accessed`] and may renew the cookie.
///
/// ```
/// use khufu::{Factory, Options, Outcome};
///
/// # let factory = Factory::new(&Options::new().secret("itsaseekreet"))?;
/// let mut session = factory.open(b"session=...")?;
/// session.set("user", "zoe")?;
/// assert_eq!(session.get("user")?, Some("zoe"));
/// assert_eq!(session.get::<u64>("cart")?, None);
/// session.flash("You are logged in.")?;
/// session.commit(Outcome::Response)?;
/// # Ok::<(), khufu::Error>(())
/// ```
pub struct Session {
    shared: Arc<Shared>,
    state: State,
    now: f64,
    renewed: Moment,
    created: Moment,
    accessed: Moment,
    origin: Origin,
    pending: Pending,
    /// True if reading neither renews the cookie nor extends the session's life.
    is_passive: bool,
    /// True if the browser has a cookie of the session's name, or an earlier commit may have given it one.
    has_cookie: bool,
    /// True if the request read or changed the session, so that its response depends on it.
    is_used: Cell<bool>,
    /// True if the request invalidated the session.
    has_ended: bool,
    result: LoadResult,
    /// The index of the accepted format that opened the session. `None` if the current format did.
    format: Option<usize>,
    /// Why the cookie was refused.
    refusal: Option<Cow<'static, str>>,
    /// The attributes of the next commit's cookie. `None` if they are the factory's.
    attributes: Option<Box<Attributes>>,
    /// The cookies that the response needs after the commits so far.
    set_cookies: SetCookies,
    /// The session's record, if sessions are kept in a store.
    stored: Option<Box<Stored>>,
}

impl Session {
    #[inline]
    pub(crate) fn open(shared: &Arc<Shared>, sent: Sent<'_>, options: &OpenOptions) -> Result<Self, Error> {
        let Opened { now, content, origin, result, format, refusal, has_cookie, stored } =
            open::open(shared, sent, options)?;
        Ok(Self {
            shared: Arc::clone(shared),
            state: content.state,
            now,
            renewed: content.renewed,
            created: content.created,
            accessed: content.renewed,
            origin,
            pending: Pending::Nothing,
            is_passive: options.is_passive,
            has_cookie,
            is_used: Cell::new(false),
            has_ended: false,
            result,
            format,
            refusal,
            attributes: None,
            set_cookies: SetCookies::None,
            stored,
        })
    }

    /// The time when the session began, in seconds since the Unix epoch. Pyramid's `created`.
    pub fn created(&self) -> f64 {
        self.created.seconds
    }

    /// The time when the session was last read or changed, in seconds since the Unix epoch. It is in whole seconds if
    /// this request did so. Pyramid's `accessed`.
    pub fn accessed(&self) -> f64 {
        self.accessed.seconds
    }

    /// The time when the session was last written, in seconds since the Unix epoch. Pyramid's `renewed`.
    pub fn renewed(&self) -> f64 {
        self.renewed.seconds
    }

    /// True if the session began with this request. Pyramid's `new`.
    pub fn is_new(&self) -> bool {
        self.origin.is_new()
    }

    /// True if the next commit writes the session.
    pub fn is_changed(&self) -> bool {
        let is_outdated = self.origin == Origin::Outdated && !self.is_passive;
        is_outdated || self.pending == Pending::Renewal || self.pending.has_changes()
    }

    /// How the request's session cookie was opened.
    pub fn load_result(&self) -> LoadResult {
        self.result
    }

    /// The name of the accepted format that opened the session. `None` if the current format opened it, or none did.
    pub fn load_format(&self) -> Option<&str> {
        self.format.map(|index| self.shared.accepted[index].name.as_str())
    }

    /// The reason why the session's cookie was refused, for logs. `None` if no cookie was refused. If the request has
    /// only other cookies, this is a note about that.
    pub fn refusal(&self) -> Option<&str> {
        self.refusal.as_deref()
    }

    /// An id for logs, 64 hexadecimal digits. It cannot be used to open the session. For khufu's own records it is the
    /// key in the store, and stays the same when the session gets a new id. For another library's records it is the
    /// SHA-256 of the session's id. `None` before the first commit, and for a session in a cookie.
    pub fn id(&mut self) -> Option<&str> {
        self.is_used.set(true);
        self.stored.as_mut()?.public_id(self.shared.current.records()?)
    }

    /// Gives the session a new id at commit. Call it when a user logs in, to prevent session fixation. For
    /// `regenerate_grace` seconds the old id can still read the earlier data, but not change them. A session in a
    /// cookie has no id, and is only written again.
    pub fn regenerate_id(&mut self) {
        self.mark_changed();
        if let Some(stored) = &mut self.stored {
            stored.renew_id();
        }
    }

    /// Sets the subject of the session: the user, or anything else, whose session it is. After the next commit,
    /// [`Factory::subject`](crate::Factory::subject) finds the session. An empty text means that the session has no
    /// subject.
    ///
    /// ```
    /// # use khufu::{Factory, Options, Outcome};
    /// let factory = Factory::new(&Options::new().secret("itsaseekreet").store("memory:"))?;
    /// let mut session = factory.open(b"")?;
    /// session.set_subject("user-42")?;
    /// session.commit(Outcome::Response)?;
    /// assert_eq!(factory.subject("user-42")?.sessions()?.len(), 1);
    /// # Ok::<(), khufu::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`Error::NoStore`] if the session is in a cookie, or if the store or the library keeps no subjects;
    /// [`Error::Range`] if the text is longer than 65,535 bytes.
    pub fn set_subject(&mut self, subject: &str) -> Result<(), Error> {
        if !self.shared.current.records().is_some_and(Records::keeps_subjects) {
            return Err(Error::NoStore);
        }
        if subject.len() > LONGEST_SUBJECT {
            return Err(Error::Range(format!(
                "a subject may have at most {LONGEST_SUBJECT} bytes, not {}",
                subject.len()
            )));
        }
        let subject = Some(subject).filter(|subject| !subject.is_empty());
        if let Some(stored) = self.stored.as_mut().filter(|stored| stored.subject() != subject) {
            // A C caller may pass a part of the old subject, which is freed when the new one is set.
            let [kept, noted] = [subject; 2].map(|subject| subject.map(WipedText::from));
            stored.set_subject(kept);
            self.note(|_| Change::Subject(noted));
        }
        Ok(())
    }

    /// The session's subject, as [`Session::set_subject`] set it. `None` if it has no subject.
    pub fn subject(&self) -> Option<&str> {
        self.is_used.set(true);
        self.stored.as_ref()?.subject()
    }

    /// Sets the session's own lifetime: the number of seconds after its last use when it expires. Use it for "remember
    /// me". 0 means that the options apply again.
    ///
    /// khufu's own records keep the lifetime. It replaces the options `timeout` and `max_age` for this session.
    /// Sessions in cookies and other libraries' records cannot keep it: there it is only the `Max-Age` of the next
    /// commit's cookie.
    ///
    /// ```
    /// # use khufu::{Factory, Options, Outcome};
    /// # let factory = Factory::new(&Options::new().secret("itsaseekreet").store("memory:"))?;
    /// let mut session = factory.open(b"")?;
    /// session.set("user", "zoe")?;
    /// session.set_lifetime(30 * 24 * 3600)?;
    /// assert!(session.commit(Outcome::Response)?[0].contains("; Max-Age=2592000;"));
    /// # Ok::<(), khufu::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`Error::Range`] if it is longer than 10,000,000,000 seconds.
    pub fn set_lifetime(&mut self, seconds: u64) -> Result<(), Error> {
        if seconds > MOST_SECONDS {
            return Err(Error::Range(format!("a lifetime may have at most {MOST_SECONDS} seconds, not {seconds}")));
        }
        match self.shared.current.records() {
            Some(records) if records.layout.has_header() => {
                if let Some(stored) = &mut self.stored {
                    stored.set_lifetime(seconds);
                }
                self.note(|_| Change::Lifetime(seconds));
                self.attributes(); // so that the next commit sends a cookie with the new Max-Age, or without one
            }
            _ => {
                self.mark_changed();
                let otherwise = self.shared.cookie.attributes().max_age;
                self.attributes().max_age = if seconds > 0 { Some(seconds) } else { otherwise };
            }
        }
        Ok(())
    }

    /// Sets an attribute of the next commit's cookie: `max_age`, `secure`, `httponly`, `samesite` or `partitioned`. It
    /// accepts the same values as the option of this name. An empty value unsets the attribute. Later commits use the
    /// options again.
    ///
    /// ```
    /// # use khufu::{Factory, Options, Outcome};
    /// # let mut session = Factory::new(&Options::new().secret("itsaseekreet"))?.open(b"")?;
    /// session.set("user", "zoe")?;
    /// session.set_attribute("max_age", "86400")?;
    /// assert!(session.commit(Outcome::Response)?[0].contains("; Max-Age=86400;"));
    /// # Ok::<(), khufu::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`Error::Option`] if there is no such attribute, if it does not accept the value, or if browsers would drop the
    /// cookie. The attributes are unchanged then.
    pub fn set_attribute(&mut self, name: &str, value: &str) -> Result<(), Error> {
        let settings = Settings::attribute(name, value)?;
        let mut attributes = self.attributes.as_deref().unwrap_or(self.shared.cookie.attributes()).clone();
        match name {
            "max_age" => attributes.max_age = settings.number(name),
            "secure" => attributes.secure = settings.is_on(name),
            "httponly" => attributes.httponly = settings.is_on(name),
            "samesite" => attributes.samesite = settings.choice(name),
            _ => attributes.partitioned = settings.is_on(name),
        }
        if let Some((attribute, allowed)) = attributes.broken_rule() {
            return Err(Error::Option(format!("the attribute {attribute} must be {allowed}")));
        }
        self.attributes = Some(Box::new(attributes));
        self.mark_changed();
        Ok(())
    }

    /// The attributes of the next commit's cookie, to be changed.
    fn attributes(&mut self) -> &mut Attributes {
        self.attributes.get_or_insert_with(|| Box::new(self.shared.cookie.attributes().clone()))
    }

    /// Marks the session as changed, so that commit writes it. Pyramid's `changed()`.
    pub fn mark_changed(&mut self) {
        self.is_used.set(true);
        self.pending = self.pending.with_change();
        if let Some(stored) = &mut self.stored {
            stored.give_up_pending();
        }
    }

    /// Ends the session, for example when the user logs out. Its data are dropped, and a new, empty session begins.
    /// Data that are set afterwards belong to the new session. If none are set, commit clears the browser's cookie. The
    /// session ends at commit, even if the request ends in an exception and `set_on_exception` is off. Pyramid's
    /// `invalidate`.
    pub fn invalidate(&mut self) {
        self.state.reset();
        let now = Moment::at(self.now);
        (self.created, self.renewed, self.accessed) = (now, now, now);
        (self.origin, self.pending) = (Origin::New, Pending::End);
        self.has_ended = true;
        self.is_used.set(true);
        if let Some(stored) = &mut self.stored {
            stored.mark_ended();
        }
    }

    /// True if this request invalidated the session, with [`Session::invalidate`].
    ///
    /// ```
    /// # let mut session = khufu::Factory::new(&khufu::Options::new().secret("seekrit"))?.open(b"")?;
    /// session.invalidate();
    /// assert!(session.has_ended());
    /// # Ok::<(), khufu::Error>(())
    /// ```
    pub fn has_ended(&self) -> bool {
        self.has_ended
    }

    /// Called when the request reads the session. Its cookie may have to be renewed.
    fn note_read(&mut self) {
        self.is_used.set(true);
        if self.is_passive {
            return;
        }
        self.note_access();
        if let Some(reissue_time) = self.shared.lifetime.reissue_time
            && self.accessed.seconds - self.renewed.seconds > reissue_time as f64
        {
            self.pending = self.pending.with_renewal();
        }
    }

    /// Called when the request changes the session. In a store, the change may have to be applied to a newer record.
    fn note(&mut self, change: impl FnOnce(&State) -> Change) {
        self.mark_changed();
        if let Some(stored) = &mut self.stored {
            stored.note(change(&self.state));
        }
    }

    /// Called when the request reads or changes the session.
    fn note_access(&mut self) {
        self.is_used.set(true);
        if !self.accessed.is_whole() {
            self.accessed = Moment::whole(self.now);
        }
    }
}
