//! Which files are a session in one JSON document. Only what an agent is known to write is taken:
//! most `.json` files are something else.

use memchr::memmem;

use super::dialect::Candidate;
use super::document::Document;
use super::parts::fields::{fields_of, fields_of_start, owned};
use super::parts::{lines, paths};
use super::{celeste, gemini, picoclaw};

/// Fewer bytes of head than this are the whole file.
const HEAD_BYTES: usize = 64 * 1024;

/// Whether a file is a session in one JSON document, and which.
pub(crate) fn recognise_document(candidate: &Candidate<'_>) -> Option<Document> {
    let name = paths::name(candidate.path);
    let stem = name.strip_suffix(".json").filter(|stem| !stem.is_empty())?;
    // The head may end inside a character.
    let head = candidate
        .head
        .utf8_chunks()
        .next()
        .map_or("", |chunk| chunk.valid());
    let head = lines::body(head);
    let chat = gemini::own_chat(candidate);
    if !head.starts_with('{') {
        return chat.map(gemini::document_of);
    }
    if let Some(id) = celeste::document_id(candidate, head) {
        return Some(Document {
            agent: celeste::AGENT,
            id,
            yields: celeste::document_has_lines(candidate.path),
        });
    }
    if let Some(id) = picoclaw::document_id(candidate, head) {
        return Some(Document {
            agent: picoclaw::AGENT,
            id,
            yields: true,
        });
    }
    let has_messages = memmem::find(head.as_bytes(), b"\"messages\"").is_some();
    let [session, project, info, id] =
        fields_of_start(head, &["sessionId", "projectHash", "info", "id"]);
    if let Some(session) = owned(session)
        && has_messages
        && (project.is_some() || gemini::is_chat(candidate, &name))
    {
        return Some(gemini::document_of(session));
    }
    if let Some(chat) = chat {
        return Some(gemini::document_of(chat));
    }
    let [opencode] = fields_of(info, &["id"]);
    if let Some(id) = owned(opencode)
        && id.starts_with("ses_")
        && (has_messages || candidate.head.len() >= HEAD_BYTES)
    {
        return Some(Document {
            agent: "opencode",
            id,
            yields: false,
        });
    }
    let id = owned(id).filter(|id| stem.starts_with("T-") && id.starts_with("T-"))?;
    has_messages.then_some(Document {
        agent: "amp",
        id,
        yields: false,
    })
}

#[cfg(test)]
mod tests {
    use std::path::Path;

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
