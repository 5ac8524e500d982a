//! The pickle machine, which turns opcodes into nodes. It executes nothing. An opcode that stands for more than data
//! becomes an obstacle.

use std::collections::HashMap;
use std::ops::Range;

use zeroize::Zeroizing;

use super::integer;
use super::origin::Time;
use super::refusal::{broken, refused};
use crate::json::MOST_DIGITS;
use crate::load::Refusal;
use crate::sys::wiped::WipedBytes;

/// An index into [`Machine::nodes`].
pub(super) type Id = usize;

pub(super) enum Node {
    /// A scalar, whose JSON text is at these bytes of [`Machine::scalars`].
    Scalar {
        start: usize,
        end: usize,
        kind: Scalar,
    },
    List(Vec<Id>),
    Tuple(Vec<Id>),
    Dict(Vec<(Id, Id)>),
    /// A value that a session cannot contain, with a name for the error message.
    Obstacle(Box<str>),
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Scalar {
    /// A number, or None, True or False.
    Word,
    Str,
    Bytes,
}

pub(super) struct Machine<'p> {
    length: usize,
    rest: &'p [u8],
    pub nodes: Vec<Node>,
    pub scalars: WipedBytes,
    stack: Vec<Id>,
    /// The heights of the stack at which there are marks.
    marks: Vec<usize>,
    memo: HashMap<usize, Id>,
    pub protocol: u8,
    /// The first obstacle.
    pub obstacle: Option<Id>,
    /// The reason why the string that is being read is an obstacle, if it is one.
    pub(super) flaw: Option<&'static str>,
    /// The position in `scalars` at which the last high surrogate ends.
    pub(super) high_surrogate: Option<usize>,
    first: First,
}

/// The opcode of the first value, which is a session's `renewed` in the pickles that Python writes.
#[derive(Default)]
struct First {
    opcode: Option<Range<usize>>,
    /// Something else refers to the value, or may refer to it.
    is_shared: bool,
    /// The frames that began before it, each as the position of its length and the position of its end.
    frames: Vec<(usize, usize)>,
}

const TOO_MANY_DIGITS: &str = "an integer of more than 4,300 digits";

fn truncated() -> Refusal {
    broken("it ends too early")
}

impl<'p> Machine<'p> {
    /// Reads a pickle. Returns the machine with its nodes, and the id of the pickle's value.
    pub fn run(pickle: &'p [u8]) -> Result<(Self, Id), Refusal> {
        let mut machine = Self {
            length: pickle.len(),
            rest: pickle,
            nodes: Vec::new(),
            scalars: WipedBytes::with_capacity(4 * pickle.len()),
            stack: Vec::new(),
            marks: Vec::new(),
            memo: HashMap::new(),
            protocol: 0,
            obstacle: None,
            flaw: None,
            high_surrogate: None,
            first: First::default(),
        };
        match machine.root() {
            Ok(root) => Ok((machine, root)),
            // Python may be able to read a pickle that this machine cannot read after an obstacle.
            Err(refusal) => Err(machine.obstacle().map_or(refusal, refused)),
        }
    }

