//! The session: Pyramid's `ISession` over JSON text.
//!
//! This file has the dictionary and the times; `flash`, `csrf` and `commit` are beside it.

mod changes;
mod commit;
mod csrf;
mod flash;
mod read;
mod record;

pub(crate) use changes::{Change, Changes, replay};

use std::borrow::Cow;
use std::sync::Arc;

use zeroize::Zeroizing;

use crate::arena::{LONGEST, Span};
use crate::cookie::SetCookies;
use crate::error::Error;
use crate::factory::Config;
use crate::json::{self, Fault, Marks, Scanner};
use crate::load::{LoadResult, Refusal};
use crate::moment::Moment;
use crate::record::id::Id;
use crate::record::khufu::LONGEST_SUBJECT;
use crate::record::{Records, Stored};
use crate::serializer::Content;
use crate::session::changes::JsonText;
use crate::state::{State, Value};
use crate::wiped::WipedText;

/// One request's session. Reading it changes it too (`accessed`, and whether its cookie is due again), so it belongs
/// to one thread at a time.
pub struct Session {
    config: Arc<Config>,
    state: State,
    now: f64,
    renewed: f64,
    created: Moment,
    accessed: Moment,
    new: bool,
    /// Something is to be written.
    changed: bool,
    /// It was read, and is old enough to be written again.
    due: bool,
    /// It came in a way that is not the current one, so it is written again.
    outdated: bool,
    /// It was invalidated, and nothing has been committed since.
    invalidated: bool,
    /// The browser has a cookie of the name, or an earlier commit of this request may have given it one.
    sent: bool,
    /// The request looked at it, or changed it.
    depended: bool,
    result: LoadResult,
    /// The accepted format that it came in, if that was not the current one.
    format: Option<usize>,
    /// The browser's cookie is genuine, but could not be read here: it is not overwritten.
    protected: bool,
    /// Why the cookie was refused.
    refusal: Option<Cow<'static, str>>,
    /// What the response needs after all commits so far.
    set_cookies: SetCookies,
    /// Its record, where sessions are kept in a store.
    stored: Option<Box<Stored>>,
}

impl Session {
    /// A new and empty session.
    #[inline]
    pub(crate) fn new(config: Arc<Config>, now: f64) -> Self {
        let stored = config.current.records().map(|_| Box::default());
        Self {
            config,
            state: State::default(),
            now,
            renewed: now,
            created: Moment::at(now),
            accessed: Moment::at(now),
            new: true,
            changed: false,
            due: false,
            outdated: false,
            invalidated: false,
            sent: false,
            depended: false,
            result: LoadResult::None,
            format: None,
            protected: false,
            refusal: None,
            set_cookies: SetCookies::None,
            stored,
        }
    }

    pub(crate) fn now(&self) -> f64 {
        self.now
    }

    /// The browser has a cookie of the name.
    pub(crate) fn was_sent(&mut self) {
        self.sent = true;
    }

    /// The cookie is the session.
    #[inline]
    pub(crate) fn was_found(&mut self, content: Content, result: LoadResult) {
        self.state = content.state;
        (self.renewed, self.accessed, self.created) = (content.renewed.seconds, content.renewed, content.created);
        (self.new, self.outdated) = (false, result != LoadResult::Loaded);
        self.result = result;
    }

    /// It came in an accepted format.
    pub(crate) fn came_in(&mut self, format: usize) {
        self.format = Some(format);
        (self.outdated, self.result) = (true, LoadResult::LoadedOtherFormat);
    }

    /// It came from a store.
    pub(crate) fn is_stored(&mut self, stored: Stored, is_misnamed: bool) {
        self.outdated |= is_misnamed;
        let earlier = self.stored.take().map(|earlier| *earlier).unwrap_or_default();
        self.stored = Some(Box::new(stored.with_unread_of(earlier)));
    }

    /// A genuine id's record is not the session.
    pub(crate) fn could_not_open(&mut self, id: Id) {
        if let Some(stored) = &mut self.stored {
            stored.could_not_read(id);
        }
    }

    /// The cookie is not the session.
    pub(crate) fn was_refused(&mut self, refusal: Refusal) {
        self.result = refusal.result;
        self.protected = matches!(refusal.result, LoadResult::Unsupported | LoadResult::StoreError);
        self.refusal = Some(refusal.reason);
    }

