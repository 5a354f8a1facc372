//! Codex's lines, old and new, and its places.

use super::*;
use crate::agents::parts::blocks;
use crate::model::message::Block;
use crate::model::raw_json::RawJson;

const UUID: &str = "019bf109-50bc-7a81-9199-1232bc0ad438";

fn one(line: &str) -> Message {
    let mut messages = Codex.messages(line.as_bytes());
    assert_eq!(messages.len(), 1, "{line}");
    messages.remove(0)
}

#[test]
fn a_session_is_described_by_its_meta_line() {
    let line = format!(
        r#"{{"timestamp":"2026-06-01T19:20:59.762Z","type":"session_meta","payload":{{"id":"{UUID}","timestamp":"2026-06-01T19:18:40.934Z","cwd":"/w/demo","forked_from_id":"parent","base_instructions":{{"text":"You are"}},"git":{{"branch":"main"}}}}}}"#
    );
    let described = Codex.describe(line.as_bytes());
    assert_eq!(described.header.kind, RecordKind::Meta);
    assert_eq!(described.header.time_us, Some(1_780_341_659_762_000));
    let facts = described.facts;
    assert_eq!(facts.created_us, Some(1_780_341_520_934_000));
    assert_eq!(facts.project.as_deref(), Some("/w/demo"));
    assert_eq!(facts.branch.as_deref(), Some("main"));
    assert_eq!(facts.parent.as_deref(), Some("parent"));
    assert_eq!(facts.record_id, None);
}

#[test]
fn a_spawned_session_names_its_parent() {
    let line = r#"{"type":"session_meta","payload":{"id":"a","source":{"subagent":{"thread_spawn":{"parent_thread_id":"p","depth":1}}}}}"#;
    assert_eq!(
        Codex.describe(line.as_bytes()).facts.parent.as_deref(),
        Some("p")
    );
    let line = r#"{"type":"session_meta","payload":{"id":"a","source":"cli"}}"#;
    assert_eq!(Codex.describe(line.as_bytes()).facts.parent, None);
}

#[test]
fn the_turn_context_names_the_model() {
    let line = br#"{"type":"turn_context","payload":{"cwd":"/w","model":"gpt-x"}}"#;
    let described = Codex.describe(line);
    assert_eq!(described.header.kind, RecordKind::Event);
    assert_eq!(described.facts.model.as_deref(), Some("gpt-x"));
}

