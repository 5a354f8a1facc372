//! Copilot CLI's events: what they say, and what they tell of the session.

use crate::json::Json;

use super::kinds;
use crate::agents::described::Facts;
use crate::agents::parts::blocks;
use crate::agents::parts::fields::{
    count, elements, entries, fields_of, named_fields, owned, text, text_filled,
};
use crate::agents::parts::lines::Reading;
use crate::agents::parts::{pieces, times, titles, tokens};
use crate::model::links::{Act, Answer, Links, id_hash};
use crate::model::message::{Block, Message, Role, Usage};
use crate::model::record::RecordKind;

/// What tokens are called.
const COUNTS: [&str; 4] = [
    "inputTokens",
    "outputTokens",
    "cacheReadTokens",
    "cacheWriteTokens",
];

named_fields! {
    /// What the data of many events hold.
    Data {
        caller: "parentToolCallId",
        message: "messageId",
        written: "outputTokens",
        pieces: "chunkCount",
        source: "source",
        model: "model",
        content: "content",
    }
}

/// An event, taken apart.
struct Event<'a> {
    kind: String,
    id: Option<Json<'a>>,
    parent: Option<Json<'a>>,
    time: Option<Json<'a>>,
    data: Option<Json<'a>>,
    told: Data<'a>,
    /// The sub-agent that it is of.
    agent: Option<Json<'a>>,
}

impl<'a> Event<'a> {
    /// `None` of an object that is no event.
    fn of(object: Json<'a>) -> Option<Self> {
        let [kind, id, parent, time, data, agent] = fields_of(
            Some(object),
            &["type", "id", "parentId", "timestamp", "data", "agentId"],
        );
        let data = data.filter(|data| data.is_object());
        let told = Data::of(data);
        let named = |agent: &Json<'a>| text_filled(Some(*agent)).is_some();
        Some(Self {
            kind: text(kind)?.into_owned(),
            id,
            parent,
            time,
            data,
            told,
            // Where an event names no agent, the call that started the agent tells its talk from
            // others.
            agent: agent.filter(named).or(told.caller.filter(named)),
        })
    }

    /// Who says something in it, if anybody does.
    fn speaker(&self) -> Option<Role> {
        let data = self.data?;
        Some(match self.kind.as_str() {
            "user.message" => Role::User,
            "assistant.message" => Role::Assistant,
            "system.message" => Role::System,
            "tool.execution_complete" => Role::Tool,
            kind if kinds::is_said(kind) => {
                summary(data)?;
                Role::System
            }
            _ => return None,
        })
    }

    /// Whether its message is one of several pieces.
    fn is_piece(&self) -> bool {
        count(self.told.pieces) > 1
    }

    /// Whether something else than the person wrote what stands under the person's name.
    fn is_put_in(&self) -> bool {
        text_filled(self.told.source).is_some_and(|source| source != "user")
    }

    /// The tokens that it tells, and what tells them from others.
    fn answer(&self) -> Option<Answer> {
        let usage = match self.kind.as_str() {
            "assistant.message" => written(self.told.written),
            "session.usage_record" => tokens::named(self.record(), &COUNTS),
            "session.shutdown" => sum(self.data),
            _ => None,
        }?;
        let [told] = fields_of(self.data, &["apiCallId"]);
        let [recorded] = fields_of(self.record(), &["apiCallId"]);
        let call = text_filled(told).or_else(|| text_filled(recorded));
        let key = call
            .or_else(|| text_filled(self.told.message))
            .or_else(|| text_filled(self.id))?;
        Some(Answer {
            key: id_hash(&key),
            usage,
        })
    }

    /// What a call of a model took, where the event is about that. The answer may say the same again.
    fn record(&self) -> Option<Json<'a>> {
        let [usage] = fields_of(self.data, &["usage"]);
        usage.filter(|_| self.kind == "session.usage_record")
    }

    /// What it says of other events.
    fn links(&self) -> Links {
        let answer = self.answer();
        // The end of a session sums up what single answers told before, so those do not count
        // beside it.
        if self.kind == "session.shutdown" && answer.is_some() {
            return Links {
                answer,
                act: Act::Sums { of_all: true },
                ..Links::default()
            };
        }
        let piece = text_filled(self.told.message).filter(|_| self.is_piece());
        Links {
            id: piece.as_ref().map(|id| id_hash(id)),
            answer,
            act: if piece.is_some() {
                Act::Part
            } else {
                Act::None
            },
            ..Links::default()
        }
    }
}

/// What the model wrote for a message: what it read is told by the sum alone.
fn written(output: Option<Json<'_>>) -> Option<Usage> {
    let output_tokens = count(output);
    (output_tokens > 0).then(|| Usage {
        output_tokens,
        ..Usage::default()
    })
}

/// What a session took up to its end, over all models; `None` if that is nothing.
fn sum(data: Option<Json<'_>>) -> Option<Usage> {
    let [models] = fields_of(data, &["modelMetrics"]);
    let models = models.into_iter().flat_map(entries);
    let sum = tokens::sum(models.filter_map(|(_, model)| {
        let [usage] = fields_of(Some(model), &["usage"]);
        tokens::named(usage, &COUNTS)
    }));
    // Some ends tell zeros though there were answers: then what each of them told counts.
    sum.filter(|sum| *sum != Usage::default())
}

