//! Stores the text of a session's data, and text that is derived from it for reading. The text does not move before the
//! session is changed.

use std::mem::take;
use std::ops::Range;

use crate::error::Error;
use crate::sys::wiped::WipedText;

/// The position of a piece of text in an [`Arena`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Span {
    chunk: u32,
    start: u32,
    len: u32,
}

impl Span {
    pub const EMPTY: Self = Self { chunk: PAYLOAD, start: 0, len: 0 };

    pub fn of_payload(start: usize, end: usize) -> Self {
        Self { chunk: PAYLOAD, start: start as u32, len: (end - start) as u32 }
    }

    /// True if this is a span of the payload.
    pub fn is_of_payload(self) -> bool {
        self.chunk == PAYLOAD
    }

    /// The range of bytes in the buffer that contains the span: for a span of the payload, the range in the payload.
    pub fn range(self) -> Range<usize> {
        self.start as usize..self.start as usize + self.len()
    }

    pub fn len(self) -> usize {
        self.len as usize
    }

    /// A span from the beginning of this span to the end of `next`, if both are spans of the payload and `next` begins
    /// `gap` bytes after this one.
    pub fn join(self, gap: usize, next: Self) -> Option<Self> {
        let adjacent =
            (self.chunk, next.chunk) == (PAYLOAD, PAYLOAD) && self.start + self.len + gap as u32 == next.start;
        adjacent.then(|| Self { len: self.len + gap as u32 + next.len, ..self })
    }

    /// The part of this span from `start` to `end`, counted from its own beginning.
    pub fn part(self, start: usize, end: usize) -> Self {
        Self { chunk: self.chunk, start: self.start + start as u32, len: (end - start) as u32 }
    }

    /// The index of the span's chunk. `None` if the span is in the payload's buffer.
    fn chunk_index(self) -> Option<usize> {
        self.chunk.checked_sub(FIRST_CHUNK).map(|index| index as usize)
    }
}

/// The opened payload and all text that was added later. New text goes into the payload's buffer while there is room,
/// and then into chunks, which are never reallocated.
///
/// Adding text does not move existing text, so a view that C holds stays valid, even if it is the input of the call.
/// [`Arena::extend`] may move the text that it extends. Otherwise only [`Arena::collect`] moves text, but not text in
/// the payload's buffer. All text is zeroed when it is freed.
#[derive(Default)]
pub(crate) struct Arena {
    payload: WipedText,
    chunks: Option<Box<Chunks>>,
}

#[derive(Default)]
struct Chunks {
    list: Vec<Chunk>,
    /// The index of the chunk to which text is added.
    current: Option<usize>,
    /// The number of bytes in use after the last collection, including the payload, minus the size of the chunks added
    /// since.
    spare: isize,
}

struct Chunk {
    text: WipedText,
    /// The chunk contains a single text, which may grow, and nothing else is added to it.
    alone: bool,
}

impl Chunks {
    /// Adds a chunk and returns its number.
    fn add(&mut self, text: WipedText, alone: bool) -> u32 {
        self.spare -= text.capacity() as isize;
        self.list.push(Chunk { text, alone });
        FIRST_CHUNK + self.list.len() as u32 - 1
    }

    /// Adds a chunk for a text of up to `most` bytes. A long text gets a chunk for itself, otherwise other texts can be
    /// added to the chunk. Returns the chunk's number.
    fn add_for(&mut self, most: usize) -> u32 {
        let before = self.current.map_or(0, |index| self.list[index].text.capacity());
        let size = (2 * before).clamp(CHUNK, LARGEST_CHUNK);
        if most > size.max(LONG) {
            return self.add(WipedText::with_capacity(most), true);
        }
        self.current = Some(self.list.len());
        self.add(WipedText::with_capacity(size.max(most)), false)
    }
}

/// The chunk number of the payload.
const PAYLOAD: u32 = 0;
/// The chunk number of the text after the payload, in the same buffer.
const AFTER_PAYLOAD: u32 = 1;
/// The number of the first chunk. The other chunks follow.
const FIRST_CHUNK: u32 = 2;

/// The number of bytes that should be left free after a payload, for values that are set later.
pub(crate) const ROOM: usize = 192;

