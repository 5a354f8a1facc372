//! What is stored under an id, content by content, as comparisons see it.

use std::collections::HashMap;

use super::shape::{Beginning, Mark, Shape, mark_of};
use crate::agents::habits::{Habits, LineRole};
use crate::codec::chain::{Chain, digest_of};
use crate::codec::file_order::{FileOrder, Run, source_id};
use crate::codec::session_row::SessionRow;
use crate::codec::source_row::SourceKind;
use crate::model::error::Result;
use crate::model::record::{Record, RecordFlags};
use crate::store::{Filed, Source, Sources};

/// Records that are read at a time.
const RECORDS_AT_ONCE: u64 = 2048;

/// What is known of a content without reading its records.
#[derive(Clone, Debug)]
pub(crate) struct Head {
    /// Its session's number.
    pub number: u64,
    /// Its session's row.
    pub row: SessionRow,
    /// Its file.
    pub order: FileOrder,
    /// The sources that lead to it.
    pub sources: Vec<Source>,
    /// Whether its file's lines were counted when it was read, and not only what was left of them.
    is_counted: bool,
}

/// Where a record stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Standing {
    /// In the file.
    File,
    /// Appended here, and not in the file.
    Here,
    /// Dropped from the file by its agent.
    Dropped,
}

/// A line of a content: one record, or an open one with the terminator that was appended to it here.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Stored {
    /// Its record.
    pub sequence: u64,
    /// What it looks like.
    pub shape: Shape,
    /// Where it stands.
    pub standing: Standing,
}

/// A content with its lines.
#[derive(Clone, Debug)]
pub(crate) struct Content {
    /// What is known without them.
    pub head: Head,
    /// All stored lines, in the order of their numbers.
    pub log: Vec<Stored>,
    /// The file: sequence numbers in its order, with the line in `log` unless it was removed here.
    pub file: Vec<(u64, Option<usize>)>,
    /// The open line of the file, and its bytes.
    pub tail: Option<(u64, Vec<u8>)>,
    /// The terminator that was appended here to the open line, and the line that the two make.
    pub ended: Option<(u64, Shape)>,
}

impl Head {
    /// Reads what is known of a content. A session without a file order gets the one that its source
    /// tells of.
    pub(crate) fn read(
        sources: &dyn Sources,
        number: u64,
        row: SessionRow,
        habits: Habits,
    ) -> Result<Self> {
        let filed = Filed {
            number,
            row,
            order: sources.file_order(number)?,
            sources: sources.of_session(number)?,
        };
        Self::of(sources, filed, habits)
    }

    /// The same of what was read.
    pub(crate) fn of(sources: &dyn Sources, filed: Filed, habits: Habits) -> Result<Self> {
        let Filed {
            number,
            row,
            order,
            sources: of_session,
        } = filed;
        let is_counted = order.is_some();
        let order = match order {
            Some(order) => order,
            None => legacy(sources, number, &row, &of_session, habits)?,
        };
        Ok(Self {
            number,
            row,
            order,
            sources: of_session,
            is_counted,
        })
    }

    /// The record of the file's open line, if its last line is one.
    fn open(&self) -> Option<u64> {
        let last = self.order.runs.last().filter(|_| self.order.open);
        last.map(|run| run.last)
    }

    /// How a file begins that is this content's, or has grown from it.
    pub(crate) fn beginning(&self, sources: &dyn Sources) -> Result<Beginning> {
        let tail = match self.open() {
            Some(open) => sources.records(self.number, open, open + 1)?.pop(),
            None => None,
        };
        Ok(Beginning {
            lines: self.order.lines,
            digest: self.order.digest,
            tail: tail.map(|record| record.line),
        })
    }

    /// Whether its records are those of the file, in the order of their numbers, and nothing else: then
    /// no line of a file that begins so can be stored but in that beginning.
    pub(crate) fn is_plain(&self) -> bool {
        let records = self.row.next;
        let of_file: u64 = self.order.runs.iter().map(|run| run.length()).sum();
        self.order.next == records
            && of_file == records
            && self.order.here.is_empty()
            && !self.row.reordered
    }

