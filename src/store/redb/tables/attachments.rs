//! Attachments: files kept whole for a session or, under number 0, for a folder.
//!
//! An attachment is kept in parts ([`codec::attachment`](crate::codec::attachment)), so that neither
//! writing nor reading one holds it in memory.

use std::io::{Read, Write};

use xxhash_rust::xxh3::Xxh3;

use super::ranges::within;
use super::schema::ATTACHMENTS;
use super::snapshot::{Snapshot, corrupt_session};
use super::writer::Writer;
use crate::codec::attachment::{self, Cutter, PART_BYTES};
use crate::codec::row::{self, RowError, RowFormat};
use crate::model::error::{Error, Result};
use crate::model::limits::ATTACHMENT_BYTES_MAX;
use crate::store::query::AttachmentInfo;
use crate::store::redb::engine::errors::storage;

const VERSION: u8 = 1;

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
    let mut hash = Xxh3::new();
    let (mut bytes, mut part) = (0_u64, 0_u32);
    let mut cutter = Cutter::new(name);
    let mut rest = Vec::new();
    loop {
        let at_end = fill(name, content, &mut rest)?;
        let (length, body) = cutter.next(&rest, at_end);
        let later = rest.split_off(length.min(rest.len()));
        hash.update(&rest);
        bytes += rest.len() as u64;
        // The file may grow while it is read: what its size was says nothing.
        if bytes > ATTACHMENT_BYTES_MAX {
            return Err(Error::TooLarge {
                what: "size of an attachment in bytes",
                actual: bytes,
                limit: ATTACHMENT_BYTES_MAX,
            });
        }
        let framed = row::seal(
            RowFormat::Attachment,
            VERSION,
            &key_bytes(number, name, part),
            &body,
        );
        table
            .insert((number, name, part), framed.as_slice())
            .map_err(&action)?;
        // After the first part: an empty content has one too, or it would not be there.
        if at_end && later.is_empty() {
            return Ok(Written {
                bytes,
                hash: hash.digest128(),
                replaced,
            });
        }
        rest = later;
        part += 1;
    }
}

/// Reads on until there is more than one part may hold. Returns whether the file is over.
fn fill(name: &str, content: &mut dyn Read, rest: &mut Vec<u8>) -> Result<bool> {
    let wanted = (PART_BYTES + 1).saturating_sub(rest.len());
    content
        .take(wanted as u64)
        .read_to_end(rest)
        .map_err(|source| Error::Io {
            action: "read",
            path: name.into(),
            source,
        })?;
    Ok(rest.len() <= PART_BYTES)
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
    let mut expected = 0;
    let range = (number, name, 0)..=(number, name, u32::MAX);
    for entry in within(&table, range, "read an attachment")? {
        let (key, value) = entry?;
        let part = key.value().2;
        let (is_last, data) = open_part(number, name, part, value.value())?;
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
    if expected == 0 {
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

/// Checks a part by itself: its checksum, under its key. It is not unpacked.
pub(crate) fn check_part(number: u64, name: &str, part: u32, value: &[u8]) -> Result<()> {
    body_of(number, name, part, value).map(drop)
}

fn body_of<'v>(number: u64, name: &str, part: u32, value: &'v [u8]) -> Result<&'v [u8]> {
    let key = key_bytes(number, name, part);
    row::open(RowFormat::Attachment, VERSION, &key, value)
        .map_err(|error| corrupt(number, name, part, &error))
}

/// Checks and unpacks a part: whether it is the last one, and its data.
pub(crate) fn open_part(
    number: u64,
    name: &str,
    part: u32,
    value: &[u8],
) -> Result<(bool, Vec<u8>)> {
    let body = body_of(number, name, part, value)?;
    attachment::open(body).map_err(|error| corrupt(number, name, part, &error))
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

fn corrupt(number: u64, name: &str, part: u32, error: &RowError) -> Error {
    Error::Corrupt {
        table: "attachments",
        key: format!("session {number}, attachment `{name}`, part {part}"),
        detail: error.to_string(),
    }
}

fn key_bytes(number: u64, name: &str, part: u32) -> Vec<u8> {
    let mut key = number.to_be_bytes().to_vec();
    key.extend_from_slice(name.as_bytes());
    key.extend_from_slice(&part.to_be_bytes());
    key
}
