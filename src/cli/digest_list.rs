//! The list of digest chains that `verify --deep --json` prints, and its way back from a file.

use std::io::{Error as IoError, ErrorKind};
use std::path::Path;

use serde::{Deserialize, Serialize};

use super::exit::Failure;
use crate::model::error::Error;
use crate::model::key::SessionKey;
use crate::store::SessionDigest;

/// The head of a session's chain, as JSON.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Entry {
    session: String,
    from: u64,
    records: u64,
    rewrites: u64,
    digest: String,
}

/// What of the output of `verify --deep --json` is read again.
#[derive(Debug, Deserialize)]
struct Printed {
    digests: Vec<Entry>,
}

impl From<&SessionDigest> for Entry {
    fn from(head: &SessionDigest) -> Self {
        Self {
            session: head.key.to_string(),
            from: head.from,
            records: head.records,
            rewrites: head.rewrites,
            digest: hex(&head.digest),
        }
    }
}

impl Entry {
    fn head(&self) -> Option<SessionDigest> {
        let (agent, id) = self.session.split_once(':')?;
        Some(SessionDigest {
            key: SessionKey::new(agent, id).ok()?,
            from: self.from,
            records: self.records,
            rewrites: self.rewrites,
            digest: unhex(&self.digest)?,
        })
    }
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
    let head = |entry: &Entry| {
        entry.head().ok_or_else(|| {
            let reason = format!("`{}` with digest `{}`", entry.session, entry.digest);
            failure(path, IoError::new(ErrorKind::InvalidData, reason))
        })
    };
    printed.digests.iter().map(head).collect()
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

fn hex(digest: &[u8]) -> String {
    digest
        .iter()
        .flat_map(|byte| [byte >> 4, byte & 15])
        .filter_map(|digit| char::from_digit(u32::from(digit), 16))
        .collect()
}

fn unhex(text: &str) -> Option<[u8; 32]> {
    let digits: Vec<u8> = text
        .chars()
        .map(|digit| {
            digit
                .to_digit(16)
                .and_then(|digit| u8::try_from(digit).ok())
        })
        .collect::<Option<_>>()?;
    let bytes: Vec<u8> = digits
        .chunks(2)
        .map(|pair| match pair {
            [high, low] => Some(high << 4 | low),
            _ => None,
        })
        .collect::<Option<_>>()?;
    bytes.try_into().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_digest_comes_back_from_its_text_and_other_text_is_refused() {
        let digest: [u8; 32] = std::array::from_fn(|at| u8::try_from(at * 8).unwrap() ^ 0xf5);
        let text = hex(&digest);
        assert_eq!(unhex(&text), Some(digest));
        let longer = format!("{text}00");
        for other in ["", "0", "00", &longer, &text.replace('f', "g")] {
            assert_eq!(unhex(other), None, "{other}");
        }
    }
}
