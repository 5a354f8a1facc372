//! Attachments: files kept whole for a session or, under number 0, for a folder.
//!
//! An attachment is kept in parts ([`codec::attachment`](crate::codec::attachment)), so that neither
//! writing nor reading one holds it in memory.

use std::io::{Read, Write};

use super::ranges::within;
use super::schema::ATTACHMENTS;
use super::snapshot::{Snapshot, corrupt_session};
use super::writer::Writer;
use crate::codec::row::RowError;
use crate::model::error::{Error, Result};
pub(crate) use crate::store::file_parts::{check_part, open_part};
use crate::store::file_parts::{corrupt, cut_up};
use crate::store::query::AttachmentInfo;
use crate::store::redb::engine::errors::storage;

/// The table, open for writing.
type Table<'w> = redb::Table<'w, (u64, &'static str, u32), &'static [u8]>;

/// What was written of an attachment.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Written {
    /// Its bytes.
    pub bytes: u64,
    /// Their hash.
    pub hash: u128,
    /// Whether it took the place of one of the same name.
    pub replaced: bool,
}

/// Removes an attachment. Returns whether there was one.
pub(crate) fn remove(writer: &Writer<'_>, number: u64, name: &str) -> Result<bool> {
    let action = storage("remove an attachment");
    let mut table = writer.txn().open_table(ATTACHMENTS).map_err(action)?;
    cut(&mut table, number, name)
}

fn cut(table: &mut Table<'_>, number: u64, name: &str) -> Result<bool> {
    let mut was_there = false;
    table
        .retain_in((number, name, 0)..=(number, name, u32::MAX), |key, _| {
            // A damaged branch may lead to rows of others: they stay.
            let goes = (key.0, key.1) == (number, name);
            was_there |= goes;
            !goes
        })
        .map_err(storage("remove an attachment"))?;
    Ok(was_there)
}

/// Writes an attachment, replacing one of the same name.
pub(crate) fn write(
    writer: &Writer<'_>,
    number: u64,
    name: &str,
    content: &mut dyn Read,
) -> Result<Written> {
    let action = storage("write an attachment");
    let mut table = writer
        .txn()
        .open_table(ATTACHMENTS)
        .map_err(storage("write an attachment"))?;
    // An older content may have had more parts: one that stayed would go on behind the new ones.
    let replaced = cut(&mut table, number, name)?;
    let (bytes, hash) = cut_up(number, name, content, &mut |part, framed| {
        table
            .insert((number, name, part), framed.as_slice())
            .map_err(&action)?;
        Ok(())
    })?;
    Ok(Written {
        bytes,
        hash,
        replaced,
    })
}

/// Writes an attachment's bytes to `out`. Returns whether there is such an attachment.
pub(crate) fn read(
    snapshot: &Snapshot<'_>,
    number: u64,
    name: &str,
    out: &mut dyn Write,
) -> Result<bool> {
    let table = snapshot
        .txn()
        .open_table(ATTACHMENTS)
        .map_err(storage("read an attachment"))?;
    let (mut expected, mut is_there) = (0, false);
    let range = (number, name, 0)..=(number, name, u32::MAX);
    for entry in within(&table, range, "read an attachment")? {
        let (key, value) = entry?;
        is_there = true;
        let part = key.value().2;
        let (is_last, data) = open_part(number, name, part, value.value())?;
        // Told below as a part that is missing: what lies behind the gap is not given out.
        if part != expected {
            break;
        }
        out.write_all(&data)
            .map_err(|source| Error::Output { source })?;
        if is_last {
            return Ok(true);
        }
        expected += 1;
    }
    if !is_there {
        // A damaged page may hide its rows: that there are none is known only of sound ones.
        snapshot.check(ATTACHMENTS, &(number, name, 0), &(number, name, u32::MAX))?;
        return Ok(false);
    }
    Err(corrupt(
        number,
        name,
        expected,
        &RowError("the part is missing".to_owned()),
    ))
}

/// The attachments of a session, with their sizes: reads their rows. `expected` is how many there
/// are: damage may hide some.
pub(crate) fn list(
    snapshot: &Snapshot<'_>,
    number: u64,
    expected: u64,
) -> Result<Vec<AttachmentInfo>> {
    let table = snapshot
        .txn()
        .open_table(ATTACHMENTS)
        .map_err(storage("list the attachments"))?;
    let missing = |name: &str, part| {
        corrupt(
            number,
            name,
            part,
            &RowError("the part is missing".to_owned()),
        )
    };
    let mut found: Vec<AttachmentInfo> = Vec::new();
    // The part that has to come next of the last one found.
    let mut open: Option<u32> = None;
    let range = (number, "", 0)..(number + 1, "", 0);
    for entry in within(&table, range, "list the attachments")? {
        let (key, value) = entry?;
        let (_, name, part) = key.value();
        let (is_last, data) = open_part(number, name, part, value.value())?;
        let bytes = data.len() as u64;
        match (open, found.last_mut()) {
            (Some(next), Some(info)) if info.name == name && next == part => info.bytes += bytes,
            (None, _) if part == 0 => found.push(AttachmentInfo {
                name: name.to_owned(),
                bytes,
            }),
            (next, _) => return Err(missing(name, next.unwrap_or_default())),
        }
        open = (!is_last).then_some(part + 1);
    }
    if let (Some(part), Some(info)) = (open, found.last()) {
        return Err(missing(&info.name, part));
    }
    if found.len() as u64 == expected {
        Ok(found)
    } else {
        let detail = format!("{} attachments, expected {expected}", found.len());
        Err(corrupt_session(number, detail))
    }
}
