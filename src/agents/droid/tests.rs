//! Droid's lines, what it prints, and what lies beside its sessions.

use std::path::Path;

use super::*;
use crate::agents::parts::titles;
use crate::agents::{Dialect, recognise};
use crate::model::links::{Act, Place};
use crate::model::message::{Block, Role};
use crate::model::record::RecordKind;

fn one(line: &str) -> Message {
    let mut messages = Droid.messages(line.as_bytes());
    assert_eq!(messages.len(), 1, "{line}");
    messages.remove(0)
}

fn said(role: &str, content: &str, more: &str) -> String {
    format!(
        r#"{{"type":"message","id":"m2","parentId":"m1","timestamp":"2026-04-03T09:00:01.000Z","message":{{"role":"{role}","content":{content}{more}}}}}"#
    )
}

#[test]
fn a_persons_words_are_told_from_what_was_put_before_them() {
    let reminder = r#"{"type":"text","text":"<system-reminder>today is Friday</system-reminder>"}"#;
    let words = r#"{"type":"text","text":"name the hues"}"#;
    for (content, more, text, injected, title) in [
        (
            format!("[{reminder},{words}]"),
            "",
            "name the hues",
            false,
            Some("name the hues"),
        ),
        (
            format!("[{words}]"),
            r#","visibility":"llm_only""#,
            "name the hues",
            true,
            None,
        ),
        (
            format!("[{words}]"),
            r#","visibility":"user_only""#,
            "name the hues",
            false,
            Some("name the hues"),
        ),
        (
            format!("[{reminder}]"),
            "",
            "<system-reminder>today is Friday</system-reminder>",
            true,
            None,
        ),
    ] {
        let line = said("user", &content, more);
        let found = one(&line);
        assert_eq!(
            (found.plain_text().as_str(), found.injected),
            (text, injected),
            "{line}"
        );
        let offer = Droid.describe(line.as_bytes()).facts.title;
        assert_eq!(offer.as_ref().map(|offer| &*offer.text), title, "{line}");
    }
}

#[test]
fn what_tools_answer_is_theirs_and_a_summary_is_the_systems() {
    let result = r#"[{"type":"tool_result","tool_use_id":"t","content":"red","is_error":true}]"#;
    let found = one(&said("user", result, ""));
    assert_eq!(found.role, Role::Tool);
    assert!(matches!(
        &found.content[..],
        [Block::ToolResult { is_error: true, .. }]
    ));
    let summary = r#"{"type":"compaction_state","id":"k","summaryText":"So far","removedCount":4}"#;
    let found = one(summary);
    assert_eq!((found.role, found.injected), (Role::System, true));
    let todo = r#"{"type":"todo_state","id":"d","todos":{"todos":"x"},"messageIndex":1}"#;
    let kind = Droid.describe(todo.as_bytes()).header.kind;
    assert_eq!(kind, RecordKind::Event);
}

