//! Text that never moves: what a session hands out stays where it is while the session lives.

use std::ops::Range;

use crate::wiped::WipedText;

/// Where a piece of text stands in an [`Arena`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Span {
    chunk: u32,
    start: u32,
    len: u32,
}

impl Span {
    pub fn of_payload(start: usize, end: usize) -> Self {
        Self { chunk: PAYLOAD, start: start as u32, len: (end - start) as u32 }
    }

    /// Whether it is a span of the payload.
    pub fn is_of_payload(self) -> bool {
        self.chunk == PAYLOAD
    }

    /// Where a span of the payload stands in it.
    pub fn range(self) -> Range<usize> {
        self.start as usize..self.start as usize + self.len()
    }

    pub fn len(self) -> usize {
        self.len as usize
    }

    /// This span and the next with what is between, if both are of the payload and the next begins `gap` bytes behind.
    pub fn join(self, gap: usize, next: Self) -> Option<Self> {
        let adjacent =
            (self.chunk, next.chunk) == (PAYLOAD, PAYLOAD) && self.start + self.len + gap as u32 == next.start;
        adjacent.then(|| Self { len: self.len + gap as u32 + next.len, ..self })
    }

    /// The part of this span from `start` to `end`, counted from its own beginning.
    pub fn part(self, start: usize, end: usize) -> Self {
        Self { chunk: self.chunk, start: self.start + start as u32, len: (end - start) as u32 }
    }
}

/// The opened payload and all text that came later: behind the payload while there is room, then in chunks that are
/// never reallocated.
///
/// All of it is zeroed when the arena is dropped. Adding text moves none that is there, so a view that
/// C holds stays good, and so does an input that is itself such a view.
#[derive(Default)]
pub(crate) struct Arena {
    payload: WipedText,
    chunks: Vec<WipedText>,
}

/// Spans in the payload's buffer: in the payload itself, and behind it.
const PAYLOAD: u32 = 0;
const BEHIND_PAYLOAD: u32 = 1;
/// Spans in the first chunk; in the next, one more.
const FIRST_CHUNK: u32 = 2;

/// Bytes that are best left free behind a payload, for what is set later.
pub(crate) const ROOM: usize = 192;

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
        &self.chunk(span)[span.start as usize..][..span.len()]
    }

    /// The same as bytes, which costs less than to see that no character is cut.
    #[inline]
    pub fn bytes(&self, span: Span) -> &[u8] {
        &self.chunk(span).as_bytes()[span.start as usize..][..span.len()]
    }

    #[inline]
    fn chunk(&self, span: Span) -> &str {
        match span.chunk {
            PAYLOAD | BEHIND_PAYLOAD => &self.payload,
            number => &self.chunks[(number - FIRST_CHUNK) as usize],
        }
    }

    /// Keeps a copy of `text`.
    pub fn push(&mut self, text: &str) -> Span {
        self.write(text.len(), |out| out.push_str(text))
    }

    /// Keeps what `write` appends, at most `most` bytes.
    pub fn write(&mut self, most: usize, write: impl FnOnce(&mut String)) -> Span {
        let has_room = |text: &WipedText| text.capacity() - text.len() >= most;
        let (number, chunk) = if self.chunks.is_empty() && has_room(&self.payload) {
            (BEHIND_PAYLOAD, &mut self.payload)
        } else {
            if !self.chunks.last().is_some_and(has_room) {
                self.chunks.push(WipedText::with_capacity(most.max(CHUNK << self.chunks.len().min(12))));
            }
            let last = self.chunks.len() - 1;
            (FIRST_CHUNK + last as u32, &mut self.chunks[last])
        };
        let (start, capacity) = (chunk.len(), chunk.capacity());
        write(chunk);
        assert_eq!(chunk.capacity(), capacity, "more was written than was said");
        Span { chunk: number, start: start as u32, len: (chunk.len() - start) as u32 }
    }
}
