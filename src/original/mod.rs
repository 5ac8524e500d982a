//! Sessions of other libraries, in the form in which they read and write them: pyramid_session_redis,
//! pyramid_redis_sessions and Beaker.
//!
//! What such a library keeps with a session's data (when it ends, its path) is carried along with the state, and not
//! shown in the dictionary.

mod beaker;
mod notation;
mod pyramid_redis_sessions;
mod pyramid_session_redis;

use std::ops::Range;
use std::sync::Arc;
use std::time::Duration;

use zeroize::Zeroizing;

use crate::arena::Span;
use crate::error::Error;
use crate::format::{self, Format, Kept, Rule};
use crate::json::{self, Scanner};
use crate::load::Refusal;
use crate::moment::{Moment, now};
use crate::options::{Options, Settings, full_name};
use crate::record::id::Id;
use crate::record::layout::{Draft, Layout};
use crate::serializer::pickle::Origin;
use crate::state::State;
use crate::store;
use crate::wiped::{WipedBytes, WipedText};

use self::notation::Notation;

/// A library whose sessions these are.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Original {
    PyramidSessionRedis,
    PyramidRedisSessions,
    Beaker,
}

use Original::{Beaker, PyramidRedisSessions, PyramidSessionRedis};

impl Original {
    /// The library that the option `format` names, if it names one.
    pub fn of(settings: &Settings) -> Option<Self> {
        match settings.choice("format")? {
            "pyramid_session_redis" => Some(PyramidSessionRedis),
            "pyramid_redis_sessions" => Some(PyramidRedisSessions),
            "beaker" => Some(Beaker),
            _ => None,
        }
    }

    /// Sessions in cookies; `name` is an accepted format's, or empty.
    pub fn format(self, name: &str, settings: &Settings) -> Result<Format, Error> {
        self.check(name, settings)?;
        if self != Beaker {
            let library = settings.get("format").unwrap_or_default();
            let allowed = format!("store where {} is {library}", full_name(name, "format"));
            return Err(settings.refuse(name, "type", &allowed));
        }
        let secrets = format::secrets(name, settings, Rule::Utf8)?;
        let seal = match settings.choice("type") {
            Some("encrypted_cookie") => beaker::encrypted(name, settings, secrets)?,
            _ => beaker::signed(&secrets),
        };
        let serializer = Arc::new(beaker::Dict::of_cookie(notation(settings)));
        Ok(Format { name: name.to_owned(), seal, serializer })
    }

    /// Sessions in Redis.
    pub fn stored(self, options: &Options) -> Result<Kept, Error> {
        let settings = options.settings();
        self.check("", settings)?;
        format::own_serializer(options)?;
        let store = match store::open_shared(settings).filter(|_| options.own_store.is_none()) {
            Some(store) => store?,
            None => {
                let format = settings.get("format").unwrap_or_default();
                return Err(settings.refuse("", "store", &format!("a Redis where format is {format}")));
            }
        };
        let secrets = |rule| format::secrets("", settings, rule);
        let timeout = settings.seconds("timeout");
        let layout: Box<dyn Layout> = match self {
            PyramidSessionRedis => {
                let salt = match settings.all(&["salt"]).next() {
                    Some((_, salt)) => salt,
                    None => pyramid_session_redis::SALT,
                };
                let seal = format::signed(settings, &secrets(Rule::Salted(salt))?);
                Box::new(pyramid_session_redis::Records::new(seal, notation(settings), timeout))
            }
            PyramidRedisSessions => {
                Box::new(pyramid_redis_sessions::Records::new(&secrets(Rule::Salted(""))?, timeout.unwrap_or_default()))
            }
            Beaker => Box::new(beaker::Records::new(&secrets(Rule::Utf8)?, notation(settings), timeout)),
        };
        Ok((store, layout))
    }

    /// Refuses options that have no meaning for the library, or that it could not live with.
    fn check(self, name: &str, settings: &Settings) -> Result<(), Error> {
        let stored = settings.choice("type") == Some("store");
        let encrypted = settings.choice("type") == Some("encrypted_cookie");
        let said = |option: &str| settings.said(option).is_some();
        let is_zero = |option: &str| settings.seconds(option) == Some(0);
        let salted = self == PyramidSessionRedis;
        let in_record = stored && self != Beaker;
        if !(self == Beaker && encrypted) {
            format::no_encrypt_key(name, settings)?;
        }
        let (option, allowed, reason) = if said("salt") && !salted {
            ("salt", "unset", "the signature's key is the secret alone")
        } else if said("hashalg") && !salted && settings.choice("hashalg") != Some("sha1") {
            ("hashalg", "sha1", "it signs with no other")
        } else if self == PyramidRedisSessions && settings.choice("serializer") == Some("json") && said("serializer") {
            ("serializer", "pickle", "the library reads nothing else")
        } else if in_record && is_zero("timeout") {
            ("timeout", "more than 0", "Redis takes no such time to live")
        } else if self == PyramidRedisSessions && stored && settings.seconds("timeout").is_none() {
            ("timeout", "set", "each of its sessions has one")
        } else if stored && said("regenerate_grace") && !is_zero("regenerate_grace") {
            ("regenerate_grace", "0", "an old id's record could not say that it may only be read")
        } else {
            return Ok(());
        };
        let library = settings.get("format").unwrap_or_default();
        let allowed = format!("{allowed} where {} is {library} ({reason})", full_name(name, "format"));
        Err(settings.refuse(name, option, &allowed))
    }
}

