//! The sessions of one user: found, listed and ended from any process.

use crate::error::Error;
use crate::factory::Factory;
use crate::store::backend::{Backend, NotLoaded};
use crate::store::layout::Loaded;

/// A session of a subject.
#[derive(Debug, Clone, PartialEq)]
pub struct SubjectSession {
    /// What [`Session::id`](crate::Session::id) tells in that session: the hex SHA-256 of its id.
    pub id: String,
    /// When it began, in seconds since the Unix epoch.
    pub created: f64,
    /// When it was last used, in seconds since the Unix epoch.
    pub accessed: f64,
}

impl Factory {
    /// The sessions that were said to be a subject's ([`Session::set_subject`](crate::Session::set_subject)), under
    /// this secret or a previous one; the one used last comes first.
    ///
    /// # Errors
    /// [`Error::Store`]; [`Error::NoStore`] for cookies, and for the records of another library.
    pub fn subject_sessions(&self, subject: &str) -> Result<Vec<SubjectSession>, Error> {
        let mut sessions: Vec<SubjectSession> = Vec::new();
        self.each(subject, |_, key, loaded| {
            if loaded.header.moved_to.is_none() && sessions.iter().all(|known| known.id != key) {
                let (created, accessed) = (loaded.content.created.seconds, loaded.content.renewed.seconds);
                sessions.push(SubjectSession { id: key.to_owned(), created, accessed });
            }
            Ok(())
        })?;
        sessions.sort_by(|one, other| other.accessed.total_cmp(&one.accessed));
        Ok(sessions)
    }

    /// Ends a session of a subject; false where the subject has none of that id.
    ///
    /// # Errors
    /// As [`Factory::subject_sessions`].
    pub fn revoke(&self, subject: &str, id: &str) -> Result<bool, Error> {
        Ok(self.revoke_where(subject, |key| key == id)? > 0)
    }

    /// Ends every session of a subject, but the one of the id `except`, and tells how many.
    ///
    /// # Errors
    /// As [`Factory::subject_sessions`].
    pub fn revoke_all(&self, subject: &str, except: Option<&str>) -> Result<usize, Error> {
        self.revoke_where(subject, |key| Some(key) != except)
    }

    fn revoke_where(&self, subject: &str, ends: impl Fn(&str) -> bool) -> Result<usize, Error> {
        let mut revoked = 0;
        self.each(subject, |backend, key, loaded| {
            // How a session was before it moved goes with it.
            let successor = loaded.header.successor();
            if ends(successor.as_deref().unwrap_or(key)) {
                backend.store.delete(key, backend.deadline())?;
                revoked += usize::from(successor.is_none());
            }
            Ok(())
        })?;
        Ok(revoked)
    }

    /// Visits the records that say they are the subject's. What the index names besides is taken out of it.
    fn each(
        &self,
        subject: &str,
        mut visit: impl FnMut(&Backend, &str, Loaded) -> Result<(), Error>,
    ) -> Result<(), Error> {
        let backend = self.backend().ok_or(Error::NoStore)?;
        for subject in backend.layout.subjects(subject).ok_or(Error::NoStore)? {
            for key in backend.store.list(&subject.name(), backend.deadline())? {
                match backend.load(&key, backend.deadline()) {
                    Ok(loaded) if loaded.header.subject == Some(subject) => visit(backend, &key, loaded)?,
                    Ok(_) | Err(NotLoaded::Missing) => {
                        backend.store.delist(&subject.name(), &key, backend.deadline())?;
                    }
                    Err(NotLoaded::Refused(_)) => {}
                    Err(NotLoaded::Failed(error)) => return Err(error),
                }
            }
        }
        Ok(())
    }
}
