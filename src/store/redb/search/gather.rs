//! What records of a session say, as documents: each some consecutive records, with the buckets of all
//! that they say by themselves, wherever it is shown.

use crate::agents::{self, Dialect};
use crate::codec::segment::Segment;
use crate::codec::session_row::SessionRow;
use crate::model::error::Result;
use crate::model::limits::SEGMENT_BYTES;
use crate::model::record::{RecordFlags, RecordView};
use crate::search::{GramSet, PackedSet, pieces};
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

/// Adds the buckets of what a record says by itself.
pub(crate) fn grams_of(set: &mut GramSet, dialect: &dyn Dialect, record: RecordView<'_>) {
    if record.header.messages == 0 {
        return;
    }
    for message in dialect.stored_messages(record) {
        for piece in pieces(&message, &mut |_| true).looked() {
            set.add(piece.folded);
        }
    }
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
    let mut at = from;
    let mut found: Option<OfSession> = None;
    loop {
        let read = store.read(|snapshot| {
            let Some(row) = snapshot.row(number)? else {
                return Ok(None);
            };
            let segments = read_from(snapshot, number, &row, at)?;
            Ok(Some((row, segments)))
        })?;
        let Some((row, (segments, is_all))) = read else {
            return Ok(None);
        };
        let dialect = agents::of_agent(&row.agent);
        let found = found.get_or_insert_with(|| OfSession {
            number,
            row: row.clone(),
            from,
            through: from,
            reader: dialect.reader_version(),
            documents: Vec::new(),
            bytes: 0,
        });
        if !is_as_before(&found.row, &row) {
            return Ok(None);
        }
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
                document.take(sequence, line.len());
                found.through = sequence + 1;
                found.bytes += line.len() as u64;
            }
            if document.bytes >= SEGMENT_BYTES * 3 / 4 {
                found.documents.extend(document.end(set));
            }
        }
        found.documents.extend(document.end(set));
        if is_all && !is_open {
            found.through = found.through.max(row.next);
        }
        at = found.through;
        if is_all || is_open || found.bytes >= SESSION_BYTES as u64 {
            return Ok(Some(found.clone()));
        }
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
}

impl Unfinished {
    fn take(&mut self, sequence: u64, bytes: usize) {
        let first = self.span.map_or(sequence, |span| span.0);
        self.span = Some((first, sequence));
        self.bytes += bytes;
    }

    fn end(&mut self, set: &mut GramSet) -> Option<Gathered> {
        let (first, last) = self.span.take()?;
        self.bytes = 0;
        Some(Gathered {
            first,
            last,
            buckets: set.drain_packed(),
        })
    }
}
