//! Any other file of lines: messages are recognised by the shapes that agents have in common.
//!
//! A message is an object with a `message` that has a role; with `role` and `content`; with a
//! speaker's `type` and `content`; or a Copilot event with its `data`. Lines without any of these
//! are kept as of unknown kind.

mod kept;
#[cfg(test)]
mod tests;
pub(crate) mod unread;

use std::path::Path;

use crate::json::Json;

use super::agent::Agent;
#[cfg(any(test, fuzzing))]
use super::agent::Samples;
use super::companions::{Companions, Sidecar};
use super::described::Facts;
use super::dialect::{Candidate, Dialect, Recognition};
use super::document::Document;
use super::parts::fields::{self, elements, fields_of, owned, text};
use super::parts::lines::{Format, Reading};
use super::parts::meta_file::META_ENDING;
use super::parts::{blocks, paths, times, titles};
use crate::model::message::{Block, Message, Role};
use crate::model::record::RecordKind;

/// Stems that agents give to every session's file: the folder is what tells sessions apart.
const COMMON_STEMS: [&str; 13] = [
    "events",
    "context",
    "wire",
    "session",
    "transcript",
    "messages",
    "conversation",
    "chat",
    "log",
    "history",
    "data",
    "output",
    "main",
];

/// Types of lines that describe the session as a whole.
const META: [&str; 6] = [
    "session",
    "session.start",
    "session_start",
    "session_meta",
    "meta",
    "metadata",
];

/// Lines of an agent that has no dialect of its own.
#[derive(Debug)]
pub(crate) struct Fallback;

impl Dialect for Fallback {
    fn agent(&self) -> &'static str {
        "jsonl"
    }

    fn recognise(&self, candidate: &Candidate<'_>) -> Recognition {
        if paths::is_lines(candidate.path) {
            Recognition::Fallback
        } else {
            Recognition::No
        }
    }

    fn session_id(&self, candidate: &Candidate<'_>) -> String {
        id_of(candidate.path, paths::stem(candidate.path))
    }

    fn document(&self, candidate: &Candidate<'_>, head: &str) -> Option<Document> {
        kept::recognise(candidate, head)
    }
}

impl Companions for Fallback {
    /// Lists of agents that have no format here; and a meta file beside the lines that it is about: its
    /// name alone says too little.
    fn sidecar(&self, path: &Path) -> Option<Sidecar> {
        if unread::is_list(path) {
            return Some(Sidecar::Folder);
        }
        let name = path.file_name()?.to_str()?;
        let stem = name.strip_suffix(META_ENDING)?;
        let beside = path.with_file_name(format!("{stem}.jsonl"));
        beside
            .is_file()
            .then(|| Sidecar::Session(id_of(path, paths::stem(&beside))))
    }
}

impl Agent for Fallback {
    fn title(&self) -> &'static str {
        "any other"
    }

    fn found(&self) -> &'static str {
        "every other `.jsonl`; messages are shown as far as they can be made out"
    }

    #[cfg(any(test, fuzzing))]
    fn samples(&self) -> Samples {
        Samples {
            lines: &[
                r#"{"role":"assistant","content":"hi","tool_calls":[{"id":"c","type":"function","function":{"name":"f","arguments":"{}"}}]}"#,
                r#"{"type":"user.message","data":{"content":"hi"},"id":"e","timestamp":"2026-04-03T09:00:00.000Z"}"#,
                r#"{"type":"tool_result","content":"x","tool_name":"bash","tool_id":"c","timestamp":"2026-04-03T09:00:00Z"}"#,
            ],
            paths: &["/x/some.jsonl", "/x/threads/T-1.json", "/"],
        }
    }
}

fn id_of(path: &Path, stem: String) -> String {
    let common = COMMON_STEMS.contains(&stem.as_str());
    match path
        .parent()
        .filter(|parent| common && parent.file_name().is_some())
    {
        Some(parent) => format!("{}/{stem}", paths::name(parent)),
        None => stem,
    }
}

/// What a line says, found in one of the common shapes.
struct Said<'a> {
    role: Role,
    content: Option<Json<'a>>,
    /// The object in which model, usage and tool calls lie.
    within: Json<'a>,
}

/// The fields of a line that the shapes are told by.
struct Shape<'a> {
    kind: Option<Json<'a>>,
    role: Option<Json<'a>>,
    content: Option<Json<'a>>,
    message: Option<Json<'a>>,
    data: Option<Json<'a>>,
    tool_calls: Option<Json<'a>>,
}

fn said<'a>(object: Json<'a>, shape: &Shape<'a>) -> Option<Said<'a>> {
    let [role, content] = fields_of(shape.message, &["role", "content"]);
    if let (Some(word), Some(message)) = (text(role), shape.message) {
        return Some(Said {
            role: Role::from_word(&word),
            content,
            within: message,
        });
    }
    if let Some(word) = text(shape.role) {
        // Kimi keeps its own notes under roles such as `_checkpoint`.
        let says =
            !word.starts_with('_') && (shape.content.is_some() || shape.tool_calls.is_some());
        let role = Role::from_word(&word);
        return says.then_some(Said {
            role,
            content: shape.content,
            within: object,
        });
    }
    let kind = text(shape.kind)?;
    if let Some(data) = shape.data.filter(|data| data.is_object()) {
        let [content, result] = fields_of(Some(data), &["content", "result"]);
        let role = match &*kind {
            "user.message" => Role::User,
            "assistant.message" => Role::Assistant,
            "system.message" => Role::System,
            "tool.execution_complete" => Role::Tool,
            _ => return None,
        };
        return Some(Said {
            role,
            content: content.or(result),
            within: data,
        });
    }
    let content = shape.content?;
    let role = match &*kind {
        "gemini" | "tool_call" => Role::Assistant,
        "tool_result" => Role::Tool,
        word => Some(Role::from_word(word)).filter(|role| *role != Role::Other)?,
    };
    let readable = content.get().starts_with(['"', '[']);
    readable.then_some(Said {
        role,
        content: Some(content),
        within: object,
    })
}

