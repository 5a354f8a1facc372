//! Turns lines into packed segments and a summary row, away from the store: the worker's half of a
//! bulk import.

use super::course::{CourseChanges, StoredCourse};
use super::fold::{Fold, offer_parent, project_of, take_out};
use crate::agents::{Dialect, Placed};
use crate::codec::chain::{Digest, digest_of};
use crate::codec::segment::{Packer, Sealed};
use crate::codec::session_row::SessionRow;
use crate::json::Ends;
use crate::jsonl::Line;
use crate::model::key::SessionKey;
use crate::model::limits::SEGMENT_BYTES;
use crate::model::record::{RecordFlags, RecordHeader};

/// The last records of a session, which have changed where they came from and are to be read again.
#[derive(Clone, Debug)]
pub(crate) struct ReplacedTail {
    /// The sequence number from which on they are replaced.
    pub sequence: u64,
    /// The header of each, and the bytes of its line.
    pub records: Vec<(RecordHeader, u64)>,
}

/// How much there is in records, as a row counts it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Totals {
    /// Records.
    pub records: u64,
    /// Messages in them.
    pub messages: u64,
    /// Bytes of their lines.
    pub bytes: u64,
    /// Those that could not be read completely.
    pub malformed: u64,
}

impl Totals {
    /// What a row counts.
    pub(crate) fn of(row: &SessionRow) -> Self {
        Self {
            records: row.records,
            messages: row.messages,
            bytes: row.bytes,
            malformed: row.malformed,
        }
    }

    /// What came to an earlier count.
    pub(crate) fn since(self, before: Self) -> Self {
        Self {
            records: self.records.saturating_sub(before.records),
            messages: self.messages.saturating_sub(before.messages),
            bytes: self.bytes.saturating_sub(before.bytes),
            malformed: self.malformed.saturating_sub(before.malformed),
        }
    }
}

/// A session under construction.
#[derive(Debug)]
pub(crate) struct SessionBuilder {
    dialect: &'static dyn Dialect,
    /// Room for the notes of each line.
    ends: Ends,
    row: SessionRow,
    fold: Fold,
    packer: Packer,
    sealed: Vec<Sealed>,
    digests: Vec<Digest>,
    pending_bytes: u64,
    base_next: u64,
    /// What was there before the records of the next chunk.
    counted: Totals,
    replaced: Option<u64>,
    fallback_time_us: i64,
}

/// What a builder has made since the last chunk, ready to be written in one transaction.
#[derive(Debug)]
pub(crate) struct SessionChunk {
    /// The row after these segments, with the counts of a session that nobody compacted meanwhile.
    pub row: SessionRow,
    /// What these segments add.
    pub added: Totals,
    /// The segments.
    pub sealed: Vec<Sealed>,
    /// The digest of each of their lines: what they are appended to is known only to the writer.
    pub digests: Vec<Digest>,
    /// What they tell of other records.
    pub course: CourseChanges,
    /// What `next` of the stored row has to be, for these segments to go on from it.
    pub base_next: u64,
    /// The sequence number from which on stored records are replaced by these.
    pub replaced: Option<u64>,
}

impl SessionChunk {
    /// Bytes of memory that it takes, about.
    pub(crate) fn bytes(&self) -> u64 {
        let sealed: usize = self.sealed.iter().map(|sealed| sealed.bytes.len()).sum();
        (sealed + self.digests.len() * size_of::<Digest>()) as u64
    }
}

impl SessionBuilder {
    /// Starts a new session. `fallback_time_us` is its time as long as no line states one.
    pub(crate) fn new(
        key: &SessionKey,
        dialect: &'static dyn Dialect,
        fallback_time_us: i64,
    ) -> Self {
        let mut row = SessionRow::new(key, fallback_time_us);
        row.reader = dialect.reader_version();
        Self::resume(
            row,
            StoredCourse::default(),
            dialect,
            None,
            fallback_time_us,
        )
    }

