//! Agents that keep a session in a document which is written anew with each turn, and aider's histories: one
//! session however it grows, kept once; what lies beside; broken, moved and odd documents.

use std::fs;
use std::path::Path;

use scrollback::{RedbStore, Role, Store as _, StoreExt as _};
use serde_json::{Value, json};

use crate::harness::{Home, files_below};
use crate::homes::{MADE, assert_all_come_back, export, key, said};
use crate::import::{open, run_clean, run_in, sessions};

/// An agent's document with so many turns of a question and an answer.
struct Kind {
    agent: &'static str,
    id: &'static str,
    file: &'static str,
    document: fn(usize) -> Value,
}

fn block(text: &str) -> Value {
    json!([{"type": "text", "text": text}])
}

fn amp(turns: usize) -> Value {
    let mut messages = Vec::new();
    for turn in 0..turns {
        messages.push(
            json!({"role": "user", "messageId": 2 * turn, "content": block(&format!("q{turn}")),
            "meta": {"sentAt": 1_795_168_800_000_u64 + turn as u64}}),
        );
        messages.push(json!({"role": "assistant", "messageId": 2 * turn + 1, "content": block(&format!("a{turn}")),
            "usage": {"model": "m", "inputTokens": 10, "outputTokens": 2, "timestamp": format!("2026-11-20T10:00:{turn:02}.000Z")}}));
    }
    json!({"v": turns, "id": "T-1", "created": 1_795_168_800_000_u64, "title": "Hues",
        "env": {"initial": {"trees": [{"uri": "file:///w/shop"}]}}, "messages": messages, "meta": {"traces": [turns]}})
}

fn cline_cli(turns: usize) -> Value {
    json!({"version": 1, "updated_at": format!("2026-11-20T10:01:{turns:02}.000Z"), "agent": "lead", "sessionId": "s-1",
        "origin": {"source": "cli"}, "messages": task(turns), "system_prompt": "You are."})
}

fn task(turns: usize) -> Value {
    let mut messages = Vec::new();
    for turn in 0..turns {
        let at = 1_795_168_800_000_u64 + 2 * turn as u64;
        let environment = "<environment_details>\n# Current Working Directory (/w/shop) Files\n</environment_details>";
        messages.push(json!({"role": "user", "ts": at, "content": [
            {"type": "text", "text": format!("<task>\nq{turn}\n</task>")}, {"type": "text", "text": environment}]}));
        messages.push(
            json!({"role": "assistant", "ts": at + 1, "content": block(&format!("a{turn}"))}),
        );
    }
    Value::Array(messages)
}

fn continued(turns: usize) -> Value {
    let mut history = Vec::new();
    for turn in 0..turns {
        history.push(
            json!({"message": {"role": "user", "content": format!("q{turn}")}, "contextItems": []}),
        );
        history.push(json!({"message": {"role": "assistant", "content": format!("a{turn}")}, "contextItems": []}));
    }
    json!({"sessionId": "s-1", "title": "Hues", "workspaceDirectory": "file:///w/shop", "history": history,
        "usage": {"promptTokens": 10 * turns, "completionTokens": 2 * turns}})
}

fn auggie(turns: usize) -> Value {
    let exchange = |turn: usize| {
        json!({"exchange": {"request_message": format!("q{turn}"), "response_text": format!("a{turn}"), "request_id": format!("r{turn}")},
            "completed": true, "sequenceId": turn + 1, "finishedAt": format!("2026-11-20T10:00:{turn:02}.000Z")})
    };
    json!({"sessionId": "s-1", "created": "2026-11-20T10:00:00.000Z", "modified": format!("2026-11-20T10:01:{turns:02}.000Z"),
        "chatHistory": (0..turns).map(exchange).collect::<Vec<_>>(), "agentState": {"userEmail": "who@example.org"}, "title": "Hues"})
}

const CODE: &str = "in/.config/Code/User/globalStorage";

