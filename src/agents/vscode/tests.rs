//! Chats in both forms, and where they lie.

use std::path::Path;

use super::*;
use crate::agents::{recognise_document, recognise_found};
use crate::model::message::{Block, Role};

fn messages(content: &str) -> Vec<Message> {
    let lines = VsCode.document_lines(content.as_bytes()).unwrap().lines;
    lines
        .iter()
        .flat_map(|line| VsCode.messages(line))
        .collect()
}

#[test]
fn an_answer_is_as_it_is_in_the_end() {
    let changes = r#"{"kind":0,"v":{"version":3,"sessionId":"s","creationDate":1775206800000,"requests":[]}}
{"kind":2,"k":["requests"],"v":[{"requestId":"r","timestamp":1775206801000,"modelId":"m","message":{"text":"ask"},"response":[]}]}
{"kind":2,"k":["requests",0,"response"],"v":[{"value":"red, "},{"value":{"value":"green"}}]}
{"kind":1,"k":["customTitle"],"v":"T"}
"#;
    let found = messages(changes);
    let said: Vec<_> = found
        .iter()
        .map(|said| (said.role, said.plain_text()))
        .collect();
    let expected = [
        (Role::User, "ask".to_owned()),
        (Role::Assistant, "red, green".to_owned()),
    ];
    assert_eq!(said, expected);
    let told = VsCode.document_lines(changes.as_bytes()).unwrap();
    let facts = VsCode
        .describe(told.trailer.as_deref().unwrap())
        .facts
        .clone();
    assert_eq!(
        facts.title.map(|offer| offer.text.into_owned()).as_deref(),
        Some("T")
    );
    assert_eq!(told.open, 2);
}

#[test]
fn calls_have_their_arguments_and_results_from_the_end_of_the_answer() {
    let whole = r#"{"sessionId":"s","requests":[{"requestId":"r","message":"ask","response":[{"kind":"thinking","value":["h","m"]},{"kind":"toolInvocationSerialized","toolCallId":"t","toolId":"read"},{"kind":"undoStop","id":"u"},{"value":"See "},{"kind":"inlineReference","inlineReference":{"path":"/w/a.txt"}},{"kind":"of_next_year","x":1}],"result":{"metadata":{"toolCallRounds":[{"toolCalls":[{"id":"t","name":"read_file","arguments":"{\"p\":1}"}]}],"toolCallResults":{"t":{"content":[{"value":"alpha"}]}}}}}]}"#;
    let found = messages(whole);
    assert_eq!(found.len(), 2);
    assert_eq!(found[0].plain_text(), "ask");
    let [
        Block::Thinking { text: thought, .. },
        Block::ToolUse { name, input, .. },
        Block::ToolResult { output, .. },
        Block::Text { text },
        Block::Other { .. },
    ] = &found[1].content[..]
    else {
        panic!("{:?}", found[1]);
    };
    let input = input.as_ref().map(crate::model::raw_json::RawJson::as_str);
    assert_eq!(
        (thought.as_str(), name.as_str(), input),
        ("hm", "read", Some(r#"{"p":1}"#))
    );
    assert_eq!((output.as_str(), text.as_str()), ("alpha", "See /w/a.txt"));
}

#[test]
fn what_is_no_chat_has_no_lines() {
    for bytes in [
        &b""[..],
        b"{",
        b"[]",
        br#"{"sessionId":"s"}"#,
        br#"{"requests":7}"#,
    ] {
        assert!(VsCode.document_lines(bytes).is_none());
    }
    let odd = r#"{"requests":[7,{"message":null,"response":3},{"response":[null,7,{"kind":"thinking"}]}]}"#;
    assert_eq!(messages(odd).len(), 3);
}

#[test]
fn its_places() {
    for (path, id) in [
        (
            "/h/.config/Code/User/workspaceStorage/aa/chatSessions/a.jsonl",
            Some("a"),
        ),
        (
            "/h/.config/Code/User/workspaceStorage/aa/chatSessions/b.json",
            Some("b"),
        ),
        (
            "/h/x/globalStorage/emptyWindowChatSessions/c.jsonl",
            Some("c"),
        ),
        (
            "/h/.config/Code/User/workspaceStorage/aa/chatSessions/d.txt",
            None,
        ),
        (
            "/h/.config/Code/User/workspaceStorage/aa/other/e.jsonl",
            None,
        ),
    ] {
        let candidate = Candidate::new(Path::new(path), b"");
        let found = recognise_document(&candidate);
        let found = found.map(|document| (document.agent, document.id));
        assert_eq!(found, id.map(|id| ("vscode", id.to_owned())), "{path}");
        assert!(recognise_found(&candidate).is_none(), "{path}");
    }
    let kept = Path::new("/h/.config/Code/User/workspaceStorage/aa/workspace.json");
    assert_eq!(VsCode.sidecar(kept), Some(Sidecar::Folder));
    assert_eq!(VsCode.sidecar(Path::new("/w/workspace.json")), None);
}

#[test]
fn the_project_is_the_folder_that_a_file_beside_names() {
    let home = tempfile::tempdir().unwrap();
    let chats = home.path().join("aa/chatSessions");
    std::fs::create_dir_all(&chats).unwrap();
    let project = |content: &str| {
        std::fs::write(home.path().join("aa/workspace.json"), content).unwrap();
        layout::project(&chats.join("s.jsonl"))
    };
    for (content, expected) in [
        (r#"{"folder":"file:///w/my%20shop"}"#, Some("/w/my shop")),
        (r#"{"folder":"file:///c%3A/w"}"#, Some("c:/w")),
        (
            r#"{"workspace":"file:///w/a.code-workspace"}"#,
            Some("/w/a.code-workspace"),
        ),
        (
            r#"{"folder":"vscode-remote://host/w"}"#,
            Some("vscode-remote://host/w"),
        ),
        ("torn {", None),
    ] {
        assert_eq!(project(content).as_deref(), expected, "{content}");
    }
}
