use crate::json::Fault;

/// Why a call failed. The session is as it was before the call.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// An option's name or value, or how options go together.
    #[error("{0}")]
    Option(String),
    /// A time that is not one.
    #[error("now must be a number of seconds since 1970, from 0 to 253402300799 (the year 9999)")]
    Now,
    /// A text that is not one JSON value, or is nested deeper than 500 levels.
    #[error("the value is not JSON: {0}")]
    Json(#[from] Fault),
    /// An update from something other than an object.
    #[error("update takes a JSON object, not {0}")]
    NotAnObject(&'static str),
    /// A key that UTF-8 cannot write.
    #[error("a key holds a lone surrogate, which UTF-8 cannot write")]
    LoneSurrogate,
    /// A typed read of a value of another type.
    #[error("the key {key:?} holds {found}, not {wanted}")]
    Type {
        /// The key that was read.
        key: String,
        /// What it holds.
        found: &'static str,
        /// What was asked for.
        wanted: &'static str,
    },
    /// A number that does not fit.
    #[error("{0}")]
    Range(String),
    /// A cookie that browsers would drop. Delete a key and commit again.
    #[error(
        "the cookie's value would be {length} bytes, and the limit is {limit} (4064 for the value; 4096 together with \
         the name, which has {name}): take something out of the session"
    )]
    TooLarge {
        /// Bytes that the cookie's value would have.
        length: usize,
        /// Bytes that the value may have beside this name.
        limit: usize,
        /// Bytes of the cookie's name.
        name: usize,
    },
    /// A commit that would overwrite a session which its writer can still read.
    #[error(
        "cannot save: the browser's session is valid but could not be read here ({0}). Call invalidate first to replace it."
    )]
    Unsupported(String),
    /// A serializer of the caller's own cannot write the session.
    #[error("the session could not be written: {0}")]
    Serializer(String),
    /// What only sessions in a store have.
    #[error("only sessions in a store (type=store), in khufu's own format, have subjects")]
    NoStore,
    /// The store failed, or took too long.
    #[error("the session store failed: {0}")]
    Store(String),
    /// Other requests kept changing the session until the time was up: commit again. If that does not help, open the session anew.
    #[error("other requests kept changing this session until store_timeout; commit again")]
    Conflict,
    /// Another request has ended the session or given it a new id. The data here can still be read.
    #[error("another request has ended the session or given it a new id: send no cookie")]
    Gone,
    /// The system's source of random bytes failed.
    #[error("the system gave no random bytes: {0}")]
    Random(String),
}

impl Error {
    /// Why a JSON text is not set. Where the text is JSON but holds a number that Python does not read back, the error
    /// names the key.
    pub(crate) fn refused(key: &str, fault: Fault) -> Self {
        match fault.is_out_of_range() {
            true => Self::Range(format!("cannot set the key {key:?}: {fault}; set it as a string")),
            false => Self::Json(fault),
        }
    }
}

impl From<getrandom::Error> for Error {
    fn from(error: getrandom::Error) -> Self {
        Self::Random(error.to_string())
    }
}
