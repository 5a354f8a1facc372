//! Databases of sessions: their sessions are read and become sessions of lines. The file itself is never
//! kept: tables that nobody reads may hold credentials. Nothing is ever written to it.
//!
//! - Each session has a source of its own, whose path is that of the database, `#`, and the
//!   session's id: what has not changed since costs nothing, and nothing is stored twice.
//! - The database's own source counts its sessions, so that one which was deleted here is noticed.
//! - What was committed may still lie in a file beside it: a database is unchanged if both are.

use std::collections::HashSet;
use std::fs;
use std::path::Path;

use super::database_session;
use super::deleted::Marks;
use super::file_stat::Look;
use super::found::FoundFile;
use super::keep::{self, Failure, Keeper};
use super::owners::FoundSession;
use super::tasks::DatabaseTask;
use crate::agents;
use crate::agents::database::{DatabaseSession, each_session};
use crate::model::error::Result;
use crate::model::key::SessionKey;
use crate::store::{Source, Sources};
use crate::transfer::files::paths;

/// Reads databases of sessions. In a dry run it only counts.
pub(super) struct DatabaseWriter<'w, 's> {
    /// What files have in common.
    pub keeper: Keeper<'w, 's>,
    /// The sessions of this run.
    pub places: &'w mut Vec<FoundSession>,
    /// The ids of those that this run has taken from databases.
    pub taken: HashSet<SessionKey>,
}

/// The file beside a database that holds what was committed last, if there is anything in it.
fn log_of(agent: &str, database: &FoundFile) -> Option<FoundFile> {
    let databases = agents::of_agent(agent).databases()?;
    let path = databases.log_of(&database.path)?;
    // No agent makes a link of that name: one leads to a file that is none of the database's.
    let metadata = fs::symlink_metadata(&path).ok()?;
    let look = Look::of(&metadata);
    let name = paths::to_bytes(Path::new(path.file_name()?));
    let folder = database.relative.iter().rposition(|byte| *byte == b'/');
    let folder = folder.and_then(|end| database.relative.get(..=end));
    (metadata.is_file() && look.size > 0).then(|| FoundFile {
        link: database
            .link
            .as_deref()
            .and_then(|link| databases.log_of(link)),
        relative: [folder.unwrap_or_default(), name.as_slice()].concat(),
        size: look.size,
        mtime_ns: look.mtime_ns,
        inode: look.inode,
        changed_ns: look.changed_ns,
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
    if let Some(log) = log_of(&source.row.agent, file) {
        let known = sources.newest(&paths::to_bytes(&log.path))?;
        let look = Look::of_found(&log);
        if !known.is_some_and(|known| look.is_noted_in(&known.row)) {
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
    /// Takes the sessions of one database.
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
        // Looked at before anything is read: what the agent commits meanwhile makes the log another
        // one, and the next import reads again.
        let log = log_of(agent, &task.file);
        let (sessions, has_all) = match self.read_sessions(task) {
            Ok(read) => read,
            Err(failure @ (Failure::Store(_) | Failure::Overtaken)) => return Err(failure),
            Err(Failure::File(reason)) => {
                let path = task.file.name_path();
                self.keeper.report.malformed += 1;
                self.keeper.report.add_skipped(path, reason);
                // Noted as not complete all the same: the next import tries again, also if the file
                // is unchanged.
                (0, false)
            }
        };
        if let Some(log) = &log {
            let known = self
                .keeper
                .store
                .sources()
                .newest(&paths::to_bytes(&log.path))?;
            self.note_file((log, agent), known.as_ref(), (0, true))?;
        }
        self.note_file((&task.file, agent), previous, (sessions, has_all))
    }

    /// Notes the state of a file of a database: how many sessions were read from it, and whether that
    /// were all of them. Those that could not be read are tried again.
    fn note_file(
        &mut self,
        (file, agent): (&FoundFile, &str),
        previous: Option<&Source>,
        (sessions, has_all): (u64, bool),
    ) -> std::result::Result<(), Failure> {
        // What an earlier version has kept of it stays under its own generation, until it is scrubbed.
        let kept = previous.filter(|previous| !previous.row.name.is_empty());
        let generation = keep::generation(previous, kept.is_some());
        let about = (agent, 0, String::new());
        // SQLite itself touches a file that it reads, and leaves its time of change alone.
        let look = Look {
            changed_ns: 0,
            ..Look::of_found(file)
        };
        let mut source = keep::source_of(file, generation, about, (0, 0, look));
        source.row.size = file.size;
        source.row.lines = sessions;
        source.row.complete = has_all;
        self.keeper.note(&source)
    }

    /// Reads the sessions; how many, and whether that were all.
    fn read_sessions(&mut self, task: &DatabaseTask) -> std::result::Result<(u64, bool), Failure> {
        let name = task.file.name_path();
        let opens = task.agent.databases();
        let Some(open) = opens.and_then(|databases| databases.opens(name)) else {
            let reason = format!(
                "its sessions are not read: this build cannot read databases of {}",
                task.agent.title()
            );
            return Err(Failure::File(reason));
        };
        let (mut sessions, mut has_all, mut is_ours) = (0, true, false);
        // One session that cannot be taken costs itself: the others are read. Only the store's own
        // errors end it.
        let mut visit = |mut session: DatabaseSession| {
            for reason in std::mem::take(&mut session.problems) {
                let reason = format!("session `{}`: {reason}", session.id);
                let path = task.file.name_path();
                self.keeper.report.add_file_problem(path, reason);
            }
            match database_session::take(
                &mut self.keeper,
                (self.places, &mut self.taken),
                task,
                &session,
            ) {
                Ok(is_its) => sessions += u64::from(is_its),
                Err(Failure::File(reason)) => {
                    let path = task.file.name_path();
                    let reason = format!("session `{}`: {reason}", session.id);
                    self.keeper.report.add_skipped(path, reason);
                    has_all = false;
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
                has_all &= left_out.is_empty();
                for reason in left_out {
                    let path = task.file.name_path();
                    self.keeper.report.add_skipped(path, reason);
                }
                Ok((sessions, has_all))
            }
            // The reader hands on what the visit gave it: whose error it is only we know.
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
