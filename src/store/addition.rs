//! One addition to a session, in one transaction: whether it may happen, and what it makes of the
//! session's row. Every store goes through here.

use chrono::DateTime;
use uuid::Uuid;

use super::course::{Course, CourseChanges};
use super::fold::Fold;
use super::query::{Appended, Expect};
use super::{Stamps, fold, lines};
use crate::agents;
use crate::codec::session_row::{Batch, SessionRow};
use crate::model::error::{Error, Result};
use crate::model::key::SessionKey;
use crate::model::limits::{BATCH_SECONDS_REMEMBERED, BATCHES_REMEMBERED};
use crate::model::properties::PropertiesChange;
use crate::model::record::Record;

/// Lines for a session, which is created if it is not there.
#[derive(Clone, Debug)]
pub(crate) struct Addition {
    /// The session.
    pub key: SessionKey,
    /// What the caller expects of the session.
    pub expect: Expect,
    /// The caller's id of the batch.
    pub batch_id: Option<Uuid>,
    /// The lines, each with its terminator.
    pub lines: Vec<Vec<u8>>,
    /// What else happens.
    pub intent: Intent,
    /// What changes beside the lines, in the same step; a replay changes nothing.
    pub change: Option<Box<PropertiesChange>>,
}

/// What an addition is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Intent {
    /// The lines alone.
    Append,
    /// A new session: one that is there is a conflict, even an empty one.
    Create,
    /// A save: the time of update becomes this one, if it is not later already.
    Save {
        /// In microseconds since 1970.
        now_us: i64,
    },
    /// All that was there is hidden.
    Replace,
}

/// What an addition comes to.
#[derive(Debug)]
pub(crate) enum Outcome {
    /// The batch was there already: there is nothing to write.
    Replayed(Appended),
    /// To be written.
    Added(Box<Added>),
}

/// What an addition writes.
#[derive(Debug)]
pub(crate) struct Added {
    /// The row after it.
    pub row: SessionRow,
    /// The new records.
    pub made: Vec<Record>,
    /// What they tell of other records.
    pub course: CourseChanges,
    /// The session's course after it.
    pub now: Course,
    /// What the caller is told.
    pub appended: Appended,
    /// The batch that the row has no room for any more.
    pub left: Option<Batch>,
    /// When it is added.
    pub now_us: i64,
}

/// Adds to a session's row, if there is one, or to a new one. `older` is the batch of that id that the
/// row has no room for, if there is one; `course` gives the session's, once it is needed.
pub(crate) fn add_to(
    old: Option<&SessionRow>,
    addition: &Addition,
    older: Option<Batch>,
    stamps: &Stamps,
    course: impl FnOnce() -> Result<Course>,
) -> Result<Outcome> {
    let key = &addition.key;
    if let Some(replayed) = check(old, addition, older)? {
        return Ok(Outcome::Replayed(replayed));
    }
    let now_us = lines::now(stamps)?.timestamp_micros();
    let dialect = agents::of_agent(key.agent());
    let mut row = old.cloned().unwrap_or_else(|| SessionRow {
        reader: dialect.reader_version(),
        ..SessionRow::new(key, now_us)
    });
    let mut fold = Fold::of(course()?);
    let made = lines::append_to_row(&mut row, &mut fold, dialect, &addition.lines, now_us);
    // The first of those that were asked for: the terminator of a torn line may have come before.
    let first = row.next.saturating_sub(addition.lines.len() as u64);
    match addition.intent {
        Intent::Append | Intent::Create => {}
        Intent::Save { now_us } => touch(&mut row, now_us),
        Intent::Replace => {
            row.mark = first;
            // As many as there were before these lines, which are shown.
            row.hidden = old.map_or(0, |old| old.messages);
            // No line says that the session has changed.
            if made.is_empty() {
                touch(&mut row, now_us);
            }
        }
    }
    fold::believe(&mut row, now_us);
    // A batch of nothing is not remembered: what comes under its id later is no retry of it.
    let batch_id = addition.batch_id.filter(|_| !made.is_empty());
    let (appended, left) = note(&mut row, batch_id, first);
    Ok(Outcome::Added(Box::new(Added {
        row,
        made,
        course: fold.take_changes(),
        now: fold.into_course(),
        appended,
        left,
        now_us,
    })))
}

/// Sets the time of update. The session's times are those of its calls from now on, not of the
/// file that it came from.
fn touch(row: &mut SessionRow, now_us: i64) {
    row.updated_us = row.updated_us.max(now_us);
    row.time_stated = true;
}

