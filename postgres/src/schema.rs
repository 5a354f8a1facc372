//! The tables, as numbered steps: each is run once, under a lock that holds every other opener up.

use scrollback::{Error, Result};
use uuid::Uuid;

use crate::connection::Connection;
use crate::errors::Tried;
use crate::pool::Pool;

/// The steps: the format after each is its place, counted from 1. A step that was released never changes.
const STEPS: [&str; 2] = [
    "
CREATE TABLE {s}.info (name text PRIMARY KEY, value bytea NOT NULL);
CREATE TABLE {s}.counters (name text PRIMARY KEY, value bigint NOT NULL);
CREATE TABLE {s}.sessions (
  number bigint PRIMARY KEY,
  version bigint NOT NULL,
  token bytea NOT NULL,
  agent text NOT NULL,
  id bytea NOT NULL,
  updated_us bigint NOT NULL,
  project bytea,
  parent bytea,
  listed boolean NOT NULL,
  pinned boolean NOT NULL,
  archived boolean NOT NULL,
  subagent boolean NOT NULL,
  row bytea NOT NULL
);
CREATE UNIQUE INDEX sessions_by_id ON {s}.sessions (id, agent);
CREATE INDEX sessions_by_updated ON {s}.sessions (updated_us, number) WHERE listed;
CREATE INDEX sessions_by_agent ON {s}.sessions (agent, updated_us, number) WHERE listed;
CREATE INDEX sessions_by_project ON {s}.sessions (project, updated_us, number)
  WHERE listed AND project IS NOT NULL;
CREATE INDEX sessions_by_parent ON {s}.sessions (parent, agent)
  WHERE listed AND parent IS NOT NULL;
CREATE TABLE {s}.cells (
  owner bigint NOT NULL,
  tab smallint NOT NULL,
  key bytea NOT NULL,
  value bytea NOT NULL,
  PRIMARY KEY (owner, tab, key)
);
ALTER TABLE {s}.cells ALTER COLUMN value SET STORAGE EXTERNAL;
ALTER TABLE {s}.sessions SET (autovacuum_vacuum_scale_factor = 0.02);
INSERT INTO {s}.counters (name, value) VALUES ('session', 0);
",
    // Nothing but the number: rows of sessions say from now on when somebody last wrote to them, and versions that
    // do not know such rows must not meet them.
    "SELECT 1",
];

/// The format that this version reads and writes.
#[expect(clippy::cast_possible_truncation, reason = "a few steps")]
pub(crate) const FORMAT: u32 = STEPS.len() as u32;

/// The number of the lock that openers take while they change the schema: of this program alone, it is to
/// be hoped. Two of different schemas wait for each other too.
const LOCK: i64 = 0x7363_726f_6c6c_6261;

/// Sees to it that the tables are there, in this version's format.
pub(crate) fn ready(pool: &Pool, schema: &str) -> Result<()> {
    let told = |action| move |failure: crate::errors::Failure| failure.told(pool.name(), action);
    let mut lent = pool.get().map_err(told("connect"))?;
    let connection = lent.connection().map_err(told("connect"))?;
    // Without the lock first: nearly always the tables are there, and a role that only reads may
    // not make any.
    let found = format(connection, schema).map_err(told("read the format"))?;
    if is_ready(pool, found)? {
        return Ok(());
    }
    if !pool.options().migrates {
        return Err(Error::Storage {
            action: "open the store",
            source: format!(
                "its tables have format {found}, this version needs {FORMAT}, and `migrates` is off"
            )
            .into(),
        });
    }
    migrate(pool, connection, schema)
}

/// Whether the format is this version's; an error if it is a newer one.
fn is_ready(pool: &Pool, found: u32) -> Result<bool> {
    if found > FORMAT {
        return Err(Error::UnsupportedVersion {
            path: pool.name().into(),
            found,
            oldest: 1,
            newest: FORMAT,
        });
    }
    Ok(found == FORMAT)
}

/// The format of the tables; 0 if there are none.
fn format(connection: &mut Connection, schema: &str) -> Tried<u32> {
    let text = format!("SELECT value FROM {schema}.info WHERE name = 'format'");
    match connection.query_once(&text, &[]) {
        Ok(rows) => {
            let value: Option<Vec<u8>> = rows.first().map(|row| row.try_get(0)).transpose()?;
            let format = value.and_then(|value| value.first_chunk::<4>().copied());
            Ok(format.map_or(0, u32::from_be_bytes))
        }
        Err(failure) if failure.is_undefined() => Ok(0),
        Err(failure) => Err(failure),
    }
}

fn migrate(pool: &Pool, connection: &mut Connection, schema: &str) -> Result<()> {
    let told = |failure: crate::errors::Failure| failure.told(pool.name(), "make the tables");
    // Each statement sees what was committed while it waited for the lock.
    let begin =
        format!("BEGIN ISOLATION LEVEL READ COMMITTED; SELECT pg_advisory_xact_lock({LOCK})");
    connection.batch(&begin).map_err(told)?;
    let done = steps(pool, connection, schema);
    if done.is_err() {
        // What undoes it is that the connection goes, if this does not.
        connection.give_up();
        drop(connection.batch("ROLLBACK"));
    }
    done
}

fn steps(pool: &Pool, connection: &mut Connection, schema: &str) -> Result<()> {
    let told = |failure: crate::errors::Failure| failure.told(pool.name(), "make the tables");
    let name = schema.replace('\'', "''");
    let mut is_there = |what: String| {
        let text = format!("SELECT {what} IS NOT NULL");
        let rows = connection.query_once(&text, &[]).map_err(told)?;
        let is_there = rows.first().map(|row| row.try_get::<_, bool>(0));
        Ok::<bool, Error>(is_there.is_some_and(|there| there.unwrap_or(false)))
    };
    // Who owns a schema and nothing else may not even ask for one that is there.
    let has_schema = is_there(format!("to_regnamespace('{name}')"))?;
    let has_tables = is_there(format!("to_regclass('{name}.info')"))?;
    if !has_schema {
        connection
            .batch(&format!("CREATE SCHEMA IF NOT EXISTS {schema}"))
            .map_err(told)?;
    }
    let found = if has_tables {
        format(connection, schema).map_err(told)?
    } else {
        0
    };
    if !is_ready(pool, found)? {
        for step in STEPS.iter().skip(found as usize) {
            connection
                .batch(&step.replace("{s}", schema))
                .map_err(told)?;
        }
        // Once for ever: an archive knows the store's sessions by it.
        if found == 0 {
            let id = Uuid::new_v4();
            put_info(connection, schema, ("store_id", id.as_bytes())).map_err(told)?;
        }
        put_info(connection, schema, ("format", &FORMAT.to_be_bytes())).map_err(told)?;
    }
    connection.batch("COMMIT").map_err(told)
}

fn put_info(connection: &mut Connection, schema: &str, (name, value): (&str, &[u8])) -> Tried<()> {
    let text = format!(
        "INSERT INTO {schema}.info (name, value) VALUES ($1, $2) \
         ON CONFLICT (name) DO UPDATE SET value = excluded.value"
    );
    connection.query_once(&text, &[&name, &value]).map(drop)
}