#[test]
fn what_is_said_is_a_message_by_who_says_it() {
    let item = |payload: &str| {
        format!(
            r#"{{"timestamp":"2026-06-01T19:20:59.762Z","type":"response_item","payload":{payload}}}"#
        )
    };
    for (payload, role, content) in [
        (
            r#"{"type":"message","role":"developer","content":[{"type":"input_text","text":"a"}]}"#,
            Role::System,
            blocks::said("a".into()),
        ),
        (
            r#"{"type":"function_call","name":"shell","arguments":"{\"cmd\":[\"ls\"]}","call_id":"c"}"#,
            Role::Assistant,
            Block::ToolUse {
                id: Some("c".into()),
                name: "shell".into(),
                input: Some(RawJson::parse(r#"{"cmd":["ls"]}"#).unwrap()),
            },
        ),
        (
            r#"{"type":"custom_tool_call","name":"apply_patch","input":"*** Begin","call_id":"c"}"#,
            Role::Assistant,
            Block::ToolUse {
                id: Some("c".into()),
                name: "apply_patch".into(),
                input: Some(RawJson::parse("\"*** Begin\"").unwrap()),
            },
        ),
        (
            r#"{"type":"function_call_output","call_id":"c","output":{"content":"no","success":false}}"#,
            Role::Tool,
            Block::ToolResult {
                id: Some("c".into()),
                name: None,
                output: "no".into(),
                is_error: true,
                images: Vec::new(),
            },
        ),
        (
            r#"{"type":"reasoning","summary":[{"type":"summary_text","text":"a"}],"content":[{"type":"reasoning_text","text":"b"}],"encrypted_content":"gA"}"#,
            Role::Assistant,
            Block::Thinking {
                text: "a\n\nb".into(),
                signature: Some("gA".into()),
            },
        ),
        (
            r#"{"type":"web_search_call","status":"completed","action":{"type":"search"}}"#,
            Role::Assistant,
            Block::ToolUse {
                id: None,
                name: "web_search".into(),
                input: Some(RawJson::parse(r#"{"type":"search"}"#).unwrap()),
            },
        ),
    ] {
        // With its envelope, and bare as in files from before it.
        for line in [item(payload), payload.to_owned()] {
            let message = one(&line);
            assert_eq!(message.role, role, "{line}");
            assert_eq!(message.content, std::slice::from_ref(&content), "{line}");
            assert_eq!(Codex.describe(line.as_bytes()).header.role, Some(role));
        }
    }
}

#[test]
fn events_are_no_messages_and_new_kinds_are_unknown() {
    for (line, kind) in [
        (
            r#"{"type":"event_msg","payload":{"type":"token_count","info":null}}"#,
            RecordKind::Event,
        ),
        (
            r#"{"type":"compacted","payload":{"message":""}}"#,
            RecordKind::Event,
        ),
        (r#"{"type":"world_state","payload":{}}"#, RecordKind::Event),
        (r#"{"record_type":"state"}"#, RecordKind::Event),
        (
            r#"{"type":"response_item","payload":{"type":"ghost_snapshot"}}"#,
            RecordKind::Event,
        ),
        (
            r#"{"type":"response_item","payload":{"type":"of_next_year"}}"#,
            RecordKind::Unknown,
        ),
        (
            r#"{"type":"response_item","payload":"text"}"#,
            RecordKind::Unknown,
        ),
        (
            r#"{"type":"of_next_year","payload":{}}"#,
            RecordKind::Unknown,
        ),
        (
            r#"{"id":"a","timestamp":"2025-05-01T00:00:00Z","instructions":null}"#,
            RecordKind::Meta,
        ),
    ] {
        assert_eq!(Codex.describe(line.as_bytes()).header.kind, kind, "{line}");
        assert!(Codex.messages(line.as_bytes()).is_empty());
    }
}

#[test]
fn titles_are_what_the_user_wrote() {
    let offer = |line: &str| {
        let title = Codex.describe(line.as_bytes()).facts.title?;
        Some((title.text.into_owned(), title.rank))
    };
    let user = |text: &str| {
        format!(
            r#"{{"type":"response_item","payload":{{"type":"message","role":"user","content":[{{"type":"input_text","text":"{text}"}}]}}}}"#
        )
    };
    assert_eq!(offer(&user("fix it")), Some(("fix it".into(), 9)));
    for text in [
        "<environment_context>x",
        "<user_instructions>",
        "# AGENTS.md instructions for /w",
        "<recommended_plugins>\\n- q\\n</recommended_plugins>",
        "<subagent_notification>x",
    ] {
        assert_eq!(offer(&user(text)), None);
    }
    let event = r##"{"type":"event_msg","payload":{"type":"user_message","message":"# Context from my IDE setup:\n\n## My request for Codex:\nfix it"}}"##;
    assert_eq!(offer(event), Some(("fix it".into(), 10)));
    let named =
        r#"{"type":"event_msg","payload":{"type":"thread_name_updated","thread_name":"Fix"}}"#;
    assert_eq!(offer(named), Some(("Fix".into(), 60)));
    let unnamed =
        r#"{"type":"event_msg","payload":{"type":"thread_name_updated","thread_name":""}}"#;
    assert_eq!(offer(unnamed), Some((String::new(), 60)));
    let item = |item: &str| {
        format!(r#"{{"type":"event_msg","payload":{{"type":"item_completed","item":{item}}}}}"#)
    };
    let typed = item(
        r##"{"type":"UserMessage","content":[{"type":"text","text":"# AGENTS.md"},{"type":"text","text":"fix it"}]}"##,
    );
    assert_eq!(offer(&typed), Some(("fix it".into(), 10)));
    let answered = item(r#"{"type":"AgentMessage","content":[{"type":"Text","text":"done"}]}"#);
    assert_eq!(offer(&answered), None);
}

#[test]
fn of_items_a_plan_alone_is_a_message() {
    let line = |item: &str| {
        format!(
            r#"{{"timestamp":"2026-11-20T10:00:04.000Z","type":"event_msg","payload":{{"type":"item_completed","item":{item}}}}}"#
        )
    };
    let plan = line(r#"{"type":"Plan","id":"i3","text":"1. ship it"}"#);
    let described = Codex.describe(plan.as_bytes());
    assert_eq!(described.header.kind, RecordKind::Message);
    let message = Codex.messages(plan.as_bytes()).remove(0);
    assert_eq!(
        (message.role, described.header.role),
        (Role::Assistant, Some(Role::Assistant))
    );
    assert_eq!(message.plain_text(), "1. ship it");
    assert_eq!(message.id.as_deref(), Some("i3"));
    for item in [
        r#"{"type":"UserMessage","content":[{"type":"text","text":"a"}]}"#,
        r#"{"type":"AgentMessage","content":[{"type":"Text","text":"a"}]}"#,
        r#"{"type":"Plan"}"#,
        r#"{"type":"CommandExecution"}"#,
        "7",
    ] {
        let line = line(item);
        assert_eq!(
            Codex.describe(line.as_bytes()).header.kind,
            RecordKind::Event,
            "{item}"
        );
        assert!(Codex.messages(line.as_bytes()).is_empty());
    }
}

#[test]
fn a_header_says_whose_it_is_and_where_the_session_came_from() {
    let facts = |payload: &str| {
        let line = format!(r#"{{"type":"session_meta","payload":{payload}}}"#);
        let facts = Codex.describe(line.as_bytes()).facts;
        let owned = |text: Option<Cow<'_, str>>| text.map(Cow::into_owned);
        (owned(facts.session), owned(facts.parent))
    };
    let some = |id: &str| Some(id.to_owned());
    for (payload, parent) in [
        (r#"{"id":"b","session_id":"b"}"#, None),
        (r#"{"id":"b","session_id":"a"}"#, some("a")),
        (
            r#"{"id":"b","session_id":"c","parent_thread_id":"a"}"#,
            some("a"),
        ),
        (
            r#"{"id":"b","history_base":{"thread_id":"a","end_byte_offset":7}}"#,
            some("a"),
        ),
        (r#"{"id":"b","history_base":{"thread_id":"b"}}"#, None),
    ] {
        assert_eq!(facts(payload), (some("b"), parent), "{payload}");
    }
}

#[test]
fn ids_sidecars_and_places() {
    let name = format!("rollout-2026-04-03T09-05-00-{UUID}.jsonl");
    let found = |path: &str, head: &str| {
        let candidate = Candidate::new(Path::new(path), head.as_bytes());
        (Codex.recognise(&candidate), Codex.session_id(&candidate))
    };
    let own = format!("/h/.codex/sessions/2026/04/03/{name}");
    assert_eq!(
        found(&own, ""),
        (Recognition::PathAndLines, UUID.to_owned())
    );
    let line =
        r#"{"timestamp":"2026-06-01T19:20:59.762Z","type":"session_meta","payload":{"id":"cut"#;
    let copied = format!("/copy/sessions/2026/04/03/{name}");
    assert_eq!(found(&copied, line).0, Recognition::PathAndLines);
    assert_eq!(found(&copied, "").0, Recognition::No);
    let bare = r#"{"id":"a","timestamp":"2025-05-01T00:00:00Z","git":{}}"#;
    assert_eq!(found(&copied, bare).0, Recognition::PathAndLines);
    assert_eq!(found("/x/a.jsonl", bare).0, Recognition::No);
    assert_eq!(
        found("/x/a.jsonl", line),
        (Recognition::Lines, "a".to_owned())
    );

    let sidecar = |path: &str| Codex.sidecar(Path::new(path));
    let session = Some(Sidecar::Session(UUID.to_owned()));
    assert_eq!(sidecar(&format!("{own}.zst")), session);
    assert_eq!(sidecar(&format!("{copied}.zst")), session);
    assert_eq!(sidecar(&own), None, "lines are a session");
    let folder = Some(Sidecar::Folder);
    assert_eq!(sidecar("/h/.codex/history.jsonl"), folder);
    assert_eq!(sidecar("/h/.codex/session_index.jsonl"), folder);
    assert_eq!(sidecar("/h/.codex/sessions/rollout-1.json"), folder);
    assert_eq!(sidecar("/h/.codex/sessions/2026/notes.txt"), None);
    assert_eq!(sidecar("/h/.codex/state_5.sqlite"), None);
    assert_eq!(sidecar("/h/.codex/auth.json"), None);
    assert_eq!(sidecar("/h/.codex/sessions/auth.json"), None);
    assert_eq!(sidecar("/h/.codex/config.toml"), None);
    assert_eq!(sidecar("/x/sessions/a.txt"), None);
}
