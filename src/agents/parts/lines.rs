//! From a line to what it says, for every dialect: white space, byte order marks, bad UTF-8 and
//! damage are dealt with here, so that a format sees one JSON object at a time.
//!
//! Invariant: a line has as many messages in [`describe`] as in [`messages`], because both ask
//! [`Format::read`] which objects are messages.

use std::borrow::Cow;

use super::values::{self, Split};
use crate::agents::described::{Described, Facts, TitleOffer};
use crate::json::string;
use crate::json::{Ends, Json};
use crate::model::limits::LINE_MESSAGES_MAX;
use crate::model::message::{Message, Role};
use crate::model::record::{RecordFlags, RecordHeader, RecordKind, RecordView};

/// What is wrong with a line of which bytes were replaced.
const NOT_UTF8: &str = "not valid UTF-8, read with replacement characters";

/// What is wrong with a line that has half of a surrogate pair.
const NOT_UNICODE: &str = "an escape that is not Unicode, read with a replacement character";

/// What one JSON object says, as far as a header tells it.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Reading<'a> {
    /// What it is.
    pub kind: RecordKind,
    /// Who speaks, in a message.
    pub role: Option<Role>,
    /// The time that it states, in microseconds since 1970.
    pub time_us: Option<i64>,
    /// How many messages it holds if it is one: several only where an agent writes a whole turn or a
    /// whole conversation on one line.
    pub messages: usize,
    /// What it tells of the session.
    pub facts: Facts<'a>,
}

impl<'a> Reading<'a> {
    /// Of this kind, and nothing more known.
    pub(crate) fn of(kind: RecordKind) -> Self {
        Self {
            kind,
            role: None,
            time_us: None,
            messages: 1,
            facts: Facts::default(),
        }
    }

    /// Of what is said about the session.
    pub(crate) fn meta(facts: Facts<'a>) -> Self {
        Self {
            facts,
            ..Self::of(RecordKind::Meta)
        }
    }

    /// Of a message, and nothing more known.
    pub(crate) fn said(role: Role) -> Self {
        Self {
            role: Some(role),
            ..Self::of(RecordKind::Message)
        }
    }
}

/// What a dialect says of one JSON object.
pub(crate) trait Format {
    /// Reads an object.
    fn read<'a>(&self, object: Json<'a>) -> Reading<'a>;

    /// The message of an object that [`read`](Self::read) calls a message.
    fn message(&self, object: Json<'_>) -> Message;

    /// What an object without messages says of itself, in the fields of a message without content: its
    /// id, its tokens. `None` if it says nothing of the kind.
    fn about(&self, _object: Json<'_>) -> Option<Message> {
        None
    }

    /// All messages of such an object, as many as its [`Reading`] says.
    fn every_message(&self, object: Json<'_>) -> Vec<Message> {
        vec![self.message(object)]
    }
}

/// What a line without messages says of itself; see
/// [`Dialect::about_line`](crate::agents::dialect::Dialect::about_line).
pub(crate) fn about(format: &(impl Format + ?Sized), line: &[u8]) -> Option<Message> {
    let text = text_of(line);
    let (object, _) = object(body(&text), None)?;
    format.about(object)
}

/// Describes a line; see [`Dialect::describe`](crate::agents::dialect::Dialect::describe). With room for notes of
/// where values end they are found faster.
pub(crate) fn describe<'a>(
    format: &(impl Format + ?Sized),
    line: &'a [u8],
    ends: Option<&'a mut Ends>,
) -> Described<'a> {
    if let Ok(text) = std::str::from_utf8(line) {
        return describe_text(format, text, ends);
    }
    let text = String::from_utf8_lossy(line);
    let described = describe_text(format, &text, None);
    let header = described.header;
    Described {
        header: RecordHeader {
            flags: header.flags.with(RecordFlags::LOSSY),
            ..header
        },
        // They borrow from the text with replaced bytes, which ends here.
        facts: described.facts.into_owned(),
        problem: described.problem.or_else(|| Some(NOT_UTF8.to_owned())),
    }
}

