//! JSON text that is known to be well-formed, walked through without being parsed again.
//!
//! A line is checked once, by `serde_json`. From then on its values are found by looking for the
//! quotes and brackets that end them, several times as fast as a parser goes, and nothing is
//! converted before somebody asks what it is.

use std::borrow::Cow;

use memchr::memchr;
use serde::{Deserialize, Deserializer};
use serde_json::value::RawValue;

use super::json_string;

/// Bytes of a string that are looked at one by one.
const SHORT_BYTES: usize = 16;

/// One JSON value, as its text without white space around it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Json<'a>(&'a str);

impl<'a> Json<'a> {
    /// Takes text after checking that it is one JSON value. Depth is no limit, numbers may have
    /// any size, and half of a surrogate pair is no error.
    ///
    /// # Errors
    ///
    /// What `serde_json` says, if it is not.
    pub(crate) fn parse(text: &'a str) -> serde_json::Result<Self> {
        serde_json::from_str::<&RawValue>(text).map(Self::of)
    }

    /// Text that `serde_json` has delimited as one value.
    pub(crate) fn delimited(text: &'a str) -> Self {
        Self(text)
    }

    /// A value that `serde_json` has delimited.
    pub(crate) fn of(value: &'a RawValue) -> Self {
        Self(value.get())
    }

    /// Its text.
    pub(crate) fn get(self) -> &'a str {
        self.0
    }

    /// Whether it is an object.
    pub(crate) fn is_object(self) -> bool {
        self.0.starts_with('{')
    }

    /// Every member of an object in its order, duplicates included; none of anything else.
    pub(crate) fn members(self) -> Members<'a> {
        Members::of(self.0)
    }

    /// Every element of an array in its order; none of anything else.
    pub(crate) fn elements(self) -> Elements<'a> {
        Elements(Items::of(self.0, '['))
    }
}

impl<'de> Deserialize<'de> for Json<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        <&RawValue>::deserialize(deserializer).map(Self::of)
    }
}

/// The key of a member.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Key<'a>(&'a str);

impl<'a> Key<'a> {
    /// Its JSON, with the quotes.
    pub(crate) fn json(self) -> Json<'a> {
        Json(self.0)
    }

    /// Its text.
    pub(crate) fn text(self) -> Cow<'a, str> {
        json_string::decode(self.0).unwrap_or_default()
    }

    /// Its place among names.
    pub(crate) fn place_in(self, names: &[&str]) -> Option<usize> {
        let text = self.text();
        names.iter().position(|name| *name == text)
    }
}

/// The members of an object, which may be cut off: those before the cut.
#[derive(Clone, Debug)]
pub(crate) struct Members<'a>(Items<'a>);

impl<'a> Members<'a> {
    /// Of text that starts with an object.
    pub(crate) fn of(text: &'a str) -> Self {
        Self(Items::of(text, '{'))
    }
}

impl<'a> Iterator for Members<'a> {
    type Item = (Key<'a>, Json<'a>);

    fn next(&mut self) -> Option<Self::Item> {
        let text = self.0.text;
        let start = self.0.start()?;
        let key_end = match text.as_bytes().get(start)? {
            b'"' => end_of_string(text.as_bytes(), start + 1)?,
            _ => return None,
        };
        let colon = behind(text, key_end, b':')?;
        let value = self.0.value(white_space(text, colon))?;
        Some((Key(text.get(start..key_end)?), value))
    }
}

/// The elements of an array.
#[derive(Clone, Debug)]
pub(crate) struct Elements<'a>(Items<'a>);

impl<'a> Iterator for Elements<'a> {
    type Item = Json<'a>;

    fn next(&mut self) -> Option<Self::Item> {
        let start = self.0.start()?;
        self.0.value(start)
    }
}

/// What stands between two brackets, with commas between.
#[derive(Clone, Debug)]
struct Items<'a> {
    text: &'a str,
    /// Behind the bracket, or behind the last item.
    at: usize,
    is_first: bool,
}

impl<'a> Items<'a> {
    /// Of text that starts with a bracket; none of any other.
    fn of(text: &'a str, bracket: char) -> Self {
        Self {
            text: if text.starts_with(bracket) { text } else { "" },
            at: 1,
            is_first: true,
        }
    }

    /// Where the next item starts.
    fn start(&mut self) -> Option<usize> {
        let at = if std::mem::take(&mut self.is_first) {
            self.at
        } else {
            behind(self.text, self.at, b',')?
        };
        Some(white_space(self.text, at))
    }

    /// The value that ends the item.
    fn value(&mut self, start: usize) -> Option<Json<'a>> {
        let end = end_of_value(self.text, start)?;
        self.at = end;
        self.text.get(start..end).map(Json)
    }
}

/// The first place from `at` on that is not white space.
fn white_space(text: &str, at: usize) -> usize {
    let rest = text.as_bytes().get(at..).unwrap_or_default();
    let is_white = |byte: &&u8| matches!(byte, b' ' | b'\t' | b'\r' | b'\n');
    at + rest.iter().take_while(is_white).count()
}

/// Behind a byte that comes next, white space aside.
fn behind(text: &str, at: usize, wanted: u8) -> Option<usize> {
    let at = white_space(text, at);
    (*text.as_bytes().get(at)? == wanted).then_some(at + 1)
}

/// Behind the value that starts at `start`; `None` if there is none, or if it does not end.
fn end_of_value(text: &str, start: usize) -> Option<usize> {
    let bytes = text.as_bytes();
    let mut at = start;
    let mut depth = 0_usize;
    loop {
        match *bytes.get(at)? {
            b'"' => at = end_of_string(bytes, at + 1)?,
            b'{' | b'[' => {
                depth += 1;
                at += 1;
            }
            b'}' | b']' => {
                depth = depth.checked_sub(1)?;
                at += 1;
            }
            _ if depth == 0 => at = end_of_word(bytes, at)?,
            // White space, commas, colons and words within.
            _ => at += 1,
        }
        if depth == 0 {
            return Some(at);
        }
    }
}

/// Behind the quote that ends a string, whose text starts at `at`.
fn end_of_string(bytes: &[u8], mut at: usize) -> Option<usize> {
    // Most strings are keys and words: shorter than it takes to get a faster search going.
    for (length, byte) in bytes.get(at..)?.iter().take(SHORT_BYTES).enumerate() {
        match byte {
            b'"' => return Some(at + length + 1),
            b'\\' => break,
            _ => {}
        }
    }
    loop {
        let quote = at + memchr(b'"', bytes.get(at..)?)?;
        let before = bytes.get(at..quote)?;
        let backslashes = before
            .iter()
            .rev()
            .take_while(|byte| **byte == b'\\')
            .count();
        if backslashes % 2 == 0 {
            return Some(quote + 1);
        }
        at = quote + 1;
    }
}

/// Behind a number, `true`, `false` or `null`; `None` if the text may go on.
fn end_of_word(bytes: &[u8], at: usize) -> Option<usize> {
    let rest = bytes.get(at..)?;
    let is_end = |byte: &u8| matches!(byte, b',' | b'}' | b']' | b' ' | b'\t' | b'\r' | b'\n');
    rest.iter().position(is_end).map(|length| at + length)
}

#[cfg(test)]
mod tests {
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
            b'[' => Tree::Array(json.elements().map(walked).collect()),
            b'"' => Tree::Text(json_string::decode(json.get()).unwrap().into_owned()),
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
}
