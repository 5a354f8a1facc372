//! Whose a file is. The path tells first, since that costs least; the rest is asked in the order of
//! the list. Below an agent's home that agent alone is asked: what it does not know there is nobody's.

use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use super::agent::Agent;
use super::companions::Sidecar;
use super::default_home::DefaultHome;
use super::dialect::{Candidate, Recognition};
use super::document::Document;
use super::parts::{lines, paths};
use super::{all, of_agent};

/// A home, by the names on the way to it.
type HomeOf = (Vec<&'static str>, &'static dyn Agent);

/// The agent below whose home a path lies: of several homes, the one that is nearest to the file.
pub(crate) fn home_of(path: &Path) -> Option<&'static dyn Agent> {
    static HOMES: OnceLock<Vec<HomeOf>> = OnceLock::new();
    let homes = HOMES.get_or_init(|| {
        let of = |agent: &&'static dyn Agent| {
            let own = agent.homes().iter().filter_map(DefaultHome::names);
            let more = agent.more_homes().iter().map(|names| names.to_vec());
            let all: Vec<HomeOf> = own.chain(more).map(|names| (names, *agent)).collect();
            all
        };
        all().iter().flat_map(of).collect()
    });
    let names = paths::names(path);
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let nearest = homes.iter().filter_map(|(home, agent)| {
        let at = names.windows(home.len()).rposition(|some| some == home)?;
        // The home itself is no file in it.
        (at + home.len() < names.len()).then_some((at + home.len(), *agent))
    });
    let nearest = nearest.max_by_key(|(at, _)| *at);
    nearest.map(|(_, agent)| agent)
}

/// The agent of a file of lines that was found in a folder: below an agent's home that agent, if it
/// knows the file, and no other. Elsewhere as [`recognise`].
pub(crate) fn recognise_found(candidate: &Candidate<'_>) -> Option<&'static dyn Agent> {
    match home_of(candidate.path) {
        Some(agent) => Some(agent).filter(|agent| agent.recognise(candidate) > Recognition::No),
        None => recognise(candidate),
    }
}

/// The agent that is surest of the file, if any is: the first of those that are equally sure.
pub(crate) fn recognise(candidate: &Candidate<'_>) -> Option<&'static dyn Agent> {
    let agents = || all().iter().copied();
    let first =
        |sureness: Recognition| agents().find(|agent| agent.recognise(candidate) == sureness);
    // Most files lie where their agent keeps them, and are not to be read by all other dialects.
    agents()
        .filter(|agent| agent.may_own(candidate))
        .find(|agent| agent.recognise(candidate) == Recognition::PathAndLines)
        .or_else(|| first(Recognition::Lines))
        .or_else(|| first(Recognition::Fallback))
}

/// Whether a file may be a session in one document by its name: a `.json`, or what an agent calls so.
pub(crate) fn is_named_as_document(path: &Path) -> bool {
    paths::document_stem(path).is_some() || all().iter().any(|agent| agent.has_document_name(path))
}

/// Whether a file is a session in one document, and which. Only what an agent is known to
/// write is taken: most `.json` files are something else.
pub(crate) fn recognise_document(candidate: &Candidate<'_>) -> Option<Document> {
    if !is_named_as_document(candidate.path) && !folds(candidate.path) {
        return None;
    }
    // The head may end inside a character.
    let head = candidate
        .head
        .utf8_chunks()
        .next()
        .map_or("", |chunk| chunk.valid());
    let head = lines::body(head);
    let agents = all().iter().copied();
    let (own, others): (Vec<_>, Vec<_>) = agents.partition(|agent| agent.may_own(candidate));
    let mut in_order = own.into_iter().chain(others);
    in_order.find_map(|agent| agent.document(candidate, head))
}

/// Whether a file of lines is changes of one document, by its path.
pub(crate) fn folds(path: &Path) -> bool {
    all().iter().any(|agent| agent.folds(path))
}

/// Whose sidecar a file is, by its path.
pub(crate) fn recognise_sidecar(path: &Path) -> Option<(&'static str, Sidecar)> {
    let of = |agent: &'static dyn Agent| Some((agent.agent(), agent.sidecar(path)?));
    match home_of(path) {
        Some(agent) => of(agent),
        None => all().iter().copied().find_map(of),
    }
}

/// The file that has to be read before the session in `path` gets its name, by the first agent
/// that knows of one.
pub(crate) fn companion_of(path: &Path) -> impl Iterator<Item = PathBuf> {
    all().iter().filter_map(|agent| agent.companion(path))
}

/// The agent that has databases of that name, or a session in files of its own there.
pub(crate) fn recognise_database(path: &Path) -> Option<&'static dyn Agent> {
    let has = |agent: &&dyn Agent| {
        let databases = agent.databases();
        databases.is_some_and(|databases| databases.are_at(path) || databases.is_in_tree(path))
    };
    all().iter().copied().find(has)
}

/// Whether a file is a part of a session that lies in many small ones, and is read with the session's own file.
pub(crate) fn is_part_of_tree(path: &Path) -> bool {
    let trees = all()
        .iter()
        .filter_map(|agent| agent.databases().and_then(|databases| databases.tree));
    { trees }.any(|tree| (tree.is_part)(path))
}

/// The agent that has databases of that name, wherever the file lies: for one that somebody has named.
pub(crate) fn recognise_database_name(path: &Path) -> Option<&'static dyn Agent> {
    let name = path.file_name().unwrap_or_default().as_encoded_bytes();
    let has = |agent: &&dyn Agent| {
        let databases = agent.databases();
        databases.is_some_and(|databases| databases.are_named(name))
    };
    all().iter().copied().find(has)
}

