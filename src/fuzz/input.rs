//! Values made of any bytes: texts, JSON, messages, sessions. Out of bytes, they are empty.

use chrono::{DateTime, Utc};

use super::words::{FIELDS, VALUES};
use crate::model::key::SessionKey;
use crate::model::message::{Block, Message, Role, Usage};
use crate::model::raw_json::RawJson;
use crate::model::record::{RecordFlags, RecordHeader, RecordKind};
use crate::model::session::{Session, Summary};

/// Bytes that values are taken from.
#[derive(Debug)]
pub(super) struct Input<'a>(&'a [u8]);

impl<'a> Input<'a> {
    /// Takes from these bytes.
    pub(super) fn new(bytes: &'a [u8]) -> Self {
        Self(bytes)
    }

    /// Whether there are bytes left.
    pub(super) fn is_left(&self) -> bool {
        !self.0.is_empty()
    }

    /// What is left.
    pub(super) fn rest(&self) -> &'a [u8] {
        self.0
    }

    /// A byte; 0 at the end.
    pub(super) fn byte(&mut self) -> u8 {
        let (first, rest) = self.0.split_first().unwrap_or((&0, &[]));
        self.0 = rest;
        *first
    }

    /// A byte as a number, of which `0` is the first: stored inputs can be read so.
    pub(super) fn digit(&mut self) -> usize {
        usize::from(self.byte().wrapping_sub(b'0'))
    }

    /// Up to `length` bytes.
    pub(super) fn bytes(&mut self, length: usize) -> &'a [u8] {
        let (taken, rest) = self.0.split_at(length.min(self.0.len()));
        self.0 = rest;
        taken
    }

    /// A number.
    pub(super) fn number(&mut self) -> u64 {
        let mut bytes = [0; 8];
        let size = [1, 2, 4, 8][usize::from(self.byte() % 4)];
        let taken = self.bytes(size);
        bytes[..taken.len()].copy_from_slice(taken);
        u64::from_le_bytes(bytes)
    }

    /// A text of bytes up to the next 0xff, or of a word.
    pub(super) fn text(&mut self) -> String {
        match self.byte() {
            0 => String::new(),
            1 => FIELDS[usize::from(self.byte()) % FIELDS.len()].to_owned(),
            _ => {
                let length = self.0.iter().position(|byte| *byte == 0xff);
                let text = self.bytes(length.unwrap_or(self.0.len()));
                self.byte();
                String::from_utf8_lossy(text).into_owned()
            }
        }
    }

    fn maybe<T>(&mut self, of: impl FnOnce(&mut Self) -> T) -> Option<T> {
        (!self.byte().is_multiple_of(3)).then(|| of(self))
    }

    fn list<T>(&mut self, mut of: impl FnMut(&mut Self) -> T) -> Vec<T> {
        let count = self.byte() % 4;
        (0..count).map(|_| of(self)).collect()
    }

    /// JSON on one line.
    pub(super) fn json(&mut self) -> RawJson {
        if self.byte().is_multiple_of(2) {
            let value = VALUES[usize::from(self.byte()) % VALUES.len()];
            return RawJson::parse(value).unwrap();
        }
        let text = self.text();
        RawJson::parse(&*text).unwrap_or_else(|_| RawJson::from_value(&text).unwrap())
    }

    /// A time, from before year 0 to after 9999.
    pub(super) fn time(&mut self) -> DateTime<Utc> {
        let number = i64::from_le_bytes(self.number().to_le_bytes());
        DateTime::from_timestamp_micros(number).unwrap_or_default()
    }

    fn image(&mut self) -> Block {
        Block::Image {
            media_type: self.maybe(Self::text),
            data: self.maybe(Self::text),
            url: self.maybe(Self::text),
        }
    }

    fn block(&mut self) -> Block {
        match self.byte() % 6 {
            0 => Block::Text { text: self.text() },
            1 => Block::Thinking {
                text: self.text(),
                signature: self.maybe(Self::text),
            },
            2 => self.image(),
            3 => Block::ToolUse {
                id: self.maybe(Self::text),
                name: self.text(),
                input: self.maybe(Self::json),
            },
            4 => Block::ToolResult {
                id: self.maybe(Self::text),
                name: self.maybe(Self::text),
                output: self.text(),
                is_error: self.byte() % 2 == 1,
                images: self.list(Self::image),
            },
            _ => Block::Other { json: self.json() },
        }
    }

    fn extra(&mut self) -> Vec<(String, RawJson)> {
        self.list(|input| (input.text(), input.json()))
    }

    /// A message.
    pub(super) fn message(&mut self) -> Message {
        let role = [
            Role::User,
            Role::Assistant,
            Role::System,
            Role::Tool,
            Role::Other,
        ];
        Message {
            role: role[usize::from(self.byte()) % role.len()],
            content: self.list(Self::block),
            id: self.maybe(Self::text),
            parent_id: self.maybe(Self::text),
            time: self.maybe(Self::time),
            model: self.maybe(Self::text),
            usage: self.maybe(|input| Usage {
                input_tokens: input.number(),
                output_tokens: input.number(),
                cache_read_tokens: input.number(),
                cache_write_tokens: input.number(),
            }),
            answer_id: self.maybe(Self::text),
            agent_id: self.maybe(Self::text),
            injected: self.digit() == 1,
            live: true,
            extra: self.extra(),
        }
    }

    /// A session without messages, of an agent.
    pub(super) fn session(&mut self, agent: &str) -> Session {
        let key = SessionKey::new(agent, self.text());
        let key = key.unwrap_or_else(|_| SessionKey::new(agent, "s").unwrap());
        Session {
            title: self.text(),
            project: self.maybe(Self::text),
            model: self.maybe(Self::text),
            parent: self.maybe(Self::text),
            forked: self.byte() % 2 == 1,
            created_at: self.maybe(Self::time),
            updated_at: self.maybe(Self::time),
            extra: self.extra(),
            ..Session::new(key)
        }
    }

    /// A summary, of an agent.
    pub(super) fn summary(&mut self, agent: &str) -> Summary {
        let session = self.session(agent);
        Summary {
            key: session.key,
            number: self.number(),
            project: session.project,
            title: session.title,
            created_at: session.created_at.unwrap_or_default(),
            updated_at: session.updated_at.unwrap_or_default(),
            written_at: session.created_at,
            message_count: self.number(),
            hidden_count: self.number(),
            record_count: self.number(),
            bytes: self.number(),
            malformed_count: 0,
            attachment_count: 0,
            mark: self.number(),
            next_sequence: self.number(),
            contents: 1,
            model: session.model,
            branch: None,
            parent: session.parent,
            pinned: false,
            archived: false,
            archived_by_agent: false,
            subagent: false,
            subagents: 0,
        }
    }

    /// What is known of a record.
    pub(super) fn header(&mut self) -> RecordHeader {
        RecordHeader {
            kind: RecordKind::from_code(self.byte() % 6).unwrap(),
            role: Role::from_code(self.byte() % 7),
            flags: RecordFlags::from_bits(self.byte()),
            messages: u32::from(self.byte()),
            time_us: self.maybe(|input| input.time().timestamp_micros()),
        }
    }
}
