//! What a search has to find, by reading every message of a store: nothing of the search itself is used.

use scrollback::{
    Block, ListQuery, Message, ScanQuery, SearchQuery, SessionKey, Store, StoreExt as _, unwatched,
};
use serde_json::Value;

/// A thing that is asked for.
#[derive(Clone, Debug)]
pub(crate) enum Asked {
    Word(String),
    Phrase(Vec<String>),
}

/// A query: alternatives of terms, each with whether it must not be there.
#[derive(Clone, Debug)]
pub(crate) struct Query(pub(crate) Vec<Vec<(bool, Asked)>>);

impl Query {
    /// In the query language.
    pub(crate) fn text(&self) -> String {
        let term = |(is_negated, asked): &(bool, Asked)| {
            let asked = match asked {
                Asked::Word(word) => word.clone(),
                Asked::Phrase(words) => format!("\"{}\"", words.join(" ")),
            };
            format!("{}{asked}", if *is_negated { "NOT " } else { "" })
        };
        let one = |terms: &Vec<_>| terms.iter().map(term).collect::<Vec<_>>().join(" ");
        self.0.iter().map(one).collect::<Vec<_>>().join(" OR ")
    }

    fn fits(&self, pieces: &[String]) -> bool {
        let fits = |(is_negated, asked): &(bool, Asked)| {
            let is_in = pieces.iter().any(|piece| match asked {
                Asked::Word(word) => piece.contains(&word.to_lowercase()),
                Asked::Phrase(words) => has_phrase(piece, words),
            });
            is_in != *is_negated
        };
        self.0.iter().any(|terms| terms.iter().all(fits))
    }
}

fn has_phrase(piece: &str, words: &[String]) -> bool {
    let is_word =
        |c: char| c.is_alphanumeric() && !('\u{2e80}'..'\u{a000}').contains(&c) || c == '_';
    let words: Vec<String> = words.iter().map(|word| word.to_lowercase()).collect();
    let edge =
        |a: Option<char>, b: Option<char>| !(a.is_some_and(is_word) && b.is_some_and(is_word));
    piece.char_indices().any(|(start, first)| {
        let mut rest = &piece[start..];
        if !edge(piece[..start].chars().next_back(), Some(first)) {
            return false;
        }
        let mut last = None;
        for (at, word) in words.iter().enumerate() {
            if at > 0 {
                let next = rest.trim_start();
                if next.len() == rest.len() {
                    return false;
                }
                rest = next;
            }
            let Some(behind) = rest.strip_prefix(word.as_str()) else {
                return false;
            };
            last = word.chars().next_back();
            rest = behind;
        }
        edge(last, rest.chars().next())
    })
}

fn flatten(value: &Value, out: &mut String) {
    match value {
        Value::Object(members) => {
            for (key, value) in members {
                out.push_str(key);
                out.push_str(": ");
                flatten(value, out);
            }
        }
        Value::Array(values) => values.iter().for_each(|value| flatten(value, out)),
        Value::String(text) => out.extend([text, "\n"]),
        other => out.extend([&other.to_string(), "\n"]),
    }
}

/// What of a message is searched, in small letters.
pub(crate) fn pieces(message: &Message) -> Vec<String> {
    let mut pieces = Vec::new();
    for block in &message.content {
        match block {
            Block::Text { text } | Block::Thinking { text, .. } => pieces.push(text.clone()),
            Block::ToolUse { name, input, .. } => {
                pieces.push(name.clone());
                if let Some(input) = input {
                    let mut text = String::new();
                    flatten(&serde_json::from_str(input.as_str()).unwrap(), &mut text);
                    pieces.push(text);
                }
            }
            Block::ToolResult { output, .. } => pieces.push(output.clone()),
            _ => {}
        }
    }
    pieces.iter().map(|piece| piece.to_lowercase()).collect()
}

/// Every session of a store, newest first.
pub(crate) fn sessions(store: &dyn Store) -> Vec<SessionKey> {
    let mut keys = Vec::new();
    let mut query = ListQuery::default().with_limit(7);
    loop {
        let page = store.list(&query).unwrap();
        keys.extend(page.sessions.into_iter().map(|session| session.key));
        match page.next {
            Some(next) => query.after = Some(next),
            None => return keys,
        }
    }
}

/// The messages that fit, in the order of a search: each as its session and its record.
pub(crate) fn found(store: &dyn Store, query: &Query) -> Vec<(SessionKey, u64)> {
    let mut found = Vec::new();
    for key in sessions(store) {
        let shown = store.view(&key, ScanQuery::default());
        let mut shown: Vec<_> = shown.map(|one| one.unwrap()).collect();
        shown.reverse();
        for one in shown {
            let fits = |message: &&Message| query.fits(&pieces(message));
            let fitting = one.messages.iter().filter(fits);
            found.extend(fitting.map(|_| (key.clone(), one.record.sequence)));
        }
    }
    found
}

/// A search gives what the reading gives, in one page, page by page, and counted.
#[track_caller]
pub(crate) fn assert_exact(store: &dyn Store, query: &Query) -> usize {
    let text = query.text();
    let expected = found(store, query);
    let asked = SearchQuery::new(text.parse().unwrap());
    for limit in [usize::MAX / 2, 3] {
        let mut asked = asked.clone().with_limit(limit);
        let mut given = Vec::new();
        loop {
            let page = store.search(&asked, &mut unwatched).unwrap();
            assert!(page.unread.is_empty(), "{:?}", page.unread);
            let hits = page.hits.into_iter();
            given.extend(hits.map(|hit| (hit.key, hit.sequence.unwrap())));
            match page.next {
                Some(next) => asked.after = Some(next),
                None => break,
            }
        }
        assert_eq!(given, expected, "`{text}` by {limit}");
    }
    let counts = store.search_counts(&asked, &mut unwatched).unwrap();
    let mut keys: Vec<_> = expected.iter().map(|(key, _)| key).collect();
    keys.dedup();
    let expected_counts = (expected.len() as u64, keys.len() as u64);
    assert_eq!(
        (counts.messages, counts.sessions),
        expected_counts,
        "`{text}`"
    );
    expected.len()
}
