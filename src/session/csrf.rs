//! CSRF tokens: a text under the key `_csrft_`.

use constant_time_eq::constant_time_eq;
use zeroize::Zeroizing;

use crate::arena::Span;
use crate::error::Error;
use crate::json;
use crate::session::Session;
use crate::session::changes::{Change, JsonText};
use crate::state::{State, Value};

pub(super) const KEY: &str = "_csrft_";

/// Random bytes of a new token.
const TOKEN: usize = 20;

impl Session {
    /// The session's CSRF token; where it has none, a new one.
    ///
    /// # Errors
    /// [`Error::Random`] if there is none and the system gives no random bytes.
    pub fn csrf_token(&mut self) -> Result<&str, Error> {
        if !has_token(&self.state) {
            let token = self.random_token()?;
            self.state.set(KEY, token);
            self.was_touched();
            self.note(|state| Change::CsrfToken(JsonText::of(state, token)));
            self.state.settle(Span::EMPTY);
        }
        Ok(self.get_string(KEY)?.unwrap_or_default())
    }

    /// Sets a new CSRF token, 40 hex digits, and gives it.
    ///
    /// # Errors
    /// [`Error::Random`] if the system gives no random bytes.
    pub fn new_csrf_token(&mut self) -> Result<&str, Error> {
        let token = self.random_token()?;
        let token = self.store(KEY, token)?;
        Ok(self.state.text(token.part(1, token.len() - 1)))
    }

    fn random_token(&mut self) -> Result<Value, Error> {
        let mut bytes = Zeroizing::new([0; TOKEN]);
        getrandom::fill(&mut *bytes)?;
        let mut digits = Zeroizing::new([0; 2 * TOKEN]);
        hex::encode_to_slice(*bytes, &mut *digits).expect("the array has room for two digits a byte");
        self.keep_string(std::str::from_utf8(&*digits).expect("hex digits are text"))
    }

    /// Whether a token is the session's, in a time that does not tell where they differ. A session without a token
    /// refuses every one, and stays without.
    pub fn check_csrf_token(&mut self, token: &[u8]) -> bool {
        match self.get_string(KEY) {
            Ok(Some(expected)) => !expected.is_empty() && constant_time_eq(expected.as_bytes(), token),
            _ => false,
        }
    }
}

/// Whether there is a token: any text that is not empty.
pub(super) fn has_token(state: &State) -> bool {
    let inside = state.get(KEY).and_then(|value| state.inside(value));
    inside.is_some_and(|inside| inside.len() > 0 && json::is_text(state.text(inside)))
}
