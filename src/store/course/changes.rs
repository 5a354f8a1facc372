//! What a course has come to since somebody last took it: what is to be written beside the lines.

use std::collections::BTreeMap;

use super::Course;
use crate::agents;
use crate::codec::course_row::Note;
use crate::codec::session_row::SessionRow;
use crate::model::error::Result;
use crate::model::exception::{Exception, ExceptionKind};
use crate::model::key::SessionKey;

/// A block of fewer bytes is written anew with what comes behind it, so that appends of a line each do
/// not make a block each.
pub(crate) const SMALL_BLOCK_BYTES: usize = 1024;

/// What is to be written beside lines, in the transaction that writes them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct CourseChanges {
    /// What they told, in their order.
    pub notes: Vec<(u64, Note)>,
    /// Exceptions that are new or changed.
    pub put: Vec<Exception>,
    /// Exceptions that are none any more.
    pub removed: Vec<(ExceptionKind, u64)>,
}

impl CourseChanges {
    /// Records whose messages are shown elsewhere.
    pub(crate) fn moved(&self) -> impl Iterator<Item = &Exception> {
        let put = self.put.iter();
        put.filter(|exception| exception.kind == ExceptionKind::Moved)
    }

    /// What becomes of a session's exceptions where its records from one on are cut off.
    pub(crate) fn of_cut(all: &[Exception], from: u64) -> Self {
        let mut changes = Self::default();
        for exception in all {
            match left_before(exception, from) {
                Some(left) if left == *exception => {}
                Some(left) => changes.put.push(left),
                None => changes.removed.push((exception.kind, exception.first)),
            }
        }
        changes
    }

    /// What becomes of a session's exceptions where its records before one are gone.
    pub(crate) fn of_compaction(all: &[Exception], end: u64) -> Self {
        let gone = all.iter().filter(|exception| exception.last < end);
        Self {
            removed: gone
                .map(|exception| (exception.kind, exception.first))
                .collect(),
            ..Self::default()
        }
    }
}

impl Course {
    /// What has changed since it was last asked.
    pub(crate) fn take_changes(&mut self) -> CourseChanges {
        let mut changes = CourseChanges {
            notes: std::mem::take(&mut self.notes),
            ..CourseChanges::default()
        };
        for (code, first) in std::mem::take(&mut self.changed) {
            match self.exceptions.get(&(code, first)) {
                Some(exception) => changes.put.push(*exception),
                None => changes
                    .removed
                    .extend(ExceptionKind::from_code(code).map(|kind| (kind, first))),
            }
        }
        changes
    }

    /// Takes in what was written beside lines.
    #[cfg(any(test, fuzzing))]
    pub(crate) fn apply(&mut self, changes: &CourseChanges) {
        for (sequence, note) in &changes.notes {
            self.replay(*sequence, note);
        }
        for (kind, first) in &changes.removed {
            self.exceptions.remove(&(kind.code(), *first));
        }
        for exception in &changes.put {
            let key = (exception.kind.code(), exception.first);
            self.exceptions.insert(key, *exception);
        }
    }

    pub(super) fn put(&mut self, exception: Exception) {
        let key = (exception.kind.code(), exception.first);
        // One that is there as it is costs no write.
        if self.exceptions.insert(key, exception) != Some(exception) {
            self.changed.insert(key);
        }
    }

    pub(super) fn remove(&mut self, kind: ExceptionKind, first: u64) {
        let key = (kind.code(), first);
        if self.exceptions.remove(&key).is_some() {
            self.changed.insert(key);
        }
    }
}

/// The course of a session as it is stored.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct StoredCourse {
    /// What its lines told, in their order.
    pub notes: Vec<(u64, Note)>,
    /// Its exceptions.
    pub exceptions: Vec<Exception>,
}

impl StoredCourse {
    /// The course, as it was before a record.
    pub(crate) fn before(self, end: Option<u64>) -> Course {
        let end = end.unwrap_or(u64::MAX);
        let exceptions = self.exceptions.iter();
        Course::of(
            self.notes
                .into_iter()
                .filter(|(sequence, _)| *sequence < end),
            exceptions.filter_map(|exception| left_before(exception, end)),
        )
    }

    /// Messages of a record that are not shown at its place.
    pub(crate) fn hidden_of(&self, sequence: u64) -> u32 {
        let moved = self.exceptions.iter().find(|exception| {
            exception.kind == ExceptionKind::Moved && exception.first == sequence
        });
        moved.map_or(0, |moved| moved.messages)
    }
}

/// Records whose messages are shown elsewhere, and how many they are.
pub(crate) fn moved_of(all: &[Exception]) -> BTreeMap<u64, u32> {
    let moved = all
        .iter()
        .filter(|exception| exception.kind == ExceptionKind::Moved);
    moved.map(|moved| (moved.first, moved.messages)).collect()
}

/// The session that another begins with a copy of, if its agent makes such.
fn copied_from(row: &SessionRow) -> Option<SessionKey> {
    if row.blocks == 0 || !agents::of_agent(&row.agent).repeats_its_parent() {
        return None;
    }
    SessionKey::new(row.agent.as_str(), row.shown_parent()?).ok()
}

/// What counts in the session that another comes from, and not in the copy at its start: of the records from
/// one to another. `session` finds one by its name, `course` reads one.
pub(crate) fn copied(
    (number, row): (u64, &SessionRow),
    range: (u64, u64),
    session: impl FnOnce(&SessionKey) -> Result<Option<(u64, SessionRow)>>,
    course: impl Fn(u64, &SessionRow) -> Result<StoredCourse>,
) -> Result<Vec<Exception>> {
    let parent = copied_from(row).map(|key| session(&key)).transpose()?;
    let Some((other, parent)) = parent.flatten().filter(|(other, _)| *other != number) else {
        return Ok(Vec::new());
    };
    let own = course(number, row)?.before(None);
    let parent = course(other, &parent)?.before(None);
    Ok(answers_of_both(&own, &parent, range))
}

pub(super) fn answers_of_both(
    own: &Course,
    parent: &Course,
    (from, through): (u64, u64),
) -> Vec<Exception> {
    let is_of_parent = |key: &u64| parent.answers.contains_key(key);
    let answers = own.answers.iter().filter(|(key, _)| is_of_parent(key));
    let places = answers.map(|(_, (at, _))| *at);
    let mut found: Vec<Exception> = places
        .filter(|at| (from..=through).contains(at))
        .map(|at| Exception {
            kind: ExceptionKind::Counted,
            first: at,
            last: at,
            by: None,
            messages: 0,
        })
        .collect();
    found.sort_unstable_by_key(|exception| exception.first);
    found
}

/// The exception that is left of one once the records from `from` on are gone; `None` if it was about
/// them, or caused by one of them.
pub(crate) fn left_before(exception: &Exception, from: u64) -> Option<Exception> {
    let is_caused_by_it = exception.by.is_some_and(|by| by >= from);
    (exception.first < from && !is_caused_by_it).then(|| Exception {
        last: exception.last.min(from.saturating_sub(1)),
        ..*exception
    })
}
