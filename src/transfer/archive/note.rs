//! The note beside an archive's file: whose lines it holds, and which. A small JSON file, replaced
//! whole. It must not know how lines come into the file.
//!
//! Lines are told by sequence numbers, not by content: two equal lines are two records, and one
//! record is one line, however often somebody tries to write it.

use std::fs::File;
use std::io::{self, Read as _, Write as _};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::model::error::{Error, Result};
use crate::transfer::files::atomic::{create_private, sync_folder};

/// The format of notes that this build writes and reads.
const FORMAT: u32 = 1;

/// Longest note, in bytes.
const NOTE_BYTES_MAX: u64 = 16 * 1024 * 1024;

/// What the name of a note in the making ends with.
const TEMPORARY: &str = "-new";

/// Whose lines an archive's file holds. No two owners have one file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "snake_case")]
pub(in crate::transfer) enum Owner {
    /// A session of a store. The number tells it from one that had its name before. The time of
    /// creation would not: it changes with what an import learns.
    Session {
        /// The store's id; without one nobody is the same owner again.
        store: Option<Uuid>,
        /// The session's number there.
        number: u64,
    },
    /// A history of a folder.
    History {
        /// The folder, as text that no other path has.
        folder: String,
        /// The history's name there: a file of this name may be the second one of another.
        name: String,
    },
}

impl Owner {
    /// Whether this is the same owner as another one.
    pub(super) fn is(&self, other: &Self) -> bool {
        self == other && !matches!(self, Self::Session { store: None, .. })
    }
}

/// What is known of an archive's file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Note {
    format: u32,
    /// Whose lines they are.
    pub owner: Owner,
    /// How far the file goes; `None` for a history, whose journal tells.
    pub held: Option<Held>,
}

/// How far the file of a session's lines goes.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Held {
    /// Bytes at its start that were there before it had a note.
    pub before: u64,
    /// Bytes up to which it holds records that are gone from the store.
    pub bytes: u64,
    /// Their sequence numbers, a line each, in the order of the lines.
    pub runs: Runs,
    /// What comes behind them, as long as that is not settled.
    pub open: Option<Open>,
}

/// What may be behind the lines that are settled.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "snake_case")]
pub(super) enum Open {
    /// Lines in the making, which do not count.
    Writing {},
    /// Whole lines, on disk. Their records are about to be removed from the store, or were.
    Written {
        /// Where they end.
        bytes: u64,
        /// Their sequence numbers.
        runs: Runs,
        /// The store's file, which tells the store from its copies.
        store: Option<PathBuf>,
    },
}

/// Sequence numbers in an order, as first and last of each run.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Runs(Vec<(u64, u64)>);

impl Runs {
    pub(super) fn push(&mut self, sequence: u64) {
        match self.0.last_mut() {
            Some((_, last)) if last.checked_add(1) == Some(sequence) => *last = sequence,
            _ => self.0.push((sequence, sequence)),
        }
    }

    pub(super) fn extend(&mut self, more: &Self) {
        for (first, last) in &more.0 {
            match self.0.last_mut() {
                Some((_, end)) if end.checked_add(1) == Some(*first) => *end = *last,
                _ => self.0.push((*first, *last)),
            }
        }
    }

    pub(super) fn contains(&self, sequence: u64) -> bool {
        self.0
            .iter()
            .rev()
            .any(|(first, last)| (first..=last).contains(&&sequence))
    }

    /// The highest one.
    pub(super) fn last(&self) -> Option<u64> {
        self.0.iter().map(|(_, last)| *last).max()
    }

    /// Each of them.
    pub(super) fn all(&self) -> impl Iterator<Item = u64> {
        self.0.iter().flat_map(|(first, last)| *first..=*last)
    }
}

impl Note {
    pub(super) fn new(owner: &Owner, held: Option<Held>) -> Self {
        Self {
            format: FORMAT,
            owner: owner.clone(),
            held,
        }
    }

