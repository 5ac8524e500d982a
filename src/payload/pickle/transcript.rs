//! Turns nodes into JSON text and the forms that the text cannot express.

use super::form::{Form, Forms};
use super::origin::{Origin, Time};
use super::read::{Id, Machine, Node, Scalar};
use super::refusal::refused;
use crate::json::LEVELS_ON_OPENING;
use crate::load::Refusal;
use crate::payload::serializer::shown_key;
use crate::sys::wiped::{WipedBytes, WipedText};

/// The most bytes of JSON that a pickle may become, unless eight times its own length is more.
const MOST_JSON: usize = 1 << 20;

/// The data of a pickle.
pub(super) struct Transcript {
    pub text: WipedText,
    pub origin: Origin,
    /// The position of the first item, if the data are a tuple whose first item can be replaced.
    pub first: Option<Time>,
}

/// Reads a pickle in which a session's dict is inside `level` other containers.
pub(super) fn transcribe(pickle: &[u8], level: usize) -> Result<Transcript, Refusal> {
    let (machine, root) = Machine::run(pickle)?;
    let most = MOST_JSON.max(8 * pickle.len());
    let mut transcription = Transcription {
        seen: vec![Seen::Never; machine.nodes.len()],
        out: WipedBytes::with_capacity(machine.scalars.len() + 4 * machine.nodes.len()),
        forms: Vec::new(),
        open: Vec::new(),
        level,
        machine: &machine,
    };
    transcription.write(root, most)?;
    if let Some(obstacle) = machine.obstacle() {
        // The obstacle is not part of the value. But an unchanged pickle is written back as it is, and Python would
        // execute the opcodes of the obstacle.
        return Err(refused(obstacle));
    }
    let Transcription { out, mut forms, .. } = transcription;
    forms.sort_by_key(|(at, _)| *at);
    let text = out.into_text().expect("every part of it is text");
    let origin = Origin { protocol: machine.protocol, forms, whole: None };
    Ok(Transcript { text, origin, first: machine.first_of(root) })
}

struct Transcription<'m, 'p> {
    machine: &'m Machine<'p>,
    seen: Vec<Seen>,
    out: WipedBytes,
    forms: Forms,
    /// The containers that are being written, each with the number of its items that have been begun.
    open: Vec<(Id, usize)>,
    level: usize,
}

/// The number of times that a container was written, and the position if it was written once.
#[derive(Clone, Copy)]
enum Seen {
    Never,
    Once(usize),
    Often,
}

impl Transcription<'_, '_> {
    /// Writes a node with its content, in at most `most` bytes.
    fn write(&mut self, root: Id, most: usize) -> Result<(), Refusal> {
        let mut next = Some(root);
        loop {
            if let Some(id) = next.take() {
                self.begin(id)?;
            }
            if self.out.len() > most {
                return Err(self.refusal("references that unfold to more than 1 MiB"));
            }
            let Some((id, index)) = self.open.last_mut() else { return Ok(()) };
            let (item, end) = match &self.machine.nodes[*id] {
                Node::Dict(pairs) => (pairs.get(*index).map(|&(key, value)| (Some(key), value)), b'}'),
                Node::List(items) | Node::Tuple(items) => (items.get(*index).map(|&item| (None, item)), b']'),
                Node::Scalar { .. } | Node::Obstacle(_) => unreachable!("only containers are open"),
            };
            let Some((key, value)) = item else {
                self.out.add(&[end]);
                self.open.pop();
                continue;
            };
            if *index > 0 {
                self.out.add(b",");
            }
            *index += 1;
            if let Some(key) = key {
                self.begin(key)?;
                self.out.add(b":");
            }
            next = Some(value);
        }
    }

    /// Writes a scalar, or opens a container.
    fn begin(&mut self, id: Id) -> Result<(), Refusal> {
        let at = self.out.len();
        let bracket = match &self.machine.nodes[id] {
            Node::Obstacle(name) => return Err(self.refusal(name)),
            Node::Scalar { start, end, kind } => {
                self.out.add(&self.machine.scalars[*start..*end]);
                if *kind == Scalar::Bytes {
                    self.forms.push((at, Form::Bytes));
                }
                return Ok(());
            }
            Node::Tuple(items) => {
                self.forms.push((at, Form::Tuple));
                if !items.is_empty() {
                    self.note_shared(id, at);
                }
                b'['
            }
            Node::List(_) => {
                self.note_shared(id, at);
                b'['
            }
            Node::Dict(_) => {
                self.note_shared(id, at);
                b'{'
            }
        };
        if self.open.len() > 1 + LEVELS_ON_OPENING {
            return Err(self.refusal("lists, tuples or dicts that nest deeper than 1,000 levels"));
        }
        self.out.add(&[bracket]);
        self.open.push((id, 0));
        Ok(())
    }

    fn note_shared(&mut self, id: Id, at: usize) {
        match self.seen[id] {
            Seen::Never => self.seen[id] = Seen::Once(at),
            Seen::Once(first) => {
                self.forms.extend([(first, Form::Shared(id)), (at, Form::Shared(id))]);
                self.seen[id] = Seen::Often;
            }
            Seen::Often => self.forms.push((at, Form::Shared(id))),
        }
    }

    /// The refusal of the value that is being written. It names the value's key, but shows no other part of the
    /// session.
    fn refusal(&self, name: &str) -> Refusal {
        let key = self.open.get(self.level).and_then(|&(id, begun)| match &self.machine.nodes[id] {
            Node::Dict(pairs) => pairs.get(begun.checked_sub(1)?).map(|pair| pair.0),
            _ => None,
        });
        let Some(&Node::Scalar { start, end, .. }) = key.map(|key| &self.machine.nodes[key]) else {
            return refused(name);
        };
        let key = std::str::from_utf8(&self.machine.scalars[start + 1..end - 1]).unwrap_or_default();
        refused(&format!("{name} under the key {}", shown_key(key)))
    }
}
