//! All sessions of one user. Any process can list and end them.

use crate::error::Error;
use crate::record::Records;
use crate::store::SubjectName;

/// All sessions of one user, from [`Factory::subject`](crate::Factory::subject). Any process can list and end them.
///
/// ```
/// # use khufu::{Factory, Options, Outcome};
/// let factory = Factory::new(&Options::new().secret("seekrit").store("memory:"))?;
/// let mut session = factory.open(b"")?;
/// session.set_subject("user-42")?;
/// session.commit(Outcome::Response)?;
/// assert_eq!(factory.subject("user-42")?.sessions()?.len(), 1);
/// assert_eq!(factory.subject("user-42")?.revoke_all(None)?, 1);
/// # Ok::<(), khufu::Error>(())
/// ```
pub struct Subject<'f> {
    records: &'f Records,
    /// The subject's names: one for each secret, the current one first.
    names: Vec<SubjectName>,
}

/// A session of a subject.
#[derive(Debug, Clone, PartialEq)]
pub struct SubjectSession {
    /// An id for logs, as [`Session::id`](crate::Session::id) returns it.
    pub id: String,
    /// When it began, in seconds since the Unix epoch.
    pub created: f64,
    /// When it was last used, in seconds since the Unix epoch.
    pub accessed: f64,
}

impl<'f> Subject<'f> {
    pub(crate) fn new(records: &'f Records, subject: &str) -> Self {
        Self { names: records.layout.subjects(subject), records }
    }

    /// The subject's sessions, including those that were saved with a previous secret. The session that was used last
    /// comes first.
    ///
    /// # Errors
    /// [`Error::Store`] if the store fails.
    pub fn sessions(&self) -> Result<Vec<SubjectSession>, Error> {
        let Self { records, names } = self;
        let mut sessions = Vec::new();
        for id in self.members()? {
            let Some(record) = records.store.load(&id, records.deadline())? else { continue };
            // The header contains the subject, even if this server cannot read the session's data.
            if let Ok(header) = records.layout.header(&record.data)
                && header.subject.is_some_and(|name| names.contains(&name))
            {
                sessions.push(SubjectSession { id, created: header.created, accessed: header.accessed });
            }
        }
        sessions.sort_by(|one, other| other.accessed.total_cmp(&one.accessed));
        Ok(sessions)
    }

    /// Ends one session of the subject. `id` is its [`SubjectSession::id`]. False if the subject has no such session.
    ///
    /// # Errors
    /// [`Error::Store`] if the store fails.
    pub fn revoke(&self, id: &str) -> Result<bool, Error> {
        Ok(is_id(id) && self.records.store.revoke(id, &self.names, self.records.deadline())?)
    }

    /// Ends every session of the subject that was committed before this call, except the one whose id is `except`.
    /// Returns the number of sessions that were ended.
    ///
    /// # Errors
    /// [`Error::Store`] if the store fails. It is also returned if all listed sessions were ended, but the store may
    /// have lost a part of the list (a Redis whose `maxmemory-policy` is not `noeviction`), so that some sessions may
    /// remain.
    pub fn revoke_all(&self, except: Option<&str>) -> Result<usize, Error> {
        let Self { records, names } = self;
        let mut revoked = 0;
        for id in self.members()? {
            if Some(id.as_str()) != except && records.store.revoke(&id, names, records.deadline())? {
                revoked += 1;
            }
        }
        match records.store.may_evict() {
            None => Ok(revoked),
            Some(policy) => Err(Error::Store(format!(
                "the subject's {revoked} listed sessions were ended, but others may remain: the server may evict the \
                 list (maxmemory-policy {policy}). Set maxmemory-policy to noeviction."
            ))),
        }
    }

    /// The keys of the subject's records, without duplicates.
    fn members(&self) -> Result<Vec<String>, Error> {
        let mut keys = self.records.store.members(&self.names, self.records.deadline())?;
        keys.sort_unstable();
        keys.dedup();
        Ok(keys)
    }
}

/// True if a text has the form of a session's id. The text may come from a visitor, so nothing else may become a key in
/// the store.
fn is_id(text: &str) -> bool {
    text.len() == 64 && text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
}
