//! JSON text ⇄ the bytes that a library writes of it.

use std::io::Read;

use flate2::read::ZlibDecoder;
use flate2::{Compress, Compression, FlushCompress, Status};
use zeroize::Zeroizing;

use crate::error::Error;
use crate::json::Fault;
use crate::load::Refusal;
use crate::serializer::json;
use crate::serializer::pickle::{self, Origin};
use crate::state::State;
use crate::wiped::{WipedBytes, WipedText};

/// Bytes that a compressed text may unfold to.
const MOST_INFLATED: usize = 1 << 20;

#[derive(Clone, Copy)]
pub(super) enum Notation {
    Json,
    /// JSON, compressed (RFC 1950).
    ZippedJson,
    Pickle,
}

impl Notation {
    /// The JSON text that some bytes stand for; it need not be JSON yet. `level` is the number of objects around the
    /// session's data.
    pub fn loads(self, data: WipedBytes, level: usize) -> Result<(WipedText, Option<Origin>), Refusal> {
        let text = match self {
            Self::Pickle => return pickle::to_json(&data, level).map(|(text, origin)| (text, Some(origin))),
            Self::ZippedJson => inflated(&data)?,
            Self::Json => data,
        };
        let text = text.into_text().ok_or_else(|| {
            Refusal::malformed(
                "the session is not JSON in UTF-8; if its writer pickles, the option serializer must be pickle",
            )
        });
        Ok((text?, None))
    }

    /// The bytes that stand for a JSON text, behind `room` others. The object of `state` begins at byte `at` of the text.
    pub fn dumps(self, room: usize, json: &str, state: &State, at: usize) -> Result<WipedBytes, Error> {
        match self {
            Self::Pickle => pickle::from_session(room, json, state, at),
            Self::ZippedJson => deflated(room, json),
            Self::Json => {
                let mut out = WipedBytes::with_capacity(room + json.len());
                out.resize(room, 0);
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
            Ok(length) if out.len() + length > MOST_INFLATED => {
                return Err(Refusal::unsupported("the session unfolds to more than 1 MiB"));
            }
            Ok(length) => out.add(&chunk[..length]),
            Err(_) => return Err(Refusal::malformed("the session is not compressed as it should be")),
        }
    }
}

fn deflated(overhead: usize, json: &str) -> Result<WipedBytes, Error> {
    if json.len() > MOST_INFLATED {
        return Err(Error::Range(format!("a session of Beaker's may have 1 MiB of JSON, not {} bytes", json.len())));
    }
    // What cannot be compressed becomes a little longer.
    let mut out = WipedBytes::with_capacity(overhead + json.len() + json.len() / 8 + 128);
    out.resize(overhead, 0);
    let status =
        Compress::new(Compression::default(), true).compress_vec(json.as_bytes(), &mut out, FlushCompress::Finish);
    assert!(matches!(status, Ok(Status::StreamEnd)), "there is room for all of it");
    Ok(out)
}

/// Why a text is no session. `level` is the number of objects around the session's data.
pub(super) fn refusal(fault: Fault, text: &str, level: usize) -> Refusal {
    json::refused(fault, "what is kept is not a session", text, level)
}
