//! The options that were set for the session or for one accepted format.

use std::time::Duration;

use zeroize::Zeroizing;

use crate::error::Error;
use crate::options::kind::{self, Kind};
use crate::options::table::{OptionRow, TABLE};

/// The prefix of options that describe an accepted format: `accept.NAME.OPTION`.
pub(super) const ACCEPT: &str = "accept.";

/// The attributes that can be set for a single cookie. A cookie with another `path` or `domain` could not be cleared.
const ATTRIBUTES: [&str; 5] = ["max_age", "secure", "httponly", "samesite", "partitioned"];

/// Options with their values. The values are zeroed when dropped.
#[derive(Default)]
pub(crate) struct Settings(Vec<(&'static OptionRow, Zeroizing<String>)>);

/// The row of an option, if `allowed` accepts it.
pub(super) fn find(name: &str, allowed: impl Fn(&OptionRow) -> bool) -> Option<&'static OptionRow> {
    TABLE.iter().find(|row| row.name == name && allowed(row))
}

/// The error for an option that does not exist.
pub(super) fn unknown(name: &str) -> Error {
    let names = |rows: &mut dyn Iterator<Item = &OptionRow>| rows.map(|row| row.name).collect::<Vec<_>>().join(", ");
    Error::Option(match name.starts_with(ACCEPT) {
        true => format!(
            "there is no option {name:?}; the options of an accepted format (accept.NAME.OPTION) are {}",
            names(&mut TABLE.iter().filter(|row| row.of_format))
        ),
        false => {
            format!("there is no option {name:?}; the options are {}, and accept.NAME.OPTION", names(&mut TABLE.iter()))
        }
    })
}

/// The name by which an option is set. `format` is an accepted format's name, or empty.
pub(crate) fn full_name(format: &str, option: &str) -> String {
    if format.is_empty() { option.to_owned() } else { format!("{ACCEPT}{format}.{option}") }
}

/// An error that names an option and its problem, such as "must be true or false". It also shows the value that was
/// given, unless this is a secret or a URL, which may contain one.
fn refusal(name: &str, row: &OptionRow, problem: &str, given: Option<&str>) -> Error {
    // In an INI file, a line that is indented by mistake belongs to the value above it. It may be a secret.
    let given =
        given.filter(|value| !row.kind.is_hidden() && !value.contains('\n')).map(|value| format!(", not {value:?}"));
    Error::Option(format!("the option {name} {problem}{}", given.unwrap_or_default()))
}

impl Settings {
    pub fn set(&mut self, name: &str, row: &'static OptionRow, value: &str) -> Result<(), Error> {
        if let Err(problem) = row.kind.check(value) {
            return Err(refusal(name, row, &problem, Some(value)));
        }
        if !row.repeats {
            self.0.retain(|(set, _)| set.name != row.name);
        }
        if !(value.is_empty() && row.has_default_when_unset()) {
            self.0.push((row, Zeroizing::new(value.to_owned())));
        }
        Ok(())
    }

    /// The settings that contain only one attribute of a cookie.
    ///
    /// # Errors
    /// [`Error::Option`] if there is no such attribute, or if it does not accept the value.
    pub fn attribute(name: &str, value: &str) -> Result<Self, Error> {
        let Some(row) = find(name, |row| ATTRIBUTES.contains(&row.name)) else {
            return Err(Error::Option(format!(
                "there is no attribute {name:?} for a single cookie; the attributes are {}",
                ATTRIBUTES.join(", ")
            )));
        };
        let mut settings = Self::default();
        settings.set(name, row, value)?;
        Ok(settings)
    }

    /// The error for an option whose value does not fit the other options. `allowed` describes the values that do fit.
    /// `format` is an accepted format's name, or empty.
    pub fn refuse(&self, format: &str, option: &str, allowed: &str) -> Error {
        refusal(&full_name(format, option), row(option), &format!("must be {allowed}"), self.get(option))
    }

    /// An option's value: the value that was set, or the default. `None` if it is unset.
    pub fn get(&self, option: &str) -> Option<&str> {
        let set = self.0.iter().find(|(row, _)| row.name == option);
        let value = match set {
            Some((_, value)) => Some(value.as_str()),
            None => row(option).default,
        };
        value.filter(|value| !value.is_empty())
    }

    /// True if an option was set to a value that is not empty.
    pub fn is_set(&self, option: &str) -> bool {
        self.all(&[option]).any(|(_, value)| !value.is_empty())
    }

    /// The names and values of these options, in the order in which they were set. An option that was unset has an
    /// empty value.
    pub fn all<'s>(&'s self, options: &[&str]) -> impl Iterator<Item = (&'static str, &'s str)> {
        self.0.iter().filter(move |(row, _)| options.contains(&row.name)).map(|(row, value)| (row.name, value.as_str()))
    }

    /// True if a switch is on.
    pub fn is_on(&self, option: &str) -> bool {
        self.get(option).and_then(kind::switch).unwrap_or(false)
    }

    /// An option's value as a whole number of seconds or bytes.
    pub fn number(&self, option: &str) -> Option<u64> {
        self.get(option).and_then(|value| value.parse().ok())
    }

    /// An option's value as seconds that may have a fraction.
    pub fn duration(&self, option: &str) -> Option<Duration> {
        self.get(option).and_then(kind::duration)
    }

    /// The word of a choice, in the spelling of the table.
    pub fn choice(&self, option: &str) -> Option<&'static str> {
        let Kind::Choice(words) = row(option).kind else { return None };
        let value = self.get(option)?;
        words.iter().find(|word| word.eq_ignore_ascii_case(value)).copied()
    }
}

/// The row of an option that exists.
fn row(option: &str) -> &'static OptionRow {
    find(option, |_| true).expect("the table has the option")
}
