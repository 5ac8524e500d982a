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
use crate::record::planned::{PendingCommit, PlannedWrite, WriteKind};
use crate::record::records::{NotLoaded, Records};
use crate::record::snapshot::Snapshot;
use crate::record::stored::{Invalidated, Stored};
use crate::store::{Record, Saved, StoreError, SubjectName, Write};
use crate::sys::wiped::WipedBytes;

pub(crate) struct Attempt<'a> {
    records: &'a Records,
    stored: &'a mut Stored,
    /// The request's time, in seconds since the Unix epoch.
    now: f64,
    deadline: Instant,
    /// The last write of an earlier call of this commit. It is sent again.
    pending: Option<PlannedWrite>,
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
        let begun = PendingCommit { deadline, write: None };
        let PendingCommit { deadline, write } = stored.pending.take().unwrap_or(begun);
        Self { records, stored, now, deadline, pending: write }
    }

    /// Ends a call of this commit. If the store has not answered yet, keeps what a later call needs to go on.
    pub fn end(self, is_pending: bool) {
        if is_pending {
            self.stored.pending = Some(PendingCommit { deadline: self.deadline, write: self.pending });
        } else if let Some(write) = self.pending {
            self.stored.was_not_answered(&write);
        }
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
            attempt.stored.metadata.drop_expired_snapshot(attempt.now);
            let generation = attempt.stored.generation;
            let plan = match attempt.pending.take() {
                Some(plan) => plan,
                None => attempt.plan(generation, content, attempt.stored.metadata.clone(), WriteKind::Touch)?,
            };
            let write = attempt.records.write(&plan, content, attempt.now, attempt.deadline);
            match attempt.records.store.touch(&attempt.stored.key, &Write { generation, ..write }) {
                Ok(Saved::Yes) => {
                    if !attempt.records.layout.has_header() {
                        attempt.stored.generation = plan.creates;
                    }
                    Ok(true)
                }
                Ok(_) => Ok(false),
                Err(error) => Err(attempt.not_answered(plan, error)),
            }
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

    /// Runs `work` when it is this commit's turn: the commits of one process to the same session take turns. A write
    /// that was already sent does not wait for another turn.
    fn in_turn<T>(&mut self, work: impl FnOnce(&mut Self) -> Result<T, Error>) -> Result<T, Error> {
        if self.pending.is_some() {
            return work(self);
        }
        let (records, key) = (self.records, self.stored.key.clone());
        records.turns.take(&key, self.deadline, || work(self)).ok_or(Error::Conflict)?
    }

    fn insert(&mut self, content: &Content) -> Result<(), Error> {
        let plan = match self.pending.take() {
            Some(plan) => plan,
            None => {
                let id = self.records.layout.new_id()?;
                let key = self.records.layout.key(&id);
                let metadata = self.complete_header(self.stored.metadata.clone(), &id)?;
                self.plan(0, content, metadata, WriteKind::Insert(id, key))?
            }
        };
        let WriteKind::Insert(_, key) = &plan.kind else { return Err(Error::Conflict) };
        match self.records.store.save(key, 0, &self.records.write(&plan, content, self.now, self.deadline)) {
            Ok(Saved::Yes) => {}
            Ok(_) => return Err(Error::Conflict),
            Err(error) => return Err(self.not_answered(plan, error)),
        }
        while let Some((key, subject)) = self.stored.unanswered_inserts.last() {
            // A failure does not matter: nobody knows the id of such a record, and the record expires.
            if self.records.store.remove(key, 0, *subject, self.deadline) == Err(StoreError::Pending) {
                self.pending = Some(plan);
                return Err(Error::Pending);
            }
            self.stored.unanswered_inserts.pop();
        }
        if let WriteKind::Insert(id, key) = plan.kind {
            self.stored.adopt(id, key);
        }
        self.stored.was_saved(plan.creates, plan.metadata);
        Ok(())
    }

    fn replace(&mut self, content: &mut Content) -> Result<(), Error> {
        let mut plan = match self.pending.take() {
            Some(plan) => plan,
            None => self.first_replacement(content)?,
        };
        loop {
            match self.send(&plan, content) {
                Ok(Saved::Yes) => {
                    if let Some(merged) = plan.merged {
                        *content = merged;
                    }
                    if let Some(id) = self.stored.planned_id.take().filter(|_| self.stored.renews_id) {
                        let key = self.records.layout.key(&id);
                        self.stored.adopt(id, key);
                    }
                    self.stored.was_saved(plan.creates, plan.metadata);
                    return Ok(());
                }
                Ok(Saved::Gone) => return Err(Error::Gone),
                Ok(Saved::Conflict) if Instant::now() >= self.deadline => return Err(Error::Conflict),
                Ok(Saved::Conflict) => match self.next_replacement(content) {
                    Ok(next) => plan = next,
                    Err(error) => {
                        // The write is sent again before the record is loaded, so that the questions keep their order.
                        self.pending = Some(plan).filter(|_| error == Error::Pending);
                        return Err(error);
                    }
                },
                Err(error) => return Err(self.not_answered(plan, error)),
            }
        }
    }

    /// The first write of this commit that replaces a record.
    fn first_replacement(&mut self, content: &Content) -> Result<PlannedWrite, Error> {
        // A snapshot needs the record's current data, and an unanswered save may have changed the record.
        if self.stored.renews_id || !self.stored.unanswered.is_empty() {
            return self.next_replacement(content);
        }
        self.plan_replacement(self.stored.generation, content, self.stored.metadata.clone())
    }

    /// The write that replaces the record as it is now.
    fn next_replacement(&mut self, content: &Content) -> Result<PlannedWrite, Error> {
        let Some(Merged { content: merged, metadata, replaces }) = self.reload(content)? else {
            return self.plan_replacement(self.stored.generation, content, self.stored.metadata.clone());
        };
        let plan = self.plan_replacement(replaces, &merged, metadata)?;
        Ok(PlannedWrite { merged: Some(merged), ..plan })
    }

    fn plan_replacement(&self, replaces: u64, content: &Content, metadata: Metadata) -> Result<PlannedWrite, Error> {
        let id = self.stored.planned_id.as_ref().or(self.stored.id.as_ref()).ok_or(Error::Gone)?;
        self.plan(replaces, content, self.complete_header(metadata, id)?, WriteKind::Replace)
    }

    /// Replaces the record in the store.
    fn send(&self, plan: &PlannedWrite, content: &Content) -> Result<Saved, StoreError> {
        let write = self.records.write(plan, plan.merged.as_ref().unwrap_or(content), self.now, self.deadline);
        let planned_key = self.stored.planned_id.as_ref().map(|id| self.records.layout.key(id));
        let (store, key) = (&self.records.store, &self.stored.key);
        match planned_key.filter(|planned_id| planned_id != key) {
            None => store.save(key, plan.replaces, &write),
            Some(new_key) => store.rename(key, plan.replaces, &new_key, &write),
        }
    }

    /// Plans a write of `content` that replaces the record of generation `replaces`, or inserts a record if that is 0.
    fn plan(
        &self,
        replaces: u64,
        content: &Content,
        metadata: Metadata,
        kind: WriteKind,
    ) -> Result<PlannedWrite, Error> {
        let record = self.records.layout.dumps(content, &metadata)?;
        let creates = self.records.store.generation(&record.data).unwrap_or(replaces + 1);
        let changes = self.stored.changes().len();
        Ok(PlannedWrite { record, metadata, replaces, creates, kind, changes, merged: None })
    }

    /// Keeps a write that the store did not answer. Returns the error of the commit.
    fn not_answered(&mut self, plan: PlannedWrite, error: StoreError) -> Error {
        match error {
            StoreError::Pending => self.pending = Some(plan),
            StoreError::Failed(_) => self.stored.was_not_answered(&plan),
        }
        error.into()
    }

    /// Sets the fields of a record's header that change with a save: the hash of the token, the id of the save, the
    /// subject's name.
    fn complete_header(&self, mut metadata: Metadata, id: &Id) -> Result<Metadata, Error> {
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
        Ok(metadata)
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
