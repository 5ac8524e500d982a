//! The attributes of a cookie, and browsers' rules for them.

/// The attributes of a cookie, and its name.
#[derive(Clone)]
pub(crate) struct Attributes {
    pub name: String,
    pub max_age: Option<u64>,
    pub domain: Option<String>,
    pub path: Option<String>,
    pub secure: bool,
    pub httponly: bool,
    pub samesite: Option<&'static str>,
    pub partitioned: bool,
}

/// Prefixes of names for which browsers require certain attributes (RFC 6265bis, section 4.1.3). A longer prefix comes
/// before a shorter one that it begins with.
const PREFIXES: [&str; 4] = ["__Host-Http-", "__Host-", "__Http-", "__Secure-"];

impl Attributes {
    /// Finds an attribute whose value makes browsers drop the cookie. Returns its name and the value that it must have.
    /// `None` if browsers accept the cookie.
    pub fn broken_rule(&self) -> Option<(&'static str, String)> {
        if self.samesite == Some("None") && !self.secure {
            return Some(("secure", "true if samesite is None".to_owned()));
        }
        if self.partitioned && !self.secure {
            return Some(("secure", "true if partitioned is true".to_owned()));
        }
        let prefix = PREFIXES.into_iter().find(|prefix| begins_with(&self.name, prefix))?;
        let (host, http) = (prefix.starts_with("__Host-"), prefix.ends_with("Http-"));
        let rules = [
            ("secure", "true", self.secure),
            ("httponly", "true", self.httponly || !http),
            ("path", "/", self.path.as_deref() == Some("/") || !host),
            ("domain", "unset", self.domain.is_none() || !host),
        ];
        let (attribute, allowed, _) = rules.into_iter().find(|(_, _, is_kept)| !is_kept)?;
        Some((attribute, format!("{allowed} for a cookie_name that begins with {prefix}")))
    }
}

/// True if a name begins with a prefix. Browsers ignore case here.
fn begins_with(name: &str, prefix: &str) -> bool {
    name.get(..prefix.len()).is_some_and(|start| start.eq_ignore_ascii_case(prefix))
}
