//! The contents of an id: what they are called, and which is the newest.

use crate::agents;
use crate::agents::habits::Dates;
use crate::codec::file_order::FileOrder;
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
/// its lines state (or its file has), the time of its file, how much was said, its arrival.
pub(crate) fn newness(row: &SessionRow, order: Option<&FileOrder>) -> Newness {
    let order = order.filter(|order| order.place.is_some());
    let mut updated = row.updated_us;
    if let Some(order) = order
        && agents::of_agent(&row.agent).habits().dates == Dates::Headers
    {
        // Which header a copy has says little: it may be the one that an older copy had.
        let has_own = order.next < row.next || !order.here.is_empty();
        let file = order.mtime_ns.div_euclid(1000);
        updated = if has_own { updated.max(file) } else { file };
    }
    // Two copies that went apart behind their last common time state the same one.
    let file = order.map_or(i64::MIN, |order| order.mtime_ns);
    let is_said = row.messages > 0;
    (is_said, updated, file, row.messages, row.content)
}

/// See [`newness`].
pub(crate) type Newness = (bool, i64, i64, u64, u32);

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
