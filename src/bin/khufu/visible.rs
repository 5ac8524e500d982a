//! Text that a terminal shows as it is.

/// Writes the characters that could change a terminal's state, its lines or the direction of its text as `\\uXXXX`. A
/// visitor may choose the keys, the values and the subject of a session. In JSON text, these escapes mean the same.
pub fn visible(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            _ if is_hidden(character) => shown.push_str(&format!("\\u{:04x}", u32::from(character))),
            _ => shown.push(character),
        }
    }
    shown
}

/// True for control characters, line separators, and marks that change the direction of text.
fn is_hidden(character: char) -> bool {
    character.is_control()
        || matches!(character, '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

#[cfg(test)]
mod tests {
    #[test]
    fn only_what_a_terminal_would_obey_is_escaped() {
        assert_eq!(super::visible("caf\u{e9} \u{1f389} a\tb"), "caf\u{e9} \u{1f389} a\\u0009b");
        assert_eq!(super::visible("\x1b[2J\n\u{9b}\u{202e}"), "\\u001b[2J\\u000a\\u009b\\u202e");
    }
}
