//! JSON as text: one scanner that checks it and says where its parts stand, and the few things that are done
//! with a part afterwards (unescape, escape, compact).
//!
//! Strict RFC 8259, with one addition where it is asked for: `NaN`, `Infinity` and `-Infinity`, which Python's
//! json module writes. Nothing recurses, so depth costs no stack.

/// Levels of nesting that Python's json reads back, and so the most that a value set here may have.
pub(crate) const LEVELS_ON_SETTING: usize = 500;
/// Levels of nesting of a value that is accepted on opening.
pub(crate) const LEVELS_ON_OPENING: usize = 1000;

/// What is wrong with a text, and at which byte.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("{what} at byte {at}")]
pub struct Fault {
    what: &'static str,
    at: usize,
}

const TOO_DEEP: &str = "it is nested too deep";

impl Fault {
    pub(crate) fn is_too_deep(&self) -> bool {
        self.what == TOO_DEEP
    }
}

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

/// A reader over a text that is known to be UTF-8.
pub(crate) struct Scanner<'a> {
    text: &'a [u8],
    pub at: usize,
    levels: usize,
    not_finite_allowed: bool,
}

impl<'a> Scanner<'a> {
    /// For text that a caller hands in.
    pub fn strict(text: &'a str) -> Self {
        Self { text: text.as_bytes(), at: 0, levels: LEVELS_ON_SETTING, not_finite_allowed: false }
    }

    /// For what another writer of sessions wrote.
    pub fn lenient(text: &'a str) -> Self {
        Self { text: text.as_bytes(), at: 0, levels: LEVELS_ON_OPENING, not_finite_allowed: true }
    }

    /// The next byte, or 0 at the end (which is a byte that no rule expects).
    #[inline(always)]
    pub fn peek(&self) -> u8 {
        self.text.get(self.at).copied().unwrap_or(0)
    }

    pub fn fault<T>(&self, what: &'static str) -> Result<T, Fault> {
        let what = if self.at >= self.text.len() { "it ends too early" } else { what };
        Err(Fault { what, at: self.at })
    }

    /// Steps over white space; tells whether there was any.
    #[inline(always)]
    pub fn space(&mut self) -> bool {
        let start = self.at;
        while matches!(self.peek(), b' ' | b'\t' | b'\n' | b'\r') {
            self.at += 1;
        }
        self.at != start
    }

    #[inline(always)]
    pub fn expect(&mut self, byte: u8, what: &'static str) -> Result<(), Fault> {
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
            return self.fault("more follows the value");
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
        match self.peek() {
            b'"' => self.string().map(|_| false),
            b'-' if self.text.get(self.at + 1) == Some(&b'I') => {
                self.at += 1;
                self.word(b"Infinity", true)
            }
            b'-' | b'0'..=b'9' => self.number().map(|()| false),
            b't' => self.word(b"true", false),
            b'f' => self.word(b"false", false),
            b'n' => self.word(b"null", false),
            b'N' => self.word(b"NaN", true),
            b'I' => self.word(b"Infinity", true),
            _ => self.fault("a value was expected"),
        }
    }

    #[cold]
    fn container(&mut self) -> Result<Marks, Fault> {
        let mut marks = Marks::default();
        let mut open = Nesting::default();
        loop {
            match self.peek() {
                bracket @ (b'[' | b'{') => {
                    let is_object = bracket == b'{';
                    if open.depth == self.levels {
                        return self.fault(TOO_DEEP);
                    }
                    open.push(is_object);
                    self.at += 1;
                    marks.loose |= self.space();
                    if self.peek() != bracket + 2 {
                        if is_object {
                            self.key(&mut marks)?;
                        }
                        continue;
                    }
                }
                _ => marks.not_finite |= self.scalar()?,
            }
            // A value, or the inside of an empty container, has been passed: close what closes here.
            loop {
                if open.depth == 0 {
                    return Ok(marks);
                }
                marks.loose |= self.space();
                let is_object = open.is_object();
                match self.peek() {
                    b',' => {
                        self.at += 1;
                        marks.loose |= self.space();
                        if is_object {
                            self.key(&mut marks)?;
                        }
                        break;
                    }
                    b']' if !is_object => {}
                    b'}' if is_object => {}
                    _ => return self.fault("a comma or the closing bracket was expected"),
                }
                self.at += 1;
                open.depth -= 1;
                if open.depth == 0 {
                    return Ok(marks);
                }
            }
        }
    }

    fn key(&mut self, marks: &mut Marks) -> Result<(), Fault> {
        self.string()?;
        marks.loose |= self.colon()?;
        Ok(())
    }

    /// Steps over the colon after a key, to the value; tells whether there was white space.
    #[inline(always)]
    pub fn colon(&mut self) -> Result<bool, Fault> {
        let before = self.space();
        self.expect(b':', "a colon was expected")?;
        Ok(self.space() | before)
    }

