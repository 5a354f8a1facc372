//! The check beside `serde_json`, and its notes beside a walk without them.

use proptest::prelude::*;
use serde_json::value::RawValue;

use super::super::Json;
use super::*;
use crate::json::string;

/// What `serde_json` says of a text: the value in it, if it is one.
fn delimited(text: &str) -> Option<&str> {
    let value = serde_json::from_str::<&RawValue>(text);
    value.ok().map(RawValue::get)
}

fn is_as_serde_says(text: &str, ends: &mut Ends) {
    let wanted = delimited(text);
    for checked in [check(text), ends.check(text)] {
        let found = checked.and_then(|checked| text.get(checked.start..checked.end));
        assert_eq!(found, wanted, "{text:?}");
        if let Some(checked) = checked {
            let is_lossy = string::has_lone_surrogate(text);
            assert_eq!(checked.has_lone_surrogate, is_lossy, "{text:?}");
        }
    }
}

/// Everything in a value, found with its notes, and without them.
fn is_walked_alike(noted: Json<'_>, plain: Json<'_>, levels: usize) {
    assert_eq!(noted.get(), plain.get());
    if levels == 0 {
        return;
    }
    let values = |json: Json<'_>| -> Vec<_> {
        let members = json.members().map(|(_, value)| value.get().to_owned());
        members.collect()
    };
    assert_eq!(values(noted), values(plain));
    for ((_, noted), (_, plain)) in noted.members().zip(plain.members()) {
        is_walked_alike(noted, plain, levels - 1);
    }
    let (mut with, mut without) = (noted.elements(), plain.elements());
    loop {
        let pair = (with.next_with_members(), without.next_with_members());
        let (Some((noted, of_noted)), Some((plain, of_plain))) = pair else {
            assert!(pair.0.is_none() && pair.1.is_none());
            break;
        };
        let values = |members: &[(_, Json<'_>)]| -> Vec<_> {
            let values = members.iter().map(|(_, value)| value.get().to_owned());
            values.collect()
        };
        assert_eq!(values(&of_noted), values(&of_plain));
        is_walked_alike(noted, plain, levels - 1);
    }
    assert_eq!(noted.elements().count(), plain.elements().count());
}

fn notes_hold(text: &str, ends: &mut Ends) {
    let (Some(plain), Some((noted, _))) = (Json::parse(text).ok(), Json::noted(text, ends)) else {
        return;
    };
    is_walked_alike(noted, plain, 12);
}

/// JSON of containers that are short and long, close to the length from which on ends are noted.
fn any_value() -> impl Strategy<Value = String> {
    let leaf = prop_oneof![
        (0_usize..90).prop_map(|bytes| format!("\"{}\"", "s".repeat(bytes))),
        (0_usize..40).prop_map(|escapes| format!("\"{}\"", "\\n".repeat(escapes))),
        Just("17".to_owned()),
        Just(" true ".to_owned()),
    ];
    leaf.prop_recursive(10, 60, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4)
                .prop_map(|items| format!("[{}]", items.join(","))),
            prop::collection::vec(inner, 0..4).prop_map(|values| {
                let member = |(at, value)| format!("\"{}\" : {value}", "k".repeat(at * 30));
                let members: Vec<String> = values.iter().enumerate().map(member).collect();
                format!("{{{}}}", members.join(", "))
            }),
        ]
    })
}

#[test]
fn every_short_text_is_taken_or_refused_as_serde_does() {
    let pieces = [
        "{", "}", "[", "]", ",", ":", "\"", "\\", "a", "u", "1", "0", "-", ".", "e", "+", " ",
        "\n", "null", "\"a\"", "\u{1}", "\u{7f}", "é",
    ];
    let mut ends = Ends::default();
    let mut texts = vec![String::new()];
    for _ in 0..4 {
        texts = texts
            .iter()
            .flat_map(|text| pieces.iter().map(move |piece| format!("{text}{piece}")))
            .collect();
        for text in &texts {
            is_as_serde_says(text, &mut ends);
        }
    }
}

