//! Checks the results of a schedule. They are correct if there is an order of the operations that explains everything
//! that the requests saw. In this order, each operation takes effect at one moment between its first and its last step.

use std::collections::{BTreeMap, HashSet};
use std::rc::Rc;

use serde_json::Value;

use super::request::{Change, Commit, Data, Event, Found, Kind, Log, Seen, Sent, Status};
use super::schedule::Execution;
use crate::LoadResult;
use crate::record::header::SAVES;

/// A cookie, as the number of its session and the number of its token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Token {
    pub session: usize,
    pub token: usize,
    /// The cookie is sealed with the new secret of a rotation.
    pub is_new_secret: bool,
}

/// The expected content of a session in the store.
#[derive(Clone, Debug)]
pub(super) struct StoredSession {
    pub token: usize,
    pub before: Option<Before>,
    pub data: Rc<Data>,
    pub subject: Option<String>,
    /// The name of the subject was made with the new secret of a rotation.
    pub is_new_secret: bool,
    /// A number that each save increases.
    pub generation: u32,
    /// No request has recorded yet that it used the session.
    pub is_idle: bool,
}

/// The previous token, and the data and the subject that it shows.
#[derive(Clone, Debug)]
pub(super) struct Before {
    pub token: usize,
    /// The time from which the token is no longer valid.
    pub until: f64,
    pub data: Rc<Data>,
    pub subject: Option<String>,
}

/// The sessions that exist, by number.
pub(super) type Sessions = BTreeMap<usize, StoredSession>;

#[derive(Clone, Debug, Default)]
struct Requester {
    session: Option<Opened>,
    /// The cookie of a session that could not be read.
    unread: Option<Token>,
    /// The number of changes that are in the store.
    applied: usize,
    /// The new token, once the request has tried to save it.
    planned: Option<usize>,
    has_cookie: bool,
}

#[derive(Clone, Debug)]
struct Opened {
    session: usize,
    token: usize,
    generation: u32,
    is_before: bool,
    /// A read of the session must be recorded.
    is_due: bool,
    /// The browser needs a new cookie.
    is_outdated: bool,
    /// The subject has an old name, so the record must be saved even without changes.
    is_misnamed: bool,
    /// No browser has received the token yet.
    is_fresh: bool,
}

#[derive(Clone, Debug)]
struct World {
    sessions: Sessions,
    requesters: Vec<Requester>,
    /// How many sessions each operation ended.
    ended: BTreeMap<usize, usize>,
}

/// An operation, or a part of an operation that takes effect separately.
struct Operation<'a> {
    request: usize,
    /// The position among the request's operations. Parts of one operation with the same position may take effect in
    /// any order.
    place: usize,
    first: u64,
    last: u64,
    /// The answer was lost, so the operation may not have taken effect.
    may_be_missing: bool,
    action: Action<'a>,
}

enum Action<'a> {
    Open {
        cookie: Option<Token>,
        now: f64,
        found: &'a Found,
    },
    End {
        commit: &'a Commit,
    },
    Save {
        commit: &'a Commit,
        sent: Option<Token>,
        planned: usize,
    },
    Read {
        commit: &'a Commit,
        sent: Option<Token>,
    },
    /// `most` is the number of sessions that the whole revocation ended, if it returned one.
    Revoke {
        operation: usize,
        session: usize,
        most: Option<usize>,
    },
    /// The end of a revocation, after all its parts have taken effect.
    Revoked {
        operation: usize,
        count: usize,
    },
    List {
        session: usize,
        subject: &'a str,
        is_listed: bool,
    },
}

/// Everything that a schedule's requests did.
pub(super) struct History<'a> {
    pub logs: &'a [Log],
    /// The events seen after all requests have ended.
    pub last: &'a [Event],
    pub sessions: Sessions,
    /// The number of seconds for which the previous token shows the previous data.
    pub grace: f64,
    /// The time at which the requests open sessions.
    pub now: f64,
    /// The number of inserts without an answer. There may be as many records that no request knows.
    pub lost_inserts: usize,
    /// The number of such records that may still exist at the end.
    pub left_inserts: usize,
    /// Finds the token of a cookie's value.
    pub token: &'a dyn Fn(&str) -> Token,
    /// Finds the number of the session with a key. `None` if no cookie opens it.
    pub session: &'a dyn Fn(&str) -> Option<usize>,
}

