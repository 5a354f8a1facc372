//! jcode: `~/.jcode/sessions/<uuid>.json`, one event a line, whatever its ending says.
//!
//! - A teammate's transcript is `<leader>/subagents/agent-<id>.jsonl`; its session is
//!   `<leader>/<id>`, and the leader is its parent.
//! - `session.json` is the index and no session, `projects.json` neither.
//! - Messages have no ids, and what a model says and calls are lines of their own.

mod entry;
mod entry_line;
mod index;
mod layout;
mod messages;
#[cfg(test)]
mod tests;

use std::borrow::Cow;
use std::path::Path;

pub use self::entry::{Entry, EntryImage, EntryKind, TodoItem};
pub(crate) use self::entry_line::timestamp;
pub(crate) use self::layout::{AGENT, is_reserved, leader_of};
pub(crate) use self::messages::{call, filled, said, target_of, user, with_error};
use super::agent::Agent;
#[cfg(any(test, fuzzing))]
use super::agent::Samples;
use super::companions::{Companions, Sidecar};
use super::default_home::DefaultHome;
use super::described::{Facts, TitleOffer};
use super::dialect::{Candidate, Dialect, Recognition};
use super::habits::Habits;
use super::parts::fields::{fields_of, text, text_filled};
use super::parts::go_json::{self, Escape};
use super::parts::lines::{Format, Reading};
use super::parts::{times, titles};
use super::state::{SessionState, SidecarFacts};
use crate::json::Json;
use crate::json::string;
use crate::model::error::Result;
use crate::model::key::SessionKey;
use crate::model::message::{Message, Role};
use crate::model::raw_json::RawJson;
use crate::model::record::RecordKind;
use crate::model::session::Session;

/// The provider in the header of a teammate.
pub(crate) const TEAMMATE: &str = "teammate";

/// The title of a session whose first message has no text on its first line.
const NO_TITLE: &str = "New session";

/// Most characters of a title, before the `…` of one that is longer.
const TITLE_CHARACTERS: usize = 80;

/// The field of [`Session::extra`] that holds the provider.
const PROVIDER: &str = "provider";

/// jcode's session files.
#[derive(Debug)]
pub(crate) struct Jcode;

impl Dialect for Jcode {
    fn agent(&self) -> &'static str {
        AGENT
    }

    fn compaction_mark(&self) -> Option<&'static str> {
        Some("\"type\":\"compact\"")
    }

    fn reader_version(&self) -> u16 {
        // 2: a session with a parent is its sub-agent.
        2
    }

    fn recognise(&self, candidate: &Candidate<'_>) -> Recognition {
        layout::recognise(candidate)
    }

    fn may_own(&self, candidate: &Candidate<'_>) -> bool {
        layout::is_own(candidate.path)
    }

    fn has_unique_ids(&self) -> bool {
        true
    }

    fn session_id(&self, candidate: &Candidate<'_>) -> String {
        layout::session_id(candidate)
    }

    /// It cuts a session off at a user's message.
    fn habits(&self) -> Habits {
        Habits {
            truncates: true,
            ..Habits::default()
        }
    }

    fn has_message_ids(&self) -> bool {
        false
    }

    fn write_message(&self, _key: &SessionKey, message: &Message) -> Result<Vec<Vec<u8>>> {
        let timestamp = message.time.map(timestamp).unwrap_or_default();
        let entries = messages::entries_of(message, &timestamp)?;
        Ok(entries.iter().map(Entry::line).collect())
    }

    fn write_meta(&self, session: &Session, first: bool) -> Result<Option<Vec<u8>>> {
        Ok(first.then(|| header_of(session).line()))
    }

    fn read_meta(&self, line: &[u8], session: &mut Session) {
        for entry in Entry::read_line(line) {
            if let EntryKind::SessionStart {
                uuid,
                project,
                provider,
                model,
            } = entry.kind
            {
                // A header without a project or model leaves what an earlier one told.
                session.project = filled(&project).or(session.project.take());
                session.model = filled(&model).or(session.model.take());
                session.parent = leader_of(&uuid)
                    .map(str::to_owned)
                    .or(session.parent.take());
                session.extra = entry.extra;
                if let Ok(json) = RawJson::parse(go_json::string(&provider, Escape::Plain))
                    && !provider.is_empty()
                {
                    session.extra.insert(0, (PROVIDER.to_owned(), json));
                }
            }
        }
    }
}

impl Companions for Jcode {
    fn sidecar(&self, path: &Path) -> Option<Sidecar> {
        layout::sidecar(path)
    }

    fn sidecar_facts(&self, path: &Path, bytes: &[u8]) -> Vec<SidecarFacts> {
        if layout::is_index(path) {
            index::facts(bytes)
        } else {
            Vec::new()
        }
    }

    fn file_name(&self, state: &SessionState) -> Option<Vec<String>> {
        Some(layout::file_name(state.summary.key.id()))
    }

