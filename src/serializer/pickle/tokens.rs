//! A JSON text as tokens, with all that must be known before the first of them is pickled.

use std::collections::HashMap;
use std::iter::Peekable;

use super::origin::Form;
use crate::json::{self, Scanner};
use crate::wiped::WipedBytes;

#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Bracket {
    List,
    Tuple,
    Dict,
}

#[derive(Clone, Copy)]
pub(super) enum Token {
    /// A container of `count` items, a dict's keys among them. `shared` if the same object is there again.
    Open { bracket: Bracket, count: usize, shared: bool },
    /// The end of the container that began at the token `open`.
    Close { open: usize },
    /// The container that began at the token `open`, again.
    Again { open: usize },
    /// The string of this number.
    Text(usize),
    /// A number or a word, at these bytes of the text.
    Scalar { start: usize, end: usize },
}

pub(super) struct Tokens {
    pub list: Vec<Token>,
    strings: Vec<StringToken>,
    unescaped: WipedBytes,
}

/// Where a string's bytes are: in the text or, if it is escaped there, in [`Tokens::unescaped`].
struct StringToken {
    start: usize,
    end: usize,
    escaped: bool,
    is_bytes: bool,
}

impl Tokens {
    /// The tokens of a JSON text that has been checked, whose values have these forms.
    pub fn of(json: &str, forms: &[(usize, Form)]) -> Self {
        let mut tokens = Self { list: Vec::new(), strings: Vec::new(), unescaped: WipedBytes::default() };
        let mut scanner = Scanner::lenient(json);
        let mut forms = forms.iter().copied().peekable();
        let mut open: Vec<usize> = Vec::new();
        // Where each shared container began first.
        let mut shared: HashMap<usize, usize> = HashMap::new();
        while scanner.at < json.len() {
            let start = scanner.at;
            match scanner.peek() {
                b' ' | b'\t' | b'\n' | b'\r' | b',' | b':' => scanner.at += 1,
                b']' | b'}' => {
                    scanner.at += 1;
                    tokens.list.extend(open.pop().map(|open| Token::Close { open }));
                }
                byte => {
                    if let Some(Token::Open { count, .. }) = open.last().map(|open| &mut tokens.list[*open]) {
                        *count += 1;
                    }
                    let noted = Noted::at(start, &mut forms);
                    let index = tokens.list.len();
                    let first = noted.shared.map_or(index, |number| *shared.entry(number).or_insert(index));
                    if first != index {
                        tokens.again(first);
                        skip(&mut scanner);
                        while forms.next_if(|(at, _)| *at < scanner.at).is_some() {}
                    } else if matches!(byte, b'[' | b'{') {
                        scanner.at += 1;
                        open.push(index);
                        let bracket = noted.bracket(byte);
                        tokens.list.push(Token::Open { bracket, count: 0, shared: false });
                    } else {
                        skip(&mut scanner);
                        tokens.scalar(json, start, scanner.at, noted.is_bytes);
                    }
                }
            }
        }
        tokens
    }

    fn again(&mut self, open: usize) {
        if let Token::Open { shared, .. } = &mut self.list[open] {
            *shared = true;
        }
        self.list.push(Token::Again { open });
    }

    fn scalar(&mut self, json: &str, start: usize, end: usize, is_bytes: bool) {
        let Some(inside) = json[start..end].strip_prefix('"').and_then(|string| string.strip_suffix('"')) else {
            self.list.push(Token::Scalar { start, end });
            return;
        };
        let escaped = inside.contains('\\');
        let (start, end) = match escaped {
            true => {
                let start = self.unescaped.len();
                json::code_points(inside).for_each(|point| push_point(point, &mut self.unescaped));
                (start, self.unescaped.len())
            }
            false => (start + 1, end - 1),
        };
        self.list.push(Token::Text(self.strings.len()));
        self.strings.push(StringToken { start, end, escaped, is_bytes });
    }

    pub fn texts<'a>(&'a self, json: &'a str) -> Texts<'a> {
        let mut texts = Texts { list: Vec::new(), numbers: Vec::with_capacity(self.strings.len()) };
        let mut known = HashMap::new();
        for &StringToken { start, end, escaped, is_bytes } in &self.strings {
            let bytes = if escaped { &self.unescaped[start..end] } else { &json.as_bytes()[start..end] };
            let number = *known.entry((is_bytes, bytes)).or_insert(texts.list.len());
            match texts.list.get_mut(number) {
                Some(text) => text.count += 1,
                None => texts.list.push(Text { bytes, is_bytes, count: 1, place: None }),
            }
            texts.numbers.push(number);
        }
        texts
    }
}

/// The strings of a text, each value once.
pub(super) struct Texts<'a> {
    list: Vec<Text<'a>>,
    /// Which of them each string is.
    numbers: Vec<usize>,
}

impl<'a> Texts<'a> {
    /// The value of the string of a number.
    pub fn of(&mut self, string: usize) -> &mut Text<'a> {
        &mut self.list[self.numbers[string]]
    }
}

/// A str in Python's UTF-8, in which a lone surrogate has three bytes; or bytes.
pub(super) struct Text<'a> {
    pub bytes: &'a [u8],
    pub is_bytes: bool,
    /// How often it is there.
    pub count: usize,
    /// Where it is in the memo.
    pub place: Option<usize>,
}

/// What the forms say of a value.
#[derive(Default)]
struct Noted {
    is_tuple: bool,
    is_bytes: bool,
    shared: Option<usize>,
}

impl Noted {
    /// Takes the forms of the value that begins at a byte.
    fn at(start: usize, forms: &mut Peekable<impl Iterator<Item = (usize, Form)>>) -> Self {
        let mut noted = Self::default();
        while let Some((_, form)) = forms.next_if(|(at, _)| *at == start) {
            match form {
                Form::Tuple => noted.is_tuple = true,
                Form::Bytes => noted.is_bytes = true,
                Form::Shared(number) => noted.shared = Some(number),
            }
        }
        noted
    }

    fn bracket(&self, byte: u8) -> Bracket {
        match byte {
            b'{' => Bracket::Dict,
            _ if self.is_tuple => Bracket::Tuple,
            _ => Bracket::List,
        }
    }
}

fn skip(scanner: &mut Scanner<'_>) {
    scanner.value().expect("the text has been checked");
}

fn push_point(point: u32, out: &mut WipedBytes) {
    match char::from_u32(point) {
        Some(character) => out.add(character.encode_utf8(&mut [0; 4]).as_bytes()),
        None => out.add(&[0xe0 | (point >> 12) as u8, 0x80 | (point >> 6 & 0x3f) as u8, 0x80 | (point & 0x3f) as u8]),
    }
}
