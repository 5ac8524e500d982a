//! Options → factory; the request's cookies → session.

use std::sync::Arc;

use crate::cookie::{self, Attributes, SetCookie};
use crate::error::Error;
use crate::format::Format;
use crate::load::{LoadResult, Refusal};
use crate::moment::Moment;
use crate::options::{Options, Settings};
use crate::serializer::Content;
use crate::session::Session;

/// Opens sessions, all with the same options. Cheap to clone, and made to be shared between threads.
///
/// Pyramid's session factory: `SignedCookieSessionFactory(secret, …)`.
#[derive(Clone)]
pub struct Factory(Arc<Config>);

/// What the sessions of a factory have in common.
pub(crate) struct Config {
    /// The format that is written, then those that are accepted.
    pub formats: Vec<Format>,
    pub cookie: SetCookie,
    pub timeout: Option<u64>,
    pub reissue_time: Option<u64>,
    pub set_on_exception: bool,
}

/// The session that the browser sent.
pub(crate) struct Found {
    pub content: Content,
    pub result: LoadResult,
    /// Of the accepted format, its place in [`Config::formats`].
    pub format: usize,
}

impl Factory {
    /// # Errors
    /// [`Error::Option`], naming the option, if a secret is missing or options contradict each other.
    pub fn new(options: &Options) -> Result<Self, Error> {
        let settings = options.settings();
        let mut formats = vec![Format::new("", settings)?];
        for (name, settings) in options.accepted() {
            formats.push(Format::new(name, settings)?);
        }
        Ok(Self(Arc::new(Config {
            formats,
            cookie: SetCookie::new(attributes(settings)?),
            timeout: settings.seconds("timeout"),
            reissue_time: settings.seconds("reissue_time"),
            set_on_exception: settings.is_on("set_on_exception"),
        })))
    }

    /// The session of a request, from the value of its `Cookie` header (empty: it has none). Always a session: a
    /// cookie that is bad gives a new and empty one, and [`Session::load_result`] says why.
    pub fn open(&self, cookie_header: &[u8]) -> Session {
        self.open_moment(cookie_header, Moment::now())
    }

    /// The same at a time of the caller's, in seconds since the Unix epoch: for tests and replays.
    ///
    /// # Errors
    /// [`Error::Now`] if the time is not from 1970 to 9999.
    pub fn open_at(&self, cookie_header: &[u8], now: f64) -> Result<Session, Error> {
        Ok(self.open_moment(cookie_header, Moment::given(now)?))
    }

    #[inline]
    fn open_moment(&self, cookie_header: &[u8], now: Moment) -> Session {
        let mut sent = false;
        let mut refusal: Option<Refusal> = None;
        for value in cookie::candidates(cookie_header, &self.0.cookie.name) {
            sent = true;
            match self.0.open(value, now.seconds) {
                Ok(found) => return Session::found(self.0.clone(), now, found),
                Err(this) => refusal = Some(this.unless(refusal)),
            }
        }
        Session::fresh(self.0.clone(), now, sent, refusal)
    }
}

impl Config {
    /// The session in a cookie's value, by the first format that verifies and reads it.
    fn open(&self, value: &[u8], now: f64) -> Result<Found, Refusal> {
        let mut refusal: Option<Refusal> = None;
        for (format, tried) in self.formats.iter().enumerate() {
            match tried.open(value) {
                Ok((content, previous_secret)) => {
                    self.check_timeout(&content, now)?;
                    let result = match (format, previous_secret) {
                        (0, false) => LoadResult::Loaded,
                        (0, true) => LoadResult::LoadedPreviousSecret,
                        _ => LoadResult::LoadedOtherFormat,
                    };
                    return Ok(Found { content, result, format });
                }
                Err(this) => refusal = Some(this.unless(refusal)),
            }
        }
        Err(refusal.unwrap_or_else(|| Refusal::malformed("there is no format to read it")))
    }

    fn check_timeout(&self, content: &Content, now: f64) -> Result<(), Refusal> {
        match self.timeout {
            Some(timeout) if now - content.renewed.seconds > timeout as f64 => Err(Refusal {
                result: LoadResult::Expired,
                reason: format!("the session was idle for longer than {timeout} seconds").into(),
            }),
            _ => Ok(()),
        }
    }
}

fn attributes(settings: &Settings) -> Result<Attributes, Error> {
    let attributes = Attributes {
        name: settings.get("cookie_name").unwrap_or_default().to_owned(),
        max_age: settings.seconds("max_age"),
        domain: settings.get("domain").map(str::to_owned),
        path: settings.get("path").map(str::to_owned),
        secure: settings.is_on("secure"),
        httponly: settings.is_on("httponly"),
        samesite: settings.choice("samesite"),
    };
    let Attributes { name, domain, path, secure, samesite, .. } = &attributes;
    let wrong = if *samesite == Some("None") && !secure {
        "the option samesite may be None only where secure is true: browsers drop the cookie otherwise"
    } else if name.starts_with("__Secure-") && !secure {
        "the option secure must be true for a cookie_name that begins with __Secure-"
    } else if name.starts_with("__Host-") && !(*secure && domain.is_none() && path.as_deref() == Some("/")) {
        "a cookie_name that begins with __Host- wants the options secure true, path / and no domain"
    } else {
        return Ok(attributes);
    };
    Err(Error::Option(wrong.to_owned()))
}
