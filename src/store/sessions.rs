//! Appending, hiding and walking through lines: written once, over the few primitives that a store of this crate
//! has. Loading is in `loading`, saving in `saving`.

use std::io::Write;

use chrono::DateTime;
use uuid::Uuid;

use super::addition::{Addition, Intent};
use super::exceptions::Exceptions;
use super::lines;
use super::order::Order;
use super::query::{Appended, Direction, Expect, NewRecord, ScanQuery, Truncated};
use super::records::Records;
use super::search::state;
use super::{Stamps, Store};
use crate::agents::{self, Dialect, MarkdownHead};
use crate::codec::session_row::SessionRow;
use crate::model::error::{Error, Result};
use crate::model::key::SessionKey;
use crate::model::message::Block;
use crate::model::properties::PropertiesChange;
use crate::model::record::{Record, RecordView};
use crate::model::session::Session;
use crate::render::markdown;

/// What looks at records. An error ends the visit.
pub(crate) type Visit<'v> = dyn FnMut(RecordView<'_>) -> Result<()> + 'v;

/// What the stores of this crate have in common below the [`Store`] trait.
pub(crate) trait Primitives: Store {
    /// What new records are stamped with.
    fn stamps(&self) -> &Stamps;

    /// The row of a session.
    fn row(&self, key: &SessionKey) -> Result<Option<SessionRow>>;

    /// The order in which the records of a session are read, if it is not that of their numbers.
    fn order(&self, _key: &SessionKey, _row: &SessionRow) -> Result<Option<Order>> {
        Ok(None)
    }

    /// Adds lines to a session, all or none, by [`add_to`](super::addition::add_to).
    fn add(&self, addition: Addition) -> Result<Appended>;

    /// Moves the mark of a session whose row still says what `seen` says of its records. Returns
    /// whether it did.
    fn set_mark(&self, key: &SessionKey, seen: &SessionRow, mark: u64, hidden: u64)
    -> Result<bool>;

    /// Shows `each` the records of a session from one on.
    fn visit(&self, key: &SessionKey, from: u64, each: &mut Visit<'_>) -> Result<()> {
        let query = ScanQuery {
            from: Some(from),
            ..ScanQuery::default()
        };
        Records::new(self, key.clone(), query).try_for_each(|record| each(record?.view()))
    }

    /// The row of a session that has to be there.
    fn row_of(&self, key: &SessionKey) -> Result<SessionRow> {
        self.row(key)?.ok_or_else(|| Error::NotFound {
            wanted: key.to_string(),
        })
    }
}

/// The calls of [`Store`] that every store of this crate makes of its primitives, for its
/// `impl`. A macro, since an `impl` for all that have the primitives would show them to everybody.
macro_rules! calls_over_primitives {
    () => {
        fn save(&self, session: &mut Session) -> Result<()> {
            $crate::store::saving::save(self, session)
        }

        fn load(&self, key: &SessionKey) -> Result<Session> {
            $crate::store::loading::load(self, key)
        }

        fn export_markdown(&self, key: &SessionKey, out: &mut dyn Write) -> Result<()> {
            $crate::store::sessions::export_markdown(self, key, out)
        }

        fn append(
            &self,
            key: &SessionKey,
            expect: Expect,
            batch_id: Option<Uuid>,
            records: &[NewRecord],
        ) -> Result<Appended> {
            $crate::store::sessions::append(self, key, expect, batch_id, records, None)
        }

        fn append_with(
            &self,
            key: &SessionKey,
            expect: Expect,
            batch_id: Option<Uuid>,
            records: &[NewRecord],
            change: &PropertiesChange,
        ) -> Result<Appended> {
            $crate::store::sessions::append(self, key, expect, batch_id, records, Some(change))
        }

        fn ensure_meta(&self, session: &Session) -> Result<bool> {
            $crate::store::saving::ensure_meta(self, session)
        }

        fn truncate(&self, key: &SessionKey, keep_last: u64) -> Result<Truncated> {
            $crate::store::sessions::truncate(self, key, keep_last)
        }

        fn hide_before(&self, key: &SessionKey, sequence: u64) -> Result<Truncated> {
            $crate::store::sessions::hide_before(self, key, sequence)
        }

        fn replace_history(&self, key: &SessionKey, records: &[NewRecord]) -> Result<()> {
            $crate::store::sessions::replace_history(self, key, records)
        }
    };
}

