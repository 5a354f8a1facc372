//! Compaction with an archive: the lines that go are first appended to a JSONL file of the session's
//! own, private, and on disk before anything is removed. Links in the archive are not followed.
//!
//! [`place`] finds the file, [`lines`] writes it, a [`note`] beside it says whose lines it holds, and
//! how far it goes.

mod lines;
mod note;
mod place;

use std::ffi::OsStr;
use std::path::Path;

use self::lines::Lines;
pub(super) use self::note::Owner;
pub(super) use self::place::{ArchiveFile, is_named};
use super::files::atomic::{io_error, make_private, private_folder, sync_folder};
use super::files::paths::file_safe;
use crate::model::error::{Error, Result};
use crate::model::key::SessionKey;
use crate::model::record::RecordKind;
use crate::model::session::Summary;
use crate::store::{Compacted, ScanQuery, Store, StoreExt as _};

/// Removes for good what is hidden of a session, as [`Store::compact`] does, and first appends the
/// lines that go to `folder/<agent>/<id>.jsonl`, a file that only its owner can read. In the file's
/// name, whatever is neither a letter, a digit nor one of `._-` is percent-encoded.
///
/// Beside it `<id>.note` says by store, session and sequence number which records the file holds.
/// Where it is another store's or another session's that had the name before, the file is
/// `<id>~2.jsonl`, and so on. Two runs at once wait for each other, session by session.
///
/// ```
/// use scrollback::{MemoryStore, Message, Role, Session, Store, StoreExt, compact_archived};
///
/// let folder = tempfile::tempdir()?;
/// let store = MemoryStore::default();
/// let mut session = Session::native("chat-1")?;
/// store.append_message(&mut session, Message::text(Role::User, "hello"))?;
/// store.truncate(&session.key, 0)?;
/// let removed = compact_archived(&store, &session.key, None, folder.path())?;
/// assert_eq!(removed.messages, 1);
/// assert!(folder.path().join("native/chat-1.jsonl").exists());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Durability
///
/// The archive is on disk before anything is removed. After any number of calls, by any number of
/// processes, killed or failed, it has each record that is gone from the session once, and no other;
/// what a call leaves that did not come to its end, the next one for the session puts right. A record
/// that a restored backup brings back, and that goes again, is not written again.
///
/// # Errors
///
/// Those of [`Store::compact`]; [`Error::Busy`] if another run is at the same file for longer than a
/// minute; [`Error::Io`] with the archive's file if that cannot be written, is not as its note says,
/// or lies on a file system without locks: then nothing was removed.
pub fn compact_archived(
    store: &dyn Store,
    key: &SessionKey,
    through: Option<u64>,
    folder: &Path,
) -> Result<Compacted> {
    let session = store.summary(key)?;
    // No farther than the mark, as the store's own compaction: what is visible never goes.
    let end = through.map_or(session.mark, |through| through.min(session.mark));
    let own_folder = folder.join(key.agent());
    let name = file_safe(key.id());
    let name = OsStr::new(&name);
    // Nothing would go, and no earlier run left something to settle: then no file is made for the
    // session.
    if !ArchiveFile::is_noted(&own_folder, name) && first_to_go(store, key, end)?.is_none() {
        return store.compact(key, Some(end), None);
    }
    make_folder(folder)?;
    // On disk with its name before a record is removed for what is written into it.
    private_folder(&own_folder)
        .and_then(|()| sync_folder(folder))
        .map_err(io_error("make the folder", &own_folder))?;
    let id = store.id()?;
    let owner = Owner::Session {
        store: id.as_ref().map(|id| id.id),
        number: session.number,
    };
    let place = ArchiveFile::of(&own_folder, name, &owner)?;
    // Only now: another run may have been at it.
    check_same(store, key, &session)?;
    let mut lines = Lines::open(place, owner, (store, id.as_ref()), key)?;
    // Looked at again behind the writing: the name may have passed to another session, whose lines
    // these are not.
    let written = write(store, key, end, &mut lines)
        .and_then(|records| check_same(store, key, &session).map(|()| records))
        .and_then(|records| lines.written(id.as_ref()).map(|()| records));
    let records = written.inspect_err(|_| lines.take_back())?;
    match store.compact(key, Some(end), None) {
        // As many as were written, so nobody else has removed any of them meanwhile.
        Ok(removed) if removed.records == records => {
            lines.settle_all();
            Ok(removed)
        }
        // Others have removed some of them, or show them again.
        Ok(removed) => {
            // What fails of it is done by the next run.
            drop(lines.settle(store, id.as_ref(), key));
            Ok(removed)
        }
        // Whether they are gone will be known when the store can be read.
        Err(error @ Error::CommitUnknown { .. }) => Err(error),
        Err(error) => {
            drop(lines.settle(store, id.as_ref(), key));
            Err(error)
        }
    }
}

/// Makes the folder of an archive, private, if it is not there; its name is on disk then.
///
/// # Errors
///
/// [`Error::Io`].
pub(super) fn make_folder(folder: &Path) -> Result<()> {
    let missing: Vec<&Path> = folder
        .ancestors()
        .take_while(|folder| !folder.as_os_str().is_empty() && !folder.exists())
        .collect();
    make_private(folder, true).map_err(io_error("make the folder", folder))?;
    // A folder is there after a power cut only if its name in the one above it is on disk.
    for made in missing {
        let parent = made.parent().unwrap_or(made);
        sync_folder(parent).map_err(io_error("sync the folder", parent))?;
    }
    Ok(())
}

/// Writes the lines that go. Returns how many records they are.
fn write(store: &dyn Store, key: &SessionKey, end: u64, lines: &mut Lines) -> Result<u64> {
    let mut records = 0;
    let stays = first_from(store, key, end)?;
    for record in store.records(key, ScanQuery::default()) {
        let record = record?;
        if Some(record.sequence) == stays {
            break;
        }
        // A compaction keeps headers, so they would be in both.
        if record.header.kind != RecordKind::Meta {
            lines.add(record.sequence, &record.line)?;
            records += 1;
        }
    }
    Ok(records)
}

/// The first record that a compaction up to `end` would remove.
fn first_to_go(store: &dyn Store, key: &SessionKey, end: u64) -> Result<Option<u64>> {
    let stays = first_from(store, key, end)?;
    for record in store.records(key, ScanQuery::default()) {
        let record = record?;
        if Some(record.sequence) == stays {
            break;
        }
        if record.header.kind != RecordKind::Meta {
            return Ok(Some(record.sequence));
        }
    }
    Ok(None)
}

/// The first record that stands at a mark or behind it, in the order in which the session is read.
fn first_from(store: &dyn Store, key: &SessionKey, mark: u64) -> Result<Option<u64>> {
    let one = ScanQuery {
        from: Some(mark),
        records_max: 1,
        ..ScanQuery::default()
    };
    let page = store.scan(key, &one)?;
    Ok(page.records.first().map(|record| record.sequence))
}

/// Fails if a session is no longer the one that it was.
fn check_same(store: &dyn Store, key: &SessionKey, seen: &Summary) -> Result<()> {
    if store.summary(key)?.number == seen.number {
        return Ok(());
    }
    Err(Error::Busy {
        reason: format!("session `{key}` was deleted and made again meanwhile"),
    })
}

#[cfg(test)]
mod tests;
