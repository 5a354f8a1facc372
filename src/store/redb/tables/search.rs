//! The tables of the index of messages: their rows, and from where on sessions are not indexed.
//!
//! - A session without a row in `search_tails` is indexed to its end: every record of it lies in a document.
//!   With one, every record from there on may lie in none, and is read by each search.
//! - Without any run and any row in `search_tails` nothing is indexed, and nothing is noted.
//! - One row, under the number that no session has, is of all sessions from one on: those that came since
//!   the index was filled last.
//! - The row is written in the transaction of the records, by whoever adds records or replaces them.

use std::collections::BTreeMap;

use redb::{ReadableTable, ReadableTableMetadata as _, WriteTransaction};

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

/// Reads the row of a session of which not all is indexed.
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

/// From where on the sessions are not indexed of which not all is, in the order of their numbers.
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
        if is_unused(self.txn())? {
            return Ok(());
        }
        let from = match old {
            None if row.next > 0 => return self.is_new_to_search(number),
            // Read again: what lines say may be something else.
            Some(old) if old.reader != row.reader && old.next > 0 => 0,
            Some(old) if old.next < row.next => old.next,
            _ => return Ok(()),
        };
        self.is_not_indexed_from(number, from)
    }

    /// Notes that records of a session from one on may lie in no document.
    pub(crate) fn is_not_indexed_from(&self, number: u64, from: u64) -> Result<()> {
        if is_unused(self.txn())? {
            return Ok(());
        }
        let action = storage("note what is not indexed");
        let table = self.txn().open_table(SEARCH_TAILS);
        let mut table = table.map_err(storage("note what is not indexed"))?;
        if new_from(&table)?.is_some_and(|new| new <= number) {
            return Ok(());
        }
        let before = table.get(number).map_err(&action)?;
        // A damaged row is written anew: all of the session is read then.
        let before = before.map(|bytes| tail(number, bytes.value()).unwrap_or(0));
        if before.is_some_and(|before| before <= from) {
            return Ok(());
        }
        let row = search_rows::encode_tail(number, from);
        table.insert(number, row.as_slice()).map_err(&action)?;
        Ok(())
    }

    /// Notes that a session that has just begun is not indexed: one row does for all that come after it.
    fn is_new_to_search(&self, number: u64) -> Result<()> {
        let table = self.txn().open_table(SEARCH_TAILS);
        let mut table = table.map_err(storage("note what is not indexed"))?;
        let of = match new_from(&table)? {
            Some(new) if new <= number => return Ok(()),
            Some(_) => (number, 0),
            None => (NEW, number),
        };
        let row = search_rows::encode_tail(of.0, of.1);
        let inserted = table.insert(of.0, row.as_slice());
        inserted
            .map(drop)
            .map_err(storage("note what is not indexed"))
    }
}

/// Whether nothing is indexed: then nothing is noted either.
fn is_unused(txn: &WriteTransaction) -> Result<bool> {
    let opened = storage("note what is not indexed");
    let action = storage("note what is not indexed");
    let runs = txn.open_table(SEARCH_RUNS).map_err(&opened)?;
    if !runs.is_empty().map_err(&action)? {
        return Ok(false);
    }
    let tails = txn.open_table(SEARCH_TAILS).map_err(&opened)?;
    tails.is_empty().map_err(&action)
}

/// From which session on nothing is indexed. A damaged row says that of all.
fn new_from(table: &impl ReadableTable<u64, &'static [u8]>) -> Result<Option<u64>> {
    let row = table
        .get(NEW)
        .map_err(storage("note what is not indexed"))?;
    Ok(row.map(|row| tail(NEW, row.value()).unwrap_or(0)))
}

/// Whether sessions have come since the index was filled last, or it never was.
pub(crate) fn has_new(snapshot: &Snapshot<'_>) -> Result<bool> {
    let opened = storage("read what is not indexed");
    let action = storage("read what is not indexed");
    let tails = snapshot.txn().open_table(SEARCH_TAILS).map_err(&opened)?;
    if new_from(&tails)?.is_some() {
        return Ok(true);
    }
    let runs = snapshot.txn().open_table(SEARCH_RUNS).map_err(&opened)?;
    Ok(runs.is_empty().map_err(&action)? && tails.is_empty().map_err(&action)?)
}

/// Gives each session that came since the index was filled a row of its own.
pub(crate) fn spread_tails(writer: &Writer<'_>) -> Result<()> {
    let action = storage("note what is not indexed");
    let opened = storage("note what is not indexed");
    let is_unused = is_unused(writer.txn())?;
    let mut table = writer.txn().open_table(SEARCH_TAILS).map_err(&opened)?;
    let Some(new) = new_from(&table)?.or(is_unused.then_some(0)) else {
        return Ok(());
    };
    table.remove(NEW).map_err(&action)?;
    let sessions = writer.txn().open_table(SESSIONS).map_err(&opened)?;
    for entry in sessions.range(new..).map_err(&action)? {
        let number = entry.map_err(&action)?.0.value();
        let row = search_rows::encode_tail(number, 0);
        table.insert(number, row.as_slice()).map_err(&action)?;
    }
    Ok(())
}
