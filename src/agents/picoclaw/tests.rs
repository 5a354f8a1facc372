//! picoclaw's lines, meta files and old documents, and what its sample homes expect of a reader.

use super::*;
use crate::agents;
use crate::model::message::{Block, Role};
use crate::model::properties::Properties;
use crate::model::raw_json::RawJson;
use crate::model::session::Summary;

const META: &str = "{\n  \"key\": \"telegram:1/2\",\n  \"summary\": \"They planned a trip.\",\n  \"skip\": 6,\n  \
                    \"count\": 10,\n  \"created_at\": \"2026-04-03T11:20:00.918273645+02:00\",\n  \
                    \"updated_at\": \"2026-04-03T11:29:00.564738291+02:00\"\n}";

fn key() -> SessionKey {
    SessionKey::new("picoclaw", "telegram:1").unwrap()
}

pub(super) fn read(line: &str) -> Message {
    let messages = Picoclaw.messages(line.as_bytes());
    let [message] = &*messages else {
        panic!("{} messages in {line}", messages.len())
    };
    message.clone()
}

pub(super) fn write(message: &Message) -> Vec<String> {
    let lines = Picoclaw.write_message(&key(), message).unwrap();
    let text = |line: Vec<u8>| String::from_utf8(line).unwrap();
    lines.into_iter().map(text).collect()
}

fn candidate<'a>(path: &'a str, head: &'a str, companion: Option<&'a str>) -> Candidate<'a> {
    Candidate::new(Path::new(path), head.as_bytes()).beside(companion.map(str::as_bytes))
}

pub(super) fn state(skip: u64, lines: u64, properties: Properties) -> SessionState {
    let time = |text: &str| text.parse().unwrap();
    SessionState {
        summary: Summary {
            updated_at: time("2026-04-03T09:29:00.564738Z"),
            message_count: lines,
            hidden_count: skip,
            record_count: lines,
            attachment_count: 1,
            mark: skip,
            next_sequence: lines,
            ..Summary::new(
                SessionKey::new("picoclaw", "telegram:1/2").unwrap(),
                1,
                time("2026-04-03T09:20:00.918273Z"),
            )
        },
        properties,
        lines,
        skip,
        first_line: Vec::new(),
        path: vec!["telegram_1_2.jsonl".into()],
    }
}

#[test]
fn lines_of_the_go_program_are_written_back_as_they_were() {
    for line in [
        r#"{"role":"user","content":"remind me at \u003c9\u003e \u0026 bring R\u0026D \u2028"}"#,
        r#"{"role":"assistant","content":"","tool_calls":[{"id":"call_a","type":"function","function":{"name":"web_search","arguments":"{\"q\": \"oslo\"}"}}]}"#,
        r#"{"role":"tool","content":"4 °C, rain","tool_call_id":"call_a"}"#,
        r#"{"role":"system","content":"sys","system_parts":[{"type":"text","text":"part one","cache_control":{"type":"ephemeral"}},{"type":"text","text":"part two"}]}"#,
        r#"{"role":"user","content":"see pictures","media":["media://1.png","data:image/png;base64,iVBORw0=","data:text/plain,x",""]}"#,
        r#"{"role":"assistant","content":"thinking done","reasoning_content":"step 1, step 2","tool_calls":[{"id":"g1","type":"function","function":{"name":"lookup","arguments":"{}"},"extra_content":{"google":{"thought_signature":"sig=="}}}]}"#,
        r#"{"role":"assistant","content":"","tool_calls":[{"id":"","function":{"name":"f","arguments":"not json","thought_signature":"s"}},{"id":"b","type":"function","function":{"name":"g","arguments":""}},{"id":"c"}]}"#,
        r#"{"role":"developer","content":""}"#,
        r#"{"role":"tool","content":"shot","media":["file:///a.png"],"tool_call_id":"x"}"#,
        r#"{"role":"user","content":"x","created_at":"2026-04-03T11:45:00.123456789+02:00","model_name":"m","attachments":[{"type":"image","ref":"r"}],"new":{"a":1.0}}"#,
    ] {
        assert_eq!(write(&read(line)), [format!("{line}\n")]);
    }
}