/// Each of the libraries pickles, unless it was told otherwise.
fn notation(settings: &Settings) -> Notation {
    let beaker = Original::of(settings) == Some(Beaker);
    match settings.said("serializer").and_then(|_| settings.choice("serializer")) {
        Some("json") if beaker => Notation::ZippedJson,
        Some("json") => Notation::Json,
        _ => Notation::Pickle,
    }
}

/// Where the values of these members stand in the object that a text is; of one that stands twice, the last.
fn members<const N: usize>(text: &str, names: [&str; N]) -> Result<[Option<Range<usize>>; N], Refusal> {
    let mut found = [const { None }; N];
    let mut scanner = Scanner::lenient(text);
    scanner.space();
    let scanned = json::members(&mut scanner, |key, start, end, _| {
        if let Some(index) = names.iter().position(|name| *name == &text[key.start..key.end]) {
            found[index] = Some(start..end);
        }
    });
    scanned.and_then(|()| scanner.end()).map_err(|fault| notation::refusal(fault, text, 1))?;
    Ok(found)
}

/// The state at a place in a text, which was unpickled if it has an origin.
fn state(json: WipedText, place: Range<usize>, origin: Option<Origin>) -> Result<State, Refusal> {
    let mut scanner = Scanner::lenient(&json);
    scanner.at = place.start;
    let members = State::scan(&json, &mut scanner).map_err(|fault| notation::refusal(fault, &json, 1))?;
    let mut state = State::new(json, members);
    origin.into_iter().for_each(|origin| state.came_from(origin));
    Ok(state)
}

/// The time that stands in a text.
fn moment(json: &str, place: Range<usize>) -> Result<Moment, Refusal> {
    let span = Span::of_payload(place.start, place.end);
    Moment::read(&json[place], span).ok_or_else(|| Refusal::malformed("the record's time is not a number"))
}

/// When a session was last used that may be idle for so many seconds, by how long Redis keeps it yet.
fn renewed(idle: f64, left: Option<Duration>) -> Moment {
    let since = left.map_or(0.0, |left| idle - left.as_secs_f64());
    Moment::at(now() - since)
}

/// A finite number, as JSON writes it.
fn number(json: &str) -> Option<f64> {
    json.parse().ok().filter(|number: &f64| number.is_finite())
}

/// Appends a number, without a fraction if it has none.
fn write_number(number: f64, out: &mut String) {
    let text = if number.fract() == 0.0 { format!("{number:.0}") } else { format!("{number:?}") };
    out.push_str(&text);
}

/// A record that has no header.
fn draft(data: WipedBytes) -> Draft {
    Draft { data, header: 0 }
}

/// Random bytes for an id.
fn random<const N: usize>() -> Result<Zeroizing<[u8; N]>, Error> {
    let mut bytes = Zeroizing::new([0; N]);
    getrandom::fill(&mut bytes[..])?;
    Ok(bytes)
}

/// The id that a genuine cookie held.
fn opened(id: WipedBytes) -> Result<Id, Refusal> {
    if id.is_empty() || std::str::from_utf8(&id).is_err() {
        return Err(Refusal::malformed("the session id is not a text"));
    }
    Ok(Id(id))
}

/// An id, which was made or opened as a text.
fn text(id: &Id) -> &str {
    std::str::from_utf8(&id.0).unwrap_or_default()
}

/// What stands between the quotes of a JSON string that needs no escapes.
fn quoted(json: WipedText) -> Option<WipedBytes> {
    let inside = json.strip_prefix('"')?.strip_suffix('"')?;
    (!inside.contains('\\')).then(|| WipedText::from(inside).into_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::factory::Factory;
    use crate::serializer::Json;

    fn refused(options: &Options) -> String {
        Factory::new(options).err().expect("it is refused").to_string()
    }

    #[test]
    fn a_store_or_a_serializer_of_the_callers_own_is_none_that_another_library_knows() {
        for (kind, format) in [("store", "pyramid_session_redis"), ("store", "beaker"), ("signed_cookie", "beaker")] {
            let mut options = Options::new();
            for (name, value) in [("secret", "x"), ("type", kind), ("format", format)] {
                options.set(name, value).unwrap();
            }
            options.own_serializer = Some(Arc::new(Json));
            assert!(refused(&options).contains("option format must be khufu"));
            if kind == "store" {
                options.own_serializer = None;
                options.own_store = Some(store::open(options.settings(), Duration::from_secs(1)).unwrap());
                options.set("store", "redis://localhost").unwrap();
                assert!(refused(&options).contains("option store must be a Redis"));
            }
        }
    }
}
