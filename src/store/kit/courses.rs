//! What only other lines tell of records, and what leads to them, in cells.

use std::collections::BTreeMap;

use super::cells::{CellQuery, Table};
use super::draft::Draft;
use crate::codec::course_row::{self, Note};
use crate::codec::exception_row;
use crate::codec::session_row::SessionRow;
use crate::model::error::{Error, Result};
use crate::model::exception::Exception;
use crate::model::key::SessionKey;
use crate::store::course::{CourseChanges, SMALL_BLOCK_BYTES, StoredCourse, copied, moved_of};

type Notes = Vec<(u64, Note)>;

fn exception_key(kind: u8, first: u64) -> Vec<u8> {
    [&[kind], &first.to_be_bytes()[..]].concat()
}

fn decode(number: u64, key: &[u8], value: &[u8]) -> Result<Exception> {
    let place = key
        .split_first()
        .and_then(|(kind, first)| Some((*kind, first.first_chunk::<8>()?)));
    let (kind, first) = place.map_or((0, 0), |(kind, first)| (kind, u64::from_be_bytes(*first)));
    exception_row::decode((number, kind, first), value).map_err(|error| Error::Corrupt {
        table: Table::Exceptions.name(),
        key: format!("session {number}, record {first}"),
        detail: error.0,
    })
}

fn unpack(number: u64, key: &[u8], value: &[u8]) -> Result<(u64, Notes)> {
    let first = key
        .first_chunk::<8>()
        .map_or(0, |key| u64::from_be_bytes(*key));
    let notes = course_row::open(number, first, value).map_err(|error| Error::Corrupt {
        table: Table::Courses.name(),
        key: format!("session {number}, from record {first}"),
        detail: error.0,
    })?;
    Ok((first, notes))
}

