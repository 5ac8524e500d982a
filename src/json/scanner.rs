use super::fault::{Fault, What};
use super::stops::Stops;

/// Levels of nesting that Python's json reads back, and so the most that a value set here may have.
pub(crate) const LEVELS_ON_SETTING: usize = 500;
/// Levels of nesting of a value that is accepted on opening.
pub(crate) const LEVELS_ON_OPENING: usize = 1000;

/// Digits of the longest integer that Python reads (`sys.int_info.default_max_str_digits`).
pub(crate) const MOST_DIGITS: usize = 4300;

/// What was noticed while a value was scanned.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Marks {
    /// It holds white space between its parts.
    pub loose: bool,
    /// It holds a number that is not finite, at some depth.
    pub not_finite: bool,
}

/// A string's place between its quotes.
#[derive(Clone, Copy)]
pub(crate) struct StringAt {
    pub start: usize,
    pub end: usize,
    pub escaped: bool,
}

/// What a number's digits say.
#[derive(Clone, Copy, Default)]
pub(crate) struct Number {
    digits: u64,
    /// How many of them stand behind the point.
    places: usize,
    /// It is negative, has an exponent or is long.
    inexact: bool,
}

/// Up to so many digits, both they and the power of ten that they are divided by are doubles.
const EXACT: usize = 15;

impl Number {
    /// The double that is nearest, where one division finds it.
    #[inline(always)]
    pub fn double(self) -> Option<f64> {
        const TENS: [f64; EXACT + 1] =
            [1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15];
        (!self.inexact).then(|| self.digits as i64 as f64 / TENS[self.places])
    }
}

/// The number that eight digits are.
#[inline(always)]
fn eight_digits(text: [u8; 8]) -> Option<u64> {
    // From here on each byte is a digit's value, then each two, each four and all eight bytes are a number's.
    let ones = u64::from_le_bytes(text) ^ 0x3030_3030_3030_3030;
    if (ones | ones.wrapping_add(0x7676_7676_7676_7676)) & 0x8080_8080_8080_8080 != 0 {
        return None;
    }
    let tens = (ones * 10 + (ones >> 8)) & 0x00ff_00ff_00ff_00ff;
    let hundreds = (tens * 100 + (tens >> 16)) & 0x0000_ffff_0000_ffff;
    Some((hundreds * 10_000 + (hundreds >> 32)) & 0xffff_ffff)
}

/// A reader over a text that is known to be UTF-8; `SETTING` says that the text is one to be set.
#[derive(Clone, Copy)]
pub(crate) struct Scanner<'a, const SETTING: bool = false> {
    text: &'a [u8],
    pub at: usize,
    stops: Stops,
}

impl<'a> Scanner<'a, true> {
    /// For text that a caller hands in.
    pub fn strict(text: &'a str) -> Self {
        Self { text: text.as_bytes(), at: 0, stops: Stops::default() }
    }
}

impl<'a> Scanner<'a, false> {
    /// For what another writer of sessions wrote.
    pub fn lenient(text: &'a str) -> Self {
        Self { text: text.as_bytes(), at: 0, stops: Stops::default() }
    }
}

