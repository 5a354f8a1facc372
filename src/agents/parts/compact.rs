//! JSON on one line: the white space between its tokens goes, every other byte stays.

/// The JSON text without the white space between its tokens. Key order, escapes and the spelling
/// of numbers stay.
pub(crate) fn compact(json: &str) -> String {
    let mut text = String::with_capacity(json.len());
    let (mut in_string, mut escaped) = (false, false);
    let mut kept_from = 0;
    for (at, byte) in json.bytes().enumerate() {
        match byte {
            _ if escaped => escaped = false,
            b'\\' if in_string => escaped = true,
            b'"' => in_string = !in_string,
            // Only between tokens: what stands in a text is the agent's.
            b' ' | b'\t' | b'\r' | b'\n' if !in_string => {
                text.push_str(json.get(kept_from..at).unwrap_or_default());
                kept_from = at + 1;
            }
            _ => {}
        }
    }
    text.push_str(json.get(kept_from..).unwrap_or_default());
    text
}

/// Fields that are JSON already, as one object.
pub(crate) fn object<'a>(fields: impl IntoIterator<Item = (&'a str, &'a str)>) -> String {
    let mut text = "{".to_owned();
    for (key, json) in fields {
        if text.len() > 1 {
            text.push(',');
        }
        text.push_str(&string(key));
        text.push(':');
        text.push_str(json);
    }
    text.push('}');
    text
}

/// A text as JSON.
pub(crate) fn string(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_white_space_between_tokens_goes() {
        let json =
            "{\n  \"b\" : [ 1.50, 1e400,\t\"a \\\" b\\\\\" ],\r\n \"a\":\"\\u00e9 \u{2028}資\" }";
        assert_eq!(
            compact(json),
            "{\"b\":[1.50,1e400,\"a \\\" b\\\\\"],\"a\":\"\\u00e9 \u{2028}資\"}"
        );
        assert_eq!(compact(""), "");
    }

    #[test]
    fn an_object_is_made_of_its_fields() {
        assert_eq!(object([]), "{}");
        assert_eq!(object([("a\"", "1"), ("b", "[2]")]), r#"{"a\"":1,"b":[2]}"#);
    }
}
