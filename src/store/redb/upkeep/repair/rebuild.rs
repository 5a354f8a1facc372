//! Writes the new store: session by session, a commit every 16 MiB.

use std::collections::{BTreeMap, BTreeSet};

use super::contents;
use super::gather::{Gathered, Trust};
use super::report::RepairReport;
use super::session::{Count, Counted, attachments_of, read_segment, segments_of};
use crate::agents;
use crate::codec::session_row::{Given, SessionRow};
use crate::codec::source_row::SourceKind;
use crate::model::error::Result;
use crate::model::key::SessionKey;
use crate::store::ingest::Bulk as _;
use crate::store::ingest::Source;
use crate::store::order::Order;
use crate::store::properties::given;
use crate::store::redb::engine::errors::storage;
use crate::store::redb::ingest::bulk::RedbBulk;
use crate::store::redb::pages::PageFile;
use crate::store::redb::store::RedbStore;
use crate::store::redb::tables::schema::{ATTACHMENTS, INFO_NEXT_SESSION, STORE_INFO};

/// Bytes of rows in one commit.
const COMMIT_BYTES: usize = 16 * 1024 * 1024;

/// The agent of sessions whose name is lost.
const NAMELESS: &str = "unknown";

/// Writes all that was found to a new store.
pub(crate) fn rebuild(
    file: &PageFile,
    gathered: &Gathered,
    store: &RedbStore,
    progress: &mut dyn FnMut(u64, u64) -> Result<()>,
) -> Result<RepairReport> {
    let mut rebuilder = Rebuilder {
        file,
        gathered,
        store,
        bulk: None,
        written: 0,
        names: BTreeMap::new(),
        kept: BTreeMap::new(),
        attached: BTreeSet::new(),
        partly: BTreeSet::new(),
        report: RepairReport {
            pages_damaged: gathered.pages_damaged,
            ..RepairReport::default()
        },
    };
    let numbers = gathered.numbers();
    let all = numbers.len() as u64;
    for (done, number) in numbers.into_iter().enumerate() {
        progress(done as u64, all)?;
        rebuilder.session(number)?;
    }
    rebuilder.properties()?;
    // Behind all that tells of losses: an import state stays only where nothing of its session is
    // lost.
    rebuilder.sources()?;
    rebuilder.deleted()?;
    rebuilder.contents()?;
    rebuilder.missing();
    rebuilder.finish()
}

impl Gathered {
    /// The sessions of which anything is known; 0 is first, for the files of folders.
    fn numbers(&self) -> BTreeSet<u64> {
        let mut numbers = BTreeSet::from([0]);
        numbers.extend(self.sessions.keys());
        numbers.extend(self.names.keys());
        numbers.extend(self.records.keys().map(|key| key.0));
        numbers.extend(self.attachments.keys().map(|key| key.0));
        // All names are known where their table was read whole: what else was found is what was
        // deleted.
        let names = self.names.len() as u64;
        if self.expected.get("session_keys") == Some(&names) {
            numbers.retain(|number| *number == 0 || self.names.contains_key(number));
        }
        numbers
    }
}

/// A new store that is being written from what was found.
pub(super) struct Rebuilder<'r> {
    file: &'r PageFile,
    pub(super) gathered: &'r Gathered,
    store: &'r RedbStore,
    /// The transaction that is open.
    bulk: Option<RedbBulk<'r>>,
    written: usize,
    /// Names that are taken.
    names: BTreeMap<SessionKey, u64>,
    /// The sessions of the new store.
    pub(super) kept: BTreeMap<u64, SessionRow>,
    attached: BTreeSet<(u64, String)>,
    /// Sessions of which lines or files are missing.
    pub(super) partly: BTreeSet<u64>,
    pub(super) report: RepairReport,
}

