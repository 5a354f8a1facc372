//! Random JSON, as it was written and as `serde_json` reads it; JSON that was cut off, and no JSON.

use proptest::prelude::*;
use serde_json::Value;

use super::*;

/// What a value is, as far as walking goes: texts of keys and strings, and other values as
/// they are written.
#[derive(Clone, Debug, PartialEq)]
enum Tree {
    Text(String),
    Word(String),
    Array(Vec<Tree>),
    Object(Vec<(String, Tree)>),
}

/// Strings as JSON, and what they say: escapes of every kind, half surrogates too.
fn any_string() -> impl Strategy<Value = (String, String)> {
    let piece = prop_oneof![
        "[a-zA-Z0-9 {}:,/é資😀\\[\\]\u{2028}]{0,6}".prop_map(|text| (text.clone(), text)),
        prop::sample::select(vec![
            ("\\n", "\n"),
            ("\\\"", "\""),
            ("\\\\", "\\"),
            ("\\/", "/"),
            ("\\u0061", "a"),
            ("\\u0000", "\0"),
            ("\\ud83d\\uDE00", "😀"),
            ("\\ud83d ", "\u{fffd} "),
            ("\\ude00", "\u{fffd}"),
        ])
        .prop_map(|(json, text)| (json.to_owned(), text.to_owned())),
    ];
    prop::collection::vec(piece, 0..4).prop_map(|pieces| {
        let (json, text): (Vec<String>, Vec<String>) = pieces.into_iter().unzip();
        (format!("\"{}\"", json.concat()), text.concat())
    })
}

/// JSON with white space anywhere and keys that repeat, and what it is.
fn any_json() -> impl Strategy<Value = (String, Tree)> {
    let word = prop::sample::select(vec![
        "null",
        "true",
        "false",
        "0",
        "-0.0",
        "1e400",
        "-12.50E+3",
        "123456789012345678901234",
    ]);
    let leaf = prop_oneof![
        any_string().prop_map(|(json, text)| (json, Tree::Text(text))),
        word.prop_map(|word| (word.to_owned(), Tree::Word(word.to_owned()))),
    ];
    let space = || prop::sample::select(vec!["", "", "", " ", "\n\t", "\r\n"]);
    leaf.prop_recursive(5, 40, 6, move |inner| {
        let item = (space(), inner.clone(), space());
        let member = (space(), any_string(), space(), inner, space());
        prop_oneof![
            prop::collection::vec(item, 0..6).prop_map(|items| {
                let json: Vec<String> = items
                    .iter()
                    .map(|(before, (json, _), after)| format!("{before}{json}{after}"))
                    .collect();
                let trees = items.into_iter().map(|(_, (_, tree), _)| tree).collect();
                (format!("[{}]", json.join(",")), Tree::Array(trees))
            }),
            prop::collection::vec(member, 0..6).prop_map(|members| {
                let json: Vec<String> = members
                    .iter()
                    .map(|(a, (key, _), b, (value, _), c)| format!("{a}{key}{b}:{c}{value}{b}"))
                    .collect();
                let trees = members
                    .into_iter()
                    .map(|(_, (_, key), _, (_, tree), _)| (key, tree))
                    .collect();
                (format!("{{{}}}", json.join(",")), Tree::Object(trees))
            }),
        ]
    })
}

fn walked(json: Json<'_>) -> Tree {
    match json.get().as_bytes()[0] {
        b'{' => {
            let members = json.members();
            let trees = members.map(|(key, value)| (key.text().into_owned(), walked(value)));
            Tree::Object(trees.collect())
        }
        b'[' => {
            let mut elements = json.elements();
            let found = std::iter::from_fn(|| elements.next_with_members());
            let trees: Vec<Tree> = found
                .map(|(element, members)| {
                    let of_element: Vec<Json<'_>> =
                        element.members().map(|(_, value)| value).collect();
                    let values: Vec<Json<'_>> =
                        members.into_iter().map(|(_, value)| value).collect();
                    assert_eq!(values, of_element);
                    walked(element)
                })
                .collect();
            assert_eq!(json.elements().count(), trees.len());
            Tree::Array(trees)
        }
        b'"' => Tree::Text(string::decode(json.get()).unwrap().into_owned()),
        _ => Tree::Word(json.get().to_owned()),
    }
}

