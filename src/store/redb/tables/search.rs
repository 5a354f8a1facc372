//! The tables of the index of messages: their rows, and the records from which on sessions are not
//! indexed.
//!
//! - A session without a row in `search_tails` is indexed to its end: every record of it lies in a document.
//!   With one, every record from there on may lie in none, and is read by each search.
//! - Without any run and any row in `search_tails` nothing is indexed, and nothing is noted.
//! - One row, under the number that no session has, is of all sessions from one on: those that came since
//!   the index was filled last.
//! - The row is written in the transaction of the records, by whoever adds records or replaces them.

use std::collections::BTreeMap;

use redb::{ReadableTable, ReadableTableMetadata};

use super::schema::{SEARCH_RUNS, SEARCH_TAILS, SESSIONS};
use super::snapshot::Snapshot;
use super::writer::Writer;
use crate::codec::gram_list::Lists;
use crate::codec::row::RowError;
use crate::codec::search_rows::{self, Document, RunRow};
use crate::codec::session_row::SessionRow;
use crate::model::error::{Error, Result};
use crate::search::BUCKETS;
use crate::store::redb::engine::errors::storage;

/// The key in `search_tails` of the row that is of all sessions from the number on that it holds.
pub(crate) const NEW: u64 = 0;

/// What errors say was being done.
const NOTE: &str = "note what is not indexed";

pub(crate) type Tails<'t> = redb::Table<'t, u64, &'static [u8]>;

/// A damaged row of a run.
pub(crate) fn corrupt(table: &'static str, run: u32, detail: &str) -> Error {
    Error::Corrupt {
        table,
        key: format!("run {run}"),
        detail: detail.to_owned(),
    }
}

/// Reads the row of a run.
pub(crate) fn run(run: u32, bytes: &[u8]) -> Result<RunRow> {
    RunRow::decode(run, bytes).map_err(|error| corrupt("search_runs", run, &error.to_string()))
}

/// Reads a block of documents.
pub(crate) fn documents(key: (u32, u32), bytes: &[u8]) -> Result<Vec<Document>> {
    search_rows::decode_documents(key, bytes)
        .map_err(|error| corrupt("search_documents", key.0, &error.to_string()))
}

/// Reads a row of lists of a run of so many documents.
pub(crate) fn lists(key: (u32, u32), documents: u32, bytes: &[u8]) -> Result<Lists<'_>> {
    let read = || -> Result<Lists<'_>, RowError> {
        let body = search_rows::open_lists(key, bytes)?;
        let lists = Lists::open(key.1, documents, body)?;
        if lists.end > BUCKETS {
            return Err(RowError(format!("it ends with bucket {}", lists.end)));
        }
        Ok(lists)
    };
    read().map_err(|error| corrupt_lists(key, &error))
}

/// A damaged row of lists.
pub(crate) fn corrupt_lists((run, bucket): (u32, u32), error: &RowError) -> Error {
    Error::Corrupt {
        table: "search_grams",
        key: format!("run {run}, bucket {bucket}"),
        detail: error.to_string(),
    }
}

/// Reads the row of a session that is not indexed to its end.
pub(crate) fn tail(session: u64, bytes: &[u8]) -> Result<u64> {
    search_rows::decode_tail(session, bytes).map_err(|error| Error::Corrupt {
        table: "search_tails",
        key: format!("session {session}"),
        detail: error.to_string(),
    })
}

/// Whether a store is of a format that has no index.
pub(crate) fn is_missing(error: &redb::TableError) -> bool {
    matches!(error, redb::TableError::TableDoesNotExist(_))
}

/// The sessions that are not indexed to their end, each with the first record that may lie in no
/// document, in the order of their numbers.
fn tails(
    table: &impl ReadableTable<u64, &'static [u8]>,
    sessions: &impl ReadableTable<u64, &'static [u8]>,
) -> Result<Vec<(u64, u64)>> {
    let read = storage("read what is not indexed");
    let (mut tails, mut new) = (BTreeMap::new(), u64::MAX);
    for entry in table.iter().map_err(&read)? {
        let (session, value) = entry.map_err(&read)?;
        let session = session.value();
        let from = tail(session, value.value())?;
        if session == NEW {
            new = from;
        } else {
            tails.insert(session, from);
        }
    }
    for entry in sessions.range(new..).map_err(&read)? {
        tails.insert(entry.map_err(&read)?.0.value(), 0);
    }
    Ok(tails.into_iter().collect())
}

impl Snapshot<'_> {
    /// The same, with a look at the pages that would hold others.
    pub(crate) fn search_tails(&self) -> Result<Vec<(u64, u64)>> {
        let open = |table| self.txn().open_table(table);
        let opened = storage("read what is not indexed");
        let sessions = open(SESSIONS).map_err(&opened)?;
        let tails = tails(&open(SEARCH_TAILS).map_err(&opened)?, &sessions)?;
        // A row that damage hides would keep its session's last records out of every search.
        self.check(SEARCH_TAILS, &0, &u64::MAX)?;
        self.check(SESSIONS, &0, &u64::MAX)?;
        Ok(tails)
    }
}

