//! Opcodes that stand for more than data: they name classes, make objects or refer to something outside the pickle.
//! None of them is executed.
//!
//! Each of them pushes an obstacle, so that the refusal can name the class and the key under which it is in the
//! session.

use super::read::{Id, Machine, Node, Scalar};
use super::refusal::broken;
use crate::load::Refusal;

impl Machine<'_> {
    pub(super) fn foreign(&mut self, opcode: u8) -> Result<(), Refusal> {
        match opcode {
            // GLOBAL
            b'c' => {
                let class = self.class_lines()?;
                self.obstruct(class);
            }
            // STACK_GLOBAL
            0x93 => {
                let (name, module) = (self.pop()?, self.pop()?);
                let class = class(&self.text_of(module), &self.text_of(name));
                self.obstruct(class);
            }
            // INST
            b'i' => {
                let class = self.class_lines()?;
                self.take_marked()?;
                self.obstruct(class);
            }
            // OBJ
            b'o' => {
                let class = self.take_marked()?.first().copied().ok_or_else(|| broken("an object without a class"))?;
                self.object(class, &[]);
            }
            // NEWOBJ and REDUCE
            0x81 | b'R' => {
                let (arguments, class) = (self.pop()?, self.pop()?);
                self.object(class, &[arguments]);
            }
            // NEWOBJ_EX
            0x92 => {
                let (keywords, arguments, class) = (self.pop()?, self.pop()?, self.pop()?);
                self.object(class, &[arguments, keywords]);
            }
            // BUILD
            b'b' => {
                self.pop()?;
                let object = self.top()?;
                if !matches!(self.nodes[object], Node::Obstacle(_)) {
                    self.pop()?;
                    self.obstruct("an object's state");
                }
            }
            // EXT1, EXT2 and EXT4
            0x82..=0x84 => {
                let code = self.number(1 << (opcode - 0x82))?;
                self.obstruct(format!("the class of extension code {code}"));
            }
            // PERSID and BINPERSID
            b'P' => {
                self.line()?;
                self.obstruct("an object outside the pickle");
            }
            b'Q' => {
                self.pop()?;
                self.obstruct("an object outside the pickle");
            }
            // EMPTY_SET, ADDITEMS and FROZENSET
            0x8f => self.obstruct("set"),
            0x90 => {
                self.take_marked()?;
                let set = self.top()?;
                if !matches!(self.nodes[set], Node::Obstacle(_)) {
                    return Err(broken("it adds items to something that is not a set"));
                }
            }
            0x91 => {
                self.take_marked()?;
                self.obstruct("frozenset");
            }
            // BYTEARRAY8, NEXT_BUFFER and READONLY_BUFFER
            0x96 => {
                self.counted(8)?;
                self.obstruct("bytearray");
            }
            0x97 => self.obstruct("a buffer outside the pickle"),
            0x98 => {
                self.pop()?;
                self.obstruct("a buffer outside the pickle");
            }
            _ => return Err(broken("an unknown opcode")),
        }
        Ok(())
    }

    /// Pushes an obstacle for an object of a class or for the result of a function. The helper functions of Python's
    /// pickle module get the class as their first argument.
    fn object(&mut self, class: Id, arguments: &[Id]) {
        let first = match arguments.first().map(|arguments| &self.nodes[*arguments]) {
            Some(Node::Tuple(items)) => items.first().and_then(|first| self.name(*first)),
            _ => None,
        };
        let name = match self.name(class) {
            Some(name) if name.starts_with("copyreg.") || name.starts_with("copy_reg.") => first.unwrap_or(name),
            // Python pickles bytes in this way below protocol 3.
            Some("_codecs.encode") => "bytes of a protocol below 3",
            Some(name) => name,
            None => "an object",
        };
        self.obstruct(name.to_owned());
    }

    /// The name of an obstacle, or `None` if the node is something else.
    fn name(&self, id: Id) -> Option<&str> {
        match &self.nodes[id] {
            Node::Obstacle(name) => Some(name),
            _ => None,
        }
    }

    fn class_lines(&mut self) -> Result<String, Refusal> {
        let (module, name) = (self.line()?, self.line()?);
        Ok(class(&String::from_utf8_lossy(module), &String::from_utf8_lossy(name)))
    }

    /// The text of a str, or an empty text if the node is something else.
    fn text_of(&self, id: Id) -> String {
        match self.nodes[id] {
            Node::Scalar { start, end, kind: Scalar::Str } => {
                String::from_utf8_lossy(&self.scalars[start + 1..end - 1]).into_owned()
            }
            _ => String::new(),
        }
    }
}

/// The longest name of a class that an error shows, in characters.
const LONGEST_NAME: usize = 100;

/// The name of a class or function, as Python shows it.
fn class(module: &str, name: &str) -> String {
    let shown = |text: &str| text.chars().filter(|character| !character.is_control()).take(LONGEST_NAME).collect();
    let (module, name): (String, String) = (shown(module), shown(name));
    match module.as_str() {
        "builtins" | "__builtin__" => name,
        _ => format!("{module}.{name}"),
    }
}
