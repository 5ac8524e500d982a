//! A request's own changes, kept in call order, to be made again on a record that another request has written.

use crate::error::Error;
use crate::json;
use crate::session::{csrf, flash};
use crate::state::{State, Value};
use crate::value::Tree;
use crate::wiped::WipedText;

/// One change. Its values stand in the arena of the state that it was made on.
pub(crate) enum Change {
    Set(WipedText, Value),
    /// Only where the key is not there.
    SetDefault(WipedText, Value),
    /// A CSRF token, made where there was none.
    CsrfToken(Value),
    Delete(WipedText),
    Clear,
    /// A message added to the list under a key.
    Flash {
        key: WipedText,
        message: Value,
        allow_duplicate: bool,
    },
    /// The messages that were taken out of the list under a key.
    PopFlash {
        key: WipedText,
        messages: Value,
    },
    /// Whose session it is.
    Subject(Option<WipedText>),
}

/// Makes the changes, which were made on `before`, on `state`.
pub(crate) fn replay(changes: &[Change], before: &State, state: &mut State) -> Result<(), Error> {
    for change in changes {
        match change {
            Change::Set(key, value) => set(before, state, key, *value),
            Change::SetDefault(key, value) if state.get(key.as_str()).is_none() => set(before, state, key, *value),
            Change::CsrfToken(token) if !csrf::has_token(state) => set(before, state, csrf::KEY, *token),
            Change::SetDefault(..) | Change::CsrfToken(_) | Change::Subject(_) => {}
            Change::Delete(key) => drop(state.delete(key)),
            Change::Clear => state.clear(),
            Change::Flash { key, message, allow_duplicate } => {
                let message = state.keep(before.text(message.span), message.marks);
                // What another request has put there instead of a list stays.
                match flash::append(state, key, message, *allow_duplicate) {
                    Ok(_) | Err(Error::Type { .. }) => {}
                    Err(error) => return Err(error),
                }
            }
            Change::PopFlash { key, messages } => take_messages(before.text(messages.span), state, key),
        }
    }
    Ok(())
}

fn set(before: &State, state: &mut State, key: &str, value: Value) {
    let value = state.keep(before.text(value.span), value.marks);
    state.set(key, value);
}

/// Takes just these messages out of a list: those that others added since stay.
fn take_messages(taken: &str, state: &mut State, key: &str) {
    let Some(there) = state.get(key).filter(|there| state.text(there.span).starts_with('[')) else { return };
    let text = WipedText::from(state.text(there.span));
    let mut left: Vec<(&str, Tree<'_>)> = json::elements(&text).map(|message| (message, Tree::of(message))).collect();
    for message in json::elements(taken).map(Tree::of) {
        if let Some(index) = left.iter().position(|(_, there)| *there == message) {
            left.remove(index);
        }
    }
    if left.is_empty() {
        state.delete(key);
        return;
    }
    let mut list = WipedText::with_capacity(text.len());
    list.push('[');
    for (index, (message, _)) in left.into_iter().enumerate() {
        if index > 0 {
            list.push(',');
        }
        list.push_str(message);
    }
    list.push(']');
    let list = state.keep(&list, there.marks);
    state.set(key, list);
}
