//! aider: a Markdown file in each project, `.aider.chat.history.md`, which grows with every run.

mod history;
mod reading;

use self::history::AGENT;
pub(crate) use self::reading::Aider;
use std::path::Path;

use super::agent::Agent;
#[cfg(any(test, fuzzing))]
use super::agent::Samples;
use super::companions::Companions;
use super::dialect::{Candidate, Dialect};
use super::document::{Document, DocumentLines};
use super::parts::paths;

/// The file of a project.
const HISTORY: &str = ".aider.chat.history.md";

impl Dialect for Aider {
    fn agent(&self) -> &'static str {
        AGENT
    }

    fn entry_ids(&self) -> Option<&'static [&'static str]> {
        Some(&[])
    }

    fn has_document_name(&self, path: &Path) -> bool {
        path.file_name().is_some_and(|name| name == HISTORY)
    }

    /// A history has no id: it is the one of its folder, and is called so.
    fn document(&self, candidate: &Candidate<'_>, _head: &str) -> Option<Document> {
        if !self.has_document_name(candidate.path) {
            return None;
        }
        let folder = candidate.path.parent().map(paths::name);
        Some(Document::new(
            AGENT,
            folder.unwrap_or_else(|| AGENT.to_owned()),
        ))
    }

    fn document_lines(&self, bytes: &[u8]) -> Option<DocumentLines> {
        Some(history::lines(bytes))
    }

    fn project(&self, candidate: &Candidate<'_>) -> Option<String> {
        if !self.has_document_name(candidate.path) {
            return None;
        }
        let folder = candidate.path.parent()?;
        Some(folder.display().to_string())
    }

    fn has_message_ids(&self) -> bool {
        false
    }
}

// None: the list of what was typed says the same again.
impl Companions for Aider {}

impl Agent for Aider {
    fn title(&self) -> &'static str {
        "aider"
    }

    fn found(&self) -> &'static str {
        "`.aider.chat.history.md` in a project"
    }

    #[cfg(any(test, fuzzing))]
    fn samples(&self) -> Samples {
        Samples {
            lines: &[
                r#"{"agent":"aider","kind":"user","entry":"hi"}"#,
                r#"{"agent":"aider","kind":"session","entry":{"started":"2026-04-03 09:00:00"}}"#,
                r#"{"agent":"aider","kind":"assistant","entry":"red, green"}"#,
                r#"{"agent":"aider","kind":"program","entry":"Tokens: 100 sent, 6 received."}"#,
            ],
            paths: &["/w/.aider.chat.history.md"],
        }
    }
}
