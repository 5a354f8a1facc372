//! jcode's entries: one event of a session, as a line of its file holds it.
//!
//! Fields that a kind does not use, fields of an unexpected type and fields of later versions are
//! kept in [`Entry::extra`], so that reading an entry loses nothing.

use crate::json::Json;
use chrono::{DateTime, Datelike as _, Utc};
use serde::Serialize;

use crate::agents::parts::{fields, lines, values};
use crate::model::raw_json::RawJson;

/// One event of a jcode session, as one line of its file holds it.
///
/// ```
/// use scrollback::jcode::{Entry, EntryKind};
///
/// let line = br#"{"type":"mode_change","timestamp":"2026-04-03T11:15:00Z","mode":"planning","new":1}"#;
/// let entries = Entry::read_line(line);
/// assert_eq!(entries[0].kind, EntryKind::ModeChange { mode: "planning".into() });
/// assert_eq!(entries[0].extra[0].0, "new");
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Entry {
    /// What happened.
    pub kind: EntryKind,
    /// When, as the line says it: RFC 3339, whole seconds.
    pub timestamp: String,
    /// Every other field of the line, in its order.
    pub extra: Vec<(String, RawJson)>,
}

/// What an [`Entry`] says. Texts that a line does not have are empty, numbers 0.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum EntryKind {
    /// The first entry of a session.
    SessionStart {
        /// The session's id; `leader/agent` for a teammate.
        uuid: String,
        /// The folder that the session works in; the agent's id for a teammate.
        project: String,
        /// The provider of the model.
        provider: String,
        /// The model.
        model: String,
    },
    /// The user says something.
    User {
        /// The text.
        content: String,
        /// Pictures beside it.
        images: Vec<EntryImage>,
    },
    /// The model says something.
    Assistant {
        /// The text.
        content: String,
    },
    /// The model calls a tool.
    ToolCall {
        /// The tool.
        name: String,
        /// The arguments: JSON text, or what the model wrote instead.
        args: String,
        /// The call's id; empty in the files of the first version.
        id: String,
    },
    /// A tool answers.
    ToolResult {
        /// The tool.
        name: String,
        /// The answer, in full.
        output: String,
        /// What went wrong; empty if nothing did.
        error: String,
        /// The id of the call.
        id: String,
    },
    /// The plan changed.
    PlanUpdate {
        /// Such as `draft` or `approved`.
        status: String,
        /// A new title; empty keeps the one before.
        title: String,
        /// A new text; empty keeps the one before.
        content: String,
        /// What the user said of it.
        feedback: String,
    },
    /// All tasks, as they are now.
    TodoSnapshot {
        /// The tasks; empty takes all away.
        todos: Vec<TodoItem>,
    },
    /// A subagent starts; what follows up to its result is its own.
    SubagentStart {
        /// Its name.
        name: String,
        /// What sort of agent it is.
        agent_type: String,
    },
    /// A subagent has ended.
    SubagentResult {
        /// Its name.
        name: String,
        /// What it answers.
        output: String,
        /// What went wrong; empty if nothing did.
        error: String,
    },
    /// A subagent starts beside the session.
    SubagentAsync {
        /// Its name.
        name: String,
        /// The id of its task.
        task_id: String,
        /// What sort of agent it is.
        agent_type: String,
    },
    /// The agent goes into another mode.
    ModeChange {
        /// `normal`, `planning` or `executing`.
        mode: String,
    },
    /// What was said so far is replaced by a summary.
    Compact {
        /// The summary.
        summary: String,
        /// How many messages it stands for.
        compacted_n: i64,
        /// How many messages at the end stay beside the summary.
        kept_n: i64,
    },
    /// The budget runs out; its fields are in [`Entry::extra`].
    BudgetWarning,
    /// The prompt that the session runs under.
    SystemPrompt {
        /// The prompt.
        content: String,
        /// What it was told of the machine.
        env_info: String,
    },
    /// The goal of the session changed.
    GoalUpdate {
        /// What is to be reached.
        objective: String,
        /// Such as `active`; `cleared` takes the goal away.
        status: String,
        /// Tokens spent on it.
        tokens_used: i64,
    },
    /// A type that this version does not know; all its fields are in [`Entry::extra`].
    Other {
        /// The type.
        name: String,
    },
}

