//! JSON text → a pickle of protocol 2, which every Python reads.

use super::{MOST_DIGITS, integer};
use crate::error::Error;
use crate::json::{self, Scanner};
use crate::wiped::WipedBytes;

/// The pickle of a JSON text, behind `overhead` bytes.
pub(crate) fn from_json(overhead: usize, json: &str) -> Result<WipedBytes, Error> {
    let mut out = begin(overhead, json);
    steps(json, 0, json.len(), &mut out)?;
    out.add(b".");
    Ok(out)
}

/// The same of a payload, an array of three: it becomes a tuple, as Pyramid makes it.
pub(super) fn tuple_from_json(overhead: usize, payload: &str) -> Result<WipedBytes, Error> {
    let mut out = begin(overhead, payload);
    steps(payload, 1, payload.len() - 1, &mut out)?;
    out.add(&[TUPLE3, b'.']);
    Ok(out)
}

const TUPLE3: u8 = 0x87;

fn begin(overhead: usize, json: &str) -> WipedBytes {
    let mut out = WipedBytes::with_capacity(overhead + 2 * json.len() + 16);
    out.add(&vec![0; overhead]);
    out.add(&[0x80, 2]);
    out
}

/// What stands from one byte of a text to another. Each bracket is an opcode of its own, so the text itself is the stack.
fn steps(json: &str, start: usize, end: usize, out: &mut WipedBytes) -> Result<(), Error> {
    let mut scanner = Scanner::lenient(json);
    scanner.at = start;
    while scanner.at < end {
        step(json, &mut scanner, out)?;
    }
    Ok(())
}

fn step(payload: &str, scanner: &mut Scanner<'_>, out: &mut WipedBytes) -> Result<(), Error> {
    let start = scanner.at;
    match scanner.peek() {
        b' ' | b'\t' | b'\n' | b'\r' | b',' | b':' => scanner.at += 1,
        b'[' => {
            scanner.at += 1;
            out.add(b"](");
        }
        b'{' => {
            scanner.at += 1;
            out.add(b"}(");
        }
        b']' => {
            scanner.at += 1;
            out.add(b"e");
        }
        b'}' => {
            scanner.at += 1;
            out.add(b"u");
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
fn text(inside: &str, out: &mut WipedBytes) {
    let mut bytes = WipedBytes::with_capacity(inside.len());
    for point in json::code_points(inside) {
        match char::from_u32(point) {
            Some(character) => bytes.add(character.encode_utf8(&mut [0; 4]).as_bytes()),
            None => {
                bytes.add(&[0xe0 | (point >> 12) as u8, 0x80 | (point >> 6 & 0x3f) as u8, 0x80 | (point & 0x3f) as u8])
            }
        }
    }
    out.add(b"X");
    out.add(&(bytes.len() as u32).to_le_bytes());
    out.add(&bytes);
}

fn scalar(json: &str, out: &mut WipedBytes) -> Result<(), Error> {
    let word: &[u8] = match json {
        "null" => b"N",
        "true" => &[0x88],
        "false" => &[0x89],
        _ => return number(json, out),
    };
    out.add(word);
    Ok(())
}

fn number(json: &str, out: &mut WipedBytes) -> Result<(), Error> {
    let float = match json {
        "NaN" => f64::NAN,
        "Infinity" => f64::INFINITY,
        "-Infinity" => f64::NEG_INFINITY,
        _ if !json.contains(['.', 'e', 'E']) => return integer(json, out),
        // What overflows is infinite in Python, too.
        _ => json.parse().unwrap_or(f64::NAN),
    };
    out.add(b"G");
    out.add(&float.to_be_bytes());
    Ok(())
}

fn integer(json: &str, out: &mut WipedBytes) -> Result<(), Error> {
    if let Ok(small) = json.parse::<i32>() {
        out.add(b"J");
        out.add(&small.to_le_bytes());
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