/// The first number of tokens that no response contained.
pub(super) const UNSENT: usize = 1000;

impl History<'_> {
    /// Finds an order that explains everything. Returns the sessions that are left, or a description of the first thing
    /// that cannot be explained.
    pub fn explain(&self) -> Result<Sessions, String> {
        let mut operations = Vec::new();
        for (request, log) in self.logs.iter().enumerate() {
            for (index, event) in log.events.iter().enumerate() {
                self.add(&mut operations, (request, 2 * index), event, &log.events[index..])?;
            }
        }
        for (index, event) in self.last.iter().enumerate() {
            self.add(&mut operations, (self.logs.len(), 2 * index), event, &[])?;
        }
        let requesters = vec![Requester::default(); self.logs.len() + 1];
        let world = World { sessions: self.sessions.clone(), requesters, ended: BTreeMap::new() };
        // An operation most likely took effect at its last step, so try the order of the last steps first.
        let mut order: Vec<usize> = (0..operations.len()).collect();
        order.sort_by_key(|index| operations[*index].last);
        let mut search = Search {
            history: self,
            operations: &operations,
            order: &order,
            deepest: (0, String::new()),
            tries_left: MOST_TRIES,
            dead_ends: HashSet::new(),
        };
        let mut done = vec![false; operations.len()];
        match search.find_order(&world, &mut done, 0) {
            Some(sessions) => Ok(sessions),
            None => Err(search.deepest.1),
        }
    }

    fn add<'a>(
        &self,
        operations: &mut Vec<Operation<'a>>,
        (request, place): (usize, usize),
        event: &'a Event,
        rest: &'a [Event],
    ) -> Result<(), String> {
        let lost = event.span.loss;
        let first = event.span.first.unwrap_or_default();
        let mut push = |place: usize, may_be_missing: bool, action| {
            let is_late = may_be_missing && lost.is_some_and(|loss| loss.execution == Execution::Later);
            let last = if is_late { u64::MAX } else { event.span.last };
            operations.push(Operation { request, place, first, last, may_be_missing, action });
        };
        match &event.seen {
            Seen::Open { cookie, now, found } => {
                let Some(found) = found else { return unless_lost(event) };
                let cookie = cookie.as_deref().map(self.token);
                push(place, false, Action::Open { cookie, now: *now, found });
            }
            Seen::Commit(commit) => {
                let failed = commit.status == Status::Store;
                if failed {
                    unless_lost(event)?;
                }
                if commit.status != Status::Ok && commit.before != commit.after {
                    return Err(format!("a commit failed and changed the session: {commit:?}"));
                }
                if commit.ends {
                    push(place, failed, Action::End { commit });
                }
                let sent = match &commit.sent {
                    Sent::Cookie(value) => Some((self.token)(value)),
                    _ => None,
                };
                // The last step of a commit is its save or touch.
                if failed && lost.is_some_and(|loss| loss.execution == Execution::Never) {
                    return Ok(());
                }
                if commit.is_dirty {
                    // A commit that failed has the same new token as the commit that succeeds later.
                    let sent_later = rest.iter().find_map(|event| match &event.seen {
                        Seen::Commit(Commit { status: Status::Ok, sent, .. }) => Some(sent),
                        _ => None,
                    });
                    let planned = match sent_later {
                        Some(Sent::Cookie(value)) if commit.renews => (self.token)(value).token,
                        _ => UNSENT + request,
                    };
                    push(place + 1, failed, Action::Save { commit, sent, planned });
                } else if !commit.ends {
                    push(place, failed, Action::Read { commit, sent });
                }
            }
            Seen::Revoked { only, count } => {
                if count.is_none() {
                    unless_lost(event)?;
                }
                let operation = first as usize;
                let sessions: Vec<usize> = match only {
                    Some(key) => (self.session)(key).into_iter().collect(),
                    None => (0..UNSENT).take_while(|session| self.is_known(*session)).collect(),
                };
                for session in sessions {
                    push(place, count.is_none(), Action::Revoke { operation, session, most: *count });
                }
                if let Some(count) = count {
                    push(place + 1, false, Action::Revoked { operation, count: *count });
                }
            }
            Seen::Listed { subject, keys } => {
                let Some(keys) = keys else { return unless_lost(event) };
                let listed: Vec<Option<usize>> = keys.iter().map(|key| (self.session)(key)).collect();
                let strange = listed.iter().filter(|session| session.is_none()).count();
                let allowed = if request < self.logs.len() { self.lost_inserts } else { self.left_inserts };
                if strange > allowed {
                    return Err(format!("the list contains {strange} sessions that no request made"));
                }
                for session in (0..UNSENT).take_while(|session| self.is_known(*session)) {
                    let is_listed = listed.contains(&Some(session));
                    push(place, false, Action::List { session, subject, is_listed });
                }
            }
        }
        Ok(())
    }

    /// True if a cookie opens or opened the session with a number.
    fn is_known(&self, session: usize) -> bool {
        self.sessions.contains_key(&session) || self.sent_tokens().any(|token| token.session == session)
    }

    /// The tokens of the cookies in all responses.
    fn sent_tokens(&self) -> impl Iterator<Item = Token> {
        let events = self.logs.iter().flat_map(|log| &log.events);
        events.filter_map(|event| match &event.seen {
            Seen::Commit(Commit { sent: Sent::Cookie(value), .. }) => Some((self.token)(value)),
            _ => None,
        })
    }
}

