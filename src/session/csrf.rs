//! CSRF tokens. A token is a text at the key `_csrft_`.

use constant_time_eq::constant_time_eq;
use zeroize::Zeroizing;

use crate::error::Error;
use crate::payload::arena::Span;
use crate::payload::state::{JsonText, Value};
use crate::record::changes::Change;
use crate::session::Session;

const KEY: &str = "_csrft_";

/// The number of random bytes in a new token.
const TOKEN: usize = 20;

impl Session {
    /// The session's CSRF token, 40 hex digits. If the session has no token, it gets a new one. Pyramid's
    /// `get_csrf_token`.
    ///
    /// ```
    /// # let mut session = khufu::Factory::new(&khufu::Options::new().secret("seekrit"))?.open(b"")?;
    /// let token = session.csrf_token()?.to_owned();
    /// println!(r#"<input type="hidden" name="csrf_token" value="{token}">"#);
    /// // In the request that submits the form:
    /// assert!(session.check_csrf_token(token.as_bytes()));
    /// # Ok::<(), khufu::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`Error::Random`] if a new token is needed and the system gives no random bytes.
    pub fn csrf_token(&mut self) -> Result<&str, Error> {
        if !self.state.has_text(KEY) {
            let token = self.random_token()?;
            self.state.set(KEY, token);
            self.note_access();
            self.note(|state| Change::SetText(KEY.into(), JsonText::of(state, token)));
            self.state.settle(Span::EMPTY);
        }
        Ok(self.get_str(KEY)?.unwrap_or_default())
    }

    /// Sets a new CSRF token, 40 hex digits, and returns it. Pyramid's `new_csrf_token`.
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
        hex::encode_to_slice(*bytes, &mut *digits).expect("the buffer has two digits for each byte");
        self.keep_string(std::str::from_utf8(&*digits).expect("hex digits are text"))
    }

    /// True if `token` is the session's CSRF token. They are compared in constant time. False if the session has no
    /// token; it does not get one.
    pub fn check_csrf_token(&mut self, token: &[u8]) -> bool {
        match self.get_str(KEY) {
            Ok(Some(expected)) => !expected.is_empty() && constant_time_eq(expected.as_bytes(), token),
            _ => false,
        }
    }
}
