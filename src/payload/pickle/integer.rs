//! Converts integers of any size between Python's bytes (two's complement, little-endian) and decimal digits.
//!
//! The num-bigint crate is not used because it would leave copies of a session's data in freed memory.

use std::fmt::Write;

use zeroize::Zeroizing;

use crate::sys::wiped::WipedBytes;

/// The number of digits in a limb of a decimal number.
const DIGITS: usize = 9;
/// The base of a decimal number's limbs.
const DECIMAL: u64 = 1_000_000_000;
/// The base of a binary number's limbs.
const BINARY: u64 = 1 << 32;

/// The decimal digits of an integer, with a `-` in front if it is negative.
pub(super) fn to_decimal(bytes: &[u8]) -> Zeroizing<String> {
    let negative = bytes.last().is_some_and(|highest| *highest >= 0x80);
    let inverted = if negative { 0xff } else { 0 };
    let mut limbs = Zeroizing::new(Vec::with_capacity(bytes.len() / 3 + 2));
    for word in bytes.chunks(4).rev() {
        let word = word.iter().rev().fold(0, |word, byte| word << 8 | u64::from(byte ^ inverted));
        multiply_and_add(&mut limbs, DECIMAL, BINARY, word);
    }
    multiply_and_add(&mut limbs, DECIMAL, 1, negative.into());
    let mut text = Zeroizing::new(String::with_capacity("-".len() + DIGITS * limbs.len().max(1)));
    if negative {
        text.push('-');
    }
    let (highest, lower) = limbs.split_last().unwrap_or((&0, &[]));
    let _ = write!(text, "{highest}");
    for limb in lower.iter().rev() {
        let _ = write!(text, "{limb:09}");
    }
    text
}

/// The shortest two's complement of the integer with these decimal digits.
pub(super) fn from_decimal(text: &str) -> WipedBytes {
    let (negative, digits) = match text.strip_prefix('-') {
        Some(digits) => (true, digits),
        None => (false, text),
    };
    let mut limbs = Zeroizing::new(Vec::with_capacity(digits.len() / DIGITS + 2));
    for group in digits.as_bytes().rchunks(DIGITS).rev() {
        let group = group.iter().fold(0, |group, digit| 10 * group + u64::from(digit - b'0'));
        multiply_and_add(&mut limbs, BINARY, DECIMAL, group);
    }
    let mut bytes = WipedBytes::with_capacity(4 * limbs.len() + 1);
    limbs.iter().for_each(|limb| bytes.add(&limb.to_le_bytes()));
    bytes.add(&[0]);
    if negative {
        let mut carry = true;
        for byte in bytes.iter_mut() {
            (*byte, carry) = (!*byte).overflowing_add(carry.into());
        }
    }
    while let [.., below, highest] = bytes[..]
        && highest == if below < 0x80 { 0 } else { 0xff }
    {
        bytes.pop();
    }
    bytes
}

/// Multiplies a number by `factor` and adds `summand`. The limbs have the base `base` and are in little-endian order.
/// The vector must have room for the result, because it would leave a copy behind if it grew.
fn multiply_and_add(limbs: &mut Vec<u32>, base: u64, factor: u64, summand: u64) {
    let mut carry = summand;
    for limb in limbs.iter_mut() {
        let number = u64::from(*limb) * factor + carry;
        *limb = (number % base) as u32;
        carry = number / base;
    }
    while carry > 0 {
        limbs.push((carry % base) as u32);
        carry /= base;
    }
}

#[cfg(test)]
mod tests {
    use num_bigint::BigInt;

    use super::{from_decimal, to_decimal};

    #[test]
    fn every_length_agrees_with_num_bigint() {
        for length in (0..40).chain([255, 256, 257, 1785, 1786, 2150]) {
            for highest in [0, 1, 0x7f, 0x80, 0xff] {
                for fill in [0, 1, 0x5a, 0x80, 0xff] {
                    let mut bytes = vec![fill; length];
                    bytes.push(highest);
                    let number = BigInt::from_signed_bytes_le(&bytes);
                    let decimal = number.to_string();
                    assert_eq!(*to_decimal(&bytes), decimal, "{bytes:?}");
                    assert_eq!(**from_decimal(&decimal), number.to_signed_bytes_le(), "{decimal}");
                }
            }
        }
        assert_eq!(*to_decimal(&[]), "0");
    }

    #[test]
    fn the_vectors_never_grow() {
        // A vector that grew would leave a copy of its content in freed memory.
        for length in 1..300 {
            for byte in [0x7f, 0x80, 0xff] {
                let decimal = to_decimal(&vec![byte; length]);
                assert!(decimal.capacity() <= 1 + 9 * (length / 3 + 2), "{length} bytes of {byte}");
            }
        }
    }
}
