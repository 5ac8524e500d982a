//! The record of a request's session, and the changes that are not saved yet.

use crate::payload::serializer::Content;
use crate::record::changes::{Change, Changes};
use crate::record::id::Id;
use crate::record::layout::{Loaded, Metadata, View};
use crate::record::planned::{PendingCommit, PlannedWrite, WriteKind};
use crate::record::records::Records;
use crate::record::save_id::SaveId;
use crate::store::SubjectName;
use crate::sys::wiped::{WipedBytes, WipedText};

/// The record of a request's session, as this request knows it, and what the next commit must do.
#[derive(Default)]
pub(crate) struct Stored {
    /// The id that the browser has, or will get. `None` before the first commit.
    pub(super) id: Option<Id>,
    /// The store's key for the id.
    pub(super) key: String,
    /// A name for the session that may be logged. It is computed when it is first needed.
    public_id: Option<String>,
    /// The generation that was opened or saved last. 0 if there is no record yet.
    pub(super) generation: u64,
    pub(super) metadata: Metadata,
    /// The kind of data that this request opened: the record's current data, or a snapshot.
    pub(super) view: View,
    /// True if the session gets a new id at the next commit.
    pub(super) renews_id: bool,
    /// The new id. The first attempt to save it sets it, and later attempts use the same one.
    pub(super) planned_id: Option<Id>,
    /// True if the id was made in this request, so that no browser has it yet.
    pub(super) has_fresh_id: bool,
    /// The saves since the last answered save. Their answers were lost.
    pub(super) unanswered: Vec<Unanswered>,
    /// The commit that the store has not answered yet.
    pub(super) pending: Option<PendingCommit>,
    /// Records whose inserts were not answered. They may exist, under ids that nobody else knows.
    pub(super) unanswered_inserts: Vec<KeyAndSubject>,
    /// This request's changes since it opened or saved the record.
    changes: Changes,
    /// The sessions that were invalidated. Their records are removed at commit.
    pub(super) invalidated: Vec<Invalidated>,
    /// Ids from genuine cookies whose records could not be read. If this session is invalidated, those sessions end
    /// too.
    unreadable: Vec<Id>,
}

/// A save whose answer was lost. It may have taken effect, or may still take effect.
pub(super) struct Unanswered {
    /// The generation that it replaces.
    pub replaces: u64,
    /// The generation that it creates.
    pub creates: u64,
    /// Its id in the record's header.
    pub id: SaveId,
    /// The number of the request's changes that it contains.
    pub changes: usize,
}

/// The key of a record, and the name of the subject that it last had.
pub(super) type KeyAndSubject = (String, Option<SubjectName>);

/// A session that was invalidated.
pub(super) enum Invalidated {
    /// A session that this request had opened.
    Opened(KeyAndSubject),
    /// A session whose id this request has, but whose record it could not read.
    Unreadable(Id),
}

impl Stored {
    /// A session that was loaded by its id. Returns its content, too.
    pub fn opened(records: &Records, id: Id, loaded: Loaded) -> (Self, Content) {
        let Loaded { content, metadata, generation, view, .. } = loaded;
        let key = records.layout.key(&id);
        (Self { id: Some(id), key, generation, metadata, view, ..Self::default() }, content)
    }

    /// Adds ids from genuine cookies whose records could not be read.
    pub fn add_unreadable(&mut self, unreadable: Vec<Id>) {
        self.unreadable.extend(unreadable);
    }

    /// The value of the browser's cookie. `None` before the first commit.
    pub fn cookie(&self, records: &Records) -> Option<WipedBytes> {
        self.id.as_ref().map(|id| records.layout.seal(id))
    }

    /// True if there is no record yet.
    pub fn is_new(&self) -> bool {
        self.generation == 0
    }

    /// A name for the session that may be logged. `None` before the first commit.
    pub fn public_id(&mut self, records: &Records) -> Option<&str> {
        let id = self.id.as_ref().filter(|_| self.generation > 0)?;
        Some(self.public_id.get_or_insert_with(|| records.layout.public_id(id)))
    }