    /// The place of this path among those where its file was seen whole as it is now.
    pub(crate) fn seen_at(&self, path: &[u8]) -> Option<&Source> {
        self.sources.iter().find(|source| {
            source.path == path
                && source.row.kind == SourceKind::Lines
                && source.row.complete
                && source.row.revision == self.order.revision
        })
    }

    /// Whether it ever had a file.
    pub(crate) fn had_file(&self) -> bool {
        self.order.place.is_some()
    }
}

/// The order of a session that was stored before there were such rows: all that its source says.
fn legacy(
    sources: &dyn Sources,
    number: u64,
    row: &SessionRow,
    of_session: &[Source],
    habits: Habits,
) -> Result<FileOrder> {
    let lines = |source: &&Source| source.row.kind == SourceKind::Lines;
    // Of several places the one of which most was read is the file; the others have copies.
    let newest = of_session
        .iter()
        .filter(lines)
        .max_by_key(|source| (source.row.next_sequence, source.row.mtime_ns));
    let Some(source) = newest else {
        return Ok(FileOrder::none());
    };
    let next = source.row.next_sequence.min(row.next);
    let mut chain = Chain::starting_at(0);
    let mut order = FileOrder {
        revision: 0,
        next,
        place: Some(source_id(&source.path, source.generation)),
        mtime_ns: source.row.mtime_ns,
        ..FileOrder::none()
    };
    if let Some(last) = next.checked_sub(1) {
        order.runs.push(Run { first: 0, last });
    }
    let Chain {
        from,
        records,
        digest,
        ..
    } = row.chain;
    if habits.role.is_none() && !row.unterminated && (from, records, row.next) == (0, next, next) {
        // The chain of the session is that of its file.
        (order.lines, order.digest) = (records, digest);
        return Ok(order);
    }
    each_record(sources, number, next, &mut |record| {
        let is_open = record.header.flags.contains(RecordFlags::UNTERMINATED);
        let is_frame = habits
            .role
            .is_some_and(|role| role(&record.line) == LineRole::Frame);
        if is_open {
            order.open = record.sequence + 1 == next;
        } else if !is_frame {
            chain.push(&digest_of(&record.line));
            order.lines += 1;
        }
        Ok(())
    })?;
    order.digest = chain.digest;
    Ok(order)
}

/// Shows all stored records of a session before `end`, in the order of their numbers.
pub(crate) fn each_record(
    sources: &dyn Sources,
    number: u64,
    end: u64,
    each: &mut dyn FnMut(&Record) -> Result<()>,
) -> Result<()> {
    let mut from = 0;
    while from < end {
        let to = end.min(from + RECORDS_AT_ONCE);
        for record in sources.records(number, from, to)? {
            each(&record)?;
        }
        from = to;
    }
    Ok(())
}

