//! The reasons why the command fails, with their exit statuses. `--help` lists the statuses.

use std::path::Path;

use khufu::{Error, LoadResult};

/// A reason why the command fails. The message says what to do next.
#[derive(Debug, thiserror::Error)]
pub enum Failure {
    #[error("cannot write the output: {0}")]
    Output(String),
    #[error("{0}")]
    System(String),
    #[error("cannot read {what}: {reason}")]
    Unreadable { what: String, reason: String },
    #[error("{0}")]
    Options(String),
    #[error("the configuration has errors")]
    Errors,
    #[error("the configuration has warnings")]
    Warnings,
    #[error(
        "the cookie was not sealed with this secret ({0}). Compare the options secret, salt, hashalg and type with those \
         of the application that wrote it."
    )]
    OtherSecret(String),
    #[error("the cookie is refused: {result} ({reason})")]
    Refused { result: LoadResult, reason: String },
    #[error("{0}. Check that the store runs, and the option store.")]
    Store(String),
    #[error("{0}")]
    NoSession(String),
}

impl Failure {
    /// The exit status of the command.
    pub fn status(&self) -> u8 {
        match self {
            Self::Output(_) | Self::System(_) => 1,
            Self::Unreadable { .. } => 3,
            Self::Options(_) | Self::Errors => 4,
            Self::OtherSecret(_) => 5,
            Self::Refused { .. } => 6,
            Self::Store(_) => 7,
            Self::NoSession(_) => 8,
            Self::Warnings => 9,
        }
    }

    pub fn unreadable(file: &Path, error: &std::io::Error) -> Self {
        Self::Unreadable { what: file.display().to_string(), reason: error.to_string() }
    }
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        match error {
            Error::Store(_) | Error::Conflict => Self::Store(error.to_string()),
            Error::Random(_) => Self::System(error.to_string()),
            _ => Self::Options(error.to_string()),
        }
    }
}