    fn root(&mut self) -> Result<Id, Refusal> {
        loop {
            let start = self.at();
            let opcode = self.byte()?;
            if opcode == b'.' {
                break;
            }
            self.step(opcode)?;
            if self.first.opcode.is_none() && !self.nodes.is_empty() {
                self.first.opcode = Some(start..self.at());
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

    fn step(&mut self, opcode: u8) -> Result<(), Refusal> {
        match opcode {
            0x80 => {
                self.protocol = self.protocol.max(self.byte()?);
                if self.protocol > 5 {
                    return Err(refused("its protocol is later than 5"));
                }
            }
            0x95 => self.frame()?,
            b'(' => self.marks.push(self.stack.len()),
            b'0' => self.pop_one()?,
            b'1' => drop(self.take_marked()?),
            b'2' => self.duplicate()?,
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
            _ => self.foreign(opcode)?,
        }
        Ok(())
    }

    fn at(&self) -> usize {
        self.length - self.rest.len()
    }

    /// The position of the first item of a tuple or list, if the item can be replaced without other changes to the
    /// pickle.
    pub fn first_of(&self, root: Id) -> Option<Time> {
        let (Node::Tuple(items) | Node::List(items)) = &self.nodes[root] else { return None };
        let opcode = self.first.opcode.clone()?;
        if items.first() != Some(&0) || self.first.is_shared || !matches!(self.nodes[0], Node::Scalar { .. }) {
            return None;
        }
        let frame = match self.first.frames[..] {
            [] => None,
            [(length, end)] if opcode.end <= end => Some(length),
            [(_, end)] if end <= opcode.start => None,
            _ => return None,
        };
        Some(Time { opcode, frame })
    }

    /// The name of the first obstacle.
    pub fn obstacle(&self) -> Option<&str> {
        match &self.nodes[self.obstacle?] {
            Node::Obstacle(name) => Some(name),
            _ => None,
        }
    }

    /// Pushes an obstacle.
    pub(super) fn obstruct(&mut self, name: impl Into<Box<str>>) {
        self.obstacle.get_or_insert(self.nodes.len());
        self.push(Node::Obstacle(name.into()));
    }

    pub(super) fn take(&mut self, count: usize) -> Result<&'p [u8], Refusal> {
        let (taken, rest) = self.rest.split_at_checked(count).ok_or_else(truncated)?;
        self.rest = rest;
        Ok(taken)
    }

    fn byte(&mut self) -> Result<u8, Refusal> {
        Ok(self.take(1)?[0])
    }

    /// An unsigned little-endian number of up to eight bytes.
    pub(super) fn number(&mut self, bytes: usize) -> Result<usize, Refusal> {
        let mut number = [0; 8];
        number[..bytes].copy_from_slice(self.take(bytes)?);
        usize::try_from(u64::from_le_bytes(number)).map_err(|_| truncated())
    }

    /// Takes a length, which is a number of `bytes` bytes, and then as many bytes as it says.
    pub(super) fn counted(&mut self, bytes: usize) -> Result<&'p [u8], Refusal> {
        let length = self.number(bytes)?;
        self.take(length)
    }

    /// Reads the beginning of a frame. Frames only help Python to read a file, but a frame must be complete.
    fn frame(&mut self) -> Result<(), Refusal> {
        let length = self.number(8)?;
        if length > self.rest.len() {
            return Err(truncated());
        }
        if self.nodes.is_empty() {
            self.first.frames.push((self.at() - 8, self.at() + length));
        }
        Ok(())
    }

    pub(super) fn line(&mut self) -> Result<&'p [u8], Refusal> {
        let end = memchr::memchr(b'\n', self.rest).ok_or_else(truncated)?;
        let line = &self.rest[..end];
        self.rest = &self.rest[end + 1..];
        Ok(line)
    }

