//! Times in payloads.

use std::time::{SystemTime, UNIX_EPOCH};

use crate::error::Error;
use crate::json::Number;
use crate::payload::arena::{Arena, Span};

/// A time in seconds since the Unix epoch, and the form in which it is written.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Moment {
    pub seconds: f64,
    form: Form,
}

#[derive(Clone, Copy, Debug)]
enum Form {
    /// The text that was read.
    Text(Span),
    /// A number with a fraction, as Python writes a float.
    Float,
    /// A number without a fraction.
    Whole,
}

/// The last second of the year 9999, the latest that an HTTP date can write.
pub(crate) const LATEST: f64 = 253_402_300_799.0;

/// The current time, in seconds since the Unix epoch.
pub(crate) fn now() -> f64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs_f64()
}

/// Checks a time that the caller gave as the current time.
///
/// # Errors
/// [`Error::Now`] if it is out of range.
pub(crate) fn checked(now: f64) -> Result<f64, Error> {
    if !(0.0..=LATEST).contains(&now) {
        return Err(Error::Now);
    }
    Ok(now)
}

impl Moment {
    /// A time that is written with a fraction.
    pub fn at(seconds: f64) -> Self {
        Self { seconds, form: Form::Float }
    }

    /// A time in whole seconds, rounded down.
    pub fn whole(seconds: f64) -> Self {
        Self { seconds: seconds.floor(), form: Form::Whole }
    }

    /// A time whose number was scanned at `span` of a payload. `None` if it is not finite.
    #[inline(always)]
    pub fn scanned(number: Number, text: &str, span: Span) -> Option<Self> {
        match number.double() {
            Some(seconds) => Some(Self { seconds, form: Form::Text(span) }),
            None => Self::read(&text[span.range()], span),
        }
    }

    /// Reads a time from its text, which is at `span`. `None` if it is not a finite number.
    pub fn read(text: &str, span: Span) -> Option<Self> {
        let seconds: f64 = text.parse().ok()?;
        seconds.is_finite().then_some(Self { seconds, form: Form::Text(span) })
    }

    /// Makes the time independent of the text that it was read from.
    pub fn detached(self) -> Self {
        match self.form {
            Form::Text(_) => Self { form: Form::Float, ..self },
            _ => self,
        }
    }

    /// True if the time was made by [`Moment::whole`].
    pub fn is_whole(self) -> bool {
        matches!(self.form, Form::Whole)
    }

    /// True if the time is written as it was read.
    pub fn is_as_read(self) -> bool {
        matches!(self.form, Form::Text(_))
    }

    /// Rounds the time down to whole seconds, unless it was read from a text.
    pub fn whole_unless_read(self) -> Self {
        match self.form {
            Form::Text(_) => self,
            _ => Self::whole(self.seconds),
        }
    }

    /// The most bytes that [`Moment::write`] appends.
    pub fn most(self) -> usize {
        match self.form {
            Form::Text(span) => span.len(),
            Form::Float | Form::Whole => 24,
        }
    }

    pub fn write(self, arena: &Arena, out: &mut String) {
        match self.form {
            Form::Text(span) => out.push_str(arena.text(span)),
            Form::Float => out.push_str(&format!("{:?}", self.seconds)),
            Form::Whole => out.push_str(itoa::Buffer::new().format(self.seconds as i64)),
        }
    }
}