impl<'r> Rebuilder<'r> {
    pub(super) fn bulk(&mut self) -> Result<&mut RedbBulk<'r>> {
        let bulk = match self.bulk.take() {
            Some(bulk) => bulk,
            None => self.store.bulk()?,
        };
        Ok(self.bulk.insert(bulk))
    }

    pub(super) fn known_name(&self, number: u64) -> Option<SessionKey> {
        let row = self.gathered.sessions.get(&number);
        let name = self.gathered.names.get(&number);
        // The row first: it has a checksum, and a key on a damaged page has none.
        row.and_then(|found| found.value.key().ok()).or_else(|| {
            name.and_then(|(agent, id)| SessionKey::new(agent.as_str(), id.as_str()).ok())
        })
    }

    /// A name for a session that nobody else has.
    fn name(&mut self, number: u64) -> Result<SessionKey> {
        let known = self.known_name(number);
        let free = known.filter(|key| !self.names.contains_key(key));
        let key = match free {
            Some(key) => key,
            None => SessionKey::new(NAMELESS, format!("session-{number}"))?,
        };
        self.names.insert(key.clone(), number);
        Ok(key)
    }

    /// Commits if there is enough to commit.
    fn commit(&mut self, written: usize) -> Result<()> {
        self.written += written;
        if self.written < COMMIT_BYTES {
            return Ok(());
        }
        self.written = 0;
        self.bulk
            .take()
            .map_or(Ok(()), |bulk| Box::new(bulk).commit())
    }

    /// Writes a session with its attachments.
    fn session(&mut self, number: u64) -> Result<()> {
        // First, since the row says how many there are.
        self.attachments(number)?;
        if number == 0 {
            return Ok(());
        }
        let segments = segments_of(self.file, self.gathered, number)?;
        let found = self.gathered.sessions.get(&number);
        let attached = self
            .attached
            .range((number, String::new())..(number + 1, String::new()));
        let attached = attached.count() as u64;
        // A session that never had a record has lost none.
        let is_empty = found.is_some_and(|found| found.value.records == 0);
        if segments.is_empty() && attached == 0 && !is_empty {
            self.lose(
                "sessions",
                Some(number),
                "all of its records are lost".to_owned(),
            );
            return Ok(());
        }
        let key = self.name(number)?;
        // Counts and facts are made anew from the lines; times that no line states are kept.
        let mut empty = SessionRow::new(&key, 0);
        if let Some(found) = found {
            empty.created_us = found.value.created_us;
            empty.updated_us = found.value.updated_us;
        }
        let order = found.and_then(|found| {
            let order = contents::order_of(self.gathered, number, &found.value)?;
            found
                .value
                .reordered
                .then(|| Order::of(&order, found.value.next))
        });
        let mut count = Count::new((empty, order), found, agents::of_agent(key.agent()));
        for whole in &segments {
            let read = read_segment(self.file, self.gathered, number, whole.first)?;
            let Some((rows, segment, _)) = read else {
                continue;
            };
            count.add(&segment);
            let bytes = rows.iter().map(Vec::len).sum();
            self.bulk()?.put_parts(number, whole.first, &rows)?;
            // Now and then, so that a store of any size needs the memory of one transaction.
            self.commit(bytes)?;
        }
        let Counted {
            mut row,
            course,
            old,
            is_whole,
            gaps,
        } = count.finish();
        key.agent().clone_into(&mut row.agent);
        key.id().clone_into(&mut row.id);
        row.attachments = attached;
        row.given = self.given(number, old);
        // With lines lost the session is not the file that it was: an import is to see that.
        let order = is_whole
            .then(|| contents::order_of(self.gathered, number, &row))
            .flatten();
        contents::tell_order(&mut row, order.as_ref());
        // The old row counts rows that are not taken over: they are made anew from the lines.
        (row.exceptions, row.blocks) = (0, 0);
        self.bulk()?
            .writer
            .write_course(number, &mut row, &course)?;
        self.bulk()?.put_session(number, &row)?;
        if let Some(order) = order {
            self.bulk()?.writer.put_file_order(number, &order)?;
        }
        self.report.sessions += 1;
        self.report.records += row.records;
        self.report.bytes += row.bytes;
        self.kept.insert(number, row);
        self.tell(number, old, is_whole, gaps);
        if !self.partly.contains(&number) {
            self.report.sessions_whole += 1;
        }
        Ok(())
    }

    fn attachments(&mut self, number: u64) -> Result<()> {
        let found = attachments_of(self.file, self.gathered, number)?;
        for (name, parts) in found.whole {
            let mut written = 0;
            for (part, stored) in parts.iter().enumerate() {
                // Read when it is written: all attachments of a store do not fit into memory.
                let row = self.file.read(stored.place)?;
                written += row.len();
                let part = u32::try_from(part).unwrap_or(u32::MAX);
                let action = storage("write an attachment");
                let txn = self.bulk()?.writer.txn();
                let mut table = txn.open_table(ATTACHMENTS).map_err(action)?;
                table
                    .insert((number, name.as_str(), part), row.as_slice())
                    .map_err(storage("write an attachment"))?;
            }
            self.report.attachments += 1;
            self.attached.insert((number, name));
            self.commit(written)?;
        }
        for name in found.lost {
            self.lose(
                "attachments",
                Some(number),
                format!("parts of `{name}` are missing"),
            );
        }
        Ok(())
    }

    /// What a session shows beside its lines.
    fn given(&self, number: u64, old: Option<&SessionRow>) -> Given {
        match self.gathered.properties.get(&number) {
            Some(found) => given(&found.value),
            None => old.map(|old| old.given.clone()).unwrap_or_default(),
        }
    }

    /// Writes the import states of what is whole.
    fn sources(&mut self) -> Result<()> {
        for ((path, generation), found) in &self.gathered.sources {
            let row = &found.value;
            let is_there = match row.kind {
                SourceKind::Lines => self.kept.contains_key(&row.session),
                SourceKind::Attachment if row.name.is_empty() => row.session == 0,
                SourceKind::Attachment => self.attached.contains(&(row.session, row.name.clone())),
            };
            // The next import reads such a file from its start; going on at a wrong place it would
            // leave lines out.
            if !is_there || self.partly.contains(&row.session) || found.trust == Trust::Old {
                self.report.sources_dropped += 1;
                continue;
            }
            self.report.sources += 1;
            self.bulk()?.write_source(&Source {
                path: path.clone(),
                generation: *generation,
                row: row.clone(),
            })?;
        }
        Ok(())
    }

    /// Writes the marks of deleted sessions: one more is harmless, as one can be lifted.
    fn deleted(&mut self) -> Result<()> {
        for (key, found) in &self.gathered.deleted {
            self.bulk()?.put_deleted(key, &found.value)?;
        }
        Ok(())
    }

    /// Brings the contents of ids together, and notes homes.
    fn contents(&mut self) -> Result<()> {
        let (kept, gathered) = (std::mem::take(&mut self.kept), self.gathered);
        let bulk = self.bulk()?;
        contents::join(bulk, &kept)?;
        contents::note_homes(bulk, gathered, &kept)?;
        self.kept = kept;
        Ok(())
    }

    fn finish(mut self) -> Result<RepairReport> {
        let last = self.gathered.numbers().last().copied().unwrap_or_default();
        // Above every number that anything is known of, since none is given twice.
        let next = self.gathered.next_session.max(last + 1);
        let action = storage("number a session");
        {
            let info = self.bulk()?.writer.txn().open_table(STORE_INFO);
            let mut info = info.map_err(storage("number a session"))?;
            info.insert(INFO_NEXT_SESSION, next.to_le_bytes().as_slice())
                .map_err(&action)?;
        }
        self.bulk
            .take()
            .map_or(Ok(()), |bulk| Box::new(bulk).commit())?;
        self.report
            .losses
            .sort_by_key(|loss| loss.number.unwrap_or(u64::MAX));
        Ok(self.report)
    }
}