fn kinds() -> [Kind; 7] {
    let kind = |agent, id, file, document| Kind {
        agent,
        id,
        file,
        document,
    };
    [
        kind(
            "amp",
            "T-1",
            "in/.local/share/amp/threads/T-1.json",
            amp as fn(usize) -> Value,
        ),
        kind(
            "cline",
            "s-1",
            "in/.cline/data/sessions/s-1/s-1.messages.json",
            cline_cli,
        ),
        kind(
            "cline",
            "17",
            "in/.config/Code/User/globalStorage/saoudrizwan.claude-dev/tasks/17/api_conversation_history.json",
            task,
        ),
        kind(
            "roo",
            "18",
            "in/.config/Code/User/globalStorage/rooveterinaryinc.roo-cline/tasks/18/api_conversation_history.json",
            task,
        ),
        kind(
            "kilo",
            "19",
            "in/.config/Code/User/globalStorage/kilocode.kilo-code/tasks/19/api_conversation_history.json",
            task,
        ),
        kind(
            "continue",
            "s-1",
            "in/.continue/sessions/s-1.json",
            continued,
        ),
        kind("auggie", "s-1", "in/.augment/sessions/s-1.json", auggie),
    ]
}

#[test]
fn a_document_that_grows_is_one_session_and_is_kept_once() {
    for kind in kinds() {
        let home = Home::new();
        let store = open(&home);
        for turns in 1..=4 {
            home.write(kind.file, (kind.document)(turns).to_string());
            let report = run_in(&home, &store);
            let grown = u64::from(turns > 1);
            assert_eq!(
                (
                    report.sessions,
                    report.sessions_grown,
                    report.messages,
                    report.generations
                ),
                (1 - grown, grown, 2, 0),
                "{} {report:?}",
                kind.agent
            );
        }
        let key = key(kind.agent, kind.id);
        assert_eq!(
            said(&store, &key),
            ["q0", "a0", "q1", "a1", "q2", "a2", "q3", "a3"]
        );
        let summary = store.summary(&key).unwrap();
        assert_eq!(summary.attachment_count, 1, "{}", kind.agent);
        assert!(
            ["Hues", "q0"].contains(&summary.title.as_str()),
            "{summary:?}"
        );
        let has_project = kind.agent != "auggie" && kind.id != "s-1" || kind.agent == "continue";
        assert_eq!(
            summary.project.as_deref(),
            has_project.then_some("/w/shop"),
            "{summary:?}"
        );
        assert_all_come_back(&home, &store);
        assert_eq!(run_in(&home, &store).unchanged, 1);
        // Other words are another content.
        let other = (kind.document)(4).to_string().replace("q1", "other");
        home.write(kind.file, other);
        assert_eq!(run_in(&home, &store).generations, 1, "{}", kind.agent);
    }
}

