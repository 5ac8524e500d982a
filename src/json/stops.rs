use wide::u8x16;

/// Where plain runs in strings stop: a bit for each quote, backslash or control character of 64 bytes of the text.
///
/// Looking at a block at once, and not at each string, takes the bytes out of the way from one string to the next.
#[derive(Clone, Copy)]
pub(super) struct Stops {
    block: usize,
    bits: u64,
}

impl Default for Stops {
    /// No place in a text is in this block.
    fn default() -> Self {
        Self { block: 0_usize.wrapping_sub(BLOCK), bits: 0 }
    }
}

impl Stops {
    /// The first stop from `at` on; the text's end where there is none.
    #[inline(always)]
    pub fn next(&mut self, text: &[u8], mut at: usize) -> usize {
        loop {
            let offset = at.wrapping_sub(self.block);
            if offset < BLOCK {
                let rest = self.bits >> offset;
                if rest != 0 {
                    return at + rest.trailing_zeros() as usize;
                }
                at = self.block + BLOCK;
            }
            *self = Self { block: at, bits: stops(text, at) };
        }
    }
}

/// Bytes that [`stops`] looks at.
const BLOCK: usize = 64;

/// The stops in the block of a text that begins at `at`; the text's end is one. Nothing of the text is copied, so that
/// none of it stays behind.
#[inline(never)]
fn stops(text: &[u8], at: usize) -> u64 {
    let rest = text.get(at..).unwrap_or_default();
    let block = &rest[..rest.len().min(BLOCK)];
    let (vectors, rest) = block.as_chunks::<16>();
    let end = if block.len() < BLOCK { 1 << block.len() } else { 0 };
    let bits = match text.last_chunk() {
        _ if rest.is_empty() => 0,
        // The text ends here, so its last bytes are these and some before them.
        Some(last) => u64::from(stops_of(*last)) >> (last.len() - rest.len()),
        None => rest.iter().rev().fold(0, |bits, byte| bits << 1 | u64::from(is_stop(*byte))),
    };
    end | vectors.iter().rev().fold(bits, |bits, vector| bits << 16 | u64::from(stops_of(*vector)))
}

fn is_stop(byte: u8) -> bool {
    matches!(byte, b'"' | b'\\' | 0..0x20)
}

#[inline(always)]
fn stops_of(vector: [u8; 16]) -> u32 {
    let bytes = u8x16::new(vector);
    let control = bytes.min(u8x16::splat(0x1f)).simd_eq(bytes);
    (bytes.simd_eq(u8x16::splat(b'"')) | bytes.simd_eq(u8x16::splat(b'\\')) | control).to_bitmask()
}