/// Whether a file is a database of the agent of that name, or one that lies beside a database and holds a
/// part of it: by the name of the file, which is the end of `path`.
pub(crate) fn is_database_of(agent: &str, path: &[u8]) -> bool {
    let is_separator = |byte: &u8| *byte == b'/' || (cfg!(windows) && *byte == b'\\');
    let name = path.rsplit(is_separator).next().unwrap_or_default();
    let databases = of_agent(agent).databases();
    databases.is_some_and(|databases| databases.own(name))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::agents::Dialect;

    #[test]
    fn the_home_that_is_nearest_to_a_file_has_it() {
        for (path, expected) in [
            ("/h/.claude/projects/-w/a.jsonl", Some("claude-code")),
            ("/h/.claude/plugins/x/data.jsonl", Some("claude-code")),
            (
                "/h/.codex/worktrees/1/w/.pebble/talks/a.jsonl",
                Some("pebble"),
            ),
            ("/h/.pebble/w/.codex/a.jsonl", Some("codex")),
            ("/h/.jcoding/a.json", Some("jcode")),
            ("/h/.local/share/opencode/log/a.jsonl", Some("opencode")),
            ("/h/share/opencode/a.jsonl", None),
            ("/h/.claude", None),
            ("/backup/projects/-w/a.jsonl", None),
        ] {
            let found = home_of(Path::new(path)).map(Dialect::agent);
            assert_eq!(found, expected, "{path}");
        }
    }

    #[test]
    fn below_a_home_its_agent_decides_alone() {
        let head = b"{\"role\":\"user\",\"content\":\"hi\"}\n";
        let found = |path: &str| {
            let path = Path::new(path);
            let candidate = Candidate::new(path, head);
            let lines = recognise_found(&candidate).map(Dialect::agent);
            lines.or(recognise_sidecar(path).map(|(agent, _)| agent))
        };
        for (path, expected) in [
            ("/x/data.jsonl", Some("jsonl")),
            ("/h/.codex/data.jsonl", None),
            ("/h/.codex/history.jsonl", Some("codex")),
            ("/h/.claude/plugins/data.jsonl", None),
            ("/h/.gemini/telemetry.jsonl", None),
            ("/h/.picoclaw/workspace/data.jsonl", None),
            ("/h/.picoclaw/workspace/sessions/a.jsonl", Some("picoclaw")),
            // Another agent's index of the same name.
            ("/h/.claude/projects/-w/index.json", None),
        ] {
            assert_eq!(found(path), expected, "{path}");
        }
    }

    fn found(path: &str, head: &str) -> Option<(&'static str, String)> {
        let candidate = Candidate::new(Path::new(path), head.as_bytes());
        recognise_document(&candidate).map(|document| (document.agent, document.id))
    }

    #[test]
    fn documents_of_agents_are_recognised() {
        let real = "{\n  \"sessionId\": \"s-1\",\n  \"projectHash\": \"ab\",\n  \"messages\": [\n";
        assert_eq!(
            found("/x/chats/session-1.json", real),
            Some(("gemini", "s-1".into()))
        );
        assert_eq!(
            found("/elsewhere/a.json", real),
            Some(("gemini", "s-1".into()))
        );
        let cut = r#"{"sessionId":"gem-5","messages":[{"#;
        assert_eq!(
            found("/x/chats/gem-5/session.json", cut),
            Some(("gemini", "gem-5".into()))
        );
        let opencode = r#"{"info":{"slug":"a","id":"ses_1"},"messages":[]}"#;
        assert_eq!(
            found("/x/export.json", opencode),
            Some(("opencode", "ses_1".into()))
        );
        let amp = r#"{"v":42,"id":"T-1","created":1,"messages":[]}"#;
        assert_eq!(
            found("/x/threads/T-1.json", amp),
            Some(("amp", "T-1".into()))
        );
    }

    #[test]
    fn a_chat_of_gemini_is_one_whatever_is_in_it() {
        let own = "/h/.gemini/tmp/ab/chats/gem-5/session.json";
        for (path, head, id) in [
            (own, "", "gem-5"),
            (own, "\0\0", "gem-5"),
            (own, r#"{"messages":[{"#, "gem-5"),
            (own, r#"{"sessionId":"own","messages":["#, "own"),
            ("/h/.gemini/tmp/ab/chats/session-1.json", "[", "session-1"),
        ] {
            assert_eq!(
                found(path, head),
                Some(("gemini", id.into())),
                "{path} {head}"
            );
        }
        for path in ["/h/.gemini/tmp/ab/logs.json", "/h/chats/gem-5/session.json"] {
            assert_eq!(found(path, "["), None, "{path}");
        }
    }

    #[test]
    fn other_documents_are_not() {
        for (path, head) in [
            (
                "/x/package.json",
                r#"{"name":"a","id":"ses_1","messages":[]}"#,
            ),
            (
                "/x/data.json",
                r#"[{"sessionId":"a","projectHash":"b","messages":[]}]"#,
            ),
            ("/x/data.json", r#"{"sessionId":"a","messages":[]}"#),
            (
                "/x/data.json",
                r#"{"items":[{"sessionId":"a","projectHash":"b"}],"messages":[]}"#,
            ),
            ("/x/chats/session-1.json", r#"{"sessionId":"a","other":[]}"#),
            ("/x/en.json", r#"{"info":{"id":"about"},"messages":{}}"#),
            ("/x/T-shirt.json", r#"{"id":"shirt","messages":[]}"#),
            ("/x/shirt.json", r#"{"id":"T-1","messages":[]}"#),
            (
                "/x/chats/session-1.jsonl",
                r#"{"sessionId":"a","projectHash":"b","messages":[]}"#,
            ),
            ("/x/empty.json", ""),
        ] {
            assert_eq!(found(path, head), None, "{path} {head}");
        }
    }
}
