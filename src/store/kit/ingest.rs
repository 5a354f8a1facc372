//! What an import and an export ask of a store, by an engine.

use std::io::Write;
use std::path::Path;

use super::attachments;
use super::carry;
use super::cells::{CellQuery, Table};
use super::delete::decode_mark;
use super::draft::Draft;
use super::engine::Engine;
use super::origins;
use super::records;
use super::row::{RowQuery, corrupt};
use super::store::visit_in_order;
use super::verify;
use crate::codec::file_order::FileOrder;
use crate::codec::session_row::SessionRow;
use crate::model::error::{Error, Result};
use crate::model::key::SessionKey;
use crate::model::record::Record;
use crate::store::callers::TheirOutput;
use crate::store::carried::{Beside, Carried};
use crate::store::course::StoredCourse;
use crate::store::deleted::DeletedSession;
use crate::store::file_lines;
use crate::store::ingest::{
    Bulk, HomeId, Ingest, IngestParts, IngestStore, Known, RestoredMark, Source, Sources,
    StateParts,
};
use crate::store::progress::Watcher;
use crate::store::query::{AttachmentInfo, ScanQuery, StoreStats, VerifyReport};

impl<E: Engine> Ingest for E {
    fn ingest(&self) -> IngestParts<'_> {
        IngestParts(self)
    }
}

impl<E: Engine> IngestStore for E {
    fn sources(&self) -> &dyn Sources {
        self
    }

    fn restored_mark(&self) -> Result<RestoredMark> {
        Ok(RestoredMark(None))
    }

    fn begin(&self, _mark: &RestoredMark) -> Result<Box<dyn Bulk + '_>> {
        Ok(Box::new(Draft::over(self)))
    }

    fn visit_lines(
        &self,
        key: &SessionKey,
        from: u64,
        each: &mut dyn FnMut(&[u8]) -> Result<()>,
    ) -> Result<()> {
        let draft = Draft::over(self);
        let (number, row) = draft.session_of(key)?;
        if let Some(order) = draft.order(number, &row)? {
            let from = order.file_from(from);
            return visit_in_order(self, key, from, &mut |record| each(record.line));
        }
        records::walk(self, number, (from, true), &mut |segment| {
            each(segment.lines_from(from)).map(|()| true)
        })
    }

    fn is_scrub_due(&self) -> Result<bool> {
        Ok(false)
    }

    fn reread(&self, number: u64) -> Result<()> {
        // What an older version has read stays as it was read.
        let _ = number;
        Ok(())
    }

    fn has_sessions(&self) -> Result<bool> {
        Ok(!self.list(&RowQuery::of(1))?.is_empty())
    }

    fn verified(&self, progress: &mut Watcher<'_>) -> Result<VerifyReport> {
        verify::verify(self, progress)
    }

    fn counted(&self) -> Result<StoreStats> {
        verify::stats(self)
    }

    fn attachments_of(&self, key: &SessionKey) -> Result<Vec<AttachmentInfo>> {
        let (number, _) = Draft::over(self).session_of(key)?;
        attachments::list(self, number)
    }

    fn marks_of_deleted(&self) -> Result<Vec<DeletedSession>> {
        let cells = self.cells(&CellQuery::of(Table::Deleted, 0))?;
        let marks = cells.iter().map(|(key, value)| decode_mark(key, value));
        marks.collect()
    }

    fn own_file(&self) -> Option<&Path> {
        Engine::own_file(self)
    }

    fn path_bytes_max(&self) -> usize {
        Engine::path_bytes_max(self)
    }
}

impl<E: Engine> Sources for E {
    fn newest(&self, path: &[u8]) -> Result<Option<Source>> {
        Ok(Draft::over(self).generations(path, 1)?.pop())
    }

    fn for_each(&self, visit: &mut dyn FnMut(Source) -> Result<()>) -> Result<()> {
        origins::walk(self, b"", &mut |key, value| {
            visit(origins::decode(key, value)?).map(|()| true)
        })
    }

    fn known(&self, paths: &[Vec<u8>]) -> Result<Vec<Option<Known>>> {
        let draft = Draft::over(self);
        let mut found: Vec<Option<Source>> = Vec::with_capacity(paths.len());
        for path in paths {
            found.push(draft.generations(path, 1)?.pop());
        }
        let sources = found.iter().flatten();
        let numbers: Vec<u64> = sources.map(|source| source.row.session).collect();
        // All in one read, before they are asked for one by one.
        for row in self.rows(&numbers)? {
            draft.hold(&row)?;
        }
        let known = |source: Source| {
            let row = match source.row.session {
                0 => None,
                number => draft.row_if_there(number)?,
            };
            let key = row
                .map(|row| key_of(source.row.session, &row))
                .transpose()?;
            Ok(Known {
                source,
                key,
                is_behind: false,
            })
        };
        let found = found.into_iter();
        found.map(|source| source.map(known).transpose()).collect()
    }

