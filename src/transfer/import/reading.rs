//! A file while its lines are read: which of them become records, and what the file's order is then.

use std::fs::File;
use std::io::Read;
use std::path::Path;

use xxhash_rust::xxh3::Xxh3;

use super::file_stat::Look;
use super::found::cannot_read;
use super::identity::shape::{Mark, digest_of_first, first_lines, mark_of};
use super::identity::{COMMON_BYTES, COMMON_LINES, Change, EARLIER_MAX, FileShape, Step};
use super::outlet::{Outlet, Over};
use super::part::{FileState, Message, Part, Target};
use super::resume::Counts;
use super::tasks::LinesTask;
use crate::agents::Placed;
use crate::agents::habits::{Habits, LineRole};
use crate::codec::chain::{Chain, digest_of};
use crate::codec::file_order::{FileOrder, Run, push_run, source_id};
use crate::jsonl::{Line, LineReader};
use crate::model::key::SessionKey;
use crate::store::{SessionBuilder, Source};
use crate::transfer::report::{Added, ImportProblem, Problems};

/// Bytes of lines in a chunk, unless a single line is longer.
const CHUNK_BYTES: u64 = 4 * 1024 * 1024;

/// Why a file is left for another time: its lines are no longer those that were compared.
const CHANGED: &str = "was changed while it was read; import again";

/// What is made of a file.
pub(super) struct Making {
    /// Its session's builder.
    pub builder: SessionBuilder,
    /// The hash of the bytes before the first line that is read.
    pub hasher: Xxh3,
    /// What the place tells.
    pub placed: Placed,
    /// Which lines become records.
    pub mode: Mode,
    /// The size of a file that is compressed.
    pub packed_size: Option<u64>,
    /// The id that the file has by itself, where that is not unique.
    pub weak: Option<SessionKey>,
    /// What was seen of the file when it was opened, and the file.
    pub seen: (Look, Option<File>),
}

/// Which lines of a file become records.
pub(super) enum Mode {
    /// All that are read.
    Follow(Box<Follow>),
    /// Those that a comparison has found to be new.
    Change(Box<Planned>),
}

/// A file order that goes on behind what was stored of the file.
pub(super) struct Follow {
    before: FileOrder,
    now: FileOrder,
    /// The number of the first record that is read; `None` before the first.
    first: Option<u64>,
    habits: Habits,
    /// The chain over compared lines, where it is not that of all lines.
    chain: Option<Chain>,
    /// Marks and bytes of the first compared lines, of a file that is read from its start.
    start: Vec<Mark>,
    start_bytes: u64,
}

/// A file of which every line has been compared.
pub(super) struct Planned {
    /// The order of the file as it was.
    pub old: FileOrder,
    /// The session's next sequence number then.
    pub next: u64,
    /// The file.
    pub shape: FileShape,
    /// What becomes of it.
    pub change: Change,
    /// Whether records of the session were removed here.
    pub has_removed: bool,
}

impl Follow {
    /// Behind the file order of a session; of a new one, from its beginning.
    pub(super) fn on(
        (before, has_removed): (FileOrder, bool),
        source: &Source,
        (mtime_ns, skip): (i64, Option<u64>),
        habits: Habits,
    ) -> Self {
        let mut now = before.clone();
        now.revision = before.revision.saturating_add(1);
        now.place = Some(source_id(&source.path, source.generation));
        now.mtime_ns = before.mtime_ns.max(mtime_ns);
        now.skip = skip.unwrap_or(before.skip);
        if before.open
            && let Some(run) = now.runs.pop()
            && run.first < run.last
        {
            // The open line is read again, as what it has become.
            let last = run.last - 1;
            now.runs.push(Run { last, ..run });
        }
        now.open = false;
        let was = (before.lines, before.digest);
        if has_removed && !now.earlier.contains(&was) {
            // What was removed here cannot be compared line by line any more.
            now.earlier.push(was);
            let more = now.earlier.len().saturating_sub(EARLIER_MAX);
            now.earlier.drain(..more);
        }
        let chain = habits.role.is_some().then_some(Chain {
            from: 0,
            records: before.lines,
            rewrites: 0,
            digest: before.digest,
        });
        Self {
            before,
            now,
            first: None,
            habits,
            chain,
            start: Vec::new(),
            start_bytes: 0,
        }
    }

