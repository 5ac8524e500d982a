//! JSON text → a pickle of protocol 2, which every Python reads.

use num_bigint::BigInt;
use zeroize::Zeroizing;

use super::MOST_DIGITS;
use crate::error::Error;
use crate::json::{self, Scanner};
use crate::wiped::Wiped;

/// The pickle of a payload's JSON text, behind `overhead` bytes.
pub(super) fn from_json(overhead: usize, payload: &str) -> Result<Zeroizing<Vec<u8>>, Error> {
    let mut out = Wiped::with_capacity(overhead + 2 * payload.len() + 16);
    out.extend(&vec![0; overhead]);
    out.extend(&[0x80, 2]);
    let mut scanner = Scanner::lenient(payload);
    // The whole is a tuple, as Pyramid makes it; all inside are lists and dicts. An opener's place in the text
    // tells which closer ends it, so the text itself is the stack.
    scanner.at = 1;
    while scanner.at < payload.len() {
        step(payload, &mut scanner, &mut out)?;
    }
    out.push(b'.');
    Ok(out.into_inner())
}

fn step(payload: &str, scanner: &mut Scanner<'_>, out: &mut Wiped) -> Result<(), Error> {
    let start = scanner.at;
    match scanner.peek() {
        b' ' | b'\t' | b'\n' | b'\r' | b',' | b':' => scanner.at += 1,
        b'[' => {
            scanner.at += 1;
            out.extend(b"](");
        }
        b'{' => {
            scanner.at += 1;
            out.extend(b"}(");
        }
        b']' => {
            scanner.at += 1;
            out.extend(if scanner.at == payload.len() { &[0x87] } else { b"e" });
        }
        b'}' => {
            scanner.at += 1;
            out.push(b'u');
        }
        b'"' => {
            let string = scanner.string()?;
            text(&payload[string.start..string.end], out);
        }
        _ => {
            scanner.value()?;
            scalar(&payload[start..scanner.at], out)?;
        }
    }
    Ok(())
}

/// `BINUNICODE`; lone surrogates get three bytes each, as Python reads them.
fn text(inside: &str, out: &mut Wiped) {
    let mut bytes = Wiped::with_capacity(inside.len());
    for point in json::code_points(inside) {
        match char::from_u32(point) {
            Some(character) => bytes.extend(character.encode_utf8(&mut [0; 4]).as_bytes()),
            None => bytes.extend(&[
                0xe0 | (point >> 12) as u8,
                0x80 | (point >> 6 & 0x3f) as u8,
                0x80 | (point & 0x3f) as u8,
            ]),
        }
    }
    out.push(b'X');
    out.extend(&(bytes.len() as u32).to_le_bytes());
    out.extend(bytes.as_slice());
}

fn scalar(json: &str, out: &mut Wiped) -> Result<(), Error> {
    let float = match json {
        "null" => return Ok(out.push(b'N')),
        "true" => return Ok(out.push(0x88)),
        "false" => return Ok(out.push(0x89)),
        "NaN" => f64::NAN,
        "Infinity" => f64::INFINITY,
        "-Infinity" => f64::NEG_INFINITY,
        _ if !json.contains(['.', 'e', 'E']) => return integer(json, out),
        // What overflows is infinite in Python, too.
        _ => json.parse().unwrap_or(f64::NAN),
    };
    out.push(b'G');
    out.extend(&float.to_be_bytes());
    Ok(())
}

fn integer(json: &str, out: &mut Wiped) -> Result<(), Error> {
    if let Ok(small) = json.parse::<i32>() {
        out.push(b'J');
        out.extend(&small.to_le_bytes());
        return Ok(());
    }
    let too_long = || Error::Range(format!("a pickle holds no integer of more than {MOST_DIGITS} digits"));
    if json.trim_start_matches('-').len() > MOST_DIGITS {
        return Err(too_long());
    }
    let bytes = json.parse::<BigInt>().map_err(|_| too_long())?.to_signed_bytes_le();
    match u8::try_from(bytes.len()) {
        Ok(length) => out.extend(&[0x8a, length]),
        Err(_) => {
            out.push(0x8b);
            out.extend(&(bytes.len() as u32).to_le_bytes());
        }
    }
    out.extend(&bytes);
    Ok(())
}
