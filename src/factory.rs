//! Makes a factory from its options: the store, the layout of records, the formats of cookies, and what sessions share.

use std::sync::Arc;

use crate::config::{Config, CustomParts, FormatConfig, Library, Lifetime, SerializerName, SessionType, StoreConfig};
use crate::cookie::Template;
use crate::cookie::format::Format;
use crate::cookie::seal::{self, Encrypted, Seal, Signed};
use crate::error::Error;
use crate::libraries;
use crate::options::Options;
use crate::payload;
use crate::payload::custom::CustomSerializer;
use crate::payload::json::Json;
use crate::payload::pickle::Pickle;
use crate::payload::serializer::Serializer;
use crate::record::id::Keys;
use crate::record::khufu::KhufuLayout;
use crate::record::layout::Layout;
use crate::record::{Records, Settings};
use crate::session::shared::{Current, Shared};
use crate::session::{OpenOptions, Sent, Session};
use crate::store::Driver;
use crate::store::custom::{self, CustomDriver};
use crate::subject::Subject;

/// Opens sessions, all with the same options. It is Pyramid's session factory: `SignedCookieSessionFactory(secret,
/// ...)`.
///
/// Make one factory when the application starts, and use it on all threads. Cloning it is cheap.
///
/// ```
/// use khufu::{Factory, Options, Outcome};
///
/// let factory = Factory::new(&Options::new().secret("itsaseekreet").httponly(true).timeout(3600))?;
///
/// // For each request: open, use, commit.
/// let mut session = factory.open(b"session=...; theme=dark")?;
/// let visits = session.increment("visits", 1)?;
/// for set_cookie in session.commit(Outcome::Response)? {
///     println!("Set-Cookie: {set_cookie}");
/// }
/// # assert_eq!(visits, 1);
/// # Ok::<(), khufu::Error>(())
/// ```
#[derive(Clone)]
pub struct Factory(Arc<Shared>);

/// A store and a serializer that the application provides itself, for [`Factory::with_custom`]. The examples of
/// [`Store`](crate::Store) and [`Serializer`](crate::Serializer) show their use.
#[derive(Clone, Default)]
pub struct Custom {
    pub(crate) store: Option<Arc<dyn Driver>>,
    pub(crate) serializer: Option<Arc<dyn Serializer>>,
}

impl Custom {
    /// No custom store and no custom serializer.
    pub fn new() -> Self {
        Self::default()
    }

    /// Keeps sessions in this store. The option `type` then has the default `store`.
    pub fn store(self, store: impl custom::Store + 'static) -> Self {
        Self { store: Some(Arc::new(CustomDriver(store))), ..self }
    }

    /// Reads and writes payloads with this serializer. The option `serializer` is ignored, except for accepted formats.
    pub fn serializer(self, serializer: impl payload::custom::Serializer + 'static) -> Self {
        Self { serializer: Some(Arc::new(CustomSerializer(serializer))), ..self }
    }
}

impl Factory {
    /// Makes a factory.
    ///
    /// # Errors
    /// [`Error::Option`] if a secret is missing, if a store cannot be opened, or if options are wrong or contradict
    /// each other. The message contains the option's name.
    pub fn new(options: &Options) -> Result<Self, Error> {
        Self::with_custom(options, Custom::default())
    }

    /// Checks options without making a factory: the store is not opened, and a SQLite file is not created.
    ///
    /// ```
    /// # use khufu::{Factory, Options};
    /// assert!(Factory::check(&Options::new().secret("itsaseekreet").with("samesite", "None")).is_err());
    /// ```
    ///
    /// # Errors
    /// As [`Factory::new`], except for a store that cannot be opened.
    pub fn check(options: &Options) -> Result<(), Error> {
        Config::new(options, CustomParts { store: false, serializer: false }).map(drop)
    }

    /// Makes a factory with a store or a serializer that the application provides itself.
    ///
    /// # Errors
    /// As [`Factory::new`].
    pub fn with_custom(options: &Options, custom: Custom) -> Result<Self, Error> {
        seal::prepare();
        let parts = CustomParts { store: custom.store.is_some(), serializer: custom.serializer.is_some() };
        let Config { current, accepted, store, cookie, lifetime, set_on_exception } = Config::new(options, parts)?;
        let current = match current.session_type {
            SessionType::Store => Current::Stored(Box::new(records(current, store, lifetime, custom)?)),
            _ => Current::Cookie(format(current, custom.serializer)),
        };
        let accepted = accepted.into_iter().map(|config| format(config, None)).collect();
        let cookie = Template::new(cookie);
        Ok(Self(Arc::new(Shared { current, accepted, cookie, lifetime, set_on_exception })))
    }

