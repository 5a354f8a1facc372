//! What only other lines of its session tell of a record: that it was written again, taken back, or
//! that its tokens count elsewhere.

use serde::Serialize;

/// What is to be known of a record, or of a run of records, beyond its own line.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum ExceptionKind {
    /// Its message was written again: it is shown here, in the state that the record
    /// [`by`](Exception::by) has.
    Replaced,
    /// Its message is shown elsewhere, at the record [`by`](Exception::by).
    Moved,
    /// The turns were taken back, or another branch went on, when the record
    /// [`by`](Exception::by) came: they are kept, and not live.
    TakenBack,
    /// Its tokens are those of an answer that counts at the record [`by`](Exception::by).
    Counted,
}

impl ExceptionKind {
    /// Every kind.
    pub(crate) const ALL: [Self; 4] = [Self::Replaced, Self::Moved, Self::TakenBack, Self::Counted];

    /// The number that is stored. Never change one; append new ones.
    pub(crate) fn code(self) -> u8 {
        match self {
            Self::Replaced => 1,
            Self::Moved => 2,
            Self::TakenBack => 3,
            Self::Counted => 4,
        }
    }

    /// The kind of a stored number.
    pub(crate) fn from_code(code: u8) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.code() == code)
    }
}

/// Something that is to be known of records beyond their own lines. Most records have none.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
#[non_exhaustive]
pub struct Exception {
    /// What it is.
    pub kind: ExceptionKind,
    /// The first record that it is about.
    pub first: u64,
    /// The last one: the same, but for [`ExceptionKind::TakenBack`].
    pub last: u64,
    /// The record that caused it, or that is meant instead; `None` if that is in another session.
    pub by: Option<u64>,
    /// Messages of the record that are not shown at its place.
    pub messages: u32,
}