    fn write_index(
        &self,
        original: Option<&[u8]>,
        changed: &[SessionState],
    ) -> Option<(String, Vec<u8>)> {
        let bytes = index::write(original, changed)?;
        Some((layout::INDEX.to_owned(), bytes))
    }
}

impl Agent for Jcode {
    fn title(&self) -> &'static str {
        "jcode"
    }

    fn found(&self) -> &'static str {
        "`.jcode/sessions`, with teammates, overflow and index"
    }

    fn homes(&self) -> &'static [DefaultHome] {
        const HOMES: [DefaultHome; 1] = [DefaultHome::in_home(".jcode")];
        &HOMES
    }

    fn more_homes(&self) -> &'static [&'static [&'static str]] {
        &[&[".jcoding"]]
    }

    fn folders(&self) -> &'static [&'static str] {
        &["sessions"]
    }

    #[cfg(any(test, fuzzing))]
    fn samples(&self) -> Samples {
        Samples {
            lines: &[
                r#"{"type":"user","timestamp":"2026-04-03T09:00:00Z","content":"hi"}"#,
                r#"{"type":"session_start","timestamp":"2026-04-03T09:00:00Z","uuid":"7f9c2ba4-e88f-4b1c-9d3e-0c4a6b1d2e3f","project":"/w","provider":"p","model":"m"}"#,
            ],
            paths: &[
                "/h/.jcode/sessions/7f9c2ba4-e88f-4b1c-9d3e-0c4a6b1d2e3f.json",
                "/h/.jcode/sessions/7f9c2ba4-e88f-4b1c-9d3e-0c4a6b1d2e3f/subagents/agent-1.jsonl",
                "/h/.jcode/sessions/session.json",
            ],
        }
    }
}

/// The header entry of a session.
fn header_of(session: &Session) -> Entry {
    let mut extra = session.extra.clone();
    let mut provider = None;
    extra.retain(|(key, json)| {
        let is_provider = key == PROVIDER;
        if is_provider {
            provider = string::decode(json.as_str()).map(Cow::into_owned);
        }
        !is_provider
    });
    let is_teammate = leader_of(session.key.id()).is_some();
    Entry {
        kind: EntryKind::SessionStart {
            uuid: session.key.id().to_owned(),
            project: session.project.clone().unwrap_or_default(),
            provider: provider.unwrap_or_else(|| {
                // As the program writes it for teammates, of whom it is told no provider.
                let default = if is_teammate { TEAMMATE } else { "" };
                default.to_owned()
            }),
            model: session.model.clone().unwrap_or_default(),
        },
        timestamp: session.created_at.map(timestamp).unwrap_or_default(),
        extra,
    }
}

/// The title that a user's message gives: its first line, cut at 80 characters.
fn title_of(content: &str) -> String {
    let line = content.split(['\n', '\r']).next().unwrap_or_default();
    let line = line.trim();
    if line.is_empty() {
        return NO_TITLE.to_owned();
    }
    let mut title: String = line.chars().take(TITLE_CHARACTERS).collect();
    if title.len() < line.len() {
        title.push('…');
    }
    title
}

impl Format for Jcode {
    fn read<'a>(&self, object: Json<'a>) -> Reading<'a> {
        let [kind, time, content, uuid, project, model] = fields_of(
            Some(object),
            &["type", "timestamp", "content", "uuid", "project", "model"],
        );
        let mut reading = Reading::of(RecordKind::Event);
        reading.time_us = times::time_us(time);
        let role = match text(kind).as_deref() {
            Some("session_start") => {
                reading.kind = RecordKind::Meta;
                reading.facts = Facts {
                    created_us: reading.time_us,
                    project: text_filled(project),
                    model: text_filled(model),
                    parent: text(uuid)
                        .and_then(|uuid| Some(Cow::Owned(leader_of(&uuid)?.to_owned()))),
                    // Only teammates have a parent.
                    subagent: true,
                    replaces: true,
                    ..Facts::default()
                };
                return reading;
            }
            Some("user") => {
                let content = text(content).unwrap_or_default();
                reading.facts.title = Some(TitleOffer {
                    text: Cow::Owned(title_of(&content)),
                    rank: titles::FIRST_MESSAGE,
                    latest_wins: false,
                    about: None,
                    session: None,
                });
                Role::User
            }
            Some("assistant" | "tool_call") => Role::Assistant,
            Some("tool_result") => Role::Tool,
            Some(
                "plan_update" | "todo_snapshot" | "subagent_start" | "subagent_result"
                | "subagent_async" | "mode_change" | "compact" | "budget_warning" | "system_prompt"
                | "goal_update",
            ) => return reading,
            Some(kind) if entry::EVENTS_BESIDE.contains(&kind) => return reading,
            _ => {
                reading.kind = RecordKind::Unknown;
                return reading;
            }
        };
        reading.kind = RecordKind::Message;
        reading.role = Some(role);
        reading
    }

    fn message(&self, object: Json<'_>) -> Message {
        messages::message_of(&Entry::read(object)).unwrap_or_else(|| Message::new(Role::Other))
    }
}
