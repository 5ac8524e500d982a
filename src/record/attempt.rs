//! Commits a session to its record.
//!
//! A commit is a single write to the session's key. It succeeds only if the record still has the generation that this
//! request knows. If another request has written the record since, this request's changes are applied again to the
//! newer record.

use std::time::Instant;

use crate::error::Error;
use crate::payload::serializer::Content;
use crate::record::changes::{Change, replay};
use crate::record::header::SAVES;
use crate::record::id::Id;
use crate::record::layout::{Loaded, Metadata, View};
use crate::record::records::{NotLoaded, Records};
use crate::record::snapshot::Snapshot;
use crate::record::stored::{Invalidated, Stored, Unanswered};
use crate::store::{Record, Saved, SubjectName};
use crate::sys::wiped::WipedBytes;

pub(crate) struct Attempt<'a> {
    records: &'a Records,
    stored: &'a mut Stored,
    /// The request's time, in seconds since the Unix epoch.
    now: f64,
    deadline: Instant,
}

/// A newer record than the one that was opened, with this request's changes applied to it.
struct Merged {
    content: Content,
    metadata: Metadata,
    /// The generation of the newer record, which the save replaces.
    replaces: u64,
}

impl<'a> Attempt<'a> {
    /// `now` is the request's time, in seconds since the Unix epoch.
    pub fn new(records: &'a Records, stored: &'a mut Stored, now: f64, deadline: Instant) -> Self {
        Self { records, stored, now, deadline }
    }

    pub fn stored(&self) -> &Stored {
        self.stored
    }

    /// Removes the records of the sessions that were invalidated.
    pub fn remove_invalidated(&mut self) -> Result<(), Error> {
        while let Some(invalidated) = self.stored.invalidated.last() {
            match invalidated {
                Invalidated::Opened((key, subject)) => self.remove(key, *subject)?,
                Invalidated::Unreadable(id) => self.remove_unreadable(id)?,
            }
            self.stored.invalidated.pop();
        }
        Ok(())
    }

    /// Removes a record that could not be read, but only if the id opens it. Otherwise a planted cookie could log
    /// another user out.
    fn remove_unreadable(&self, id: &Id) -> Result<(), Error> {
        let Some(record) = self.records.fetch(id, self.deadline)? else { return Ok(()) };
        if self.records.layout.view(id, &record.data, self.now).is_ok() {
            let subject = self.records.layout.header(&record.data).ok().and_then(|header| header.subject);
            self.remove(&self.records.layout.key(id), subject)?;
        }
        Ok(())
    }

    /// Removes a record of any generation.
    fn remove(&self, key: &str, subject: Option<SubjectName>) -> Result<(), Error> {
        match self.records.store.remove(key, 0, subject, self.deadline)? {
            Saved::Yes | Saved::Gone => Ok(()),
            // A custom store that did not remove the record must not turn a logout into a success.
            Saved::Conflict => Err(Error::Store("remove must ignore the generation if it is 0".to_owned())),
        }
    }

    /// Saves a session that has changes. On success, `content` is what was saved.
    pub fn save(&mut self, content: &mut Content) -> Result<(), Error> {
        match self.stored.is_new() {
            true => self.insert(content),
            false => self.in_turn(|attempt| attempt.replace(content)),
        }
    }

    /// Saves the time at which the session was used. Returns false if another request has changed or ended the session
    /// in the meantime. The response must not set the browser's cookie then.
    pub fn touch(&mut self, content: &Content) -> Result<bool, Error> {
        let touched = self.in_turn(|attempt| {
            let Attempt { records, stored, now, deadline } = attempt;
            stored.metadata.drop_expired_snapshot(*now);
            let mut put = records.prepare_write(stored.generation, content, &stored.metadata)?;
            let touched = put.generation;
            put.generation = stored.generation;
            let saved = records.store.touch(&stored.key, &records.write(&put, *now, *deadline))?;
            if saved == Saved::Yes && !records.layout.has_header() {
                stored.generation = touched;
            }
            Ok(saved == Saved::Yes)
        });
        match touched {
            // The deadline came before this request's turn. A request that only read the session loses nothing.
            Err(Error::Conflict) => Ok(false),
            touched => touched,
        }
    }

    /// The value of the browser's cookie. `None` before the first commit.
    pub fn cookie(&self) -> Option<WipedBytes> {
        self.stored.cookie(self.records)
    }

    /// Runs `work` when it is this commit's turn: the commits of one process to the same session take turns.
    fn in_turn<T>(&mut self, work: impl FnOnce(&mut Self) -> Result<T, Error>) -> Result<T, Error> {
        let (records, key) = (self.records, self.stored.key.clone());
        records.turns.take(&key, self.deadline, || work(self)).ok_or(Error::Conflict)?
    }

