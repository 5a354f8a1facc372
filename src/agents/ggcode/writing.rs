//! ggcode's lines out, as v1.0.9 writes them. What it has no field for stands behind its fields,
//! under names that it does not know and so passes over.

use crate::json::Json;

use super::reading::{COST, MESSAGE_FIELDS, META_FIELDS, content};
use crate::agents::parts::fields::entries_in;
use crate::agents::parts::go_json::{Escape, GoObject, array, go_time};
use crate::json::string;
use crate::model::error::{Error, Result};
use crate::model::key::SessionKey;
use crate::model::message::{Block, Message, Usage};
use crate::model::raw_json::RawJson;
use crate::model::session::Session;

/// What the id of a message begins with that is only the place of its record.
const PLACE: char = '#';

/// Fields of a session that v1.0.9 writes behind its title.
const VENDOR: [&str; 2] = ["vendor", "endpoint"];

fn line_of(kind: &str, id: &str) -> GoObject {
    let mut line = GoObject::new(Escape::Plain);
    line.text("type", kind).text_if("session_id", id);
    line
}

/// A message as a line.
pub(super) fn message(key: &SessionKey, message: &Message) -> Vec<u8> {
    let mut line = line_of("message", key.id());
    line.time("created_at", None).time("updated_at", None);
    if let Some(time) = message.time {
        line.text("timestamp", &go_time(time));
    }
    let mut inner = GoObject::new(Escape::Plain);
    let filled = |text: &Option<String>| text.clone().unwrap_or_default();
    let id = message.id.as_deref().unwrap_or_default();
    // Such an id is made here from the message's place, and is not the agent's.
    if !id.starts_with(PLACE) {
        inner.text_if("id", id);
    }
    inner
        .text("role", message.role.word())
        .json("content", &array(message.content.iter().map(block)))
        .text_if("parent_id", &filled(&message.parent_id))
        .text_if("model", &filled(&message.model));
    if let Some(usage) = message.usage {
        inner.json("usage", &tokens(usage));
    }
    write_extra(&mut inner, &message.extra, &MESSAGE_FIELDS);
    line.json("message", &inner.close());
    line.line()
}

/// A session's `meta` line, and a `cost` line if it has a cost.
pub(super) fn meta(session: &Session) -> Result<Vec<u8>> {
    let id = session.key.id();
    let mut line = line_of("meta", id);
    line.text_if("title", &session.title);
    for key in VENDOR {
        if let Some(json) = field(session, key) {
            let value = string::decode(json.as_str()).ok_or_else(|| Error::InvalidJson {
                reason: format!("`{key}` of a ggcode session has to be a string"),
            })?;
            // Go skips a line in which a field that it knows has another type, so it is checked
            // above.
            line.text_if(key, &value);
        }
    }
    line.text_if("model", session.model.as_deref().unwrap_or_default())
        .time("created_at", session.created_at)
        .time("updated_at", session.updated_at)
        .text_if("workspace", session.project.as_deref().unwrap_or_default())
        .text_if("parent_id", session.parent.as_deref().unwrap_or_default());
    let others: Vec<_> = session
        .extra
        .iter()
        .filter(|(key, _)| key != COST && !VENDOR.contains(&key.as_str()))
        .cloned()
        .collect();
    write_extra(&mut line, &others, &META_FIELDS);
    let mut written = line.line();
    if let Some(cost) = field(session, COST) {
        let mut line = line_of(COST, id);
        line.time("created_at", None)
            .time("updated_at", None)
            .json(COST, cost.as_str());
        written.extend(line.line());
    }
    Ok(written)
}

/// The last value of that name among the fields that the store does not interpret.
fn field<'s>(session: &'s Session, key: &str) -> Option<&'s RawJson> {
    let mut newest_first = session.extra.iter().rev();
    newest_first
        .find(|(found, _)| found == key)
        .map(|(_, json)| json)
}

