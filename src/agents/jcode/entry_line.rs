//! Entries as lines: fields in the order of jcode's struct, empty ones left out, `<`, `>` and `&`
//! escaped, as Go writes them.

use chrono::{DateTime, SecondsFormat, Utc};
use serde::ser::Error as _;
use serde::{Serialize, Serializer};
use serde_json::value::RawValue;

use super::entry::{Entry, EntryImage, EntryKind, TodoItem};
use crate::agents::parts::go_json::{self, Escape, GoObject};

/// A time as jcode writes it: whole seconds.
pub(crate) fn timestamp(time: DateTime<Utc>) -> String {
    time.to_rfc3339_opts(SecondsFormat::Secs, true)
}

impl Entry {
    /// The entry as a line, with its `\n`, as jcode would write it. Fields of
    /// [`extra`](Self::extra) follow, but for those whose name the line has already.
    pub fn line(&self) -> Vec<u8> {
        let mut line = Line {
            object: GoObject::new(Escape::Html),
            written: Vec::new(),
        };
        line.always("type", self.kind.name());
        line.kind(&self.kind, &self.timestamp);
        for (key, json) in &self.extra {
            if !line.written.contains(&key.as_str()) {
                line.object.json(key, json.as_str());
            }
        }
        line.object.line()
    }
}

/// A line under construction.
struct Line {
    object: GoObject,
    written: Vec<&'static str>,
}

impl Line {
    fn always(&mut self, key: &'static str, value: &str) -> &mut Self {
        self.written.push(key);
        self.object.text(key, value);
        self
    }

    fn text(&mut self, key: &'static str, value: &str) -> &mut Self {
        if value.is_empty() {
            return self;
        }
        self.always(key, value)
    }

    fn number(&mut self, key: &'static str, value: i64) -> &mut Self {
        if value != 0 {
            self.written.push(key);
            self.object.json(key, &value.to_string());
        }
        self
    }

    fn list<T>(&mut self, key: &'static str, items: &[T], write: fn(&T) -> String) -> &mut Self {
        if !items.is_empty() {
            self.written.push(key);
            self.object
                .json(key, &go_json::array(items.iter().map(write)));
        }
        self
    }

    /// Everything but the type and the fields that are not known.
    fn kind(&mut self, kind: &EntryKind, timestamp: &str) {
        match kind {
            EntryKind::SessionStart {
                uuid,
                project,
                provider,
                model,
            } => self
                .text("uuid", uuid)
                .text("project", project)
                .text("provider", provider)
                .text("model", model)
                .always("timestamp", timestamp),
            EntryKind::User { content, images } => self
                .text("content", content)
                .always("timestamp", timestamp)
                .list("images", images, image),
            EntryKind::Assistant { content } => {
                self.text("content", content).always("timestamp", timestamp)
            }
            EntryKind::ToolCall { name, args, id } => self
                .text("name", name)
                .text("args", args)
                .text("tool_call_id", id)
                .always("timestamp", timestamp),
            EntryKind::ToolResult {
                name,
                output,
                error,
                id,
            } => self
                .text("name", name)
                .text("output", output)
                .text("error", error)
                .text("tool_call_id", id)
                .always("timestamp", timestamp),
            EntryKind::SubagentStart { name, agent_type } => self
                .always("timestamp", timestamp)
                .text("subagent_name", name)
                .text("subagent_type", agent_type),
            EntryKind::SubagentResult {
                name,
                output,
                error,
            } => self
                .text("output", output)
                .text("error", error)
                .always("timestamp", timestamp)
                .text("subagent_name", name),
            EntryKind::SubagentAsync {
                name,
                task_id,
                agent_type,
            } => self
                .text("output", task_id)
                .always("timestamp", timestamp)
                .text("subagent_name", name)
                .text("subagent_type", agent_type),
            state => self.state(state, timestamp),
        };
    }

    /// The fields of an entry about the state of the session.
    fn state(&mut self, kind: &EntryKind, timestamp: &str) -> &mut Self {
        if let EntryKind::SystemPrompt { content, env_info } = kind {
            return self
                .text("content", content)
                .always("timestamp", timestamp)
                .text("env_info", env_info);
        }
        self.always("timestamp", timestamp);
        match kind {
            EntryKind::PlanUpdate {
                status,
                title,
                content,
                feedback,
            } => self
                .text("plan_status", status)
                .text("plan_title", title)
                .text("plan_content", content)
                .text("feedback", feedback),
            EntryKind::TodoSnapshot { todos } => self.list("todos", todos, todo),
            EntryKind::ModeChange { mode } => self.text("mode", mode),
            EntryKind::Compact {
                summary,
                compacted_n,
                kept_n,
            } => self
                .text("summary", summary)
                .number("compacted_n", *compacted_n)
                .number("kept_n", *kept_n),
            EntryKind::GoalUpdate {
                objective,
                status,
                tokens_used,
            } => self
                .text("goal_objective", objective)
                .text("goal_status", status)
                .number("goal_tokens_used", *tokens_used),
            _ => self,
        }
    }
}

fn image(image: &EntryImage) -> String {
    let mut object = GoObject::new(Escape::Html);
    object
        .text("media_type", &image.media_type)
        .text("data", &image.data);
    object.close()
}

fn todo(item: &TodoItem) -> String {
    let mut object = GoObject::new(Escape::Html);
    object
        .json("id", &item.id.to_string())
        .text("title", &item.title)
        .text("status", &item.status);
    object.close()
}

/// As the object of its line.
impl Serialize for Entry {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut line = self.line();
        line.pop();
        let text = String::from_utf8(line).map_err(S::Error::custom)?;
        RawValue::from_string(text)
            .map_err(S::Error::custom)?
            .serialize(serializer)
    }
}
