//! Decides for every file that was found what to do with it: pass over it, read its lines, keep it
//! whole, or read it as a document or a database of sessions.
//!
//! A file that has the size and the times that it had when all of it was imported, and is the same one
//! still, is unchanged: it is not opened.

use std::collections::{BTreeSet, HashSet};
use std::path::Path;

use super::classify::{self, Form};
use super::databases;
use super::deleted::Marks;
use super::file_stat::Look;
use super::found::FoundFile;
use super::owners::FoundSession;
use super::tasks::{DatabaseTask, DocumentTask, KeptFile, LinesTask, SidecarTask};
use crate::agents::{Agent, Dialect};
use crate::codec::source_row::SourceKind;
use crate::model::error::Result;
use crate::model::key::SessionKey;
use crate::store::{Known, Source, Sources};
use crate::transfer::files::paths;
use crate::transfer::report::ImportReport;

/// Files that are compared with the store at a time: enough to share a snapshot, and few enough
/// that what is stored of them needs little memory.
const FILES_A_BLOCK: usize = 4096;

/// What is to be done.
#[derive(Debug, Default)]
pub(super) struct Plan {
    /// Files of lines.
    pub lines: Vec<LinesTask>,
    /// Sessions in one document.
    pub documents: Vec<DocumentTask>,
    /// Databases of sessions.
    pub databases: Vec<DatabaseTask>,
    /// Files to be kept whole.
    pub whole: Vec<SidecarTask>,
    /// Sessions of unchanged files.
    pub places: Vec<FoundSession>,
    /// Sessions of unchanged files that are no lines.
    pub others: HashSet<SessionKey>,
    /// Sessions in unchanged databases.
    pub in_databases: u64,
    /// Unchanged files of folders.
    pub kept: Vec<KeptFile>,
    /// Sessions that an older version has read.
    pub behind: BTreeSet<u64>,
    /// Files in all.
    pub files: u64,
    /// Bytes of all files.
    pub bytes: u64,
    /// Bytes of unchanged files.
    pub unchanged_bytes: u64,
    /// Files of deleted sessions that are passed over without being opened.
    pub passed: u64,
    /// Bytes of those.
    pub passed_bytes: u64,
}

/// Looks at every file, and at what is stored of it.
pub(super) fn plan(
    files: Vec<FoundFile>,
    (sources, marks): (&dyn Sources, &Marks),
    forced: Option<&'static dyn Agent>,
    own: Option<&Path>,
    report: &mut ImportReport,
) -> Result<Plan> {
    let mut plan = Plan::default();
    // The store's own file may lie in the folder that is imported. If it is named, `classify` says
    // what to do instead.
    let own = own.and_then(|own| std::fs::canonicalize(own).ok());
    let is_store = |file: &FoundFile| !file.named && own.as_ref() == Some(&file.path);
    let mut files = files.into_iter().filter(|file| !is_store(file));
    loop {
        let block: Vec<FoundFile> = files.by_ref().take(FILES_A_BLOCK).collect();
        if block.is_empty() {
            return Ok(plan);
        }
        let paths: Vec<Vec<u8>> = block.iter().map(|f| paths::to_bytes(&f.path)).collect();
        for (file, known) in block.into_iter().zip(sources.known(&paths)?) {
            plan.look_at(file, known, (sources, marks, forced), report)?;
        }
    }
}

fn has_nothing_new(
    file: &FoundFile,
    source: &Source,
    (sources, marks): (&dyn Sources, &Marks),
) -> Result<bool> {
    let row = &source.row;
    let is_unchanged = row.complete && Look::of_found(file).is_noted_in(row);
    // A database has a row of its own and no content; it may lie anywhere, if somebody has named it.
    let is_kept_so = row.kind == SourceKind::Attachment && row.session == 0 && row.name.is_empty();
    if is_unchanged && (is_kept_so || classify::database_agent(file.name_path()).is_some()) {
        return databases::has_nothing_new(file, source, (sources, marks));
    }
    Ok(is_unchanged)
}