    /// Goes on with a stored session, after its last record or in place of its last ones. `course` is
    /// the whole of its course.
    pub(crate) fn resume(
        mut row: SessionRow,
        course: StoredCourse,
        dialect: &'static dyn Dialect,
        replaced: Option<ReplacedTail>,
        fallback_time_us: i64,
    ) -> Self {
        let base_next = row.next;
        let sequence = replaced.as_ref().map(|tail| tail.sequence);
        if let Some(tail) = replaced {
            for (at, (header, bytes)) in (tail.sequence..).zip(&tail.records) {
                // Messages that are shown with another record were not counted with this one.
                let shown = header.messages.saturating_sub(course.hidden_of(at));
                take_out(&mut row, header, shown, *bytes);
            }
            row.next = tail.sequence;
        }
        // Without what is replaced: the writer takes that out of the stored row as well.
        let counted = Totals::of(&row);
        Self {
            dialect,
            counted,
            ends: Ends::default(),
            row,
            fold: Fold::of(course.before(sequence)),
            packer: Packer::default(),
            sealed: Vec::new(),
            digests: Vec::new(),
            pending_bytes: 0,
            base_next,
            replaced: sequence,
            fallback_time_us,
        }
    }

    /// Takes one line. Returns what is wrong with it, if anything is.
    pub(crate) fn push(&mut self, line: &Line<'_>) -> Option<String> {
        let piece = line.continues || line.continued;
        let mut described = if piece {
            super::lines::piece(line.number)
        } else {
            self.dialect.describe_with(line.bytes, Some(&mut self.ends))
        };
        let mut flags = RecordFlags::default();
        if !line.terminated && !line.continues {
            flags = flags.with(RecordFlags::UNTERMINATED);
        }
        if line.continues {
            flags = flags.with(RecordFlags::CONTINUES);
        }
        // A line in pieces is told once, with its first one.
        if line.continued {
            described.problem = None;
        } else if piece {
            // Not read, so it counts among the malformed: once, with its first piece.
            flags = flags.with(RecordFlags::DAMAGED);
        }
        let sequence = self.row.next;
        let header = self
            .fold
            .add(&mut self.row, &described, flags, line.bytes.len());
        let problem = described.problem;
        if !self.row.time_stated {
            self.row.updated_us = self.row.updated_us.max(self.fallback_time_us);
        }
        // An unterminated line stays alone, so that it can be replaced when its rest arrives.
        if self.packer.is_full_for(sequence, line.bytes.len()) || !line.terminated {
            self.seal();
        }
        if line.bytes.len() > SEGMENT_BYTES {
            let sealed = Packer::seal_alone(sequence, header, line.bytes);
            self.sealed.push(sealed);
        } else {
            self.packer.push(sequence, header, line.bytes);
        }
        self.digests.push(digest_of(line.bytes));
        self.pending_bytes += (line.bytes.len() + size_of::<Digest>()) as u64;
        problem
    }

    /// Gives the session what its file's place tells: a project and a parent, unless its lines have
    /// stated one so far.
    pub(crate) fn offer_placed(&mut self, placed: &Placed) {
        let project = placed.project.as_deref().unwrap_or_default();
        if self.row.project.is_none() && !project.is_empty() {
            self.row.project = Some(project_of(project));
        }
        if let Some(parent) = &placed.parent {
            offer_parent(&mut self.row, parent, true);
        }
        self.row.archived_by_agent = placed.archived.unwrap_or(self.row.archived_by_agent);
    }

    /// The session's row so far.
    pub(crate) fn row(&self) -> &SessionRow {
        &self.row
    }

    /// Bytes of lines taken since the last chunk, with those of their digests: without these, a
    /// chunk of empty lines would be 32 times as large as one may be.
    pub(crate) fn pending_bytes(&self) -> u64 {
        self.pending_bytes
    }

    /// Seals all that is pending, and hands it over.
    pub(crate) fn take_chunk(&mut self) -> SessionChunk {
        self.seal();
        // An import leaves no tail: an append behind it begins one.
        self.row.tail_first = self.row.next;
        self.row.tail_bytes = 0;
        self.pending_bytes = 0;
        let now = Totals::of(&self.row);
        let before = std::mem::replace(&mut self.counted, now);
        SessionChunk {
            row: self.row.clone(),
            added: now.since(before),
            sealed: std::mem::take(&mut self.sealed),
            course: self.fold.take_changes(),
            digests: std::mem::take(&mut self.digests),
            base_next: std::mem::replace(&mut self.base_next, self.row.next),
            replaced: self.replaced.take(),
        }
    }

    fn seal(&mut self) {
        self.sealed.extend(self.packer.seal());
    }
}
