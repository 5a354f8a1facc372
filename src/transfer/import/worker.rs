//! Reads files of lines away from the store: several workers take files from one queue, and hand
//! packed chunks to the one writer.
//!
//! Memory is bounded: a worker holds one chunk, and there is [`Room`] for some on their way.

use std::collections::VecDeque;
use std::fs::File;
use std::io::{Read, Seek, SeekFrom};
use std::path::Path;
use std::sync::mpsc::Sender;
use std::sync::{Mutex, PoisonError};

use xxhash_rust::xxh3::Xxh3;

use super::classify;
use super::file_stat::Look;
use super::found::cannot_read;
use super::part::{Message, Part, Target};
use super::resume::{self, Counts, Grown, Resume};
use super::room::Room;
use super::session_names;
use super::tasks::LinesTask;
use crate::agents::{self, Agent, Candidate};
use crate::codec::source_row::{SourceKind, SourceRow};
use crate::jsonl::{Line, LineReader};
use crate::model::error::Error;
use crate::model::key::SessionKey;
use crate::store::{IngestStore, SessionBuilder, Source};
use crate::transfer::files::{open, paths};
use crate::transfer::report::{Added, ImportProblem, Problems};

/// Bytes of lines in a chunk, unless a single line is longer.
const CHUNK_BYTES: u64 = 4 * 1024 * 1024;

/// The way to the writer.
#[derive(Clone, Debug)]
pub(super) struct Outlet<'r> {
    /// The channel.
    pub sender: Sender<Message>,
    /// Room in it.
    pub room: &'r Room,
}

impl Outlet<'_> {
    fn send(&self, message: Message) -> std::result::Result<(), Over> {
        if self.room.take(message.room()) && self.sender.send(message).is_ok() {
            Ok(())
        } else {
            Err(Over)
        }
    }
}

/// The files that are still to be read.
pub(super) struct Queue<'a> {
    waiting: Mutex<VecDeque<(usize, &'a LinesTask)>>,
    store: &'a dyn IngestStore,
    forced: Option<&'static dyn Agent>,
}

/// An end of the channel to the writer was dropped: the import is over.
struct Over;

impl<'a> Queue<'a> {
    /// All files, in their order.
    pub(super) fn new(
        tasks: &'a [LinesTask],
        store: &'a dyn IngestStore,
        forced: Option<&'static dyn Agent>,
    ) -> Self {
        Self {
            waiting: Mutex::new(tasks.iter().enumerate().collect()),
            store,
            forced,
        }
    }

    /// Reads files until none are left or nobody listens any more.
    pub(super) fn work(&self, outlet: &Outlet<'_>) {
        // Its pages are touched once, and not for each file.
        let mut buffer = Vec::new();
        while let Some((task, next)) = self.next(outlet) {
            if next.read(task, self.store, outlet, &mut buffer).is_err() {
                return;
            }
        }
    }

    /// The next file. Opening it, and telling the writer its session's name, happens under the
    /// lock, so that the writer hears the names in the order of the files.
    fn next(&self, outlet: &Outlet<'_>) -> Option<(usize, Opened<'a>)> {
        let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        loop {
            let (number, task) = waiting.pop_front()?;
            let message = match Opened::open(task, self.forced) {
                Ok(Some(opened)) if task.previous.is_some() => return Some((number, opened)),
                Ok(Some(opened)) => {
                    let wanted = opened.wanted.clone();
                    outlet
                        .send(Message::Started {
                            task: number,
                            wanted,
                        })
                        .ok()?;
                    return Some((number, opened));
                }
                Ok(None) => Message::Failed {
                    task: number,
                    reason: None,
                },
                Err(reason) => Message::Failed {
                    task: number,
                    reason: Some(reason),
                },
            };
            outlet.send(message).ok()?;
        }
    }
}

/// A file that is open, and known for what it is.
struct Opened<'a> {
    task: &'a LinesTask,
    file: File,
    head: Vec<u8>,
    look: Look,
    dialect: &'static dyn Agent,
    wanted: SessionKey,
    /// The project, where the lines tell none.
    project: Option<String>,
}

