//! The options of a factory. [`TABLE`] lists them; [`Options`] are the values that an application has set.

mod builder;
mod file;
mod kind;
mod settings;
mod table;

use crate::error::Error;
use settings::{ACCEPT, find, unknown};

pub use kind::Kind;
pub(crate) use kind::MOST_SECONDS;
pub(crate) use settings::{Settings, full_name};
pub use table::{OptionRow, TABLE};

/// The options of a factory. There are builder methods for the usual ones; [`Options::with`] and [`Options::set`] set
/// every option by its name. [`TABLE`] lists the names, the accepted values and the defaults. Values are zeroed when
/// dropped.
///
/// ```
/// use khufu::{Factory, Options};
///
/// let options = Options::new().secret("itsaseekreet").timeout(3600).with("hashalg", "sha256");
/// let factory = Factory::new(&options)?;
/// # Ok::<(), khufu::Error>(())
/// ```
#[derive(Default)]
pub struct Options {
    settings: Settings,
    /// The accepted formats' options by name, in the order in which the names were first used.
    accepted: Vec<(String, Settings)>,
    /// The first error of a builder method.
    error: Option<Error>,
}

impl Options {
    /// Options that are not set: each has its default. A factory needs at least a secret.
    pub fn new() -> Self {
        Self::default()
    }

    /// Sets an option by its name, as a builder method. If the name or the value is wrong,
    /// [`Factory::new`](crate::Factory::new) returns the error.
    ///
    /// ```
    /// # use khufu::{Factory, Options};
    /// let options = Options::new().secret("itsaseekreet").with("timeout", "soon");
    /// assert!(Factory::new(&options).is_err());
    /// ```
    pub fn with(mut self, name: &str, value: &str) -> Self {
        if let Err(error) = self.set(name, value) {
            self.error.get_or_insert(error);
        }
        self
    }

    /// Sets an option by its name. An empty value unsets it. Options that always need a value, such as switches and the
    /// cookie's name, then have their default.
    ///
    /// ```
    /// # use khufu::{Factory, Options};
    /// let mut options = Options::new();
    /// options.set("secret", "itsaseekreet")?.set("timeout", "3600")?;
    /// // Also open the cookies that a Pyramid 1 application writes.
    /// options.set("accept.pyramid1.serializer", "pickle")?.set("accept.pyramid1.secret", "itsaseekreet")?;
    /// let error = options.set("timeout", "soon").err().unwrap();
    /// assert!(error.to_string().starts_with("the option timeout must be whole seconds"));
    /// let factory = Factory::new(&options)?;
    /// # Ok::<(), khufu::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`Error::Option`] if there is no such option, or if the option does not accept the value. The options are
    /// unchanged then.
    pub fn set(&mut self, name: &str, value: &str) -> Result<&mut Self, Error> {
        let Some(rest) = name.strip_prefix(ACCEPT) else {
            let row = find(name, |_| true).ok_or_else(|| unknown(name))?;
            self.settings.set(name, row, value)?;
            return Ok(self);
        };
        let (format, option) = rest.rsplit_once('.').ok_or_else(|| unknown(name))?;
        let is_label = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '-';
        if format.is_empty() || !format.chars().all(is_label) {
            return Err(Error::Option(format!(
                "there is no option {name:?}; NAME in accept.NAME.OPTION must be letters, digits, _ and -"
            )));
        }
        let row = find(option, |row| row.of_format).ok_or_else(|| unknown(name))?;
        let known = self.accepted.iter().position(|(known, _)| known == format);
        let mut settings = Settings::default();
        known.map_or(&mut settings, |index| &mut self.accepted[index].1).set(name, row, value)?;
        if known.is_none() {
            self.accepted.push((format.to_owned(), settings));
        }
        Ok(self)
    }

    /// The values that were set for an option, in the order in which they were set. An option that was not set has
    /// none, even if it has a default.
    ///
    /// ```
    /// # use khufu::Options;
    /// let options = Options::new().previous_secret("older").previous_secret("oldest");
    /// assert_eq!(options.values("previous_secret"), ["older", "oldest"]);
    /// assert!(options.values("timeout").is_empty());
    /// ```
    pub fn values(&self, name: &str) -> Vec<&str> {
        let Some((settings, option)) = self.place(name) else { return Vec::new() };
        settings.all(&[option]).map(|(_, value)| value).filter(|value| !value.is_empty()).collect()
    }

    /// The value of an option that can be set once: the value that was set, or the default. `None` if it is unset. A word
    /// such as `store` is in the spelling of [`TABLE`], and a switch is `true` or `false`.
    ///
    /// ```
    /// # use khufu::Options;
    /// let options = Options::new().with("type", "Store");
    /// assert_eq!(options.get("type")?, Some("store"));
    /// assert_eq!(options.get("timeout")?, Some("1200"));
    /// assert_eq!(options.get("domain")?, None);
    /// # Ok::<(), khufu::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`Error::Option`] if there is no such option, or if it is a secret. [`Options::values`] gives secrets.
    pub fn get(&self, name: &str) -> Result<Option<&str>, Error> {
        let (settings, option) = self.place(name).ok_or_else(|| unknown(name))?;
        let row = find(option, |row| row.of_format || option == name).ok_or_else(|| unknown(name))?;
        match row.kind {
            kind if kind.is_secret() => Err(Error::Option(format!("the option {name} is a secret: it cannot be read"))),
            Kind::Choice(_) => Ok(settings.choice(row.name)),
            Kind::Switch => Ok(Some(if settings.is_on(row.name) { "true" } else { "false" })),
            _ => Ok(settings.get(row.name)),
        }
    }

    /// The settings that an option's name belongs to, and its name there. `None` for an accepted format that was not set.
    fn place<'n>(&self, name: &'n str) -> Option<(&Settings, &'n str)> {
        let Some((format, option)) = name.strip_prefix(ACCEPT).and_then(|rest| rest.rsplit_once('.')) else {
            return Some((&self.settings, name));
        };
        let (_, settings) = self.accepted().find(|(known, _)| *known == format)?;
        Some((settings, option))
    }

    /// The names of the accepted formats, in the order in which they are tried.
    ///
    /// ```
    /// # use khufu::Options;
    /// let options = Options::new().with("accept.pyramid1.secret", "itsaseekreet");
    /// assert_eq!(options.formats().collect::<Vec<_>>(), ["pyramid1"]);
    /// ```
    pub fn formats(&self) -> impl Iterator<Item = &str> {
        self.accepted().map(|(name, _)| name)
    }

    /// The row of an option, or of an accepted format's option.
    fn row(name: &str) -> Option<&'static OptionRow> {
        let option =
            name.strip_prefix(ACCEPT).and_then(|rest| rest.rsplit_once('.')).map_or(name, |(_, option)| option);
        find(option, |_| true)
    }

    /// The first error of a builder method.
    pub(crate) fn error(&self) -> Option<&Error> {
        self.error.as_ref()
    }

    pub(crate) fn settings(&self) -> &Settings {
        &self.settings
    }

    pub(crate) fn accepted(&self) -> impl Iterator<Item = (&str, &Settings)> {
        self.accepted.iter().map(|(name, settings)| (&**name, settings))
    }
}