/// Whether an addition is the replay of an earlier batch, and whether its expectation holds.
fn check(
    row: Option<&SessionRow>,
    addition: &Addition,
    older: Option<Batch>,
) -> Result<Option<Appended>> {
    let batches = row.map_or(&[][..], |row| &row.batches);
    let known = addition
        .batch_id
        .and_then(|id| batches.iter().find(|batch| batch.id == id.as_u128()))
        .copied()
        .or(older);
    // Before what is expected: a retry expects what held before its first try.
    if let (Some(batch), Some(row)) = (known, row) {
        return Ok(Some(Appended {
            first: batch.first,
            last: batch.last,
            updated_at: DateTime::from_timestamp_micros(row.updated_us).unwrap_or_default(),
            replayed: true,
        }));
    }
    let actual = row.map_or(0, |row| row.next);
    if let Expect::Sequence(expected) = addition.expect {
        check_next(&addition.key, expected, actual)?;
    }
    if addition.intent == Intent::Create && row.is_some() {
        return Err(Error::Conflict {
            key: addition.key.clone(),
            expected: 0,
            actual,
        });
    }
    Ok(None)
}

/// Notes a batch in the row, and says what the addition did. A terminator for a torn line may
/// stand before the records that were asked for.
fn note(row: &mut SessionRow, batch_id: Option<Uuid>, first: u64) -> (Appended, Option<Batch>) {
    let mut left = None;
    let last = row.next.saturating_sub(1);
    if let Some(id) = batch_id {
        if row.batches.len() >= BATCHES_REMEMBERED {
            // The oldest leaves the row, and gets one of its own for a day.
            left = Some(row.batches.remove(0));
        }
        row.batches.push(Batch {
            id: id.as_u128(),
            first,
            last,
        });
    }
    let updated_at = DateTime::from_timestamp_micros(row.updated_us).unwrap_or_default();
    let appended = Appended {
        first,
        last,
        updated_at,
        replayed: false,
    };
    (appended, left)
}

/// Whether a session can have batches that its row has no room for.
pub(crate) fn has_older(row: &SessionRow) -> bool {
    row.batches.len() >= BATCHES_REMEMBERED
}

/// Whether the time of a batch is over that left its session's row at a time. What a clock has noted
/// that went wrong is over too.
pub(crate) fn is_forgotten(since_us: i64, now_us: i64) -> bool {
    now_us.abs_diff(since_us) > BATCH_SECONDS_REMEMBERED * 1_000_000
}

/// Whether a session's next record gets the sequence number that the caller expects.
pub(crate) fn check_next(key: &SessionKey, expected: u64, actual: u64) -> Result<()> {
    if expected == actual {
        return Ok(());
    }
    Err(Error::Conflict {
        key: key.clone(),
        expected,
        actual,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn add(row: &mut SessionRow, addition: &Addition) {
        let (stamps, course) = (Stamps::default(), || Ok(Course::default()));
        match add_to(Some(row), addition, None, &stamps, course).unwrap() {
            Outcome::Added(added) => *row = added.row,
            Outcome::Replayed(appended) => panic!("{appended:?}"),
        }
    }

    fn row() -> SessionRow {
        SessionRow::new(&SessionKey::native("s").unwrap(), 5)
    }

    #[test]
    fn a_row_holds_no_more_batches_than_are_remembered() {
        let mut row = row();
        let lines = [b"{}\n".to_vec()];
        for number in 0..40 {
            let addition = Addition {
                key: SessionKey::native("s").unwrap(),
                expect: Expect::Any,
                batch_id: Some(Uuid::from_u128(number)),
                lines: lines.clone().into(),
                intent: Intent::Append,
                change: None,
            };
            add(&mut row, &addition);
        }
        assert_eq!(row.batches.len(), BATCHES_REMEMBERED);
        assert_eq!(row.batches.last().map(|batch| batch.id), Some(39));
    }

    #[test]
    fn a_save_sets_the_time_of_update_and_never_turns_it_back() {
        let mut row = row();
        let save = |now_us| Addition {
            key: SessionKey::native("s").unwrap(),
            expect: Expect::Any,
            batch_id: None,
            lines: Vec::new(),
            intent: Intent::Save { now_us },
            change: None,
        };
        add(&mut row, &save(90));
        assert_eq!((row.updated_us, row.time_stated), (90, true));
        add(&mut row, &save(80));
        assert_eq!(row.updated_us, 90);
    }

    #[test]
    fn a_history_replaced_by_nothing_was_updated_now() {
        let mut row = SessionRow {
            messages: 7,
            hidden: 3,
            next: 9,
            ..row()
        };
        let addition = Addition {
            key: SessionKey::native("s").unwrap(),
            expect: Expect::Any,
            batch_id: None,
            lines: Vec::new(),
            intent: Intent::Replace,
            change: None,
        };
        add(&mut row, &addition);
        assert_eq!((row.mark, row.hidden, row.next), (9, 7, 9));
        assert!(row.updated_us > 5 && row.time_stated);
    }
}
