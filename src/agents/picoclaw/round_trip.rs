//! Tests of any message and any bytes: what is written is read as it was, and nothing panics.

use proptest::prelude::*;

use super::tests::{read, state, write};
use super::{legacy, meta};
use crate::agents::parts::lines;
use crate::model::message::{Block, Message, Role};
use crate::model::properties::Properties;
use crate::model::raw_json::RawJson;

fn word() -> impl Strategy<Value = String> {
    prop_oneof!["[a-z<>&\"\\\\\n\u{2028}é]{1,8}", "[ -~]{1,12}"]
}

fn image() -> impl Strategy<Value = Block> {
    prop_oneof![
        ("[a-z]{1,5}/[a-z]{1,5}", "[A-Za-z0-9+/=]{0,9}").prop_map(|(kind, data)| Block::Image {
            media_type: Some(kind),
            data: Some(data),
            url: None
        }),
        "https://[a-z<&]{1,9}".prop_map(|url| Block::Image {
            media_type: None,
            data: None,
            url: Some(url)
        }),
    ]
}

fn call() -> impl Strategy<Value = Block> {
    let input = prop_oneof![
        word().prop_map(|text| RawJson::from_value(&vec![text]).unwrap()),
        Just(RawJson::parse("{\"b\": 1.0, \"a\": 1e400}").unwrap()),
        Just(RawJson::parse("\"plain text\"").unwrap()),
    ];
    (word(), word(), input).prop_map(|(id, name, input)| Block::ToolUse {
        id: Some(id),
        name,
        input: Some(input),
    })
}

/// Messages that the format can hold, in the order of its fields.
fn held() -> impl Strategy<Value = Message> {
    let role = prop_oneof![Just(Role::User), Just(Role::Assistant), Just(Role::System)];
    let images = || proptest::collection::vec(image(), 0..3);
    let blocks = (
        proptest::option::of((word(), proptest::option::of(word()))),
        proptest::option::of(word()),
        images(),
        proptest::collection::vec(call(), 0..3),
        proptest::collection::vec(word(), 0..2),
    );
    let said = (role, blocks).prop_map(|(role, (thinking, text, images, calls, others))| {
        let mut message = Message::new(role);
        let content = &mut message.content;
        content.extend(thinking.map(|(text, signature)| Block::Thinking { text, signature }));
        content.extend(text.map(|text| Block::Text { text }));
        content.extend(images);
        content.extend(calls);
        content.extend(others.into_iter().map(|text| Block::Other {
            json: RawJson::parse(format!("{{\"x\":{:?}}}", text.len())).unwrap(),
        }));
        message
    });
    let result = (
        proptest::option::of(word()),
        proptest::option::of(word()),
        "[a-z<é]{0,9}",
        any::<bool>(),
        images(),
    )
        .prop_map(|(id, name, output, is_error, images)| {
            let mut message = Message::new(Role::Tool);
            message.content.push(Block::ToolResult {
                id,
                name,
                output,
                is_error,
                images,
            });
            message
        });
    let extra = proptest::sample::subsequence(
        vec![
            ("system_parts", "[{\"type\":\"text\",\"text\":\"a\"}]"),
            ("attachments", "[{\"type\":\"image\"}]"),
            ("new", "{\"n\":1.50}"),
        ],
        0..3,
    );
    let time = proptest::option::of(0..4_000_000_000_000_000_i64);
    (
        prop_oneof![said, result],
        extra,
        time,
        proptest::option::of(word()),
    )
        .prop_map(|(mut message, extra, time, model)| {
            message.extra = extra
                .into_iter()
                .map(|(name, json)| (name.to_owned(), RawJson::parse(json).unwrap()))
                .collect();
            message.time = time.and_then(chrono::DateTime::from_timestamp_micros);
            message.model = model;
            message
        })
}

proptest! {
    #[test]
    fn what_is_written_is_read_as_it_was(message in held()) {
        let lines = write(&message);
        prop_assert_eq!(lines.len(), 1);
        prop_assert_eq!(read(&lines[0]), message);
        prop_assert_eq!(lines::body(&lines[0]), lines[0].trim_end());
    }

    #[test]
    fn no_bytes_make_a_file_about_a_session_panic(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
        let _key = meta::key(&bytes).is_some();
        let _facts = meta::facts(String::new(), &bytes).is_some();
        let _lines = legacy::lines_of(&bytes).is_some();
        let written = meta::write(&state(1, 2, Properties::default()), Some(&bytes));
        prop_assert_ne!(&written, &bytes);
        prop_assert!(meta::is_meta(&written));
    }
}

/// Else a hostile scope would take the square of its depth.
#[test]
fn a_deep_value_is_indented_no_further_than_the_limit() {
    for (depth, spaces) in [(90, 180), (100, 200), (101, 200), (20_000, 200)] {
        let scope = RawJson::parse(["[".repeat(depth), "]".repeat(depth)].concat()).unwrap();
        let properties = Properties {
            scope: Some(scope),
            ..Properties::default()
        };
        let written = String::from_utf8(meta::write(&state(1, 2, properties), None)).unwrap();
        let indents = written
            .lines()
            .map(|line| line.len() - line.trim_start().len());
        assert_eq!(indents.max(), Some(spaces), "{depth}");
        assert!(written.len() < 1000 + depth * 405);
    }
}