/// The messages of a line; see [`Dialect::messages`](crate::agents::dialect::Dialect::messages).
pub(crate) fn messages(format: &(impl Format + ?Sized), line: &[u8]) -> Vec<Message> {
    let text = text_of(line);
    let body = body(&text);
    let is_message = |reading: Reading<'_>| reading.kind == RecordKind::Message;
    if let Some((object, _)) = object(body, None) {
        let mut messages = if is_message(format.read(object)) {
            format.every_message(object)
        } else {
            Vec::new()
        };
        // As many as `describe` counts, or a message's number would lead to another one.
        messages.truncate(LINE_MESSAGES_MAX);
        return messages;
    }
    let split = values::split(body);
    known(format, &split)
        .into_iter()
        .filter(|(_, reading)| reading.kind == RecordKind::Message)
        .flat_map(|(object, _)| format.every_message(object))
        .take(LINE_MESSAGES_MAX)
        .collect()
}

/// The messages of a stored record; see
/// [`Dialect::stored_messages`](crate::agents::dialect::Dialect::stored_messages).
pub(crate) fn stored_messages(
    format: &(impl Format + ?Sized),
    record: RecordView<'_>,
) -> Vec<Message> {
    let RecordHeader { kind, flags, .. } = record.header;
    let is_whole = kind == RecordKind::Message
        && !flags.contains(RecordFlags::DAMAGED)
        && !flags.contains(RecordFlags::LOSSY);
    match std::str::from_utf8(record.line) {
        // The header says what `describe` has found: one object, and a message.
        Ok(text) if is_whole => {
            let mut messages = format.every_message(Json::delimited(body(text)));
            messages.truncate(LINE_MESSAGES_MAX);
            messages
        }
        _ => messages(format, record.line),
    }
}

/// A line as text. Most lines are, and to see that is faster than to look for what is not.
fn text_of(line: &[u8]) -> Cow<'_, str> {
    match std::str::from_utf8(line) {
        Ok(text) => Cow::Borrowed(text),
        Err(_) => String::from_utf8_lossy(line),
    }
}

/// The one object that a line is, and whether it holds half of a surrogate pair.
fn object<'a>(body: &'a str, ends: Option<&'a mut Ends>) -> Option<(Json<'a>, bool)> {
    // A line that starts otherwise need not be read.
    if !body.starts_with('{') {
        return None;
    }
    match ends {
        Some(ends) => Json::noted(body, ends),
        None => Json::checked(body),
    }
}

/// The line without byte order mark, terminator and white space around it.
pub(crate) fn body(text: &str) -> &str {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    text.trim_matches([' ', '\t', '\r', '\n'])
}

fn describe_text<'a>(
    format: &(impl Format + ?Sized),
    text: &'a str,
    ends: Option<&'a mut Ends>,
) -> Described<'a> {
    let body = body(text);
    let no_flags = RecordFlags::default();
    if body.is_empty() {
        return described(Reading::of(RecordKind::Blank), 0, no_flags, None);
    }
    let flags = |is_lossy: bool| {
        if is_lossy {
            RecordFlags::LOSSY
        } else {
            no_flags
        }
    };
    if let Some((object, is_lossy)) = object(body, ends) {
        let reading = format.read(object);
        let messages = counted(&reading);
        let problem = is_lossy.then(|| NOT_UNICODE.to_owned());
        return described(reading, count(messages), flags(is_lossy), problem);
    }
    // Several objects, or a damaged one: what can be read of the line is, and the rest is told.
    let flags = flags(string::has_lone_surrogate(body));
    let split = values::split(body);
    let known = known(format, &split);
    // Places in the problem are counted from the start of the line, marks and white space with it.
    let before = text.len()
        - text
            .trim_start_matches(['\u{feff}', ' ', '\t', '\r', '\n'])
            .len();
    let problem = split.problem(known.len(), before);
    let mut all = Reading::of(RecordKind::Malformed);
    let mut messages = 0;
    for (_, reading) in known {
        messages += counted(&reading);
        join(&mut all, reading);
    }
    described(
        all,
        count(messages),
        flags.with(RecordFlags::DAMAGED),
        Some(problem),
    )
}

