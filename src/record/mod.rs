//! Sessions in a store: the form of their records, and how a request's changes are saved.

mod attempt;
mod header;
pub(crate) mod id;
#[cfg(test)]
pub(crate) mod interleavings;
pub(crate) mod khufu;
pub(crate) mod layout;
#[cfg(test)]
mod lost_answers;
mod save_id;
mod snapshot;
mod stored;
mod turns;

use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::error::Error;
use crate::load::{LoadResult, Refusal};
use crate::moment::Moment;
use crate::record::id::Id;
use crate::record::layout::{Draft, Envelope, Layout, Loaded};
use crate::record::save_id::SaveIds;
use crate::record::turns::Turns;
use crate::serializer::Content;
use crate::state::State;
use crate::store::{Record, Store, Write};

pub(crate) use attempt::Attempt;
pub(crate) use stored::Stored;

/// The sessions of a factory of type `store`.
pub(crate) struct Records {
    pub store: Arc<dyn Store>,
    pub layout: Box<dyn Layout>,
    pub settings: Settings,
    turns: Turns,
    save_ids: SaveIds,
}

pub(crate) struct Settings {
    /// How long an operation may take.
    pub limit: Duration,
    /// Whether opening gives an empty session instead of an error if the store cannot be reached.
    pub empty_on_error: bool,
    /// How long an old token shows the data from before it was replaced.
    pub grace: Duration,
    pub absolute_timeout: Option<u64>,
}

/// Why a record did not become a session.
pub(crate) enum NotLoaded {
    Missing(Refusal),
    Refused(Refusal),
    Failed(Error),
}

impl Records {
    pub fn new(store: Arc<dyn Store>, layout: Box<dyn Layout>, settings: Settings) -> Self {
        Self { store, layout, settings, turns: Turns::default(), save_ids: SaveIds::default() }
    }

    /// When an operation that begins now must be over.
    pub fn deadline(&self) -> Instant {
        self.deadline_within(Duration::MAX)
    }

    /// When an operation that begins now must be over, if it may take at most `limit`.
    pub fn deadline_within(&self, limit: Duration) -> Instant {
        Instant::now() + self.settings.limit.min(limit)
    }

    /// Whether a session can belong to a subject.
    pub fn keeps_subjects(&self) -> bool {
        self.layout.has_header() && self.store.keeps_subjects()
    }

    /// What the record of a session shows to the holder of an id at a time, in seconds since the Unix epoch.
    pub fn load(&self, id: &Id, now: f64, deadline: Instant) -> Result<Loaded, NotLoaded> {
        let record = self.fetch(id, deadline).map_err(NotLoaded::Failed)?;
        if record.is_none() && self.store.has_expired(&self.layout.key(id), deadline).unwrap_or_default() {
            return Err(NotLoaded::Missing(Refusal::missing_expired()));
        }
        self.read(id, record, now)
    }

    /// The record of a session.
    fn fetch(&self, id: &Id, deadline: Instant) -> Result<Option<Record>, Error> {
        Ok(self.store.load(&self.layout.key(id), deadline)?)
    }

    fn read(&self, id: &Id, record: Option<Record>, now: f64) -> Result<Loaded, NotLoaded> {
        let record = record.ok_or_else(|| NotLoaded::Missing(Refusal::missing()))?;
        let standing = self.layout.standing(id, &record.data, now);
        standing.and_then(|standing| self.layout.loads(record, standing)).map_err(|refusal| match refusal.result {
            LoadResult::Missing => NotLoaded::Missing(refusal),
            _ => NotLoaded::Refused(refusal),
        })
    }

    /// How long the record of a session is kept from `now` on.
    fn ttl(&self, state: &State, created: Moment, now: f64) -> Option<Duration> {
        let idle = self.layout.idle(state);
        let absolute = self.settings.absolute_timeout.map(|timeout| created.seconds + timeout as f64 - now + 1.0);
        let seconds = [idle, absolute].into_iter().flatten().reduce(f64::min)?;
        Some(Duration::try_from_secs_f64(seconds.max(1.0)).unwrap_or(Duration::MAX))
    }
}

/// One write of a session's record, and the generation that it gives the record.
struct Put<'a> {
    draft: Draft,
    generation: u64,
    envelope: &'a Envelope,
    content: &'a Content,
}

impl Records {
    /// The write that replaces the record of generation `over`; if that is 0, the write that inserts a record.
    fn replacing<'a>(&self, over: u64, content: &'a Content, envelope: &'a Envelope) -> Result<Put<'a>, Error> {
        let draft = self.layout.dumps(content, envelope)?;
        let generation = self.store.generation(&draft.data).unwrap_or(over + 1);
        Ok(Put { draft, generation, envelope, content })
    }

    fn write<'a>(&self, put: &'a Put<'_>, now: f64, deadline: Instant) -> Write<'a> {
        Write {
            generation: put.generation,
            data: &put.draft.data,
            header: put.draft.header,
            subject: put.envelope.header.subject,
            accessed: put.content.renewed.seconds,
            ttl: self.ttl(&put.content.state, put.content.created, now),
            deadline,
        }
    }
}
