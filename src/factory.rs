//! Options → factory; the request's cookies → session.

use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::cookie::{self, Attributes, Template};
use crate::error::Error;
use crate::format::{self, Format};
use crate::load::{LoadResult, Refusal};
use crate::moment;
use crate::options::{Options, Settings};
use crate::record::{self, NotLoaded, Records, Stored};
use crate::seal;
use crate::serializer::Content;
use crate::session::Session;

/// Opens sessions, all with the same options. Cheap to clone, and made to be shared between threads.
///
/// Pyramid's session factory: `SignedCookieSessionFactory(secret, …)`.
#[derive(Clone)]
pub struct Factory(Arc<Config>);

/// What the sessions of a factory have in common.
pub(crate) struct Config {
    pub current: Current,
    /// Other formats that are accepted on opening, in the order in which they are tried.
    pub accepted: Vec<Format>,
    pub cookie: Template,
    pub timeout: Option<u64>,
    pub absolute_timeout: Option<u64>,
    pub reissue_time: Option<u64>,
    pub set_on_exception: bool,
}

/// How sessions are written.
pub(crate) enum Current {
    Cookie(Format),
    Stored(Box<Records>),
}

impl Current {
    pub fn records(&self) -> Option<&Records> {
        match self {
            Self::Cookie(_) => None,
            Self::Stored(records) => Some(records),
        }
    }
}

impl Factory {
    /// # Errors
    /// [`Error::Option`], naming the option, if a secret is missing, a store cannot be opened, or options contradict
    /// each other.
    pub fn new(options: &Options) -> Result<Self, Error> {
        seal::prepare();
        let settings = options.settings();
        let current = match settings.choice("type") {
            Some("store") => Current::Stored(Box::new(records(options)?)),
            _ if settings.said("store").is_some() => {
                return Err(settings.refuse("", "type", "store where the option store is set"));
            }
            _ => Current::Cookie(Format::current(options)?),
        };
        check_times(settings)?;
        let accepted = options.accepted().map(|(name, settings)| Format::new(name, settings));
        Ok(Self(Arc::new(Config {
            current,
            accepted: accepted.collect::<Result<_, _>>()?,
            cookie: Template::new(Attributes::new(settings)?),
            timeout: settings.seconds("timeout"),
            absolute_timeout: settings.seconds("absolute_timeout"),
            reissue_time: settings.seconds("reissue_time"),
            set_on_exception: settings.is_on("set_on_exception"),
        })))
    }

    /// The session of a request, from the value of its `Cookie` header (empty: it has none). A cookie that is bad
    /// gives a new and empty session, and [`Session::load_result`] says why.
    ///
    /// # Errors
    /// [`Error::Store`] if the session's store fails, unless the option `store_on_error` is `empty`.
    pub fn open(&self, cookie_header: &[u8]) -> Result<Session, Error> {
        self.opened(cookie_header, moment::now(), Duration::MAX)
    }

    /// Opens a session and waits for its store for at most `limit`, and never longer than `store_timeout`.
    ///
    /// # Errors
    /// As [`Factory::open`].
    pub fn open_within(&self, cookie_header: &[u8], limit: Duration) -> Result<Session, Error> {
        self.opened(cookie_header, moment::now(), limit)
    }

    /// Opens a session as if the current time were `now`, in seconds since the Unix epoch. Use it in tests and replays.
    ///
    /// # Errors
    /// As [`Factory::open`]; [`Error::Now`] if the time is not from 1970 to 9999.
    pub fn open_at(&self, cookie_header: &[u8], now: f64) -> Result<Session, Error> {
        self.opened(cookie_header, moment::given(now)?, Duration::MAX)
    }

    #[inline]
    fn opened(&self, cookie_header: &[u8], now: f64, limit: Duration) -> Result<Session, Error> {
        let mut session = self.begin(now);
        self.load(&mut session, cookie_header, limit)?;
        Ok(session)
    }

    /// A new and empty session, to be kept where it stays: it is large to move.
    #[inline]
    pub(crate) fn begin(&self, now: f64) -> Session {
        Session::new(self.0.clone(), now)
    }

    /// Loads the session of a `Cookie` header into a new session. If that fails, the session must not be used.
    pub(crate) fn load(&self, session: &mut Session, cookie_header: &[u8], limit: Duration) -> Result<(), Error> {
        // One for all cookies of the name.
        let deadline = self.records().map(|records| records.deadline_within(limit));
        let mut refusal: Option<Refusal> = None;
        for value in cookie::candidates(cookie_header, &self.0.cookie.name) {
            session.was_sent();
            match self.0.open(value, session, deadline)? {
                Ok(()) => return Ok(()),
                Err(this) => {
                    // It verifies, so it is the one: an older cookie must not take its place.
                    let is_the_one = matches!(this.result, LoadResult::Unsupported | LoadResult::StoreError);
                    refusal = Some(this.unless(refusal));
                    if is_the_one {
                        break;
                    }
                }
            }
        }
        match refusal {
            Some(refusal) => session.was_refused(refusal),
            None if cookie::has_any(cookie_header) => session.was_refused(Refusal::none()),
            None => {}
        }
        Ok(())
    }

    pub(crate) fn records(&self) -> Option<&Records> {
        self.0.current.records()
    }
}

