//! A record: one line as stored, with its sequence number and a small typed header.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::message::Role;

/// What a record is, as far as its dialect knows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum RecordKind {
    /// Carries at least one message.
    Message,
    /// Describes the session as a whole (id, title, project, model). Compaction keeps it.
    Meta,
    /// Known to the dialect, but neither a message nor about the session: progress, usage, ...
    Event,
    /// Valid JSON of a kind that the dialect does not know. Kept like any other.
    Unknown,
    /// Not a JSON object, or none that could be read. Kept, counted and reported.
    Malformed,
    /// Empty, or white space alone.
    Blank,
}

impl RecordKind {
    /// The number that is stored. Never change one; append new ones.
    pub(crate) fn code(self) -> u8 {
        match self {
            Self::Message => 0,
            Self::Meta => 1,
            Self::Event => 2,
            Self::Unknown => 3,
            Self::Malformed => 4,
            Self::Blank => 5,
        }
    }

    /// The kind of a stored number.
    pub(crate) fn from_code(code: u8) -> Option<Self> {
        Some(match code {
            0 => Self::Message,
            1 => Self::Meta,
            2 => Self::Event,
            3 => Self::Unknown,
            4 => Self::Malformed,
            5 => Self::Blank,
            _ => return None,
        })
    }
}

/// Facts about a record's bytes, as a set of bits.
#[derive(Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct RecordFlags(u8);

impl RecordFlags {
    /// No `\n` at the end: the last line of a file that was cut or is still being written.
    pub const UNTERMINATED: Self = Self(1);
    /// A piece of a line longer than [`LINE_BYTES_MAX`](crate::limits::LINE_BYTES_MAX); the next
    /// record goes on with it.
    pub const CONTINUES: Self = Self(2);
    /// Not all of the line could be read: malformed, or several values fused on one line.
    pub const DAMAGED: Self = Self(4);
    /// Holds bytes that are not UTF-8, or escapes that are not Unicode; read with U+FFFD.
    pub const LOSSY: Self = Self(8);

    /// The bits as stored.
    pub(crate) fn bits(self) -> u8 {
        self.0
    }

    /// Flags from stored bits.
    pub(crate) fn from_bits(bits: u8) -> Self {
        Self(bits)
    }

    /// Whether all of `other` is set.
    pub fn contains(self, other: Self) -> bool {
        self.0 & other.0 == other.0
    }

    /// These flags and `other`.
    #[must_use]
    pub fn with(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }
}

impl fmt::Debug for RecordFlags {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names = [
            (Self::UNTERMINATED, "unterminated"),
            (Self::CONTINUES, "continues"),
            (Self::DAMAGED, "damaged"),
            (Self::LOSSY, "lossy"),
        ];
        f.debug_set()
            .entries(
                names
                    .iter()
                    .filter(|(flag, _)| self.contains(*flag))
                    .map(|(_, name)| name),
            )
            .finish()
    }
}

/// What is known of a record without reading its line: derived from the line, and rebuildable.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct RecordHeader {
    /// What the record is.
    pub kind: RecordKind,
    /// Who speaks in its (first) message.
    pub role: Option<Role>,
    /// Facts about its bytes.
    pub flags: RecordFlags,
    /// How many messages it carries; 0 or 1 but for damaged lines.
    pub messages: u32,
    /// The time that the line states, in microseconds since 1970.
    pub time_us: Option<i64>,
}

impl RecordHeader {
    /// That of a record of this kind, of which nothing else is known.
    pub fn new(kind: RecordKind) -> Self {
        Self {
            kind,
            role: None,
            flags: RecordFlags::default(),
            messages: 0,
            time_us: None,
        }
    }
}

/// One line of a session, byte for byte, terminator included.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Record {
    /// Place in the session: ascending, never used twice, not always without gaps.
    pub sequence: u64,
    /// What is known of the line.
    pub header: RecordHeader,
    /// The bytes, with the terminator that they had.
    pub line: Vec<u8>,
}

impl Record {
    /// A line, at this place of its session.
    pub fn new(sequence: u64, header: RecordHeader, line: Vec<u8>) -> Self {
        Self {
            sequence,
            header,
            line,
        }
    }

    /// The record, where it lies.
    pub(crate) fn view(&self) -> RecordView<'_> {
        RecordView {
            sequence: self.sequence,
            header: self.header,
            line: &self.line,
        }
    }
}

/// A record that lies elsewhere: in a segment, say.
#[derive(Clone, Copy, Debug)]
pub(crate) struct RecordView<'a> {
    /// As [`Record::sequence`].
    pub sequence: u64,
    /// As [`Record::header`].
    pub header: RecordHeader,
    /// As [`Record::line`].
    pub line: &'a [u8],
}
