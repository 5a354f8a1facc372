//! From what a caller wants to append to lines with their headers: shared by every store.

use std::collections::HashMap;

use chrono::{DateTime, DurationRound as _, TimeDelta, Utc};

use super::Options;
use super::fold::Fold;
use super::query::NewRecord;
use crate::codec::session_row::SessionRow;
use crate::dialect::{Described, Dialect, Facts};
use crate::error::{Error, Result};
use crate::model::key::SessionKey;
use crate::model::limits::{APPEND_RECORDS_MAX, LINE_BYTES_MAX, TITLE_BYTES_MAX};
use crate::model::message::{Message, Role};
use crate::model::record::{Record, RecordFlags, RecordHeader, RecordKind};
use crate::model::session::Session;
use crate::model::text::title_line;

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
pub(crate) fn now(options: &Options) -> DateTime<Utc> {
    microseconds((options.clock)())
}

fn microseconds(time: DateTime<Utc>) -> DateTime<Utc> {
    time.duration_trunc(TimeDelta::microseconds(1))
        .unwrap_or(time)
}

/// The lines of records to append, with terminators, before anything is written.
pub(crate) fn lines_of(
    dialect: &dyn Dialect,
    key: &SessionKey,
    records: &[NewRecord],
    options: &Options,
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
                complete(&mut message, options);
                lines.extend(dialect.write_message(key, &message)?);
            }
        }
    }
    match lines.iter().find(|line| line.len() > LINE_BYTES_MAX) {
        Some(line) => Err(Error::TooLarge {
            what: "length of a line in bytes",
            actual: line.len() as u64,
            limit: LINE_BYTES_MAX as u64,
        }),
        None => Ok(lines),
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

/// Gives a message what it lacks: an id, a time.
fn complete(message: &mut Message, options: &Options) {
    if message.id.is_none() {
        message.id = Some((options.ids)().to_string());
    }
    message.time = Some(message.time.map_or_else(|| now(options), microseconds));
}

/// Adds lines to a row, and gives each record that they make. If the row's last record lacks its
/// terminator, the first record made is that terminator.
///
/// Lines that state no time count as written now.
pub(crate) fn append_to_row(
    row: &mut SessionRow,
    dialect: &dyn Dialect,
    lines: &[Vec<u8>],
    options: &Options,
) -> Vec<Record> {
    let mut fold = Fold::default();
    let mut made = Vec::with_capacity(lines.len() + 1);
    let repair = row.unterminated.then(|| b"\n".to_vec());
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
        row.updated_us = row.updated_us.max(now(options).timestamp_micros());
        // The session's times are those of its calls from now on, not of the file it came from.
        row.time_stated = true;
    }
    made
}

/// What a store has of a session that is saved.
#[derive(Debug)]
pub(crate) struct Stored {
    /// Its header fields, without messages.
    pub session: Session,
    /// Its messages by id, hidden ones too.
    pub messages: HashMap<String, Message>,
    /// Whether it has a header line.
    pub has_header: bool,
}

/// The lines that a save appends. Completes `session`: ids, times, title.
pub(crate) fn lines_of_save(
    dialect: &dyn Dialect,
    stored: Option<&Stored>,
    session: &mut Session,
    options: &Options,
) -> Result<Vec<Vec<u8>>> {
    let now = now(options);
    for message in &mut session.messages {
        complete(message, options);
    }
    if session.title.trim().is_empty() {
        session.title = derived_title(&session.messages);
    }
    let known = stored.and_then(|stored| stored.session.created_at);
    let created = session
        .created_at
        .map(microseconds)
        .or(known)
        .unwrap_or(now);
    session.created_at = Some(created);
    session.updated_at = Some(now);

    let mut lines = Vec::new();
    let mut latest = None;
    for message in &session.messages {
        let Some(id) = &message.id else { continue };
        match stored.and_then(|stored| stored.messages.get(id)) {
            Some(there) if there == message => {}
            Some(_) => {
                return Err(Error::MessageChanged {
                    key: session.key.clone(),
                    id: id.clone(),
                });
            }
            None => {
                latest = latest.max(message.time);
                lines.extend(dialect.write_message(&session.key, message)?);
            }
        }
    }
    // The time of update has to be in some line: in the last message, or else in a header.
    let same =
        stored.is_some_and(|stored| stored.has_header && same_header(&stored.session, session));
    if !same || latest.is_none_or(|latest| latest < now) {
        if let Some(meta) = dialect.write_meta(session, stored.is_none())? {
            lines.insert(0, meta);
        }
    }
    Ok(lines)
}

/// Completes and writes the header line of a session that is to be created.
pub(crate) fn line_of_new_session(
    dialect: &dyn Dialect,
    session: &Session,
    options: &Options,
) -> Result<Option<Vec<u8>>> {
    let mut header = Session {
        messages: Vec::new(),
        ..session.clone()
    };
    let now = now(options);
    header.created_at = Some(header.created_at.map_or(now, microseconds));
    header.updated_at = Some(now);
    dialect.write_meta(&header, true)
}

fn derived_title(messages: &[Message]) -> String {
    messages
        .iter()
        .filter(|message| message.role == Role::User)
        .map(|message| title_line(&message.plain_text(), TITLE_BYTES_MAX))
        .find(|title| !title.is_empty())
        .unwrap_or_default()
}

fn same_header(stored: &Session, session: &Session) -> bool {
    stored.title == session.title
        && stored.project == session.project
        && stored.model == session.model
        && stored.parent == session.parent
        && stored.created_at == session.created_at
        && stored.extra == session.extra
}
