//! The contents of an id: what they are called, and which is the newest.

use crate::codec::session_row::SessionRow;
use crate::model::error::Result;
use crate::model::key::SessionKey;
use crate::model::limits::ID_BYTES_MAX;
use crate::model::properties::{Properties, PropertiesChange};
use crate::model::text::cut;

/// The name of a content: `ID~2`. An id that has no room for that is cut.
pub(crate) fn content_id(id: &str, content: u32) -> String {
    let suffix = format!("~{content}");
    let start = cut(id, ID_BYTES_MAX.saturating_sub(suffix.len()));
    format!("{start}{suffix}")
}

/// The next number of a content of an id, and its name. Another session may have a name: numbers are given once.
pub(crate) fn free_content(
    key: &SessionKey,
    contents: &[(u32, u64)],
    is_taken: &dyn Fn(&SessionKey) -> Result<bool>,
) -> Result<(u32, SessionKey)> {
    let last = contents.iter().map(|(content, _)| *content).max();
    let mut content = last.unwrap_or(0);
    loop {
        content += 1;
        let name = SessionKey::new(key.agent(), content_id(key.id(), content))?;
        if !is_taken(&name)? {
            return Ok((content, name));
        }
    }
}

/// What makes one content newer than another: that something was said in it, the last time that
/// its lines state (or its file has), how much was said, its arrival.
pub(crate) fn newness(row: &SessionRow) -> (bool, i64, u64, u32) {
    (row.messages > 0, row.updated_us, row.messages, row.content)
}

/// The change that takes from a session what belongs to its id; the summary of its messages stays.
pub(crate) fn taking() -> PropertiesChange {
    PropertiesChange {
        title: Some(None),
        project: Some(None),
        parent: Some(None),
        pinned: Some(false),
        archived: Some(false),
        aliases: Some(Vec::new()),
        scope: Some(None),
        summary: None,
    }
}

/// The change that gives a session, which has some properties of its own, what belongs to its id.
pub(crate) fn giving(had: Properties, own: Properties) -> PropertiesChange {
    let mut aliases = had.aliases;
    for alias in own.aliases {
        if !aliases.contains(&alias) {
            aliases.push(alias);
        }
    }
    PropertiesChange {
        // What was given under the plain id wins: that is the session that users saw.
        title: Some(had.title.or(own.title)),
        project: Some(had.project.or(own.project)),
        parent: Some(had.parent.or(own.parent)),
        pinned: Some(had.pinned || own.pinned),
        archived: Some(had.archived || own.archived),
        aliases: Some(aliases),
        scope: Some(had.scope.or(own.scope)),
        summary: None,
    }
}