/// A file of a folder, which may tell of sessions that this run makes.
fn kept_file(file: &FoundFile, source: &Source) -> Option<KeptFile> {
    let row = &source.row;
    // An older index tells nothing: a newer one has said it, or taken it back.
    let is_folders = row.session == 0 && row.kind == SourceKind::Attachment && !file.is_older;
    is_folders.then(|| KeptFile {
        agent: row.agent.clone(),
        path: file.path.clone(),
        name: row.name.clone(),
        size: row.size,
    })
}

fn note_other_agent(
    file: &FoundFile,
    source: &Source,
    forced: Option<&'static dyn Agent>,
    report: &mut ImportReport,
) {
    let Some(forced) = forced.map(Dialect::agent) else {
        return;
    };
    if source.row.kind == SourceKind::Lines && source.row.agent != forced {
        let reason = format!(
            "is in the store for agent `{}`; delete that session to import it for `{forced}`",
            source.row.agent
        );
        report.add_file_problem(file.name_path(), reason);
    }
}

impl Plan {
    /// How many sessions the files hold, as far as they were read or are unchanged.
    pub(super) fn sessions(&self) -> u64 {
        let found = self.places.iter().map(|place| &place.key);
        let found: HashSet<&SessionKey> = found.chain(&self.others).collect();
        found.len() as u64 + self.in_databases
    }

    /// Passes over a file that is unchanged, and plans any other.
    fn look_at(
        &mut self,
        file: FoundFile,
        known: Option<Known>,
        (sources, marks, forced): (&dyn Sources, &Marks, Option<&'static dyn Agent>),
        report: &mut ImportReport,
    ) -> Result<()> {
        let Some(Known {
            source,
            key,
            is_behind,
        }) = known
        else {
            if marks.passes_path(&file.path, forced) {
                report.files += 1;
                self.files += 1;
                self.bytes += file.size;
                self.passed_bytes += file.size;
                self.passed += 1;
                return Ok(());
            }
            self.take(file, (None, false), forced, report);
            return Ok(());
        };
        // Its file is unchanged and will not be read, so what this version understands better is
        // derived from the stored lines.
        if is_behind {
            self.behind.insert(source.row.session);
        }
        // What belongs to a folder needs no session.
        let lives = source.row.session == 0 || key.is_some();
        if !(lives && has_nothing_new(&file, &source, (sources, marks))?) {
            self.take(file, (Some(source), lives), forced, report);
            return Ok(());
        }
        // Told, since the file would be passed over without a word though another agent was asked
        // for.
        note_other_agent(&file, &source, forced, report);
        if source.row.kind == SourceKind::Attachment {
            self.others.extend(key.clone());
            if source.row.session == 0 && classify::database_agent(file.name_path()).is_some() {
                self.in_databases += source.row.lines;
            }
        }
        self.kept.extend(kept_file(&file, &source));
        report.files += 1;
        report.unchanged += 1;
        self.files += 1;
        self.bytes += file.size;
        self.unchanged_bytes += file.size;
        let is_lines = source.row.kind == SourceKind::Lines;
        self.places
            .extend(key.filter(|_| is_lines).map(|key| FoundSession {
                key,
                number: source.row.session,
                file: file.path,
                is_new: false,
            }));
        Ok(())
    }

    /// Plans a file that is new or not as it was.
    fn take(
        &mut self,
        file: FoundFile,
        (previous, previous_lives): (Option<Source>, bool),
        forced: Option<&'static dyn Agent>,
        report: &mut ImportReport,
    ) {
        let form = match classify::classify(&file, forced) {
            Ok(Some(form)) => form,
            Ok(None) => return,
            Err(reason) => {
                report.paths_failed += u64::from(file.named);
                return report.add_skipped(file.name_path(), reason);
            }
        };
        // Only now: what is of no interest counts nowhere.
        self.files += 1;
        self.bytes += file.size;
        match form {
            Form::Lines => self.lines.push(LinesTask { file, previous }),
            Form::Document(document) => self.documents.push(DocumentTask {
                file,
                previous,
                previous_lives,
                document,
            }),
            Form::Database(agent) => self.databases.push(DatabaseTask {
                agent,
                file,
                previous,
            }),
            Form::Sidecar(agent, owner) => self.whole.push(SidecarTask {
                file,
                previous,
                previous_lives,
                agent,
                owner,
            }),
        }
    }
}
