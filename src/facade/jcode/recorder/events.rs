//! The recorder's methods, one for each kind of event.

use super::Recorder;
use crate::agents::jcode::{Entry, EntryImage, EntryKind, TodoItem};
use crate::model::error::Result;
use crate::model::raw_json::RawJson;

impl Recorder {
    /// Records what the user said. The first line of the first one is the session's title.
    ///
    /// # Errors
    ///
    /// As every record: see [`Recorder`].
    pub fn record_user(&self, content: &str) -> Result<()> {
        self.record_user_with_images(content, Vec::new())
    }

    /// Records what the user said, with pictures.
    ///
    /// # Errors
    ///
    /// As every record: see [`Recorder`].
    pub fn record_user_with_images(&self, content: &str, images: Vec<EntryImage>) -> Result<()> {
        let content = content.to_owned();
        self.record(EntryKind::User { content, images })
    }

    /// Records what the model said.
    ///
    /// # Errors
    ///
    /// As every record: see [`Recorder`].
    pub fn record_assistant(&self, content: &str) -> Result<()> {
        let content = content.to_owned();
        self.record(EntryKind::Assistant { content })
    }

    /// Records a call of a tool: its arguments as JSON text, and its id.
    ///
    /// # Errors
    ///
    /// As every record: see [`Recorder`].
    pub fn record_tool_call(&self, name: &str, args: &str, id: &str) -> Result<()> {
        self.record(EntryKind::ToolCall {
            name: name.to_owned(),
            args: args.to_owned(),
            id: id.to_owned(),
        })
    }

    /// Records a tool's answer to the call of that id, and what went wrong.
    ///
    /// # Errors
    ///
    /// As every record: see [`Recorder`].
    pub fn record_tool_result(
        &self,
        name: &str,
        output: &str,
        id: &str,
        error: Option<&str>,
    ) -> Result<()> {
        self.record(EntryKind::ToolResult {
            name: name.to_owned(),
            output: output.to_owned(),
            error: error.unwrap_or_default().to_owned(),
            id: id.to_owned(),
        })
    }

    /// Records a change of the plan; an empty title or content keeps the one before.
    ///
    /// # Errors
    ///
    /// As every record: see [`Recorder`].
    pub fn record_plan_update(
        &self,
        status: &str,
        title: &str,
        content: &str,
        feedback: &str,
    ) -> Result<()> {
        self.record(EntryKind::PlanUpdate {
            status: status.to_owned(),
            title: title.to_owned(),
            content: content.to_owned(),
            feedback: feedback.to_owned(),
        })
    }

    /// Records all tasks, as they are now.
    ///
    /// # Errors
    ///
    /// As every record: see [`Recorder`].
    pub fn record_todo_snapshot(&self, todos: Vec<TodoItem>) -> Result<()> {
        self.record(EntryKind::TodoSnapshot { todos })
    }

    /// Records the start of a subagent: what is recorded up to its result is its own.
    ///
    /// # Errors
    ///
    /// As every record: see [`Recorder`].
    pub fn record_subagent_start(&self, name: &str, agent_type: &str) -> Result<()> {
        self.record(EntryKind::SubagentStart {
            name: name.to_owned(),
            agent_type: agent_type.to_owned(),
        })
    }

    /// Records the end of a subagent, and what went wrong.
    ///
    /// # Errors
    ///
    /// As every record: see [`Recorder`].
    pub fn record_subagent_result(
        &self,
        name: &str,
        output: &str,
        error: Option<&str>,
    ) -> Result<()> {
        self.record(EntryKind::SubagentResult {
            name: name.to_owned(),
            output: output.to_owned(),
            error: error.unwrap_or_default().to_owned(),
        })
    }

    /// Records the start of a subagent that works beside the session.
    ///
    /// # Errors
    ///
    /// As every record: see [`Recorder`].
    pub fn record_subagent_async(&self, name: &str, task_id: &str, agent_type: &str) -> Result<()> {
        self.record(EntryKind::SubagentAsync {
            name: name.to_owned(),
            task_id: task_id.to_owned(),
            agent_type: agent_type.to_owned(),
        })
    }

    /// Records that the agent goes into another mode.
    ///
    /// # Errors
    ///
    /// As every record: see [`Recorder`].
    pub fn record_mode_change(&self, mode: &str) -> Result<()> {
        let mode = mode.to_owned();
        self.record(EntryKind::ModeChange { mode })
    }

    /// Records that a summary takes the place of `compacted_n` messages, of which the last `kept_n` stay.
    ///
    /// # Errors
    ///
    /// As every record: see [`Recorder`].
    pub fn record_compact(&self, summary: &str, compacted_n: u32, kept_n: u32) -> Result<()> {
        self.record(EntryKind::Compact {
            summary: summary.to_owned(),
            compacted_n: compacted_n.into(),
            kept_n: kept_n.into(),
        })
    }

    /// Records that the budget runs out, with any fields.
    ///
    /// # Errors
    ///
    /// As every record: see [`Recorder`].
    pub fn record_budget_warning(&self, fields: Vec<(String, RawJson)>) -> Result<()> {
        self.record(Entry {
            extra: fields,
            ..Entry::from(EntryKind::BudgetWarning)
        })
    }

    /// Records the prompt that the session runs under, and what it was told of the machine.
    ///
    /// # Errors
    ///
    /// As every record: see [`Recorder`].
    pub fn record_system_prompt(&self, content: &str, env_info: &str) -> Result<()> {
        self.record(EntryKind::SystemPrompt {
            content: content.to_owned(),
            env_info: env_info.to_owned(),
        })
    }

    /// Records a change of the goal; the status `cleared` takes it away.
    ///
    /// # Errors
    ///
    /// As every record: see [`Recorder`].
    pub fn record_goal_update(
        &self,
        objective: &str,
        status: &str,
        tokens_used: i64,
    ) -> Result<()> {
        self.record(EntryKind::GoalUpdate {
            objective: objective.to_owned(),
            status: status.to_owned(),
            tokens_used,
        })
    }
}
