//! Any other file of lines: messages are recognised by the shapes that agents have in common.
//!
//! A message is an object with a `message` that has a role; with a `role`, and words in `content`,
//! `parts`, `text` or a `message`; with a speaker's `type` and `content`; or a Copilot event with its
//! `data`. Lines without any of these are kept as of unknown kind.

pub(crate) mod enveloped;
mod said;
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
use super::habits::{Habits, LineRole};
use super::parts::fields::{self, fields_of, owned, text};
use super::parts::lines::{Format, Reading};
use super::parts::meta_file::META_ENDING;
use super::parts::{paths, times, titles, tokens};
use crate::model::message::{Message, Role};
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

/// Tags around what programs put before the user's words.
const NOT_WRITTEN: [&str; 5] = [
    "system-reminder",
    "user_info",
    "attached_files",
    "environment_details",
    "environment_context",
];

/// What some programs put around the user's words.
const QUERY: (&str, &str) = ("<user_query>", "</user_query>");

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

    /// Anything may happen to a file that nobody is known to write.
    fn habits(&self) -> Habits {
        Habits {
            role: Some(role),
            rewrites: true,
            ..Habits::default()
        }
    }

    fn session_id(&self, candidate: &Candidate<'_>) -> String {
        id_of(candidate.path, paths::stem(candidate.path))
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

/// What a line is to its file: a first line that describes the session is written again by some
/// agents, as for a new title.
fn role(line: &[u8]) -> LineRole {
    const STARTS: [&str; 3] = ["session_start", "session.start", "session"];
    let start = line.get(..line.len().min(64)).unwrap_or_default();
    let start = String::from_utf8_lossy(start);
    let [kind] = fields::fields_of_start(&start, &["type"]);
    match fields::text(kind) {
        Some(kind) if STARTS.contains(&kind.as_ref()) => LineRole::Frame,
        _ => LineRole::Said,
    }
}

/// What the user asked, of a text: without the tags that programs put around it and before it.
fn asked(text: &str) -> Option<&str> {
    let text = titles::behind_tags(text, &NOT_WRITTEN)?;
    let Some(query) = text.strip_prefix(QUERY.0) else {
        return titles::any(text);
    };
    titles::any(query.split_once(QUERY.1).map_or(query, |(query, _)| query))
}

impl Format for Fallback {
    fn read<'a>(&self, object: Json<'a>) -> Reading<'a> {
        let [
            kind,
            role,
            data,
            timestamp,
            time,
            created,
            camel,
            ts,
            goose,
            cwd,
            folder,
            description,
            id,
            uuid,
            model,
        ] = fields_of(
            Some(object),
            &[
                "type",
                "role",
                "data",
                "timestamp",
                "time",
                "created_at",
                "createdAt",
                "ts",
                "created",
                "cwd",
                "working_dir",
                "description",
                "id",
                "uuid",
                "model",
            ],
        );
        let mut reading = Reading::of(RecordKind::Unknown);
        reading.time_us = [timestamp, time, created, camel, ts, goose]
            .into_iter()
            .find_map(times::time_us);
        reading.facts = Facts {
            project: fields::text_filled(cwd).or_else(|| fields::text_filled(folder)),
            record_id: fields::text_filled(id).or_else(|| fields::text_filled(uuid)),
            ..Facts::default()
        };
        let kind = text(kind).unwrap_or_default();
        if let Some(said) = said::said(object) {
            let [inner] = fields_of(Some(said.within), &["model"]);
            reading.kind = RecordKind::Message;
            reading.role = Some(said.role);
            reading.facts.model = fields::text_filled(inner).or_else(|| fields::text_filled(model));
            reading.facts.title = titles::of_message(said.role, said.content, asked);
        } else if META.contains(&&*kind) {
            reading.kind = RecordKind::Meta;
            let [context, selected] = fields_of(data, &["context", "selectedModel"]);
            let [cwd, branch] = fields_of(context, &["cwd", "branch"]);
            let facts = &mut reading.facts;
            facts.project = facts.project.take().or_else(|| fields::text_filled(cwd));
            facts.branch = fields::text_filled(branch);
            facts.model = fields::text_filled(selected);
        } else if kind.is_empty() && folder.is_some() {
            // The first line of goose's old files: a folder, and no type.
            reading.kind = RecordKind::Meta;
            reading.facts.title = titles::latest(text(description), titles::GENERATED);
        } else if text(role).is_some_and(|word| word.starts_with('_')) {
            // Kimi's marks between messages (`_checkpoint`, `_usage`).
            reading.kind = RecordKind::Event;
        }
        reading
    }

    fn message(&self, object: Json<'_>) -> Message {
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
            goose,
            model,
            usage,
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
                "created",
                "model",
                "usageMetadata",
            ],
        );
        let Some(said) = said::said(object) else {
            return Message::new(Role::Other);
        };
        let [inner_model, inner_usage] = fields_of(Some(said.within), &["model", "usage"]);
        Message {
            id: owned(id).or_else(|| owned(uuid)),
            parent_id: owned(parent).or_else(|| owned(parent_uuid)),
            content: said.blocks(),
            time: [timestamp, time, created, camel, ts, goose]
                .into_iter()
                .find_map(times::time),
            model: owned(inner_model).or_else(|| owned(model)),
            usage: tokens::in_any_spelling(inner_usage).or_else(|| tokens::of_metadata(usage)),
            ..Message::new(said.role)
        }
    }
}
