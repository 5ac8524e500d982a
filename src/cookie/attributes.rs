//! The attributes of a factory's cookies, and the rules that browsers have for them.

use crate::error::Error;
use crate::options::Settings;

/// The attributes of every cookie that a factory writes.
pub(crate) struct Attributes {
    pub name: String,
    pub max_age: Option<u64>,
    pub domain: Option<String>,
    pub path: Option<String>,
    pub secure: bool,
    pub httponly: bool,
    pub samesite: Option<&'static str>,
}

/// Beginnings of names that browsers bind to attributes (RFC 6265bis, section 4.1.3). The longest of a kind comes first.
const PREFIXES: [&str; 4] = ["__Host-Http-", "__Host-", "__Http-", "__Secure-"];

impl Attributes {
    /// # Errors
    /// [`Error::Option`] if browsers would drop a cookie with these attributes.
    pub fn new(settings: &Settings) -> Result<Self, Error> {
        let domain = settings.get("domain");
        let attributes = Self {
            name: settings.get("cookie_name").unwrap_or_default().to_owned(),
            max_age: settings.seconds("max_age"),
            // Browsers ignore a leading dot.
            domain: domain.map(|domain| domain.strip_prefix('.').unwrap_or(domain).to_owned()),
            path: settings.get("path").map(str::to_owned),
            secure: settings.is_on("secure"),
            httponly: settings.is_on("httponly"),
            samesite: settings.choice("samesite"),
        };
        attributes.check(settings)?;
        Ok(attributes)
    }

    fn check(&self, settings: &Settings) -> Result<(), Error> {
        if self.samesite == Some("None") && !self.secure {
            return Err(settings.refuse("", "secure", "true where samesite is None"));
        }
        let Some(prefix) = PREFIXES.into_iter().find(|prefix| begins_with(&self.name, prefix)) else { return Ok(()) };
        let (host, http) = (prefix.starts_with("__Host-"), prefix.ends_with("Http-"));
        let rules = [
            ("secure", "true", self.secure),
            ("httponly", "true", self.httponly || !http),
            ("path", "/", self.path.as_deref() == Some("/") || !host),
            ("domain", "unset", self.domain.is_none() || !host),
        ];
        match rules.into_iter().find(|(_, _, kept)| !kept) {
            Some((option, allowed, _)) => {
                Err(settings.refuse("", option, &format!("{allowed} for a cookie_name that begins with {prefix}")))
            }
            None => Ok(()),
        }
    }
}

/// Browsers compare the beginning of a name without regard to case.
fn begins_with(name: &str, prefix: &str) -> bool {
    name.get(..prefix.len()).is_some_and(|start| start.eq_ignore_ascii_case(prefix))
}
