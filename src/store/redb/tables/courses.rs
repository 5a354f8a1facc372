//! What only other lines tell of records (`exceptions`), and what leads to them (`courses`): read and
//! written in the transaction of the lines that cause it. The summary row says how many rows of each
//! there are, so that sessions without any cost no look.

use std::collections::BTreeMap;

use redb::{ReadableTable, Table};

use super::schema::{COURSES, EXCEPTIONS};
use super::snapshot::Snapshot;
use super::writer::Writer;
use crate::codec::course_row::{self, Note};
use crate::codec::exception_row::{self, ExceptionKey};
use crate::codec::row::RowError;
use crate::codec::session_row::SessionRow;
use crate::model::error::{Error, Result};
use crate::model::exception::{Exception, ExceptionKind};
use crate::model::key::SessionKey;
use crate::store::course::{CourseChanges, SMALL_BLOCK_BYTES, StoredCourse, copied, moved_of};
use crate::store::redb::engine::errors::storage;

/// The key of a block: session number, first sequence number.
pub(crate) type CourseKey = (u64, u64);

type Exceptions<'t> = Table<'t, ExceptionKey, &'static [u8]>;
type Courses<'t> = Table<'t, CourseKey, &'static [u8]>;

/// The exceptions of a session from one record to another, those first that began before.
fn between(
    table: &impl ReadableTable<ExceptionKey, &'static [u8]>,
    number: u64,
    (from, through): (u64, u64),
) -> Result<Vec<Exception>> {
    let read = storage("read what is to be known of records");
    let mut found = Vec::new();
    for kind in ExceptionKind::ALL {
        let code = kind.code();
        // One row says of a whole run that it was taken back: the run may begin before the range.
        if kind == ExceptionKind::TakenBack && from > 0 {
            let before = (number, code, 0)..(number, code, from);
            if let Some(entry) = table.range(before).map_err(&read)?.next_back() {
                let (key, value) = entry.map_err(&read)?;
                let taken = decode(key.value(), value.value())?;
                found.extend((taken.last >= from).then_some(taken));
            }
        }
        let range = (number, code, from)..=(number, code, through);
        for entry in table.range(range).map_err(&read)? {
            let (key, value) = entry.map_err(&read)?;
            found.push(decode(key.value(), value.value())?);
        }
    }
    Ok(found)
}

/// All notes of a session.
fn notes(
    table: &impl ReadableTable<CourseKey, &'static [u8]>,
    number: u64,
) -> Result<Vec<(u64, Note)>> {
    let read = storage("read what leads to records");
    let mut found = Vec::new();
    for entry in table
        .range((number, 0)..=(number, u64::MAX))
        .map_err(&read)?
    {
        let (key, value) = entry.map_err(&read)?;
        found.extend(unpack(key.value(), value.value())?);
    }
    Ok(found)
}

impl Snapshot<'_> {
    /// What is to be known of the records of a session from one to another.
    pub(crate) fn exceptions(
        &self,
        (number, row): (u64, &SessionRow),
        range: (u64, u64),
    ) -> Result<Vec<Exception>> {
        if row.exceptions == 0 {
            return Ok(Vec::new());
        }
        let table = self.txn().open_table(EXCEPTIONS);
        let table = table.map_err(storage("read what is to be known of records"))?;
        let found = between(&table, number, range)?;
        // A row that damage hides would bring back what was taken back.
        self.check(EXCEPTIONS, &(number, 0, 0), &(number, u8::MAX, u64::MAX))?;
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

    /// The course of a session.
    pub(crate) fn course(&self, number: u64, row: &SessionRow) -> Result<StoredCourse> {
        let exceptions = self.exceptions((number, row), (0, u64::MAX))?;
        let mut found = Vec::new();
        if row.blocks > 0 {
            let table = self.txn().open_table(COURSES);
            let table = table.map_err(storage("read what leads to records"))?;
            found = notes(&table, number)?;
            self.check(COURSES, &(number, 0), &(number, u64::MAX))?;
        }
        Ok(StoredCourse {
            notes: found,
            exceptions,
        })
    }
}

