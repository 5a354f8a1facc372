//! A call of a tool, as lines spell it.

use crate::agents::parts::blocks;
use crate::agents::parts::fields::{elements, entries, fields_of, text};
use crate::agents::parts::go_json::{self, Escape, GoObject};
use crate::json::{Json, string};
use crate::model::message::Block;
use crate::model::raw_json::RawJson;

/// The fields of a call that are not taken over as they are.
const CALL_FIELDS: [&str; 4] = ["id", "type", "function", "extra_content"];

/// A picture as `media` names it, as JSON.
pub(super) fn link(block: &Block) -> Option<String> {
    let Block::Image {
        media_type,
        data,
        url,
    } = block
    else {
        return None;
    };
    let link = match (data, url) {
        (Some(data), _) => {
            let media_type = media_type.as_deref().unwrap_or_default();
            format!("data:{media_type};base64,{data}")
        }
        (None, url) => url.clone().unwrap_or_default(),
    };
    Some(go_json::string(&link, Escape::Html))
}

/// Calls as `tool_calls` has them. `original` is the field as it was read: what a block cannot
/// hold (a signature, say) is taken from the call with the same place and id.
pub(super) fn calls(blocks: &[Block], original: Option<Json<'_>>) -> String {
    let original = original.map(elements).unwrap_or_default();
    let calls = blocks.iter().enumerate().filter_map(|(at, block)| {
        let Block::ToolUse { id, name, input } = block else {
            return None;
        };
        let id = id.as_deref().unwrap_or_default();
        let original = original.get(at).copied().filter(|original| {
            let [known] = fields_of(Some(*original), &["id"]);
            original.is_object() && text(known).unwrap_or_default() == id
        });
        Some(call(id, name, input.as_ref(), original))
    });
    go_json::array(calls)
}

fn call(id: &str, name: &str, input: Option<&RawJson>, original: Option<Json<'_>>) -> String {
    let [kind, function, beside] = fields_of(original, &["type", "function", "extra_content"]);
    let [arguments, signature] = fields_of(function, &["arguments", "thought_signature"]);
    let mut object = GoObject::new(Escape::Html);
    object.text("id", id);
    match original {
        Some(_) => object.text_if("type", &text(kind).unwrap_or_default()),
        None => object.text("type", "function"),
    };
    // A call that came without a function is written without one.
    let is_bare = original.is_some() && function.is_none() && name.is_empty() && input.is_none();
    if !is_bare {
        let mut inner = GoObject::new(Escape::Html);
        inner
            .text("name", name)
            .text("arguments", &arguments_of(input, arguments))
            .text_if("thought_signature", &text(signature).unwrap_or_default());
        object.json("function", &inner.close());
    }
    if let Some(beside) = beside.filter(|beside| beside.is_object()) {
        object.json("extra_content", beside.get());
    }
    for (key, value) in original.map_or(Vec::new(), |original| entries(original)) {
        // Go takes a field whatever the case of its letters, so another spelling would be there
        // twice.
        if !CALL_FIELDS
            .iter()
            .any(|known| known.eq_ignore_ascii_case(&key))
        {
            object.json(&key, value.get());
        }
    }
    object.close()
}

/// The text of the arguments: as it was read, if it still says the same.
fn arguments_of(input: Option<&RawJson>, original: Option<Json<'_>>) -> String {
    if let Some(original) = original
        && let Some(text) = text(Some(original))
        && read_input(original).as_ref() == input
    {
        return text.into_owned();
    }
    let Some(input) = input else {
        return "{}".to_owned();
    };
    // Arguments that were no JSON are kept as a string, and go back as what is in it.
    match string::decode(input.as_str()) {
        Some(text) if RawJson::parse(&*text).is_err() => text.into_owned(),
        _ => input.as_str().to_owned(),
    }
}

/// The arguments of a call, which are JSON in a string; none if the string is empty.
pub(super) fn read_input(arguments: Json<'_>) -> Option<RawJson> {
    let empty = matches!(arguments.get(), "\"\"" | "null");
    (!empty).then(|| blocks::arguments(arguments))
}