    /// When the session began, in seconds since the Unix epoch.
    pub fn created(&self) -> f64 {
        self.created.seconds
    }

    /// When it was last read or written, in seconds since the Unix epoch; whole seconds once this request has.
    pub fn accessed(&self) -> f64 {
        self.accessed.seconds
    }

    /// When the browser's cookie was written, in seconds since the Unix epoch.
    pub fn renewed(&self) -> f64 {
        self.renewed
    }

    /// Whether the session began with this request.
    pub fn is_new(&self) -> bool {
        self.new
    }

    /// Whether there is something to commit.
    pub fn is_changed(&self) -> bool {
        self.changed || self.due || self.outdated
    }

    /// What opening made of the cookie.
    pub fn load_result(&self) -> LoadResult {
        self.result
    }

    /// The name of the accepted format that the session came in, if that was not the current one.
    pub fn load_format(&self) -> Option<&str> {
        self.format.map(|index| self.config.accepted[index].name.as_str())
    }

    /// Why the cookie was refused, if one was; for [`LoadResult::None`], that the request has other cookies, if it has.
    pub fn refusal(&self) -> Option<&str> {
        self.refusal.as_deref()
    }

    /// A name for the session, 64 hexadecimal digits, that may be logged, for it opens nothing. For khufu's own records it
    /// is the key in the store, and stays the same through every login; for another library's it is the SHA-256 of the
    /// session's id. `None` before the first commit, and for a cookie.
    pub fn id(&mut self) -> Option<&str> {
        self.stored.as_mut()?.public_id(self.config.current.records()?)
    }

    /// Gives the session a new id at commit, against fixation: call it when a user has logged in. For
    /// `regenerate_grace` seconds the old id still shows the data as they were before, to be read only. A cookie has no
    /// id, and is only written again.
    pub fn regenerate_id(&mut self) {
        self.changed();
        if let Some(stored) = &mut self.stored {
            stored.renew();
        }
    }

    /// Says whose session it is, so that [`Factory::subject_sessions`](crate::Factory::subject_sessions) finds it; empty:
    /// nobody's.
    ///
    /// # Errors
    /// [`Error::NoStore`] for a cookie, and for a store or a library whose records have no place for it;
    /// [`Error::Range`] if the text is longer than 65,535 bytes.
    pub fn set_subject(&mut self, subject: &str) -> Result<(), Error> {
        if !self.config.current.records().is_some_and(Records::keeps_subjects) {
            return Err(Error::NoStore);
        }
        if subject.len() > LONGEST_SUBJECT {
            return Err(Error::Range(format!("a subject may have {LONGEST_SUBJECT} bytes, not {}", subject.len())));
        }
        let subject = Some(subject).filter(|subject| !subject.is_empty());
        if let Some(stored) = self.stored.as_mut().filter(|stored| stored.subject() != subject) {
            stored.set_subject(subject.map(WipedText::from));
            self.changed();
            self.note(|_| Change::Subject(subject.map(WipedText::from)));
        }
        Ok(())
    }

    /// Marks the session changed, though nothing was set: it is written at commit. Pyramid's `changed()`.
    pub fn changed(&mut self) {
        self.depended = true;
        self.changed = true;
    }

    /// Drops all data and starts over: new, created now. What is set afterwards belongs to the new session; if
    /// nothing is, commit clears the browser's cookie. The session ends at commit even if the request ends in an
    /// exception and `set_on_exception` is off.
    pub fn invalidate(&mut self) {
        self.state.begin_anew();
        let now = Moment::at(self.now);
        (self.created, self.renewed, self.accessed) = (now, self.now, now);
        self.new = true;
        (self.changed, self.due, self.outdated) = (false, false, false);
        if let Some(stored) = &mut self.stored {
            stored.retire();
        }
        self.protected = false;
        self.invalidated = true;
        self.depended = true;
    }

    /// A read: notes the time, and whether the cookie is due to be written again.
    fn was_read(&mut self) {
        self.was_touched();
        if let Some(reissue_time) = self.config.reissue_time
            && self.accessed.seconds - self.renewed > reissue_time as f64
        {
            self.due = true;
        }
    }

