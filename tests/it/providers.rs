//! Other agents' sessions where they lie: the hazards of agentx's `sessions` package (SEEDS 6.8),
//! and its features. The registry's are in `registry`.

use std::ops::ControlFlow;
use std::path::PathBuf;
use std::sync::Arc;

use scrollback::provider::{
    Listing, ProviderMessage, ProviderRegistry, ProviderSession, Scan, SessionProvider,
};
use scrollback::{Block, Error, Role};

use crate::harness::Home;
use crate::import;

/// A session as Claude Code writes it: thoughts, a call and its result, an image, events.
pub(crate) const REAL: &str = r#"{"type":"file-history-snapshot","messageId":"m0","snapshot":{},"isSnapshotUpdate":false}
{"parentUuid":null,"isSidechain":false,"cwd":"/w/my-shop","sessionId":"s1","version":"2.1.63","gitBranch":"main","type":"user","message":{"role":"user","content":"read the file"},"uuid":"u1","timestamp":"2026-04-04T01:41:00.000Z"}
{"parentUuid":"u1","isSidechain":false,"cwd":"/w/my-shop","sessionId":"s1","version":"2.1.63","gitBranch":"main","type":"assistant","message":{"model":"claude-x","id":"msg_01","role":"assistant","content":[{"type":"thinking","thinking":"hm","signature":"sig"},{"type":"text","text":"Reading."},{"type":"tool_use","id":"t1","name":"Read","input":{"path":"a.md"}}],"usage":{"input_tokens":3,"cache_creation_input_tokens":5139,"cache_read_input_tokens":9631,"output_tokens":14}},"uuid":"a2","timestamp":"2026-04-04T01:42:00.000Z"}
{"parentUuid":"a2","isSidechain":false,"cwd":"/w/my-shop","sessionId":"s1","type":"user","message":{"role":"user","content":[{"tool_use_id":"t1","type":"tool_result","content":"no such file","is_error":true}]},"uuid":"u3","timestamp":"2026-04-04T01:43:00.000Z"}
{"parentUuid":"u3","cwd":"/w/my-shop","sessionId":"s1","type":"system","subtype":"stop_hook_summary","content":"hook ran","uuid":"s4","timestamp":"2026-04-04T01:44:00.000Z"}
{"parentUuid":"s4","cwd":"/w/my-shop","sessionId":"s1","type":"user","message":{"role":"user","content":[{"type":"text","text":"and this?"},{"type":"image","source":{"type":"base64","media_type":"image/png","data":"AA=="}}]},"uuid":"u5","timestamp":"2026-04-04T01:45:00.000Z"}
{"type":"summary","summary":"Reading a.md","leafUuid":"u5"}
"#;

/// The sessions of an agent whose home is there.
pub(crate) fn provider_at(agent: &str, home: impl Into<PathBuf>) -> Arc<dyn SessionProvider> {
    ProviderRegistry::new().register_at(agent, home).unwrap()
}

/// Where Claude Code keeps the sessions of `/w/my-shop`.
pub(crate) const FOLDER: &str = ".claude/projects/-w-my-shop";

fn claude(home: &Home) -> Arc<dyn SessionProvider> {
    provider_at("claude-code", home.path().join(".claude"))
}

fn gemini(home: &Home) -> Arc<dyn SessionProvider> {
    provider_at("gemini", home.path().join(".gemini"))
}

/// The only line of a session in the seed's own layout.
fn seed(kind: &str, text: &str) -> String {
    format!("{{\"type\":\"{kind}\",\"role\":\"user\",\"content\":\"{text}\"}}\n")
}

fn ids(listing: &Listing) -> Vec<&str> {
    let sessions = listing.sessions.iter();
    sessions.map(|session| session.id.as_str()).collect()
}

fn texts(session: &ProviderSession) -> Vec<&str> {
    let messages = session.messages.iter();
    messages.map(|message| message.content.as_str()).collect()
}

