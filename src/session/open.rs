//! Opening: makes a session from the request's cookies.

use std::borrow::Cow;
use std::time::{Duration, Instant};

use crate::cookie;
use crate::cookie::format::Format;
use crate::cookie::seal::Unsealed;
use crate::error::Error;
use crate::load::{LoadResult, Refusal};
use crate::payload::moment::{self, Moment};
use crate::payload::serializer::Content;
use crate::payload::state::State;
use crate::record::id::Id;
use crate::record::{NotLoaded, Records, Stored};
use crate::session::shared::{Current, Shared};
use crate::session::status::Origin;

/// Options for opening a session with [`Factory::open_with`](crate::Factory::open_with): the time, a time limit, and
/// passive opening.
///
/// ```
/// # use khufu::{Factory, OpenOptions, Options};
/// # let factory = Factory::new(&Options::new().secret("seekrit"))?;
/// // A page that polls the server must not keep the session alive.
/// let session = factory.open_with(b"session=...", &OpenOptions::new().passive())?;
/// # Ok::<(), khufu::Error>(())
/// ```
#[derive(Clone, Copy, Debug, Default)]
pub struct OpenOptions {
    now: Option<f64>,
    limit: Option<Duration>,
    pub(super) is_passive: bool,
}

impl OpenOptions {
    /// The defaults: opens a session at the current time, and waits for the store for at most `store_timeout`.
    pub fn new() -> Self {
        Self::default()
    }

    /// Opens the session as if the current time were `now`, in seconds since the Unix epoch. Use it in tests and
    /// replays.
    pub fn now(self, now: f64) -> Self {
        Self { now: Some(now), ..self }
    }

    /// Waits for the store for at most `limit`, and never longer than `store_timeout`. If `limit` is 0, opening a
    /// session in a store fails at once.
    pub fn limit(self, limit: Duration) -> Self {
        Self { limit: Some(limit), ..self }
    }

    /// Opens the session passively: reading it neither renews its cookie nor extends its life. Use it for polls and
    /// health checks. The session can still be changed.
    pub fn passive(self) -> Self {
        Self { is_passive: true, ..self }
    }
}

/// The form in which a request carries its session.
#[derive(Clone, Copy)]
pub(crate) enum Sent<'a> {
    /// The value of the `Cookie` header. Empty if there is none.
    Header(&'a [u8]),
    /// The value of the session's cookie, sent in another way.
    Value(&'a [u8]),
}

/// The result of opening a session.
pub(super) struct Opened {
    pub now: f64,
    pub content: Content,
    pub origin: Origin,
    pub result: LoadResult,
    /// The index of the accepted format that opened the session. `None` if the current format did.
    pub format: Option<usize>,
    pub refusal: Option<Cow<'static, str>>,
    /// True if the browser has a cookie of the session's name.
    pub has_cookie: bool,
    pub stored: Option<Box<Stored>>,
}

/// The opening of one request's session.
struct Opening<'a> {
    shared: &'a Shared,
    /// The deadline of the store for all cookies together. `None` if sessions are in cookies.
    deadline: Option<Instant>,
    /// Ids from genuine cookies whose records could not be read.
    unreadable: Vec<Id>,
    /// A new session, until a cookie is found to carry one. It is filled in place because it is large to move.
    opened: Opened,
}

/// Opens the session of a request.
///
/// # Errors
/// [`Error::Now`] if the time is out of range; [`Error::Store`] if the store fails.
#[inline(always)]
pub(super) fn open(shared: &Shared, sent: Sent<'_>, options: &OpenOptions) -> Result<Opened, Error> {
    let now = match options.now {
        Some(now) => moment::checked(now)?,
        None => moment::now(),
    };
    let deadline = match shared.current.records() {
        Some(records) => Some(records.deadline_within(options.limit.unwrap_or(Duration::MAX))?),
        None => None,
    };
    let mut opening = Opening { shared, deadline, unreadable: Vec::new(), opened: Opened::new(now) };
    opening.open(sent)?;
    if deadline.is_some() {
        let stored = opening.opened.stored.get_or_insert_default();
        stored.add_unreadable(opening.unreadable);
    }
    Ok(opening.opened)
}

impl Opened {
    /// A new session.
    fn new(now: f64) -> Self {
        let begin = Moment::at(now);
        Self {
            now,
            content: Content { renewed: begin, created: begin, state: State::default() },
            origin: Origin::New,
            result: LoadResult::None,
            format: None,
            refusal: None,
            has_cookie: false,
            stored: None,
        }
    }
}