fn unless_lost(event: &Event) -> Result<(), String> {
    match event.span.loss {
        Some(_) => Ok(()),
        None => Err(format!("the store failed although no answer was lost: {event:?}")),
    }
}

struct Search<'a> {
    history: &'a History<'a>,
    operations: &'a [Operation<'a>],
    order: &'a [usize],
    /// The largest number of operations that could be explained, and why the next one could not.
    deepest: (usize, String),
    /// How many more operations may be tried.
    tries_left: usize,
    /// The situations from which no order was found: the operations that were done, and the world at that time.
    dead_ends: HashSet<(Vec<bool>, String)>,
}

/// The most operations that are tried. A history that can be explained needs fewer.
const MOST_TRIES: usize = 100_000;
/// The number of tries after which the search begins to remember dead ends.
const EASY: usize = 500;

impl Operation<'_> {
    /// True if the operation changes nothing that another operation depends on.
    fn only_reads(&self, history: &History<'_>) -> bool {
        match self.action {
            Action::List { .. } | Action::Revoked { .. } => true,
            Action::Open { .. } => self.request == history.logs.len(),
            _ => false,
        }
    }
}

impl Search<'_> {
    /// Finds an order of the operations that are left.
    fn find_order(&mut self, world: &World, done: &mut [bool], depth: usize) -> Option<Sessions> {
        let is_left = |index: usize, done: &[bool]| !done[index] && !self.operations[index].may_be_missing;
        if !(0..done.len()).any(|index| is_left(index, done)) {
            return Some(world.sessions.clone());
        }
        // Most histories are explained quickly, without remembering dead ends.
        let place = (self.tries_left < MOST_TRIES - EASY).then(|| (done.to_vec(), format!("{world:?}")));
        if place.as_ref().is_some_and(|place| self.dead_ends.contains(place)) {
            return None;
        }
        for index in self.order {
            let operation = &self.operations[*index];
            let comes_later = |other: usize| {
                let before = &self.operations[other];
                before.last < operation.first || (before.request == operation.request && before.place < operation.place)
            };
            if done[*index] || (0..done.len()).any(|other| is_left(other, done) && comes_later(other)) {
                continue;
            }
            // An operation without an answer takes effect before the request's next operation, or never.
            let is_later = |other: &Operation<'_>| other.request == operation.request && other.place > operation.place;
            let is_past = (0..done.len()).any(|other| done[other] && is_later(&self.operations[other]));
            if operation.may_be_missing && is_past {
                continue;
            }
            self.tries_left = self.tries_left.checked_sub(1)?;
            let mut next = world.clone();
            match next.take_effect(self.history, operation) {
                Ok(()) => {
                    done[*index] = true;
                    let found = self.find_order(&next, done, depth + 1);
                    done[*index] = false;
                    // An operation that only reads changes nothing for the others, so no other order can succeed.
                    if found.is_some() || operation.only_reads(self.history) {
                        return found;
                    }
                }
                Err(fault) if depth >= self.deepest.0 => self.deepest = (depth, fault),
                Err(_) => {}
            }
        }
        self.dead_ends.extend(place);
        None
    }
}

