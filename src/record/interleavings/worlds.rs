//! Runs schedules: each begins a session, runs requests that all use it, and checks the results.

use std::cell::RefCell;
use std::collections::HashMap;
use std::rc::Rc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use zeroize::Zeroizing;

use super::Named;
use super::model::{Before, History, Sessions, StoredSession, Token, UNSENT};
use super::request::{self, Commit, Event, Found, Kind, Log, NOW, Opens, Program, Seen, Sent, Setting};
use super::schedule::{Chooser, Ended, Execution, Loss, Span, Team};
use super::stores::TestStore;
use crate::record::id::Keys;
use crate::session::OpenOptions;
use crate::session::Outcome;
use crate::store::Driver;
use crate::{Custom, Factory, Options};

/// The time when the session began.
const BEGAN: f64 = NOW - 10.0;
/// The time when the session got its present id.
const REGENERATED: f64 = NOW - 5.0;

#[derive(Clone, Copy)]
pub(super) struct Limits {
    /// The number of answers that may be lost.
    pub losses: usize,
    /// Only the first `losing` requests may lose answers.
    pub losing: usize,
    /// The option `regenerate_grace` in seconds.
    pub grace: u32,
    /// The number of requests that run at the same time.
    pub requests: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self { losses: 0, losing: usize::MAX, grace: 20, requests: 2 }
    }
}

/// The results of many schedules.
#[derive(Default)]
pub(super) struct Tally {
    pub schedules: usize,
    /// For each combination of programs, the first schedule that cannot be explained.
    pub faults: Vec<String>,
}

impl Tally {
    /// Prints the number of schedules, and fails if there are faults.
    pub fn end(self, store: &str) {
        println!("{store}: {} schedules", self.schedules);
        assert!(self.faults.is_empty(), "{store}: {} faults\n\n{}", self.faults.len(), self.faults.join("\n\n"));
    }
}

/// Runs schedules with the same limits on a store.
pub(super) struct World {
    store: Arc<dyn Driver>,
    limits: Limits,
    team: Team,
    keys: [Keys; 2],
    /// The factories by request and kind. Each request has its own, as if it were another process.
    factories: RefCell<HashMap<(usize, Kind), Factory>>,
}

/// The session that exists before the requests begin.
struct InitialSession {
    suffix: String,
    old: String,
    current: String,
    key: String,
}

impl World {
    pub fn new(store: &TestStore, limits: Limits) -> Self {
        let keys = ["OLD", "NEW"].map(|secret| {
            let salted = format!("pyramid.session.{secret}").into_bytes();
            Keys::new(&[Zeroizing::new(salted)])
        });
        Self {
            store: store.store.clone(),
            limits,
            team: Team::new(limits.requests),
            keys,
            factories: RefCell::default(),
        }
    }

    fn factory(&self, request: usize, kind: Kind) -> Factory {
        let mut factories = self.factories.borrow_mut();
        let make = || {
            let mut options = Options::new();
            let grace = self.limits.grace.to_string();
            let secrets = if kind == Kind::Rotated { ["NEW", "OLD"] } else { ["OLD", "NEW"] };
            let mut set = |name, value| assert!(options.set(name, value).is_ok());
            set("type", "store");
            set("secret", secrets[0]);
            set("previous_secret", secrets[1]);
            set("regenerate_grace", &grace);
            set("store_timeout", "60");
            match kind {
                Kind::Plain | Kind::Rotated => {}
                Kind::MaxAge => set("max_age", "3600"),
                Kind::EmptyOnError => set("store_on_error", "empty"),
                Kind::ExceptionOff => set("set_on_exception", "false"),
            }
            let custom = Custom { store: Some(self.store.clone()), ..Custom::default() };
            Factory::with_custom(&options, custom).unwrap()
        };
        factories.entry((request, kind)).or_insert_with(make).clone()
    }