    /// Opens the session of a request. `cookie_header` is the value of the request's `Cookie` header; it is empty if
    /// the request has no such header. If the session's cookie is bad, the session is new and empty, and
    /// [`Session::load_result`] gives the reason.
    ///
    /// # Errors
    /// [`Error::Store`] if the store fails, unless the option `store_on_error` is `empty`.
    #[inline]
    pub fn open(&self, cookie_header: &[u8]) -> Result<Session, Error> {
        self.open_with(cookie_header, &OpenOptions::new())
    }

    /// Opens the session of a request with options: at a given time, with a time limit, or passively. `cookie_header`
    /// is the value of the request's `Cookie` header.
    ///
    /// # Errors
    /// As [`Factory::open`], and [`Error::Now`] if the time is not between the years 1970 and 9999.
    #[inline]
    pub fn open_with(&self, cookie_header: &[u8], options: &OpenOptions) -> Result<Session, Error> {
        self.open_sent(Sent::Header(cookie_header), options)
    }

    /// Opens a session from the value of its cookie, if the client sent the value in another way than in a `Cookie`
    /// header, for example in a message. [`Session::value`] returns such a value.
    ///
    /// ```
    /// # use khufu::{Factory, OpenOptions, Options, Outcome};
    /// # let factory = Factory::new(&Options::new().secret("itsaseekreet"))?;
    /// let mut session = factory.open(b"")?;
    /// session.set("user", "zoe")?;
    /// session.commit(Outcome::Response)?;
    /// let value = session.value()?.expect("the session was committed");
    ///
    /// let mut session = factory.open_value(value.as_bytes(), &OpenOptions::new())?;
    /// assert_eq!(session.get("user")?, Some("zoe"));
    /// # Ok::<(), khufu::Error>(())
    /// ```
    ///
    /// # Errors
    /// As [`Factory::open_with`].
    pub fn open_value(&self, value: &[u8], options: &OpenOptions) -> Result<Session, Error> {
        self.open_sent(Sent::Value(value), options)
    }

    #[inline]
    pub(crate) fn open_sent(&self, sent: Sent<'_>, options: &OpenOptions) -> Result<Session, Error> {
        Session::open(&self.0, sent, options)
    }

    /// True if opening or committing a session may wait, for a server, a disk or a custom store. False for sessions in
    /// cookies and in `memory:`. Call those that may wait outside the threads of an async runtime.
    ///
    /// ```
    /// # use khufu::{Factory, Options};
    /// let factory = Factory::new(&Options::new().secret("itsaseekreet").store("memory:"))?;
    /// assert!(!factory.may_wait());
    /// # Ok::<(), khufu::Error>(())
    /// ```
    pub fn may_wait(&self) -> bool {
        self.0.current.records().is_some_and(|records| records.store.may_wait())
    }

    /// All sessions of one user: those for which [`Session::set_subject`] set this subject.
    ///
    /// # Errors
    /// [`Error::NoStore`] if sessions are in cookies, or if the store or the library keeps no subjects.
    pub fn subject(&self, subject: &str) -> Result<Subject<'_>, Error> {
        let records = self.0.current.records().filter(|records| records.keeps_subjects());
        Ok(Subject::new(records.ok_or(Error::NoStore)?, subject))
    }
}

fn records(format: FormatConfig, store: StoreConfig, lifetime: Lifetime, custom: Custom) -> Result<Records, Error> {
    let settings = Settings {
        limit: store.location.timeout,
        empty_on_error: store.empty_on_error,
        grace: store.grace,
        absolute_timeout: lifetime.absolute_timeout,
    };
    let (driver, layout): (_, Box<dyn Layout>) = match libraries::layout(&format, lifetime.timeout) {
        Some(layout) => (store.location.open_shared(format.library.name())?, layout),
        None => {
            let driver = match custom.store {
                Some(store) => store,
                None => store.location.open()?,
            };
            let serializer = custom.serializer.unwrap_or_else(|| serializer(format.serializer));
            let keys = Keys::new(&format.secrets);
            (driver, Box::new(KhufuLayout { keys, serializer, timeout: lifetime.timeout }))
        }
    };
    Ok(Records::new(driver, layout, settings))
}

fn format(config: FormatConfig, custom: Option<Arc<dyn Serializer>>) -> Format {
    if config.library == Library::Beaker {
        return libraries::beaker_cookie(config);
    }
    let seal: Box<dyn Seal> = match config.session_type {
        SessionType::EncryptedCookie => Box::new(Encrypted::new(&config.secrets)),
        _ => Box::new(Signed::new(config.hashalg, &config.secrets)),
    };
    Format { name: config.name, seal, serializer: custom.unwrap_or_else(|| serializer(config.serializer)) }
}

fn serializer(name: SerializerName) -> Arc<dyn Serializer> {
    match name {
        SerializerName::Json => Arc::new(Json),
        SerializerName::Pickle => Arc::new(Pickle),
    }
}