impl World {
    /// Lets an operation take effect. Fails if that does not agree with what the request saw.
    fn take_effect(&mut self, history: &History<'_>, operation: &Operation<'_>) -> Result<(), String> {
        let request = operation.request;
        let kind = history.logs.get(request).map_or(Kind::Plain, |log| log.kind);
        let is_new_secret = kind == Kind::Rotated;
        match &operation.action {
            Action::Open { cookie, now, found } => self.open(request, is_new_secret, *cookie, (*now, found)),
            Action::End { commit } => self.end(request, commit, operation.may_be_missing),
            Action::Save { commit, sent, planned } => {
                Save { history, request, kind, commit, sent: *sent, planned: *planned }.take_effect(self)
            }
            Action::Read { commit, sent } => self.read(request, kind, commit, *sent),
            Action::Revoke { operation: revocation, session, most } => {
                let alice = history.sessions.values().next().and_then(|kept| kept.subject.clone());
                if self.sessions.get(session).is_some_and(|kept| kept.subject == alice) {
                    self.sessions.remove(session);
                    let ended = self.ended.entry(*revocation).or_default();
                    *ended += 1;
                    if most.is_some_and(|most| *ended > most) {
                        return Err(format!("a revocation returned {most:?}, but ended {ended} sessions"));
                    }
                } else if operation.may_be_missing {
                    return Err("an operation that may be missing has no effect here".to_owned());
                }
                Ok(())
            }
            Action::Revoked { operation, count } => {
                let ended = self.ended.get(operation).copied().unwrap_or_default();
                match (ended..=ended + history.lost_inserts).contains(count) {
                    true => Ok(()),
                    false => Err(format!("a revocation returned {count}, but ended {ended} sessions")),
                }
            }
            Action::List { session, subject, is_listed } => {
                let kept = self.sessions.get(session).and_then(|kept| kept.subject.as_deref());
                match (kept == Some(*subject)) == *is_listed {
                    true => Ok(()),
                    false => {
                        Err(format!("the session is listed for {subject}: {is_listed}, but its subject is {kept:?}"))
                    }
                }
            }
        }
    }

    fn open(
        &mut self,
        request: usize,
        is_new_secret: bool,
        cookie: Option<Token>,
        (now, found): (f64, &Found),
    ) -> Result<(), String> {
        let requester = &mut self.requesters[request];
        *requester = Requester { has_cookie: cookie.is_some(), ..Requester::default() };
        if found.result == LoadResult::StoreError {
            requester.unread = cookie;
            return Ok(());
        }
        let kept = cookie.and_then(|cookie| Some((cookie, self.sessions.get(&cookie.session)?)));
        let shown = kept.and_then(|(cookie, kept)| match &kept.before {
            _ if cookie.token == kept.token => Some((cookie, kept, false, (&kept.data, &kept.subject))),
            Some(before) if before.token == cookie.token && now < before.until => {
                Some((cookie, kept, true, (&before.data, &before.subject)))
            }
            _ => None,
        });
        let expected = match (cookie, shown) {
            (None, _) => LoadResult::None,
            (Some(_), None) => LoadResult::Missing,
            (Some(cookie), Some(_)) if cookie.is_new_secret != is_new_secret => LoadResult::LoadedPreviousSecret,
            _ => LoadResult::Loaded,
        };
        let empty = Rc::default();
        let (data, subject) = shown.map_or((&empty, &None), |(.., shown)| shown);
        if expected != found.result || **data != found.data || *subject != found.subject {
            return Err(format!("opened {found:?}, expected {expected} with {data:?} of {subject:?}"));
        }
        requester.session = shown.map(|(cookie, kept, is_before, _)| {
            let is_misnamed = kept.subject.is_some() && kept.is_new_secret != is_new_secret;
            Opened {
                session: cookie.session,
                token: cookie.token,
                generation: kept.generation,
                is_before,
                is_due: kept.is_idle,
                is_outdated: is_misnamed || cookie.is_new_secret != is_new_secret,
                is_misnamed,
                is_fresh: false,
            }
        });
        Ok(())
    }