impl<'a> Opened<'a> {
    /// Opens a file; `None` if it holds no lines of any known format.
    fn open(
        task: &'a LinesTask,
        forced: Option<&'static dyn Agent>,
    ) -> std::result::Result<Option<Self>, String> {
        let unreadable = |error: std::io::Error| cannot_read(Some(&error));
        let mut file = open::open_regular(&task.file.path).map_err(unreadable)?;
        let metadata = file.metadata().map_err(unreadable)?;
        let head = classify::read_head(&mut file).map_err(unreadable)?;
        let companion = classify::companion(task.file.name_path());
        let candidate = Candidate {
            path: task.file.name_path(),
            head: &head,
            companion: companion.as_deref(),
        };
        let recognised = if task.file.named {
            agents::recognise
        } else {
            agents::recognise_found
        };
        let Some(dialect) = forced.or_else(|| recognised(&candidate)) else {
            return Ok(None);
        };
        let id = dialect.session_id(&candidate);
        let project = dialect.project(&candidate);
        let wanted =
            session_names::key_of(dialect.agent(), &id).map_err(|error| error.to_string())?;
        let look = Look::of(&metadata);
        Ok(Some(Self {
            task,
            file,
            head,
            look,
            dialect,
            wanted,
            project,
        }))
    }

    fn read(
        mut self,
        task: usize,
        store: &dyn IngestStore,
        outlet: &Outlet<'_>,
        buffer: &mut Vec<u8>,
    ) -> std::result::Result<(), Over> {
        let resumed = match &self.task.previous {
            Some(previous) => resume::find_out(store, previous, &mut self.file, self.look.mtime_ns),
            None => Ok(Resume::Anew {
                generation: 1,
                replaces: None,
            }),
        };
        let resume = match resumed {
            Ok(resume) => resume,
            Err(Error::Io { source, .. }) => {
                let reason = Some(cannot_read(Some(&source)));
                return outlet.send(Message::Failed { task, reason });
            }
            Err(error) => return outlet.send(Message::Broken(error)),
        };
        match resume {
            Resume::Touched { mut source, key } => {
                self.look.note_in(&mut source.row);
                source.row.complete = self.look.still_holds(&self.file);
                source.row.relative.clone_from(&self.task.file.relative);
                let part = Part {
                    task,
                    room: 0,
                    target: Target::Grown(source.row.session, key),
                    chunk: None,
                    source,
                    added: Added::default(),
                    problems: Problems::default(),
                    last: true,
                };
                outlet.send(Message::Part(Box::new(part)))
            }
            Resume::Grown(grown) => {
                let Grown {
                    mut source,
                    key,
                    builder,
                    hasher,
                    stored,
                } = *grown;
                source.row.size = self.look.size;
                self.look.note_in(&mut source.row);
                source.row.complete = false;
                source.row.relative.clone_from(&self.task.file.relative);
                let target = Target::Grown(source.row.session, key);
                let state = &source.row;
                let reader = LineReader::resume(&self.file, state.tail_offset, state.lines);
                let making = (builder, hasher, self.project);
                let opened = (&self.file, self.look);
                Reading::new((task, self.task), opened, target, source, making)
                    .read(reader, stored, outlet, buffer)
            }
            Resume::Anew {
                generation,
                replaces,
            } => self.read_anew(task, (generation, replaces), outlet, buffer),
        }
    }

    fn read_anew(
        mut self,
        task: usize,
        (generation, replaces): (u32, Option<SessionKey>),
        outlet: &Outlet<'_>,
        buffer: &mut Vec<u8>,
    ) -> std::result::Result<(), Over> {
        let start = self.head.len() as u64;
        if let Err(error) = self.file.seek(SeekFrom::Start(start)) {
            let reason = Some(cannot_read(Some(&error)));
            return outlet.send(Message::Failed { task, reason });
        }
        let builder = SessionBuilder::new(
            &self.wanted,
            self.dialect,
            self.look.mtime_ns.div_euclid(1000),
        );
        let source = Source {
            path: paths::to_bytes(&self.task.file.path),
            generation,
            row: SourceRow {
                agent: self.dialect.agent().to_owned(),
                kind: SourceKind::Lines,
                session: 0,
                name: String::new(),
                relative: self.task.file.relative.clone(),
                size: self.look.size,
                mtime_ns: self.look.mtime_ns,
                offset: 0,
                lines: 0,
                tail_offset: 0,
                hash: 0,
                next_sequence: 0,
                complete: false,
                revision: 0,
                inode: self.look.inode,
                changed_ns: self.look.changed_ns,
            },
        };
        let target = Target::New {
            wanted: self.wanted,
            replaces,
        };
        let content = std::io::Cursor::new(self.head).chain(&self.file);
        let making = (builder, Xxh3::new(), self.project);
        let opened = (&self.file, self.look);
        Reading::new((task, self.task), opened, target, source, making).read(
            LineReader::new(content),
            Counts::default(),
            outlet,
            buffer,
        )
    }
}