#[test]
fn a_message_that_is_written_again_has_no_parent_and_leaves_nothing_behind() {
    let links = |line: &str| Droid.describe(line.as_bytes()).facts.links;
    let line = said("assistant", "[]", "");
    assert_eq!(
        (links(&line).place, links(&line).act),
        (Place::Answered, Act::Again)
    );
    let again = line.replace(r#""parentId":"m1","#, "");
    assert_eq!(
        (links(&again).place, links(&again).id),
        (Place::Way, links(&line).id)
    );
}

#[test]
fn the_header_tells_of_the_session_and_is_written_anew() {
    let header = |fields: &str| {
        let line = format!(r#"{{"type":"session_start","id":"s","cwd":"/w",{fields}}}"#);
        let facts = Droid.describe(line.as_bytes()).facts.clone();
        let title = facts
            .title
            .map(|offer| (offer.text.into_owned(), offer.rank, offer.latest_wins));
        (
            title,
            facts.parent.map(std::borrow::Cow::into_owned),
            facts.subagent,
        )
    };
    let title = |text: &str, rank| Some((text.to_owned(), rank, true));
    for (fields, expected) in [
        (
            r#""title":"T""#,
            (title("T", titles::GENERATED), None, false),
        ),
        (
            r#""title":"T","isSessionTitleManuallySet":true,"parent":"p""#,
            (title("T", titles::CHOSEN), Some("p".to_owned()), false),
        ),
        (
            r#""title":"first words","sessionTitle":"Fix","callingSessionId":"c""#,
            (title("Fix", titles::GENERATED), Some("c".to_owned()), true),
        ),
        (r#""title":7"#, (None, None, false)),
    ] {
        assert_eq!(header(fields), expected, "{fields}");
    }
    let role = |line: &str| (Droid.habits().role.unwrap())(line.as_bytes());
    assert_eq!(
        role(r#"{"type":"session_start","id":"s"}"#),
        LineRole::Frame
    );
    assert_eq!(role(&said("user", "[]", "")), LineRole::Said);
    assert_eq!(role("torn {"), LineRole::Said);
}

#[test]
fn settings_tell_the_model_and_the_tokens() {
    let path = Path::new("/h/.factory/sessions/-w/s.settings.json");
    let told = br#"{"model":"m","tokenUsage":{"inputTokens":160,"outputTokens":19,"cacheCreationTokens":1,"cacheReadTokens":140},"inclusiveTokenUsage":{"inputTokens":900}}"#;
    let facts = Droid.sidecar_facts(path, told).remove(0);
    assert_eq!(
        (facts.id.as_str(), facts.model.as_deref()),
        ("s", Some("m"))
    );
    let usage = facts.usage.unwrap();
    assert_eq!((usage.input_tokens, usage.cache_write_tokens), (160, 1));
    for broken in [&b""[..], b"{", b"[]", br#"{"tokenUsage":7}"#] {
        assert_eq!(Droid.sidecar_facts(path, broken).remove(0).usage, None);
    }
    let uuid = "0a1b2c3d-0000-4000-8000-000000000001";
    let of = |id: &str| Some(Sidecar::Session(id.to_owned()));
    for (path, expected) in [
        (
            "/h/.factory/sessions/-w/s.settings.json".to_owned(),
            of("s"),
        ),
        (format!("/x/{uuid}.settings.json"), of(uuid)),
        ("/w/app.settings.json".to_owned(), None),
        ("/h/.factory/settings.json".to_owned(), None),
        ("/h/.factory/auth.json".to_owned(), None),
        ("/h/.factory/sessions/-w/.events.lock".to_owned(), None),
    ] {
        assert_eq!(Droid.sidecar(Path::new(&path)), expected, "{path}");
    }
}

#[test]
fn its_places_ids_and_what_it_prints() {
    let header = r#"{"type":"session_start","id":"own","title":"T","cwd":"/w"}"#;
    let printed = r#"{"type":"completion","session_id":"s7","finalText":"x"}"#;
    let other =
        r#"{"type":"session_start","timestamp":"2026-04-03T09:00:00Z","uuid":"u","project":"/w"}"#;
    for (path, head, agent, id) in [
        ("/h/.factory/sessions/-w/a.jsonl", "", "droid", "a"),
        ("/h/.factory/sessions/b.jsonl", header, "droid", "b"),
        ("/x/some.jsonl", header, "droid", "own"),
        ("/x/run.jsonl", printed, "droid", "s7"),
        ("/x/some.jsonl", other, "jcode", "some"),
    ] {
        let candidate = Candidate::new(Path::new(path), head.as_bytes());
        let found = recognise(&candidate).map(Dialect::agent);
        assert_eq!(found, Some(agent), "{path}");
        if agent == "droid" {
            assert_eq!(Droid.session_id(&candidate), id, "{path}");
        }
    }
    let call = r#"{"type":"tool_call","session_id":"s","toolCallId":"c","toolName":"Read","parameters":{"p":1}}"#;
    assert!(matches!(&one(call).content[..], [Block::ToolUse { name, .. }] if name == "Read"));
    let begin = r#"{"type":"system","session_id":"s","subtype":"init","model":"m","cwd":"/w"}"#;
    let facts = Droid.describe(begin.as_bytes()).facts;
    assert_eq!(
        (facts.project.as_deref(), facts.model.as_deref()),
        (Some("/w"), Some("m"))
    );
    let kind = Droid.describe(printed.as_bytes()).header.kind;
    assert_eq!(kind, RecordKind::Event);
}
