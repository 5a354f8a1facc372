//! A message as JSON: what `show --json` prints, one object a message.

use std::borrow::Cow;

use chrono::{DateTime, Utc};
use serde::Serialize;

use super::times;
use crate::model::message::{Block, Message, Role, Usage};
use crate::model::raw_json::RawJson;
use crate::model::record::{RecordKind, RecordView};

/// One message, or one record without a message, as JSON.
#[derive(Debug, Serialize)]
pub(crate) struct MessageRow<'a> {
    sequence: u64,
    kind: RecordKind,
    role: Option<Role>,
    time: Option<String>,
    id: Option<&'a str>,
    parent_id: Option<&'a str>,
    model: Option<&'a str>,
    text: String,
    blocks: Vec<BlockRow<'a>>,
    usage: Option<Usage>,
    line: Option<Cow<'a, str>>,
}

impl<'a> MessageRow<'a> {
    /// The row of a record that carries no message.
    pub(crate) fn of_record(record: RecordView<'_>, line: Option<Cow<'a, str>>) -> Self {
        let time = record
            .header
            .time_us
            .and_then(DateTime::<Utc>::from_timestamp_micros);
        Self {
            sequence: record.sequence,
            kind: record.header.kind,
            role: record.header.role,
            time: time.map(times::rfc3339),
            id: None,
            parent_id: None,
            model: None,
            text: String::new(),
            blocks: Vec::new(),
            usage: None,
            line,
        }
    }

    /// The row of a message.
    pub(crate) fn of_message(
        record: RecordView<'_>,
        message: &'a Message,
        line: Option<Cow<'a, str>>,
    ) -> Self {
        let unread = Self::of_record(record, line);
        Self {
            role: Some(message.role),
            time: message.time.map(times::rfc3339).or(unread.time),
            id: message.id.as_deref(),
            parent_id: message.parent_id.as_deref(),
            model: message.model.as_deref(),
            text: message.plain_text(),
            blocks: message.content.iter().map(BlockRow::new).collect(),
            usage: message.usage,
            ..unread
        }
    }
}

/// One block of a message as JSON.
#[derive(Debug, Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
enum BlockRow<'a> {
    Text {
        text: &'a str,
    },
    Thinking {
        text: &'a str,
        signature: Option<&'a str>,
    },
    Image {
        media_type: Option<&'a str>,
        data: Option<&'a str>,
        url: Option<&'a str>,
    },
    ToolUse {
        id: Option<&'a str>,
        name: &'a str,
        input: Option<&'a RawJson>,
    },
    ToolResult {
        id: Option<&'a str>,
        name: Option<&'a str>,
        output: &'a str,
        is_error: bool,
        images: Vec<BlockRow<'a>>,
    },
    Other {
        json: &'a RawJson,
    },
}

impl<'a> BlockRow<'a> {
    fn new(block: &'a Block) -> Self {
        match block {
            Block::ToolResult {
                id,
                name,
                output,
                is_error,
                images,
            } => Self::ToolResult {
                id: id.as_deref(),
                name: name.as_deref(),
                output,
                is_error: *is_error,
                images: images.iter().map(BlockRow::new).collect(),
            },
            Block::Text { text } => Self::Text { text },
            Block::Thinking { text, signature } => Self::Thinking {
                text,
                signature: signature.as_deref(),
            },
            Block::Image {
                media_type,
                data,
                url,
            } => Self::Image {
                media_type: media_type.as_deref(),
                data: data.as_deref(),
                url: url.as_deref(),
            },
            Block::ToolUse { id, name, input } => Self::ToolUse {
                id: id.as_deref(),
                name,
                input: input.as_ref(),
            },
            Block::Other { json } => Self::Other { json },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::record::{Record, RecordFlags, RecordHeader};

    #[test]
    fn a_message_keeps_the_spelling_of_its_json() {
        let header = RecordHeader {
            kind: RecordKind::Message,
            role: Some(Role::Assistant),
            flags: RecordFlags::default(),
            messages: 1,
            time_us: Some(0),
        };
        let record = Record {
            sequence: 3,
            header,
            line: b"{}\n".to_vec(),
        };
        let mut message = Message::text(Role::Assistant, "hi");
        let input = RawJson::parse("{\"b\":1.0,\"a\":1e400}").unwrap();
        message.content.push(Block::ToolUse {
            id: None,
            name: "run".into(),
            input: Some(input),
        });
        let row = MessageRow::of_message(record.view(), &message, None);
        assert_eq!(
            serde_json::to_string(&row).unwrap(),
            "{\"sequence\":3,\"kind\":\"message\",\"role\":\"assistant\",\
             \"time\":\"1970-01-01T00:00:00Z\",\"id\":null,\"parent_id\":null,\"model\":null,\
             \"text\":\"hi\",\"blocks\":[{\"type\":\"text\",\"text\":\"hi\"},{\"type\":\"tool_use\",\
             \"id\":null,\"name\":\"run\",\"input\":{\"b\":1.0,\"a\":1e400}}],\"usage\":null,\
             \"line\":null}"
        );
    }
}