    /// Steps over a string.
    #[inline(always)]
    pub fn string(&mut self) -> Result<StringAt, Fault> {
        self.expect(b'"', "a string was expected")?;
        let start = self.at;
        let mut escaped = false;
        loop {
            self.at = plain_run_end(self.text, self.at);
            match self.peek() {
                b'"' => {
                    let end = self.at;
                    self.at += 1;
                    return Ok(StringAt { start, end, escaped });
                }
                b'\\' => {
                    escaped = true;
                    self.escape()?;
                }
                _ => return self.fault("a control character in a string"),
            }
        }
    }

    fn escape(&mut self) -> Result<(), Fault> {
        match self.text.get(self.at + 1) {
            Some(b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't') => self.at += 2,
            Some(b'u') => match self.text.get(self.at + 2..self.at + 6) {
                Some(digits) if digits.iter().all(u8::is_ascii_hexdigit) => self.at += 6,
                _ => return self.fault("\\u without four hex digits"),
            },
            _ => return self.fault("a backslash before something that is no escape"),
        }
        Ok(())
    }

    /// Steps over a number.
    #[inline(always)]
    pub fn number(&mut self) -> Result<(), Fault> {
        if self.peek() == b'-' {
            self.at += 1;
        }
        match self.peek() {
            b'0' => self.at += 1,
            b'1'..=b'9' => self.digits(),
            _ => return self.fault("a digit was expected"),
        }
        if self.peek() == b'.' {
            self.at += 1;
            self.some_digits()?;
        }
        if matches!(self.peek(), b'e' | b'E') {
            self.at += 1;
            if matches!(self.peek(), b'+' | b'-') {
                self.at += 1;
            }
            self.some_digits()?;
        }
        Ok(())
    }

    fn digits(&mut self) {
        while self.peek().is_ascii_digit() {
            self.at += 1;
        }
    }

    fn some_digits(&mut self) -> Result<(), Fault> {
        if !self.peek().is_ascii_digit() {
            return self.fault("a digit was expected");
        }
        self.digits();
        Ok(())
    }

    fn word(&mut self, word: &[u8], not_finite: bool) -> Result<bool, Fault> {
        if !self.text[self.at..].starts_with(word) || (not_finite && !self.not_finite_allowed) {
            return self.fault("a value was expected");
        }
        self.at += word.len();
        Ok(not_finite)
    }
}

/// Which of the open brackets are objects, a bit each.
#[derive(Default)]
struct Nesting {
    objects: [u64; LEVELS_ON_OPENING.div_ceil(64)],
    depth: usize,
}

impl Nesting {
    fn push(&mut self, is_object: bool) {
        let (word, bit) = (self.depth / 64, self.depth % 64);
        self.objects[word] = self.objects[word] & !(1 << bit) | u64::from(is_object) << bit;
        self.depth += 1;
    }

    fn is_object(&self) -> bool {
        let innermost = self.depth - 1;
        self.objects[innermost / 64] >> (innermost % 64) & 1 == 1
    }
}

/// Where the next quote, backslash or control character stands, from `at` on; eight bytes a step.
#[inline(always)]
fn plain_run_end(text: &[u8], mut at: usize) -> usize {
    const ONES: u64 = u64::from_ne_bytes([1; 8]);
    const HIGH: u64 = ONES << 7;
    // Marks the high bit of each zero byte; only the lowest mark is sure, and only that one is used.
    let zero_bytes = |word: u64| word.wrapping_sub(ONES) & !word & HIGH;
    while let Some(chunk) = text.get(at..).and_then(<[u8]>::first_chunk::<8>) {
        let word = u64::from_le_bytes(*chunk);
        let found = zero_bytes(word ^ (ONES * b'"' as u64))
            | zero_bytes(word ^ (ONES * b'\\' as u64))
            | word.wrapping_sub(ONES * 0x20) & !word & HIGH;
        if found != 0 {
            return at + found.trailing_zeros() as usize / 8;
        }
        at += 8;
    }
    while text.get(at).is_some_and(|byte| !matches!(byte, b'"' | b'\\' | 0..0x20)) {
        at += 1;
    }
    at
}

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
pub(crate) fn members(
    scanner: &mut Scanner<'_>,
    mut member: impl FnMut(StringAt, usize, usize, Marks),
) -> Result<(), Fault> {
    scanner.expect(b'{', "an object was expected")?;
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
            _ => return scanner.fault("a comma or the closing bracket was expected"),
        }
        scanner.space();
    }
}

/// The elements of an array whose text has been checked.
pub(crate) fn elements(array: &str) -> impl Iterator<Item = &str> {
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
        Some(&array[start..scanner.at])
    })
}

