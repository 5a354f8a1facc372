//! celeste's entries, and what its sample home expects of a reader.

use super::*;
use crate::model::record::RecordFlags;

const CALL: &str = r#"{"type":"tool_call","content":"{\"cmd\":\"ss -ltn\"}","tool_name":"bash","tool_id":"call_1","timestamp":"2026-04-03T11:30:02+02:00"}"#;

fn entry(kind: &str, content: &str) -> String {
    let content = serde_json::to_string(content).unwrap();
    format!(
        r#"{{"type":"{kind}","content":{content},"timestamp":"2026-04-03T11:30:00.120345678+02:00"}}"#
    )
}

fn title_of(content: &str) -> Option<String> {
    let line = entry("user", content);
    let title = Celeste.describe(line.as_bytes()).facts.title;
    title.map(|title| title.text.into_owned())
}

/// The only message of a line.
fn message_of(line: &[u8]) -> Message {
    let mut messages = Celeste.messages(line);
    assert_eq!(messages.len(), 1, "{}", String::from_utf8_lossy(line));
    messages.remove(0)
}

fn key() -> SessionKey {
    SessionKey::new(AGENT, "1").unwrap()
}

fn written(message: &Message) -> Vec<String> {
    let lines = Celeste.write_message(&key(), message).unwrap();
    lines
        .into_iter()
        .map(|line| String::from_utf8(line).unwrap())
        .collect()
}

#[test]
fn entries_have_roles_and_times() {
    for (kind, role) in [
        ("user", Role::User),
        ("assistant", Role::Assistant),
        ("system", Role::System),
        ("tool_call", Role::Assistant),
        ("tool_result", Role::Tool),
    ] {
        let line = entry(kind, "x");
        let header = Celeste.describe(line.as_bytes()).header;
        assert_eq!(header.kind, RecordKind::Message, "{kind}");
        assert_eq!(header.role, Some(role));
        assert_eq!(header.time_us, Some(1_775_208_600_120_345));
        assert_eq!(message_of(line.as_bytes()).role, role);
    }
}

#[test]
fn ephemeral_types_dropped_on_write_only_are_read_if_they_are_there() {
    for kind in EPHEMERAL {
        let header = Celeste.describe(entry(kind, "50%").as_bytes()).header;
        assert_eq!((header.kind, header.messages), (RecordKind::Event, 0));
    }
    let header = Celeste.describe(entry("mood", "good").as_bytes()).header;
    assert_eq!((header.kind, header.messages), (RecordKind::Unknown, 0));
    assert_eq!(
        Celeste.describe(b"{}").header.kind,
        RecordKind::Unknown,
        "celeste counts it as an entry"
    );
}

