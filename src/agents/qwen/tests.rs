//! Qwen Code's lines and its places.

use std::path::Path;

use super::*;
use crate::agents::recognise;
use crate::model::message::{Block, Role};

#[test]
fn messages_are_in_parts_and_the_title_is_given_last() {
    let answer = r#"{"uuid":"u2","sessionId":"s","type":"assistant","model":"model-q","message":{"role":"model","parts":[{"text":"hm","thought":true},{"text":"Done."},{"functionCall":{"id":"c1","name":"read_file","args":{"p":"a"}}}]},"usageMetadata":{"promptTokenCount":10,"candidatesTokenCount":5,"cachedContentTokenCount":4}}"#;
    let described = Qwen.describe(answer.as_bytes());
    assert_eq!(described.facts.model.as_deref(), Some("model-q"));
    let message = Qwen.messages(answer.as_bytes()).remove(0);
    assert_eq!(
        (message.role, message.plain_text().as_str()),
        (Role::Assistant, "Done.")
    );
    assert!(matches!(
        &message.content[..],
        [Block::Thinking { .. }, _, Block::ToolUse { .. }]
    ));
    let usage = message.usage.unwrap();
    assert_eq!(
        (
            usage.input_tokens,
            usage.output_tokens,
            usage.cache_read_tokens
        ),
        (10, 5, 4)
    );

    let result = r#"{"uuid":"u3","sessionId":"s","type":"tool_result","message":{"role":"user","parts":[{"functionResponse":{"id":"c1","name":"read_file","response":{"output":"alpha"}}}]}}"#;
    let message = Qwen.messages(result.as_bytes()).remove(0);
    assert_eq!(message.role, Role::Tool);
    assert!(
        matches!(&message.content[..], [Block::ToolResult { output, .. }] if output == "alpha")
    );

    let title = |line: &str| {
        let offer = Qwen.describe(line.as_bytes()).facts.title;
        offer.map(|offer| (offer.text.into_owned(), offer.rank))
    };
    let given = r#"{"uuid":"u4","sessionId":"s","type":"system","subtype":"custom_title","systemPayload":{"customTitle":"Mine"}}"#;
    assert_eq!(title(given), Some(("Mine".to_owned(), titles::CHOSEN)));
    let put = r#"{"uuid":"u5","sessionId":"s","type":"user","provenance":"goal_runtime","message":{"role":"user","parts":[{"text":"go on"}]}}"#;
    assert_eq!(title(put), None);
    let event = r#"{"uuid":"u6","sessionId":"s","type":"system","subtype":"ui_telemetry","systemPayload":{}}"#;
    assert_eq!(
        Qwen.describe(event.as_bytes()).header.kind,
        RecordKind::Event
    );
}

#[test]
fn its_files_are_not_taken_for_those_of_the_agent_whose_envelope_it_has() {
    let parts = r#"{"uuid":"u1","parentUuid":null,"sessionId":"s","type":"user","message":{"role":"user","parts":[{"text":"hi"}]}}"#;
    let event = r#"{"uuid":"u0","parentUuid":null,"sessionId":"s","type":"system","subtype":"ui_telemetry"}"#;
    let content = r#"{"uuid":"u1","parentUuid":null,"sessionId":"s","type":"user","message":{"role":"user","content":"hi"}}"#;
    let both = format!("{event}\n{parts}\n");
    for (path, head, expected) in [
        ("/h/.qwen/projects/-w/chats/a.jsonl", "", "qwen"),
        ("/copy/projects/-w/chats/a.jsonl", &*both, "qwen"),
        ("/x/a.jsonl", &*both, "qwen"),
        ("/x/a.jsonl", content, "claude-code"),
        ("/copy/projects/-w/a.jsonl", content, "claude-code"),
    ] {
        let candidate = Candidate {
            path: Path::new(path),
            head: head.as_bytes(),
            companion: None,
        };
        let found = recognise(&candidate).map(Dialect::agent);
        assert_eq!(found, Some(expected), "{path} {head}");
    }
}
