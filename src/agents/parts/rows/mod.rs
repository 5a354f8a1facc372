//! Sessions in an agent's SQLite database, read from the tables and columns that the agent names: nothing
//! else of the database is looked at, so that what it holds besides (tokens, accounts) never gets out.
//!
//! One rule makes a row a line for every agent: a line of [`entries`](super::entries) whose kind is the table's
//! name and whose entry is an object of the named columns in the named order.
//!
//! - A column that is NULL or not there is left out. A number is a number, a text a text; a column that the
//!   agent keeps JSON in ([`Column::Json`]) is that JSON, and a text if it is none.
//! - Rows of other tables that belong to a row ([`Beside`]) are a list under that table's name, each by the
//!   same rule.
//! - The first line is the session's row with what never changes; the last one with what does, and with sums
//!   over other tables ([`Sums`]). Between them is a line for each message, in the agent's order.
//! - A value larger than [`LINE_BYTES_MAX`](crate::model::limits::LINE_BYTES_MAX) leaves its size, and is a
//!   problem that names the row.
//!
//! Columns that the agent changes after a message was written are not named: a settled line stays as it is.

mod beside;
mod database;
mod named;
mod reading;
mod row;
#[cfg(test)]
mod tests;

use std::path::Path;

use self::database::Opened;
pub(crate) use self::named::{Beside, Chain, Column, Form, Messages, Sessions, Sums, Tables};
use crate::agents::database::Database;
use crate::agents::parts::sqlite::sql::BOUNDS;
use crate::model::error::Result;

/// Opens a database for reading; see [`open`](super::sqlite::open). Of several sets of tables those that are
/// there are read, and a session that is in two of them from the first.
///
/// # Errors
///
/// [`Error::Io`](crate::Error::Io) if it cannot be read or is no database.
pub(crate) fn open(path: &Path, tables: &'static [&'static Tables]) -> Result<Box<dyn Database>> {
    open_in(path, tables, None)
}

/// The same, for sessions that all work in one folder.
///
/// # Errors
///
/// Those of [`open`].
pub(crate) fn open_in(
    path: &Path,
    tables: &'static [&'static Tables],
    project: Option<String>,
) -> Result<Box<dyn Database>> {
    Ok(Box::new(Opened::bounded(path, tables, (BOUNDS, project))?))
}
