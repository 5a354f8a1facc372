//! A file of lines that is open, and known for what it is: which session it is a file of decides what is
//! read of it.

use std::fs::File;
use std::io::{self, BufReader, Read, Seek, SeekFrom};

use xxhash_rust::xxh3::{Xxh3, xxh3_64};

use super::classify;
use super::deleted::{self, Marks};
use super::file_stat::Look;
use super::found::cannot_read;
use super::identify::{Comer, Identified, home_of, identify};
use super::identity::{Change, FileShape, Head, Step};
use super::part::{Message, Part, Target};
use super::reading::{Follow, Making, Mode, Planned, Reading};
use super::resume::{self, Counts, Grown, Resume};
use super::session_names;
use super::tasks::LinesTask;
use super::worker::{Outlet, Over};
use crate::agents::{self, Agent, Candidate, Placed};
use crate::codec::file_order::FileOrder;
use crate::codec::source_row::{SourceKind, SourceRow};
use crate::jsonl::LineReader;
use crate::model::error::{Error, Result};
use crate::model::key::SessionKey;
use crate::store::{IngestStore, ReplacedTail, SessionBuilder, Source, StoredCourse};
use crate::transfer::files::{open, paths};
use crate::transfer::report::{Added, Problems};

/// The revision of a place where the file was not seen as it is.
const NOT_SEEN: u32 = u32::MAX;

/// A file that is open, and known for what it is.
pub(super) struct Opened<'a> {
    task: &'a LinesTask,
    file: File,
    head: Vec<u8>,
    look: Look,
    dialect: &'static dyn Agent,
    wanted: SessionKey,
    /// What the place tells.
    placed: Placed,
    /// How many of its lines its agent says to be hidden.
    skip: Option<u64>,
    /// Whether its lines are compressed.
    packed: bool,
}

/// The lines of a file from a byte of them on, unpacked if need be.
pub(super) fn lines_from(
    file: &mut File,
    packed: bool,
    start: u64,
) -> io::Result<Box<dyn Read + '_>> {
    if !packed {
        file.seek(SeekFrom::Start(start))?;
        return Ok(Box::new(file));
    }
    file.seek(SeekFrom::Start(0))?;
    let mut unpacked = zstd::stream::read::Decoder::new(BufReader::new(file))?;
    io::copy(&mut unpacked.by_ref().take(start), &mut io::sink())?;
    Ok(Box::new(unpacked))
}

