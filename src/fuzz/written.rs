//! Messages and sessions of any content, written by each dialect that writes, and read back.

use chrono::{DateTime, Utc};

use super::input::Input;
use crate::agents::{self, Dialect};
use crate::model::error::Error;
use crate::model::key::NATIVE;
use crate::model::message::{Block, Message, Role};
use crate::model::raw_json::RawJson;
use crate::model::record::{RecordFlags, RecordKind};
use crate::model::session::Session;

/// Native lines give back the same; those of other dialects are whole lines that are read as
/// messages, and written again as they were.
pub(super) fn run(data: &[u8]) {
    let mut input = Input::new(data);
    let all = agents::all();
    let dialect = all[input.digit() % all.len()];
    let session = input.session(dialect.agent());
    let message = input.message();
    check_meta(dialect, &session);
    check_message(dialect, &session, &message);
}

fn check_message(dialect: &dyn Dialect, session: &Session, message: &Message) {
    let lines = match dialect.write_message(&session.key, message) {
        Ok(lines) => lines,
        Err(Error::Unsupported { .. }) => return,
        Err(error) => panic!("{dialect:?}: {error}"),
    };
    let mut read = Vec::new();
    for line in &lines {
        check_line(dialect, line);
        read.extend(dialect.messages(line));
    }
    if dialect.agent() == NATIVE {
        assert_eq!(read, std::slice::from_ref(message));
        return;
    }
    let mut again = Vec::new();
    for message in &read {
        again.extend(dialect.write_message(&session.key, message).unwrap());
    }
    let reread: Vec<Message> = again
        .iter()
        .flat_map(|line| dialect.messages(line))
        .collect();
    // Not every format has room for a call or a text beside a result: those become lines of their own.
    if message.role != Role::Tool {
        assert_eq!(reread, read, "{dialect:?}");
    }
    for block in &message.content {
        if let Block::Text { text } = block {
            let is_there = read.iter().any(|read| says(read, text));
            assert!(is_there, "{dialect:?} lost {text:?}");
        }
    }
}

fn says(message: &Message, text: &str) -> bool {
    message.plain_text().contains(text)
        || message.content.iter().any(|block| match block {
            Block::ToolResult { output, .. } => output.contains(text),
            _ => false,
        })
}

fn check_meta(dialect: &dyn Dialect, session: &Session) {
    let written = match dialect.write_meta(session, true) {
        Ok(Some(written)) => written,
        // A field may have a type that the agent has no word for.
        Ok(None) | Err(Error::Unsupported { .. } | Error::InvalidJson { .. }) => return,
        Err(error) => panic!("{dialect:?}: {error}"),
    };
    let lines: Vec<&[u8]> = written.split_inclusive(|byte| *byte == b'\n').collect();
    let mut read = Session::new(session.key.clone());
    for line in &lines {
        check_line(dialect, line);
        assert_ne!(dialect.describe(line).header.kind, RecordKind::Message);
        dialect.read_meta(line, &mut read);
    }
    if dialect.agent() == NATIVE {
        assert_eq!(&read, session);
    }
}

fn check_line(dialect: &dyn Dialect, line: &[u8]) {
    let shown = String::from_utf8_lossy(line);
    assert!(line.ends_with(b"\n"), "{dialect:?}: {shown}");
    assert_eq!(
        memchr::memchr_iter(b'\n', line).count(),
        1,
        "{dialect:?}: {shown}"
    );
    let described = dialect.describe(line);
    let flags = described.header.flags;
    assert!(
        !flags.contains(RecordFlags::DAMAGED),
        "{dialect:?}: {shown} {described:?}"
    );
}

/// The message as a native line holds it: its time to the microsecond, and line ends between the
/// tokens of its JSON as spaces.
pub(super) fn on_one_line(message: &Message) -> Message {
    let flat = |json: &mut RawJson| {
        let spaced = json.as_str().replace(['\n', '\r'], " ");
        *json = RawJson::parse(spaced).unwrap();
    };
    let mut message = message.clone();
    message.time = message.time.map(microseconds);
    for block in &mut message.content {
        match block {
            Block::Other { json }
            | Block::ToolUse {
                input: Some(json), ..
            } => flat(json),
            _ => {}
        }
    }
    message.extra.iter_mut().for_each(|(_, json)| flat(json));
    message
}

fn microseconds(time: DateTime<Utc>) -> DateTime<Utc> {
    DateTime::from_timestamp_micros(time.timestamp_micros()).unwrap()
}
