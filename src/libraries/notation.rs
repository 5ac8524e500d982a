//! Converts JSON text to the bytes that a library writes, and back.

use std::io::Read;

use flate2::read::ZlibDecoder;
use flate2::{Compress, Compression, FlushCompress, Status};
use zeroize::Zeroizing;

use crate::error::Error;
use crate::json::Fault;
use crate::load::Refusal;
use crate::payload::json;
use crate::payload::pickle::{self, Origin};
use crate::payload::state::State;
use crate::sys::wiped::{WipedBytes, WipedText};

/// The most bytes that a compressed text may have when it is decompressed.
const LARGEST_TEXT: usize = 1 << 20;

/// The form in which a library writes JSON text.
#[derive(Clone, Copy)]
pub(super) enum Notation {
    Json,
    /// JSON, compressed (RFC 1950).
    ZippedJson,
    Pickle,
}

impl Notation {
    /// Converts a library's bytes to JSON text. The text is not parsed, so it may be invalid JSON. `level` is the
    /// number of objects around the session's data.
    pub fn loads(self, data: WipedBytes, level: usize) -> Result<(WipedText, Option<Origin>), Refusal> {
        let text = match self {
            Self::Pickle => return pickle::to_json(&data, level).map(|(text, origin)| (text, Some(origin))),
            Self::ZippedJson => inflated(&data)?,
            Self::Json => data,
        };
        let text = text.into_text().ok_or_else(|| {
            Refusal::malformed(
                "the session is not JSON in UTF-8. If its writer uses pickle, set the option serializer to pickle.",
            )
        });
        Ok((text?, None))
    }

    /// Converts a JSON text to a library's bytes, and puts `room` bytes before them. The object of `state` begins at
    /// byte `at` of the text.
    pub fn dumps(self, room: usize, json: &str, state: &State, at: usize) -> Result<WipedBytes, Error> {
        match self {
            Self::Pickle => pickle::from_session(room, json, state, at),
            Self::ZippedJson => deflated(room, json),
            Self::Json => {
                let mut out = WipedBytes::with_room(room, json.len());
                out.add(json.as_bytes());
                Ok(out)
            }
        }
    }
}

fn inflated(data: &[u8]) -> Result<WipedBytes, Refusal> {
    let mut decoder = ZlibDecoder::new(data);
    let mut chunk = Zeroizing::new([0; 4096]);
    let mut out = WipedBytes::with_capacity(4 * data.len());
    loop {
        match decoder.read(&mut chunk[..]) {
            Ok(0) => return Ok(out),
            Ok(length) if out.len() + length > LARGEST_TEXT => {
                return Err(Refusal::unsupported("the decompressed session has more than 1 MiB"));
            }
            Ok(length) => out.add(&chunk[..length]),
            Err(_) => return Err(Refusal::malformed("the session cannot be decompressed")),
        }
    }
}

fn deflated(room: usize, json: &str) -> Result<WipedBytes, Error> {
    if json.len() > LARGEST_TEXT {
        return Err(Error::Range(format!(
            "Beaker's sessions may have at most 1 MiB of JSON, not {} bytes",
            json.len()
        )));
    }
    // Data that cannot be compressed become a little longer.
    let mut out = WipedBytes::with_room(room, json.len() + json.len() / 8 + 128);
    let status =
        Compress::new(Compression::default(), true).compress_vec(json.as_bytes(), &mut out, FlushCompress::Finish);
    assert!(matches!(status, Ok(Status::StreamEnd)), "the buffer is large enough");
    Ok(out)
}

/// The refusal of a text that is not a session. `level` is the number of objects around the session's data.
pub(super) fn refusal(fault: Fault, text: &str, level: usize) -> Refusal {
    json::refused(fault, "the stored text is not a session", text, level)
}
