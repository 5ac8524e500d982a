//! The writes that a commit plans, which are sent again as they were if the store has not answered them.

use std::time::Instant;

use crate::payload::serializer::Content;
use crate::record::id::Id;
use crate::record::layout::{EncodedRecord, Metadata};

/// A commit that the store has not answered yet. The caller makes it again, and it then goes on.
pub(super) struct PendingCommit {
    pub deadline: Instant,
    /// The last write that it sent to the store. `None` if it has only asked other questions.
    pub write: Option<PlannedWrite>,
}

/// A write of a record. If the store has not answered it, the same write is sent again.
pub(super) struct PlannedWrite {
    pub record: EncodedRecord,
    pub metadata: Metadata,
    /// The generation that it replaces. 0 for a new record.
    pub replaces: u64,
    /// The generation that it creates.
    pub creates: u64,
    pub kind: WriteKind,
    /// The number of the request's changes that it contains.
    pub changes: usize,
    /// The newer record with the request's changes, if the write replaces another record than the one that was opened.
    pub merged: Option<Content>,
}

/// What a write does.
pub(super) enum WriteKind {
    /// Inserts a record with this id, under this key.
    Insert(Id, String),
    Replace,
    /// Replaces only the times at which the session was used.
    Touch,
}
