//! Values of SQLite as text and as JSON.

use rusqlite::Row;
use rusqlite::types::ValueRef;

use crate::agents::parts::compact::compact as one_line;
use crate::model::limits::LINE_BYTES_MAX;

/// The JSON in the column at `at`, behind which stands its size, and what is wrong with it.
pub(crate) fn data_of(row: &Row<'_>, at: usize) -> rusqlite::Result<(String, Option<String>)> {
    let value = row.get_ref(at)?;
    if let Some(text) = value_text(&value) {
        let is_text = match value {
            ValueRef::Text(bytes) | ValueRef::Blob(bytes) => std::str::from_utf8(bytes).is_ok(),
            _ => true,
        };
        let problem = "has bytes that are not UTF-8; they are replaced";
        return Ok((text, (!is_text).then(|| problem.to_owned())));
    }
    // A size without a value: the statement leaves out what is too large.
    let bytes: Option<i64> = row.get(at + 1)?;
    Ok(match bytes {
        None => ("null".to_owned(), Some("has no content".to_owned())),
        Some(bytes) => (
            format!("{{\"omittedBytes\":{bytes}}}"),
            Some(too_large(
                u64::try_from(bytes).unwrap_or(0),
                LINE_BYTES_MAX as u64,
            )),
        ),
    })
}

/// Why something is left out.
pub(crate) fn too_large(bytes: u64, limit: u64) -> String {
    format!("has {bytes} bytes, the limit is {limit}; it is left out")
}

/// A value as text; bytes that are not UTF-8 are replaced. `None` for NULL.
pub(crate) fn value_text(value: &ValueRef<'_>) -> Option<String> {
    Some(match value {
        ValueRef::Null => return None,
        ValueRef::Integer(number) => number.to_string(),
        ValueRef::Real(number) => number.to_string(),
        ValueRef::Text(bytes) | ValueRef::Blob(bytes) => {
            String::from_utf8_lossy(bytes).into_owned()
        }
    })
}

/// A value as JSON: an object or array that is stored as text stays one. `None` for NULL.
pub(crate) fn value_json(value: &ValueRef<'_>) -> Option<String> {
    match value {
        ValueRef::Integer(number) => Some(number.to_string()),
        ValueRef::Real(number) => serde_json::Number::from_f64(*number).map(|n| n.to_string()),
        value => {
            let text = value_text(value)?;
            let is_json = text.starts_with(['{', '['])
                && serde_json::from_str::<serde::de::IgnoredAny>(&text).is_ok();
            Some(if is_json {
                one_line(&text)
            } else {
                serde_json::Value::from(text).to_string()
            })
        }
    }
}
