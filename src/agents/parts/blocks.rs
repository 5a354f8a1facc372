//! Content of messages to blocks. The agents' spellings of the same few blocks are told apart by
//! their fields, so one table serves them all; what is not in it stays JSON.

use std::borrow::Cow;

use crate::json::Json;

use super::fields::{self, Object, fields_of, objects, owned, text};
use crate::model::message::Block;
use crate::model::raw_json::RawJson;

/// The blocks of a content: a string, an array of blocks, or one block.
pub(crate) fn content(value: Option<Json<'_>>) -> Vec<Block> {
    let Some(value) = value.filter(|value| value.get() != "null") else {
        return Vec::new();
    };
    if let Some(text) = text(Some(value)) {
        return if text.is_empty() {
            Vec::new()
        } else {
            vec![said(text.into_owned())]
        };
    }
    if value.get().starts_with('[') {
        return objects(value)
            .map(|(value, object)| block(value, &object))
            .collect();
    }
    vec![block(value, &Object::of(value))]
}

/// Text for the reader.
pub(crate) fn said(text: String) -> Block {
    Block::Text { text }
}

/// A block kept as it is.
pub(crate) fn other(value: Json<'_>) -> Block {
    Block::Other {
        json: RawJson::trusted(value),
    }
}

/// One element of a content.
fn block(value: Json<'_>, object: &Object<'_>) -> Block {
    let kind = match shown(value, object) {
        Ok(block) => return block,
        Err(kind) => kind,
    };
    match kind.as_deref() {
        Some("thinking" | "redacted_thinking" | "reasoning" | "think") => thinking(object),
        Some("toolCall" | "tool_call") => tool_use(object),
        Some(kind) if kind.ends_with("tool_use") => tool_use(object),
        Some(kind) if kind.ends_with("tool_result") => tool_result(object),
        _ => other(value),
    }
}

/// A text or an image; the kind of anything else.
fn shown<'a>(value: Json<'a>, object: &Object<'a>) -> Result<Block, Option<Cow<'a, str>>> {
    if let Some(text) = text(Some(value)) {
        return Ok(said(text.into_owned()));
    }
    let [kind, plain] = object.fields(&["type", "text"]).map(text);
    match (kind.as_deref(), plain) {
        (Some("text" | "input_text" | "output_text" | "summary_text") | None, Some(plain)) => {
            Ok(said(plain.into_owned()))
        }
        (Some("image" | "input_image" | "image_url"), _) => Ok(image(object)),
        _ => Err(kind),
    }
}

fn thinking(object: &Object<'_>) -> Block {
    let [thinking, plain, think, signature, camel_signature, data] = object.fields(&[
        "thinking",
        "text",
        "think",
        "signature",
        "thinkingSignature",
        "data",
    ]);
    Block::Thinking {
        text: [thinking, plain, think]
            .into_iter()
            .find_map(owned)
            .unwrap_or_default(),
        signature: [signature, camel_signature, data]
            .into_iter()
            .find_map(owned),
    }
}

fn tool_use(object: &Object<'_>) -> Block {
    let [id, tool_id, name, tool_name, input, arguments] =
        object.fields(&["id", "tool_id", "name", "tool_name", "input", "arguments"]);
    Block::ToolUse {
        id: owned(id).or_else(|| owned(tool_id)),
        name: owned(name).or_else(|| owned(tool_name)).unwrap_or_default(),
        input: input.or(arguments).map(RawJson::trusted),
    }
}

fn tool_result(object: &Object<'_>) -> Block {
    let [use_id, tool_id, id, name, output, content, is_error] = object.fields(&[
        "tool_use_id",
        "tool_id",
        "id",
        "tool_name",
        "output",
        "content",
        "is_error",
    ]);
    let id = [use_id, tool_id, id].into_iter().find_map(owned);
    result(
        id,
        owned(name),
        output.or(content),
        fields::is_true(is_error),
    )
}

/// What a model thought.
pub(crate) fn thought(text: String) -> Block {
    Block::Thinking {
        text,
        signature: None,
    }
}

/// A call of a tool.
pub(crate) fn call(id: Option<Json<'_>>, name: Option<Json<'_>>, input: Option<Json<'_>>) -> Block {
    Block::ToolUse {
        id: owned(id),
        name: owned(name).unwrap_or_default(),
        input: input.map(arguments),
    }
}

/// The arguments of a call: many agents write JSON in a string, or plain text.
pub(crate) fn arguments(value: Json<'_>) -> RawJson {
    text(Some(value))
        .and_then(|text| RawJson::parse(text).ok())
        .unwrap_or_else(|| RawJson::trusted(value))
}

/// A tool's answer: a string, blocks, or any JSON.
pub(crate) fn result(
    id: Option<String>,
    name: Option<String>,
    answer: Option<Json<'_>>,
    is_error: bool,
) -> Block {
    let (output, images) = answer.map(flatten).unwrap_or_default();
    Block::ToolResult {
        id,
        name,
        output,
        is_error,
        images,
    }
}