/// The messages of one object.
fn counted(reading: &Reading<'_>) -> usize {
    if reading.kind == RecordKind::Message {
        reading.messages
    } else {
        0
    }
}

/// A number of messages as a header has it.
fn count(messages: usize) -> u32 {
    u32::try_from(messages.min(LINE_MESSAGES_MAX)).unwrap_or(u32::MAX)
}

fn described(
    reading: Reading<'_>,
    messages: u32,
    flags: RecordFlags,
    problem: Option<String>,
) -> Described<'_> {
    let Reading {
        kind,
        role,
        time_us,
        messages: _,
        facts,
    } = reading;
    Described {
        header: RecordHeader {
            kind,
            role,
            flags,
            messages,
            time_us,
        },
        facts,
        problem,
    }
}

/// The objects of a damaged line that are records, with what they say.
fn known<'a>(format: &(impl Format + ?Sized), split: &Split<'a>) -> Vec<(Json<'a>, Reading<'a>)> {
    split
        .values
        .iter()
        .map(|value| (value, format.read(value.object)))
        .filter(|(value, reading)| value.certain || reading.kind != RecordKind::Unknown)
        .map(|(value, reading)| (value.object, reading))
        .collect()
}

/// Adds what one more object of the line says: the line is of the weightiest kind among them.
fn join<'a>(all: &mut Reading<'a>, more: Reading<'a>) {
    if weight(more.kind) > weight(all.kind) {
        all.kind = more.kind;
    }
    all.role = all.role.or(more.role);
    all.time_us = all.time_us.or(more.time_us);
    all.facts.join(more.facts);
}

fn weight(kind: RecordKind) -> u8 {
    match kind {
        RecordKind::Message => 5,
        RecordKind::Meta => 4,
        RecordKind::Event => 3,
        RecordKind::Unknown => 2,
        RecordKind::Malformed => 1,
        RecordKind::Blank => 0,
    }
}

impl<'a> Facts<'a> {
    /// Adds the facts of a further object of the same line.
    fn join(&mut self, more: Self) {
        self.created_us = self.created_us.or(more.created_us);
        self.updated_us = self.updated_us.max(more.updated_us);
        // The first folder that a line states holds, unless a later one says that the session
        // moved.
        if more.moved || self.project.is_none() {
            self.project = more.project.or(self.project.take());
            self.moved |= more.moved;
        }
        self.model = more.model.or(self.model.take());
        self.branch = more.branch.or(self.branch.take());
        if self.parent.is_none() {
            (self.parent, self.child) = (more.parent, more.child);
            self.subagent = more.subagent;
        }
        self.archived = more.archived.or(self.archived);
        self.record_id = more.record_id.or(self.record_id.take());
        self.session = self.session.take().or(more.session);
        self.replaces |= more.replaces;
        self.title = match (self.title.take(), more.title) {
            (Some(first), Some(second)) if second.beats(&first) => Some(second),
            (first, second) => first.or(second),
        };
    }

    /// The same facts, borrowing nothing.
    fn into_owned(self) -> Facts<'static> {
        let owned = |text: Option<Cow<'a, str>>| text.map(|text| Cow::Owned(text.into_owned()));
        Facts {
            created_us: self.created_us,
            updated_us: self.updated_us,
            project: owned(self.project),
            moved: self.moved,
            title: self.title.map(|title| TitleOffer {
                text: Cow::Owned(title.text.into_owned()),
                rank: title.rank,
                latest_wins: title.latest_wins,
                about: owned(title.about),
                session: owned(title.session),
            }),
            model: owned(self.model),
            branch: owned(self.branch),
            parent: owned(self.parent),
            child: owned(self.child),
            subagent: self.subagent,
            archived: self.archived,
            record_id: owned(self.record_id),
            session: owned(self.session),
            links: self.links,
            replaces: self.replaces,
        }
    }
}

impl TitleOffer<'_> {
    /// Whether this offer replaces an earlier one.
    fn beats(&self, earlier: &Self) -> bool {
        self.rank > earlier.rank || (self.rank == earlier.rank && self.latest_wins)
    }
}
