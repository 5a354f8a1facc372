//! Claude Code: `~/.claude/projects/<folder>/<session>.jsonl`, one event a line.
//!
//! Messages are lines with a `message` that has a role. The lines of agentx's sample homes, with
//! `role` and `content` at the top, are messages too.

mod beside;
mod home;
mod index;
mod injected;
mod kinds;
mod layout;
mod links;
mod put_back;
#[cfg(test)]
mod tests;
mod title;
mod values;

use std::borrow::Cow;
use std::path::Path;

use crate::json::Json;

use self::kinds::{EVENTS, UNMISTAKABLE};
use self::layout::AGENT;
use self::values::{has_tool_result, model_of};
use super::agent::Agent;
#[cfg(any(test, fuzzing))]
use super::agent::Samples;
use super::companions::{Companions, Sidecar};
use super::default_home::DefaultHome;
use super::described::Facts;
use super::dialect::{Candidate, Dialect, Recognition, VersionIn};
use super::home::Found;
use super::operation::MessageType;
use super::parts::fields::{self, fields, fields_of, is_true, owned, text};
use super::parts::heads::HeadLine;
use super::parts::lines::{Format, Reading};
use super::parts::{blocks, times, tokens};
use super::state::SidecarFacts;
use crate::model::message::{Block, Message, Role};
use crate::model::record::RecordKind;
use crate::model::session::Summary;

/// The fields of a line that are read of every line.
const FIELDS: [&str; 18] = [
    "type",
    "uuid",
    "timestamp",
    "cwd",
    "gitBranch",
    "message",
    "role",
    "content",
    "model",
    "isMeta",
    "isCompactSummary",
    "forkedFrom",
    "isSidechain",
    "agentId",
    "sessionId",
    "parentUuid",
    "requestId",
    "origin",
];

/// Claude Code's session files.
#[derive(Debug)]
pub(crate) struct ClaudeCode;

impl Dialect for ClaudeCode {
    fn agent(&self) -> &'static str {
        AGENT
    }

    fn recognise(&self, candidate: &Candidate<'_>) -> Recognition {
        if !super::parts::paths::is_lines(candidate.path) || !layout::may_be_session(candidate.path)
        {
            return Recognition::No;
        }
        // A file in Claude Code's own folder is its, whatever is in it, even nothing.
        if layout::is_own(candidate.path) {
            return Recognition::PathAndLines;
        }
        let is_its = candidate.lines().any(|line| is_line(line))
            && !candidate.lines().any(|line| is_imitated(line));
        match is_its {
            true if layout::is_project(candidate.path) => Recognition::PathAndLines,
            true => Recognition::Lines,
            false => Recognition::No,
        }
    }

    fn may_own(&self, candidate: &Candidate<'_>) -> bool {
        layout::is_project(candidate.path) || layout::is_own(candidate.path)
    }

    fn reader_version(&self) -> u16 {
        3
    }

    fn says_strings(&self) -> bool {
        true
    }

    fn has_unique_ids(&self) -> bool {
        true
    }

    fn session_id(&self, candidate: &Candidate<'_>) -> String {
        layout::session_id(candidate.path)
    }

    fn stated_type(&self, line: &[u8]) -> Option<MessageType> {
        match stated(line, "type")?.as_str() {
            "tool-use" => Some(MessageType::ToolUse),
            "tool-result" => Some(MessageType::ToolResult),
            "progress" => Some(MessageType::Progress),
            "snapshot" => Some(MessageType::Snapshot),
            _ => None,
        }
    }

    fn compaction_mark(&self) -> Option<&'static str> {
        Some("\"subtype\":\"compact_boundary\"")
    }

    fn version_in(&self) -> Option<VersionIn> {
        Some(|line| stated(line, "version"))
    }

    fn parent(&self, candidate: &Candidate<'_>) -> Option<String> {
        layout::parent(candidate.path)
    }

    fn project(&self, candidate: &Candidate<'_>) -> Option<String> {
        index::decoded_project(candidate.path)
    }
}

impl Companions for ClaudeCode {
    /// After 30 days, unless it is told otherwise.
    fn deletes_by_time(&self) -> bool {
        true
    }

    fn sidecar(&self, path: &Path) -> Option<Sidecar> {
        layout::sidecar(path)
    }

    fn sidecar_facts(&self, path: &Path, bytes: &[u8]) -> Vec<SidecarFacts> {
        if super::parts::paths::name(path) != layout::INDEX {
            return Vec::new();
        }
        let rows = index::rows(bytes).unwrap_or_default();
        rows.into_iter().map(|row| row.facts).collect()
    }
}

