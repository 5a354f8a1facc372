//! What is kept of a session beside its lines: names, notes and marks that its users gave it.

use serde::Serialize;

use super::raw_json::RawJson;
use super::with::with_methods;

/// What users and programs said of a session, which its lines do not hold. Nothing in it is ever
/// written into another agent's lines.
///
/// ```
/// use scrollback::{MemoryStore, PropertiesChange, Session, SessionKey, Store};
///
/// let store = MemoryStore::default();
/// let key = SessionKey::native("chat-1")?;
/// store.ensure_meta(&Session::new(key.clone()))?;
/// let change = PropertiesChange::default().with_pinned(true);
/// assert!(store.update_properties(&key, &change)?.pinned);
/// assert!(store.summary(&key)?.pinned);
/// # Ok::<(), scrollback::Error>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Properties {
    /// A title that wins over every title in the lines.
    pub title: Option<String>,
    /// A folder that wins over the one that the lines state.
    pub project: Option<String>,
    /// The session that this one was forked from or started by; wins over the one that the lines
    /// state.
    pub parent: Option<String>,
    /// Whether it is to stay at hand.
    pub pinned: bool,
    /// Whether it is put away.
    pub archived: bool,
    /// The summary of the conversation; empty if there is none.
    pub summary: String,
    /// Other names of the session, without its own; see
    /// [`Store::by_alias`](crate::Store::by_alias).
    pub aliases: Vec<String>,
    /// What the session is about in its program's terms: agent, channel, account, ...
    pub scope: Option<RawJson>,
}

/// What to change of a session's [`Properties`]: a field that is `None` stays as it is.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct PropertiesChange {
    /// A new title; `Some(None)` goes back to that of the lines.
    pub title: Option<Option<String>>,
    /// A new project; `Some(None)` goes back to that of the lines.
    pub project: Option<Option<String>>,
    /// A new parent; `Some(None)` goes back to that of the lines.
    pub parent: Option<Option<String>>,
    /// Whether it is pinned.
    pub pinned: Option<bool>,
    /// Whether it is archived.
    pub archived: Option<bool>,
    /// A new summary.
    pub summary: Option<String>,
    /// All other names, instead of those that it has. They are trimmed; empty ones, doubles and
    /// the session's own id are left out.
    pub aliases: Option<Vec<String>>,
    /// A new scope.
    pub scope: Option<Option<RawJson>>,
}

with_methods! { PropertiesChange =>
    /// The change, and a new title.
    with_title(title: impl Into<String>) title = Some(Some(title.into()));

    /// The change, and back to the title of the lines.
    without_title() title = Some(None);

    /// The change, and a new project.
    with_project(project: impl Into<String>) project = Some(Some(project.into()));

    /// The change, and back to the project of the lines.
    without_project() project = Some(None);

    /// The change, and a new parent.
    with_parent(parent: impl Into<String>) parent = Some(Some(parent.into()));

    /// The change, and back to the parent of the lines.
    without_parent() parent = Some(None);

    /// The change, and whether the session is pinned.
    with_pinned(pinned: bool) pinned = Some(pinned);

    /// The change, and whether the session is archived.
    with_archived(archived: bool) archived = Some(archived);

    /// The change, and a new summary; an empty one takes it away.
    with_summary(summary: impl Into<String>) summary = Some(summary.into());

    /// The change, and all other names instead of those that the session has.
    with_aliases(aliases: impl IntoIterator<Item = impl Into<String>>)
        aliases = Some(aliases.into_iter().map(Into::into).collect());

    /// The change, and a new scope.
    with_scope(scope: RawJson) scope = Some(Some(scope));

    /// The change, and no scope.
    without_scope() scope = Some(None);
}

impl PropertiesChange {
    /// The properties after the change, for a session with this id.
    pub(crate) fn apply(&self, properties: &Properties, own_id: &str) -> Properties {
        let mut changed = properties.clone();
        let set = |field: &mut Option<String>, change: &Option<Option<String>>| {
            if let Some(change) = change {
                field.clone_from(change);
            }
        };
        set(&mut changed.title, &self.title);
        set(&mut changed.project, &self.project);
        set(&mut changed.parent, &self.parent);
        changed.pinned = self.pinned.unwrap_or(changed.pinned);
        changed.archived = self.archived.unwrap_or(changed.archived);
        if let Some(summary) = &self.summary {
            changed.summary.clone_from(summary);
        }
        if let Some(aliases) = &self.aliases {
            changed.aliases.clear();
            for alias in aliases.iter().map(|alias| alias.trim()) {
                let known = changed.aliases.iter().any(|there| there == alias);
                // The session is found by its own id already.
                if !alias.is_empty() && alias != own_id && !known {
                    changed.aliases.push(alias.to_owned());
                }
            }
        }
        if let Some(scope) = &self.scope {
            changed.scope.clone_from(scope);
        }
        changed
    }
}