    /// Lets the logout of a commit take effect.
    fn end(&mut self, request: usize, commit: &Commit, may_be_missing: bool) -> Result<(), String> {
        let requester = &mut self.requesters[request];
        let had_cookie = requester.has_cookie;
        let opened = requester.session.take().map(|opened| opened.session);
        let unread = requester.unread.take().filter(|cookie| {
            self.sessions.get(&cookie.session).is_some_and(|kept| {
                kept.token == cookie.token || kept.before.as_ref().is_some_and(|before| before.token == cookie.token)
            })
        });
        requester.planned = None;
        if let Some(session) = opened.or(unread.map(|cookie| cookie.session)) {
            self.sessions.remove(&session);
        }
        if !may_be_missing && commit.status != Status::Ok && !commit.is_dirty {
            return Err(format!("a logout failed: {commit:?}"));
        }
        // A logout clears the cookie even if the store fails.
        let clears = commit.response == Sent::Clearing;
        let is_certain = !commit.is_dirty || commit.status == Status::Store;
        if is_certain && clears != had_cookie {
            return Err(format!("a logout clears the cookie: {clears}, but the browser has one: {had_cookie}"));
        }
        Ok(())
    }

    /// Lets the commit of a request without changes take effect.
    fn read(&mut self, request: usize, kind: Kind, commit: &Commit, sent: Option<Token>) -> Result<(), String> {
        let requester = &mut self.requesters[request];
        let gives_cookie = |opened: &Opened| opened.is_outdated || kind == Kind::MaxAge;
        let mut expected = None;
        let is_written = |opened: &&mut Opened| !opened.is_before && (opened.is_due || opened.is_outdated);
        if let Some(opened) = requester.session.as_mut().filter(is_written) {
            let kept = self.sessions.get_mut(&opened.session).filter(|kept| kept.token == opened.token);
            let hit = kept.filter(|kept| opened.is_misnamed || kept.generation == opened.generation);
            if let Some(kept) = hit {
                expected =
                    Some(Token { session: opened.session, token: kept.token, is_new_secret: kind == Kind::Rotated });
                expected = expected.filter(|_| gives_cookie(opened));
                kept.is_idle = false;
                if opened.is_misnamed {
                    kept.generation += 1;
                    kept.is_new_secret = kind == Kind::Rotated;
                    opened.generation = kept.generation;
                }
            }
            if commit.status == Status::Ok {
                (opened.is_due, opened.is_outdated, opened.is_misnamed) = (false, false, false);
            }
        }
        if commit.status == Status::Store {
            return Ok(());
        }
        if commit.status != Status::Ok {
            return Err(format!("a commit without changes returned {:?}", commit.status));
        }
        match sent == expected {
            true => Ok(()),
            false => Err(format!("a commit without changes sent {sent:?}, expected {expected:?}")),
        }
    }
}

/// The commit of a request with changes.
struct Save<'a> {
    history: &'a History<'a>,
    request: usize,
    kind: Kind,
    commit: &'a Commit,
    sent: Option<Token>,
    planned: usize,
}

