//! The opcodes of text and bytes.

use super::read::{Machine, Scalar};
use super::refusal::broken;
use crate::json;
use crate::load::Refusal;
use crate::sys::wiped::WipedText;

const NOT_ASCII: &str = "a Python 2 str that is not ASCII";

impl Machine<'_> {
    pub(super) fn string(&mut self, opcode: u8) -> Result<(), Refusal> {
        let bytes = match opcode {
            b'V' | b'S' => self.line()?,
            b'X' | b'B' | b'T' => self.counted(4)?,
            0x8c | b'C' | b'U' => self.counted(1)?,
            _ => self.counted(8)?,
        };
        let start = self.scalars.len();
        self.scalars.add(b"\"");
        match opcode {
            b'V' => self.raw_unicode_escape(bytes)?,
            b'S' => self.quoted(bytes)?,
            b'T' | b'U' if !bytes.is_ascii() => self.flaw = Some(NOT_ASCII),
            b'B' | b'C' | 0x8e => match std::str::from_utf8(bytes) {
                Ok(text) => self.text(text),
                Err(_) => self.flaw = Some("bytes that are not UTF-8"),
            },
            _ => self.surrogatepass(bytes)?,
        }
        self.scalars.add(b"\"");
        let is_bytes = matches!(opcode, b'B' | b'C' | 0x8e);
        match self.flaw.take() {
            Some(flaw) => self.obstruct(flaw),
            None => self.push_scalar(start, if is_bytes { Scalar::Bytes } else { Scalar::Str }),
        }
        Ok(())
    }

    fn text(&mut self, text: &str) {
        let mut escaped = WipedText::with_capacity(json::escaped_len(text));
        json::escape(text, &mut escaped);
        self.scalars.add(escaped.as_bytes());
    }

    fn code_point(&mut self, point: u32) -> Result<(), Refusal> {
        match char::from_u32(point) {
            Some(character) => self.text(character.encode_utf8(&mut [0; 4])),
            None if point < 0x10000 => self.surrogate(point),
            None => return Err(broken("a character beyond Unicode")),
        }
        Ok(())
    }

    /// Appends a lone surrogate. In Python, a high surrogate followed by a low one are two characters, but in JSON they
    /// would be a single character. Such a string is therefore an obstacle.
    fn surrogate(&mut self, half: u32) {
        let is_high = half < 0xdc00;
        if !is_high && self.high_surrogate == Some(self.scalars.len()) {
            self.flaw = Some("a str with the two halves of a character");
        }
        self.scalars.add(format!("\\u{half:04x}").as_bytes());
        if is_high {
            self.high_surrogate = Some(self.scalars.len());
        }
    }

    /// Reads Python's UTF-8, in which a lone surrogate has three bytes.
    fn surrogatepass(&mut self, mut bytes: &[u8]) -> Result<(), Refusal> {
        loop {
            let valid = match std::str::from_utf8(bytes) {
                Ok(text) => {
                    self.text(text);
                    return Ok(());
                }
                Err(error) => error.valid_up_to(),
            };
            let (text, rest) = bytes.split_at(valid);
            self.text(std::str::from_utf8(text).unwrap_or_default());
            let [0xed, second @ 0xa0..=0xbf, third @ 0x80..=0xbf, behind @ ..] = rest else {
                return Err(broken("a str is not UTF-8"));
            };
            self.code_point(0xd000 | u32::from(second & 0x3f) << 6 | u32::from(third & 0x3f))?;
            bytes = behind;
        }
    }

    /// Reads a `str` of protocol 0: latin-1 with `\uXXXX` and `\UXXXXXXXX`.
    fn raw_unicode_escape(&mut self, mut bytes: &[u8]) -> Result<(), Refusal> {
        while let Some((&byte, rest)) = bytes.split_first() {
            let digits = match (byte, rest.first()) {
                (b'\\', Some(b'u')) => 4,
                (b'\\', Some(b'U')) => 8,
                (b'\\', Some(&next)) => {
                    self.code_point(byte.into())?;
                    self.code_point(next.into())?;
                    bytes = &rest[1..];
                    continue;
                }
                _ => {
                    self.code_point(byte.into())?;
                    bytes = rest;
                    continue;
                }
            };
            let digits = rest.get(1..=digits).and_then(|digits| std::str::from_utf8(digits).ok());
            let point = digits.filter(|digits| digits.bytes().all(|digit| digit.is_ascii_hexdigit()));
            let point = point.and_then(|digits| u32::from_str_radix(digits, 16).ok());
            self.code_point(point.ok_or_else(|| broken("a \\u escape without its digits"))?)?;
            bytes = &rest[1 + digits.map_or(0, str::len)..];
        }
        Ok(())
    }

    /// Reads Python 2's `str` of protocol 0: a literal in quotes, which Python 3 reads as ASCII.
    fn quoted(&mut self, literal: &[u8]) -> Result<(), Refusal> {
        let unquoted = match literal {
            [b'\'', inside @ .., b'\''] | [b'"', inside @ .., b'"'] => inside,
            _ => return Err(broken("a string is not in quotes")),
        };
        let mut rest = unquoted;
        while let Some((&byte, behind)) = rest.split_first() {
            let (point, length) = match (byte, behind) {
                (b'\\', [b'x', high, low, ..]) => {
                    let digits = [*high, *low];
                    let digit = |digit: u8| {
                        char::from(digit).to_digit(16).ok_or_else(|| broken("a \\x escape without its digits"))
                    };
                    (digit(digits[0])? << 4 | digit(digits[1])?, 4)
                }
                (b'\\', [b'n', ..]) => (0x0a, 2),
                (b'\\', [b'r', ..]) => (0x0d, 2),
                (b'\\', [b't', ..]) => (0x09, 2),
                (b'\\', [same @ (b'\\' | b'\'' | b'"'), ..]) => ((*same).into(), 2),
                (b'\\', _) => return Err(broken("a string with an escape that Python does not write")),
                _ => (byte.into(), 1),
            };
            if point > 0x7f {
                self.flaw = Some(NOT_ASCII);
            }
            self.code_point(point)?;
            rest = &rest[length..];
        }
        Ok(())
    }
}