/// Fields that are not known: beside the known ones, or all in `extra` if Go would take one of
/// them for a known field, whatever the case of its letters.
fn write_extra(object: &mut GoObject, extra: &[(String, RawJson)], known: &[&str]) {
    let is_known = |key: &str| {
        let mut known = known.iter().chain(&VENDOR);
        known.any(|known| known.eq_ignore_ascii_case(key))
    };
    if !extra.iter().any(|(key, _)| is_known(key)) {
        for (key, json) in extra {
            object.json(key, json.as_str());
        }
        return;
    }
    let mut inner = GoObject::new(Escape::Plain);
    for (key, json) in extra {
        inner.json(key, json.as_str());
    }
    object.json("extra", &inner.close());
}

fn block(block: &Block) -> String {
    let mut object = GoObject::new(Escape::Plain);
    let filled = |text: &Option<String>| text.clone().unwrap_or_default();
    match block {
        Block::Text { text } => {
            object.text("type", "text").text_if("text", text);
        }
        Block::Thinking { text, signature } => {
            object
                .text("type", "thinking")
                .text_if("text", text)
                .text_if("signature", &filled(signature));
        }
        Block::Image {
            media_type,
            data,
            url,
        } => {
            object
                .text("type", "image")
                .text_if("image_mime", &filled(media_type))
                .text_if("image_data", &filled(data))
                .text_if("image_url", &filled(url));
        }
        Block::ToolUse { id, name, input } => {
            object
                .text("type", "tool_use")
                .text_if("tool_name", name)
                .text_if("tool_id", &filled(id));
            // Left out where there is none: an empty object is an input too.
            if let Some(input) = input {
                object.json("input", input.as_str());
            }
        }
        Block::ToolResult {
            id,
            name,
            output,
            is_error,
            images,
        } => {
            object
                .text("type", "tool_result")
                .text_if("tool_name", &filled(name))
                .text_if("tool_id", &filled(id))
                .text_if("output", output);
            if *is_error {
                object.json("is_error", "true");
            }
            if !images.is_empty() {
                object.json("images", &array(images.iter().map(picture)));
            }
        }
        Block::Other { json } => return other(json),
    }
    object.close()
}

/// An image within a result; there is nothing else in one.
fn picture(image: &Block) -> String {
    match image {
        Block::Image { .. } => block(image),
        _ => "{}".to_owned(),
    }
}

/// A block of a kind of its own: as it is if Go reads it and it comes back as the same, or else
/// within a block of type `other`.
fn other(json: &RawJson) -> String {
    let as_it_is = array([json.as_str()]);
    let comes_back = Json::parse(&as_it_is).is_ok_and(|value| {
        let same = Block::Other { json: json.clone() };
        content(Some(value)) == [same]
    });
    if comes_back && is_read_by_go(json.as_str()) {
        return json.as_str().to_owned();
    }
    let mut object = GoObject::new(Escape::Plain);
    object.text("type", "other").json("json", json.as_str());
    object.close()
}

/// Whether the fields that Go knows of a block have the types that it asks for: a line with one
/// that has not is lost to it.
fn is_read_by_go(json: &str) -> bool {
    const TEXTS: [&str; 7] = [
        "type",
        "text",
        "image_mime",
        "image_data",
        "tool_name",
        "tool_id",
        "output",
    ];
    let is_block = Json::parse(json).is_ok_and(Json::is_object);
    is_block
        && entries_in(json).iter().all(|(key, value)| {
            // Go takes a field whatever the case of its letters.
            let is = |name: &&str| name.eq_ignore_ascii_case(key);
            let value = value.get();
            value == "null"
                || if TEXTS.iter().any(is) {
                    value.starts_with('"')
                } else {
                    !is(&"is_error") || matches!(value, "true" | "false")
                }
        })
}

