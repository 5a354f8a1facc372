//! The first tables of messages: `message`, and `part` with what is in each.

use rusqlite::types::{Value, ValueRef};
use rusqlite::{Connection, OptionalExtension as _};

use super::writing::{message_line, with_ids};
use crate::agents::parts::sqlite::sql::{
    Bounds, LARGE_PARTS_MAX, Line, capped, columns, count, ids_of, key, needs, order,
};
use crate::agents::parts::sqlite::values::{data_of, value_text};
use crate::model::limits::LINE_BYTES_MAX;

/// The first tables of messages.
#[derive(Clone, Debug)]
pub(super) struct FirstTables {
    message: Vec<String>,
    part: Vec<String>,
    /// What tells the rows of `part` apart.
    part_key: &'static str,
}

impl FirstTables {
    /// Looks at the tables; `None` if they need not be there and are not.
    ///
    /// # Errors
    ///
    /// That a column is not there without which nothing can be read.
    pub(super) fn of(connection: &Connection, needed: bool) -> rusqlite::Result<Option<Self>> {
        let found = Self {
            message: columns(connection, "message")?,
            part: columns(connection, "part")?,
            part_key: key(connection, "part")?,
        };
        if !needed && (found.message.is_empty() || found.part.is_empty()) {
            return Ok(None);
        }
        needs("message", &found.message, &["id", "session_id", "data"])?;
        needs("part", &found.part, &["message_id", "data"])?;
        Ok(Some(found))
    }

    /// How many messages a session has.
    #[expect(
        clippy::unused_self,
        reason = "only who has looked at the table asks it"
    )]
    pub(super) fn message_count(
        &self,
        connection: &Connection,
        session: &Value,
    ) -> rusqlite::Result<u64> {
        count(connection, "message", session)
    }

    /// The ids of a session's messages in their order, and what is left out.
    pub(super) fn messages(
        &self,
        connection: &Connection,
        session: &Value,
        bounds: Bounds,
    ) -> rusqlite::Result<(Vec<Value>, Option<String>)> {
        let order = order(&self.message, &["time_created", "id"]);
        ids_of(connection, ("message", &order), session, bounds)
    }

    /// The messages and parts of a session that are too large to be read: the ids of the message
    /// and the part, and how many bytes. Their content is not touched.
    pub(super) fn too_large(
        &self,
        connection: &Connection,
        session: &Value,
    ) -> rusqlite::Result<Vec<(String, Option<String>, u64)>> {
        let (message, part) = (r#""message"."data""#, r#""part"."data""#);
        // The length is asked of SQLite, which knows it without reading the value.
        let sql = format!(
            r#"SELECT "id", NULL, octet_length({message}) FROM "message"
            WHERE "session_id" = ?1 AND octet_length({message}) > {LINE_BYTES_MAX}
            UNION ALL
            SELECT "message"."id", coalesce({}, ''), octet_length({part}) FROM "message"
            JOIN "part" ON "part"."message_id" = "message"."id"
            WHERE "message"."session_id" = ?1 AND octet_length({part}) > {LINE_BYTES_MAX}
            LIMIT {LARGE_PARTS_MAX}"#,
            self.part_id("\"part\".\"id\"")
        );
        let mut statement = connection.prepare_cached(&sql)?;
        let found = statement.query_map([session], |row| {
            let message = value_text(&row.get_ref(0)?).unwrap_or_default();
            let part = value_text(&row.get_ref(1)?);
            let bytes: i64 = row.get(2)?;
            Ok((message, part, u64::try_from(bytes).unwrap_or(0)))
        })?;
        found.collect()
    }

    /// A part's id in a query, if parts have any.
    fn part_id<'c>(&self, column: &'c str) -> &'c str {
        if self.part.iter().any(|name| name == "id") {
            column
        } else {
            "NULL"
        }
    }

    /// The line of a message; `None` if it is gone.
    pub(super) fn line(
        &self,
        connection: &Connection,
        session: &str,
        message: &Value,
        bounds: Bounds,
    ) -> rusqlite::Result<Option<Line>> {
        let sql = format!(
            "SELECT {}, octet_length(\"data\") FROM \"message\" WHERE \"id\" = ?1",
            capped("data", LINE_BYTES_MAX)
        );
        let data = connection
            .prepare_cached(&sql)?
            .query_row([message], |row| data_of(row, 0))
            .optional()?;
        let Some((data, problem)) = data else {
            return Ok(None);
        };
        let id = value_text(&ValueRef::from(message)).unwrap_or_default();
        let mut problems = Vec::new();
        problems.extend(problem.map(|problem| format!("message `{id}`: {problem}")));
        let info = with_ids(&data, &[("id", &id), ("sessionID", session)]);
        let sql = format!(
            "SELECT {}, octet_length(\"data\"), {} FROM \"part\" WHERE {} = ?1",
            capped("data", LINE_BYTES_MAX),
            self.part_id("\"id\""),
            self.part_key
        );
        let mut statement = connection.prepare_cached(&sql)?;
        // Keys first, and each part by its key: sorted with their content, parts would all be in
        // memory at once.
        let (keys, more) = self.part_keys(connection, message, bounds)?;
        let (mut parts, mut bytes) = (Vec::new(), info.len());
        let mut left_out = more;
        for key in keys {
            if bytes >= bounds.bytes {
                left_out = true;
                break;
            }
            let read = statement.query_row([key], |row| {
                let (data, problem) = data_of(row, 0)?;
                let part = value_text(&row.get_ref(2)?).unwrap_or_default();
                Ok((data, problem, part))
            });
            let Some((data, problem, part)) = read.optional()? else {
                continue;
            };
            problems
                .extend(problem.map(|problem| format!("message `{id}`, part `{part}`: {problem}")));
            let ids = [("id", &*part), ("sessionID", session), ("messageID", &*id)];
            let part = with_ids(&data, &ids);
            bytes = bytes.saturating_add(part.len());
            parts.push(part);
        }
        if left_out {
            let count = parts.len();
            problems.push(format!("message `{id}`: parts are left out after {count}"));
        }
        Ok(Some(Line {
            bytes: message_line(&info, &parts),
            problems,
        }))
    }

    /// What tells a message's parts apart, in their order, and whether there are more. Their
    /// content is read one by one, so that SQLite sorts none of it.
    fn part_keys(
        &self,
        connection: &Connection,
        message: &Value,
        bounds: Bounds,
    ) -> rusqlite::Result<(Vec<Value>, bool)> {
        let sql = format!(
            "SELECT {} FROM \"part\" WHERE \"message_id\" = ?1 {} LIMIT {}",
            self.part_key,
            order(&self.part, &["id"]),
            // One more than may be, to see whether there are more.
            bounds.rows.saturating_add(1)
        );
        let mut statement = connection.prepare_cached(&sql)?;
        let keys = statement.query_map([message], |row| row.get(0))?;
        let mut keys: Vec<Value> = keys.collect::<rusqlite::Result<_>>()?;
        let more = keys.len() > bounds.rows;
        keys.truncate(bounds.rows);
        Ok((keys, more))
    }
}
