//! The records of a chat: a line about it, and of each request one for what the person asked and one for what
//! was answered. What changes with every state of the chat stands in a last line.

use std::collections::HashMap;

use serde_json::{Map, Value, json};

use crate::agents::document::DocumentLines;

/// Parts of an answer that the editor alone is concerned with.
const SILENT: [&str; 12] = [
    "undoStop",
    "codeblockUri",
    "mcpServersStarting",
    "progressMessage",
    "progressTask",
    "progressTaskSerialized",
    "prepareToolInvocation",
    "command",
    "confirmation",
    "clearToPreviousToolInvocation",
    "references",
    "codeCitation",
];

/// The lines of a chat; `None` if it is none.
pub(super) fn lines(state: &Value) -> Option<DocumentLines> {
    let requests = state.get("requests")?.as_array()?;
    let header = json!({
        "chat": "session",
        "id": state.get("sessionId"),
        "created": state.get("creationDate"),
    });
    let mut lines = vec![line(&header)];
    for request in requests {
        lines.push(line(&asked(request)));
        lines.extend(answered(request).as_ref().map(line));
    }
    let trailer = json!({
        "chat": "state",
        "title": state.get("customTitle"),
        "updated": state.get("lastMessageDate"),
    });
    Some(DocumentLines {
        lines,
        trailer: Some(line(&trailer)),
        ..DocumentLines::default()
    })
}

fn line(value: &Value) -> Vec<u8> {
    let mut line = value.to_string().into_bytes();
    line.push(b'\n');
    line
}

/// What the person asked.
fn asked(request: &Value) -> Value {
    let message = request.get("message");
    let text = message.and_then(|message| message.get("text").or(Some(message)));
    json!({
        "chat": "message",
        "id": id(request, "asked"),
        "role": "user",
        "time": request.get("timestamp"),
        "content": [{"type": "text", "text": text.and_then(Value::as_str).unwrap_or_default()}],
    })
}

fn id(request: &Value, which: &str) -> Option<String> {
    let id = request.get("requestId")?.as_str()?;
    Some(format!("{id}/{which}"))
}

/// What was answered, if anything was.
fn answered(request: &Value) -> Option<Value> {
    let parts = request.get("response")?.as_array()?;
    let calls = calls(request);
    let results = request.pointer("/result/metadata/toolCallResults");
    let mut content = Content::default();
    for part in parts {
        content.add(part, &calls, results);
    }
    let error = request.pointer("/result/errorDetails/message");
    // An answer that failed may have nothing else.
    if let Some(error) = error.and_then(Value::as_str) {
        content.say(error);
    }
    let content = content.blocks;
    (!content.is_empty()).then(|| {
        json!({
            "chat": "message",
            "id": id(request, "answered"),
            "role": "assistant",
            "time": request.get("timestamp"),
            "model": request.get("modelId"),
            "content": content,
        })
    })
}

/// The calls that the end of an answer repeats, by their ids.
fn calls(request: &Value) -> HashMap<&str, &Value> {
    let rounds = request.pointer("/result/metadata/toolCallRounds");
    let rounds = rounds.and_then(Value::as_array).into_iter().flatten();
    rounds
        .filter_map(|round| round.get("toolCalls")?.as_array())
        .flatten()
        .filter_map(|call| Some((call.get("id")?.as_str()?, call)))
        .collect()
}

/// The blocks of an answer so far.
#[derive(Default)]
struct Content {
    blocks: Vec<Value>,
}

impl Content {
    /// Adds words: to those before them, if nothing stands between.
    fn say(&mut self, words: &str) {
        if words.is_empty() {
            return;
        }
        if let Some(Value::Object(last)) = self.blocks.last_mut()
            && last.get("type").and_then(Value::as_str) == Some("text")
            && let Some(Value::String(text)) = last.get_mut("text")
        {
            text.push_str(words);
            return;
        }
        self.blocks.push(json!({"type": "text", "text": words}));
    }

    fn add(&mut self, part: &Value, told: &HashMap<&str, &Value>, results: Option<&Value>) {
        let kind = part.get("kind").and_then(Value::as_str);
        match kind {
            None | Some("markdownContent" | "markdownVuln" | "warning") => {
                self.say(words(part.get("content").unwrap_or(part)));
            }
            Some("thinking") => {
                let thought = match part.get("value") {
                    Some(Value::Array(pieces)) => pieces.iter().filter_map(Value::as_str).collect(),
                    Some(Value::String(text)) => text.clone(),
                    _ => String::new(),
                };
                if !thought.is_empty() {
                    self.blocks
                        .push(json!({"type": "thinking", "thinking": thought}));
                }
            }
            Some("inlineReference") => {
                let link = part.get("inlineReference");
                let name = part.get("name").or_else(|| link?.get("name"));
                let path =
                    link.and_then(|link| link.get("path").or(link.pointer("/location/uri/path")));
                self.say(name.or(path).and_then(Value::as_str).unwrap_or_default());
            }
            Some("toolInvocationSerialized" | "toolInvocation") => self.call(part, told, results),
            Some(kind) if SILENT.contains(&kind) => {}
            Some(_) => self.blocks.push(part.clone()),
        }
    }

    /// A call, with its arguments and what it gave where the end of the answer repeats them.
    fn call(&mut self, part: &Value, told: &HashMap<&str, &Value>, results: Option<&Value>) {
        let id = part.get("toolCallId").and_then(Value::as_str);
        let told = id.and_then(|id| told.get(id).copied());
        let name = part.get("toolId").or_else(|| told?.get("name"));
        let mut call = Map::new();
        call.insert("type".to_owned(), json!("toolCall"));
        call.insert("id".to_owned(), json!(id));
        call.insert("name".to_owned(), json!(name.and_then(Value::as_str)));
        if let Some(arguments) = told.and_then(|told| told.get("arguments")) {
            // Arguments are JSON in a text, and what is none is shown as it stands.
            let parsed = arguments
                .as_str()
                .and_then(|text| serde_json::from_str(text).ok());
            call.insert(
                "arguments".to_owned(),
                parsed.unwrap_or_else(|| arguments.clone()),
            );
        }
        self.blocks.push(Value::Object(call));
        let pieces = id.and_then(|id| results?.get(id)?.get("content")?.as_array());
        let texts = pieces
            .into_iter()
            .flatten()
            .filter_map(|piece| piece.get("value")?.as_str());
        let output: Vec<&str> = texts.collect();
        if !output.is_empty() {
            self.blocks.push(json!({
                "type": "tool_result",
                "tool_use_id": id,
                "content": output.join("\n"),
            }));
        }
    }
}

/// The words of a part: a text, or a value that has one.
fn words(part: &Value) -> &str {
    let value = part.get("value").unwrap_or(part);
    let value = value.get("value").unwrap_or(value);
    value.as_str().unwrap_or_default()
}
