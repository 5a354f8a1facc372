//! Codex: `~/.codex/sessions/YYYY/MM/DD/rollout-<time>-<uuid>.jsonl`.
//!
//! A line is an envelope of time, type and payload. Messages are the payloads of `response_item`:
//! what goes between the user, the model and its tools. Files from before the envelope hold the
//! bare payloads.

mod home;
mod index;
mod items;
mod layout;
mod links;
#[cfg(test)]
mod tests;
mod title;

use std::borrow::Cow;
use std::path::Path;

use crate::json::Json;

use self::layout::{AGENT, RolloutPlace, place};
use super::agent::Agent;
#[cfg(any(test, fuzzing))]
use super::agent::Samples;
use super::companions::{Companions, Sidecar};
use super::default_home::DefaultHome;
use super::described::Facts;
use super::dialect::{Candidate, Dialect, Recognition};
use super::home::Found;
use super::parts::fields::{self, Object, fields_of, owned, text};
use super::parts::heads::HeadLine;
use super::parts::lines::{Format, Reading};
use super::parts::paths;
use super::parts::times;
use super::state::SidecarFacts;
use crate::model::links::Place as Where;
use crate::model::message::{Message, Role};
use crate::model::record::RecordKind;
use crate::model::session::Summary;

/// Types of envelopes besides `session_meta` and `response_item`.
const EVENTS: [&str; 10] = [
    "event_msg",
    "turn_context",
    "compacted",
    "world_state",
    "inter_agent_communication",
    "inter_agent_communication_metadata",
    "security_risk_score",
    "realtime_item",
    "token_usage_record",
    "retained_context",
];

/// Sources of threads that another thread has started.
const SUBAGENTS: [&str; 2] = ["subagent", "guardian_review"];

/// Codex's session files.
#[derive(Debug)]
pub(crate) struct Codex;

impl Dialect for Codex {
    fn agent(&self) -> &'static str {
        AGENT
    }

    fn says_strings(&self) -> bool {
        true
    }

    fn compaction_mark(&self) -> Option<&'static str> {
        Some("\"type\":\"compacted\"")
    }

    fn recognise(&self, candidate: &Candidate<'_>) -> Recognition {
        if !paths::is_lines(candidate.path) {
            return Recognition::No;
        }
        let placed = place(candidate.path);
        // A rollout in Codex's own folder is its, whatever is in it, even nothing.
        if placed == RolloutPlace::Own {
            return Recognition::PathAndLines;
        }
        let named = placed == RolloutPlace::Copied;
        match candidate.lines().any(|line| is_line(line, named)) {
            true if named => Recognition::PathAndLines,
            true => Recognition::Lines,
            false => Recognition::No,
        }
    }

    fn may_own(&self, candidate: &Candidate<'_>) -> bool {
        place(candidate.path) != RolloutPlace::Elsewhere
    }

    fn reader_version(&self) -> u16 {
        2
    }

    fn has_unique_ids(&self) -> bool {
        true
    }

    fn session_id(&self, candidate: &Candidate<'_>) -> String {
        layout::session_id(candidate.path)
    }

    fn repeats_its_parent(&self) -> bool {
        true
    }

    fn archived(&self, candidate: &Candidate<'_>) -> Option<bool> {
        layout::is_archived(candidate.path)
    }
}

impl Companions for Codex {
    fn sidecar(&self, path: &Path) -> Option<Sidecar> {
        layout::sidecar(path)
    }

    fn sidecar_facts(&self, path: &Path, bytes: &[u8]) -> Vec<SidecarFacts> {
        if paths::name(path) == index::NAME {
            index::facts(bytes)
        } else {
            Vec::new()
        }
    }
}

