//! Kimi Code's log. A message of the person is one line; one of the model is a step, of which each part and
//! each call has a line, and what the tools answer stands between them.

use crate::agents::described::Facts;
use crate::agents::parts::blocks;
use crate::agents::parts::fields::{count, elements, fields_of, is_true, owned, text, text_filled};
use crate::agents::parts::lines::Reading;
use crate::agents::parts::{times, titles};
use crate::json::Json;
use crate::model::links::{Act, Answer, Links, Place, id_hash};
use crate::model::message::{Block, Message, Role, Usage};
use crate::model::record::RecordKind;

/// How kinds of lines begin of which nothing is said.
const EVENTS: [&str; 22] = [
    "agent.",
    "config.",
    "context.",
    "cron.",
    "file_history.",
    "full_compaction.",
    "goal.",
    "interaction.",
    "interruptionReminder.",
    "llm.",
    "mcp.",
    "permission.",
    "plan.",
    "plan_mode.",
    "plugin.",
    "profile.",
    "prompt.",
    "runtime.",
    "swarm_mode.",
    "task.",
    "token_counting.",
    "tools.",
];

/// Further ones, and whole names.
const MORE_EVENTS: [&str; 5] = ["tower_mode.", "turn.", "usage.", "forked", "metadata"];

/// Whether lines of this kind are Kimi's alone.
pub(super) fn tells_the_agent(kind: &str) -> bool {
    matches!(
        kind,
        "context.append_message"
            | "context.append_loop_event"
            | "context.apply_compaction"
            | "turn.prompt"
            | "usage.record"
            | "config.update"
    )
}

