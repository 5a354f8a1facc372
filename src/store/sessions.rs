//! Loading, saving and truncating whole sessions: written once, over the few primitives that a
//! store of this crate has.

use std::collections::HashMap;
use std::io::Write;

use chrono::DateTime;
use uuid::Uuid;

use super::lines::{self, Stored};
use super::query::{Appended, Direction, Expect, NewRecord, ScanQuery, Truncated};
use super::records::StoreExt as _;
use super::{Options, Store};
use crate::codec::session_row::{Batch, SessionRow};
use crate::dialect;
use crate::error::{Error, Result};
use crate::model::key::SessionKey;
use crate::model::limits::BATCHES_REMEMBERED;
use crate::model::session::Session;
use crate::render::markdown;

/// What the stores of this crate have in common below the [`Store`] trait.
pub(crate) trait Primitives: Store {
    /// The options of the store.
    fn options(&self) -> &Options;

    /// The row of a session.
    fn row(&self, key: &SessionKey) -> Result<Option<SessionRow>>;

    /// Appends lines, all or none, after [`check_append`].
    fn append_lines(
        &self,
        key: &SessionKey,
        expect: Expect,
        batch_id: Option<Uuid>,
        lines: &[Vec<u8>],
    ) -> Result<Appended>;

    /// Moves the mark of a session whose `next` is still `expected_next`. Returns whether it was.
    fn set_mark(
        &self,
        key: &SessionKey,
        expected_next: u64,
        mark: u64,
        hidden: u64,
    ) -> Result<bool>;

    /// The row of a session that has to be there.
    fn row_of(&self, key: &SessionKey) -> Result<SessionRow> {
        self.row(key)?.ok_or_else(|| Error::NotFound {
            wanted: key.to_string(),
        })
    }
}

/// Whether an append is the replay of an earlier batch, and whether its expectation holds.
pub(crate) fn check_append(
    key: &SessionKey,
    row: Option<&SessionRow>,
    expect: Expect,
    batch_id: Option<Uuid>,
) -> Result<Option<Appended>> {
    let batches = row.map_or(&[][..], |row| &row.batches);
    let known = batch_id.and_then(|id| batches.iter().find(|batch| batch.id == id.as_u128()));
    if let (Some(batch), Some(row)) = (known, row) {
        return Ok(Some(Appended {
            first: batch.first,
            last: batch.last,
            updated_at: DateTime::from_timestamp_micros(row.updated_us).unwrap_or_default(),
            replayed: true,
        }));
    }
    let actual = row.map_or(0, |row| row.next);
    match expect {
        Expect::Sequence(expected) if expected != actual => Err(Error::Conflict {
            key: key.clone(),
            expected,
            actual,
        }),
        _ => Ok(None),
    }
}

/// Notes a batch in the row, and says what the append did. `count` records were asked for; a
/// terminator for a torn line may stand before them.
pub(crate) fn note_append(row: &mut SessionRow, batch_id: Option<Uuid>, count: usize) -> Appended {
    let first = row.next.saturating_sub(count as u64);
    let last = row.next.saturating_sub(1);
    if let Some(id) = batch_id {
        if row.batches.len() >= BATCHES_REMEMBERED {
            row.batches.remove(0);
        }
        row.batches.push(Batch {
            id: id.as_u128(),
            first,
            last,
        });
    }
    let updated_at = DateTime::from_timestamp_micros(row.updated_us).unwrap_or_default();
    Appended {
        first,
        last,
        updated_at,
        replayed: false,
    }
}

/// Loads a session with its visible messages.
pub(crate) fn load(store: &impl Primitives, key: &SessionKey) -> Result<Session> {
    let row = store.row_of(key)?;
    let mut session = header_of(store, key, &row)?;
    let dialect = dialect::of_agent(key.agent());
    let visible = ScanQuery {
        from: Some(row.mark),
        ..ScanQuery::default()
    };
    for record in store.records(key, visible) {
        let record = record?;
        if record.header.messages > 0 {
            session.messages.extend(dialect.messages(&record.line));
        }
    }
    Ok(session)
}

/// The session's fields, without messages: from its latest header line, or else from its row.
fn header_of(store: &impl Primitives, key: &SessionKey, row: &SessionRow) -> Result<Session> {
    let mut session = Session::new(key.clone());
    session.title.clone_from(&row.title);
    session.project.clone_from(&row.project);
    session.model.clone_from(&row.model);
    session.parent.clone_from(&row.parent);
    if let Some(sequence) = row.header_sequence {
        let one = ScanQuery {
            from: Some(sequence),
            records_max: 1,
            ..ScanQuery::default()
        };
        let page = store.scan(key, &one)?;
        if let Some(record) = page.records.first() {
            dialect::of_agent(key.agent()).read_meta(&record.line, &mut session);
        }
        if session.title.is_empty() {
            session.title.clone_from(&row.title);
        }
    }
    session.key = key.clone();
    session.created_at = DateTime::from_timestamp_micros(row.created_us);
    session.updated_at = DateTime::from_timestamp_micros(row.updated_us);
    Ok(session)
}

