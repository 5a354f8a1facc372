//! Native lines out. Known fields come first, in a fixed order; fields that are not set are not
//! written.

use std::io::Write;

use chrono::{DateTime, Datelike, SecondsFormat, Utc};

use super::names::{MESSAGE_FIELDS, SESSION_FIELDS, VERSION};
use crate::model::error::{Error, Result};
use crate::model::key::NATIVE;
use crate::model::message::{Block, Message, Usage};
use crate::model::raw_json::RawJson;
use crate::model::session::Session;

/// A message as a line.
pub(crate) fn message(message: &Message) -> Result<Vec<u8>> {
    let mut line = Object::line("message")?;
    line.text_if("id", message.id.as_deref())?;
    line.text_if("parent_id", message.parent_id.as_deref())?;
    line.text("role", message.role.word())?;
    blocks(line.key("content")?, &message.content)?;
    line.time_if("time", message.time)?;
    line.text_if("model", message.model.as_deref())?;
    if let Some(usage) = message.usage {
        tokens(line.key("usage")?, usage)?;
    }
    line.text_if("answer_id", message.answer_id.as_deref())?;
    line.text_if("agent_id", message.agent_id.as_deref())?;
    if message.injected {
        line.key("injected")?.extend_from_slice(b"true");
    }
    line.extra(&message.extra, &MESSAGE_FIELDS)?;
    Ok(line.end_line())
}

/// A session without its messages as a line.
pub(crate) fn session(session: &Session) -> Result<Vec<u8>> {
    let mut line = Object::line("session")?;
    line.text("id", session.key.id())?;
    line.text_if(
        "agent",
        // A line without it is of a session that was made here.
        Some(session.key.agent()).filter(|agent| *agent != NATIVE),
    )?;
    line.text_if(
        "title",
        Some(session.title.as_str()).filter(|title| !title.is_empty()),
    )?;
    line.text_if("project", session.project.as_deref())?;
    line.text_if("model", session.model.as_deref())?;
    line.text_if("parent", session.parent.as_deref())?;
    if session.forked {
        line.key("forked")?.extend_from_slice(b"true");
    }
    line.time_if("created_at", session.created_at)?;
    line.time_if("updated_at", session.updated_at)?;
    line.extra(&session.extra, &SESSION_FIELDS)?;
    Ok(line.end_line())
}

/// A line that takes back so many before it.
pub(crate) fn taken_back(lines: u64) -> Result<Vec<u8>> {
    let mut line = Object::line("taken_back")?;
    line.key("lines")?
        .extend_from_slice(lines.to_string().as_bytes());
    Ok(line.end_line())
}

/// A JSON object under construction.
struct Object {
    bytes: Vec<u8>,
}

impl Object {
    fn open(bytes: Vec<u8>) -> Self {
        let mut object = Self { bytes };
        object.bytes.push(b'{');
        object
    }

    /// A line with what every line starts with.
    fn line(kind: &str) -> Result<Self> {
        let mut line = Self::open(Vec::with_capacity(256));
        line.key("scrollback")?
            .extend_from_slice(VERSION.as_bytes());
        line.text("type", kind)?;
        Ok(line)
    }

    /// Writes a key; the value goes behind it.
    fn key(&mut self, key: &str) -> Result<&mut Vec<u8>> {
        if !self.bytes.ends_with(b"{") {
            self.bytes.push(b',');
        }
        string(&mut self.bytes, key)?;
        self.bytes.push(b':');
        Ok(&mut self.bytes)
    }

    fn text(&mut self, key: &str, text: &str) -> Result<()> {
        string(self.key(key)?, text)
    }

    fn text_if(&mut self, key: &str, text: Option<&str>) -> Result<()> {
        text.map_or(Ok(()), |text| self.text(key, text))
    }

    fn json(&mut self, key: &str, json: &RawJson) -> Result<()> {
        // A value may have come with line feeds between its tokens, where a space is as good.
        let one_line = json
            .as_str()
            .bytes()
            .map(|byte| if byte == b'\n' { b' ' } else { byte });
        self.key(key)?.extend(one_line);
        Ok(())
    }

