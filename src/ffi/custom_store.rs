//! A store of the caller's own, as the core sees it.

use std::time::{Duration, Instant};

use super::custom::{UserData, khufu_sink, khufu_store_vtable};
use super::status::khufu_status::*;
use crate::store::{Record, SUBJECT_PLACE, Saved, Store, StoreError, SubjectName, Write};
use crate::wiped::WipedBytes;

/// Hexadecimal digits of a key.
const KEY: usize = 64;

/// How much longer than its record a key is listed.
const LONGER: Duration = Duration::from_secs(60);

pub(super) struct CustomStore {
    table: khufu_store_vtable,
    user_data: UserData,
}

impl CustomStore {
    pub fn new(table: khufu_store_vtable, user_data: UserData) -> Self {
        Self { table, user_data }
    }

    /// Lists a key under the subject that is about to be written.
    fn list(&self, key: &str, write: &Write<'_>) -> Result<(), StoreError> {
        let (Some(list), Some(subject)) = (self.table.list, write.subject) else { return Ok(()) };
        let (subject, ttl) = (subject.hex(), write.ttl.map(|ttl| ttl.saturating_add(LONGER)));
        // SAFETY: the callback is the caller's, with the arguments that the header promises it.
        let status = unsafe {
            let (subject_data, key_data) = (subject.as_ptr().cast(), key.as_ptr().cast());
            list(self.user_data.0, subject_data, subject.len(), key_data, key.len(), seconds(ttl))
        };
        if status == KHUFU_OK as i32 { Ok(()) } else { failed("list", status) }
    }
}

impl Drop for CustomStore {
    fn drop(&mut self) {
        if let Some(release) = self.table.release {
            // SAFETY: the last user of the table is going.
            unsafe { release(self.user_data.0) }
        }
    }
}

fn seconds(ttl: Option<Duration>) -> f64 {
    ttl.map_or(-1.0, |ttl| ttl.as_secs_f64())
}

fn failed<T>(callback: &str, status: i32) -> Result<T, StoreError> {
    Err(StoreError(format!("the store's own {callback} returned the status {status}")))
}

fn saved(callback: &str, status: i32) -> Result<Saved, StoreError> {
    match status {
        status if status == KHUFU_OK as i32 => Ok(Saved::Yes),
        status if status == KHUFU_ERR_CONFLICT as i32 => Ok(Saved::Conflict),
        status if status == KHUFU_ERR_GONE as i32 => Ok(Saved::Gone),
        status => failed(callback, status),
    }
}

impl Store for CustomStore {
    fn load(&self, key: &str, _deadline: Instant) -> Result<Option<Record>, StoreError> {
        let Some(load) = self.table.load else { return failed("load", -1) };
        let (mut sink, mut generation) = (khufu_sink(WipedBytes::default()), 0);
        // SAFETY: the callback is the caller's, with the arguments that the header promises it.
        let status = unsafe { load(self.user_data.0, key.as_ptr().cast(), key.len(), &mut sink, &mut generation) };
        match status {
            status if status == KHUFU_OK as i32 => {
                Ok(Some(Record { generation, data: std::mem::take(&mut sink.0), left: None }))
            }
            status if status == KHUFU_NOT_FOUND as i32 => Ok(None),
            status => failed("load", status),
        }
    }

    fn save(&self, key: &str, expected: u64, write: &Write<'_>) -> Result<Saved, StoreError> {
        let Some(save) = self.table.save else { return failed("save", -1) };
        self.list(key, write)?;
        let (data, generation, ttl) = (write.data, write.generation, seconds(write.ttl));
        // SAFETY: the callback is the caller's, with the arguments that the header promises it.
        let status = unsafe {
            let (key_data, record) = (key.as_ptr().cast(), data.as_ptr().cast());
            save(self.user_data.0, key_data, key.len(), expected, generation, record, data.len(), ttl)
        };
        saved("save", status)
    }

    fn touch(&self, key: &str, write: &Write<'_>) -> Result<Saved, StoreError> {
        let Some(touch) = self.table.touch else { return failed("touch", -1) };
        self.list(key, write)?;
        let (data, generation, ttl) = (write.data, write.generation, seconds(write.ttl));
        // SAFETY: the callback is the caller's, with the arguments that the header promises it.
        let status = unsafe {
            let (key_data, record) = (key.as_ptr().cast(), data.as_ptr().cast());
            touch(self.user_data.0, key_data, key.len(), generation, record, data.len(), ttl)
        };
        saved("touch", status)
    }

    fn remove(
        &self,
        key: &str,
        expected: u64,
        subject: Option<SubjectName>,
        _deadline: Instant,
    ) -> Result<Saved, StoreError> {
        let Some(remove) = self.table.remove else { return failed("remove", -1) };
        // SAFETY: the callback is the caller's, with the arguments that the header promises it.
        let status = unsafe { remove(self.user_data.0, key.as_ptr().cast(), key.len(), expected) };
        let removed = saved("remove", status)?;
        if removed == Saved::Yes
            && let (Some(unlist), Some(subject)) = (self.table.unlist, subject)
        {
            let subject = subject.hex();
            // The record is gone, so a note of it that stays does no harm.
            // SAFETY: the callback is the caller's, with the arguments that the header promises it.
            unsafe { unlist(self.user_data.0, subject.as_ptr().cast(), subject.len(), key.as_ptr().cast(), key.len()) };
        }
        Ok(removed)
    }

    fn keeps_subjects(&self) -> bool {
        self.table.members.is_some()
    }

    // A key stays noted for its earlier subject, so the notes need not be of one moment.
    fn members(&self, subjects: &[SubjectName], _deadline: Instant) -> Result<Vec<String>, StoreError> {
        let Some(members) = self.table.members else { return failed("members", -1) };
        let mut sink = khufu_sink(WipedBytes::default());
        for subject in subjects.iter().map(SubjectName::hex) {
            // SAFETY: the callback is the caller's, with the arguments that the header promises it.
            let status = unsafe { members(self.user_data.0, subject.as_ptr().cast(), subject.len(), &mut sink) };
            if status != KHUFU_OK as i32 {
                return failed("members", status);
            }
        }
        let not_keys = || StoreError("the store's own members did not write keys of 64 hexadecimal digits".to_owned());
        let keys = sink.0.chunks(KEY).map(|key| {
            let is_key = key.len() == KEY && key.iter().all(u8::is_ascii_hexdigit);
            str::from_utf8(key).ok().filter(|_| is_key).map(str::to_owned).ok_or_else(not_keys)
        });
        keys.collect()
    }

    fn revoke(&self, key: &str, subjects: &[SubjectName], deadline: Instant) -> Result<bool, StoreError> {
        while let Some(record) = self.load(key, deadline)? {
            let subject = record.data.get(SUBJECT_PLACE).and_then(|name| name.try_into().ok()).map(SubjectName);
            let Some(subject) = subject.filter(|subject| subjects.contains(subject)) else { return Ok(false) };
            match self.remove(key, record.generation, Some(subject), deadline)? {
                Saved::Yes => return Ok(true),
                Saved::Gone => return Ok(false),
                Saved::Conflict if Instant::now() >= deadline => {
                    return Err(StoreError("other requests kept changing a session that was to be revoked".to_owned()));
                }
                Saved::Conflict => {}
            }
        }
        Ok(false)
    }
}
