//! Writing the changes of one commit.
//!
//! Most are those of an append: one summary row, and cells of its session. They are one statement, which is
//! a transaction by itself: one way to the server and back. All others are a transaction of several.

use scrollback::kit::{CellChange, Changes, Columns, RowChange, Seen};
use scrollback::{Error, Result};
use uuid::Uuid;

use crate::connection::{Connection, Value};
use crate::errors::{Failure, Tried};
use crate::reads::{KEY_BYTES_MAX, signed};
use crate::sql::Query;

/// Whether the changes were written, or something was not as it had been seen.
pub(crate) type Written = bool;

/// Cells by columns, as arrays of a statement.
#[derive(Default)]
struct Cells<'c> {
    owners: Vec<i64>,
    tabs: Vec<i16>,
    keys: Vec<&'c [u8]>,
    values: Vec<&'c [u8]>,
}

impl<'c> Cells<'c> {
    fn push(&mut self, change: &'c CellChange) {
        self.owners.push(signed(change.cell.owner));
        self.tabs.push(i16::from(change.cell.table.code()));
        self.keys.push(&change.cell.key);
        self.values.extend(change.value.as_deref());
    }

    fn of(changes: &'c [CellChange], is_meant: impl Fn(&CellChange) -> bool) -> Self {
        let mut cells = Self::default();
        for change in changes.iter().filter(|change| is_meant(change)) {
            cells.push(change);
        }
        cells
    }

    fn count(&self) -> u64 {
        self.owners.len() as u64
    }
}

/// Rows by columns.
#[derive(Default)]
struct Rows<'r> {
    numbers: Vec<i64>,
    versions: Vec<i64>,
    tokens: Vec<&'r [u8]>,
    agents: Vec<&'r str>,
    ids: Vec<&'r [u8]>,
    updated: Vec<i64>,
    projects: Vec<Option<&'r [u8]>>,
    parents: Vec<Option<&'r [u8]>>,
    listed: Vec<bool>,
    pinned: Vec<bool>,
    archived: Vec<bool>,
    subagents: Vec<bool>,
    bytes: Vec<&'r [u8]>,
}

impl<'r> Rows<'r> {
    fn push(
        &mut self,
        change: &RowChange,
        (columns, row): (&'r Columns, &'r [u8]),
        token: &'r Uuid,
    ) {
        self.numbers.push(signed(change.number));
        self.versions.push(signed(change.seen));
        self.tokens.push(token.as_bytes());
        self.agents.push(&columns.agent);
        self.ids.push(columns.id.as_bytes());
        self.updated.push(columns.updated_us);
        self.projects.push(bytes_of(columns.project.as_ref()));
        self.parents.push(bytes_of(columns.parent.as_ref()));
        self.listed.push(columns.listed);
        self.pinned.push(columns.pinned);
        self.archived.push(columns.archived);
        self.subagents.push(columns.subagent);
        self.bytes.push(row);
    }

    fn values(&self) -> [Value<'_>; 13] {
        [
            &self.numbers,
            &self.versions,
            &self.tokens,
            &self.agents,
            &self.ids,
            &self.updated,
            &self.projects,
            &self.parents,
            &self.listed,
            &self.pinned,
            &self.archived,
            &self.subagents,
            &self.bytes,
        ]
    }
}

fn bytes_of(text: Option<&String>) -> Option<&[u8]> {
    text.map(String::as_bytes)
}

/// Whether no key is longer than an index takes.
pub(crate) fn check(changes: &Changes) -> Result<()> {
    let lengths = changes.cells.iter().map(|change| change.cell.key.len());
    check_longest(lengths.max().unwrap_or(0))
}

fn check_longest(longest: usize) -> Result<()> {
    if longest <= KEY_BYTES_MAX {
        return Ok(());
    }
    Err(Error::TooLarge {
        what: "length of a path or a name in bytes",
        actual: longest as u64,
        limit: KEY_BYTES_MAX as u64,
    })
}

/// Whether a cell has to be missing, and stays so.
fn is_absent(change: &CellChange) -> bool {
    change.seen == Seen::Nothing && change.value.is_none()
}

/// Whether changes are one statement: one row, cells that are written, and cells of that session and one table
/// that have to be missing.
fn is_simple(changes: &Changes) -> bool {
    let [
        RowChange {
            number,
            row: Some(_),
            ..
        },
    ] = changes.rows.as_slice()
    else {
        return false;
    };
    // The statement has no place for a cell that has to be as it was seen, nor for one to be
    // removed.
    let is_written = |change: &CellChange| change.value.is_some() && change.seen == Seen::Any;
    let absent = changes.cells.iter().filter(|change| is_absent(change));
    let mut tables = absent.clone().map(|change| change.cell.table);
    let first = tables.next();
    changes.emptied.is_empty()
        && tables.all(|table| Some(table) == first)
        && absent.clone().all(|change| change.cell.owner == *number)
        && changes
            .cells
            .iter()
            .all(|change| is_written(change) || is_absent(change))
}

