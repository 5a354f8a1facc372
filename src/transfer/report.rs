//! What an import did, and what it could not do.

use std::fmt;
use std::path::{Path, PathBuf};

use serde::{Serialize, Serializer};

use crate::agents::Unread;
use crate::model::key::SessionKey;
use crate::store::Totals;
/// The name that it has where files are read.
pub(super) use crate::store::Totals as Added;

/// What an import did, and what it could not do.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct ImportReport {
    /// Files of sessions and sidecars that were found.
    pub files: u64,
    /// Of those, files unchanged since they were imported last: not read.
    pub unchanged: u64,
    /// Sessions created.
    pub sessions: u64,
    /// Sessions that were deleted here and are passed over, though their files are there.
    pub deleted: u64,
    /// Sessions that were there and got new records.
    pub sessions_grown: u64,
    /// Records added.
    pub records: u64,
    /// Messages added.
    pub messages: u64,
    /// Bytes of lines added.
    pub bytes: u64,
    /// Files kept whole: sidecars, and documents that records were made from.
    pub attachments: u64,
    /// Bytes of those.
    pub attachment_bytes: u64,
    /// Lines added of which not all could be read, and documents that could not. They are stored
    /// all the same.
    pub malformed: u64,
    /// Files that were not taken, and sessions of databases that could not be read, with a reason in
    /// `problems`.
    pub skipped: u64,
    /// Files that were imported before and have since changed otherwise than by growing: kept as
    /// a new session beside the old one.
    pub generations: u64,
    /// Paths of the call that are not there, cannot be read or hold no sessions by their look:
    /// each has its reason in `problems`.
    pub paths_failed: u64,
    /// Sessions that the files hold, new or not, as far as they were read or are unchanged: with none of
    /// them, the paths hold no session.
    pub sessions_found: u64,
    /// What was seen of agents whose sessions are not read.
    pub not_read: Vec<NotRead>,
    /// Databases of agents that an earlier version kept whole in the store; they may hold credentials, and
    /// [`scrub`](crate::RedbStore::scrub) removes them.
    pub kept_databases: u64,
    /// Whether a scrub was begun and has not ended.
    pub scrub_due: bool,
    /// What is wrong, file by file and line by line, up to [`ImportReport::PROBLEMS_MAX`].
    pub problems: Vec<ImportProblem>,
    /// Problems beyond those listed.
    pub problems_more: u64,
}

impl ImportReport {
    /// Most problems that a report lists; further ones are counted.
    pub const PROBLEMS_MAX: usize = 10_000;

    /// Counts what a file or a session has added.
    pub(super) fn add(&mut self, added: Totals) {
        self.records += added.records;
        self.messages += added.messages;
        self.bytes += added.bytes;
        self.malformed += added.malformed;
    }

    /// Counts a file that is another content of a session; `key` is the name that it got first, which a
    /// dry run has not made.
    pub(super) fn add_generation(
        &mut self,
        path: &Path,
        key: Option<&SessionKey>,
        replaced: &SessionKey,
    ) {
        self.generations += 1;
        let reason = match key {
            Some(key) => format!("is another content of `{replaced}`; kept beside it as `{key}`"),
            None => format!("is another content of `{replaced}`; would be kept beside it"),
        };
        self.add_file_problem(path, reason);
    }

    /// Counts a file of an agent whose sessions are not read.
    pub(super) fn add_not_read(&mut self, sort: &'static Unread, path: &Path) {
        let same = |seen: &&mut NotRead| (seen.agent, seen.what) == (sort.title, sort.what);
        match self.not_read.iter_mut().find(same) {
            Some(seen) => seen.count += 1,
            None => self.not_read.push(NotRead {
                agent: sort.title,
                what: sort.what,
                many: sort.many,
                count: 1,
                path: path.to_owned(),
            }),
        }
    }

    /// Adds problems, as far as there is room for them.
    pub(super) fn add_problems(&mut self, problems: Problems) {
        self.problems_more += problems.more;
        for problem in problems.listed {
            if self.problems.len() < Self::PROBLEMS_MAX {
                self.problems.push(problem);
            } else {
                self.problems_more += 1;
            }
        }
    }

    /// Adds a problem that concerns a whole file.
    pub(super) fn add_file_problem(&mut self, path: &Path, reason: impl Into<String>) {
        let mut problems = Problems::default();
        problems.add_file(path, reason);
        self.add_problems(problems);
    }

    /// Adds a problem that kept a file from being taken.
    pub(super) fn add_skipped(&mut self, path: &Path, reason: impl Into<String>) {
        self.skipped += 1;
        self.add_file_problem(path, reason);
    }
}

/// Files of an agent whose sessions are not read, and which an import has seen and passed over.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct NotRead {
    /// What people call the agent.
    pub agent: &'static str,
    /// What one such file is: a database, a task.
    pub what: &'static str,
    #[serde(skip)]
    many: &'static str,
    /// How many were seen.
    pub count: u64,
    /// The first of them. As JSON, U+FFFD stands for what of its name is not UTF-8.
    #[serde(serialize_with = "lossy")]
    pub path: PathBuf,
}

impl fmt::Display for NotRead {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let what = if self.count == 1 {
            self.what
        } else {
            self.many
        };
        write!(f, "{} ({} {what})", self.agent, self.count)
    }
}

/// Problems on their way to a report: bounded, since a file can have one in every line.
#[derive(Debug, Default)]
pub(super) struct Problems {
    /// The first ones.
    listed: Vec<ImportProblem>,
    /// How many there are beyond those.
    more: u64,
}

impl Problems {
    /// Adds a problem.
    pub(super) fn add(&mut self, problem: ImportProblem) {
        if self.listed.len() < ImportReport::PROBLEMS_MAX {
            self.listed.push(problem);
        } else {
            self.more += 1;
        }
    }

    /// Adds a problem that concerns a whole file.
    pub(super) fn add_file(&mut self, path: &Path, reason: impl Into<String>) {
        let (path, reason) = (path.to_owned(), reason.into());
        self.add(ImportProblem {
            path,
            line: None,
            offset: None,
            reason,
        });
    }
}

/// One thing that an import could not understand or take.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct ImportProblem {
    /// The file. As JSON, U+FFFD stands for what of its name is not UTF-8.
    #[serde(serialize_with = "lossy")]
    pub path: PathBuf,
    /// 1-based number of the line; `None` if it concerns the whole file.
    pub line: Option<u64>,
    /// Where the line starts in the file, in bytes.
    pub offset: Option<u64>,
    /// What is wrong.
    pub reason: String,
}

pub(super) fn lossy<S: Serializer>(path: &Path, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(&path.to_string_lossy())
}
