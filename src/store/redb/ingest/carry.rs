//! Sessions on their way to another store and from one: each is read in one snapshot, and written in one
//! transaction.

use super::bulk::RedbBulk;
use super::origins::of_session;
use crate::codec::session_row::SessionRow;
use crate::model::error::{Error, Result};
use crate::store::addition;
use crate::store::carried::{Beside, Carried, Destination};
use crate::store::ingest::{Bulk as _, Source};
use crate::store::redb::engine::errors::storage;
use crate::store::redb::store::RedbStore;
use crate::store::redb::tables::attachments;
use crate::store::redb::tables::properties;
use crate::store::redb::tables::ranges::within;
use crate::store::redb::tables::schema::{
    ATTACHMENTS, FILE_ORDERS, RECORDS, SESSION_SOURCES, SESSIONS, SOURCES,
};
use crate::store::redb::tables::segments;
use crate::store::redb::tables::snapshot::Snapshot;
use crate::store::redb::tables::sources::of_session_in;

/// What errors say was being done.
const ACTION: &str = "copy a session";

/// The numbers of sessions above one.
pub(crate) fn numbers(store: &RedbStore, after: u64, limit: usize) -> Result<Vec<u64>> {
    store.read(|snapshot| {
        let open = storage("read the sessions");
        let table = snapshot.txn().open_table(SESSIONS).map_err(open)?;
        let first = after.saturating_add(1);
        let rows = within(&table, first..=u64::MAX, "read the sessions")?.take(limit);
        let numbers: Vec<u64> = rows.map(|row| Ok(row?.0.value())).collect::<Result<_>>()?;
        let is_end = numbers.len() < limit;
        // The check goes as far as the answer does: an answer that is not full says that there are
        // no more.
        let last = if is_end {
            u64::MAX
        } else {
            numbers.last().copied().unwrap_or(first)
        };
        snapshot.check(SESSIONS, &first, &last)?;
        Ok(numbers)
    })
}

/// What is kept of sessions beside their lines.
pub(crate) fn beside(store: &RedbStore, numbers: &[u64]) -> Result<Vec<(u64, Beside)>> {
    store.read(|snapshot| {
        let mut found = Vec::with_capacity(numbers.len());
        for number in numbers {
            if let Some(row) = snapshot.row(*number)? {
                found.push((*number, beside_of(snapshot, *number, row)?));
            }
        }
        Ok(found)
    })
}

/// A session with everything that is kept of it.
pub(crate) fn carried(store: &RedbStore, number: u64) -> Result<Option<Carried>> {
    // All of it in one snapshot: a write between two reads would leave rows that do not fit each
    // other.
    store.read(|snapshot| {
        let Some(row) = snapshot.row(number)? else {
            return Ok(None);
        };
        let mut names = Vec::new();
        if row.attachments > 0 {
            let kept = attachments::list(snapshot, number, row.attachments)?;
            names.extend(kept.into_iter().map(|kept| kept.name));
        }
        let open = storage("read records");
        let table = snapshot.txn().open_table(RECORDS).map_err(open)?;
        Ok(Some(Carried {
            segments: segments::sealed(&table, number, snapshot.counts())?,
            beside: beside_of(snapshot, number, row)?,
            attachments: names,
        }))
    })
}

fn beside_of(snapshot: &Snapshot<'_>, number: u64, row: SessionRow) -> Result<Beside> {
    let batches = if addition::has_older(&row) {
        snapshot.older_batches(number)?
    } else {
        Vec::new()
    };
    let properties = properties::of_session(snapshot, number)?;
    let beside = Beside {
        batches,
        course: snapshot.course(number, &row)?,
        claims: properties::places(snapshot, (number, &row), &properties.aliases)?,
        properties,
        file_order: snapshot.file_order(number)?,
        sources: of_session(snapshot, number)?,
        row,
    };
    Ok(beside.normal())
}

impl RedbBulk<'_> {
    /// Takes away the parts of a session that come anew; its records too, unless they stay.
    fn clear_carried(&self, number: u64, old: &SessionRow, from: u64) -> Result<()> {
        let writer = &self.writer;
        let action = storage(ACTION);
        properties::remove_all(writer, number, old)?;
        writer.remove_course(number, old)?;
        if addition::has_older(old) {
            writer.remove_batches(number)?;
        }
        let mut orders = writer
            .txn()
            .open_table(FILE_ORDERS)
            .map_err(storage(ACTION))?;
        orders.remove(number).map_err(&action)?;
        let mut sources = writer.txn().open_table(SOURCES).map_err(storage(ACTION))?;
        let mut of_session = writer
            .txn()
            .open_table(SESSION_SOURCES)
            .map_err(storage(ACTION))?;
        let had: Vec<Source> = of_session_in(&of_session, &sources, number)?;
        for Source {
            path, generation, ..
        } in had
        {
            let path = path.as_slice();
            sources.remove((path, generation)).map_err(&action)?;
            of_session
                .remove((number, path, generation))
                .map_err(&action)?;
        }
        if old.attachments > 0 {
            let mut files = writer
                .txn()
                .open_table(ATTACHMENTS)
                .map_err(storage(ACTION))?;
            files
                .retain_in((number, "", 0)..(number + 1, "", 0), |key, _| {
                    key.0 != number
                })
                .map_err(&action)?;
        }
        if from == 0 {
            let all = (number, 0, 0)..=(number, u64::MAX, u32::MAX);
            writer
                .records()?
                .retain_in(all, |key, _| key.0 != number)
                .map_err(&action)?;
            // Other lines get the numbers of those that were indexed.
            writer.is_not_indexed_from(number, 0)?;
        }
        Ok(())
    }

    /// Writes a session that comes from another store.
    pub(super) fn put_carried(&mut self, to: Destination, carried: &mut Carried) -> Result<u64> {
        let segments = carried.take_segments(to.from)?;
        let beside = &carried.beside;
        let mut row = beside.row.clone();
        let key = beside.key()?;
        let (number, old) = match to.number {
            Some(number) => {
                let old = self.writer.row(number)?;
                self.clear_carried(number, &old, to.from)?;
                if old.id != row.id {
                    self.writer.rename(number, &old, &row.id)?;
                }
                (number, Some(old))
            }
            None if self.writer.number_of(&key)?.is_some() => {
                // What goes where was decided in a snapshot: the name was free then.
                return Err(Error::Busy {
                    reason: format!("somebody else has just made session `{key}`"),
                });
            }
            None => (self.writer.new_number(&key)?, None),
        };
        let mut table = self.writer.records()?;
        for sealed in &segments {
            self.written_bytes +=
                segments::insert(&mut table, number, sealed, Some(&mut self.edge))?;
        }
        drop(table);
        self.writer
            .put_course(number, &mut row, beside.course.clone())?;
        for (id, batch) in &beside.batches {
            self.writer.put_older_batch(number, *id, *batch)?;
        }
        properties::put_carried(
            &self.writer,
            (number, &row),
            &beside.properties,
            &beside.claims,
        )?;
        if let Some(order) = &beside.file_order {
            self.writer.put_file_order(number, order)?;
        }
        for source in &beside.sources {
            let mut source = source.clone();
            // Numbers of sessions are each store's own.
            source.row.session = number;
            self.write_source(&source)?;
        }
        // Last: `put_course` has put the numbers of its rows into it.
        self.writer.put_written_row(number, old.as_ref(), row)?;
        Ok(number)
    }
}