impl Agent for ClaudeCode {
    fn aliases(&self) -> &'static [&'static str] {
        &["claude"]
    }

    fn title(&self) -> &'static str {
        "Claude Code"
    }

    fn found(&self) -> &'static str {
        "`.claude/projects`, with subagents and tool results"
    }

    fn homes(&self) -> &'static [DefaultHome] {
        const HOMES: [DefaultHome; 2] = [
            DefaultHome::in_variable("CLAUDE_CONFIG_DIR", ""),
            DefaultHome::in_home(".claude"),
        ];
        &HOMES
    }

    fn folders(&self) -> &'static [&'static str] {
        &["projects"]
    }

    fn resume_command(&self, id: &str) -> Option<Vec<String>> {
        Some(["claude", "--resume", id].map(str::to_owned).into())
    }

    fn place_in_home(
        &self,
        home: &Path,
        summary: &Summary,
        was: Option<&[String]>,
    ) -> Option<Vec<String>> {
        put_back::place(home, summary, was)
    }

    fn search(&self) -> Option<fn(&Path) -> Found> {
        Some(home::search)
    }

    #[cfg(any(test, fuzzing))]
    fn samples(&self) -> Samples {
        Samples {
            lines: &[
                r#"{"parentUuid":null,"cwd":"/w","sessionId":"s","type":"user","message":{"role":"user","content":"hi"},"uuid":"u1","timestamp":"2026-04-03T09:00:00.000Z"}"#,
                r#"{"type":"assistant","role":"assistant","content":[{"type":"text","text":"hi"}],"timestamp":"2026-04-03T09:00:00Z"}"#,
                r#"{"type":"summary","summary":"S","leafUuid":"u1"}"#,
            ],
            paths: &[
                "/h/.claude/projects/-w/0a1b2c3d-0000-4000-8000-000000000001.jsonl",
                "/h/.claude/projects/-w/sessions-index.json",
            ],
        }
    }
}

/// The text that a line has in a field.
fn stated(line: &[u8], field: &str) -> Option<String> {
    let line = String::from_utf8_lossy(line);
    let [stated] = fields(super::parts::lines::body(&line), &[field]).ok()?;
    owned(stated)
}

/// Whether a line, perhaps cut off, is one of Claude Code's.
fn is_line(line: &HeadLine<'_>) -> bool {
    let [kind, session, uuid, parent, leaf] =
        line.fields(&["type", "sessionId", "uuid", "parentUuid", "leafUuid"]);
    let kind = text(kind);
    let kind = kind.as_deref();
    kind.is_some_and(|kind| UNMISTAKABLE.contains(&kind))
        || (kind == Some("summary") && leaf.is_some())
        || (session.is_some()
            && (uuid.is_some() || parent.is_some())
            && kind.is_none_or(|kind| EVENTS.contains(&kind)))
}

/// Whether a line, perhaps cut off, has keys that other agents put into the same envelope.
fn is_imitated(line: &HeadLine<'_>) -> bool {
    let [provenance, message, kind] = line.fields(&["provenance", "message", "type"]);
    let [content, parts] = fields_of(message, &["content", "parts"]);
    let is_answer = text(kind).as_deref() == Some("tool_result");
    provenance.is_some()
        || (content.is_none() && (parts.is_some() || (is_answer && message.is_some())))
}

