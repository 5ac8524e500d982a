//! Makes a store of the core from callbacks.

use std::time::Duration;

use super::status::khufu_status::*;
use super::tables::{UserData, khufu_sink, khufu_store_vtable};
use crate::store::custom::{NewRecord, Store};
use crate::store::{Saved, StoreError};
use crate::sys::wiped::WipedBytes;

/// The number of hexadecimal digits in a key.
const KEY: usize = 64;

pub(super) struct CallbackStore {
    table: khufu_store_vtable,
    user_data: UserData,
}

impl CallbackStore {
    pub fn new(table: khufu_store_vtable, user_data: UserData) -> Self {
        Self { table, user_data }
    }
}

impl Drop for CallbackStore {
    fn drop(&mut self) {
        if let Some(release) = self.table.release {
            // SAFETY: nothing uses the table after this.
            unsafe { release(self.user_data.0) }
        }
    }
}

fn seconds(ttl: Option<Duration>) -> f64 {
    ttl.map_or(-1.0, |ttl| ttl.as_secs_f64())
}

fn failed<T>(callback: &str, status: i32) -> Result<T, StoreError> {
    match status {
        status if status == KHUFU_ERR_PENDING as i32 => Err(StoreError::Pending),
        status => Err(StoreError::Failed(format!("the custom store's {callback} returned the status {status}"))),
    }
}

fn missing<T>(callback: &str) -> Result<T, StoreError> {
    Err(StoreError::Failed(format!("the custom store has no {callback}")))
}

fn saved(callback: &str, status: i32) -> Result<Saved, StoreError> {
    match status {
        status if status == KHUFU_OK as i32 => Ok(Saved::Yes),
        status if status == KHUFU_ERR_CONFLICT as i32 => Ok(Saved::Conflict),
        status if status == KHUFU_ERR_GONE as i32 => Ok(Saved::Gone),
        status => failed(callback, status),
    }
}

impl Store for CallbackStore {
    fn load(&self, key: &str) -> Result<Option<(u64, Vec<u8>)>, StoreError> {
        let Some(load) = self.table.load else { return missing("load") };
        let (mut sink, mut generation) = (khufu_sink(WipedBytes::default()), 0);
        // SAFETY: the application's callback gets the arguments that the header promises.
        let status = unsafe { load(self.user_data.0, key.as_ptr().cast(), key.len(), &mut sink, &mut generation) };
        match status {
            status if status == KHUFU_OK as i32 => Ok(Some((generation, std::mem::take(&mut *sink.0)))),
            status if status == KHUFU_NOT_FOUND as i32 => Ok(None),
            status => failed("load", status),
        }
    }

    fn save(&self, key: &str, expected: u64, record: &NewRecord<'_>) -> Result<Saved, StoreError> {
        let Some(save) = self.table.save else { return missing("save") };
        let NewRecord { generation, data, ttl } = *record;
        // SAFETY: the application's callback gets the arguments that the header promises.
        let status = unsafe {
            let (key_data, record) = (key.as_ptr().cast(), data.as_ptr().cast());
            save(self.user_data.0, key_data, key.len(), expected, generation, record, data.len(), seconds(ttl))
        };
        saved("save", status)
    }

    fn touch(&self, key: &str, record: &NewRecord<'_>) -> Result<Saved, StoreError> {
        let Some(touch) = self.table.touch else { return missing("touch") };
        let NewRecord { generation, data, ttl } = *record;
        // SAFETY: the application's callback gets the arguments that the header promises.
        let status = unsafe {
            let (key_data, record) = (key.as_ptr().cast(), data.as_ptr().cast());
            touch(self.user_data.0, key_data, key.len(), generation, record, data.len(), seconds(ttl))
        };
        saved("touch", status)
    }

    fn remove(&self, key: &str, expected: u64) -> Result<Saved, StoreError> {
        let Some(remove) = self.table.remove else { return missing("remove") };
        // SAFETY: the application's callback gets the arguments that the header promises.
        saved("remove", unsafe { remove(self.user_data.0, key.as_ptr().cast(), key.len(), expected) })
    }

    fn keeps_subjects(&self) -> bool {
        self.table.members.is_some()
    }

    fn list(&self, subject: &str, key: &str, ttl: Option<Duration>) -> Result<(), StoreError> {
        let Some(list) = self.table.list else { return missing("list") };
        // SAFETY: the application's callback gets the arguments that the header promises.
        let status = unsafe {
            let (subject_data, key_data) = (subject.as_ptr().cast(), key.as_ptr().cast());
            list(self.user_data.0, subject_data, subject.len(), key_data, key.len(), seconds(ttl))
        };
        if status == KHUFU_OK as i32 { Ok(()) } else { failed("list", status) }
    }

    fn unlist(&self, subject: &str, key: &str) -> Result<(), StoreError> {
        let Some(unlist) = self.table.unlist else { return missing("unlist") };
        // SAFETY: the application's callback gets the arguments that the header promises.
        let status = unsafe {
            let (subject_data, key_data) = (subject.as_ptr().cast(), key.as_ptr().cast());
            unlist(self.user_data.0, subject_data, subject.len(), key_data, key.len())
        };
        if status == KHUFU_OK as i32 { Ok(()) } else { failed("unlist", status) }
    }

    fn members(&self, subject: &str) -> Result<Vec<String>, StoreError> {
        let Some(members) = self.table.members else { return missing("members") };
        let mut sink = khufu_sink(WipedBytes::default());
        // SAFETY: the application's callback gets the arguments that the header promises.
        let status = unsafe { members(self.user_data.0, subject.as_ptr().cast(), subject.len(), &mut sink) };
        if status != KHUFU_OK as i32 {
            return failed("members", status);
        }
        Ok(sink.0.chunks(KEY).map(|key| String::from_utf8_lossy(key).into_owned()).collect())
    }
}
