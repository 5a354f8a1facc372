//! What an import finds beside a session's lines (an index, a meta file) goes into its row here,
//! and comes out again for an export. How lines are counted is in `store::file_lines`.

use redb::{ReadableTable, TableHandle};

use super::bulk::RedbBulk;
use crate::codec::session_row::SessionRow;
use crate::model::error::{Error, Result};
use crate::model::properties::PropertiesChange;
use crate::model::record::RecordHeader;
use crate::store::file_lines::{
    self, take_model, take_parent, take_project, take_times, take_title,
};
use crate::store::ingest::StateParts;
use crate::store::order::Order;
use crate::store::properties::Claims;
use crate::store::redb::engine::errors::storage;
use crate::store::redb::store::RedbStore;
use crate::store::redb::tables::properties;
use crate::store::redb::tables::row_counts::ReadCounts;
use crate::store::redb::tables::schema::RECORDS;
use crate::store::redb::tables::segments::{self, RecordsKey};
use crate::store::redb::tables::snapshot::corrupt_session;

impl RedbBulk<'_> {
    /// Changes what is kept of a session beside its lines. An alias of another session stays with
    /// that one, and what passes a limit is cut or left out.
    pub(crate) fn change_properties(
        &mut self,
        session: u64,
        change: &PropertiesChange,
    ) -> Result<()> {
        properties::change(&self.writer, session, change, Claims::InLine).map(drop)
    }

    /// Takes times in microseconds since 1970.
    pub(crate) fn apply_times(
        &mut self,
        session: u64,
        created_us: Option<i64>,
        updated_us: Option<i64>,
    ) -> Result<()> {
        self.change_row(session, |row| take_times(row, created_us, updated_us))
    }

    /// Offers a title, as a line would.
    pub(crate) fn offer_title(&mut self, session: u64, title: &str, rank: u8) -> Result<()> {
        self.change_row(session, |row| take_title(row, title, rank))
    }

    /// Takes a project for a session whose lines state none.
    pub(crate) fn offer_project(&mut self, session: u64, project: &str) -> Result<()> {
        self.change_row(session, |row| take_project(row, project))
    }

    /// Takes a model for a session whose lines state none.
    pub(crate) fn offer_model(&mut self, session: u64, model: &str) -> Result<()> {
        self.change_row(session, |row| take_model(row, model))
    }

    /// Takes a parent for a session whose lines state none.
    pub(crate) fn offer_parent(&mut self, session: u64, parent: &str) -> Result<()> {
        self.change_row(session, |row| take_parent(row, parent))
    }

    /// Hides the first `lines` lines of a session, and shows the rest.
    pub(crate) fn hide_lines(&mut self, session: u64, lines: u64) -> Result<()> {
        let old = self.writer.row(session)?;
        // Agents count lines in the order of their file.
        let order = self.writer.file_order(session)?.filter(|_| old.reordered);
        let order = order.map(|order| Order::of(&order, old.next));
        let table = self.writer.records()?;
        let counts = self.writer.counts();
        let row = file_lines::hide(&old, lines, order.as_ref(), &mut |look| {
            for_each_record(&table, session, counts, look)
        })?;
        drop(table);
        self.change_row(session, |old| *old = row)
    }

    fn change_row(&mut self, session: u64, change: impl FnOnce(&mut SessionRow)) -> Result<()> {
        let old = self.writer.row(session)?;
        let mut row = old.clone();
        change(&mut row);
        if row == old {
            return Ok(());
        }
        self.writer.put_row(session, Some(&old), &row)
    }
}

/// A session as it is now, for writing an agent's own files about it. Costs a read of all of it.
pub(crate) fn state_parts(store: &RedbStore, number: u64) -> Result<StateParts> {
    store.read(|snapshot| {
        let row = snapshot.row(number)?.ok_or_else(|| Error::NotFound {
            wanted: format!("session {number}"),
        })?;
        let table = snapshot.txn().open_table(RECORDS);
        let table = table.map_err(storage("read records"))?;
        let order = snapshot.order(number, &row)?;
        let counts = snapshot.counts();
        let (lines, skip, first_line) = file_lines::counted(&row, order.as_ref(), &mut |look| {
            for_each_record(&table, number, counts, look)
        })?;
        Ok(StateParts {
            summary: row
                .into_summary(number)
                .map_err(|error| corrupt_session(number, error.to_string()))?,
            properties: properties::of_session(snapshot, number)?,
            lines,
            skip,
            first_line,
        })
    })
}

