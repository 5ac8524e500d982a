//! The pickle machine, for opcodes that make data.

use std::collections::HashMap;

use zeroize::Zeroizing;

use super::{MOST_DIGITS, integer};
use crate::json::{self, LEVELS_ON_OPENING};
use crate::load::Refusal;
use crate::wiped::{WipedBytes, WipedText};

/// Bytes of JSON that a pickle may unfold to, or eight times its own length if that is more.
const MOST_JSON: usize = 1 << 20;

/// A place in [`Machine::nodes`].
type Id = usize;

enum Node {
    /// A scalar: its JSON stands at these bytes of [`Machine::scalars`].
    Scalar {
        start: usize,
        end: usize,
        is_str: bool,
    },
    List(Vec<Id>),
    /// A tuple, which is a list that does not change.
    Tuple(Vec<Id>),
    Dict(Vec<(Id, Id)>),
}

struct Machine<'p> {
    rest: &'p [u8],
    nodes: Vec<Node>,
    scalars: WipedBytes,
    stack: Vec<Id>,
    /// Heights of the stack at which marks stand.
    marks: Vec<usize>,
    memo: HashMap<usize, Id>,
}

/// The JSON text of a pickle's data.
pub(crate) fn to_json(pickle: &[u8]) -> Result<WipedText, Refusal> {
    let mut machine = Machine {
        rest: pickle,
        nodes: Vec::new(),
        scalars: WipedBytes::with_capacity(4 * pickle.len()),
        stack: Vec::new(),
        marks: Vec::new(),
        memo: HashMap::new(),
    };
    let root = machine.run()?;
    let json = machine.write(root, MOST_JSON.max(8 * pickle.len()))?;
    json.into_text().ok_or_else(|| broken("its text is not UTF-8"))
}

fn broken(what: &str) -> Refusal {
    Refusal::malformed(format!("the payload is not a pickle of data: {what}; compare serializer with its writer's"))
}

fn refused(what: &str) -> Refusal {
    Refusal::unsupported(format!("the payload is a pickle that is more than data: {what}"))
}

fn truncated() -> Refusal {
    broken("it ends too early")
}

impl<'p> Machine<'p> {
    fn run(&mut self) -> Result<Id, Refusal> {
        loop {
            let opcode = self.byte()?;
            match opcode {
                b'.' => break,
                0x80 => {
                    if self.byte()? > 5 {
                        return Err(refused("its protocol is later than 5"));
                    }
                }
                0x95 => self.frame()?,
                b'(' => self.marks.push(self.stack.len()),
                b'0' => self.pop_one()?,
                b'1' => drop(self.take_marked()?),
                b'2' => self.stack.push(self.top()?),
                b'p' | b'q' | b'r' | 0x94 => self.memoize(opcode)?,
                b'g' | b'h' | b'j' => self.recall(opcode)?,
                b']' | b'l' | b'a' | b'e' | b')' | b't' | 0x85..=0x87 => self.sequence(opcode)?,
                b'}' | b'd' | b's' | b'u' => self.mapping(opcode)?,
                b'N' => self.word("null"),
                0x88 => self.word("true"),
                0x89 => self.word("false"),
                b'I' | b'L' | b'J' | b'K' | b'M' | 0x8a | 0x8b => self.integer(opcode)?,
                b'F' | b'G' => self.float(opcode)?,
                b'V' | b'X' | 0x8c | 0x8d | b'S' | b'T' | b'U' | b'B' | b'C' | 0x8e => self.string(opcode)?,
                _ => return Err(refusal_of(opcode)),
            }
        }
        if !self.rest.is_empty() {
            return Err(broken("something follows its end"));
        }
        match (&self.stack[..], &self.marks[..]) {
            (&[root], []) => Ok(root),
            _ => Err(broken("it does not end with one value")),
        }
    }