/// Writes changes in a transaction of their own.
pub(crate) fn write(
    connection: &mut Connection,
    changes: &Changes,
    token: &Uuid,
) -> Tried<Written> {
    if is_simple(changes) {
        return simple(connection, changes, token);
    }
    connection.batch("BEGIN").map_err(unsent)?;
    match write_all(connection, changes, token) {
        Ok(true) => {}
        Ok(false) => {
            roll_back(connection);
            return Ok(false);
        }
        Err(failure) => {
            roll_back(connection);
            // Nothing was committed yet, so nothing is there.
            return Err(unsent(failure));
        }
    }
    connection.batch("COMMIT").map(|()| true)
}

/// A failure before anything could be committed.
fn unsent(failure: Failure) -> Failure {
    match failure {
        Failure::Lost(_) | Failure::Silent => {
            Failure::Unreached(failure.told("the server", "write"))
        }
        other => other,
    }
}

fn roll_back(connection: &mut Connection) {
    if connection.batch("ROLLBACK").is_err() {
        connection.give_up();
    }
}

/// Writes one row with cells, in one statement.
fn simple(connection: &mut Connection, changes: &Changes, token: &Uuid) -> Tried<Written> {
    let cells = Cells::of(&changes.cells, |change| !is_absent(change));
    let absent = Cells::of(&changes.cells, is_absent);
    let absent_table = absent.tabs.first().copied().unwrap_or_default();
    let Some((change, (columns, row))) = changes
        .rows
        .first()
        .and_then(|change| Some((change, change.row.as_ref()?)))
    else {
        return Ok(true);
    };
    let statement = if change.seen == 0 {
        Query::InsertOne
    } else {
        Query::UpdateOne
    };
    let (number, seen) = (signed(change.number), signed(change.seen));
    let (project, parent) = (
        bytes_of(columns.project.as_ref()),
        bytes_of(columns.parent.as_ref()),
    );
    let (token, id) = (token.as_bytes().as_slice(), columns.id.as_bytes());
    let mut values: Vec<Value<'_>> = vec![
        &cells.owners,
        &cells.tabs,
        &cells.keys,
        &cells.values,
        &number,
        &seen,
        &token,
        &columns.agent,
        &id,
        &columns.updated_us,
        &project,
        &parent,
        &columns.listed,
        &columns.pinned,
        &columns.archived,
        &columns.subagent,
        row,
    ];
    // A session that is made by this has no cells yet that could be in the way.
    if statement == Query::UpdateOne {
        let absent: [Value<'_>; 2] = [&absent_table, &absent.keys];
        values.extend(absent);
    }
    match connection.query(statement, &values) {
        Ok(rows) => Ok(!rows.is_empty()),
        // The id went to another session meanwhile: told as any other change, so that the caller
        // reads again.
        Err(failure) if failure.is_taken() => Ok(false),
        Err(failure) => Err(failure),
    }
}

/// Writes all changes, in a transaction that is open.
pub(crate) fn write_all(
    connection: &mut Connection,
    changes: &Changes,
    token: &Uuid,
) -> Tried<Written> {
    let written = write_rows(connection, changes, token);
    match written {
        Ok(true) => write_cells(connection, &changes.cells),
        Ok(false) => Ok(false),
        Err(failure) if failure.is_taken() => Ok(false),
        Err(failure) => Err(failure),
    }
}

fn write_rows(connection: &mut Connection, changes: &Changes, token: &Uuid) -> Tried<Written> {
    if !changes.emptied.is_empty() {
        let owners: Vec<i64> = changes.emptied.iter().map(|owner| signed(*owner)).collect();
        connection.execute(Query::EmptyOwners, &[&owners])?;
    }
    let (mut gone, mut new, mut old) = ((Vec::new(), Vec::new()), Rows::default(), Vec::new());
    for change in &changes.rows {
        match &change.row {
            None => {
                gone.0.push(signed(change.number));
                gone.1.push(signed(change.seen));
            }
            Some((columns, row)) if change.seen == 0 => new.push(change, (columns, row), token),
            Some((columns, row)) => old.push((change, columns, row)),
        }
    }
    // Removed first, then changed, then made: an id that one of them gives up may be the next one's
    // in the same commit.
    if !gone.0.is_empty() {
        let removed = connection.execute(Query::RemoveRows, &[&gone.0, &gone.1])?;
        // Fewer rows than there are changes: another version was there, and all of it is rolled
        // back.
        if removed != gone.0.len() as u64 {
            return Ok(false);
        }
    }
    if !update_rows(connection, &old, token)? {
        return Ok(false);
    }
    if new.numbers.is_empty() {
        return Ok(true);
    }
    let inserted = connection.execute(Query::InsertRows, &new.values())?;
    Ok(inserted == new.numbers.len() as u64)
}

