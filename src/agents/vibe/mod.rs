//! Mistral Vibe: `~/.vibe/logs/session/session_<time>_<id>/messages.jsonl`, messages in a common shape that the
//! fallback reads, with all that is told of the session in `meta.json` beside them; from 2.26 on
//! `~/.vibe/logs/session/unified/<id>`, a folder of many files.

mod layout;
mod meta;
mod reading;
mod said;
#[cfg(test)]
mod tests;
mod unified;

use std::path::{Path, PathBuf};

use self::layout::AGENT;
pub(crate) use self::reading::Vibe;
use super::agent::Agent;
#[cfg(any(test, fuzzing))]
use super::agent::Samples;
use super::companions::{Companions, Sidecar};
use super::database::Databases;
use super::default_home::DefaultHome;
use super::dialect::{Candidate, Dialect};
use super::parts::entries;
use super::state::SidecarFacts;

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

    fn entry_ids(&self) -> Option<&'static [&'static str]> {
        Some(&["id"])
    }

    fn session_id(&self, candidate: &Candidate<'_>) -> String {
        let stated = entries::session_id(AGENT, candidate.lines(), &["id"]);
        let stated = stated.or_else(|| candidate.companion.and_then(meta::session_id));
        stated.unwrap_or_else(|| layout::session_id(candidate.path))
    }

    fn compaction_mark(&self) -> Option<&'static str> {
        Some("\"kind\":\"compaction\"")
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

    fn databases(&self) -> Option<&'static Databases> {
        Some(&unified::DATABASES)
    }

    fn counts_cache_as_input(&self) -> bool {
        true
    }

    fn resume_command(&self, id: &str) -> Option<Vec<String>> {
        Some(["vibe", "--resume", id].map(str::to_owned).into())
    }

    #[cfg(any(test, fuzzing))]
    fn samples(&self) -> Samples {
        Samples {
            lines: &[
                r#"{"agent":"vibe","kind":"entries","entry":{"type":"message","id":"u1","role":"user","content":[{"type":"text","text":"hi"}],"createdAt":1775206800000}}"#,
                r#"{"agent":"vibe","kind":"entries","entry":{"type":"effect","id":"e1","detail":{"kind":"tool","toolName":"bash","input":{"command":"ls"}},"generationStatus":"completed","state":{"status":"completed","outputText":"a.txt"},"createdAt":1775206801000}}"#,
                r#"{"agent":"vibe","kind":"session","entry":{"id":"s-1","title":"T","titleSource":"manual","tokenUsage":{"inputTokens":9,"outputTokens":1,"cachedInputTokens":4},"updatedAt":1775206802000}}"#,
            ],
            paths: &[
                "/h/.vibe/logs/session/unified/0a1b2c3d-0000-0000-0000-0a1b2c3d4e5f/CURRENT",
                "/h/.vibe/logs/session/unified/0a1b2c3d-0000-0000-0000-0a1b2c3d4e5f/meta.json",
                "/h/.vibe/logs/session/session_20260403_090000_0a1b2c3d/messages.jsonl",
                "/h/.vibe/logs/session/session_20260403_090000_0a1b2c3d/meta.json",
            ],
        }
    }
}