/// Who says something in a line, and what holds it.
enum Said<'a> {
    /// A whole message.
    Message(Json<'a>, Role),
    /// A part of a step.
    Part(Json<'a>),
    /// A call in a step.
    Call(Json<'a>),
    /// What a tool answers.
    Result(Json<'a>),
    /// What was said before, made shorter.
    Summary(Json<'a>),
}

/// What a line says, if it says something.
fn said<'a>(kind: &str, object: Json<'a>) -> Option<Said<'a>> {
    let [message, event, summary, short] = fields_of(
        Some(object),
        &["message", "event", "contextSummary", "summary"],
    );
    match kind {
        "context.append_message" => {
            let [role] = fields_of(message, &["role"]);
            Some(Said::Message(message?, Role::from_word(&text(role)?)))
        }
        "context.append_loop_event" => {
            let [kind, part] = fields_of(event, &["type", "part"]);
            match &*text(kind)? {
                "content.part" => part.and(event).map(Said::Part),
                "tool.call" => event.map(Said::Call),
                "tool.result" => event.map(Said::Result),
                _ => None,
            }
        }
        "context.apply_compaction" => summary.or(short).map(Said::Summary),
        _ => None,
    }
}

impl<'a> Said<'a> {
    fn role(&self) -> Role {
        match self {
            Self::Message(_, role) => *role,
            Self::Part(_) | Self::Call(_) => Role::Assistant,
            Self::Result(_) => Role::Tool,
            Self::Summary(_) => Role::System,
        }
    }

    /// Whether something else than the person wrote it: the producer says where each message is from.
    fn is_put_in(&self) -> bool {
        match self {
            Self::Message(message, Role::User) => {
                let [origin] = fields_of(Some(*message), &["origin"]);
                let [kind, trigger] = fields_of(origin, &["kind", "trigger"]);
                match text_filled(kind).as_deref() {
                    None | Some("user") => false,
                    Some("skill_activation" | "plugin_command") => {
                        text(trigger).is_none_or(|trigger| trigger != "user-slash")
                    }
                    Some(_) => true,
                }
            }
            Self::Message(_, Role::System) | Self::Summary(_) => true,
            _ => false,
        }
    }

    /// The step that it is a part of.
    fn step(&self) -> Option<Json<'a>> {
        let (Self::Part(event) | Self::Call(event)) = self else {
            return None;
        };
        let [step] = fields_of(Some(*event), &["stepUuid"]);
        step.filter(|step| text_filled(Some(*step)).is_some())
    }

    fn blocks(&self) -> Vec<Block> {
        match self {
            Self::Message(message, role) => of_message(*message, *role),
            Self::Part(event) => {
                let [part] = fields_of(Some(*event), &["part"]);
                blocks::content(part)
            }
            Self::Call(event) => vec![call(*event)],
            Self::Result(event) => {
                let [id, result] = fields_of(Some(*event), &["toolCallId", "result"]);
                let [output, is_error] = fields_of(result, &["output", "isError"]);
                let failed = is_true(is_error);
                vec![blocks::result(owned(id), None, output.or(result), failed)]
            }
            Self::Summary(summary) => {
                let [content] = fields_of(Some(*summary), &["content"]);
                blocks::content(content.or(Some(*summary)))
            }
        }
    }
}

/// The blocks of a whole message.
fn of_message(message: Json<'_>, role: Role) -> Vec<Block> {
    let [content, calls, call_id, snake_id, is_error] = fields_of(
        Some(message),
        &[
            "content",
            "toolCalls",
            "toolCallId",
            "tool_call_id",
            "isError",
        ],
    );
    if role == Role::Tool {
        let id = owned(call_id).or_else(|| owned(snake_id));
        return vec![blocks::result(id, None, content, is_true(is_error))];
    }
    let mut said = blocks::content(content);
    said.extend(
        calls
            .map(elements)
            .unwrap_or_default()
            .into_iter()
            .map(call),
    );
    said
}

/// A call, as versions of the log spell it.
fn call(call: Json<'_>) -> Block {
    let [id, call_id, name, arguments, args, function] = fields_of(
        Some(call),
        &["id", "toolCallId", "name", "arguments", "args", "function"],
    );
    let [inner_name, inner_arguments] = fields_of(function, &["name", "arguments"]);
    Block::ToolUse {
        id: owned(call_id).or_else(|| owned(id)),
        name: owned(name)
            .or_else(|| owned(inner_name))
            .unwrap_or_default(),
        input: args
            .or(arguments)
            .or(inner_arguments)
            .map(blocks::arguments),
    }
}

/// The tokens that a line tells, and whether it is the producer's own count.
fn usage(kind: &str, object: Json<'_>) -> Option<(Usage, bool)> {
    let [own, event] = fields_of(Some(object), &["usage", "event"]);
    let (told, is_record) = match kind {
        "usage.record" => (own, true),
        "context.append_loop_event" => {
            let [kind, usage] = fields_of(event, &["type", "usage"]);
            let is_end = text(kind).as_deref() == Some("step.end");
            (usage.filter(|_| is_end), false)
        }
        _ => return None,
    };
    let told = told.filter(|usage| usage.is_object())?;
    let [input, output, read, written] = fields_of(
        Some(told),
        &[
            "inputOther",
            "output",
            "inputCacheRead",
            "inputCacheCreation",
        ],
    )
    .map(count);
    let usage = Usage {
        input_tokens: input,
        output_tokens: output,
        cache_read_tokens: read,
        cache_write_tokens: written,
    };
    Some((usage, is_record))
}

/// What a line says of others.
fn links(kind: &str, object: Json<'_>, said: Option<&Said<'_>>) -> Links {
    let [time, turns, event] = fields_of(Some(object), &["time", "count", "event"]);
    let mut links = Links::default();
    if let Some(said) = said {
        if said.role() == Role::User && !said.is_put_in() {
            links.place = Place::Asked;
        }
        if let Some(step) = text_filled(said.step()) {
            (links.id, links.act) = (Some(id_hash(&step)), Act::Part);
        }
    } else if kind == "context.undo" {
        links.act = Act::TakeBack(count(turns));
    } else if let Some((usage, is_record)) = usage(kind, object) {
        let [step] = fields_of(event, &["uuid"]);
        let key = match text_filled(step) {
            Some(step) => id_hash(&step),
            // A session that was forked has its lines with their times.
            None => id_hash(&format!("{} {usage:?}", time.map_or("", Json::get))),
        };
        links.answer = Some(Answer { key, usage });
        links.act = if is_record {
            Act::Sums { of_all: false }
        } else {
            Act::Summed
        };
    }
    links
}

/// What a line says and tells.
pub(super) fn read(object: Json<'_>) -> Reading<'_> {
    let [kind, time, message] = fields_of(Some(object), &["type", "time", "message"]);
    let kind = text(kind).unwrap_or_default();
    let said = said(&kind, object);
    let mut reading = Reading::of(match &said {
        Some(_) => RecordKind::Message,
        None if is_event(&kind) => RecordKind::Event,
        None => return Reading::of(RecordKind::Unknown),
    });
    reading.role = said.as_ref().map(Said::role);
    reading.time_us = times::time_us(time);
    reading.facts.links = links(&kind, object, said.as_ref());
    if let Some(said) = &said {
        let [content] = fields_of(message, &["content"]);
        if !said.is_put_in() {
            reading.facts.title = titles::of_message(said.role(), content, titles::any);
        }
    } else {
        about_session(&kind, object, &mut reading);
    }
    reading
}

fn is_event(kind: &str) -> bool {
    let mut all = EVENTS.iter().chain(&MORE_EVENTS);
    all.any(|event| kind == *event || (event.ends_with('.') && kind.starts_with(event)))
}

/// What a line tells of the session as a whole.
fn about_session<'a>(kind: &str, object: Json<'a>, reading: &mut Reading<'a>) {
    let [created, cwd, alias, model] =
        fields_of(Some(object), &["created_at", "cwd", "modelAlias", "model"]);
    let facts = match kind {
        "metadata" => Facts {
            created_us: times::time_us(created),
            ..Facts::default()
        },
        "config.update" | "profile.bind" => {
            let project = text_filled(cwd);
            Facts {
                moved: project.is_some(),
                project,
                model: text_filled(alias),
                ..Facts::default()
            }
        }
        "usage.record" => {
            // It says which model it was, but is about no more than that.
            reading.facts.model = text_filled(model);
            return;
        }
        _ => return,
    };
    reading.kind = RecordKind::Meta;
    reading.facts = facts;
}

/// The message of a line.
pub(super) fn message(object: Json<'_>) -> Message {
    let [kind, time, message] = fields_of(Some(object), &["type", "time", "message"]);
    let Some(said) = said(&text(kind).unwrap_or_default(), object) else {
        return Message::new(Role::Other);
    };
    let [id] = fields_of(message, &["id"]);
    Message {
        id: owned(said.step()).or_else(|| owned(id)),
        content: said.blocks(),
        time: times::time(time),
        injected: said.is_put_in(),
        ..Message::new(said.role())
    }
}

/// What a line without a message says of itself: its tokens.
pub(super) fn about(object: Json<'_>) -> Option<Message> {
    let [kind, time, model] = fields_of(Some(object), &["type", "time", "model"]);
    let (usage, is_record) = usage(&text(kind)?, object)?;
    Some(Message {
        usage: Some(usage),
        time: times::time(time),
        model: owned(model).filter(|_| is_record),
        ..Message::new(Role::Other)
    })
}
