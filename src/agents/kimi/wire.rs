//! Kimi Code's log. A message of the person is one line; one of the model is a step, of which each part and
//! each call has a line, and what the tools answer stands between them.

use crate::agents::described::Facts;
use crate::agents::parts::blocks;
use crate::agents::parts::fields::{
    count, elements, fields_of, is_true, named_fields, owned, text, text_filled,
};
use crate::agents::parts::lines::Reading;
use crate::agents::parts::{pieces, times, titles, tokens};
use crate::json::Json;
use crate::model::links::{Act, Answer, Links, Place, id_hash};
use crate::model::message::{Block, Message, Role, Usage};
use crate::model::record::RecordKind;

/// How kinds of lines begin of which nothing is said.
const EVENTS: [&str; 29] = [
    "agent.",
    "config.",
    "context.",
    "cron.",
    "file_history.",
    "full_compaction.",
    "goal.",
    "hook.",
    "interaction.",
    "interruptionReminder.",
    "llm.",
    "mcp.",
    "permission.",
    "plan.",
    "plan_mode.",
    "plugin.",
    "plugin_command.",
    "profile.",
    "prompt.",
    "runtime.",
    "session.",
    "shell.",
    "skill.",
    "subagent.",
    "swarm_mode.",
    "task.",
    "token_counting.",
    "tools.",
    "tower.",
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

named_fields! {
    /// The fields of a line.
    Line {
        kind: "type",
        time: "time",
        message: "message",
        event: "event",
        context_summary: "contextSummary",
        summary: "summary",
        turns: "count",
        usage: "usage",
        created: "created_at",
        cwd: "cwd",
        disclosed: "environmentDisclosure",
        alias: "modelAlias",
        model: "model",
    }
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
fn said<'a>(kind: &str, line: &Line<'a>) -> Option<Said<'a>> {
    match kind {
        "context.append_message" => {
            let [role] = fields_of(line.message, &["role"]);
            Some(Said::Message(line.message?, Role::from_word(&text(role)?)))
        }
        "context.append_loop_event" => {
            let [kind, part] = fields_of(line.event, &["type", "part"]);
            match &*text(kind)? {
                // The beginning and the end of a step say nothing themselves.
                "content.part" => part.and(line.event).map(Said::Part),
                "tool.call" => line.event.map(Said::Call),
                "tool.result" => line.event.map(Said::Result),
                _ => None,
            }
        }
        // What the model wrote, rather than that with what the program tells the model around it.
        "context.apply_compaction" => {
            let written = line.summary.filter(|summary| !is_blank(*summary));
            written.or(line.context_summary).map(Said::Summary)
        }
        _ => None,
    }
}