impl Format for Fallback {
    fn read<'a>(&self, object: Json<'a>) -> Reading<'a> {
        let [
            kind,
            role,
            content,
            message,
            data,
            tool_calls,
            timestamp,
            time,
            created,
            camel,
            ts,
            cwd,
            id,
            uuid,
        ] = fields_of(
            Some(object),
            &[
                "type",
                "role",
                "content",
                "message",
                "data",
                "tool_calls",
                "timestamp",
                "time",
                "created_at",
                "createdAt",
                "ts",
                "cwd",
                "id",
                "uuid",
            ],
        );
        let shape = Shape {
            kind,
            role,
            content,
            message,
            data,
            tool_calls,
        };
        let mut reading = Reading::of(RecordKind::Unknown);
        reading.time_us = [timestamp, time, created, camel, ts]
            .into_iter()
            .find_map(times::time_us);
        reading.facts = Facts {
            project: fields::text_filled(cwd),
            record_id: fields::text_filled(id).or_else(|| fields::text_filled(uuid)),
            ..Facts::default()
        };
        let kind = text(kind).unwrap_or_default();
        if let Some(said) = said(object, &shape) {
            let [model] = fields_of(Some(said.within), &["model"]);
            reading.kind = RecordKind::Message;
            reading.role = Some(said.role);
            reading.facts.model = fields::text_filled(model);
            reading.facts.title = titles::of_message(said.role, said.content, titles::any);
        } else if META.contains(&&*kind) {
            reading.kind = RecordKind::Meta;
            let [context, selected] = fields_of(data, &["context", "selectedModel"]);
            let [cwd, branch] = fields_of(context, &["cwd", "branch"]);
            let facts = &mut reading.facts;
            facts.project = facts.project.take().or_else(|| fields::text_filled(cwd));
            facts.branch = fields::text_filled(branch);
            facts.model = fields::text_filled(selected);
        } else if text(role).is_some_and(|word| word.starts_with('_')) {
            reading.kind = RecordKind::Event;
        }
        reading
    }

    fn message(&self, object: Json<'_>) -> Message {
        let [kind, role, content, message, data, tool_calls] = fields_of(
            Some(object),
            &["type", "role", "content", "message", "data", "tool_calls"],
        );
        let [
            id,
            uuid,
            parent,
            parent_uuid,
            timestamp,
            time,
            created,
            camel,
            ts,
        ] = fields_of(
            Some(object),
            &[
                "id",
                "uuid",
                "parentId",
                "parentUuid",
                "timestamp",
                "time",
                "created_at",
                "createdAt",
                "ts",
            ],
        );
        let shape = Shape {
            kind,
            role,
            content,
            message,
            data,
            tool_calls,
        };
        let Some(said) = said(object, &shape) else {
            return Message::new(Role::Other);
        };
        let [model, usage] = fields_of(Some(said.within), &["model", "usage"]);
        Message {
            id: owned(id).or_else(|| owned(uuid)),
            parent_id: owned(parent).or_else(|| owned(parent_uuid)),
            content: content_of(&said),
            time: [timestamp, time, created, camel, ts]
                .into_iter()
                .find_map(times::time),
            model: owned(model),
            usage: blocks::usage(usage),
            ..Message::new(said.role)
        }
    }
}

/// The blocks of a message, with what stands beside its content: thoughts, calls, a call's id.
fn content_of(said: &Said<'_>) -> Vec<Block> {
    let [
        reasoning,
        reasoning_text,
        calls,
        requests,
        call_id,
        camel_id,
        tool,
        tool_id,
        camel_tool,
        success,
    ] = fields_of(
        Some(said.within),
        &[
            "reasoning_content",
            "reasoningText",
            "tool_calls",
            "toolRequests",
            "tool_call_id",
            "toolCallId",
            "tool_name",
            "tool_id",
            "toolName",
            "success",
        ],
    );
    if said.role == Role::Tool {
        let [inner] = fields_of(said.content, &["content"]);
        let id = [call_id, camel_id, tool_id].into_iter().find_map(owned);
        let is_error = success.is_some_and(|success| success.get() == "false");
        let name = owned(tool).or_else(|| owned(camel_tool));
        return vec![blocks::result(id, name, inner.or(said.content), is_error)];
    }
    let mut content = Vec::new();
    if let Some(text) = owned(reasoning).or_else(|| owned(reasoning_text)) {
        content.push(Block::Thinking {
            text,
            signature: None,
        });
    }
    if let (Some(name), Role::Assistant) = (owned(tool), said.role) {
        let input = said.content.map(blocks::arguments);
        content.push(Block::ToolUse {
            id: owned(tool_id),
            name,
            input,
        });
        return content;
    }
    content.extend(blocks::content(said.content));
    for call in calls.into_iter().chain(requests).flat_map(elements) {
        content.push(call_of(call));
    }
    content
}

/// A call in the spelling of `tool_calls` or Copilot's `toolRequests`.
fn call_of(call: Json<'_>) -> Block {
    let [id, camel_id, function, name, arguments] = fields_of(
        Some(call),
        &["id", "toolCallId", "function", "name", "arguments"],
    );
    let [inner_name, inner_arguments] = fields_of(function, &["name", "arguments"]);
    Block::ToolUse {
        id: owned(id).or_else(|| owned(camel_id)),
        name: owned(inner_name)
            .or_else(|| owned(name))
            .unwrap_or_default(),
        input: inner_arguments.or(arguments).map(blocks::arguments),
    }
}
