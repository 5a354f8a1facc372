//! Chats of VS Code: `workspaceStorage/<folder>/chatSessions/<session>.jsonl`, changes of one document, or that
//! document itself (`.json`) as versions before wrote it. Both are taken as a document: its records are
//! lines that are made from what it comes to.

mod changes;
mod document;
mod layout;
mod messages;
#[cfg(test)]
mod tests;

use std::path::Path;

use self::layout::AGENT;
use super::agent::Agent;
#[cfg(any(test, fuzzing))]
use super::agent::Samples;
use super::companions::{Companions, Sidecar};
use super::default_home::DefaultHome;
use super::dialect::{Candidate, Dialect, Recognition};
use super::document::{Document, DocumentLines};
use super::parts::lines::{Format, Reading};
use crate::json::Json;
use crate::model::message::Message;

/// VS Code's chats.
#[derive(Debug)]
pub(crate) struct VsCode;

impl Dialect for VsCode {
    fn agent(&self) -> &'static str {
        AGENT
    }

    /// No file of lines is its: what looks like one is changes of a document.
    fn recognise(&self, _candidate: &Candidate<'_>) -> Recognition {
        Recognition::No
    }

    fn may_own(&self, candidate: &Candidate<'_>) -> bool {
        layout::chat(candidate.path).is_some()
    }

    fn project(&self, candidate: &Candidate<'_>) -> Option<String> {
        layout::project(candidate.path)
    }

    fn has_unique_ids(&self) -> bool {
        true
    }

    fn folds(&self, path: &Path) -> bool {
        layout::chat(path).is_some()
    }

    fn document(&self, candidate: &Candidate<'_>, _head: &str) -> Option<Document> {
        layout::chat(candidate.path).map(|id| Document {
            agent: AGENT,
            id,
            // Where both forms of a chat are there, the changes are newer.
            yields: layout::is_old_form(candidate.path),
        })
    }

    fn document_lines(&self, bytes: &[u8]) -> Option<DocumentLines> {
        let state = changes::fold(bytes)?;
        Some(document::lines(&state)?.with_open_turn(self))
    }
}

impl Companions for VsCode {
    fn sidecar(&self, path: &Path) -> Option<Sidecar> {
        layout::is_workspace(path).then_some(Sidecar::Folder)
    }
}

/// The editors that keep chats so, by the folder of their settings.
const PLACES: [DefaultHome; 6] = [
    DefaultHome::in_settings("Code/User/workspaceStorage"),
    DefaultHome::in_settings("Code/User/globalStorage/emptyWindowChatSessions"),
    DefaultHome::in_settings("Code - Insiders/User/workspaceStorage"),
    DefaultHome::in_settings("Code - Insiders/User/globalStorage/emptyWindowChatSessions"),
    DefaultHome::in_settings("VSCodium/User/workspaceStorage"),
    DefaultHome::in_settings("VSCodium/User/globalStorage/emptyWindowChatSessions"),
];

impl Agent for VsCode {
    fn aliases(&self) -> &'static [&'static str] {
        &["vscode-chat"]
    }

    fn title(&self) -> &'static str {
        "VS Code chat"
    }

    fn found(&self) -> &'static str {
        "`workspaceStorage/*/chatSessions`, `emptyWindowChatSessions`"
    }

    /// Extensions keep sessions of other agents beside these in the same folders of settings.
    fn more_homes(&self) -> &'static [&'static [&'static str]] {
        &[
            &["User", "workspaceStorage"],
            &["globalStorage", "emptyWindowChatSessions"],
        ]
    }

    fn more_places(&self) -> &'static [DefaultHome] {
        &PLACES
    }

    #[cfg(any(test, fuzzing))]
    fn samples(&self) -> Samples {
        Samples {
            lines: &[],
            paths: &[
                "/h/.config/Code/User/workspaceStorage/aa/chatSessions/0a1b2c3d-0000-4000-8000-000000000001.jsonl",
                "/h/.config/Code/User/workspaceStorage/aa/chatSessions/0a1b2c3d-0000-4000-8000-000000000002.json",
                "/h/.config/Code/User/workspaceStorage/aa/workspace.json",
            ],
        }
    }
}

impl Format for VsCode {
    fn read<'a>(&self, object: Json<'a>) -> Reading<'a> {
        messages::read(object)
    }

    fn message(&self, object: Json<'_>) -> Message {
        messages::message(object)
    }
}
