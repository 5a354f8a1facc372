//! What records of a session say, as documents: each some consecutive records, with the buckets of all
//! that they say by themselves, wherever it is shown, and of earlier parts of their messages.

use std::collections::BTreeSet;

use super::parts::{Parts, grams_of};
use crate::agents;
use crate::codec::segment::Segment;
use crate::codec::session_row::SessionRow;
use crate::model::error::Result;
use crate::model::limits::SEGMENT_BYTES;
use crate::model::record::{RecordFlags, RecordView};
use crate::search::{GramSet, PackedSet};
use crate::store::redb::store::RedbStore;
use crate::store::redb::tables::snapshot::Snapshot;

/// Bytes of lines that are read in one snapshot.
const READ_BYTES: usize = 1024 * 1024;

/// Bytes of lines of one session that are gathered at a time.
const SESSION_BYTES: usize = 16 * 1024 * 1024;

/// Records, and what they say.
#[derive(Clone, Debug)]
pub(super) struct Gathered {
    /// The first one.
    pub first: u64,
    /// The last one.
    pub last: u64,
    /// The buckets of all of them.
    pub buckets: PackedSet,
}

/// What was gathered of a session, and what has to be so still when it is written.
#[derive(Clone, Debug)]
pub(super) struct OfSession {
    /// The session.
    pub number: u64,
    /// Its row when it was read first.
    pub row: SessionRow,
    /// From which record on it was not indexed.
    pub from: u64,
    /// From which one on it will not be.
    pub through: u64,
    /// The version of the reader that read it.
    pub reader: u16,
    /// What it says.
    pub documents: Vec<Gathered>,
    /// Bytes of the lines that were read.
    pub bytes: u64,
}

/// Whether what was derived from a session's lines is still the same, and no line was removed or replaced.
pub(super) fn is_as_before(before: &SessionRow, now: &SessionRow) -> bool {
    before.chain.rewrites == now.chain.rewrites
        && before.reader == now.reader
        && before.next <= now.next
}

/// Gathers records of a session from one on. `None` if the session is not there, or changes meanwhile so
/// that it has to be begun anew.
pub(super) fn gather(
    store: &RedbStore,
    set: &mut GramSet,
    number: u64,
    from: u64,
) -> Result<Option<OfSession>> {
    let mut gathered: Option<OfSession> = None;
    loop {
        // A snapshot for each piece: one for all would keep the pages of what others remove
        // meanwhile.
        let is_done = store.read(|snapshot| {
            let Some(row) = snapshot.row(number)? else {
                return Ok(None);
            };
            let found = gathered.get_or_insert_with(|| OfSession {
                number,
                row: row.clone(),
                from,
                through: from,
                reader: agents::of_agent(&row.agent).reader_version(),
                documents: Vec::new(),
                bytes: 0,
            });
            if !is_as_before(&found.row, &row) {
                return Ok(None);
            }
            found.go_on(snapshot, set, &row).map(Some)
        })?;
        match is_done {
            None => return Ok(None),
            Some(true) => return Ok(gathered),
            Some(false) => {}
        }
    }
}

impl OfSession {
    /// Gathers as much as is read at a time. Whether that is enough.
    fn go_on(
        &mut self,
        snapshot: &Snapshot<'_>,
        set: &mut GramSet,
        row: &SessionRow,
    ) -> Result<bool> {
        let (number, at) = (self.number, self.through);
        let (segments, is_all) = read_from(snapshot, number, row, at)?;
        let dialect = agents::of_agent(&row.agent);
        let last = segments.last().map_or(at, Segment::last_sequence);
        let parts = Parts::of(snapshot, (number, row), (at, last))?;
        let mut is_open = false;
        let mut document = Unfinished::default();
        for segment in &segments {
            for (sequence, header, line) in segment.records().filter(|record| record.0 >= at) {
                // The last one may be replaced by what it becomes.
                is_open =
                    sequence + 1 >= row.next && header.flags.contains(RecordFlags::UNTERMINATED);
                if is_open {
                    break;
                }
                let record = RecordView {
                    sequence,
                    header,
                    line,
                };
                grams_of(set, dialect, record);
                let first = document.take(sequence, line.len());
                parts.add_earlier(snapshot, set, (first, sequence), &mut document.earlier)?;
                self.through = sequence + 1;
                self.bytes += line.len() as u64;
            }
            // Only between segments: one that lies in two documents would be unpacked for each.
            if document.bytes >= SEGMENT_BYTES * 3 / 4 {
                self.documents.extend(document.end(set));
            }
        }
        self.documents.extend(document.end(set));
        if is_all && !is_open {
            // A compaction may have removed what came behind the last record.
            self.through = self.through.max(row.next);
        }
        Ok(is_all || is_open || self.bytes >= SESSION_BYTES as u64)
    }
}

/// The segments that hold the records from one on, as many as are read at a time, and whether that is all.
fn read_from(
    snapshot: &Snapshot<'_>,
    number: u64,
    row: &SessionRow,
    from: u64,
) -> Result<(Vec<Segment>, bool)> {
    let (mut segments, mut bytes, mut is_all) = (Vec::new(), 0, true);
    snapshot.forward(number, Some(row), from, &mut |segment: Segment| {
        // The last one before a place at which there is nothing.
        if segment.last_sequence() < from {
            return true;
        }
        bytes += segment.line_bytes();
        segments.push(segment);
        is_all = bytes < READ_BYTES;
        is_all
    })?;
    Ok((segments, is_all))
}

/// A document that may get more records.
#[derive(Default)]
struct Unfinished {
    span: Option<(u64, u64)>,
    bytes: usize,
    /// The first records of messages that begin before it and go on in it.
    earlier: BTreeSet<u64>,
}

impl Unfinished {
    /// Takes a record; returns the first one.
    fn take(&mut self, sequence: u64, bytes: usize) -> u64 {
        let first = self.span.map_or(sequence, |span| span.0);
        self.span = Some((first, sequence));
        self.bytes += bytes;
        first
    }

    fn end(&mut self, set: &mut GramSet) -> Option<Gathered> {
        let (first, last) = std::mem::take(self).span?;
        Some(Gathered {
            first,
            last,
            buckets: set.drain_packed(),
        })
    }
}