fn tokens(usage: Usage) -> String {
    let mut object = GoObject::new(Escape::Plain);
    object
        .number("input_tokens", usage.input_tokens)
        .number("output_tokens", usage.output_tokens)
        .number("cache_read_tokens", usage.cache_read_tokens)
        .number("cache_write_tokens", usage.cache_write_tokens);
    object.close()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::agents::dialect::Dialect as _;
    use crate::agents::ggcode::Ggcode;
    use crate::model::message::Role;

    fn key() -> SessionKey {
        SessionKey::new("ggcode", "20260403-1").unwrap()
    }

    fn json(text: &str) -> RawJson {
        RawJson::parse(text).unwrap()
    }

    /// The line of a message, which comes back as the same message.
    fn written(one: &Message) -> String {
        let line = message(&key(), one);
        assert_eq!(Ggcode.messages(&line), std::slice::from_ref(one));
        String::from_utf8(line).unwrap()
    }

    #[test]
    fn a_message_is_written_as_version_1_0_9_writes_it() {
        let call = Block::ToolUse {
            id: Some("t1".into()),
            name: "read_file".into(),
            input: Some(json(r#"{"path":"a<b>.go","n":1.0}"#)),
        };
        let mut one = Message::text(Role::Assistant, "Look: <&>\u{2028}");
        one.content.push(call);
        assert_eq!(
            written(&one),
            "{\"type\":\"message\",\"session_id\":\"20260403-1\",\
             \"created_at\":\"0001-01-01T00:00:00Z\",\"updated_at\":\"0001-01-01T00:00:00Z\",\
             \"message\":{\"role\":\"assistant\",\"content\":[\
             {\"type\":\"text\",\"text\":\"Look: <&>\\u2028\"},\
             {\"type\":\"tool_use\",\"tool_name\":\"read_file\",\"tool_id\":\"t1\",\
             \"input\":{\"path\":\"a<b>.go\",\"n\":1.0}}]}}\n"
        );
    }

    #[test]
    fn all_that_a_message_can_hold_comes_back() {
        let image = |data: Option<&str>, url: Option<&str>| Block::Image {
            media_type: data.map(|_| "image/png".into()),
            data: data.map(str::to_owned),
            url: url.map(str::to_owned),
        };
        let result = |output: &str, is_error, images| Block::ToolResult {
            id: Some("t1".into()),
            name: Some("read".into()),
            output: output.into(),
            is_error,
            images,
        };
        let mut one = Message::new(Role::User);
        one.content = vec![
            Block::Text {
                text: String::new(),
            },
            Block::Thinking {
                text: "hm".into(),
                signature: Some("sig".into()),
            },
            image(Some("AA=="), None),
            image(None, Some("https://example.org/a.png")),
            result("", false, Vec::new()),
            result("no", true, vec![image(Some("AA=="), None)]),
            Block::Other {
                json: json(r#"{"type":"audio","seconds":1.50}"#),
            },
        ];
        one.id = Some("msg_1".into());
        one.parent_id = Some("msg_0".into());
        one.time = Some("2026-04-03T09:45:00.120345Z".parse().unwrap());
        one.model = Some("glm-5".into());
        one.usage = Some(Usage {
            input_tokens: 3,
            ..Usage::default()
        });
        one.extra = vec![("reasoning_content".into(), json("\"because\""))];
        let line = written(&one);
        assert!(
            line.contains(r#","timestamp":"2026-04-03T09:45:00.120345Z","message":{"id":"msg_1","#)
        );
        assert!(line.contains(r#",{"type":"audio","seconds":1.50}]"#));
        // A field that Go would take for one of its own, whatever its case.
        one.extra.push(("Content".into(), json("5")));
        assert!(written(&one).contains(r#""extra":{"reasoning_content":"because","Content":5}"#));
    }

    #[test]
    fn a_block_that_go_cannot_read_is_put_into_one_that_it_can() {
        for block in [
            "42",
            "null",
            "[1]",
            r#"{"type":5}"#,
            r#"{"type":"x","Text":5}"#,
            r#"{"type":"x","is_error":"yes"}"#,
            r#"{"type":"text","text":"x"}"#,
            r#"{"type":"other","json":1}"#,
        ] {
            let mut one = Message::new(Role::User);
            one.content = vec![Block::Other { json: json(block) }];
            assert!(
                written(&one).contains(&format!(r#"{{"type":"other","json":{block}}}"#)),
                "{block}"
            );
        }
    }

    #[test]
    fn a_place_is_never_written_as_an_id() {
        let mut one = Message::text(Role::User, "hi");
        one.id = Some("#12".into());
        let line = String::from_utf8(message(&key(), &one)).unwrap();
        assert!(!line.contains("#12") && !line.contains("\"id\""), "{line}");
    }

    #[test]
    fn feature_cost_as_opaque_json_and_meta_come_back() {
        let mut session = Session::new(key());
        session.title = "Explain <the> loop".into();
        session.model = Some("glm-5".into());
        session.created_at = Some("2026-04-03T09:45:00Z".parse().unwrap());
        session.extra = vec![
            ("vendor".into(), json("\"zai\"")),
            ("endpoint".into(), json("\"coding\"")),
            (
                "cost".into(),
                json(r#"{"usd":2.50,"big":12345678901234567890,"a":1e400}"#),
            ),
        ];
        let lines = String::from_utf8(meta(&session).unwrap()).unwrap();
        assert_eq!(
            lines,
            "{\"type\":\"meta\",\"session_id\":\"20260403-1\",\"title\":\"Explain <the> loop\",\
             \"vendor\":\"zai\",\"endpoint\":\"coding\",\"model\":\"glm-5\",\
             \"created_at\":\"2026-04-03T09:45:00Z\",\"updated_at\":\"0001-01-01T00:00:00Z\"}\n\
             {\"type\":\"cost\",\"session_id\":\"20260403-1\",\
             \"created_at\":\"0001-01-01T00:00:00Z\",\"updated_at\":\"0001-01-01T00:00:00Z\",\
             \"cost\":{\"usd\":2.50,\"big\":12345678901234567890,\"a\":1e400}}\n"
        );
        session.project = Some("/w".into());
        session.parent = Some("p".into());
        session.extra.insert(2, ("Title".into(), json("5")));
        session
            .extra
            .insert(3, ("sidebar_visible".into(), json("true")));
        let lines = meta(&session).unwrap();
        let mut back = Session::new(key());
        for line in lines.split_inclusive(|byte| *byte == b'\n') {
            Ggcode.read_meta(line, &mut back);
        }
        back.created_at = session.created_at;
        back.extra.sort_by(|one, other| one.0.cmp(&other.0));
        session.extra.sort_by(|one, other| one.0.cmp(&other.0));
        assert_eq!(back, session);
        session.extra = vec![("vendor".into(), json("5"))];
        assert!(matches!(meta(&session), Err(Error::InvalidJson { .. })));
    }

    #[test]
    fn the_last_meta_and_the_last_cost_hold() {
        let mut session = Session::new(key());
        for line in [
            r#"{"type":"cost","cost":{"usd":1}}"#,
            r#"{"type":"meta","title":"Old","vendor":"a","model":"m","workspace":"/w"}"#,
            r#"{"type":"cost","cost":{"usd":2}}"#,
            r#"{"type":"meta","title":"New session","endpoint":"e"}"#,
            r#"{"type":"message","message":{"role":"user"},"cost":{"usd":3},"title":"no"}"#,
        ] {
            Ggcode.read_meta(line.as_bytes(), &mut session);
        }
        assert_eq!(session.title, "Old");
        assert_eq!((session.model, session.project), (None, None));
        let expected = [("endpoint", "\"e\""), ("cost", "{\"usd\":2}")];
        let expected = expected.map(|(key, value)| (key.to_owned(), json(value)));
        assert_eq!(session.extra, expected);
    }
}