/// A picture in a user's entry. Fields that it has beside these stay in the stored line alone.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct EntryImage {
    /// Its media type, such as `image/png`.
    pub media_type: String,
    /// Its bytes in base64.
    pub data: String,
}

impl EntryImage {
    /// A picture of this media type, its bytes in base64.
    pub fn new(media_type: impl Into<String>, data: impl Into<String>) -> Self {
        Self {
            media_type: media_type.into(),
            data: data.into(),
        }
    }
}

/// A task in a snapshot of all tasks. Fields that it has beside these stay in the stored line alone.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct TodoItem {
    /// Its number.
    pub id: i64,
    /// What is to be done.
    pub title: String,
    /// Such as `pending` or `done`.
    pub status: String,
}

impl TodoItem {
    /// A task under this number.
    pub fn new(id: i64, title: impl Into<String>, status: impl Into<String>) -> Self {
        Self {
            id,
            title: title.into(),
            status: status.into(),
        }
    }
}

impl EntryKind {
    /// The `type` of such entries.
    pub fn name(&self) -> &str {
        match self {
            Self::SessionStart { .. } => "session_start",
            Self::User { .. } => "user",
            Self::Assistant { .. } => "assistant",
            Self::ToolCall { .. } => "tool_call",
            Self::ToolResult { .. } => "tool_result",
            Self::PlanUpdate { .. } => "plan_update",
            Self::TodoSnapshot { .. } => "todo_snapshot",
            Self::SubagentStart { .. } => "subagent_start",
            Self::SubagentResult { .. } => "subagent_result",
            Self::SubagentAsync { .. } => "subagent_async",
            Self::ModeChange { .. } => "mode_change",
            Self::Compact { .. } => "compact",
            Self::BudgetWarning => "budget_warning",
            Self::SystemPrompt { .. } => "system_prompt",
            Self::GoalUpdate { .. } => "goal_update",
            Self::Other { name } => name,
        }
    }
}

impl From<EntryKind> for Entry {
    /// An entry without a time: the recorder gives it one.
    fn from(kind: EntryKind) -> Self {
        Self::new(kind, "")
    }
}

impl Entry {
    /// An entry without further fields.
    pub fn new(kind: EntryKind, timestamp: impl Into<String>) -> Self {
        Self {
            kind,
            timestamp: timestamp.into(),
            extra: Vec::new(),
        }
    }

    /// The entries of a line: one, but for damaged lines, which can hold none or several.
    pub fn read_line(line: &[u8]) -> Vec<Self> {
        let text = String::from_utf8_lossy(line);
        let body = lines::body(&text);
        if let Ok(object) = fields::object_in(body) {
            return vec![Self::read(object)];
        }
        values::split(body)
            .values
            .iter()
            .map(|value| (value.certain, Self::read(value.object)))
            // An object that was found among something else counts only if it is an entry.
            .filter(|(certain, entry)| *certain || !entry.is_unknown())
            .map(|(_, entry)| entry)
            .collect()
    }

    /// The time of the entry, unless it states none.
    pub fn time(&self) -> Option<DateTime<Utc>> {
        let time = DateTime::parse_from_rfc3339(self.timestamp.trim()).ok()?;
        (1970..2200)
            .contains(&time.year())
            .then(|| time.with_timezone(&Utc))
    }

    /// Whether the type is one that this version does not know.
    pub(crate) fn is_unknown(&self) -> bool {
        matches!(&self.kind, EntryKind::Other { name } if !EVENTS_BESIDE.contains(&name.as_str()))
    }

    /// Reads an object.
    pub(crate) fn read(object: Json<'_>) -> Self {
        let mut fields = Fields(
            fields::entries(object)
                .into_iter()
                .map(Some)
                .collect::<Vec<_>>(),
        );
        let name = fields.text("type");
        let timestamp = fields.text("timestamp");
        let kind = kind_of(name, &mut fields);
        Self {
            kind,
            timestamp,
            extra: fields.rest(),
        }
    }
}

/// Types of later versions that are known to be events, and of which no field is read.
pub(crate) const EVENTS_BESIDE: [&str; 3] = ["agent_change", "tool_observation", "artifact"];

