//! Loads and writes the records of a factory's sessions.

use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::error::Error;
use crate::load::{LoadResult, Refusal};
use crate::payload::serializer::Content;
use crate::record::id::Id;
use crate::record::layout::{Layout, Loaded, Metadata};
use crate::record::planned::PlannedWrite;
use crate::record::save_id::SaveIds;
use crate::record::turns::Turns;
use crate::store::{Driver, Record, Write};

/// The records of a factory's sessions: their store, their layout and the settings for both.
pub(crate) struct Records {
    pub store: Arc<dyn Driver>,
    pub layout: Box<dyn Layout>,
    pub settings: Settings,
    pub(super) turns: Turns,
    pub(super) save_ids: SaveIds,
}

pub(crate) struct Settings {
    /// The longest time that an operation may take: the option `store_timeout`.
    pub limit: Duration,
    /// True if opening gives an empty session instead of an error when the store fails.
    pub empty_on_error: bool,
    /// How long an old token still opens the data from before it was replaced.
    pub grace: Duration,
    /// In seconds.
    pub absolute_timeout: Option<u64>,
}

/// The reason why a session was not loaded.
pub(crate) enum NotLoaded {
    /// The id does not open a session.
    Missing(Refusal),
    /// The record cannot be read.
    Refused(Refusal),
    /// The store failed.
    Failed(Error),
}

impl Records {
    pub fn new(store: Arc<dyn Driver>, layout: Box<dyn Layout>, settings: Settings) -> Self {
        Self { store, layout, settings, turns: Turns::default(), save_ids: SaveIds::default() }
    }

    /// The deadline of an operation that begins now.
    pub fn deadline(&self) -> Instant {
        Instant::now() + self.settings.limit
    }

    /// The deadline of an operation that begins now and may take at most `limit`.
    ///
    /// # Errors
    /// [`Error::Store`] if `limit` is 0.
    pub fn deadline_within(&self, limit: Duration) -> Result<Instant, Error> {
        if limit.is_zero() {
            return Err(Error::Store("the time limit of this call is 0".to_owned()));
        }
        Ok(Instant::now() + self.settings.limit.min(limit))
    }

    /// True if sessions can belong to a subject.
    pub fn keeps_subjects(&self) -> bool {
        self.layout.has_header() && self.store.keeps_subjects()
    }

    /// Loads the session that an id opens. `now` is in seconds since the Unix epoch.
    pub fn load(&self, id: &Id, now: f64, deadline: Instant) -> Result<Loaded, NotLoaded> {
        let record = self.fetch(id, deadline).map_err(NotLoaded::Failed)?;
        if record.is_none() && self.store.has_expired(&self.layout.key(id), deadline).unwrap_or_default() {
            return Err(NotLoaded::Missing(Refusal::missing_expired()));
        }
        self.read(id, record, now)
    }

    /// Loads a session's record, without reading its content.
    pub(super) fn fetch(&self, id: &Id, deadline: Instant) -> Result<Option<Record>, Error> {
        Ok(self.store.load(&self.layout.key(id), deadline)?)
    }

    pub(super) fn read(&self, id: &Id, record: Option<Record>, now: f64) -> Result<Loaded, NotLoaded> {
        let record = record.ok_or_else(|| NotLoaded::Missing(Refusal::missing()))?;
        self.layout.loads(id, record, now).map_err(|refusal| match refusal.result {
            LoadResult::Missing => NotLoaded::Missing(refusal),
            _ => NotLoaded::Refused(refusal),
        })
    }

    /// The time to live that a record gets at the time `now`. `None` if it does not expire.
    fn ttl(&self, content: &Content, metadata: &Metadata, now: f64) -> Option<Duration> {
        let idle = self.layout.idle(&content.state, metadata);
        let created = content.created.seconds;
        let absolute = self.settings.absolute_timeout.map(|timeout| created + timeout as f64 - now + 1.0);
        let seconds = [idle, absolute].into_iter().flatten().reduce(f64::min)?;
        Some(Duration::try_from_secs_f64(seconds.max(1.0)).unwrap_or(Duration::MAX))
    }

    /// The arguments of a save of `content`.
    pub(super) fn write<'a>(
        &self,
        plan: &'a PlannedWrite,
        content: &Content,
        now: f64,
        deadline: Instant,
    ) -> Write<'a> {
        Write {
            generation: plan.creates,
            data: &plan.record.data,
            header: plan.record.header_len,
            subject: plan.metadata.header.subject,
            accessed: content.renewed.seconds,
            ttl: self.ttl(content, &plan.metadata, now),
            deadline,
        }
    }
}
