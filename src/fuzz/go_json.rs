//! JSON as Go writes it, read back by `serde_json`.

use serde_json::Value;

use super::input::Input;
use crate::agents::parts::go_json::{self, Escape, GoObject};
use crate::model::raw_json::RawJson;

/// Texts and JSON of any content: what is written is JSON, and says the same.
pub(super) fn run(data: &[u8]) {
    let mut input = Input::new(data);
    let escape = if input.byte().is_multiple_of(2) {
        Escape::Html
    } else {
        Escape::Plain
    };
    let (name, text) = (input.text(), input.text());
    let json = input.json();
    let written = go_json::string(&text, escape);
    assert_eq!(serde_json::from_str::<String>(&written).unwrap(), text);
    // Go escapes these two in JSON, since JavaScript took them for line ends.
    assert!(!written.contains(['\n', '\r', '\u{2028}', '\u{2029}']));
    let compacted = go_json::compact(json.as_str(), escape);
    same(&compacted, json.as_str());
    assert_eq!(go_json::compact(&compacted, escape), compacted);

    let mut object = GoObject::new(escape);
    object
        .text(&name, &text)
        .text_if("if", &text)
        .json("json", json.as_str());
    object.number("number", input.number());
    object.time("time", Some(input.time()));
    let line = object.line();
    assert_eq!(memchr::memchr_iter(b'\n', &line).count(), 1);
    let line = String::from_utf8(line).unwrap();
    if escape == Escape::Html {
        assert!(!line.contains(['<', '>', '&']));
    }
    RawJson::parse(line.trim_end()).unwrap();

    let text = String::from_utf8_lossy(input.rest());
    if let Ok(json) = RawJson::parse(&*text) {
        same(&go_json::compact(json.as_str(), escape), json.as_str());
    }
}

/// What was written is the same JSON, as far as `serde_json` can hold it, without white space.
fn same(written: &str, other: &str) {
    let (one, other) = (
        serde_json::from_str::<Value>(written),
        serde_json::from_str::<Value>(other),
    );
    assert_eq!(one.is_ok(), other.is_ok());
    if let (Ok(one), Ok(other)) = (one, other) {
        assert_eq!(one, other);
        // White space is in strings alone.
        if !other.to_string().contains(' ') {
            assert!(!written.contains(' '), "{written}");
        }
    }
}
