//! The agent's items: a message, what the model thought, a call, and what a tool answered, each a line.

use crate::agents::described::Facts;
use crate::agents::parts::blocks;
use crate::agents::parts::fields::{
    count, elements, fields_of, named_fields, owned, text, text_filled,
};
use crate::agents::parts::injected::PutIn;
use crate::agents::parts::lines::Reading;
use crate::agents::parts::{times, titles};
use crate::json::Json;
use crate::model::links::{Answer, Links, Place, id_hash};
use crate::model::message::{Block, Message, Role, Usage};
use crate::model::record::RecordKind;

/// Kinds of lines of which nothing is said.
const EVENTS: [&str; 9] = [
    "compaction",
    "custom-title",
    "ai-title",
    "file-history-snapshot",
    "summary",
    "topic",
    "goal-result",
    "goal-progress",
    "resend-fork-notice",
];

/// What is put into a person's name, in tags.
const PUT_IN: PutIn = PutIn {
    tags: &["system-reminder"],
    starts: &[],
};

named_fields! {
    /// The fields of an item.
    Item {
        kind: "type",
        id: "id",
        parent: "parentId",
        time: "timestamp",
        role: "role",
        content: "content",
        raw: "rawContent",
        call: "callId",
        name: "name",
        arguments: "arguments",
        output: "output",
        status: "status",
        told: "providerData",
        cwd: "cwd",
        envelope: "uuid",
    }
}

impl<'a> Item<'a> {
    /// `None` of an object that is no item.
    fn taken(object: Json<'a>) -> Option<(Self, String)> {
        let item = Self::of(Some(object));
        let kind = text(item.kind)?.into_owned();
        (item.envelope.is_none()).then_some((item, kind))
    }

    /// Who says something in it, if anybody does.
    fn speaker(&self, kind: &str) -> Option<Role> {
        match kind {
            "message" => Some(Role::from_word(&text(self.role)?)),
            "reasoning" | "function_call" => Some(Role::Assistant),
            "function_call_result" => Some(Role::Tool),
            _ => None,
        }
    }

    fn is_put_in(&self, role: Role) -> bool {
        role == Role::System || (role == Role::User && PUT_IN.is_content(self.content))
    }

    fn blocks(&self, kind: &str) -> Vec<Block> {
        match kind {
            "reasoning" => {
                let thoughts = self.raw.map(elements).unwrap_or_default();
                let thoughts = thoughts.into_iter().filter_map(|thought| {
                    let [text] = fields_of(Some(thought), &["text"]);
                    owned(text)
                });
                thoughts
                    .map(|text| Block::Thinking {
                        text,
                        signature: None,
                    })
                    .collect()
            }
            "function_call" => vec![Block::ToolUse {
                id: owned(self.call),
                name: owned(self.name).unwrap_or_default(),
                input: self.arguments.map(blocks::arguments),
            }],
            "function_call_result" => {
                let [said] = fields_of(self.output, &["text"]);
                let failed = text(self.status).is_some_and(|status| status != "completed");
                let output = said.or(self.output);
                vec![blocks::result(
                    owned(self.call),
                    owned(self.name),
                    output,
                    failed,
                )]
            }
            _ => blocks::content(self.content),
        }
    }

    /// What an answer took: it stands on the last of its lines, and may be repeated.
    fn answer(&self, role: Role) -> Option<Answer> {
        let [usage, message] = fields_of(self.told, &["usage", "messageId"]);
        let [input, output, details] = fields_of(
            usage.filter(|_| role == Role::Assistant),
            &["inputTokens", "outputTokens", "inputTokensDetails"],
        );
        let details = details.map(elements).unwrap_or_default();
        let [cached] = fields_of(details.first().copied(), &["cached_tokens"]);
        input.or(output)?;
        Some(Answer {
            key: id_hash(&text_filled(message).or_else(|| text_filled(self.id))?),
            usage: Usage {
                input_tokens: count(input),
                output_tokens: count(output),
                cache_read_tokens: count(cached),
                ..Usage::default()
            },
        })
    }

    fn links(&self, role: Role, kind: &str) -> Links {
        let hash = |id| text_filled(id).map(|id| id_hash(&id));
        Links {
            id: hash(self.id),
            parent: hash(self.parent),
            place: match role {
                Role::User if !self.is_put_in(role) => Place::Asked,
                // A call has the id of what was said before it, and hangs on what that hangs on: no branch of its own.
                Role::Assistant if kind != "function_call" => Place::Answered,
                _ => Place::Way,
            },
            answer: self.answer(role),
            ..Links::default()
        }
    }
}

/// What an item says and tells; `None` of what is none.
pub(super) fn read(object: Json<'_>) -> Option<Reading<'_>> {
    let (item, kind) = Item::taken(object)?;
    let Some(role) = item.speaker(&kind) else {
        return EVENTS
            .contains(&kind.as_str())
            .then(|| event(&kind, object, &item));
    };
    let [model] = fields_of(item.told, &["model"]);
    let is_asked = role == Role::User && !item.is_put_in(role);
    Some(Reading {
        role: Some(role),
        time_us: times::time_us(item.time),
        facts: Facts {
            project: text_filled(item.cwd),
            model: text_filled(model).filter(|_| role == Role::Assistant),
            title: item
                .content
                .filter(|_| is_asked)
                .and_then(|content| titles::of_message(role, Some(content), titles::any)),
            links: item.links(role, &kind),
            ..Facts::default()
        },
        ..Reading::of(RecordKind::Message)
    })
}

/// What a line says that is no part of the talk.
fn event<'a>(kind: &str, object: Json<'a>, item: &Item<'a>) -> Reading<'a> {
    let [custom, made, summary, topic] = fields_of(
        Some(object),
        &["customTitle", "aiTitle", "summary", "topic"],
    );
    let title = match kind {
        "custom-title" => titles::changed(text(custom), titles::CHOSEN),
        "ai-title" => titles::changed(text(made), titles::GENERATED),
        "summary" => titles::latest(text(summary), titles::SUMMARY),
        "topic" => titles::latest(text(topic), titles::SUMMARY),
        _ => None,
    };
    Reading {
        time_us: times::time_us(item.time),
        facts: Facts {
            title,
            ..Facts::default()
        },
        ..Reading::of(RecordKind::Event)
    }
}

/// The message of an item; `None` of what is none.
pub(super) fn message(object: Json<'_>) -> Option<Message> {
    let (item, kind) = Item::taken(object)?;
    let role = item.speaker(&kind)?;
    let [model] = fields_of(item.told, &["model"]);
    Some(Message {
        id: owned(item.id),
        parent_id: owned(item.parent),
        content: item.blocks(&kind),
        time: times::time(item.time),
        model: owned(model).filter(|_| role == Role::Assistant),
        usage: item.answer(role).map(|answer| answer.usage),
        injected: item.is_put_in(role),
        ..Message::new(role)
    })
}
