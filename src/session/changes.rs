//! A request's own changes, kept in call order, to be made again on a record that another request has written.

use std::collections::HashMap;
use std::mem::take;
use std::ops::Deref;

use crate::error::Error;
use crate::json::{self, Marks};
use crate::session::{csrf, flash};
use crate::state::{State, Value};
use crate::value::canonical;
use crate::wiped::WipedText;

/// One change.
pub(crate) enum Change {
    Set(WipedText, JsonText),
    /// Only where the key is not there.
    SetDefault(WipedText, JsonText),
    /// A CSRF token, made where there was none.
    CsrfToken(JsonText),
    Delete(WipedText),
    Clear,
    /// A message added to the list under a key.
    Flash {
        key: WipedText,
        message: JsonText,
        allow_duplicate: bool,
    },
    /// The messages that were taken out of the list under a key.
    PopFlash {
        key: WipedText,
        messages: JsonText,
    },
    /// Whose session it is.
    Subject(Option<WipedText>),
}

impl Change {
    /// The key that it is about; `None` for a change that is about more than one.
    fn key(&self) -> Option<&str> {
        match self {
            Self::Set(key, _) | Self::SetDefault(key, _) | Self::Delete(key) => Some(key),
            Self::Flash { key, .. } | Self::PopFlash { key, .. } => Some(key),
            Self::CsrfToken(_) => Some(csrf::KEY),
            Self::Clear | Self::Subject(_) => None,
        }
    }
}

/// A value's JSON text, which has been checked, outside any session.
#[derive(Default)]
pub(crate) struct JsonText {
    pub json: WipedText,
    pub marks: Marks,
}

impl JsonText {
    /// A copy, without white space between the parts.
    pub fn new(json: &str, marks: Marks) -> Self {
        let mut compact = WipedText::with_capacity(json.len());
        match marks.loose {
            true => json::compact(json, &mut compact),
            false => compact.push_str(json),
        }
        Self { json: compact, marks: Marks { loose: false, ..marks } }
    }

    pub fn of(state: &State, value: Value) -> Self {
        Self::new(state.text(value.span), value.marks)
    }

    fn set(&self, state: &mut State, key: &str) {
        let value = state.keep(&self.json, self.marks);
        state.set(key, value);
    }
}

/// Changes in call order.
#[derive(Default)]
pub(crate) struct Changes {
    list: Vec<Change>,
    /// How many there are when superseded ones are looked for again.
    look_at: usize,
}

/// Changes among which it is not worth looking for superseded ones.
const FEW: usize = 64;

impl Deref for Changes {
    type Target = [Change];

    fn deref(&self) -> &[Change] {
        &self.list
    }
}

impl Changes {
    /// Adds a change. A value that is set again and again is kept once, but for the first `fixed` changes, which stay as
    /// they are.
    pub fn push(&mut self, change: Change, fixed: usize) {
        self.list.push(change);
        if self.list.len() > FEW.max(self.look_at) {
            self.drop_superseded(fixed);
            self.look_at = 2 * self.list.len();
        }
    }

    pub fn clear(&mut self) {
        *self = Self::default();
    }

    /// Where a key is set twice and no change between the two is about it, the first gets the value of the second.
    fn drop_superseded(&mut self, fixed: usize) {
        let mut first = HashMap::new();
        let mut pairs = Vec::new();
        for (index, change) in self.list.iter().enumerate().skip(fixed) {
            match (change, change.key()) {
                (Change::Set(key, _), _) => match first.get(key.as_str()) {
                    Some(&earlier) => pairs.push((earlier, index)),
                    None => drop(first.insert(key.as_str(), index)),
                },
                (_, Some(key)) => drop(first.remove(key)),
                (_, None) => first.clear(),
            }
        }
        for &(earlier, later) in &pairs {
            if let [Change::Set(_, earlier), .., Change::Set(_, later)] = &mut self.list[earlier..=later] {
                *earlier = take(later);
            }
        }
        let mut superseded = pairs.iter().map(|(_, later)| *later).peekable();
        let mut index = 0;
        self.list.retain(|_| {
            index += 1;
            superseded.next_if_eq(&(index - 1)).is_none()
        });
    }
}

