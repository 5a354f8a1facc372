//! Qwen Code's lines and its places.

use std::path::Path;

use super::*;
use crate::agents::parts::titles;
use crate::agents::recognise;
use crate::model::message::{Block, Role};
use crate::model::record::RecordKind;

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
        let candidate = Candidate::new(Path::new(path), head.as_bytes());
        let found = recognise(&candidate).map(Dialect::agent);
        assert_eq!(found, Some(expected), "{path} {head}");
    }
}

#[test]
fn what_was_rewound_hangs_on_a_branch_that_was_left() {
    use crate::model::links::{Act, Place, id_hash};
    let links = |line: &str| Qwen.describe(line.as_bytes()).facts.links;
    let line = |rest: &str| format!(r#"{{"uuid":"u9","parentUuid":"u1","sessionId":"s",{rest}}}"#);
    let rewind = line(r#""type":"system","subtype":"rewind","systemPayload":{}"#);
    let found = links(&rewind);
    assert_eq!(found.act, Act::RewindBehind(id_hash("u1")));
    assert_eq!(
        (found.place, found.parent),
        (Place::Way, Some(id_hash("u1")))
    );
    let all = rewind.replace(r#""u1""#, "null");
    assert!(matches!(links(&all).act, Act::RewindTo(_)));
    let said = |by: &str| {
        line(&format!(
            r#""type":"user","provenance":"{by}","message":{{"role":"user","parts":[{{"text":"x"}}]}}"#
        ))
    };
    assert_eq!(links(&said("real_user")).place, Place::Asked);
    assert_eq!(links(&said("goal_runtime")).place, Place::Way);
}

#[test]
fn what_was_typed_is_shown_and_what_was_put_in_is_told_apart() {
    let one = |line: &str| Qwen.messages(line.as_bytes()).remove(0);
    let user = |rest: &str| {
        format!(
            r#"{{"uuid":"u1","sessionId":"s","type":"user","message":{{"role":"user","parts":[{{"text":"sent"}}]}},{rest}}}"#
        )
    };
    for (rest, text, injected) in [
        (r#""provenance":"real_user""#, "sent", false),
        (
            r#""provenance":"real_user","systemPayload":{"displayText":"typed"}"#,
            "typed",
            false,
        ),
        (r#""systemPayload":{"displayText":" "}"#, "sent", false),
        (r#""provenance":"system""#, "sent", true),
        (
            r#""provenance":"system","subtype":"mid_turn_user_message""#,
            "sent",
            false,
        ),
    ] {
        let found = one(&user(rest));
        assert_eq!(
            (found.plain_text().as_str(), found.injected),
            (text, injected),
            "{rest}"
        );
    }
    let summary = r#"{"uuid":"u2","sessionId":"s","type":"system","subtype":"chat_compression","systemPayload":{"info":{},"compressedHistory":[{"role":"user","parts":[{"text":"So far"}]}]}}"#;
    let found = one(summary);
    assert_eq!(
        (found.role, found.plain_text().as_str()),
        (Role::System, "So far")
    );
}

#[test]
fn an_answer_of_tokens_alone_is_an_event_that_counts() {
    let line = r#"{"uuid":"u1","sessionId":"s","type":"assistant","provenance":"assistant_output","usageMetadata":{"promptTokenCount":7,"candidatesTokenCount":2}}"#;
    let described = Qwen.describe(line.as_bytes());
    assert_eq!(described.header.kind, RecordKind::Event);
    let told = described.facts.links.answer.unwrap().usage;
    let shown = Qwen.about_line(line.as_bytes()).unwrap().usage.unwrap();
    assert_eq!((told, shown.input_tokens), (shown, 7));
}

#[test]
fn sub_agents_and_what_lies_beside_sessions() {
    let line = r#"{"uuid":"u1","parentUuid":null,"sessionId":"p","type":"user","isSidechain":true,"agentId":"a1","message":{"role":"user","parts":[{"text":"look"}]}}"#;
    let facts = Qwen.describe(line.as_bytes()).facts;
    assert_eq!((facts.parent.as_deref(), facts.subagent), (Some("p"), true));
    let path = "/h/.qwen/projects/-w/subagents/p/agent-a1.jsonl";
    let candidate = Candidate::new(Path::new(path), line.as_bytes());
    assert_eq!(Qwen.session_id(&candidate), "a1");
    assert_eq!(Qwen.parent(&candidate).as_deref(), Some("p"));
    let owner = |path: &str| match Qwen.sidecar(Path::new(path)) {
        Some(Sidecar::Session(session)) => session,
        other => format!("{other:?}"),
    };
    for (path, expected) in [
        ("/h/.qwen/projects/-w/chats/s.runtime.json", "s"),
        ("/h/.qwen/projects/-w/subagents/p/agent-a1.meta.json", "a1"),
        ("/h/.qwen/projects/-w/chats/.runtime.json", "None"),
        ("/h/.qwen/oauth_creds.json", "None"),
        ("/h/.qwen/settings.json", "None"),
    ] {
        assert_eq!(owner(path), expected, "{path}");
    }
}
