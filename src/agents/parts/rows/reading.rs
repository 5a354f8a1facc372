//! Rows as lines: what is asked of the tables that an agent names, and what becomes of the answers.

use rusqlite::types::Value;
use rusqlite::{Connection, OptionalExtension as _};

use super::beside::summed_up;
use super::named::{Beside, Column, Form, Tables};
use super::row::{Members, borrowed, has, members, selected, there};
use crate::agents::parts::compact::{compact, object};
use crate::agents::parts::entries::{self, SESSION};
use crate::agents::parts::lines::Format;
use crate::agents::parts::sqlite::sql::{
    Bounds, NAME_BYTES_MAX, capped, columns, key, needs, order, quoted,
};
use crate::agents::parts::sqlite::values::{data_of, value_text};
use crate::model::limits::LINE_BYTES_MAX;

/// A line of a row, and what of it could not be taken as it is.
#[derive(Clone, Debug, Default)]
pub(super) struct Made {
    /// The line.
    pub line: Vec<u8>,
    /// What is wrong.
    pub problems: Vec<String>,
}

/// The columns of the tables that are there.
#[derive(Clone, Debug)]
pub(super) struct Found {
    tables: &'static Tables,
    sessions: Vec<String>,
    messages: Vec<String>,
    /// What tells the rows of messages apart.
    message_key: &'static str,
}

/// A list of the sessions of a database: id and project of each, and what is left out.
pub(super) type Names = (Vec<(String, Option<String>)>, Vec<String>);

impl Found {
    /// Looks at the tables.
    ///
    /// # Errors
    ///
    /// What SQLite says, or that a column is not there without which nothing can be read.
    pub(super) fn of(connection: &Connection, tables: &'static Tables) -> rusqlite::Result<Self> {
        let (of_sessions, of_messages) = (&tables.sessions, &tables.messages);
        let sessions = columns(connection, of_sessions.table)?;
        needs(of_sessions.table, &sessions, &[of_sessions.id])?;
        let messages = columns(connection, of_messages.table)?;
        needs(of_messages.table, &messages, &[of_messages.session])?;
        // Other columns may be missing, but without the text of its lines nothing of a message can
        // be read.
        let content = match of_messages.form {
            Form::Row(_) => None,
            Form::Line { text, .. } => Some(text),
        };
        needs(of_messages.table, &messages, content.as_slice())?;
        Ok(Self {
            tables,
            sessions,
            messages,
            message_key: key(connection, of_messages.table)?,
        })
    }