    fn take(&mut self, count: usize) -> Result<&'p [u8], Refusal> {
        let (taken, rest) = self.rest.split_at_checked(count).ok_or_else(truncated)?;
        self.rest = rest;
        Ok(taken)
    }

    fn byte(&mut self) -> Result<u8, Refusal> {
        Ok(self.take(1)?[0])
    }

    /// An unsigned little-endian number of up to eight bytes.
    fn number(&mut self, bytes: usize) -> Result<usize, Refusal> {
        let mut number = [0; 8];
        number[..bytes].copy_from_slice(self.take(bytes)?);
        usize::try_from(u64::from_le_bytes(number)).map_err(|_| truncated())
    }

    /// What stands behind its length, a number of so many bytes.
    fn counted(&mut self, bytes: usize) -> Result<&'p [u8], Refusal> {
        let length = self.number(bytes)?;
        self.take(length)
    }

    /// A frame is no more than how Python reads a file; but all of it must be there.
    fn frame(&mut self) -> Result<(), Refusal> {
        let length = self.number(8)?;
        if length > self.rest.len() { Err(truncated()) } else { Ok(()) }
    }

    fn line(&mut self) -> Result<&'p [u8], Refusal> {
        let end = memchr::memchr(b'\n', self.rest).ok_or_else(truncated)?;
        let line = &self.rest[..end];
        self.rest = &self.rest[end + 1..];
        Ok(line)
    }

    fn line_text(&mut self) -> Result<&'p str, Refusal> {
        std::str::from_utf8(self.line()?).map_err(|_| broken("a line is not ASCII"))
    }

    fn top(&self) -> Result<Id, Refusal> {
        let floor = self.marks.last().copied().unwrap_or(0);
        self.stack[floor..].last().copied().ok_or_else(|| broken("its stack is empty"))
    }

    fn pop(&mut self) -> Result<Id, Refusal> {
        let top = self.top()?;
        self.stack.pop();
        Ok(top)
    }

    /// `POP` takes a mark off where that is what lies on top.
    fn pop_one(&mut self) -> Result<(), Refusal> {
        match self.marks.last() {
            Some(&floor) if floor == self.stack.len() => drop(self.marks.pop()),
            _ => drop(self.pop()?),
        }
        Ok(())
    }

    /// What lies above the last mark.
    fn take_marked(&mut self) -> Result<Vec<Id>, Refusal> {
        let floor = self.marks.pop().ok_or_else(|| broken("a mark is missing"))?;
        Ok(self.stack.split_off(floor))
    }

    fn push(&mut self, node: Node) {
        self.nodes.push(node);
        self.stack.push(self.nodes.len() - 1);
    }

    fn push_scalar(&mut self, start: usize, is_str: bool) {
        self.push(Node::Scalar { start, end: self.scalars.len(), is_str });
    }

    fn word(&mut self, json: &str) {
        let start = self.scalars.len();
        self.scalars.add(json.as_bytes());
        self.push_scalar(start, false);
    }

    fn memoize(&mut self, opcode: u8) -> Result<(), Refusal> {
        let index = match opcode {
            b'p' => self.index_line()?,
            b'q' => self.number(1)?,
            b'r' => self.number(4)?,
            _ => self.memo.len(),
        };
        let top = self.top()?;
        self.memo.insert(index, top);
        Ok(())
    }

    fn recall(&mut self, opcode: u8) -> Result<(), Refusal> {
        let index = match opcode {
            b'g' => self.index_line()?,
            b'h' => self.number(1)?,
            _ => self.number(4)?,
        };
        let id = self.memo.get(&index).ok_or_else(|| broken("it refers to what is not in its memo"))?;
        self.stack.push(*id);
        Ok(())
    }

    fn index_line(&mut self) -> Result<usize, Refusal> {
        self.line_text()?.parse().map_err(|_| broken("a memo index is not a number"))
    }

    fn sequence(&mut self, opcode: u8) -> Result<(), Refusal> {
        let node = match opcode {
            b']' => Node::List(Vec::new()),
            b'l' => Node::List(self.take_marked()?),
            b')' => Node::Tuple(Vec::new()),
            b't' => Node::Tuple(self.take_marked()?),
            0x85..=0x87 => {
                let mut items = Vec::new();
                for _ in 0x84..opcode {
                    items.insert(0, self.pop()?);
                }
                Node::Tuple(items)
            }
            _ => {
                let items = if opcode == b'a' { vec![self.pop()?] } else { self.take_marked()? };
                let top = self.top()?;
                let Node::List(list) = &mut self.nodes[top] else {
                    return Err(broken("it appends to what is no list"));
                };
                list.extend(items);
                return Ok(());
            }
        };
        self.push(node);
        Ok(())
    }

    fn mapping(&mut self, opcode: u8) -> Result<(), Refusal> {
        let items = match opcode {
            b'}' => Vec::new(),
            b's' => {
                let value = self.pop()?;
                vec![self.pop()?, value]
            }
            _ => self.take_marked()?,
        };
        let (pairs, rest) = items.as_chunks::<2>();
        if !rest.is_empty() {
            return Err(broken("a dict's items are odd in number"));
        }
        let is_str = |&[key, _]: &[Id; 2]| matches!(self.nodes[key], Node::Scalar { is_str: true, .. });
        if !pairs.iter().all(is_str) {
            return Err(refused("a dict has a key that is not a str"));
        }
        let pairs = pairs.iter().map(|&[key, value]| (key, value));
        if matches!(opcode, b'}' | b'd') {
            let dict = Node::Dict(pairs.collect());
            self.push(dict);
            return Ok(());
        }
        let top = self.top()?;
        let Node::Dict(dict) = &mut self.nodes[top] else {
            return Err(broken("it sets items of what is no dict"));
        };
        dict.extend(pairs);
        Ok(())
    }

    fn integer(&mut self, opcode: u8) -> Result<(), Refusal> {
        let digits = match opcode {
            b'J' => Zeroizing::new(i32::from_le_bytes(self.take(4)?.try_into().map_err(|_| truncated())?).to_string()),
            b'K' => Zeroizing::new(self.number(1)?.to_string()),
            b'M' => Zeroizing::new(self.number(2)?.to_string()),
            0x8a | 0x8b => {
                let bytes = self.counted(if opcode == 0x8a { 1 } else { 4 })?;
                // log10(256) digits a byte
                if bytes.len() > MOST_DIGITS / 2 {
                    return Err(refused("an integer of more than 4,300 digits"));
                }
                integer::to_decimal(bytes)
            }
            _ => match (opcode, self.line_text()?) {
                (b'I', bit @ ("00" | "01")) => {
                    self.word(if bit == "01" { "true" } else { "false" });
                    return Ok(());
                }
                (b'L', line) => Zeroizing::new(line.strip_suffix('L').unwrap_or(line).to_owned()),
                (_, line) => Zeroizing::new(line.to_owned()),
            },
        };
        let unsigned = digits.strip_prefix('-').unwrap_or(&digits);
        if unsigned.len() > MOST_DIGITS {
            return Err(refused("an integer of more than 4,300 digits"));
        }
        let canonical = !unsigned.starts_with('0') || unsigned == "0";
        if unsigned.is_empty() || !canonical || !unsigned.bytes().all(|byte| byte.is_ascii_digit()) {
            return Err(broken("an integer is not written in decimal"));
        }
        self.word(&digits);
        Ok(())
    }

    fn float(&mut self, opcode: u8) -> Result<(), Refusal> {
        let number: f64 = if opcode == b'G' {
            f64::from_be_bytes(self.take(8)?.try_into().map_err(|_| truncated())?)
        } else {
            self.line_text()?.parse().map_err(|_| broken("a float is not a number"))?
        };
        let text = Zeroizing::new(match number {
            f64::INFINITY => "Infinity".to_owned(),
            f64::NEG_INFINITY => "-Infinity".to_owned(),
            _ => format!("{number:?}"),
        });
        self.word(&text);
        Ok(())
    }

    fn string(&mut self, opcode: u8) -> Result<(), Refusal> {
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
            b'T' | b'U' if !bytes.is_ascii() => return Err(not_ascii()),
            b'B' | b'C' | 0x8e => {
                let text = std::str::from_utf8(bytes).map_err(|_| refused("bytes that are not UTF-8"))?;
                self.text(text);
            }
            _ => self.surrogatepass(bytes)?,
        }
        self.scalars.add(b"\"");
        self.push_scalar(start, !matches!(opcode, b'B' | b'C' | 0x8e));
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
            None if point < 0x10000 => self.scalars.add(format!("\\u{point:04x}").as_bytes()),
            None => return Err(broken("a character beyond Unicode")),
        }
        Ok(())
    }

    /// UTF-8 in which a lone surrogate has three bytes, as Python writes it.
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

    /// Protocol 0's `str`: latin-1 with `\uXXXX` and `\UXXXXXXXX`.
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

    /// Python 2's `str` of protocol 0: a literal in quotes, which Python 3 reads as ASCII.
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
                return Err(not_ascii());
            }
            self.code_point(point)?;
            rest = &rest[length..];
        }
        Ok(())
    }

    /// The JSON text of a node and all that it holds, in at most `most` bytes.
    fn write(&self, root: Id, most: usize) -> Result<WipedBytes, Refusal> {
        let mut out = WipedBytes::with_capacity(self.scalars.len() + 4 * self.nodes.len());
        let mut open: Vec<(Id, usize)> = Vec::new();
        let mut next = Some(root);
        loop {
            if let Some(id) = next.take() {
                match &self.nodes[id] {
                    Node::Scalar { start, end, .. } => out.add(&self.scalars[*start..*end]),
                    _ if open.len() > 1 + LEVELS_ON_OPENING => {
                        return Err(refused("it nests deeper than 1,000 levels"));
                    }
                    node => {
                        out.add(&[if matches!(node, Node::Dict(_)) { b'{' } else { b'[' }]);
                        open.push((id, 0));
                    }
                }
            }
            if out.len() > most {
                return Err(refused("its memo unfolds to more than 1 MiB"));
            }
            let Some((id, index)) = open.last_mut() else { return Ok(out) };
            let (key, value, end) = match &self.nodes[*id] {
                Node::Dict(pairs) => (pairs.get(*index).map(|pair| pair.0), pairs.get(*index).map(|pair| pair.1), b'}'),
                Node::List(items) | Node::Tuple(items) => (None, items.get(*index).copied(), b']'),
                Node::Scalar { .. } => unreachable!("only containers are open"),
            };
            if value.is_none() {
                out.add(&[end]);
                open.pop();
                continue;
            }
            if *index > 0 {
                out.add(b",");
            }
            *index += 1;
            next = value;
            if let Some(Node::Scalar { start, end, .. }) = key.map(|key| &self.nodes[key]) {
                out.add(&self.scalars[*start..*end]);
                out.add(b":");
            }
        }
    }
}