/// Saves a session: appends what is not stored yet, and tries again if somebody else appended
/// meanwhile.
pub(crate) fn save(store: &impl Primitives, session: &mut Session) -> Result<()> {
    let dialect = dialect::of_agent(session.key.agent());
    loop {
        let row = store.row(&session.key)?;
        let stored = match &row {
            Some(row) => Some(stored(store, &session.key, row)?),
            None => None,
        };
        let lines = lines::lines_of_save(dialect, stored.as_ref(), session, store.options())?;
        let expect = Expect::Sequence(row.map_or(0, |row| row.next));
        match store.append_lines(&session.key, expect, None, &lines) {
            Err(Error::Conflict { .. }) => {}
            Err(error) => return Err(error),
            Ok(appended) => {
                session.updated_at = Some(appended.updated_at);
                return Ok(());
            }
        }
    }
}

fn stored(store: &impl Primitives, key: &SessionKey, row: &SessionRow) -> Result<Stored> {
    let dialect = dialect::of_agent(key.agent());
    let mut messages = HashMap::new();
    for record in store.records(key, ScanQuery::default()) {
        let record = record?;
        if record.header.messages > 0 {
            for message in dialect.messages(&record.line) {
                if let Some(id) = message.id.clone() {
                    messages.insert(id, message);
                }
            }
        }
    }
    let session = header_of(store, key, row)?;
    Ok(Stored {
        session,
        messages,
        has_header: row.header_sequence.is_some(),
    })
}

/// Appends records, written in the format of the session's agent.
pub(crate) fn append(
    store: &impl Primitives,
    key: &SessionKey,
    expect: Expect,
    batch_id: Option<Uuid>,
    records: &[NewRecord],
) -> Result<Appended> {
    let dialect = dialect::of_agent(key.agent());
    let lines = lines::lines_of(dialect, key, records, store.options())?;
    store.append_lines(key, expect, batch_id, &lines)
}

/// Creates a session with its header line, if it is not there.
pub(crate) fn ensure_meta(store: &impl Primitives, session: &Session) -> Result<bool> {
    if store.row(&session.key)?.is_some() {
        return Ok(false);
    }
    let dialect = dialect::of_agent(session.key.agent());
    let line = lines::line_of_new_session(dialect, session, store.options())?;
    let lines: Vec<Vec<u8>> = line.into_iter().collect();
    match store.append_lines(&session.key, Expect::Sequence(0), None, &lines) {
        Ok(_) => Ok(true),
        Err(Error::Conflict { .. }) => Ok(false),
        Err(error) => Err(error),
    }
}

/// Hides all but the last `keep_last` messages.
pub(crate) fn truncate(
    store: &impl Primitives,
    key: &SessionKey,
    keep_last: u64,
) -> Result<Truncated> {
    loop {
        let row = store.row_of(key)?;
        let (mark, visible) = if keep_last >= row.messages {
            (0, row.messages)
        } else {
            mark_before(store, key, row.next, keep_last)?
        };
        let hidden = row.messages.saturating_sub(visible);
        if store.set_mark(key, row.next, mark, hidden)? {
            return Ok(Truncated {
                mark,
                visible,
                hidden,
            });
        }
    }
}

/// Where the last `keep_last` messages begin, and how many there are from there on: a damaged
/// line can hold several, and is kept whole.
fn mark_before(
    store: &impl Primitives,
    key: &SessionKey,
    next: u64,
    keep_last: u64,
) -> Result<(u64, u64)> {
    let backward = ScanQuery {
        direction: Direction::Backward,
        ..ScanQuery::default()
    };
    let (mut mark, mut visible) = (next, 0);
    for record in store.records(key, backward) {
        let record = record?;
        if visible >= keep_last {
            break;
        }
        if record.sequence < next && record.header.messages > 0 {
            visible += u64::from(record.header.messages);
            mark = record.sequence;
        }
    }
    Ok((mark, visible))
}

/// Writes a session as Markdown.
pub(crate) fn export_markdown(
    store: &impl Primitives,
    key: &SessionKey,
    out: &mut dyn Write,
) -> Result<()> {
    let failed = |source| Error::Output { source };
    let dialect = dialect::of_agent(key.agent());
    markdown::write_head(out, &store.summary(key)?).map_err(failed)?;
    for record in store.records(key, ScanQuery::default()) {
        let record = record?;
        if record.header.messages > 0 {
            for message in dialect.messages(&record.line) {
                markdown::write_message(out, &message).map_err(failed)?;
            }
        }
    }
    out.flush().map_err(failed)
}