/// Rows that are written anew: each after the other where a name passes from one to the next, and together
/// where there are many.
fn update_rows(
    connection: &mut Connection,
    old: &[(&RowChange, &Columns, &Vec<u8>)],
    token: &Uuid,
) -> Tried<Written> {
    const TOGETHER: usize = 8;
    if old.len() > TOGETHER {
        let mut rows = Rows::default();
        for (change, columns, row) in old {
            rows.push(change, (columns, row), token);
        }
        // The unique index is checked row by row, so an id that passes on within the statement may
        // be found taken; after that error only a savepoint lets the transaction go on.
        connection.batch("SAVEPOINT rows")?;
        match connection.execute(Query::UpdateRows, &rows.values()) {
            Ok(updated) => return Ok(updated == old.len() as u64),
            Err(failure) if failure.is_taken() => {
                connection.batch("ROLLBACK TO SAVEPOINT rows")?;
            }
            Err(failure) => return Err(failure),
        }
    }
    for (change, columns, row) in old {
        let mut one = Rows::default();
        one.push(change, (columns, row), token);
        if connection.execute(Query::UpdateRows, &one.values())? != 1 {
            return Ok(false);
        }
    }
    Ok(true)
}

fn write_cells(connection: &mut Connection, changes: &[CellChange]) -> Tried<Written> {
    let absent = Cells::of(changes, is_absent);
    if absent.count() > 0 {
        let values: [Value<'_>; 3] = [&absent.owners, &absent.tabs, &absent.keys];
        if !connection.query(Query::AnyCell, &values)?.is_empty() {
            return Ok(false);
        }
    }
    let gone = Cells::of(changes, |change| {
        change.value.is_none() && !is_absent(change)
    });
    if gone.count() > 0 {
        let values: [Value<'_>; 3] = [&gone.owners, &gone.tabs, &gone.keys];
        connection.execute(Query::RemoveCells, &values)?;
    }
    let is_new = |change: &CellChange| change.seen == Seen::Nothing && change.value.is_some();
    let new = Cells::of(changes, is_new);
    let any = Cells::of(changes, |change| change.value.is_some() && !is_new(change));
    for (statement, cells) in [(Query::PutNewCells, new), (Query::PutCells, any)] {
        if cells.count() == 0 {
            continue;
        }
        let values: [Value<'_>; 4] = [&cells.owners, &cells.tabs, &cells.keys, &cells.values];
        // Of new cells those that somebody else has made are passed over by the statement, and are
        // missing in its count.
        let put = connection.execute(statement, &values)?;
        if put != cells.count() {
            return Ok(false);
        }
    }
    Ok(true)
}

/// Whether changes of which the answer was lost are there, as far as can be told now that writing them
/// again has found something else than was seen.
pub(crate) fn is_there(
    connection: &mut Connection,
    changes: &Changes,
    token: &Uuid,
) -> Tried<Option<Written>> {
    let Some(change) = changes.rows.first() else {
        return Ok(None);
    };
    let rows = connection.query(Query::Token, &[&signed(change.number)])?;
    let Some(row) = rows.first() else {
        // Its number is nobody else's: who wanted it gone has that.
        return Ok(change.row.is_none().then_some(true));
    };
    let (version, found): (i64, Vec<u8>) = (row.try_get(0)?, row.try_get(1)?);
    if found == token.as_bytes() {
        return Ok(Some(true));
    }
    // The version that this commit would have made is another's; or a later one, which hides it.
    Ok((version <= signed(change.seen + 1)).then_some(false))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_longer_key_is_refused_before_anything_is_sent() {
        assert!(check_longest(KEY_BYTES_MAX).is_ok());
        let refused = check_longest(KEY_BYTES_MAX + 1);
        let is_told = matches!(
            refused,
            Err(Error::TooLarge {
                actual: 2601,
                limit: 2600,
                ..
            })
        );
        assert!(is_told, "{refused:?}");
    }
}