/// Visits the records of a session in the order of their numbers, until `visit` says that it is enough.
pub(crate) fn for_each_record(
    table: &(impl ReadableTable<RecordsKey, &'static [u8]> + TableHandle),
    number: u64,
    counts: &ReadCounts,
    visit: impl FnMut(u64, RecordHeader, &[u8]) -> bool,
) -> Result<()> {
    for_each_from(table, (number, 0), counts, visit)
}

/// The same from a sequence number on, perhaps with some before it.
pub(crate) fn for_each_from(
    table: &(impl ReadableTable<RecordsKey, &'static [u8]> + TableHandle),
    (number, from): (u64, u64),
    counts: &ReadCounts,
    mut visit: impl FnMut(u64, RecordHeader, &[u8]) -> bool,
) -> Result<()> {
    let mut from = segments::start_at_or_before(table, number, from)?.unwrap_or(from);
    while let Some(found) = segments::starting_from(table, number, from, counts)? {
        for (sequence, header, line) in found.segment.records() {
            if !visit(sequence, header, line) {
                return Ok(());
            }
        }
        from = found.segment.last_sequence() + 1;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::key::SessionKey;
    use crate::store::ingest::{Bulk as _, IngestStore as _};
    use crate::store::{Expect, NewRecord, Options, ScanQuery, Store as _, StoreExt as _};

    /// A store with a session of these lines: number 1.
    fn store(lines: &[&str]) -> (tempfile::TempDir, RedbStore, SessionKey) {
        let folder = tempfile::tempdir().unwrap();
        let store = RedbStore::open(folder.path().join("s.redb"), Options::default()).unwrap();
        let key = SessionKey::new("jsonl", "s").unwrap();
        let records: Vec<NewRecord> = lines.iter().map(|line| NewRecord::line(*line)).collect();
        store.append(&key, Expect::Any, None, &records).unwrap();
        (folder, store, key)
    }

    fn change(store: &RedbStore, work: impl FnOnce(&mut RedbBulk<'_>) -> Result<()>) {
        let mut bulk = Box::new(store.bulk().unwrap());
        work(&mut bulk).unwrap();
        bulk.commit().unwrap();
        let report = store.verify(&mut crate::store::unwatched).unwrap();
        assert!(report.is_clean(), "{:?}", report.problems);
    }

    const SAID: &str = "{\"role\":\"user\",\"content\":\"hi\"}";

    #[test]
    fn hidden_lines_are_counted_without_those_of_zero_length() {
        let (_folder, store, key) = store(&[SAID, "", "  ", "\r", "broken", SAID, SAID]);
        for (lines, mark, hidden) in [
            (0, 0, 0),
            (1, 1, 1),
            (2, 3, 1),
            (3, 5, 1),
            (4, 6, 2),
            (5, 7, 3),
            (9, 7, 3),
            (0, 0, 0),
        ] {
            change(&store, |bulk| bulk.hide_lines(1, lines));
            let summary = store.summary(&key).unwrap();
            assert_eq!(
                (summary.mark, summary.hidden_count),
                (mark, hidden),
                "{lines}"
            );
            let parts = store.sources().session_state_parts(1).unwrap();
            assert_eq!((parts.lines, parts.skip), (5, lines.min(5)));
            assert_eq!(parts.first_line, format!("{SAID}\n").into_bytes());
            assert_eq!(parts.summary, summary);
        }
    }

    #[test]
    fn lines_that_a_compaction_removed_count_as_hidden() {
        let (_folder, store, key) = store(&[SAID; 6]);
        store.truncate(&key, 3).unwrap();
        store.compact(&key, None, None).unwrap();
        for (lines, mark, hidden) in [(2, 2, 0), (3, 3, 0), (4, 4, 1), (7, 6, 3)] {
            change(&store, |bulk| bulk.hide_lines(1, lines));
            let summary = store.summary(&key).unwrap();
            assert_eq!(
                (summary.mark, summary.hidden_count),
                (mark, hidden),
                "{lines}"
            );
        }
        assert_eq!(store.records(&key, ScanQuery::default()).count(), 3);
    }

    #[test]
    fn times_beside_lines_hold_where_the_lines_state_none() {
        let (_folder, store, key) =
            store(&["{\"role\":\"user\",\"time\":\"2026-04-01T00:00:00Z\"}"]);
        let stated = store.summary(&key).unwrap();
        change(&store, |bulk| bulk.apply_times(1, None, Some(5)));
        assert_eq!(store.summary(&key).unwrap(), stated);
        let later = stated.updated_at.timestamp_micros() + 9;
        change(&store, |bulk| bulk.apply_times(1, Some(7), Some(later)));
        let summary = store.summary(&key).unwrap();
        assert_eq!(summary.created_at.timestamp_micros(), 7);
        assert_eq!(summary.updated_at.timestamp_micros(), later);
        // It was stated once, so that it stays.
        change(&store, |bulk| bulk.apply_times(1, Some(3), None));
        assert_eq!(store.summary(&key).unwrap(), summary);
    }

    #[test]
    fn a_file_s_time_gives_way_to_those_beside_it() {
        let (_folder, store, key) = store(&[]);
        change(&store, |bulk| {
            let old = bulk.writer.row(1)?;
            let row = SessionRow {
                updated_us: 90,
                created_us: 90,
                ..old.clone()
            };
            bulk.writer.put_row(1, Some(&old), &row)
        });
        change(&store, |bulk| bulk.apply_times(1, Some(10), Some(20)));
        let summary = store.summary(&key).unwrap();
        let times = [summary.created_at, summary.updated_at].map(|time| time.timestamp_micros());
        assert_eq!(times, [10, 20]);
    }

    #[test]
    fn a_title_and_a_project_beside_lines_are_offers() {
        let (_folder, store, key) = store(&[SAID]);
        let shown = || {
            let summary = store.summary(&key).unwrap();
            (summary.title, summary.project.unwrap_or_default())
        };
        change(&store, |bulk| bulk.offer_title(1, "weak", 5));
        change(&store, |bulk| bulk.offer_project(1, "/w/one/"));
        assert_eq!(shown(), ("hi".to_owned(), "/w/one".to_owned()));
        change(&store, |bulk| bulk.offer_title(1, "  from the\nindex ", 50));
        change(&store, |bulk| bulk.offer_project(1, "/w/two"));
        assert_eq!(shown(), ("from the index".to_owned(), "/w/one".to_owned()));
    }

    #[test]
    fn a_parent_beside_lines_is_an_offer_and_nobody_s_own() {
        let (_folder, store, key) = store(&[SAID]);
        let parent = || store.summary(&key).unwrap().parent;
        change(&store, |bulk| bulk.offer_parent(1, key.id()));
        assert_eq!(parent(), None);
        change(&store, |bulk| bulk.offer_parent(1, "p-1"));
        change(&store, |bulk| bulk.offer_parent(1, "p-2"));
        assert_eq!(parent().as_deref(), Some("p-1"));
        assert!(!store.summary(&key).unwrap().subagent);
        let report = store.verify(&mut crate::store::unwatched).unwrap();
        assert!(report.is_clean());
    }

    #[test]
    fn an_imported_alias_waits_in_line_and_too_much_is_cut() {
        let (_folder, store, key) = store(&[SAID]);
        let other = SessionKey::new("jsonl", "t").unwrap();
        store.append(&other, Expect::Any, None, &[]).unwrap();
        let aliases = PropertiesChange {
            aliases: Some(vec!["x".to_owned(), "a".repeat(2000)]),
            ..PropertiesChange::default()
        };
        change(&store, |bulk| bulk.change_properties(1, &aliases));
        change(&store, |bulk| bulk.change_properties(2, &aliases));
        let alias = SessionKey::new("jsonl", "x").unwrap();
        assert_eq!(store.by_alias(&alias).unwrap(), Some(key.clone()));
        assert_eq!(store.properties(&other).unwrap().aliases, ["x"]);
        // What it lists already is no new claim.
        let kept = PropertiesChange {
            aliases: Some(vec!["x".to_owned(), "y".to_owned()]),
            ..PropertiesChange::default()
        };
        store.update_properties(&other, &kept).unwrap();
        store.delete(&key).unwrap();
        assert_eq!(store.by_alias(&alias).unwrap(), Some(other));
        assert!(
            store
                .verify(&mut crate::store::unwatched)
                .unwrap()
                .is_clean()
        );
    }
}
