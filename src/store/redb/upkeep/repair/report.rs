//! What a repair has saved, and what it could not.

use serde::Serialize;

use crate::model::key::SessionKey;

/// What a repair has done: all that is not lost is in the new store.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[non_exhaustive]
#[must_use = "it says what was lost"]
pub struct RepairReport {
    /// Sessions in the new store.
    pub sessions: u64,
    /// Those of them that lack nothing.
    pub sessions_whole: u64,
    /// Records in the new store.
    pub records: u64,
    /// Bytes of their lines.
    pub bytes: u64,
    /// Attachments in the new store.
    pub attachments: u64,
    /// Import states in the new store: the files that an import need not read again.
    pub sources: u64,
    /// Import states that were left out, since not all of what was imported is there: the next
    /// import reads those files again.
    pub sources_dropped: u64,
    /// Pages of the damaged file that are not as they were written.
    pub pages_damaged: u64,
    /// What could not be saved.
    pub losses: Vec<Loss>,
}

impl RepairReport {
    /// Whether nothing was lost.
    pub fn is_whole(&self) -> bool {
        self.losses.is_empty()
    }
}

/// Something that could not be saved.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Loss {
    /// The table that it was in.
    pub table: &'static str,
    /// The session, if its name is known.
    #[serde(serialize_with = "crate::store::json_names::named")]
    pub session: Option<SessionKey>,
    /// The session's number in the damaged store, if it is known.
    pub number: Option<u64>,
    /// What is lost, for people.
    pub detail: String,
    /// Sequence numbers that the session lacks: first and last of each run. Where records were
    /// compacted away their numbers are among them.
    pub records: Vec<(u64, u64)>,
}
