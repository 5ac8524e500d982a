use super::fault::{Fault, FaultKind};
use super::stops::Stops;

/// The most levels of nesting of a value that is set. Python's json module can read it back.
pub(crate) const LEVELS_ON_SETTING: usize = 500;
/// The most levels of nesting of a value in a session that is opened.
pub(crate) const LEVELS_ON_OPENING: usize = 1000;

/// The most digits of an integer that Python reads (`sys.int_info.default_max_str_digits`).
pub(crate) const MOST_DIGITS: usize = 4300;

/// Properties of a value, noted while it was scanned.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Marks {
    /// The value contains white space between its parts.
    pub loose: bool,
    /// The value contains a number that is not finite, at any depth.
    pub not_finite: bool,
}

/// The position of a string in a text, without its quotes.
#[derive(Clone, Copy)]
pub(crate) struct StringAt {
    pub start: usize,
    pub end: usize,
    pub escaped: bool,
}

/// A number's digits as an integer, and the position of its decimal point.
#[derive(Clone, Copy, Default)]
pub(crate) struct Number {
    digits: u64,
    /// The number of digits after the decimal point.
    places: usize,
    /// The number is negative, has an exponent or is long.
    inexact: bool,
}

/// A number of up to this many digits and its power of ten are both exact as doubles.
const EXACT: usize = 15;

impl Number {
    /// The nearest double, if a single division finds it.
    #[inline(always)]
    pub fn double(self) -> Option<f64> {
        const TENS: [f64; EXACT + 1] =
            [1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15];
        (!self.inexact).then(|| self.digits as i64 as f64 / TENS[self.places])
    }
}

/// The value of eight digits. `None` if one of the bytes is not a digit.
#[inline(always)]
fn eight_digits(text: [u8; 8]) -> Option<u64> {
    // First each byte is the value of a digit. Then each pair of bytes, each group of four and all eight become one
    // number.
    let ones = u64::from_le_bytes(text) ^ 0x3030_3030_3030_3030;
    if (ones | ones.wrapping_add(0x7676_7676_7676_7676)) & 0x8080_8080_8080_8080 != 0 {
        return None;
    }
    let tens = (ones * 10 + (ones >> 8)) & 0x00ff_00ff_00ff_00ff;
    let hundreds = (tens * 100 + (tens >> 16)) & 0x0000_ffff_0000_ffff;
    Some((hundreds * 10_000 + (hundreds >> 32)) & 0xffff_ffff)
}

/// A scanner over a text that is known to be UTF-8. `SETTING` is true for a value that is to be set.
#[derive(Clone, Copy)]
pub(crate) struct Scanner<'a, const SETTING: bool = false> {
    text: &'a [u8],
    pub at: usize,
    stops: Stops,
}

impl<'a> Scanner<'a, true> {
    /// A scanner for a text that a caller passes.
    pub fn strict(text: &'a str) -> Self {
        Self { text: text.as_bytes(), at: 0, stops: Stops::default() }
    }
}

impl<'a> Scanner<'a, false> {
    /// A scanner for a text that another library may have written.
    pub fn lenient(text: &'a str) -> Self {
        Self { text: text.as_bytes(), at: 0, stops: Stops::default() }
    }
}

