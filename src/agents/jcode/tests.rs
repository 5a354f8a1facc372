//! jcode's lines, files and index, in both directions.

use chrono::DateTime;

use super::*;
use crate::model::message::Block;
use crate::model::properties::Properties;
use crate::model::record::RecordFlags;
use crate::model::session::Summary;

const UUID: &str = "7f9c2ba4-e88f-4b1c-9d3e-0c4a6b1d2e3f";
const HEADER: &str = r#"{"type":"session_start","uuid":"7f9c2ba4-e88f-4b1c-9d3e-0c4a6b1d2e3f","project":"/home/dev/shop","provider":"zhipu","model":"glm-5.2","timestamp":"2026-04-03T11:15:00+02:00"}"#;
const TIME: &str = "2026-04-03T11:15:00Z";

fn key(id: &str) -> SessionKey {
    SessionKey::new(AGENT, id).unwrap()
}

fn only(line: &str) -> Message {
    let mut messages = Jcode.messages(line.as_bytes());
    assert_eq!(messages.len(), 1, "{line}");
    messages.remove(0)
}

/// The lines of a message at a fixed time, and the messages that they hold.
fn written(mut message: Message) -> (Vec<String>, Vec<Message>) {
    message.time = Some(TIME.parse().unwrap());
    let lines = Jcode.write_message(&key(UUID), &message).unwrap();
    let read = lines.iter().flat_map(|line| Jcode.messages(line)).collect();
    let text = |line: Vec<u8>| String::from_utf8(line).unwrap();
    (lines.into_iter().map(text).collect(), read)
}

#[test]
fn the_header_tells_of_the_session() {
    let described = Jcode.describe(HEADER.as_bytes());
    assert_eq!(described.header.kind, RecordKind::Meta);
    assert_eq!(described.facts.project.as_deref(), Some("/home/dev/shop"));
    assert_eq!(described.facts.model.as_deref(), Some("glm-5.2"));
    assert_eq!(described.facts.created_us, Some(1_775_207_700_000_000));
    assert_eq!(described.facts.parent, None);
    let teammate = HEADER.replace(UUID, "lead/bob");
    let described = Jcode.describe(teammate.as_bytes());
    assert_eq!(described.facts.parent.as_deref(), Some("lead"));
}

