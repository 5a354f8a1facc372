//! What goose's lines say: rows of its database, and the older files' lines.

use crate::agents::described::Facts;
use crate::agents::parts::entries::{self, SESSION};
use crate::agents::parts::fields::{count, elements, fields_of, owned, text, text_filled};
use crate::agents::parts::lines::{Format, Reading};
use crate::agents::parts::{pieces, times, titles, tokens};
use crate::json::Json;
use crate::model::links::Links;
use crate::model::message::{Message, Role, Usage};
use crate::model::record::RecordKind;

/// The agent's name.
pub(super) const AGENT: &str = "goose";

/// goose's sessions.
#[derive(Debug)]
pub(crate) struct Goose;

/// The table of messages.
pub(super) const MESSAGES: &str = "messages";

/// Names of sessions that have none yet.
const NO_NAME: [&str; 4] = ["CLI Session", "New Chat", "New session", "Session"];

/// A message: a row, or an older line.
struct Said<'a> {
    id: Option<Json<'a>>,
    role: Role,
    time: Option<Json<'a>>,
    content: Option<Json<'a>>,
    /// Whether it is for the model alone.
    is_hidden: bool,
}

/// What an object is.
enum Line<'a> {
    Said(Said<'a>),
    /// What is said of the session, and whether by an older line.
    Session(Json<'a>, bool),
    Event,
    Unknown,
}

impl<'a> Line<'a> {
    fn of(object: Json<'a>) -> Self {
        let Some(entry) = entries::of(AGENT, object) else {
            return Self::older(object);
        };
        match &*entry.kind {
            SESSION => Self::Session(entry.entry, false),
            MESSAGES => {
                let [id, role, content, time, visible] = fields_of(
                    Some(entry.entry),
                    &[
                        "message_id",
                        "role",
                        "content_json",
                        "created_timestamp",
                        "userVisible",
                    ],
                );
                match text(role) {
                    None => Self::Event,
                    Some(role) => Self::Said(Said {
                        id,
                        role: pieces::speaker(&role, content),
                        time,
                        content,
                        is_hidden: visible.is_some_and(|visible| visible.get() == "false"),
                    }),
                }
            }
            _ => Self::Event,
        }
    }

    /// A line of an older file.
    fn older(object: Json<'a>) -> Self {
        let [id, role, time, content, folder] = fields_of(
            Some(object),
            &["id", "role", "created", "content", "working_dir"],
        );
        match (text(role), content, text(folder)) {
            (Some(role), Some(_), _) => Self::Said(Said {
                id,
                role: pieces::speaker(&role, content),
                time,
                content,
                is_hidden: false,
            }),
            (None, _, Some(_)) => Self::Session(object, true),
            _ => Self::Unknown,
        }
    }
}

impl Format for Goose {
    fn read<'a>(&self, object: Json<'a>) -> Reading<'a> {
        match Line::of(object) {
            Line::Said(said) => said.reading(),
            Line::Session(about, is_older) => session(about, is_older),
            Line::Event => Reading::of(RecordKind::Event),
            Line::Unknown => Reading::of(RecordKind::Unknown),
        }
    }

    fn message(&self, object: Json<'_>) -> Message {
        match Line::of(object) {
            Line::Said(said) => said.message(),
            _ => Message::new(Role::Other),
        }
    }

    fn about(&self, object: Json<'_>) -> Option<Message> {
        match Line::of(object) {
            Line::Session(about, false) => entries::about(usage(about)),
            _ => None,
        }
    }
}

impl<'a> Said<'a> {
    fn reading(self) -> Reading<'a> {
        let mut reading = Reading::said(self.role);
        reading.time_us = times::time_us(self.time);
        let title = titles::of_message(self.role, self.content, titles::any);
        reading.facts = Facts {
            record_id: text_filled(self.id),
            title: title.filter(|_| !self.is_hidden),
            ..Facts::default()
        };
        reading
    }

    fn message(self) -> Message {
        Message {
            id: owned(self.id),
            content: pieces::blocks(self.content),
            time: times::time(self.time),
            injected: self.is_hidden && self.role == Role::User,
            ..Message::new(self.role)
        }
    }
}

/// What is said of a session.
fn session(about: Json<'_>, is_older: bool) -> Reading<'_> {
    let [name, described, chosen, kind, folder, created, updated] = fields_of(
        Some(about),
        &[
            "name",
            "description",
            "user_set_name",
            "session_type",
            "working_dir",
            "created_at",
            "updated_at",
        ],
    );
    let [id, archived, parent, model] = fields_of(
        Some(about),
        &["id", "archived_at", "parent_session_id", "model_name"],
    );
    let is_chosen = chosen.is_some_and(|chosen| matches!(chosen.get(), "1" | "true"));
    let rank = if is_chosen {
        titles::CHOSEN
    } else {
        titles::GENERATED
    };
    let title = text_filled(name).or_else(|| text_filled(described));
    // As the program calls a session that has no name yet.
    let title = title.filter(|title| !NO_NAME.contains(&&**title));
    let is_child = matches!(text(kind).as_deref(), Some("sub_agent" | "hidden"));
    let parent = text_filled(parent);
    Reading::meta(Facts {
        created_us: times::sql_time_us(created),
        updated_us: times::sql_time_us(updated),
        project: text_filled(folder),
        title: titles::latest(title, rank),
        model: text_filled(model),
        subagent: is_child && parent.is_some(),
        parent,
        // The first line holds what never changes: only the last one tells.
        archived: (!is_older && created.is_none()).then(|| text_filled(archived).is_some()),
        links: Links {
            answer: entries::taken(AGENT, id, usage(about)),
            ..Links::default()
        },
        ..Facts::default()
    })
}

/// What a session took: the sum of what its ledger has, else its own sum, else what its last call took.
fn usage(about: Json<'_>) -> Option<Usage> {
    let [ledger] = fields_of(Some(about), &["usage_ledger"]);
    // Never both: the row's own sums have the ledger's calls in them.
    if let Some(ledger) = ledger {
        let rows = elements(ledger).into_iter().map(Some);
        return tokens::sum(rows.filter_map(tokens::in_any_spelling));
    }
    let [input, output, read, written, last_input, last_output] = fields_of(
        Some(about),
        &[
            "accumulated_input_tokens",
            "accumulated_output_tokens",
            "accumulated_cache_read_tokens",
            "accumulated_cache_write_tokens",
            "input_tokens",
            "output_tokens",
        ],
    );
    let input = input.or(last_input);
    let output = output.or(last_output);
    input.or(output).map(|_| Usage {
        input_tokens: count(input),
        output_tokens: count(output),
        cache_read_tokens: count(read),
        cache_write_tokens: count(written),
    })
}
