//! Databases of sessions: their sessions are read and become sessions of lines; the file itself is
//! kept whole up to a bound. Nothing is ever written to it.
//!
//! - Each session has a source of its own, whose path is that of the database, `#`, and the
//!   session's id: what has not changed since costs nothing, and nothing is stored twice.
//! - The database's own source counts its sessions, so that one which was deleted here is noticed.
//! - What was committed may still lie in the file `-wal`: a database is unchanged if both are.

use std::fs;
use std::path::{Path, PathBuf};

use super::database_session;
use super::deleted::Marks;
use super::found::{self, FoundFile};
use super::keep::{self, Failure, Keeper, Opened};
use super::owners::Place;
use super::tasks::DatabaseTask;
use crate::agents::database::{DatabaseSession, each_session};
use crate::model::error::Result;
use crate::store::{Source, Sources};
use crate::transfer::files::paths;

/// Largest file of a database that is kept; a larger one is only read.
pub(super) const DATABASE_BYTES_MAX: u64 = 16 * 1024 * 1024;

/// Reads databases of sessions. In a dry run it only counts.
pub(super) struct DatabaseWriter<'w, 's> {
    /// What files have in common.
    pub keeper: Keeper<'w, 's>,
    /// The sessions of this run.
    pub places: &'w mut Vec<Place>,
}

/// The file beside a database that holds what was committed last, if there is anything in it.
fn log_of(database: &FoundFile) -> Option<FoundFile> {
    let with_ending = |path: &Path| {
        let mut path = path.as_os_str().to_owned();
        path.push("-wal");
        PathBuf::from(path)
    };
    let path = with_ending(&database.path);
    // SQLite makes no link of that name: one leads to a file that is none of the database's.
    let metadata = fs::symlink_metadata(&path).ok()?;
    (metadata.is_file() && metadata.len() > 0).then(|| FoundFile {
        link: database.link.as_deref().map(with_ending),
        relative: [database.relative.as_slice(), b"-wal"].concat(),
        size: metadata.len(),
        mtime_ns: found::mtime_ns(&metadata),
        named: false,
        is_older: database.is_older,
        path,
    })
}

/// Where the sources of a database's sessions begin.
fn prefix(path: &Path) -> Vec<u8> {
    [paths::to_bytes(path).as_slice(), b"#"].concat()
}

/// Whether a database whose file is unchanged has nothing new: no later log, and every session that
/// was read from it is still there.
pub(super) fn has_nothing_new(
    file: &FoundFile,
    source: &Source,
    (sources, marks): (&dyn Sources, &Marks),
) -> Result<bool> {
    if let Some(log) = log_of(file) {
        let known = sources.newest(&paths::to_bytes(&log.path))?;
        let is_known = known
            .is_some_and(|known| known.row.size == log.size && known.row.mtime_ns == log.mtime_ns);
        if !is_known {
            return Ok(false);
        }
    }
    let prefix = prefix(&file.path);
    let there = sources.count_below(&prefix)?;
    // What was deleted is not looked for again, unless it is asked for.
    let is_whole = there == source.row.lines;
    if is_whole && !marks.takes_again() {
        return Ok(true);
    }
    let deleted = marks.of_database(&source.row.agent, &prefix);
    Ok(there + deleted == source.row.lines && (deleted == 0 || !marks.takes_again()))
}

impl DatabaseWriter<'_, '_> {
    /// Takes one database.
    ///
    /// # Errors
    ///
    /// The store's errors. What is wrong with the file goes to the report.
    pub(super) fn keep(&mut self, task: &DatabaseTask) -> Result<()> {
        let done = self.try_keep(task);
        self.keeper.finish(&task.file, done)
    }

    fn try_keep(&mut self, task: &DatabaseTask) -> std::result::Result<(), Failure> {
        let (agent, previous) = (task.agent.agent(), task.previous.as_ref());
        self.keeper.check_state(&task.file, previous)?;
        let log = log_of(&task.file);
        let sessions = match self.read_sessions(task) {
            Ok(sessions) => Some(sessions),
            Err(failure @ (Failure::Store(_) | Failure::Overtaken)) => return Err(failure),
            Err(Failure::File(reason)) => {
                let path = task.file.name_path();
                self.keeper.report.malformed += 1;
                self.keeper.report.add_file_problem(path, reason);
                None
            }
        };
        if let Some(log) = &log {
            let known = self
                .keeper
                .store
                .sources()
                .newest(&paths::to_bytes(&log.path))?;
            self.keep_file((log, agent), known.as_ref(), Some(0))?;
        }
        self.keep_file((&task.file, agent), previous, sessions)
    }

