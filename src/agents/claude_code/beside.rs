//! Messages in lines that are called something else: what the person typed while the agent worked, what
//! older versions note of sub-agents, and where a talk was made shorter.

use std::borrow::Cow;

use crate::json::Json;

use super::links;
use super::values::{has_tool_result, model_of};
use crate::agents::parts::fields::{self, fields_of, text};
use crate::agents::parts::lines::Reading;
use crate::agents::parts::{blocks, times, tokens};
use crate::model::links::{Act, Place, id_hash};
use crate::model::message::{Block, Message, Role};
use crate::model::record::RecordKind;

/// What a talk beside the main one is called where no line names its agent.
pub(super) const SIDE_TALK: &str = "sidechain";

/// What was never typed begins so.
const NOT_TYPED: &str = "<task-notification>";

/// A message in such a line.
#[derive(Clone, Debug)]
pub(super) struct Beside<'a> {
    /// Who speaks, where the kind of line says it.
    pub role: Role,
    /// What is said: a text, or blocks.
    pub content: Option<Json<'a>>,
    /// The message within, of a sub-agent.
    pub inner: Option<Inner<'a>>,
    /// Where it stands.
    pub place: Place,
    /// What it does to other lines.
    pub act: Act,
}

/// A sub-agent's message, noted in a line of who started it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Inner<'a> {
    /// The sub-agent.
    pub agent: Option<Json<'a>>,
    /// The message.
    pub message: Option<Json<'a>>,
    /// Its own id.
    pub id: Option<Json<'a>>,
    /// Its own time.
    pub time: Option<Json<'a>>,
    /// The request that it answers.
    pub request: Option<Json<'a>>,
}

/// The message in a line of a kind.
pub(super) fn of<'a>(kind: &str, object: Json<'a>) -> Option<Beside<'a>> {
    match kind {
        "attachment" => attached(object),
        "queue-operation" => queued(object),
        "progress" => noted(object),
        "system" => boundary(object),
        _ => None,
    }
}

/// What was typed while the agent worked, as it is put into the talk.
fn attached(object: Json<'_>) -> Option<Beside<'_>> {
    let [attachment] = fields_of(Some(object), &["attachment"]);
    let [kind, mode, prompt, origin] =
        fields_of(attachment, &["type", "commandMode", "prompt", "origin"]);
    let [origin] = fields_of(origin, &["kind"]);
    let is_typed = text(kind).as_deref() == Some("queued_command")
        && text(mode).is_none_or(|mode| mode == "prompt")
        && text(origin).is_none_or(|origin| origin == "human");
    typed(prompt.filter(|_| is_typed)?, Act::Absorbed)
}

/// The same, where it is only noted that it was taken out of the queue.
fn queued(object: Json<'_>) -> Option<Beside<'_>> {
    let [operation, reason, content] = fields_of(Some(object), &["operation", "reason", "content"]);
    let is_typed = text(operation).as_deref() == Some("remove")
        && text(reason).as_deref() == Some("absorbed_mid_turn");
    typed(content.filter(|_| is_typed)?, Act::Typed)
}

fn typed(content: Json<'_>, act: fn(u64) -> Act) -> Option<Beside<'_>> {
    let said = if let Some(said) = text(Some(content)) {
        said.into_owned()
    } else {
        let blocks = content.elements().filter_map(|block| {
            let [said] = fields_of(Some(block), &["text"]);
            fields::owned(said)
        });
        blocks.collect::<Vec<_>>().join("\n")
    };
    let said = said.trim();
    // The agent's own news of finished tasks waits in the same queue. A list without texts may be
    // pictures, and those were sent.
    if said.starts_with(NOT_TYPED) || (said.is_empty() && !content.get().starts_with('[')) {
        return None;
    }
    Some(Beside {
        role: Role::User,
        content: Some(content),
        inner: None,
        place: Place::Way,
        // By the text, since the line that queues it and the one that puts it into the talk have no
        // id in common.
        act: act(id_hash(said)),
    })
}

/// What a sub-agent said, as versions before 2.1.60 note it.
fn noted(object: Json<'_>) -> Option<Beside<'_>> {
    let [data] = fields_of(Some(object), &["data"]);
    let [kind, agent, line] = fields_of(data, &["type", "agentId", "message"]);
    if text(kind).as_deref() != Some("agent_progress") {
        return None;
    }
    // The message within has an id, a time and a request of its own: those of the line are of the
    // note.
    let [message, id, time, request] =
        fields_of(line, &["message", "uuid", "timestamp", "requestId"]);
    let [role, content] = fields_of(message, &["role", "content"]);
    Some(Beside {
        role: Role::from_word(&text(role)?),
        content,
        inner: Some(Inner {
            agent,
            message,
            id,
            time,
            request,
        }),
        place: Place::Way,
        act: Act::None,
    })
}

/// Where the talk was made shorter: what was said before is not what the model knows from here on.
fn boundary(object: Json<'_>) -> Option<Beside<'_>> {
    let [kind, content] = fields_of(Some(object), &["subtype", "content"]);
    if text(kind).as_deref() != Some("compact_boundary") {
        return None;
    }
    Some(Beside {
        role: Role::System,
        content,
        inner: None,
        place: Place::Joint,
        act: Act::None,
    })
}

/// A message in a line that is called something else.
pub(super) fn read<'a>(beside: &Beside<'a>, linked: links::Fields<'a>, reading: &mut Reading<'a>) {
    let answers = || has_tool_result(beside.content);
    let role = match beside.role {
        Role::User if answers() => Role::Tool,
        role => role,
    };
    reading.kind = RecordKind::Message;
    reading.role = Some(role);
    let mut links = links::of(linked, None, true);
    if let Some(inner) = beside.inner {
        // These tokens stand in no other line.
        links.answer = links::answer(inner.message, inner.request);
        let [model] = fields_of(inner.message, &["model"]);
        reading.facts.model = model_of(model);
        reading.facts.child = fields::text_filled(inner.agent);
    } else if links.id.is_some() && links.place != Place::Apart {
        // A line without an id hangs nowhere in the talk, so it has no place there.
        links.place = beside.place;
    }
    links.act = beside.act.clone();
    reading.facts.links = links;
}

/// The message in such a line.
pub(super) fn message(
    beside: &Beside<'_>,
    uuid: Option<Json<'_>>,
    timestamp: Option<Json<'_>>,
) -> Message {
    let content = blocks::content(beside.content);
    // The answers of a sub-agent's tools stand in its user's name.
    let is_answer = |block: &Block| matches!(block, Block::ToolResult { .. });
    let role = match beside.role {
        Role::User if content.iter().any(is_answer) => Role::Tool,
        role => role,
    };
    let mut message = Message {
        id: fields::owned(uuid),
        content,
        time: times::time(timestamp),
        ..Message::new(role)
    };
    if let Some(inner) = beside.inner {
        let [model, usage, answer] = fields_of(inner.message, &["model", "usage", "id"]);
        message.id = fields::owned(inner.id).or(message.id);
        message.time = times::time(inner.time).or(message.time);
        message.model = model_of(model).map(Cow::into_owned);
        message.usage = tokens::in_any_spelling(usage);
        message.answer_id = fields::owned(answer);
        message.agent_id = fields::owned(inner.agent).or_else(|| Some(SIDE_TALK.to_owned()));
    }
    message
}
