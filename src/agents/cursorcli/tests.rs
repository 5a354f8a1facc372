//! Cursor's transcripts and their places.

use std::path::Path;

use super::*;
use crate::agents::recognise;
use crate::model::message::{Block, Role};

fn one(line: &str) -> Message {
    let mut messages = CursorCli.messages(line.as_bytes());
    assert_eq!(messages.len(), 1, "{line}");
    messages.remove(0)
}

fn said(text: &str) -> String {
    let text = serde_json::Value::from(text);
    format!(r#"{{"role":"user","message":{{"content":[{{"type":"text","text":{text}}}]}}}}"#)
}

#[test]
fn a_persons_words_are_taken_out_of_what_was_sent() {
    for (sent, text, injected) in [
        (
            "<user_query>\nname the hues\n</user_query>",
            "name the hues",
            false,
        ),
        (
            "<user_info>\nOS: x\n</user_info>\n<user_query>\nhi\n</user_query>",
            "hi",
            false,
        ),
        (
            "<user_info>\nOS: x\n</user_info>",
            "<user_info>\nOS: x\n</user_info>",
            true,
        ),
        ("What is a <user_query>?", "What is a <user_query>?", false),
        ("<user_query>\ntorn", "torn", false),
        ("plain", "plain", false),
    ] {
        let line = said(sent);
        let found = one(&line);
        assert_eq!(
            (found.plain_text().as_str(), found.injected),
            (text, injected),
            "{sent}"
        );
        let title = CursorCli.describe(line.as_bytes()).facts.title;
        let title = title.map(|offer| offer.text.into_owned());
        assert_eq!(title, (!injected).then(|| text.to_owned()), "{sent}");
    }
}

#[test]
fn calls_have_no_ids_and_nothing_answers_them() {
    let line = r#"{"role":"assistant","message":{"content":[{"type":"tool_use","name":"ReadFile","input":{"path":"/w/a"}}]}}"#;
    let found = one(line);
    assert_eq!(found.role, Role::Assistant);
    assert!(matches!(
        &found.content[..],
        [Block::ToolUse { id: None, name, input: Some(_) }] if name == "ReadFile"
    ));
    assert_eq!(
        CursorCli.messages(br#"{"content":[{"type":"text","text":"x"}]}"#),
        []
    );
}

#[test]
fn its_places_ids_parents_and_projects() {
    let line = said("x");
    let other = line.replace(r#"{"role""#, r#"{"type":"user","role""#);
    for (path, head, agent, id, parent, project) in [
        (
            "/h/.cursor/projects/w-my-shop/agent-transcripts/a/a.jsonl",
            "",
            "cursor",
            "a",
            None,
            Some("/w/my/shop"),
        ),
        (
            "/h/.cursor/projects/w-shop/agent-transcripts/b.jsonl",
            "{",
            "cursor",
            "b",
            None,
            Some("/w/shop"),
        ),
        (
            "/h/.cursor/projects/w-shop/agent-transcripts/a/subagents/c.jsonl",
            "",
            "cursor",
            "c",
            Some("a"),
            Some("/w/shop"),
        ),
        (
            "/h/.cursor/projects/empty/agent-transcripts/a/a.jsonl",
            "",
            "cursor",
            "a",
            None,
            None,
        ),
        ("/x/some.jsonl", &*line, "cursor", "some", None, None),
        ("/x/some.jsonl", &*other, "jsonl", "some", None, None),
    ] {
        let candidate = Candidate::new(Path::new(path), head.as_bytes());
        let found = recognise(&candidate).map(Dialect::agent);
        assert_eq!(found, Some(agent), "{path}");
        assert_eq!(CursorCli.session_id(&candidate), id, "{path}");
        assert_eq!(CursorCli.parent(&candidate).as_deref(), parent, "{path}");
        assert_eq!(CursorCli.project(&candidate).as_deref(), project, "{path}");
    }
    let config = Candidate::new(Path::new("/h/.cursor/projects/w-shop/mcps/x.jsonl"), b"");
    assert!(!CursorCli.may_own(&config));
}
