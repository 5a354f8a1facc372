//! The list of digest chains that `verify --deep --json` printed, read from a file.

use std::io::{Error as IoError, ErrorKind};
use std::path::Path;

use serde::Deserialize;

use super::exit::Failure;
use scrollback::Error;
use scrollback::report::SessionDigest;

/// What of the output of `verify --deep --json` is read again.
#[derive(Debug, Deserialize)]
struct Printed {
    digests: Vec<SessionDigest>,
}

/// Reads a list that was kept in a file.
///
/// # Errors
///
/// If the file cannot be read, or is something else.
pub(crate) fn read(path: &Path) -> Result<Vec<SessionDigest>, Failure> {
    let bytes = std::fs::read(path).map_err(|source| failure(path, source))?;
    let printed: Printed = serde_json::from_slice(&bytes)
        .map_err(|error| failure(path, IoError::new(ErrorKind::InvalidData, error)))?;
    Ok(printed.digests)
}

fn failure(path: &Path, source: IoError) -> Failure {
    let is_another = source.kind() == ErrorKind::InvalidData;
    let hint = "name a file that holds what `scrollback verify --deep --json` printed";
    Failure::Error {
        error: Error::Io {
            action: "read the digests in",
            path: path.to_owned(),
            source,
        },
        hint: is_another.then(|| hint.to_owned()),
    }
}
