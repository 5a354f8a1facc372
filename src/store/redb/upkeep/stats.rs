//! How much there is in a store, from the summary rows and the sources.

use std::collections::BTreeMap;

use redb::{ReadableTable as _, ReadableTableMetadata as _};

use crate::codec::session_row::SessionRow;
use crate::codec::source_row::{SourceKind, SourceRow};
use crate::model::error::Result;
use crate::store::query::{AgentStats, StoreStats};
use crate::store::redb::engine::errors::storage;
use crate::store::redb::search::runs;
use crate::store::redb::tables::schema::{SESSIONS, SOURCES};
use crate::store::redb::tables::snapshot::{Snapshot, all_read, corrupt_session};

/// Counts by agent.
pub(crate) fn stats(snapshot: &Snapshot<'_>, disk_bytes: u64) -> Result<StoreStats> {
    let action = storage("count the sessions");
    let mut agents = BTreeMap::<String, AgentStats>::new();
    let table = snapshot
        .txn()
        .open_table(SESSIONS)
        .map_err(storage("count the sessions"))?;
    let mut rows = 0;
    for entry in table.iter().map_err(&action)? {
        rows += 1;
        let (number, value) = entry.map_err(&action)?;
        let number = number.value();
        snapshot.counts().sessions(1);
        let row = SessionRow::decode(number, value.value())
            .map_err(|error| corrupt_session(number, error.to_string()))?;
        agents.entry(row.agent.clone()).or_default().count(row);
    }
    // A walk ends early where a page is lost, without an error: the table knows how many there are.
    all_read("sessions", rows, table.len().map_err(&action)?)?;
    let (mut attachment_bytes, mut rows) = (0, 0);
    let table = snapshot
        .txn()
        .open_table(SOURCES)
        .map_err(storage("count the sources"))?;
    for entry in table.iter().map_err(&action)? {
        rows += 1;
        let (key, value) = entry.map_err(&action)?;
        let (path, generation) = key.value();
        let row = SourceRow::decode(path, generation, value.value()).map_err(|error| {
            crate::store::redb::tables::sources::corrupt_source(
                path,
                generation,
                &error.to_string(),
            )
        })?;
        // The row knows how much is kept, of a copy nothing: no attachment is read.
        if row.kind == SourceKind::Attachment && !row.name.is_empty() {
            attachment_bytes += row.offset;
            if row.session == 0 {
                // A folder has no row that counts its files.
                let agent = agents.entry(row.agent.clone()).or_default();
                agent.agent = row.agent;
                agent.attachments += 1;
            }
        }
    }
    all_read("sources", rows, table.len().map_err(&action)?)?;
    Ok(StoreStats {
        agents: agents.into_values().collect(),
        disk_bytes,
        attachment_bytes,
        index_bytes: runs::bytes(snapshot)?,
    })
}