#[test]
fn a_document_that_is_broken_is_kept_and_goes_on_when_it_is_whole() {
    for kind in kinds() {
        let home = Home::new();
        let store = open(&home);
        let whole = (kind.document)(2).to_string();
        for broken in ["", "\0\0", &whole[..whole.len() - 9]] {
            home.write(kind.file, broken);
            let report = run_in(&home, &store);
            assert_eq!(report.records, 0, "{} {broken:?} {report:?}", kind.agent);
        }
        home.write(kind.file, &whole);
        let report = run_in(&home, &store);
        assert_eq!(
            (report.messages, report.generations),
            (4, 0),
            "{} {report:?}",
            kind.agent
        );
        let file = home.path().join(kind.file);
        fs::write(&file, r#"{"messages":[7,[],{"role":9},{"role":"user"},{"role":"user","content":{"a":1}}],"history":[1],"chatHistory":[1]}"#).unwrap();
        run_in(&home, &store);
        // As another content or as none: what was there is there.
        let first = format!("{}~1", kind.id);
        let is_there = |id: &str| {
            let key = key(kind.agent, id);
            let is_known = store.summary(&key).is_ok();
            is_known && said(&store, &key) == ["q0", "a0", "q1", "a1"]
        };
        assert!(is_there(kind.id) || is_there(&first), "{}", kind.agent);
    }
}

fn usage(store: &RedbStore, agent: &str, id: &str) -> (u64, u64, u64) {
    let key = key(agent, id);
    let mut sum = (0, 0, 0);
    let mut add = |usage: scrollback::Usage| {
        sum = (
            sum.0 + usage.input_tokens,
            sum.1 + usage.output_tokens,
            sum.2 + usage.cache_read_tokens,
        );
    };
    for one in store.view(&key, scrollback::ScanQuery::default()) {
        let one = one.unwrap();
        one.messages
            .iter()
            .chain(&one.about)
            .filter_map(|message| message.usage)
            .for_each(&mut add);
    }
    store
        .usage_beside(&key)
        .unwrap()
        .into_iter()
        .for_each(&mut add);
    sum
}

#[test]
fn tokens_are_counted_once_wherever_the_agent_tells_them() {
    let home = Home::new();
    for kind in kinds() {
        home.write(kind.file, (kind.document)(3).to_string());
    }
    let shown = |input: u64| {
        let call = json!({"request": "x", "tokensIn": input, "tokensOut": 3, "cacheReads": 4, "cacheWrites": 0});
        json!({"ts": 1, "type": "say", "say": "api_req_started", "text": call.to_string()})
    };
    let text = json!({"ts": 2, "type": "say", "say": "text", "text": "a0"});
    home.write(
        &format!("{CODE}/saoudrizwan.claude-dev/tasks/17/ui_messages.json"),
        json!([shown(10), text, shown(20)]).to_string(),
    );
    let store = open(&home);
    let report = run_in(&home, &store);
    assert_eq!(report.problems, [], "{report:?}");
    assert_eq!(usage(&store, "amp", "T-1"), (30, 6, 0));
    assert_eq!(usage(&store, "continue", "s-1"), (30, 6, 0));
    assert_eq!(usage(&store, "cline", "17"), (30, 6, 8));
    assert_eq!(usage(&store, "auggie", "s-1"), (0, 0, 0));
    let sums = store.usage().unwrap();
    let of = |agent: &str| -> u64 {
        let of = sums.iter().filter(|sum| sum.agent == agent);
        of.map(|sum| sum.usage.input_tokens).sum()
    };
    assert_eq!((of("amp"), of("continue"), of("cline")), (30, 30, 30));
}

#[test]
fn what_lies_beside_tells_and_what_is_secret_stays() {
    let home = Home::new();
    for kind in kinds() {
        home.write(kind.file, (kind.document)(1).to_string());
    }
    home.write(
        "in/.cline/data/sessions/s-1/s-1.json",
        json!({"session_id": "s-1", "cwd": "/w/shop", "prompt": "q0", "metadata": {"title": "Hues by hand"}, "started_at": "2026-11-20T10:00:00.000Z"}).to_string(),
    );
    home.write(
        &format!("{CODE}/saoudrizwan.claude-dev/state/taskHistory.json"),
        json!([{"id": "17", "task": "q0", "cwdOnTaskInitialization": "/w/other"}]).to_string(),
    );
    home.write(
        &format!("{CODE}/rooveterinaryinc.roo-cline/tasks/18/history_item.json"),
        json!({"id": "18", "task": "q0", "workspace": "/w/roo", "ts": 1_795_168_900_000_u64})
            .to_string(),
    );
    home.write(
        "in/.continue/sessions/sessions.json",
        json!([{"sessionId": "s-1", "title": "Hues", "dateCreated": "1795168000000", "workspaceDirectory": "/w/shop"}]).to_string(),
    );
    for file in [
        "in/.cline/data/settings/providers.json",
        "in/.cline/data/secrets.json",
        "in/.cline/data/sessions/s-1/s-1.compaction.json",
        "in/.local/share/amp/secrets.json",
        "in/.continue/config.yaml",
        "in/.continue/sharedConfig.json",
        "in/.augment/session.json",
        "in/.config/Code/User/globalStorage/saoudrizwan.claude-dev/settings/cline_mcp_settings.json",
    ] {
        home.write(file, "{\"key\":\"INVENTED-SECRET\",\"messages\":[]}");
    }
    let store = open(&home);
    run_clean(&home, &store, 7);
    let of = |agent: &str, id: &str| {
        let summary = store.summary(&key(agent, id)).unwrap();
        (summary.title, summary.project)
    };
    let told = |title: &str, project: &str| (title.to_owned(), Some(project.to_owned()));
    assert_eq!(of("cline", "s-1"), told("Hues by hand", "/w/shop"));
    assert_eq!(of("cline", "17"), told("q0", "/w/other"));
    assert_eq!(of("roo", "18"), told("q0", "/w/roo"));
    let created = store.summary(&key("continue", "s-1")).unwrap().created_at;
    assert_eq!(created.timestamp_millis(), 1_795_168_000_000);
    let out = export(&home, &store);
    for file in files_below(&out) {
        let text = fs::read_to_string(&file).unwrap();
        assert!(!text.contains("INVENTED-SECRET"), "{file:?}");
    }
    assert_all_come_back_of(&home, &out, "history_item.json");
}

/// Whether a file is in an export as it was.
fn assert_all_come_back_of(home: &Home, out: &Path, name: &str) {
    let find = |folder: &Path| {
        let files = files_below(folder).into_iter();
        let named: Vec<_> = files.filter(|file| file.ends_with(name)).collect();
        fs::read(&named[0]).unwrap()
    };
    assert_eq!(find(&home.path().join("in")), find(out));
}

#[test]
fn what_tools_answer_is_theirs_in_every_spelling() {
    let home = Home::new();
    let answer = json!([{"query": "a.txt", "result": "red green", "success": true}]);
    for (file, document, agent, id) in [
        (
            "in/.local/share/amp/threads/T-2.json",
            json!({"id": "T-2", "messages": [{"role": "user", "content": [
                {"type": "tool_result", "toolUseID": "t1", "run": {"status": "error", "error": {"message": "red green"}}}]}]}),
            "amp",
            "T-2",
        ),
        (
            "in/.cline/data/sessions/s-2/s-2.messages.json",
            json!({"sessionId": "s-2", "messages": [{"role": "user", "content": [
                {"type": "tool_result", "tool_use_id": "t1", "content": answer}]}]}),
            "cline",
            "s-2",
        ),
        (
            "in/.continue/sessions/s-3.json",
            json!({"sessionId": "s-3", "history": [
                {"message": {"role": "assistant", "content": "", "toolCalls": [{"id": "t1", "function": {"name": "ls", "arguments": "{}"}}]},
                    "toolCallStates": [{"toolCallId": "t1", "status": "done", "output": [{"content": "red green"}]}]},
                {"message": {"role": "tool", "content": "red green", "toolCallId": "t1"}}]}),
            "continue",
            "s-3",
        ),
        (
            "in/.augment/sessions/s-4.json",
            json!({"sessionId": "s-4", "chatHistory": [{"exchange": {"request_message": "", "response_text": "",
                "request_nodes": [{"id": 1, "type": 1, "tool_result_node": {"tool_use_id": "t1", "content": "red green", "is_error": false}}]}}]}),
            "auggie",
            "s-4",
        ),
    ] {
        home.write(file, document.to_string());
        let store = open(&home);
        run_in(&home, &store);
        let session = store.load(&key(agent, id)).unwrap();
        let answers: Vec<_> = session
            .messages
            .iter()
            .flat_map(|message| {
                message
                    .content
                    .iter()
                    .map(move |block| (message.role, block))
            })
            .filter_map(|(role, block)| match block {
                scrollback::Block::ToolResult { id, output, .. } => {
                    Some((role, id.as_deref(), output.as_str()))
                }
                _ => None,
            })
            .collect();
        assert_eq!(answers, [(Role::Tool, Some("t1"), "red green")], "{agent}");
    }
}

#[test]
fn what_aider_wrote_is_read_and_comes_back_byte_for_byte() {
    let home = Home::new();
    let written = fs::read_to_string(Path::new(MADE).join("aider/aider.chat.history.md")).unwrap();
    let second = written.rfind("\n# aider chat started").unwrap();
    let place = "in/shop/.aider.chat.history.md";
    home.write(place, &written[..second]);
    let store = open(&home);
    run_clean(&home, &store, 1);
    // The second run.
    home.write(place, &written);
    let report = run_in(&home, &store);
    assert_eq!(
        (report.sessions, report.sessions_grown, report.generations),
        (0, 1, 0),
        "{report:?}"
    );
    let summary = sessions(&store).remove(0);
    assert_eq!(summary.key, key("aider", "shop"));
    assert_eq!(summary.title, "name the hues and nothing else");
    assert!(summary.project.unwrap().ends_with("/in/shop"));
    let session = store.load(&summary.key).unwrap();
    let talk: Vec<_> = session
        .messages
        .iter()
        .filter(|message| message.role != Role::System)
        .map(|message| (message.role, message.plain_text()))
        .collect();
    // What the model quotes is the model's.
    let answer = "red, green\n\n> quoted by the model\n\n#### a heading of the model";
    assert_eq!(
        talk,
        [
            (Role::User, "name the hues\nand nothing else".to_owned()),
            (Role::Assistant, answer.to_owned()),
            (Role::User, "thank you".to_owned()),
            (Role::Assistant, answer.to_owned()),
        ]
    );
    assert!(
        session
            .messages
            .iter()
            .all(|message| message.injected == (message.role == Role::System))
    );
    assert_all_come_back(&home, &store);
    // Of two projects of one name each has its own.
    home.write(
        "in/old/shop/.aider.chat.history.md",
        "\n#### other\n\nyes\n",
    );
    let report = run_in(&home, &store);
    assert_eq!((report.sessions, report.generations), (1, 0), "{report:?}");
    assert_eq!(sessions(&store).len(), 2);
}