#[test]
fn calls_and_results_are_tied_by_their_id() {
    let input = RawJson::parse(r#"{"cmd":"ss -ltn"}"#).unwrap();
    let call = Block::ToolUse {
        id: Some("call_1".into()),
        name: "bash".into(),
        input: Some(input),
    };
    assert_eq!(message_of(CALL.as_bytes()).content, [call]);
    let result = r#"{"type":"tool_result","content":"8080 <LISTEN>","tool_name":"bash","tool_id":"call_1","timestamp":"2026-04-03T11:30:02+02:00"}"#;
    let answer = Block::ToolResult {
        id: Some("call_1".into()),
        name: Some("bash".into()),
        output: "8080 <LISTEN>".into(),
        is_error: false,
        images: Vec::new(),
    };
    assert_eq!(message_of(result.as_bytes()).content, [answer]);
}

#[test]
fn arguments_that_are_not_json_are_a_string() {
    let input = |content: &str| {
        let line = entry("tool_call", content);
        match message_of(line.as_bytes()).content.remove(0) {
            Block::ToolUse { input, .. } => input.map(|input| input.as_str().to_owned()),
            block => panic!("{block:?}"),
        }
    };
    assert_eq!(input(r#"{"a":1.0}"#).as_deref(), Some(r#"{"a":1.0}"#));
    assert_eq!(input("{\n  \"a\": 1\n}").unwrap(), "{   \"a\": 1 }");
    assert_eq!(input("ls -l").as_deref(), Some(r#""ls -l""#));
    assert_eq!(input("two\nlines").as_deref(), Some(r#""two\nlines""#));
    assert_eq!(input(""), None);
}

#[test]
fn hazard_2_5_3_a_title_is_never_cut_inside_a_character() {
    let wide = "a請幫我檢查這個專案的資料庫連線設定是否正確並且說明為什麼會逾時失敗";
    assert_eq!(
        title_of(wide).unwrap(),
        "a請幫我檢查這個專案的資料庫連線設定是否..."
    );
    let long = "please explain why the checkout page takes eleven seconds to load when the cart";
    assert_eq!(
        title_of(long).unwrap(),
        "please explain why the checkout page takes eleven seconds..."
    );
    let sixty = "x".repeat(60);
    assert_eq!(title_of(&sixty).unwrap(), sixty);
    assert_eq!(title_of(&format!("{sixty}y")).unwrap(), sixty + "...");
    assert_eq!(
        title_of(" \n first\nsecond \n").as_deref(),
        Some("first second")
    );
    assert_eq!(title_of(" \n\t"), None);
    let said = entry("assistant", "not a title");
    assert_eq!(Celeste.describe(said.as_bytes()).facts.title, None);
}

#[test]
fn sample_files_have_the_entries_and_bad_lines_that_are_expected() {
    let good_and_bad = |lines: &[&[u8]]| {
        let headers: Vec<_> = lines
            .iter()
            .map(|line| Celeste.describe(line).header)
            .collect();
        let bad = headers
            .iter()
            .filter(|header| header.flags.contains(RecordFlags::DAMAGED));
        let messages: u32 = headers.iter().map(|header| header.messages).sum();
        (messages, bad.count())
    };
    let (one, two) = (entry("user", "one"), entry("assistant", "two"));
    let fused = format!(r#"{{"type":"assistant","content":"half a li{two}"#);
    let crlf = format!("{one}\r\n");
    let cut = br#"{"type":"assistant","content":"this was cut by a cra"#;
    assert_eq!(
        good_and_bad(&[
            one.as_bytes(),
            b"{not json at all",
            two.as_bytes(),
            b"]]",
            crlf.as_bytes()
        ]),
        (3, 2)
    );
    assert_eq!(good_and_bad(&[one.as_bytes(), cut]), (1, 1));
    assert_eq!(good_and_bad(&[one.as_bytes(), fused.as_bytes()]), (2, 1));
    let lone =
        br#"{"type":"user","content":"lone \ud83d surrogate","timestamp":"2026-04-03T09:00:00Z"}"#;
    let raw = b"{\"type\":\"assistant\",\"content\":\"raw \xff bytes\",\"timestamp\":\"2026-04-03T09:00:01Z\"}";
    assert_eq!(good_and_bad(&[lone, raw]), (2, 0));
    assert_eq!(
        message_of(lone).plain_text(),
        "lone \u{fffd} surrogate",
        "as Go reads it"
    );
}

#[test]
fn append_one_message_writes_the_entry_that_celeste_writes() {
    let time = "2026-04-03T11:30:00.120345678+02:00".parse().unwrap();
    let message = Message {
        time: Some(time),
        ..Message::text(Role::User, "a <b> & \u{2028}\n")
    };
    assert_eq!(
        written(&message),
        ["{\"type\":\"user\",\"content\":\"a <b> & \\u2028\\n\",\
             \"timestamp\":\"2026-04-03T09:30:00.120345678Z\"}\n"]
    );
    let silent = written(&Message::new(Role::Assistant));
    assert_eq!(
        silent,
        ["{\"type\":\"assistant\",\"content\":\"\",\"timestamp\":\"0001-01-01T00:00:00Z\"}\n"]
    );
}

#[test]
fn full_message_with_tool_calls_becomes_an_entry_for_each_block() {
    let mut message = message_of(CALL.as_bytes());
    message.content.insert(
        0,
        Block::Text {
            text: "Looking.".into(),
        },
    );
    message.content.push(Block::ToolUse {
        id: None,
        name: "date".into(),
        input: None,
    });
    let lines = written(&message);
    assert_eq!(lines.len(), 3);
    assert_eq!(
        lines[1],
        CALL.replace("11:30:02+02:00", "09:30:02Z") + "\n",
        "the line of the sample, in UTC"
    );
    assert_eq!(
        lines[2],
        "{\"type\":\"tool_call\",\"content\":\"\",\"tool_name\":\"date\",\
         \"timestamp\":\"2026-04-03T09:30:02Z\"}\n"
    );
}

#[test]
fn what_is_written_is_read_again() {
    let calls = [
        r#"{"a":1e400}"#,
        r#""ls -l""#,
        r#""{\"a\":1}""#,
        r#""""#,
        "null",
    ]
    .map(|input| Block::ToolUse {
        id: Some("t".into()),
        name: "n".into(),
        input: Some(RawJson::parse(input).unwrap()),
    });
    let failed = Block::ToolResult {
        id: Some("t".into()),
        name: Some("n".into()),
        output: "no".into(),
        is_error: true,
        images: Vec::new(),
    };
    for block in calls.into_iter().chain([failed]) {
        let role = match block {
            Block::ToolUse { .. } => Role::Assistant,
            _ => Role::Tool,
        };
        let message = Message {
            content: vec![block],
            time: Some("2026-04-03T09:30:02Z".parse().unwrap()),
            ..Message::new(role)
        };
        assert_eq!(message_of(written(&message)[0].as_bytes()), message);
    }
}

#[test]
fn what_the_format_cannot_hold_is_refused_and_not_dropped() {
    let image = Block::Image {
        media_type: None,
        data: None,
        url: None,
    };
    let thought = Block::Thinking {
        text: "hm".into(),
        signature: None,
    };
    for (role, content) in [
        (Role::User, vec![image.clone()]),
        (Role::Assistant, vec![thought]),
        (Role::Other, Vec::new()),
        (
            Role::Tool,
            vec![Block::ToolResult {
                id: None,
                name: None,
                output: String::new(),
                is_error: false,
                images: vec![image],
            }],
        ),
    ] {
        let message = Message {
            content,
            ..Message::new(role)
        };
        let refused = Celeste.write_message(&key(), &message).unwrap_err();
        assert!(
            matches!(refused, crate::model::error::Error::Unsupported { .. }),
            "{refused}"
        );
    }
}

#[test]
fn its_places_and_sidecars() {
    let found = |path: &str, head: &str| {
        let candidate = Candidate::new(Path::new(path), head.as_bytes());
        (Celeste.recognise(&candidate), Celeste.project(&candidate))
    };
    let project = Some("8f09a69e9fed88db".to_owned());
    let own = "/h/.celeste/sessions/8f09a69e9fed88db/1.jsonl";
    assert_eq!(
        found(own, ""),
        (Recognition::PathAndLines, project.clone()),
        "a session without an entry"
    );
    let copied = "/copy/8f09a69e9fed88db/1.jsonl";
    let line = entry("user", "x");
    assert_eq!(found(copied, &line), (Recognition::Lines, project));
    assert_eq!(found("/x/1.jsonl", CALL), (Recognition::Lines, None));
    for stranger in [
        // jcode's, which starts with another line.
        format!("{{\"type\":\"session_start\",\"uuid\":\"u\"}}\n{line}"),
        r#"{"type":"tool_call","name":"read","args":"{}","timestamp":"2026-04-03T11:15:07Z"}"#
            .to_owned(),
        // Gemini's.
        line.replace("{\"type\"", "{\"id\":\"m1\",\"type\""),
        r#"{"type":"user","content":"x"}"#.to_owned(),
        entry("mood", "good"),
        "{\"cut".to_owned(),
    ] {
        assert_eq!(found("/x/1.jsonl", &stranger).0, Recognition::No);
    }

    let sidecar = |path: &str| Celeste.sidecar(Path::new(path));
    let notes = "/h/.celeste/sessions/e74deef539a68378/notes.txt";
    assert_eq!(sidecar(notes), None);
    let torn = "/h/.celeste/sessions/torn.json";
    assert_eq!(sidecar(torn), Some(Sidecar::Folder));
    assert_eq!(sidecar("/h/.celeste/config.json"), None);
    assert_eq!(sidecar("/h/.celeste/sessions/auth.json"), None);
}

#[test]
fn project_scope_by_hash_of_git_root_is_the_folders_name() {
    assert_eq!(project_id(b"/home/dev/webshop"), "8f09a69e9fed88db");
    assert!(is_project_id("8f09a69e9fed88db"));
    for other in [
        "8F09A69E9FED88DB",
        "8f09a69e9fed88d",
        "8f09a69e9fed88dbb",
        "/home/dev/webshop",
    ] {
        assert!(!is_project_id(other), "{other}");
    }
}

#[test]
fn file_names_keep_to_their_folder() {
    for (id, name) in [
        ("1775208600123456790", "1775208600123456790"),
        ("sess.with dots & space", "sess.with dots & space"),
        ("../../x", "%2E.%2F..%2Fx"),
        ("..", "%2E."),
        ("a\\b\0", "a%5Cb%00"),
    ] {
        assert_eq!(writing::plain_name(id), name);
    }
}

const DOCUMENT: &str = r#"{
  "id": "1774000000000000001",
  "name": "Refactor the parser",
  "created_at": "2026-04-02T20:00:00.000000007+02:00",
  "updated_at": "2026-04-02T20:10:00.000000007+02:00",
  "messages": [
    {"role": "user", "content": "Refactor <it>", "timestamp": "2026-04-02T20:00:00.000000007+02:00"},
    {"role": "assistant", "content": "Done.", "timestamp": "yesterday"},
    {"role": "tool", "content": {"a": 1}}
  ],
  "token_count": 12
}"#;

#[test]
fn import_of_own_legacy_json_makes_entries_of_its_messages() {
    let found = Celeste.document_lines(DOCUMENT.as_bytes()).unwrap();
    let lines: Vec<_> = found
        .lines
        .iter()
        .map(|line| std::str::from_utf8(line).unwrap())
        .collect();
    assert_eq!(
        lines,
        [
            "{\"type\":\"user\",\"content\":\"Refactor <it>\",\
             \"timestamp\":\"2026-04-02T20:00:00.000000007+02:00\"}\n",
            "{\"type\":\"assistant\",\"content\":\"Done.\",\
             \"timestamp\":\"0001-01-01T00:00:00Z\"}\n",
            "{\"type\":\"tool_result\",\"content\":\"{\\\"a\\\": 1}\",\
             \"timestamp\":\"0001-01-01T00:00:00Z\"}\n",
        ]
    );
    assert_eq!(found.trailer, None);
    assert_eq!(Celeste.document_lines(b"{\"id\":\"1\"}"), None);
    assert_eq!(Celeste.document_lines(b"[1"), None);
    assert_eq!(
        Celeste
            .document_lines(b"{\"messages\":null}")
            .unwrap()
            .lines,
        [] as [Vec<u8>; 0]
    );
}

#[test]
fn a_document_is_known_by_its_place_and_tells_of_its_session() {
    let path = Path::new("/h/.celeste/sessions/1774000000000000001.json");
    let facts = Celeste.sidecar_facts(path, DOCUMENT.as_bytes());
    let [facts] = &facts[..] else {
        panic!("{facts:?}")
    };
    assert_eq!(facts.id, "1774000000000000001");
    assert_eq!(facts.title.as_deref(), Some("Refactor the parser"));
    assert_eq!(facts.created_us, Some(1_775_152_800_000_000));
    assert_eq!(facts.updated_us, Some(1_775_153_400_000_000));

    let found = |path: &str, head: &str| {
        let candidate = Candidate::new(Path::new(path), head.as_bytes());
        crate::agents::recognition::recognise_document(&candidate)
            .map(|found| (found.agent, found.id))
    };
    let path = path.to_str().unwrap();
    let expected = Some((AGENT, "1774000000000000001".to_owned()));
    assert_eq!(found(path, DOCUMENT), expected);
    assert_eq!(
        found(path, DOCUMENT.get(..300).unwrap()),
        expected,
        "the head is cut"
    );
    assert_eq!(found("/x/1774000000000000001.json", DOCUMENT), None);
    assert_eq!(found(path, "{\"id\":\"1\"}"), None);
}
