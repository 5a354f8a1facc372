//! Documents to rows: a run in one transaction, with what is not indexed any more.

use std::collections::BTreeMap;

use redb::ReadableTable as _;

use super::gather::{Gathered, OfSession, is_as_before};
use super::transpose::each_list;
use crate::codec::gram_list::{DOCUMENTS_MAX, RowPacker};
use crate::codec::search_rows::{self, BLOCK_DOCUMENTS, Document, RunRow};
use crate::model::error::Result;
use crate::search::{BUCKETS, GRAM_VERSION};
use crate::store::redb::engine::errors::storage;
use crate::store::redb::store::RedbStore;
use crate::store::redb::tables::schema::{
    SEARCH_DOCUMENTS, SEARCH_GRAMS, SEARCH_RUNS, SEARCH_TAILS,
};
use crate::store::redb::tables::search;
use crate::store::redb::tables::writer::Writer;

pub(super) const ACTION: &str = "write the index of messages";

/// Writes what was gathered of the sessions that it is still true of. Returns the documents written.
pub(super) fn write(store: &RedbStore, gathered: &[OfSession]) -> Result<u64> {
    store.write(|writer| {
        let mut documents: Vec<(Document, &Gathered)> = Vec::new();
        let mut readers: Vec<(String, u16)> = Vec::new();
        for session in gathered {
            // It was read outside this transaction. What changed since is read again by the next
            // filling.
            if !settle(writer, session)? {
                continue;
            }
            let reader = (session.row.agent.clone(), session.reader);
            let known = readers.iter().position(|known| *known == reader);
            let place = known.unwrap_or_else(|| {
                readers.push(reader);
                readers.len() - 1
            });
            let reader = u16::try_from(place).unwrap_or(u16::MAX);
            let of_session = session.documents.iter();
            documents.extend(of_session.map(|one| {
                let document = Document {
                    session: session.number,
                    first: one.first,
                    last: one.last,
                    reader,
                };
                (document, one)
            }));
        }
        // The lists of a run can number so many documents: what is more goes into another run.
        let chunks = documents.chunks(DOCUMENTS_MAX as usize);
        for chunk in chunks {
            let all: Vec<Document> = chunk.iter().map(|(document, _)| *document).collect();
            let mut run = Run::begin(writer, &all, readers.clone())?;
            let sets: Vec<_> = chunk.iter().map(|(_, one)| &one.buckets).collect();
            each_list(&sets, &mut |bucket, list| run.push(bucket, list))?;
            run.end()?;
        }
        Ok(documents.len() as u64)
    })
}

/// Notes the record from which on a session is not indexed now. Tells whether what was gathered of it
/// is still true.
fn settle(writer: &Writer<'_>, session: &OfSession) -> Result<bool> {
    let Some(row) = writer.row_if_there(session.number)? else {
        return Ok(false);
    };
    let table = writer.txn().open_table(SEARCH_TAILS);
    let mut table = table.map_err(storage(ACTION))?;
    let action = storage(ACTION);
    let now = table.get(session.number).map_err(&action)?;
    let now = now
        .map(|bytes| search::tail(session.number, bytes.value()))
        .transpose();
    // Somebody else has indexed it, or replaced records that were read.
    if !matches!(now, Ok(Some(from)) if from == session.from) || !is_as_before(&session.row, &row) {
        return Ok(false);
    }
    // Records may have been added while it was read: those after `through` are still to come.
    if session.through >= row.next {
        table.remove(session.number).map_err(&action)?;
    } else {
        search::put_tail(&mut table, session.number, session.through)?;
    }
    Ok(true)
}

/// A run that is being written.
pub(super) struct Run<'w, 's> {
    writer: &'w Writer<'s>,
    number: u32,
    row: RunRow,
    packer: RowPacker,
    lists: redb::Table<'w, (u32, u32), &'static [u8]>,
}

impl<'w, 's> Run<'w, 's> {
    /// Begins a run of these documents.
    pub(super) fn begin(
        writer: &'w Writer<'s>,
        documents: &[Document],
        readers: Vec<(String, u16)>,
    ) -> Result<Self> {
        let action = storage(ACTION);
        let runs = writer.txn().open_table(SEARCH_RUNS);
        let last = runs.map_err(storage(ACTION))?;
        let last = last.last().map_err(&action)?.map(|(run, _)| run.value());
        let run = last.unwrap_or(0) + 1;
        let count = u32::try_from(documents.len()).unwrap_or(DOCUMENTS_MAX);
        let mut row = RunRow {
            grams: GRAM_VERSION,
            documents: count,
            bytes: 0,
            readers,
        };
        let blocks = writer.txn().open_table(SEARCH_DOCUMENTS);
        let mut blocks = blocks.map_err(storage(ACTION))?;
        for (block, documents) in (0_u32..).zip(documents.chunks(BLOCK_DOCUMENTS as usize)) {
            let key = (run, block);
            let encoded = search_rows::encode_documents(key, documents)
                .map_err(|error| search::corrupt("search_documents", run, &error.to_string()))?;
            row.bytes += encoded.len() as u64;
            blocks.insert(key, encoded.as_slice()).map_err(&action)?;
        }
        let lists = writer.txn().open_table(SEARCH_GRAMS);
        Ok(Self {
            writer,
            number: run,
            row,
            packer: RowPacker::new(count),
            lists: lists.map_err(storage(ACTION))?,
        })
    }

    /// Writes the list of the next bucket.
    pub(super) fn push(&mut self, bucket: u32, documents: &[u32]) -> Result<()> {
        match self.packer.push(bucket, documents) {
            Some(row) => self.insert(row),
            None => Ok(()),
        }
    }

    fn insert(&mut self, (first, body): (u32, Vec<u8>)) -> Result<()> {
        let key = (self.number, first);
        let row = search_rows::seal_lists(key, &body);
        self.row.bytes += row.len() as u64;
        let inserted = self.lists.insert(key, row.as_slice());
        inserted.map(drop).map_err(storage(ACTION))
    }

    /// Ends the run.
    pub(super) fn end(mut self) -> Result<()> {
        let last = self.packer.end(BUCKETS);
        self.insert(last)?;
        let row = self
            .row
            .encode(self.number)
            .map_err(|error| search::corrupt("search_runs", self.number, &error.to_string()))?;
        let table = self.writer.txn().open_table(SEARCH_RUNS);
        let mut table = table.map_err(storage(ACTION))?;
        let inserted = table.insert(self.number, row.as_slice());
        inserted.map(drop).map_err(storage(ACTION))
    }
}

/// Removes runs with all of their rows.
pub(super) fn remove(writer: &Writer<'_>, runs: &BTreeMap<u32, RunRow>) -> Result<()> {
    let action = storage("remove a run of the index of messages");
    let opening = storage("remove a run of the index of messages");
    let txn = writer.txn();
    let mut table = txn.open_table(SEARCH_RUNS).map_err(&opening)?;
    let mut documents = txn.open_table(SEARCH_DOCUMENTS).map_err(&opening)?;
    let mut lists = txn.open_table(SEARCH_GRAMS).map_err(&opening)?;
    for run in runs.keys() {
        table.remove(*run).map_err(&action)?;
        let all = (*run, 0)..=(*run, u32::MAX);
        documents
            // A damaged branch may lead to rows of other runs: they stay.
            .retain_in(all.clone(), |key, _| key.0 != *run)
            .map_err(&action)?;
        lists
            .retain_in(all, |key, _| key.0 != *run)
            .map_err(&action)?;
    }
    Ok(())
}
