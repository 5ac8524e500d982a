//! One commit of a session to its record.
//!
//! Everything is one write to the session's key, over the generation that was seen. If another request was first, this
//! request's changes are made again on the newer record.

use std::time::Instant;

use crate::error::Error;
use crate::record::header::SAVES;
use crate::record::id::Id;
use crate::record::layout::{Envelope, Loaded, Standing};
use crate::record::snapshot::Snapshot;
use crate::record::stored::{Retired, Unanswered};
use crate::record::{NotLoaded, Records, Stored};
use crate::serializer::Content;
use crate::session::{Change, replay};
use crate::store::{Record, Saved};
use crate::wiped::WipedBytes;

pub(crate) struct Attempt<'a> {
    records: &'a Records,
    stored: &'a mut Stored,
    /// The request's time, in seconds since the Unix epoch.
    now: f64,
    deadline: Instant,
}

/// The session as it is to be saved over a record that is not the one that was opened.
struct Merged {
    content: Content,
    envelope: Envelope,
    /// The record's generation.
    over: u64,
}

impl<'a> Attempt<'a> {
    /// `now`: the request's time, in seconds since the Unix epoch.
    pub fn new(records: &'a Records, stored: &'a mut Stored, now: f64, deadline: Instant) -> Self {
        Self { records, stored, now, deadline }
    }

    pub fn stored(&self) -> &Stored {
        self.stored
    }

    /// Removes the records of the sessions that were invalidated.
    pub fn end_retired(&mut self) -> Result<(), Error> {
        while let Some(retired) = self.stored.retired.last() {
            match retired {
                Retired::Opened((key, subject)) => {
                    self.records.store.remove(key, 0, *subject, self.deadline)?;
                }
                Retired::Unread(id) => self.end_unread(id)?,
            }
            self.stored.retired.pop();
        }
        Ok(())
    }

    /// Removes a record that could not be read, if its header knows the id's token: otherwise a cookie that was planted
    /// could log another user out.
    fn end_unread(&self, id: &Id) -> Result<(), Error> {
        let Some(record) = self.records.fetch(id, self.deadline)? else { return Ok(()) };
        if self.records.layout.standing(id, &record.data, self.now).is_ok() {
            let subject = self.records.layout.header(&record.data).ok().and_then(|header| header.subject);
            self.records.store.remove(&self.records.layout.key(id), 0, subject, self.deadline)?;
        }
        Ok(())
    }

    /// Saves the session, which has changes. On success `content` is what was saved.
    pub fn save(&mut self, content: &mut Content) -> Result<(), Error> {
        match self.stored.is_new() {
            true => self.insert(content),
            false => self.in_turn(|attempt| attempt.replace(content)),
        }
    }

    /// Notes that the session was used. False if another request has changed or ended it meanwhile: then this response must
    /// not set the browser's cookie.
    pub fn touch(&mut self, content: &Content) -> Result<bool, Error> {
        let touched = self.in_turn(|attempt| {
            let Attempt { records, stored, now, deadline } = attempt;
            stored.envelope.drop_snapshot_after(*now);
            let mut put = records.replacing(stored.generation, content, &stored.envelope)?;
            let touched = put.generation;
            put.generation = stored.generation;
            let saved = records.store.touch(&stored.key, &records.write(&put, *now, *deadline))?;
            if saved == Saved::Yes && !records.layout.has_header() {
                stored.generation = touched;
            }
            Ok(saved == Saved::Yes)
        });
        match touched {
            // It was not this request's turn in time. A request that only read has nothing to lose.
            Err(Error::Conflict) => Ok(false),
            touched => touched,
        }
    }

    /// The value of the browser's cookie.
    pub fn cookie(&self) -> Option<WipedBytes> {
        self.stored.id.as_ref().map(|id| self.records.layout.seal(id))
    }

    /// The commits of this process to one session take turns, so that they do not race each other.
    fn in_turn<T>(&mut self, work: impl FnOnce(&mut Self) -> Result<T, Error>) -> Result<T, Error> {
        let (records, key) = (self.records, self.stored.key.clone());
        records.turns.take(&key, self.deadline, || work(self)).ok_or(Error::Conflict)?
    }