impl Writer<'_> {
    /// Notes what a session's new row tells of the index: records were added, or are read otherwise.
    pub(super) fn note_for_search(
        &self,
        number: u64,
        old: Option<&SessionRow>,
        row: &SessionRow,
    ) -> Result<()> {
        match old {
            None => self.is_new_to_search(number),
            // Read again: what lines say may be something else.
            Some(old) if old.reader != row.reader => self.is_not_indexed_from(number, 0),
            Some(old) if old.next < row.next => self.is_not_indexed_from(number, old.next),
            Some(_) => Ok(()),
        }
    }

    /// Notes that a session that has just begun is not indexed: one row does for all that come after it.
    fn is_new_to_search(&self, number: u64) -> Result<()> {
        match self.tails_without(number)? {
            // Numbers only go up: from here on the one row speaks for every session that comes.
            Some((mut tails, None)) => put_tail(&mut tails, NEW, number),
            Some((mut tails, Some(_))) => put_tail(&mut tails, number, 0),
            None => Ok(()),
        }
    }

    /// Notes that records of a session from one on may lie in no document.
    pub(crate) fn is_not_indexed_from(&self, number: u64, from: u64) -> Result<()> {
        let Some((mut tails, _)) = self.tails_without(number)? else {
            return Ok(());
        };
        let before = tails.get(number).map_err(storage(NOTE))?;
        // A damaged row has all of the session read, as it is.
        let before = before.map(|bytes| tail(number, bytes.value()).unwrap_or(0));
        if before.is_some_and(|before| before <= from) {
            return Ok(());
        }
        put_tail(&mut tails, number, from)
    }

    /// The table to note something of a session in, with the number from which on it says that of all.
    /// `None` if there is nothing to note: nothing is indexed, or the session is one of those.
    fn tails_without(&self, number: u64) -> Result<Option<(Tails<'_>, Option<u64>)>> {
        let tails = self.txn().open_table(SEARCH_TAILS).map_err(storage(NOTE))?;
        let new = new_from(&tails)?;
        let is_noted = new.is_some_and(|new| new <= number);
        if is_noted || is_unused(&tails, || self.txn().open_table(SEARCH_RUNS))? {
            return Ok(None);
        }
        Ok(Some((tails, new)))
    }
}

/// Notes from which record on a session is not indexed.
pub(crate) fn put_tail(tails: &mut Tails<'_>, session: u64, from: u64) -> Result<()> {
    let row = search_rows::encode_tail(session, from);
    let inserted = tails.insert(session, row.as_slice());
    inserted.map(drop).map_err(storage(NOTE))
}

/// Whether nothing is indexed: then nothing is noted either.
fn is_unused<R: ReadableTableMetadata>(
    tails: &impl ReadableTableMetadata,
    runs: impl FnOnce() -> Result<R, redb::TableError>,
) -> Result<bool> {
    if !tails.is_empty().map_err(storage(NOTE))? {
        return Ok(false);
    }
    let runs = runs().map_err(storage(NOTE))?;
    runs.is_empty().map_err(storage(NOTE))
}

/// From which session on nothing is indexed. A damaged row says that of all.
fn new_from(tails: &impl ReadableTable<u64, &'static [u8]>) -> Result<Option<u64>> {
    let row = tails.get(NEW).map_err(storage(NOTE))?;
    Ok(row.map(|row| tail(NEW, row.value()).unwrap_or(0)))
}

/// Whether sessions have come since the index was filled last, or it never was.
pub(crate) fn has_new(snapshot: &Snapshot<'_>) -> Result<bool> {
    let opened = storage("read what is not indexed");
    let tails = snapshot.txn().open_table(SEARCH_TAILS).map_err(opened)?;
    Ok(
        new_from(&tails)?.is_some()
            || is_unused(&tails, || snapshot.txn().open_table(SEARCH_RUNS))?,
    )
}

/// Gives each session that came since the index was filled a row of its own.
pub(crate) fn spread_tails(writer: &Writer<'_>) -> Result<()> {
    let action = storage(NOTE);
    let txn = writer.txn();
    let mut tails = txn.open_table(SEARCH_TAILS).map_err(storage(NOTE))?;
    let new = match new_from(&tails)? {
        Some(new) => new,
        // Filled for the first time: all sessions are new to it.
        None if is_unused(&tails, || txn.open_table(SEARCH_RUNS))? => 0,
        None => return Ok(()),
    };
    tails.remove(NEW).map_err(&action)?;
    let sessions = txn.open_table(SESSIONS).map_err(storage(NOTE))?;
    for entry in sessions.range(new..).map_err(&action)? {
        put_tail(&mut tails, entry.map_err(&action)?.0.value(), 0)?;
    }
    Ok(())
}
