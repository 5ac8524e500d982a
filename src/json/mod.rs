//! JSON as text: a scanner that checks a text and finds the positions of its parts, and functions that unescape, escape
//! and compact these parts.
//!
//! The scanner follows RFC 8259 strictly. The lenient scanner also accepts `NaN`, `Infinity` and `-Infinity`, which
//! Python's json module writes. Nothing is recursive, so deep nesting does not use up the stack.

pub(crate) mod equality;
mod fault;
mod kind;
mod rewrite;
mod scanner;
mod stops;
mod string;

pub use fault::Fault;
pub(crate) use fault::FaultKind;
pub(crate) use kind::{is_number, kind};
pub(crate) use rewrite::{compact, finite};
pub(crate) use scanner::{LEVELS_ON_OPENING, MOST_DIGITS, Marks, Number, Scanner, StringAt};
pub(crate) use string::{code_points, escape, escaped_len, is_text, push_characters, unescape, unescaped};

/// Checks that `text` is one JSON value that may be set in a session.
pub(crate) fn check(text: &str) -> Result<Marks, Fault> {
    let mut scanner = Scanner::strict(text);
    let mut marks = Marks { loose: scanner.space(), ..Marks::default() };
    let value = scanner.value()?;
    marks.loose |= value.loose | scanner.space();
    scanner.end()?;
    Ok(marks)
}

/// Scans the object at the scanner's next byte, and calls `member` for each member with its key, the start and the end
/// of its value, and the value's marks.
#[inline]
pub(crate) fn members<const SETTING: bool>(
    scanner: &mut Scanner<'_, SETTING>,
    member: impl FnMut(StringAt, usize, usize, Marks),
) -> Result<(), Fault> {
    // Work on a copy, so that the compiler keeps its position in a register.
    let mut copy = *scanner;
    let outcome = members_here(&mut copy, member);
    *scanner = copy;
    outcome
}

#[inline(always)]
fn members_here<const SETTING: bool>(
    scanner: &mut Scanner<'_, SETTING>,
    mut member: impl FnMut(StringAt, usize, usize, Marks),
) -> Result<(), Fault> {
    scanner.expect(b'{', FaultKind::Object)?;
    scanner.space();
    if scanner.peek() == b'}' {
        scanner.at += 1;
        return Ok(());
    }
    loop {
        let key = scanner.string()?;
        scanner.colon()?;
        let start = scanner.at;
        let marks = scanner.value()?;
        member(key, start, scanner.at, marks);
        scanner.space();
        match scanner.peek() {
            b',' => scanner.at += 1,
            b'}' => {
                scanner.at += 1;
                return Ok(());
            }
            _ => return scanner.fault(FaultKind::Comma),
        }
        scanner.space();
    }
}

/// The elements of an array whose text has been checked, each with the position of its first byte.
pub(crate) fn elements(array: &str) -> impl Iterator<Item = (usize, &str)> {
    let mut scanner = Scanner::lenient(array);
    scanner.at = 1;
    std::iter::from_fn(move || {
        scanner.space();
        if scanner.peek() == b',' {
            scanner.at += 1;
            scanner.space();
        }
        let start = scanner.at;
        scanner.value().ok()?;
        Some((start, &array[start..scanner.at]))
    })
}

/// The value that begins at byte `start` of a text; `None` if none begins there.
pub(crate) fn value_at(text: &str, start: usize) -> Option<&str> {
    let mut scanner = Scanner::lenient(text);
    scanner.at = start;
    scanner.value().ok()?;
    text.get(start..scanner.at)
}