    /// RFC 3339 to the microsecond; microseconds since 1970 for years that it cannot write.
    fn time_if(&mut self, key: &str, time: Option<DateTime<Utc>>) -> Result<()> {
        match time {
            Some(time) if (0..=9999).contains(&time.year()) => {
                self.text(key, &time.to_rfc3339_opts(SecondsFormat::Micros, true))
            }
            Some(time) => number(self.key(key)?, &time.timestamp_micros()),
            None => Ok(()),
        }
    }

    /// Fields that the dialect does not know: beside the known ones, or all in `extra` if one of
    /// them has the name of a known field.
    fn extra(&mut self, extra: &[(String, RawJson)], known: &[&str]) -> Result<()> {
        if !extra.iter().any(|(key, _)| known.contains(&key.as_str())) {
            return extra
                .iter()
                .try_for_each(|(key, json)| self.json(key, json));
        }
        self.key("extra")?;
        let mut inner = Self::open(std::mem::take(&mut self.bytes));
        extra
            .iter()
            .try_for_each(|(key, json)| inner.json(key, json))?;
        self.bytes = inner.close();
        Ok(())
    }

    fn close(mut self) -> Vec<u8> {
        self.bytes.push(b'}');
        self.bytes
    }

    fn end_line(self) -> Vec<u8> {
        let mut line = self.close();
        line.push(b'\n');
        line
    }
}

fn string(out: &mut Vec<u8>, text: &str) -> Result<()> {
    serde_json::to_writer(out, text).map_err(|error| Error::InvalidJson {
        reason: error.to_string(),
    })
}

fn number(out: &mut Vec<u8>, number: &dyn std::fmt::Display) -> Result<()> {
    write!(out, "{number}").map_err(|error| Error::InvalidJson {
        reason: error.to_string(),
    })
}

fn blocks(out: &mut Vec<u8>, blocks: &[Block]) -> Result<()> {
    out.push(b'[');
    for (place, one) in blocks.iter().enumerate() {
        if place > 0 {
            out.push(b',');
        }
        let mut object = Object::open(std::mem::take(out));
        block(&mut object, one)?;
        *out = object.close();
    }
    out.push(b']');
    Ok(())
}

fn block(object: &mut Object, block: &Block) -> Result<()> {
    match block {
        Block::Text { text } => {
            object.text("type", "text")?;
            object.text("text", text)
        }
        Block::Thinking { text, signature } => {
            object.text("type", "thinking")?;
            object.text("text", text)?;
            object.text_if("signature", signature.as_deref())
        }
        Block::Image {
            media_type,
            data,
            url,
        } => {
            object.text("type", "image")?;
            object.text_if("media_type", media_type.as_deref())?;
            object.text_if("data", data.as_deref())?;
            object.text_if("url", url.as_deref())
        }
        Block::ToolUse { id, name, input } => {
            object.text("type", "tool_use")?;
            object.text_if("id", id.as_deref())?;
            object.text("name", name)?;
            input
                .as_ref()
                .map_or(Ok(()), |input| object.json("input", input))
        }
        Block::ToolResult {
            id,
            name,
            output,
            is_error,
            images,
        } => {
            object.text("type", "tool_result")?;
            object.text_if("id", id.as_deref())?;
            object.text_if("name", name.as_deref())?;
            object.text("output", output)?;
            if *is_error {
                object.key("is_error")?.extend_from_slice(b"true");
            }
            if images.is_empty() {
                Ok(())
            } else {
                blocks(object.key("images")?, images)
            }
        }
        Block::Other { json } => {
            object.text("type", "other")?;
            object.json("json", json)
        }
    }
}

fn tokens(out: &mut Vec<u8>, usage: Usage) -> Result<()> {
    let mut object = Object::open(std::mem::take(out));
    for (key, count) in [
        ("input_tokens", usage.input_tokens),
        ("output_tokens", usage.output_tokens),
        ("cache_read_tokens", usage.cache_read_tokens),
        ("cache_write_tokens", usage.cache_write_tokens),
    ] {
        number(object.key(key)?, &count)?;
    }
    *out = object.close();
    Ok(())
}
