//! Copilot CLI's events, its places and what lies beside its sessions.

use std::path::Path;

use super::*;
use crate::agents::recognise;
use crate::model::links::{Act, Links};
use crate::model::message::{Block, Role, Usage};
use crate::model::record::RecordKind;

fn one(line: &str) -> Message {
    let mut messages = Copilot.messages(line.as_bytes());
    assert_eq!(messages.len(), 1, "{line}");
    messages.remove(0)
}

fn links(line: &str) -> Links {
    Copilot.describe(line.as_bytes()).facts.links
}

#[test]
fn who_says_what_is_told_by_the_kind() {
    for (line, role, text, injected) in [
        (
            r#"{"type":"user.message","data":{"content":"hi","transformedContent":"<x>hi"}}"#,
            Role::User,
            "hi",
            false,
        ),
        (
            r#"{"type":"user.message","data":{"content":"go on","source":"autopilot"}}"#,
            Role::User,
            "go on",
            true,
        ),
        (
            r#"{"type":"system.message","data":{"role":"system","content":"You are"}}"#,
            Role::System,
            "You are",
            true,
        ),
        (
            r#"{"type":"session.compaction_complete","data":{"success":true,"summaryContent":"So far"}}"#,
            Role::System,
            "So far",
            true,
        ),
    ] {
        let message = one(line);
        let found = (message.role, message.plain_text(), message.injected);
        assert_eq!(found, (role, text.to_owned(), injected), "{line}");
    }
    for line in [
        r#"{"type":"session.compaction_complete","data":{"success":false}}"#,
        r#"{"type":"hook.start","data":{"input":{"role":"user","content":"x"}}}"#,
        r#"{"type":"session.schedule_created","data":{}}"#,
        r#"{"type":"abort","data":{"reason":"x"}}"#,
    ] {
        let kind = Copilot.describe(line.as_bytes()).header.kind;
        assert_eq!(kind, RecordKind::Event, "{line}");
    }
    for line in [
        r#"{"type":"hook.of_next_year","data":{}}"#,
        r#"{"type":"abort.more","data":{}}"#,
        r#"{"type":"user.message","content":"no data"}"#,
    ] {
        let kind = Copilot.describe(line.as_bytes()).header.kind;
        assert_ne!(kind, RecordKind::Message, "{line}");
    }
}

