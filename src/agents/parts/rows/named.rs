//! What an agent names of its database: tables, columns, and how they belong together.

use std::fmt;

use crate::agents::parts::lines::Format;

/// A column that is read.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Column {
    /// A number or a text.
    Plain(&'static str),
    /// A text of JSON.
    Json(&'static str),
    /// One member of a text of JSON, under its own name: of a column in which others change.
    Member(&'static str, &'static str),
}

/// Where sessions and messages are, in an agent's database.
#[derive(Clone, Copy)]
pub(crate) struct Tables {
    /// The agent.
    pub agent: &'static str,
    /// Its sessions.
    pub sessions: Sessions,
    /// Their messages.
    pub messages: Messages,
    /// What reads the lines: it tells which turn is not over.
    pub format: &'static (dyn Format + Sync),
}

/// The table of sessions.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Sessions {
    /// Its name.
    pub table: &'static str,
    /// The column of ids.
    pub id: &'static str,
    /// The column of the folder that a session works in.
    pub project: Option<&'static str>,
    /// What never changes, besides the id, which stands in both lines.
    pub first: &'static [Column],
    /// What changes.
    pub last: &'static [Column],
    /// Rows of other tables, in the last line.
    pub beside: &'static [Beside],
    /// Sums over other tables, in the last line.
    pub sums: &'static [Sums],
}

/// The table of messages.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Messages {
    /// Its name.
    pub table: &'static str,
    /// The column of the session.
    pub session: &'static str,
    /// The columns that order them.
    pub order: &'static [&'static str],
    /// What of a row is a line.
    pub form: Form,
    /// Rows of other tables that belong to one.
    pub beside: &'static [Beside],
}

/// What of a message's row is a line.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Form {
    /// These columns, by the rule.
    Row(&'static [Column]),
    /// The row holds a line that the agent has written: in a column as text, or in another one packed with
    /// zstd.
    Line {
        /// The text.
        text: &'static str,
        /// The packed text.
        packed: &'static str,
    },
}

/// Rows of other tables that belong to a row: a list under that table's name.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Beside {
    /// Those with a value of that row.
    Rows {
        /// Their table.
        table: &'static str,
        /// Its column that names the row, and that row's column with the same value.
        of: (&'static str, &'static str),
        /// The columns that order them.
        order: &'static [&'static str],
        /// What is read of them.
        columns: &'static [Column],
    },
    /// Those of a chain that the row leads to.
    Chain(Chain),
}

/// Rows that lead to one another, and the rows of a table that belong to each.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Chain {
    /// The table of the chain, its ids, and the column that leads to the row before.
    pub links: (&'static str, &'static str, &'static str),
    /// The table of the rows that lead to it, its column of the session, and the one that leads to the last of
    /// the chain. It goes back to where another row of the session begins.
    pub from: (&'static str, &'static str, &'static str),
    /// A column of the chain, which goes with each row that belongs to it.
    pub column: &'static str,
    /// The table of the rows that belong to it.
    pub table: &'static str,
    /// Their column that names the row of the chain.
    pub of: &'static str,
    /// The columns that order them.
    pub order: &'static [&'static str],
    /// What is read of them.
    pub columns: &'static [Column],
}

/// Sums over the rows of another table that belong to a session, for each value of a column.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Sums {
    /// Its name.
    pub table: &'static str,
    /// Its column that names the session.
    pub session: &'static str,
    /// The column by whose values is summed up.
    pub by: &'static str,
    /// What is summed up.
    pub columns: &'static [&'static str],
}

impl fmt::Debug for Tables {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Tables({})", self.agent)
    }
}

impl Column {
    /// The column in the table.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Plain(name) | Self::Json(name) | Self::Member(name, _) => name,
        }
    }

    /// Its name in a line.
    pub(super) fn key(self) -> &'static str {
        match self {
            Self::Plain(name) | Self::Json(name) => name,
            Self::Member(_, member) => member,
        }
    }
}
