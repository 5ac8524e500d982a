//! An application's own store.

use std::time::{Duration, Instant};

use crate::store::{Driver, Record, SUBJECT_PLACE, Saved, StoreError, SubjectName, Write};
use crate::sys::wiped::WipedBytes;

/// An application's own store, for [`Custom::store`](crate::Custom::store). It is Pyramid's "creating your own session
/// factory".
///
/// A record consists of bytes and a generation, a number of at least 1. A key is 64 hexadecimal digits. An expired
/// record counts as missing. The methods run on the thread that calls khufu, possibly on several threads at once.
/// `store_timeout` cannot interrupt them.
///
/// A method need not wait for the store's answer: it can return [`StoreError::Pending`]. The call of khufu then fails
/// with [`Error::Pending`](crate::Error::Pending). Wait for the answer outside of khufu, and make the same call again.
/// khufu then calls the same methods with the same arguments in the same order, except for steps that are finished. A
/// method returns its answer if it has one, and may be pending again if it has none. Do not change the session between
/// the calls; if you do, khufu treats the pending write as a write whose answer was lost.
///
/// [`Store::list`], [`Store::unlist`] and [`Store::members`] keep the keys of a subject's records, so that a user's
/// sessions can be listed and ended. A subject is 64 hexadecimal digits, too.
///
/// ```
/// use std::collections::HashMap;
/// use std::sync::Mutex;
///
/// use khufu::{Custom, Factory, NewRecord, Options, Outcome, Saved, Store, StoreError};
///
/// /// Keeps records in a map, and never removes an expired one. A real store keeps a record for its `ttl`.
/// #[derive(Default)]
/// struct Map(Mutex<HashMap<String, (u64, Vec<u8>)>>);
///
/// impl Map {
///     fn write(&self, key: &str, expected: u64, record: &NewRecord<'_>) -> Result<Saved, StoreError> {
///         let mut records = self.0.lock().unwrap();
///         match records.get(key).map_or(0, |(generation, _)| *generation) {
///             generation if generation == expected => {
///                 records.insert(key.to_owned(), (record.generation, record.data.to_vec()));
///                 Ok(Saved::Yes)
///             }
///             0 => Ok(Saved::Gone),
///             _ => Ok(Saved::Conflict),
///         }
///     }
/// }
///
/// impl Store for Map {
///     fn load(&self, key: &str) -> Result<Option<(u64, Vec<u8>)>, StoreError> {
///         Ok(self.0.lock().unwrap().get(key).cloned())
///     }
///
///     fn save(&self, key: &str, expected: u64, record: &NewRecord<'_>) -> Result<Saved, StoreError> {
///         self.write(key, expected, record)
///     }
///
///     fn touch(&self, key: &str, record: &NewRecord<'_>) -> Result<Saved, StoreError> {
///         self.write(key, record.generation, record)
///     }
///
///     fn remove(&self, key: &str, expected: u64) -> Result<Saved, StoreError> {
///         let mut records = self.0.lock().unwrap();
///         match records.get(key).map_or(0, |(generation, _)| *generation) {
///             0 => Ok(Saved::Gone),
///             generation if expected == 0 || generation == expected => {
///                 records.remove(key);
///                 Ok(Saved::Yes)
///             }
///             _ => Ok(Saved::Conflict),
///         }
///     }
/// }
///
/// let custom = Custom::new().store(Map::default());
/// let factory = Factory::with_custom(&Options::new().secret("seekrit"), custom)?;
/// let mut session = factory.open(b"")?;
/// session.set("user", "zoe")?;
/// let cookie = session.commit(Outcome::Response)?[0].split(';').next().unwrap().to_owned();
/// assert_eq!(factory.open(cookie.as_bytes())?.get("user")?, Some("zoe"));
/// # Ok::<(), khufu::Error>(())
/// ```
pub trait Store: Send + Sync {
    /// Loads the generation and the bytes of a key's record. `None` if there is no record.
    ///
    /// # Errors
    /// [`StoreError`] if the store failed.
    fn load(&self, key: &str) -> Result<Option<(u64, Vec<u8>)>, StoreError>;

