/// An error in a JSON text, and the byte at which it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("{} at byte {at}", FAULTS[usize::from(*.kind)])]
pub struct Fault {
    pub(super) kind: u8,
    pub(super) at: u32,
}

/// The kinds of fault. [`Fault`] stores the kind as a number, so that it fits in a register together with its position.
#[derive(Clone, Copy)]
pub(crate) enum FaultKind {
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

/// The messages, in the order of [`FaultKind`].
const FAULTS: [&str; 15] = [
    "it ends too early",
    "something follows the value",
    "a value was expected",
    "a key was expected",
    "a colon was expected",
    "a comma or the closing bracket was expected",
    "a digit was expected",
    "an object was expected",
    "an unescaped control character in a string",
    "an invalid escape in a string",
    "\\u without four hex digits",
    "it is nested too deeply",
    "[renewed, created, state] was expected",
    "an integer has more than 4,300 digits, the most that Python reads,",
    "a float is beyond 1.7976931348623157e308, the largest that Python reads,",
];

impl Fault {
    pub(crate) fn is_too_deep(&self) -> bool {
        usize::from(self.kind) == FaultKind::TooDeep as usize
    }

    /// True if the text may be valid JSON but contains a number that Python cannot read back.
    pub(crate) fn is_out_of_range(&self) -> bool {
        [FaultKind::LongInteger as usize, FaultKind::InfiniteFloat as usize].contains(&usize::from(self.kind))
    }

    /// The position of the fault in the text, in bytes.
    pub(crate) fn at(&self) -> usize {
        self.at as usize
    }
}
