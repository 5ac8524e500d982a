//! Times as payloads have them.

use std::time::{SystemTime, UNIX_EPOCH};

use crate::arena::{Arena, Span};
use crate::error::Error;
use crate::json::Number;

/// A time, in seconds since the Unix epoch, and how it is written.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Moment {
    pub seconds: f64,
    form: Form,
}

#[derive(Clone, Copy, Debug)]
enum Form {
    /// As it was read.
    Text(Span),
    /// With a fraction, as Python writes a float.
    Float,
    /// Without one.
    Whole,
}

/// The last second of the year 9999, the latest that an HTTP date can write.
pub(crate) const LATEST: f64 = 253_402_300_799.0;

/// The current time, in seconds since the Unix epoch.
pub(crate) fn now() -> f64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs_f64()
}

/// A time that a caller gives for the current one.
pub(crate) fn given(now: f64) -> Result<f64, Error> {
    if !(0.0..=LATEST).contains(&now) {
        return Err(Error::Now);
    }
    Ok(now)
}

impl Moment {
    /// A time that was reckoned.
    pub fn at(seconds: f64) -> Self {
        Self { seconds, form: Form::Float }
    }

    /// The second that it is in.
    pub fn whole(seconds: f64) -> Self {
        Self { seconds: seconds.floor(), form: Form::Whole }
    }

    /// A time whose number was scanned in a payload, at `span`; `None` where it is not finite.
    #[inline(always)]
    pub fn scanned(number: Number, text: &str, span: Span) -> Option<Self> {
        match number.double() {
            Some(seconds) => Some(Self { seconds, form: Form::Text(span) }),
            None => Self::read(&text[span.range()], span),
        }
    }

    /// A time that is written at `span`; `None` where the number is not finite.
    pub fn read(text: &str, span: Span) -> Option<Self> {
        let seconds: f64 = text.parse().ok()?;
        seconds.is_finite().then_some(Self { seconds, form: Form::Text(span) })
    }

    /// The same time, independent of the text that it was read from.
    pub fn detached(self) -> Self {
        match self.form {
            Form::Text(_) => Self { form: Form::Float, ..self },
            _ => self,
        }
    }

    /// Whether it was made by [`Moment::whole`].
    pub fn is_whole(self) -> bool {
        matches!(self.form, Form::Whole)
    }

    /// Whether it is written as it was read.
    pub fn is_as_read(self) -> bool {
        matches!(self.form, Form::Text(_))
    }

    /// As it was read; without a fraction, if it was not read.
    pub fn whole_unless_read(self) -> Self {
        match self.form {
            Form::Text(_) => self,
            _ => Self::whole(self.seconds),
        }
    }

    /// Most bytes that [`Moment::write`] appends.
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
