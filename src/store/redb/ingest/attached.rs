//! Files that are kept beside sessions and folders, as an import writes and removes them: the count in a
//! session's row follows.

use std::io::Read;

use crate::codec::session_row::SessionRow;
use crate::model::error::Result;
use crate::store::ingest::Source;
use crate::store::redb::engine::errors::storage;
use crate::store::redb::tables::attachments;
use crate::store::redb::tables::schema::{SESSION_SOURCES, SOURCES};
use crate::store::redb::tables::sources::of_session_in;
use crate::store::redb::tables::writer::Writer;

/// Writes an attachment, replacing one of the same name, and counts a new one. Returns its bytes and
/// their hash.
pub(crate) fn write(
    writer: &Writer<'_>,
    number: u64,
    name: &str,
    content: &mut dyn Read,
) -> Result<(u64, u128)> {
    let written = attachments::write(writer, number, name, content)?;
    if !written.replaced {
        count(writer, number, |count| count + 1)?;
    } else if number != 0 {
        writer.note_written(number)?;
    }
    Ok((written.bytes, written.hash))
}

/// Removes a source's row, and the attachment that it led to, unless another source leads there too.
pub(crate) fn remove_source(writer: &Writer<'_>, source: &Source) -> Result<()> {
    let (open, removing) = (storage("remove a source"), storage("remove a source"));
    let (path, generation, number) = (
        source.path.as_slice(),
        source.generation,
        source.row.session,
    );
    let mut sources = writer.txn().open_table(SOURCES).map_err(&open)?;
    sources.remove((path, generation)).map_err(&removing)?;
    let mut of_session = writer.txn().open_table(SESSION_SOURCES).map_err(&open)?;
    of_session
        .remove((number, path, generation))
        .map_err(&removing)?;
    let name = &source.row.name;
    // A folder's files are named by their whole paths, each of which has one row.
    let is_shared = number != 0
        && of_session_in(&of_session, &sources, number)?
            .iter()
            .any(|other| other.row.name == *name);
    drop((sources, of_session));
    if !name.is_empty() && !is_shared && attachments::remove(writer, number, name)? {
        count(writer, number, |count| count.saturating_sub(1))?;
    }
    Ok(())
}

/// Changes how many attachments a session's row counts; a folder has no row.
fn count(writer: &Writer<'_>, number: u64, now: impl Fn(u64) -> u64) -> Result<()> {
    if number == 0 {
        return Ok(());
    }
    let old = writer.row(number)?;
    let row = SessionRow {
        attachments: now(old.attachments),
        ..old.clone()
    };
    writer.put_row(number, Some(&old), &row)
}