impl<const SETTING: bool> Scanner<'_, SETTING> {
    const LEVELS: usize = if SETTING { LEVELS_ON_SETTING } else { LEVELS_ON_OPENING };

    /// The next byte, or 0 at the end. No rule expects a 0 byte.
    #[inline(always)]
    pub fn peek(&self) -> u8 {
        self.text.get(self.at).copied().unwrap_or(0)
    }

    #[cold]
    pub fn fault<T>(self, kind: FaultKind) -> Result<T, Fault> {
        let kind = if self.at >= self.text.len() { FaultKind::End } else { kind };
        Err(Fault { kind: kind as u8, at: self.at as u32 })
    }

    /// Skips white space. Returns true if there was any.
    #[inline(always)]
    pub fn space(&mut self) -> bool {
        if self.peek() > b' ' {
            return false;
        }
        let start = self.at;
        while matches!(self.peek(), b' ' | b'\t' | b'\n' | b'\r') {
            self.at += 1;
        }
        self.at != start
    }

    #[inline(always)]
    pub fn expect(&mut self, byte: u8, kind: FaultKind) -> Result<(), Fault> {
        if self.peek() != byte {
            return self.fault(kind);
        }
        self.at += 1;
        Ok(())
    }

    /// Checks that only white space follows.
    pub fn end(&mut self) -> Result<(), Fault> {
        self.space();
        if self.at < self.text.len() {
            return self.fault(FaultKind::More);
        }
        Ok(())
    }

    /// Skips the value that begins at the next byte.
    #[inline(always)]
    pub fn value(&mut self) -> Result<Marks, Fault> {
        match self.peek() {
            b'[' | b'{' => self.container(),
            _ => {
                let not_finite = self.scalar()?;
                Ok(Marks { loose: false, not_finite })
            }
        }
    }

    /// Skips a string, number or word. Returns true if it was a number that is not finite.
    #[inline(always)]
    fn scalar(&mut self) -> Result<bool, Fault> {
        // Test the most common cases first: a jump table is hard for the CPU to predict.
        let byte = self.peek();
        if byte == b'"' {
            self.string()?;
            Ok(false)
        } else if byte.is_ascii_digit() {
            self.number()?;
            Ok(false)
        } else {
            self.word()
        }
    }

    #[inline(always)]
    fn container(&mut self) -> Result<Marks, Fault> {
        let mut marks = Marks::default();
        let mut open = Nesting::default();
        loop {
            let byte = self.peek();
            if byte == b'{' || byte == b'[' {
                if open.depth == Self::LEVELS {
                    return self.fault(FaultKind::TooDeep);
                }
                open.push(byte == b'{');
                self.at += 1;
                marks.loose |= self.space();
                // The code of a closing bracket is 2 more than that of its opening bracket.
                if self.peek() != byte + 2 {
                    if open.in_object {
                        marks.loose |= self.key()?;
                    }
                    continue;
                }
            } else {
                marks.not_finite |= self.scalar()?;
            }
            // A value, or the opening bracket of an empty container, has been skipped. Close the containers that end
            // here.
            loop {
                marks.loose |= self.space();
                let byte = self.peek();
                if byte == b',' {
                    self.at += 1;
                    marks.loose |= self.space();
                    if open.in_object {
                        marks.loose |= self.key()?;
                    }
                    break;
                }
                if byte != if open.in_object { b'}' } else { b']' } {
                    return self.fault(FaultKind::Comma);
                }
                self.at += 1;
                if open.pop() {
                    return Ok(marks);
                }
            }
        }
    }

    /// Skips a key and its colon. Returns true if there was white space.
    #[inline(always)]
    fn key(&mut self) -> Result<bool, Fault> {
        self.string()?;
        self.colon()
    }

    /// Skips the colon after a key and the white space around it. Returns true if there was white space.
    #[inline(always)]
    pub fn colon(&mut self) -> Result<bool, Fault> {
        // Most writers put no white space around the colon.
        if let Some([b':', next, ..]) = self.text.get(self.at..)
            && *next > b' '
        {
            self.at += 1;
            return Ok(false);
        }
        let before = self.space();
        self.expect(b':', FaultKind::Colon)?;
        Ok(self.space() | before)
    }

    /// Skips a string.
    #[inline(always)]
    pub fn string(&mut self) -> Result<StringAt, Fault> {
        self.expect(b'"', FaultKind::Key)?;
        let start = self.at;
        let mut escaped = false;
        loop {
            self.at = self.stops.next(self.text, self.at);
            match self.peek() {
                b'"' => {
                    let end = self.at;
                    self.at += 1;
                    return Ok(StringAt { start, end, escaped });
                }
                b'\\' => {
                    escaped = true;
                    self.at = self.escape()?;
                }
                _ => return self.fault(FaultKind::Control),
            }
        }
    }

    /// The end of the escape that begins at the next byte.
    #[cold]
    fn escape(self) -> Result<usize, Fault> {
        match self.text.get(self.at + 1) {
            Some(b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't') => Ok(self.at + 2),
            Some(b'u') => match self.text.get(self.at + 2..self.at + 6) {
                Some(digits) if digits.iter().all(u8::is_ascii_hexdigit) => Ok(self.at + 6),
                _ => self.fault(FaultKind::Unicode),
            },
            _ => self.fault(FaultKind::Escape),
        }
    }

    /// Skips a number.
    #[inline(always)]
    pub fn number(&mut self) -> Result<Number, Fault> {
        let start = self.at;
        let mut number = Number::default();
        if self.peek() == b'-' {
            number.inexact = true;
            self.at += 1;
        }
        match self.peek() {
            b'0' => self.at += 1,
            b'1'..=b'9' => self.digits(&mut number.digits),
            _ => return self.fault(FaultKind::Digit),
        }
        if self.peek() == b'.' {
            self.at += 1;
            let point = self.at;
            self.some_digits(&mut number.digits)?;
            number.places = self.at - point;
        }
        if matches!(self.peek(), b'e' | b'E') {
            number.inexact = true;
            self.at += 1;
            if matches!(self.peek(), b'+' | b'-') {
                self.at += 1;
            }
            self.some_digits(&mut number.digits)?;
        }
        number.inexact |= self.at - start > EXACT;
        if SETTING && number.inexact {
            check_range(&self.text[start..self.at], start)?;
        }
        Ok(number)
    }

    #[inline(always)]
    fn digits(&mut self, value: &mut u64) {
        while let Some(eight) = self.text[self.at..].first_chunk()
            && let Some(number) = eight_digits(*eight)
        {
            *value = value.wrapping_mul(100_000_000).wrapping_add(number);
            self.at += 8;
        }
        while self.peek().is_ascii_digit() {
            *value = value.wrapping_mul(10).wrapping_add(u64::from(self.peek() - b'0'));
            self.at += 1;
        }
    }

    #[inline(always)]
    fn some_digits(&mut self, value: &mut u64) -> Result<(), Fault> {
        if !self.peek().is_ascii_digit() {
            return self.fault(FaultKind::Digit);
        }
        self.digits(value);
        Ok(())
    }

    /// Skips a word or a negative number. Returns true if it is a number that is not finite.
    #[inline(always)]
    fn word(&mut self) -> Result<bool, Fault> {
        let rest = &self.text[self.at..];
        let (length, not_finite) = match (rest.first_chunk(), rest) {
            (Some(b"true" | b"null"), _) => (4, false),
            (Some(b"fals"), [_, _, _, _, b'e', ..]) => (5, false),
            (_, [b'-', b'0'..=b'9', ..]) => return self.number().map(|_| false),
            _ => (not_finite(rest), true),
        };
        if length == 0 || not_finite && SETTING {
            return self.fault(FaultKind::Value);
        }
        self.at += length;
        Ok(not_finite)
    }
}

