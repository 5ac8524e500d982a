//! The changes that a request makes, in call order. If another request has written the record in the meantime, they are
//! applied again to the newer record.

use std::collections::HashMap;
use std::mem::take;
use std::ops::Deref;

use crate::error::Error;
use crate::payload::state::{JsonText, State};
use crate::sys::wiped::WipedText;

/// One change.
pub(crate) enum Change {
    Set(WipedText, JsonText),
    /// Sets a key if it does not exist.
    SetDefault(WipedText, JsonText),
    /// Sets a key unless it already holds a text that is not empty.
    SetText(WipedText, JsonText),
    Delete(WipedText),
    Clear,
    /// Adds an element to the list at a key.
    Append {
        key: WipedText,
        element: JsonText,
        allow_duplicate: bool,
    },
    /// Removes elements from the list at a key.
    Take {
        key: WipedText,
        elements: JsonText,
    },
    /// Adds to the integer at a key.
    Increment(WipedText, i64),
    /// Sets the session's subject.
    Subject(Option<WipedText>),
    /// Sets the session's own lifetime, in seconds.
    Lifetime(u64),
}

impl Change {
    /// The key that the change affects. `None` if it affects all keys or none.
    fn key(&self) -> Option<&str> {
        match self {
            Self::Set(key, _) | Self::SetDefault(key, _) | Self::SetText(key, _) | Self::Delete(key) => Some(key),
            Self::Append { key, .. } | Self::Take { key, .. } | Self::Increment(key, _) => Some(key),
            Self::Clear | Self::Subject(_) | Self::Lifetime(_) => None,
        }
    }
}

/// Changes in call order.
#[derive(Default)]
pub(crate) struct Changes {
    list: Vec<Change>,
    /// When the list is longer than this, superseded changes are dropped again.
    next_check: usize,
}

/// In a list of up to this many changes, superseded ones are not looked for.
const FEW: usize = 64;

impl Deref for Changes {
    type Target = [Change];

    fn deref(&self) -> &[Change] {
        &self.list
    }
}

impl Changes {
    /// Adds a change. If a key is set many times, only some of the changes are kept, the last value among them. The
    /// first `fixed` changes are not altered.
    pub fn push(&mut self, change: Change, fixed: usize) {
        self.list.push(change);
        if self.list.len() > FEW.max(self.next_check) {
            self.drop_superseded(fixed);
            self.next_check = 2 * self.list.len();
        }
    }

    pub fn clear(&mut self) {
        *self = Self::default();
    }

    /// If a key is set twice and no change between the two affects it, the first change gets the value of the second,
    /// and the second is dropped.
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

/// Applies changes to a state.
///
/// # Errors
/// [`Error::Conflict`] if a change needs a list or an integer, and the key now holds another type of value.
pub(crate) fn replay(changes: &[Change], state: &mut State) -> Result<(), Error> {
    let is_other_type = |error| match error {
        Error::Type { .. } => Error::Conflict,
        error => error,
    };
    for change in changes {
        match change {
            Change::Set(key, value) => state.set_json(key, value),
            Change::SetDefault(key, value) if state.get(key.as_str()).is_none() => state.set_json(key, value),
            Change::SetText(key, text) if !state.has_text(key) => state.set_json(key, text),
            Change::SetDefault(..) | Change::SetText(..) | Change::Subject(_) | Change::Lifetime(_) => {}
            Change::Delete(key) => drop(state.delete(key)),
            Change::Clear => state.clear(),
            Change::Append { key, element, allow_duplicate } => {
                state.append(key, element, *allow_duplicate).map_err(is_other_type)?;
            }
            Change::Increment(key, by) => drop(state.increment(key, *by).map_err(is_other_type)?),
            Change::Take { key, elements } => state.take(key, &elements.json).map_err(is_other_type)?,
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::{Change, Changes, replay};
    use crate::json::Marks;
    use crate::payload::state::{JsonText, State};

    fn json(number: usize) -> JsonText {
        JsonText::new(&number.to_string(), Marks::default())
    }

    fn changes(count: usize) -> impl Iterator<Item = Change> {
        (0..count).map(|number| {
            let key = ["a", "_f_", "b", "c", "_csrft_"][number * 7 % 5];
            match number % 31 {
                3 => Change::Delete(key.into()),
                11 if key != "_f_" => Change::SetDefault(key.into(), json(number)),
                17 => Change::SetText("_csrft_".into(), JsonText::new("\"token\"", Marks::default())),
                19 => Change::Append { key: "_f_".into(), element: json(number), allow_duplicate: true },
                23 => Change::Take { key: "_f_".into(), elements: JsonText::new("[19]", Marks::default()) },
                29 if number % 4 == 1 => Change::Clear,
                _ if key == "_f_" => Change::Set(key.into(), JsonText::new(&format!("[{number}]"), Marks::default())),
                _ => Change::Set(key.into(), json(number)),
            }
        })
    }

    fn outcome(changes: &[Change]) -> String {
        let mut state = State::default();
        state.set_json("c", &json(7));
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
    fn a_key_that_is_set_many_times_takes_little_room() {
        let mut kept = Changes::default();
        for number in 0..100_000 {
            kept.push(Change::Set(["a", "b"][number % 2].into(), json(number)), 0);
            assert!(kept.len() <= 130);
        }
        assert_eq!(outcome(&kept), r#"{"c":7,"a":99998,"b":99999}"#);
    }

    #[test]
    fn fixed_changes_are_not_altered() {
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
