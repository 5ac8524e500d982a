//! Payload ⇄ `(renewed, created, state)`, or the state alone.

pub(crate) mod json;
pub(crate) mod pickle;

use std::ops::Range;

use crate::error::Error;
use crate::load::Refusal;
use crate::moment::Moment;
use crate::state::State;
use crate::wiped::WipedBytes;

pub(crate) use json::Json;
pub(crate) use pickle::Pickle;

/// What a payload says.
pub(crate) struct Content {
    pub renewed: Moment,
    pub created: Moment,
    pub state: State,
}

/// A way to write a session as a cookie's payload, which holds its times and its state.
pub(crate) trait CookieSerializer: Send + Sync {
    /// Reads a cookie's payload, the bytes `payload` of `buffer`.
    fn loads(&self, buffer: WipedBytes, payload: Range<usize>) -> Result<Content, Refusal>;

    /// Writes a cookie's payload, behind `room` bytes for the seal.
    fn dumps(&self, room: usize, accessed: Moment, created: Moment, state: &State) -> Result<WipedBytes, Error>;
}

/// A way to write a session as the payload of a record, too. It is the state alone: the record's header has the times.
pub(crate) trait Serializer: CookieSerializer {
    /// Reads a record's payload, the bytes `payload` of `buffer`.
    fn loads_state(&self, buffer: WipedBytes, payload: Range<usize>) -> Result<State, Refusal>;

    /// Writes a record's payload, behind `room` bytes for the header.
    fn dumps_state(&self, room: usize, state: &State) -> Result<WipedBytes, Error>;
}

#[cfg(test)]
mod tests {
    use super::{Json, Pickle, Serializer};
    use crate::load::LoadResult;
    use crate::wiped::WipedBytes;

    /// What the state says that stands between other bytes.
    fn read(serializer: &dyn Serializer, payload: &[u8]) -> Result<String, LoadResult> {
        let buffer = WipedBytes::from([b"\xff{[", payload, b"]}\xff"].concat());
        let mut state = serializer.loads_state(buffer, 3..3 + payload.len()).map_err(|refusal| refusal.result)?;
        let whole = state.whole();
        Ok(state.text(whole).to_owned())
    }

    #[test]
    fn a_records_payload_is_the_state_alone() {
        for serializer in [&Json as &dyn Serializer, &Pickle] {
            for text in ["{}", r#"{"a":1}"#, r#"{"é":[1.5,{"b":null}],"\ud800":"x\ny"}"#] {
                let buffer = WipedBytes::from(text.as_bytes().to_vec());
                let state = Json.loads_state(buffer, 0..text.len()).unwrap();
                for room in [0, 1, 66, 200] {
                    let written = serializer.dumps_state(room, &state).unwrap();
                    assert_eq!(written[..room], vec![0; room]);
                    assert_eq!(read(serializer, &written[room..]).as_deref(), Ok(text));
                }
            }
        }
        assert_eq!(**Json.dumps_state(2, &Default::default()).unwrap(), *b"\0\0{}");
    }

    #[test]
    fn a_records_payload_that_is_no_object_is_malformed() {
        for payload in ["", "[]", "[1,1,{}]", "null", "1", "\"a\"", "{}{}", "{},1", "{\"a\":1", "\u{a0}{}"] {
            assert_eq!(read(&Json, payload.as_bytes()), Err(LoadResult::Malformed), "{payload}");
        }
        for payload in [&b""[..], b"].", b"N.", b"}", b"}}.", b"K\x01K\x01}\x87.", b"}..", b"{}"] {
            assert_eq!(read(&Pickle, payload), Err(LoadResult::Malformed), "{payload:?}");
        }
        let deep = format!("{{\"a\":{}{}}}", "[".repeat(1001), "]".repeat(1001));
        assert_eq!(read(&Json, deep.as_bytes()), Err(LoadResult::Unsupported));
    }
}
