use std::borrow::Cow;
use std::fmt;

/// How the request's session cookie was opened. The numbers are those of the C ABI and are never reused.
///
/// ```
/// use khufu::{Factory, LoadResult, Options};
///
/// let factory = Factory::new(&Options::new().secret("itsaseekreet"))?;
/// assert_eq!(factory.open(b"other=1")?.load_result(), LoadResult::None);
/// let session = factory.open(b"session=forged")?;
/// assert_eq!(session.load_result(), LoadResult::Malformed);
/// println!("{}: {}", session.load_result(), session.refusal().unwrap_or_default());
/// # Ok::<(), khufu::Error>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[repr(i32)]
#[non_exhaustive]
pub enum LoadResult {
    /// The request had no cookie with the session cookie's name. The session is new.
    None = 0,
    /// The browser's session was opened.
    Loaded = 1,
    /// The browser's session was opened with a previous secret. Commit writes it again with the current secret.
    LoadedPreviousSecret = 2,
    /// The browser's session was opened in another accepted format. Commit writes it again in the current format.
    LoadedOtherFormat = 3,
    /// The browser's session was not used for longer than `timeout`, or is older than `absolute_timeout`. The session
    /// is new.
    Expired = 4,
    /// The cookie's signature or encryption is wrong. The session is new.
    BadSignature = 5,
    /// The cookie is not base64 or is too short, or its payload is not `[renewed, created, state]`. The session is new.
    Malformed = 6,
    /// The cookie is genuine, but contains something that this library cannot represent. The session is new, and commit
    /// refuses to overwrite the browser's session.
    Unsupported = 7,
    /// The store has no session with the cookie's id: it has expired, it was ended, or it has a new id. The session is
    /// new.
    Missing = 8,
    /// The store failed, and `store_on_error` is `empty`. The session is new, and commit refuses to overwrite the
    /// browser's session.
    StoreError = 9,
}

impl LoadResult {
    /// The name in the documentation, for example `loaded_previous_secret`.
    pub fn name(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Loaded => "loaded",
            Self::LoadedPreviousSecret => "loaded_previous_secret",
            Self::LoadedOtherFormat => "loaded_other_format",
            Self::Expired => "expired",
            Self::BadSignature => "bad_signature",
            Self::Malformed => "malformed",
            Self::Unsupported => "unsupported",
            Self::Missing => "missing",
            Self::StoreError => "store_error",
        }
    }
}

impl fmt::Display for LoadResult {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.name())
    }
}

/// The reason why a cookie was not opened.
#[derive(Debug, Clone)]
pub(crate) struct Refusal {
    pub result: LoadResult,
    pub reason: Cow<'static, str>,
    /// True if the cookie is genuine, and only its content could not be read.
    genuine: bool,
}

impl Refusal {
    pub fn new(result: LoadResult, reason: impl Into<Cow<'static, str>>) -> Self {
        Self { result, reason: reason.into(), genuine: false }
    }

    pub fn malformed(reason: impl Into<Cow<'static, str>>) -> Self {
        Self::new(LoadResult::Malformed, reason)
    }

    pub fn bad_signature(reason: &'static str) -> Self {
        Self::new(LoadResult::BadSignature, reason)
    }

    pub fn unsupported(reason: impl Into<Cow<'static, str>>) -> Self {
        Self::new(LoadResult::Unsupported, reason)
    }

    /// The request has cookies, but they have other names.
    pub fn none() -> Self {
        Self::new(LoadResult::None, "the request has cookies, but none with the name in the option cookie_name")
    }

    /// The id is genuine, but there is no such session.
    pub fn missing() -> Self {
        Self::new(LoadResult::Missing, "the store has no session with the cookie's id: it has expired or was ended")
    }

    /// The id is genuine, and the store knows that the session expired recently.
    pub fn missing_expired() -> Self {
        Self::new(LoadResult::Missing, "the session expired, and the store removed its record")
    }

    /// The id is genuine, but the session now has another id.
    pub fn replaced() -> Self {
        Self::new(LoadResult::Missing, "the session has a new id, and the old id no longer opens it")
    }

    /// Marks the refused cookie as genuine.
    pub fn mark_genuine(self) -> Self {
        Self { genuine: true, ..self }
    }

    /// Returns this refusal or an earlier one, whichever gives more information.
    pub fn more_informative(self, earlier: Option<Self>) -> Self {
        earlier.filter(|earlier| earlier.weight() >= self.weight()).unwrap_or(self)
    }

    /// How much information a refusal gives. If there are several, the one with the largest weight is reported.
    fn weight(&self) -> u8 {
        match self.result {
            LoadResult::StoreError => 7,
            LoadResult::Unsupported => 6,
            LoadResult::Expired => 5,
            LoadResult::Missing => 4,
            LoadResult::Malformed if self.genuine => 3,
            LoadResult::BadSignature => 2,
            LoadResult::Malformed => 1,
            _ => 0,
        }
    }
}
