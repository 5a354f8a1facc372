//! What is read of a file that is open, and handed to the writer: nothing but where it lies, what stands
//! behind what is stored, all of it, or what a comparison has found to be new.

use std::io::{self, Read};

use xxhash_rust::xxh3::Xxh3;

use super::found::cannot_read;
use super::identity::shape::Behind;
use super::identity::{Change, FileShape, Head, Step};
use super::opened::Opened;
use super::outlet::{Outlet, Over};
use super::part::{Message, Part, Target};
use super::reading::{Follow, Making, Mode, Planned, Reading};
use super::resume::{Counts, Grown};
use super::unpacked::lines_from;
use crate::codec::file_order::FileOrder;
use crate::jsonl::LineReader;
use crate::model::error::{Error, Result};
use crate::store::{IngestStore, ReplacedTail, SessionBuilder, Source};
use crate::transfer::report::{Added, Problems};

/// The revision of a place where the file was not seen as it is.
const NOT_SEEN: u32 = u32::MAX;

impl Opened<'_> {
    /// Notes where a file lies, of which nothing is read.
    pub(super) fn note(
        &self,
        task: usize,
        target: Target,
        source: Source,
        outlet: &Outlet<'_>,
    ) -> std::result::Result<(), Over> {
        outlet.send(Message::Part(Box::new(Part {
            task,
            room: 0,
            target,
            chunk: None,
            file: None,
            source: Some(source),
            added: Added::default(),
            problems: Problems::default(),
            last: true,
            offset: self.look.size,
        })))
    }

    pub(super) fn same(
        &self,
        task: usize,
        (head, shape, seen, told): (&Head, &FileShape, bool, Option<&'static str>),
        generation: u32,
        outlet: &Outlet<'_>,
    ) -> std::result::Result<(), Over> {
        let mut source = self.source(generation, head.number);
        // With its hash: what is removed here later cannot be compared line by line.
        source.row.offset = shape.bytes;
        source.row.lines = shape.line_count;
        (source.row.tail_offset, source.row.hash) = shape.whole;
        // What is only known is no beginning to read on from.
        if seen {
            source.row.next_sequence = head.row.next;
        }
        source.row.complete = self.look.still_holds(&self.file);
        source.row.revision = if seen { head.order.revision } else { NOT_SEEN };
        let target = match head.row.key() {
            Ok(key) => Target::Grown(head.number, key),
            Err(error) => {
                let reason = Some(error.to_string());
                return outlet.send(Message::Failed { task, reason });
            }
        };
        if let Some(told) = told {
            outlet.send(Message::Told { task, told })?;
        }
        self.note(task, target, source, outlet)
    }

    /// A content that goes on behind its last record.
    pub(super) fn grown(
        &self,
        store: &dyn IngestStore,
        head: Head,
        behind: Behind,
        generation: u32,
    ) -> Result<Grown> {
        let key = head.row.key().map_err(|error| Error::Corrupt {
            table: "sessions",
            key: format!("session {}", head.number),
            detail: error.to_string(),
        })?;
        let mut source = self.source(generation, head.number);
        source.row.lines = behind.lines;
        source.row.offset = behind.bytes;
        source.row.tail_offset = behind.bytes;
        let tail = if head.order.open {
            store.sources().last_record(head.number)?
        } else {
            None
        };
        // An unterminated last line gives way to what the file has now, so its record is made again.
        let has_removed = head.row.records < head.row.next;
        let stored = Counts::of_row(&head.row);
        let replaced = tail.map(|tail| ReplacedTail {
            sequence: tail.sequence,
            records: vec![(tail.header, tail.line.len() as u64)],
        });
        let builder = SessionBuilder::resume(
            head.row,
            store.sources().course(head.number)?,
            self.dialect,
            replaced,
            self.look.mtime_ns.div_euclid(1000),
        );
        Ok(Grown {
            source,
            key,
            builder,
            hasher: behind.hasher,
            stored,
            order: (head.order, has_removed),
        })
    }

    pub(super) fn read_on(
        mut self,
        task: usize,
        grown: Grown,
        outlet: &Outlet<'_>,
        buffer: &mut Vec<u8>,
    ) -> std::result::Result<(), Over> {
        let Grown {
            mut source,
            key,
            builder,
            hasher,
            stored,
            order,
        } = grown;
        source.row.size = self.look.size;
        self.look.note_in(&mut source.row);
        // Until its end is read: a kill between two parts leaves a file that is gone on with.
        source.row.complete = false;
        source.row.relative = self.relative();
        let target = Target::Grown(source.row.session, key);
        let (offset, lines) = (source.row.tail_offset, source.row.lines);
        let weak = self.weak();
        let making = Making {
            builder,
            hasher: *hasher,
            placed: std::mem::take(&mut self.placed),
            mode: Mode::Follow(Box::new(Follow::on(
                order,
                &source,
                (self.look.mtime_ns, self.skip),
                self.dialect.habits(),
            ))),
            packed_size: self.packed.then_some(self.look.size),
            weak,
            seen: (self.look, self.file.try_clone().ok()),
        };
        let reading = Reading::new((task, self.task), target, source, making);
        match lines_from(&mut self.file, self.packed, offset) {
            Ok(content) => {
                let reader = LineReader::resume(content, offset, lines);
                reading.read(reader, stored, outlet, buffer)
            }
            Err(error) => failed(task, &error, outlet),
        }
    }

    pub(super) fn read_anew(
        mut self,
        task: usize,
        (generation, target): (u32, Target),
        outlet: &Outlet<'_>,
        buffer: &mut Vec<u8>,
    ) -> std::result::Result<(), Over> {
        let builder = SessionBuilder::new(
            &self.wanted,
            self.dialect,
            self.look.mtime_ns.div_euclid(1000),
        );
        let source = self.source(generation, 0);
        let weak = self.weak();
        let follow = Follow::on(
            (FileOrder::none(), false),
            &source,
            (self.look.mtime_ns, self.skip),
            self.dialect.habits(),
        );
        let making = Making {
            builder,
            hasher: Xxh3::new(),
            placed: std::mem::take(&mut self.placed),
            mode: Mode::Follow(Box::new(follow)),
            packed_size: self.packed.then_some(self.look.size),
            weak,
            seen: (self.look, self.file.try_clone().ok()),
        };
        let reading = Reading::new((task, self.task), target, source, making);
        // What was read to find out what it is is not read again, unless it was changed since: it was opened
        // with others.
        let is_known = !self.packed && self.look.still_holds(&self.file);
        let read = if is_known { self.head } else { Vec::new() };
        let start = read.len() as u64;
        match lines_from(&mut self.file, self.packed, start) {
            Ok(content) => {
                let content = io::Cursor::new(read).chain(content);
                reading.read(LineReader::new(content), Counts::default(), outlet, buffer)
            }
            Err(error) => failed(task, &error, outlet),
        }
    }

    /// Reads a file of which some lines are stored, and some new.
    pub(super) fn read_changed(
        mut self,
        task: usize,
        (head, shape, change): (Head, FileShape, Change),
        (store, generation): (&dyn IngestStore, u32),
        outlet: &Outlet<'_>,
        buffer: &mut Vec<u8>,
    ) -> std::result::Result<(), Over> {
        let key = match head.row.key() {
            Ok(key) => key,
            Err(error) => {
                let reason = Some(error.to_string());
                return outlet.send(Message::Failed { task, reason });
            }
        };
        let known = replaced(store, &head, &change)
            .and_then(|replaced| Ok((replaced, store.sources().course(head.number)?)));
        let (replaced, course) = match known {
            Ok(known) => known,
            Err(error) => return outlet.send(Message::Broken(error)),
        };
        let stored = Counts::of_row(&head.row);
        let source = self.source(generation, head.number);
        let target = Target::Grown(head.number, key);
        let weak = self.weak();
        let builder = SessionBuilder::resume(
            head.row.clone(),
            course,
            self.dialect,
            replaced,
            self.look.mtime_ns.div_euclid(1000),
        );
        // Read from its start again: lines that are stored are passed over, and compared with what
        // was decided on.
        let making = Making {
            builder,
            hasher: Xxh3::new(),
            placed: std::mem::take(&mut self.placed),
            mode: Mode::Change(Box::new(Planned {
                old: head.order,
                next: head.row.next,
                shape,
                change,
                has_removed: head.row.records < head.row.next,
            })),
            packed_size: self.packed.then_some(self.look.size),
            weak,
            seen: (self.look, self.file.try_clone().ok()),
        };
        let reading = Reading::new((task, self.task), target, source, making);
        match lines_from(&mut self.file, self.packed, 0) {
            Ok(content) => reading.read(LineReader::new(content), stored, outlet, buffer),
            Err(error) => failed(task, &error, outlet),
        }
    }
}

fn failed(task: usize, error: &io::Error, outlet: &Outlet<'_>) -> std::result::Result<(), Over> {
    let reason = Some(cannot_read(Some(error)));
    outlet.send(Message::Failed { task, reason })
}

/// The open record that a line of the file takes the place of.
fn replaced(store: &dyn IngestStore, head: &Head, change: &Change) -> Result<Option<ReplacedTail>> {
    let completed = change.steps.iter().find_map(|step| match step {
        Step::Completes(sequence) => Some(*sequence),
        _ => None,
    });
    let Some(sequence) = completed else {
        return Ok(None);
    };
    let records = store
        .sources()
        .records(head.number, sequence, sequence + 1)?;
    Ok(records.first().map(|record| ReplacedTail {
        sequence,
        records: vec![(record.header, record.line.len() as u64)],
    }))
}
