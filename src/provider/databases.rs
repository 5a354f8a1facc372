//! Agents that keep their sessions in a database: one provider for all of them.
//!
//! The database is opened for each call, and closed again.

use std::io;
use std::ops::ControlFlow;
use std::path::PathBuf;

use super::gather::Gather;
use super::message::{self, MessagePlace};
use super::{Listing, ProviderMessage, ProviderProblem, ProviderSession, ProviderSummary, Scan};
use super::{SessionProvider, sorted};
use crate::agents::Agent;
use crate::agents::database::{Database, NOT_FOUND, Open, Outline, Walked};
use crate::agents::home::{failed, no_session};
use crate::model::error::{Error, Result};

/// Reads the sessions of an agent's database where it lies.
///
/// A listing's problems name what is left out.
#[derive(Debug)]
pub(super) struct DatabaseProvider {
    agent: &'static dyn Agent,
    open: Open,
    path: PathBuf,
}

impl DatabaseProvider {
    /// The database at that path, which need not be there yet; `None` if the agent has none that
    /// this build can read.
    pub(super) fn new(agent: &'static dyn Agent, path: PathBuf) -> Option<Self> {
        let open = agent.databases()?.open?;
        Some(Self { agent, open, path })
    }

    /// The database; `None` if there is none.
    fn open(&self) -> Result<Option<Box<dyn Database>>> {
        if !self.path.try_exists().unwrap_or(true) {
            return Ok(None);
        }
        (self.open)(&self.path).map(Some)
    }

    fn problem(&self, about: String, error: Error) -> ProviderProblem {
        ProviderProblem {
            agent: self.agent.agent().to_owned(),
            about,
            error,
        }
    }

    fn left_out(&self, about: String, reason: impl Into<String>) -> ProviderProblem {
        let reason = io::Error::new(io::ErrorKind::InvalidData, reason.into());
        self.problem(about, failed(&self.path, reason))
    }

    fn list(&self, project: Option<&str>) -> Result<Listing> {
        let mut listing = Listing::default();
        let Some(mut database) = self.open()? else {
            return Ok(listing);
        };
        let (listed, left_out) = database.sessions()?;
        for reason in left_out {
            let about = self.path.display().to_string();
            listing.problems.push(self.left_out(about, reason));
        }
        for session in listed {
            if project.is_some_and(|project| session.project.as_deref().unwrap_or("") != project) {
                continue;
            }
            // One that cannot be read is named, and hides no other.
            match database.outline(&session.id) {
                Ok(Some(outline)) => {
                    listing.sessions.push(self.summary(&session.id, &outline));
                    for (about, reason) in outline.left_out {
                        listing.problems.push(self.left_out(about, reason));
                    }
                }
                Ok(None) => listing.problems.push(self.left_out(session.id, NOT_FOUND)),
                Err(error) => listing.problems.push(self.problem(session.id, error)),
            }
        }
        listing.sessions = sorted(listing.sessions);
        Ok(listing)
    }

    fn summary(&self, id: &str, outline: &Outline) -> ProviderSummary {
        let mut gather = Gather::of(id);
        for line in &outline.lines {
            gather.add(&self.agent.describe(line));
        }
        let mut summary = gather.summary(self.agent.agent());
        summary.message_count = outline.messages;
        summary
    }

    /// Reads a session's messages, one at a time.
    fn walk(
        &self,
        id: &str,
        gather: &mut Gather,
        visit: &mut dyn FnMut(ProviderMessage) -> ControlFlow<()>,
    ) -> Result<Walked> {
        let missing = || no_session(self.agent.agent(), id);
        let mut database = self.open()?.ok_or_else(missing)?;
        let walked = database.walk(id, &mut |number, line| {
            gather.add(&self.agent.describe(line));
            let Some(number) = number else {
                return ControlFlow::Continue(());
            };
            let raw = line.strip_suffix(b"\n").unwrap_or(line);
            for (index, message) in self.agent.messages(line).into_iter().enumerate() {
                let place = MessagePlace { number, index };
                visit(message::provided(self.agent, id, place, raw, message))?;
            }
            ControlFlow::Continue(())
        })?;
        walked.ok_or_else(missing)
    }
}

impl SessionProvider for DatabaseProvider {
    fn agent_type(&self) -> &str {
        self.agent.agent()
    }

    fn list_projects(&self) -> Result<Vec<String>> {
        let Some(mut database) = self.open()? else {
            return Ok(Vec::new());
        };
        let (sessions, _) = database.sessions()?;
        let mut projects: Vec<String> = sessions
            .into_iter()
            .map(|session| session.project.unwrap_or_default())
            .collect();
        projects.sort();
        projects.dedup();
        Ok(projects)
    }

    fn list_sessions(&self, project: &str) -> Result<Listing> {
        let listing = self.list(Some(project))?;
        if listing.sessions.is_empty() && listing.problems.is_empty() {
            return Err(Error::ProjectNotFound {
                agent: self.agent.agent().to_owned(),
                project: project.to_owned(),
            });
        }
        Ok(listing)
    }

    fn list_all(&self) -> Result<Listing> {
        self.list(None)
    }

    fn read_session(&self, id: &str) -> Result<ProviderSession> {
        let mut gather = Gather::of(id);
        let mut messages = Vec::new();
        let walked = self.walk(id, &mut gather, &mut |message| {
            messages.push(message);
            ControlFlow::Continue(())
        })?;
        Ok(ProviderSession {
            summary: gather.summary(self.agent.agent()),
            version: walked.version,
            messages,
        })
    }

    fn scan_messages(
        &self,
        id: &str,
        visit: &mut dyn FnMut(ProviderMessage) -> ControlFlow<()>,
    ) -> Result<Scan> {
        let mut gather = Gather::of(id);
        let walked = self.walk(id, &mut gather, visit)?;
        Ok(Scan {
            stopped: walked.stopped,
            unread_lines: gather.unread_lines(),
        })
    }
}
