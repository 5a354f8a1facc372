//! What a session took, where its lines do not say it and a file that is kept beside them does. It is read
//! from that file each time, and so never another than the file's.

use std::path::Path;

use crate::agents;
use crate::codec::session_row::SessionRow;
use crate::model::error::Result;
use crate::model::key::SessionKey;
use crate::model::message::Usage;
use crate::store::redb::store::RedbStore;
use crate::store::redb::tables::attachments;
use crate::store::redb::tables::snapshot::Snapshot;

impl RedbStore {
    /// What a file beside a session's lines says that the session took, for agents that write it nowhere
    /// else: `None` for all others, and where there is no such file. Costs a look at the names of the
    /// session's attachments, and reads the file.
    ///
    /// # Errors
    ///
    /// [`NotFound`](crate::Error::NotFound) or [`Corrupt`](crate::Error::Corrupt).
    ///
    /// ```
    /// use scrollback::{Expect, NewRecord, Options, RedbStore, SessionKey, Store};
    ///
    /// let folder = tempfile::tempdir()?;
    /// let store = RedbStore::open(folder.path().join("sessions.redb"), Options::default())?;
    /// let key = SessionKey::native("s")?;
    /// store.append(&key, Expect::Any, None, &[NewRecord::line("{}")])?;
    /// assert_eq!(store.usage_beside(&key)?, None);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn usage_beside(&self, key: &SessionKey) -> Result<Option<Usage>> {
        self.read(|snapshot| {
            let (number, row) = snapshot.session_of(key)?;
            told(snapshot, number, &row)
        })
    }
}

/// What a file beside a session says that it took.
pub(super) fn told(
    snapshot: &Snapshot<'_>,
    number: u64,
    row: &SessionRow,
) -> Result<Option<Usage>> {
    let agent = agents::of_agent(&row.agent);
    let Some(ending) = agent.usage_file().filter(|_| row.attachments > 0) else {
        return Ok(None);
    };
    let mut found = None;
    for file in attachments::list(snapshot, number, row.attachments)? {
        if !file.name.ends_with(ending) {
            continue;
        }
        let mut bytes = Vec::new();
        attachments::read(snapshot, number, &file.name, &mut bytes)?;
        let told = agent
            .sidecar_facts(Path::new(&file.name), &bytes)
            .into_iter();
        // Of several states the last one is the newest.
        found = { told }.find_map(|told| told.usage).or(found);
    }
    Ok(found)
}
