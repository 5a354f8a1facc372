//! What a backup and a restore are told, and what they tell; which store one is.

use std::path::PathBuf;

use serde::Serialize;
use uuid::Uuid;

use super::json_names;
use super::query::{StoredFile, VerifyReport};

/// Which store one is: what [`Store::id`](crate::Store::id) tells.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct StoreId {
    /// Made with the store. A copy of a store, a backup and what is restored from it have that of
    /// what they were copied from.
    pub id: Uuid,
    /// The file that it lies in, which tells copies apart; `None` if it lies in none.
    /// As JSON, U+FFFD stands for the bytes of its name that are not UTF-8.
    #[serde(serialize_with = "json_names::lossy")]
    pub file: Option<PathBuf>,
}

/// What to do where a file is there already.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Existing {
    /// Fail with [`FileExists`](crate::Error::FileExists), and leave it.
    Refuse,
    /// Put the new file in its place, whole or not at all.
    Replace,
}

/// How much a store holds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct StoreCounts {
    /// Sessions.
    pub sessions: u64,
    /// Their records.
    pub records: u64,
    /// Bytes of their lines.
    pub bytes: u64,
    /// Attachments.
    pub attachments: u64,
}

impl StoreCounts {
    /// What a verification has read.
    pub(crate) fn of(report: &VerifyReport) -> Self {
        Self {
            sessions: report.sessions,
            records: report.records,
            bytes: report.bytes,
            attachments: report.attachments,
        }
    }
}

/// What a backup has made.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct BackedUp {
    /// What it holds.
    #[serde(flatten)]
    pub counts: StoreCounts,
    /// Bytes of its file.
    pub file_bytes: u64,
}

/// What a scrub has done.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Scrubbed {
    /// The files that were removed: agents' databases, as earlier versions kept them.
    pub files: Vec<StoredFile>,
    /// Bytes of the store's file before.
    pub bytes_before: u64,
    /// Bytes of the new file; as before where nothing was changed.
    pub bytes_after: u64,
    /// Files beside the store that another run seems to be making, or was stopped at: copies of the store,
    /// which were not looked into. As JSON, U+FFFD stands for the bytes of a name that are
    /// not UTF-8.
    #[serde(serialize_with = "lossy")]
    pub beside: Vec<PathBuf>,
}

/// Paths as text.
#[expect(clippy::ptr_arg, reason = "what serde passes")]
fn lossy<S: serde::Serializer>(paths: &Vec<PathBuf>, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_seq(paths.iter().map(|path| path.to_string_lossy()))
}

/// What a restore has done. As JSON the counts stand beside each other, those of what the store held
/// before with `replaced_` before their names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Restored {
    /// What the store holds now.
    pub counts: StoreCounts,
    /// What it held before, and holds no longer; `None` where there was no store.
    pub replaced: Option<StoreCounts>,
}
