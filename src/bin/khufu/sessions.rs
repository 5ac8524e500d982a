//! `khufu sessions`: lists and ends the sessions of a subject.

use khufu::{Factory, SubjectSession};
use serde_json::json;

use crate::arguments::SessionsCommand;
use crate::failure::Failure;
use crate::visible::visible;
use crate::{print, times};

pub fn run(command: &SessionsCommand) -> Result<(), Failure> {
    match command {
        SessionsCommand::List { configuration, subject, json } => {
            let sessions = found(&configuration.factory_of_existing_store()?.1, subject)?;
            print(&if *json { as_json(&sessions) } else { as_table(&sessions) })
        }
        SessionsCommand::Show { configuration, subject, id } => {
            let sessions = found(&configuration.factory_of_existing_store()?.1, subject)?;
            let session = sessions.iter().find(|session| session.id == *id).ok_or_else(|| no_such(subject, id))?;
            let lines = [
                format!("id       {}", session.id),
                format!("subject  {}", visible(subject)),
                format!("created  {}", times::described(session.created)),
                format!("used     {}", times::described(session.accessed)),
            ];
            print(&lines.join("\n"))
        }
        SessionsCommand::Revoke { configuration, subject, ids, all, except } => {
            let (_, factory) = configuration.factory_of_existing_store()?;
            let ended = match all {
                true => factory.subject(subject)?.revoke_all(except.as_deref())?,
                false => revoke_each(&factory, subject, ids)?,
            };
            match ended {
                0 => {
                    Err(Failure::NoSession(format!("the subject {subject:?} has no other session: nothing was ended")))
                }
                _ => print(&format!("ended {ended}")),
            }
        }
    }
}

fn found(factory: &Factory, subject: &str) -> Result<Vec<SubjectSession>, Failure> {
    let sessions = factory.subject(subject)?.sessions()?;
    match sessions.is_empty() {
        true => Err(Failure::NoSession(format!(
            "the subject {subject:?} has no session. Compare the name with the one that the application sets, and the \
             options store, store_prefix and secret with those of the application."
        ))),
        false => Ok(sessions),
    }
}

/// Ends these sessions. Stops at the first id that is not one of the subject's sessions.
fn revoke_each(factory: &Factory, subject: &str, ids: &[String]) -> Result<usize, Failure> {
    for (ended, id) in ids.iter().enumerate() {
        if !factory.subject(subject)?.revoke(id)? {
            print(&format!("ended {ended}"))?;
            return Err(no_such(subject, id));
        }
    }
    Ok(ids.len())
}

fn no_such(subject: &str, id: &str) -> Failure {
    Failure::NoSession(format!(
        "the subject {subject:?} has no session {id:?}; `khufu sessions list` prints the ids of its sessions"
    ))
}

fn as_table(sessions: &[SubjectSession]) -> String {
    let rows = sessions.iter().map(|session| {
        format!(
            "{}  used {}; created {}",
            session.id,
            times::described(session.accessed),
            times::described(session.created)
        )
    });
    rows.collect::<Vec<_>>().join("\n")
}

fn as_json(sessions: &[SubjectSession]) -> String {
    let rows = sessions
        .iter()
        .map(|session| json!({ "id": session.id, "created": session.created, "accessed": session.accessed }));
    rows.collect::<serde_json::Value>().to_string()
}
