//! A store whose calls are steps of a schedule.

use std::fmt::Debug;
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::answers::ask;
use super::schedule::{self, Effect};
use crate::store::{Driver, Record, Saved, StoreError, SubjectName, Write};

pub(super) struct Steps {
    pub store: Arc<dyn Driver>,
    /// True if a call gets its answer only when it is made again.
    pub is_deferred: bool,
}

impl Steps {
    /// Takes a step. `arguments` distinguish it from other steps of the same name.
    fn step<T: Clone + Debug + 'static>(
        &self,
        name: &'static str,
        effect: Effect,
        arguments: String,
        work: impl FnOnce() -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, StoreError> {
        match self.is_deferred {
            true => ask(format!("{name} {arguments}"), move || schedule::step(name, effect, work)),
            false => schedule::step(name, effect, work),
        }
    }
}

/// A copy of a write, which can be carried out after the caller has returned.
#[derive(Debug)]
struct Copied {
    generation: u64,
    data: Vec<u8>,
    header: usize,
    subject: Option<SubjectName>,
    accessed: f64,
    ttl: Option<Duration>,
    deadline: Instant,
}

impl Copied {
    fn of(write: &Write<'_>) -> Self {
        let Write { generation, data, header, subject, accessed, ttl, deadline } = *write;
        Self { generation, data: data.to_vec(), header, subject, accessed, ttl, deadline }
    }

    fn write(&self) -> Write<'_> {
        let Self { generation, ref data, header, subject, accessed, ttl, deadline } = *self;
        Write { generation, data, header, subject, accessed, ttl, deadline }
    }
}

impl Driver for Steps {
    fn load(&self, key: &str, deadline: Instant) -> Result<Option<Record>, StoreError> {
        let (store, key) = (self.store.clone(), key.to_owned());
        self.step("load", Effect::Reads, key.clone(), move || store.load(&key, deadline))
    }

    fn save(&self, key: &str, expected: u64, write: &Write<'_>) -> Result<Saved, StoreError> {
        let (store, key, write) = (self.store.clone(), key.to_owned(), Copied::of(write));
        let (name, effect) = if expected == 0 { ("insert", Effect::Inserts) } else { ("save", Effect::Writes) };
        self.step(name, effect, format!("{key} {expected} {write:?}"), move || {
            store.save(&key, expected, &write.write())
        })
    }

    fn touch(&self, key: &str, write: &Write<'_>) -> Result<Saved, StoreError> {
        let (store, key, write) = (self.store.clone(), key.to_owned(), Copied::of(write));
        self.step("touch", Effect::Writes, format!("{key} {write:?}"), move || store.touch(&key, &write.write()))
    }

    fn remove(
        &self,
        key: &str,
        expected: u64,
        subject: Option<SubjectName>,
        deadline: Instant,
    ) -> Result<Saved, StoreError> {
        let (store, key) = (self.store.clone(), key.to_owned());
        self.step("remove", Effect::Writes, format!("{key} {expected} {subject:?}"), move || {
            store.remove(&key, expected, subject, deadline)
        })
    }

    fn keeps_subjects(&self) -> bool {
        self.store.keeps_subjects()
    }

    fn members(&self, subjects: &[SubjectName], deadline: Instant) -> Result<Vec<String>, StoreError> {
        let (store, subjects) = (self.store.clone(), subjects.to_vec());
        self.step("members", Effect::Reads, format!("{subjects:?}"), move || store.members(&subjects, deadline))
    }

    fn revoke(&self, key: &str, subjects: &[SubjectName], deadline: Instant) -> Result<bool, StoreError> {
        let (store, key, subjects) = (self.store.clone(), key.to_owned(), subjects.to_vec());
        self.step("revoke", Effect::Writes, format!("{key} {subjects:?}"), move || {
            store.revoke(&key, &subjects, deadline)
        })
    }
}
