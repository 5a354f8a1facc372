//! The agent's items, as its program wrote them (`tests/it/written.rs` has whole sessions).

use super::*;
use crate::model::links::Place;
use crate::model::message::{Block, Role};
use crate::model::record::RecordKind;

fn one(line: &str) -> Message {
    CodeBuddy.messages(line.as_bytes()).remove(0)
}

#[test]
fn each_item_is_a_message_that_hangs_on_another() {
    let line = |fields: &str| {
        format!(r#"{{"id":"b","parentId":"a","timestamp":1775206800000,{fields},"cwd":"/w"}}"#)
    };
    for (fields, role, text, place) in [
        (
            r#""type":"message","role":"user","content":[{"type":"input_text","text":"hi"}]"#,
            Role::User,
            "hi",
            Place::Asked,
        ),
        (
            r#""type":"message","role":"user","content":[{"type":"input_text","text":"<system-reminder>x</system-reminder>"}]"#,
            Role::User,
            "<system-reminder>x</system-reminder>",
            Place::Way,
        ),
        (
            r#""type":"reasoning","content":[],"rawContent":[{"type":"reasoning_text","text":"hm"}]"#,
            Role::Assistant,
            "",
            Place::Answered,
        ),
        (
            r#""type":"function_call","callId":"t","name":"Read","arguments":"{\"p\":1}""#,
            Role::Assistant,
            "",
            Place::Way,
        ),
        (
            r#""type":"function_call_result","callId":"t","name":"Read","status":"completed","output":{"type":"text","text":"red"}"#,
            Role::Tool,
            "",
            Place::Way,
        ),
    ] {
        let line = line(fields);
        let said = one(&line);
        let facts = CodeBuddy.describe(line.as_bytes()).facts;
        assert_eq!(
            (said.role, said.plain_text().as_str()),
            (role, text),
            "{fields}"
        );
        assert_eq!(facts.links.place, place, "{fields}");
        assert_eq!(facts.project.as_deref(), Some("/w"));
        assert_eq!(said.injected, place == Place::Way && role == Role::User);
    }
    let call = one(&line(
        r#""type":"function_call","callId":"t","name":"Read","arguments":"{}""#,
    ));
    assert!(matches!(&call.content[..], [Block::ToolUse { id: Some(id), .. }] if id == "t"));
    for (status, expected) in [("completed", false), ("failed", true)] {
        let fields = format!(
            r#""type":"function_call_result","callId":"t","status":"{status}","output":{{"type":"text","text":"x"}}"#
        );
        let result = one(&line(&fields));
        assert!(
            matches!(&result.content[..], [Block::ToolResult { is_error, .. }] if *is_error == expected),
            "{status}"
        );
    }
}

#[test]
fn an_answer_counts_once_and_titles_are_told() {
    let answer = r#"{"id":"c1","type":"message","role":"assistant","content":[{"type":"output_text","text":"x"}],"providerData":{"messageId":"m","model":"n","usage":{"inputTokens":10,"outputTokens":5,"inputTokensDetails":[{"cached_tokens":4}]}}}"#;
    let usage = one(answer).usage.unwrap();
    assert_eq!(
        (
            usage.input_tokens,
            usage.output_tokens,
            usage.cache_read_tokens
        ),
        (10, 5, 4)
    );
    let facts = CodeBuddy.describe(answer.as_bytes()).facts;
    assert_eq!(facts.model.as_deref(), Some("n"));
    assert_eq!(facts.links.answer.unwrap().usage, usage);
    for (line, title) in [
        (
            r#"{"id":"x","type":"custom-title","customTitle":"T"}"#,
            Some("T"),
        ),
        (r#"{"id":"x","type":"ai-title","aiTitle":"M"}"#, Some("M")),
        (
            r#"{"id":"x","type":"file-history-snapshot","snapshot":{}}"#,
            None,
        ),
    ] {
        let described = CodeBuddy.describe(line.as_bytes());
        assert_eq!(described.header.kind, RecordKind::Event, "{line}");
        let found = described.facts.title.map(|title| title.text.into_owned());
        assert_eq!(found.as_deref(), title, "{line}");
    }
    let next = CodeBuddy.describe(br#"{"id":"x","type":"of-next-year"}"#);
    assert_eq!(next.header.kind, RecordKind::Unknown);
}

#[test]
fn the_file_beside_a_fork_says_of_what_it_is_a_copy() {
    let path = Path::new("/h/.codebuddy/projects/w/s-2.meta.json");
    let told = |bytes: &[u8]| CodeBuddy.sidecar_facts(path, bytes);
    let facts = told(br#"{"forkedFrom": "s-1"}"#).remove(0);
    assert_eq!(
        (facts.id.as_str(), facts.parent.as_deref()),
        ("s-2", Some("s-1"))
    );
    for other in [&b""[..], b"{", b"[]", br#"{"forkedFrom":""}"#] {
        assert_eq!(told(other), []);
    }
}