/// The size of the first shared chunk in bytes. Each later one is twice as large, up to the largest size.
const CHUNK: usize = 256;
const LARGEST_CHUNK: usize = 1 << 20;
/// A text of more than this many bytes gets a chunk for itself, unless the next shared chunk is larger.
const LONG: usize = 1024;

/// A collection needs more unused bytes than this.
const FEW_UNUSED: isize = 4096;

/// The most bytes that a span can have, and therefore the most bytes of a value.
pub(crate) const LONGEST: usize = (u32::MAX / 2) as usize;

/// # Errors
/// [`Error::Range`] if a value of this many bytes is too long for a session.
pub(crate) fn check_length(length: usize) -> Result<(), Error> {
    if length > LONGEST {
        return Err(Error::Range(format!("a value may have at most {LONGEST} bytes, not {length}")));
    }
    Ok(())
}

impl Arena {
    pub fn new(payload: WipedText) -> Self {
        Self { payload, chunks: None }
    }

    #[inline]
    pub fn text(&self, span: Span) -> &str {
        &self.buffer(span)[span.range()]
    }

    /// The text of a span as bytes. This is faster than [`Arena::text`], which checks that the span splits no
    /// character.
    #[inline]
    pub fn bytes(&self, span: Span) -> &[u8] {
        &self.buffer(span).as_bytes()[span.range()]
    }

    #[inline]
    fn buffer(&self, span: Span) -> &WipedText {
        match (span.chunk_index(), &self.chunks) {
            (Some(index), Some(chunks)) => &chunks.list[index].text,
            _ => &self.payload,
        }
    }

    #[inline]
    fn buffer_mut(&mut self, span: Span) -> &mut WipedText {
        match (span.chunk_index(), &mut self.chunks) {
            (Some(index), Some(chunks)) => &mut chunks.list[index].text,
            _ => &mut self.payload,
        }
    }

    fn chunks(&mut self) -> &mut Chunks {
        let spare = self.payload.len() as isize;
        self.chunks.get_or_insert_with(|| Box::new(Chunks { spare, ..Chunks::default() }))
    }

    /// Keeps a copy of `text`.
    pub fn push(&mut self, text: &str) -> Span {
        self.write(text.len(), |out| out.push_str(text))
    }

    /// Keeps the text that `write` appends, at most `most` bytes.
    #[inline]
    pub fn write(&mut self, most: usize, write: impl FnOnce(&mut String)) -> Span {
        let current = self.chunks.as_ref().and_then(|chunks| chunks.current);
        let mut end = Span { chunk: current.map_or(AFTER_PAYLOAD, |index| FIRST_CHUNK + index as u32), ..Span::EMPTY };
        let buffer = self.buffer(end);
        if buffer.capacity() - buffer.len() < most {
            end.chunk = self.make_room(most);
        }
        end.start = self.buffer(end).len() as u32;
        self.append(end, write)
    }

    /// Makes room for `most` bytes. Returns the number of the chunk that has this room.
    #[cold]
    fn make_room(&mut self, most: usize) -> u32 {
        if self.payload.capacity() == 0 && most <= CHUNK {
            self.payload = WipedText::with_capacity(CHUNK);
            return AFTER_PAYLOAD;
        }
        self.chunks().add_for(most)
    }

    /// Removes the last `less` bytes of a text, and lets `write` append at most `most` bytes to it.
    ///
    /// The text is moved if there is no room for that. A text that is extended many times is moved each time when its
    /// length has doubled, and takes at most twice its length.
    pub fn extend(&mut self, span: Span, less: usize, most: usize, write: impl FnOnce(&mut String)) -> Span {
        let mut kept = span.part(0, span.len() - less);
        let buffer = self.buffer(span);
        let is_last = span.chunk != PAYLOAD && buffer.len() == span.range().end;
        if is_last && buffer.capacity() - kept.range().end >= most {
            self.buffer_mut(span).truncate(kept.range().end);
            return self.append(kept, write);
        }
        let mut larger = WipedText::with_capacity(2 * (kept.len() + most));
        larger.push_str(self.text(kept));
        let chunks = self.chunks();
        match span.chunk_index() {
            Some(index) if chunks.list[index].alone => {
                let text = &mut chunks.list[index].text;
                chunks.spare += text.capacity() as isize - larger.capacity() as isize;
                *text = larger;
            }
            _ => (kept.chunk, kept.start) = (chunks.add(larger, true), 0),
        }
        self.append(kept, write)
    }

