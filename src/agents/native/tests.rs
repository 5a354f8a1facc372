//! Writing and reading native lines gives back the same, whatever the message.

use std::path::Path;

use chrono::{DateTime, Utc};
use proptest::prelude::*;

use super::*;
use crate::model::links::Act;
use crate::model::message::{Block, Usage};
use crate::model::raw_json::RawJson;

fn text_of_any_kind() -> impl Strategy<Value = String> {
    prop_oneof![
        any::<String>(),
        Just(String::new()),
        Just("\u{0}\u{2028}\u{85}\"\\\r\n\t</script> 😀\u{feff}".to_owned()),
        "[a-z_]{1,8}",
    ]
}

fn json() -> impl Strategy<Value = RawJson> {
    prop_oneof![
        Just("1e400"),
        Just("-0.0"),
        Just("123456789012345678901234567890"),
        Just("null"),
        Just(r#"{"b":1.0,"a":1,"b":"\ud83d"}"#),
        Just(r#"{"type":"text","text":"x"}"#),
        Just("[ 1 , {  } ]"),
        Just(r#""\u003c\/""#),
    ]
    .prop_map(|text| RawJson::parse(text).unwrap())
}

fn time() -> impl Strategy<Value = DateTime<Utc>> {
    prop_oneof![
        Just(0),
        Just(-62_167_219_200_000_001),
        Just(253_402_300_800_000_000),
        -8_000_000_000_000_000_000_i64..8_000_000_000_000_000_000,
        1_700_000_000_000_000_i64..1_800_000_000_000_000,
    ]
    .prop_map(|us| DateTime::from_timestamp_micros(us).unwrap())
}

fn image() -> impl Strategy<Value = Block> {
    (
        of(text_of_any_kind()),
        of(text_of_any_kind()),
        of(text_of_any_kind()),
    )
        .prop_map(|(media_type, data, url)| Block::Image {
            media_type,
            data,
            url,
        })
}

fn of<T: std::fmt::Debug + Clone>(
    value: impl Strategy<Value = T>,
) -> impl Strategy<Value = Option<T>> {
    proptest::option::of(value)
}

fn block() -> impl Strategy<Value = Block> {
    let text = text_of_any_kind;
    prop_oneof![
        text().prop_map(|text| Block::Text { text }),
        (text(), of(text())).prop_map(|(text, signature)| Block::Thinking { text, signature }),
        image(),
        (of(text()), text(), of(json())).prop_map(|(id, name, input)| Block::ToolUse {
            id,
            name,
            input
        }),
        (
            of(text()),
            of(text()),
            text(),
            any::<bool>(),
            proptest::collection::vec(image(), 0..3)
        )
            .prop_map(|(id, name, output, is_error, images)| Block::ToolResult {
                id,
                name,
                output,
                is_error,
                images
            }),
        json().prop_map(|json| Block::Other { json }),
    ]
}

fn extra() -> impl Strategy<Value = Vec<(String, RawJson)>> {
    let key = prop_oneof![
        3 => text_of_any_kind(),
        1 => proptest::sample::select(&names::MESSAGE_FIELDS[..]).prop_map(ToOwned::to_owned),
    ];
    proptest::collection::vec((key, json()), 0..4)
}

fn usage() -> impl Strategy<Value = Usage> {
    any::<[u64; 4]>().prop_map(
        |[
            input_tokens,
            output_tokens,
            cache_read_tokens,
            cache_write_tokens,
        ]| {
            Usage {
                input_tokens,
                output_tokens,
                cache_read_tokens,
                cache_write_tokens,
            }
        },
    )
}

fn message() -> impl Strategy<Value = Message> {
    let role = proptest::sample::select(vec![
        Role::User,
        Role::Assistant,
        Role::System,
        Role::Tool,
        Role::Other,
    ]);
    let text = || of(text_of_any_kind());
    let content = proptest::collection::vec(block(), 0..4);
    (
        text(),
        text(),
        role,
        content,
        of(time()),
        text(),
        of(usage()),
        extra(),
        (text(), text(), any::<bool>()),
    )
        .prop_map(
            |(id, parent_id, role, content, time, model, usage, extra, more)| Message {
                id,
                parent_id,
                role,
                content,
                time,
                model,
                usage,
                extra,
                answer_id: more.0,
                agent_id: more.1,
                injected: more.2,
                live: true,
            },
        )
}

fn session() -> impl Strategy<Value = Session> {
    let text = || of(text_of_any_kind());
    (
        text_of_any_kind(),
        text(),
        text(),
        (text(), any::<bool>()),
        of(time()),
        of(time()),
        extra(),
    )
        .prop_map(
            |(title, project, model, (parent, forked), created_at, updated_at, extra)| Session {
                title,
                project,
                model,
                parent,
                forked,
                created_at,
                updated_at,
                extra,
                ..Session::native("s").unwrap()
            },
        )
}

#[track_caller]
/// A message as its one line.
fn written(message: &Message) -> crate::model::error::Result<Vec<u8>> {
    let key = SessionKey::native("s")?;
    let mut lines = Native.write_message(&key, message)?;
    assert_eq!(lines.len(), 1);
    Ok(lines.remove(0))
}

fn check_line(line: &[u8]) {
    assert!(line.starts_with(b"{\"scrollback\":1,\"type\":\""));
    assert!(line.ends_with(b"}\n"));
    assert!(!line[..line.len() - 1].contains(&b'\n'));
}

proptest! {
    #[test]
    fn a_message_comes_back_as_it_was(message in message()) {
        let line = written(&message).unwrap();
        check_line(&line);
        prop_assert_eq!(&Native.messages(&line), std::slice::from_ref(&message));
        let described = Native.describe(&line);
        prop_assert_eq!(described.header.role, Some(message.role));
        prop_assert_eq!(described.header.time_us, message.time.map(|time| time.timestamp_micros()));
        prop_assert_eq!(described.header.messages, 1);
    }

    #[test]
    fn a_session_comes_back_as_it_was(session in session()) {
        let line = Native.write_meta(&session, true).unwrap().unwrap();
        check_line(&line);
        let mut read = Session::new(session.key.clone());
        read.title = "overwritten".to_owned();
        read.parent = Some("overwritten".to_owned());
        Native.read_meta(&line, &mut read);
        prop_assert_eq!(&read, &session);
        let facts = Native.describe(&line).facts;
        prop_assert!(facts.replaces);
        prop_assert_eq!(facts.project.as_deref(), session.project.as_deref());
        prop_assert_eq!(facts.title.is_some(), !session.title.trim().is_empty());
    }
}

#[test]
fn lines_look_as_documented() {
    let mut message = Message::text(Role::User, "Which port?");
    message.id = Some("m1".to_owned());
    message.time = DateTime::from_timestamp_micros(1_775_209_500_120_345);
    message.extra = vec![("pinned".to_owned(), RawJson::parse("true").unwrap())];
    assert_eq!(
        String::from_utf8(written(&message).unwrap()).unwrap(),
        "{\"scrollback\":1,\"type\":\"message\",\"id\":\"m1\",\"role\":\"user\",\
         \"content\":[{\"type\":\"text\",\"text\":\"Which port?\"}],\
         \"time\":\"2026-04-03T09:45:00.120345Z\",\"pinned\":true}\n"
    );
    let key = SessionKey::new("celeste", "s1").unwrap();
    let session = Session {
        title: "Ports".to_owned(),
        ..Session::new(key)
    };
    assert_eq!(
        String::from_utf8(Native.write_meta(&session, true).unwrap().unwrap()).unwrap(),
        "{\"scrollback\":1,\"type\":\"session\",\"id\":\"s1\",\"agent\":\"celeste\",\"title\":\"Ports\"}\n"
    );
}

#[test]
fn unknown_fields_survive_in_their_order() {
    let line = br#"{"z":1.50,"scrollback":1,"type":"message","role":"user","content":"x","a":[2],"z":null}"#;
    let message = Native.messages(line).remove(0);
    let shown: Vec<_> = message
        .extra
        .iter()
        .map(|(key, json)| (key.as_str(), json.as_str()))
        .collect();
    assert_eq!(shown, [("z", "1.50"), ("a", "[2]"), ("z", "null")]);
    let again = written(&message).unwrap();
    assert_eq!(Native.messages(&again), [message]);
}

#[test]
fn fields_with_the_name_of_a_known_one_go_into_extra() {
    let mut message = Message::new(Role::User);
    message.extra = vec![
        ("x".to_owned(), RawJson::parse("1").unwrap()),
        ("role".to_owned(), RawJson::parse("\"tool\"").unwrap()),
    ];
    let line = written(&message).unwrap();
    assert!(line.ends_with(b",\"extra\":{\"x\":1,\"role\":\"tool\"}}\n"));
    assert_eq!(Native.messages(&line), [message]);
}

#[test]
fn json_over_several_lines_is_put_on_one() {
    let input: RawJson = serde_json::from_str("{\n  \"a\": [\n1]}").unwrap();
    let mut message = Message::new(Role::Assistant);
    message.content = vec![Block::ToolUse {
        id: None,
        name: "t".to_owned(),
        input: Some(input),
    }];
    let line = written(&message).unwrap();
    check_line(&line);
    assert!(
        String::from_utf8(line)
            .unwrap()
            .contains("\"input\":{   \"a\": [ 1]}")
    );
}

#[test]
fn other_versions_and_types_are_kept_as_unknown() {
    for line in [
        r#"{"scrollback":2,"type":"message","role":"user","content":"x"}"#,
        r#"{"scrollback":"1","type":"message","role":"user","content":"x"}"#,
        r#"{"scrollback":1,"type":"branch","id":"x"}"#,
        r#"{"type":"message","role":"user","content":"x"}"#,
    ] {
        let described = Native.describe(line.as_bytes());
        assert_eq!(described.header.kind, RecordKind::Unknown, "{line}");
        assert_eq!(described.facts, Facts::default(), "{line}");
        assert!(described.problem.is_none() && Native.messages(line.as_bytes()).is_empty());
    }
}

#[test]
fn a_line_that_is_no_session_changes_no_session() {
    let mut session = Session::native("s").unwrap();
    session.title = "kept".to_owned();
    for line in [
        "",
        "{",
        r#"{"scrollback":1,"type":"message"}"#,
        r#"{"scrollback":2,"type":"session"}"#,
    ] {
        Native.read_meta(line.as_bytes(), &mut session);
        assert_eq!(session.title, "kept", "{line}");
    }
}

#[test]
fn the_id_is_the_header_s_or_the_file_name_decoded() {
    let id = |path: &str, head: &str| {
        Native.session_id(&Candidate::new(Path::new(path), head.as_bytes()))
    };
    let header = r#"{"scrollback":1,"type":"session","id":"telegram:1/2"}"#;
    assert_eq!(id("/x/y.jsonl", header), "telegram:1/2");
    assert_eq!(
        id(
            "/x/telegram%3A1%2F2.jsonl",
            r#"{"scrollback":1,"type":"message"}"#
        ),
        "telegram:1/2"
    );
    assert_eq!(id("/x/y.jsonl", ""), "y");
}

#[test]
fn images_nested_beyond_reason_stay_json() {
    let deep = (0..40).fold(r#"{"type":"text","text":"x"}"#.to_owned(), |inner, _| {
        format!(r#"{{"type":"tool_result","output":"","images":[{inner}]}}"#)
    });
    let line = format!(r#"{{"scrollback":1,"type":"message","role":"tool","content":[{deep}]}}"#);
    assert_eq!(Native.messages(line.as_bytes()).len(), 1);
}

/// A row with such a time could not be read: one line would have hidden every session of a list.
#[test]
fn a_number_that_is_no_time_is_unset() {
    for number in [i64::MIN, i64::MAX] {
        let message =
            format!(r#"{{"scrollback":1,"type":"message","role":"user","time":{number}}}"#);
        assert_eq!(Native.describe(message.as_bytes()).header.time_us, None);
        let session = format!(
            r#"{{"scrollback":1,"type":"session","created_at":{number},"updated_at":{number}}}"#
        );
        let facts = Native.describe(session.as_bytes()).facts;
        assert_eq!((facts.created_us, facts.updated_us), (None, None));
    }
}

/// Every native line in the description of the format, which says that this is how they are
/// written.
#[test]
fn the_documented_lines_are_what_is_written() {
    let document = include_str!("../../../docs/jsonl.md");
    let lines: Vec<_> = document
        .lines()
        .filter(|line| line.starts_with("{\"scrollback\""))
        .collect();
    assert_eq!(lines.len(), 7, "lines were added or lost");
    for line in lines {
        let described = Native.describe(line.as_bytes());
        let written = match described.header.kind {
            RecordKind::Meta => {
                let mut session = Session::native("chat-1").unwrap();
                Native.read_meta(line.as_bytes(), &mut session);
                Native.write_meta(&session, true).unwrap().unwrap()
            }
            RecordKind::Event => {
                let Act::TakeBackLines(lines) = described.facts.links.act else {
                    panic!("{line}");
                };
                Native.write_taken_back(lines).unwrap()
            }
            _ => written(&Native.messages(line.as_bytes())[0]).unwrap(),
        };
        assert_eq!(String::from_utf8(written).unwrap(), format!("{line}\n"));
    }
}
