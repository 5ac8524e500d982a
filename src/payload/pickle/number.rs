//! Numbers as pickles write them.

use super::integer;
use crate::error::Error;
use crate::json::MOST_DIGITS;
use crate::sys::wiped::WipedBytes;

/// The opcode of a number, with its argument.
pub(super) fn pickled_number(json: &str) -> Result<WipedBytes, Error> {
    let mut out = WipedBytes::default();
    number(json, &mut out)?;
    Ok(out)
}

/// Appends the opcode of a number, with its argument.
pub(super) fn number(json: &str, out: &mut WipedBytes) -> Result<(), Error> {
    let float = match json {
        "NaN" => f64::NAN,
        "Infinity" => f64::INFINITY,
        "-Infinity" => f64::NEG_INFINITY,
        _ if !json.contains(['.', 'e', 'E']) => return integer(json, out),
        // A number that overflows is infinite in Python, too.
        _ => json.parse().unwrap_or(f64::NAN),
    };
    out.add(b"G");
    out.add(&float.to_be_bytes());
    Ok(())
}

fn integer(json: &str, out: &mut WipedBytes) -> Result<(), Error> {
    if let Ok(small) = json.parse::<i32>() {
        match (u8::try_from(small), u16::try_from(small)) {
            (Ok(byte), _) => out.add(&[b'K', byte]),
            (_, Ok(word)) => {
                out.add(b"M");
                out.add(&word.to_le_bytes());
            }
            _ => {
                out.add(b"J");
                out.add(&small.to_le_bytes());
            }
        }
        return Ok(());
    }
    if json.trim_start_matches('-').len() > MOST_DIGITS {
        return Err(Error::Range("a pickle holds no integer of more than 4,300 digits".to_owned()));
    }
    let bytes = integer::from_decimal(json);
    match u8::try_from(bytes.len()) {
        Ok(length) => out.add(&[0x8a, length]),
        Err(_) => {
            out.add(&[0x8b]);
            out.add(&(bytes.len() as u32).to_le_bytes());
        }
    }
    out.add(&bytes);
    Ok(())
}