/// Makes changes on a state.
///
/// # Errors
/// [`Error::Conflict`] if a message is to be added to, or taken from, what is no list any more.
pub(crate) fn replay(changes: &[Change], state: &mut State) -> Result<(), Error> {
    for change in changes {
        match change {
            Change::Set(key, value) => value.set(state, key),
            Change::SetDefault(key, value) if state.get(key.as_str()).is_none() => value.set(state, key),
            Change::CsrfToken(token) if !csrf::has_token(state) => token.set(state, csrf::KEY),
            Change::SetDefault(..) | Change::CsrfToken(_) | Change::Subject(_) => {}
            Change::Delete(key) => drop(state.delete(key)),
            Change::Clear => state.clear(),
            Change::Flash { key, message, allow_duplicate } => {
                flash::append(state, key, message, *allow_duplicate).map_err(|error| match error {
                    // Another request has put something else there.
                    Error::Type { .. } => Error::Conflict,
                    error => error,
                })?;
            }
            Change::PopFlash { key, messages } => take_messages(&messages.json, state, key)?,
        }
    }
    Ok(())
}

/// Takes just these messages out of a list: those that others added since stay.
fn take_messages(taken: &str, state: &mut State, key: &str) -> Result<(), Error> {
    let Some(there) = state.get(key) else { return Ok(()) };
    if !state.text(there.span).starts_with('[') {
        return Err(Error::Conflict);
    }
    let mut taken_times: HashMap<_, usize> = HashMap::new();
    for (_, message) in json::elements(taken) {
        *taken_times.entry(canonical(message)).or_default() += 1;
    }
    let text = state.text(there.span);
    let mut left = WipedText::with_capacity(text.len());
    for (_, message) in json::elements(text) {
        match taken_times.get_mut(&canonical(message)) {
            Some(times @ 1..) => *times -= 1,
            _ => {
                let before = if left.is_empty() { '[' } else { ',' };
                left.push(before);
                left.push_str(message);
            }
        }
    }
    if left.is_empty() {
        state.delete(key);
        return Ok(());
    }
    left.push(']');
    JsonText { json: left, marks: there.marks }.set(state, key);
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::{Change, Changes, JsonText, replay};
    use crate::json::Marks;
    use crate::state::State;

    fn json(number: usize) -> JsonText {
        JsonText::new(&number.to_string(), Marks::default())
    }

    fn changes(count: usize) -> impl Iterator<Item = Change> {
        (0..count).map(|number| {
            let key = ["a", "_f_", "b", "c", "_csrft_"][number * 7 % 5];
            match number % 31 {
                3 => Change::Delete(key.into()),
                11 if key != "_f_" => Change::SetDefault(key.into(), json(number)),
                17 => Change::CsrfToken(JsonText::new("\"token\"", Marks::default())),
                19 => Change::Flash { key: "_f_".into(), message: json(number), allow_duplicate: true },
                23 => Change::PopFlash { key: "_f_".into(), messages: JsonText::new("[19]", Marks::default()) },
                29 if number % 4 == 1 => Change::Clear,
                _ if key == "_f_" => Change::Set(key.into(), JsonText::new(&format!("[{number}]"), Marks::default())),
                _ => Change::Set(key.into(), json(number)),
            }
        })
    }

    fn outcome(changes: &[Change]) -> String {
        let mut state = State::default();
        json(7).set(&mut state, "c");
        replay(changes, &mut state).unwrap();
        let whole = state.whole();
        state.text(whole).to_owned()
    }

    #[test]
    fn a_superseded_change_makes_no_difference() {
        for count in (0..700).step_by(23) {
            let all: Vec<Change> = changes(count).collect();
            let mut kept = Changes::default();
            changes(count).for_each(|change| kept.push(change, 0));
            assert_eq!(outcome(&kept), outcome(&all), "{count} changes");
            assert!(count < 200 || kept.len() < 3 * count / 4, "{} of {count}", kept.len());
        }
    }

    #[test]
    fn a_value_that_is_set_again_and_again_is_kept_once() {
        let mut kept = Changes::default();
        for number in 0..100_000 {
            kept.push(Change::Set(["a", "b"][number % 2].into(), json(number)), 0);
            assert!(kept.len() <= 130);
        }
        assert_eq!(outcome(&kept), r#"{"c":7,"a":99998,"b":99999}"#);
    }

    #[test]
    fn the_first_changes_stay_as_they_are_where_that_is_said() {
        let mut kept = Changes::default();
        for number in 0..1000 {
            kept.push(Change::Set("a".into(), json(number)), 50);
        }
        assert!((50..200).contains(&kept.len()));
        assert_eq!(
            (outcome(&kept[..50]), outcome(&kept[50..])),
            (r#"{"c":7,"a":49}"#.into(), r#"{"c":7,"a":999}"#.into())
        );
    }
}
