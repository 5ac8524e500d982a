//! The options of a factory as typed values. After these are made, no option is looked up by its name.

mod choices;
mod format;
mod rules;
mod secrets;

use std::time::Duration;

use crate::cookie::Attributes;
use crate::error::Error;
use crate::options::{Options, Settings};
use crate::store::Location;

pub(crate) use choices::{Library, SerializerName, SessionType};
pub(crate) use format::FormatConfig;

/// All options of a factory.
pub(crate) struct Config {
    /// The format in which sessions are written.
    pub current: FormatConfig,
    /// Formats that are also accepted on opening, in the order in which they are tried.
    pub accepted: Vec<FormatConfig>,
    pub store: StoreConfig,
    pub cookie: Attributes,
    pub lifetime: Lifetime,
    pub set_on_exception: bool,
}

/// The options of a store.
pub(crate) struct StoreConfig {
    pub location: Location,
    /// True if opening gives an empty session instead of an error when the store fails.
    pub empty_on_error: bool,
    /// After a session got a new id, how long the old id can still read the earlier data.
    pub grace: Duration,
}

/// The lifetimes of sessions, in seconds. `None` if a session does not expire, or if reading does not renew it.
#[derive(Clone, Copy)]
pub(crate) struct Lifetime {
    pub timeout: Option<u64>,
    pub absolute_timeout: Option<u64>,
    pub reissue_time: Option<u64>,
}

/// True for each part that the application provides itself.
#[derive(Clone, Copy)]
pub(crate) struct CustomParts {
    pub store: bool,
    pub serializer: bool,
}

impl Config {
    /// Reads the options.
    ///
    /// # Errors
    /// [`Error::Option`] if a secret is missing, or if options contradict each other.
    pub fn new(options: &Options, custom: CustomParts) -> Result<Self, Error> {
        if let Some(error) = options.error() {
            return Err(error.clone());
        }
        let settings = options.settings();
        let session_type = SessionType::of(settings, custom.store)?;
        if session_type != SessionType::Store && settings.is_set("store") {
            return Err(settings.refuse("", "type", "store if the option store is set"));
        }
        let current = FormatConfig::new("", session_type, settings)?;
        check_custom_parts(current.library, custom, settings)?;
        let store = StoreConfig::new(current.library, settings);
        let lifetime = Lifetime {
            timeout: settings.number("timeout"),
            absolute_timeout: settings.number("absolute_timeout"),
            reissue_time: settings.number("reissue_time"),
        };
        lifetime.check(settings)?;
        let accepted = options.accepted().map(|(name, settings)| FormatConfig::accepted(name, settings));
        let accepted = accepted.collect::<Result<_, _>>()?;
        let cookie = attributes(settings)?;
        Ok(Self { current, accepted, store, cookie, lifetime, set_on_exception: settings.is_on("set_on_exception") })
    }
}

impl StoreConfig {
    fn new(library: Library, settings: &Settings) -> Self {
        let is_khufu = library == Library::Khufu;
        // The default prefix is only for khufu's own records.
        let prefix = settings.get("store_prefix").filter(|_| is_khufu || settings.is_set("store_prefix"));
        let grace = settings.number("regenerate_grace").filter(|_| is_khufu);
        Self {
            location: Location {
                url: settings.get("store").unwrap_or_default().to_owned().into(),
                prefix: prefix.unwrap_or_default().to_owned(),
                most_bytes: settings.number("store_max_bytes").and_then(|bytes| bytes.try_into().ok()),
                timeout: settings.duration("store_timeout").unwrap_or_default(),
            },
            empty_on_error: settings.choice("store_on_error") == Some("empty"),
            grace: Duration::from_secs(grace.unwrap_or_default()),
        }
    }
}

impl Lifetime {
    /// Checks that a session that is only read is renewed before it expires.
    fn check(self, settings: &Settings) -> Result<(), Error> {
        match (self.reissue_time, self.timeout) {
            // A reissue_time of 0 renews at once. Such a session expires only if the timeout is 0, too.
            (Some(reissue_time @ 1..), Some(timeout)) if reissue_time >= timeout => {
                let allowed = format!(
                    "less than timeout, which is {timeout} (otherwise the session expires while it is only read)"
                );
                Err(settings.refuse("", "reissue_time", &allowed))
            }
            _ => Ok(()),
        }
    }
}

fn attributes(settings: &Settings) -> Result<Attributes, Error> {
    let attributes = Attributes {
        name: settings.get("cookie_name").unwrap_or_default().to_owned(),
        max_age: settings.number("max_age"),
        // Browsers ignore a leading dot.
        domain: settings.get("domain").map(|domain| domain.strip_prefix('.').unwrap_or(domain).to_owned()),
        path: settings.get("path").map(str::to_owned),
        secure: settings.is_on("secure"),
        httponly: settings.is_on("httponly"),
        samesite: settings.choice("samesite"),
        partitioned: settings.is_on("partitioned"),
    };
    match attributes.broken_rule() {
        Some((option, allowed)) => Err(settings.refuse("", option, &allowed)),
        None => Ok(attributes),
    }
}

/// Refuses a custom store or serializer for other libraries' sessions.
fn check_custom_parts(library: Library, custom: CustomParts, settings: &Settings) -> Result<(), Error> {
    match library {
        Library::Khufu => Ok(()),
        _ if custom.serializer => Err(settings.refuse("", "library", "khufu for a custom serializer")),
        _ if custom.store => Err(settings.refuse("", "library", "khufu for a custom store")),
        _ => Ok(()),
    }
}
