//! Between entries and messages, both ways: a message of several blocks is several entries.

use super::entry::{Entry, EntryImage, EntryKind};
use super::layout::AGENT;
use crate::agents::parts::fields::{fields, text};
use crate::agents::parts::go_json::{self, Escape};
use crate::json::string;
use crate::model::error::{Error, Result};
use crate::model::message::{Block, Message, Role};
use crate::model::raw_json::RawJson;

/// The error of a failed call that says nothing of why.
const FAILED: &str = "the tool failed";

/// What the field is called that keeps a tool's error apart where its output has both.
const ERROR: &str = "error";

/// The message of an entry that is one: what a user, the model or a tool says.
pub(crate) fn message_of(entry: &Entry) -> Option<Message> {
    let mut message = match &entry.kind {
        EntryKind::User { content, images } => user(content, images),
        EntryKind::Assistant { content } => said(Role::Assistant, content),
        EntryKind::ToolCall { name, args, id } => {
            let mut message = Message::new(Role::Assistant);
            message.content.push(call(name, args, id));
            message
        }
        EntryKind::ToolResult {
            name,
            output,
            error,
            id,
        } => result(name, output, error, id),
        _ => return None,
    };
    message.extra.extend(entry.extra.iter().cloned());
    message.time = entry.time();
    Some(message)
}

/// What a user says: the text, if there is one, then the pictures.
pub(crate) fn user(content: &str, images: &[EntryImage]) -> Message {
    let mut message = said(Role::User, content);
    message
        .content
        .extend(images.iter().map(|image| Block::Image {
            media_type: Some(image.media_type.clone()).filter(|kind| !kind.is_empty()),
            data: Some(image.data.clone()),
            url: None,
        }));
    message
}

/// A message of one text, or without content if the text is empty.
pub(crate) fn said(role: Role, content: &str) -> Message {
    if content.is_empty() {
        Message::new(role)
    } else {
        Message::text(role, content)
    }
}

/// A call. Arguments that are no JSON are kept as a JSON string.
pub(crate) fn call(name: &str, args: &str, id: &str) -> Block {
    // A line feed in JSON stands between tokens, where a space is as good.
    let input = RawJson::parse(args.replace('\n', " "))
        .or_else(|_| RawJson::parse(go_json::string(args, Escape::Plain)));
    Block::ToolUse {
        id: filled(id),
        name: name.to_owned(),
        input: input.ok().filter(|_| !args.is_empty()),
    }
}

/// A tool's answer with its error, which stands behind the output if there are both.
fn result(name: &str, output: &str, error: &str, id: &str) -> Message {
    let mut message = Message::new(Role::Tool);
    if !output.is_empty()
        && !error.is_empty()
        && let Ok(json) = RawJson::parse(go_json::string(error, Escape::Plain))
    {
        // Where there are both, the text alone would not tell where the output ends, and the entry
        // could not be made again.
        message.extra.push((ERROR.to_owned(), json));
    }
    message.content.push(Block::ToolResult {
        id: filled(id),
        name: filled(name),
        output: with_error(output, error),
        is_error: !error.is_empty(),
        images: Vec::new(),
    });
    message
}

/// An output and the error behind it.
pub(crate) fn with_error(output: &str, error: &str) -> String {
    match (output.is_empty(), error.is_empty()) {
        (true, _) => error.to_owned(),
        (false, true) => output.to_owned(),
        (false, false) => format!("{output}\n{error}"),
    }
}

/// A text that is not empty.
pub(crate) fn filled(text: &str) -> Option<String> {
    Some(text.to_owned()).filter(|text| !text.is_empty())
}

/// The entries of a message: answers of tools first, then the text with its pictures, then calls.
///
/// # Errors
///
/// [`Error::Unsupported`] for what the format has no place for: thoughts, pictures without bytes
/// or within answers, messages of the system, blocks of unknown kinds.
pub(crate) fn entries_of(message: &Message, timestamp: &str) -> Result<Vec<Entry>> {
    let mut kinds = Vec::new();
    let (mut texts, mut images) = (Vec::new(), Vec::new());
    let mut calls = Vec::new();
    for block in &message.content {
        match block {
            Block::Text { text } => texts.push(text.as_str()),
            Block::Image {
                media_type,
                data: Some(data),
                url: None,
            } => images.push(EntryImage {
                media_type: media_type.clone().unwrap_or_default(),
                data: data.clone(),
            }),
            Block::ToolUse { id, name, input } => calls.push(EntryKind::ToolCall {
                name: name.clone(),
                args: args_of(input.as_ref()),
                id: id.clone().unwrap_or_default(),
            }),
            Block::ToolResult {
                id,
                name,
                output,
                is_error,
                images,
            } if images.is_empty() => {
                let (output, error) = split_error(output, *is_error, &message.extra);
                kinds.push(EntryKind::ToolResult {
                    name: name.clone().unwrap_or_default(),
                    output,
                    error,
                    id: id.clone().unwrap_or_default(),
                });
            }
            _ => return Err(unsupported("write such a block")),
        }
    }
    // Text stands before calls; a message of nothing is an entry of text too.
    let is_empty = kinds.is_empty() && calls.is_empty();
    if is_empty || !texts.is_empty() || !images.is_empty() {
        kinds.push(text_of(message.role, texts.join("\n"), images)?);
    }
    kinds.extend(calls);
    let mut extra = message.extra.clone();
    Ok(kinds
        .into_iter()
        .map(|kind| Entry {
            kind,
            timestamp: timestamp.to_owned(),
            // Unknown fields go with the first entry alone: with each of them they would be there
            // several times.
            extra: std::mem::take(&mut extra),
        })
        .collect())
}

fn unsupported(action: &'static str) -> Error {
    Error::Unsupported {
        action,
        agent: AGENT.to_owned(),
    }
}

fn text_of(role: Role, content: String, images: Vec<EntryImage>) -> Result<EntryKind> {
    match role {
        Role::User => Ok(EntryKind::User { content, images }),
        Role::Assistant if images.is_empty() => Ok(EntryKind::Assistant { content }),
        _ => Err(unsupported("write a text of this role")),
    }
}

/// The arguments of a call as the text that [`call`] reads back.
fn args_of(input: Option<&RawJson>) -> String {
    let json = input.map_or("", RawJson::as_str);
    string::decode(json)
        .filter(|text| RawJson::parse(text.replace('\n', " ")).is_err())
        .map_or_else(|| json.to_owned(), std::borrow::Cow::into_owned)
}

/// An answer as output and error, the reverse of [`with_error`].
fn split_error(output: &str, is_error: bool, extra: &[(String, RawJson)]) -> (String, String) {
    if !is_error {
        return (output.to_owned(), String::new());
    }
    let error = extra
        .iter()
        .find(|(key, _)| key == ERROR)
        .and_then(|(_, json)| string::decode(json.as_str()));
    if let Some(error) = error
        && let Some(before) = output.strip_suffix(&*error)
        && let Some(before) = before.strip_suffix('\n')
    {
        return (before.to_owned(), error.into_owned());
    }
    // An empty error is none in this format.
    let error = if output.is_empty() { FAILED } else { output };
    (String::new(), error.to_owned())
}

/// The `target` in the arguments of a call, empty if there is none; `None` if they cannot be read.
pub(crate) fn target_of(args: &str) -> Option<String> {
    let [target] = fields(args.trim(), &["target"]).ok()?;
    match target {
        None => Some(String::new()),
        Some(value) if value.get() == "null" => Some(String::new()),
        target => text(target).map(std::borrow::Cow::into_owned),
    }
}