impl Config {
    /// Makes `session` the one in a cookie's value, by the first format that verifies and reads it. Only a store makes
    /// it fail; `deadline` is when it must have answered.
    #[inline]
    fn open(
        &self,
        value: &[u8],
        session: &mut Session,
        deadline: Option<Instant>,
    ) -> Result<Result<(), Refusal>, Error> {
        let opened = match &self.current {
            Current::Cookie(format) => self.open_cookie(format, value, session),
            Current::Stored(records) => self.open_stored(records, value, session, deadline)?,
        };
        let Err(mut refusal) = opened else { return Ok(Ok(())) };
        if refusal.result == LoadResult::Expired {
            return Ok(Err(refusal));
        }
        for (index, format) in self.accepted.iter().enumerate() {
            match self.open_cookie(format, value, session) {
                Ok(()) => {
                    session.came_in(index);
                    return Ok(Ok(()));
                }
                Err(this) if this.result == LoadResult::Expired => return Ok(Err(this)),
                Err(this) => refusal = this.unless(Some(refusal)),
            }
        }
        Ok(Err(refusal))
    }

    #[inline]
    fn open_cookie(&self, format: &Format, value: &[u8], session: &mut Session) -> Result<(), Refusal> {
        let (buffer, unsealed) = format.unseal(value)?;
        // Matched in place: a content is large to move.
        match format.serializer.loads(buffer, unsealed.payload) {
            Ok(content) => {
                self.check_age(&content, None, session)?;
                session.was_found(content, loaded(unsealed.previous_secret));
                Ok(())
            }
            Err(refusal) => Err(refusal.of_genuine()),
        }
    }

    // Kept out of line so that the cookie path does not pay for this function's large stack frame.
    #[inline(never)]
    fn open_stored(
        &self,
        records: &Records,
        value: &[u8],
        session: &mut Session,
        deadline: Option<Instant>,
    ) -> Result<Result<(), Refusal>, Error> {
        let (id, previous_secret) = match records.layout.open(value) {
            Ok(opened) => opened,
            Err(refusal) => return Ok(Err(refusal)),
        };
        let deadline = deadline.unwrap_or_else(|| records.deadline());
        match records.load(&id, session.now(), deadline) {
            Ok(loaded) => Ok(self.check_age(&loaded.content, loaded.timeout, session).map(|()| {
                let (stored, content) = Stored::opened(records, id, loaded);
                let is_misnamed = stored.is_misnamed(records);
                session.was_found(content, self::loaded(previous_secret));
                session.is_stored(stored, is_misnamed);
            })),
            Err(NotLoaded::Missing(refusal)) => Ok(Err(refusal)),
            Err(NotLoaded::Refused(refusal)) => {
                session.could_not_open(id);
                Ok(Err(refusal.of_genuine()))
            }
            Err(NotLoaded::Failed(error)) if records.settings.empty_on_error => {
                session.could_not_open(id);
                Ok(Err(Refusal::new(LoadResult::StoreError, error.to_string())))
            }
            Err(NotLoaded::Failed(error)) => Err(error),
        }
    }

    /// `timeout` is the session's own, in seconds, if it has one.
    #[inline]
    fn check_age(&self, content: &Content, timeout: Option<f64>, session: &Session) -> Result<(), Refusal> {
        let older = |since: f64, timeout: Option<f64>| timeout.filter(|timeout| session.now() - since > *timeout);
        let absolute = self.absolute_timeout.map(|timeout| timeout as f64);
        let timeout = timeout.or(self.timeout.map(|timeout| timeout as f64));
        let reason = if let Some(timeout) = older(content.renewed.seconds, timeout) {
            format!("the session was idle for longer than {timeout} seconds")
        } else if let Some(timeout) = older(content.created.seconds, absolute) {
            format!("the session began more than {timeout} seconds ago")
        } else {
            return Ok(());
        };
        Err(Refusal::new(LoadResult::Expired, reason))
    }
}

fn loaded(previous_secret: bool) -> LoadResult {
    if previous_secret { LoadResult::LoadedPreviousSecret } else { LoadResult::Loaded }
}

fn records(options: &Options) -> Result<Records, Error> {
    let settings = options.settings();
    let limit = settings.duration("store_timeout", Duration::from_secs(1));
    let (store, layout) = format::stored(options, limit)?;
    let grace = settings.seconds("regenerate_grace").filter(|_| layout.has_header());
    let settings = record::Settings {
        limit,
        empty_on_error: settings.choice("store_on_error") == Some("empty"),
        grace: Duration::from_secs(grace.unwrap_or_default()),
        absolute_timeout: settings.seconds("absolute_timeout"),
    };
    Ok(Records::new(store, layout, settings))
}

/// A session that is only read must be renewed before it expires.
fn check_times(settings: &Settings) -> Result<(), Error> {
    match (settings.seconds("reissue_time"), settings.seconds("timeout")) {
        // With 0, which renews at once, a session expires only because the timeout is 0.
        (Some(reissue_time @ 1..), Some(timeout)) if reissue_time >= timeout => {
            let allowed = format!("less than timeout, which is {timeout} (else a visitor who only reads expires)");
            Err(settings.refuse("", "reissue_time", &allowed))
        }
        _ => Ok(()),
    }
}
