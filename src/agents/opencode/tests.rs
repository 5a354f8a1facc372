//! OpenCode's lines, made of documents and of rows.

use super::writing::{message_line, with_ids};
use super::*;
use crate::model::message::{Block, Usage};
use crate::model::raw_json::RawJson;
use crate::model::record::RecordKind;

const EXPORT: &str = r#"{
  "info": {
    "id": "ses_1", "slug": "calm-fox", "projectID": "p1", "directory": "/w/demo",
    "title": "Port of the API", "version": "1.4.3", "parentID": "ses_0",
    "summary": {"additions": 10},
    "time": {"created": 1776104409588, "updated": 1776104556405}
  },
  "messages": [
    {"info": {"role": "user", "time": {"created": 1776104409600}, "model": {"providerID": "p", "modelID": "big"}, "id": "msg_1", "sessionID": "ses_1"},
     "parts": [{"type": "text", "synthetic": true, "text": "added"}, {"type": "text", "text": "which port?"}]},
    {"info": {"role": "assistant", "parentID": "msg_1", "modelID": "big", "cost": 0.010, "time": {"created": 1776104410000},
      "tokens": {"input": 9, "output": 4, "reasoning": 2, "cache": {"read": 1, "write": 3}}, "id": "msg_2", "sessionID": "ses_1"},
     "parts": [
       {"type": "step-start"},
       {"type": "reasoning", "text": "hm"},
       {"type": "tool", "callID": "c1", "tool": "read", "state": {"status": "completed", "input": {"b": 1.0, "a": 2}, "output": "8080"}},
       {"type": "tool", "callID": "c2", "tool": "bash", "state": {"status": "error", "input": {}, "error": "no such file"}},
       {"type": "tool", "callID": "c3", "tool": "bash", "state": {"status": "running", "input": {}}},
       {"type": "file", "mime": "image/png", "url": "data:image/png;base64,AA=="},
       {"type": "patch", "hash": "ab"},
       {"type": "text", "text": "Port 8080."},
       {"type": "step-finish", "cost": 0}]}
  ]
}"#;

fn lines() -> DocumentLines {
    OpenCode.document_lines(EXPORT.as_bytes()).unwrap()
}

#[test]
fn an_export_becomes_lines_of_what_lasts_and_a_trailer_of_what_changes() {
    let DocumentLines { lines, trailer, .. } = lines();
    assert_eq!(lines.len(), 3);
    assert_eq!(
        String::from_utf8_lossy(&lines[0]),
        "{\"info\":{\"id\":\"ses_1\",\"slug\":\"calm-fox\",\"projectID\":\"p1\",\"directory\":\"/w/demo\",\"parentID\":\"ses_0\",\"version\":\"1.4.3\",\"time\":{\"created\":1776104409588}}}\n"
    );
    assert_eq!(
        String::from_utf8_lossy(&trailer.unwrap()),
        "{\"info\":{\"id\":\"ses_1\",\"title\":\"Port of the API\",\"summary\":{\"additions\":10},\"time\":{\"updated\":1776104556405}}}\n"
    );
    let message = String::from_utf8_lossy(&lines[2]);
    assert!(message.contains("\"cost\":0.010") && message.matches('\n').count() == 1);
}

#[test]
fn the_lines_say_what_the_document_says() {
    let DocumentLines { lines, trailer, .. } = lines();
    let header = OpenCode.describe(&lines[0]);
    assert_eq!(header.header.kind, RecordKind::Meta);
    assert_eq!(header.facts.project.as_deref(), Some("/w/demo"));
    assert_eq!(header.facts.parent.as_deref(), Some("ses_0"));
    assert_eq!(header.facts.created_us, Some(1_776_104_409_588_000));
    let trailer = trailer.unwrap();
    let trailer = OpenCode.describe(&trailer);
    assert_eq!(trailer.facts.title.unwrap().text, "Port of the API");
    assert_eq!(trailer.facts.updated_us, Some(1_776_104_556_405_000));
    let user = OpenCode.describe(&lines[1]);
    assert_eq!(user.facts.title.unwrap().text, "which port?");
    let message = OpenCode.messages(&lines[2]).remove(0);
    assert_eq!(message.parent_id.as_deref(), Some("msg_1"));
    assert_eq!(message.model.as_deref(), Some("big"));
    assert_eq!(
        message.usage,
        Some(Usage {
            input_tokens: 9,
            output_tokens: 4,
            cache_read_tokens: 1,
            cache_write_tokens: 3
        })
    );
}