    fn insert(&mut self, content: &Content) -> Result<(), Error> {
        let layout = &self.records.layout;
        let id = layout.new_id()?;
        let key = layout.key(&id);
        let mut metadata = self.stored.metadata.clone();
        self.complete_header(&mut metadata, &id)?;
        let put = self.records.prepare_write(0, content, &metadata)?;
        match self.records.store.save(&key, 0, &self.records.write(&put, self.now, self.deadline)) {
            Ok(Saved::Yes) => {}
            Ok(_) => return Err(Error::Conflict),
            Err(error) => {
                // The insert may still take effect later, even after a logout, so this id is not used again.
                self.stored.unanswered_inserts.push((key, metadata.header.subject));
                return Err(error.into());
            }
        }
        let generation = put.generation;
        self.stored.adopt(id, key);
        self.stored.was_saved(generation, metadata);
        // A failure does not matter: nobody knows the id of such a record, and the record expires.
        for (key, subject) in std::mem::take(&mut self.stored.unanswered_inserts) {
            let _ = self.records.store.remove(&key, 0, subject, self.deadline);
        }
        Ok(())
    }

    fn replace(&mut self, content: &mut Content) -> Result<(), Error> {
        // A snapshot needs the record's current data, and an unanswered save may have changed the record.
        let reloads_first = self.stored.renews_id || !self.stored.unanswered.is_empty();
        let mut newer = if reloads_first { self.reload(content)? } else { None };
        loop {
            match self.put(content, newer.as_ref())? {
                (Saved::Yes, generation, metadata) => {
                    if let Some(merged) = newer {
                        *content = merged.content;
                    }
                    if let Some(id) = self.stored.planned_id.take().filter(|_| self.stored.renews_id) {
                        let key = self.records.layout.key(&id);
                        self.stored.adopt(id, key);
                    }
                    self.stored.was_saved(generation, metadata);
                    return Ok(());
                }
                (Saved::Gone, ..) => return Err(Error::Gone),
                (Saved::Conflict, ..) if Instant::now() >= self.deadline => return Err(Error::Conflict),
                (Saved::Conflict, ..) => newer = self.reload(content)?,
            }
        }
    }

    /// Replaces the record that was opened, or a newer one.
    fn put(&mut self, content: &Content, newer: Option<&Merged>) -> Result<(Saved, u64, Metadata), Error> {
        let opened = &self.stored.metadata;
        let (content, metadata, replaces) = match newer {
            Some(merged) => (&merged.content, &merged.metadata, merged.replaces),
            None => (content, opened, self.stored.generation),
        };
        let mut metadata = metadata.clone();
        let id = self.stored.planned_id.as_ref().or(self.stored.id.as_ref()).ok_or(Error::Gone)?;
        self.complete_header(&mut metadata, id)?;
        let put = self.records.prepare_write(replaces, content, &metadata)?;
        let write = self.records.write(&put, self.now, self.deadline);
        let planned_key = self.stored.planned_id.as_ref().map(|id| self.records.layout.key(id));
        let (store, key) = (&self.records.store, &self.stored.key);
        let outcome = match planned_key.filter(|planned_id| planned_id != key) {
            None => store.save(key, replaces, &write),
            Some(new_key) => store.rename(key, replaces, &new_key, &write),
        };
        match outcome {
            Ok(saved) => Ok((saved, put.generation, metadata)),
            Err(error) => {
                let (creates, changes) = (put.generation, self.stored.changes().len());
                self.stored.unanswered.push(Unanswered { replaces, creates, id: metadata.header.saves[0], changes });
                Err(error.into())
            }
        }
    }

    /// Completes the header of a record before it is saved: the hash of the token, the id of the save, the subject's
    /// name.
    fn complete_header(&self, metadata: &mut Metadata, id: &Id) -> Result<(), Error> {
        metadata.drop_expired_snapshot(self.now);
        let header = &mut metadata.header;
        if self.records.layout.has_header() {
            if self.stored.is_new() || self.stored.planned_id.is_some() {
                header.token = id.token_hash();
            }
            header.saves.rotate_right(1);
            header.saves[0] = self.records.save_ids.next()?;
        }
        header.subject = self.records.subject_name(metadata.subject.as_deref().map(String::as_str));
        Ok(())
    }

