/// What is wrong with a text, and at which byte.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("{} at byte {at}", FAULTS[usize::from(*.what)])]
pub struct Fault {
    pub(super) what: u8,
    pub(super) at: u32,
}

/// The number of a fault; with its place it fits in a register.
#[derive(Clone, Copy)]
pub(crate) enum What {
    End,
    More,
    Value,
    Key,
    Colon,
    Comma,
    Digit,
    Object,
    Control,
    Escape,
    Unicode,
    TooDeep,
    Payload,
}

/// In the order of [`What`].
const FAULTS: [&str; 13] = [
    "it ends too early",
    "more follows the value",
    "a value was expected",
    "a key was expected",
    "a colon was expected",
    "a comma or the closing bracket was expected",
    "a digit was expected",
    "an object was expected",
    "a control character in a string",
    "a backslash before something that is no escape",
    "\\u without four hex digits",
    "it is nested too deep",
    "[renewed, created, state] was expected",
];

impl Fault {
    pub(crate) fn is_too_deep(&self) -> bool {
        usize::from(self.what) == What::TooDeep as usize
    }
}