    fn line_text(&mut self) -> Result<&'p str, Refusal> {
        std::str::from_utf8(self.line()?).map_err(|_| broken("a line is not ASCII"))
    }

    pub(super) fn top(&self) -> Result<Id, Refusal> {
        let floor = self.marks.last().copied().unwrap_or(0);
        self.stack[floor..].last().copied().ok_or_else(|| broken("its stack is empty"))
    }

    pub(super) fn pop(&mut self) -> Result<Id, Refusal> {
        let top = self.top()?;
        self.stack.pop();
        Ok(top)
    }

    /// `POP` removes the topmost value, or the topmost mark if there is no value above it.
    fn pop_one(&mut self) -> Result<(), Refusal> {
        match self.marks.last() {
            Some(&floor) if floor == self.stack.len() => drop(self.marks.pop()),
            _ => drop(self.pop()?),
        }
        Ok(())
    }

    /// Takes the values above the last mark, and the mark.
    pub(super) fn take_marked(&mut self) -> Result<Vec<Id>, Refusal> {
        let floor = self.marks.pop().ok_or_else(|| broken("a mark is missing"))?;
        Ok(self.stack.split_off(floor))
    }

    fn push(&mut self, node: Node) {
        self.nodes.push(node);
        self.stack.push(self.nodes.len() - 1);
    }

    pub(super) fn push_scalar(&mut self, start: usize, kind: Scalar) {
        self.push(Node::Scalar { start, end: self.scalars.len(), kind });
    }

    fn word(&mut self, json: &str) {
        let start = self.scalars.len();
        self.scalars.add(json.as_bytes());
        self.push_scalar(start, Scalar::Word);
    }

    fn duplicate(&mut self) -> Result<(), Refusal> {
        let top = self.top()?;
        self.first.is_shared |= top == 0;
        self.stack.push(top);
        Ok(())
    }

    fn memoize(&mut self, opcode: u8) -> Result<(), Refusal> {
        let index = match opcode {
            b'p' => self.index_line()?,
            b'q' => self.number(1)?,
            b'r' => self.number(4)?,
            _ => self.memo.len(),
        };
        let top = self.top()?;
        self.first.is_shared |= top == 0;
        self.memo.insert(index, top);
        Ok(())
    }

    fn recall(&mut self, opcode: u8) -> Result<(), Refusal> {
        let index = match opcode {
            b'g' => self.index_line()?,
            b'h' => self.number(1)?,
            _ => self.number(4)?,
        };
        let id = self.memo.get(&index).ok_or_else(|| broken("it refers to a value that is not in its memo"))?;
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
                match &mut self.nodes[top] {
                    Node::List(list) => list.extend(items),
                    Node::Obstacle(_) => {}
                    _ => return Err(broken("it appends to something that is not a list")),
                }
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
            return Err(broken("a dict has a key without a value"));
        }
        let pairs: Vec<(Id, Id)> = pairs.iter().map(|&[key, value]| (self.key(key), value)).collect();
        if matches!(opcode, b'}' | b'd') {
            self.push(Node::Dict(pairs));
            return Ok(());
        }
        let top = self.top()?;
        match &mut self.nodes[top] {
            Node::Dict(dict) => dict.extend(pairs),
            Node::Obstacle(_) => {}
            _ => return Err(broken("it sets items of something that is not a dict")),
        }
        Ok(())
    }

    /// The key itself if it is a str, and otherwise an obstacle.
    fn key(&mut self, id: Id) -> Id {
        if matches!(self.nodes[id], Node::Scalar { kind: Scalar::Str, .. } | Node::Obstacle(_)) {
            return id;
        }
        self.obstacle.get_or_insert(self.nodes.len());
        self.nodes.push(Node::Obstacle("a dict key that is not a str".into()));
        self.nodes.len() - 1
    }

    fn integer(&mut self, opcode: u8) -> Result<(), Refusal> {
        let digits = match opcode {
            b'J' => Zeroizing::new(i32::from_le_bytes(self.take(4)?.try_into().map_err(|_| truncated())?).to_string()),
            b'K' => Zeroizing::new(self.number(1)?.to_string()),
            b'M' => Zeroizing::new(self.number(2)?.to_string()),
            0x8a | 0x8b => {
                let bytes = self.counted(if opcode == 0x8a { 1 } else { 4 })?;
                // Each byte adds log10(256) digits, which is more than 2.
                if bytes.len() > MOST_DIGITS / 2 {
                    self.obstruct(TOO_MANY_DIGITS);
                    return Ok(());
                }
                integer::to_decimal(bytes)
            }
            _ => match (opcode, self.line_text()?) {
                // CPython takes 0 and 1 in two characters for False and True, whatever the first one is.
                (b'I', bit @ ("00" | "-0" | "01")) => {
                    self.word(if bit == "01" { "true" } else { "false" });
                    return Ok(());
                }
                (b'L', line) => Zeroizing::new(line.strip_suffix('L').unwrap_or(line).to_owned()),
                (_, line) => Zeroizing::new(line.to_owned()),
            },
        };
        let unsigned = digits.strip_prefix('-').unwrap_or(&digits);
        if unsigned.len() > MOST_DIGITS {
            self.obstruct(TOO_MANY_DIGITS);
            return Ok(());
        }
        let canonical = !unsigned.starts_with('0') || unsigned == "0";
        if unsigned.is_empty() || !canonical || !unsigned.bytes().all(|byte| byte.is_ascii_digit()) {
            return Err(broken("an integer is not written in decimal"));
        }
        // Python has no negative zero among its integers.
        self.word(if unsigned == "0" { unsigned } else { &digits });
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
}