impl Draft<'_> {
    /// What is to be known of the records of a session from one to another.
    pub(crate) fn exceptions(
        &self,
        (number, row): (u64, &SessionRow),
        (from, through): (u64, u64),
    ) -> Result<Vec<Exception>> {
        if row.exceptions == 0 {
            return Ok(Vec::new());
        }
        let mut found = Vec::new();
        for (key, value) in self.cells(&CellQuery::of(Table::Exceptions, number))? {
            found.push(decode(number, &key, &value)?);
        }
        found.retain(|exception| exception.last >= from && exception.first <= through);
        Ok(found)
    }

    /// The same, with what counts in the session that it comes from.
    pub(crate) fn all_exceptions(
        &self,
        (number, row): (u64, &SessionRow),
        range: (u64, u64),
    ) -> Result<Vec<Exception>> {
        let mut found = self.exceptions((number, row), range)?;
        let session = |key: &SessionKey| self.session(key);
        let course = |number: u64, row: &SessionRow| self.course(number, row);
        found.extend(copied((number, row), range, session, course)?);
        Ok(found)
    }

    fn notes(&self, number: u64, row: &SessionRow) -> Result<Notes> {
        let mut found = Vec::new();
        if row.blocks > 0 {
            for (key, value) in self.cells(&CellQuery::of(Table::Courses, number))? {
                found.extend(unpack(number, &key, &value)?.1);
            }
        }
        Ok(found)
    }

    /// The course of a session.
    pub(crate) fn course(&self, number: u64, row: &SessionRow) -> Result<StoredCourse> {
        Ok(StoredCourse {
            notes: self.notes(number, row)?,
            exceptions: self.exceptions((number, row), (0, u64::MAX))?,
        })
    }

    /// The last block of a session, if it goes on.
    pub(crate) fn open_block(&self, number: u64, row: &SessionRow) -> Result<Notes> {
        if row.blocks == 0 {
            return Ok(Vec::new());
        }
        let last = CellQuery::of(Table::Courses, number).backward();
        match self.cells(&last.with_limit(1))?.first() {
            Some((key, value)) if value.len() < SMALL_BLOCK_BYTES => {
                Ok(unpack(number, key, value)?.1)
            }
            _ => Ok(Vec::new()),
        }
    }

    /// Writes what lines have changed. The row gets the numbers of cells. `open` is the last block, if it
    /// goes on; returned is what that is then.
    pub(crate) fn write_course(
        &mut self,
        (number, row): (u64, &mut SessionRow),
        changes: &CourseChanges,
        open: Notes,
    ) -> Result<Notes> {
        for (kind, first) in &changes.removed {
            let key = exception_key(kind.code(), *first);
            let gone = self.get(Table::Exceptions, number, &key)?.is_some();
            self.remove(Table::Exceptions, number, &key);
            row.exceptions -= u64::from(gone).min(row.exceptions);
        }
        for exception in &changes.put {
            let ((_, kind, first), bytes) = exception_row::encode(number, exception);
            let key = exception_key(kind, first);
            let is_new =
                row.exceptions == 0 || self.get(Table::Exceptions, number, &key)?.is_none();
            self.put(Table::Exceptions, number, &key, bytes);
            row.exceptions += u64::from(is_new);
        }
        if changes.notes.is_empty() {
            return Ok(open);
        }
        // The open block is packed again with what comes, into one or more: it counts anew.
        row.blocks -= u64::from(!open.is_empty()).min(row.blocks);
        let mut notes = open;
        notes.extend_from_slice(&changes.notes);
        let blocks = course_row::pack(&notes);
        row.blocks += blocks.len() as u64;
        let last = blocks.last().map(|(first, block)| (*first, block.len()));
        for (first, block) in blocks {
            let sealed = course_row::seal(number, first, &block);
            self.put(Table::Courses, number, &first.to_be_bytes(), sealed);
        }
        let goes_on = last.filter(|(_, bytes)| *bytes < SMALL_BLOCK_BYTES / 2);
        notes.retain(|(sequence, _)| goes_on.is_some_and(|(first, _)| *sequence >= first));
        Ok(notes)
    }

    /// Writes the course of a session that has none. The row gets the numbers of cells.
    pub(crate) fn put_course(&mut self, number: u64, row: &mut SessionRow, course: &StoredCourse) {
        for exception in &course.exceptions {
            let ((_, kind, first), bytes) = exception_row::encode(number, exception);
            let key = exception_key(kind, first);
            self.put(Table::Exceptions, number, &key, bytes);
        }
        let blocks = course_row::pack(&course.notes);
        (row.exceptions, row.blocks) = (course.exceptions.len() as u64, blocks.len() as u64);
        for (first, block) in blocks {
            let sealed = course_row::seal(number, first, &block);
            self.put(Table::Courses, number, &first.to_be_bytes(), sealed);
        }
    }

    /// Takes away what the records of a session from one on have told. Returns which records had
    /// messages that are shown elsewhere, and how many.
    pub(crate) fn cut_course(
        &mut self,
        number: u64,
        row: &mut SessionRow,
        from: u64,
    ) -> Result<BTreeMap<u64, u32>> {
        let all = self.exceptions((number, row), (0, u64::MAX))?;
        let moved = moved_of(&all);
        let changes = CourseChanges::of_cut(&all, from);
        self.write_course((number, row), &changes, Vec::new())?;
        let mut notes = self.notes(number, row)?;
        if notes.last().is_some_and(|(sequence, _)| *sequence >= from) {
            // A block cannot be cut without being unpacked, so all go and those before the cut come
            // back.
            for (key, _) in self.cells(&CellQuery::of(Table::Courses, number))? {
                self.remove(Table::Courses, number, &key);
            }
            row.blocks = 0;
            notes.retain(|(sequence, _)| *sequence < from);
            let kept = CourseChanges {
                notes,
                ..CourseChanges::default()
            };
            self.write_course((number, row), &kept, Vec::new())?;
        }
        Ok(moved)
    }

    /// Records of a session whose messages are shown elsewhere, and how many they are.
    pub(crate) fn moved(&self, number: u64, row: &SessionRow) -> Result<BTreeMap<u64, u32>> {
        let all = self.exceptions((number, row), (0, u64::MAX))?;
        Ok(moved_of(&all))
    }

    /// Forgets what is to be known of records that are gone: those before `end`.
    pub(crate) fn forget_exceptions(
        &mut self,
        number: u64,
        row: &mut SessionRow,
        end: u64,
    ) -> Result<()> {
        let all = self.exceptions((number, row), (0, end.saturating_sub(1)))?;
        let changes = CourseChanges::of_compaction(&all, end);
        self.write_course((number, row), &changes, Vec::new())
            .map(drop)
    }
}