#[test]
fn a_full_message_is_read_block_by_block() {
    let line = r#"{"role":"assistant","content":"done","reasoning_content":"hm","media":["https://x/a.png"],"tool_calls":[{"id":"g1","type":"function","function":{"name":"lookup","arguments":"{\"a\":1}"}}]}"#;
    let url = Some("https://x/a.png".to_owned());
    assert_eq!(
        read(line).content,
        [
            Block::Thinking {
                text: "hm".into(),
                signature: None
            },
            Block::Text {
                text: "done".into()
            },
            Block::Image {
                media_type: None,
                data: None,
                url
            },
            Block::ToolUse {
                id: Some("g1".into()),
                name: "lookup".into(),
                input: Some(RawJson::parse("{\"a\":1}").unwrap())
            },
        ]
    );
    assert!(read(line).extra.is_empty());
    let parts = r#"{"role":"system","content":"s","system_parts":[{"type":"text","text":"s","cache_control":{"type":"ephemeral"}}]}"#;
    let [(name, json)] = &*read(parts).extra else {
        panic!("{:?}", read(parts).extra)
    };
    assert_eq!(name, "system_parts");
    assert!(json.as_str().contains("ephemeral"));
}

#[test]
fn several_results_become_several_lines_and_a_call_stands_before_them() {
    let result = |id: &str| Block::ToolResult {
        id: Some(id.into()),
        name: None,
        output: format!("of {id}"),
        is_error: false,
        images: Vec::new(),
    };
    let mut message = Message::text(Role::User, "and now?");
    message.content.insert(0, result("a"));
    message.content.insert(1, result("b"));
    assert_eq!(
        write(&message),
        [
            "{\"role\":\"tool\",\"content\":\"of a\",\"tool_call_id\":\"a\"}\n",
            "{\"role\":\"tool\",\"content\":\"of b\",\"tool_call_id\":\"b\"}\n",
            "{\"role\":\"user\",\"content\":\"and now?\"}\n",
        ]
    );
    let mut own = Message::new(Role::Assistant);
    own.content.push(Block::ToolUse {
        id: Some("a".into()),
        name: "f".into(),
        input: None,
    });
    own.content.push(result("a"));
    let lines = write(&own);
    assert!(lines[0].contains("tool_calls") && lines[1].contains("tool_call_id"));
    assert!(lines[0].contains(r#""arguments":"{}""#));
}

#[test]
fn fields_that_would_fail_the_go_program_are_not_written() {
    let mut message = Message::text(Role::User, "x");
    for (name, json) in [
        ("role", "\"assistant\""),
        ("system_parts", "\"text\""),
        ("attachments", "[1]"),
        ("tool_call_id", "5"),
        ("created_at", "5"),
        ("Content", "5"),
        ("content", "5"),
        ("kept", "5"),
    ] {
        message
            .extra
            .push((name.to_owned(), RawJson::parse(json).unwrap()));
    }
    assert_eq!(
        write(&message),
        ["{\"role\":\"user\",\"content\":\"x\",\"kept\":5}\n"]
    );
}

#[test]
fn a_line_tells_time_model_and_title() {
    let line = r#"{"role":"user","content":" Plan a trip","created_at":"2026-04-03T11:45:00.100+02:00","model_name":"m"}"#;
    let described = Picoclaw.describe(line.as_bytes());
    assert_eq!(described.header.time_us, Some(1_775_209_500_100_000));
    assert_eq!(described.facts.model.as_deref(), Some("m"));
    assert_eq!(described.facts.title.unwrap().text, "Plan a trip");
}

#[test]
fn hazard_4_5_11_torn_and_fused_lines_give_what_is_whole() {
    let fused = r#"{"role":"user","content":"incomple{"role":"user","content":"next turn"}"#;
    let described = Picoclaw.describe(fused.as_bytes());
    assert_eq!(described.header.messages, 1);
    assert!(described.header.flags.contains(RecordFlags::DAMAGED));
    assert_eq!(read(fused).plain_text(), "next turn");
    let torn = Picoclaw.describe(br#"{"role":"user","content":"incomple"#);
    assert_eq!(
        (torn.header.messages, torn.header.kind),
        (0, RecordKind::Malformed)
    );
    assert_eq!(
        Picoclaw.describe(b"   \n").header.kind,
        RecordKind::Malformed
    );
}

#[test]
fn files_are_recognised_by_place_meta_or_shape() {
    let line = "{\"role\":\"user\",\"content\":\"x\"}\n";
    let own = "/h/.picoclaw/workspace-b/sessions/a.jsonl";
    let cut = "{\"key\": \"a\", \"summ";
    for (path, head, meta, expected) in [
        (own, "", None, Recognition::PathAndLines),
        ("/x/a.jsonl", "", Some(META), Recognition::PathAndLines),
        ("/x/sessions/a.jsonl", line, Some(cut), Recognition::Lines),
        ("/x/sessions/a.jsonl", line, None, Recognition::No),
        ("/x/a.jsonl", line, Some(cut), Recognition::No),
        (
            "/x/sessions/a.jsonl",
            "{\"role\":\"user\",\"type\":\"t\"}",
            Some(cut),
            Recognition::No,
        ),
        (
            "/h/.picoclaw/workspace/logs/a.jsonl",
            line,
            None,
            Recognition::No,
        ),
        (
            "/h/.picoclaw/workspace/sessions/a.txt",
            line,
            None,
            Recognition::No,
        ),
    ] {
        let candidate = candidate(path, head, meta);
        assert_eq!(Picoclaw.recognise(&candidate), expected, "{path} {meta:?}");
    }
    let claude = r#"{"parentUuid":null,"sessionId":"s","type":"user","message":{"role":"user","content":"hi"},"uuid":"u1"}"#;
    let other = candidate("/x/sessions/a.jsonl", claude, Some(cut));
    assert_eq!(
        agents::recognise(&other).map(Dialect::agent),
        Some("claude-code")
    );
}

#[test]
fn a_session_without_a_meta_file_is_known_by_its_neighbours() {
    let folder = tempfile::tempdir().unwrap();
    let sessions = folder.path().join("sessions");
    std::fs::create_dir(&sessions).unwrap();
    let path = sessions.join("cli_direct.jsonl");
    let alone = Candidate::new(&path, b"{\"role\":\"user\",\"content\":\"x\"}\n");
    assert_eq!(Picoclaw.recognise(&alone), Recognition::No);
    std::fs::write(sessions.join("telegram_1.meta.json"), META).unwrap();
    assert_eq!(Picoclaw.recognise(&alone), Recognition::Lines);
    assert_eq!(Picoclaw.session_id(&alone), "cli_direct");
}

#[test]
fn the_key_comes_from_the_meta_file() {
    let path = "/h/.picoclaw/workspace/sessions/telegram_1_2.jsonl";
    assert_eq!(
        Picoclaw.session_id(&candidate(path, "", Some(META))),
        "telegram:1/2"
    );
    for broken in [None, Some("{"), Some("{\"key\":\"\"}")] {
        let candidate = candidate(path, "", broken);
        assert_eq!(Picoclaw.session_id(&candidate), "telegram_1_2");
    }
    for (lines, meta) in [
        ("/s/a.b.jsonl", Some("/s/a.b.meta.json")),
        ("/s/.jsonl", Some("/s/.meta.json")),
        ("/s/a.txt", None),
    ] {
        let companion = Picoclaw.companion(Path::new(lines));
        assert_eq!(companion.as_deref(), meta.map(Path::new));
        if let Some(meta) = meta {
            let back = layout::lines_of(Path::new(meta));
            assert_eq!(back.as_deref(), Some(Path::new(lines)));
        }
    }
}

#[test]
fn hazard_4_5_2_meta_files_are_sidecars_and_never_sessions() {
    let folder = tempfile::tempdir().unwrap();
    let own = folder.path().join(".picoclaw/workspace/sessions");
    let copy = folder.path().join("copy/sessions");
    for place in [&own, &copy] {
        std::fs::create_dir_all(place).unwrap();
        std::fs::write(place.join("telegram_1_2.meta.json"), META).unwrap();
        let found = Picoclaw.sidecar(&place.join("telegram_1_2.meta.json"));
        assert_eq!(found, Some(Sidecar::Session("telegram:1/2".into())));
        let head = candidate("/x/telegram_1_2.meta.json", META, None);
        assert_eq!(agents::recognise_document(&head), None);
    }
    std::fs::write(own.join("web_b.meta.json"), "{\"key\": \"web:b\", \"su").unwrap();
    let found = Picoclaw.sidecar(&own.join("web_b.meta.json"));
    assert_eq!(found, Some(Sidecar::Session("web:b".into())));
    let stray = copy.join("other.meta.json");
    std::fs::write(&stray, "{\"key\": \"x\"}").unwrap();
    assert_eq!(Picoclaw.sidecar(&stray), None);
    for name in [
        ".tmp-1-2",
        "session-1.tmp",
        "telegram_1.json.migrated",
        "broken.json",
    ] {
        std::fs::write(own.join(name), "{\"key\":").unwrap();
        assert_eq!(
            Picoclaw.sidecar(&own.join(name)),
            Some(Sidecar::Folder),
            "{name}"
        );
        assert_eq!(Picoclaw.sidecar(&copy.join(name)), None, "{name}");
    }
    std::fs::write(own.join("old.json"), "{\"key\":\"old\",\"messages\":[]}").unwrap();
    for name in ["old.json", "a.jsonl", "auth.json", "notes.txt", "cache.db"] {
        assert_eq!(Picoclaw.sidecar(&own.join(name)), None, "{name}");
    }
}

#[test]
fn a_meta_file_tells_skip_summary_times_and_names() {
    let path = Path::new("/s/telegram_1_2.meta.json");
    let newer = META.replace(
        "\n}",
        ",\n  \"scope\": {\n    \"channel\": \"t\"\n  },\n  \"aliases\": [\n    \"a\"\n  ]\n}",
    );
    let facts = Picoclaw.sidecar_facts(path, newer.as_bytes());
    let expected = SidecarFacts {
        id: "telegram:1/2".into(),
        skip: Some(6),
        summary: Some("They planned a trip.".into()),
        aliases: Some(vec!["a".into()]),
        scope: Some(RawJson::parse("{\"channel\":\"t\"}").unwrap()),
        created_us: Some(1_775_208_000_918_273),
        updated_us: Some(1_775_208_540_564_738),
        ..SidecarFacts::default()
    };
    assert_eq!(facts, [expected]);
    let unset = META.replace(
        "2026-04-03T11:20:00.918273645+02:00",
        "0001-01-01T00:00:00Z",
    );
    let facts = Picoclaw.sidecar_facts(path, unset.as_bytes());
    assert_eq!((facts[0].created_us, &facts[0].aliases), (None, &None));
    assert_eq!(
        Picoclaw.sidecar_facts(path, b"{\"key\": \"web:b\", \"su"),
        []
    );
}

#[test]
fn a_meta_file_that_still_holds_is_given_back_and_a_changed_one_is_written_as_go_does() {
    let trip = || Properties {
        summary: "They planned a trip.".into(),
        ..Properties::default()
    };
    let original = Some(META.as_bytes());
    let (name, bytes) = Picoclaw
        .write_sidecar(&state(6, 10, trip()), original)
        .unwrap();
    assert_eq!(
        (&*name, &*bytes),
        ("telegram_1_2.meta.json", META.as_bytes())
    );

    let (_, bytes) = Picoclaw
        .write_sidecar(&state(8, 12, trip()), original)
        .unwrap();
    let expected = META
        .replace("\"skip\": 6", "\"skip\": 8")
        .replace("\"count\": 10", "\"count\": 12");
    assert_eq!(String::from_utf8(bytes).unwrap(), expected);

    let named = Properties {
        summary: "a < b".into(),
        aliases: vec!["x:y".into(), "z".into()],
        scope: Some(RawJson::parse("{\"version\":1,\"values\":{}}").unwrap()),
        ..Properties::default()
    };
    let unknown = META.replace("\n}", ",\n  \"new\": [1.50]\n}");
    let (_, bytes) = Picoclaw
        .write_sidecar(&state(0, 2, named.clone()), Some(unknown.as_bytes()))
        .unwrap();
    assert_eq!(
        String::from_utf8(bytes).unwrap(),
        "{\n  \"key\": \"telegram:1/2\",\n  \"summary\": \"a \\u003c b\",\n  \"skip\": 0,\n  \
         \"count\": 2,\n  \"created_at\": \"2026-04-03T11:20:00.918273645+02:00\",\n  \
         \"updated_at\": \"2026-04-03T11:29:00.564738291+02:00\",\n  \"scope\": {\n    \
         \"version\": 1,\n    \"values\": {}\n  },\n  \"aliases\": [\n    \"x:y\",\n    \"z\"\n  \
         ],\n  \"new\": [\n    1.50\n  ]\n}"
    );
    let damaged = b"{\"key\": \"web:b\", \"su";
    let write_over = |state| Picoclaw.write_sidecar(&state, Some(damaged)).unwrap().1;
    assert_eq!(write_over(state(0, 2, Properties::default())), damaged);
    assert!(meta::is_meta(&write_over(state(
        1,
        2,
        Properties::default()
    ))));
    let (_, fresh) = Picoclaw.write_sidecar(&state(0, 2, named), None).unwrap();
    let fresh = String::from_utf8(fresh).unwrap();
    assert!(
        fresh.contains("\"created_at\": \"2026-04-03T09:20:00.918273Z\""),
        "{fresh}"
    );
}

#[test]
fn a_file_is_named_by_its_key() {
    let named = |id: &str| {
        let mut state = state(0, 0, Properties::default());
        state.summary.key = SessionKey::new("picoclaw", id).unwrap();
        Picoclaw.file_name(&state).unwrap()
    };
    assert_eq!(
        named("agent:main:telegram:group:-100/12"),
        ["agent_main_telegram_group_-100_12.jsonl"]
    );
    assert_eq!(named("a\\b ü."), ["a_b ü..jsonl"]);
}

const OLD: &str = "{\n  \"key\": \"telegram:777\",\n  \"messages\": [\n    {\n      \"role\": \"user\",\n      \
                   \"content\": \"legacy \\u003cone\\u003e\"\n    },\n    {\n      \"role\": \"assistant\",\n      \
                   \"content\": \"two\"\n    }\n  ],\n  \"summary\": \"S.\",\n  \"created\": \
                   \"2026-04-03T02:40:00.000000001+02:00\",\n  \"updated\": \
                   \"2026-04-03T04:20:00.000000002+02:00\"\n}";

#[test]
fn import_of_own_legacy_json_gives_its_messages_as_lines() {
    let found = |path: &str, head: &str| {
        agents::recognise_document(&candidate(path, head, None))
            .map(|document| (document.agent, document.id, document.yields))
    };
    let old = Some(("picoclaw", "telegram:777".to_owned(), true));
    assert_eq!(found("/x/telegram_777.json", OLD), old);
    let (cut, _) = OLD.split_at(90);
    assert_eq!(found("/h/.picoclaw/w/sessions/any.json", cut), old);
    assert_eq!(found("/b/sessions/telegram_777.json", cut), old);
    assert_eq!(found("/b/sessions/other.json", cut), None);
    assert_eq!(
        found("/h/.picoclaw/w/sessions/any.json", "{\"key\":\"a\"}"),
        None
    );
    assert_eq!(found("/x/a.json", "{\"key\":\"a\",\"messages\":[]}"), None);

    let lines = Picoclaw.document_lines(OLD.as_bytes()).unwrap();
    assert_eq!(
        lines.lines,
        [
            b"{\"role\":\"user\",\"content\":\"legacy \\u003cone\\u003e\"}\n".to_vec(),
            b"{\"role\":\"assistant\",\"content\":\"two\"}\n".to_vec()
        ]
    );
    assert_eq!(lines.trailer, None);
    assert_eq!(Picoclaw.document_lines(b"{\"messages\": {}}"), None);
    assert_eq!(Picoclaw.document_lines(b"{\"messages\": [{]"), None);
    let none = Picoclaw.document_lines(b"{\"messages\": null}").unwrap();
    assert!(none.lines.is_empty());

    let facts = Picoclaw.sidecar_facts(Path::new("/x/telegram_777.json"), OLD.as_bytes());
    assert_eq!(facts[0].id, "telegram:777");
    assert_eq!(facts[0].summary.as_deref(), Some("S."));
    assert_eq!(facts[0].created_us, Some(1_775_176_800_000_000));
    assert_eq!(facts[0].skip, None);
}
