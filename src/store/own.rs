//! khufu's own layout: random bytes for an id, a header and a payload like a cookie's for a record.

use std::sync::Arc;

use crate::error::Error;
use crate::load::Refusal;
use crate::moment::Moment;
use crate::seal;
use crate::serializer::Serializer;
use crate::state::State;
use crate::store::Record;
use crate::store::id::{Id, Keys, Subject};
use crate::store::layout::{Layout, Loaded};
use crate::store::record::Header;
use crate::wiped::WipedBytes;

pub(crate) struct Own {
    pub keys: Keys,
    pub serializer: Arc<dyn Serializer>,
    pub timeout: Option<u64>,
}

impl Layout for Own {
    fn new_id(&self) -> Result<Id, Error> {
        Id::random()
    }

    fn open(&self, value: &[u8]) -> Result<(Id, bool), Refusal> {
        self.keys.open(value)
    }

    fn seal(&self, id: &Id) -> WipedBytes {
        seal::encoded(&*self.keys.seal(id))
    }

    /// A hash: neither a store nor a log that leaks it opens a session.
    fn key(&self, id: &Id) -> String {
        id.hash()
    }

    fn loads(&self, record: Record) -> Result<Loaded, Refusal> {
        let data = record.data;
        let header = Header::read(&data)?;
        let payload = header.len()..data.len();
        let content = self.serializer.loads(data, payload)?;
        Ok(Loaded { content, header, generation: record.generation, timeout: None })
    }

    fn dumps(&self, header: Header, accessed: Moment, created: Moment, state: &State) -> Result<WipedBytes, Error> {
        let mut data = self.serializer.dumps(header.len(), accessed, created, state)?;
        header.write(&mut data);
        Ok(data)
    }

    /// A session is open in the very second of its timeout, too.
    fn idle(&self, _state: &State) -> Option<f64> {
        self.timeout.map(|timeout| timeout as f64 + 1.0)
    }

    fn has_header(&self) -> bool {
        true
    }

    fn subjects(&self, subject: &str) -> Option<Vec<Subject>> {
        Some(self.keys.subjects(subject).collect())
    }
}
