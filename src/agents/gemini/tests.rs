//! Gemini CLI's lines and documents, and what its sample homes expect of a reader.

use super::*;
use crate::model::message::{Block, Usage};
use crate::model::raw_json::RawJson;

fn messages(line: &str) -> Vec<Message> {
    let described = Gemini.describe(line.as_bytes());
    let messages = Gemini.messages(line.as_bytes());
    assert_eq!(described.header.messages as usize, messages.len(), "{line}");
    messages
}

#[test]
fn what_the_program_sends_itself_is_put_in() {
    for (said, injected) in [
        ("System: Please continue.", true),
        ("<session_context>x</session_context>", true),
        ("System: please continue with the parser", false),
        ("Please continue.", false),
    ] {
        let line = serde_json::json!({"id": "m", "type": "user", "content": said}).to_string();
        assert_eq!(messages(&line)[0].injected, injected, "{said}");
    }
}

#[test]
fn the_event_form_is_read_as_messages_facts_and_operations() {
    let file = [
        r#"{"kind":"main","sessionId":"s1","projectHash":"c5","startTime":"2026-04-03T10:00:00.000Z"}"#,
        r#"{"$set":{"lastUpdated":"2026-04-03T10:01:00.000Z","messages":[{"id":"m1","type":"user","timestamp":"2026-04-03T10:00:00.000Z","content":[{"text":"hello"}]}]}}"#,
        r#"{"id":"m2","type":"gemini","timestamp":"2026-04-03T10:01:00.000Z","content":"answer"}"#,
        r#"{"$set":{"summary":"Greeting"}}"#,
        r#"{"$rewindTo":"m2"}"#,
        r#"{"id":"m2","content":"patched"}"#,
    ];
    let counts: Vec<usize> = file.iter().map(|line| messages(line).len()).collect();
    assert_eq!(counts, [0, 1, 1, 0, 0, 0]);
    let kinds: Vec<RecordKind> = file
        .iter()
        .map(|line| Gemini.describe(line.as_bytes()).header.kind)
        .collect();
    assert_eq!(
        kinds,
        [
            RecordKind::Meta,
            RecordKind::Message,
            RecordKind::Message,
            RecordKind::Meta,
            RecordKind::Event,
            RecordKind::Event
        ]
    );
    let listed = Gemini.describe(file[1].as_bytes());
    assert_eq!(listed.facts.title.unwrap().text, "hello");
    assert_eq!(listed.facts.updated_us, Some(1_775_210_460_000_000));
    let summary = Gemini.describe(file[3].as_bytes());
    assert_eq!(summary.facts.title.unwrap().rank, titles::SUMMARY);
}

#[test]
fn a_set_line_is_as_many_messages_as_it_lists_and_never_looks_deeper() {
    let line = r#"{"$set":{"messages":[{"author":"user","content":"a"},7,{"$set":{"messages":[]}},{"id":"x"},{"type":"gemini","content":"b"}]}}"#;
    let texts: Vec<String> = messages(line).iter().map(Message::plain_text).collect();
    assert_eq!(texts, ["a", "b"]);
    let twice = format!("{line}{line}");
    assert_eq!(messages(&twice).len(), 4);
}

