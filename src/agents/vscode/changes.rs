//! What the changes of a chat come to: a line sets the whole, a value in it, adds to a list, or takes a value
//! away.
//!
//! A line that cannot be read is passed over: the file itself is kept as it is. No change makes more than it
//! says: a place behind the end of a list is none. No change costs more than its own length, and none leads
//! deeper than [`STEPS`], whatever is in it.

use serde_json::Value;

use crate::agents::parts::lines::body;

/// What a line does.
const WHOLE: u64 = 0;
const SET: u64 = 1;
const PUSH: u64 = 2;
const DELETE: u64 = 3;

/// Most steps that a path may have: what is nested deeper could not be let go of again.
const STEPS: usize = 32;

/// Most bytes that are read: as values they take many times as much.
const BYTES: usize = 32 * 1024 * 1024;

/// The document that bytes are, or come to; `None` if they are none.
pub(super) fn fold(bytes: &[u8]) -> Option<Value> {
    if bytes.len() > BYTES {
        return None;
    }
    let text = String::from_utf8_lossy(bytes);
    if let Ok(whole) = serde_json::from_str::<Value>(body(&text))
        // A file of a single change is one object too.
        && whole.get("kind").is_none()
    {
        return whole.is_object().then_some(whole);
    }
    let mut state = None;
    for line in text.lines() {
        if let Ok(Value::Object(mut change)) = serde_json::from_str(body(line)) {
            let kind = change.get("kind").and_then(Value::as_u64);
            let value = change.remove("v");
            match (kind, &mut state) {
                (Some(WHOLE), _) => state = value.filter(Value::is_object),
                (Some(kind), Some(state)) => apply(state, kind, &change, value),
                _ => {}
            }
        }
    }
    state
}

/// Makes one change.
fn apply(
    state: &mut Value,
    kind: u64,
    change: &serde_json::Map<String, Value>,
    value: Option<Value>,
) {
    let Some(Value::Array(path)) = change.get("k") else {
        return;
    };
    if path.len() > STEPS {
        return;
    }
    match kind {
        SET => {
            if let (Some(place), Some(value)) = (place(state, path, true), value) {
                *place = value;
            }
        }
        PUSH => {
            let from = change.get("i").and_then(Value::as_u64);
            if let Some(list) = place(state, path, true) {
                push(list, from, value);
            }
        }
        DELETE => {
            if let Some((last, way)) = path.split_last()
                && let Some(within) = place(state, way, false)
            {
                remove(within, last);
            }
        }
        _ => {}
    }
}

/// The place that a path leads to. The last step may be one that is `made`: a new key, or the end of a
/// list.
fn place<'v>(state: &'v mut Value, path: &[Value], made: bool) -> Option<&'v mut Value> {
    let mut at = state;
    for (number, step) in path.iter().enumerate() {
        let is_made = made && number + 1 == path.len();
        at = match (at, step) {
            (Value::Object(fields), Value::String(key)) => {
                if is_made && !fields.contains_key(key) {
                    fields.insert(key.clone(), Value::Null);
                }
                fields.get_mut(key)?
            }
            (Value::Array(list), Value::Number(index)) => {
                let index = usize::try_from(index.as_u64()?).ok()?;
                if is_made && index == list.len() {
                    list.push(Value::Null);
                }
                list.get_mut(index)?
            }
            _ => return None,
        };
    }
    Some(at)
}

/// Adds to a list, from a place on that it is cut off at.
fn push(list: &mut Value, from: Option<u64>, value: Option<Value>) {
    if list.is_null() {
        *list = Value::Array(Vec::new());
    }
    let Value::Array(list) = list else {
        return;
    };
    if let Some(from) = from.and_then(|from| usize::try_from(from).ok()) {
        list.truncate(from);
    }
    match value {
        Some(Value::Array(more)) => list.extend(more),
        Some(Value::Null) | None => {}
        Some(one) => list.push(one),
    }
}

