//! The origin of a session, and the work of its next commit.

/// The origin of a session.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Origin {
    /// The session began with this request.
    New,
    /// It is the browser's session.
    Loaded,
    /// It is the browser's session, but in an outdated form, so it is written again.
    Outdated,
    /// The session began with this request because the browser's session could not be read here. That one may be valid,
    /// so it is not overwritten.
    Unreadable,
}

/// The work of the next commit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Pending {
    Nothing,
    /// The session was read, and its cookie is old enough to be renewed.
    Renewal,
    /// The session was changed.
    Changes,
    /// The session was invalidated.
    End,
    /// The session was invalidated, and a new one was changed.
    Replacement,
}

impl Origin {
    /// True if the session began with this request.
    pub fn is_new(self) -> bool {
        matches!(self, Self::New | Self::Unreadable)
    }
}

impl Pending {
    pub fn with_change(self) -> Self {
        match self {
            Self::Nothing | Self::Renewal | Self::Changes => Self::Changes,
            Self::End | Self::Replacement => Self::Replacement,
        }
    }

    pub fn with_renewal(self) -> Self {
        if self == Self::Nothing { Self::Renewal } else { self }
    }

    /// True if there are changes to write.
    pub fn has_changes(self) -> bool {
        matches!(self, Self::Changes | Self::Replacement)
    }

    /// True if the session that was invalidated must end.
    pub fn ends(self) -> bool {
        matches!(self, Self::End | Self::Replacement)
    }
}
