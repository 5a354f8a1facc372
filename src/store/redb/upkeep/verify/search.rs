//! Verification of the index of messages: its rows, and, in a deep verification, that no record says what
//! its document does not have.

use std::collections::{BTreeMap, BTreeSet};

use redb::ReadableTable as _;

use super::Checker;
use crate::agents;
use crate::codec::search_rows::{Document, RunRow};
use crate::model::error::Result;
use crate::model::record::RecordView;
use crate::search::{BUCKETS, GRAM_VERSION, GramSet};
use crate::store::redb::engine::errors::storage;
use crate::store::redb::search::{grams_of, runs};
use crate::store::redb::tables::schema::{SEARCH_RUNS, SEARCH_TAILS};
use crate::store::redb::tables::search::{self, NEW};

const ACTION: &str = "verify the index of messages";

/// Documents whose lists are held at a time.
const DOCUMENTS_AT_ONCE: usize = 256;

/// Sessions and their records.
type Records = BTreeSet<(u64, u64)>;

/// Is told of a record of a session whether its document has all that it says.
type Tell<'t> = dyn FnMut((u64, u64), bool) + 't;

/// By session: from which record on it is not indexed.
type Tails = BTreeMap<u64, u64>;

impl Checker<'_, '_, '_> {
    /// Every row of the index is what was written, and every session is indexed as far as it says; in a
    /// deep verification also that each record's document has all that it says.
    pub(super) fn search(&mut self) -> Result<()> {
        match self.snapshot.txn().open_table(SEARCH_RUNS) {
            Err(error) if search::is_missing(&error) => return Ok(()),
            opened => drop(opened.map_err(storage(ACTION))?),
        }
        let tails = self.tails()?;
        let runs = runs::all(self.snapshot)?;
        let mut covered: BTreeMap<u64, Vec<(u64, u64)>> = BTreeMap::new();
        for (run, row) in &runs {
            let checked = runs::documents(self.snapshot, *run, row).and_then(|documents| {
                runs::each_lists(
                    self.snapshot,
                    (*run, row.documents),
                    0,
                    BUCKETS,
                    &mut |_, _| {},
                )?;
                Ok(documents)
            });
            match checked {
                Ok(documents) => {
                    for one in documents {
                        let spans = covered.entry(one.session).or_default();
                        spans.push((one.first, one.last));
                    }
                }
                Err(error) => self.note(error, None)?,
            }
        }
        // Without a run all is read.
        if self.found.report.problems.is_empty() && !runs.is_empty() {
            self.uncovered(&tails, covered)?;
        }
        // Of rows that are damaged each record would be told once more.
        if self.found.is_deep && self.found.report.problems.is_empty() {
            self.lists(&runs, &tails)?;
        }
        Ok(())
    }

    fn tails(&mut self) -> Result<Tails> {
        let read = storage(ACTION);
        let table = self.snapshot.txn().open_table(SEARCH_TAILS);
        let table = table.map_err(storage(ACTION))?;
        let mut tails = Tails::new();
        for entry in table.iter().map_err(&read)? {
            let (session, value) = entry.map_err(&read)?;
            let session = session.value();
            match search::tail(session, value.value()) {
                // The first row, under number 0. Of a session that it is of no later row says less.
                Ok(from) if session == NEW => {
                    let new = self.found.rows.keys().filter(|number| **number >= from);
                    tails.extend(new.map(|number| (*number, 0)));
                }
                Ok(from) => {
                    tails.entry(session).or_insert(from);
                }
                Err(error) => self.note(error, Some(session))?,
            }
            if session != NEW && !self.found.rows.contains_key(&session) {
                let detail = "a session that is not there".to_owned();
                self.problem("search_tails", format!("session {session}"), detail, None);
            }
        }
        Ok(tails)
    }

    /// Records that are said to be indexed, and lie in no document.
    fn uncovered(
        &mut self,
        tails: &Tails,
        mut covered: BTreeMap<u64, Vec<(u64, u64)>>,
    ) -> Result<()> {
        let numbers: Vec<u64> = self.found.rows.keys().copied().collect();
        for number in numbers {
            let Some(row) = self.snapshot.row(number)? else {
                continue;
            };
            let end = tails.get(&number).copied().unwrap_or(row.next);
            let mut spans = covered.remove(&number).unwrap_or_default();
            spans.sort_unstable();
            // Between documents there may be numbers without records: a compaction has removed them.
            let (mut reached, mut gaps) = (0, Vec::new());
            for (first, last) in spans {
                if first > reached {
                    gaps.push((reached, first));
                }
                reached = reached.max(last + 1);
            }
            if reached < end {
                gaps.push((reached, end));
            }
            for (from, to) in gaps.into_iter().map(|(from, to)| (from, to.min(end))) {
                if from >= to {
                    continue;
                }
                let mut found = None;
                self.snapshot.forward(number, None, from, &mut |segment| {
                    let mut numbers = segment.records().map(|record| record.0);
                    found = numbers.find(|at| (from..to).contains(at));
                    found.is_none() && segment.last_sequence() < to
                })?;
                if let Some(record) = found {
                    let detail = format!("record {record} is in no document");
                    let key = format!("session {number}");
                    self.problem("search_documents", key, detail, Some(number));
                }
            }
        }
        Ok(())
    }

    /// What records say against the lists of their documents. Of records that were replaced an older document
    /// may speak, too: one that has all is enough.
    fn lists(&mut self, runs: &BTreeMap<u32, RunRow>, tails: &Tails) -> Result<()> {
        let mut lacking = Records::new();
        for (run, row) in runs {
            self.each_record(*run, row, tails, None, &mut |record, is_held| {
                if !is_held {
                    lacking.insert(record);
                }
            })?;
        }
        if lacking.is_empty() {
            return Ok(());
        }
        // Only now, and for these records alone: of a sound index the lists are read once.
        let mut held = Records::new();
        for (run, row) in runs {
            self.each_record(*run, row, tails, Some(&lacking), &mut |record, is_held| {
                if is_held {
                    held.insert(record);
                }
            })?;
        }
        for (number, record) in lacking.difference(&held) {
            let detail = format!("record {record} says what no document has");
            let key = format!("session {number}");
            self.problem("search_grams", key, detail, Some(*number));
        }
        Ok(())
    }

    /// Tells of each record of a run's documents, or of some of them, whether its document has all that
    /// it says.
    fn each_record(
        &mut self,
        run: u32,
        row: &RunRow,
        tails: &Tails,
        only: Option<&Records>,
        tell: &mut Tell<'_>,
    ) -> Result<()> {
        // Its lists are made by other rules; a search does not ask them, and takes all of its
        // documents.
        if row.grams != GRAM_VERSION {
            return Ok(());
        }
        let documents = runs::documents(self.snapshot, run, row)?;
        let mut set = GramSet::default();
        let mut from = 0_u32;
        // The lists are read again for each chunk: the buckets of a whole run would fill the
        // memory.
        for chunk in documents.chunks(DOCUMENTS_AT_ONCE) {
            let end = from + u32::try_from(chunk.len()).unwrap_or(u32::MAX - from);
            let mut held: Vec<Vec<u32>> = vec![Vec::new(); chunk.len()];
            let give = &mut |bucket: u32, list: Vec<u32>| {
                for one in list.into_iter().filter(|one| (from..end).contains(one)) {
                    if let Some(buckets) = held.get_mut((one - from) as usize) {
                        buckets.push(bucket);
                    }
                }
            };
            runs::each_lists(self.snapshot, (run, row.documents), 0, BUCKETS, give)?;
            for (document, buckets) in chunk.iter().zip(&held) {
                let reader = row.readers.get(usize::from(document.reader));
                self.document((document, reader), buckets, tails, only, (&mut set, tell))?;
            }
            from = end;
        }
        Ok(())
    }

    fn document(
        &mut self,
        (document, reader): (&Document, Option<&(String, u16)>),
        buckets: &[u32],
        tails: &Tails,
        only: Option<&Records>,
        (set, tell): (&mut GramSet, &mut Tell<'_>),
    ) -> Result<()> {
        let number = document.session;
        let Some(session) = self.snapshot.row(number)? else {
            return Ok(());
        };
        let dialect = agents::of_agent(&session.agent);
        // Another version may have read less in them: such documents are read by each search.
        if reader.is_none_or(|reader| reader.1 != dialect.reader_version()) {
            return Ok(());
        }
        // From there on other records may have its numbers: they are read by each search.
        let end = tails.get(&number).copied().unwrap_or(u64::MAX);
        let is_asked = |sequence: u64| {
            (document.first..=document.last).contains(&sequence)
                && sequence < end
                && only.is_none_or(|only| only.contains(&(number, sequence)))
        };
        self.snapshot
            .forward(number, None, document.first, &mut |segment| {
                for (sequence, header, line) in segment.records() {
                    if is_asked(sequence) && header.messages > 0 {
                        let record = RecordView {
                            sequence,
                            header,
                            line,
                        };
                        grams_of(set, dialect, record);
                        let said = set.drain();
                        let is_held = said.iter().all(|one| buckets.binary_search(one).is_ok());
                        tell((number, sequence), is_held);
                    }
                }
                segment.last_sequence() < document.last
            })
    }
}