#[test]
fn kinds_of_records_are_told_apart() {
    for (line, kind) in [
        (r#"{"type":"user"}"#, RecordKind::Message),
        (r#"{"type":"assistant","content":""}"#, RecordKind::Message),
        (r#"{"type":"tool_call","name":"x"}"#, RecordKind::Message),
        (r#"{"type":"tool_result"}"#, RecordKind::Message),
        (r#"{"type":"compact","summary":"S"}"#, RecordKind::Event),
        (
            r#"{"type":"system_prompt","content":"p"}"#,
            RecordKind::Event,
        ),
        (r#"{"type":"budget_warning","left":1}"#, RecordKind::Event),
        (r#"{"type":"artifact","revision":2}"#, RecordKind::Event),
        (r#"{"type":"brand_new","x":1}"#, RecordKind::Unknown),
        (r#"{"x":1}"#, RecordKind::Unknown),
    ] {
        let described = Jcode.describe(line.as_bytes());
        assert_eq!(described.header.kind, kind, "{line}");
        let messages = Jcode.messages(line.as_bytes()).len();
        assert_eq!(described.header.messages as usize, messages, "{line}");
    }
}

#[test]
fn title_from_first_user_message() {
    let title = |content: &str| {
        let line = format!(r#"{{"type":"user","content":{content}}}"#);
        let described = Jcode.describe(line.as_bytes());
        described.facts.title.unwrap().text.into_owned()
    };
    assert_eq!(title(r#"" Fix it \nnow""#), "Fix it");
    assert_eq!(title(r#""Fix it\rnow""#), "Fix it");
    assert_eq!(title(r#""\n\nthe first line is empty""#), "New session");
    assert_eq!(title("42"), "New session");
    assert_eq!(title(&format!("\"{}\"", "é".repeat(80))), "é".repeat(80));
    let long = title(&format!("\"{}\"", "資".repeat(81)));
    assert_eq!(long, "資".repeat(80) + "…");
}

#[test]
fn messages_are_read_with_all_their_fields() {
    let user = only(
        r#"{"type":"user","content":"look","images":[{"media_type":"image/png","data":"AA=="}],"new":1,"timestamp":"2026-04-03T11:15:00Z"}"#,
    );
    assert_eq!(user.plain_text(), "look");
    assert!(
        matches!(&user.content[1], Block::Image { media_type: Some(kind), data: Some(data), .. } if kind == "image/png" && data == "AA==")
    );
    assert_eq!(user.extra[0].0, "new");
    assert_eq!(user.time, Some(TIME.parse().unwrap()));
    assert_eq!(user.id, None);

    let call = only(
        r#"{"type":"tool_call","name":"read","args":"{\n\"b\":1.0,\"a\":1e400}","tool_call_id":"t1"}"#,
    );
    assert_eq!(call.role, Role::Assistant);
    let input = Some(RawJson::parse("{ \"b\":1.0,\"a\":1e400}").unwrap());
    let id = Some("t1".to_owned());
    let name = "read".to_owned();
    assert_eq!(call.content, [Block::ToolUse { id, name, input }]);
    let odd = only(r#"{"type":"tool_call","name":"read","args":"{\"target\":"}"#);
    assert!(
        matches!(&odd.content[0], Block::ToolUse { id: None, input: Some(json), .. } if json.as_str() == r#""{\"target\":""#)
    );
}

#[test]
fn hazard_5_6_4_the_error_of_a_tool_is_part_of_its_message() {
    let both = r#"{"type":"tool_result","name":"read","output":"half","error":"broke","tool_call_id":"t","timestamp":"2026-04-03T11:15:00Z"}"#;
    for (line, expected) in [
        (both.to_owned(), "half\nbroke"),
        (both.replace(r#""output":"half","#, ""), "broke"),
    ] {
        let message = only(&line);
        assert!(
            matches!(&message.content[0], Block::ToolResult { output, is_error: true, .. } if output == expected)
        );
        let again = Jcode.write_message(&key(UUID), &message).unwrap();
        assert_eq!(String::from_utf8(again.concat()).unwrap(), line + "\n");
    }
}

#[test]
fn a_message_is_written_as_one_line_a_block() {
    let mut message = Message::text(Role::Assistant, "a <b> & c\u{2028}");
    for (id, input) in [("t1", Some("{\"path\": \"<x>\"}")), ("t2", None)] {
        message.content.push(Block::ToolUse {
            id: Some(id.to_owned()),
            name: "read".to_owned(),
            input: input.map(|json| RawJson::parse(json).unwrap()),
        });
    }
    let (lines, read) = written(message);
    assert_eq!(
        lines,
        [
            "{\"type\":\"assistant\",\"content\":\"a \\u003cb\\u003e \\u0026 c\\u2028\",\"timestamp\":\"2026-04-03T11:15:00Z\"}\n",
            "{\"type\":\"tool_call\",\"name\":\"read\",\"args\":\"{\\\"path\\\": \\\"\\u003cx\\u003e\\\"}\",\"tool_call_id\":\"t1\",\"timestamp\":\"2026-04-03T11:15:00Z\"}\n",
            "{\"type\":\"tool_call\",\"name\":\"read\",\"tool_call_id\":\"t2\",\"timestamp\":\"2026-04-03T11:15:00Z\"}\n",
        ]
    );
    assert_eq!(read.len(), 3);

    let mut user = Message::text(Role::User, "look");
    user.content.push(Block::Image {
        media_type: Some("image/png".into()),
        data: Some("AA==".into()),
        url: None,
    });
    let (lines, mut read) = written(user.clone());
    assert_eq!(
        lines,
        [
            "{\"type\":\"user\",\"content\":\"look\",\"timestamp\":\"2026-04-03T11:15:00Z\",\"images\":[{\"media_type\":\"image/png\",\"data\":\"AA==\"}]}\n"
        ]
    );
    read[0].time = None;
    assert_eq!(read[0], user);
}

#[test]
fn arguments_that_are_no_json_come_back_as_they_were() {
    for args in [r#"{\"target\":"#, r#"{\"a\":1}"#, "plain text", "12", ""] {
        let field = if args.is_empty() {
            String::new()
        } else {
            format!(r#""args":"{args}","#)
        };
        let line =
            format!(r#"{{"type":"tool_call","name":"x",{field}"timestamp":"{TIME}"}}"#) + "\n";
        assert_eq!(written(only(&line)).0, [line]);
    }
}

#[test]
fn what_the_format_has_no_place_for_is_refused() {
    let thinking = Block::Thinking {
        text: "hm".into(),
        signature: None,
    };
    let mut thoughts = Message::text(Role::Assistant, "a");
    thoughts.content.push(thinking);
    for message in [
        thoughts,
        Message::text(Role::System, "s"),
        Message::new(Role::Tool),
    ] {
        let refused = Jcode.write_message(&key(UUID), &message);
        assert!(
            matches!(refused, Err(crate::model::error::Error::Unsupported { .. })),
            "{message:?}"
        );
    }
}

#[test]
fn the_header_is_written_once_and_read_back() {
    let mut session = Session::new(key(UUID));
    session.project = Some("/home/dev/shop".into());
    session.model = Some("glm-5.2".into());
    session.created_at = Some("2026-04-03T09:15:00.7Z".parse().unwrap());
    session.extra = vec![("provider".into(), RawJson::parse("\"zhipu\"").unwrap())];
    assert_eq!(Jcode.write_meta(&session, false).unwrap(), None);
    let line = Jcode.write_meta(&session, true).unwrap().unwrap();
    let expected = HEADER.replace("11:15:00+02:00", "09:15:00Z") + "\n";
    assert_eq!(String::from_utf8(line.clone()).unwrap(), expected);
    let mut read = Session::new(key(UUID));
    read.created_at = session.created_at;
    Jcode.read_meta(&line, &mut read);
    assert_eq!(read, session);
}

#[test]
fn an_entry_keeps_fields_that_it_does_not_know() {
    for line in [
        r#"{"type":"tool_call","name":"read","args":"{}","tool_call_id":"n1","timestamp":"2026-04-03T18:30:00+02:00","batch_id":"b-1","batch_size":2}"#,
        r#"{"type":"todo_snapshot","timestamp":"t","todos":[{"id":1,"title":"a","status":"done"}]}"#,
        r#"{"type":"todo_snapshot","timestamp":"t","todos":[1]}"#,
        r#"{"type":"compact","timestamp":"t","summary":"S","compacted_n":4,"kept_n":1.5}"#,
        r#"{"type":"goal_update","timestamp":"t","goal_objective":"ship","goal_status":"active","goal_tokens_used":10}"#,
        r#"{"type":"subagent_async","output":"task-1","timestamp":"t","subagent_name":"s","subagent_type":"explore"}"#,
        r#"{"type":"subagent_result","output":"o","error":"e","timestamp":"t","subagent_name":"s"}"#,
        r#"{"type":"plan_update","timestamp":"t","plan_status":"draft","plan_title":"T","plan_content":"C","feedback":"F"}"#,
        r#"{"type":"system_prompt","content":"p","timestamp":"t","env_info":"os=linux"}"#,
        r#"{"type":"brand_new","timestamp":"t","numbers":[1e400,1.0],"content":"c"}"#,
        HEADER,
    ] {
        let entries = Entry::read_line(line.as_bytes());
        assert_eq!(entries.len(), 1);
        assert_eq!(
            String::from_utf8(entries[0].line()).unwrap(),
            format!("{line}\n")
        );
    }
}

#[test]
fn hazard_5_6_11_a_fused_line_gives_its_whole_record() {
    let line = br#"{"type":"assistant","content":"cut{"type":"user","content":"after resume","timestamp":"2026-04-03T16:30:00+02:00"}"#;
    let described = Jcode.describe(line);
    assert_eq!(described.header.messages, 1);
    assert!(described.header.flags.contains(RecordFlags::DAMAGED));
    let entries = Entry::read_line(line);
    assert_eq!(entries.len(), 1);
    assert!(
        matches!(&entries[0].kind, EntryKind::User { content, .. } if content == "after resume")
    );
    assert!(Entry::read_line(br#"{"type":"user","content":"cut"#).is_empty());
    assert!(Entry::read_line(b"\n").is_empty());
    assert_eq!(
        Entry::read_line(b"{\"type\":\"user\",\"content\":\"\xff\"}")[0]
            .kind
            .name(),
        "user"
    );
}

fn recognised(path: &str, head: &str) -> (Recognition, String) {
    let candidate = Candidate::new(Path::new(path), head.as_bytes());
    (Jcode.recognise(&candidate), Jcode.session_id(&candidate))
}

#[test]
fn its_places() {
    let (own, lines, no) = (
        Recognition::PathAndLines,
        Recognition::Lines,
        Recognition::No,
    );
    for (path, head, expected, id) in [
        (
            "/h/.jcode/sessions/7f9c2ba4-e88f-4b1c-9d3e-0c4a6b1d2e3f.json",
            "",
            own,
            UUID,
        ),
        (
            "/h/.jcoding/sessions/7f9c2ba4-e88f-4b1c-9d3e-0c4a6b1d2e3f.json",
            "{bad",
            own,
            UUID,
        ),
        ("/h/.jcode/sessions/my chat.json", HEADER, own, "my chat"),
        ("/h/.jcode/sessions/my chat.json", "{}", no, "my chat"),
        ("/h/.jcode/sessions/session.json", HEADER, no, "session"),
        ("/h/.jcode/sessions/projects.json", "{}", no, "projects"),
        (
            "/h/.jcode/sessions/overflow/x/7f9c2ba4-e88f-4b1c-9d3e-0c4a6b1d2e3f.json",
            HEADER,
            no,
            UUID,
        ),
        (
            "/h/.jcode/sessions/lead/subagents/agent-bob.jsonl",
            "",
            own,
            "lead/bob",
        ),
        ("/copy/lead/subagents/agent-bob.jsonl", "{}", no, "lead/bob"),
        ("/copy/backup.json", HEADER, lines, UUID),
        ("/copy/backup.jsonl", HEADER, lines, UUID),
        (
            "/copy/package.json",
            r#"{"type":"module","uuid":"a"}"#,
            no,
            "package",
        ),
        ("/copy/session.json", HEADER, no, UUID),
    ] {
        assert_eq!(recognised(path, head), (expected, id.to_owned()), "{path}");
    }
}

#[test]
fn its_sidecars() {
    let session = |id: &str| Some(Sidecar::Session(id.to_owned()));
    let at = |path: &str| Jcode.sidecar(&Path::new("/h/.jcode/sessions").join(path));
    assert_eq!(at("session.json"), Some(Sidecar::Folder));
    assert_eq!(at("session.json.tmp"), Some(Sidecar::Folder));
    assert_eq!(at("projects.json"), Some(Sidecar::Folder));
    assert_eq!(at("notes.txt"), None);
    assert_eq!(at(&format!("{UUID}/cache/big.db")), None);
    assert_eq!(at(&format!("overflow/{UUID}/call_7.txt")), session(UUID));
    assert_eq!(at(&format!("{UUID}.json.tmp")), session(UUID));
    let teammate = format!("{UUID}/subagents/agent-bob.jsonl.tmp");
    assert_eq!(at(&teammate), session(&format!("{UUID}/bob")));
    assert_eq!(at("auth.json"), None);
    let elsewhere = |path: &str| Jcode.sidecar(Path::new(path));
    assert_eq!(
        elsewhere("/copy/jcode/sessions/session.json"),
        Some(Sidecar::Folder)
    );
    assert_eq!(elsewhere("/copy/jcode/sessions/notes.txt"), None);
    assert_eq!(elsewhere("/copy/session.json"), None);
}

fn state(id: &str, title: &str) -> SessionState {
    let summary = Summary {
        project: Some("/home/dev/shop".into()),
        title: title.into(),
        model: Some("glm-5.2".into()),
        ..Summary::new(key(id), 1, DateTime::default())
    };
    SessionState {
        path: Jcode
            .file_name(&SessionState {
                summary: summary.clone(),
                properties: Properties::default(),
                lines: 0,
                skip: 0,
                first_line: Vec::new(),
                path: Vec::new(),
            })
            .unwrap(),
        summary,
        properties: Properties::default(),
        lines: 1,
        skip: 0,
        first_line: HEADER.as_bytes().to_vec(),
    }
}

#[test]
fn hazard_5_6_8_no_id_is_written_to_the_index() {
    assert_eq!(state("a", "").path, ["a.json"]);
    assert_eq!(
        state("lead/bob", "").path,
        ["lead", "subagents", "agent-bob.jsonl"]
    );
    for id in ["session", "projects", "Session"] {
        assert_eq!(state(id, "").path, [format!("{id}~.json")]);
    }
}

const INDEX: &str = r#"{
  "sessions": {
    "/a": [
      {
        "uuid": "one",
        "project": "/a",
        "start_time": "2026-04-03T15:15:00+02:00",
        "title": "first",
        "pinned": true
      },
      {"uuid": "one", "title": "twice"},
      {"uuid":"two",  "project":"/a"}
    ],
    "/z": null
  },
  "version": 3
}"#;

#[test]
fn the_index_tells_titles_projects_and_times() {
    let path = Path::new("/h/.jcode/sessions/session.json");
    let facts = Jcode.sidecar_facts(path, INDEX.as_bytes());
    let one = SidecarFacts {
        id: "one".into(),
        title: Some("first".into()),
        project: Some("/a".into()),
        created_us: Some(1_775_222_100_000_000),
        ..SidecarFacts::default()
    };
    assert_eq!(facts[0], one);
    assert_eq!(facts.len(), 2, "the first of two rows holds");
    assert_eq!(facts[1].title, None);
    for corrupt in ["", "{\"sessions\": {{", "[]", "{\"sessions\":{\"/a\":7}}"] {
        assert_eq!(
            Jcode.sidecar_facts(path, corrupt.as_bytes()),
            [],
            "{corrupt}"
        );
    }
    let other = Path::new("/h/.jcode/sessions/projects.json");
    assert_eq!(Jcode.sidecar_facts(other, INDEX.as_bytes()), []);
}

fn index(original: Option<&str>, changed: &[SessionState]) -> Option<String> {
    let (name, bytes) = Jcode.write_index(original.map(str::as_bytes), changed)?;
    assert_eq!(name, "session.json");
    Some(String::from_utf8(bytes).unwrap())
}

#[test]
fn rows_are_added_and_other_rows_stay_byte_for_byte() {
    let row = format!(
        "\n      {{\n        \"uuid\": \"{UUID}\",\n        \"project\": \"/home/dev/shop\",\n        \
         \"provider\": \"zhipu\",\n        \"model\": \"glm-5.2\",\n        \
         \"start_time\": \"2026-04-03T11:15:00+02:00\",\n        \"title\": \"T \\u003c3\"\n      }}\n    ]"
    );
    let new = state(UUID, "T <3");
    let made = format!("{{\n  \"sessions\": {{\n    \"/home/dev/shop\": [{row}\n  }}\n}}");
    assert_eq!(index(None, std::slice::from_ref(&new)), Some(made));
    let added = format!("],\n    \"/home/dev/shop\": [{row},\n    \"/z\"");
    let expected = INDEX.replace("],\n    \"/z\"", &added);
    assert_eq!(
        index(Some(INDEX), std::slice::from_ref(&new)),
        Some(expected.clone())
    );
    // Written again, nothing changes, and a teammate never has a row.
    assert_eq!(
        index(Some(&expected), &[new, state("lead/bob", "b")]),
        Some(expected)
    );
    assert_eq!(index(Some(INDEX), &[]), Some(INDEX.to_owned()));
    assert_eq!(index(None, &[]), None);
}

#[test]
fn a_row_keeps_its_title_unless_one_is_given() {
    assert_eq!(
        index(Some(INDEX), &[state("one", "other")]),
        Some(INDEX.to_owned())
    );
    let mut renamed = state("one", "given");
    renamed.properties.title = Some("given".into());
    let expected = INDEX
        .replace("\n        \"title\": \"first\",", "")
        .replace(
            "\"pinned\": true",
            "\"pinned\": true,\n        \"title\": \"given\"",
        );
    assert_eq!(index(Some(INDEX), &[renamed]), Some(expected));
}

#[test]
fn hazard_5_6_3_a_corrupt_index_is_not_replaced() {
    assert_eq!(index(Some("{\"sessions\": {{"), &[state(UUID, "T")]), None);
}
