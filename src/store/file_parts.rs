//! Files that are kept whole, cut into parts: how each is framed, in every store.

use std::io::Read;

use xxhash_rust::xxh3::Xxh3;

use crate::codec::attachment::{self, Cutter, PART_BYTES};
use crate::codec::row::{self, RowError, RowFormat};
use crate::model::error::{Error, Result};
use crate::model::limits::ATTACHMENT_BYTES_MAX;

const VERSION: u8 = 1;

/// Cuts a content into framed parts, which `each` takes with their numbers. Returns its bytes and their
/// hash.
pub(crate) fn cut_up(
    number: u64,
    name: &str,
    content: &mut dyn Read,
    each: &mut dyn FnMut(u32, Vec<u8>) -> Result<()>,
) -> Result<(u64, u128)> {
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
        let key = key_bytes(number, name, part);
        each(part, row::seal(RowFormat::Attachment, VERSION, &key, &body))?;
        // After the first part: an empty content has one too, or it would not be there.
        if at_end && later.is_empty() {
            return Ok((bytes, hash.digest128()));
        }
        rest = later;
        part += 1;
    }
}

/// Reads on until there is more than one part may hold. Returns whether the file is over.
fn fill(name: &str, content: &mut dyn Read, rest: &mut Vec<u8>) -> Result<bool> {
    // A byte more than a part: only that tells whether it is the last one.
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

pub(crate) fn corrupt(number: u64, name: &str, part: u32, error: &RowError) -> Error {
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
