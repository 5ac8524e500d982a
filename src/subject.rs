//! The sessions of one user: found, listed and ended from any process.

use crate::error::Error;
use crate::factory::Factory;
use crate::record::Records;
use crate::store::SubjectName;

/// A session of a subject.
#[derive(Debug, Clone, PartialEq)]
pub struct SubjectSession {
    /// The session's [`Session::id`](crate::Session::id).
    pub id: String,
    /// When it began, in seconds since the Unix epoch.
    pub created: f64,
    /// When it was last used, in seconds since the Unix epoch.
    pub accessed: f64,
}

impl Factory {
    /// The sessions of a subject, as [`Session::set_subject`](crate::Session::set_subject) set it, under this secret or a
    /// previous one; the one used last comes first.
    ///
    /// # Errors
    /// [`Error::Store`]; [`Error::NoStore`] for cookies, and for a store or a library that keeps no subjects.
    pub fn subject_sessions(&self, subject: &str) -> Result<Vec<SubjectSession>, Error> {
        let Subject { records, names } = self.subject(subject)?;
        let mut sessions = Vec::new();
        for id in records.members(&names)? {
            let Some(record) = records.store.load(&id, records.deadline())? else { continue };
            // The header says whose it is, even if this server cannot read the data.
            if let Ok(header) = records.layout.header(&record.data)
                && header.subject.is_some_and(|name| names.contains(&name))
            {
                sessions.push(SubjectSession { id, created: header.created, accessed: header.accessed });
            }
        }
        sessions.sort_by(|one, other| other.accessed.total_cmp(&one.accessed));
        Ok(sessions)
    }

    /// Ends a session of a subject; false if the subject has none of that id.
    ///
    /// # Errors
    /// As [`Factory::subject_sessions`].
    pub fn revoke(&self, subject: &str, id: &str) -> Result<bool, Error> {
        let Subject { records, names } = self.subject(subject)?;
        Ok(is_id(id) && records.store.revoke(id, &names, records.deadline())?)
    }

    /// Ends every session of a subject that was committed before, except the one whose id is `except`, and tells how
    /// many it ended.
    ///
    /// # Errors
    /// As [`Factory::subject_sessions`]. Also [`Error::Store`] if all that are listed were ended, but the store may evict
    /// the list (a Redis whose `maxmemory-policy` is not `noeviction`), so that others may be left.
    pub fn revoke_all(&self, subject: &str, except: Option<&str>) -> Result<usize, Error> {
        let Subject { records, names } = self.subject(subject)?;
        let mut revoked = 0;
        for id in records.members(&names)? {
            if Some(id.as_str()) != except && records.store.revoke(&id, &names, records.deadline())? {
                revoked += 1;
            }
        }
        match records.store.may_evict() {
            None => Ok(revoked),
            Some(policy) => Err(Error::Store(format!(
                "the subject's {revoked} listed sessions were ended, but others may be left: the server may evict the list \
                 (maxmemory-policy {policy}). Set maxmemory-policy noeviction."
            ))),
        }
    }

    fn subject(&self, subject: &str) -> Result<Subject<'_>, Error> {
        let records = self.records().filter(|records| records.keeps_subjects()).ok_or(Error::NoStore)?;
        Ok(Subject { records, names: records.layout.subjects(subject) })
    }
}

/// True if a text has the form of a session's id. Nothing else becomes a store's key: the text may come from a visitor.
fn is_id(text: &str) -> bool {
    text.len() == 64 && text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
}

/// A subject's names under the current secret and the previous ones, and where its sessions are.
struct Subject<'a> {
    records: &'a Records,
    names: Vec<SubjectName>,
}

impl Records {
    /// The keys that are listed under any of the names, each once.
    fn members(&self, names: &[SubjectName]) -> Result<Vec<String>, Error> {
        let mut keys = self.store.members(names, self.deadline())?;
        keys.sort_unstable();
        keys.dedup();
        Ok(keys)
    }
}