#[test]
fn hazard_6_8_1_real_claude_sessions_are_listed_and_read() {
    let home = Home::new();
    home.write(&format!("{FOLDER}/s1.jsonl"), REAL);
    let index = r#"{"version":1,"entries":[{"sessionId":"s1","firstPrompt":"stale","summary":"stale","gitBranch":"stale","projectPath":"/stale","created":"2026-01-01T00:00:00.000Z"}]}"#;
    home.write(&format!("{FOLDER}/sessions-index.json"), index);
    let provider = claude(&home);
    assert_eq!(provider.list_projects().unwrap(), ["/w/my-shop"]);
    let listing = provider.list_sessions("/w/my-shop").unwrap();
    assert!(listing.problems.is_empty());
    let session = provider.read_session("s1").unwrap();
    assert_eq!(listing.sessions, std::slice::from_ref(&session.summary));
    let summary = &session.summary;
    assert_eq!(summary.message_count, 4);
    assert_eq!(summary.first_prompt.as_deref(), Some("read the file"));
    assert_eq!(summary.summary.as_deref(), Some("Reading a.md"));
    assert_eq!(summary.branch.as_deref(), Some("main"));
    assert_eq!(
        summary.created_at.unwrap().to_rfc3339(),
        "2026-04-04T01:41:00+00:00"
    );
    assert_eq!(
        summary.updated_at.unwrap().to_rfc3339(),
        "2026-04-04T01:45:00+00:00"
    );
    assert_eq!(session.version.as_deref(), Some("2.1.63"));
    let roles: Vec<Role> = session
        .messages
        .iter()
        .map(|message| message.role)
        .collect();
    assert_eq!(roles, [Role::User, Role::Assistant, Role::Tool, Role::User]);
    assert_eq!(
        texts(&session),
        ["read the file", "Reading.", "", "and this?"]
    );
    let usage = session.messages[1].usage.unwrap();
    assert_eq!(
        (usage.cache_read_tokens, usage.cache_write_tokens),
        (9631, 5139)
    );
    assert_eq!(session.messages[1].model.as_deref(), Some("claude-x"));
    assert_eq!(session.messages[1].parent_id.as_deref(), Some("u1"));
}

#[test]
fn hazard_6_8_1_real_gemini_files_are_listed_and_read() {
    let home = Home::new();
    let chats = ".gemini/tmp/c5e4/chats";
    let message = r#"{ "id": "m1", "timestamp": "2026-04-03T10:00:00.000Z", "type": "user", "content": "hello" }"#;
    let document = format!(
        "{{\n  \"sessionId\": \"9f8e\",\n  \"projectHash\": \"c5e4\",\n  \"startTime\": \"2026-04-03T10:00:00.000Z\",\n  \"lastUpdated\": \"2026-04-03T10:01:00.000Z\",\n  \"messages\": [\n    {message}\n  ]\n}}"
    );
    home.write(
        &format!("{chats}/session-2026-04-03T10-00-9f8e.json"),
        document,
    );
    home.write(
        &format!("{chats}/cut/session.json"),
        "{\"sessionId\":\"cut\",\"messages\":[",
    );
    home.write(".gemini/tmp/c5e4/logs.json", "[]");
    let provider = gemini(&home);
    assert_eq!(provider.list_projects().unwrap(), ["c5e4"]);
    let listing = provider.list_sessions("c5e4").unwrap();
    assert_eq!(ids(&listing), ["9f8e", "cut"]);
    assert_eq!(
        listing.sessions[1].unread_lines, 1,
        "a cut-off document is not hidden"
    );
    let session = provider.read_session("9f8e").unwrap();
    assert_eq!(session.summary.first_prompt.as_deref(), Some("hello"));
    assert_eq!(session.messages[0].raw_json, message.as_bytes());
    // With its path beside the chats, the project has a name that tells something.
    home.write(".gemini/tmp/c5e4/.project_root", "/w/my-shop\n");
    assert_eq!(provider.list_projects().unwrap(), ["/w/my-shop"]);
}

#[test]
fn gemini_lines_are_replayed_as_gemini_cli_does() {
    let home = Home::new();
    let line = |id: &str, text: &str| {
        format!("{{\"id\":\"{id}\",\"type\":\"gemini\",\"content\":\"{text}\"}}\n")
    };
    let mut file = String::from(
        "{\"kind\":\"main\",\"sessionId\":\"s1\",\"projectHash\":\"c5\",\"startTime\":\"2026-04-03T10:00:00.000Z\"}\n",
    );
    file += "{\"$set\":{\"messages\":[{\"id\":\"m1\",\"type\":\"user\",\"content\":[{\"text\":\"hello\"}]},{\"id\":\"m2\",\"type\":\"gemini\",\"content\":\"first\"}]}}\n";
    file += &line("m3", "gone");
    file += "not json\n{\"$rewindTo\":\"m3\"}\n";
    file += &line("m2", "second");
    file += &line("m4", "last");
    home.write(".gemini/tmp/app/chats/session-1-s1.jsonl", &file);
    home.write(
        ".gemini/tmp/app/chats/s1/child.jsonl",
        file.replace("\"s1\"", "\"child\""),
    );
    let provider = gemini(&home);
    let session = provider.read_session("s1").unwrap();
    assert_eq!(texts(&session), ["hello", "second", "last"]);
    assert_eq!(
        session.messages[1].raw_json,
        line("m2", "second").trim_end().as_bytes()
    );
    let listing = provider.list_sessions("app").unwrap();
    assert_eq!(listing.sessions.len(), 2);
    for summary in &listing.sessions {
        assert_eq!((summary.message_count, summary.unread_lines), (3, 1));
        let parent = (summary.id == "child").then_some("s1");
        assert_eq!(summary.parent.as_deref(), parent);
    }
    // A rewind to a message that is not there takes all away.
    file += "{\"$rewindTo\":\"other\"}\n";
    home.write(".gemini/tmp/app/chats/session-1-s1.jsonl", &file);
    assert!(provider.read_session("s1").unwrap().messages.is_empty());
}