    /// Replaces the record of a key in one atomic step, if the record has the generation `expected`. If `expected` is
    /// 0, inserts the record, and an existing record is a conflict.
    ///
    /// # Errors
    /// [`StoreError`] if the store failed.
    fn save(&self, key: &str, expected: u64, record: &NewRecord<'_>) -> Result<Saved, StoreError>;

    /// Replaces the record of a key in one atomic step, if the record has the same generation, and restarts its `ttl`.
    /// khufu calls it to store the time when the session was last used.
    ///
    /// # Errors
    /// [`StoreError`] if the store failed.
    fn touch(&self, key: &str, record: &NewRecord<'_>) -> Result<Saved, StoreError>;

    /// Removes the record of a key in one atomic step, if the record has the generation `expected`. If `expected` is 0,
    /// removes a record of any generation.
    ///
    /// # Errors
    /// [`StoreError`] if the store failed.
    fn remove(&self, key: &str, expected: u64) -> Result<Saved, StoreError>;

    /// True if the store keeps the keys of subjects. If it is false, sessions cannot have a subject.
    fn keeps_subjects(&self) -> bool {
        false
    }

    /// Notes for at least `ttl` that a key belongs to a subject. If `ttl` is `None`, it keeps the note forever. Noting
    /// it again never shortens that time. khufu calls it before it saves or touches the record.
    ///
    /// # Errors
    /// [`StoreError`] if the store failed.
    fn list(&self, _subject: &str, _key: &str, _ttl: Option<Duration>) -> Result<(), StoreError> {
        Ok(())
    }

    /// Removes the note that a key belongs to a subject, if there is one. khufu calls it after it has removed the
    /// record.
    ///
    /// # Errors
    /// [`StoreError`] if the store failed.
    fn unlist(&self, _subject: &str, _key: &str) -> Result<(), StoreError> {
        Ok(())
    }

    /// The keys that belong to a subject.
    ///
    /// # Errors
    /// [`StoreError`] if the store failed.
    fn members(&self, _subject: &str) -> Result<Vec<String>, StoreError> {
        Ok(Vec::new())
    }
}

/// A record for a [`Store`] to keep.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct NewRecord<'a> {
    /// The record's generation.
    pub generation: u64,
    /// The record's bytes.
    pub data: &'a [u8],
    /// How long the store keeps the record from now on, at least a second. `None` keeps it forever.
    pub ttl: Option<Duration>,
}

/// The number of hexadecimal digits in a key.
const KEY: usize = 64;

/// The time for which a key stays listed after its record has expired.
const LONGER: Duration = Duration::from_secs(60);

/// The driver of an application's own store.
pub(crate) struct CustomDriver<S>(pub S);

impl<S: Store> CustomDriver<S> {
    /// Lists the key of a record that will be written under the record's subject, and returns the record.
    fn listed<'a>(&self, key: &str, write: &Write<'a>) -> Result<NewRecord<'a>, StoreError> {
        if let Some(subject) = write.subject.filter(|_| self.0.keeps_subjects()) {
            self.0.list(&subject.hex(), key, write.ttl.map(|ttl| ttl.saturating_add(LONGER)))?;
        }
        Ok(NewRecord { generation: write.generation, data: write.data, ttl: write.ttl })
    }
}

impl<S: Store> Driver for CustomDriver<S> {
    fn load(&self, key: &str, _deadline: Instant) -> Result<Option<Record>, StoreError> {
        let record = self.0.load(key)?;
        Ok(record.map(|(generation, data)| Record { generation, data: WipedBytes::from(data), left: None }))
    }

    fn save(&self, key: &str, expected: u64, write: &Write<'_>) -> Result<Saved, StoreError> {
        self.0.save(key, expected, &self.listed(key, write)?)
    }

    fn touch(&self, key: &str, write: &Write<'_>) -> Result<Saved, StoreError> {
        self.0.touch(key, &self.listed(key, write)?)
    }

    fn remove(
        &self,
        key: &str,
        expected: u64,
        subject: Option<SubjectName>,
        _deadline: Instant,
    ) -> Result<Saved, StoreError> {
        let removed = self.0.remove(key, expected)?;
        if let Some(subject) = subject.filter(|_| removed == Saved::Yes && self.0.keeps_subjects()) {
            // A failure does no harm: the note would be about a record that does not exist.
            if self.0.unlist(&subject.hex(), key) == Err(StoreError::Pending) {
                return Err(StoreError::Pending);
            }
        }
        Ok(removed)
    }

    fn keeps_subjects(&self) -> bool {
        self.0.keeps_subjects()
    }

    // A key also stays listed under its earlier subject. So the lists may be read one after another.
    fn members(&self, subjects: &[SubjectName], _deadline: Instant) -> Result<Vec<String>, StoreError> {
        let mut keys = Vec::new();
        for subject in subjects {
            keys.extend(self.0.members(&subject.hex())?);
        }
        match keys.iter().all(|key| key.len() == KEY && key.bytes().all(|byte| byte.is_ascii_hexdigit())) {
            true => Ok(keys),
            false => {
                Err(StoreError::Failed("the custom store's members are not keys of 64 hexadecimal digits".to_owned()))
            }
        }
    }

    fn revoke(&self, key: &str, subjects: &[SubjectName], deadline: Instant) -> Result<bool, StoreError> {
        while let Some(record) = Driver::load(self, key, deadline)? {
            let subject = record.data.get(SUBJECT_PLACE).and_then(|name| name.try_into().ok()).map(SubjectName);
            let Some(subject) = subject.filter(|subject| subjects.contains(subject)) else { return Ok(false) };
            match Driver::remove(self, key, record.generation, Some(subject), deadline)? {
                Saved::Yes => return Ok(true),
                Saved::Gone => return Ok(false),
                Saved::Conflict if Instant::now() >= deadline => {
                    return Err(StoreError::Failed(
                        "other requests kept changing the session, so that it could not be ended".to_owned(),
                    ));
                }
                Saved::Conflict => {}
            }
        }
        Ok(false)
    }
}
