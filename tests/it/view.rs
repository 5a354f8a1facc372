//! The view of a session as an import makes it: in one go, line by line, and of old stores that are read
//! again.

use std::fs;
use std::path::Path;

use scrollback::{
    Exception, ExceptionKind, Expect, ImportOptions, ListQuery, MemoryStore, Message, NewRecord,
    Options, RecordHeader, RedbStore, ScanQuery, SessionKey, Store, StoreExt as _, import,
    unwatched,
};

use crate::harness::Home;

/// A session of an agent: its file, its key, its lines.
pub(crate) struct Sample {
    pub(crate) file: &'static str,
    pub(crate) key: (&'static str, &'static str),
    pub(crate) lines: Vec<String>,
}

const CLAUDE: &str = "0a1b2c3d-0000-4000-8000-000000000001";

fn claude() -> Sample {
    let line = |kind: &str, id: &str, parent: &str, rest: &str| {
        let parent = match parent {
            "" => "null".to_owned(),
            parent => format!("\"{parent}\""),
        };
        format!(
            r#"{{"parentUuid":{parent},"isSidechain":false,"cwd":"/w","sessionId":"{CLAUDE}","type":"{kind}","uuid":"{id}","timestamp":"2026-11-20T10:00:00.000Z",{rest}}}"#
        )
    };
    let asked = |id: &str, parent: &str, text: &str| {
        let rest = format!(r#""message":{{"role":"user","content":"{text}"}}"#);
        line("user", id, parent, &rest)
    };
    let answered = |id: &str, parent: &str, answer: &str, output: u64, block: &str| {
        let rest = format!(
            r#""requestId":"r{answer}","message":{{"role":"assistant","model":"m","id":"{answer}","content":[{block}],"usage":{{"input_tokens":10,"output_tokens":{output}}}}}"#
        );
        line("assistant", id, parent, &rest)
    };
    let call =
        |id: &str| format!(r#"{{"type":"tool_use","id":"{id}","name":"Read","input":{{}}}}"#);
    let result = |id: &str, parent: &str, call: &str| {
        let rest = format!(
            r#""message":{{"role":"user","content":[{{"type":"tool_result","tool_use_id":"{call}","content":"page"}}]}}"#
        );
        line("user", id, parent, &rest)
    };
    let said = r#"{"type":"text","text":"done"}"#;
    let queued =
        r#""attachment":{"type":"queued_command","commandMode":"prompt","prompt":"hurry"}"#;
    let progress = r#""data":{"type":"agent_progress","agentId":"a1","message":{"type":"assistant","uuid":"p1","message":{"role":"assistant","model":"n","id":"S","content":[{"type":"text","text":"sub"}],"usage":{"input_tokens":1,"output_tokens":1}}}}"#;
    let lines = vec![
        asked("u1", "", "read two pages"),
        answered("a1", "u1", "A", 1, &call("c1")),
        answered("a2", "a1", "A", 9, &call("c2")),
        line("progress", "g1", "a2", progress),
        result("r1", "a1", "c1"),
        result("r2", "a2", "c2"),
        r#"{"type":"queue-operation","operation":"remove","reason":"absorbed_mid_turn","content":"hurry","sessionId":"s"}"#.to_owned(),
        line("attachment", "q1", "r2", queued),
        answered("b1", "q1", "B", 5, said),
        asked("u2", "b1", "wrong way"),
        answered("c1", "u2", "C", 5, said),
        asked("u3", "b1", "right way"),
        answered("d1", "u3", "D", 5, said),
    ];
    Sample {
        file: "home/.claude/projects/-w/0a1b2c3d-0000-4000-8000-000000000001.jsonl",
        key: ("claude-code", CLAUDE),
        lines,
    }
}

const CODEX: &str = "019f0001-0000-7000-8000-000000000001";

fn codex() -> Sample {
    let line = |kind: &str, payload: &str| {
        format!(r#"{{"timestamp":"2026-11-20T10:00:00.000Z","type":"{kind}","payload":{payload}}}"#)
    };
    let asked = |text: &str| {
        let payload = format!(
            r#"{{"type":"message","role":"user","content":[{{"type":"input_text","text":"{text}"}}]}}"#
        );
        line("response_item", &payload)
    };
    let event = |payload: &str| line("event_msg", payload);
    let tokens = |total: u64, last: u64| {
        event(&format!(
            r#"{{"type":"token_count","info":{{"total_token_usage":{{"input_tokens":{total}}},"last_token_usage":{{"input_tokens":{last}}}}}}}"#
        ))
    };
    let turn = |id: &str| event(&format!(r#"{{"type":"task_started","turn_id":"{id}"}}"#));
    let lines = vec![
        line("session_meta", &format!(r#"{{"id":"{CODEX}","cwd":"/w"}}"#)),
        turn("a"),
        asked("<environment_context>x</environment_context>"),
        asked("one"),
        tokens(10, 10),
        tokens(10, 10),
        turn("b"),
        asked("wrong"),
        tokens(30, 20),
        event(r#"{"type":"thread_rolled_back","num_turns":1}"#),
        turn("c"),
        asked("two"),
        tokens(35, 5),
    ];
    Sample {
        file: "home/.codex/sessions/2026/11/20/rollout-2026-11-20T10-00-00-019f0001-0000-7000-8000-000000000001.jsonl",
        key: ("codex", CODEX),
        lines,
    }
}

const GEMINI: &str = "6f000003-0000-4000-8000-000000000003";

fn gemini() -> Sample {
    let said = |id: &str, kind: &str, text: &str| {
        format!(
            r#"{{"id":"{id}","timestamp":"2026-11-20T10:00:01.000Z","type":"{kind}","content":"{text}","tokens":{{"input":3,"output":1}}}}"#
        )
    };
    let lines = vec![
        format!(
            r#"{{"sessionId":"{GEMINI}","projectHash":"ab","startTime":"2026-11-20T10:00:00.000Z","kind":"main"}}"#
        ),
        said("m1", "user", "one"),
        said("m2", "gemini", "he"),
        said("m2", "gemini", "hello"),
        said("m3", "user", "wrong"),
        r#"{"$rewindTo":"m3"}"#.to_owned(),
        said("m4", "user", "two"),
        said("m2", "gemini", "hello again"),
    ];
    Sample {
        file: "home/.gemini/tmp/shop/chats/session-2026-11-20T10-00-6f000003.jsonl",
        key: ("gemini", GEMINI),
        lines,
    }
}

fn samples() -> [Sample; 3] {
    [claude(), codex(), gemini()]
}

/// What is known of a session: its messages, its exceptions, its counts, its tokens.
#[derive(Debug, PartialEq)]
pub(crate) struct Known {
    messages: Vec<Message>,
    exceptions: Vec<Exception>,
    count: u64,
    pub(crate) input_tokens: u64,
}

pub(crate) fn known(store: &dyn Store, key: &SessionKey) -> Known {
    let summary = store.summary(key).unwrap();
    let mut exceptions = store.exceptions(key, 0, u64::MAX).unwrap();
    exceptions.sort_by_key(|exception| (exception.kind, exception.first));
    let mut shown = Vec::new();
    let mut input_tokens = 0;
    for one in store.view(key, ScanQuery::default()) {
        let one = one.unwrap();
        let of = one.messages.iter().chain(&one.about);
        input_tokens += of
            .filter_map(|message| message.usage)
            .map(|usage| usage.input_tokens)
            .sum::<u64>();
        shown.extend(one.messages);
    }
    assert_eq!(shown.len() as u64, summary.message_count);
    let messages = store.load(key).unwrap().messages;
    assert_eq!(messages, shown, "a load and the view");
    let streamed = store.messages(key, ..).map(|one| one.unwrap().message);
    assert!(
        streamed.eq(messages.iter().cloned()),
        "the messages, streamed"
    );
    Known {
        messages,
        exceptions,
        count: summary.message_count,
        input_tokens,
    }
}

pub(crate) fn imported(store: &RedbStore, home: &Home) {
    let folder = [home.path().join("home")];
    let report = import(store, &folder, &ImportOptions::default(), &mut unwatched).unwrap();
    assert!(report.problems.is_empty(), "{report:?}");
}

pub(crate) fn open(home: &Home) -> RedbStore {
    fs::create_dir_all(home.path().join("store")).unwrap();
    RedbStore::open(home.store_path(), Options::default()).unwrap()
}

#[test]
fn a_session_is_the_same_however_its_lines_come() {
    for sample in samples() {
        however_it_comes(&sample);
    }
}

/// What is known of a session, the same whether its file comes whole, line by line, or its lines are
/// appended.
pub(crate) fn however_it_comes(sample: &Sample) -> Known {
    let key = SessionKey::new(sample.key.0, sample.key.1).unwrap();
    let (whole, grown) = (Home::new(), Home::new());
    whole.write(sample.file, sample.lines.join("\n") + "\n");
    let store = open(&whole);
    imported(&store, &whole);
    let expected = known(&store, &key);
    let growing = open(&grown);
    let memory = MemoryStore::default();
    let mut content = String::new();
    for line in &sample.lines {
        content += line;
        content.push('\n');
        grown.write(sample.file, &content);
        imported(&growing, &grown);
        let line = [NewRecord::line(line.clone())];
        memory.append(&key, Expect::Any, None, &line).unwrap();
    }
    assert_eq!(known(&growing, &key), expected, "line by line");
    assert_eq!(known(&memory, &key), expected, "in memory");
    for store in [&store, &growing] {
        let report = store.verify(&mut unwatched).unwrap();
        assert!(report.is_clean(), "{report:?}");
    }
    expected
}

/// The texts of messages, with a minus before those that were taken back.
pub(crate) fn told(known: &Known) -> Vec<String> {
    let text = |message: &Message| {
        let text = match message.plain_text() {
            text if text.is_empty() => message.tool_text(),
            text => text,
        };
        let sign = if message.live { "" } else { "-" };
        let injected = if message.injected { "*" } else { "" };
        let agent = message.agent_id.as_deref().unwrap_or_default();
        format!("{sign}{injected}{agent}{text}")
    };
    known.messages.iter().map(text).collect()
}

#[test]
fn each_agents_session_says_what_was_said() {
    let expected: [(&[&str], u64); 3] = [
        (
            &[
                "read two pages",
                "Read\n{}",
                "Read\n{}",
                "a1sub",
                "page",
                "page",
                "hurry",
                "done",
                "-wrong way",
                "-done",
                "right way",
                "done",
            ],
            41,
        ),
        (
            &[
                "*<environment_context>x</environment_context>",
                "one",
                "-wrong",
                "two",
            ],
            35,
        ),
        (&["one", "hello again", "-wrong", "two"], 12),
    ];
    for (sample, (texts, input_tokens)) in samples().into_iter().zip(expected) {
        let home = Home::new();
        home.write(sample.file, sample.lines.join("\n") + "\n");
        let store = open(&home);
        imported(&store, &home);
        let key = SessionKey::new(sample.key.0, sample.key.1).unwrap();
        let known = known(&store, &key);
        assert_eq!(told(&known), texts);
        assert_eq!(known.input_tokens, input_tokens);
    }
}

#[test]
fn a_fork_counts_what_it_used_itself_whichever_comes_first() {
    let parent = codex();
    let child = "019f0002-0000-7000-8000-000000000002";
    let mut lines = parent.lines.clone();
    lines.insert(
        0,
        format!(
            r#"{{"timestamp":"2026-11-20T11:00:00.000Z","type":"session_meta","payload":{{"id":"{child}","forked_from_id":"{CODEX}","cwd":"/w"}}}}"#
        ),
    );
    lines.push(r#"{"timestamp":"2026-11-20T11:00:01.000Z","type":"event_msg","payload":{"type":"task_started","turn_id":"z"}}"#.to_owned());
    lines.push(r#"{"timestamp":"2026-11-20T11:00:02.000Z","type":"event_msg","payload":{"type":"token_count","info":{"total_token_usage":{"input_tokens":42},"last_token_usage":{"input_tokens":7}}}}"#.to_owned());
    let file = parent.file.replace(CODEX, child);
    let home = Home::new();
    let store = open(&home);
    home.write(&file, lines.join("\n") + "\n");
    imported(&store, &home);
    let key = SessionKey::new("codex", child).unwrap();
    assert_eq!(
        known(&store, &key).input_tokens,
        42,
        "its parent is not there"
    );
    home.write(parent.file, parent.lines.join("\n") + "\n");
    imported(&store, &home);
    assert_eq!(known(&store, &key).input_tokens, 7);
    let parent = SessionKey::new("codex", CODEX).unwrap();
    assert_eq!(known(&store, &parent).input_tokens, 35);
}

#[test]
fn a_compaction_leaves_what_is_right_and_forgets_what_is_gone() {
    let sample = gemini();
    let key = SessionKey::new(sample.key.0, sample.key.1).unwrap();
    let home = Home::new();
    home.write(sample.file, sample.lines.join("\n") + "\n");
    let store = open(&home);
    imported(&store, &home);
    store.truncate(&key, 2).unwrap();
    assert_eq!(store.summary(&key).unwrap().hidden_count, 2);
    let removed = store.compact(&key, None, None).unwrap();
    assert_eq!(removed.messages, 2);
    let report = store.verify_deep(&[], &mut unwatched).unwrap();
    assert!(report.is_clean(), "{report:?}");
    assert_eq!(store.load(&key).unwrap().messages.len(), 2);
    store.delete(&key).unwrap();
    assert!(store.verify(&mut unwatched).unwrap().is_clean());
}

/// A store of each released format, upgraded and read again, knows of each session what it would know if
/// the lines came now.
#[test]
fn an_old_store_that_is_read_again_is_as_if_its_lines_came_now() {
    for format in ["v1", "v2", "v3", "v4"] {
        let folder = tempfile::tempdir().unwrap();
        let copy = folder.path().join("store.redb");
        let fixture = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures");
        fs::copy(fixture.join(format).join("store.redb"), &copy).unwrap();
        let store = RedbStore::open(&copy, Options::default()).unwrap();
        assert_eq!(store.behind_count().unwrap(), 3, "{format}");
        let reread = store.reread_all(&mut unwatched).unwrap();
        assert_eq!((reread.sessions, reread.damaged), (3, 0), "{format}");
        assert_eq!(store.behind_count().unwrap(), 0);
        assert!(store.verify_deep(&[], &mut unwatched).unwrap().is_clean());
        for summary in store.list(&ListQuery::default()).unwrap().sessions {
            let records = store.records(&summary.key, ScanQuery::default());
            let records: Vec<_> = records.map(Result::unwrap).collect();
            let fresh = MemoryStore::default();
            let lines: Vec<NewRecord> = records
                .iter()
                .map(|record| NewRecord::line(record.line.clone()))
                .collect();
            fresh
                .append(&summary.key, Expect::Any, None, &lines)
                .unwrap();
            let now = fresh.records(&summary.key, ScanQuery::default());
            // An append ends a line that lacked its end: flags of the file aside.
            let of = |header: RecordHeader| {
                let RecordHeader {
                    kind,
                    role,
                    messages,
                    time_us,
                    ..
                } = header;
                (kind, role, messages, time_us)
            };
            let headers = now.map(|record| of(record.unwrap().header));
            assert!(
                records.iter().map(|record| of(record.header)).eq(headers),
                "{format} {}",
                summary.key
            );
            let exceptions = |store: &dyn Store| {
                let all = store.exceptions(&summary.key, 0, u64::MAX).unwrap();
                all.into_iter()
                    .filter(|exception| exception.kind != ExceptionKind::Counted)
                    .count()
            };
            assert_eq!(exceptions(&store), exceptions(&fresh));
            let count = fresh.summary(&summary.key).unwrap().message_count;
            assert_eq!(summary.message_count, count, "{format} {}", summary.key);
        }
    }
}

/// What was compacted away by the agent is still there; a line says where.
#[test]
fn compactions_are_told_by_the_lines_that_say_so_and_by_no_talk_of_them() {
    let quoted = r#"{"type":"user","uuid":"q","message":{"role":"user","content":"\"subtype\":\"compact_boundary\" \"type\":\"compacted\""},"sessionId":"s"}"#;
    for (agent, lines, expected) in [
        (
            "claude-code",
            vec![
                quoted,
                r#"{"type":"system","subtype":"compact_boundary","content":"Conversation compacted","uuid":"c","sessionId":"s"}"#,
                r#"{"type":"system","subtype":"turn_duration","uuid":"d","sessionId":"s"}"#,
            ],
            vec![false, true, false],
        ),
        (
            "codex",
            vec![
                r#"{"type":"compacted","payload":{"message":""}}"#,
                r#"{"type":"turn_context","payload":{}}"#,
            ],
            vec![true, false],
        ),
        (
            "gemini",
            vec![r#"{"type":"compacted","id":"x"}"#],
            vec![false],
        ),
    ] {
        let store = MemoryStore::default();
        let key = SessionKey::new(agent, "s").unwrap();
        let records: Vec<NewRecord> = lines.into_iter().map(NewRecord::line).collect();
        store.append(&key, Expect::Any, None, &records).unwrap();
        let view = store.view(&key, ScanQuery::default());
        let told: Vec<bool> = view.map(|shown| shown.unwrap().compacted).collect();
        assert_eq!(told, expected, "{agent}");
    }
}