    fn insert(&mut self, content: &Content) -> Result<(), Error> {
        let layout = &self.records.layout;
        let id = layout.new_id()?;
        let key = layout.key(&id);
        let mut envelope = self.stored.envelope.clone();
        self.address(&mut envelope, &id)?;
        let put = self.records.replacing(0, content, &envelope)?;
        match self.records.store.save(&key, 0, &self.records.write(&put, self.now, self.deadline)) {
            Ok(Saved::Yes) => {}
            Ok(_) => return Err(Error::Conflict),
            Err(error) => {
                // A late insert could land after a logout, so the id is given up.
                self.stored.given_up.push((key, envelope.header.subject));
                return Err(error.into());
            }
        }
        let generation = put.generation;
        self.stored.become_id(id, key);
        self.stored.was_saved(generation, envelope);
        // A record that stays has an id that nobody knows, and expires by itself.
        for (key, subject) in std::mem::take(&mut self.stored.given_up) {
            let _ = self.records.store.remove(&key, 0, subject, self.deadline);
        }
        Ok(())
    }

    fn replace(&mut self, content: &mut Content) -> Result<(), Error> {
        // A snapshot is made of what is there, and what was not answered may be there.
        let looks_first = self.stored.renews || !self.stored.unanswered.is_empty();
        let mut newer = if looks_first { self.look(content)? } else { None };
        loop {
            match self.put(content, newer.as_ref())? {
                (Saved::Yes, generation, envelope) => {
                    if let Some(merged) = newer {
                        *content = merged.content;
                    }
                    if let Some(id) = self.stored.planned.take().filter(|_| self.stored.renews) {
                        let key = self.records.layout.key(&id);
                        self.stored.become_id(id, key);
                    }
                    self.stored.was_saved(generation, envelope);
                    return Ok(());
                }
                (Saved::Gone, ..) => return Err(Error::Gone),
                (Saved::Conflict, ..) if Instant::now() >= self.deadline => return Err(Error::Conflict),
                (Saved::Conflict, ..) => newer = self.look(content)?,
            }
        }
    }

    /// Saves over the record that was opened, or over a newer one.
    fn put(&mut self, content: &Content, newer: Option<&Merged>) -> Result<(Saved, u64, Envelope), Error> {
        let opened = &self.stored.envelope;
        let (content, envelope, over) = match newer {
            Some(merged) => (&merged.content, &merged.envelope, merged.over),
            None => (content, opened, self.stored.generation),
        };
        let mut envelope = envelope.clone();
        let id = self.stored.planned.as_ref().or(self.stored.id.as_ref()).ok_or(Error::Gone)?;
        self.address(&mut envelope, id)?;
        let put = self.records.replacing(over, content, &envelope)?;
        let write = self.records.write(&put, self.now, self.deadline);
        let planned_key = self.stored.planned.as_ref().map(|id| self.records.layout.key(id));
        let (store, key) = (&self.records.store, &self.stored.key);
        let outcome = match planned_key.filter(|planned| planned != key) {
            None => store.save(key, over, &write),
            Some(new_key) => store.rename(key, over, &new_key, &write),
        };
        match outcome {
            Ok(saved) => Ok((saved, put.generation, envelope)),
            Err(error) => {
                let (makes, changes) = (put.generation, self.stored.changes().len());
                self.stored.unanswered.push(Unanswered { over, makes, id: envelope.header.saves[0], changes });
                Err(error.into())
            }
        }
    }

    /// Completes the header of a record that is to be saved: the id's token, a new save's id, the subject's name.
    fn address(&self, envelope: &mut Envelope, id: &Id) -> Result<(), Error> {
        envelope.drop_snapshot_after(self.now);
        let header = &mut envelope.header;
        if self.records.layout.has_header() {
            if self.stored.is_new() || self.stored.planned.is_some() {
                header.token = id.token_hash();
            }
            header.saves.rotate_right(1);
            header.saves[0] = self.records.save_ids.next()?;
        }
        header.subject = self.records.subject_name(envelope.subject.as_deref().map(String::as_str));
        Ok(())
    }