/// Checks that Python can read back a number, which begins at byte `start`.
#[cold]
fn check_range(number: &[u8], start: usize) -> Result<(), Fault> {
    let text = || std::str::from_utf8(number).unwrap_or_default();
    let kind = match number.iter().any(|byte| b".eE".contains(byte)) {
        true if text().parse().is_ok_and(f64::is_infinite) => FaultKind::InfiniteFloat,
        false if text().trim_start_matches('-').len() > MOST_DIGITS => FaultKind::LongInteger,
        _ => return Ok(()),
    };
    Err(Fault { kind: kind as u8, at: start as u32 })
}

/// The length of the word for a number that is not finite, or 0 if the text does not begin with one.
#[cold]
fn not_finite(text: &[u8]) -> usize {
    let words: [&[u8]; 3] = [b"NaN", b"Infinity", b"-Infinity"];
    words.iter().find(|word| text.starts_with(word)).map_or(0, |word| word.len())
}

/// One bit per open bracket: set if it opened an object. The innermost bit is also kept in `in_object`.
#[derive(Default)]
struct Nesting {
    objects: [u64; LEVELS_ON_OPENING.div_ceil(64)],
    depth: usize,
    in_object: bool,
}

impl Nesting {
    #[inline(always)]
    fn push(&mut self, is_object: bool) {
        let (word, bit) = (self.depth / 64, self.depth % 64);
        self.objects[word] = self.objects[word] & !(1 << bit) | u64::from(is_object) << bit;
        self.depth += 1;
        self.in_object = is_object;
    }

    /// Closes the innermost bracket. Returns true if it was the last open one.
    #[inline(always)]
    fn pop(&mut self) -> bool {
        self.depth -= 1;
        let Some(innermost) = self.depth.checked_sub(1) else { return true };
        self.in_object = self.objects[innermost / 64] >> (innermost % 64) & 1 == 1;
        false
    }
}

#[cfg(test)]
mod tests {
    use super::{EXACT, Scanner};

    fn double(text: &str) -> Option<f64> {
        Scanner::strict(text).number().unwrap().double()
    }

    #[test]
    fn a_short_number_is_the_double_that_the_standard_library_parses() {
        let digits = "17099999990123456789";
        for start in 0..4 {
            for end in start + 1..=digits.len() {
                for point in 1..=end - start {
                    let (whole, places) = digits[start..end].split_at(point);
                    let text = if places.is_empty() { whole.to_owned() } else { format!("{whole}.{places}") };
                    let text = if whole.starts_with('0') { format!("1{text}") } else { text };
                    assert_eq!(double(&text), (text.len() <= EXACT).then(|| text.parse().unwrap()), "{text}");
                }
            }
        }
        assert_eq!(double("0.0"), Some(0.0));
        assert_eq!([double("-1"), double("1e3"), double("1E-3")], [None; 3]);
    }

    #[test]
    fn scanning_a_number_stops_at_the_first_other_byte() {
        for other in (0..=u8::MAX).filter(u8::is_ascii).filter(|byte| !byte.is_ascii_digit() && !b".eE".contains(byte))
        {
            for length in 1..20 {
                let text = format!("{}{}12345678", "9".repeat(length), char::from(other));
                let mut scanner = Scanner::strict(&text);
                scanner.number().unwrap();
                assert_eq!(scanner.at, length, "{text:?}");
            }
        }
    }
}
