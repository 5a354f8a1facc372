//! Agents that keep a session in a file: one provider for all of them. Where the files lie is
//! told by a [`Home`], what is in them by a dialect.
//!
//! An id is compared with those of the files that were found, and never made part of a path.

use std::fmt::Debug;
use std::fs::{self, File};
use std::io::{self, Read};
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};

use chrono::DateTime;

use super::claude_code::ClaudeHome;
use super::codex::CodexHome;
use super::gather::Gather;
use super::gemini::GeminiHome;
use super::message::{self, Place};
use super::unpacked::Unpacked;
use super::{Listing, ProviderMessage, ProviderProblem, ProviderSession, ProviderSummary, Scan};
use super::{SessionProvider, replay, sorted};
use crate::dialect::claude_code::index::IndexRow;
use crate::dialect::{self, Described, Dialect, claude_code, gemini};
use crate::error::{Error, Result};
use crate::jsonl::LineReader;
use crate::model::limits::ATTACHMENT_BYTES_MAX;

/// What is done, in errors.
const READ: &str = "read";

/// Bytes of a file that are enough to tell what it is.
const HEAD_BYTES: u64 = 64 * 1024;

/// Where one agent keeps its sessions.
pub(super) trait Home: Debug + Send + Sync {
    /// The agent's name.
    fn agent(&self) -> &'static str;

    /// Every session's file, and what is wrong with others.
    fn search(&self) -> Found;
}

/// The files of a home.
#[derive(Debug, Default)]
pub(super) struct Found {
    /// A file for each session.
    pub files: Vec<SessionFile>,
    /// What could not be read.
    pub problems: Vec<ProviderProblem>,
}

impl Found {
    /// Notes a problem.
    pub(super) fn problem(&mut self, agent: &str, about: &Path, error: Error) {
        self.problems.push(ProviderProblem {
            agent: agent.to_owned(),
            about: about.display().to_string(),
            error,
        });
    }
}

/// The file of a session.
#[derive(Clone, Debug)]
pub(super) struct SessionFile {
    /// Where it lies.
    pub path: PathBuf,
    /// The session's id.
    pub id: String,
    /// What is in it.
    pub form: Form,
    /// The session that started this one, as the path tells it.
    pub parent: Option<String>,
    /// The project, as the path or a file beside tells it.
    pub project: Option<String>,
    /// What an index says.
    pub row: Option<IndexRow>,
}

/// What is in a session's file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Form {
    /// Lines.
    Lines,
    /// Lines, compressed with zstd.
    Compressed,
    /// Lines that change earlier ones (Gemini CLI).
    Operations,
    /// One JSON document (Gemini CLI).
    Document,
}

/// Takes a session's messages.
pub(super) type Visit<'v> = dyn FnMut(ProviderMessage) -> ControlFlow<()> + 'v;

/// Reads the sessions of an agent that keeps each in a file: Claude Code, Codex, Gemini CLI.
///
/// Files are found and read anew by each call. A list reads every file of what it lists, a line at
/// a time.
#[derive(Debug)]
pub struct FileProvider {
    home: Box<dyn Home>,
}

impl FileProvider {
    /// Claude Code's sessions, subagents included; `folder` is its own, such as `~/.claude`.
    pub fn claude_code(folder: impl Into<PathBuf>) -> Self {
        let home = Box::new(ClaudeHome::new(&folder.into()));
        Self { home }
    }

    /// Codex's sessions, archived ones included; `folder` is its own, such as `~/.codex`.
    pub fn codex(folder: impl Into<PathBuf>) -> Self {
        let home = Box::new(CodexHome::new(folder.into()));
        Self { home }
    }

    /// Gemini CLI's sessions; `folder` is its own, such as `~/.gemini`.
    ///
    /// A session is read as Gemini CLI does: a message that was written again replaces the
    /// earlier one, and what was rewound is not there.
    pub fn gemini(folder: impl Into<PathBuf>) -> Self {
        let home = Box::new(GeminiHome::new(folder.into()));
        Self { home }
    }

