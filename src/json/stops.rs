use wide::u8x16;

/// The positions in a text at which a run of plain characters in a string stops. There is a bit for each byte of a
/// block of 64 bytes. It is set if the byte is a quote, a backslash or a control character.
///
/// The block is examined at once, so that short strings in it do not cost a new search each.
#[derive(Clone, Copy)]
pub(super) struct Stops {
    block: usize,
    bits: u64,
}

impl Default for Stops {
    /// A block that contains no position of any text.
    fn default() -> Self {
        Self { block: 0_usize.wrapping_sub(BLOCK), bits: 0 }
    }
}

impl Stops {
    /// The first stop at or after `at`, or the end of the text if there is none.
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

/// The number of bytes that [`stops`] examines.
const BLOCK: usize = 64;

/// The stops in the block that begins at `at`. The end of the text counts as a stop. The text may be secret, so no part
/// of it is copied to memory that is not wiped.
#[inline(never)]
fn stops(text: &[u8], at: usize) -> u64 {
    let rest = text.get(at..).unwrap_or_default();
    let block = &rest[..rest.len().min(BLOCK)];
    let (vectors, rest) = block.as_chunks::<16>();
    let end = if block.len() < BLOCK { 1 << block.len() } else { 0 };
    let bits = match text.last_chunk() {
        _ if rest.is_empty() => 0,
        // The text ends in this block, so its last 16 bytes are the rest and some bytes before it.
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
