//! Commit of a session that lives in a store.

use std::time::{Duration, Instant};

use crate::cookie::SetCookie;
use crate::error::Error;
use crate::moment::Moment;
use crate::serializer::Content;
use crate::session::Session;
use crate::session::changes::{Change, replay};
use crate::state::State;
use crate::store::backend::{Backend, NotLoaded};
use crate::store::id::{Id, Subject};
use crate::store::layout::Loaded;
use crate::store::record::Header;
use crate::store::{Record, Saved};

/// A session's record, as far as this request knows it.
#[derive(Default)]
pub(crate) struct Stored {
    /// The id that the browser has, or will get.
    id: Option<Id>,
    /// The id's key, where there is one.
    key: String,
    /// The id's hash, once it was asked for.
    hash: Option<String>,
    /// The generation that was opened or saved last; 0: there is no record yet.
    generation: u64,
    /// The id is an old one: the session has moved on, and this is how it was.
    moved: bool,
    /// The id that it was to move to when an answer of the store was lost.
    next: Option<Id>,
    /// Records that were sent and not answered: one of them may be there.
    unsure: Vec<Record>,
    pub subject: Option<Subject>,
    /// This request said whose it is, whatever the record says.
    pub subject_set: bool,
    /// Under which subject the record is listed.
    listed: Option<Subject>,
    /// It is to get a new id.
    pub regenerate: bool,
    /// What this request changed since it opened or saved the record.
    pub changes: Vec<Change>,
    /// Records of sessions that were invalidated, to be deleted.
    retired: Vec<(String, Option<Subject>)>,
    /// Records of genuine ids that did not become the session: they go, too, where it is invalidated.
    pub unread: Vec<String>,
}

impl Stored {
    pub fn opened(id: Id, key: String, generation: u64, header: Header) -> Self {
        let Header { moved_to, subject } = header;
        let moved = moved_to.is_some();
        Self { id: Some(id), key, generation, moved, subject, listed: subject, ..Self::default() }
    }

    /// Invalidates it: the record goes at commit, and what is set from now on gets a new id.
    pub fn retire(&mut self) {
        let mut retired = std::mem::take(&mut self.retired);
        retired.extend(self.unread.drain(..).map(|key| (key, None)));
        retired.extend(self.next.take().map(|id| (id.hash(), self.listed)));
        if self.generation > 0 || !self.unsure.is_empty() {
            retired.push((std::mem::take(&mut self.key), self.listed));
        }
        *self = Self { retired, ..Self::default() };
    }

    fn header(&self) -> Header {
        Header { moved_to: None, subject: self.subject }
    }

    /// The id, which is made where there is none.
    fn id(&mut self, backend: &Backend) -> Result<&Id, Error> {
        if self.id.is_none() {
            let id = backend.layout.new_id()?;
            self.key = backend.layout.key(&id);
            self.id = Some(id);
        }
        Ok(self.id.as_ref().expect("there is one now"))
    }

    /// The id's hash; the id is made where there is none.
    pub fn hash(&mut self, backend: &Backend) -> Result<&str, Error> {
        if self.hash.is_none() {
            self.hash = Some(self.id(backend)?.hash());
        }
        Ok(self.hash.as_deref().unwrap_or_default())
    }

    fn become_id(&mut self, id: Id, key: String) {
        (self.id, self.key, self.hash) = (Some(id), key, None);
    }
}

/// Puts a record in place of one of a generation, and keeps it in mind where no answer comes.
fn put(
    backend: &Backend,
    stored: &mut Stored,
    key: &str,
    expected: u64,
    record: Record,
    ttl: Option<Duration>,
    deadline: Instant,
) -> Result<Saved, Error> {
    let outcome = backend.store.save(key, expected, &record, ttl, deadline);
    match outcome {
        Ok(Saved::Yes) => stored.unsure.clear(),
        Ok(_) => {}
        Err(_) => stored.unsure.push(record),
    }
    Ok(outcome?)
}

/// A session as it was, or is to be, in its record.
struct Version {
    generation: u64,
    state: State,
    created: Moment,
}

impl Session {
    /// Writes the session's record, and gives the value of the cookie where the browser needs one.
    // Out of the way of a cookie's, which has no need of so large a frame.
    #[inline(never)]
    pub(super) fn commit_stored(&mut self, limit: Duration) -> Result<Option<SetCookie>, Error> {
        let config = self.config.clone();
        let Some(backend) = config.current.backend() else { return Ok(None) };
        let mut stored = self.stored.take().unwrap_or_default();
        let outcome = self.write_record(backend, &mut stored, backend.deadline_within(limit));
        self.stored = Some(stored);
        outcome
    }

