//! The sessions of `CodeBuddy`: `~/.codebuddy/projects/<folder>/<session>.jsonl`, what was said and called as items, one a line, which
//! hang on each other. The places are those of agents whose lines are in an envelope.

mod items;
#[cfg(test)]
mod tests;

use std::path::Path;

use super::agent::Agent;
#[cfg(any(test, fuzzing))]
use super::agent::Samples;
use super::companions::{Companions, Sidecar};
use super::default_home::DefaultHome;
use super::dialect::{Candidate, Dialect};
use super::fallback::enveloped::Enveloped;
use super::parts::fields::{fields, owned};
use super::parts::lines::{Format, Reading, body};
use super::state::SidecarFacts;
use crate::json::Json;
use crate::model::message::Message;

/// Where its sessions lie, and how lines would be read that are none of its items.
const PLACES: Enveloped = Enveloped {
    name: "codebuddy",
    aliases: &[],
    title: "CodeBuddy",
    found: "`.codebuddy/projects`",
    home: ".codebuddy",
    homes: &[
        DefaultHome::in_variable("CODEBUDDY_CONFIG_DIR", ""),
        DefaultHome::in_home(".codebuddy"),
    ],
    resume: &["codebuddy", "--resume"],
    #[cfg(any(test, fuzzing))]
    paths: &[
        "/h/.codebuddy/projects/w/0a1b2c3d-0000-4000-8000-000000000001.jsonl",
        "/h/.codebuddy/projects/w/0a1b2c3d-0000-4000-8000-000000000001.meta.json",
    ],
};

/// Its sessions.
#[derive(Debug)]
pub(crate) struct CodeBuddy;

impl Dialect for CodeBuddy {
    fn agent(&self) -> &'static str {
        PLACES.name
    }

    fn may_own(&self, candidate: &Candidate<'_>) -> bool {
        PLACES.may_own(candidate)
    }

    fn session_id(&self, candidate: &Candidate<'_>) -> String {
        PLACES.session_id(candidate)
    }

    fn parent(&self, candidate: &Candidate<'_>) -> Option<String> {
        PLACES.parent(candidate)
    }

    fn reader_version(&self) -> u16 {
        // 2: its items are read, and no envelope of another agent.
        2
    }

    fn has_unique_ids(&self) -> bool {
        true
    }
}

impl Companions for CodeBuddy {
    fn sidecar(&self, path: &Path) -> Option<Sidecar> {
        PLACES.sidecar(path)
    }

    /// Of a fork, the session that it is a copy of.
    fn sidecar_facts(&self, path: &Path, bytes: &[u8]) -> Vec<SidecarFacts> {
        let content = String::from_utf8_lossy(bytes);
        let [origin] = fields(body(&content), &["forkedFrom"]).unwrap_or_default();
        match (self.sidecar(path), owned(origin)) {
            (Some(Sidecar::Session(id)), parent @ Some(_)) => vec![SidecarFacts {
                id,
                parent,
                ..SidecarFacts::default()
            }],
            _ => Vec::new(),
        }
    }
}

impl Agent for CodeBuddy {
    fn title(&self) -> &'static str {
        PLACES.title
    }

    fn found(&self) -> &'static str {
        PLACES.found
    }

    fn homes(&self) -> &'static [DefaultHome] {
        PLACES.homes
    }

    fn folders(&self) -> &'static [&'static str] {
        PLACES.folders()
    }

    fn counts_cache_as_input(&self) -> bool {
        true
    }

    fn resume_command(&self, id: &str) -> Option<Vec<String>> {
        PLACES.resume_command(id)
    }

    #[cfg(any(test, fuzzing))]
    fn samples(&self) -> Samples {
        PLACES.samples()
    }
}

impl Format for CodeBuddy {
    fn read<'a>(&self, object: Json<'a>) -> Reading<'a> {
        items::read(object).unwrap_or_else(|| PLACES.read(object))
    }

    fn message(&self, object: Json<'_>) -> Message {
        items::message(object).unwrap_or_else(|| PLACES.message(object))
    }

    fn about(&self, object: Json<'_>) -> Option<Message> {
        PLACES.about(object)
    }
}
