//! Sessions in a store: what a factory of type `store` opens and commits with.

use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::error::Error;
use crate::load::Refusal;
use crate::moment::Moment;
use crate::serializer::{Content, Serializer};
use crate::state::State;
use crate::store::id::{Id, Keys};
use crate::store::record::{HEADER, Header};
use crate::store::turns::Turns;
use crate::store::{Record, Store};
use crate::wiped::WipedBytes;

pub(crate) struct Backend {
    pub store: Arc<dyn Store>,
    pub keys: Keys,
    pub serializer: Arc<dyn Serializer>,
    /// How long an operation may take.
    pub limit: Duration,
    /// Whether a store that cannot be reached gives an empty session, rather than an error.
    pub empty_on_error: bool,
    /// How long the old id of a session that got a new one opens what was there before.
    pub grace: Duration,
    pub timeout: Option<u64>,
    pub absolute_timeout: Option<u64>,
    pub turns: Turns,
}

/// A session as its record has it.
pub(crate) struct Loaded {
    pub content: Content,
    pub header: Header,
    pub generation: u64,
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
        self.read(found.ok_or(NotLoaded::Missing)?).map_err(NotLoaded::Refused)
    }

    fn read(&self, record: Record) -> Result<Loaded, Refusal> {
        let data = WipedBytes::from(record.data);
        let header = Header::read(&data)?;
        let payload = HEADER..data.len();
        let content = self.serializer.loads(data, payload)?;
        Ok(Loaded { content, header, generation: record.generation })
    }

    /// A record of this session.
    pub fn record(
        &self,
        generation: u64,
        header: Header,
        accessed: Moment,
        created: Moment,
        state: &State,
    ) -> Result<Record, Error> {
        let mut data = self.serializer.dumps(HEADER, accessed, created, state)?;
        header.write(&mut data);
        Ok(Record { generation, data: data.take() })
    }

    /// How long a record of a session that began at `created` is kept, from `now` on.
    pub fn ttl(&self, created: Moment, now: Moment) -> Option<Duration> {
        let idle = self.timeout.map(|timeout| timeout as f64);
        let absolute = self.absolute_timeout.map(|timeout| created.seconds + timeout as f64 - now.seconds);
        let seconds = [idle, absolute].into_iter().flatten().reduce(f64::min)?;
        // A session is open in the very second of its timeout, too.
        Some(Duration::from_secs_f64(seconds.max(0.0) + 1.0))
    }

    pub fn cookie(&self, id: &Id) -> impl AsRef<[u8]> + use<> {
        Sealed(self.keys.seal(id))
    }
}

/// A cookie's bytes, zeroed when dropped.
struct Sealed(zeroize::Zeroizing<[u8; 64]>);

impl AsRef<[u8]> for Sealed {
    fn as_ref(&self) -> &[u8] {
        &*self.0
    }
}
