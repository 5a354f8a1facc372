//! The columns of one row, as the fields of an entry.

use rusqlite::Row;

use super::named::Column;
use crate::agents::parts::compact::{compact, string};
use crate::agents::parts::fields::{fields_of, object_in};
use crate::agents::parts::sqlite::sql::{capped, quoted};
use crate::agents::parts::sqlite::values::{too_large, value_json, value_text};
use crate::model::limits::LINE_BYTES_MAX;

/// Fields of an entry, as JSON.
pub(super) type Members = Vec<(String, String)>;

pub(super) fn borrowed(members: &Members) -> impl Iterator<Item = (&str, &str)> {
    let members = members.iter();
    members.map(|(key, value)| (key.as_str(), value.as_str()))
}

pub(super) fn has(found: &[String], column: &str) -> bool {
    found.iter().any(|name| name == column)
}

/// Those of the wanted columns that are there.
pub(super) fn there(found: &[String], wanted: &[Column]) -> Vec<Column> {
    let wanted = wanted.iter().filter(|column| has(found, column.name()));
    wanted.copied().collect()
}

/// Columns in a query, behind each of which stands its size.
pub(super) fn selected(columns: &[Column]) -> String {
    let columns: Vec<String> = columns
        .iter()
        .map(|column| {
            let name = column.name();
            let value = capped(name, LINE_BYTES_MAX);
            format!("{value}, octet_length({})", quoted(name))
        })
        .collect();
    if columns.is_empty() {
        return "NULL".to_owned();
    }
    columns.join(", ")
}

/// The columns of a row as JSON, and what is wrong with them.
pub(super) fn members(
    row: &Row<'_>,
    columns: &[Column],
) -> rusqlite::Result<(Members, Vec<String>)> {
    let (mut members, mut problems) = (Vec::new(), Vec::new());
    for (at, column) in columns.iter().enumerate() {
        let value = row.get_ref(2 * at)?;
        let size: Option<i64> = row.get(2 * at + 1)?;
        let json = match (column, value_text(&value)) {
            (_, None) => match size {
                // NULL, which is left out: a column that comes with a later version changes no line
                // that is stored.
                None => continue,
                Some(size) => {
                    // A size without a value: the statement leaves out what is too large.
                    let bytes = u64::try_from(size).unwrap_or(0);
                    let problem = too_large(bytes, LINE_BYTES_MAX as u64);
                    problems.push(format!("column `{}`: {problem}", column.name()));
                    format!("{{\"omittedBytes\":{size}}}")
                }
            },
            (Column::Json(_), _) => value_json(&value).unwrap_or_default(),
            (Column::Member(_, member), Some(text)) => {
                let object = object_in(&text).ok();
                let [found] = fields_of(object, &[*member]);
                let Some(found) = found else { continue };
                compact(found.get())
            }
            (Column::Plain(_), Some(text)) => match value.data_type() {
                rusqlite::types::Type::Integer | rusqlite::types::Type::Real => {
                    value_json(&value).unwrap_or_else(|| string(&text))
                }
                _ => string(&text),
            },
        };
        members.push((column.key().to_owned(), json));
    }
    Ok((members, problems))
}
