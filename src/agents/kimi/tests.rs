//! Kimi's lines of both sorts, its places and what lies beside its sessions.

use std::path::Path;

use super::*;
use crate::agents::{Dialect, recognise};
use crate::model::links::{Act, Links, Place};
use crate::model::message::{Block, Role};
use crate::model::record::RecordKind;

fn one(line: &str) -> Message {
    let mut messages = Kimi.messages(line.as_bytes());
    assert_eq!(messages.len(), 1, "{line}");
    messages.remove(0)
}

fn links(line: &str) -> Links {
    Kimi.describe(line.as_bytes()).facts.links
}

fn event(fields: &str) -> String {
    format!(r#"{{"type":"context.append_loop_event","event":{{{fields}}},"time":1775206800001}}"#)
}

fn said(role: &str, origin: &str) -> String {
    format!(
        r#"{{"type":"context.append_message","message":{{"role":"{role}","content":[{{"type":"text","text":"x"}}],"toolCalls":[{{"id":"c","function":{{"name":"f","arguments":"{{}}"}}}}]{origin}}},"time":1775206800000}}"#
    )
}

#[test]
fn a_person_is_told_from_what_was_put_in_by_the_origin() {
    for (origin, injected) in [
        ("", false),
        (r#","origin":{"kind":"user"}"#, false),
        (
            r#","origin":{"kind":"skill_activation","trigger":"user-slash"}"#,
            false,
        ),
        (
            r#","origin":{"kind":"skill_activation","trigger":"model"}"#,
            true,
        ),
        (r#","origin":{"kind":"injection"}"#, true),
        (r#","origin":{"kind":"compaction_summary"}"#, true),
    ] {
        let line = said("user", origin);
        assert_eq!(one(&line).injected, injected, "{origin}");
        let (place, title) = (
            links(&line).place,
            Kimi.describe(line.as_bytes()).facts.title,
        );
        assert_eq!(
            (place == Place::Asked, title.is_some()),
            (!injected, !injected)
        );
    }
    let answered = one(&said("assistant", ""));
    assert!(matches!(&answered.content[..], [_, Block::ToolUse { name, .. }] if name == "f"));
}

#[test]
fn parts_and_calls_of_a_step_are_one_message() {
    let part =
        event(r#""type":"content.part","stepUuid":"s","part":{"type":"think","think":"hm"}"#);
    let call =
        event(r#""type":"tool.call","stepUuid":"s","toolCallId":"t","name":"Read","args":{"p":1}"#);
    assert_eq!(links(&part).act, Act::Part);
    assert_eq!(links(&part).id, links(&call).id);
    assert_eq!(one(&part).id, one(&call).id);
    assert!(matches!(&one(&part).content[..], [Block::Thinking { text, .. }] if text == "hm"));
    let result = event(
        r#""type":"tool.result","toolCallId":"t","result":{"output":[{"type":"text","text":"no"}],"isError":true}"#,
    );
    let found = one(&result);
    assert_eq!((found.role, links(&result)), (Role::Tool, Links::default()));
    assert!(matches!(
        &found.content[..],
        [Block::ToolResult { output, is_error: true, .. }] if output == "no"
    ));
    for fields in [
        r#""type":"step.begin","uuid":"s""#,
        r#""type":"content.part","stepUuid":"s""#,
        r#""type":"of.next.year""#,
    ] {
        let kind = Kimi.describe(event(fields).as_bytes()).header.kind;
        assert_eq!(kind, RecordKind::Event, "{fields}");
    }
}

#[test]
fn the_producers_own_count_goes_before_what_steps_repeat() {
    let numbers =
        r#""usage":{"inputOther":6,"output":1,"inputCacheRead":4,"inputCacheCreation":2}"#;
    let record = format!(r#"{{"type":"usage.record","model":"m",{numbers},"time":1775206800002}}"#);
    let end = event(&format!(r#""type":"step.end","uuid":"s",{numbers}"#));
    assert_eq!(links(&record).act, Act::Sums { of_all: false });
    assert_eq!(links(&end).act, Act::Summed);
    for line in [&record, &end] {
        let shown = Kimi.about_line(line.as_bytes()).unwrap().usage;
        let usage = links(line).answer.unwrap().usage;
        assert_eq!(shown, Some(usage));
        assert_eq!((usage.input_tokens, usage.cache_write_tokens), (6, 2));
    }
    let none = event(r#""type":"step.end","uuid":"s","finishReason":"interrupted""#);
    assert!(links(&none).is_nothing());
}

#[test]
fn lines_tell_of_the_session_and_take_turns_back() {
    let config = r#"{"type":"config.update","cwd":"/w","modelAlias":"m","time":1775206800001}"#;
    let facts = Kimi.describe(config.as_bytes()).facts;
    assert_eq!(
        (facts.project.as_deref(), facts.model.as_deref()),
        (Some("/w"), Some("m"))
    );
    let undo = r#"{"type":"context.undo","count":2,"time":1775206800001}"#;
    assert_eq!(links(undo).act, Act::TakeBack(2));
    let short =
        r#"{"type":"context.apply_compaction","contextSummary":"So far","time":1775206800001}"#;
    let found = one(short);
    assert_eq!((found.role, found.injected), (Role::System, true));
    assert_eq!(found.plain_text(), "So far");
    let prompt =
        r#"{"type":"turn.prompt","input":[{"type":"text","text":"x"}],"time":1775206800001}"#;
    assert_eq!(Kimi.messages(prompt.as_bytes()), []);
}

#[test]
fn the_lines_of_the_first_one_are_messages_and_notes() {
    let user = r#"{"role": "user", "content": "hi"}"#;
    let answer = r#"{"role": "assistant", "content": [{"type": "think", "think": "hm"}], "tool_calls": [{"type": "function", "id": "t", "function": {"name": "f", "arguments": "{}"}}]}"#;
    assert_eq!(
        (one(user).role, links(user).place),
        (Role::User, Place::Asked)
    );
    assert_eq!(one(answer).content.len(), 2);
    let note = r#"{"role": "_usage", "token_count": 7}"#;
    let described = Kimi.describe(note.as_bytes());
    assert_eq!(described.header.kind, RecordKind::Event);
    let part = r#"{"role":"user","content":"x","origin":{"kind":"injection"}}"#;
    assert_eq!(Kimi.messages(part.as_bytes()), []);
}

#[test]
fn its_places_and_ids() {
    let line = said("user", "");
    let note = r#"{"role": "_checkpoint", "id": 0}"#;
    for (path, head, id, parent) in [
        (
            "/h/.kimi-code/sessions/wd_w/s-1/agents/main/wire.jsonl",
            "",
            "s-1",
            None,
        ),
        (
            "/h/.kimi-code/sessions/wd_w/s-1/agents/a1/wire.jsonl",
            "",
            "s-1/a1",
            Some("s-1"),
        ),
        ("/x/s-1/agents/main/wire.jsonl", &*line, "s-1", None),
        ("/h/.kimi/sessions/0a/s-2/context.jsonl", "", "s-2", None),
        (
            "/h/.kimi/sessions/0a/s-2/subagents/b/context.jsonl",
            "",
            "s-2/b",
            Some("s-2"),
        ),
        ("/h/.kimi/sessions/0a/s-3.jsonl", "", "s-3", None),
        ("/x/s-4.jsonl", note, "s-4", None),
    ] {
        let candidate = Candidate::new(Path::new(path), head.as_bytes());
        let found = recognise(&candidate).map(Dialect::agent);
        assert_eq!(found, Some("kimi"), "{path}");
        assert_eq!(Kimi.session_id(&candidate), id, "{path}");
        assert_eq!(Kimi.parent(&candidate).as_deref(), parent, "{path}");
    }
}

#[test]
fn what_lies_beside_sessions_is_kept_by_name() {
    let of = |id: &str| Some(Sidecar::Session(id.to_owned()));
    for (path, expected) in [
        ("/h/.kimi-code/session_index.jsonl", Some(Sidecar::Folder)),
        ("/h/.kimi-code/config.toml", None),
        ("/h/.kimi-code/credentials/x.json", None),
        ("/h/.kimi-code/sessions/wd_w/s-1/state.json", of("s-1")),
        (
            "/h/.kimi-code/sessions/wd_w/s-1/agents/main/wire.jsonl",
            None,
        ),
        (
            "/h/.kimi-code/sessions/wd_w/s-1/agents/a/wire.jsonl.bak",
            of("s-1/a"),
        ),
        (
            "/h/.kimi-code/sessions/wd_w/s-1/agents/main/tool-results/t.txt",
            of("s-1"),
        ),
        (
            "/h/.kimi-code/sessions/wd_w/s-1/agents/main/blobs/.env",
            None,
        ),
        ("/h/.kimi-code/sessions/wd_w/s-1/logs/x.log", None),
        ("/h/.kimi/kimi.json", Some(Sidecar::Folder)),
        ("/h/.kimi/sessions/0a/s-2/wire.jsonl", of("s-2")),
        ("/h/.kimi/sessions/0a/s-2/context_1.jsonl", of("s-2")),
        ("/h/.kimi/sessions/0a/s-2/context.jsonl", None),
    ] {
        assert_eq!(Kimi.sidecar(Path::new(path)), expected, "{path}");
    }
    let state = Path::new("/h/.kimi-code/sessions/wd_w/s-1/state.json");
    let told = br#"{"title":"T","titleKind":"custom","cwd":"/w","createdAt":1775206800000}"#;
    let facts = Kimi.sidecar_facts(state, told).remove(0);
    assert_eq!(
        (facts.id.as_str(), facts.title.as_deref()),
        ("s-1", Some("T"))
    );
    assert_eq!(facts.title_rank, Some(crate::agents::parts::titles::CHOSEN));
    assert_eq!(facts.project.as_deref(), Some("/w"));
    let facts = Kimi.sidecar_facts(state, b"torn {").remove(0);
    assert_eq!(facts.title, None);
    let index = Path::new("/h/.kimi-code/session_index.jsonl");
    let rows = b"{\"sessionId\":\"a\",\"workDir\":\"/w\"}\nnoise\n{\"sessionId\":\"a\",\"deleted\":true}\n{\"sessionId\":\"a\",\"workDir\":\"/v\"}\n";
    let told = Kimi.sidecar_facts(index, rows);
    let folders: Vec<_> = told
        .iter()
        .filter_map(|told| told.project.as_deref())
        .collect();
    assert_eq!(folders, ["/v", "/w"]);
}

#[test]
fn the_log_beside_the_first_one_s_messages_has_times_and_what_calls_took() {
    let step = |time: &str, output: u64| {
        format!(
            r#"{{"timestamp": {time}, "message": {{"type": "StatusUpdate", "payload": {{"token_usage": {{"input_other": 10, "output": {output}, "input_cache_read": 3, "input_cache_creation": 1}}}}}}}}"#
        )
    };
    let of_another = r#"{"timestamp": 1775206803.5, "message": {"type": "SubagentEvent", "payload": {"event": {"type": "StatusUpdate", "payload": {"token_usage": {"input_other": 99, "output": 99}}}}}}"#;
    let log = [
        r#"{"type": "metadata", "protocol_version": "1.10"}"#,
        &step("1775206801.25", 5),
        of_another,
        "{",
        &step("1775206802.5", 7),
    ]
    .join("\n");
    let path = Path::new("/h/.kimi/sessions/0a/s-2/subagents/b/wire.jsonl");
    let facts = Kimi.sidecar_facts(path, log.as_bytes()).remove(0);
    assert_eq!(facts.id, "s-2/b");
    assert_eq!(facts.created_us, Some(1_775_206_801_250_000));
    assert_eq!(facts.updated_us, Some(1_775_206_803_500_000));
    let took = facts.usage.unwrap();
    let counts = [
        took.input_tokens,
        took.output_tokens,
        took.cache_read_tokens,
        took.cache_write_tokens,
    ];
    assert_eq!(counts, [20, 12, 6, 2]);
    let empty = Kimi.sidecar_facts(Path::new("wire.jsonl"), b"");
    assert_eq!(empty, [SidecarFacts::default()]);
}
