//! Sessions of further agents that write lines, imported: what is shown of them however their lines come, what
//! files beside them tell, and files that were renamed, moved or rewritten.

use std::fs;

use scrollback::{RedbStore, SessionKey, Store as _, Usage};

use crate::harness::{Home, files_below};
use crate::view::{Sample, however_it_comes, imported, known, open, told};

/// What pi's own writer wrote, version 0.74.2: `tests/make/pi.mjs`.
const PI: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/agents/pi");

fn key(agent: &str, id: &str) -> SessionKey {
    SessionKey::new(agent, id).unwrap()
}

fn lines(text: &str) -> Vec<String> {
    text.lines().map(str::to_owned).collect()
}

/// A step of Kimi Code with its count before its end, a turn that is taken back, and one more.
fn kimi() -> Sample {
    let said = |id: &str, text: &str, origin: &str| {
        format!(
            r#"{{"type":"context.append_message","message":{{"id":"{id}","role":"user","content":[{{"type":"text","text":"{text}"}}],"toolCalls":[],"origin":{{"kind":"{origin}"}}}},"time":1775206800003}}"#
        )
    };
    let event = |fields: &str| {
        format!(
            r#"{{"type":"context.append_loop_event","event":{{{fields}}},"time":1775206801000}}"#
        )
    };
    let part = |step: &str, part: &str| {
        event(&format!(
            r#""type":"content.part","stepUuid":"{step}","part":{{{part}}}"#
        ))
    };
    let numbers = |output: u64| {
        format!(
            r#""usage":{{"inputOther":10,"output":{output},"inputCacheRead":4,"inputCacheCreation":0}}"#
        )
    };
    let count = |output: u64, at: u64| {
        format!(
            r#"{{"type":"usage.record","model":"m",{},"time":{at}}}"#,
            numbers(output)
        )
    };
    let end = |step: &str, output: u64| {
        event(&format!(
            r#""type":"step.end","uuid":"{step}",{}"#,
            numbers(output)
        ))
    };
    let lines = vec![
        r#"{"type":"metadata","protocol_version":"1.5","created_at":1775206800000}"#.to_owned(),
        r#"{"type":"config.update","cwd":"/w","modelAlias":"m","time":1775206800001}"#.to_owned(),
        said("p1", "name the hues", "user"),
        said("p2", "be nice", "injection"),
        count(5, 1),
        part("s1", r#""type":"think","think":"I shall look.""#),
        part("s1", r#""type":"text","text":"I read.""#),
        event(r#""type":"tool.call","stepUuid":"s1","toolCallId":"t1","name":"Read","args":{}"#),
        event(r#""type":"tool.result","toolCallId":"t1","result":{"output":"red green"}"#),
        event(r#""type":"tool.call","stepUuid":"s1","toolCallId":"t2","name":"Read","args":{}"#),
        event(r#""type":"tool.result","toolCallId":"t2","result":{"output":"blue"}"#),
        end("s1", 5),
        said("p3", "and wrong", "user"),
        part("s2", r#""type":"text","text":"no""#),
        end("s2", 7),
        r#"{"type":"context.undo","count":1,"time":1775206802000}"#.to_owned(),
        said("p4", "thanks", "user"),
        part("s3", r#""type":"text","text":"done""#),
        count(2, 2),
    ];
    Sample {
        file: "home/.kimi-code/sessions/wd_w_0a/s-1/agents/main/wire.jsonl",
        key: ("kimi", "s-1"),
        lines,
    }
}

const COPILOT: &str = "c0000000-0000-4000-8000-000000000001";

/// A message in pieces, a sub-agent, and two ends of a session.
fn copilot() -> Sample {
    let event = |number: u32, kind: &str, data: &str| {
        format!(
            r#"{{"type":"{kind}","data":{{{data}}},"id":"e{number}","timestamp":"2026-11-20T10:00:00.000Z","parentId":null}}"#
        )
    };
    let answer = |number: u32, message: &str, text: &str, more: &str| {
        let data = format!(r#""messageId":"{message}","model":"m","content":"{text}"{more}"#);
        event(number, "assistant.message", &data)
    };
    let end = |number: u32, input: u64, output: u64| {
        let usage = format!(
            r#""modelMetrics":{{"m":{{"usage":{{"inputTokens":{input},"outputTokens":{output}}}}}}}"#
        );
        event(number, "session.shutdown", &usage)
    };
    let lines = vec![
        event(
            1,
            "session.start",
            r#""sessionId":"s","context":{"cwd":"/w","branch":"main"}"#,
        ),
        event(2, "user.message", r#""content":"fix it""#),
        answer(3, "a1", "I ", r#","chunkIndex":0,"chunkCount":2"#),
        answer(
            4,
            "a1",
            "ask.",
            r#","chunkIndex":1,"chunkCount":2,"outputTokens":9"#,
        ),
        answer(
            5,
            "a2",
            "found",
            r#","parentToolCallId":"t1","outputTokens":4"#,
        ),
        end(6, 100, 13),
        event(7, "session.resume", r#""context":{"cwd":"/w"}"#),
        answer(8, "a3", "Fixed.", r#","outputTokens":2"#),
        end(9, 120, 15),
        answer(10, "a4", "More.", r#","outputTokens":3"#),
    ];
    Sample {
        file: "home/.copilot/session-state/c0000000-0000-4000-8000-000000000001/events.jsonl",
        key: ("copilot", COPILOT),
        lines,
    }
}

#[test]
fn kimis_steps_are_messages_and_its_own_count_holds() {
    let known = however_it_comes(&kimi());
    let expected = [
        "name the hues",
        "*be nice",
        "I read.",
        "red green",
        "blue",
        "-and wrong",
        "-no",
        "thanks",
        "done",
    ];
    assert_eq!(told(&known), expected);
    // Its own counts alone: the end that has none is of a step that was never counted.
    assert_eq!(known.input_tokens, 20);
}

#[test]
fn copilots_pieces_are_one_message_and_the_last_sum_holds() {
    let known = however_it_comes(&copilot());
    let expected = ["fix it", "I ask.", "t1found", "Fixed.", "More."];
    let shown: Vec<String> = told(&known)
        .iter()
        .map(|text| text.replace('\n', ""))
        .collect();
    assert_eq!(shown, expected);
    assert_eq!(known.input_tokens, 120);
}

/// What Qwen Code's own writer wrote, version 0.24.4: `tests/make/qwen.mjs`. One record is split as its own
/// reader takes it: two lines of one id.
fn qwen() -> Sample {
    let file = include_str!("../fixtures/agents/qwen/aa000000-0000-4000-8000-000000000002.jsonl");
    let mut all = lines(file);
    let welcome = all
        .iter()
        .position(|line| line.contains("You are welcome."))
        .unwrap();
    let rest = all[welcome].replace("You are welcome.", " Bye.");
    all.insert(welcome + 1, rest);
    Sample {
        file: "home/.qwen/projects/-w-shop/chats/aa000000-0000-4000-8000-000000000002.jsonl",
        key: ("qwen", "aa000000-0000-4000-8000-000000000002"),
        lines: all,
    }
}

#[test]
fn what_qwen_wrote_has_what_was_typed_and_what_was_rewound() {
    let known = however_it_comes(&qwen());
    let expected = [
        "name the hues",
        "I read it.",
        "red green",
        "red, green",
        "-and wrong",
        "-no",
        "thank you",
        "You are welcome.\n Bye.",
        "wait",
        "*task done",
        "*The user asked for hues.",
    ];
    assert_eq!(told(&known), expected);
    assert_eq!(known.input_tokens, 10 + 20 + 7 + 5);
    let home = Home::new();
    let sample = qwen();
    home.write(sample.file, sample.lines.join("\n"));
    let store = open(&home);
    imported(&store, &home);
    let row = store.summary(&key(sample.key.0, sample.key.1)).unwrap();
    assert_eq!(
        (row.title.as_str(), row.model.as_deref()),
        ("Hues by hand", Some("model-q"))
    );
    assert_eq!(
        row.parent.as_deref(),
        Some("aa000000-0000-4000-8000-000000000001")
    );
}

/// The files that pi's writer wrote, put where it keeps them.
fn pi(home: &Home) -> Vec<String> {
    let mut files: Vec<_> = files_below(PI.as_ref());
    files.sort();
    let names = files.iter().map(|file| {
        let name = file.file_name().unwrap().to_str().unwrap();
        let place = format!("home/.pi/agent/sessions/--w-shop--/{name}");
        home.write(&place, fs::read(file).unwrap());
        let (_, id) = name
            .strip_suffix(".jsonl")
            .unwrap()
            .split_once('_')
            .unwrap();
        id.to_owned()
    });
    names.collect()
}

#[test]
fn what_pi_wrote_is_a_tree_and_forks_count_what_is_theirs() {
    let home = Home::new();
    let ids = pi(&home);
    let [first, fork, branch] = ids.as_slice() else {
        panic!("{ids:?}");
    };
    let store = open(&home);
    imported(&store, &home);
    let row = |id: &str| store.summary(&key("pi", id)).unwrap();
    let session = row(first);
    assert_eq!(session.title, "Hues by hand");
    assert_eq!(session.project.as_deref(), Some("/w/shop"));
    assert_eq!(
        (session.model.as_deref(), session.parent),
        (Some("model-x"), None)
    );
    for (id, project) in [(fork, "/w/other"), (branch, "/w/shop")] {
        assert_eq!(row(id).parent.as_deref(), Some(first.as_str()));
        assert_eq!(row(id).project.as_deref(), Some(project));
    }
    let tree = known(&store, &key("pi", first));
    let expected = [
        "name the hues",
        "read({\"path\":\"a.txt\"})",
        "red green",
        "-red and blue",
        "red, green",
        "-bash({\"command\":\"git status\"})\nall clean",
        "-*a hidden note",
        "-*The user asked for hues.",
        "-thank you",
        "-You are welcome.",
        "*Thanks were said.",
        "and the third one?",
        "blue",
    ];
    let shown = told(&tree);
    assert_eq!(shown.len(), expected.len(), "{shown:#?}");
    for (shown, expected) in shown.iter().zip(expected) {
        let is_live = |text: &str| !text.starts_with('-');
        assert_eq!(is_live(shown), is_live(expected), "{shown}");
    }
    assert_eq!(shown[3], expected[3]);
    assert_eq!(shown[6..], expected[6..]);
    assert_eq!(tree.input_tokens, 3 + 10 + 11 + 5 + 6);
    // The copies count where they were written.
    assert_eq!(known(&store, &key("pi", fork)).input_tokens, 0);
    let sums = store.usage().unwrap();
    let sum: u64 = sums.iter().map(|sum| sum.usage.input_tokens).sum();
    assert_eq!(sum, tree.input_tokens);
}

const DROID: &str = "11111111-2222-4333-8444-555555555507";

fn droid_file(title: &str, more: &str) -> String {
    format!(
        "{{\"type\":\"session_start\",\"id\":\"{DROID}\",\"title\":\"{title}\",\"version\":2,\"cwd\":\"/w\"}}\n\
         {{\"type\":\"message\",\"id\":\"m1\",\"timestamp\":\"2026-11-20T10:00:01.000Z\",\"message\":{{\"role\":\"user\",\"content\":\"ask\"}}}}\n{more}"
    )
}

fn droid_settings(model: &str, input: u64) -> String {
    format!(
        "{{\"model\":\"{model}\",\"tokenUsage\":{{\"inputTokens\":{input},\"outputTokens\":1}}}}"
    )
}

#[test]
fn droids_settings_tell_what_a_session_took_and_a_rename_keeps_it_one() {
    let home = Home::new();
    let store = open(&home);
    let place = |name: &str| format!("home/.factory/sessions/{name}");
    let (file, settings) = (
        format!("-w/{DROID}.jsonl"),
        format!("-w/{DROID}.settings.json"),
    );
    let session = key("droid", DROID);
    let input = |store: &RedbStore| {
        let usage: Option<Usage> = store.usage_beside(&session).unwrap();
        let sums = store.usage().unwrap();
        let sum: u64 = sums.iter().map(|sum| sum.usage.input_tokens).sum();
        assert_eq!(usage.map_or(0, |usage| usage.input_tokens), sum);
        sum
    };
    home.write(&place(&file), droid_file("One", ""));
    imported(&store, &home);
    assert_eq!(input(&store), 0);
    home.write(&place(&settings), droid_settings("m", 100));
    imported(&store, &home);
    assert_eq!(input(&store), 100);
    let more = "{\"type\":\"message\",\"id\":\"m2\",\"parentId\":\"m1\",\"timestamp\":\"2026-11-20T10:00:02.000Z\",\"message\":{\"role\":\"assistant\",\"content\":\"said\"}}\n";
    home.write(&place(&file), droid_file("Another title", more));
    home.write(&place(&settings), droid_settings("m", 250));
    imported(&store, &home);
    assert_eq!(input(&store), 250);
    let row = store.summary(&session).unwrap();
    let facts = (
        row.title.as_str(),
        row.model.as_deref(),
        row.contents,
        row.message_count,
    );
    assert_eq!(facts, ("Another title", Some("m"), 1, 2));
    // Moved to another folder, it is the session that it was.
    fs::create_dir_all(home.path().join(place("-v"))).unwrap();
    let moved = home.path().join(place(&format!("-v/{DROID}.jsonl")));
    fs::rename(home.path().join(place(&file)), moved).unwrap();
    imported(&store, &home);
    assert_eq!(store.summary(&session).unwrap().contents, 1);
    assert!(store.verify(&mut scrollback::unwatched).unwrap().is_clean());
}

#[test]
fn what_is_told_of_a_session_beside_its_lines_is_in_its_row() {
    let home = Home::new();
    let store = open(&home);
    let place = "home/.vibe/logs/session/session_20260403_090000_0a1b2c3d";
    let meta = |title: &str, input: u64| {
        let told = format!(
            r#"{{"session_id":"0a1b2c3d-own","title":"{title}","environment":{{"working_directory":"/w"}},"stats":{{"session_prompt_tokens":{input},"session_completion_tokens":1}},"agent_config":{{"active_model":"m"}}}}"#
        );
        home.write(&format!("{place}/meta.json"), told);
    };
    let messages =
        "{\"role\":\"user\",\"content\":\"ask\"}\n{\"role\":\"assistant\",\"content\":\"said\"}\n";
    home.write(&format!("{place}/messages.jsonl"), messages);
    let session = key("vibe", "0a1b2c3d-own");
    for (title, input) in [("One", 10), ("Two", 20)] {
        meta(title, input);
        imported(&store, &home);
        let row = store.summary(&session).unwrap();
        let facts = (
            row.title.as_str(),
            row.project.as_deref(),
            row.model.as_deref(),
        );
        assert_eq!(facts, (title, Some("/w"), Some("m")));
        let usage = store.usage_beside(&session).unwrap().unwrap();
        assert_eq!((usage.input_tokens, row.attachment_count), (input, 1));
    }
}

#[test]
fn a_chat_in_changes_goes_on_where_it_was() {
    let home = Home::new();
    let store = open(&home);
    let file = "home/.config/Code/User/workspaceStorage/aa/chatSessions/s-1.jsonl";
    home.write(
        "home/.config/Code/User/workspaceStorage/aa/workspace.json",
        r#"{"folder":"file:///w/shop"}"#,
    );
    let changes = lines(
        r#"{"kind":0,"v":{"sessionId":"s-1","creationDate":1775206800000,"requests":[]}}
{"kind":2,"k":["requests"],"v":[{"requestId":"r1","timestamp":1775206801000,"message":{"text":"ask"},"response":[]}]}
{"kind":2,"k":["requests",0,"response"],"v":[{"value":"red, "}]}
{"kind":1,"k":["requests",0,"response"],"v":[{"value":"red, green"}]}
{"kind":1,"k":["customTitle"],"v":"Hues"}
{"kind":2,"k":["requests"],"v":[{"requestId":"r2","timestamp":1775206802000,"message":{"text":"more"},"response":[{"value":"blue"}]}]}"#,
    );
    let mut content = String::new();
    let session = key("vscode", "s-1");
    for (number, line) in changes.iter().enumerate() {
        content += line;
        content.push('\n');
        home.write(file, &content);
        imported(&store, &home);
        let row = store.summary(&session).unwrap();
        assert_eq!(
            (row.contents, row.project.as_deref()),
            (1, Some("/w/shop")),
            "{number}"
        );
    }
    let known = known(&store, &session);
    assert_eq!(told(&known), ["ask", "red, green", "more", "blue"]);
    let row = store.summary(&session).unwrap();
    assert_eq!(row.title, "Hues");
    assert!(store.verify(&mut scrollback::unwatched).unwrap().is_clean());
}
