//! Sessions that were deleted, and that an import passes over.

use chrono::{DateTime, Utc};
use serde::Serialize;

use crate::codec::deleted_row::{DeletedRow, DeletedSource};
use crate::model::key::SessionKey;

/// The mark of a session that was deleted: an import passes over it, until it is asked for again.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct DeletedSession {
    /// The session's name.
    #[serde(flatten)]
    pub key: SessionKey,
    /// The folder that it was imported from, where the agent's ids are not unique by themselves: a
    /// session of that id from another folder is taken. U+FFFD stands for what is not UTF-8.
    pub home: Option<String>,
    /// When it was deleted.
    pub deleted_at: DateTime<Utc>,
    /// The folder as bytes; empty for none.
    #[serde(skip)]
    pub(crate) home_bytes: Vec<u8>,
    /// What it was imported from.
    #[serde(skip)]
    pub(crate) sources: Vec<DeletedSource>,
}

impl DeletedSession {
    /// A stored mark; the error says what is wrong with it.
    pub(crate) fn of(
        (agent, id, home): (&str, &str, &[u8]),
        row: DeletedRow,
    ) -> Result<Self, String> {
        let key = SessionKey::new(agent, id).map_err(|error| error.to_string())?;
        let deleted_at = DateTime::from_timestamp_micros(row.deleted_us)
            .ok_or_else(|| format!("time {} out of range", row.deleted_us))?;
        let shown = String::from_utf8_lossy(home).into_owned();
        Ok(Self {
            key,
            home: Some(shown).filter(|home| !home.is_empty()),
            deleted_at,
            home_bytes: home.to_vec(),
            sources: row.sources,
        })
    }

    /// The stored mark.
    pub(crate) fn row(&self) -> DeletedRow {
        DeletedRow {
            deleted_us: self.deleted_at.timestamp_micros(),
            sources: self.sources.clone(),
        }
    }
}

/// The folder of a file, by the bytes of its path.
pub(crate) fn folder_of(path: &[u8]) -> &[u8] {
    let end = path.iter().rposition(|byte| *byte == b'/');
    end.and_then(|end| path.get(..end)).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_folder_of_a_path() {
        assert_eq!(folder_of(b"/a/b/c.jsonl"), b"/a/b");
        assert_eq!(folder_of(b"/c.jsonl"), b"");
        assert_eq!(folder_of(b"c"), b"");
    }
}
