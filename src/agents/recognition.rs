//! Whose a file is. The path tells first, since that costs least; the rest is asked in the order of
//! the list.

use std::path::{Path, PathBuf};

use super::agent::Agent;
use super::all;
use super::companions::Sidecar;
use super::dialect::{Candidate, Recognition};
use super::document::Document;
use super::parts::{lines, paths};

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

/// Whether a file is a session in one JSON document, and which. Only what an agent is known to
/// write is taken: most `.json` files are something else.
pub(crate) fn recognise_document(candidate: &Candidate<'_>) -> Option<Document> {
    paths::document_stem(candidate.path)?;
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

/// Whose sidecar a file is, by its path.
pub(crate) fn recognise_sidecar(path: &Path) -> Option<(&'static str, Sidecar)> {
    all()
        .iter()
        .find_map(|agent| agent.sidecar(path).map(|owner| (agent.agent(), owner)))
}

/// The file that has to be read before the session in `path` gets its name, by the first agent
/// that knows of one.
pub(crate) fn companion_of(path: &Path) -> impl Iterator<Item = PathBuf> {
    all().iter().filter_map(|agent| agent.companion(path))
}

/// The agent that has databases of that name, or a session in files of its own there.
pub(crate) fn recognise_database(path: &Path) -> Option<&'static dyn Agent> {
    let name = path.file_name().unwrap_or_default().as_encoded_bytes();
    let has = |agent: &&dyn Agent| {
        let databases = agent.databases();
        databases.is_some_and(|databases| databases.are_named(name) || databases.is_in_tree(path))
    };
    all().iter().copied().find(has)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(path: &str, head: &str) -> Option<(&'static str, String)> {
        let candidate = Candidate {
            path: Path::new(path),
            head: head.as_bytes(),
            companion: None,
        };
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