impl<'a> Opened<'a> {
    /// Opens a file; `None` if it holds no lines of any known format.
    pub(super) fn open(
        task: &'a LinesTask,
        forced: Option<&'static dyn Agent>,
    ) -> std::result::Result<Option<Self>, String> {
        let unreadable = |error: io::Error| cannot_read(Some(&error));
        let mut file = open::open_regular(&task.file.path).map_err(unreadable)?;
        let metadata = file.metadata().map_err(unreadable)?;
        let packed = classify::is_packed(task.file.name_path());
        let head = if packed {
            let mut head = Vec::new();
            let mut lines = lines_from(&mut file, true, 0).map_err(unreadable)?;
            let limit = classify::HEAD_BYTES as u64;
            lines
                .by_ref()
                .take(limit)
                .read_to_end(&mut head)
                .map_err(unreadable)?;
            head
        } else {
            classify::read_head(&mut file).map_err(unreadable)?
        };
        let name = classify::unpacked_name(task.file.name_path());
        let companion = classify::companion(&name);
        let candidate = Candidate {
            path: &name,
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
        let placed = dialect.placed(&candidate);
        let wanted =
            session_names::key_of(dialect.agent(), &id).map_err(|error| error.to_string())?;
        let look = Look::of(&metadata);
        let skip = companion
            .filter(|_| dialect.habits().counts_hidden)
            .and_then(|bytes| {
                let path = dialect.companion(&name)?;
                dialect.sidecar_facts(&path, &bytes).first()?.skip
            });
        Ok(Some(Self {
            task,
            file,
            head,
            look,
            dialect,
            wanted,
            placed,
            skip,
            packed,
        }))
    }

    /// The name that its session is to have.
    pub(super) fn wanted(&self) -> &SessionKey {
        &self.wanted
    }

    /// What keeps other files of this round from being the same session: its id; where that is not
    /// unique, its id in its folder, and its id with its first line.
    pub(super) fn claims(&self) -> Vec<(SessionKey, Vec<u8>)> {
        if self.dialect.has_unique_ids() {
            return vec![(self.wanted.clone(), Vec::new())];
        }
        let first = self
            .head
            .split(|byte| *byte == b'\n')
            .next()
            .unwrap_or_default();
        let first = [&b"f"[..], &xxh3_64(first).to_be_bytes()].concat();
        let home = home_of(&self.task.file.path);
        vec![(self.wanted.clone(), home), (self.wanted.clone(), first)]
    }

    /// Reads what of it is new. `has_sessions` says whether it may be a session that is there.
    pub(super) fn read(
        mut self,
        task: usize,
        (store, has_sessions, marks): (&dyn IngestStore, bool, &Marks),
        outlet: &Outlet<'_>,
        buffer: &mut Vec<u8>,
    ) -> std::result::Result<(), Over> {
        let found = self.find_out(store, has_sessions);
        let (found, generation) = match found {
            Ok(found) => found,
            Err(Error::Io { source, .. }) => {
                let reason = Some(cannot_read(Some(&source)));
                return outlet.send(Message::Failed { task, reason });
            }
            Err(error) => return outlet.send(Message::Broken(error)),
        };
        match found {
            Found::Resumed(Resume::Touched { mut source, key }) => {
                self.look.note_in(&mut source.row);
                source.row.complete = self.look.still_holds(&self.file);
                source.row.relative = self.relative();
                self.note(task, Target::Grown(source.row.session, key), source, outlet)
            }
            Found::Resumed(Resume::Grown(grown)) => self.read_on(task, *grown, outlet, buffer),
            Found::Resumed(Resume::Other) | Found::Is(Identified::New { of: None })
                if self.is_deleted(marks) =>
            {
                outlet.send(Message::Deleted { task })
            }
            Found::Resumed(Resume::Other) | Found::Is(Identified::New { of: None }) => {
                let target = self.new_target(None);
                self.read_anew(task, (generation, target), outlet, buffer)
            }
            Found::Is(Identified::New { of }) => {
                let target = self.new_target(of);
                self.read_anew(task, (generation, target), outlet, buffer)
            }
            Found::Is(Identified::Same {
                head,
                shape,
                seen,
                told,
            }) => self.same(task, (&head, &shape, seen, told), generation, outlet),
            Found::Is(Identified::Grown { head, behind }) => {
                let grown = self.grown(store, *head, *behind, generation);
                match grown {
                    Ok(grown) => self.read_on(task, grown, outlet, buffer),
                    Err(error) => outlet.send(Message::Broken(error)),
                }
            }
            Found::Is(Identified::Changed {
                head,
                shape,
                change,
            }) => {
                let known = replaced(store, &head, &change)
                    .and_then(|replaced| Ok((replaced, store.sources().course(head.number)?)));
                let (replaced, course) = match known {
                    Ok(known) => known,
                    Err(error) => return outlet.send(Message::Broken(error)),
                };
                self.read_changed(
                    task,
                    (*head, *shape, change),
                    (replaced, course, generation),
                    outlet,
                    buffer,
                )
            }
        }
    }

    /// Whether the session that the file would become was deleted.
    fn is_deleted(&self, marks: &Marks) -> bool {
        marks.passes(&deleted::Comer {
            wanted: &self.wanted,
            path: &paths::to_bytes(&self.task.file.path),
            living: None,
        })
    }

    /// What is to be read, and the generation of its path then.
    fn find_out(&mut self, store: &dyn IngestStore, has_sessions: bool) -> Result<(Found, u32)> {
        let previous = self.task.previous.as_ref();
        let mut generation = previous.map_or(1, |previous| previous.generation);
        if !has_sessions {
            return Ok((Found::Is(Identified::New { of: None }), generation));
        }
        if let Some(previous) = previous.filter(|_| !self.packed) {
            match resume::find_out(store, previous, &mut self.file, self.look.mtime_ns)? {
                Resume::Other => {}
                found => return Ok((Found::Resumed(found), generation)),
            }
        }
        let lives = |previous: &Source| -> Result<bool> {
            Ok(previous.row.kind == SourceKind::Lines
                && store.sources().row(previous.row.session)?.is_some())
        };
        let living = match previous {
            Some(previous) if lives(previous)? => Some(previous),
            _ => None,
        };
        let comer = Comer {
            path: &self.task.file.path,
            agent: self.dialect,
            wanted: &self.wanted,
            previous: living.filter(|living| living.row.agent == self.dialect.agent()),
            mtime_ns: self.look.mtime_ns,
            skip: self.skip,
            packed: self.packed,
        };
        let found = identify(store, &comer, &mut self.file)?;
        // The place of a content that is another session's now is a place of that one's past.
        let number = match &found {
            Identified::New { .. } => None,
            Identified::Same { head, .. }
            | Identified::Grown { head, .. }
            | Identified::Changed { head, .. } => Some(head.number),
        };
        if living.is_some_and(|living| number != Some(living.row.session)) {
            generation += 1;
        }
        Ok((Found::Is(found), generation))
    }

    fn new_target(&self, of: Option<(SessionKey, usize)>) -> Target {
        match of {
            Some((plain, contents)) => Target::New {
                wanted: plain,
                contents,
                is_unique: true,
            },
            None => Target::New {
                wanted: self.wanted.clone(),
                contents: 0,
                is_unique: self.dialect.has_unique_ids(),
            },
        }
    }

    /// Its own id, where that is not unique.
    fn weak(&self) -> Option<SessionKey> {
        (!self.dialect.has_unique_ids()).then(|| self.wanted.clone())
    }

    /// The name of the file below the imported folder, as an export writes it.
    fn relative(&self) -> Vec<u8> {
        let relative = &self.task.file.relative;
        match relative.strip_suffix(classify::PACKED_ENDING.as_bytes()) {
            Some(unpacked) if self.packed => unpacked.to_vec(),
            _ => relative.clone(),
        }
    }

    /// Its state before anything of it was read.
    fn source(&self, generation: u32, session: u64) -> Source {
        Source {
            path: paths::to_bytes(&self.task.file.path),
            generation,
            row: SourceRow {
                agent: self.dialect.agent().to_owned(),
                kind: SourceKind::Lines,
                session,
                name: String::new(),
                relative: self.relative(),
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
        }
    }

    /// Notes where a file lies, of which nothing is read.
    fn note(
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

    fn same(
        &self,
        task: usize,
        (head, shape, seen, told): (&Head, &FileShape, bool, Option<&'static str>),
        generation: u32,
        outlet: &Outlet<'_>,
    ) -> std::result::Result<(), Over> {
        let mut source = self.source(generation, head.number);
        // What is only known is no beginning to read on from.
        if seen {
            source.row.offset = shape.bytes;
            source.row.lines = shape.line_count;
            (source.row.tail_offset, source.row.hash) = shape.whole;
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
    fn grown(
        &self,
        store: &dyn IngestStore,
        head: Head,
        behind: super::identity::shape::Behind,
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
            order: head.order,
        })
    }

    fn read_on(
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
        source.row.complete = false;
        source.row.relative = self.relative();
        let target = Target::Grown(source.row.session, key);
        let (offset, lines) = (source.row.tail_offset, source.row.lines);
        let weak = self.weak();
        let making = Making {
            builder,
            hasher: *hasher,
            placed: std::mem::take(&mut self.placed),
            mode: Mode::Follow(Follow::on(
                order,
                &source,
                (self.look.mtime_ns, self.skip),
                self.dialect.habits(),
            )),
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

    fn read_anew(
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
            FileOrder::none(),
            &source,
            (self.look.mtime_ns, self.skip),
            self.dialect.habits(),
        );
        let making = Making {
            builder,
            hasher: Xxh3::new(),
            placed: std::mem::take(&mut self.placed),
            mode: Mode::Follow(follow),
            packed_size: self.packed.then_some(self.look.size),
            weak,
            seen: (self.look, self.file.try_clone().ok()),
        };
        let reading = Reading::new((task, self.task), target, source, making);
        // What was read to find out what it is is not read again.
        let start = if self.packed {
            0
        } else {
            self.head.len() as u64
        };
        let read = if self.packed { Vec::new() } else { self.head };
        match lines_from(&mut self.file, self.packed, start) {
            Ok(content) => {
                let content = io::Cursor::new(read).chain(content);
                reading.read(LineReader::new(content), Counts::default(), outlet, buffer)
            }
            Err(error) => failed(task, &error, outlet),
        }
    }

    /// Reads a file of which some lines are stored, and some new.
    fn read_changed(
        mut self,
        task: usize,
        (head, shape, change): (Head, FileShape, Change),
        (replaced, course, generation): (Option<ReplacedTail>, StoredCourse, u32),
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
        let making = Making {
            builder,
            hasher: Xxh3::new(),
            placed: std::mem::take(&mut self.placed),
            mode: Mode::Change(Box::new(Planned {
                old: head.order,
                next: head.row.next,
                shape,
                change,
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

/// What is found out of a file.
enum Found {
    /// By what was read at its path before.
    Resumed(Resume),
    /// By its lines.
    Is(Identified),
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