/// An answer as text, and the images in it. What is neither stays JSON text.
fn flatten(answer: Json<'_>) -> (String, Vec<Block>) {
    if let Some(text) = text(Some(answer)) {
        return (text.into_owned(), Vec::new());
    }
    if !answer.get().starts_with('[') {
        let text = if answer.get() == "null" {
            String::new()
        } else {
            answer.get().to_owned()
        };
        return (text, Vec::new());
    }
    let (mut texts, mut images) = (Vec::new(), Vec::new());
    for (element, object) in objects(answer) {
        // Not an answer within an answer: nobody writes that, and it could go on for ever.
        match shown(element, &object) {
            Ok(Block::Text { text }) => texts.push(text),
            Ok(image) => images.push(image),
            Err(_) => texts.push(element.get().to_owned()),
        }
    }
    (texts.join("\n"), images)
}

fn image(object: &Object<'_>) -> Block {
    let [source, data, mime, camel_mime, seed_data, link] = object.fields(&[
        "source",
        "data",
        "image_mime",
        "mimeType",
        "image_data",
        "image_url",
    ]);
    let [source_data, media_type, url] = fields_of(source, &["data", "media_type", "url"]);
    let [nested_link] = fields_of(link, &["url"]);
    let url = [url, nested_link, link].into_iter().find_map(owned);
    let media_type = [media_type, mime, camel_mime].into_iter().find_map(owned);
    let data = [source_data, seed_data, data].into_iter().find_map(owned);
    match url {
        // An address may hold the picture itself: then its bytes are the data, and no place.
        Some(url) if data_url(&url).is_some() => image_of(url),
        url => Block::Image {
            media_type,
            data,
            url,
        },
    }
}

/// The image that a URL leads to, or holds.
pub(crate) fn image_of(url: String) -> Block {
    match data_url(&url) {
        Some((media_type, data)) => Block::Image {
            media_type: Some(media_type),
            data: Some(data),
            url: None,
        },
        None => Block::Image {
            media_type: None,
            data: None,
            url: Some(url),
        },
    }
}

/// The media type and the base64 text of a `data:` URL.
fn data_url(url: &str) -> Option<(String, String)> {
    let (media_type, data) = url.strip_prefix("data:")?.split_once(";base64,")?;
    Some((media_type.to_owned(), data.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn blocks(json: &str) -> Vec<Block> {
        content(Some(serde_json::from_str(json).unwrap()))
    }

    #[test]
    fn strings_and_blocks_are_read_alike() {
        assert_eq!(blocks("\"a\""), [said("a".into())]);
        assert_eq!(
            blocks(r#"["a",{"type":"text","text":"b"},{"text":"c"}]"#).len(),
            3
        );
        assert_eq!(blocks("\"\""), []);
        assert_eq!(blocks("null"), []);
    }

    #[test]
    fn tool_calls_keep_their_arguments_as_text() {
        for json in [
            r#"[{"type":"tool_use","id":"t","name":"calc","input":{"b":1.0,"a":1e400,"a":2}}]"#,
            r#"[{"type":"tool_use","tool_id":"t","tool_name":"calc","input":{"b":1.0,"a":1e400,"a":2}}]"#,
            r#"[{"type":"toolCall","id":"t","name":"calc","arguments":{"b":1.0,"a":1e400,"a":2}}]"#,
        ] {
            let input = Some(RawJson::parse(r#"{"b":1.0,"a":1e400,"a":2}"#).unwrap());
            assert_eq!(
                blocks(json),
                [Block::ToolUse {
                    id: Some("t".into()),
                    name: "calc".into(),
                    input
                }]
            );
        }
    }

    #[test]
    fn answers_are_text_and_images() {
        let json = r#"[{"type":"tool_result","tool_use_id":"t","is_error":true,"content":[
            {"type":"text","text":"a"},{"type":"text","text":"b"},{"x":1},
            {"type":"image","source":{"type":"base64","media_type":"image/png","data":"AA=="}}]}]"#;
        let image = Block::Image {
            media_type: Some("image/png".into()),
            data: Some("AA==".into()),
            url: None,
        };
        assert_eq!(
            blocks(json),
            [Block::ToolResult {
                id: Some("t".into()),
                name: None,
                output: "a\nb\n{\"x\":1}".into(),
                is_error: true,
                images: vec![image],
            }]
        );
    }

    #[test]
    fn images_are_found_in_every_spelling() {
        for json in [
            r#"[{"type":"image","image_mime":"image/png","image_data":"AA=="}]"#,
            r#"[{"type":"image","mimeType":"image/png","data":"AA=="}]"#,
            r#"[{"type":"input_image","image_url":"data:image/png;base64,AA=="}]"#,
            r#"[{"type":"image_url","image_url":{"url":"data:image/png;base64,AA=="}}]"#,
        ] {
            assert_eq!(
                blocks(json),
                [Block::Image {
                    media_type: Some("image/png".into()),
                    data: Some("AA==".into()),
                    url: None
                }],
                "{json}"
            );
        }
    }

    #[test]
    fn answers_within_answers_are_not_followed() {
        let open = r#"[{"type":"tool_result","content":"#;
        let json = format!("{}1{}", open.repeat(100_000), "}]".repeat(100_000));
        let [Block::ToolResult { output, .. }] = &blocks(&json)[..] else {
            panic!("one answer");
        };
        assert_eq!(output.len(), json.len() - open.len() - 2 - 2);
    }

    #[test]
    fn unknown_blocks_stay_json() {
        let json = r#"{"type":"new","x":1.50}"#;
        assert_eq!(
            blocks(json),
            [Block::Other {
                json: RawJson::parse(json).unwrap()
            }]
        );
    }
}