    fn dialect(&self) -> &'static dyn Dialect {
        dialect::of_agent(self.home.agent())
    }

    fn find(&self, id: &str) -> Result<SessionFile> {
        let files = self.home.search().files;
        let found = files.into_iter().find(|file| file.id == id);
        found.ok_or_else(|| message::no_session(self.home.agent(), id))
    }

    /// The project of a file, without reading more than needed.
    fn project(&self, file: &SessionFile) -> Result<String> {
        let mut gather = Gather::default();
        if matches!(file.form, Form::Lines | Form::Compressed) {
            each_line(file, self.dialect(), &mut |_, _, described| {
                if let Some(described) = described {
                    gather.add(described);
                }
                match gather.project() {
                    Some(_) => ControlFlow::Break(()),
                    None => ControlFlow::Continue(()),
                }
            })?;
        }
        let summary = self.summary(file, gather);
        Ok(summary.project.unwrap_or_default())
    }

    /// The summary of a file, after it was gathered.
    fn summary(&self, file: &SessionFile, gather: Gather) -> ProviderSummary {
        let mut summary = gather.summary(self.home.agent(), &file.id);
        let row = file.row.clone().unwrap_or_default();
        let fill = |fact: &mut Option<String>, other: Option<String>| {
            if fact.is_none() {
                *fact = other;
            }
        };
        fill(&mut summary.parent, file.parent.clone());
        fill(&mut summary.project, row.facts.project);
        fill(&mut summary.project, file.project.clone());
        fill(&mut summary.branch, row.branch);
        fill(&mut summary.summary, row.summary);
        let prompt = row.first_prompt.as_deref().map(super::gather::prompt);
        fill(&mut summary.first_prompt, prompt);
        let time = |us: Option<i64>| us.and_then(DateTime::from_timestamp_micros);
        summary.created_at = summary.created_at.or(time(row.facts.created_us));
        summary.updated_at = summary.updated_at.or(time(row.facts.updated_us));
        summary
    }

    fn list(&self, project: Option<&str>) -> Listing {
        let found = self.home.search();
        let mut listing = Listing {
            sessions: Vec::new(),
            problems: found.problems,
        };
        for file in &found.files {
            match self.listed(file, project) {
                Ok(summary) => listing.sessions.extend(summary),
                Err(error) => listing.problems.push(ProviderProblem {
                    agent: self.home.agent().to_owned(),
                    about: file.path.display().to_string(),
                    error,
                }),
            }
        }
        listing.sessions = sorted(listing.sessions);
        listing
    }

    fn listed(&self, file: &SessionFile, project: Option<&str>) -> Result<Option<ProviderSummary>> {
        if let Some(project) = project
            && self.project(file)? != project
        {
            return Ok(None);
        }
        let mut gather = Gather::default();
        let count = self.read(file, &mut gather, None)?.1;
        let mut summary = self.summary(file, gather);
        summary.message_count = count;
        Ok(Some(summary))
    }

    /// Reads a file, and gives its messages if they are wanted. Tells whether it was stopped, and
    /// how many messages were met.
    fn read(
        &self,
        file: &SessionFile,
        gather: &mut Gather,
        visit: Option<&mut Visit<'_>>,
    ) -> Result<(bool, u64)> {
        let dialect = self.dialect();
        match file.form {
            Form::Lines | Form::Compressed => read_lines(file, dialect, gather, visit),
            Form::Operations => replay::read(file, dialect, gather, visit),
            Form::Document => read_document(file, dialect, gather, visit),
        }
    }
}

/// Takes a line: its number from 0, its bytes, and what it says; the latter is not known of a line
/// beyond the limit, which comes once and without its bytes.
type EachLine<'e> = dyn FnMut(u64, &[u8], Option<&Described<'_>>) -> ControlFlow<()> + 'e;

