//! `workspace.yaml`: what Copilot CLI notes of a session. Only its plain top-level texts are read.

use std::borrow::Cow;

use crate::agents::parts::titles;
use crate::agents::state::SidecarFacts;
use crate::json::string;

/// What the file tells of its session.
pub(super) fn facts(id: String, bytes: &[u8]) -> SidecarFacts {
    let content = String::from_utf8_lossy(bytes);
    let is_by_user = value(&content, "user_named").is_some_and(|value| value == "true");
    SidecarFacts {
        id,
        title: value(&content, "name"),
        title_rank: Some(if is_by_user {
            titles::CHOSEN
        } else {
            titles::GENERATED
        }),
        project: value(&content, "cwd"),
        ..SidecarFacts::default()
    }
}

/// The text of a key at the top level; `None` if it has none that is not blank.
fn value(content: &str, key: &str) -> Option<String> {
    let mut lines = content.lines();
    let rest = lines.find_map(|line| line.strip_prefix(key)?.strip_prefix(':'))?;
    let rest = rest.trim();
    let text = match rest.as_bytes().first() {
        Some(b'"') => string::decode(rest).map(Cow::into_owned)?,
        Some(b'\'') => {
            let inner = rest.strip_prefix('\'')?.strip_suffix('\'')?;
            inner.replace("''", "'")
        }
        // A text of several lines, which stand below, further to the right.
        Some(b'|' | b'>') => {
            let below = lines.take_while(|line| line.is_empty() || line.starts_with(' '));
            below.map(str::trim).collect::<Vec<_>>().join(" ")
        }
        _ => rest
            .split_once(" #")
            .map_or(rest, |(text, _)| text)
            .trim_end()
            .to_owned(),
    };
    let is_nothing = matches!(text.trim(), "" | "~" | "null");
    (!is_nothing).then_some(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_read_in_every_spelling() {
        for (content, expected) in [
            ("id: a\nname: Nice name\n", Some("Nice name")),
            ("name: Nice # not this\n", Some("Nice")),
            ("name: \"a \\\"b\\\"\"\n", Some("a \"b\"")),
            ("name: 'it''s'\r\n", Some("it's")),
            ("name: >-\n  two\n  lines\ncwd: /w\n", Some("two lines")),
            ("name: null\n", None),
            ("name:\n", None),
            ("summary:\n  name: inner\n", None),
            ("\u{0}\u{fffd}", None),
        ] {
            let found = facts("s".to_owned(), content.as_bytes());
            assert_eq!(found.title.as_deref(), expected, "{content}");
        }
        let named = facts("s".to_owned(), b"cwd: /w\nname: N\nuser_named: true\n");
        assert_eq!(named.title_rank, Some(titles::CHOSEN));
        assert_eq!(named.project.as_deref(), Some("/w"));
    }
}
