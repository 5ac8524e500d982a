//! A store whose calls are steps of a schedule.

use std::sync::Arc;
use std::time::{Duration, Instant};

use super::schedule::{Effect, step};
use crate::store::{Driver, Record, Saved, StoreError, SubjectName, Write};

pub(super) struct Steps(pub Arc<dyn Driver>);

/// A copy of a write, which can be carried out after the caller has returned.
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
        let (store, key) = (self.0.clone(), key.to_owned());
        step("load", Effect::Reads, move || store.load(&key, deadline))
    }

    fn save(&self, key: &str, expected: u64, write: &Write<'_>) -> Result<Saved, StoreError> {
        let (store, key, write) = (self.0.clone(), key.to_owned(), Copied::of(write));
        let (name, effect) = if expected == 0 { ("insert", Effect::Inserts) } else { ("save", Effect::Writes) };
        step(name, effect, move || store.save(&key, expected, &write.write()))
    }

    fn touch(&self, key: &str, write: &Write<'_>) -> Result<Saved, StoreError> {
        let (store, key, write) = (self.0.clone(), key.to_owned(), Copied::of(write));
        step("touch", Effect::Writes, move || store.touch(&key, &write.write()))
    }

    fn remove(
        &self,
        key: &str,
        expected: u64,
        subject: Option<SubjectName>,
        deadline: Instant,
    ) -> Result<Saved, StoreError> {
        let (store, key) = (self.0.clone(), key.to_owned());
        step("remove", Effect::Writes, move || store.remove(&key, expected, subject, deadline))
    }

    fn keeps_subjects(&self) -> bool {
        self.0.keeps_subjects()
    }

    fn members(&self, subjects: &[SubjectName], deadline: Instant) -> Result<Vec<String>, StoreError> {
        let (store, subjects) = (self.0.clone(), subjects.to_vec());
        step("members", Effect::Reads, move || store.members(&subjects, deadline))
    }

    fn revoke(&self, key: &str, subjects: &[SubjectName], deadline: Instant) -> Result<bool, StoreError> {
        let (store, key, subjects) = (self.0.clone(), key.to_owned(), subjects.to_vec());
        step("revoke", Effect::Writes, move || store.revoke(&key, &subjects, deadline))
    }
}
