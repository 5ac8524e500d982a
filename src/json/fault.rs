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
    LongInteger,
    InfiniteFloat,
}

/// In the order of [`What`].
const FAULTS: [&str; 15] = [
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
    "an integer has more than 4,300 digits, the most that Python reads,",
    "a float is beyond 1.7976931348623157e308, the largest that Python reads,",
];

impl Fault {
    pub(crate) fn is_too_deep(&self) -> bool {
        usize::from(self.what) == What::TooDeep as usize
    }

    /// The text may be JSON, but holds a number that Python does not read back.
    pub(crate) fn is_out_of_range(&self) -> bool {
        [What::LongInteger as usize, What::InfiniteFloat as usize].contains(&usize::from(self.what))
    }

    /// The byte of the text that it is about.
    pub(crate) fn at(&self) -> usize {
        self.at as usize
    }
}