/// Gives each line of a file, until it is told to stop. Tells whether it was.
pub(super) fn each_line(
    file: &SessionFile,
    dialect: &dyn Dialect,
    each: &mut EachLine<'_>,
) -> Result<bool> {
    let mut reader = LineReader::new(open(file)?);
    loop {
        let line = reader
            .next_line()
            .map_err(|source| failed(&file.path, source))?;
        let Some(line) = line else { return Ok(false) };
        let number = line.number.saturating_sub(1);
        let flow = match (line.continues, line.continued) {
            (false, false) => {
                let described = dialect.describe(line.bytes);
                each(number, line.bytes, Some(&described))
            }
            (true, false) => each(number, b"", None),
            (_, true) => ControlFlow::Continue(()),
        };
        if flow.is_break() {
            return Ok(true);
        }
    }
}

fn read_lines(
    file: &SessionFile,
    dialect: &dyn Dialect,
    gather: &mut Gather,
    mut visit: Option<&mut Visit<'_>>,
) -> Result<(bool, u64)> {
    let mut count = 0;
    let stopped = each_line(file, dialect, &mut |number, bytes, described| {
        let Some(described) = described else {
            gather.add_unread();
            return ControlFlow::Continue(());
        };
        gather.add(described);
        count += u64::from(described.header.messages);
        match &mut visit {
            Some(visit) if described.header.messages > 0 => {
                each_message(&file.id, dialect, number, bytes, *visit)
            }
            _ => ControlFlow::Continue(()),
        }
    })?;
    Ok((stopped, count))
}

/// Gives the messages of a line.
fn each_message(
    session: &str,
    dialect: &dyn Dialect,
    number: u64,
    line: &[u8],
    visit: &mut Visit<'_>,
) -> ControlFlow<()> {
    let raw = without_feed(line);
    let messages = dialect.messages(line).into_iter().enumerate();
    for (index, message) in messages {
        let place = Place { number, index };
        visit(message::provided(
            dialect.agent(),
            session,
            place,
            raw,
            message,
        ))?;
    }
    ControlFlow::Continue(())
}

/// A line without its line feed.
pub(super) fn without_feed(line: &[u8]) -> &[u8] {
    line.strip_suffix(b"\n").unwrap_or(line)
}

/// A document that is cut off counts as one unread line.
fn read_document(
    file: &SessionFile,
    dialect: &dyn Dialect,
    gather: &mut Gather,
    mut visit: Option<&mut Visit<'_>>,
) -> Result<(bool, u64)> {
    let bytes = whole(&file.path)?;
    let text = String::from_utf8_lossy(&bytes);
    let derived = dialect.document_lines(&bytes);
    let messages = gemini::document_messages(&text);
    let (Some(derived), Some(messages)) = (derived, messages) else {
        gather.add_unread();
        return Ok((false, 0));
    };
    // The first line is the header, the trailer changes; between them stand the messages.
    let about = derived.lines.iter().take(1).chain(&derived.trailer);
    for line in about {
        gather.add(&dialect.describe(line));
    }
    let mut count = 0;
    for (number, raw) in (1..).zip(messages) {
        let raw = raw.get().as_bytes();
        let described = dialect.describe(raw);
        gather.add(&described);
        count += u64::from(described.header.messages);
        if let Some(visit) = &mut visit
            && each_message(&file.id, dialect, number, raw, *visit).is_break()
        {
            return Ok((true, count));
        }
    }
    Ok((false, count))
}

/// Opens a session's file. Only regular files are: anything else may never end.
pub(super) fn open(file: &SessionFile) -> Result<Box<dyn Read>> {
    let opened = open_regular(&file.path)?;
    if file.form == Form::Compressed {
        let unpacked = Unpacked::new(opened).map_err(|source| failed(&file.path, source))?;
        return Ok(Box::new(unpacked));
    }
    Ok(Box::new(opened))
}

/// Opens a file if it is a regular one.
pub(super) fn open_regular(path: &Path) -> Result<File> {
    let is_file = fs::metadata(path).map(|metadata| metadata.is_file());
    match is_file {
        Ok(true) => File::open(path).map_err(|source| failed(path, source)),
        Ok(false) => Err(invalid(path, "not a regular file")),
        Err(source) => Err(failed(path, source)),
    }
}