fn remove(within: &mut Value, last: &Value) {
    match (within, last) {
        (Value::Object(fields), Value::String(key)) => {
            fields.remove(key);
        }
        (Value::Array(list), Value::Number(index)) => {
            let index = index.as_u64().and_then(|index| usize::try_from(index).ok());
            // It leaves a hole: what stands behind it keeps its place.
            if let Some(hole) = index.and_then(|index| list.get_mut(index)) {
                *hole = Value::Null;
            }
        }
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn changes_come_to_a_document() {
        let whole = r#"{"kind":0,"v":{"a":[1,2,3],"b":{}}}"#;
        for (changes, expected) in [
            ("", r#"{"a":[1,2,3],"b":{}}"#),
            (
                r#"{"kind":1,"k":["b","c"],"v":"x"}"#,
                r#"{"a":[1,2,3],"b":{"c":"x"}}"#,
            ),
            (r#"{"kind":1,"k":["a",0],"v":9}"#, r#"{"a":[9,2,3],"b":{}}"#),
            (
                r#"{"kind":2,"k":["a"],"v":[4]}"#,
                r#"{"a":[1,2,3,4],"b":{}}"#,
            ),
            (
                r#"{"kind":2,"k":["a"],"v":[4],"i":1}"#,
                r#"{"a":[1,4],"b":{}}"#,
            ),
            (r#"{"kind":2,"k":["a"],"i":0}"#, r#"{"a":[],"b":{}}"#),
            (
                r#"{"kind":2,"k":["b","new"],"v":[4]}"#,
                r#"{"a":[1,2,3],"b":{"new":[4]}}"#,
            ),
            (r#"{"kind":3,"k":["a",1]}"#, r#"{"a":[1,null,3],"b":{}}"#),
            (r#"{"kind":3,"k":["b"]}"#, r#"{"a":[1,2,3]}"#),
            // What leads nowhere, and what cannot be read.
            (
                r#"{"kind":1,"k":["a",4000000000],"v":9}"#,
                r#"{"a":[1,2,3],"b":{}}"#,
            ),
            (
                r#"{"kind":1,"k":["a","x","y"],"v":9}"#,
                r#"{"a":[1,2,3],"b":{}}"#,
            ),
            (r#"{"kind":3,"k":[]}"#, r#"{"a":[1,2,3],"b":{}}"#),
            (r#"{"kind":7,"k":["a"]}"#, r#"{"a":[1,2,3],"b":{}}"#),
            (r#"{"kind":1,"k":["a"],"v":"#, r#"{"a":[1,2,3],"b":{}}"#),
            ("\u{0}noise", r#"{"a":[1,2,3],"b":{}}"#),
            (r#"{"kind":0,"v":{"c":1}}"#, r#"{"c":1}"#),
        ] {
            let found = fold(format!("{whole}\n{changes}\n").as_bytes());
            let expected: Value = serde_json::from_str(expected).unwrap();
            assert_eq!(found, Some(expected), "{changes}");
        }
        for nothing in [
            "",
            "[]",
            "7",
            r#"{"kind":1,"k":["a"],"v":1}"#,
            r#"{"kind":0,"v":3}"#,
        ] {
            assert_eq!(fold(nothing.as_bytes()), None, "{nothing}");
        }
        assert!(fold(br#"{"version":3,"requests":[]}"#).is_some());
    }

    #[test]
    fn changes_that_lead_deep_or_are_many_do_no_harm() {
        let steps = |count: usize| vec!["\"a\""; count].join(",");
        let set = |count: usize| {
            format!(
                "{{\"kind\":1,\"k\":[{}],\"v\":{{\"a\":{{}}}}}}\n",
                steps(count)
            )
        };
        let mut content = "{\"kind\":0,\"v\":{\"a\":{}}}\n".to_owned();
        for count in 1..100_usize {
            content += &set(count);
        }
        let mut depth = 0;
        let mut at = fold(content.as_bytes());
        while let Some(Value::Object(mut fields)) = at {
            at = fields.remove("a");
            depth += 1;
        }
        assert_eq!(depth, STEPS + 2);
        let holes = "{\"kind\":3,\"k\":[\"a\",0]}\n".repeat(10_000);
        let list = format!(
            "{{\"kind\":0,\"v\":{{\"a\":[{}0]}}}}\n",
            "0,".repeat(10_000)
        );
        let found = fold((list + &holes).as_bytes()).unwrap();
        assert_eq!(found["a"].as_array().unwrap().len(), 10_001);
        assert_eq!(fold(&vec![b' '; BYTES + 1]), None);
    }
}
