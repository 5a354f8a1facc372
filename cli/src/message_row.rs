//! What `show --json` prints: one object a message, and one a record that carries none.

use std::borrow::Cow;

use scrollback::chrono::{DateTime, Utc};
use scrollback::{Message, Record, RecordKind, Role};
use serde::Serialize;

/// One message, with its record.
#[derive(Debug, Serialize)]
pub(crate) struct MessageRow<'a> {
    sequence: u64,
    kind: RecordKind,
    #[serde(flatten)]
    message: &'a Message,
    line: Option<Cow<'a, str>>,
}

impl<'a> MessageRow<'a> {
    /// The row of a message of a record. Its own time goes before that of the line.
    pub(crate) fn new(
        record: &Record,
        message: &'a mut Message,
        line: Option<Cow<'a, str>>,
    ) -> Self {
        message.time = message.time.or(record.header.time());
        Self {
            sequence: record.sequence,
            kind: record.header.kind,
            message,
            line,
        }
    }
}

/// One record without a message: the fields of a message are there, and empty.
#[derive(Debug, Serialize)]
pub(crate) struct RecordRow<'a> {
    sequence: u64,
    kind: RecordKind,
    role: Option<Role>,
    time: Option<DateTime<Utc>>,
    id: (),
    parent_id: (),
    model: (),
    text: &'static str,
    blocks: [(); 0],
    usage: (),
    line: Option<Cow<'a, str>>,
}

impl<'a> RecordRow<'a> {
    /// The row of a record.
    pub(crate) fn new(record: &Record, line: Option<Cow<'a, str>>) -> Self {
        Self {
            sequence: record.sequence,
            kind: record.header.kind,
            role: record.header.role,
            time: record.header.time(),
            id: (),
            parent_id: (),
            model: (),
            text: "",
            blocks: [],
            usage: (),
            line,
        }
    }
}

#[cfg(test)]
mod tests {
    use scrollback::RecordHeader;

    use super::*;

    #[test]
    fn a_row_has_the_fields_of_its_record_around_those_of_its_message() {
        let mut header = RecordHeader::new(RecordKind::Message);
        header.role = Some(Role::Assistant);
        header.messages = 1;
        header.time_us = Some(0);
        let record = Record::new(3, header, b"{}\n".to_vec());
        let empty = "\"role\":\"assistant\",\"time\":\"1970-01-01T00:00:00Z\",\"id\":null,\
                     \"parent_id\":null,\"model\":null,\"text\":\"\",\"blocks\":[],\"usage\":null";
        let expected = format!("{{\"sequence\":3,\"kind\":\"message\",{empty},\"line\":\"{{}}\"}}");
        let mut message = Message::new(Role::Assistant);
        let row = MessageRow::new(&record, &mut message, Some("{}".into()));
        assert_eq!(serde_json::to_string(&row).unwrap(), expected);
        let row = RecordRow::new(&record, Some("{}".into()));
        assert_eq!(serde_json::to_string(&row).unwrap(), expected);
    }
}