/// What is JSON, and what only looks like it.
const PARTS: [&str; 75] = [
    "0",
    "-0",
    "00",
    "01",
    "-",
    "-01",
    "1.",
    "1.0",
    ".5",
    "1e",
    "1e+",
    "1e+5",
    "1E-05",
    "1e5.0",
    "0e1",
    "0.0e0",
    "1.e1",
    "--1",
    "+1",
    "1_0",
    "0x1",
    "NaN",
    "Infinity",
    "1e400",
    "123456789012345678901234567890",
    "tru",
    "true",
    "truee",
    "nul",
    "nulll",
    "False",
    "\"\\u\"",
    "\"\\u12\"",
    "\"\\u12g4\"",
    "\"\\u+123\"",
    "\"\\u00e9\"",
    "\"\\x\"",
    "\"\\'\"",
    "\"\\ud83d\"",
    "\"\\ud83d\\ude00\"",
    "\"\\ude00\\ud83d\"",
    "\"\\ud83d\\ud83d\\ude00\"",
    "\"\\ud83d\\u12\"",
    "\"\\ud83d\\",
    "\"\\\"",
    "\"\\",
    "\"",
    "\"\t\"",
    "\"\n\"",
    "\"\0\"",
    "\"\u{1f}\"",
    "\"\u{80}\"",
    "\u{feff}1",
    "1\u{a0}",
    "1\0",
    "\u{c}1",
    "1 2",
    "{}{}",
    "[1,]",
    "{\"a\":1,}",
    "{,}",
    "[,]",
    "{\"a\"}",
    "{\"a\":}",
    "{1:2}",
    "[1 2]",
    "{\"a\":1 \"b\":2}",
    "[}",
    "{]",
    "[[]",
    "[]]",
    "{\"a\":[}]",
    "\"a\"\"b\"",
    "//1",
    "'a'",
];

#[test]
fn numbers_escapes_and_ends_are_taken_or_refused_as_serde_does() {
    let mut ends = Ends::default();
    for part in PARTS {
        for text in [
            part.to_owned(),
            format!(" {part}\r\n\t"),
            format!("[{part}]"),
            format!("[0,{part},0]"),
            format!("{{\"a\":{part}}}"),
            format!("{{\"a\" :[ {part} ]\n,\"b\":{part}}}"),
            format!("{{{part}:1}}"),
            format!("[\"{}\",{part}]", "x".repeat(100)),
        ] {
            is_as_serde_says(&text, &mut ends);
        }
    }
}

#[test]
fn a_control_character_or_a_bad_escape_is_seen_wherever_it_is() {
    let mut ends = Ends::default();
    for length in 0..100 {
        for at in 0..length {
            for bad in ["\u{1f}", "\\x", "\\n", "\\u0000", "\u{7f}"] {
                let text = format!("\"{}{bad}{}\"", "x".repeat(at), "é".repeat(length - at));
                is_as_serde_says(&text, &mut ends);
            }
        }
    }
}

#[test]
fn depth_is_no_limit_and_notes_are_bounded() {
    let mut ends = Ends::default();
    let deep = format!("{}{}", "[".repeat(1_000_000), "]".repeat(1_000_000));
    assert!(ends.check(&deep).is_some());
    assert_eq!(ends.notes.len(), LEVELS);
    assert!(ends.check(deep.trim_end_matches(']')).is_none());
    let many = vec![format!("[\"{}\"]", "x".repeat(100)); NOTES_MAX].join(",");
    let many = format!("[[{many}],{{\"a\":[{many}]}}]");
    assert!(ends.check(&many).is_some());
    assert_eq!(ends.notes.len(), NOTES_MAX);
    notes_hold(&many, &mut ends);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn text_like_json_is_taken_or_refused_as_serde_does(
        text in "([{}\\[\\]:,]|\"[a\\\\]{0,3}\"|-?[0-9]{1,2}|[.eE+ \n\u{0}]|true|null|\\\\u[dD][89cC]00){0,14}",
    ) {
        is_as_serde_says(&text, &mut Ends::default());
    }

    #[test]
    fn json_with_a_byte_changed_is_taken_or_refused_as_serde_does(
        text in any_value(),
        at in any::<prop::sample::Index>(),
        with in prop::sample::select(vec!["", "\"", "\\", ",", "]", "}", "{", "1", "\u{1}", " ", "\\ud800"]),
    ) {
        let mut ends = Ends::default();
        is_as_serde_says(&text, &mut ends);
        // All of it is ASCII.
        let at = at.index(text.len());
        let (before, rest) = text.split_at(at);
        let changed = format!("{before}{with}{}", rest.get(1..).unwrap());
        is_as_serde_says(&changed, &mut ends);
        is_as_serde_says(before, &mut ends);
    }

    #[test]
    fn values_are_found_alike_with_notes_and_without(text in any_value()) {
        notes_hold(&text, &mut Ends::default());
    }
}
