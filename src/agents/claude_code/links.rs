//! What a line of Claude Code says of other lines: which one it hangs on, and which answer of the
//! provider it belongs to.

use crate::json::Json;

use crate::agents::parts::fields::{count, fields_of, text_filled};
use crate::model::links::{Answer, Links, Place, id_hash};
use crate::model::message::{Role, Usage};

/// The fields of a line that this is told by.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Fields<'a> {
    /// Its own id.
    pub id: Option<Json<'a>>,
    /// The line that it hangs on.
    pub parent: Option<Json<'a>>,
    /// Whether it is in a talk of its own.
    pub is_side_talk: bool,
    /// The message of the provider.
    pub message: Option<Json<'a>>,
    /// The request that it answers.
    pub request: Option<Json<'a>>,
    /// The session that it was copied from.
    pub copied: Option<Json<'a>>,
}

/// The links of a line that says nothing, or of a message of a role.
pub(super) fn of(fields: Fields<'_>, role: Option<Role>, is_note: bool) -> Links {
    let place = match role {
        _ if fields.is_side_talk => Place::Apart,
        Some(Role::User) if !is_note => Place::Asked,
        Some(Role::Assistant) => Place::Answered,
        _ => Place::Way,
    };
    let hash = |id| text_filled(id).map(|id| id_hash(&id));
    let id = hash(fields.id);
    Links {
        id,
        parent: hash(fields.parent),
        place: if id.is_some() { place } else { Place::Apart },
        // What was copied from another session counts there.
        answer: match fields.copied {
            None => answer(fields.message, fields.request),
            Some(_) => None,
        },
        ..Links::default()
    }
}

/// The answer that a message is a part of.
pub(super) fn answer(message: Option<Json<'_>>, request: Option<Json<'_>>) -> Option<Answer> {
    let [id, usage] = fields_of(message, &["id", "usage"]);
    let usage = usage.filter(|usage| usage.is_object())?;
    let id = text_filled(id)?;
    let [input, output, read, written] = fields_of(
        Some(usage),
        &[
            "input_tokens",
            "output_tokens",
            "cache_read_input_tokens",
            "cache_creation_input_tokens",
        ],
    );
    // Some lines state no request: then the message's id has to tell their answer from others.
    let key = match text_filled(request) {
        Some(request) => id_hash(&format!("{id} {request}")),
        None => id_hash(&id),
    };
    Some(Answer {
        key,
        usage: Usage {
            input_tokens: count(input),
            output_tokens: count(output),
            cache_read_tokens: count(read),
            cache_write_tokens: count(written),
        },
    })
}