#[test]
fn hazard_6_8_2_a_line_of_megabytes_hides_nothing() {
    let home = Home::new();
    let long = "x".repeat(3_000_000);
    let file = seed("message", "a") + &seed("message", &long) + &seed("message", "b");
    home.write(&format!("{FOLDER}/s.jsonl"), file);
    let session = claude(&home).read_session("s").unwrap();
    assert_eq!(texts(&session), ["a", long.as_str(), "b"]);
}

#[test]
fn hazard_6_8_3_raw_json_stays_the_true_line() {
    let home = Home::new();
    let lines: Vec<String> = (0..400)
        .map(|at| seed("message", &format!("{at}-{}", "é".repeat(at * 7))).replace(':', " : "))
        .collect();
    home.write(&format!("{FOLDER}/s.jsonl"), lines.concat());
    let session = claude(&home).read_session("s").unwrap();
    assert_eq!(session.messages.len(), lines.len());
    for (message, line) in session.messages.iter().zip(&lines) {
        assert_eq!(message.raw_json, line.trim_end().as_bytes());
    }
    let mut scanned = Vec::new();
    let mut keep = |message: ProviderMessage| {
        scanned.push(message);
        ControlFlow::Continue(())
    };
    claude(&home).scan_messages("s", &mut keep).unwrap();
    assert_eq!(scanned, session.messages);
}

#[test]
fn hazard_6_8_4_a_time_that_is_not_stated_stays_absent() {
    let home = Home::new();
    let path = home.write(&format!("{FOLDER}/s.jsonl"), seed("message", "a"));
    let session = claude(&home).read_session("s").unwrap();
    assert_eq!(session.messages[0].timestamp, None);
    assert_eq!(session.summary.created_at, None);
    assert_eq!(session.summary.updated_at, None);
    let again = std::fs::read(&path).unwrap();
    std::fs::write(&path, again).unwrap();
    assert_eq!(claude(&home).read_session("s").unwrap(), session);
}

#[test]
fn hazard_6_8_5_projects_come_from_the_lines_and_not_from_the_folder() {
    let home = Home::new();
    // Two projects whose names encode alike share a folder.
    home.write(&format!("{FOLDER}/s1.jsonl"), REAL);
    let other = REAL
        .replace("/w/my-shop", "/w/my.shop")
        .replace("\"s1\"", "\"s2\"");
    home.write(&format!("{FOLDER}/s2.jsonl"), other);
    home.write(
        &format!("{FOLDER}/s3.jsonl"),
        seed("message", "nothing tells"),
    );
    let provider = claude(&home);
    // The last one is a guess, where nothing else tells.
    let projects = ["/w/my-shop", "/w/my.shop", "/w/my/shop"];
    assert_eq!(provider.list_projects().unwrap(), projects);
    for (project, id) in projects.iter().zip(["s1", "s2", "s3"]) {
        assert_eq!(ids(&provider.list_sessions(project).unwrap()), [id]);
        let session = provider.read_session(id).unwrap();
        assert_eq!(session.summary.project.as_deref(), Some(*project));
    }
    let index = r#"{"sessions":{"s3":{"projectPath":"/w/true","firstPrompt":"p","summary":"S","gitBranch":"b","created":1775207400000,"modified":1775207700000}}}"#;
    home.write(&format!("{FOLDER}/sessions-index.json"), index);
    let summary = provider.read_session("s3").unwrap().summary;
    assert_eq!(summary.project.as_deref(), Some("/w/true"));
    assert_eq!(summary.branch.as_deref(), Some("b"));
    assert_eq!(summary.first_prompt.as_deref(), Some("nothing tells"));
    assert_eq!(
        summary.updated_at.unwrap().timestamp_millis(),
        1_775_207_700_000
    );
}

