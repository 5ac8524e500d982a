//! The types of values that JSON cannot express.

/// The type or the identity of a pickled value, if its JSON text does not express it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Form {
    /// A tuple, which is an array in JSON.
    Tuple,
    /// Bytes, which are a string in JSON.
    Bytes,
    /// A list, tuple or dict that is in the pickle more than once. Equal numbers mean the same object.
    Shared(usize),
}

/// The forms of values, each with the position in the JSON text at which the value begins, in ascending order.
pub(crate) type Forms = Vec<(usize, Form)>;