    /// Keeps a file of a database, if it is not too large, and notes its state. `sessions` is how
    /// many were read from it; `None` if that failed, and is to be tried again.
    fn keep_file(
        &mut self,
        (file, agent): (&FoundFile, &str),
        previous: Option<&Source>,
        sessions: Option<u64>,
    ) -> std::result::Result<(), Failure> {
        let mut opened = Opened::open_any(&file.path)?;
        let (size, mtime_ns) = (opened.size, opened.mtime_ns);
        let kept = previous.filter(|previous| !previous.row.name.is_empty());
        let generation = keep::generation(previous, kept.is_some());
        let mut source = if opened.is_same(kept)? {
            let mut source = kept
                .cloned()
                .unwrap_or_else(|| unread(file, agent, generation));
            source.row.relative.clone_from(&file.relative);
            source
        } else if size > DATABASE_BYTES_MAX {
            let reason = format!(
                "has {size} bytes; its sessions are kept, but not the file itself, since it is \
                 larger than {DATABASE_BYTES_MAX} bytes"
            );
            self.keeper
                .report
                .add_file_problem(file.name_path(), reason);
            unread(file, agent, generation)
        } else {
            let content = opened.content(DATABASE_BYTES_MAX)?;
            let name = keep::numbered(paths::to_name(&file.path), generation);
            let (bytes, hash) = self.keeper.write(0, &name, content)?;
            self.keeper.report.attachments += 1;
            self.keeper.report.attachment_bytes += size;
            let about = (agent, 0, name);
            keep::source_of(file, generation, about, (bytes, hash, mtime_ns))
        };
        source.row.size = size;
        source.row.mtime_ns = mtime_ns;
        source.row.lines = sessions.unwrap_or(0);
        source.row.complete = sessions.is_some();
        self.keeper.note(&source)
    }

    fn read_sessions(&mut self, task: &DatabaseTask) -> std::result::Result<u64, Failure> {
        let name = task.file.name_path();
        let opens = task.agent.databases();
        let Some(open) = opens.and_then(|databases| databases.opens(name)) else {
            let reason = format!(
                "is kept without its sessions: this build cannot read databases of {}",
                task.agent.title()
            );
            return Err(Failure::File(reason));
        };
        let (mut sessions, mut is_ours) = (0, false);
        let mut visit = |mut session: DatabaseSession| {
            for reason in std::mem::take(&mut session.problems) {
                let reason = format!("session `{}`: {reason}", session.id);
                let path = task.file.name_path();
                self.keeper.report.add_file_problem(path, reason);
            }
            match database_session::take(&mut self.keeper, self.places, task, &session) {
                Ok(is_its) => sessions += u64::from(is_its),
                Err(Failure::File(reason)) => {
                    let path = task.file.name_path();
                    let reason = format!("session `{}`: {reason}", session.id);
                    self.keeper.report.add_skipped(path, reason);
                }
                Err(Failure::Overtaken) => {
                    let path = task.file.name_path();
                    let reason = format!("session `{}`: {}", session.id, keep::OVERTAKEN);
                    self.keeper.report.add_file_problem(path, reason);
                }
                Err(Failure::Store(error)) => {
                    is_ours = true;
                    return Err(error);
                }
            }
            Ok(())
        };
        let read = open(&task.file.path)
            .and_then(|mut database| each_session(database.as_mut(), &mut visit));
        match read {
            Ok(left_out) => {
                for reason in left_out {
                    let path = task.file.name_path();
                    self.keeper.report.add_file_problem(path, reason);
                }
                Ok(sessions)
            }
            Err(error) if is_ours => Err(Failure::Store(error)),
            Err(error) => {
                let cause = std::error::Error::source(&error);
                let cause = cause.map_or_else(String::new, |cause| format!(": {cause}"));
                let reason = format!("its sessions cannot be read, or not all: {error}{cause}");
                Err(Failure::File(reason))
            }
        }
    }
}

/// The state of a file of which nothing is kept.
fn unread(file: &FoundFile, agent: &str, generation: u32) -> Source {
    let about = (agent, 0, String::new());
    keep::source_of(file, generation, about, (0, 0, 0))
}
