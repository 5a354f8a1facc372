//! Every dialect on any bytes as a line and as the head of a file.

use std::path::Path;

use serde_json::value::RawValue;

use super::input::Input;
use crate::agents::{self, Candidate, Dialect};
use crate::json::{Ends, Json};
use crate::model::key::{NATIVE, SessionKey};
use crate::model::limits::LINE_MESSAGES_MAX;
use crate::model::message::Message;
use crate::model::record::{RecordFlags, RecordKind, RecordView};
use crate::model::session::Session;

/// One of the paths that agents tell their files by.
pub(super) fn place(number: usize) -> &'static Path {
    let paths = || agents::all().iter().flat_map(|agent| agent.samples().paths);
    let path = paths().nth(number % paths().count());
    Path::new(path.expect("agents have samples"))
}

/// No panic, the same answer twice, also with notes of where values end, as many messages as the
/// header says, and what `serde_json` says of what is JSON.
pub(super) fn run(data: &[u8]) {
    let mut input = Input::new(data);
    let which = input.digit();
    let line = input.rest();
    // This crate's reader checks JSON itself: it has to take what others take, and nothing else.
    if let Ok(text) = std::str::from_utf8(line) {
        let json = serde_json::from_str::<&RawValue>(text).ok();
        let checked = Json::checked(text).map(|(json, _)| json.get());
        assert_eq!(checked, json.map(RawValue::get));
    }
    let all = agents::all();
    match all.get(which) {
        Some(dialect) => check(*dialect, line),
        None => all.iter().for_each(|dialect| check(*dialect, line)),
    }
    let path = place(which);
    let candidate = Candidate::new(path, line).beside(Some(line));
    let found = agents::recognise(&candidate).map(Dialect::agent);
    assert_eq!(agents::recognise(&candidate).map(Dialect::agent), found);
}

fn check(dialect: &dyn Dialect, line: &[u8]) {
    let described = dialect.describe(line);
    let mut ends = Ends::default();
    // Notes save time in later reads, and must not change what is read.
    assert_eq!(dialect.describe_with(line, Some(&mut ends)), described);
    let header = described.header;
    let messages = dialect.messages(line);
    assert_eq!(header.messages as usize, messages.len(), "{dialect:?}");
    assert!(messages.len() <= LINE_MESSAGES_MAX);
    assert_eq!(
        header.kind == RecordKind::Message,
        !messages.is_empty(),
        "{dialect:?}"
    );
    let record = RecordView {
        sequence: 0,
        header,
        line,
    };
    // A read of stored records goes by the header, and skips what that says has no message.
    assert_eq!(dialect.stored_messages(record), messages, "{dialect:?}");
    let damaged = header.flags.contains(RecordFlags::DAMAGED);
    assert!(
        damaged || header.kind != RecordKind::Malformed,
        "{dialect:?}"
    );
    let flagged = damaged || header.flags.contains(RecordFlags::LOSSY);
    assert_eq!(described.problem.is_some(), flagged, "{dialect:?}");
    let facts = &described.facts;
    for time in [header.time_us, facts.created_us, facts.updated_us]
        .into_iter()
        .flatten()
    {
        // A summary row with such a time could be written, and never be listed again.
        let readable = chrono::DateTime::from_timestamp_micros(time);
        assert!(
            readable.is_some(),
            "{dialect:?}: a row with time {time} could not be read"
        );
    }
    // A file may have been saved with the line ends of Windows.
    let terminated = [line.strip_suffix(b"\n").unwrap_or(line), b"\r\n"].concat();
    assert_eq!(
        dialect.describe(&terminated).header.messages,
        header.messages,
        "{dialect:?}"
    );

    let key = SessionKey::new(dialect.agent(), "s").unwrap();
    let mut session = Session::new(key);
    dialect.read_meta(line, &mut session);
    // A line may hold thousands, and each costs a write and a read.
    for message in messages.iter().take(8) {
        written_as_native(message);
    }
    let path = place(line.len());
    let candidate = Candidate::new(path, line);
    assert!(!dialect.session_id(&candidate).is_empty());
    assert_eq!(dialect.recognise(&candidate), dialect.recognise(&candidate));
    assert_eq!(dialect.project(&candidate), dialect.project(&candidate));
}

/// What was read of any dialect can be kept as native lines without a loss.
fn written_as_native(message: &Message) {
    let native = agents::named(NATIVE).unwrap();
    let key = SessionKey::native("s").unwrap();
    let lines = native.write_message(&key, message).unwrap();
    let read: Vec<Message> = lines
        .iter()
        .flat_map(|line| native.messages(line))
        .collect();
    assert_eq!(read.len(), 1);
    assert_eq!(
        super::written::on_one_line(&read[0]),
        super::written::on_one_line(message)
    );
}
