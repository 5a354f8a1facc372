//! Mistral Vibe's lines, what is told beside them, and its places.

use std::path::Path;

use super::*;
use crate::agents::recognise;
use crate::model::message::{Block, Role};

const META: &str = r#"{"session_id":"0a1b2c3d-e","title":"T","start_time":"2026-04-03T09:00:00+00:00","environment":{"working_directory":"/w"},"stats":{"session_prompt_tokens":100,"session_completion_tokens":7},"agent_config":{"active_model":"m"}}"#;

#[test]
fn its_lines_are_messages_of_a_common_shape() {
    let one = |line: &str| Vibe.messages(line.as_bytes()).remove(0);
    let answer = one(
        r#"{"role":"assistant","content":"I look.","reasoning_content":"hm","tool_calls":[{"id":"t","function":{"name":"bash","arguments":"{}"}}]}"#,
    );
    assert!(matches!(
        &answer.content[..],
        [
            Block::Thinking { .. },
            Block::Text { .. },
            Block::ToolUse { .. }
        ]
    ));
    let result = one(r#"{"role":"tool","content":"a.txt","tool_call_id":"t","name":"bash"}"#);
    assert_eq!(result.role, Role::Tool);
    for (line, injected) in [
        (r#"{"role":"user","content":"hi"}"#, false),
        (r#"{"role":"user","content":"hi","injected":true}"#, true),
        (r#"{"role":"system","content":"You are"}"#, true),
    ] {
        assert_eq!(one(line).injected, injected, "{line}");
        let has_title = Vibe.describe(line.as_bytes()).facts.title.is_some();
        assert_eq!(has_title, !injected, "{line}");
    }
}

#[test]
fn what_is_told_of_a_session_stands_beside_its_lines() {
    let path = Path::new("/h/.vibe/logs/session/session_1_a/meta.json");
    let facts = Vibe.sidecar_facts(path, META.as_bytes()).remove(0);
    assert_eq!(
        (facts.id.as_str(), facts.title.as_deref()),
        ("0a1b2c3d-e", Some("T"))
    );
    assert_eq!(
        (facts.project.as_deref(), facts.model.as_deref()),
        (Some("/w"), Some("m"))
    );
    let usage = facts.usage.unwrap();
    assert_eq!((usage.input_tokens, usage.output_tokens), (100, 7));
    for broken in [&b""[..], b"{", b"[]", br#"{"title":"T"}"#] {
        assert_eq!(Vibe.sidecar_facts(path, broken), []);
    }
}

#[test]
fn its_places_and_ids() {
    let own = "/h/.vibe/logs/session/session_20260403_090000_0a1b/messages.jsonl";
    let copy = "/x/session_20260403_090000_0a1b/messages.jsonl";
    let line = r#"{"role":"user","content":"hi"}"#;
    for (path, companion, agent, id) in [
        (own, None, "vibe", "session_20260403_090000_0a1b"),
        (own, Some(META), "vibe", "0a1b2c3d-e"),
        (copy, Some(META), "vibe", "0a1b2c3d-e"),
        (copy, Some("{}"), "jsonl", ""),
        (copy, None, "jsonl", ""),
        ("/x/messages.jsonl", Some(META), "jsonl", ""),
    ] {
        let candidate =
            Candidate::new(Path::new(path), line.as_bytes()).beside(companion.map(str::as_bytes));
        let found = recognise(&candidate).map(Dialect::agent);
        assert_eq!(found, Some(agent), "{path}");
        if agent == "vibe" {
            assert_eq!(Vibe.session_id(&candidate), id, "{path}");
        }
    }
    assert_eq!(
        Vibe.companion(Path::new(copy)),
        Some(Path::new(copy).with_file_name("meta.json"))
    );
    assert_eq!(Vibe.companion(Path::new("/w/messages.jsonl")), None);
    assert_eq!(Vibe.sidecar(Path::new("/h/.vibe/.env")), None);
    assert_eq!(Vibe.sidecar(Path::new("/w/meta.json")), None);
}
