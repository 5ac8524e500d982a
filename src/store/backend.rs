//! Sessions in a store: what a factory of type `store` opens and commits with.

use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::error::Error;
use crate::load::{LoadResult, Refusal};
use crate::moment::Moment;
use crate::state::State;
use crate::store::layout::{Layout, Loaded};
use crate::store::record::Header;
use crate::store::turns::Turns;
use crate::store::{Record, Store};

pub(crate) struct Backend {
    pub store: Arc<dyn Store>,
    pub layout: Box<dyn Layout>,
    /// How long an operation may take.
    pub limit: Duration,
    /// Whether a store that cannot be reached gives an empty session, rather than an error.
    pub empty_on_error: bool,
    /// How long the old id of a session that got a new one opens what was there before.
    pub grace: Duration,
    pub absolute_timeout: Option<u64>,
    pub turns: Turns,
}

/// Why a record did not become a session.
pub(crate) enum NotLoaded {
    Missing,
    Refused(Refusal),
    Failed(Error),
}

impl Backend {
    /// When an operation that begins now must be over.
    pub fn deadline(&self) -> Instant {
        self.deadline_within(Duration::MAX)
    }

    /// The same, within a time of the caller's.
    pub fn deadline_within(&self, limit: Duration) -> Instant {
        Instant::now() + self.limit.min(limit)
    }

    pub fn load(&self, key: &str, deadline: Instant) -> Result<Loaded, NotLoaded> {
        let found = self.store.load(key, deadline).map_err(|error| NotLoaded::Failed(error.into()))?;
        match self.layout.loads(found.ok_or(NotLoaded::Missing)?) {
            Err(refusal) if refusal.result == LoadResult::Missing => Err(NotLoaded::Missing),
            loaded => loaded.map_err(NotLoaded::Refused),
        }
    }

    /// The record that a session has moved to, if a key's record says so.
    pub fn successor(&self, key: &str, deadline: Instant) -> Result<Option<String>, Error> {
        if !self.layout.has_header() {
            return Ok(None);
        }
        match self.load(key, deadline) {
            Ok(loaded) => Ok(loaded.header.successor()),
            Err(NotLoaded::Failed(error)) => Err(error),
            Err(_) => Ok(None),
        }
    }

    /// The generation of a key's record, if it is one of these.
    pub fn find(&self, key: &str, records: &[Record], deadline: Instant) -> Result<Option<u64>, Error> {
        if records.is_empty() {
            return Ok(None);
        }
        let there = self.store.load(key, deadline)?;
        let same = |there: &Record, sent: &Record| there.generation == sent.generation && there.data == sent.data;
        Ok(there.filter(|there| records.iter().any(|sent| same(there, sent))).map(|there| there.generation))
    }

    /// A record of this session, in place of the one of a generation; 0: of none.
    pub fn record(
        &self,
        replaced: u64,
        header: Header,
        accessed: Moment,
        created: Moment,
        state: &State,
    ) -> Result<Record, Error> {
        let data = self.layout.dumps(header, accessed, created, state)?;
        let generation = self.store.generation(&data).unwrap_or(replaced + 1);
        Ok(Record { generation, data, left: None })
    }

    /// How long a record of a session that began at `created` is kept, from `now` on.
    pub fn ttl(&self, state: &State, created: Moment, now: f64) -> Option<Duration> {
        let idle = self.layout.idle(state);
        let absolute = self.absolute_timeout.map(|timeout| created.seconds + timeout as f64 - now + 1.0);
        let seconds = [idle, absolute].into_iter().flatten().reduce(f64::min)?;
        Some(Duration::try_from_secs_f64(seconds.max(1.0)).unwrap_or(Duration::MAX))
    }
}