impl Content {
    /// Reads a content. Costs a read of its session.
    pub(crate) fn read(sources: &dyn Sources, head: Head, habits: Habits) -> Result<Self> {
        let mut log: Vec<Stored> = Vec::new();
        let (mut tail, mut ended) = (None::<(u64, Vec<u8>)>, None);
        let open = head.open();
        let contains = |runs: &[Run], sequence| runs.iter().any(|run| run.contains(sequence));
        each_record(sources, head.number, head.row.next, &mut |record| {
            let sequence = record.sequence;
            // A piece of a line that was cut is no JSON alone, and never a header.
            let is_piece = record.header.flags.contains(RecordFlags::CONTINUES);
            let role = match habits.role {
                Some(role) if !is_piece => role(&record.line),
                _ => LineRole::Said,
            };
            let shape = |line: &[u8], open| Shape {
                mark: mark_of(&digest_of(line)),
                bytes: line.len() as u64,
                role,
                open,
            };
            let standing = if contains(&head.order.runs, sequence) {
                Standing::File
            } else if sequence >= head.order.next || contains(&head.order.here, sequence) {
                // Behind all that was there when the file was seen last.
                Standing::Here
            } else {
                Standing::Dropped
            };
            // An append to a session whose file ends in an open line writes a terminator first, as
            // a record. The agent, which knows nothing of it, ends its line by itself: the two are
            // compared as one.
            if let Some((open, bytes)) = &tail
                && standing == Standing::Here
                && ended.is_none()
                && record.line == b"\n"
                && sequence > *open
            {
                let line = [bytes.as_slice(), b"\n"].concat();
                ended = Some((sequence, shape(&line, false)));
            }
            let is_open = record.header.flags.contains(RecordFlags::UNTERMINATED);
            log.push(Stored {
                sequence,
                shape: shape(&record.line, is_open),
                standing,
            });
            if open == Some(sequence) {
                tail = Some((sequence, record.line.clone()));
            }
            Ok(())
        })?;
        let by_sequence: HashMap<u64, usize> = log
            .iter()
            .enumerate()
            .map(|(at, stored)| (stored.sequence, at))
            .collect();
        let runs = head.order.runs.iter();
        let file = runs
            .flat_map(|run| run.first..=run.last)
            .map(|sequence| (sequence, by_sequence.get(&sequence).copied()))
            .collect();
        Ok(Self {
            head,
            log,
            file,
            tail,
            ended,
        })
    }

    /// A line of the log.
    pub(crate) fn at(&self, index: usize) -> Option<&Stored> {
        self.log.get(index)
    }

    /// The lines of the file that are compared: their sequence numbers, and their shapes unless they
    /// were removed here.
    pub(crate) fn core(&self) -> Vec<(u64, Option<Shape>)> {
        let open = self.head.open();
        let compared = |(sequence, index): &(u64, Option<usize>)| match index {
            // An open line is none of them: what it becomes is new.
            None => (open != Some(*sequence)).then_some((*sequence, None)),
            Some(index) => {
                let shape = self.at(*index)?.shape;
                shape.is_compared().then_some((*sequence, Some(shape)))
            }
        };
        let mut core: Vec<_> = self.file.iter().filter_map(compared).collect();
        // A frame that was removed here (ggcode's cost) looks like any other line that was; but the lines
        // that are compared are counted. What was removed stands before all else, so any of it will do.
        let lines = usize::try_from(self.head.order.lines).unwrap_or(usize::MAX);
        let mut frames = core.len().saturating_sub(lines);
        if self.head.is_counted {
            while frames > 0
                && let Some(at) = core.iter().rposition(|(_, shape)| shape.is_none())
            {
                core.remove(at);
                frames -= 1;
            }
        }
        core
    }

    /// Lines that were appended here and are not in the file, in their order.
    pub(crate) fn here(&self) -> Vec<&Stored> {
        let is_here = |stored: &&Stored| stored.standing == Standing::Here;
        self.log.iter().filter(is_here).collect()
    }

    /// How often each whole line is stored.
    pub(crate) fn counts(&self) -> HashMap<Mark, usize> {
        let mut counts = HashMap::new();
        for stored in self.log.iter().filter(|stored| !stored.shape.open) {
            *counts.entry(stored.shape.mark).or_insert(0) += 1;
        }
        if let Some((_, shape)) = &self.ended {
            *counts.entry(shape.mark).or_insert(0) += 1;
        }
        counts
    }

    /// The lines that an export would write, as far as they are compared.
    pub(crate) fn exported(&self) -> Vec<Shape> {
        let mut lines: Vec<Shape> = self.core().into_iter().filter_map(|line| line.1).collect();
        let mut here = self.here();
        if let Some((end, shape)) = &self.ended {
            lines.push(*shape);
            here.retain(|stored| stored.sequence != *end);
        }
        lines.extend(
            here.iter()
                .map(|stored| stored.shape)
                .filter(Shape::is_compared),
        );
        lines
    }
}
