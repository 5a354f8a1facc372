//! Small runs to larger ones: a search looks into each run, so there are to be few.
//!
//! - Runs are read, and the merged one takes their place, in one transaction: the number of a run that was
//!   dropped meanwhile may be another one's.
//! - Documents of sessions that are gone are left out.

use std::collections::BTreeMap;

use super::fill::{self, Run};
use super::runs::{self, documents, each_lists};
use crate::codec::gram_list::DOCUMENTS_MAX;
use crate::codec::search_rows::{Document, RunRow};
use crate::model::error::Result;
use crate::search::{BUCKETS, GRAM_VERSION};
use crate::store::redb::engine::errors::storage;
use crate::store::redb::store::RedbStore;
use crate::store::redb::tables::schema::SESSIONS;
use crate::store::redb::tables::snapshot::Snapshot;
use crate::store::redb::tables::writer::Writer;

const ACTION: &str = "merge runs of the index of messages";

/// A run of so many documents is merged no further.
const LARGE: u32 = DOCUMENTS_MAX / 4;

/// So many small runs are let be.
const SMALL_RUNS_MAX: usize = 3;

/// Lists of these many buckets are merged at a time.
const BUCKETS_AT_ONCE: u32 = 4096;

/// Merges some small runs, if there are many. Whether it did.
pub(super) fn merge(store: &RedbStore) -> Result<bool> {
    if store.read(|snapshot| Ok(choose(&runs::all(snapshot)?).is_none()))? {
        return Ok(false);
    }
    store.write(|writer| {
        // Read as of this transaction: nobody drops or merges them meanwhile.
        store.read(|snapshot| {
            let Some(chosen) = choose(&runs::all(snapshot)?) else {
                return Ok(false);
            };
            let sources = chosen
                .iter()
                .map(|(run, row)| Source::open(snapshot, *run, row));
            write(writer, &sources.collect::<Result<Vec<_>>>()?)?;
            fill::remove(writer, &chosen)?;
            Ok(true)
        })
    })
}

/// Small runs that fit one, if there are so many.
fn choose(all: &BTreeMap<u32, RunRow>) -> Option<BTreeMap<u32, RunRow>> {
    let is_small = |row: &RunRow| row.documents < LARGE && row.grams == GRAM_VERSION;
    let small = all.iter().filter(|(_, row)| is_small(row));
    if small.clone().count() <= SMALL_RUNS_MAX {
        return None;
    }
    let mut documents = 0;
    let fits = |(_, row): &(&u32, &RunRow)| {
        documents += row.documents;
        documents <= DOCUMENTS_MAX
    };
    let chosen: BTreeMap<u32, RunRow> = small
        .take_while(fits)
        .map(|(run, row)| (*run, row.clone()))
        .collect();
    Some(chosen)
}

/// A run that is merged.
struct Source<'c, 's> {
    snapshot: &'c Snapshot<'s>,
    run: u32,
    documents: u32,
    readers: Vec<(String, u16)>,
    kept: Vec<Document>,
    /// The place of each document among those that are kept of this run.
    places: Vec<Option<u32>>,
}

impl<'c, 's> Source<'c, 's> {
    fn open(snapshot: &'c Snapshot<'s>, run: u32, row: &RunRow) -> Result<Self> {
        let all = documents(snapshot, run, row)?;
        let sessions = snapshot.txn().open_table(SESSIONS);
        let sessions = sessions.map_err(storage(ACTION))?;
        let (mut kept, mut places) = (Vec::new(), Vec::with_capacity(all.len()));
        for document in all {
            let session = sessions.get(document.session).map_err(storage(ACTION))?;
            places.push(session.map(|_| u32::try_from(kept.len()).unwrap_or(u32::MAX)));
            if places.last().is_some_and(Option::is_some) {
                kept.push(document);
            }
        }
        Ok(Self {
            snapshot,
            run,
            documents: row.documents,
            readers: row.readers.clone(),
            kept,
            places,
        })
    }

    /// The lists of some buckets, documents by their places among those that are kept, behind `offset`.
    fn lists(
        &self,
        from: u32,
        to: u32,
        offset: u32,
        merged: &mut BTreeMap<u32, Vec<u32>>,
    ) -> Result<()> {
        each_lists(
            self.snapshot,
            (self.run, self.documents),
            from,
            to,
            &mut |bucket, list| {
                let kept = list.into_iter();
                let kept = kept.filter_map(|one| self.places.get(one as usize).copied().flatten());
                merged
                    .entry(bucket)
                    .or_default()
                    .extend(kept.map(|place| place + offset));
            },
        )
    }
}

fn write(writer: &Writer<'_>, sources: &[Source<'_, '_>]) -> Result<()> {
    let mut readers: Vec<(String, u16)> = Vec::new();
    let mut documents = Vec::new();
    for source in sources {
        for document in &source.kept {
            let reader = source.readers.get(usize::from(document.reader));
            let place = reader.map(|reader| {
                let known = readers.iter().position(|known| known == reader);
                known.unwrap_or_else(|| {
                    readers.push(reader.clone());
                    readers.len() - 1
                })
            });
            // One that no run names is as good as an old one: its documents are read by every
            // search.
            let reader = place.and_then(|place| u16::try_from(place).ok());
            documents.push(Document {
                reader: reader.unwrap_or(u16::MAX),
                ..*document
            });
        }
    }
    if documents.is_empty() {
        return Ok(());
    }
    let mut run = Run::begin(writer, &documents, readers)?;
    let mut from = 0;
    while from < BUCKETS {
        let to = (from + BUCKETS_AT_ONCE).min(BUCKETS);
        let mut merged: BTreeMap<u32, Vec<u32>> = BTreeMap::new();
        let mut offset = 0;
        for source in sources {
            source.lists(from, to, offset, &mut merged)?;
            // Behind the documents of the runs before: so each list stays in order.
            offset += u32::try_from(source.kept.len()).unwrap_or(u32::MAX);
        }
        for (bucket, list) in merged {
            if !list.is_empty() {
                run.push(bucket, &list)?;
            }
        }
        from = to;
    }
    run.end()
}
