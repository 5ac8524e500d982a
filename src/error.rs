use crate::json::Fault;

/// The reason why a call failed. The session is unchanged then.
///
/// ```
/// use khufu::{Error, Factory, Options, Outcome};
///
/// # let factory = Factory::new(&Options::new().secret("itsaseekreet"))?;
/// # let mut session = factory.open(b"")?;
/// session.set("notes", &"x".repeat(5000))?;
/// if let Err(Error::TooLarge { length, limit, .. }) = session.commit(Outcome::Response) {
///     println!("{length} bytes do not fit in {limit}");
///     session.delete("notes");
/// }
/// session.commit(Outcome::Response)?;
/// # Ok::<(), khufu::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// An option's name or value is wrong, or options contradict each other.
    #[error("{0}")]
    Option(String),
    /// The time is out of range.
    #[error("now must be a number of seconds since 1970, from 0 to 253402300799 (the year 9999)")]
    Now,
    /// The text is not one JSON value, or it is nested deeper than 500 levels.
    #[error("the value is not JSON: {0}")]
    Json(#[from] Fault),
    /// The value of an update is not an object.
    #[error("update takes a JSON object, not {0}")]
    NotAnObject(&'static str),
    /// A key cannot be written in UTF-8.
    #[error("a key holds a lone surrogate, which UTF-8 cannot write")]
    LoneSurrogate,
    /// The value of a key has another type.
    #[error("the key {key:?} holds {found}, not {wanted}")]
    Type {
        /// The key that was read.
        key: String,
        /// The type of its value.
        found: &'static str,
        /// The type that was requested.
        wanted: &'static str,
    },
    /// A number or a length is out of range.
    #[error("{0}")]
    Range(String),
    /// The session has a key that Beaker uses itself, and the option `library` is `beaker`.
    #[error("the library beaker uses the key {0} itself: store the value under another key")]
    Key(&'static str),
    /// Browsers would drop the cookie because it is too large. Delete a key and commit again.
    #[error(
        "the cookie's value would have {length} bytes, but the limit is {limit} (4064 for the value; 4096 with the \
         name, which has {name}): remove something from the session"
    )]
    TooLarge {
        /// The length of the cookie's value, in bytes.
        length: usize,
        /// The most bytes that a value may have in a cookie of this name.
        limit: usize,
        /// The length of the cookie's name, in bytes.
        name: usize,
    },
    /// The commit would overwrite the browser's session, which is valid but could not be read here. Call
    /// [`Session::invalidate`](crate::Session::invalidate) first to replace it.
    #[error(
        "cannot save: the browser's session is valid but could not be read here ({0}). Call invalidate first to replace it."
    )]
    Unsupported(String),
    /// Serde cannot write the value as JSON.
    #[error("the value cannot be written as JSON: {0}")]
    Serialize(String),
    /// The custom serializer cannot write the session.
    #[error("the session could not be written: {0}")]
    Serializer(String),
    /// The session cannot have a subject: it is in a cookie, or the store or the library keeps no subjects.
    #[error("only sessions in a store (type store), in khufu's own format, can have a subject")]
    NoStore,
    /// The store failed, or took too long.
    #[error("the session store failed: {0}")]
    Store(String),
    /// The application's own store has not answered yet. Make the same call again when it has.
    #[error("the session store has not answered yet: make the same call again when it has")]
    Pending,
    /// Other requests kept changing the session until `store_timeout`. Commit again. If that fails too, open the
    /// session again.
    #[error("other requests kept changing this session until store_timeout; commit again")]
    Conflict,
    /// Another request has ended the session or given it a new id. Its data can still be read, but not saved.
    #[error("another request has ended the session or given it a new id: send no cookie")]
    Gone,
    /// The system's source of random bytes failed.
    #[error("the system gave no random bytes: {0}")]
    Random(String),
}

impl Error {
    /// The value of a key has another type than the caller requested.
    pub(crate) fn wrong_type(key: &str, found: &'static str, wanted: &'static str) -> Self {
        Self::Type { key: key.to_owned(), found, wanted }
    }

    /// The error for a JSON text that cannot be set. If the text is JSON but contains a number that Python cannot read,
    /// the error names the key.
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