/// The same of what `serde_json` reads: of equal keys the last.
fn is_value(tree: &Tree, value: &Value) -> bool {
    match (tree, value) {
        (Tree::Text(text), Value::String(string)) => text == string,
        (Tree::Word(word), value) => serde_json::from_str::<Value>(word).unwrap() == *value,
        (Tree::Array(trees), Value::Array(values)) => {
            trees.len() == values.len()
                && trees
                    .iter()
                    .zip(values)
                    .all(|(tree, value)| is_value(tree, value))
        }
        (Tree::Object(members), Value::Object(map)) => {
            let last = |key: &str| members.iter().rev().find(|member| member.0 == key);
            members.iter().all(|(key, _)| map.contains_key(key))
                && map
                    .iter()
                    .all(|(key, value)| is_value(&last(key).unwrap().1, value))
        }
        _ => false,
    }
}

proptest! {
    #[test]
    fn any_json_is_walked_as_it_was_written((text, tree) in any_json()) {
        let json = Json::parse(&text).unwrap();
        prop_assert_eq!(walked(json), tree.clone());
        // It refuses half surrogates and numbers beyond a float's, and we do not.
        if let Ok(value) = serde_json::from_str::<Value>(&text) {
            prop_assert!(is_value(&tree, &value), "{tree:?} {value}");
        }
    }

    #[test]
    fn of_json_that_was_cut_off_the_members_before_the_cut_are_found(
        (text, tree) in any_json(),
        cut in any::<prop::sample::Index>(),
    ) {
        let (Tree::Object(members), true) = (tree, !text.is_empty()) else {
            return Ok(());
        };
        let cut = cut.index(text.len());
        let start: String = text.char_indices().take_while(|(at, _)| *at < cut).map(|(_, c)| c).collect();
        let found: Vec<(String, Tree)> = Members::of(&start)
            .map(|(key, value)| (key.text().into_owned(), walked(value)))
            .collect();
        prop_assert!(members.starts_with(&found), "{start}: {found:?}");
        // All but the one that was cut, and a word before the cut, which might have gone on.
        let commas = Json::parse(&text).unwrap().members().map(|(_, value)| {
            value.get().as_ptr() as usize + value.get().len() - text.as_ptr() as usize
        });
        let whole = commas.filter(|end| *end < start.len()).count();
        prop_assert!(found.len() >= whole, "{start}: {found:?}");
    }

    #[test]
    fn any_text_is_walked_without_a_panic(text in "[{}\\[\\]:,\"\\\\ a1\n]{0,40}") {
        let json = Json::delimited(&text);
        let members = json.members().map(|(key, value)| (key.text(), value));
        prop_assert!(members.count() <= text.len());
        prop_assert!(json.elements().count() <= text.len());
        if let Ok(checked) = Json::parse(&text) {
            walked(checked);
        }
    }
}

#[test]
fn depth_is_no_limit() {
    let deep = format!("{}1{}", "[{\"a\":".repeat(200_000), "}]".repeat(200_000));
    let mut json = Json::parse(&deep).unwrap();
    assert_eq!(json.elements().count(), 1);
    // Each step looks at what is left, so only some are taken.
    for _ in 0..20 {
        json = json.elements().next().unwrap();
        json = json.members().next().unwrap().1;
    }
    assert_eq!(json.get().len(), deep.len() - 20 * 8);
}

#[test]
fn what_is_no_json_ends_the_walk() {
    let keys = |text| {
        Members::of(text)
            .map(|(key, _)| key.text())
            .collect::<Vec<_>>()
            .concat()
    };
    for (text, found) in [
        (r#"{"a":1 "b":2}"#, "a"),
        (r#"{"a":1,,"b":2}"#, "a"),
        (r#"{"a" 1,"b":2}"#, ""),
        (r#"{a:1,"b":2}"#, ""),
        (r#"{"a":1,"b":2"#, "a"),
        (r#"{"a":1,"b":[2"#, "a"),
        (r#"["a"]"#, ""),
    ] {
        assert_eq!(keys(text), found, "{text}");
    }
    assert!(Json::parse(r#"{"a":1 "b":2}"#).is_err());
    assert!(Json::parse("{} {}").is_err());
}