#[test]
fn hazard_6_8_6_a_gemini_tool_keeps_id_name_input_output_and_error() {
    let line = r#"{"id":"m2","timestamp":"2026-04-29T21:39:33Z","type":"gemini","content":"Done.","thoughts":[{"subject":"List","description":"the files","timestamp":"x"}],"tokens":{"input":11855,"output":81,"cached":7,"total":11936},"model":"gemini-x","toolCalls":[{"id":"t1","name":"shell","args":{"b":1.0},"result":[{"functionResponse":{"id":"t1","name":"shell","response":{"output":"a.txt"}}},{"inlineData":{"mimeType":"image/png","data":"AA=="}}],"status":"success"},{"id":"t2","name":"shell","args":{},"result":[{"functionResponse":{"id":"t2","response":{"error":"no"}}}],"status":"error"},{"id":"t3","name":"shell","status":"cancelled"},{"id":"t4","name":"shell","status":"success"}]}"#;
    let message = messages(line).remove(0);
    let call = |id: &str, input: Option<&str>| Block::ToolUse {
        id: Some(id.into()),
        name: "shell".into(),
        input: input.map(|input| RawJson::parse(input).unwrap()),
    };
    let result = |id: &str, output: &str, is_error, images| Block::ToolResult {
        id: Some(id.into()),
        name: Some("shell".into()),
        output: output.into(),
        is_error,
        images,
    };
    let image = Block::Image {
        media_type: Some("image/png".into()),
        data: Some("AA==".into()),
        url: None,
    };
    assert_eq!(
        message.content,
        [
            Block::Thinking {
                text: "List: the files".into(),
                signature: None
            },
            Block::Text {
                text: "Done.".into()
            },
            call("t1", Some(r#"{"b":1.0}"#)),
            result("t1", "a.txt", false, vec![image]),
            call("t2", Some("{}")),
            result("t2", "no", true, vec![]),
            call("t3", None),
            result("t3", "", true, vec![]),
            call("t4", None),
        ]
    );
    let usage = Usage {
        input_tokens: 11855,
        output_tokens: 81,
        cache_read_tokens: 7,
        cache_write_tokens: 0,
    };
    assert_eq!(message.usage, Some(usage));
    assert_eq!(message.model.as_deref(), Some("gemini-x"));
}

#[test]
fn authors_of_the_seed_are_told() {
    for (author, role) in [
        ("user", Role::User),
        ("Gemini", Role::Assistant),
        ("system", Role::System),
        ("alien", Role::User),
    ] {
        let line = format!(
            r#"{{"author":"{author}","type":"text","timestamp":1775210400000,"content":{{"text":"hi"}}}}"#
        );
        let message = messages(&line).remove(0);
        assert_eq!(
            (message.role, message.plain_text()),
            (role, "hi".to_owned())
        );
        assert!(message.time.is_some());
        let offered = Gemini.describe(line.as_bytes()).facts.title.is_some();
        assert_eq!(offered, role == Role::User);
    }
}

#[test]
fn a_document_becomes_lines_that_later_contents_add_to() {
    let document = "{\n  \"sessionId\": \"s\",\n  \"projectHash\": \"ab\",\n  \"startTime\": \"2026-04-03T10:00:00.000Z\",\n  \"lastUpdated\": \"2026-04-03T10:01:00.000Z\",\n  \"messages\": [\n    {\"id\": \"m1\", \"type\": \"user\", \"n\": 1.50, \"content\": \"a  b\"}\n  ],\n  \"summary\": \"S\"\n}\n";
    let derived = Gemini.document_lines(document.as_bytes()).unwrap();
    let text = |line: &[u8]| String::from_utf8(line.to_vec()).unwrap();
    assert_eq!(
        derived
            .lines
            .iter()
            .map(|line| text(line))
            .collect::<Vec<_>>(),
        [
            "{\"sessionId\":\"s\",\"projectHash\":\"ab\",\"startTime\":\"2026-04-03T10:00:00.000Z\",\"kind\":\"main\"}\n",
            "{\"id\":\"m1\",\"type\":\"user\",\"n\":1.50,\"content\":\"a  b\"}\n",
        ]
    );
    assert_eq!(
        text(&derived.trailer.unwrap()),
        "{\"$set\":{\"lastUpdated\":\"2026-04-03T10:01:00.000Z\",\"summary\":\"S\"}}\n"
    );
    let later = document
        .replace("10:01:00.000Z", "10:09:00.000Z")
        .replace("\n  ],", ", {\"type\":\"gemini\",\"content\":\"c\"}],");
    let later = Gemini.document_lines(later.as_bytes()).unwrap();
    assert_eq!(later.lines[..2], derived.lines[..]);
    assert_eq!(later.lines.len(), 3);
}

#[test]
fn a_document_that_is_cut_off_has_no_lines() {
    for document in [
        "",
        "{",
        "[]",
        r#"{"sessionId":"gem-5","messages":["#,
        r#"{"messages":{}}"#,
    ] {
        assert_eq!(
            Gemini.document_lines(document.as_bytes()),
            None,
            "{document}"
        );
    }
    let lossy = Gemini
        .document_lines(b"\xef\xbb\xbf{\"sessionId\":\"\xff\",\"messages\":[]}")
        .unwrap();
    assert_eq!(lossy.lines.len(), 1);
}

#[test]
fn its_places_ids_projects_and_sidecars() {
    let candidate =
        |path: &'static str, head: &'static str| Candidate::new(Path::new(path), head.as_bytes());
    let header = r#"{"sessionId":"6f","projectHash":"0b","kind":"main"}"#;
    let own = candidate("/h/.gemini/tmp/app/chats/session-1.jsonl", "");
    assert_eq!(Gemini.recognise(&own), Recognition::PathAndLines);
    assert_eq!(Gemini.session_id(&own), "session-1");
    assert_eq!(Gemini.project(&own).as_deref(), Some("app"));
    let child = candidate("/h/.gemini/tmp/app/chats/p/6f.jsonl", header);
    assert_eq!(Gemini.recognise(&child), Recognition::PathAndLines);
    assert_eq!(Gemini.session_id(&child), "6f");
    let elsewhere = candidate("/x/a.jsonl", header);
    assert_eq!(Gemini.recognise(&elsewhere), Recognition::Lines);
    assert_eq!(Gemini.project(&elsewhere).as_deref(), Some("0b"));
    let other = candidate("/h/.gemini/tmp/app/other.jsonl", "{}");
    assert_eq!(Gemini.recognise(&other), Recognition::No);
    for (path, expected) in [
        ("/h/.gemini/tmp/app/logs.json", Some(Sidecar::Folder)),
        ("/h/.gemini/tmp/app/.project_root", Some(Sidecar::Folder)),
        (
            "/h/.gemini/tmp/app/checkpoint-a.json",
            Some(Sidecar::Folder),
        ),
        ("/h/.gemini/projects.json", Some(Sidecar::Folder)),
        ("/h/.gemini/tmp/bin/rg", None),
        ("/h/.gemini/tmp/bin/logs.json", None),
        ("/h/.gemini/tmp/app/shell_history", None),
        ("/h/.gemini/tmp/app/cache.db", None),
        ("/h/.gemini/tmp/app/chats/notes.txt", None),
        ("/h/.gemini/tmp/app/.env", None),
        ("/h/.gemini/oauth_creds.json", None),
        ("/h/.gemini/settings.json", None),
        ("/x/logs.json", None),
    ] {
        assert_eq!(Gemini.sidecar(Path::new(path)), expected, "{path}");
    }
}