    /// Reads the note at a path; `None` if there is none.
    ///
    /// # Errors
    ///
    /// [`Error::Io`] if something else is there.
    pub(super) fn read(path: &Path) -> Result<Option<Self>> {
        let failed = |source| Error::Io {
            action: "read the archive's note",
            path: path.to_owned(),
            source,
        };
        let text = match read(path) {
            Ok(text) => text,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(failed(error)),
        };
        let note: Self = serde_json::from_slice(&text)
            .map_err(|error| failed(invalid(&format!("it is damaged: {error}"))))?;
        if note.format != FORMAT {
            return Err(failed(invalid("a newer version wrote it; use that one")));
        }
        Ok(Some(note))
    }

    /// Writes it, and returns when it is on disk under its name.
    ///
    /// # Errors
    ///
    /// [`Error::Io`]; what was there before is there still.
    pub(super) fn write(&self, path: &Path) -> Result<()> {
        let mut temporary = path.as_os_str().to_owned();
        temporary.push(TEMPORARY);
        let temporary = PathBuf::from(temporary);
        self.replace(path, &temporary).map_err(|source| {
            // The first error is the one to tell.
            drop(std::fs::remove_file(&temporary));
            Error::Io {
                action: "write the archive's note",
                path: path.to_owned(),
                source,
            }
        })
    }

    fn replace(&self, path: &Path, temporary: &Path) -> io::Result<()> {
        let mut text = serde_json::to_vec(self)?;
        text.push(b'\n');
        // A longer one would be refused when it is read, and the archive could never be gone on
        // with.
        if text.len() as u64 > NOTE_BYTES_MAX {
            return Err(invalid("it would be too long; name another folder"));
        }
        let mut file = create_private(temporary)?;
        file.write_all(&text)?;
        // Before the rename: after a power cut the name could lead to an empty note, where the old
        // one was right.
        file.sync_all()?;
        std::fs::rename(temporary, path)?;
        sync_folder(path.parent().unwrap_or(path))
    }
}

fn read(path: &Path) -> io::Result<Vec<u8>> {
    if !std::fs::symlink_metadata(path)?.is_file() {
        return Err(invalid("it is a link or no file: links are not followed"));
    }
    let mut text = Vec::new();
    File::open(path)?
        .take(NOTE_BYTES_MAX + 1)
        .read_to_end(&mut text)?;
    if text.len() as u64 > NOTE_BYTES_MAX {
        return Err(invalid("it is longer than a note can be"));
    }
    Ok(text)
}

pub(super) fn invalid(reason: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, reason)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_note_has_at_most_its_bytes_and_what_is_none_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.note");
        assert_eq!(Note::read(&path).unwrap(), None);
        let owner = Owner::Session {
            store: None,
            number: 7,
        };
        let note = Note::new(&owner, Some(Held::default()));
        note.write(&path).unwrap();
        assert_eq!(Note::read(&path).unwrap(), Some(note));
        let mut text = std::fs::read(&path).unwrap();
        let newer = String::from_utf8(text.clone())
            .unwrap()
            .replace("\"format\":1", "\"format\":2");
        text.resize(usize::try_from(NOTE_BYTES_MAX).unwrap(), b' ');
        std::fs::write(&path, &text).unwrap();
        assert!(Note::read(&path).unwrap().is_some());
        text.push(b' ');
        let (torn, _) = newer.split_at(newer.len() / 2);
        for bad in [text.as_slice(), newer.as_bytes(), torn.as_bytes(), b""] {
            std::fs::write(&path, bad).unwrap();
            let refused = Note::read(&path).unwrap_err();
            assert!(matches!(refused, Error::Io { .. }), "{refused:?}");
        }
    }

    #[test]
    fn numbers_are_kept_in_their_order_as_runs() {
        let mut runs = Runs::default();
        for sequence in [0, 1, 2, 5, 6, 3, u64::MAX] {
            runs.push(sequence);
        }
        let mut more = Runs::default();
        more.push(7);
        runs.extend(&more);
        assert_eq!(
            runs.0,
            [(0, 2), (5, 6), (3, 3), (u64::MAX, u64::MAX), (7, 7)]
        );
        let all: Vec<u64> = runs.all().collect();
        assert_eq!(all, [0, 1, 2, 5, 6, 3, u64::MAX, 7]);
        assert!(runs.contains(6) && !runs.contains(4));
        assert_eq!(runs.last(), Some(u64::MAX));
    }
}