impl Format for ClaudeCode {
    fn read<'a>(&self, object: Json<'a>) -> Reading<'a> {
        let [
            kind,
            uuid,
            timestamp,
            cwd,
            branch,
            message,
            role,
            content,
            model,
            meta,
            compact,
            forked_from,
            sidechain,
            agent,
            session,
            parent,
            request,
            origin,
        ] = fields_of(Some(object), &FIELDS);
        let kind = text(kind).unwrap_or_default();
        // A subagent's lines have the id of the session that started it.
        let is_side_talk = is_true(sidechain);
        let agent = agent.filter(|_| is_side_talk);
        let [forked_session] = fields_of(forked_from, &["sessionId"]);
        let facts = Facts {
            project: fields::text_filled(cwd),
            branch: fields::text_filled(branch),
            record_id: fields::text_filled(uuid),
            parent: agent
                .and_then(|_| fields::text_filled(session))
                .or_else(|| fields::text_filled(forked_session)),
            child: fields::text_filled(agent),
            subagent: agent.is_some(),
            ..Facts::default()
        };
        let mut reading = Reading {
            time_us: times::time_us(timestamp),
            facts,
            ..Reading::of(RecordKind::Event)
        };
        let linked = links::Fields {
            id: uuid,
            parent,
            is_side_talk,
            message,
            request,
            copied: forked_from,
        };
        let [inner_role, inner_content, inner_model] =
            fields_of(message, &["role", "content", "model"]);
        let said = match (text(inner_role), text(role)) {
            (Some(word), _) => Some((word, inner_content, inner_model)),
            (None, Some(word)) if content.is_some() && kind != "version" => {
                Some((word, content, model))
            }
            _ => None,
        };
        if let Some((word, content, model)) = said {
            let role = match role_of(&word, is_true(meta), || has_tool_result(content)) {
                // The summary of a compaction stands in the user's name, and nobody typed it.
                Role::User if is_true(compact) => Role::System,
                role => role,
            };
            // What was put in takes back nothing: a note that hangs on an earlier message begins no
            // new branch.
            let is_note = role == Role::User && injected::is_injected_line(content, origin);
            reading.facts.links = links::of(linked, Some(role), is_note);
            reading.kind = RecordKind::Message;
            reading.role = Some(role);
            reading.facts.model = model_of(model);
            if !is_true(compact) && !is_note {
                reading.facts.title = title::said(role, content, is_side_talk);
            }
        } else if let Some(beside) = beside::of(&kind, object) {
            // Only now: a line of such a kind with a message that has a role is that message.
            beside::read(&beside, linked, &mut reading);
        } else {
            kinds::about_session(&kind, object, session, &mut reading);
        }
        if reading.kind != RecordKind::Message {
            reading.facts.links = links::of(linked, None, false);
        }
        reading
    }

    fn about(&self, object: Json<'_>) -> Option<Message> {
        let [uuid, parent] = fields_of(Some(object), &["uuid", "parentUuid"]);
        Some(Message {
            id: Some(owned(uuid)?),
            parent_id: owned(parent),
            ..Message::new(Role::Other)
        })
    }

    fn message(&self, object: Json<'_>) -> Message {
        let [
            uuid,
            parent,
            parent_id,
            timestamp,
            message,
            role,
            content,
            model,
            usage,
            meta,
            kind,
            compact,
            origin,
            sidechain,
            agent,
            copied,
        ] = fields_of(
            Some(object),
            &[
                "uuid",
                "parentUuid",
                "parentId",
                "timestamp",
                "message",
                "role",
                "content",
                "model",
                "usage",
                "isMeta",
                "type",
                "isCompactSummary",
                "origin",
                "isSidechain",
                "agentId",
                "forkedFrom",
            ],
        );
        let [inner_role, inner_content, inner_model, inner_usage, answer] =
            fields_of(message, &["role", "content", "model", "usage", "id"]);
        if let (None, None, Some(kind)) = (inner_role, role, text(kind))
            && let Some(beside) = beside::of(&kind, object)
        {
            return beside::message(&beside, uuid, timestamp);
        }
        let (word, content, model, usage) = match text(inner_role) {
            Some(word) => (word, inner_content, inner_model, inner_usage),
            None => (text(role).unwrap_or_default(), content, model, usage),
        };
        let is_list = content.is_some_and(|content| content.get().starts_with('['));
        let content = blocks::content(content);
        let role = role_of(&word, is_true(meta), || {
            // Tools' answers stand in the user's name, always as a list; a text that looks like one
            // is the user's.
            let is_answer = |block: &Block| matches!(block, Block::ToolResult { .. });
            is_list && content.iter().any(is_answer)
        });
        let is_summary = role == Role::User && is_true(compact);
        let mut message = Message {
            id: owned(uuid),
            parent_id: owned(parent).or_else(|| owned(parent_id)),
            content,
            time: times::time(timestamp),
            model: model_of(model).map(Cow::into_owned),
            // What was copied from another session counts there.
            usage: tokens::in_any_spelling(usage).filter(|_| copied.is_none()),
            answer_id: owned(answer),
            agent_id: is_true(sidechain)
                .then(|| owned(agent).unwrap_or_else(|| beside::SIDE_TALK.to_owned())),
            ..Message::new(if is_summary { Role::System } else { role })
        };
        message.injected = is_summary
            || (is_true(meta) && role == Role::System)
            || injected::is_injected(&message, origin);
        message
    }
}

/// Who speaks: what Claude Code files under the user is also a tool's answer, or its own note.
fn role_of(word: &str, is_meta: bool, is_answer: impl FnOnce() -> bool) -> Role {
    match Role::from_word(word) {
        Role::User if is_answer() => Role::Tool,
        Role::User if is_meta => Role::System,
        role => role,
    }
}
