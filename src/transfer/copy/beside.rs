//! What of a store belongs to no session: files of folders, homes, deletion marks.

use std::collections::{BTreeMap, BTreeSet};

use super::report::CopyReport;
use super::write::file_digest;
use crate::model::error::{Error, Result};
use crate::model::key::SessionKey;
use crate::store::{Bulk, IngestStore, RestoredMark, Source, mark_of};

/// Bytes of files that are written in one transaction, and one file more.
const BATCH_BYTES: u64 = 16 * 1024 * 1024;

/// Rows that are written in one transaction.
const BATCH_ROWS: usize = 1000;

/// The two stores.
type Stores<'s> = (&'s dyn IngestStore, &'s dyn IngestStore);

/// Copies the files of folders that the other store lacks.
pub(super) fn folder_files(
    (from, to): Stores<'_>,
    mark: &RestoredMark,
    report: &mut CopyReport,
) -> Result<()> {
    let mut wanted = Vec::new();
    from.sources().for_each(&mut |source| {
        if source.row.session == 0 {
            wanted.push(source);
        }
        Ok(())
    })?;
    let mut lacking = Vec::new();
    for source in wanted {
        let there = to.sources().generations(&source.path)?;
        let same = there
            .into_iter()
            .find(|other| other.generation == source.generation);
        match same {
            // There as it is: a run after a stop goes on behind it.
            Some(other) if other == source => {}
            Some(other) if other.row.session != 0 => {
                let path = String::from_utf8_lossy(&source.path);
                report.refuse(&path, "the other store has it as a file of a session");
            }
            _ => lacking.push(source),
        }
    }
    let mut rest = lacking.as_slice();
    while !rest.is_empty() {
        let mut bulk = to.begin(mark)?;
        let mut done = 0;
        for source in rest {
            folder_file(from, &mut *bulk, source, report)?;
            done += 1;
            if bulk.written_bytes() >= BATCH_BYTES || done == BATCH_ROWS {
                break;
            }
        }
        bulk.commit()?;
        // Read back behind the commit: what is counted as copied has been seen in the other store.
        let (written, later) = rest.split_at(done);
        for source in written.iter().filter(|source| !source.row.name.is_empty()) {
            check(from, to, &source.row.name)?;
        }
        rest = later;
    }
    Ok(())
}

fn folder_file(
    from: &dyn IngestStore,
    bulk: &mut dyn Bulk,
    source: &Source,
    report: &mut CopyReport,
) -> Result<()> {
    let name = source.row.name.as_str();
    if !name.is_empty() {
        let mut content = Vec::new();
        from.sources().read_attachment(0, name, &mut content)?;
        bulk.put_carried_file(0, name, &mut content.as_slice())?;
        report.files += 1;
        report.file_bytes += content.len() as u64;
    }
    bulk.write_source(source)
}

fn check(from: &dyn IngestStore, to: &dyn IngestStore, name: &str) -> Result<()> {
    if file_digest(from, 0, name)? == file_digest(to, 0, name)? {
        return Ok(());
    }
    Err(Error::Corrupt {
        table: "attachments",
        key: name.to_owned(),
        detail: "it was copied, but reads otherwise in the other store".to_owned(),
    })
}

/// Copies under which ids sessions of homes are kept, where the other store keeps none.
pub(super) fn homes((from, to): Stores<'_>, mark: &RestoredMark) -> Result<()> {
    let there = to.sources().homes()?.into_iter();
    let there: BTreeMap<(SessionKey, Vec<u8>), String> = there
        .map(|home| ((home.wanted, home.place), home.id))
        .collect();
    let mut lacking = Vec::new();
    for home in from.sources().homes()? {
        let place = (home.wanted.clone(), home.place.clone());
        let is_kept = match there.get(&place) {
            Some(id) if *id == home.id => true,
            // One that leads nowhere keeps nobody out.
            Some(id) => {
                let other = SessionKey::new(home.wanted.agent(), id.as_str())?;
                to.sources().number_of(&other)?.is_some()
            }
            None => false,
        };
        if !is_kept {
            lacking.push(home);
        }
    }
    for homes in lacking.chunks(BATCH_ROWS) {
        let mut bulk = to.begin(mark)?;
        for home in homes {
            bulk.put_home(&home.wanted, &home.place, &home.id)?;
        }
        bulk.commit()?;
    }
    Ok(())
}

/// Copies deletion marks. One that is there takes in what the other one remembers.
pub(super) fn marks(
    (from, to): Stores<'_>,
    mark: &RestoredMark,
    report: &mut CopyReport,
) -> Result<()> {
    let there = to.marks_of_deleted()?.into_iter();
    let there: BTreeMap<(SessionKey, Vec<u8>), _> = there
        .map(|mark| ((mark.key.clone(), mark.home_bytes.clone()), mark))
        .collect();
    let mut lacking = Vec::new();
    for mut deleted in from.marks_of_deleted()? {
        let place = (deleted.key.clone(), deleted.home_bytes.clone());
        // Of the same session: what either remembers of paths and first lines keeps it away.
        if let Some(other) = there.get(&place) {
            let knows = |source| other.sources.contains(source);
            if other.deleted_at >= deleted.deleted_at && deleted.sources.iter().all(knows) {
                continue;
            }
            let latest = other.deleted_at.max(deleted.deleted_at);
            let own: BTreeSet<_> = deleted.sources.iter().copied().collect();
            let merged = mark_of(own, latest.timestamp_micros(), Some(other.row()));
            (deleted.deleted_at, deleted.sources) = (latest, merged.sources);
        }
        lacking.push(deleted);
    }
    for marks in lacking.chunks(BATCH_ROWS) {
        let mut bulk = to.begin(mark)?;
        for deleted in marks {
            bulk.put_deleted(deleted)?;
        }
        bulk.commit()?;
        report.marks += marks.len() as u64;
    }
    Ok(())
}