impl Agent for Codex {
    fn title(&self) -> &'static str {
        "Codex"
    }

    fn counts_cache_as_input(&self) -> bool {
        true
    }

    fn found(&self) -> &'static str {
        "`.codex/sessions`, `.codex/archived_sessions`"
    }

    fn homes(&self) -> &'static [DefaultHome] {
        const HOMES: [DefaultHome; 2] = [
            DefaultHome::in_variable("CODEX_HOME", ""),
            DefaultHome::in_home(".codex"),
        ];
        &HOMES
    }

    fn folders(&self) -> &'static [&'static str] {
        &["sessions", "archived_sessions"]
    }

    fn resume_command(&self, id: &str) -> Option<Vec<String>> {
        Some(["codex", "resume", id].map(str::to_owned).into())
    }

    fn place_in_home(
        &self,
        _home: &Path,
        summary: &Summary,
        was: Option<&[String]>,
    ) -> Option<Vec<String>> {
        let own = || layout::rollout(summary.key.id(), summary.created_at);
        Some(was.map_or_else(own, <[String]>::to_vec))
    }

    fn put_back_note(&self) -> Option<&'static str> {
        Some(
            "Codex may list sessions by a database of its own, which is never written: `codex resume` with the id finds this one",
        )
    }

    fn search(&self) -> Option<fn(&Path) -> Found> {
        Some(home::search)
    }

    #[cfg(any(test, fuzzing))]
    fn samples(&self) -> Samples {
        Samples {
            lines: &[
                r#"{"timestamp":"2026-04-03T09:00:00.000Z","type":"response_item","payload":{"type":"message","role":"user","content":[{"type":"input_text","text":"hi"}]}}"#,
                r#"{"timestamp":"2026-04-03T09:00:00.000Z","type":"event_msg","payload":{"type":"token_count","info":null}}"#,
            ],
            paths: &[
                "/h/.codex/sessions/2026/08/25/rollout-2026-08-25T20-31-07-01a03a9e-96f8-7af6-bd4a-6f188a424e61.jsonl",
            ],
        }
    }
}

/// Whether a line, perhaps cut off, is one of Codex's. Bare items are told from other agents'
/// lines only in a file that has a rollout's name.
fn is_line(line: &HeadLine<'_>, named: bool) -> bool {
    let [kind, id, instructions, git, state] =
        line.fields(&["type", "id", "instructions", "git", "record_type"]);
    let kind = text(kind).unwrap_or_default();
    let envelope = matches!(&*kind, "session_meta" | "response_item") || EVENTS.contains(&&*kind);
    // The payload itself may be cut off, so only its key is looked for.
    (envelope && line.text().contains("\"payload\""))
        || (named
            && (state.is_some()
                || (id.is_some() && (instructions.is_some() || git.is_some()))
                || items::speaker(&kind, None).is_some()))
}

impl Format for Codex {
    fn read<'a>(&self, object: Json<'a>) -> Reading<'a> {
        let [timestamp, kind, payload, state, id, instructions, git] = fields_of(
            Some(object),
            &[
                "timestamp",
                "type",
                "payload",
                "record_type",
                "id",
                "instructions",
                "git",
            ],
        );
        let kind = text(kind).unwrap_or_default();
        let mut reading = match (&*kind, payload) {
            ("session_meta", Some(payload)) => session(payload),
            ("response_item", Some(payload)) => item(payload),
            ("event_msg", Some(payload)) => event(payload),
            ("turn_context", payload) => {
                let [model, cwd] = fields_of(payload, &["model", "cwd"]);
                let mut reading = Reading::of(RecordKind::Event);
                reading.facts.model = fields::text_filled(model);
                reading.facts.project = fields::text_filled(cwd);
                // What a fork repeats of its parent is known by the turns that both have.
                reading.facts.links.act = links::turn(payload);
                reading
            }
            (kind, Some(_)) if EVENTS.contains(&kind) => Reading::of(RecordKind::Event),
            (_, Some(_)) => Reading::of(RecordKind::Unknown),
            (_, None) if state.is_some() => Reading::of(RecordKind::Event),
            // The first line before there were envelopes; a bare item has a type.
            ("", None) if id.is_some() && (instructions.is_some() || git.is_some()) => {
                session(object)
            }
            (_, None) => item(object),
        };
        reading.time_us = times::time_us(timestamp);
        reading
    }

    fn about(&self, object: Json<'_>) -> Option<Message> {
        let [kind, payload] = fields_of(Some(object), &["type", "payload"]);
        let is_event = text(kind).as_deref() == Some("event_msg");
        let answer = links::answer(payload.filter(|_| is_event)?)?;
        Some(Message {
            usage: Some(answer.usage),
            ..Message::new(Role::Other)
        })
    }

    fn message(&self, object: Json<'_>) -> Message {
        let [timestamp, payload] = fields_of(Some(object), &["timestamp", "payload"]);
        let item = payload.unwrap_or(object);
        if let Some(plan) = planned(item) {
            return items::plan(plan, times::time(timestamp));
        }
        let members = Object::of(item);
        let [kind, role, id] = members.fields(&["type", "role", "id"]);
        let kind = text(kind).unwrap_or_default();
        let mut message = Message {
            id: owned(id),
            content: items::blocks(&kind, item, &members),
            time: times::time(timestamp),
            ..Message::new(items::speaker(&kind, role).unwrap_or(Role::Other))
        };
        // In the name of the developer speaks the program alone: permissions, skills, summaries.
        message.injected = message.role == Role::System || links::PUT_IN.is_message(&message);
        message
    }
}