impl Opening<'_> {
    #[inline(always)]
    fn open(&mut self, sent: Sent<'_>) -> Result<(), Error> {
        let mut refusal = None;
        match sent {
            Sent::Value(value) => match self.value(value)? {
                Ok(()) => return Ok(()),
                Err(this) => refusal = Some(this),
            },
            Sent::Header(header) => {
                for value in cookie::candidates(header, self.shared.cookie.name()) {
                    self.opened.has_cookie = true;
                    match self.value(value)? {
                        Ok(()) => return Ok(()),
                        Err(this) => {
                            let is_genuine = is_genuine_session(this.result);
                            refusal = Some(this.more_informative(refusal));
                            if is_genuine {
                                break; // An older cookie must not replace a session that could not be read.
                            }
                        }
                    }
                }
                if !self.opened.has_cookie && cookie::has_any(header) {
                    refusal = Some(Refusal::none());
                }
            }
        }
        if let Some(refusal) = refusal {
            self.opened.origin = if is_genuine_session(refusal.result) { Origin::Unreadable } else { Origin::New };
            (self.opened.result, self.opened.refusal) = (refusal.result, Some(refusal.reason));
        }
        Ok(())
    }

    /// Opens the session in a cookie's value with the first format that can read it.
    #[inline(always)]
    fn value(&mut self, value: &[u8]) -> Result<Result<(), Refusal>, Error> {
        let shared = self.shared;
        let opened = match &shared.current {
            Current::Cookie(format) => self.cookie(format, None, value),
            Current::Stored(records) => self.record(records, value)?,
        };
        Ok(match opened {
            Err(refusal) if refusal.result != LoadResult::Expired => self.other_format(value, refusal),
            opened => opened,
        })
    }

    /// Opens the session in a cookie's value with the first accepted format that can read it. `refusal` is the current
    /// format's.
    #[cold]
    fn other_format(&mut self, value: &[u8], mut refusal: Refusal) -> Result<(), Refusal> {
        let shared = self.shared;
        for (index, format) in shared.accepted.iter().enumerate() {
            match self.cookie(format, Some(index), value) {
                Err(this) if this.result != LoadResult::Expired => refusal = this.more_informative(Some(refusal)),
                opened => return opened,
            }
        }
        Err(refusal)
    }

    /// Opens the session in a cookie's value with a format. `index` is its index if it is an accepted format.
    #[inline]
    fn cookie(&mut self, format: &Format, index: Option<usize>, value: &[u8]) -> Result<(), Refusal> {
        let (buffer, Unsealed { payload, previous_secret }) = format.unseal(value)?;
        match format.serializer.loads(buffer, payload) {
            Ok(content) => {
                self.check_age(&content, None)?;
                let result = match index {
                    Some(_) => LoadResult::LoadedOtherFormat,
                    None => loaded(previous_secret),
                };
                self.opened.content = content;
                (self.opened.origin, self.opened.result, self.opened.format) = (origin(result), result, index);
                Ok(())
            }
            Err(refusal) => Err(refusal.mark_genuine()),
        }
    }

    /// Opens the session whose id is in a cookie's value.
    // Kept out of line so that the cookie path does not pay for this function's large stack frame.
    #[inline(never)]
    fn record(&mut self, records: &Records, value: &[u8]) -> Result<Result<(), Refusal>, Error> {
        let (id, previous_secret) = match records.layout.open(value) {
            Ok(opened) => opened,
            Err(refusal) => return Ok(Err(refusal)),
        };
        let deadline = self.deadline.unwrap_or_else(|| records.deadline());
        match records.load(&id, self.opened.now, deadline) {
            Ok(record) => Ok(self.check_age(&record.content, record.timeout).map(|()| {
                let (stored, content) = Stored::opened(records, id, record);
                let (result, is_outdated) = (loaded(previous_secret), stored.has_outdated_subject_name(records));
                self.opened.content = content;
                self.opened.result = result;
                self.opened.origin = if is_outdated { Origin::Outdated } else { origin(result) };
                self.opened.stored = Some(Box::new(stored));
            })),
            Err(NotLoaded::Missing(refusal)) => Ok(Err(refusal)),
            Err(NotLoaded::Refused(refusal)) => {
                self.unreadable.push(id);
                Ok(Err(refusal.mark_genuine()))
            }
            Err(NotLoaded::Failed(error)) if records.settings.empty_on_error && error != Error::Pending => {
                self.unreadable.push(id);
                Ok(Err(Refusal::new(LoadResult::StoreError, error.to_string())))
            }
            Err(NotLoaded::Failed(error)) => Err(error),
        }
    }

    /// Refuses a session that has expired. `timeout` is the session's own timeout in seconds, if it has one.
    #[inline]
    fn check_age(&self, content: &Content, timeout: Option<f64>) -> Result<(), Refusal> {
        let lifetime = &self.shared.lifetime;
        let older = |since: f64, timeout: Option<f64>| timeout.filter(|timeout| self.opened.now - since > *timeout);
        let absolute = lifetime.absolute_timeout.map(|timeout| timeout as f64);
        let timeout = timeout.or(lifetime.timeout.map(|timeout| timeout as f64));
        let reason = if let Some(timeout) = older(content.renewed.seconds, timeout) {
            format!("the session was not used for more than {timeout} seconds")
        } else if let Some(timeout) = older(content.created.seconds, absolute) {
            format!("the session began more than {timeout} seconds ago")
        } else {
            return Ok(());
        };
        Err(Refusal::new(LoadResult::Expired, reason))
    }
}

/// True if a refused cookie may still carry a valid session, which must not be overwritten.
fn is_genuine_session(result: LoadResult) -> bool {
    matches!(result, LoadResult::Unsupported | LoadResult::StoreError)
}

fn loaded(previous_secret: bool) -> LoadResult {
    if previous_secret { LoadResult::LoadedPreviousSecret } else { LoadResult::Loaded }
}

fn origin(result: LoadResult) -> Origin {
    if result == LoadResult::Loaded { Origin::Loaded } else { Origin::Outdated }
}
