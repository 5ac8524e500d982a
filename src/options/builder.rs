//! Builder methods for the options that most applications set.

use crate::options::Options;

impl Options {
    /// Sets the secret as text. It must not be empty.
    pub fn secret(self, text: &str) -> Self {
        self.with("secret", text)
    }

    /// Adds a previous secret as text. Sessions that were written with it can still be opened, and are then written
    /// again with the current secret.
    pub fn previous_secret(self, text: &str) -> Self {
        self.with("previous_secret", text)
    }

    /// Encrypts cookies. The secret has 64 hexadecimal digits, as
    /// [`generate_encryption_secret`](crate::generate_encryption_secret) makes it.
    pub fn encrypted(self, hex_secret: &str) -> Self {
        self.with("type", "encrypted_cookie").with("secret", hex_secret)
    }

    /// Keeps sessions in the store of this URL: `memory:`, `sqlite:PATH`, `redis://HOST:PORT/DB` and others.
    pub fn store(self, url: &str) -> Self {
        self.with("type", "store").with("store", url)
    }

    /// Sets the cookie's name.
    pub fn cookie_name(self, name: &str) -> Self {
        self.with("cookie_name", name)
    }

    /// Sets the cookie's domain. The browser also sends the cookie to its subdomains.
    pub fn domain(self, domain: &str) -> Self {
        self.with("domain", domain)
    }

    /// Sets the cookie's path.
    pub fn path(self, path: &str) -> Self {
        self.with("path", path)
    }

    /// Sets how many seconds the browser keeps the cookie.
    pub fn max_age(self, seconds: u64) -> Self {
        self.with("max_age", &seconds.to_string())
    }

    /// If on, the browser sends the cookie only over https.
    pub fn secure(self, is_on: bool) -> Self {
        self.with("secure", switch(is_on))
    }

    /// If on, scripts in the browser cannot read the cookie. Switch it on in a new application.
    pub fn httponly(self, is_on: bool) -> Self {
        self.with("httponly", switch(is_on))
    }

    /// Sets the attribute `SameSite` to `Lax`, `Strict` or `None`. If the value is empty, the cookie has no such
    /// attribute.
    pub fn samesite(self, value: &str) -> Self {
        self.with("samesite", value)
    }

    /// Sets the number of seconds after its last use when a session expires.
    pub fn timeout(self, seconds: u64) -> Self {
        self.with("timeout", &seconds.to_string())
    }

    /// Sets the number of seconds after its beginning when a session expires, even if it is in use.
    pub fn absolute_timeout(self, seconds: u64) -> Self {
        self.with("absolute_timeout", &seconds.to_string())
    }

    /// Sets how old a cookie may get, in seconds, before reading the session renews it.
    pub fn reissue_time(self, seconds: u64) -> Self {
        self.with("reissue_time", &seconds.to_string())
    }
}

fn switch(is_on: bool) -> &'static str {
    if is_on { "true" } else { "false" }
}
