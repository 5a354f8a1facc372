//! Why a history was left alone, in words.

use std::io;
use std::path::{Path, PathBuf};

use crate::model::error::Error;

/// Why a history was left alone, in words.
pub(super) type Refusal = String;

/// Turns a system's error into words.
pub(super) fn failed(action: &str, path: &Path) -> impl FnOnce(io::Error) -> Refusal {
    let (action, path) = (action.to_owned(), PathBuf::from(path));
    move |error| format!("cannot {action} `{}`: {error}", path.display())
}

/// An error in words, with its cause.
pub(super) fn refusal(error: Error) -> Refusal {
    match error {
        Error::Busy { reason } => format!("busy: {reason}; try again"),
        error => match std::error::Error::source(&error) {
            Some(cause) => format!("{error}: {cause}"),
            None => error.to_string(),
        },
    }
}
