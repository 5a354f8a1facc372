//! Visits: all records of a session from one on, a run of segments at a time.
//!
//! While one run is looked at, a thread of the visit reads and unpacks the one behind it: a load
//! and an export take the longer of the two then, not both. A session of one run needs none, and
//! a run of long lines is looked at before the next one is read, so that memory holds one of them.

use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread;

use crate::codec::segment::Segment;
use crate::codec::session_row::SessionRow;
use crate::model::error::{Error, Result};
use crate::model::key::SessionKey;
use crate::model::record::RecordView;
use crate::store::order::Order;
use crate::store::query::ScanQuery;
use crate::store::redb::store::RedbStore;
use crate::store::redb::tables::snapshot::Snapshot;
use crate::store::sessions::Visit;

/// Bytes of lines after which no further segment is read in one transaction: some segments, which
/// stay in the processor's cache until they are used.
const RUN_BYTES: usize = 512 * 1024;

/// Nothing is read ahead of a run that has more bytes of lines.
const AHEAD_BYTES: usize = 8 * 1024 * 1024;

/// Segments of a session, unpacked, and the sequence number at which the next ones start.
#[derive(Debug, Default)]
struct Run {
    segments: Vec<Segment>,
    bytes: usize,
    next: Option<u64>,
}

/// Looks at a segment, from a sequence number on.
type Look<'v> = dyn FnMut(&Segment, u64) -> Result<()> + 'v;

impl RedbStore {
    /// Shows `each` the records of a session from one on.
    ///
    /// # Errors
    ///
    /// [`Error::NotFound`], [`Error::Corrupt`], and those of `each`, which end the visit.
    pub(crate) fn visit_records(
        &self,
        key: &SessionKey,
        from: u64,
        each: &mut Visit<'_>,
    ) -> Result<()> {
        if let Some(order) = self.order_of(key)? {
            return self.visit_in_order(key, order.first_from(from), each);
        }
        self.visit_segments(key, from, &mut |segment, from| {
            let records = segment.records();
            records
                .filter(|record| record.0 >= from)
                .try_for_each(|(sequence, header, line)| {
                    each(RecordView {
                        sequence,
                        header,
                        line,
                    })
                })
        })
    }

    /// Shows `each` the lines of a session from a record on, one behind another, many at a time. From
    /// the first one on: those that its file has or would get, without what its agent dropped.
    ///
    /// # Errors
    ///
    /// As [`visit_records`](Self::visit_records).
    pub(crate) fn visit_session_lines(
        &self,
        key: &SessionKey,
        from: u64,
        each: &mut dyn FnMut(&[u8]) -> Result<()>,
    ) -> Result<()> {
        if let Some(order) = self.order_of(key)? {
            let from = order.file_from(from);
            return self.visit_in_order(key, from, &mut |record| each(record.line));
        }
        self.visit_segments(key, from, &mut |segment, from| {
            each(segment.lines_from(from))
        })
    }

    /// The order of a session, if it is not that of the numbers of its records.
    fn order_of(&self, key: &SessionKey) -> Result<Option<Order>> {
        self.read(|snapshot| {
            let (number, row) = snapshot.session_of(key)?;
            snapshot.order(number, &row)
        })
    }

    /// Shows `each` the records of a session in its own order, page by page.
    fn visit_in_order(
        &self,
        key: &SessionKey,
        from: Option<u64>,
        each: &mut Visit<'_>,
    ) -> Result<()> {
        let mut query = ScanQuery {
            from,
            bytes_max: RUN_BYTES,
            ..ScanQuery::default()
        };
        while query.from.is_some() {
            // A snapshot for each page, and none while `each` looks at it: that may take long, and
            // keep freed pages.
            let page = self.read(|snapshot| {
                let (number, row) = snapshot.session_of(key)?;
                snapshot.scan_of(number, &row, &query)
            })?;
            for record in &page.records {
                each(record.view())?;
            }
            query.from = page.next;
        }
        Ok(())
    }

    fn visit_segments(&self, key: &SessionKey, from: u64, each: &mut Look<'_>) -> Result<()> {
        let first = self.run(key, from)?;
        if first.next.is_none() {
            return first.look(from, each);
        }
        let (asking, asked) = channel();
        let (giving, given) = channel();
        thread::scope(|scope| {
            // Where no thread can be had, all is read in this one.
            let is_started = thread::Builder::new()
                .name("read-ahead".to_owned())
                .spawn_scoped(scope, move || self.read_ahead(key, &asked, &giving))
                .is_ok();
            let (mut run, mut from) = (first, from);
            while let Some(next) = run.next {
                let behind = if is_started && run.bytes <= AHEAD_BYTES {
                    // One run is asked for at a time: memory holds two of them.
                    asking.send(next).map_err(|_| over())?;
                    run.look(from, each)?;
                    given.recv().map_err(|_| over())??
                } else {
                    // Given up before the next one is read: long lines are in memory once.
                    std::mem::take(&mut run).look(from, each)?;
                    self.run(key, next)?
                };
                (run, from) = (behind, next);
            }
            // Nobody asks any more: the thread ends.
            drop(asking);
            run.look(from, each)
        })
    }

    /// Reads the runs that are asked for, as long as somebody asks.
    fn read_ahead(&self, key: &SessionKey, asked: &Receiver<u64>, giving: &Sender<Result<Run>>) {
        while let Ok(from) = asked.recv() {
            if giving.send(self.run(key, from)).is_err() {
                return;
            }
        }
    }

    fn run(&self, key: &SessionKey, from: u64) -> Result<Run> {
        self.read(|snapshot| {
            let (number, row) = snapshot.session_of(key)?;
            snapshot.run(number, &row, from)
        })
    }
}

/// The thread that reads ahead has ended, which it does not do as long as it is asked.
fn over() -> Error {
    Error::Storage {
        action: "read records",
        source: "the thread that reads ahead has ended".into(),
    }
}

impl Run {
    /// Looks at its segments from a sequence number on.
    fn look(&self, from: u64, each: &mut Look<'_>) -> Result<()> {
        self.segments
            .iter()
            .try_for_each(|segment| each(segment, from))
    }
}

impl Snapshot<'_> {
    /// The segments that hold the records from one on, as many as are read at a time.
    fn run(&self, number: u64, row: &SessionRow, from: u64) -> Result<Run> {
        let mut run = Run::default();
        self.forward(number, Some(row), from, &mut |segment| {
            // The last one before a place at which there is nothing, or nothing yet.
            if segment.last_sequence() < from {
                return true;
            }
            run.bytes += segment.line_bytes();
            let is_full = run.bytes >= RUN_BYTES;
            run.next = is_full.then(|| segment.last_sequence() + 1);
            run.segments.push(segment);
            !is_full
        })?;
        Ok(run)
    }
}
