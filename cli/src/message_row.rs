//! What `show --json` prints: one object a message, and one a record that carries none.

use std::borrow::Cow;

use scrollback::chrono::{DateTime, Utc};
use scrollback::{Message, RecordHeader, RecordKind, Role, Shown, Summary, Usage};
use serde::Serialize;

/// One message, with its record.
#[derive(Debug, Serialize)]
pub(crate) struct MessageRow<'a> {
    sequence: u64,
    kind: RecordKind,
    /// A message has a row where it is shown.
    shown_at: Option<u64>,
    #[serde(flatten)]
    message: &'a Message,
    /// Ids of the sub-agents that were started behind it, and before the next message.
    subagents: Vec<&'a str>,
    line: Option<Cow<'a, str>>,
}

impl<'a> MessageRow<'a> {
    /// The row of a message of a record. Its own time goes before that of the line.
    pub(crate) fn new(
        (sequence, header): (u64, RecordHeader),
        message: &'a mut Message,
        line: Option<Cow<'a, str>>,
    ) -> Self {
        message.time = message.time.or(header.time());
        Self {
            sequence,
            kind: header.kind,
            shown_at: None,
            message,
            subagents: Vec::new(),
            line,
        }
    }

    /// The same with the sub-agents that were started there.
    pub(crate) fn with_subagents(mut self, started: &'a [Summary]) -> Self {
        self.subagents = started.iter().map(|session| session.key.id()).collect();
        self
    }
}

/// One record without a message at its place: the fields of a message are there, and empty but for
/// what its line says of itself.
#[derive(Debug, Serialize)]
pub(crate) struct RecordRow<'a> {
    sequence: Option<u64>,
    kind: RecordKind,
    /// Where its message is shown.
    shown_at: Option<u64>,
    role: Option<Role>,
    time: Option<DateTime<Utc>>,
    id: Option<String>,
    parent_id: Option<String>,
    answer_id: Option<String>,
    agent_id: Option<String>,
    model: Option<String>,
    live: bool,
    injected: bool,
    text: &'static str,
    tool_text: &'static str,
    blocks: [(); 0],
    usage: Option<Usage>,
    subagents: [(); 0],
    line: Option<Cow<'a, str>>,
}

impl<'a> RecordRow<'a> {
    /// The row of a record.
    pub(crate) fn new(shown: &Shown, line: Option<Cow<'a, str>>) -> Self {
        let header = shown.record.header;
        let about = shown.about.clone();
        let about = about.unwrap_or_else(|| Message::new(Role::Other));
        Self {
            sequence: Some(shown.record.sequence),
            // A line of which the message is shown elsewhere says nothing here.
            kind: match shown.shown_at {
                Some(_) => RecordKind::Event,
                None => header.kind,
            },
            shown_at: shown.shown_at,
            role: header.role,
            time: header.time(),
            id: about.id,
            parent_id: about.parent_id,
            answer_id: about.answer_id,
            agent_id: about.agent_id,
            model: about.model,
            live: shown.live,
            injected: about.injected,
            text: "",
            tool_text: "",
            blocks: [],
            usage: about.usage,
            subagents: [],
            line,
        }
    }

    /// The row of a file beside the lines that says what the session took.
    pub(crate) fn beside(usage: Usage) -> Self {
        Self {
            sequence: None,
            kind: RecordKind::Event,
            shown_at: None,
            role: None,
            time: None,
            id: None,
            parent_id: None,
            answer_id: None,
            agent_id: None,
            model: None,
            live: true,
            injected: false,
            text: "",
            tool_text: "",
            blocks: [],
            usage: Some(usage),
            subagents: [],
            line: None,
        }
    }
}

#[cfg(test)]
mod tests {
    use scrollback::{
        Expect, MemoryStore, NewRecord, ScanQuery, SessionKey, Store as _, StoreExt as _,
    };

    use super::*;

    #[test]
    fn a_row_has_the_fields_of_its_record_around_those_of_its_message() {
        let store = MemoryStore::default();
        let key = SessionKey::new("gemini", "s").unwrap();
        let lines = [
            r#"{"id":"m","type":"user","content":"hi","timestamp":"1970-01-01T00:00:00Z"}"#,
            r#"{"id":"m","type":"user","content":"ho","timestamp":"1970-01-01T00:00:00Z"}"#,
        ];
        let lines = lines.map(NewRecord::line);
        store.append(&key, Expect::Any, None, &lines).unwrap();
        let shown: Vec<Shown> = store
            .view(&key, ScanQuery::default())
            .map(Result::unwrap)
            .collect();
        let mut message = shown[0].messages[0].clone();
        let record = (shown[0].record.sequence, shown[0].record.header);
        let row = MessageRow::new(record, &mut message, Some("{}".into()));
        let time = "\"role\":\"user\",\"time\":\"1970-01-01T00:00:00Z\"";
        let ids = "\"parent_id\":null,\"answer_id\":null,\"agent_id\":null,\"model\":null,\
                   \"live\":true,\"injected\":false";
        let end = "\"usage\":null,\"subagents\":[],\"line\":\"{}\"}";
        assert_eq!(
            serde_json::to_string(&row).unwrap(),
            format!(
                "{{\"sequence\":0,\"kind\":\"message\",\"shown_at\":null,{time},\"id\":\"m\",{ids},\"text\":\"ho\",\
                 \"tool_text\":\"\",\"blocks\":[{{\"type\":\"text\",\"text\":\"ho\"}}],{end}"
            )
        );
        let row = RecordRow::new(&shown[1], Some("{}".into()));
        assert_eq!(
            serde_json::to_string(&row).unwrap(),
            format!(
                "{{\"sequence\":1,\"kind\":\"event\",\"shown_at\":0,{time},\"id\":null,{ids},\
                 \"text\":\"\",\"tool_text\":\"\",\"blocks\":[],{end}"
            )
        );
    }
}
