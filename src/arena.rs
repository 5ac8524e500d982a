//! Text that never moves: what a session hands out stays where it is while the session lives.

use crate::wiped::WipedText;

/// Where a piece of text stands in an [`Arena`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Span {
    chunk: u32,
    start: u32,
    len: u32,
}

impl Span {
    /// A span of the arena's first chunk, the payload.
    pub fn of_payload(start: usize, end: usize) -> Self {
        Self { chunk: 0, start: start as u32, len: (end - start) as u32 }
    }

    pub fn len(self) -> usize {
        self.len as usize
    }

    /// This span and the next with what is between, if both are of the payload and the next begins `gap` bytes behind.
    pub fn join(self, gap: usize, next: Self) -> Option<Self> {
        let adjacent = (self.chunk, next.chunk) == (0, 0) && self.start + self.len + gap as u32 == next.start;
        adjacent.then(|| Self { len: self.len + gap as u32 + next.len, ..self })
    }

    /// The part of this span from `start` to `end`, counted from its own beginning.
    pub fn part(self, start: usize, end: usize) -> Self {
        Self { chunk: self.chunk, start: self.start + start as u32, len: (end - start) as u32 }
    }
}

/// The opened payload and, in chunks that are never reallocated, all text that came later.
///
/// Every chunk is zeroed when the arena is dropped. Adding text moves none that is there, so a view that
/// C holds stays good, and so does an input that is itself such a view.
#[derive(Default)]
pub(crate) struct Arena {
    payload: WipedText,
    chunks: Vec<WipedText>,
}

/// Bytes of the first chunk, unless one text needs more; each chunk is twice as large as the one before.
const CHUNK: usize = 256;

/// The longest text that a span can hold, and so the longest value, in bytes.
pub(crate) const LONGEST: usize = (u32::MAX / 2) as usize;

impl Arena {
    pub fn new(payload: WipedText) -> Self {
        Self { payload, chunks: Vec::new() }
    }

    #[inline]
    pub fn text(&self, span: Span) -> &str {
        let chunk = match span.chunk {
            0 => &self.payload,
            n => &self.chunks[n as usize - 1],
        };
        &chunk[span.start as usize..][..span.len()]
    }

    /// Keeps a copy of `text`.
    pub fn push(&mut self, text: &str) -> Span {
        self.write(text.len(), |out| out.push_str(text))
    }

    /// Keeps what `write` appends, at most `most` bytes.
    pub fn write(&mut self, most: usize, write: impl FnOnce(&mut String)) -> Span {
        let room = self.chunks.last().is_some_and(|last| last.capacity() - last.len() >= most);
        if !room {
            self.chunks.push(WipedText::with_capacity(most.max(CHUNK << self.chunks.len().min(12))));
        }
        let number = self.chunks.len();
        let chunk = &mut self.chunks[number - 1];
        let (start, capacity) = (chunk.len(), chunk.capacity());
        write(chunk);
        assert_eq!(chunk.capacity(), capacity, "more was written than was said");
        Span { chunk: number as u32, start: start as u32, len: (chunk.len() - start) as u32 }
    }
}
