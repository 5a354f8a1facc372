//! What a line of Qwen Code says of other lines: which one it hangs on, what it rewinds to, and what an
//! answer took.

use crate::agents::parts::fields::text_filled;
use crate::json::Json;
use crate::model::links::{Act, Answer, Links, Place, id_hash};
use crate::model::message::{Role, Usage};

/// The links of a line: of a message of a role, or of one that says nothing.
pub(super) fn of(
    (id, parent): (Option<Json<'_>>, Option<Json<'_>>),
    role: Option<Role>,
    is_note: bool,
    usage: Option<Usage>,
) -> Links {
    let hash = |id| text_filled(id).map(|id| id_hash(&id));
    let id = hash(id);
    let place = match role {
        _ if id.is_none() => Place::Apart,
        Some(Role::User) if !is_note => Place::Asked,
        Some(Role::Assistant) => Place::Answered,
        _ => Place::Way,
    };
    Links {
        id,
        parent: hash(parent),
        place,
        answer: id.zip(usage).map(|(key, usage)| Answer { key, usage }),
        // A record may be written in pieces, each with its id.
        act: if role.is_some() && id.is_some() {
            Act::Part
        } else {
            Act::None
        },
    }
}

/// What a line that rewinds does: it hangs on what is left, and on nothing where nothing is.
pub(super) fn rewinding(links: &Links) -> Act {
    match links.parent {
        Some(kept) => Act::RewindBehind(kept),
        // Nothing has this id: all goes.
        None => Act::RewindTo(id_hash("")),
    }
}
