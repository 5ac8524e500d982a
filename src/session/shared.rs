//! The configuration that the sessions of one factory share.

use crate::config::Lifetime;
use crate::cookie::Template;
use crate::cookie::format::Format;
use crate::record::Records;

/// The parts of a factory that its sessions use.
pub(crate) struct Shared {
    pub current: Current,
    /// Formats that are also accepted on opening, in the order in which they are tried.
    pub accepted: Vec<Format>,
    pub cookie: Template,
    pub lifetime: Lifetime,
    pub set_on_exception: bool,
}

/// The place where sessions are written.
pub(crate) enum Current {
    Cookie(Format),
    Stored(Box<Records>),
}

impl Current {
    pub fn records(&self) -> Option<&Records> {
        match self {
            Self::Cookie(_) => None,
            Self::Stored(records) => Some(records),
        }
    }
}
