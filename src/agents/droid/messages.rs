//! The lines of a session of Droid's: its header, messages, and what was made shorter.

use crate::agents::parts::fields::{fields_of, is_true, owned, text, text_filled};
use crate::agents::parts::injected::{PutIn, take_out};
use crate::agents::parts::lines::Reading;
use crate::agents::parts::{blocks, pieces, times, titles};
use crate::json::Json;
use crate::model::links::{Act, Links, Place, id_hash};
use crate::model::message::{Message, Role};
use crate::model::record::RecordKind;

/// What Droid puts before a person's words, in tags.
const PUT_IN: PutIn = PutIn {
    tags: &["system-reminder"],
    starts: &[],
};

/// Who may see a message that the person does not.
const UNSEEN: [&str; 2] = ["llm_only", "hidden"];

/// The fields of a line, in the order in which they are taken apart.
const FIELDS: [&str; 6] = [
    "type",
    "id",
    "parentId",
    "timestamp",
    "message",
    "summaryText",
];

/// What a line says, if it says something: who speaks, and the content.
fn said<'a>(
    kind: &str,
    message: Option<Json<'a>>,
    summary: Option<Json<'a>>,
) -> Option<(Role, Option<Json<'a>>)> {
    match kind {
        "message" => {
            let [role, content] = fields_of(message, &["role", "content"]);
            Some((pieces::speaker(&text(role)?, content), content))
        }
        "compaction_state" => text_filled(summary).map(|_| (Role::System, summary)),
        _ => None,
    }
}

/// What is left of a text once what was put before it is gone.
fn typed(said: &str) -> Option<&str> {
    titles::behind_tags(said, PUT_IN.tags)
}

/// Whether the person never sees a message.
fn is_unseen(message: Option<Json<'_>>) -> bool {
    let [visibility] = fields_of(message, &["visibility"]);
    text(visibility).is_some_and(|who| UNSEEN.contains(&&*who))
}

/// What a line says and tells.
pub(super) fn read(object: Json<'_>) -> Reading<'_> {
    let [kind, id, parent, timestamp, message, summary] = fields_of(Some(object), &FIELDS);
    let kind = text(kind).unwrap_or_default();
    let mut reading = match (said(&kind, message, summary), &*kind) {
        (Some((role, content)), _) => {
            let mut reading = Reading::said(role);
            // What only the model is shown is none of the person's words.
            if kind == "message" && !is_unseen(message) {
                reading.facts.title = titles::of_message(role, content, typed);
            }
            reading
        }
        (None, "session_start") => header(object),
        (
            None,
            "todo_state" | "compaction_state" | "session_end" | "agent_turn_outcome" | "message",
        ) => Reading::of(RecordKind::Event),
        _ => return Reading::of(RecordKind::Unknown),
    };
    reading.time_us = times::time_us(timestamp);
    if kind != "session_start" {
        reading.facts.record_id = text_filled(id);
        reading.facts.links = links(id, parent, reading.role);
    }
    reading
}

/// What the header tells.
fn header(object: Json<'_>) -> Reading<'_> {
    let [title, given, by_hand, cwd, parent, caller, origin] = fields_of(
        Some(object),
        &[
            "title",
            "sessionTitle",
            "isSessionTitleManuallySet",
            "cwd",
            "parent",
            "callingSessionId",
            "forkedFromSessionId",
        ],
    );
    let mut reading = Reading::of(RecordKind::Meta);
    let facts = &mut reading.facts;
    let rank = if is_true(by_hand) {
        titles::CHOSEN
    } else {
        titles::GENERATED
    };
    // A rename writes this line anew, and the last one holds.
    facts.title = titles::latest(text_filled(given).or_else(|| text_filled(title)), rank);
    facts.project = text_filled(cwd);
    let caller = text_filled(caller);
    // A parent may be what the session was forked from, which makes it no sub-agent.
    facts.subagent = caller.is_some();
    facts.parent = caller
        .or_else(|| text_filled(parent))
        .or_else(|| text_filled(origin));
    reading
}

/// What a line says of others. A message that is written again under its id has no parent then.
fn links(id: Option<Json<'_>>, parent: Option<Json<'_>>, role: Option<Role>) -> Links {
    let hash = |id| text_filled(id).map(|id| id_hash(&id));
    let (id, parent) = (hash(id), hash(parent));
    let place = match role {
        _ if id.is_none() => Place::Apart,
        // A message that is written again has lost its parent: as one that hangs on nothing it
        // would begin a new branch.
        Some(Role::User) if parent.is_some() => Place::Asked,
        Some(Role::Assistant) if parent.is_some() => Place::Answered,
        _ => Place::Way,
    };
    Links {
        id,
        parent,
        place,
        act: role.map_or(Act::None, |_| Act::Again),
        ..Links::default()
    }
}

/// The message of a line.
pub(super) fn message(object: Json<'_>) -> Message {
    let [kind, id, parent, timestamp, inner, summary] = fields_of(Some(object), &FIELDS);
    let kind = text(kind).unwrap_or_default();
    let (role, content) = said(&kind, inner, summary).unwrap_or((Role::Other, None));
    let mut content = blocks::content(content);
    let is_all_put_in = role == Role::User && take_out(&mut content, |said| PUT_IN.is_text(said));
    Message {
        id: owned(id),
        parent_id: owned(parent),
        content,
        time: times::time(timestamp),
        injected: is_all_put_in || role == Role::System || is_unseen(inner),
        ..Message::new(role)
    }
}

/// What a line without a message says of itself.
pub(super) fn about(object: Json<'_>) -> Option<Message> {
    let [id, parent, kind] = fields_of(Some(object), &["id", "parentId", "type"]);
    if text(kind).as_deref() == Some("session_start") {
        return None;
    }
    Some(Message {
        id: Some(owned(id)?),
        parent_id: owned(parent),
        ..Message::new(Role::Other)
    })
}