    /// Loads the record again and applies this request's changes to it. `None` if the record may already be under its
    /// new key, which only a save can find out.
    ///
    /// # Errors
    /// [`Error::Gone`] if the session has ended or has another id.
    fn reload(&mut self, content: &Content) -> Result<Option<Merged>, Error> {
        let (has_header, is_sure) = (self.records.layout.has_header(), self.stored.unanswered.is_empty());
        if self.stored.renews_id && self.stored.planned_id.is_none() {
            let id = self.stored.id.as_ref().ok_or(Error::Gone)?;
            self.stored.planned_id = Some(self.records.layout.next_id(id)?);
        }
        let id = self.stored.id.as_ref().ok_or(Error::Gone)?;
        let record = self.records.fetch(id, self.deadline)?;
        // If the record has the planned id, an earlier save of this request succeeded and only its answer was lost.
        // Both ids are compared with the same record, because a lost save may reach the store at any time.
        let planned_id = self.stored.planned_id.as_ref().filter(|_| has_header && !is_sure);
        if let Some(planned_id) = planned_id.filter(|planned_id| self.is_current(planned_id, record.as_ref())) {
            let (_, loaded) = self.current(planned_id, record)?.ok_or(Error::Gone)?;
            return self.merged(content, loaded).map(Some);
        }
        let Some((record, mut loaded)) = self.current(id, record)? else {
            let may_have_moved = self.stored.renews_id && !has_header && !is_sure;
            return if may_have_moved { Ok(None) } else { Err(Error::Gone) };
        };
        if self.stored.renews_id && !self.stored.has_fresh_id {
            let header = &loaded.metadata.header;
            let until = self.now + self.records.settings.grace.as_secs_f64();
            let snapshot = |data: &[u8]| Snapshot::new(&header.token, until, data);
            loaded.metadata.snapshot = (until > self.now).then(|| snapshot(&record[header.data_range()]));
        }
        self.merged(content, loaded).map(Some)
    }

    /// True if an id opens a record's current data, not only its snapshot.
    fn is_current(&self, id: &Id, record: Option<&Record>) -> bool {
        let view = record.map(|record| self.records.layout.view(id, &record.data, self.now));
        matches!(view, Some(Ok(View::Current)))
    }

    /// The session that an id opens in a record, and a copy of the record's bytes if a snapshot is needed. `None` if
    /// the id opens no session, or only the snapshot.
    fn current(&self, id: &Id, record: Option<Record>) -> Result<Option<(WipedBytes, Loaded)>, Error> {
        let is_copied = self.stored.renews_id && self.records.layout.has_header();
        let copy = record.as_ref().filter(|_| is_copied).map(|record| record.data.clone()).unwrap_or_default();
        match self.records.read(id, record, self.now) {
            Ok(loaded) if loaded.view == View::Current => Ok(Some((copy, loaded))),
            Ok(_) | Err(NotLoaded::Missing(_)) => Ok(None),
            Err(NotLoaded::Refused(refusal)) => Err(Error::Unsupported(refusal.reason.into_owned())),
            Err(NotLoaded::Failed(error)) => Err(error),
        }
    }

    /// Applies this request's changes to a record, except those that the record already contains.
    fn merged(&self, content: &Content, loaded: Loaded) -> Result<Merged, Error> {
        let saved = self.count_saved(&loaded)?;
        let changes = &self.stored.changes()[saved..];
        let Loaded { content: mut newer, mut metadata, generation: replaces, .. } = loaded;
        replay(changes, &mut newer.state)?;
        if content.renewed.seconds > newer.renewed.seconds {
            newer.renewed = content.renewed;
        }
        for change in changes {
            match change {
                Change::Subject(subject) => metadata.subject.clone_from(subject),
                Change::Lifetime(seconds) => metadata.header.lifetime = *seconds,
                _ => {}
            }
        }
        Ok(Merged { content: newer, metadata, replaces })
    }

    /// The number of this request's changes that a record already contains, through saves whose answers were lost.
    ///
    /// # Errors
    /// [`Error::Conflict`] if the record does not show that.
    fn count_saved(&self, record: &Loaded) -> Result<usize, Error> {
        let (mut saved, mut unknown) = (None, false);
        for save in &self.stored.unanswered {
            let made = match self.records.layout.has_header() {
                true => record.generation.checked_sub(save.creates).map(|since| {
                    let ids = &record.metadata.header.saves;
                    usize::try_from(since).ok().filter(|since| *since < SAVES).map(|since| ids[since] == save.id)
                }),
                // A record without a header does not list its saves. Its generation shows whether this save created it
                // or has not replaced it.
                false if record.generation == save.creates => Some(Some(true)),
                false if record.generation == save.replaces => None,
                false => Some(None),
            };
            match made {
                Some(Some(true)) => saved = saved.max(Some(save.changes)),
                Some(None) => unknown = true,
                Some(Some(false)) | None => {}
            }
        }
        match saved {
            None if unknown => Err(Error::Conflict),
            saved => Ok(saved.unwrap_or_default()),
        }
    }
}
