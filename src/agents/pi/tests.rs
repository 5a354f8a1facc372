//! pi's entries, the tree that they are, and its places.

use std::path::Path;

use super::*;
use crate::agents::parts::titles;
use crate::agents::recognise;
use crate::model::links::{Links, Place};
use crate::model::message::{Block, Role};
use crate::model::record::RecordKind;

fn one(line: &str) -> Message {
    let mut messages = Pi.messages(line.as_bytes());
    assert_eq!(messages.len(), 1, "{line}");
    messages.remove(0)
}

fn links(line: &str) -> Links {
    Pi.describe(line.as_bytes()).facts.links
}

/// A message of pi's, with these fields inside.
fn message(fields: &str) -> String {
    format!(
        r#"{{"type":"message","id":"e","parentId":"d","timestamp":"2026-04-03T09:00:00.000Z","message":{{{fields}}}}}"#
    )
}

#[test]
fn each_role_is_one_of_the_four() {
    for (fields, role, injected) in [
        (r#""role":"user","content":"x""#, Role::User, false),
        (r#""role":"assistant","content":[]"#, Role::Assistant, false),
        (r#""role":"toolResult","content":[]"#, Role::Tool, false),
        (
            r#""role":"bashExecution","command":"ls""#,
            Role::Tool,
            false,
        ),
        (r#""role":"custom","content":"x""#, Role::System, true),
        (
            r#""role":"system","content":"","sections":[]"#,
            Role::System,
            true,
        ),
        (
            r#""role":"branchSummary","summary":"x""#,
            Role::System,
            true,
        ),
    ] {
        let found = one(&message(fields));
        assert_eq!((found.role, found.injected), (role, injected), "{fields}");
    }
    for (line, text) in [
        (
            r#"{"type":"compaction","id":"e","summary":"So far"}"#,
            "So far",
        ),
        (
            r#"{"type":"branch_summary","id":"e","summary":"Left"}"#,
            "Left",
        ),
        (
            r#"{"type":"custom_message","id":"e","content":"put in","display":false}"#,
            "put in",
        ),
    ] {
        let found = one(line);
        let found = (found.role, found.plain_text(), found.injected);
        assert_eq!(found, (Role::System, text.to_owned(), true), "{line}");
    }
    for kind in ["custom", "label", "usage", "context_edit", "compaction"] {
        let line = format!(r#"{{"type":"{kind}","id":"e","parentId":"d"}}"#);
        let kind = Pi.describe(line.as_bytes()).header.kind;
        let expected = if line.contains("compaction") {
            RecordKind::Unknown
        } else {
            RecordKind::Event
        };
        assert_eq!(kind, expected, "{line}");
    }
    let inner = r#"{"role":"user","content":"a part of another line"}"#;
    assert_eq!(Pi.messages(inner.as_bytes()), []);
}

#[test]
fn what_the_user_ran_is_shown_with_what_it_put_out() {
    let ran =
        message(r#""role":"bashExecution","command":"git status","output":"clean","exitCode":1"#);
    let found = one(&ran);
    let [
        Block::ToolUse { name, input, .. },
        Block::ToolResult {
            output, is_error, ..
        },
    ] = &found.content[..]
    else {
        panic!("{found:?}");
    };
    assert_eq!(
        (name.as_str(), output.as_str(), *is_error),
        ("bash", "clean", true)
    );
    let input = input.as_ref().map(crate::model::raw_json::RawJson::as_str);
    assert_eq!(input, Some(r#"{"command":"git status"}"#));
}

#[test]
fn an_entry_hangs_on_another_and_a_person_may_begin_anew() {
    for (line, place) in [
        (message(r#""role":"user","content":"x""#), Place::Asked),
        (
            message(r#""role":"user","content":"x""#).replace(r#""d""#, "null"),
            Place::Root,
        ),
        (
            message(r#""role":"assistant","content":"x""#),
            Place::Answered,
        ),
        (message(r#""role":"toolResult","content":"x""#), Place::Way),
        (
            message(r#""role":"user","content":"x""#).replace(r#""id":"e","#, ""),
            Place::Apart,
        ),
        (
            r#"{"type":"label","id":"e","parentId":"d"}"#.to_owned(),
            Place::Way,
        ),
        (
            r#"{"type":"session","id":"s","cwd":"/w"}"#.to_owned(),
            Place::Apart,
        ),
    ] {
        assert_eq!(links(&line).place, place, "{line}");
    }
}

#[test]
fn tokens_are_told_by_answers_tools_summaries_and_entries_of_their_own() {
    let usage =
        r#""usage":{"input":3,"output":9,"cacheRead":1,"cacheWrite":12,"cost":{"total":0.000005}}"#;
    for line in [
        message(&format!(r#""role":"assistant","content":"x",{usage}"#)),
        message(&format!(r#""role":"toolResult","content":"x",{usage}"#)),
        format!(r#"{{"type":"compaction","id":"e","summary":"x",{usage}}}"#),
        format!(r#"{{"type":"usage","id":"e","kind":"title",{usage}}}"#),
    ] {
        let told = links(&line).answer.map(|answer| answer.usage);
        let shown = Pi.messages(line.as_bytes()).pop();
        let shown = shown.or_else(|| Pi.about_line(line.as_bytes()));
        let shown = shown.and_then(|shown| shown.usage);
        let expected = Some((3, 9, 1, 12));
        let told = told.map(|usage| {
            let read = (usage.cache_read_tokens, usage.cache_write_tokens);
            (usage.input_tokens, usage.output_tokens, read.0, read.1)
        });
        assert_eq!(told, expected, "{line}");
        assert!(shown.is_some(), "{line}");
    }
}

#[test]
fn a_fork_has_the_answers_of_the_session_that_it_comes_from() {
    let answer = message(r#""role":"assistant","content":"x","usage":{"input":1,"output":2}"#);
    let copied = answer.replace(r#""parentId":"d""#, r#""parentId":"c""#);
    let another = answer.replace("09:00", "10:00");
    let key = |line: &str| links(line).answer.unwrap().key;
    assert_eq!(key(&answer), key(&copied));
    assert_ne!(key(&answer), key(&another));
    let header = r#"{"type":"session","id":"s","timestamp":"2026-04-03T09:00:00.000Z","cwd":"/w","parentSession":"/h/2026-04-03T08-00-00-000Z_old.jsonl"}"#;
    let facts = Pi.describe(header.as_bytes()).facts;
    assert_eq!(facts.parent.as_deref(), Some("old"));
    assert_eq!(facts.project.as_deref(), Some("/w"));
}

#[test]
fn a_name_is_the_last_one_and_no_name_takes_it_back() {
    let title = |line: &str| {
        let offer = Pi.describe(line.as_bytes()).facts.title;
        offer.map(|offer| (offer.text.into_owned(), offer.rank, offer.latest_wins))
    };
    let named = |name: &str| Some((name.to_owned(), titles::CHOSEN, true));
    let info = r#"{"type":"session_info","id":"e","name":"Mine"}"#;
    assert_eq!(title(info), named("Mine"));
    assert_eq!(
        title(r#"{"type":"session_info","id":"e","name":""}"#),
        named("")
    );
    assert_eq!(title(r#"{"type":"session_info","id":"e"}"#), named(""));
    let slot = r#"{"type":"title","v":1,"title":"By hand","source":"user","pad":"   "}"#;
    assert_eq!(title(slot), named("By hand"));
    let made = r#"{"type":"session","id":"s","cwd":"/w","title":"Made","titleSource":"auto"}"#;
    assert_eq!(title(made).unwrap().1, titles::GENERATED);
    let role = |line: &str| (Pi.habits().role.unwrap())(line.as_bytes());
    assert_eq!(role(slot), LineRole::Frame);
    assert_eq!(role(info), LineRole::Said);
}

#[test]
fn its_places_and_ids() {
    let header =
        r#"{"type":"session","id":"own","timestamp":"2026-04-03T09:00:00.000Z","cwd":"/w"}"#;
    for (path, head, id, parent) in [
        (
            "/h/.pi/agent/sessions/--w--/2026-04-03T09-00-00-000Z_a_b.jsonl",
            "",
            "a_b",
            None,
        ),
        ("/h/.pi/agent/sessions/--w--/x.jsonl", header, "own", None),
        ("/x/some.jsonl", header, "own", None),
        (
            "/h/.omp/agent/sessions/--w--/2026-04-03T09-00-00-000Z_p/0-Helper.jsonl",
            header,
            "own",
            Some("p"),
        ),
    ] {
        let candidate = Candidate::new(Path::new(path), head.as_bytes());
        let found = recognise(&candidate).map(Dialect::agent);
        assert_eq!(found, Some("pi"), "{path}");
        assert_eq!(Pi.session_id(&candidate), id, "{path}");
        assert_eq!(Pi.parent(&candidate).as_deref(), parent, "{path}");
    }
}
