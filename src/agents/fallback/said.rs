//! What a line says, in the shapes that agents have in common: who speaks, and what holds the words.

use crate::agents::parts::fields::{elements, fields_of, owned, text};
use crate::agents::parts::{blocks, pieces};
use crate::json::Json;
use crate::model::message::{Block, Role};

/// What a line says, found in one of the common shapes.
pub(super) struct Said<'a> {
    pub role: Role,
    pub content: Option<Json<'a>>,
    /// The object in which model, usage and tool calls lie.
    pub within: Json<'a>,
}

/// The fields of a line that the shapes are told by.
const SHAPE: [&str; 9] = [
    "type",
    "role",
    "content",
    "parts",
    "text",
    "message",
    "data",
    "tool_calls",
    "value",
];

/// What a line says; `None` if it has none of the shapes.
pub(super) fn said(object: Json<'_>) -> Option<Said<'_>> {
    let [
        kind,
        role,
        content,
        parts,
        plain,
        message,
        data,
        tool_calls,
        value,
    ] = fields_of(Some(object), &SHAPE);
    let [inner_role, inner_content, inner_parts] =
        fields_of(message, &["role", "content", "parts"]);
    let inner = inner_content.or(inner_parts);
    if let (Some(word), Some(message)) = (text(inner_role), message) {
        let said = Said {
            role: Role::from_word(&word),
            content: inner,
            within: message,
        };
        return Some(said.answering(kind));
    }
    if let Some(word) = text(role) {
        // Kimi keeps its own notes under roles such as `_checkpoint`.
        if word.starts_with('_') {
            return None;
        }
        let role = Role::from_word(&word);
        if let (Some(message), Some(_)) = (message, inner) {
            let said = Said {
                role,
                content: inner,
                within: message,
            };
            return Some(said.answering(kind));
        }
        let content = content.or(parts).or(plain);
        let says = content.is_some() || tool_calls.is_some();
        let said = Said {
            role,
            content,
            within: object,
        };
        return says.then(|| said.answering(kind));
    }
    let kind = text(kind)?;
    if let Some(data) = data.filter(|data| data.is_object()) {
        return event(&kind, data);
    }
    if let Some(said) = item(&kind, object) {
        return Some(said);
    }
    let content = content.or(value);
    let role = match &*kind {
        // A call may say nothing but its name and its arguments.
        "tool_call" if content.is_none() => {
            let [name] = fields_of(Some(object), &["toolName"]);
            return text(name).map(|_| Said {
                role: Role::Assistant,
                content: None,
                within: object,
            });
        }
        "gemini" | "tool_call" => Role::Assistant,
        "tool_result" => Role::Tool,
        word => Some(Role::from_word(word)).filter(|role| *role != Role::Other)?,
    };
    let content = content?;
    let readable = role == Role::Tool || content.get().starts_with(['"', '[']);
    readable.then_some(Said {
        role,
        content: Some(content),
        within: object,
    })
}

/// What an item of a provider's later interface says that is no message: a call, its answer, a thought.
fn item<'a>(kind: &str, object: Json<'a>) -> Option<Said<'a>> {
    let [name, call, output, summary] =
        fields_of(Some(object), &["name", "call_id", "output", "summary"]);
    let (role, content) = match kind {
        "function_call" => (Role::Assistant, name.and(call).map(|_| object)),
        "function_call_output" => (Role::Tool, call.and(output)),
        "reasoning" => (Role::Assistant, summary),
        _ => return None,
    };
    let content = Some(content?);
    Some(Said {
        role,
        content,
        within: object,
    })
}

/// What an event of Copilot's says.
fn event<'a>(kind: &str, data: Json<'a>) -> Option<Said<'a>> {
    let [content, result] = fields_of(Some(data), &["content", "result"]);
    let role = match kind {
        "user.message" => Role::User,
        "assistant.message" => Role::Assistant,
        "system.message" => Role::System,
        "tool.execution_complete" => Role::Tool,
        _ => return None,
    };
    Some(Said {
        role,
        content: content.or(result),
        within: data,
    })
}

impl Said<'_> {
    /// The same, by a tool where what goes under the user's name is a tool's answer alone.
    fn answering(self, kind: Option<Json<'_>>) -> Self {
        let is_answer = text(kind).as_deref() == Some("tool_result")
            || self.content.is_some_and(pieces::are_answers);
        if self.role == Role::User && is_answer {
            return Self {
                role: Role::Tool,
                ..self
            };
        }
        self
    }

    /// The blocks of a message, with what stands beside its content: thoughts, calls, a call's id.
    pub(super) fn blocks(&self) -> Vec<Block> {
        // An item that is no message names its kind, and needs nothing from beside it.
        if let Some(block) = item_block(self.within) {
            return vec![block];
        }
        let [
            reasoning,
            reasoning_text,
            calls,
            requests,
            call_id,
            camel_id,
            tool,
            tool_id,
            camel_tool,
            success,
            parameters,
        ] = fields_of(
            Some(self.within),
            &[
                "reasoning_content",
                "reasoningText",
                "tool_calls",
                "toolRequests",
                "tool_call_id",
                "toolCallId",
                "tool_name",
                "tool_id",
                "toolName",
                "success",
                "parameters",
            ],
        );
        let name = owned(tool).or_else(|| owned(camel_tool));
        let id = || [call_id, camel_id, tool_id].into_iter().find_map(owned);
        // Answers that are blocks have their own ids and names; those beside would make one answer
        // of several.
        let has_own = self.content.is_some_and(pieces::are_answers);
        if self.role == Role::Tool && !has_own {
            let [inner] = fields_of(self.content, &["content"]);
            let is_error = success.is_some_and(|success| success.get() == "false");
            return vec![blocks::result(id(), name, inner.or(self.content), is_error)];
        }
        let mut content = Vec::new();
        if let Some(text) = owned(reasoning).or_else(|| owned(reasoning_text)) {
            content.push(Block::Thinking {
                text,
                signature: None,
            });
        }
        // A line with a tool's name is one call: its content is what the tool was given.
        if let (Some(name), Role::Assistant) = (name, self.role) {
            let input = self.content.or(parameters).map(blocks::arguments);
            content.push(Block::ToolUse {
                id: id(),
                name,
                input,
            });
            return content;
        }
        content.extend(pieces::blocks(self.content));
        for call in calls.into_iter().chain(requests).flat_map(elements) {
            content.push(pieces::call(call));
        }
        content
    }
}

/// What an item of a provider's later interface says that is no message.
fn item_block(object: Json<'_>) -> Option<Block> {
    let [kind, name, call, arguments, output, summary] = fields_of(
        Some(object),
        &["type", "name", "call_id", "arguments", "output", "summary"],
    );
    Some(match &*text(kind)? {
        "function_call" => Block::ToolUse {
            id: Some(owned(call)?),
            name: owned(name)?,
            input: arguments.map(blocks::arguments),
        },
        "function_call_output" => blocks::result(Some(owned(call)?), None, output, false),
        "reasoning" => {
            let parts = elements(summary?).into_iter();
            let texts: Vec<String> = parts
                .filter_map(|part| {
                    let [said] = fields_of(Some(part), &["text"]);
                    owned(said)
                })
                .collect();
            Block::Thinking {
                text: texts.join("\n"),
                signature: None,
            }
        }
        _ => return None,
    })
}