pub(crate) use calls_over_primitives;

/// Whether two rows of a session have the same records, hidden ones and visible ones.
pub(crate) fn same_records(one: &SessionRow, other: &SessionRow) -> bool {
    let records = |row: &SessionRow| (row.next, row.records, row.messages, row.mark, row.hidden);
    records(one) == records(other)
}

/// What is to be known of a session's records from one on.
pub(crate) fn all_exceptions(
    store: &impl Primitives,
    key: &SessionKey,
    from: u64,
) -> Result<Exceptions> {
    Ok(Exceptions::of(store.exceptions(key, from, u64::MAX)?))
}

/// Walks through a session's records from `from` on, or through all of them where its format
/// spreads the session's fields. Gives these fields as the lines have them, without messages.
pub(crate) fn read_lines(
    store: &impl Primitives,
    key: &SessionKey,
    row: &SessionRow,
    from: u64,
    visit: &mut Visit<'_>,
) -> Result<Session> {
    let dialect = agents::of_agent(key.agent());
    let is_scattered = dialect.has_scattered_meta();
    let mut session = Session::new(key.clone());
    session.title.clone_from(&row.title);
    session.project.clone_from(&row.project);
    session.model.clone_from(&row.model);
    session.parent.clone_from(&row.parent);
    if let Some(sequence) = row.header_sequence.filter(|_| !is_scattered) {
        let one = ScanQuery {
            from: Some(sequence),
            records_max: 1,
            ..ScanQuery::default()
        };
        if let Some(record) = store.scan(key, &one)?.records.first() {
            dialect.read_meta(&record.line, &mut session);
        }
    }
    // What an agent says of a session anywhere among its lines may stand before the first that is asked for.
    let from = if is_scattered { 0 } else { from };
    store.visit(key, from, &mut |record| {
        if is_scattered && record.header.messages == 0 {
            dialect.read_meta(record.line, &mut session);
        }
        visit(record)
    })?;
    if session.title.is_empty() {
        session.title.clone_from(&row.title);
    }
    // Whatever a header states: the name that was asked for, and the times that all lines tell.
    session.key = key.clone();
    session.created_at = DateTime::from_timestamp_micros(row.created_us);
    session.updated_at = DateTime::from_timestamp_micros(row.updated_us);
    Ok(session)
}

/// Appends records, written in the format of the session's agent, and changes what is kept beside them.
pub(crate) fn append(
    store: &impl Primitives,
    key: &SessionKey,
    expect: Expect,
    batch_id: Option<Uuid>,
    records: &[NewRecord],
    change: Option<&PropertiesChange>,
) -> Result<Appended> {
    let dialect = agents::of_agent(key.agent());
    store.add(Addition {
        key: key.clone(),
        expect,
        batch_id,
        lines: lines::lines_of(dialect, key, records, store.stamps())?,
        intent: Intent::Append,
        change: change.cloned().map(Box::new),
    })
}

/// Hides all that is there, and appends.
pub(crate) fn replace_history(
    store: &impl Primitives,
    key: &SessionKey,
    records: &[NewRecord],
) -> Result<()> {
    let dialect = agents::of_agent(key.agent());
    let addition = Addition {
        key: key.clone(),
        expect: Expect::Any,
        batch_id: None,
        lines: lines::lines_of(dialect, key, records, store.stamps())?,
        intent: Intent::Replace,
        change: None,
    };
    store.add(addition).map(drop)
}

