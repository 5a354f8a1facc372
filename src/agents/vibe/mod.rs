//! Mistral Vibe: `~/.vibe/logs/session/session_<time>_<id>/messages.jsonl`, messages in a common shape that the
//! fallback reads, with all that is told of the session in `meta.json` beside them.

mod layout;
mod meta;
#[cfg(test)]
mod tests;

use std::path::{Path, PathBuf};

use self::layout::AGENT;
use super::agent::Agent;
#[cfg(any(test, fuzzing))]
use super::agent::Samples;
use super::companions::{Companions, Sidecar};
use super::default_home::DefaultHome;
use super::dialect::{Candidate, Dialect};
use super::fallback::Fallback;
use super::parts::fields::{fields_of, is_true};
use super::parts::lines::{Format, Reading};
use super::parts::titles;
use super::state::SidecarFacts;
use crate::json::Json;
use crate::model::links::{Links, Place};
use crate::model::message::{Message, Role};
use crate::model::record::RecordKind;

/// Mistral Vibe's sessions.
#[derive(Debug)]
pub(crate) struct Vibe;

impl Dialect for Vibe {
    fn agent(&self) -> &'static str {
        AGENT
    }

    /// By the place, and in a copy by the file beside: the lines are like those of many.
    fn may_own(&self, candidate: &Candidate<'_>) -> bool {
        layout::is_own(candidate.path)
            || (layout::is_session(candidate.path)
                && candidate.companion.and_then(meta::session_id).is_some())
    }

    fn session_id(&self, candidate: &Candidate<'_>) -> String {
        let stated = candidate.companion.and_then(meta::session_id);
        stated.unwrap_or_else(|| layout::session_id(candidate.path))
    }

    fn parent(&self, candidate: &Candidate<'_>) -> Option<String> {
        layout::parent(candidate.path)
    }

    fn has_message_ids(&self) -> bool {
        false
    }

    fn reader_version(&self) -> u16 {
        // 2: what a sub-agent is to do is its title.
        2
    }
}

impl Companions for Vibe {
    fn sidecar(&self, path: &Path) -> Option<Sidecar> {
        layout::session_of_meta(path).map(Sidecar::Session)
    }

    fn companion(&self, path: &Path) -> Option<PathBuf> {
        let is_one = layout::is_session(path) || layout::is_own(path);
        is_one.then(|| path.with_file_name(layout::META))
    }

    fn meta_ending(&self) -> &'static str {
        layout::META
    }

    fn sidecar_facts(&self, path: &Path, bytes: &[u8]) -> Vec<SidecarFacts> {
        let is_meta = path.file_name().is_some_and(|name| name == layout::META);
        is_meta
            .then(|| meta::facts(bytes))
            .flatten()
            .into_iter()
            .collect()
    }

    fn usage_file(&self) -> Option<&'static str> {
        Some(layout::META)
    }
}

impl Agent for Vibe {
    fn aliases(&self) -> &'static [&'static str] {
        &["mistral-vibe"]
    }

    fn title(&self) -> &'static str {
        "Mistral Vibe"
    }

    fn found(&self) -> &'static str {
        "`.vibe/logs/session`, with its meta files"
    }

    fn homes(&self) -> &'static [DefaultHome] {
        const HOMES: [DefaultHome; 2] = [
            DefaultHome::in_variable("VIBE_HOME", ""),
            DefaultHome::in_home(".vibe"),
        ];
        &HOMES
    }

    fn folders(&self) -> &'static [&'static str] {
        &["logs/session"]
    }

    fn resume_command(&self, id: &str) -> Option<Vec<String>> {
        Some(["vibe", "--resume", id].map(str::to_owned).into())
    }

    #[cfg(any(test, fuzzing))]
    fn samples(&self) -> Samples {
        Samples {
            lines: &[],
            paths: &[
                "/h/.vibe/logs/session/session_20260403_090000_0a1b2c3d/messages.jsonl",
                "/h/.vibe/logs/session/session_20260403_090000_0a1b2c3d/meta.json",
            ],
        }
    }
}

/// Whether the program put a message into the talk.
fn is_put_in(object: Json<'_>) -> bool {
    let [injected] = fields_of(Some(object), &["injected"]);
    is_true(injected)
}

/// What was asked, of a text: a sub-agent is told of a folder before that.
fn asked(text: &str) -> Option<&str> {
    let is_told = text.starts_with("Scratchpad directory: ");
    let behind = text.split_once("\n\n").filter(|_| is_told);
    titles::any(behind.map_or(text, |(_, asked)| asked))
}

impl Format for Vibe {
    fn read<'a>(&self, object: Json<'a>) -> Reading<'a> {
        let mut reading = Fallback.read(object);
        if reading.kind == RecordKind::Message && reading.role == Some(Role::User) {
            if is_put_in(object) {
                reading.facts.title = None;
            } else {
                let [content] = fields_of(Some(object), &["content"]);
                reading.facts.title = titles::of_message(Role::User, content, asked);
                reading.facts.links = Links {
                    place: Place::Asked,
                    ..Links::default()
                };
            }
        }
        reading
    }

    fn message(&self, object: Json<'_>) -> Message {
        let mut message = Fallback.message(object);
        message.injected = message.role == Role::System || is_put_in(object);
        message
    }
}