    /// The record as it is now, with this request's changes made on it; an error if the session has ended or has another
    /// id. `None` if the record may be under its new key already, which only the store can tell.
    fn look(&mut self, content: &Content) -> Result<Option<Merged>, Error> {
        let (has_header, is_sure) = (self.records.layout.has_header(), self.stored.unanswered.is_empty());
        if self.stored.renews && self.stored.planned.is_none() {
            let id = self.stored.id.as_ref().ok_or(Error::Gone)?;
            self.stored.planned = Some(self.records.layout.next_id(id)?);
        }
        let id = self.stored.id.as_ref().ok_or(Error::Gone)?;
        let record = self.records.fetch(id, self.deadline)?;
        // A record that has the planned id is this request's own, and only the answer was lost. Both ids are compared with
        // one record, for the lost save may reach the store at any time.
        let planned = self.stored.planned.as_ref().filter(|_| has_header && !is_sure);
        if let Some(planned) = planned.filter(|planned| self.is_current(planned, record.as_ref())) {
            let (_, loaded) = self.current(planned, record)?.ok_or(Error::Gone)?;
            return self.merged(content, loaded).map(Some);
        }
        let Some((record, mut loaded)) = self.current(id, record)? else {
            let may_have_moved = self.stored.renews && !has_header && !is_sure;
            return if may_have_moved { Ok(None) } else { Err(Error::Gone) };
        };
        if self.stored.renews && !self.stored.is_fresh {
            let header = &loaded.envelope.header;
            let until = self.now + self.records.settings.grace.as_secs_f64();
            let snapshot = |data: &[u8]| Snapshot::new(&header.token, until, data);
            loaded.envelope.snapshot = (until > self.now).then(|| snapshot(&record[header.data_place()]));
        }
        self.merged(content, loaded).map(Some)
    }

    /// Whether an id opens the session in a record, as it is now.
    fn is_current(&self, id: &Id, record: Option<&Record>) -> bool {
        let standing = record.map(|record| self.records.layout.standing(id, &record.data, self.now));
        matches!(standing, Some(Ok(Standing::Current)))
    }

    /// The session that an id opens in a record, and the record's bytes, if a snapshot is to be made of them; `None` if
    /// the id opens no session, or only the snapshot.
    fn current(&self, id: &Id, record: Option<Record>) -> Result<Option<(WipedBytes, Loaded)>, Error> {
        let is_copied = self.stored.renews && self.records.layout.has_header();
        let copy = record.as_ref().filter(|_| is_copied).map(|record| record.data.clone()).unwrap_or_default();
        match self.records.read(id, record, self.now) {
            Ok(loaded) if loaded.standing == Standing::Current => Ok(Some((copy, loaded))),
            Ok(_) | Err(NotLoaded::Missing(_)) => Ok(None),
            Err(NotLoaded::Refused(refusal)) => Err(Error::Unsupported(refusal.reason.into_owned())),
            Err(NotLoaded::Failed(error)) => Err(error),
        }
    }

    /// This request's changes, but for those that the record has already, on the content of a record.
    fn merged(&self, content: &Content, loaded: Loaded) -> Result<Merged, Error> {
        let landed = self.landed(&loaded)?;
        let changes = &self.stored.changes()[landed..];
        let Loaded { content: mut newer, mut envelope, generation: over, .. } = loaded;
        replay(changes, &mut newer.state)?;
        if content.renewed.seconds > newer.renewed.seconds {
            newer.renewed = content.renewed;
        }
        for change in changes {
            if let Change::Subject(subject) = change {
                envelope.subject.clone_from(subject);
            }
        }
        Ok(Merged { content: newer, envelope, over })
    }

    /// How many of this request's changes a record has already, by saves whose answers were lost.
    fn landed(&self, record: &Loaded) -> Result<usize, Error> {
        let (mut landed, mut unknown) = (None, false);
        for save in &self.stored.unanswered {
            let made = match self.records.layout.has_header() {
                true => record.generation.checked_sub(save.makes).map(|since| {
                    let ids = &record.envelope.header.saves;
                    usize::try_from(since).ok().filter(|since| *since < SAVES).map(|since| ids[since] == save.id)
                }),
                // Such a record does not name its saves: either this save made it, or this save was to replace it.
                false if record.generation == save.makes => Some(Some(true)),
                false if record.generation == save.over => None,
                false => Some(None),
            };
            match made {
                Some(Some(true)) => landed = landed.max(Some(save.changes)),
                Some(None) => unknown = true,
                Some(Some(false)) | None => {}
            }
        }
        match landed {
            None if unknown => Err(Error::Conflict),
            landed => Ok(landed.unwrap_or_default()),
        }
    }
}
