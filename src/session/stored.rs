//! Commit of a session that lives in a store.

use std::time::{Duration, Instant};

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
}

impl Stored {
    pub fn opened(id: Id, key: String, generation: u64, header: Header) -> Self {
        let Header { moved, subject } = header;
        Self { id: Some(id), key, generation, moved, subject, listed: subject, ..Self::default() }
    }

    /// Invalidates it: the record goes at commit, and what is set from now on gets a new id.
    pub fn retire(&mut self) {
        let mut retired = std::mem::take(&mut self.retired);
        if self.generation > 0 {
            retired.push((std::mem::take(&mut self.key), self.listed));
        }
        *self = Self { retired, ..Self::default() };
    }

    fn header(&self) -> Header {
        Header { moved: false, subject: self.subject }
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

/// A session as it was, or is to be, in its record.
struct Version {
    generation: u64,
    state: State,
    created: Moment,
}

impl Session {
    /// Writes the session's record, and gives the value of the cookie where the browser needs one.
    pub(super) fn commit_stored(&mut self, limit: Duration) -> Result<Option<String>, Error> {
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
    ) -> Result<Option<String>, Error> {
        while let Some((key, listed)) = stored.retired.last() {
            backend.store.delete(key, deadline)?;
            if let Some(subject) = listed {
                backend.store.delist(&subject.name(), key, deadline)?;
            }
            stored.retired.pop();
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
            .take(&key, deadline, || match (is_new, regenerated) {
                (true, _) => self.insert(backend, stored, &key, deadline),
                (_, true) => self.regenerate(backend, stored, &key, deadline),
                _ if self.changed => self.save(backend, stored, &key, deadline),
                _ => self.extend(backend, stored, &key, deadline),
            })
            .ok_or(Error::Conflict)??;
        stored.changes.clear();
        stored.subject_set = false;
        let browser_needs_it = is_new || regenerated || self.outdated || self.config.cookie.expires();
        Ok(stored.id.as_ref().filter(|_| browser_needs_it).map(|id| {
            let value = backend.layout.seal(id);
            self.config.cookie.with_value(value.len(), self.now.seconds, |out| out.copy_from_slice(&value))
        }))
    }

    fn insert(&mut self, backend: &Backend, stored: &mut Stored, key: &str, deadline: Instant) -> Result<(), Error> {
        self.enlist(backend, stored, key, deadline)?;
        let record = backend.record(0, stored.header(), self.accessed, self.created, &self.state)?;
        let ttl = backend.ttl(&self.state, self.created, self.now);
        match backend.store.save(key, 0, &record, ttl, deadline)? {
            Saved::Yes => {
                stored.generation = record.generation;
                Ok(())
            }
            Saved::Conflict | Saved::Gone => Err(Error::Conflict),
        }
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

    /// Saves over the generation that was opened; where another request was first, makes this one's changes again on
    /// the newer record, as often as need be.
    fn save(&mut self, backend: &Backend, stored: &mut Stored, key: &str, deadline: Instant) -> Result<(), Error> {
        self.enlist(backend, stored, key, deadline)?;
        let mut newer: Option<Version> = None;
        loop {
            let (generation, state, created) = match &newer {
                Some(version) => (version.generation, &version.state, version.created),
                None => (stored.generation, &self.state, self.created),
            };
            let record = backend.record(generation, stored.header(), self.accessed, created, state)?;
            match backend.store.save(key, generation, &record, backend.ttl(state, created, self.now), deadline)? {
                Saved::Yes => {
                    stored.generation = record.generation;
                    self.become_version(newer);
                    return Ok(());
                }
                Saved::Gone => return Err(Error::Gone),
                Saved::Conflict => {
                    newer = Some(self.merged(stored, self.current(backend, key, deadline)?)?);
                }
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
        let id = backend.layout.new_id()?;
        let key = backend.layout.key(&id);
        let outcome = self.move_to(backend, stored, old_key, &key, deadline);
        match outcome {
            Ok(generation) => {
                if let Some(subject) = stored.listed.filter(|_| old_key != key) {
                    backend.store.delist(&subject.name(), old_key, deadline)?;
                }
                stored.become_id(id, key);
                stored.generation = generation;
                stored.listed = stored.subject;
                stored.regenerate = false;
                Ok(())
            }
            Err(error) => {
                // What was inserted has an id that nobody knows; it would expire by itself.
                let _ = backend.store.delete(&key, deadline);
                Err(error)
            }
        }
    }

    fn move_to(
        &mut self,
        backend: &Backend,
        stored: &mut Stored,
        old_key: &str,
        key: &str,
        deadline: Instant,
    ) -> Result<u64, Error> {
        if let Some(subject) = stored.subject {
            let ttl = backend.ttl(&self.state, self.created, self.now);
            backend.store.enlist(&subject.name(), key, ttl, deadline)?;
        }
        let mut generation = 0;
        let mut newer: Option<Version> = None;
        loop {
            let before = self.current(backend, old_key, deadline)?;
            let (now_there, header) = (before.generation, Header { moved: true, ..before.header });
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
            Ok(loaded) if loaded.header.moved => Err(Error::Gone),
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