/// All bytes of a file.
pub(super) fn whole(path: &Path) -> Result<Vec<u8>> {
    let mut bytes = Vec::new();
    open_regular(path)?
        .take(ATTACHMENT_BYTES_MAX + 1)
        .read_to_end(&mut bytes)
        .map_err(|source| failed(path, source))?;
    if bytes.len() as u64 > ATTACHMENT_BYTES_MAX {
        return Err(Error::TooLarge {
            what: "length of a document in bytes",
            actual: bytes.len() as u64,
            limit: ATTACHMENT_BYTES_MAX,
        });
    }
    Ok(bytes)
}

/// The first bytes of a file.
pub(super) fn head(path: &Path) -> Result<Vec<u8>> {
    let mut bytes = Vec::new();
    open_regular(path)?
        .take(HEAD_BYTES)
        .read_to_end(&mut bytes)
        .map_err(|source| failed(path, source))?;
    Ok(bytes)
}

/// The folders and files in a folder, by name; none if it is not there.
pub(super) fn names(folder: &Path) -> Result<Vec<PathBuf>> {
    let entries = match fs::read_dir(folder) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        entries => entries.map_err(|source| failed(folder, source))?,
    };
    let mut paths = Vec::new();
    for entry in entries {
        paths.push(entry.map_err(|source| failed(folder, source))?.path());
    }
    paths.sort();
    Ok(paths)
}

/// That a file cannot be read.
pub(super) fn failed(path: &Path, source: io::Error) -> Error {
    Error::Io {
        action: READ,
        path: path.to_owned(),
        source,
    }
}

/// That a file is not what it should be.
pub(super) fn invalid(path: &Path, reason: &str) -> Error {
    failed(path, io::Error::new(io::ErrorKind::InvalidData, reason))
}

impl SessionProvider for FileProvider {
    fn agent_type(&self) -> &str {
        self.home.agent()
    }

    fn list_projects(&self) -> Result<Vec<String>> {
        let mut projects = Vec::new();
        for file in self.home.search().files {
            // A file that cannot be read is a problem of the list of sessions.
            projects.extend(self.project(&file));
        }
        projects.sort();
        projects.dedup();
        Ok(projects)
    }

    fn list_sessions(&self, project: &str) -> Result<Listing> {
        let listing = self.list(Some(project));
        if listing.sessions.is_empty() {
            return Err(Error::ProjectNotFound {
                agent: self.home.agent().to_owned(),
                project: project.to_owned(),
            });
        }
        Ok(listing)
    }

    fn list_all(&self) -> Result<Listing> {
        Ok(self.list(None))
    }

    fn read_session(&self, id: &str) -> Result<ProviderSession> {
        let file = self.find(id)?;
        let (mut gather, mut messages) = (Gather::default(), Vec::new());
        let mut keep = |message| {
            messages.push(message);
            ControlFlow::Continue(())
        };
        self.read(&file, &mut gather, Some(&mut keep))?;
        let mut summary = self.summary(&file, gather);
        summary.message_count = messages.len() as u64;
        let mut version = None;
        if self.home.agent() == "claude-code" {
            each_line(&file, self.dialect(), &mut |_, bytes, _| {
                version = claude_code::version_of(bytes);
                match version {
                    Some(_) => ControlFlow::Break(()),
                    None => ControlFlow::Continue(()),
                }
            })?;
        }
        Ok(ProviderSession {
            summary,
            version,
            messages,
        })
    }

    fn scan_messages(&self, id: &str, visit: &mut Visit<'_>) -> Result<Scan> {
        let file = self.find(id)?;
        let mut gather = Gather::default();
        let (stopped, _) = self.read(&file, &mut gather, Some(visit))?;
        Ok(Scan {
            stopped,
            unread_lines: gather.unread_lines(),
        })
    }
}