/// A summary that an event holds.
fn summary(data: Json<'_>) -> Option<Json<'_>> {
    let [content, summary] = fields_of(Some(data), &["summaryContent", "summary"]);
    let mut found = [content, summary].into_iter().flatten();
    found.find(|summary| text(Some(*summary)).is_some_and(|text| !text.trim().is_empty()))
}

/// What an event says and tells.
pub(super) fn read(object: Json<'_>) -> Reading<'_> {
    let Some(event) = Event::of(object) else {
        return Reading::of(RecordKind::Unknown);
    };
    let speaker = event.speaker();
    let kind = match speaker {
        Some(_) => RecordKind::Message,
        None if kinds::is_event(&event.kind) || kinds::is_said(&event.kind) => RecordKind::Event,
        None => return Reading::of(RecordKind::Unknown),
    };
    // A sub-agent's prompts stand in the user's name too, in the same file.
    let is_asked = speaker == Some(Role::User) && event.agent.is_none() && !event.is_put_in();
    let facts = Facts {
        record_id: text_filled(event.id),
        child: text_filled(event.agent),
        model: text_filled(event.told.model).filter(|_| speaker == Some(Role::Assistant)),
        title: event
            .told
            .content
            .filter(|_| is_asked)
            .and_then(|content| titles::of_message(Role::User, Some(content), titles::any)),
        links: event.links(),
        ..Facts::default()
    };
    let mut reading = Reading {
        role: speaker,
        time_us: times::time_us(event.time),
        facts,
        ..Reading::of(kind)
    };
    about_session(&event, &mut reading);
    reading
}

/// What an event tells of the session as a whole.
fn about_session<'a>(event: &Event<'a>, reading: &mut Reading<'a>) {
    let facts = &mut reading.facts;
    let is_moved = match event.kind.as_str() {
        "session.start" | "session.resume" => false,
        "session.context_changed" => true,
        "session.model_change" => {
            let [new] = fields_of(event.data, &["newModel"]);
            facts.model = text_filled(new);
            return;
        }
        "session.usage_record" => {
            let [model] = fields_of(event.record(), &["model"]);
            facts.model = text_filled(model);
            return;
        }
        "session.shutdown" => {
            let [current] = fields_of(event.data, &["currentModel"]);
            facts.model = text_filled(current);
            return;
        }
        _ => return,
    };
    reading.kind = RecordKind::Meta;
    let [context, start, selected] =
        fields_of(event.data, &["context", "startTime", "selectedModel"]);
    // A move tells the new folder in its data, a start in its context.
    let place = if is_moved { event.data } else { context };
    let [cwd, branch] = fields_of(place, &["cwd", "branch"]);
    facts.project = text_filled(cwd);
    facts.moved = is_moved && facts.project.is_some();
    facts.branch = text_filled(branch);
    facts.model = text_filled(selected);
    // A resumption has a start of its own, which is not the session's.
    facts.created_us = times::time_us(start).filter(|_| event.kind == "session.start");
}

/// The message of an event.
pub(super) fn message(object: Json<'_>) -> Message {
    let Some((event, role)) = Event::of(object).and_then(|event| {
        let role = event.speaker()?;
        Some((event, role))
    }) else {
        return Message::new(Role::Other);
    };
    let is_note = role == Role::System || (role == Role::User && event.is_put_in());
    // Pieces of one message are events with ids of their own; what they have in common is the
    // message's id.
    let id = if event.is_piece() {
        owned(event.told.message)
    } else {
        owned(event.id)
    };
    Message {
        id,
        parent_id: owned(event.parent),
        content: content(&event, role),
        time: times::time(event.time),
        model: owned(event.told.model).filter(|_| role == Role::Assistant),
        usage: event.answer().map(|answer| answer.usage),
        agent_id: owned(event.agent),
        injected: is_note,
        ..Message::new(role)
    }
}

fn content(event: &Event<'_>, role: Role) -> Vec<Block> {
    let content = event.told.content;
    match role {
        Role::Tool => {
            let [call, name, result, error, success] = fields_of(
                event.data,
                &["toolCallId", "toolName", "result", "error", "success"],
            );
            let [said, more] = fields_of(result, &["content", "detailedContent"]);
            // A failed call has no result, only this.
            let [failure] = fields_of(error, &["message"]);
            let is_filled = |text: &Json<'_>| !matches!(text.get(), "\"\"" | "null");
            let answer = [said, more, failure].into_iter().flatten().find(is_filled);
            let answer = answer.or(said).or(error).or(result);
            let is_error = success.is_some_and(|success| success.get() == "false");
            vec![blocks::result(owned(call), owned(name), answer, is_error)]
        }
        Role::Assistant => answered(event.data, content),
        Role::System if event.kind != "system.message" => {
            blocks::content(event.data.and_then(summary))
        }
        _ => {
            let mut said = blocks::content(content);
            let [attached] = fields_of(event.data, &["attachments"]);
            let attached = attached.map(elements).unwrap_or_default();
            said.extend(attached.into_iter().map(blocks::other));
            said
        }
    }
}

/// What the model thinks, says and calls.
fn answered(data: Option<Json<'_>>, content: Option<Json<'_>>) -> Vec<Block> {
    let [thought, opaque, encrypted, calls] = fields_of(
        data,
        &[
            "reasoningText",
            "reasoningOpaque",
            "encryptedContent",
            "toolRequests",
        ],
    );
    let mut said = Vec::new();
    if let Some(text) = owned(thought) {
        said.push(Block::Thinking {
            text,
            signature: owned(opaque).or_else(|| owned(encrypted)),
        });
    }
    said.extend(blocks::content(content));
    said.extend(calls.into_iter().flat_map(elements).map(pieces::call));
    said
}

/// What an event without a message says of itself.
pub(super) fn about(object: Json<'_>) -> Option<Message> {
    let event = Event::of(object)?;
    let [model] = fields_of(event.record(), &["model"]);
    Some(Message {
        id: Some(owned(event.id)?),
        parent_id: owned(event.parent),
        model: owned(model),
        usage: event.answer().map(|answer| answer.usage),
        agent_id: owned(event.agent),
        ..Message::new(Role::Other)
    })
}