    fn generations(&self, path: &[u8]) -> Result<Vec<Source>> {
        Draft::over(self).generations(path, usize::MAX)
    }

    fn of_session(&self, number: u64) -> Result<Vec<Source>> {
        Draft::over(self).sources_of(number)
    }

    fn count_below(&self, prefix: &[u8]) -> Result<u64> {
        let (mut count, mut last) = (0, None);
        origins::walk(self, prefix, &mut |key, value| {
            let source = origins::decode(key, value)?;
            if last.as_ref() != Some(&source.path) {
                count += 1;
                last = Some(source.path);
            }
            Ok(true)
        })?;
        Ok(count)
    }

    fn number_of(&self, key: &SessionKey) -> Result<Option<u64>> {
        Draft::over(self).number_of(key)
    }

    fn file_order(&self, number: u64) -> Result<Option<FileOrder>> {
        Draft::over(self).file_order(number)
    }

    fn contents(&self, key: &SessionKey) -> Result<Vec<(u32, u64)>> {
        Draft::over(self).contents(key)
    }

    fn at_home(&self, wanted: &SessionKey, home: &[u8]) -> Result<Option<String>> {
        Draft::over(self).at_home(wanted, home)
    }

    fn row(&self, number: u64) -> Result<Option<SessionRow>> {
        Draft::over(self).row_if_there(number)
    }

    fn course(&self, number: u64) -> Result<StoredCourse> {
        let draft = Draft::over(self);
        match draft.row_if_there(number)? {
            Some(row) => draft.course(number, &row),
            None => Ok(StoredCourse::default()),
        }
    }

    fn key(&self, number: u64) -> Result<Option<SessionKey>> {
        let row = Sources::row(self, number)?;
        row.map(|row| key_of(number, &row)).transpose()
    }

    fn last_record(&self, number: u64) -> Result<Option<Record>> {
        let mut last = None;
        records::walk(self, number, (u64::MAX, false), &mut |segment| {
            let record = segment.records().next_back();
            last = record.map(crate::codec::segment::Segment::owned);
            Ok(false)
        })?;
        Ok(last)
    }

    fn records(&self, number: u64, first: u64, end: u64) -> Result<Vec<Record>> {
        let mut found = Vec::new();
        let Some(row) = Sources::row(self, number)? else {
            return Ok(found);
        };
        let mut from = Some(first);
        while from.is_some_and(|from| from < end) {
            let query = ScanQuery {
                from,
                ..ScanQuery::default()
            };
            // By their numbers, also where the file has another order: a range of numbers is asked
            // for.
            let page = records::page(self, (number, &row), None, &query)?;
            found.extend(page.records);
            from = page.next;
        }
        found.retain(|record| record.sequence < end);
        Ok(found)
    }

    fn read_attachment(&self, number: u64, name: &str, out: &mut dyn Write) -> Result<()> {
        attachments::read(self, number, name, &mut TheirOutput(out))
    }

    fn session_numbers(&self, after: u64, limit: usize) -> Result<Vec<u64>> {
        Engine::numbers(self, after, limit)
    }

    fn beside(&self, numbers: &[u64]) -> Result<Vec<(u64, Beside)>> {
        carry::beside(self, numbers)
    }

    fn carried(&self, number: u64) -> Result<Option<Carried>> {
        carry::carried(self, number)
    }

    fn homes(&self) -> Result<Vec<HomeId>> {
        Draft::over(self).homes()
    }

    fn session_state_parts(&self, number: u64) -> Result<StateParts> {
        let draft = Draft::over(self);
        let row = draft.row_if_there(number)?.ok_or_else(|| Error::NotFound {
            wanted: format!("session {number}"),
        })?;
        let order = draft.order(number, &row)?;
        let (lines, skip, first_line) = file_lines::counted(&row, order.as_ref(), &mut |look| {
            draft.each_record(number, look)
        })?;
        let summary = row.into_summary(number);
        Ok(StateParts {
            summary: summary.map_err(|error| corrupt(number, error.0))?,
            properties: draft.properties(number)?,
            lines,
            skip,
            first_line,
        })
    }
}

fn key_of(number: u64, row: &SessionRow) -> Result<SessionKey> {
    row.key().map_err(|error| corrupt(number, error.0))
}