    /// A change: it is to be written, and, in a store, may have to be made again.
    fn note(&mut self, change: impl FnOnce(&State) -> Change) {
        self.changed = true;
        if let Some(stored) = &mut self.stored {
            stored.note(change(&self.state));
        }
    }

    fn was_touched(&mut self) {
        self.depended = true;
        if !self.accessed.is_whole() {
            self.accessed = Moment::whole(self.now);
        }
    }

    /// Checks and keeps a JSON text that a key is to be set to.
    fn keep(&mut self, key: &str, json: &str) -> Result<Value, Error> {
        let marks = check(key, json)?;
        Ok(self.state.keep(json, marks))
    }

    /// Keeps a string as JSON text.
    fn keep_string(&mut self, text: &str) -> Result<Value, Error> {
        let length = json::escaped_len(text) + 2;
        check_length(length)?;
        let span = self.state.arena_mut().write(length, |out| push_string(text, out));
        Ok(Value { span, marks: Marks::default() })
    }

    /// Sets a key to a value, given as JSON text.
    ///
    /// # Errors
    /// [`Error::Json`] if it is not one JSON value or nests deeper than 500 levels; [`Error::Range`] if it holds a number
    /// that Python does not read back: an integer of more than 4,300 digits, or a float that overflows a double.
    pub fn set(&mut self, key: &str, json: &str) -> Result<(), Error> {
        let value = self.keep(key, json)?;
        self.store(key, value)?;
        Ok(())
    }

    /// Where the value stands then.
    fn store(&mut self, key: &str, value: Value) -> Result<Span, Error> {
        check_length(key.len())?;
        self.state.set(key, value);
        self.was_touched();
        self.note(|state| Change::Set(key.into(), JsonText::of(state, value)));
        Ok(self.state.settle(value.span))
    }

    /// Sets a key to a string.
    ///
    /// # Errors
    /// [`Error::Range`] if it is longer than a session can hold (2 GiB).
    pub fn set_string(&mut self, key: &str, text: &str) -> Result<(), Error> {
        let value = self.keep_string(text)?;
        self.store(key, value)?;
        Ok(())
    }

    /// Sets a key to an integer.
    ///
    /// # Errors
    /// As [`Session::set`].
    pub fn set_int64(&mut self, key: &str, value: i64) -> Result<(), Error> {
        self.set(key, &Zeroizing::new(value.to_string()))
    }

    /// Sets a key to a number, which is written with a fraction or an exponent, so that it stays a float elsewhere.
    ///
    /// # Errors
    /// [`Error::Range`] if it is not finite: JSON cannot write that.
    pub fn set_double(&mut self, key: &str, value: f64) -> Result<(), Error> {
        if !value.is_finite() {
            return Err(Error::Range("a number that is set must be finite".to_owned()));
        }
        self.set(key, &Zeroizing::new(format!("{value:?}")))
    }

    /// Sets a key to `true` or `false`.
    ///
    /// # Errors
    /// As [`Session::set`].
    pub fn set_bool(&mut self, key: &str, value: bool) -> Result<(), Error> {
        self.set(key, if value { "true" } else { "false" })
    }

    /// Sets a key to `null`.
    ///
    /// # Errors
    /// As [`Session::set`].
    pub fn set_null(&mut self, key: &str) -> Result<(), Error> {
        self.set(key, "null")
    }

    /// The value of a key as JSON text; where the key is not there, it is set to `json` first.
    ///
    /// # Errors
    /// [`Error::Json`] and [`Error::Range`] as in [`Session::set`]; [`Error::Type`] as in [`Session::get`].
    pub fn setdefault(&mut self, key: &str, json: &str) -> Result<&str, Error> {
        let span = match self.state.get(key) {
            Some(value) => {
                check(key, json)?;
                read::strict(key, value)?;
                self.was_touched();
                value.span
            }
            None => {
                check_length(key.len())?;
                let value = self.keep(key, json)?;
                self.state.set(key, value);
                self.was_touched();
                self.note(|state| Change::SetDefault(key.into(), JsonText::of(state, value)));
                self.state.settle(value.span)
            }
        };
        Ok(self.state.text(span))
    }

