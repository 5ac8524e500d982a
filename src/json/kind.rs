/// The type of a value, in words for an error message.
pub(crate) fn kind(text: &str) -> &'static str {
    match text.as_bytes().first() {
        Some(b'"') => "a string",
        Some(b'{') => "an object",
        Some(b'[') => "a list",
        Some(b't' | b'f') => "true or false",
        Some(b'n') => "null",
        Some(b'N' | b'I') => "a number that is not finite",
        _ if !is_number(text) => "a number that is not finite",
        _ if text.contains(['.', 'e', 'E']) => "a float",
        _ => "an integer",
    }
}

/// True if a value's text is a finite number.
pub(crate) fn is_number(text: &str) -> bool {
    text.starts_with(|first: char| first == '-' || first.is_ascii_digit()) && text != "-Infinity"
}
