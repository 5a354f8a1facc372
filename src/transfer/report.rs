//! What an import did, and what it could not do.

use std::path::{Path, PathBuf};

use serde::{Serialize, Serializer};

use crate::model::key::SessionKey;

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
    /// Files that were not taken, with a reason in `problems`.
    pub skipped: u64,
    /// Files that were imported before and have since changed otherwise than by growing: kept as
    /// a new session beside the old one.
    pub generations: u64,
    /// Paths of the call that are not there, cannot be read or hold no sessions by their look:
    /// each has its reason in `problems`.
    pub paths_failed: u64,
    /// What is wrong, file by file and line by line, up to [`ImportReport::PROBLEMS_MAX`].
    pub problems: Vec<ImportProblem>,
    /// Problems beyond those listed.
    pub problems_more: u64,
}

impl ImportReport {
    /// Most problems that a report lists; further ones are counted.
    pub const PROBLEMS_MAX: usize = 10_000;

    /// Counts what a file or a session has added.
    pub(super) fn add(&mut self, added: Added) {
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

/// What a file has added.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Added {
    /// Records.
    pub records: u64,
    /// Messages.
    pub messages: u64,
    /// Bytes of lines.
    pub bytes: u64,
    /// Lines of which not all could be read.
    pub malformed: u64,
}

fn lossy<S: Serializer>(path: &Path, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(&path.to_string_lossy())
}
