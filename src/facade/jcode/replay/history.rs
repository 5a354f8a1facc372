//! The messages of a session, built entry by entry.

use super::options::{Compatibility, Replayed};
use super::pairs::{self, Repair};
use crate::agents::jcode::{Entry, EntryKind, call, filled, said, user, with_error};
use crate::model::message::{Block, Message, Role};

/// Messages under construction.
#[derive(Debug)]
pub(super) struct History {
    compatibility: Compatibility,
    messages: Vec<Message>,
    repairs: Vec<Repair>,
}

impl History {
    /// No messages yet.
    pub(super) fn new(compatibility: Compatibility) -> Self {
        Self {
            compatibility,
            messages: Vec::new(),
            repairs: Vec::new(),
        }
    }

    /// Adds what an entry says. Compactions count if `with_compactions` says so.
    pub(super) fn add(&mut self, entry: &Entry, with_compactions: bool) {
        match &entry.kind {
            EntryKind::User { content, images } => self.push(entry, user(content, images)),
            EntryKind::Assistant { content } => self.assistant(entry, content),
            EntryKind::ToolCall { name, args, id } => self.call(entry, call(name, args, id)),
            EntryKind::ToolResult {
                name,
                output,
                error,
                id,
            } => {
                let result = self.result(name, output, error, id);
                self.push(entry, result);
            }
            EntryKind::Compact {
                summary, kept_n, ..
            } if with_compactions => self.compact(entry, summary, *kept_n),
            _ => {}
        }
    }

    fn push(&mut self, entry: &Entry, mut message: Message) {
        message.time = entry.time();
        self.messages.push(message);
    }

    /// A text after calls belongs to the message with the calls, if that has none yet.
    fn assistant(&mut self, entry: &Entry, content: &str) {
        if content.is_empty() {
            return;
        }
        match self.messages.last_mut() {
            Some(last) if last.role == Role::Assistant && is_calls_alone(last) => {
                let text = content.to_owned();
                last.content.insert(0, Block::Text { text });
            }
            _ => self.push(entry, said(Role::Assistant, content)),
        }
    }

    fn call(&mut self, entry: &Entry, call: Block) {
        match self.messages.last_mut() {
            Some(last) if last.role == Role::Assistant => last.content.push(call),
            _ => {
                let mut message = Message::new(Role::Assistant);
                message.content.push(call);
                self.push(entry, message);
            }
        }
    }

    fn result(&self, name: &str, output: &str, error: &str, id: &str) -> Message {
        let error = match self.compatibility {
            Compatibility::Exact => "",
            Compatibility::Repaired => error,
        };
        let mut message = Message::new(Role::Tool);
        message.content.push(Block::ToolResult {
            id: filled(id),
            name: filled(name),
            output: with_error(output, error),
            is_error: !error.is_empty(),
            images: Vec::new(),
        });
        message
    }

    /// A summary takes the place of all but the last `kept` messages. What stays does not begin
    /// with an answer, and in a repaired replay not behind calls that are still open.
    fn compact(&mut self, entry: &Entry, summary: &str, kept: i64) {
        let kept = usize::try_from(kept).unwrap_or(0);
        let mut start = self.messages.len().saturating_sub(kept);
        if kept > 0 {
            start = self.back_to_calls(start);
        }
        if self.compatibility == Compatibility::Repaired
            && let Some(calls) = self.open_calls()
            && calls < start
        {
            start = calls;
            self.repairs.push(Repair::OpenCallsKept);
        }
        let kept = self.messages.split_off(start);
        self.messages.clear();
        self.push(entry, Message::text(Role::System, summary));
        self.messages.extend(kept);
    }

    /// The place at or before `at` of a message that is no answer.
    fn back_to_calls(&self, at: usize) -> usize {
        let mut at = at;
        while at > 0 && self.messages.get(at).is_some_and(is_answer) {
            at -= 1;
        }
        at
    }

    /// The place of the last message, its answers aside, if it has calls without an answer.
    fn open_calls(&self) -> Option<usize> {
        let answers = self.messages.iter().rev().take_while(|m| is_answer(m));
        let answers = answers.count();
        let at = self.messages.len().checked_sub(answers + 1)?;
        let calls = self.messages.get(at)?.content.iter().filter(|b| is_call(b));
        (calls.count() > answers).then_some(at)
    }

    /// The messages, with their repairs behind those that were made before.
    pub(super) fn finish(self, mut repairs: Vec<Repair>) -> Replayed {
        repairs.extend(self.repairs);
        let messages = match self.compatibility {
            Compatibility::Exact => self.messages,
            Compatibility::Repaired => pairs::repair(self.messages, &mut repairs),
        };
        Replayed { messages, repairs }
    }
}

fn is_answer(message: &Message) -> bool {
    message.role == Role::Tool
}

fn is_call(block: &Block) -> bool {
    matches!(block, Block::ToolUse { .. })
}

fn is_calls_alone(message: &Message) -> bool {
    !message.content.is_empty() && message.content.iter().all(is_call)
}
