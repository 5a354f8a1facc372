//! Groups of sessions written in one transaction, and read back.

use std::io::Write;

use super::plan::{Group, Member, Step};
use super::report::CopyReport;
use crate::codec::chain::{Digest, digest_of};
use crate::model::error::{Error, Result};
use crate::store::{Beside, Bulk, IngestStore, RestoredMark, normal_row};

/// A session that was written, and what it has to be read as.
#[derive(Debug)]
pub(super) struct Written {
    number: u64,
    beside: Beside,
    digest: Digest,
    files: Vec<(String, Digest)>,
}

/// Writes groups, all or nothing. [`Busy`](crate::Error::Busy) if something is not as it was seen.
pub(super) fn groups(
    (from, to): (&dyn IngestStore, &dyn IngestStore),
    mark: &RestoredMark,
    groups: Vec<Group>,
    report: &mut CopyReport,
) -> Result<Vec<Written>> {
    let mut bulk = to.begin(mark)?;
    let mut all = Vec::new();
    // Counted apart until the commit, since a group that others were in the way of is written
    // again.
    let mut counted = CopyReport::default();
    for group in groups {
        let has_several = group.steps.len() > 1;
        for (content, step) in group.steps {
            let number = match step {
                Step::Nothing(number) => number,
                Step::Write(member) => {
                    let written = one(from, &mut *bulk, *member, &mut counted)?;
                    let number = written.number;
                    all.push(written);
                    number
                }
            };
            if has_several {
                bulk.put_content(&group.key, content, number)?;
            }
        }
    }
    bulk.commit()?;
    report.sessions += counted.sessions;
    report.updated += counted.updated;
    report.records += counted.records;
    report.bytes += counted.bytes;
    report.files += counted.files;
    report.file_bytes += counted.file_bytes;
    Ok(all)
}

fn one(
    from: &dyn IngestStore,
    bulk: &mut dyn Bulk,
    mut member: Member,
    counted: &mut CopyReport,
) -> Result<Written> {
    let row = &member.carried.beside.row;
    let (mut records, mut bytes) = (row.records, row.bytes);
    if let (Some(number), Some(there)) = (member.place.number, &member.there) {
        // Within the transaction: what was planned holds only for the row that was seen.
        let is_seen = bulk.row(number).is_ok_and(|row| normal_row(&row) == *there);
        if !is_seen {
            return Err(Error::Busy {
                reason: format!("others write to session `{}:{}`", there.agent, there.id),
            });
        }
        if member.place.from > 0 {
            records = records.saturating_sub(there.records);
            bytes = bytes.saturating_sub(there.bytes);
        }
        counted.updated += 1;
    } else {
        counted.sessions += 1;
    }
    counted.records += records;
    counted.bytes += bytes;
    let number = bulk.put_carried(member.place, &mut member.carried)?;
    let mut files = Vec::new();
    for name in std::mem::take(&mut member.carried.attachments) {
        // One file in memory at a time, of a session that may have many.
        let mut content = Vec::new();
        from.sources()
            .read_attachment(member.number, &name, &mut content)?;
        bulk.put_carried_file(number, &name, &mut content.as_slice())?;
        counted.files += 1;
        counted.file_bytes += content.len() as u64;
        files.push((name, digest_of(&content)));
    }
    Ok(Written {
        number,
        beside: member.carried.beside,
        digest: member.digest,
        files,
    })
}

/// Reads back what was written, and compares it.
///
/// # Errors
///
/// [`Corrupt`](crate::Error::Corrupt) if it is something else, though nobody has written to it.
pub(super) fn check(to: &dyn IngestStore, all: &[Written], report: &mut CopyReport) -> Result<()> {
    for written in all {
        let key = written.beside.key()?;
        let stored = to.sources().carried(written.number)?;
        let wrong = match &stored {
            Some(stored) if stored.beside.row == written.beside.row => {
                difference(to, written, stored)?
            }
            // It was written to, or deleted, since.
            _ => {
                let reason = "others wrote to it in the other store meanwhile: copy again";
                report.refuse_session(&key, reason);
                continue;
            }
        };
        if let Some(what) = wrong {
            return Err(Error::Corrupt {
                table: "sessions",
                key: key.to_string(),
                detail: format!("it was copied, but reads otherwise in the other store: {what}"),
            });
        }
    }
    Ok(())
}

fn difference(
    to: &dyn IngestStore,
    written: &Written,
    stored: &crate::store::Carried,
) -> Result<Option<&'static str>> {
    if !stored.beside.is_as(&written.beside) {
        return Ok(Some("what is kept beside its lines"));
    }
    if stored.digests(0)?.all != written.digest {
        return Ok(Some("its lines"));
    }
    if stored.attachments.len() != written.files.len() {
        return Ok(Some("its files"));
    }
    for (name, digest) in &written.files {
        if file_digest(to, written.number, name)? != *digest {
            return Ok(Some("a file of it"));
        }
    }
    Ok(None)
}

/// The digest of a file that is kept.
pub(super) fn file_digest(store: &dyn IngestStore, number: u64, name: &str) -> Result<Digest> {
    let mut content = Vec::new();
    let out: &mut dyn Write = &mut content;
    store.sources().read_attachment(number, name, out)?;
    Ok(digest_of(&content))
}