impl Save<'_> {
    fn take_effect(&self, world: &mut World) -> Result<(), String> {
        let World { sessions, requesters, .. } = world;
        let requester = &mut requesters[self.request];
        if requester.unread.is_some() {
            return self.expect(Status::Unsupported);
        }
        if self.commit.status == Status::Conflict && self.may_have_lost_count() {
            return Ok(());
        }
        let Some(opened) = requester.session.clone() else { return self.insert(sessions, requester) };
        let is_own = |kept: &&mut StoredSession| {
            !opened.is_before && (kept.token == opened.token || Some(kept.token) == requester.planned)
        };
        let Some(kept) = sessions.get_mut(&opened.session).filter(is_own) else { return self.expect(Status::Gone) };
        let mut data = (*kept.data).clone();
        let mut subject = kept.subject.clone();
        let from = requester.applied.max(self.commit.base);
        if !self.replay(from, &mut data, &mut subject) {
            return self.expect(Status::Conflict);
        }
        if self.commit.status == Status::Gone || self.commit.status == Status::Conflict {
            return Err(format!("a commit returned {:?}, but the session exists", self.commit.status));
        }
        requester.applied = self.commit.changes;
        if self.commit.renews && kept.token != self.planned {
            let until = self.history.now + self.history.grace;
            if !opened.is_fresh {
                let (data, subject) = (kept.data.clone(), kept.subject.clone());
                let before = Before { token: kept.token, until, data, subject };
                kept.before = Some(before).filter(|_| self.history.grace > 0.0);
            }
            kept.token = self.planned;
            requester.planned = Some(self.planned);
        }
        kept.generation += 1;
        kept.is_idle = false;
        kept.is_new_secret = self.kind == Kind::Rotated;
        (kept.data, kept.subject) = (Rc::new(data), subject);
        if self.commit.status == Status::Store {
            return Ok(());
        }
        let needs = self.commit.renews || opened.is_outdated || self.kind == Kind::MaxAge;
        let is_new_secret = self.kind == Kind::Rotated;
        let expected = Token { session: opened.session, token: kept.token, is_new_secret };
        self.check(kept, Some(expected).filter(|_| needs))?;
        requester.planned = None;
        requester.session = Some(Opened {
            token: kept.token,
            generation: kept.generation,
            is_fresh: opened.is_fresh || self.commit.renews,
            is_due: false,
            is_outdated: false,
            is_misnamed: false,
            ..opened
        });
        Ok(())
    }

    fn insert(&self, sessions: &mut Sessions, requester: &mut Requester) -> Result<(), String> {
        if self.commit.status == Status::Store {
            // There may be a record that no cookie opens.
            return Ok(());
        }
        self.expect(Status::Ok)?;
        let Some(token) = self.sent else { return Err("a new session got no cookie".to_owned()) };
        if sessions.contains_key(&token.session) {
            return Err("a new session has the key of another".to_owned());
        }
        let (mut data, mut subject) = (Data::new(), None);
        self.replay(self.commit.base, &mut data, &mut subject);
        let is_new_secret = self.kind == Kind::Rotated;
        let kept = StoredSession {
            token: token.token,
            before: None,
            data: Rc::new(data),
            subject,
            is_new_secret,
            generation: 1,
            is_idle: false,
        };
        self.check(&kept, Some(token))?;
        sessions.insert(token.session, kept);
        requester.applied = self.commit.changes;
        requester.has_cookie = true;
        requester.session = Some(Opened {
            session: token.session,
            token: token.token,
            generation: 1,
            is_before: false,
            is_due: false,
            is_outdated: false,
            is_misnamed: false,
            is_fresh: true,
        });
        Ok(())
    }

    /// True if a save of this request got no answer, and there were so many other saves that the record no longer shows
    /// whether that save succeeded.
    fn may_have_lost_count(&self) -> bool {
        let history = self.history;
        let saves = history.logs.iter().flat_map(|log| &log.events).filter(|event| match &event.seen {
            Seen::Commit(commit) => commit.is_dirty || commit.status == Status::Store,
            _ => false,
        });
        let has_loss = history.logs[self.request].events.iter().any(|event| event.span.loss.is_some());
        has_loss && saves.count() > SAVES
    }

    fn expect(&self, status: Status) -> Result<(), String> {
        // A commit without an answer may have had this status.
        match [status, Status::Store].contains(&self.commit.status) {
            true if self.sent.is_none() || status == Status::Ok => Ok(()),
            _ => Err(format!("a commit returned {:?}, expected {status:?}", self.commit.status)),
        }
    }

    fn check(&self, kept: &StoredSession, expected: Option<Token>) -> Result<(), String> {
        if self.sent != expected {
            return Err(format!("a commit sent {:?}, expected {expected:?}", self.sent));
        }
        if *kept.data != self.commit.after {
            return Err(format!("after a commit the session is {:?}, expected {:?}", self.commit.after, kept.data));
        }
        Ok(())
    }

    /// Applies the request's changes, beginning with change number `from`. Returns false if the flash queue is not a
    /// list.
    fn replay(&self, from: usize, data: &mut Data, subject: &mut Option<String>) -> bool {
        const FLASH: &str = "_f_";
        for change in &self.history.logs[self.request].changes[from..self.commit.changes] {
            match change {
                Change::Set(key, value) => drop(data.insert(key.clone(), value.clone())),
                Change::SetDefault(key, value) => drop(data.entry(key).or_insert_with(|| value.clone())),
                Change::Flash(message) => match data.entry(FLASH).or_insert_with(|| Value::Array(Vec::new())) {
                    Value::Array(messages) => messages.push(message.clone()),
                    _ => return false,
                },
                Change::Pop(taken) => {
                    let Some(there) = data.get_mut(FLASH) else { continue };
                    let Value::Array(messages) = there else { return false };
                    for message in taken {
                        messages.iter().position(|there| there == message).map(|index| messages.remove(index));
                    }
                    if messages.is_empty() {
                        data.remove(FLASH);
                    }
                }
                Change::Clear => data.clear(),
                Change::Subject(new) => subject.clone_from(new),
            }
        }
        true
    }
}
