//! The state of a session beside its messages.

use serde::Serialize;

use super::options::Replayed;
use super::pairs::Repair;
use crate::agents::jcode::{self, Entry, EntryKind, TodoItem, filled};
use crate::model::message::Message;

/// The tool that goes into another environment.
const SWITCH: &str = "switch_env";

/// The status of a goal that is taken away.
const CLEARED: &str = "cleared";

/// Everything that a session's entries tell of where it was.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct RecordedState {
    /// The messages for the model: from the last compaction on, its summary first.
    pub messages: Vec<Message>,
    /// What was mended in them.
    pub repairs: Vec<Repair>,
    /// The plan, if there ever was one.
    pub plan: Option<PlanSnapshot>,
    /// The tasks.
    pub todos: Vec<TodoItem>,
    /// The mode; empty is the normal one.
    pub mode: String,
    /// The environment; `local` at first.
    pub environment: String,
    /// The prompt that the session ran under, if it was recorded.
    pub system_prompt: Option<String>,
    /// What the prompt was told of the machine.
    pub env_info: Option<String>,
    /// The goal, unless it was taken away.
    pub goal: Option<Goal>,
}

/// A plan as it was last.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct PlanSnapshot {
    /// Such as `draft` or `approved`.
    pub status: String,
    /// Its title.
    pub title: String,
    /// Its text.
    pub content: String,
    /// What the user said of it at last.
    pub feedback: String,
}

/// A goal as it was last.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Goal {
    /// What is to be reached.
    pub objective: String,
    /// Such as `active`.
    pub status: String,
    /// Tokens spent on it.
    pub tokens_used: i64,
}

/// The state as far as the entries have come by.
#[derive(Debug, Default)]
pub(super) struct Following {
    plan: Option<PlanSnapshot>,
    todos: Vec<TodoItem>,
    mode: String,
    environment: Environment,
    system_prompt: Option<String>,
    env_info: Option<String>,
    goal: Option<Goal>,
}

impl Following {
    /// Takes what an entry says of the state.
    pub(super) fn add(&mut self, entry: &Entry) {
        self.environment.add(entry);
        match &entry.kind {
            EntryKind::PlanUpdate {
                status,
                title,
                content,
                feedback,
            } => {
                let plan = self.plan.get_or_insert_default();
                plan.status.clone_from(status);
                plan.feedback.clone_from(feedback);
                // An update may tell a status alone: what it leaves out still holds.
                for (field, new) in [(&mut plan.title, title), (&mut plan.content, content)] {
                    if !new.is_empty() {
                        field.clone_from(new);
                    }
                }
            }
            EntryKind::TodoSnapshot { todos } => self.todos.clone_from(todos),
            EntryKind::ModeChange { mode } => self.mode.clone_from(mode),
            EntryKind::SystemPrompt { content, env_info } => {
                self.system_prompt = filled(content);
                self.env_info = filled(env_info);
            }
            EntryKind::GoalUpdate {
                objective,
                status,
                tokens_used,
            } => {
                let goal = Goal {
                    objective: objective.clone(),
                    status: status.clone(),
                    tokens_used: *tokens_used,
                };
                // The program writes that a goal was given up as an update of it.
                self.goal = Some(goal).filter(|goal| goal.status != CLEARED);
            }
            _ => {}
        }
    }

    /// The state with the messages.
    pub(super) fn finish(self, replayed: Replayed) -> RecordedState {
        RecordedState {
            messages: replayed.messages,
            repairs: replayed.repairs,
            plan: self.plan,
            todos: self.todos,
            mode: self.mode,
            environment: self.environment.current,
            system_prompt: self.system_prompt,
            env_info: self.env_info,
            goal: self.goal,
        }
    }
}

/// The environment, by the calls that went elsewhere and came through.
#[derive(Debug)]
pub(super) struct Environment {
    /// Where the session is.
    pub(super) current: String,
    /// Where the last call wants to go.
    pending: String,
}

impl Default for Environment {
    fn default() -> Self {
        Self {
            current: "local".to_owned(),
            pending: String::new(),
        }
    }
}

impl Environment {
    /// Follows an entry. A result is not matched with its call by their ids: jcode does not.
    pub(super) fn add(&mut self, entry: &Entry) {
        match &entry.kind {
            EntryKind::ToolCall { name, args, .. } if name == SWITCH => {
                if let Some(target) = jcode::target_of(args) {
                    self.pending = target;
                }
            }
            EntryKind::ToolResult { name, error, .. }
                if name == SWITCH && error.is_empty() && !self.pending.is_empty() =>
            {
                self.current.clone_from(&self.pending);
            }
            _ => {}
        }
    }
}
