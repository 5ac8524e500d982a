use std::borrow::Cow;
use std::fmt;

/// What opening made of the request's cookies. The numbers are those of the C ABI and are never reused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[repr(i32)]
#[non_exhaustive]
pub enum LoadResult {
    /// The request had no cookie of that name.
    None = 0,
    /// The session is the one that the browser sent.
    Loaded = 1,
    /// The same, sealed with a previous secret; commit writes it again with the current one.
    LoadedPreviousSecret = 2,
    /// The same, in another accepted format; commit writes it again in the current one.
    LoadedOtherFormat = 3,
    /// It was idle for longer than `timeout`.
    Expired = 4,
    /// Its signature or encryption is wrong.
    BadSignature = 5,
    /// It is not base64, too short, or its payload is not `[renewed, created, state]`.
    Malformed = 6,
    /// It is genuine, but holds what this library cannot represent.
    Unsupported = 7,
    /// The store has no record of that id: it has expired, was deleted, or never was.
    Missing = 8,
    /// The store could not be reached, and `store_on_error` is `empty`.
    StoreError = 9,
}

impl LoadResult {
    /// The name, as the documentation writes it.
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

/// Why a cookie did not become the session.
#[derive(Debug, Clone)]
pub(crate) struct Refusal {
    pub result: LoadResult,
    pub reason: Cow<'static, str>,
    /// Whether the cookie is genuine, and only what it holds is at fault.
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

    /// The request's cookies have other names.
    pub fn none() -> Self {
        Self::new(LoadResult::None, "the request has cookies, but none with the name in the option cookie_name")
    }

    /// There is no session of a genuine id.
    pub fn missing() -> Self {
        Self::new(LoadResult::Missing, "the store has no session of that id: it expired, or was ended")
    }

    /// The session of a genuine id expired so recently that the store can tell.
    pub fn missing_expired() -> Self {
        Self::new(LoadResult::Missing, "the session expired, and its record in the store with it")
    }

    /// The session of a genuine id has another id now.
    pub fn replaced() -> Self {
        Self::new(LoadResult::Missing, "the session has a new id, and the old one no longer opens it")
    }

    /// The same of a cookie that is genuine.
    pub fn of_genuine(self) -> Self {
        Self { genuine: true, ..self }
    }

    /// The earlier refusal, unless this one tells more.
    pub fn unless(self, earlier: Option<Self>) -> Self {
        earlier.filter(|earlier| earlier.weight() >= self.weight()).unwrap_or(self)
    }

    /// Of several refusals, the one that tells most is reported: how much this one tells.
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
