//! Lines that are made here of what an agent keeps in another form: the rows of a database, the members of a
//! document. One rule for all of them:
//!
//! `{"agent":"A","kind":"K","entry":{..}}`
//!
//! `agent` is whose it is, `kind` which table or member of a document it comes from ([`SESSION`] for what is
//! said of the session as a whole), `entry` is what stands there. So a line says by itself whose it is,
//! wherever an export has put it.

use std::borrow::Cow;

use super::compact::{object, string};
use super::fields::{fields_of, text, text_filled};
use super::heads::HeadLine;
use super::lines::{Format, Reading};
use crate::json::Json;
use crate::model::links::{Answer, id_hash};
use crate::model::message::{Message, Role, Usage};
use crate::model::record::RecordKind;

/// The kind of the lines about a session: the first, with what never changes, and the last, with what does.
pub(crate) const SESSION: &str = "session";

/// What such a line holds.
pub(crate) struct Entry<'a> {
    /// The table, or the member of a document.
    pub kind: Cow<'a, str>,
    /// What stands there.
    pub entry: Json<'a>,
}

/// A line, with its `\n`, of an entry that is JSON on one line.
pub(crate) fn line(agent: &str, kind: &str, entry: &str) -> Vec<u8> {
    let (agent, kind) = (string(agent), string(kind));
    let fields = [("agent", &*agent), ("kind", &*kind), ("entry", entry)];
    (object(fields) + "\n").into_bytes()
}

/// What an agent's line holds; `None` if it is none.
pub(crate) fn of<'a>(agent: &str, object: Json<'a>) -> Option<Entry<'a>> {
    let [owner, kind, entry] = fields_of(Some(object), &["agent", "kind", "entry"]);
    if text(owner)? != agent {
        return None;
    }
    Some(Entry {
        kind: text(kind)?,
        entry: entry?,
    })
}

/// What a session took as a whole, where nothing tells its answers apart.
pub(crate) fn taken(agent: &str, id: Option<Json<'_>>, usage: Option<Usage>) -> Option<Answer> {
    let id = text(id)?;
    Some(Answer {
        key: id_hash(&format!("{agent} {id}")),
        usage: usage?,
    })
}

/// The format of an agent all of whose lines are such lines.
pub(crate) trait EntryFormat {
    /// The agent's name.
    const AGENT: &'static str;

    /// The kinds of its messages. What is of another kind is an event.
    const SAID: &'static [&'static str];

    /// Reads what is said of a session as a whole.
    fn session(about: Json<'_>) -> Reading<'_>;

    /// Reads an entry of one of the kinds of messages.
    fn said<'a>(entry: &Entry<'a>) -> Reading<'a>;

    /// The messages of such an entry, as many as its reading says.
    fn messages(entry: &Entry<'_>) -> Vec<Message>;

    /// What the session took, by what is said of it as a whole.
    fn usage(_about: Json<'_>) -> Option<Usage> {
        None
    }
}

impl<F: EntryFormat> Format for F {
    fn read<'a>(&self, object: Json<'a>) -> Reading<'a> {
        match of(F::AGENT, object) {
            None => Reading::of(RecordKind::Unknown),
            Some(entry) if entry.kind == SESSION => F::session(entry.entry),
            Some(entry) if F::SAID.contains(&&*entry.kind) => F::said(&entry),
            Some(_) => Reading::of(RecordKind::Event),
        }
    }

    fn message(&self, object: Json<'_>) -> Message {
        let mut all = self.every_message(object).into_iter();
        all.next().unwrap_or_else(|| Message::new(Role::Other))
    }

    fn about(&self, object: Json<'_>) -> Option<Message> {
        let entry = of(F::AGENT, object).filter(|entry| entry.kind == SESSION)?;
        about(F::usage(entry.entry))
    }

    fn every_message(&self, object: Json<'_>) -> Vec<Message> {
        of(F::AGENT, object).map_or_else(Vec::new, |entry| F::messages(&entry))
    }
}

/// What a line about a session says of itself: what the session took.
pub(crate) fn about(usage: Option<Usage>) -> Option<Message> {
    Some(Message {
        usage: Some(usage?),
        ..Message::new(Role::Other)
    })
}

/// Whether a line, perhaps cut off, is such a line of the agent.
pub(crate) fn is_line(agent: &str, line: &HeadLine<'_>) -> bool {
    let [owner, kind] = line.fields(&["agent", "kind"]);
    text(owner).is_some_and(|owner| owner == agent) && text(kind).is_some()
}

/// The id of the session in a file of such lines: one of these fields of what is said of the session.
pub(crate) fn session_id<'l, 'a: 'l>(
    agent: &str,
    mut lines: impl Iterator<Item = &'l HeadLine<'a>>,
    fields: &[&str],
) -> Option<String> {
    lines.find_map(|line| {
        let [owner, kind, entry] = line.fields(&["agent", "kind", "entry"]);
        if text(owner)? != agent || text(kind)? != SESSION {
            return None;
        }
        fields.iter().find_map(|field| {
            let [id] = fields_of(entry, &[*field]);
            text_filled(id).map(Cow::into_owned)
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::agents::parts::fields::object_in;

    #[test]
    fn a_line_says_whose_it_is_and_what_it_holds() {
        let line = line("pebble", "messages", r#"{"a":1}"#);
        let text = std::str::from_utf8(&line).unwrap();
        assert_eq!(
            text,
            "{\"agent\":\"pebble\",\"kind\":\"messages\",\"entry\":{\"a\":1}}\n"
        );
        let object = object_in(text.trim_end()).unwrap();
        let entry = of("pebble", object).unwrap();
        assert_eq!(
            (&*entry.kind, entry.entry.get()),
            ("messages", r#"{"a":1}"#)
        );
        assert!(of("other", object).is_none());
        let starts = |end: usize| HeadLine::of(&text.as_bytes()[..end]);
        let whole = starts(text.len());
        assert!(is_line("pebble", &whole) && !is_line("other", &whole));
        assert!(is_line("pebble", &starts(40)));
        assert!(!is_line("pebble", &starts(20)));
    }

    #[test]
    fn the_line_about_the_session_has_its_id() {
        let lines = [
            line("pebble", "messages", r#"{"id":"m"}"#),
            line("pebble", SESSION, r#"{"key":"","id":"s"}"#),
        ];
        let id = |agent: &str, fields: &[&str]| {
            let lines: Vec<_> = lines.iter().map(|line| HeadLine::of(line)).collect();
            session_id(agent, lines.iter(), fields)
        };
        assert_eq!(id("pebble", &["key", "id"]).as_deref(), Some("s"));
        assert_eq!(id("pebble", &["key"]), None);
        assert_eq!(id("pebble", &[]), None);
        assert_eq!(id("other", &["key", "id"]), None);
    }
}
