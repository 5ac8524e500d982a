//! The tokens of a JSON text, with the information that must be known before the first of them is pickled.

use std::collections::HashMap;
use std::iter::Peekable;

use super::form::Form;
use crate::json::{self, Scanner};
use crate::sys::wiped::WipedBytes;

#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Bracket {
    List,
    Tuple,
    Dict,
}

#[derive(Clone, Copy)]
pub(super) enum Token {
    /// The beginning of a container of `count` items, including a dict's keys. `shared` is set if the same object
    /// appears again.
    Open { bracket: Bracket, count: usize, shared: bool },
    /// The end of the container that began at the token `open`.
    Close { open: usize },
    /// Another reference to the container that began at the token `open`.
    Again { open: usize },
    /// A string, as its number among the strings.
    Text(usize),
    /// A number or a word, at these bytes of the text.
    Scalar { start: usize, end: usize },
}

pub(super) struct Tokens {
    pub list: Vec<Token>,
    strings: Vec<StringToken>,
    unescaped: WipedBytes,
}

/// The position of a string's bytes: in the text or, if the string contains escapes, in [`Tokens::unescaped`].
struct StringToken {
    start: usize,
    end: usize,
    escaped: bool,
    is_bytes: bool,
}

impl Tokens {
    /// The tokens of a checked JSON text, given the forms of its values.
    pub fn of(json: &str, forms: &[(usize, Form)]) -> Self {
        let mut tokens = Self { list: Vec::new(), strings: Vec::new(), unescaped: WipedBytes::default() };
        let mut scanner = Scanner::lenient(json);
        let mut forms = forms.iter().copied().peekable();
        let mut open: Vec<usize> = Vec::new();
        // The first token of each shared container.
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
                    let noted = ValueForms::at(start, &mut forms);
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
                json::push_characters(inside, &mut self.unescaped);
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

/// The strings of a text without duplicates.
pub(super) struct Texts<'a> {
    list: Vec<Text<'a>>,
    /// For each string of the text, its index in `list`.
    numbers: Vec<usize>,
}

impl<'a> Texts<'a> {
    /// The value of the string with a number.
    pub fn of(&mut self, string: usize) -> &mut Text<'a> {
        &mut self.list[self.numbers[string]]
    }
}

/// Bytes, or a str in Python's UTF-8, in which a lone surrogate has three bytes.
pub(super) struct Text<'a> {
    pub bytes: &'a [u8],
    pub is_bytes: bool,
    /// How often it occurs.
    pub count: usize,
    /// Its index in the memo, once it is there.
    pub place: Option<usize>,
}

/// The forms of one value.
#[derive(Default)]
struct ValueForms {
    is_tuple: bool,
    is_bytes: bool,
    shared: Option<usize>,
}

impl ValueForms {
    /// Takes the forms of the value that begins at byte `start`.
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
