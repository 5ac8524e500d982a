//! What a request knows about its session's record.

use crate::record::Records;
use crate::record::id::Id;
use crate::record::layout::{Envelope, Loaded, Standing};
use crate::record::save_id::SaveId;
use crate::serializer::Content;
use crate::session::{Change, Changes};
use crate::store::SubjectName;
use crate::wiped::WipedText;

#[derive(Default)]
pub(crate) struct Stored {
    /// The id that the browser has, or will get; `None` before the first commit.
    pub(super) id: Option<Id>,
    /// The store's key for the id.
    pub(super) key: String,
    /// A name for the session that may be logged, once it was asked for.
    public_id: Option<String>,
    /// The generation that was opened or saved last; 0: there is no record yet.
    pub(super) generation: u64,
    pub(super) envelope: Envelope,
    pub(super) standing: Standing,
    /// The session is to get a new id.
    pub(super) renews: bool,
    /// The new id, from the first try to write it on.
    pub(super) planned: Option<Id>,
    /// The id was made in this request, so no browser has it yet.
    pub(super) is_fresh: bool,
    /// The saves since the last answered one, which were not answered.
    pub(super) unanswered: Vec<Unanswered>,
    /// Records whose insert was not answered. They may be there, under ids that nobody was told.
    pub(super) given_up: Vec<Listed>,
    /// What this request changed since it opened or saved the record.
    changes: Changes,
    /// Sessions that were invalidated. Their records are removed at commit.
    pub(super) retired: Vec<Retired>,
    /// Genuine ids whose records did not become the session. They end with it.
    unread: Vec<Id>,
}

/// A save whose answer was lost. It may have been made, or may still be made.
pub(super) struct Unanswered {
    /// The generation that it replaces.
    pub over: u64,
    /// The generation that it makes.
    pub makes: u64,
    /// Its id in the record's header.
    pub id: SaveId,
    /// How many of the request's changes it holds.
    pub changes: usize,
}

/// A record, and the subject that it was last seen with.
pub(super) type Listed = (String, Option<SubjectName>);

/// A session that was invalidated.
pub(super) enum Retired {
    /// This request had it open.
    Opened(Listed),
    /// This request has its id, but could not read its record.
    Unread(Id),
}

impl Stored {
    /// A session that was found under an id, and its content.
    pub fn opened(records: &Records, id: Id, loaded: Loaded) -> (Self, Content) {
        let Loaded { content, envelope, generation, standing, .. } = loaded;
        let key = records.layout.key(&id);
        (Self { id: Some(id), key, generation, envelope, standing, ..Self::default() }, content)
    }

    /// Notes a genuine id whose record did not become the session.
    pub fn could_not_read(&mut self, id: Id) {
        self.unread.push(id);
    }

    /// Takes over the ids that could not be read before this session was found.
    pub fn with_unread_of(self, earlier: Self) -> Self {
        Self { unread: earlier.unread, ..self }
    }

    /// Whether there is no record yet.
    pub fn is_new(&self) -> bool {
        self.generation == 0
    }

    /// A name for the session that may be logged; `None` before the first commit.
    pub fn public_id(&mut self, records: &Records) -> Option<&str> {
        let id = self.id.as_ref().filter(|_| self.generation > 0)?;
        Some(self.public_id.get_or_insert_with(|| records.layout.public_id(id)))
    }

    /// Whether this is the session from before it got a new id, which may only be read.
    pub fn is_before(&self) -> bool {
        self.standing == Standing::Before
    }

    /// Notes a change of this request. Those that an unanswered save holds stay as they are.
    pub fn note(&mut self, change: Change) {
        let fixed = self.unanswered.iter().map(|save| save.changes).max();
        self.changes.push(change, fixed.unwrap_or_default());
    }

    /// What this request changed since it opened or saved the record.
    pub(super) fn changes(&self) -> &[Change] {
        &self.changes
    }

    /// Notes that all changes so far are saved, in a record of this generation.
    pub(super) fn was_saved(&mut self, generation: u64, envelope: Envelope) {
        (self.generation, self.envelope) = (generation, envelope);
        (self.renews, self.planned) = (false, None);
        self.unanswered.clear();
        self.changes.clear();
    }

    /// The session gets a new id at the next commit.
    pub fn renew(&mut self) {
        self.renews = true;
    }

    /// Whether the session gets a new id at the next commit.
    pub fn renews(&self) -> bool {
        self.renews
    }

    /// Whose session it is.
    pub fn subject(&self) -> Option<&str> {
        self.envelope.subject.as_deref().map(String::as_str)
    }

    pub fn set_subject(&mut self, subject: Option<WipedText>) {
        self.envelope.subject = subject;
    }

    /// Whether the record names its subject in another way than the current secret does.
    pub fn is_misnamed(&self, records: &Records) -> bool {
        self.envelope.header.subject != records.subject_name(self.subject())
    }

    /// Ends the session: its record is removed at commit, and what is set from now on gets a new id.
    pub fn retire(&mut self) {
        let Self { generation, key, envelope, planned, unread, given_up, retired, .. } = std::mem::take(self);
        self.retired = retired;
        self.retired.extend(unread.into_iter().chain(planned).map(Retired::Unread));
        self.retired.extend(given_up.into_iter().map(Retired::Opened));
        if generation > 0 {
            self.retired.push(Retired::Opened((key, envelope.header.subject)));
        }
    }

    pub(super) fn become_id(&mut self, id: Id, key: String) {
        (self.id, self.key, self.public_id, self.is_fresh) = (Some(id), key, None, true);
    }
}

impl Records {
    /// The name of a subject under the current secret.
    pub(super) fn subject_name(&self, subject: Option<&str>) -> Option<SubjectName> {
        self.layout.subjects(subject?).first().copied()
    }
}
