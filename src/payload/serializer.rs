//! Serializers: they write a session's times and state as a payload, and read it.

use std::ops::Range;

use crate::error::Error;
use crate::json::unescaped;
use crate::load::Refusal;
use crate::payload::moment::Moment;
use crate::payload::state::State;
use crate::sys::wiped::WipedBytes;

/// The content of a session: its times and its state.
pub(crate) struct Content {
    pub renewed: Moment,
    pub created: Moment,
    pub state: State,
}

/// A way to write a session as a cookie's payload, which holds its times and its state.
pub(crate) trait CookieSerializer: Send + Sync {
    /// Reads a cookie's payload, the bytes `payload` of `buffer`.
    fn loads(&self, buffer: WipedBytes, payload: Range<usize>) -> Result<Content, Refusal>;

    /// Writes a cookie's payload after `room` bytes, which are for the seal.
    fn dumps(&self, room: usize, accessed: Moment, created: Moment, state: &State) -> Result<WipedBytes, Error>;
}

/// A way to write a session also as a record's payload. This is the state alone: the record's header contains the
/// times.
pub(crate) trait Serializer: CookieSerializer {
    /// Reads a record's payload, the bytes `payload` of `buffer`.
    fn loads_state(&self, buffer: WipedBytes, payload: Range<usize>) -> Result<State, Refusal>;

    /// Writes a record's payload after `room` bytes, which are for the header.
    fn dumps_state(&self, room: usize, state: &State) -> Result<WipedBytes, Error>;
}

/// The longest key that an error message shows in full, in characters.
const LONGEST_KEY: usize = 100;

/// A key as an error message shows it. `inside` is its JSON text between the quotes.
pub(super) fn shown_key(inside: &str) -> String {
    let key = unescaped(inside);
    match key.char_indices().nth(LONGEST_KEY) {
        Some((end, _)) => format!("{:?}…", &key[..end]),
        None => format!("{:?}", &**key),
    }
}

#[cfg(test)]
mod tests {
    use super::{CookieSerializer, Serializer};
    use crate::json::Marks;
    use crate::load::LoadResult;
    use crate::payload::json::Json;
    use crate::payload::moment::Moment;
    use crate::payload::pickle::Pickle;
    use crate::sys::wiped::WipedBytes;

    /// The text of a state that is read from a payload between other bytes.
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

    /// A dict as Python 2 pickled it: `{'a': (1,), 'b': (1,)}`. Both values are the same tuple.
    const DICT: &[u8] = b"(dp0\nS'a'\np1\n(I1\ntp2\nsS'b'\ng2\ns";

    #[test]
    fn a_pickled_record_is_written_back_unchanged_until_it_is_changed() {
        let record = [b"head", DICT, b".tail"].concat();
        let mut state = Pickle.loads_state(WipedBytes::from(record), 4..4 + DICT.len() + 1).unwrap();
        assert_eq!(**Pickle.dumps_state(3, &state).unwrap(), *[b"\0\0\0", DICT, b"."].concat());
        let value = state.keep("2", Marks::default());
        state.set("c", value);
        let changed = b"\x80\x02}(X\x01\0\0\0aK\x01\x85q\0X\x01\0\0\0bh\0X\x01\0\0\0cK\x02u.";
        assert_eq!(**Pickle.dumps_state(0, &state).unwrap(), *changed);
    }

    #[test]
    fn a_pickled_state_moves_between_a_cookie_and_a_record() {
        let session = [b"(F1.5\nI2\n", DICT, b"t."].concat();
        let length = session.len();
        let content = Pickle.loads(WipedBytes::from(session), 0..length).unwrap();
        let alone = b"\x80\x02}(X\x01\0\0\0aK\x01\x85q\0X\x01\0\0\0bh\0u.";
        let record = Pickle.dumps_state(0, &content.state).unwrap();
        assert_eq!(**record, *alone);
        let length = record.len();
        let state = Pickle.loads_state(record, 0..length).unwrap();
        let session = Pickle.dumps(0, Moment::whole(3.0), Moment::at(2.5), &state).unwrap();
        let times = b"\x80\x02K\x03G\x40\x04\0\0\0\0\0\0";
        assert_eq!(**session, *[&times[..], &alone[2..alone.len() - 1], b"\x87."].concat());
    }
}