/// Hides all but the last `keep_last` messages.
pub(crate) fn truncate(
    store: &impl Primitives,
    key: &SessionKey,
    keep_last: u64,
) -> Result<Truncated> {
    loop {
        let row = store.row_of(key)?;
        let places = Places::of(store, key, &row)?;
        let (mark, visible) = match places.start() {
            0 if keep_last >= row.messages => (0, row.messages),
            start => mark_before(store, key, (&row, &places, start), keep_last)?,
        };
        let hidden = row.messages.saturating_sub(visible);
        // Somebody may have appended while the messages were counted: then once more.
        if store.set_mark(key, &row, mark, hidden)? {
            return Ok(Truncated {
                mark,
                visible,
                hidden,
            });
        }
    }
}

/// Hides what stands before a record, and shows nothing again.
pub(crate) fn hide_before(
    store: &impl Primitives,
    key: &SessionKey,
    sequence: u64,
) -> Result<Truncated> {
    loop {
        let row = store.row_of(key)?;
        // What is appended from now on was not what the caller meant.
        let places = Places::of(store, key, &row)?;
        let wanted = sequence.min(row.next);
        let mark = if places.of_record(wanted) > places.of_record(row.mark) {
            wanted
        } else {
            row.mark
        };
        let hidden = row.hidden + messages_between(store, key, &places, (row.mark, mark))?;
        if mark == row.mark || store.set_mark(key, &row, mark, hidden)? {
            return Ok(Truncated {
                mark,
                visible: row.messages.saturating_sub(hidden),
                hidden,
            });
        }
    }
}

/// How many messages there are from a record on, and before another.
fn messages_between(
    store: &impl Primitives,
    key: &SessionKey,
    places: &Places,
    (from, to): (u64, u64),
) -> Result<u64> {
    if from == to {
        return Ok(0);
    }
    let forward = ScanQuery {
        from: Some(from),
        ..ScanQuery::default()
    };
    // In an order of its own a session may have records of lower numbers behind `from`.
    let exceptions = all_exceptions(store, key, if places.0.is_some() { 0 } else { from })?;
    let mut messages = 0;
    for record in Records::new(store, key.clone(), forward) {
        let record = record?;
        if places.of_record(record.sequence) >= places.of_record(to) {
            break;
        }
        messages += u64::from(exceptions.shown(record.sequence, record.header.messages));
    }
    Ok(messages)
}

/// Where the last `keep_last` messages begin, and how many there are from there on: a damaged
/// line can hold several, and is kept whole. What stands before `start` stays hidden. They do not begin
/// with a tool's answer: the call that it answers is kept with it.
fn mark_before(
    store: &impl Primitives,
    key: &SessionKey,
    (row, places, start): (&SessionRow, &Places, u64),
    keep_last: u64,
) -> Result<(u64, u64)> {
    let next = row.next;
    let backward = ScanQuery {
        direction: Direction::Backward,
        ..ScanQuery::default()
    };
    let exceptions = all_exceptions(store, key, 0)?;
    let dialect = agents::of_agent(key.agent());
    let (mut mark, mut visible, mut is_answer) = (next, 0, false);
    for record in Records::new(store, key.clone(), backward) {
        let record = record?;
        let is_enough = visible >= keep_last && !is_answer;
        if is_enough || places.of_record(record.sequence) < places.of_record(start) {
            break;
        }
        let shown = exceptions.shown(record.sequence, record.header.messages);
        // What came since the row was read is visible, and not among what is to be kept.
        if record.sequence < next && shown > 0 {
            visible += u64::from(shown);
            mark = record.sequence;
            is_answer =
                visible >= keep_last && keep_last > 0 && is_answer_of_tools(dialect, &record);
        }
    }
    Ok((mark, visible))
}

/// Whether a record's first message is nothing but what tools answered.
fn is_answer_of_tools(dialect: &dyn Dialect, record: &Record) -> bool {
    let is_result = |block: &Block| matches!(block, Block::ToolResult { .. });
    let messages = dialect.stored_messages(record.view());
    messages
        .first()
        .is_some_and(|message| !message.content.is_empty() && message.content.iter().all(is_result))
}

/// Where records stand in their session.
pub(crate) struct Places(Option<Order>);

impl Places {
    /// Those of a session.
    pub(crate) fn of(store: &impl Primitives, key: &SessionKey, row: &SessionRow) -> Result<Self> {
        store.order(key, row).map(Self)
    }