    /// Tries every schedule of some programs, until one cannot be explained.
    pub fn try_all(&self, programs: &[&'static Named], tally: &mut Tally) {
        let mut chooser = Chooser::all();
        loop {
            tally.schedules += 1;
            match self.attempt(programs, chooser) {
                Ok(tried) => chooser = tried,
                Err(fault) => return tally.faults.push(fault),
            }
            if !chooser.advance() {
                return;
            }
        }
    }

    /// Tries one schedule. If it cannot be explained, repeats it with a trace and returns a description of what
    /// happened.
    pub fn attempt(&self, programs: &[&'static Named], chooser: Chooser) -> Result<Chooser, String> {
        let (ended, fault) = self.play(programs, chooser, false);
        let Err(fault) = fault else { return Ok(ended.chooser) };
        let choices = ended.chooser.taken();
        let (again, _) = self.play(programs, Chooser::Again { choices: choices.clone(), at: 0 }, true);
        let names: Vec<&str> = programs.iter().map(|(name, _)| *name).collect();
        Err(format!("{names:?}, choices {choices:?}: {fault}\n{}", again.trace.join("\n")))
    }

    fn play(&self, programs: &[&'static Named], chooser: Chooser, traces: bool) -> (Ended, Result<(), String>) {
        let (began, sessions) = self.begin();
        let mut results = Vec::new();
        let mut requests: Vec<Box<dyn FnOnce() + Send>> = Vec::new();
        for (number, (_, program)) in programs.iter().enumerate() {
            let cookie = match program {
                Program::Session { opens: Opens::Current, .. } => Some(began.current.clone()),
                Program::Session { opens: Opens::Old, .. } => Some(began.old.clone()),
                _ => None,
            };
            let (factory, suffix, key) =
                (self.factory(number, program.kind()), began.suffix.clone(), began.key.clone());
            let setting = Setting { factory, number, suffix, cookie, key };
            let result = Arc::new(Mutex::new(None));
            results.push(result.clone());
            requests.push(Box::new(move || *result.lock().unwrap() = Some(setting.run(program))));
        }
        let ended = self.team.run(chooser, (self.limits.losses, self.limits.losing), traces, requests);
        if let [fault, ..] = &ended.faults[..] {
            let fault = fault.clone();
            return (ended, Err(fault));
        }
        let logs: Vec<Log> = results.into_iter().map(|result| result.lock().unwrap().take().unwrap()).collect();
        let explained = self.check(&began, sessions, &logs, &ended);
        let explained = explained.map_err(|fault| {
            let events: Vec<String> =
                logs.iter().flat_map(|log| &log.events).map(|event| format!("{event:?}")).collect();
            if traces { fault } else { format!("{fault}\n{}\n", events.join("\n")) }
        });
        (ended, explained)
    }

    /// Begins the session that the requests use.
    fn begin(&self) -> (InitialSession, Sessions) {
        static NUMBER: AtomicUsize = AtomicUsize::new(0);
        let suffix = NUMBER.fetch_add(1, Ordering::Relaxed).to_string();
        let factory = self.factory(0, Kind::Plain);
        let mut session = factory.open_with(b"", &OpenOptions::new().now(BEGAN)).unwrap();
        session.update_json(r#"{"k":"first","_f_":["old"]}"#).unwrap();
        session.set_subject(&format!("alice{suffix}")).unwrap();
        let old = value(&session.commit(Outcome::Response).unwrap()[0]);
        let mut session = request::open(&factory, Some(&old), REGENERATED).unwrap();
        let before = request::data(&mut session);
        session.set_json("k", "\"second\"").unwrap();
        session.regenerate_id();
        let current = value(&session.commit(Outcome::Response).unwrap()[0]);
        let key = session.id().unwrap().to_owned();
        let kept = StoredSession {
            token: 1,
            before: Some(Before {
                token: 0,
                until: REGENERATED + f64::from(self.limits.grace),
                data: Rc::new(before),
                subject: Some(format!("alice{suffix}")),
            }),
            data: Rc::new(request::data(&mut session)),
            subject: Some(format!("alice{suffix}")),
            is_new_secret: false,
            generation: 0,
            is_idle: true,
        };
        (InitialSession { suffix, old, current, key }, Sessions::from([(0, kept)]))
    }

    fn check(&self, began: &InitialSession, sessions: Sessions, logs: &[Log], ended: &Ended) -> Result<(), String> {
        let mut cookies = vec![began.old.clone(), began.current.clone()];
        for event in logs.iter().flat_map(|log| &log.events) {
            if let Seen::Commit(Commit { sent: Sent::Cookie(value), .. }) = &event.seen {
                cookies.push(value.clone());
            }
        }
        let interned = RefCell::new(Numbers::default());
        let token = |value: &str| interned.borrow_mut().token(&self.keys, value);
        for cookie in &cookies {
            token(cookie);
        }
        let key_of = |key: &str| interned.borrow().keys.iter().position(|known| known == key);
        let last = self.look(began, &cookies, ended.clock);
        let history = History {
            logs,
            last: &last,
            sessions,
            grace: f64::from(self.limits.grace),
            now: NOW,
            lost_inserts: ended.lost_inserts.len(),
            left_inserts: ended.lost_inserts.iter().filter(|loss| self.may_stay(**loss)).count(),
            token: &token,
            session: &key_of,
        };
        let left = history.explain()?;
        self.check_browser(began, logs, &left, &token)
    }

    /// True if the record of an insert without an answer may still exist at the end.
    fn may_stay(&self, loss: Loss) -> bool {
        match loss.execution {
            Execution::Never => false,
            // The request removes the record when it saves or ends its session, unless another answer is lost then.
            Execution::AtOnce => !loss.retries || self.limits.losses > 1,
            Execution::Later => true,
        }
    }

    /// Opens all cookies that browsers have received, within the grace and after it, and lists the sessions of all
    /// subjects. Returns what this showed.
    fn look(&self, began: &InitialSession, cookies: &[String], clock: u64) -> Vec<Event> {
        let factory = self.factory(0, Kind::Plain);
        let mut clock = clock;
        let mut at_once = |seen| {
            clock += 1;
            Event { span: Span { first: Some(clock), last: clock, ..Span::default() }, seen }
        };
        let mut last = Vec::new();
        for now in [NOW + 1.0, NOW + 100.0] {
            for cookie in cookies {
                let mut session = request::open(&factory, Some(cookie), now).unwrap();
                let found = Some(Found::of(&mut session));
                last.push(at_once(Seen::Open { cookie: Some(cookie.clone()), now, found }));
            }
        }
        for subject in ["alice", "bob"] {
            last.push(at_once(request::list(&factory, &format!("{subject}{}", began.suffix))));
        }
        last
    }

    /// Checks that the browser's last cookie opens its session, if the session still exists.
    fn check_browser(
        &self,
        began: &InitialSession,
        logs: &[Log],
        left: &Sessions,
        token: &dyn Fn(&str) -> Token,
    ) -> Result<(), String> {
        let with_cookie = logs.iter().filter(|log| {
            matches!(log.events.first().map(|event| &event.seen), Some(Seen::Open { cookie: Some(_), .. }))
        });
        // A response counts from the commit that sent its cookie.
        let commits = |log: &'_ Log| {
            let commit = |event: &'_ Event| match &event.seen {
                Seen::Commit(commit) => Some((event.span.last, commit.sent.clone(), commit.response.clone())),
                _ => None,
            };
            log.events.iter().filter_map(commit).collect::<Vec<_>>()
        };
        let mut responses: Vec<(u64, Sent)> = with_cookie
            .filter_map(|log| {
                let commits = commits(log);
                let (.., response) = commits.last()?;
                let (last, ..) = commits.iter().rfind(|(_, sent, _)| sent == response)?;
                Some((*last, response.clone()))
            })
            .collect();
        responses.sort_by_key(|(last, _)| *last);
        let jar = responses.iter().rev().find_map(|(_, sent)| match sent {
            Sent::Nothing => None,
            Sent::Clearing => Some(None),
            Sent::Cookie(value) => Some(Some(value.as_str())),
        });
        let Some(cookie) = jar.unwrap_or(Some(&began.current)).map(token) else { return Ok(()) };
        // A token that no response contained cannot be in a cookie.
        match left.get(&cookie.session) {
            Some(kept) if kept.token != cookie.token && kept.token < UNSENT => {
                Err("the browser's last cookie does not open its session, but an earlier one does".to_owned())
            }
            _ => Ok(()),
        }
    }
}

fn value(set_cookie: &str) -> String {
    set_cookie.split(';').next().and_then(|pair| pair.split_once('=')).unwrap().1.to_owned()
}

/// Assigns numbers to sessions and tokens.
#[derive(Default)]
struct Numbers {
    cookies: Vec<(String, Token)>,
    keys: Vec<String>,
    tokens: Vec<[u8; 32]>,
}

impl Numbers {
    fn token(&mut self, keys: &[Keys; 2], value: &str) -> Token {
        if let Some((_, token)) = self.cookies.iter().find(|(known, _)| known == value) {
            return *token;
        }
        let open = |secret: usize| keys[secret].open(value.as_bytes()).ok().map(|(id, _)| (secret, id));
        let (secret, id) = open(0).or_else(|| open(1)).expect("a cookie is sealed");
        let (session, token) = (place(&mut self.keys, id.key()), place(&mut self.tokens, id.token_hash()));
        let token = Token { session, token, is_new_secret: secret == 1 };
        self.cookies.push((value.to_owned(), token));
        token
    }
}

fn place<T: PartialEq>(known: &mut Vec<T>, one: T) -> usize {
    known.iter().position(|other| *other == one).unwrap_or_else(|| {
        known.push(one);
        known.len() - 1
    })
}