    /// Takes the next line, which becomes the record of this number.
    fn take(&mut self, line: &Line<'_>, sequence: u64) {
        self.first.get_or_insert(sequence);
        self.now.open = !line.terminated && !line.continues;
        // Neither counted nor chained before it has its end: it may get longer.
        if self.now.open {
            return;
        }
        let is_piece = line.continues || line.continued;
        if let Some(role) = self.habits.role.filter(|_| !is_piece)
            && role(line.bytes) == LineRole::Frame
        {
            return;
        }
        self.now.lines += 1;
        if self.before.lines == 0 {
            self.start_bytes += line.bytes.len() as u64;
        }
        // Only where a file is read from its start: by its first lines a copy in another folder is
        // known.
        let wants_start = self.before.lines == 0 && self.start.len() < COMMON_LINES;
        if wants_start || self.chain.is_some() {
            let digest = digest_of(line.bytes);
            if let Some(chain) = &mut self.chain {
                chain.push(&digest);
            }
            if wants_start {
                self.start.push(mark_of(&digest));
            }
        }
    }

    /// The state of the file when the session has so many records.
    fn state(&self, next: u64, weak: Option<SessionKey>) -> FileState {
        let mut order = self.now.clone();
        order.next = next.max(order.next);
        if let Some(first) = self.first.filter(|first| *first < next) {
            push_run(
                &mut order.runs,
                Run {
                    first,
                    last: next - 1,
                },
            );
        }
        let digest = self.chain.map(|chain| chain.digest);
        FileState {
            seen: (self.before.place.is_some()).then(|| self.before.clone()),
            order,
            digest,
            weak: weak.map(|wanted| (wanted, self.first_lines())),
        }
    }

    /// The digest of the first lines, if they are enough to tell the file from others.
    fn first_lines(&self) -> Option<[u8; 16]> {
        let is_enough = self.start.len() == COMMON_LINES && self.start_bytes >= COMMON_BYTES;
        is_enough.then(|| digest_of_first(&self.start))
    }
}

/// A file while its lines are read.
pub(super) struct Reading<'a> {
    task: usize,
    path: &'a Path,
    target: Target,
    source: Source,
    making: Making,
    problems: Problems,
    /// Malformed records before the first line that is read.
    malformed: u64,
    /// Lines that were read.
    at: usize,
}