impl Writer<'_> {
    fn exceptions(&self) -> Result<Exceptions<'_>> {
        self.txn()
            .open_table(EXCEPTIONS)
            .map_err(storage("write what is to be known of records"))
    }

    fn courses(&self) -> Result<Courses<'_>> {
        self.txn()
            .open_table(COURSES)
            .map_err(storage("write what leads to records"))
    }

    fn exceptions_of(&self, number: u64, row: &SessionRow) -> Result<Vec<Exception>> {
        if row.exceptions == 0 {
            return Ok(Vec::new());
        }
        between(&self.exceptions()?, number, (0, u64::MAX))
    }

    /// The course of a session.
    pub(crate) fn course(&self, number: u64, row: &SessionRow) -> Result<StoredCourse> {
        let exceptions = self.exceptions_of(number, row)?;
        let mut found = Vec::new();
        if row.blocks > 0 {
            found = notes(&self.courses()?, number)?;
        }
        Ok(StoredCourse {
            notes: found,
            exceptions,
        })
    }

    /// Writes what lines have changed. The row gets the numbers of rows, and of hidden messages that
    /// are shown elsewhere from now on.
    pub(crate) fn write_course(
        &self,
        number: u64,
        row: &mut SessionRow,
        changes: &CourseChanges,
    ) -> Result<()> {
        let action = storage("write what is to be known of records");
        if !(changes.put.is_empty() && changes.removed.is_empty()) {
            let mut table = self.exceptions()?;
            for (kind, first) in &changes.removed {
                let gone = table
                    .remove((number, kind.code(), *first))
                    .map_err(&action)?;
                // Rows are counted, and not changes: a verification compares the count with the
                // table.
                row.exceptions -= u64::from(gone.is_some()).min(row.exceptions);
            }
            for exception in &changes.put {
                let (key, bytes) = exception_row::encode(number, exception);
                let old = table.insert(key, bytes.as_slice()).map_err(&action)?;
                row.exceptions += u64::from(old.is_none());
            }
        }
        self.write_notes(number, row, &changes.notes)
    }

    /// Writes the course of a session that has none. The row gets the numbers of rows.
    pub(crate) fn put_course(
        &self,
        number: u64,
        row: &mut SessionRow,
        course: StoredCourse,
    ) -> Result<()> {
        (row.exceptions, row.blocks) = (0, 0);
        let changes = CourseChanges {
            put: course.exceptions,
            notes: course.notes,
            removed: Vec::new(),
        };
        self.write_course(number, row, &changes)
    }

    fn write_notes(&self, number: u64, row: &mut SessionRow, new: &[(u64, Note)]) -> Result<()> {
        if new.is_empty() {
            return Ok(());
        }
        let action = storage("write what leads to records");
        let mut table = self.courses()?;
        let mut joined = Vec::new();
        if row.blocks > 0 {
            let last = table
                .range((number, 0)..=(number, u64::MAX))
                .map_err(&action)?;
            if let Some(entry) = { last }.next_back() {
                let (key, value) = entry.map_err(&action)?;
                // It goes on in the same block, or else each append would leave one of a line.
                // Packing puts it under its key again and counts it.
                if value.value().len() < SMALL_BLOCK_BYTES {
                    joined = unpack(key.value(), value.value())?;
                    row.blocks -= 1;
                }
            }
        }
        let new = if joined.is_empty() {
            std::borrow::Cow::Borrowed(new)
        } else {
            joined.extend_from_slice(new);
            joined.into()
        };
        for (first, block) in course_row::pack(&new) {
            let sealed = course_row::seal(number, first, &block);
            table
                .insert((number, first), sealed.as_slice())
                .map_err(&action)?;
            row.blocks += 1;
        }
        Ok(())
    }

    /// Takes away what the records of a session from one on have told. Returns which records had
    /// messages that are shown elsewhere, and how many.
    pub(crate) fn cut_course(
        &self,
        number: u64,
        row: &mut SessionRow,
        from: u64,
    ) -> Result<BTreeMap<u64, u32>> {
        let all = self.exceptions_of(number, row)?;
        self.write_course(number, row, &CourseChanges::of_cut(&all, from))?;
        if row.blocks > 0 {
            let notes = notes(&self.courses()?, number)?;
            let mut table = self.courses()?;
            let action = storage("write what leads to records");
            if notes.last().is_some_and(|(sequence, _)| *sequence >= from) {
                // A block cannot be cut without being unpacked, so all go and those before the cut
                // come back.
                let rest = (number, 0)..=(number, u64::MAX);
                table
                    .retain_in(rest, |key, _| key.0 != number)
                    .map_err(&action)?;
                row.blocks = 0;
                // A transaction has a table open once at a time, and `write_notes` opens it.
                drop(table);
                let kept = notes.into_iter().filter(|(sequence, _)| *sequence < from);
                self.write_notes(number, row, &kept.collect::<Vec<_>>())?;
            }
        }
        Ok(moved_of(&all))
    }

    /// Records of a session whose messages are shown elsewhere, and how many they are.
    pub(crate) fn moved_messages(
        &self,
        number: u64,
        row: &SessionRow,
    ) -> Result<BTreeMap<u64, u32>> {
        Ok(moved_of(&self.exceptions_of(number, row)?))
    }

    /// Forgets what is to be known of records that are gone: those before `end`.
    pub(crate) fn forget_exceptions(
        &self,
        number: u64,
        row: &mut SessionRow,
        end: u64,
    ) -> Result<()> {
        if row.exceptions == 0 {
            return Ok(());
        }
        let all = between(&self.exceptions()?, number, (0, end.saturating_sub(1)))?;
        self.write_course(number, row, &CourseChanges::of_compaction(&all, end))
    }

    /// Forgets all of a session's course.
    pub(crate) fn remove_course(&self, number: u64, row: &SessionRow) -> Result<()> {
        let action = storage("delete a session");
        if row.exceptions > 0 {
            let all = (number, 0, 0)..=(number, u8::MAX, u64::MAX);
            self.exceptions()?
                .retain_in(all, |key, _| key.0 != number)
                .map_err(&action)?;
        }
        if row.blocks > 0 {
            self.courses()?
                .retain_in((number, 0)..=(number, u64::MAX), |key, _| key.0 != number)
                .map_err(&action)?;
        }
        Ok(())
    }
}

/// Tells what is wrong with an exception's row.
pub(crate) fn check_exception(key: ExceptionKey, value: &[u8]) -> Result<Exception> {
    decode(key, value)
}

/// Tells what is wrong with a block.
pub(crate) fn check_block(key: CourseKey, value: &[u8]) -> Result<()> {
    unpack(key, value).map(drop)
}

fn decode(key: ExceptionKey, value: &[u8]) -> Result<Exception> {
    exception_row::decode(key, value).map_err(|error| corrupt_exception(key, &error))
}

fn unpack(key: CourseKey, value: &[u8]) -> Result<Vec<(u64, Note)>> {
    course_row::open(key.0, key.1, value).map_err(|error| Error::Corrupt {
        table: "courses",
        key: format!("session {}, from record {}", key.0, key.1),
        detail: error.to_string(),
    })
}

fn corrupt_exception((number, _, first): ExceptionKey, error: &RowError) -> Error {
    Error::Corrupt {
        table: "exceptions",
        key: format!("session {number}, record {first}"),
        detail: error.to_string(),
    }
}