#[test]
fn hazard_6_8_6_tools_thoughts_and_images_are_there() {
    let home = Home::new();
    home.write(&format!("{FOLDER}/s1.jsonl"), REAL);
    let session = claude(&home).read_session("s1").unwrap();
    let types: Vec<&str> = session
        .messages
        .iter()
        .map(|message| message.message_type.word())
        .collect();
    assert_eq!(types, ["chat", "tool-use", "tool-result", "chat"]);
    let [
        Block::Thinking { text, .. },
        Block::Text { .. },
        Block::ToolUse { id, name, input },
    ] = &session.messages[1].blocks[..]
    else {
        panic!("{:?}", session.messages[1].blocks);
    };
    assert_eq!(
        (text.as_str(), id.as_deref(), name.as_str()),
        ("hm", Some("t1"), "Read")
    );
    assert_eq!(input.as_ref().unwrap().as_str(), r#"{"path":"a.md"}"#);
    let [
        Block::ToolResult {
            id,
            output,
            is_error,
            ..
        },
    ] = &session.messages[2].blocks[..]
    else {
        panic!("{:?}", session.messages[2].blocks);
    };
    assert_eq!(
        (id.as_deref(), output.as_str(), *is_error),
        (Some("t1"), "no such file", true)
    );
    assert!(matches!(session.messages[3].blocks[1], Block::Image { .. }));
}

#[test]
fn the_seeds_types_and_thoughts_are_kept() {
    let home = Home::new();
    let kinds = ["human", "tool-use", "tool-result", "progress", "snapshot"];
    let file: String = kinds
        .iter()
        .map(|kind| seed(kind, "<thinking>a</thinking>b"))
        .collect();
    home.write(
        &format!("{FOLDER}/s.jsonl"),
        format!("{{\"type\":\"version\",\"version\":\"1.0\"}}\n{file}"),
    );
    let session = claude(&home).read_session("s").unwrap();
    let types: Vec<&str> = session
        .messages
        .iter()
        .map(|message| message.message_type.word())
        .collect();
    assert_eq!(
        types,
        ["chat", "tool-use", "tool-result", "progress", "snapshot"]
    );
    assert_eq!(session.messages[0].content, "<thinking>a</thinking>b");
    assert_eq!(session.version.as_deref(), Some("1.0"));
}

#[test]
fn hazard_6_8_7_ids_stay_when_a_damaged_line_is_mended() {
    let home = Home::new();
    let ids = |second: &str| -> Vec<String> {
        let file = seed("message", "a") + second + &seed("message", "c");
        home.write(&format!("{FOLDER}/s.jsonl"), file);
        let session = claude(&home).read_session("s").unwrap();
        session
            .messages
            .into_iter()
            .map(|message| message.id)
            .collect()
    };
    assert_eq!(ids("{broken\n"), ["#0", "#2"]);
    assert_eq!(ids(&seed("message", "b")), ["#0", "#1", "#2"]);
    let fused = seed("message", "b").trim_end().to_owned() + &seed("message", "b");
    assert_eq!(ids(&fused), ["#0", "#1", "#1.1", "#2"]);
}

#[test]
fn hazard_6_8_9_an_id_never_leaves_the_folder() {
    let home = Home::new();
    home.write(&format!("{FOLDER}/s1.jsonl"), REAL);
    home.write(".claude/projects/secret.jsonl", REAL);
    home.write(".claude/x.jsonl", REAL);
    let provider = claude(&home);
    let path = home.path().join(".claude/x");
    for id in [
        "../secret",
        "../../x",
        "..",
        "",
        "/",
        "s1/",
        "./s1",
        path.to_str().unwrap(),
    ] {
        let error = provider.read_session(id).unwrap_err();
        assert!(matches!(error, Error::NotFound { .. }), "{id}");
        let error = provider
            .scan_messages(id, &mut |_| panic!("{id}"))
            .unwrap_err();
        assert!(matches!(error, Error::NotFound { .. }), "{id}");
    }
}

#[test]
fn hazard_6_8_10_reading_again_reads_only_what_is_new() {
    let home = Home::new();
    let relative = "in/.claude/projects/-w/s.jsonl";
    let path = home.write(relative, import::lines(&["a", "b"]));
    let folder = [home.path().join("in")];
    let store = import::open(&home);
    assert_eq!(import::run(&store, &folder).records, 2);
    let again = import::run(&store, &folder);
    assert_eq!((again.records, again.unchanged), (0, 1));
    std::fs::write(&path, import::lines(&["a", "b", "c"])).unwrap();
    assert_eq!(import::run(&store, &folder).records, 1);
}

#[test]
fn a_scan_stops_when_it_is_told_to() {
    let home = Home::new();
    home.write(
        &format!("{FOLDER}/s1.jsonl"),
        format!("broken\n{REAL}broken\n"),
    );
    let provider = claude(&home);
    let mut seen = Vec::new();
    let scan = provider.scan_messages("s1", &mut |message| {
        seen.push(message.id);
        if seen.len() == 2 {
            ControlFlow::Break(())
        } else {
            ControlFlow::Continue(())
        }
    });
    assert_eq!(seen, ["u1", "a2"]);
    let expected = Scan::new(true, 1);
    assert_eq!(scan.unwrap(), expected);
    let scan = provider.scan_messages("s1", &mut |_| ControlFlow::Continue(()));
    assert_eq!(scan.unwrap().unread_lines, 2);
}

#[test]
fn subagents_are_sessions_with_a_parent() {
    let home = Home::new();
    home.write(&format!("{FOLDER}/s1.jsonl"), REAL);
    let line = r#"{"isSidechain":true,"agentId":"x","cwd":"/w/my-shop","sessionId":"s1","type":"user","message":{"role":"user","content":"sub task"},"uuid":"u8"}"#;
    home.write(&format!("{FOLDER}/s1/subagents/agent-x.jsonl"), line);
    let flat = line.replace(r#""agentId":"x""#, r#""agentId":"y""#);
    home.write(&format!("{FOLDER}/agent-y.jsonl"), flat);
    home.write(&format!("{FOLDER}/s1/tool-results/big.jsonl"), "{}");
    let listing = claude(&home).list_sessions("/w/my-shop").unwrap();
    assert_eq!(ids(&listing), ["s1", "x", "y"]);
    for summary in &listing.sessions[1..] {
        assert_eq!(summary.parent.as_deref(), Some("s1"));
    }
}

#[test]
fn codex_sessions_are_read_plain_archived_and_compressed() {
    let home = Home::new();
    let name =
        |at: u8| format!("rollout-2026-04-03T09-05-0{at}-019bf109-50bc-7a81-9199-1232bc0ad43{at}");
    let id = |at: u8| format!("019bf109-50bc-7a81-9199-1232bc0ad43{at}");
    let file = "{\"timestamp\":\"2026-04-03T09:05:00Z\",\"type\":\"session_meta\",\"payload\":{\"id\":\"x\",\"timestamp\":\"2026-04-03T09:05:00Z\",\"cwd\":\"/w\"}}\n{\"timestamp\":\"2026-04-03T09:06:00Z\",\"type\":\"response_item\",\"payload\":{\"type\":\"message\",\"role\":\"user\",\"content\":[{\"type\":\"input_text\",\"text\":\"hi\"}]}}\n";
    let packed = zstd::encode_all(file.as_bytes(), 1).unwrap();
    home.write(
        &format!(".codex/sessions/2026/04/03/{}.jsonl", name(1)),
        file,
    );
    home.write(
        &format!(".codex/sessions/2026/04/03/{}.jsonl.zst", name(1)),
        "not zstd",
    );
    home.write(
        &format!(".codex/sessions/2026/04/03/{}.jsonl.zst", name(2)),
        packed,
    );
    home.write(&format!(".codex/archived_sessions/{}.jsonl", name(3)), file);
    home.write(".codex/sessions/notes.jsonl", "{}");
    let provider = provider_at("codex", home.path().join(".codex"));
    let listing = provider.list_sessions("/w").unwrap();
    assert_eq!(ids(&listing), [id(1), id(2), id(3)]);
    for at in 1..=3 {
        let session = provider.read_session(&id(at)).unwrap();
        assert_eq!(texts(&session), ["hi"]);
        assert_eq!(session.messages[0].id, "#1");
    }
}

#[test]
fn lists_are_newest_first_and_ties_have_an_order() {
    let home = Home::new();
    for (id, minute) in [("a", 41), ("b", 59), ("d", 50), ("c", 50)] {
        let file = REAL.replace("01:45:00", &format!("01:{minute}:30"));
        home.write(&format!("{FOLDER}/{id}.jsonl"), file);
    }
    let listing = claude(&home).list_sessions("/w/my-shop").unwrap();
    assert_eq!(ids(&listing), ["b", "c", "d", "a"]);
}