    /// What reads the lines.
    pub(super) fn format(&self) -> &'static (dyn Format + Sync) {
        self.tables.format
    }

    /// Every session in the order of the ids.
    pub(super) fn names(&self, connection: &Connection, bounds: Bounds) -> rusqlite::Result<Names> {
        let of = &self.tables.sessions;
        let project = of.project.filter(|column| has(&self.sessions, column));
        let sql = format!(
            "SELECT {}, {} FROM \"{}\" ORDER BY {}",
            capped(of.id, NAME_BYTES_MAX),
            project.map_or("NULL".to_owned(), |column| capped(column, NAME_BYTES_MAX)),
            of.table,
            quoted(of.id)
        );
        let mut statement = connection.prepare(&sql)?;
        let mut rows = statement.query([])?;
        let (mut names, mut problems) = (Vec::new(), Vec::new());
        let (mut bytes, mut nameless) = (0_usize, 0);
        while let Some(row) = rows.next()? {
            let Some(id) = value_text(&row.get_ref(0)?).filter(|id| !id.is_empty()) else {
                nameless += 1;
                continue;
            };
            let project = value_text(&row.get_ref(1)?).filter(|path| !path.is_empty());
            if names.len() >= bounds.rows || bytes >= bounds.bytes {
                let count = names.len();
                problems.push(format!(
                    "has more than {count} sessions; the others are left out"
                ));
                break;
            }
            bytes += id.len() + project.as_ref().map_or(0, String::len);
            names.push((id, project));
        }
        if nameless > 0 {
            problems.push(format!("{nameless} sessions without an id"));
        }
        names.dedup_by(|a, b| a.0 == b.0);
        Ok((names, problems))
    }

    /// The first and the last line of a session; `None` if it is gone.
    pub(super) fn session(
        &self,
        connection: &Connection,
        id: &str,
    ) -> rusqlite::Result<Option<(Made, Option<Made>)>> {
        let of = &self.tables.sessions;
        let filter = format!("WHERE {} = ?1", quoted(of.id));
        let wanted = |columns: &[Column]| [&[Column::Plain(of.id)], columns].concat();
        let first = self.entry(connection, &wanted(of.first), (&filter, id))?;
        let Some((first, problems)) = first else {
            return Ok(None);
        };
        let agent = self.tables.agent;
        let header = Made {
            line: entries::line(agent, SESSION, &object(borrowed(&first))),
            problems,
        };
        let last = self.entry(connection, &wanted(of.last), (&filter, id))?;
        let (mut last, problems) = last.unwrap_or_default();
        for beside in of.beside {
            let [from, to] = beside.led_by();
            let values = [
                self.value_of(connection, (of.table, of.id, from), id)?,
                self.value_of(connection, (of.table, of.id, to), id)?,
            ];
            last.extend(beside.read(connection, &values)?);
        }
        for sums in of.sums {
            last.extend(summed_up(connection, sums, id)?);
        }
        // The id alone tells nothing.
        let trailer = (last.len() > 1).then(|| Made {
            line: entries::line(agent, SESSION, &object(borrowed(&last))),
            problems,
        });
        Ok(Some((header, trailer)))
    }

    /// The columns of a session's row as JSON, and what is wrong; `None` if it is gone.
    fn entry(
        &self,
        connection: &Connection,
        wanted: &[Column],
        (filter, id): (&str, &str),
    ) -> rusqlite::Result<Option<(Members, Vec<String>)>> {
        let wanted = there(&self.sessions, wanted);
        let table = self.tables.sessions.table;
        let sql = format!("SELECT {} FROM \"{table}\" {filter}", selected(&wanted));
        let mut statement = connection.prepare_cached(&sql)?;
        let found = statement.query_row([id], |row| members(row, &wanted));
        found.optional()
    }

    /// The value of a column of the row with that id.
    fn value_of(
        &self,
        connection: &Connection,
        (table, id_column, column): (&str, &str, &str),
        id: &str,
    ) -> rusqlite::Result<Value> {
        if !has(&self.sessions, column) {
            return Ok(Value::Null);
        }
        let column = capped(column, NAME_BYTES_MAX);
        let sql = format!(
            "SELECT {column} FROM \"{table}\" WHERE {} = ?1",
            quoted(id_column)
        );
        let mut statement = connection.prepare_cached(&sql)?;
        let found = statement.query_row([id], |row| row.get(0)).optional()?;
        Ok(found.unwrap_or(Value::Null))
    }

    /// The folder that a session works in.
    pub(super) fn project(
        &self,
        connection: &Connection,
        id: &str,
    ) -> rusqlite::Result<Option<String>> {
        let of = &self.tables.sessions;
        let Some(column) = of.project else {
            return Ok(None);
        };
        let value = self.value_of(connection, (of.table, of.id, column), id)?;
        let path = value_text(&(&value).into());
        Ok(path.filter(|path| !path.is_empty()))
    }

    /// What tells a session's messages apart, in their order, and what is left out.
    pub(super) fn message_keys(
        &self,
        connection: &Connection,
        id: &str,
        bounds: Bounds,
    ) -> rusqlite::Result<(Vec<Value>, Option<String>)> {
        let of = &self.tables.messages;
        let sql = format!(
            "SELECT {} FROM \"{}\" WHERE {} = ?1 {} LIMIT {}",
            self.message_key,
            of.table,
            quoted(of.session),
            order(&self.messages, of.order),
            // One more than may be, to see whether there are more.
            bounds.rows.saturating_add(1)
        );
        let mut statement = connection.prepare_cached(&sql)?;
        let keys = statement.query_map([id], |row| row.get(0))?;
        let mut keys: Vec<Value> = keys.collect::<rusqlite::Result<_>>()?;
        let more = keys.len() > bounds.rows;
        keys.truncate(bounds.rows);
        let rows = bounds.rows;
        let problem = format!("has more than {rows} messages; the others are left out");
        Ok((keys, more.then_some(problem)))
    }

    /// The line of a message; `None` if it is gone.
    pub(super) fn message(
        &self,
        connection: &Connection,
        message: &Value,
    ) -> rusqlite::Result<Option<Made>> {
        let of = &self.tables.messages;
        match of.form {
            Form::Row(columns) => self.row(connection, columns, message),
            Form::Line { text, packed } => self.written(connection, (text, packed), message),
        }
    }

    /// A message's row by the rule, with what belongs to it.
    fn row(
        &self,
        connection: &Connection,
        wanted: &[Column],
        message: &Value,
    ) -> rusqlite::Result<Option<Made>> {
        let of = &self.tables.messages;
        let wanted = there(&self.messages, wanted);
        // Behind the columns stands what leads to rows beside it.
        let is_led = |beside: &&Beside| beside.led_by().iter().all(|by| has(&self.messages, by));
        let besides: Vec<&Beside> = of.beside.iter().filter(is_led).collect();
        let mut list = selected(&wanted);
        for by in besides.iter().flat_map(|beside| beside.led_by()) {
            list += ", ";
            list += &capped(by, NAME_BYTES_MAX);
        }
        let sql = format!(
            "SELECT {list} FROM \"{}\" WHERE {} = ?1",
            of.table, self.message_key
        );
        let mut statement = connection.prepare_cached(&sql)?;
        let found = statement.query_row([message], |row| {
            let mut values = Vec::new();
            for at in 0..besides.len() {
                // Each column gives two values, itself and its size; with none wanted a single NULL
                // stands there.
                let first = 2 * (wanted.len().max(1) + at) - usize::from(wanted.is_empty());
                values.push([row.get::<_, Value>(first)?, row.get::<_, Value>(first + 1)?]);
            }
            Ok((members(row, &wanted)?, values))
        });
        let Some(((mut members, problems), values)) = found.optional()? else {
            return Ok(None);
        };
        for (beside, value) in besides.into_iter().zip(&values) {
            members.extend(beside.read(connection, value)?);
        }
        let entry = object(borrowed(&members));
        Ok(Some(Made {
            line: entries::line(self.tables.agent, of.table, &entry),
            problems,
        }))
    }

    /// A line that the agent has written into a row.
    fn written(
        &self,
        connection: &Connection,
        (text, packed): (&str, &str),
        message: &Value,
    ) -> rusqlite::Result<Option<Made>> {
        let packed = if has(&self.messages, packed) {
            capped(packed, LINE_BYTES_MAX)
        } else {
            "NULL".to_owned()
        };
        let sql = format!(
            "SELECT {}, octet_length({}), {packed} FROM \"{}\" WHERE {} = ?1",
            capped(text, LINE_BYTES_MAX),
            quoted(text),
            self.tables.messages.table,
            self.message_key
        );
        let mut statement = connection.prepare_cached(&sql)?;
        let found = statement.query_row([message], |row| {
            let packed: Option<Vec<u8>> = match row.get_ref(2)? {
                rusqlite::types::ValueRef::Blob(bytes) => Some(bytes.to_vec()),
                _ => None,
            };
            Ok((data_of(row, 0)?, packed))
        });
        let Some(((text, problem), packed)) = found.optional()? else {
            return Ok(None);
        };
        let (text, problem) = match packed {
            None => (text, problem),
            Some(packed) => match unpacked(&packed) {
                Ok(text) => (text, None),
                Err(reason) => ("null".to_owned(), Some(reason)),
            },
        };
        // A line holds no line end.
        let line = (compact(&text).replace('\n', " ") + "\n").into_bytes();
        Ok(Some(Made {
            line,
            problems: problem.into_iter().collect(),
        }))
    }
}

/// A text that was packed with zstd, up to the length of a line.
fn unpacked(packed: &[u8]) -> Result<String, String> {
    let bytes = zstd::bulk::decompress(packed, LINE_BYTES_MAX);
    let bytes = bytes.map_err(|error| format!("cannot be unpacked: {error}; it is left out"))?;
    String::from_utf8(bytes).map_err(|_| "has bytes that are not UTF-8; it is left out".to_owned())
}
