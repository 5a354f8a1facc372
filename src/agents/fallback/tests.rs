//! Lines of agents without a dialect.

use super::*;
use crate::model::message::Block;
use crate::model::raw_json::RawJson;

fn one(line: &str) -> Message {
    let mut messages = Fallback.messages(line.as_bytes());
    assert_eq!(messages.len(), 1, "{line}");
    messages.remove(0)
}

fn call(id: &str, name: &str, input: &str) -> Block {
    let input = Some(RawJson::parse(input).unwrap());
    Block::ToolUse {
        id: Some(id.to_owned()),
        name: name.to_owned(),
        input,
    }
}

#[test]
fn the_common_shapes_are_messages() {
    for (line, role, text) in [
        (r#"{"role":"user","content":"hi"}"#, Role::User, "hi"),
        (
            r#"{"role":"user","content":[{"type":"text","text":"hi"}]}"#,
            Role::User,
            "hi",
        ),
        (
            r#"{"type":"message","message":{"role":"assistant","content":"hi"}}"#,
            Role::Assistant,
            "hi",
        ),
        (r#"{"type":"user","content":"hi"}"#, Role::User, "hi"),
        (
            r#"{"id":"m","type":"gemini","content":[{"text":"hi"}]}"#,
            Role::Assistant,
            "hi",
        ),
        (r#"{"type":"system","content":"hi"}"#, Role::System, "hi"),
        (
            r#"{"type":"user.message","data":{"content":"hi","transformedContent":"no"}}"#,
            Role::User,
            "hi",
        ),
        (
            r#"{"type":"assistant.message","data":{"content":"hi"}}"#,
            Role::Assistant,
            "hi",
        ),
    ] {
        let message = one(line);
        assert_eq!(
            (message.role, message.plain_text().as_str()),
            (role, text),
            "{line}"
        );
    }
}

#[test]
fn tools_are_read_in_every_spelling() {
    let spoken = one(
        r#"{"role":"assistant","content":"","reasoning_content":"hm","tool_calls":[{"id":"a","type":"function","function":{"name":"web","arguments":"{\"q\":1}"}}]}"#,
    );
    let thought = Block::Thinking {
        text: "hm".into(),
        signature: None,
    };
    assert_eq!(spoken.content, [thought, call("a", "web", "{\"q\":1}")]);
    let copilot = one(
        r#"{"type":"assistant.message","data":{"content":"","toolRequests":[{"toolCallId":"t","name":"bash","arguments":{"c":1}}]}}"#,
    );
    assert_eq!(copilot.content, [call("t", "bash", "{\"c\":1}")]);
    let pi = one(
        r#"{"type":"message","message":{"role":"assistant","content":[{"type":"toolCall","id":"t","name":"bash","arguments":{"c":1}}],"model":"m","usage":{"input":3,"output":9,"cacheRead":1,"cacheWrite":12}}}"#,
    );
    assert_eq!(pi.content, [call("t", "bash", "{\"c\":1}")]);
    assert_eq!(pi.usage.unwrap().cache_write_tokens, 12);
    let celeste = one(
        r#"{"type":"tool_call","content":"{\"cmd\":\"ss\"}","tool_name":"bash","tool_id":"c"}"#,
    );
    assert_eq!(celeste.content, [call("c", "bash", "{\"cmd\":\"ss\"}")]);

    for (line, id, output, is_error) in [
        (
            r#"{"role":"tool","content":"4 C","tool_call_id":"a"}"#,
            "a",
            "4 C",
            false,
        ),
        (
            r#"{"type":"tool_result","content":"4 C","tool_id":"a"}"#,
            "a",
            "4 C",
            false,
        ),
        (
            r#"{"type":"message","message":{"role":"toolResult","toolCallId":"a","content":[{"type":"text","text":"4 C"}]}}"#,
            "a",
            "4 C",
            false,
        ),
        (
            r#"{"type":"tool.execution_complete","data":{"toolCallId":"a","success":false,"result":{"content":"4 C"}}}"#,
            "a",
            "4 C",
            true,
        ),
    ] {
        let message = one(line);
        assert_eq!(message.role, Role::Tool, "{line}");
        assert!(
            matches!(&message.content[..], [Block::ToolResult { id: Some(found), output: text, is_error: error, .. }]
                if found == id && text == output && *error == is_error),
            "{line}: {message:?}"
        );
    }
}

#[test]
fn what_is_no_message_is_not_made_one() {
    for (line, kind) in [
        (r#"{"role": "_checkpoint", "id": 0}"#, RecordKind::Event),
        (
            r#"{"role": "_system_prompt", "content": "Be brief."}"#,
            RecordKind::Event,
        ),
        (
            r#"{"role": "_usage", "token_count": 4504}"#,
            RecordKind::Event,
        ),
        (r#"{"role":"admin","name":"x"}"#, RecordKind::Unknown),
        (r#"{"content":"text"}"#, RecordKind::Unknown),
        (r#"{"type":"user","content":{"a":1}}"#, RecordKind::Unknown),
        (
            r#"{"type":"thinking_level_change","thinkingLevel":"low"}"#,
            RecordKind::Unknown,
        ),
        (
            r#"{"type":"hook.start","data":{"content":"x"}}"#,
            RecordKind::Unknown,
        ),
        (r#"{"type":"session","cwd":"/w"}"#, RecordKind::Meta),
    ] {
        assert_eq!(
            Fallback.describe(line.as_bytes()).header.kind,
            kind,
            "{line}"
        );
        assert!(Fallback.messages(line.as_bytes()).is_empty());
    }
}

#[test]
fn times_and_places_are_found() {
    for line in [
        r#"{"timestamp":"2026-04-03T09:45:00Z"}"#,
        r#"{"time":1775209500}"#,
        r#"{"created_at":"nonsense","ts":1775209500000}"#,
        r#"{"createdAt":"2026-04-03T11:45:00+02:00"}"#,
    ] {
        let time_us = Fallback.describe(line.as_bytes()).header.time_us;
        assert_eq!(time_us, Some(1_775_209_500_000_000), "{line}");
    }
    let start = br#"{"type":"session.start","data":{"selectedModel":"m","context":{"cwd":"/w","branch":"b"}}}"#;
    let facts = Fallback.describe(start).facts;
    assert_eq!(facts.project.as_deref(), Some("/w"));
    assert_eq!(facts.branch.as_deref(), Some("b"));
    assert_eq!(facts.model.as_deref(), Some("m"));
}

#[test]
fn a_common_stem_takes_its_folder_along() {
    let id = |path: &str| Fallback.session_id(&Candidate::new(Path::new(path), b""));
    assert_eq!(id("/s/24d0/events.jsonl"), "24d0/events");
    assert_eq!(id("/s/24d0/agent.jsonl"), "agent");
    assert_eq!(id("/main.jsonl"), "main");
}

#[test]
fn only_a_meta_file_beside_its_lines_is_a_sidecar() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name);
    std::fs::write(path("web_x.jsonl"), "").unwrap();
    let session = Some(Sidecar::Session("web_x".to_owned()));
    assert_eq!(Fallback.sidecar(&path("web_x.meta.json")), session);
    assert_eq!(Fallback.sidecar(&path("other.meta.json")), None);
    assert_eq!(Fallback.sidecar(&path("web_x.json")), None);
}

#[test]
fn any_file_of_lines_is_taken_and_no_other() {
    let found =
        |path: &str| Fallback.recognise(&Candidate::new(Path::new(path), b"{\"role\":\"user\"}"));
    assert_eq!(found("/x/a.jsonl"), Recognition::Fallback);
    assert_eq!(found("/x/a.NDJSON"), Recognition::Fallback);
    assert_eq!(found("/x/a.json"), Recognition::No);
}

#[test]
fn words_are_found_in_parts_in_texts_and_one_level_below_the_role() {
    for (line, role, text) in [
        (
            r#"{"role":"user","message":{"content":[{"type":"text","text":"hi"}]}}"#,
            Role::User,
            "hi",
        ),
        (
            r#"{"role":"model","parts":[{"text":"hi"}]}"#,
            Role::Assistant,
            "hi",
        ),
        (
            r#"{"type":"user","message":{"role":"user","parts":[{"text":"hi"}]}}"#,
            Role::User,
            "hi",
        ),
        (
            r#"{"type":"message","role":"user","text":"hi","session_id":"s"}"#,
            Role::User,
            "hi",
        ),
    ] {
        let message = one(line);
        assert_eq!(
            (message.role, message.plain_text().as_str()),
            (role, text),
            "{line}"
        );
    }
    let tagged = br#"{"role":"user","message":{"content":[{"type":"text","text":"<user_info>\nx\n</user_info>\n<user_query>\nname the hues\n</user_query>"}]}}"#;
    let title = Fallback.describe(tagged).facts.title.unwrap();
    assert_eq!(title.text.trim(), "name the hues");
}

#[test]
fn calls_and_answers_of_streams_and_pages_are_found() {
    let line =
        r#"{"type":"tool_call","toolCallId":"c1","toolName":"Read","parameters":{"path":"a"}}"#;
    assert_eq!(one(line).content, [call("c1", "Read", r#"{"path":"a"}"#)]);
    for line in [
        r#"{"type":"tool_result","toolCallId":"c1","value":"red"}"#,
        r#"{"role":"user","content":[{"type":"toolResponse","id":"c1","toolResult":{"status":"success","value":[{"type":"text","text":"red"}]}}]}"#,
        r#"{"type":"tool_result","message":{"role":"user","parts":[{"functionResponse":{"id":"c1","response":{"output":"red"}}}]}}"#,
    ] {
        let message = one(line);
        assert_eq!(message.role, Role::Tool, "{line}");
        assert!(
            matches!(&message.content[..], [Block::ToolResult { id: Some(id), output, is_error: false, .. }] if id == "c1" && output == "red"),
            "{line} {:?}",
            message.content
        );
    }
    let line = r#"{"role":"assistant","content":[{"type":"toolRequest","id":"c1","toolCall":{"status":"success","value":{"name":"shell","arguments":{"b":1}}}}]}"#;
    assert_eq!(one(line).content, [call("c1", "shell", r#"{"b":1}"#)]);
    let line = r#"{"role":"assistant","parts":[{"type":"reasoning","text":"hm"},{"type":"dynamic-tool","toolCallId":"c1","toolName":"f","input":{"b":1},"output":"red"}]}"#;
    assert_eq!(one(line).content.len(), 3);
}

#[test]
fn a_first_line_that_names_a_folder_is_about_the_session() {
    let line = br#"{"working_dir":"/w/shop","description":"Given","message_count":4}"#;
    let described = Fallback.describe(line);
    assert_eq!(described.header.kind, RecordKind::Meta);
    assert_eq!(described.facts.project.as_deref(), Some("/w/shop"));
    assert_eq!(described.facts.title.unwrap().text, "Given");
}

#[test]
fn lines_of_any_providers_interface_are_readable_at_once() {
    let input = r#"{"path":"a"}"#;
    for line in [
        // OpenAI's two interfaces, Anthropic's, Gemini's, and two forms of the AI SDK.
        r#"{"role":"assistant","content":null,"tool_calls":[{"id":"c1","type":"function","function":{"name":"read","arguments":"{\"path\":\"a\"}"}}]}"#,
        r#"{"type":"function_call","call_id":"c1","name":"read","arguments":"{\"path\":\"a\"}"}"#,
        r#"{"role":"assistant","content":[{"type":"tool_use","id":"c1","name":"read","input":{"path":"a"}}]}"#,
        r#"{"role":"model","parts":[{"functionCall":{"id":"c1","name":"read","args":{"path":"a"}}}]}"#,
        r#"{"role":"assistant","content":[{"type":"tool-call","toolCallId":"c1","toolName":"read","input":{"path":"a"}}]}"#,
        r#"{"role":"assistant","content":[{"type":"tool-call","toolCallId":"c1","toolName":"read","args":{"path":"a"}}]}"#,
        r#"{"role":"assistant","parts":[{"type":"tool-read","toolCallId":"c1","state":"input-available","input":{"path":"a"}}]}"#,
    ] {
        let message = one(line);
        assert_eq!(message.role, Role::Assistant, "{line}");
        assert_eq!(message.content, [call("c1", "read", input)], "{line}");
    }
    for line in [
        r#"{"role":"tool","tool_call_id":"c1","content":"red"}"#,
        r#"{"type":"function_call_output","call_id":"c1","output":"red"}"#,
        r#"{"role":"user","content":[{"type":"tool_result","tool_use_id":"c1","content":"red"}]}"#,
        r#"{"role":"user","parts":[{"functionResponse":{"id":"c1","response":{"output":"red"}}}]}"#,
        r#"{"role":"tool","content":[{"type":"tool-result","toolCallId":"c1","output":{"type":"text","value":"red"}}]}"#,
        r#"{"role":"tool","content":[{"type":"tool-result","toolCallId":"c1","result":"red"}]}"#,
    ] {
        let message = one(line);
        assert_eq!(message.role, Role::Tool, "{line}");
        let said = matches!(&message.content[..], [Block::ToolResult { id: Some(id), output, is_error: false, .. }] if id == "c1" && output == "red");
        assert!(said, "{line} {:?}", message.content);
    }
    let thought =
        r#"{"type":"reasoning","id":"r","summary":[{"type":"summary_text","text":"hm"}]}"#;
    let content = one(thought).content;
    assert!(matches!(&content[..], [Block::Thinking { text, .. }] if text == "hm"));
    let both = r#"{"role":"assistant","parts":[{"type":"tool-read","toolCallId":"c1","input":{},"output":"red"}]}"#;
    assert_eq!(one(both).content.len(), 2);
}