    /// The place of a record.
    pub(crate) fn of_record(&self, sequence: u64) -> u64 {
        match &self.0 {
            Some(order) => order.place(sequence),
            None => sequence,
        }
    }

    /// The first record that can be shown: what its agent dropped from its file stays hidden.
    fn start(&self) -> u64 {
        match &self.0 {
            Some(order) => order.file_start().unwrap_or(u64::MAX),
            None => 0,
        }
    }
}

/// What the last header line of a session says for the head of its Markdown.
fn stated(
    store: &impl Primitives,
    key: &SessionKey,
    dialect: &dyn Dialect,
) -> Result<markdown::Stated> {
    let Some(sequence) = store.row_of(key)?.header_sequence else {
        return Ok(markdown::Stated::default());
    };
    let one = ScanQuery {
        from: Some(sequence),
        records_max: 1,
        ..ScanQuery::default()
    };
    let header = store.scan(key, &one)?.records.into_iter().next();
    let told = header.and_then(|header| dialect.markdown_head(&header.line));
    let MarkdownHead {
        created,
        updated,
        answering,
    } = told.unwrap_or_default();
    Ok(markdown::Stated {
        created,
        updated,
        answering,
    })
}

/// Writes a session as Markdown.
pub(crate) fn export_markdown(
    store: &impl Primitives,
    key: &SessionKey,
    out: &mut dyn Write,
) -> Result<()> {
    let failed = |source| Error::Output { source };
    let dialect = agents::of_agent(key.agent());
    let stated = stated(store, key, dialect)?;
    markdown::write_head(out, &store.summary(key)?, &stated).map_err(failed)?;
    let exceptions = all_exceptions(store, key, 0)?;
    store.visit(key, 0, &mut |record| {
        if exceptions.shown(record.sequence, record.header.messages) == 0 {
            return Ok(());
        }
        for message in state(store, key, &exceptions, record)? {
            markdown::write_message(out, &message).map_err(failed)?;
        }
        Ok(())
    })?;
    out.flush().map_err(failed)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::message::{Message, Role};
    use crate::store::{MemoryStore, Options, RedbStore};

    fn check(store: &impl Primitives) {
        let key = SessionKey::native("s").unwrap();
        store.ensure_meta(&Session::new(key.clone())).unwrap();
        let said = NewRecord::message(Message::text(Role::User, "hi"));
        let say = || store.append(&key, Expect::Any, None, std::slice::from_ref(&said));
        say().unwrap();
        // A window that was computed for what was there says nothing of what is there now.
        let seen = store.row_of(&key).unwrap();
        say().unwrap();
        assert!(!store.set_mark(&key, &seen, 2, 1).unwrap());
        let row = store.row_of(&key).unwrap();
        assert_eq!((row.mark, row.hidden), (0, 0));
        assert!(store.set_mark(&key, &row, 2, 1).unwrap());
        // As many as there are is all: nothing is hidden, the header neither.
        let shown = store.truncate(&key, 2).unwrap();
        assert_eq!((shown.mark, shown.visible, shown.hidden), (0, 2, 0));
        assert_eq!(store.truncate(&key, 1).unwrap().mark, 2);
    }

    #[test]
    fn a_mark_is_moved_only_for_the_records_that_were_seen() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("s.redb");
        check(&RedbStore::open(path, Options::default()).unwrap());
        check(&MemoryStore::default());
    }
    #[test]
    fn a_place_that_is_still_to_come_is_no_message_that_is_stored() {
        let store = MemoryStore::default();
        let mut session = Session::new(SessionKey::new("picoclaw", "s").unwrap());
        for (said, id) in [("a", "#0"), ("b", "#1")] {
            let mut message = Message::text(Role::User, said);
            message.id = Some(id.to_owned());
            session.messages.push(message);
            store.save(&mut session).unwrap();
        }
        let loaded = store.load(&session.key).unwrap();
        let texts: Vec<String> = loaded.messages.iter().map(Message::plain_text).collect();
        assert_eq!(texts, ["a", "b"]);
    }
}