/// A file while its lines are read.
struct Reading<'a> {
    task: usize,
    path: &'a Path,
    file: &'a File,
    /// What was seen of it when it was opened.
    look: Look,
    target: Target,
    source: Source,
    builder: SessionBuilder,
    hasher: Xxh3,
    /// The project, where the lines tell none.
    project: Option<String>,
    problems: Problems,
    /// Malformed records before the first line that is read.
    malformed: u64,
}

impl<'a> Reading<'a> {
    fn new(
        (task, lines): (usize, &'a LinesTask),
        (file, look): (&'a File, Look),
        target: Target,
        source: Source,
        (builder, hasher, project): (SessionBuilder, Xxh3, Option<String>),
    ) -> Self {
        let path = lines.file.name_path();
        let (problems, malformed) = (Problems::default(), builder.row().malformed);
        Self {
            task,
            path,
            file,
            look,
            target,
            source,
            builder,
            hasher,
            project,
            problems,
            malformed,
        }
    }

    /// Reads to the end, and hands over a part whenever enough has come together.
    fn read<R: Read>(
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
                Ok(Some(line)) => self.take(&line),
                Ok(None) => break None,
                Err(error) => break Some(error),
            }
            if self.builder.pending_bytes() >= CHUNK_BYTES {
                self.send(stored, false, outlet)?;
                if turn.is_some() {
                    outlet.room.settle();
                }
            }
            turn = turn.filter(|_| reader.holds_much());
        };
        // It holds no long line any more: another worker may.
        *buffer = reader.into_buffer();
        drop(turn);
        let Some(error) = failure else {
            self.source.row.size = self.source.row.offset;
            // What changed meanwhile is looked at again.
            self.source.row.complete = self.look.still_holds(self.file);
            if let Some(project) = &self.project {
                self.builder.offer_project(project);
            }
            return self.send(stored, true, outlet);
        };
        // What was read is kept, and the next import goes on there.
        if self.source.row.offset > 0 {
            self.send(stored, false, outlet)?;
        }
        let (task, reason) = (self.task, Some(cannot_read(Some(&error))));
        outlet.send(Message::Failed { task, reason })
    }

    fn take(&mut self, line: &Line<'_>) {
        self.source.row.offset = line.offset + line.bytes.len() as u64;
        self.source.row.lines = line.number;
        if line.terminated || line.continues {
            self.hasher.update(line.bytes);
            self.source.row.tail_offset = self.source.row.offset;
        } else {
            self.source.row.tail_offset = line.offset;
        }
        if let Some(reason) = self.builder.push(line) {
            let (path, line, offset) = (self.path.to_owned(), Some(line.number), Some(line.offset));
            self.problems.add(ImportProblem {
                path,
                line,
                offset,
                reason,
            });
        }
    }

    /// Hands over what was read since the last part.
    fn send(
        &mut self,
        stored: Counts,
        last: bool,
        outlet: &Outlet<'_>,
    ) -> std::result::Result<(), Over> {
        let now = Counts::of(&self.builder);
        self.source.row.hash = self.hasher.digest128();
        self.source.row.next_sequence = self.builder.row().next;
        let chunk = self.builder.take_chunk();
        let part = Part {
            task: self.task,
            room: chunk.bytes(),
            target: self.target.clone(),
            chunk: Some(chunk),
            source: self.source.clone(),
            added: Added {
                records: now.records.saturating_sub(stored.records),
                messages: now.messages.saturating_sub(stored.messages),
                bytes: now.bytes.saturating_sub(stored.bytes),
                malformed: self.builder.row().malformed.saturating_sub(self.malformed),
            },
            problems: std::mem::take(&mut self.problems),
            last,
        };
        outlet.send(Message::Part(Box::new(part)))
    }
}