/// Whether it is a text without words.
fn is_blank(summary: Json<'_>) -> bool {
    text(Some(summary)).is_some_and(|text| text.trim().is_empty())
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
                    // A skill is put in by the model too; only one that was called with a slash is
                    // what the person typed.
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

    /// Whether it is what a sub-agent is to do: the agent that started it says that in the person's name.
    fn is_task(&self) -> bool {
        let Self::Message(message, Role::User) = self else {
            return false;
        };
        let [origin] = fields_of(Some(*message), &["origin"]);
        let [kind, name] = fields_of(origin, &["kind", "name"]);
        let is = |field, word| text(field).is_some_and(|text| text == word);
        is(kind, "system_trigger") && is(name, "subagent")
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
            Self::Call(event) => vec![pieces::call(*event)],
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
    said.extend(calls.into_iter().flat_map(elements).map(pieces::call));
    said
}

/// The tokens that a line tells, and whether it is the producer's own count.
fn usage(kind: &str, line: &Line<'_>) -> Option<(Usage, bool)> {
    let (told, is_record) = match kind {
        "usage.record" => (line.usage, true),
        "context.append_loop_event" => {
            let [kind, usage] = fields_of(line.event, &["type", "usage"]);
            // The end of a step repeats what its record says, and is used where there is no record.
            let is_end = text(kind).as_deref() == Some("step.end");
            (usage.filter(|_| is_end), false)
        }
        _ => return None,
    };
    let names = [
        "inputOther",
        "output",
        "inputCacheRead",
        "inputCacheCreation",
    ];
    Some((tokens::named(told, &names)?, is_record))
}

/// What a line says of others.
fn links(kind: &str, line: &Line<'_>, said: Option<&Said<'_>>) -> Links {
    let mut links = Links::default();
    if let Some(said) = said {
        if said.role() == Role::User && !said.is_put_in() {
            links.place = Place::Asked;
        }
        if let Some(step) = text_filled(said.step()) {
            (links.id, links.act) = (Some(id_hash(&step)), Act::Part);
        }
    } else if kind == "context.undo" {
        links.act = Act::TakeBack(count(line.turns));
    } else if let Some((usage, is_record)) = usage(kind, line) {
        let [step] = fields_of(line.event, &["uuid"]);
        let key = match text_filled(step) {
            Some(step) => id_hash(&step),
            // A session that was forked has its lines with their times.
            None => id_hash(&format!("{} {usage:?}", line.time.map_or("", Json::get))),
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
    let line = Line::of(Some(object));
    let kind = text(line.kind).unwrap_or_default();
    let said = said(&kind, &line);
    let mut reading = Reading::of(match &said {
        Some(_) => RecordKind::Message,
        None if is_event(&kind) => RecordKind::Event,
        None => return Reading::of(RecordKind::Unknown),
    });
    reading.role = said.as_ref().map(Said::role);
    reading.time_us = times::time_us(line.time);
    reading.facts.links = links(&kind, &line, said.as_ref());
    if let Some(said) = &said {
        if !said.is_put_in() || said.is_task() {
            let [content] = fields_of(line.message, &["content"]);
            reading.facts.title = titles::of_message(said.role(), content, titles::any);
        }
    } else {
        about_session(&kind, &line, &mut reading);
    }
    reading
}

fn is_event(kind: &str) -> bool {
    let mut all = EVENTS.iter().chain(&MORE_EVENTS);
    all.any(|event| kind == *event || (event.ends_with('.') && kind.starts_with(event)))
}

/// What a line tells of the session as a whole.
fn about_session<'a>(kind: &str, line: &Line<'a>, reading: &mut Reading<'a>) {
    let facts = match kind {
        "metadata" => Facts {
            created_us: times::time_us(line.created),
            ..Facts::default()
        },
        "config.update" | "profile.bind" => {
            let [disclosed] = fields_of(line.disclosed, &["cwd"]);
            let project = text_filled(line.cwd).or_else(|| text_filled(disclosed));
            Facts {
                moved: project.is_some(),
                project,
                model: text_filled(line.alias),
                ..Facts::default()
            }
        }
        "usage.record" => {
            // It says which model it was, but is about no more than that.
            reading.facts.model = text_filled(line.model);
            return;
        }
        _ => return,
    };
    reading.kind = RecordKind::Meta;
    reading.facts = facts;
}

/// The message of a line.
pub(super) fn message(object: Json<'_>) -> Message {
    let line = Line::of(Some(object));
    let Some(said) = said(&text(line.kind).unwrap_or_default(), &line) else {
        return Message::new(Role::Other);
    };
    let [id] = fields_of(line.message, &["id"]);
    Message {
        id: owned(said.step()).or_else(|| owned(id)),
        content: said.blocks(),
        time: times::time(line.time),
        injected: said.is_put_in(),
        ..Message::new(said.role())
    }
}

/// What a line without a message says of itself: its tokens.
pub(super) fn about(object: Json<'_>) -> Option<Message> {
    let line = Line::of(Some(object));
    let (usage, is_record) = usage(&text(line.kind)?, &line)?;
    Some(Message {
        usage: Some(usage),
        time: times::time(line.time),
        model: owned(line.model).filter(|_| is_record),
        ..Message::new(Role::Other)
    })
}
