//! What an import finds beside a session's lines (an index, a meta file) goes into its row here,
//! and comes out again for an export.
//!
//! Lines are counted as agents with a `skip` in their meta files count them: all but those of zero
//! length. A line that a compaction has removed counts as well: it was there when the agent counted.

use std::collections::HashMap;

use redb::{ReadableTable, TableHandle};

use super::bulk::RedbBulk;
use crate::agents::TitleOffer;
use crate::codec::session_row::SessionRow;
use crate::model::error::{Error, Result};
use crate::model::limits::FACT_BYTES_MAX;
use crate::model::properties::PropertiesChange;
use crate::model::record::{RecordFlags, RecordHeader};
use crate::model::text::cut;
use crate::store::fold::{Fold, project_of};
use crate::store::ingest::StateParts;
use crate::store::order::Order;
use crate::store::properties::Claims;
use crate::store::redb::store::RedbStore;
use crate::store::redb::tables::properties;
use crate::store::redb::tables::row_counts::ReadCounts;
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

    /// Takes times in microseconds since 1970: the first one where no line states when the session
    /// was created, the last one if it is later than what the lines state. Where the lines state
    /// no time at all, they stand instead of the file's.
    pub(crate) fn apply_times(
        &mut self,
        session: u64,
        created_us: Option<i64>,
        updated_us: Option<i64>,
    ) -> Result<()> {
        self.change_row(session, |row| {
            if let Some(updated_us) = updated_us {
                if !row.time_stated {
                    row.created_us = row.created_us.min(updated_us);
                    row.updated_us = updated_us;
                    row.time_stated = true;
                }
                row.updated_us = row.updated_us.max(updated_us);
            }
            if let (Some(created_us), false) = (created_us, row.created_stated) {
                row.created_us = created_us;
                row.created_stated = true;
                row.updated_us = row.updated_us.max(created_us);
            }
        })
    }

    /// Offers a title, as a line would.
    pub(crate) fn offer_title(&mut self, session: u64, title: &str, rank: u8) -> Result<()> {
        if title.trim().is_empty() {
            return Ok(());
        }
        let offer = TitleOffer {
            text: title.into(),
            rank,
            latest_wins: true,
            about: None,
            session: None,
        };
        self.change_row(session, |row| Fold::default().offer_title(row, &offer))
    }

    /// Takes a project for a session whose lines state none.
    pub(crate) fn offer_project(&mut self, session: u64, project: &str) -> Result<()> {
        self.change_row(session, |row| {
            if row.project.is_none() && !project.is_empty() {
                row.project = Some(project_of(project));
            }
        })
    }

    /// Takes a model for a session whose lines state none.
    pub(crate) fn offer_model(&mut self, session: u64, model: &str) -> Result<()> {
        self.change_row(session, |row| {
            if row.model.is_none() && !model.is_empty() {
                row.model = Some(cut(model, FACT_BYTES_MAX).to_owned());
            }
        })
    }

    /// Hides the first `lines` lines of a session, and shows the rest.
    pub(crate) fn hide_lines(&mut self, session: u64, lines: u64) -> Result<()> {
        let old = self.writer.row(session)?;
        let order = self.writer.file_order(session)?.filter(|_| old.reordered);
        if let Some(order) = order {
            return self.hide_lines_in_order(session, lines, &Order::of(&order, old.next));
        }
        let table = self.writer.records()?;
        let (mut mark, mut hidden, mut counter) = (0, 0, LineCounter::default());
        if lines > 0 {
            mark = old.next;
            for_each_record(
                &table,
                session,
                self.writer.counts(),
                |sequence, header, line| {
                    let missing = sequence.saturating_sub(counter.reached);
                    if counter.lines.saturating_add(missing) >= lines {
                        mark = counter.reached + (lines - counter.lines);
                        return false;
                    }
                    counter.lines += missing;
                    counter.take(sequence, header, line);
                    hidden += u64::from(header.messages);
                    if counter.lines >= lines {
                        mark = sequence + 1;
                        return false;
                    }
                    true
                },
            )?;
        }
        drop(table);
        let row = SessionRow {
            hidden,
            mark,
            ..old.clone()
        };
        if row == old {
            return Ok(());
        }
        self.writer.put_row(session, Some(&old), &row)
    }

    /// The same, of a session whose records have an order of their own: what its agent has dropped is no
    /// line any more, and stays hidden.
    fn hide_lines_in_order(&mut self, session: u64, lines: u64, order: &Order) -> Result<()> {
        let old = self.writer.row(session)?;
        let mut row = old.clone();
        let mut counter = LineCounter::default();
        row.mark = if lines == 0 {
            order.file_start().unwrap_or(old.next)
        } else {
            old.next
        };
        let table = self.writer.records()?;
        let mut before = None;
        for (sequence, line) in in_file_order(&table, session, self.writer.counts(), order)? {
            if before.is_some_and(|hidden| hidden >= lines) && lines > 0 {
                row.mark = sequence;
                break;
            }
            counter.take_or_missing(sequence, line.as_ref());
            before = Some(counter.lines);
        }
        drop(table);
        self.count_hidden(session, &mut row, order)?;
        if row == old {
            return Ok(());
        }
        self.writer.put_row(session, Some(&old), &row)
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
        let (mut counter, mut skip, mut first_line) = (LineCounter::default(), 0, None);
        let table = snapshot
            .txn()
            .open_table(crate::store::redb::tables::schema::RECORDS)
            .map_err(crate::store::redb::engine::errors::storage("read records"))?;
        if let Some(order) = snapshot.order(number, &row)? {
            let mark = order.place(row.mark);
            for (sequence, line) in in_file_order(&table, number, snapshot.counts(), &order)? {
                counter.take_or_missing(sequence, line.as_ref());
                if order.place(sequence) < mark {
                    skip = counter.lines;
                }
                first_line = first_line.or(line.map(|line| line.1));
            }
        } else {
            for_each_record(
                &table,
                number,
                snapshot.counts(),
                |sequence, header, line| {
                    counter.take(sequence, header, line);
                    if sequence < row.mark {
                        skip = counter.lines;
                    }
                    if first_line.is_none() {
                        first_line = Some(line.to_vec());
                    }
                    true
                },
            )?;
        }
        Ok(StateParts {
            summary: row
                .into_summary(number)
                .map_err(|error| corrupt_session(number, error.to_string()))?,
            properties: properties::of_session(snapshot, number)?,
            lines: counter.lines,
            skip,
            first_line: first_line.unwrap_or_default(),
        })
    })
}

