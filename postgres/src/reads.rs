//! Reads: what an engine is asked, as statements.

use std::collections::HashMap;

use scrollback::kit::{
    CellQuery, Children, KeyAndValue, NameQuery, OwnedCell, RowQuery, SummaryRow, Table,
};
use scrollback::{Error, SessionKey};
use tokio_postgres::Row;
use uuid::Uuid;

use crate::connection::{Connection, Value};
use crate::errors::{Failure, Tried};
use crate::sql::Query;

/// Most bytes of a key: PostgreSQL's index takes no more than some 2,700 bytes of a row.
pub(crate) const KEY_BYTES_MAX: usize = 2600;

/// Most bytes of the path of a file that is noted: an agent's name and an id stand beside it in a key.
pub(crate) const PATH_BYTES_MAX: usize = 1500;

/// A number of the kit as the database has it.
pub(crate) fn signed(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

fn unsigned(number: i64) -> u64 {
    u64::try_from(number).unwrap_or_default()
}

fn limit(limit: usize) -> i64 {
    i64::try_from(limit).unwrap_or(i64::MAX)
}

fn summary(row: &Row) -> Tried<SummaryRow> {
    let (number, version): (i64, i64) = (row.try_get(0)?, row.try_get(1)?);
    Ok(SummaryRow::new(
        unsigned(number),
        unsigned(version),
        row.try_get(2)?,
    ))
}

/// The summary row of a session.
pub(crate) fn row(connection: &mut Connection, key: &SessionKey) -> Tried<Option<SummaryRow>> {
    let rows = connection.query(Query::Row, &[&key.agent(), &key.id().as_bytes()])?;
    rows.first().map(summary).transpose()
}

/// The summary rows of sessions by number.
pub(crate) fn rows(connection: &mut Connection, numbers: &[u64]) -> Tried<Vec<SummaryRow>> {
    let numbers: Vec<i64> = numbers.iter().map(|number| signed(*number)).collect();
    let rows = connection.query(Query::Rows, &[&numbers])?;
    rows.iter().map(summary).collect()
}

/// The numbers of sessions above one, in their order.
pub(crate) fn numbers(connection: &mut Connection, after: u64, most: usize) -> Tried<Vec<u64>> {
    let rows = connection.query(Query::Numbers, &[&signed(after), &limit(most)])?;
    let number = |row: &Row| Ok(unsigned(row.try_get(0)?));
    rows.iter().map(number).collect()
}

/// Summary rows, newest first. Each condition has an index of its own that gives them in their order, but
/// for that of a parent's children, which are few.
pub(crate) fn list(connection: &mut Connection, query: &RowQuery) -> Tried<Vec<SummaryRow>> {
    let (after_us, after) = query.after.unwrap_or((i64::MAX, u64::MAX));
    let after = signed(after);
    let since = query.since_us.unwrap_or(i64::MIN);
    let before = query.before_us.unwrap_or(i64::MAX);
    let most = limit(query.limit);
    let project = query.project.as_ref().map(String::as_bytes);
    let parent = query.parent.as_ref().map(String::as_bytes);
    let (pinned, archived) = (query.pinned, query.archived);
    let mut values: Vec<Value<'_>> = vec![
        &after_us, &after, &since, &before, &most, &pinned, &archived,
    ];
    let statement = match (&parent, &project, &query.agent) {
        (Some(parent), _, _) => {
            let more: [Value<'_>; 3] = [parent, &query.agent, &project];
            values.extend(more);
            Query::ListParent
        }
        (None, Some(project), _) => {
            let more: [Value<'_>; 2] = [project, &query.agent];
            values.extend(more);
            Query::ListProject
        }
        (None, None, Some(agent)) => {
            values.push(agent);
            Query::ListAgent
        }
        (None, None, None) => Query::List,
    };
    let rows = connection.query(statement, &values)?;
    rows.iter().map(summary).collect()
}

/// Names of sessions, in the order of their ids.
pub(crate) fn names(connection: &mut Connection, query: &NameQuery) -> Tried<Vec<SessionKey>> {
    let first = query.prefix.as_bytes();
    // No id has this byte, which sorts behind all that it may go on with.
    let last = [first, &[0xFF]].concat();
    let most = limit(query.limit);
    // No id is empty, so that all stand behind an empty one.
    let (id, agent) = query.after.as_ref().map_or((&[][..], ""), |after| {
        (after.id().as_bytes(), after.agent())
    });
    let rows = match &query.agent {
        Some(of) => {
            connection.query(Query::NamesAgent, &[&first, &last, &most, &id, &agent, of])?
        }
        None => connection.query(Query::NamesAny, &[&first, &last, &most, &id, &agent])?,
    };
    let name = |row: &Row| {
        let (agent, id): (String, Vec<u8>) = (row.try_get(0)?, row.try_get(1)?);
        let id = String::from_utf8(id).map_err(|error| Error::Corrupt {
            table: "sessions",
            key: agent.clone(),
            detail: error.to_string(),
        })?;
        Ok(SessionKey::new(agent, id)?)
    };
    rows.iter().map(name).collect()
}

/// How many children each of some sessions has.
pub(crate) fn children(connection: &mut Connection, keys: &[SessionKey]) -> Tried<Vec<Children>> {
    let ids: Vec<&[u8]> = keys.iter().map(|key| key.id().as_bytes()).collect();
    let mut agents: Vec<&str> = keys.iter().map(SessionKey::agent).collect();
    agents.sort_unstable();
    // Ids and agents go as two lists, so there may be counts of other pairs in the answer, which
    // nobody asks for below.
    agents.dedup();
    let mut counted: HashMap<(String, Vec<u8>), Children> = HashMap::new();
    for row in connection.query(Query::Children, &[&ids, &agents])? {
        let (all, subagents): (i64, i64) = (row.try_get(2)?, row.try_get(3)?);
        let children = Children::new(unsigned(all), unsigned(subagents));
        counted.insert((row.try_get(0)?, row.try_get(1)?), children);
    }
    let of = |key: &SessionKey| {
        let key = (key.agent().to_owned(), key.id().as_bytes().to_vec());
        counted.get(&key).copied().unwrap_or_default()
    };
    Ok(keys.iter().map(of).collect())
}

/// Cells of one owner.
pub(crate) fn cells(connection: &mut Connection, query: &CellQuery) -> Tried<Vec<KeyAndValue>> {
    // What is longer than any key that is stored begins no key either.
    let cut = |key: &[u8]| key.get(..KEY_BYTES_MAX + 1).unwrap_or(key).to_vec();
    let (from, to) = (cut(&query.from), query.to.as_deref().map(cut));
    let statement = match (query.backward, &to) {
        (false, None) => Query::CellsUp,
        (false, Some(_)) => Query::CellsUpTo,
        (true, None) => Query::CellsDown,
        (true, Some(_)) => Query::CellsDownFrom,
    };
    let (owner, tab) = (signed(query.owner), i16::from(query.table.code()));
    let limit = limit(query.limit);
    let mut values: Vec<Value<'_>> = vec![&owner, &tab, &from, &limit];
    values.extend(to.as_ref().map(|to| to as Value<'_>));
    let rows = connection.query(statement, &values)?;
    let cell = |row: &Row| Ok((row.try_get(0)?, row.try_get(1)?));
    rows.iter().map(cell).collect()
}

/// All cells of several owners.
pub(crate) fn cells_of(
    connection: &mut Connection,
    table: Table,
    owners: &[u64],
) -> Tried<Vec<OwnedCell>> {
    let owners: Vec<i64> = owners.iter().map(|owner| signed(*owner)).collect();
    let tab = i16::from(table.code());
    let rows = connection.query(Query::CellsOf, &[&owners, &tab])?;
    let cell = |row: &Row| {
        let owner: i64 = row.try_get(0)?;
        Ok((unsigned(owner), row.try_get(1)?, row.try_get(2)?))
    };
    rows.iter().map(cell).collect()
}

/// Locks the row of a session until the transaction ends. Where that is this statement alone, it is a commit
/// behind all that this session has, and waits for a standby if commits do.
pub(crate) fn lock_row(connection: &mut Connection, key: &SessionKey) -> Tried<()> {
    let values: [Value<'_>; 2] = [&key.agent(), &key.id().as_bytes()];
    connection.query(Query::Lock, &values).map(drop)
}

/// The store's own id.
pub(crate) fn store_id(connection: &mut Connection) -> Tried<Option<Uuid>> {
    let rows = connection.query(Query::StoreId, &[])?;
    let bytes: Option<Vec<u8>> = rows.first().map(|row| row.try_get(0)).transpose()?;
    Ok(bytes.and_then(|bytes| Uuid::from_slice(&bytes).ok()))
}

/// Bytes that the tables and their indexes take.
pub(crate) fn disk_bytes(connection: &mut Connection) -> Tried<u64> {
    let rows = connection.query(Query::DiskBytes, &[])?;
    let bytes: Option<i64> = rows.first().map(|row| row.try_get(0)).transpose()?;
    Ok(unsigned(bytes.unwrap_or_default()))
}

/// So many numbers that were never given before: the last one of them.
pub(crate) fn next_numbers(connection: &mut Connection, count: u64) -> Tried<u64> {
    let rows = connection.query(Query::NextNumbers, &[&signed(count)])?;
    let Some(row) = rows.first() else {
        return Err(Failure::Other(Error::Corrupt {
            table: "counters",
            key: "session".to_owned(),
            detail: "the number of the next session is missing".to_owned(),
        }));
    };
    let last: i64 = row.try_get(0)?;
    Ok(unsigned(last))
}

/// What an engine reads, over its method `read`, which asks a connection. A macro: the two engines differ in
/// which connection that is, and in what the trait has besides.
macro_rules! engine_reads {
    () => {
        fn store_id(&self) -> scrollback::Result<Option<uuid::Uuid>> {
            self.read("read the store's id", crate::reads::store_id)
        }

        fn row(
            &self,
            key: &scrollback::SessionKey,
        ) -> scrollback::Result<Option<scrollback::kit::SummaryRow>> {
            self.read("look a session up", |connection| {
                crate::reads::row(connection, key)
            })
        }

        fn rows(&self, numbers: &[u64]) -> scrollback::Result<Vec<scrollback::kit::SummaryRow>> {
            self.read("read sessions", |connection| {
                crate::reads::rows(connection, numbers)
            })
        }

        fn numbers(&self, after: u64, limit: usize) -> scrollback::Result<Vec<u64>> {
            self.read("number the sessions", |connection| {
                crate::reads::numbers(connection, after, limit)
            })
        }

        fn list(
            &self,
            query: &scrollback::kit::RowQuery,
        ) -> scrollback::Result<Vec<scrollback::kit::SummaryRow>> {
            self.read("list the sessions", |connection| {
                crate::reads::list(connection, query)
            })
        }

        fn names(
            &self,
            query: &scrollback::kit::NameQuery,
        ) -> scrollback::Result<Vec<scrollback::SessionKey>> {
            self.read("look sessions up", |connection| {
                crate::reads::names(connection, query)
            })
        }

        fn children(
            &self,
            keys: &[scrollback::SessionKey],
        ) -> scrollback::Result<Vec<scrollback::kit::Children>> {
            self.read("count sub-agents", |connection| {
                crate::reads::children(connection, keys)
            })
        }

        fn cells(
            &self,
            query: &scrollback::kit::CellQuery,
        ) -> scrollback::Result<Vec<scrollback::kit::KeyAndValue>> {
            self.read("read a session", |connection| {
                crate::reads::cells(connection, query)
            })
        }

        fn cells_of(
            &self,
            table: scrollback::kit::Table,
            owners: &[u64],
        ) -> scrollback::Result<Vec<scrollback::kit::OwnedCell>> {
            self.read("read sessions", |connection| {
                crate::reads::cells_of(connection, table, owners)
            })
        }
    };
}

pub(crate) use engine_reads;
