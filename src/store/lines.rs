//! From what a caller wants to append to lines with their headers: shared by every store.

use chrono::{DateTime, DurationRound as _, TimeDelta, Utc};

use super::Stamps;
use super::fold::Fold;
use super::query::NewRecord;
use crate::agents::{Described, Dialect, Facts};
use crate::codec::session_row::SessionRow;
use crate::model::error::{Error, Result};
use crate::model::key::SessionKey;
use crate::model::limits::{APPEND_RECORDS_MAX, LINE_BYTES_MAX};
use crate::model::message::Message;
use crate::model::record::{Record, RecordFlags, RecordHeader, RecordKind};

/// The description of a piece of a line that is longer than the limit.
pub(crate) fn piece(number: u64) -> Described<'static> {
    let header = RecordHeader {
        kind: RecordKind::Unknown,
        role: None,
        flags: RecordFlags::default(),
        messages: 0,
        time_us: None,
    };
    let problem =
        format!("line {number} is longer than {LINE_BYTES_MAX} bytes: kept in pieces, not read");
    Described {
        header,
        facts: Facts::default(),
        problem: Some(problem),
    }
}

/// Now, to the microsecond: what rows and lines can hold.
///
/// # Errors
///
/// [`Error::Clock`].
pub(crate) fn now(stamps: &Stamps) -> Result<DateTime<Utc>> {
    stamps.now().map(microseconds)
}

/// A time to the microsecond.
pub(crate) fn microseconds(time: DateTime<Utc>) -> DateTime<Utc> {
    time.duration_trunc(TimeDelta::microseconds(1))
        .unwrap_or(time)
}

/// The lines of records to append, with terminators, before anything is written.
pub(crate) fn lines_of(
    dialect: &dyn Dialect,
    key: &SessionKey,
    records: &[NewRecord],
    stamps: &Stamps,
) -> Result<Vec<Vec<u8>>> {
    if records.len() > APPEND_RECORDS_MAX {
        return Err(Error::TooLarge {
            what: "number of records in one append",
            actual: records.len() as u64,
            limit: APPEND_RECORDS_MAX as u64,
        });
    }
    let mut lines = Vec::with_capacity(records.len());
    for record in records {
        match record {
            NewRecord::Line(line) => lines.push(line_of(line)?),
            NewRecord::Message(message) => {
                let mut message = message.as_ref().clone();
                complete(&mut message, dialect, stamps)?;
                lines.extend(dialect.write_message(key, &message)?);
            }
        }
    }
    check_lengths(&lines)?;
    Ok(lines)
}

/// What a dialect wrote of a session, line by line: ggcode writes a cost on a line of its own.
pub(crate) fn split(written: &[u8]) -> impl Iterator<Item = Vec<u8>> {
    written
        .split_inclusive(|byte| *byte == b'\n')
        .map(<[u8]>::to_vec)
}

/// Whether each line can be one record.
pub(crate) fn check_lengths(lines: &[Vec<u8>]) -> Result<()> {
    match lines.iter().find(|line| line.len() > LINE_BYTES_MAX) {
        Some(line) => Err(Error::TooLarge {
            what: "length of a line in bytes",
            actual: line.len() as u64,
            limit: LINE_BYTES_MAX as u64,
        }),
        None => Ok(()),
    }
}

fn line_of(line: &[u8]) -> Result<Vec<u8>> {
    let mut owned = line.to_vec();
    match memchr::memchr(b'\n', line) {
        None => owned.push(b'\n'),
        Some(at) if at + 1 == line.len() => {}
        Some(_) => {
            return Err(Error::InvalidLine {
                reason: "it has a line feed before its end",
            });
        }
    }
    Ok(owned)
}

/// Gives a message what it lacks: a time, and an id where its line can hold one.
pub(crate) fn complete(
    message: &mut Message,
    dialect: &dyn Dialect,
    stamps: &Stamps,
) -> Result<()> {
    // Only where a line has room for it: an id that is written nowhere is gone at the next load.
    if message.id.is_none() && dialect.has_message_ids() {
        message.id = Some(stamps.new_id()?.to_string());
    }
    message.time = Some(match message.time {
        Some(time) => microseconds(time),
        None => now(stamps)?,
    });
    Ok(())
}

/// Adds lines to a row, and gives each record that they make. If the row's last record lacks its
/// terminator, the first record made is that terminator; without lines there is none.
///
/// Lines that state no time count as written now, at `now_us`.
pub(crate) fn append_to_row(
    row: &mut SessionRow,
    fold: &mut Fold,
    dialect: &dyn Dialect,
    lines: &[Vec<u8>],
    now_us: i64,
) -> Vec<Record> {
    let mut made = Vec::with_capacity(lines.len() + 1);
    let repair = (row.unterminated && !lines.is_empty()).then(|| b"\n".to_vec());
    let mut stated = false;
    for line in repair.iter().chain(lines) {
        let described = dialect.describe(line);
        let facts = &described.facts;
        stated |= described
            .header
            .time_us
            .or(facts.updated_us)
            .or(facts.created_us)
            .is_some();
        let sequence = row.next;
        let header = fold.add(row, &described, RecordFlags::default(), line.len());
        made.push(Record {
            sequence,
            header,
            line: line.clone(),
        });
    }
    if !stated && !made.is_empty() {
        row.updated_us = row.updated_us.max(now_us);
        // The session's times are those of its calls from now on, not of the file it came from.
        row.time_stated = true;
    }
    made
}
