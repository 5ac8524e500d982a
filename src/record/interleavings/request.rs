//! The requests of a schedule: the programs that they run, and the logs of what they saw.

use serde_json::{Map, Value};

use super::answers::answered;
use super::schedule::{self, Span};
use crate::session::{OpenOptions, Outcome};
use crate::{Error, Factory, LoadResult, Session};

/// The time at which requests open their sessions. It is late enough that a read must be recorded.
pub(super) const NOW: f64 = 1_700_000_010.0;

/// The kind of a request's factory.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Kind {
    Plain,
    /// `max_age` is set, so each commit sends a cookie.
    MaxAge,
    /// There is a new secret. The cookie was sealed with the previous one.
    Rotated,
    /// `store_on_error` is `empty`.
    EmptyOnError,
    /// `set_on_exception` is off.
    ExceptionOff,
}

/// The cookie of a request.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Opens {
    Nothing,
    Current,
    /// The cookie with the previous id of the session.
    Old,
}

/// An action of a request on its session. Each request sets its own values.
#[derive(Clone, Copy)]
pub(super) enum Act {
    Set(&'static str),
    SetDefault(&'static str),
    Flash,
    PopFlash,
    Clear,
    Regenerate,
    Invalidate,
    /// Sets the subject. An empty text removes it.
    Subject(&'static str),
    /// If an answer is lost, the request either commits again or gives up.
    Commit,
    /// If an answer is lost, the request continues with its next action.
    TryCommit,
    /// Commits after an exception.
    CommitAfterException,
}

pub(super) enum Program {
    Session {
        kind: Kind,
        opens: Opens,
        acts: &'static [Act],
    },
    /// Ends every session of alice.
    RevokeAll(Kind),
    /// Ends the one session of alice, by its key.
    Revoke,
    /// Lists the sessions of alice.
    List(Kind),
}

impl Program {
    pub fn kind(&self) -> Kind {
        match self {
            Self::Session { kind, .. } | Self::RevokeAll(kind) | Self::List(kind) => *kind,
            Self::Revoke => Kind::Plain,
        }
    }
}

/// A change that a request made.
#[derive(Clone, Debug)]
pub(super) enum Change {
    Set(String, Value),
    SetDefault(String, Value),
    Flash(Value),
    Pop(Vec<Value>),
    Clear,
    Subject(Option<String>),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Status {
    Ok,
    Gone,
    Conflict,
    Store,
    Unsupported,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Sent {
    Nothing,
    Clearing,
    Cookie(String),
}

pub(super) type Data = Map<String, Value>;

#[derive(Debug)]
pub(super) struct Commit {
    /// The number of changes that the request had made.
    pub changes: usize,
    /// The number of these changes that belong to invalidated sessions.
    pub base: usize,
    pub is_dirty: bool,
    pub renews: bool,
    /// The commit ends a session.
    pub ends: bool,
    pub status: Status,
    /// The cookie that this commit added to the response.
    pub sent: Sent,
    /// The cookie that the response has after this commit.
    pub response: Sent,
    pub before: Data,
    pub after: Data,
}

/// A session as it was opened.
#[derive(Debug)]
pub(super) struct Found {
    pub result: LoadResult,
    pub data: Data,
    pub subject: Option<String>,
}

impl Found {
    pub fn of(session: &mut Session) -> Self {
        let data = data(session);
        Self { result: session.load_result(), data, subject: session.subject().map(str::to_owned) }
    }
}

/// The outcome of an operation, as its request saw it.
#[derive(Debug)]
pub(super) enum Seen {
    /// The session that was opened. `found` is `None` if the store failed.
    Open {
        cookie: Option<String>,
        now: f64,
        found: Option<Found>,
    },
    Commit(Commit),
    /// The number of sessions that were ended. `None` if the store failed.
    Revoked {
        only: Option<String>,
        count: Option<usize>,
    },
    /// The sessions of a subject. `None` if the store failed.
    Listed {
        subject: String,
        keys: Option<Vec<String>>,
    },
}

/// One operation of a request.
#[derive(Debug)]
pub(super) struct Event {
    pub span: Span,
    pub seen: Seen,
}

/// Everything that one request did.
pub(super) struct Log {
    pub kind: Kind,
    pub changes: Vec<Change>,
    pub events: Vec<Event>,
}

/// The environment of a request.
pub(super) struct Setting {
    pub factory: Factory,
    /// The number of the request, which is part of the values that it sets.
    pub number: usize,
    /// A text that is appended to each subject, so that no two schedules share a subject.
    pub suffix: String,
    /// The value of the request's cookie.
    pub cookie: Option<String>,
    /// The key of alice's session.
    pub key: String,
}

impl Setting {
    pub fn run(&self, program: &Program) -> Log {
        let mut log = Log { kind: program.kind(), changes: Vec::new(), events: Vec::new() };
        let alice = format!("alice{}", self.suffix);
        match program {
            Program::Session { acts, .. } => Run::new(self, &mut log).all(acts),
            Program::RevokeAll(_) => again(&mut log.events, || {
                let revoke_all = || self.factory.subject(&alice)?.revoke_all(None);
                let count = count_of(answered(revoke_all));
                Seen::Revoked { only: None, count }
            }),
            Program::Revoke => again(&mut log.events, || {
                let revoke = || self.factory.subject(&alice)?.revoke(&self.key);
                let count = count_of(answered(revoke).map(usize::from));
                Seen::Revoked { only: Some(self.key.clone()), count }
            }),
            Program::List(_) => again(&mut log.events, || list(&self.factory, &alice)),
        }
        log
    }
}

fn count_of(outcome: Result<usize, Error>) -> Option<usize> {
    match outcome {
        Ok(count) => Some(count),
        Err(Error::Store(_)) => None,
        Err(error) => panic!("{error}"),
    }
}

pub(super) fn list(factory: &Factory, subject: &str) -> Seen {
    let keys = match answered(|| factory.subject(subject)?.sessions()) {
        Ok(sessions) => Some(sessions.into_iter().map(|session| session.id).collect()),
        Err(Error::Store(_)) => None,
        Err(error) => panic!("{error}"),
    };
    Seen::Listed { subject: subject.to_owned(), keys }
}

/// Runs an operation. Repeats it each time an answer is lost and the schedule says to retry.
fn again(events: &mut Vec<Event>, work: impl Fn() -> Seen) {
    loop {
        schedule::begin(true);
        let seen = work();
        let span = schedule::end();
        let failed = matches!(seen, Seen::Revoked { count: None, .. } | Seen::Listed { keys: None, .. });
        events.push(Event { span, seen });
        if !(failed && span.loss.is_some_and(|loss| loss.retries)) {
            return;
        }
    }
}

pub(super) fn data(session: &mut Session) -> Data {
    serde_json::from_str(session.to_json()).unwrap()
}

/// Opens the session of a cookie's value.
pub(super) fn open(factory: &Factory, cookie: Option<&str>, now: f64) -> Result<Session, Error> {
    let header = cookie.map(|value| format!("session={value}")).unwrap_or_default();
    answered(|| factory.open_with(header.as_bytes(), &OpenOptions::new().now(now)))
}

struct Run<'a> {
    setting: &'a Setting,
    log: &'a mut Log,
    session: Option<Session>,
    base: usize,
    is_dirty: bool,
    renews: bool,
    ends: bool,
    values: usize,
    response: Sent,
}

impl<'a> Run<'a> {
    fn new(setting: &'a Setting, log: &'a mut Log) -> Self {
        let mut run = Self {
            setting,
            log,
            session: None,
            base: 0,
            is_dirty: false,
            renews: false,
            ends: false,
            values: 0,
            response: Sent::Nothing,
        };
        schedule::begin(false);
        let opened = open(&setting.factory, setting.cookie.as_deref(), NOW);
        let span = schedule::end();
        let found = match opened {
            Ok(mut session) => {
                let found = Found::of(&mut session);
                run.session = Some(session);
                Some(found)
            }
            Err(Error::Store(_)) => None,
            Err(error) => panic!("{error}"),
        };
        run.log.events.push(Event { span, seen: Seen::Open { cookie: setting.cookie.clone(), now: NOW, found } });
        run
    }

    /// Runs the actions one by one, until the request gives up.
    fn all(mut self, acts: &[Act]) {
        let Some(mut session) = self.session.take() else { return };
        for act in acts {
            match act {
                Act::Commit => loop {
                    let (status, span) = self.commit(&mut session, true, false);
                    match status {
                        Status::Store if span.loss.is_some_and(|loss| loss.retries) => {}
                        Status::Store => return,
                        _ => break,
                    }
                },
                Act::TryCommit => drop(self.commit(&mut session, false, false)),
                Act::CommitAfterException => drop(self.commit(&mut session, false, true)),
                act => self.act(&mut session, *act),
            }
        }
    }

    /// Makes a unique value.
    fn value(&mut self) -> Value {
        self.values += 1;
        Value::from(format!("{}.{}", self.setting.number, self.values))
    }

    fn act(&mut self, session: &mut Session, act: Act) {
        let value = self.value();
        let text = value.to_string();
        let change = match act {
            Act::Set(key) => {
                session.set_json(key, &text).unwrap();
                Some(Change::Set(key.to_owned(), value))
            }
            Act::SetDefault(key) => {
                let is_own = session.setdefault_json(key, &text).unwrap() == text;
                is_own.then(|| Change::SetDefault(key.to_owned(), value))
            }
            Act::Flash => match session.queue("").push_json(&text) {
                Ok(()) => Some(Change::Flash(value)),
                Err(Error::Type { .. }) => None,
                Err(error) => panic!("{error}"),
            },
            Act::PopFlash => match session.queue("").pop_json() {
                Ok(messages) => {
                    let messages: Vec<Value> = serde_json::from_str(messages).unwrap();
                    (!messages.is_empty()).then_some(Change::Pop(messages))
                }
                Err(Error::Type { .. }) => None,
                Err(error) => panic!("{error}"),
            },
            Act::Clear => {
                let had_any = !session.is_empty();
                session.clear();
                had_any.then_some(Change::Clear)
            }
            Act::Subject(subject) => {
                let subject = Some(subject).filter(|subject| !subject.is_empty());
                let subject = subject.map(|subject| format!("{subject}{}", self.setting.suffix));
                let is_other = session.subject() != subject.as_deref();
                session.set_subject(subject.as_deref().unwrap_or_default()).unwrap();
                is_other.then_some(Change::Subject(subject))
            }
            Act::Regenerate => {
                session.regenerate_id();
                (self.renews, self.is_dirty) = (true, true);
                None
            }
            Act::Invalidate => {
                session.invalidate();
                self.base = self.log.changes.len();
                (self.ends, self.renews, self.is_dirty) = (true, false, false);
                None
            }
            Act::Commit | Act::TryCommit | Act::CommitAfterException => None,
        };
        self.is_dirty |= change.is_some();
        self.log.changes.extend(change);
    }

    fn commit(&mut self, session: &mut Session, may_retry: bool, exception: bool) -> (Status, Span) {
        let mut before = data(session);
        schedule::begin(may_retry);
        let ending = if exception { Outcome::Exception } else { Outcome::Response };
        let outcome = answered(|| session.commit(ending).map(<[_]>::to_vec));
        let span = schedule::end();
        let status = match &outcome {
            Ok(_) => Status::Ok,
            Err(Error::Gone) => Status::Gone,
            Err(Error::Conflict) => Status::Conflict,
            Err(Error::Store(_)) => Status::Store,
            Err(Error::Unsupported(_)) => Status::Unsupported,
            Err(error) => panic!("{error}"),
        };
        let response = match session.set_cookies() {
            [] => Sent::Nothing,
            [cookie] => {
                let value = cookie.split(';').next().and_then(|pair| pair.split_once('=')).unwrap().1;
                if value.is_empty() { Sent::Clearing } else { Sent::Cookie(value.to_owned()) }
            }
            more => panic!("{} cookies", more.len()),
        };
        let after = data(session);
        if exception {
            // After an exception, changes made after a logout are dropped, even if the store fails.
            before.clone_from(&after);
        }
        let earlier = std::mem::replace(&mut self.response, response.clone());
        let sent = if earlier == response { Sent::Nothing } else { response.clone() };
        self.log.events.push(Event {
            span,
            seen: Seen::Commit(Commit {
                changes: self.log.changes.len(),
                base: self.base,
                is_dirty: self.is_dirty && !exception,
                renews: self.renews && !exception,
                ends: self.ends,
                status,
                sent,
                response,
                before,
                after,
            }),
        });
        if status == Status::Ok {
            (self.is_dirty, self.renews, self.ends) = (false, false, false);
        }
        (status, span)
    }
}
