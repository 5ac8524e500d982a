//! JSON as text: one scanner that checks it and says where its parts stand, and the few things that are done
//! with a part afterwards (unescape, escape, compact).
//!
//! Strict RFC 8259, with one addition where it is asked for: `NaN`, `Infinity` and `-Infinity`, which Python's
//! json module writes. Nothing recurses, so depth costs no stack.

mod fault;
mod rewrite;
mod scanner;
mod stops;
mod string;

pub use fault::Fault;
pub(crate) use fault::What;
pub(crate) use rewrite::{compact, finite};
pub(crate) use scanner::{LEVELS_ON_OPENING, MOST_DIGITS, Marks, Number, Scanner, StringAt};
pub(crate) use string::{code_points, escape, escaped_len, is_text, push_characters, unescape};

/// Checks that `text` is one JSON value, of the kind that may be set.
pub(crate) fn check(text: &str) -> Result<Marks, Fault> {
    let mut scanner = Scanner::strict(text);
    let mut marks = Marks { loose: scanner.space(), ..Marks::default() };
    let value = scanner.value()?;
    marks.loose |= value.loose | scanner.space();
    scanner.end()?;
    Ok(marks)
}

/// The members of the object that begins at the scanner's next byte.
#[inline]
pub(crate) fn members<const SETTING: bool>(
    scanner: &mut Scanner<'_, SETTING>,
    member: impl FnMut(StringAt, usize, usize, Marks),
) -> Result<(), Fault> {
    // A copy, so that its place stays in a register.
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
    scanner.expect(b'{', What::Object)?;
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
            _ => return scanner.fault(What::Comma),
        }
        scanner.space();
    }
}

/// The elements of an array whose text has been checked, each with the byte that it begins at.
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

/// The value that begins at a byte of a text that has been checked.
pub(crate) fn value_at(text: &str, start: usize) -> &str {
    let mut scanner = Scanner::lenient(text);
    scanner.at = start;
    scanner.value().expect("the text has been checked");
    &text[start..scanner.at]
}
