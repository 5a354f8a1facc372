//! Messages to lines as picoclaw's Go program writes them: its fields first, in its order and with
//! its escapes, then those that it does not know, which it passes over.
//!
//! A line holds one tool result, so a message with several becomes several lines. Ids, parents and
//! usage have no place in the format.

use crate::json::Json;

use super::calls::{self, link};
use super::reading::KNOWN;
use crate::agents::parts::go_json::{self, Escape, GoObject};
use crate::agents::parts::times;
use crate::json::string;
use crate::model::message::{Block, Message, Role, text_of};
use crate::model::raw_json::RawJson;

/// What stands in one line.
struct Line<'m> {
    message: &'m Message,
    role: &'m str,
    blocks: Vec<&'m Block>,
    result: Option<&'m Block>,
    extra: &'m [(String, RawJson)],
}

/// The lines of a message, each with its `\n`.
pub(super) fn lines(message: &Message) -> Vec<Vec<u8>> {
    let is_result = |block: &&Block| matches!(block, Block::ToolResult { .. });
    let (results, rest): (Vec<&Block>, Vec<&Block>) = message.content.iter().partition(is_result);
    let word = find(&message.extra, "role").and_then(|role| string::decode(role.as_str()));
    // A word of another role would make another message of it.
    let word = word.filter(|word| Role::from_word(word) == message.role);
    let role = word.as_deref().unwrap_or(message.role.word());
    let line = |role, blocks, result, extra| Line {
        message,
        role,
        blocks,
        result,
        extra,
    };
    let extra = &*message.extra;
    if let ([], _) = (&*results, &*rest) {
        return vec![line(role, rest, None, extra).written()];
    }
    let fits = |block: &&Block| matches!(block, Block::Thinking { .. } | Block::Other { .. });
    if let [result] = *results
        && message.role == Role::Tool
        && rest.iter().all(fits)
    {
        return vec![line(role, rest, Some(result), extra).written()];
    }
    // A call stands before its result.
    let calls = rest
        .iter()
        .any(|block| matches!(block, Block::ToolUse { .. }));
    let own = (!rest.is_empty()).then(|| line(role, rest, None, extra).written());
    let mut left = if own.is_some() { &[][..] } else { extra };
    let mut written: Vec<Vec<u8>> = Vec::with_capacity(results.len() + 1);
    for result in results {
        let extra = std::mem::take(&mut left);
        written.push(line(Role::Tool.word(), Vec::new(), Some(result), extra).written());
    }
    if let Some(own) = own {
        let at = if calls { 0 } else { written.len() };
        written.insert(at, own);
    }
    written
}

impl Line<'_> {
    fn written(&self) -> Vec<u8> {
        let mut object = GoObject::new(Escape::Html);
        object
            .text("role", self.role)
            .text("content", &self.content());
        self.media(&mut object);
        let (thoughts, signature) = self.thoughts();
        object.text_if("reasoning_content", &thoughts);
        self.array_of_extra(&mut object, "system_parts");
        let calls = self.blocks.iter().copied();
        let calls: Vec<Block> = calls
            .filter(|block| matches!(block, Block::ToolUse { .. }))
            .cloned()
            .collect();
        if !calls.is_empty() {
            let original = find(self.extra, "tool_calls").and_then(parsed);
            object.json("tool_calls", &calls::calls(&calls, original));
        }
        self.call_id(&mut object);
        self.created(&mut object);
        object.text_if(
            "model_name",
            self.message.model.as_deref().unwrap_or_default(),
        );
        self.array_of_extra(&mut object, "attachments");
        object.text_if("reasoning_signature", &signature);
        self.beyond(&mut object);
        object.line()
    }

    fn content(&self) -> String {
        if let Some(Block::ToolResult { output, .. }) = self.result {
            return output.clone();
        }
        text_of(self.blocks.iter().copied())
    }

    fn media(&self, object: &mut GoObject) {
        let own = self.blocks.iter().copied();
        let of_result = match self.result {
            Some(Block::ToolResult { images, .. }) => images.as_slice(),
            _ => &[],
        };
        let media: Vec<String> = own.chain(of_result).filter_map(link).collect();
        if !media.is_empty() {
            object.json("media", &go_json::array(media));
        }
    }

    fn thoughts(&self) -> (String, String) {
        let (mut texts, mut last) = (Vec::new(), "");
        for block in &self.blocks {
            if let Block::Thinking { text, signature } = block {
                texts.push(text.as_str());
                last = signature.as_deref().unwrap_or(last);
            }
        }
        (texts.join("\n"), last.to_owned())
    }

    fn call_id(&self, object: &mut GoObject) {
        let of_extra = find(self.extra, "tool_call_id").and_then(|id| string::decode(id.as_str()));
        match self.result {
            Some(Block::ToolResult { id, .. }) => {
                object.text_if("tool_call_id", id.as_deref().unwrap_or_default());
            }
            _ => {
                object.text_if("tool_call_id", &of_extra.unwrap_or_default());
            }
        }
    }

    /// The time in the spelling that it was read in, if it is still that time.
    fn created(&self, object: &mut GoObject) {
        let Some(time) = self.message.time else {
            return;
        };
        let original = find(self.extra, "created_at")
            .filter(|written| {
                written.as_str().starts_with('"') && times::time(parsed(written)) == Some(time)
            })
            .map(RawJson::as_str);
        match original {
            Some(original) => object.json("created_at", original),
            None => object.text("created_at", &go_json::go_time(time)),
        };
    }

    /// A field that is a list of objects, as it was read.
    fn array_of_extra(&self, object: &mut GoObject, key: &str) {
        let list = find(self.extra, key)
            .and_then(parsed)
            .filter(|list| list.get().starts_with('['))
            .filter(|list| list.elements().all(Json::is_object));
        if let Some(list) = list {
            object.json(key, list.get());
        }
    }

    /// What picoclaw has no field for.
    fn beyond(&self, object: &mut GoObject) {
        if let Some(Block::ToolResult { name, is_error, .. }) = self.result {
            object.text_if("name", name.as_deref().unwrap_or_default());
            if *is_error {
                object.json("is_error", "true");
            }
        }
        let others: Vec<&str> = self
            .blocks
            .iter()
            .filter_map(|block| match block {
                Block::Other { json } => Some(json.as_str()),
                _ => None,
            })
            .collect();
        if !others.is_empty() {
            object.json("blocks", &go_json::array(others));
        }
        let free = self.result.is_none() && self.message.role != Role::Tool;
        for (key, json) in self.extra {
            let is_known = KNOWN.iter().any(|known| known.eq_ignore_ascii_case(key));
            // Fields of a tool's line, which mean nothing in another one.
            let is_free = free && matches!(key.as_str(), "name" | "is_error");
            if !is_known || is_free {
                object.json(key, json.as_str());
            }
        }
    }
}

/// The value of an extra field.
fn find<'m>(extra: &'m [(String, RawJson)], key: &str) -> Option<&'m RawJson> {
    extra
        .iter()
        .rev()
        .find(|(name, _)| name == key)
        .map(|(_, json)| json)
}

fn parsed(json: &RawJson) -> Option<Json<'_>> {
    serde_json::from_str(json.as_str()).ok()
}