fn kind_of(name: String, fields: &mut Fields<'_>) -> EntryKind {
    match name.as_str() {
        "session_start" => EntryKind::SessionStart {
            uuid: fields.text("uuid"),
            project: fields.text("project"),
            provider: fields.text("provider"),
            model: fields.text("model"),
        },
        "user" => EntryKind::User {
            content: fields.text("content"),
            images: fields.list("images", image),
        },
        "assistant" => EntryKind::Assistant {
            content: fields.text("content"),
        },
        "tool_call" => EntryKind::ToolCall {
            name: fields.text("name"),
            args: fields.text("args"),
            id: fields.text("tool_call_id"),
        },
        "tool_result" => EntryKind::ToolResult {
            name: fields.text("name"),
            output: fields.text("output"),
            error: fields.text("error"),
            id: fields.text("tool_call_id"),
        },
        "plan_update" => EntryKind::PlanUpdate {
            status: fields.text("plan_status"),
            title: fields.text("plan_title"),
            content: fields.text("plan_content"),
            feedback: fields.text("feedback"),
        },
        "todo_snapshot" => EntryKind::TodoSnapshot {
            todos: fields.list("todos", todo),
        },
        "subagent_start" => EntryKind::SubagentStart {
            name: fields.text("subagent_name"),
            agent_type: fields.text("subagent_type"),
        },
        "subagent_result" => EntryKind::SubagentResult {
            name: fields.text("subagent_name"),
            output: fields.text("output"),
            error: fields.text("error"),
        },
        "subagent_async" => EntryKind::SubagentAsync {
            name: fields.text("subagent_name"),
            task_id: fields.text("output"),
            agent_type: fields.text("subagent_type"),
        },
        "mode_change" => EntryKind::ModeChange {
            mode: fields.text("mode"),
        },
        "compact" => EntryKind::Compact {
            summary: fields.text("summary"),
            compacted_n: fields.number("compacted_n"),
            kept_n: fields.number("kept_n"),
        },
        "budget_warning" => EntryKind::BudgetWarning,
        "system_prompt" => EntryKind::SystemPrompt {
            content: fields.text("content"),
            env_info: fields.text("env_info"),
        },
        "goal_update" => EntryKind::GoalUpdate {
            objective: fields.text("goal_objective"),
            status: fields.text("goal_status"),
            tokens_used: fields.number("goal_tokens_used"),
        },
        _ => EntryKind::Other { name },
    }
}

fn image(value: Json<'_>) -> Option<EntryImage> {
    let mut fields = Fields::of(value)?;
    Some(EntryImage {
        media_type: fields.text("media_type"),
        data: fields.text("data"),
    })
}

fn todo(value: Json<'_>) -> Option<TodoItem> {
    let mut fields = Fields::of(value)?;
    Some(TodoItem {
        id: fields.number("id"),
        title: fields.text("title"),
        status: fields.text("status"),
    })
}

/// The fields of an object that nothing has taken yet.
struct Fields<'a>(Vec<Option<(String, Json<'a>)>>);

impl<'a> Fields<'a> {
    fn of(value: Json<'a>) -> Option<Self> {
        let fields = fields::entries(value);
        value
            .is_object()
            .then(|| Self(fields.into_iter().map(Some).collect()))
    }

    /// Takes the last field of a name, if `read` can read it: otherwise it stays.
    fn take<T>(&mut self, key: &str, read: impl Fn(Json<'a>) -> Option<T>) -> Option<T> {
        let slot = self
            .0
            .iter_mut()
            .rfind(|slot| slot.as_ref().is_some_and(|(name, _)| name == key))?;
        let found = slot.as_ref().and_then(|(_, value)| read(*value));
        if found.is_some() {
            *slot = None;
        }
        found
    }

    fn text(&mut self, key: &str) -> String {
        self.take(key, |value| fields::text(Some(value)))
            .unwrap_or_default()
            .into_owned()
    }

    fn number(&mut self, key: &str) -> i64 {
        self.take(key, |value| value.get().parse().ok())
            .unwrap_or_default()
    }

    /// An array of which every element can be read; otherwise it stays as it is.
    fn list<T>(&mut self, key: &str, read: impl Fn(Json<'a>) -> Option<T>) -> Vec<T> {
        self.take(key, |value| {
            let elements = fields::elements(value);
            let is_array = value.get().starts_with('[');
            is_array.then(|| elements.into_iter().map(&read).collect::<Option<_>>())?
        })
        .unwrap_or_default()
    }

    fn rest(self) -> Vec<(String, RawJson)> {
        self.0
            .into_iter()
            .flatten()
            .map(|(key, value)| (key, RawJson::trusted(value)))
            .collect()
    }
}