    /// Sets every member of a JSON object, or, on an error, none.
    ///
    /// # Errors
    /// [`Error::Json`] and [`Error::Range`] as in [`Session::set`]; [`Error::NotAnObject`] if it is not an object.
    pub fn update(&mut self, json: &str) -> Result<(), Error> {
        check_length(json.len())?;
        let mut pairs = Vec::new();
        let mut scanner = Scanner::strict(json);
        scanner.space();
        if scanner.peek() != b'{' {
            json::check(json)?;
            return Err(Error::NotAnObject(read::kind(&json[scanner.at..])));
        }
        let members = json::members(&mut scanner, |key, start, end, marks| {
            pairs.push((&json[key.start..key.end], &json[start..end], marks));
        });
        members.and_then(|()| scanner.end()).map_err(|fault| refusal_of_member(json, fault))?;
        if pairs.iter().any(|(key, ..)| !json::is_text(key)) {
            return Err(Error::LoneSurrogate);
        }
        self.was_touched();
        for (written, json, marks) in pairs {
            let key = unescaped(written);
            let value = self.state.keep(json, marks);
            self.state.set(&key, value);
            self.note(|state| Change::Set(key, JsonText::of(state, value)));
        }
        self.state.settle(Span::EMPTY);
        Ok(())
    }

    /// Deletes a key; false where it is not there.
    pub fn delete(&mut self, key: &str) -> bool {
        let deleted = self.remove(key).is_some();
        if deleted {
            self.state.settle(Span::EMPTY);
        }
        deleted
    }

    /// Takes a key out and gives its value as JSON text.
    ///
    /// # Errors
    /// [`Error::Type`] as in [`Session::get`]; the key stays then.
    pub fn pop(&mut self, key: &str) -> Result<Option<&str>, Error> {
        if let Some(value) = self.state.get(key) {
            read::strict(key, value)?;
        }
        let Some(value) = self.remove(key) else { return Ok(None) };
        let span = self.state.settle(value.span);
        Ok(Some(self.state.text(span)))
    }

    fn remove(&mut self, key: &str) -> Option<Value> {
        let removed = self.state.delete(key);
        self.was_touched();
        if removed.is_some() {
            self.note(|_| Change::Delete(key.into()));
        }
        removed
    }

    /// Takes every key out.
    pub fn clear(&mut self) {
        self.was_touched();
        if self.state.len() > 0 {
            self.state.clear();
            self.note(|_| Change::Clear);
            self.state.settle(Span::EMPTY);
        }
    }
}

/// A string as JSON text.
fn json_string(text: &str) -> Result<WipedText, Error> {
    let length = json::escaped_len(text) + 2;
    check_length(length)?;
    let mut json = WipedText::with_capacity(length);
    push_string(text, &mut json);
    Ok(json)
}

fn push_string(text: &str, out: &mut String) {
    out.push('"');
    json::escape(text, out);
    out.push('"');
}

/// Checks a JSON text that a key is to be set to, or that is to be added to the list there.
#[inline]
fn check(key: &str, json: &str) -> Result<Marks, Error> {
    check_length(json.len())?;
    json::check(json).map_err(|fault| Error::refused(key, fault))
}

/// Why an object is not set: the fault is of the text, or of a number of one of its members.
#[cold]
fn refusal_of_member(json: &str, fault: Fault) -> Error {
    if !fault.is_out_of_range() {
        return fault.into();
    }
    let mut scanner = Scanner::lenient(json);
    scanner.space();
    let mut member = None;
    let members = json::members(&mut scanner, |key, start, end, _| {
        if (start..end).contains(&fault.at()) {
            member = Some(unescaped(&json[key.start..key.end]));
        }
    });
    match (members, member) {
        (Ok(()), Some(key)) => Error::refused(&key, fault),
        (Ok(()), None) => fault.into(),
        (Err(other), _) => other.into(),
    }
}

/// The text of a key between its quotes.
fn unescaped(written: &str) -> WipedText {
    let mut key = WipedText::with_capacity(written.len());
    json::unescape(written, Some(char::REPLACEMENT_CHARACTER), &mut key);
    key
}

fn check_length(length: usize) -> Result<(), Error> {
    if length > LONGEST {
        return Err(Error::Range(format!("a value may have {LONGEST} bytes, not {length}")));
    }
    Ok(())
}
