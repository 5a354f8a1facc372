//! Agents that keep a session in a file: one provider for all of them. The agent finds the files in
//! its home, and says what is in them.
//!
//! An id is compared with those of the files that were found, and never made part of a path.

use std::ops::ControlFlow;
use std::path::{Path, PathBuf};

use chrono::DateTime;

use super::gather::Gather;
use super::lines::{Visit, each_line, each_message, read_lines};
use super::{Listing, ProviderProblem, ProviderSession, ProviderSummary, Scan};
use super::{SessionProvider, replay, sorted};
use crate::agents::home::{Form, Found, SessionFile, no_session, whole};
use crate::agents::{Agent, Dialect};
use crate::model::error::{Error, Result};

/// Reads the sessions of an agent that keeps each in a file.
///
/// Files are found and read anew by each call. A list reads every file of what it lists, a line at
/// a time.
#[derive(Debug)]
pub(super) struct FileProvider {
    agent: &'static dyn Agent,
    search: fn(&Path) -> Found,
    home: PathBuf,
}

impl FileProvider {
    /// The sessions in a home; `None` if the agent's files cannot be searched for.
    pub(super) fn new(agent: &'static dyn Agent, home: PathBuf) -> Option<Self> {
        let search = agent.search()?;
        Some(Self {
            agent,
            search,
            home,
        })
    }

    fn search(&self) -> Found {
        (self.search)(&self.home)
    }

    fn find(&self, id: &str) -> Result<SessionFile> {
        let files = self.search().files;
        let found = files.into_iter().find(|file| file.id == id);
        found.ok_or_else(|| no_session(self.agent.agent(), id))
    }

    /// The project of a file, without reading more than needed.
    fn project(&self, file: &SessionFile) -> Result<String> {
        let mut gather = Gather::of(&file.id);
        if matches!(file.form, Form::Lines | Form::Compressed) {
            each_line(file, self.agent, &mut |_, _, described| {
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
        let mut summary = gather.summary(self.agent.agent());
        let row = file.row.clone().unwrap_or_default();
        // What lines say goes before a row of an index, and that before what the file's place
        // tells.
        let fill = |fact: &mut Option<String>, other: Option<String>| {
            if fact.is_none() {
                *fact = other;
            }
        };
        fill(&mut summary.parent, file.parent.clone());
        fill(&mut summary.parent, row.facts.parent);
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
        let found = self.search();
        let mut listing = Listing {
            sessions: Vec::new(),
            problems: found.problems,
        };
        for file in &found.files {
            // One that cannot be read is named, and hides no other.
            match self.listed(file, project) {
                Ok(summary) => listing.sessions.extend(summary),
                Err(error) => listing.problems.push(ProviderProblem {
                    agent: self.agent.agent().to_owned(),
                    about: file.path.display().to_string(),
                    error,
                }),
            }
        }
        listing.sessions = sorted(listing.sessions);
        listing
    }

    fn listed(&self, file: &SessionFile, project: Option<&str>) -> Result<Option<ProviderSummary>> {
        // First: of a file of another project no more is read than tells which.
        if let Some(project) = project
            && self.project(file)? != project
        {
            return Ok(None);
        }
        let mut gather = Gather::of(&file.id);
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
        let dialect: &dyn Dialect = self.agent;
        match file.form {
            Form::Lines | Form::Compressed => read_lines(file, dialect, gather, visit),
            Form::Operations => replay::read(file, dialect, gather, visit),
            Form::Document => read_document(file, dialect, gather, visit),
        }
    }
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
    let messages = dialect.document_messages(&text);
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

impl SessionProvider for FileProvider {
    fn agent_type(&self) -> &str {
        self.agent.agent()
    }

    fn list_projects(&self) -> Result<Vec<String>> {
        let mut projects = Vec::new();
        for file in self.search().files {
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
                agent: self.agent.agent().to_owned(),
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
        let (mut gather, mut messages) = (Gather::of(&file.id), Vec::new());
        let mut keep = |message| {
            messages.push(message);
            ControlFlow::Continue(())
        };
        self.read(&file, &mut gather, Some(&mut keep))?;
        let mut summary = self.summary(&file, gather);
        summary.message_count = messages.len() as u64;
        let mut version = None;
        // No line is described by it: the file is read once more, as far as the first line that
        // states it.
        if let Some(version_in) = self.agent.version_in() {
            each_line(&file, self.agent, &mut |_, bytes, _| {
                version = version_in(bytes);
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
        let mut gather = Gather::of(&file.id);
        let (stopped, _) = self.read(&file, &mut gather, Some(visit))?;
        Ok(Scan {
            stopped,
            unread_lines: gather.unread_lines(),
        })
    }
}
