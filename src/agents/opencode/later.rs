//! The table of messages that later versions of OpenCode write: `session_message`, a row for each thing
//! that was said or done, numbered within its session.

use rusqlite::types::{Value, ValueRef};
use rusqlite::{Connection, OptionalExtension as _};

use super::writing::later_line;
use crate::agents::parts::sqlite::sql::{
    Bounds, LARGE_PARTS_MAX, Line, capped, columns, count, ids_of, order,
};
use crate::agents::parts::sqlite::values::{data_of, value_text};
use crate::model::limits::LINE_BYTES_MAX;

/// Its name.
const TABLE: &str = "session_message";

/// Its columns, if it is there and can be read.
#[derive(Clone, Debug)]
pub(super) struct LaterTable(Vec<String>);

#[expect(
    clippy::unused_self,
    reason = "only who has looked at the table asks it"
)]
impl LaterTable {
    /// Looks at the table; `None` if there is none.
    pub(super) fn of(connection: &Connection) -> rusqlite::Result<Option<Self>> {
        let found = columns(connection, TABLE)?;
        let has = |column: &&str| found.iter().any(|name| name == *column);
        let is_whole = ["id", "session_id", "type", "data"].iter().all(has);
        Ok(is_whole.then_some(Self(found)))
    }

    /// How many rows a session has.
    pub(super) fn message_count(
        &self,
        connection: &Connection,
        session: &Value,
    ) -> rusqlite::Result<u64> {
        count(connection, TABLE, session)
    }

    /// The ids of a session's rows in their order, and what is left out.
    pub(super) fn messages(
        &self,
        connection: &Connection,
        session: &Value,
        bounds: Bounds,
    ) -> rusqlite::Result<(Vec<Value>, Option<String>)> {
        let order = order(&self.0, &["seq", "time_created", "id"]);
        ids_of(connection, (TABLE, &order), session, bounds)
    }

    /// The line of a row; `None` if it is gone.
    pub(super) fn line(
        &self,
        connection: &Connection,
        session: &str,
        id: &Value,
    ) -> rusqlite::Result<Option<Line>> {
        let sql = format!(
            "SELECT {}, octet_length(\"data\"), \"type\" FROM \"{TABLE}\" WHERE \"id\" = ?1",
            capped("data", LINE_BYTES_MAX)
        );
        let read = connection
            .prepare_cached(&sql)?
            .query_row([id], |row| {
                let (data, problem) = data_of(row, 0)?;
                Ok((
                    data,
                    problem,
                    value_text(&row.get_ref(2)?).unwrap_or_default(),
                ))
            })
            .optional()?;
        let Some((data, problem, kind)) = read else {
            return Ok(None);
        };
        let id = value_text(&ValueRef::from(id)).unwrap_or_default();
        let problems = problem.map(|problem| format!("message `{id}`: {problem}"));
        Ok(Some(Line {
            bytes: later_line(
                &data,
                &[("id", &id), ("sessionID", session), ("type", &kind)],
            ),
            problems: problems.into_iter().collect(),
        }))
    }

    /// The rows of a session that are too large to be read.
    pub(super) fn too_large(
        &self,
        connection: &Connection,
        session: &Value,
    ) -> rusqlite::Result<Vec<(String, Option<String>, u64)>> {
        let sql = format!(
            r#"SELECT "id", octet_length("data") FROM "{TABLE}"
            WHERE "session_id" = ?1 AND octet_length("data") > {LINE_BYTES_MAX}
            LIMIT {LARGE_PARTS_MAX}"#
        );
        let mut statement = connection.prepare_cached(&sql)?;
        let found = statement.query_map([session], |row| {
            let message = value_text(&row.get_ref(0)?).unwrap_or_default();
            let bytes: i64 = row.get(1)?;
            Ok((message, None, u64::try_from(bytes).unwrap_or(0)))
        })?;
        found.collect()
    }
}
