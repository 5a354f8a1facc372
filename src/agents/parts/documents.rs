//! Sessions that are one JSON document, as lines: what never changes of the document is the first line, each
//! of its messages one, and what changes with every content the last.
//!
//! Lines are those of [`entries`]. A document that has grown gives the lines that it gave before and more
//! behind them, so that an import adds the new ones alone.

use super::compact::{compact, object};
use super::entries::{self, SESSION};
use super::fields::{elements, entries_in, fields};
use super::lines::body;
use crate::agents::document::DocumentLines;
use crate::json::Json;

/// What an agent's documents look like.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Shape {
    /// The agent.
    pub agent: &'static str,
    /// The member that holds the messages, a list.
    pub messages: &'static str,
    /// The kind of their lines.
    pub kind: &'static str,
    /// The member with the id, which stands in the first line and in the last.
    pub id: &'static str,
    /// Members that never change in the life of a session.
    pub first: &'static [&'static str],
    /// Members that are not looked at: large, and no part of the talk.
    pub left_out: &'static [&'static str],
}

impl Shape {
    /// The messages of a document as they stand in it; `None` if it is not a whole one.
    pub(crate) fn messages<'t>(&self, text: &'t str) -> Option<Vec<Json<'t>>> {
        let [messages] = fields(body(text), &[self.messages]).ok()?;
        list(messages?)
    }

    /// The lines of a document; `None` if it is not a whole one.
    pub(crate) fn lines(&self, bytes: &[u8]) -> Option<DocumentLines> {
        self.lines_with(bytes, |messages| {
            let each = messages.iter();
            each.map(|message| compact(message.get())).collect()
        })
    }

    /// The same, where not every message goes into its line as it stands: `made` gives them on one line each.
    pub(crate) fn lines_with(
        &self,
        bytes: &[u8],
        made: impl FnOnce(&[Json<'_>]) -> Vec<String>,
    ) -> Option<DocumentLines> {
        let text = String::from_utf8_lossy(bytes);
        let messages = self.messages(&text)?;
        let members: Vec<(String, String)> = entries_in(body(&text))
            .into_iter()
            .filter(|(key, _)| key != self.messages && !self.left_out.contains(&key.as_str()))
            .map(|(key, value)| (key, compact(value.get())))
            .collect();
        let members = members.iter();
        let members = members.map(|(key, value)| (key.as_str(), value.as_str()));
        // Both lines about the session have its id, since each is read alone.
        let (ids, others): (Vec<_>, Vec<_>) = members.partition(|(key, _)| *key == self.id);
        // In the first line what may change would make every content another session.
        let (lasting, changing): (Vec<_>, Vec<_>) = others
            .into_iter()
            .partition(|(key, _)| self.first.contains(key));
        let first: Vec<_> = ids.iter().copied().chain(lasting).collect();
        let has_last = !changing.is_empty();
        let last = ids.into_iter().chain(changing);
        let mut lines = Vec::new();
        if !first.is_empty() {
            lines.push(entries::line(self.agent, SESSION, &object(first)));
        }
        let of = |message: String| entries::line(self.agent, self.kind, &message);
        lines.extend(made(&messages).into_iter().map(of));
        Some(DocumentLines {
            lines,
            trailer: has_last.then(|| entries::line(self.agent, SESSION, &object(last))),
            ..DocumentLines::default()
        })
    }
}

/// The elements of a list; `None` if it is none.
pub(crate) fn list(value: Json<'_>) -> Option<Vec<Json<'_>>> {
    value.get().starts_with('[').then(|| elements(value))
}

#[cfg(test)]
mod tests {
    use super::*;

    const SHAPE: Shape = Shape {
        agent: "pebble",
        messages: "talk",
        kind: "said",
        id: "id",
        first: &["born"],
        left_out: &["cache"],
    };

    fn lines(document: &str) -> Option<Vec<String>> {
        let content = SHAPE.lines(document.as_bytes())?;
        let all = content.lines.into_iter().chain(content.trailer);
        Some(all.map(|line| String::from_utf8(line).unwrap()).collect())
    }

    #[test]
    fn a_document_is_a_first_line_its_messages_and_what_changes() {
        let told = lines(
            "\u{feff}{\"title\": \"T\", \"id\": 1.50, \"cache\": [1], \"born\": 3, \"talk\": [{\"a\": 1}, 7]}\n",
        );
        assert_eq!(
            told.unwrap(),
            [
                "{\"agent\":\"pebble\",\"kind\":\"session\",\"entry\":{\"id\":1.50,\"born\":3}}\n",
                "{\"agent\":\"pebble\",\"kind\":\"said\",\"entry\":{\"a\":1}}\n",
                "{\"agent\":\"pebble\",\"kind\":\"said\",\"entry\":7}\n",
                "{\"agent\":\"pebble\",\"kind\":\"session\",\"entry\":{\"id\":1.50,\"title\":\"T\"}}\n",
            ]
        );
    }

    #[test]
    fn what_is_no_whole_document_has_none() {
        for document in ["", "{", "[]", "{}", r#"{"talk":{}}"#, r#"{"talk":[{"a":1}"#] {
            assert_eq!(lines(document), None, "{document}");
        }
        assert_eq!(lines(r#"{"talk":[]}"#), Some(vec![]));
    }
}
