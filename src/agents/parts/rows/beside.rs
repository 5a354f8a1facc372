//! Rows of other tables that belong to a row, and sums over them.

use rusqlite::Connection;
use rusqlite::types::Value;

use super::named::{Beside, Chain, Sums};
use super::row::{borrowed, has, members, selected, there};
use crate::agents::parts::compact::{object, string};
use crate::agents::parts::sqlite::sql::{NAME_BYTES_MAX, capped, columns, order, quoted};
use crate::agents::parts::sqlite::values::value_text;

/// Rows beside one row that are read, at most.
const BESIDE_MAX: usize = 10_000;

/// Rows of a chain that are gone back, at most: in a damaged database it may be a circle.
const CHAIN_MAX: usize = 10_000;

/// What a row has under the name of another table.
type Found = Option<(String, String)>;

impl Beside {
    /// The columns of the row that lead to what is beside it: twice the same, or the second one of its session.
    pub(super) fn led_by(&self) -> [&'static str; 2] {
        match self {
            Self::Rows { of, .. } => [of.1, of.1],
            Self::Chain(chain) => [chain.from.2, chain.from.1],
        }
    }

    /// What is beside a row with these values in those columns; `None` if there is nothing, or no such table.
    pub(super) fn read(
        &self,
        connection: &Connection,
        [from, session]: &[Value; 2],
    ) -> rusqlite::Result<Found> {
        match self {
            Self::Rows {
                table,
                of,
                order: by,
                columns: wanted,
            } => {
                let found = columns(connection, table)?;
                let wanted = there(&found, wanted);
                // Versions differ in tables and columns: what is not there is left out, and the row
                // is read all the same.
                if *from == Value::Null || wanted.is_empty() || !has(&found, of.0) {
                    return Ok(None);
                }
                let sql = format!(
                    "SELECT {} FROM \"{table}\" WHERE {} = ?1 {} LIMIT {BESIDE_MAX}",
                    selected(&wanted),
                    quoted(of.0),
                    order(&found, by)
                );
                let mut statement = connection.prepare_cached(&sql)?;
                let rows = statement.query_map([from], |row| {
                    let (members, _) = members(row, &wanted)?;
                    Ok(object(borrowed(&members)))
                })?;
                let rows: Vec<String> = rows.collect::<rusqlite::Result<_>>()?;
                Ok(listed(table, &rows))
            }
            Self::Chain(chain) => chain.read(connection, from, session),
        }
    }
}

impl Chain {
    fn read(
        &self,
        connection: &Connection,
        from: &Value,
        session: &Value,
    ) -> rusqlite::Result<Found> {
        let (table, id, before) = self.links;
        let links = columns(connection, table)?;
        let found = columns(connection, self.table)?;
        let wanted = there(&found, self.columns);
        let is_there = [id, before, self.column]
            .iter()
            .all(|column| has(&links, column));
        if *from == Value::Null || !is_there || wanted.is_empty() || !has(&found, self.of) {
            return Ok(None);
        }
        // Of two tables a column is named with its table.
        let list: Vec<String> = wanted
            .iter()
            .map(|column| {
                let column = quoted(column.name());
                format!(
                    "CASE WHEN octet_length(p.{column}) <= {max} THEN p.{column} END, octet_length(p.{column})",
                    max = crate::model::limits::LINE_BYTES_MAX
                )
            })
            .collect();
        let by: Vec<String> = self
            .order
            .iter()
            .filter(|column| has(&found, column))
            .map(|column| format!(", p.{}", quoted(column)))
            .collect();
        let (id, before, said) = (quoted(id), quoted(before), quoted(self.column));
        // Back to the message that another row of the session leads to: what stands before that is
        // said there. A chain that leads back to itself ends by its depth.
        let sql = format!(
            "WITH RECURSIVE chain(at, before, said, depth) AS (
                SELECT {id}, {before}, {said}, 0 FROM \"{table}\" WHERE {id} = ?1
                UNION ALL
                SELECT m.{id}, m.{before}, m.{said}, depth + 1 FROM chain
                JOIN \"{table}\" AS m ON m.{id} = chain.before
                WHERE depth < {CHAIN_MAX} AND NOT EXISTS (SELECT 1 FROM \"{}\" AS o
                    WHERE o.{} = ?2 AND o.{} = m.{id}))
            SELECT {}, chain.said FROM chain JOIN \"{}\" AS p ON p.{} = chain.at
            ORDER BY depth DESC{} LIMIT {BESIDE_MAX}",
            self.from.0,
            quoted(self.from.1),
            quoted(self.from.2),
            list.join(", "),
            self.table,
            quoted(self.of),
            by.concat()
        );
        let mut statement = connection.prepare_cached(&sql)?;
        let rows = statement.query_map([from, session], |row| {
            let (mut members, _) = members(row, &wanted)?;
            if let Some(said) = value_text(&row.get_ref(2 * wanted.len())?) {
                members.insert(0, (self.column.to_owned(), string(&said)));
            }
            Ok(object(borrowed(&members)))
        })?;
        let rows: Vec<String> = rows.collect::<rusqlite::Result<_>>()?;
        Ok(listed(self.table, &rows))
    }
}

/// Rows as a list; `None` without any.
fn listed(table: &str, rows: &[String]) -> Found {
    let list = format!("[{}]", rows.join(","));
    (!rows.is_empty()).then(|| (table.to_owned(), list))
}

/// Sums over the rows of another table, as a list under that table's name; none if there are no rows, or no
/// such table.
pub(super) fn summed_up(connection: &Connection, sums: &Sums, id: &str) -> rusqlite::Result<Found> {
    let found = columns(connection, sums.table)?;
    if !has(&found, sums.session) || !has(&found, sums.by) {
        return Ok(None);
    }
    let there = sums.columns.iter().filter(|column| has(&found, column));
    let there: Vec<&str> = there.copied().collect();
    let by = quoted(sums.by);
    let list: Vec<String> = there
        .iter()
        // `total` gives a number also where all are NULL, and does not overflow.
        .map(|column| format!("total({})", quoted(column)))
        .collect();
    if list.is_empty() {
        return Ok(None);
    }
    let sql = format!(
        "SELECT {}, {} FROM \"{}\" WHERE {} = ?1 GROUP BY {by} ORDER BY {by} LIMIT {BESIDE_MAX}",
        capped(sums.by, NAME_BYTES_MAX),
        list.join(", "),
        sums.table,
        quoted(sums.session)
    );
    let mut statement = connection.prepare_cached(&sql)?;
    let rows = statement.query_map([id], |row| {
        let mut members = Vec::new();
        if let Some(value) = value_text(&row.get_ref(0)?) {
            members.push((sums.by.to_owned(), string(&value)));
        }
        for (at, column) in there.iter().enumerate() {
            let sum: f64 = row.get(at + 1)?;
            members.push(((*column).to_owned(), format!("{sum:.0}")));
        }
        Ok(object(borrowed(&members)))
    })?;
    let rows: Vec<String> = rows.collect::<rusqlite::Result<_>>()?;
    Ok(listed(sums.table, &rows))
}