    /// Appends to a span at the end of its buffer, which must have enough room.
    #[inline]
    fn append(&mut self, span: Span, write: impl FnOnce(&mut String)) -> Span {
        let buffer = self.buffer_mut(span);
        let capacity = buffer.capacity();
        write(buffer);
        assert_eq!(buffer.capacity(), capacity, "more was written than there was room for");
        Span { len: buffer.len() as u32 - span.start, ..span }
    }

    /// True if there may be more unused text than used text.
    #[inline]
    pub fn is_overgrown(&self) -> bool {
        self.chunks.as_ref().is_some_and(|chunks| chunks.spare < -FEW_UNUSED)
    }

    /// Frees all text outside the payload's buffer, except the text of these spans. The spans are updated, because
    /// their text may move.
    pub fn collect<'s>(&mut self, used: impl Iterator<Item = &'s mut Span>) {
        let mut before = self.chunks.take().map_or_else(Vec::new, |chunks| chunks.list);
        let mut moved = vec![None; before.len()];
        for span in used {
            let Some(index) = span.chunk_index() else { continue };
            if before[index].alone {
                let move_chunk = || self.chunks().add(take(&mut before[index].text), true);
                span.chunk = *moved[index].get_or_insert_with(move_chunk);
            } else {
                *span = self.push(&before[index].text[span.range()]);
            }
        }
        let payload = self.payload.len();
        let chunks = self.chunks();
        let held: usize = chunks.list.iter().map(|chunk| chunk.text.capacity()).sum();
        chunks.spare = (held + payload) as isize;
    }
}

#[cfg(test)]
mod tests {
    use super::{Arena, Span};
    use crate::sys::wiped::WipedText;

    /// The total size of all chunks in bytes.
    fn held(arena: &Arena) -> usize {
        arena.chunks.iter().flat_map(|chunks| &chunks.list).map(|chunk| chunk.text.capacity()).sum()
    }

    #[test]
    fn a_growing_text_is_moved_once_per_doubling_of_its_length() {
        let mut arena = Arena::new(WipedText::from("payload"));
        let (mut span, mut expected, mut moves) = (arena.push("[]"), String::from("["), 0);
        for number in 0..10_000 {
            let before = arena.text(span).as_ptr();
            span = arena.extend(span, 1, 8, |out| out.push_str(&format!("{number},]")));
            expected += &format!("{number},");
            moves += usize::from(arena.text(span).as_ptr() != before);
            arena.push("between");
        }
        assert_eq!(arena.text(span), expected + "]");
        assert!(moves < 20, "{moves}");
        assert!(held(&arena) < 2 * span.len() + 10_000 * 2 * "between".len(), "{}", held(&arena));
    }

    #[test]
    fn a_collection_keeps_only_used_text() {
        let mut arena = Arena::new(WipedText::from("payload"));
        let mut used = [Span::of_payload(0, 3), arena.push("one"), arena.push("two"), arena.push("list")];
        used[3] = arena.extend(used[3], 0, 1, |out| out.push('!'));
        let mut moved = 0;
        for _ in 0..10_000 {
            arena.push("garbage");
            if arena.is_overgrown() {
                arena.collect(used.iter_mut());
                moved += 1;
            }
            assert!(held(&arena) < 10_000);
        }
        assert_eq!(used.map(|span| arena.text(span)), ["pay", "one", "two", "list!"]);
        assert!((2..50).contains(&moved), "{moved}");
    }

    #[test]
    fn a_text_moved_by_a_collection_grows_in_place() {
        let mut arena = Arena::default();
        let mut list = arena.push("a");
        arena.push("x");
        list = arena.extend(list, 0, 1, |out| out.push('b'));
        let place = arena.text(list).as_ptr();
        arena.collect([&mut list].into_iter());
        list = arena.extend(list, 0, 1, |out| out.push('c'));
        assert_eq!((arena.text(list), arena.text(list).as_ptr()), ("abc", place));
        let other = arena.push("other");
        assert_eq!((arena.text(list), arena.text(other)), ("abc", "other"));
    }
}
