//! The lines of Qwen Code: messages, and what its system lines tell of the session.

use super::links;
use crate::agents::fallback::Fallback;
use crate::agents::parts::fields::{elements, fields_of, is_true, owned, text, text_filled};
use crate::agents::parts::lines::{Format as _, Reading};
use crate::agents::parts::{blocks, times, titles, tokens};
use crate::json::Json;
use crate::model::message::{Message, Role, Usage};
use crate::model::record::RecordKind;

/// Who wrote a message that the user did write.
const BY_THE_USER: &str = "real_user";

/// Sorts of messages that the user wrote or said, whoever noted them.
const TYPED: [&str; 2] = ["mid_turn_user_message", "realtime_message"];

/// The fields of a line, in the order in which they are taken apart.
const FIELDS: [&str; 10] = [
    "type",
    "subtype",
    "uuid",
    "parentUuid",
    "gitBranch",
    "provenance",
    "systemPayload",
    "isSidechain",
    "agentId",
    "sessionId",
];

/// What of a line is read besides its message.
struct Line<'a> {
    kind: String,
    subtype: String,
    ids: (Option<Json<'a>>, Option<Json<'a>>),
    branch: Option<Json<'a>>,
    by: Option<Json<'a>>,
    payload: Option<Json<'a>>,
    /// Of a sub-agent's line: its id, and the session that started it.
    agent: Option<(Json<'a>, Option<Json<'a>>)>,
}

impl<'a> Line<'a> {
    fn of(object: Json<'a>) -> Self {
        let [
            kind,
            subtype,
            id,
            parent,
            branch,
            by,
            payload,
            side,
            agent,
            session,
        ] = fields_of(Some(object), &FIELDS);
        let is_side = is_true(side);
        Self {
            kind: text(kind).unwrap_or_default().into_owned(),
            subtype: text(subtype).unwrap_or_default().into_owned(),
            ids: (id, parent),
            branch,
            by,
            payload,
            agent: agent.filter(|_| is_side).map(|agent| (agent, session)),
        }
    }

    /// Whether something else than the user wrote what stands under the user's name.
    fn is_put_in(&self) -> bool {
        let by_other = text_filled(self.by).is_some_and(|by| by != BY_THE_USER);
        self.kind == "user" && by_other && !TYPED.contains(&self.subtype.as_str())
    }

    /// What the user typed, where that is not what was sent.
    fn typed(&self) -> Option<Json<'a>> {
        let [typed] = fields_of(
            self.payload.filter(|_| self.kind == "user"),
            &["displayText"],
        );
        typed.filter(|typed| text(Some(*typed)).is_some_and(|typed| !typed.trim().is_empty()))
    }
}

/// The tokens of an answer. Other lines repeat them.
fn usage(kind: &str, object: Json<'_>) -> Option<Usage> {
    let [usage] = fields_of(Some(object), &["usageMetadata"]);
    tokens::of_metadata(usage.filter(|_| kind == "assistant"))
}

/// What was said before, made shorter.
fn summary<'a>(line: &Line<'a>) -> Option<Json<'a>> {
    if line.subtype != "chat_compression" {
        return None;
    }
    let [summary, history] = fields_of(line.payload, &["summary", "compressedHistory"]);
    let is_said = |said: &Json<'_>| text_filled(Some(*said)).is_some();
    summary.filter(is_said).or_else(|| {
        let first = elements(history?).into_iter().next()?;
        let [parts] = fields_of(Some(first), &["parts"]);
        let mut texts = elements(parts?).into_iter().filter_map(|part| {
            let [said] = fields_of(Some(part), &["text"]);
            said.filter(is_said)
        });
        texts.next()
    })
}

/// What a line says and tells.
pub(super) fn read(object: Json<'_>) -> Reading<'_> {
    let line = Line::of(object);
    // The messages have parts as Gemini's, which the fallback reads.
    let mut reading = Fallback.read(object);
    let is_note = line.is_put_in();
    if summary(&line).is_some() {
        reading.kind = RecordKind::Message;
        reading.role = Some(Role::System);
        reading.facts.title = None;
    } else if reading.kind == RecordKind::Message {
        if is_note {
            reading.facts.title = None;
        } else if let Some(typed) = line.typed() {
            reading.facts.title = titles::of_message(Role::User, Some(typed), titles::any);
        }
    } else {
        about_session(&line, &mut reading);
    }
    let facts = &mut reading.facts;
    facts.branch = text_filled(line.branch);
    if let Some((agent, session)) = line.agent {
        facts.child = text_filled(Some(agent));
        // A sub-agent's lines have the id of the session that started it.
        facts.parent = text_filled(session);
        facts.subagent = true;
    }
    let usage = usage(&line.kind, object);
    facts.links = links::of(line.ids, reading.role, is_note, usage);
    if line.subtype == "rewind" && line.kind == "system" {
        facts.links.act = links::rewinding(&facts.links);
    }
    reading
}

/// What a line that says nothing tells of the session.
fn about_session<'a>(line: &Line<'a>, reading: &mut Reading<'a>) {
    let [title, source, parent, model] = fields_of(
        line.payload,
        &["customTitle", "titleSource", "parentSessionId", "model"],
    );
    match line.subtype.as_str() {
        "custom_title" => {
            let is_made = text(source).is_some_and(|source| source == "auto");
            let rank = if is_made {
                titles::GENERATED
            } else {
                titles::CHOSEN
            };
            reading.kind = RecordKind::Meta;
            reading.facts.title = titles::changed(text(title), rank);
        }
        "parent_session" => {
            reading.kind = RecordKind::Meta;
            reading.facts.parent = text_filled(parent);
        }
        "session_model" => {
            reading.kind = RecordKind::Meta;
            reading.facts.model = text_filled(model);
        }
        _ if matches!(
            line.kind.as_str(),
            "system" | "assistant" | "user" | "tool_result"
        ) =>
        {
            reading.kind = RecordKind::Event;
        }
        _ => {}
    }
}

/// The message of a line.
pub(super) fn message(object: Json<'_>) -> Message {
    let line = Line::of(object);
    if let Some(summary) = summary(&line) {
        let [time] = fields_of(Some(object), &["timestamp"]);
        return Message {
            id: owned(line.ids.0),
            parent_id: owned(line.ids.1),
            content: blocks::content(Some(summary)),
            time: times::time(time),
            injected: true,
            ..Message::new(Role::System)
        };
    }
    let mut message = Fallback.message(object);
    if let Some(typed) = line.typed() {
        message.content = blocks::content(Some(typed));
    }
    message.injected = line.is_put_in() && message.role == Role::User;
    message.usage = usage(&line.kind, object);
    message.agent_id = line.agent.and_then(|(agent, _)| owned(Some(agent)));
    message
}

/// What a line without a message says of itself.
pub(super) fn about(object: Json<'_>) -> Option<Message> {
    let line = Line::of(object);
    Some(Message {
        id: Some(owned(line.ids.0)?),
        parent_id: owned(line.ids.1),
        usage: usage(&line.kind, object),
        agent_id: line.agent.and_then(|(agent, _)| owned(Some(agent))),
        ..Message::new(Role::Other)
    })
}
