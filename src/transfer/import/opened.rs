//! A file of lines that is open, and known for what it is: the session that it belongs to decides
//! what is read of it.

use std::fs::File;
use std::io::{self, Read};

use xxhash_rust::xxh3::xxh3_64;

use super::classify;
use super::deleted::{self, Marks};
use super::file_stat::Look;
use super::first_lines::begins_with;
use super::found::cannot_read;
use super::homes::home_of;
use super::identify::{Comer, Identified, Input, identify};
use super::outlet::{Outlet, Over};
use super::part::{Message, Target};
use super::resume::{self, Resume};
use super::session_names;
use super::tasks::LinesTask;
use super::unpacked::{PACKED_ENDING, is_packed, lines_from, unpacked_name};
use crate::agents::{self, Agent, Candidate, Placed};
use crate::codec::source_row::{SourceKind, SourceRow};
use crate::jsonl::LineReader;
use crate::model::error::{Error, Result};
use crate::model::key::SessionKey;
use crate::store::{IngestStore, Source};
use crate::transfer::files::{open, paths};

/// A file that is open, and known for what it is.
pub(super) struct Opened<'a> {
    pub(super) task: &'a LinesTask,
    pub(super) file: File,
    pub(super) head: Vec<u8>,
    pub(super) look: Look,
    pub(super) dialect: &'static dyn Agent,
    pub(super) wanted: SessionKey,
    /// What the place tells.
    pub(super) placed: Placed,
    /// How many of its lines its agent says to be hidden.
    pub(super) skip: Option<u64>,
    /// Whether its lines are compressed.
    pub(super) packed: bool,
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
        let packed = is_packed(task.file.name_path());
        let head = if packed {
            let mut head = Vec::new();
            let mut lines = lines_from(&mut file, true, 0).map_err(unreadable)?;
            let limit = classify::HEAD_BYTES as u64;
            // What comes before a damage is read.
            match lines.by_ref().take(limit).read_to_end(&mut head) {
                Err(error) if head.is_empty() => return Err(unreadable(error)),
                _ => head,
            }
        } else {
            classify::read_head(&mut file, metadata.len()).map_err(unreadable)?
        };
        let name = unpacked_name(task.file.name_path());
        let companion = classify::companion(&name);
        let candidate = Candidate::new(&name, &head).beside(companion.as_deref());
        // In a folder the rules of the home that a file lies in decide; a file that is named is
        // taken wherever it lies.
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
        // Known before the lines are compared: the agent's count of hidden lines says how much of
        // them it may have dropped.
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
        let found = self.find_out(store, has_sessions, buffer);
        let (found, generation) = match found {
            Ok(found) => found,
            Err(Error::Io { source, .. }) => {
                let reason = Some(cannot_read(Some(&source)));
                return outlet.send(Message::Failed { task, reason });
            }
            Err(error) => return outlet.send(Message::Broken(error)),
        };
        // Before the choice below, since the first lines may say that the session was deleted.
        if let Err(error) = self.meet_marks(&found, marks) {
            let reason = Some(cannot_read(Some(&error)));
            return outlet.send(Message::Failed { task, reason });
        }
        match found {
            Found::Resumed(Resume::Touched { mut source, key }) => {
                self.look.note_in(&mut source.row);
                source.row.complete = self.look.still_holds(&self.file);
                source.row.relative = self.relative();
                let target = Target::Grown(source.row.session, key);
                self.note(task, target, *source, outlet)
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
            // A content may have been deleted while others of its id stayed.
            Found::Is(Identified::New { .. }) if marks.passes_content(&self.path_bytes()) => {
                outlet.send(Message::Deleted { task })
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
                let changed = (*head, *shape, change);
                self.read_changed(task, changed, (store, generation), outlet, buffer)
            }
        }
    }

    fn path_bytes(&self) -> Vec<u8> {
        paths::to_bytes(&self.task.file.path)
    }

    /// Reads the first lines of a file that would be a session, or another content of one, if any of its
    /// name was deleted that is known by them.
    fn meet_marks(&mut self, found: &Found, marks: &Marks) -> io::Result<()> {
        let name = match found {
            Found::Is(Identified::New {
                of: Some((plain, _)),
            }) => plain,
            Found::Resumed(Resume::Other) | Found::Is(Identified::New { of: None }) => &self.wanted,
            _ => return Ok(()),
        };
        let wanted = marks.lines_of(name);
        if wanted.is_empty() {
            return Ok(());
        }
        let lines = LineReader::new(lines_from(&mut self.file, self.packed, 0)?);
        let begins = begins_with(lines, self.dialect.habits(), wanted)?;
        marks.begins(&self.path_bytes(), begins);
        Ok(())
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
    fn find_out(
        &mut self,
        store: &dyn IngestStore,
        has_sessions: bool,
        buffer: &mut Vec<u8>,
    ) -> Result<(Found, u32)> {
        let previous = self.task.previous.as_ref();
        // What was kept whole stays beside the session that its file is now.
        let mut generation = previous.map_or(1, |previous| {
            previous.generation + u32::from(previous.row.kind == SourceKind::Attachment)
        });
        // Nothing is stored that it could be: a first import looks nothing up.
        if !has_sessions {
            return Ok((Found::Is(Identified::New { of: None }), generation));
        }
        // A compressed file has no byte at which it could be read on.
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
        // It was opened with others, and may have been changed while those were read.
        let is_whole = !self.packed
            && self.head.len() as u64 == self.look.size
            && self.look.still_holds(&self.file);
        let mut input = Input {
            file: &mut self.file,
            whole: is_whole.then_some(self.head.as_slice()),
            buffer,
        };
        let found = identify(store, &comer, &mut input)?;
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
    pub(super) fn weak(&self) -> Option<SessionKey> {
        (!self.dialect.has_unique_ids()).then(|| self.wanted.clone())
    }

    /// The name of the file below the imported folder, as an export writes it.
    pub(super) fn relative(&self) -> Vec<u8> {
        let relative = &self.task.file.relative;
        match relative.strip_suffix(PACKED_ENDING.as_bytes()) {
            Some(unpacked) if self.packed => unpacked.to_vec(),
            _ => relative.clone(),
        }
    }

    /// Its state before anything of it was read.
    pub(super) fn source(&self, generation: u32, session: u64) -> Source {
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
}

/// What is found out of a file.
enum Found {
    /// By what was read at its path before.
    Resumed(Resume),
    /// By its lines.
    Is(Identified),
}