/// The session's own description. A forked session replays its parent's after its own: the first
/// one in the file counts.
fn session(payload: Json<'_>) -> Reading<'_> {
    let [
        id,
        timestamp,
        cwd,
        git,
        forked_from,
        parent,
        source,
        thread,
        base,
        thread_source,
    ] = fields_of(
        Some(payload),
        &[
            "id",
            "timestamp",
            "cwd",
            "git",
            "forked_from_id",
            "parent_thread_id",
            "source",
            "session_id",
            "history_base",
            "thread_source",
        ],
    );
    let [branch] = fields_of(git, &["branch"]);
    let [subagent] = fields_of(source, &["subagent"]);
    let [spawn] = fields_of(subagent, &["thread_spawn"]);
    let [spawner] = fields_of(spawn, &["parent_thread_id"]);
    let [base] = fields_of(base, &["thread_id"]);
    // Of a sub-agent `session_id` is the thread that started it; of any other it is its own id.
    let own = fields::text_filled(id);
    let is_others = |id: &Cow<'_, str>| Some(id) != own.as_ref();
    let facts = Facts {
        created_us: times::time_us(timestamp),
        project: fields::text_filled(cwd),
        branch: fields::text_filled(branch),
        parent: [forked_from, parent, spawner, thread, base]
            .into_iter()
            .find_map(|id| fields::text_filled(id).filter(is_others)),
        // What is only forked from another thread is no sub-agent of it.
        subagent: subagent.or(parent).is_some()
            || text(thread_source).is_some_and(|source| SUBAGENTS.contains(&&*source)),
        session: own,
        ..Facts::default()
    };
    Reading {
        facts,
        ..Reading::of(RecordKind::Meta)
    }
}

fn item(object: Json<'_>) -> Reading<'_> {
    if !object.is_object() {
        return Reading::of(RecordKind::Unknown);
    }
    let [kind, role, content, id] = fields_of(Some(object), &["type", "role", "content", "id"]);
    let kind = text(kind).unwrap_or_default();
    let Some(role) = items::speaker(&kind, role) else {
        let silent = items::is_silent(&kind);
        return Reading::of(if silent {
            RecordKind::Event
        } else {
            RecordKind::Unknown
        });
    };
    let mut reading = Reading::of(RecordKind::Message);
    reading.role = Some(role);
    // What was put into the user's name is no turn: one that is taken back would end there.
    if role == Role::User && !links::PUT_IN.is_content(content) {
        reading.facts.links.place = Where::Asked;
    }
    reading.facts.record_id = fields::text_filled(id);
    reading.facts.title = title::of_item(role, content);
    reading
}

fn event(payload: Json<'_>) -> Reading<'_> {
    let [kind, item] = fields_of(Some(payload), &["type", "item"]);
    let kind = text(kind).unwrap_or_default();
    // Every other item says again what a `response_item` says; a plan stands nowhere else.
    if let Some(plan) = plan(&kind, item) {
        let mut reading = Reading::of(RecordKind::Message);
        reading.role = Some(Role::Assistant);
        let [id] = fields_of(Some(plan), &["id"]);
        reading.facts.record_id = fields::text_filled(id);
        return reading;
    }
    let mut reading = Reading::of(RecordKind::Event);
    reading.facts.links = links::of_event(payload);
    reading.facts.title = title::of_event(&kind, payload);
    reading
}

/// The plan of an event that [`event`] calls a message.
fn planned(payload: Json<'_>) -> Option<Json<'_>> {
    let [kind, item] = fields_of(Some(payload), &["type", "item"]);
    plan(&text(kind)?, item)
}

/// The item of an event, if it is a plan: the only thing that is said nowhere else. All other items
/// are what other lines say already.
fn plan<'a>(kind: &str, item: Option<Json<'a>>) -> Option<Json<'a>> {
    let [of, said] = fields_of(item.filter(|_| kind == "item_completed"), &["type", "text"]);
    let is_plan = text(of).as_deref() == Some("Plan") && text(said).is_some();
    item.filter(|_| is_plan)
}