/// Counts lines that are not of zero length; one that is kept in several records counts once.
#[derive(Debug, Default)]
struct LineCounter {
    lines: u64,
    /// The sequence number after the last record.
    reached: u64,
    /// Whether the last record was a piece of a line that goes on.
    goes_on: bool,
}

impl LineCounter {
    /// Takes a record, or one that a compaction has removed: that was a line.
    fn take_or_missing(&mut self, sequence: u64, line: Option<&(RecordHeader, Vec<u8>)>) {
        match line {
            Some((header, line)) => self.take(sequence, *header, line),
            None => self.lines += 1,
        }
    }

    fn take(&mut self, sequence: u64, header: RecordHeader, line: &[u8]) {
        self.reached = sequence + 1;
        if header.flags.contains(RecordFlags::CONTINUES) {
            self.goes_on = true;
            return;
        }
        let text = line.strip_suffix(b"\n").unwrap_or(line);
        let text = text.strip_suffix(b"\r").unwrap_or(text);
        self.lines += u64::from(self.goes_on || !text.is_empty());
        self.goes_on = false;
    }
}

/// A record in the order of a file; nothing of one that a compaction has removed.
type InFile = (u64, Option<(RecordHeader, Vec<u8>)>);

/// The records of a session that has an order of its own, from the first one of its file on.
fn in_file_order(
    table: &(impl ReadableTable<RecordsKey, &'static [u8]> + TableHandle),
    number: u64,
    counts: &ReadCounts,
    order: &Order,
) -> Result<Vec<InFile>> {
    let Some(start) = order.file_start() else {
        return Ok(Vec::new());
    };
    let mut stored = HashMap::new();
    for_each_record(table, number, counts, |sequence, header, line| {
        stored.insert(sequence, (header, line.to_vec()));
        true
    })?;
    let runs = order.runs_from(Some(start));
    let sequences = runs.iter().flat_map(|run| run.first..=run.last);
    Ok(sequences
        .map(|sequence| (sequence, stored.remove(&sequence)))
        .collect())
}

/// Visits the records of a session in their order, until `visit` says that it is enough.
fn for_each_record(
    table: &(impl ReadableTable<RecordsKey, &'static [u8]> + TableHandle),
    number: u64,
    counts: &ReadCounts,
    mut visit: impl FnMut(u64, RecordHeader, &[u8]) -> bool,
) -> Result<()> {
    let mut from = 0;
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