#[test]
fn an_answer_thinks_says_and_calls_and_a_tool_answers() {
    let line = r#"{"type":"assistant.message","data":{"content":"I look.","reasoningText":"hm","reasoningOpaque":"eA==","model":"m","toolRequests":[{"toolCallId":"t","name":"bash","arguments":{"command":"ls"}}]},"id":"e"}"#;
    let message = one(line);
    assert!(matches!(
        &message.content[..],
        [Block::Thinking { signature: Some(_), .. }, Block::Text { .. }, Block::ToolUse { id: Some(id), .. }] if id == "t"
    ));
    let result = |data: &str| {
        let line = format!(r#"{{"type":"tool.execution_complete","data":{data}}}"#);
        match one(&line).content.remove(0) {
            Block::ToolResult {
                output, is_error, ..
            } => (output, is_error),
            other => panic!("{other:?}"),
        }
    };
    for (data, output, is_error) in [
        (
            r#"{"toolCallId":"t","success":true,"result":{"content":"a","detailedContent":"a b"}}"#,
            "a",
            false,
        ),
        (
            r#"{"success":true,"result":{"content":"","detailedContent":"b"}}"#,
            "b",
            false,
        ),
        (
            r#"{"success":false,"error":{"message":"denied","code":"x"}}"#,
            "denied",
            true,
        ),
        (r#"{"success":false,"error":"odd"}"#, "odd", true),
        (r#"{"success":true}"#, "", false),
    ] {
        assert_eq!(result(data), (output.to_owned(), is_error), "{data}");
    }
}

#[test]
fn a_sub_agent_is_told_by_its_id_or_by_the_call_that_started_it() {
    let named = r#"{"type":"user.message","data":{"content":"look","parentToolCallId":"t1"},"id":"e","agentId":"ag1"}"#;
    let called = r#"{"type":"assistant.message","data":{"content":"x","model":"m","parentToolCallId":"t1"},"id":"e"}"#;
    assert_eq!(one(named).agent_id.as_deref(), Some("ag1"));
    assert_eq!(one(called).agent_id.as_deref(), Some("t1"));
    let facts = Copilot.describe(named.as_bytes()).facts;
    assert_eq!((facts.title, facts.child.as_deref()), (None, Some("ag1")));
}

#[test]
fn the_sum_at_the_end_counts_for_all_before_it_unless_it_is_nothing() {
    let end = |usage: &str| {
        format!(
            r#"{{"type":"session.shutdown","data":{{"modelMetrics":{{"m":{{"usage":{usage}}},"n":{{"usage":{{"outputTokens":0}}}}}}}},"id":"e9"}}"#
        )
    };
    let full =
        end(r#"{"inputTokens":9,"outputTokens":4,"cacheReadTokens":2,"cacheWriteTokens":1}"#);
    let told = links(&full);
    assert_eq!(told.act, Act::Sums { of_all: true });
    let about = Copilot.about_line(full.as_bytes()).unwrap();
    let usage = about.usage.unwrap();
    assert_eq!(told.answer.unwrap().usage, usage);
    assert_eq!(
        (
            usage.input_tokens,
            usage.output_tokens,
            usage.cache_read_tokens,
            usage.cache_write_tokens
        ),
        (9, 4, 2, 1)
    );
    let nothing = end(r#"{"inputTokens":0,"outputTokens":0}"#);
    assert!(links(&nothing).is_nothing());
    let written = r#"{"type":"assistant.message","data":{"messageId":"a","content":"x","outputTokens":3},"id":"e"}"#;
    let expected = Usage {
        output_tokens: 3,
        ..Usage::default()
    };
    assert_eq!(one(written).usage, Some(expected));
    assert_eq!(links(written).act, Act::None);
}

#[test]
fn pieces_of_a_message_have_its_id() {
    let piece = |at: u32| {
        format!(
            r#"{{"type":"assistant.message","data":{{"messageId":"a","content":"x","chunkIndex":{at},"chunkCount":2}},"id":"e{at}"}}"#
        )
    };
    let (first, second) = (links(&piece(0)), links(&piece(1)));
    assert_eq!((first.act.clone(), first.id), (Act::Part, second.id));
    assert_eq!(one(&piece(1)).id.as_deref(), Some("a"));
}

#[test]
fn a_session_is_told_of_by_its_header_and_by_what_changes() {
    let start = r#"{"type":"session.start","data":{"sessionId":"s","startTime":"2026-04-03T09:00:00.000Z","selectedModel":"m","context":{"cwd":"/w","branch":"main"}},"id":"e1","timestamp":"2026-04-03T09:00:01.000Z","parentId":null}"#;
    let described = Copilot.describe(start.as_bytes());
    let facts = described.facts;
    assert_eq!(described.header.kind, RecordKind::Meta);
    assert_eq!(
        (
            facts.project.as_deref(),
            facts.branch.as_deref(),
            facts.model.as_deref(),
            facts.moved
        ),
        (Some("/w"), Some("main"), Some("m"), false)
    );
    assert!(facts.created_us.is_some());
    let moved = r#"{"type":"session.context_changed","data":{"cwd":"/v"},"id":"e2"}"#;
    let facts = Copilot.describe(moved.as_bytes()).facts;
    assert_eq!((facts.project.as_deref(), facts.moved), (Some("/v"), true));
    let model = r#"{"type":"session.model_change","data":{"newModel":"n"},"id":"e3"}"#;
    let facts = Copilot.describe(model.as_bytes()).facts;
    assert_eq!(facts.model.as_deref(), Some("n"));
}

#[test]
fn its_places_and_ids_and_what_is_kept() {
    let start = r#"{"type":"session.start","data":{"sessionId":"own"},"id":"e1","parentId":null}"#;
    for (path, head, agent, id) in [
        (
            "/h/.copilot/session-state/a/events.jsonl",
            "",
            "copilot",
            "a",
        ),
        ("/h/.copilot/session-state/b.jsonl", "{", "copilot", "b"),
        ("/x/session-state/c/events.jsonl", start, "copilot", "own"),
        ("/x/some.jsonl", start, "copilot", "own"),
        (
            "/x/a/events.jsonl",
            r#"{"type":"user.message","data":{"content":"x"}}"#,
            "jsonl",
            "a/events",
        ),
    ] {
        let candidate = Candidate::new(Path::new(path), head.as_bytes());
        let found = recognise(&candidate).unwrap();
        let found = (found.agent(), found.session_id(&candidate));
        assert_eq!(found, (agent, id.to_owned()), "{path}");
    }
    let owner = |path: &str| Copilot.sidecar(Path::new(path));
    let of = |id: &str| Some(Sidecar::Session(id.to_owned()));
    for (path, expected) in [
        ("/h/.copilot/session-state/a/workspace.yaml", of("a")),
        ("/x/session-state/a/workspace.yaml", of("a")),
        ("/h/.copilot/session-state/a/plan.md", of("a")),
        ("/h/.copilot/session-state/a/checkpoints/1.md", of("a")),
        ("/h/.copilot/session-state/a/files/x/y.jsonl", of("a")),
        ("/h/.copilot/session-state/a/files/.env", None),
        ("/h/.copilot/session-state/a/session.db", None),
        ("/h/.copilot/session-state/a/inuse.1.lock", None),
        ("/h/.copilot/config.json", None),
        ("/w/workspace.yaml", None),
    ] {
        assert_eq!(owner(path), expected, "{path}");
    }
}