/// Appends the value without the white space between its parts.
pub(crate) fn compact(value: &str, out: &mut String) {
    let mut rest = value;
    while let Some(at) = rest.find(['"', ' ', '\t', '\n', '\r']) {
        let (before, from) = rest.split_at(at);
        out.push_str(before);
        if from.starts_with('"') {
            let mut scanner = Scanner::lenient(from);
            let end = scanner.string().map_or(from.len(), |string| string.end + 1);
            out.push_str(&from[..end]);
            rest = &from[end..];
        } else {
            rest = &from[1..];
        }
    }
    out.push_str(rest);
}

/// Appends the value with `null` for every number that is not finite.
pub(crate) fn finite(value: &str, out: &mut String) {
    let mut rest = value;
    while let Some(at) = rest.find(['"', 'N', 'I']) {
        let (before, from) = rest.split_at(at);
        out.push_str(before.strip_suffix('-').filter(|_| from.starts_with('I')).unwrap_or(before));
        let end = match from.as_bytes()[0] {
            b'"' => {
                let mut scanner = Scanner::lenient(from);
                let end = scanner.string().map_or(from.len(), |string| string.end + 1);
                out.push_str(&from[..end]);
                end
            }
            first => {
                out.push_str("null");
                if first == b'N' { "NaN".len() } else { "Infinity".len() }
            }
        };
        rest = &from[end..];
    }
    out.push_str(rest);
}

/// How many bytes [`escape`] writes for a text.
pub(crate) fn escaped_len(text: &str) -> usize {
    let length = |byte: &u8| match byte {
        b'"' | b'\\' | b'\n' | b'\r' | b'\t' | 0x08 | 0x0c => 2,
        0..0x20 => 6,
        _ => 1,
    };
    text.as_bytes().iter().map(length).sum()
}

/// Appends `text` as it stands between a JSON string's quotes: what must be escaped is, nothing else.
pub(crate) fn escape(text: &str, out: &mut String) {
    let mut rest = text;
    loop {
        let (plain, from) = rest.split_at(plain_run_end(rest.as_bytes(), 0));
        out.push_str(plain);
        let Some(&byte) = from.as_bytes().first() else { return };
        match byte {
            b'"' => out.push_str("\\\""),
            b'\\' => out.push_str("\\\\"),
            b'\n' => out.push_str("\\n"),
            b'\r' => out.push_str("\\r"),
            b'\t' => out.push_str("\\t"),
            0x08 => out.push_str("\\b"),
            0x0c => out.push_str("\\f"),
            _ => {
                const HEX: &[u8; 16] = b"0123456789abcdef";
                out.push_str("\\u00");
                out.push(HEX[usize::from(byte >> 4)] as char);
                out.push(HEX[usize::from(byte & 15)] as char);
            }
        }
        rest = &from[1..];
    }
}

/// The characters of a string as numbers, unescaped. A lone surrogate, which no text can hold, stands for itself.
pub(crate) fn code_points(inside: &str) -> impl Iterator<Item = u32> {
    let mut rest = inside;
    std::iter::from_fn(move || {
        let first = rest.chars().next()?;
        let (point, length) = if first == '\\' { escaped_point(rest) } else { (first.into(), first.len_utf8()) };
        rest = &rest[length..];
        Some(point)
    })
}

/// The character that an escape stands for, and the escape's length.
fn escaped_point(text: &str) -> (u32, usize) {
    let short = match text.as_bytes()[1] {
        b'u' => {
            let first = code_unit(text).unwrap_or_default();
            return match code_unit(&text[6..]) {
                Some(second @ 0xdc00..0xe000) if (0xd800..0xdc00).contains(&first) => {
                    (0x10000 + ((first - 0xd800) << 10) + (second - 0xdc00), 12)
                }
                _ => (first, 6),
            };
        }
        b'b' => 0x08,
        b'f' => 0x0c,
        b'n' => b'\n',
        b'r' => b'\r',
        b't' => b'\t',
        same => same,
    };
    (short.into(), 2)
}

fn code_unit(text: &str) -> Option<u32> {
    u32::from_str_radix(text.strip_prefix("\\u")?.get(..4)?, 16).ok()
}

/// Whether a string holds no lone surrogate, so that UTF-8 can write it.
pub(crate) fn is_text(inside: &str) -> bool {
    code_points(inside).all(|point| char::from_u32(point).is_some())
}

/// Appends a string's text; where `lone_surrogate` is `None`, stops at one and returns false.
pub(crate) fn unescape(inside: &str, lone_surrogate: Option<char>, out: &mut String) -> bool {
    for point in code_points(inside) {
        match char::from_u32(point).or(lone_surrogate) {
            Some(character) => out.push(character),
            None => return false,
        }
    }
    true
}