    fn write_record(
        &mut self,
        backend: &Backend,
        stored: &mut Stored,
        deadline: Instant,
    ) -> Result<Option<SetCookie>, Error> {
        while let Some((key, listed)) = stored.retired.last() {
            // Where another request has moved the session meanwhile, the logout is of what it has become.
            let successor = backend.successor(key, deadline)?;
            backend.store.delete(key, deadline)?;
            if let Some(subject) = listed {
                backend.store.delist(&subject.name(), key, deadline)?;
            }
            stored.retired.pop();
            stored.retired.extend(successor.map(|key| (key, None)));
        }
        if !self.is_changed() {
            return Ok(None);
        }
        if stored.moved {
            // Reading it may be due to be noted, but not in a record that is about to go.
            return if self.changed { Err(Error::Gone) } else { Ok(None) };
        }
        // From here on the state may be another one, with another text.
        self.accessed = self.accessed.detached();
        stored.id(backend)?;
        let key = stored.key.clone();
        let is_new = stored.generation == 0;
        let regenerated = stored.regenerate && !is_new;
        backend
            .turns
            .take(&key, deadline, || {
                if regenerated {
                    self.regenerate(backend, stored, &key, deadline)
                } else if is_new || self.changed {
                    self.save(backend, stored, &key, deadline)
                } else {
                    self.extend(backend, stored, &key, deadline)
                }
            })
            .ok_or(Error::Conflict)??;
        stored.changes.clear();
        stored.subject_set = false;
        let browser_needs_it = is_new || regenerated || self.outdated || self.config.cookie.expires();
        Ok(stored.id.as_ref().filter(|_| browser_needs_it).map(|id| {
            let value = backend.layout.seal(id);
            self.config.cookie.with_value(value.len(), self.now, |out| out.copy_from_slice(&value))
        }))
    }

    /// Notes that the session was used, and keeps its generation.
    fn extend(&mut self, backend: &Backend, stored: &mut Stored, key: &str, deadline: Instant) -> Result<(), Error> {
        self.enlist(backend, stored, key, deadline)?;
        let record = backend.record(stored.generation, stored.header(), self.accessed, self.created, &self.state)?;
        let record = Record { generation: stored.generation, ..record };
        backend.store.touch(key, &record, backend.ttl(&self.state, self.created, self.now), deadline)?;
        stored.generation = backend.store.generation(&record.data).unwrap_or(stored.generation);
        Ok(())
    }

    /// Saves over the generation that was opened, or, of a new session, where there is no record; where another request
    /// was first, makes this one's changes again on the newer record, as often as need be.
    fn save(&mut self, backend: &Backend, stored: &mut Stored, key: &str, deadline: Instant) -> Result<(), Error> {
        self.enlist(backend, stored, key, deadline)?;
        let mut newer: Option<Version> = None;
        loop {
            let (generation, state, created) = match &newer {
                Some(version) => (version.generation, &version.state, version.created),
                None => (stored.generation, &self.state, self.created),
            };
            let record = backend.record(generation, stored.header(), self.accessed, created, state)?;
            let saved = record.generation;
            match put(backend, stored, key, generation, record, backend.ttl(state, created, self.now), deadline)? {
                Saved::Yes => {
                    stored.generation = saved;
                    self.become_version(newer);
                    return Ok(());
                }
                Saved::Gone if generation > 0 => return Err(Error::Gone),
                _ => match backend.find(key, &stored.unsure, deadline)? {
                    // It is this session's own, and only the answer was lost.
                    Some(generation) => (stored.generation, newer) = (generation, None),
                    None if generation == 0 => return Err(Error::Conflict),
                    None => newer = Some(self.merged(stored, self.current(backend, key, deadline)?)?),
                },
            }
            if Instant::now() >= deadline {
                return Err(Error::Conflict);
            }
        }
    }

    /// Gives the session a new id. The new record is inserted before the old one becomes a note of how the session
    /// was, so that being cut off between the two loses nothing, and gives nobody with the old id anything new.
    fn regenerate(
        &mut self,
        backend: &Backend,
        stored: &mut Stored,
        old_key: &str,
        deadline: Instant,
    ) -> Result<(), Error> {
        let (id, again) = match stored.next.take() {
            Some(id) => (id, true),
            None => (backend.layout.new_id()?, false),
        };
        let key = backend.layout.key(&id);
        let outcome = match again {
            true => self.go_on_moving(backend, stored, old_key, &key, deadline),
            false => self.move_to(backend, stored, old_key, &key, 0, deadline),
        };
        match outcome {
            Ok(generation) => {
                // The old record stays listed, for it goes, too, where the subject's sessions are revoked.
                stored.become_id(id, key);
                stored.generation = generation;
                stored.listed = stored.subject;
                stored.regenerate = false;
                Ok(())
            }
            // The session may have moved, and only the answer was lost.
            Err(Error::Store(reason)) if backend.layout.has_header() => {
                stored.next = Some(id);
                Err(Error::Store(reason))
            }
            Err(error) => {
                // What was inserted has an id that nobody knows; it would expire by itself.
                let _ = backend.store.delete(&key, deadline);
                Err(error)
            }
        }
    }