impl<const SETTING: bool> Scanner<'_, SETTING> {
    const LEVELS: usize = if SETTING { LEVELS_ON_SETTING } else { LEVELS_ON_OPENING };

    /// The next byte, or 0 at the end (which is a byte that no rule expects).
    #[inline(always)]
    pub fn peek(&self) -> u8 {
        self.text.get(self.at).copied().unwrap_or(0)
    }

    #[cold]
    pub fn fault<T>(self, what: What) -> Result<T, Fault> {
        let what = if self.at >= self.text.len() { What::End } else { what };
        Err(Fault { what: what as u8, at: self.at as u32 })
    }

    /// Steps over white space; tells whether there was any.
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
    pub fn expect(&mut self, byte: u8, what: What) -> Result<(), Fault> {
        if self.peek() != byte {
            return self.fault(what);
        }
        self.at += 1;
        Ok(())
    }

    /// Nothing but white space may follow.
    pub fn end(&mut self) -> Result<(), Fault> {
        self.space();
        if self.at < self.text.len() {
            return self.fault(What::More);
        }
        Ok(())
    }

    /// Steps over one value, which begins at the next byte.
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

    /// Steps over a string, number or word; tells whether it was a number that is not finite.
    #[inline(always)]
    fn scalar(&mut self) -> Result<bool, Fault> {
        // The commonest first, by comparing: a jump by the byte is seldom foreseen.
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
                    return self.fault(What::TooDeep);
                }
                open.push(byte == b'{');
                self.at += 1;
                marks.loose |= self.space();
                // The closing bracket's code is the opening one's and 2.
                if self.peek() != byte + 2 {
                    if open.in_object {
                        marks.loose |= self.key()?;
                    }
                    continue;
                }
            } else {
                marks.not_finite |= self.scalar()?;
            }
            // A value, or the inside of an empty container, has been passed: close what closes here.
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
                    return self.fault(What::Comma);
                }
                self.at += 1;
                if open.pop() {
                    return Ok(marks);
                }
            }
        }
    }

    /// Steps over a key and its colon; tells whether there was white space.
    #[inline(always)]
    fn key(&mut self) -> Result<bool, Fault> {
        self.string()?;
        self.colon()
    }

    /// Steps over the colon after a key, to the value; tells whether there was white space.
    #[inline(always)]
    pub fn colon(&mut self) -> Result<bool, Fault> {
        // Most write nothing but the colon.
        if let Some([b':', next, ..]) = self.text.get(self.at..)
            && *next > b' '
        {
            self.at += 1;
            return Ok(false);
        }
        let before = self.space();
        self.expect(b':', What::Colon)?;
        Ok(self.space() | before)
    }

    /// Steps over a string.
    #[inline(always)]
    pub fn string(&mut self) -> Result<StringAt, Fault> {
        self.expect(b'"', What::Key)?;
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
                _ => return self.fault(What::Control),
            }
        }
    }

    /// Where the escape that begins here ends.
    #[cold]
    fn escape(self) -> Result<usize, Fault> {
        match self.text.get(self.at + 1) {
            Some(b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't') => Ok(self.at + 2),
            Some(b'u') => match self.text.get(self.at + 2..self.at + 6) {
                Some(digits) if digits.iter().all(u8::is_ascii_hexdigit) => Ok(self.at + 6),
                _ => self.fault(What::Unicode),
            },
            _ => self.fault(What::Escape),
        }
    }

    /// Steps over a number.
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
            _ => return self.fault(What::Digit),
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
            in_range(&self.text[start..self.at], start)?;
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
            return self.fault(What::Digit);
        }
        self.digits(value);
        Ok(())
    }

    /// Steps over what begins with neither quote nor digit: a word or a negative number. Tells whether it is not finite.
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
            return self.fault(What::Value);
        }
        self.at += length;
        Ok(not_finite)
    }
}

/// A fault if Python would not read back a number, which begins at byte `start`.
#[cold]
fn in_range(number: &[u8], start: usize) -> Result<(), Fault> {
    let text = || std::str::from_utf8(number).unwrap_or_default();
    let what = match number.iter().any(|byte| b".eE".contains(byte)) {
        true if text().parse().is_ok_and(f64::is_infinite) => What::InfiniteFloat,
        false if text().trim_start_matches('-').len() > MOST_DIGITS => What::LongInteger,
        _ => return Ok(()),
    };
    Err(Fault { what: what as u8, at: start as u32 })
}

/// The length of the word for a number that is not finite; 0 where there is none.
#[cold]
fn not_finite(text: &[u8]) -> usize {
    let words: [&[u8]; 3] = [b"NaN", b"Infinity", b"-Infinity"];
    words.iter().find(|word| text.starts_with(word)).map_or(0, |word| word.len())
}

/// Which of the open brackets are objects, a bit each; of the innermost, once more beside.
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

    /// Closes the innermost bracket; tells whether it was the last.
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
    fn a_short_number_is_the_double_that_std_reads() {
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
    fn digits_end_where_they_end() {
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
