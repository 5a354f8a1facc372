//! Kimi: what Kimi Code 2 writes (`~/.kimi-code/sessions/wd_*/<session>/agents/<agent>/wire.jsonl`, a log of
//! which one message takes many lines), and Kimi CLI 1 before it
//! (`~/.kimi/sessions/<hash>/<session>/context.jsonl`, messages as the model sees them).

mod context;
mod folders;
mod index;
mod layout;
mod log;
mod state;
#[cfg(test)]
mod tests;
mod wire;

use std::path::{Path, PathBuf};

use self::layout::AGENT;
use super::agent::Agent;
#[cfg(any(test, fuzzing))]
use super::agent::Samples;
use super::companions::{Companions, Sidecar};
use super::default_home::DefaultHome;
use super::dialect::{Candidate, Dialect, Recognition};
use super::parts::fields::{fields_of, text};
use super::parts::heads::HeadLine;
use super::parts::lines::{Format, Reading};
use super::state::SidecarFacts;
use crate::json::Json;
use crate::model::message::Message;

/// Kimi's sessions.
#[derive(Debug)]
pub(crate) struct Kimi;

impl Dialect for Kimi {
    fn agent(&self) -> &'static str {
        AGENT
    }

    fn recognise(&self, candidate: &Candidate<'_>) -> Recognition {
        let is_other = || layout::sidecar(candidate.path).is_some();
        candidate.told_by(
            || self.may_own(candidate),
            || !is_other() && candidate.lines().any(|line| self.is_line(line)),
        )
    }

    fn may_own(&self, candidate: &Candidate<'_>) -> bool {
        layout::own(candidate.path).is_some()
    }

    /// Whether a line, perhaps cut off, is one of Kimi's.
    fn is_line(&self, line: &HeadLine<'_>) -> bool {
        let [kind, time, version, created, role] =
            line.fields(&["type", "time", "protocol_version", "created_at", "role"]);
        match text(kind).as_deref() {
            Some("metadata") => version.is_some() && created.is_some(),
            Some(kind) => time.is_some() && wire::tells_the_agent(kind),
            None => text(role).is_some_and(|role| context::NOTES.contains(&&*role)),
        }
    }

    fn session_id(&self, candidate: &Candidate<'_>) -> String {
        layout::session_id(candidate.path)
    }

    fn parent(&self, candidate: &Candidate<'_>) -> Option<String> {
        layout::parent(candidate.path)
    }

    fn project(&self, candidate: &Candidate<'_>) -> Option<String> {
        let (_, hash) = layout::list_of_folders(candidate.path)?;
        folders::of_hash(candidate.companion?, &hash)
    }

    fn reader_version(&self) -> u16 {
        // 2: what is put in is known in Kimi CLI's lines too, and a sub-agent's task is its title.
        2
    }

    fn is_in_parts(&self) -> bool {
        true
    }
}

impl Companions for Kimi {
    fn sidecar(&self, path: &Path) -> Option<Sidecar> {
        layout::sidecar(path)
    }

    fn companion(&self, path: &Path) -> Option<PathBuf> {
        layout::list_of_folders(path).map(|(list, _)| list)
    }

    fn sidecar_facts(&self, path: &Path, bytes: &[u8]) -> Vec<SidecarFacts> {
        match layout::session_of_state(path) {
            Some(id) => vec![state::facts(id, bytes)],
            None if layout::is_index(path) => index::facts(bytes),
            None if layout::is_log(path) => {
                let id = match layout::sidecar(path) {
                    Some(Sidecar::Session(id)) => id,
                    // A store asks by the name alone, and knows whose it is.
                    _ => String::new(),
                };
                vec![log::facts(id, bytes)]
            }
            None => Vec::new(),
        }
    }

    fn usage_file(&self) -> Option<&'static str> {
        Some(layout::WIRE)
    }
}

impl Agent for Kimi {
    fn aliases(&self) -> &'static [&'static str] {
        &["kimi-code", "kimi-cli"]
    }

    fn title(&self) -> &'static str {
        "Kimi"
    }

    fn found(&self) -> &'static str {
        "`.kimi-code/sessions` (Kimi Code), `.kimi/sessions` (Kimi CLI)"
    }

    fn homes(&self) -> &'static [DefaultHome] {
        const HOMES: [DefaultHome; 2] = [
            DefaultHome::in_variable("KIMI_CODE_HOME", ""),
            DefaultHome::in_home(".kimi-code"),
        ];
        &HOMES
    }

    fn more_homes(&self) -> &'static [&'static [&'static str]] {
        &[&[".kimi"]]
    }

    fn folders(&self) -> &'static [&'static str] {
        &["sessions", "session_index.jsonl"]
    }

    fn more_places(&self) -> &'static [DefaultHome] {
        const PLACES: [DefaultHome; 2] = [
            DefaultHome::in_variable("KIMI_SHARE_DIR", "sessions"),
            DefaultHome::in_home(".kimi/sessions"),
        ];
        &PLACES
    }

    fn resume_command(&self, id: &str) -> Option<Vec<String>> {
        Some(["kimi", "--session", id].map(str::to_owned).into())
    }

    #[cfg(any(test, fuzzing))]
    fn samples(&self) -> Samples {
        Samples {
            lines: &[
                r#"{"type":"context.append_message","message":{"id":"p","role":"user","content":[{"type":"text","text":"hi"}],"toolCalls":[],"origin":{"kind":"user"}},"time":1775206800000}"#,
                r#"{"type":"metadata","protocol_version":"1.5","created_at":1775206800000}"#,
                r#"{"type":"context.append_loop_event","event":{"type":"content.part","stepUuid":"s","part":{"type":"think","think":"x"}},"time":1775206800001}"#,
                r#"{"type":"usage.record","model":"m","usage":{"inputOther":6,"output":1,"inputCacheRead":4},"usageScope":"turn","time":1775206800002}"#,
                r#"{"role": "_checkpoint", "id": 0}"#,
            ],
            paths: &[
                "/h/.kimi-code/sessions/wd_w_0123456789ab/s-1/agents/main/wire.jsonl",
                "/h/.kimi-code/sessions/wd_w_0123456789ab/s-1/state.json",
                "/h/.kimi-code/session_index.jsonl",
                "/h/.kimi/sessions/0a1b2c/s-1/context.jsonl",
                "/h/.kimi/sessions/0a1b2c/s-1/wire.jsonl",
            ],
        }
    }
}

/// Whether an object is of the log, and not a message as the model sees it.
fn is_wire(object: Json<'_>) -> bool {
    let [kind, calls, origin] = fields_of(Some(object), &["type", "toolCalls", "origin"]);
    // What has these is a part of a line.
    kind.is_some() || calls.is_some() || origin.is_some()
}

impl Format for Kimi {
    fn read<'a>(&self, object: Json<'a>) -> Reading<'a> {
        if is_wire(object) {
            wire::read(object)
        } else {
            context::read(object)
        }
    }

    fn message(&self, object: Json<'_>) -> Message {
        if is_wire(object) {
            wire::message(object)
        } else {
            context::message(object)
        }
    }

    fn about(&self, object: Json<'_>) -> Option<Message> {
        wire::about(object)
    }
}