    /// Moves the session after a first try that was not answered.
    fn go_on_moving(
        &mut self,
        backend: &Backend,
        stored: &mut Stored,
        old_key: &str,
        key: &str,
        deadline: Instant,
    ) -> Result<u64, Error> {
        let inserted = match self.current(backend, key, deadline) {
            Ok(loaded) => loaded.generation,
            Err(Error::Gone) => 0,
            Err(error) => return Err(error),
        };
        if backend.successor(old_key, deadline)?.as_deref() != Some(key) {
            return self.move_to(backend, stored, old_key, key, inserted, deadline);
        }
        stored.generation = inserted;
        self.save(backend, stored, key, deadline)?;
        Ok(stored.generation)
    }

    /// `generation` is that of the new record, or 0 where it has yet to be inserted.
    fn move_to(
        &mut self,
        backend: &Backend,
        stored: &mut Stored,
        old_key: &str,
        key: &str,
        mut generation: u64,
        deadline: Instant,
    ) -> Result<u64, Error> {
        if let Some(subject) = stored.subject {
            let ttl = backend.ttl(&self.state, self.created, self.now);
            backend.store.enlist(&subject.name(), key, ttl, deadline)?;
        }
        let mut newer: Option<Version> = None;
        loop {
            let before = self.current(backend, old_key, deadline)?;
            let (now_there, header) = (before.generation, before.header.moved_to(key));
            let Content { renewed, created, state } = &before.content;
            let left = backend.record(now_there, header, *renewed, *created, state)?;
            if now_there != stored.generation {
                newer = Some(self.merged(stored, before)?);
            }
            let (state, created) = match &newer {
                Some(newer) => (&newer.state, newer.created),
                None => (&self.state, self.created),
            };
            let record = backend.record(generation, stored.header(), self.accessed, created, state)?;
            let ttl = backend.ttl(state, created, self.now);
            if backend.store.save(key, generation, &record, ttl, deadline)? != Saved::Yes {
                return Err(Error::Conflict);
            }
            generation = record.generation;
            match backend.store.save(old_key, now_there, &left, Some(backend.grace), deadline)? {
                Saved::Yes => {
                    self.become_version(newer);
                    return Ok(generation);
                }
                Saved::Gone => return Err(Error::Gone),
                Saved::Conflict if Instant::now() >= deadline => return Err(Error::Conflict),
                Saved::Conflict => {}
            }
        }
    }

    /// The record as it is now; an error where the session has ended or moved.
    fn current(&self, backend: &Backend, key: &str, deadline: Instant) -> Result<Loaded, Error> {
        match backend.load(key, deadline) {
            Ok(loaded) if loaded.header.moved_to.is_some() => Err(Error::Gone),
            Ok(loaded) => Ok(loaded),
            Err(NotLoaded::Missing) => Err(Error::Gone),
            Err(NotLoaded::Refused(refusal)) => Err(Error::Unsupported(refusal.reason.into_owned())),
            Err(NotLoaded::Failed(error)) => Err(error),
        }
    }

    /// This request's changes on a newer record.
    fn merged(&self, stored: &mut Stored, loaded: Loaded) -> Result<Version, Error> {
        if !stored.subject_set {
            stored.subject = loaded.header.subject;
            stored.listed = stored.subject;
        }
        let Content { mut state, created, .. } = loaded.content;
        replay(&stored.changes, &self.state, &mut state)?;
        Ok(Version { generation: loaded.generation, state, created })
    }

    fn become_version(&mut self, version: Option<Version>) {
        if let Some(version) = version {
            self.state = version.state;
            self.created = version.created;
        }
    }

    /// Lists the session under its subject, before the record says so: a session that is not listed could not be
    /// revoked.
    fn enlist(&self, backend: &Backend, stored: &mut Stored, key: &str, deadline: Instant) -> Result<(), Error> {
        if let Some(subject) = stored.subject {
            backend.store.enlist(&subject.name(), key, backend.ttl(&self.state, self.created, self.now), deadline)?;
        }
        if let Some(listed) = stored.listed.filter(|listed| Some(*listed) != stored.subject) {
            backend.store.delist(&listed.name(), key, deadline)?;
        }
        stored.listed = stored.subject;
        Ok(())
    }
}