impl<'a> Reading<'a> {
    /// Of a file, for a session.
    pub(super) fn new(
        (task, lines): (usize, &'a LinesTask),
        target: Target,
        source: Source,
        making: Making,
    ) -> Self {
        let path = lines.file.name_path();
        let (problems, malformed) = (Problems::default(), making.builder.row().malformed);
        Self {
            task,
            path,
            target,
            source,
            making,
            problems,
            malformed,
            at: 0,
        }
    }

    /// Reads to the end, and hands over a part whenever enough has come together.
    pub(super) fn read<R: Read>(
        mut self,
        reader: LineReader<R>,
        stored: Counts,
        outlet: &Outlet<'_>,
        buffer: &mut Vec<u8>,
    ) -> std::result::Result<(), Over> {
        let mut reader = reader.with_buffer(std::mem::take(buffer));
        let mut turn = None;
        let failure = loop {
            let mut wait = || {
                turn.get_or_insert_with(|| outlet.room.turn());
            };
            match reader.next_line_after(&mut wait) {
                Ok(Some(line)) => {
                    if !self.take(&line) {
                        break Some(CHANGED.to_owned());
                    }
                }
                Ok(None) => break None,
                Err(error) => break Some(cannot_read(Some(&error))),
            }
            if self.making.builder.pending_bytes() >= CHUNK_BYTES {
                self.send(stored, false, outlet)?;
                // This worker's next long line would be in memory beside the one that is not
                // written yet.
                if turn.is_some() {
                    outlet.room.settle();
                }
            }
            turn = turn.filter(|_| reader.holds_much());
        };
        // It holds no long line any more: another worker may.
        *buffer = reader.into_buffer();
        drop(turn);
        let failure = failure.or_else(|| self.is_cut().then(|| CHANGED.to_owned()));
        let Some(reason) = failure else {
            self.source.row.size = self.making.packed_size.unwrap_or(self.source.row.offset);
            // What changed meanwhile is looked at again.
            let (look, file) = &self.making.seen;
            self.source.row.complete = file.as_ref().is_none_or(|file| look.still_holds(file));
            self.making.builder.offer_placed(&self.making.placed);
            return self.send(stored, true, outlet);
        };
        // What was read is kept, and the next import goes on there.
        if self.source.row.offset > 0 {
            self.send(stored, false, outlet)?;
        }
        let (task, reason) = (self.task, Some(reason));
        outlet.send(Message::Failed { task, reason })
    }

    /// Whether a file that was compared has fewer lines now.
    fn is_cut(&self) -> bool {
        match &self.making.mode {
            Mode::Follow(_) => false,
            Mode::Change(planned) => self.at != planned.change.steps.len(),
        }
    }

    /// Takes a line; returns whether it is the one that was expected.
    fn take(&mut self, line: &Line<'_>) -> bool {
        let is_record = match &mut self.making.mode {
            Mode::Follow(follow) => {
                follow.take(line, self.making.builder.row().next);
                true
            }
            Mode::Change(planned) => {
                let lines = planned.shape.lines.as_deref().unwrap_or_default();
                let (Some(shape), Some(step)) =
                    (lines.get(self.at), planned.change.steps.get(self.at))
                else {
                    return false;
                };
                // The file was changed since it was compared: what was decided for its lines is of
                // another file.
                if shape.mark != mark_of(&digest_of(line.bytes)) {
                    return false;
                }
                matches!(step, Step::New | Step::Kept | Step::Completes(_))
            }
        };
        self.at += 1;
        self.source.row.offset = line.offset + line.bytes.len() as u64;
        self.source.row.lines = line.number;
        if line.terminated || line.continues {
            self.making.hasher.update(line.bytes);
            self.source.row.tail_offset = self.source.row.offset;
        } else {
            // The next import reads an open line again from its start.
            self.source.row.tail_offset = line.offset;
        }
        if is_record && let Some(reason) = self.making.builder.push(line) {
            let (path, line, offset) = (self.path.to_owned(), Some(line.number), Some(line.offset));
            self.problems.add(ImportProblem {
                path,
                line,
                offset,
                reason,
            });
        }
        true
    }

    /// Hands over what was read since the last part.
    fn send(
        &mut self,
        stored: Counts,
        last: bool,
        outlet: &Outlet<'_>,
    ) -> std::result::Result<(), Over> {
        let builder = &mut self.making.builder;
        let now = Counts::of(builder);
        self.source.row.hash = self.making.hasher.digest128();
        self.source.row.next_sequence = builder.row().next;
        let next = builder.row().next;
        let chunk = builder.take_chunk();
        let malformed = builder.row().malformed;
        let weak = self.making.weak.clone();
        let (file, source) = match &self.making.mode {
            Mode::Follow(follow) => (Some(follow.state(next, weak)), Some(self.source.clone())),
            // Until all of it is there, the file is what it was, and what came of it is hidden.
            Mode::Change(planned) if !last => (Some(planned.on_the_way(next)), None),
            Mode::Change(planned) => {
                let (state, mut source) =
                    (planned.state(&self.source, next, weak), self.source.clone());
                // The content's file lies elsewhere: nothing is to be read on from this place.
                if planned.change.keeps_order {
                    source.row.next_sequence = 0;
                }
                (Some(state), Some(source))
            }
        };
        let source = source.map(|mut source| {
            let order = file.as_ref().map(|file: &FileState| &file.order);
            let kept =
                matches!(&self.making.mode, Mode::Change(planned) if planned.change.keeps_order);
            source.row.revision = if kept {
                u32::MAX
            } else {
                order.map_or(0, |order| order.revision)
            };
            source
        });
        let part = Part {
            task: self.task,
            room: chunk.bytes(),
            target: self.target.clone(),
            chunk: Some(chunk),
            file,
            source,
            added: Added {
                records: now.records.saturating_sub(stored.records),
                messages: now.messages.saturating_sub(stored.messages),
                bytes: now.bytes.saturating_sub(stored.bytes),
                malformed: malformed.saturating_sub(self.malformed),
            },
            problems: std::mem::take(&mut self.problems),
            last,
            offset: self.source.row.offset,
        };
        outlet.send(Message::Part(Box::new(part)))
    }
}

impl Planned {
    /// The state of the file when some of its new lines are records: as it was. They are not taken for
    /// something that was appended here, and come back when all of the file does.
    fn on_the_way(&self, next: u64) -> FileState {
        FileState {
            seen: self.old.place.is_some().then(|| self.old.clone()),
            digest: Some(self.old.digest),
            order: FileOrder {
                next,
                here: self.old.here_before(self.next),
                ..self.old.clone()
            },
            weak: None,
        }
    }

    /// The state of the file when all new lines are records, of a session that has so many then.
    fn state(&self, source: &Source, then: u64, weak: Option<SessionKey>) -> FileState {
        let mut order = self.change.order(
            (&self.old, self.next),
            &self.shape,
            (then, self.has_removed),
        );
        if !self.change.keeps_order {
            order.place = Some(source_id(&source.path, source.generation));
        }
        FileState {
            seen: self.old.place.is_some().then(|| self.old.clone()),
            digest: Some(order.digest),
            order,
            weak: weak.map(|wanted| (wanted, first_lines(&self.shape))),
        }
    }
}