fn not_ascii() -> Refusal {
    refused("a Python 2 str that is not ASCII")
}

/// Why an opcode that makes no data is refused.
fn refusal_of(opcode: u8) -> Refusal {
    let what = match opcode {
        b'c' => "GLOBAL names a class or a function",
        0x93 => "STACK_GLOBAL names a class or a function",
        b'i' => "INST makes an object of a class",
        b'o' => "OBJ makes an object of a class",
        0x81 => "NEWOBJ makes an object of a class",
        0x92 => "NEWOBJ_EX makes an object of a class",
        b'R' => "REDUCE calls a function",
        b'b' => "BUILD sets an object's state",
        0x82 => "EXT1 names an extension",
        0x83 => "EXT2 names an extension",
        0x84 => "EXT4 names an extension",
        b'P' => "PERSID names an object outside",
        b'Q' => "BINPERSID names an object outside",
        0x8f => "EMPTY_SET makes a set",
        0x90 => "ADDITEMS makes a set",
        0x91 => "FROZENSET makes a set",
        0x96 => "BYTEARRAY8 makes a bytearray",
        0x97 => "NEXT_BUFFER asks for a buffer outside",
        0x98 => "READONLY_BUFFER asks for a buffer outside",
        _ => return broken("an unknown opcode"),
    };
    refused(what)
}