#[test]
fn hazard_6_8_6_an_opencode_tool_keeps_id_name_input_output_and_error() {
    let message = OpenCode.messages(&lines().lines[2]).remove(0);
    let call = |id: &str, name: &str, input: &str| Block::ToolUse {
        id: Some(id.into()),
        name: name.into(),
        input: Some(RawJson::parse(input).unwrap()),
    };
    let result = |id: &str, name: &str, output: &str, is_error| Block::ToolResult {
        id: Some(id.into()),
        name: Some(name.into()),
        output: output.into(),
        is_error,
        images: Vec::new(),
    };
    assert_eq!(
        message.content,
        [
            Block::Thinking {
                text: "hm".into(),
                signature: None
            },
            call("c1", "read", r#"{"b":1.0,"a":2}"#),
            result("c1", "read", "8080", false),
            call("c2", "bash", "{}"),
            result("c2", "bash", "no such file", true),
            call("c3", "bash", "{}"),
            Block::Image {
                media_type: Some("image/png".into()),
                data: Some("AA==".into()),
                url: None
            },
            Block::Other {
                json: RawJson::parse(r#"{"type":"patch","hash":"ab"}"#).unwrap()
            },
            Block::Text {
                text: "Port 8080.".into()
            },
        ]
    );
}

#[test]
fn a_title_that_only_says_when_is_none() {
    for title in [
        "New session - 2026-04-14T00:00:00.000Z",
        "Child session - x",
        "",
    ] {
        let line = format!(r#"{{"info":{{"id":"ses_1","title":"{title}"}}}}"#);
        assert_eq!(OpenCode.describe(line.as_bytes()).facts.title, None);
    }
}

#[test]
fn rows_get_the_ids_that_the_database_keeps_beside_them() {
    let ids = [("id", "m\"1"), ("sessionID", "s")];
    let suffix = r#""id":"m\"1","sessionID":"s"}"#;
    assert_eq!(
        with_ids("{\"role\": \"user\"}", &ids),
        format!("{{\"role\":\"user\",{suffix}")
    );
    assert_eq!(with_ids("{ }", &ids), format!("{{{suffix}"));
    assert_eq!(
        with_ids("not\njson", &ids),
        format!("{{\"data\":\"not\\njson\",{suffix}")
    );
    assert_eq!(
        message_line(r#"{"id":"m"}"#, &["{}".into(), "{}".into()]),
        b"{\"info\":{\"id\":\"m\"},\"parts\":[{},{}]}\n"
    );
}

#[test]
fn broken_documents_and_odd_lines_give_nothing_and_no_panic() {
    for document in [
        "",
        "{",
        "[]",
        r#"{"info":{},"messages":"#,
        r#"{"info":1,"messages":[]}"#,
    ] {
        assert_eq!(OpenCode.document_lines(document.as_bytes()), None);
    }
    let kind = |line: &str| OpenCode.describe(line.as_bytes()).header.kind;
    assert_eq!(kind(r#"{"info":{"id":"m"},"parts":[]}"#), RecordKind::Event);
    assert_eq!(kind(r#"{"info":{}}"#), RecordKind::Unknown);
    assert_eq!(
        kind(r#"{"info":{"role":"user"},"parts":7}"#),
        RecordKind::Message
    );
}