    /// True if this request opened the data from before the session got its new id. They can be read but not changed.
    pub fn is_snapshot(&self) -> bool {
        self.view == View::Snapshot
    }

    /// Adds a change of this request. Changes that an unanswered save contains are not altered.
    pub fn note(&mut self, change: Change) {
        let fixed = self.unanswered.iter().map(|save| save.changes).max();
        self.changes.push(change, fixed.unwrap_or_default());
    }

    /// This request's changes since it opened or saved the record.
    pub(super) fn changes(&self) -> &[Change] {
        &self.changes
    }

    /// Called after all changes so far were saved, in a record of this generation.
    pub(super) fn was_saved(&mut self, generation: u64, metadata: Metadata) {
        (self.generation, self.metadata) = (generation, metadata);
        (self.renews_id, self.planned_id) = (false, None);
        self.unanswered.clear();
        self.changes.clear();
    }

    /// Gives the session a new id at the next commit.
    pub fn renew_id(&mut self) {
        self.renews_id = true;
    }

    /// True if the session gets a new id at the next commit.
    pub fn renews_id(&self) -> bool {
        self.renews_id
    }

    /// The session's subject, as the application set it.
    pub fn subject(&self) -> Option<&str> {
        self.metadata.subject.as_deref().map(String::as_str)
    }

    pub fn set_subject(&mut self, subject: Option<WipedText>) {
        self.metadata.subject = subject;
    }

    /// The session's own lifetime in seconds. 0 if the option `timeout` applies.
    pub fn lifetime(&self) -> u64 {
        self.metadata.header.lifetime
    }

    pub fn set_lifetime(&mut self, seconds: u64) {
        self.metadata.header.lifetime = seconds;
    }

    /// True if the subject's name in the record was not made with the current secret.
    pub fn has_outdated_subject_name(&self, records: &Records) -> bool {
        self.metadata.header.subject != records.subject_name(self.subject())
    }

    /// Ends the session. Its record is removed at commit. Data that are set from now on belong to a new session.
    pub fn mark_ended(&mut self) {
        self.give_up_pending();
        let Self { generation, key, metadata, planned_id, unreadable, unanswered_inserts, invalidated, .. } =
            std::mem::take(self);
        self.invalidated = invalidated;
        self.invalidated.extend(unreadable.into_iter().chain(planned_id).map(Invalidated::Unreadable));
        self.invalidated.extend(unanswered_inserts.into_iter().map(Invalidated::Opened));
        if generation > 0 {
            self.invalidated.push(Invalidated::Opened((key, metadata.header.subject)));
        }
    }

    /// Counts the write of a pending commit as a save whose answer was lost. Called when the session changes before the
    /// store has answered.
    pub fn give_up_pending(&mut self) {
        if let Some(write) = self.pending.take().and_then(|pending| pending.write) {
            self.was_not_answered(&write);
        }
    }

    /// Called after a write whose answer was lost.
    pub(super) fn was_not_answered(&mut self, write: &PlannedWrite) {
        let PlannedWrite { replaces, creates, changes, .. } = *write;
        let Metadata { header, .. } = &write.metadata;
        match &write.kind {
            // The insert may still take effect later, even after a logout, so this id is not used again.
            WriteKind::Insert(_, key) => self.unanswered_inserts.push((key.clone(), header.subject)),
            WriteKind::Replace => {
                self.unanswered.push(Unanswered { replaces, creates, id: header.saves[0], changes });
            }
            WriteKind::Touch => {} // It contains no change.
        }
    }

    /// Sets the session's new id and its key in the store.
    pub(super) fn adopt(&mut self, id: Id, key: String) {
        (self.id, self.key, self.public_id, self.has_fresh_id) = (Some(id), key, None, true);
    }
}

impl Records {
    /// The name of a subject, made with the current secret.
    pub(super) fn subject_name(&self, subject: Option<&str>) -> Option<SubjectName> {
        self.layout.subjects(subject?).first().copied()
    }
}
