//! What is written for a place that sessions are to be kept in: the [`Engine`].

use std::path::Path;

use uuid::Uuid;

use super::cells::{CellQuery, Table};
use super::changes::Changes;
use super::lately::Lately;
use super::row::{NameQuery, RowQuery, SummaryRow};
use crate::model::error::Result;
use crate::model::key::SessionKey;
use crate::store::options::Stamps;

/// How many sessions have a session for their parent.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Children {
    /// All of them that lists show.
    pub all: u64,
    /// Those that it started as sub-agents.
    pub subagents: u64,
}

impl Children {
    /// So many, and so many of them sub-agents.
    pub fn new(all: u64, subagents: u64) -> Self {
        Self { all, subagents }
    }
}

/// A cell as an engine gives it: its key and its value.
pub type KeyAndValue = (Vec<u8>, Vec<u8>);

/// A cell of one of several owners: its owner, its key and its value.
pub type OwnedCell = (u64, Vec<u8>, Vec<u8>);

/// Summary rows and cells, with one commit for all that changes: whatever is an engine is a
/// [`Store`](crate::Store), and imports and exports go through it ([`Ingest`](crate::Ingest)).
///
/// An engine knows nothing of lines, agents or messages. It keeps bytes, and promises three things:
///
/// - [`commit`](Self::commit) writes all or nothing, and only if every summary row is of the version that
///   it was seen with. The calls read, decide, and commit; where somebody else was faster they
///   read again.
/// - What `commit` said `Ok(true)` to is there for every read that begins afterwards, and as durable as
///   the engine's documentation says.
/// - Order is that of bytes.
///
/// Each call of a store is several of an engine, and never holds one open: an engine over a network has
/// no transaction that waits for a caller.
pub trait Engine: Send + Sync + std::fmt::Debug {
    /// The clock and the ids.
    fn stamps(&self) -> &Stamps;

    /// The store's own id; `None` where it has none.
    ///
    /// # Errors
    ///
    /// Those of the engine.
    fn store_id(&self) -> Result<Option<Uuid>> {
        Ok(None)
    }

    /// The file or folder that the store lies in, which no import takes for an agent's.
    fn own_file(&self) -> Option<&Path> {
        None
    }

    /// The longest path of a file that an import may note, in bytes: it stands in keys of cells, beside an id and
    /// an agent's name.
    fn path_bytes_max(&self) -> usize {
        usize::MAX
    }

    /// Bytes that the store takes where it lies; 0 where that is not known.
    ///
    /// # Errors
    ///
    /// Those of the engine.
    fn disk_bytes(&self) -> Result<u64> {
        Ok(0)
    }

    /// A number for a new session, above 0 and below 2^63: no other session has it or ever had it, and
    /// it is higher than what this engine gave before. Numbers that are not used leave gaps.
    ///
    /// # Errors
    ///
    /// Those of the engine.
    fn new_number(&self) -> Result<u64>;

    /// The summary row of a session.
    ///
    /// # Errors
    ///
    /// Those of the engine.
    fn row(&self, key: &SessionKey) -> Result<Option<SummaryRow>>;

    /// What the calls remember of the sessions that they wrote last, if this engine keeps that for them:
    /// it spares an append the reads, where reads cost a way over a network.
    fn lately(&self) -> Option<&Lately> {
        None
    }

    /// The summary rows of sessions by number, those that are there, in any order.
    ///
    /// # Errors
    ///
    /// Those of the engine.
    fn rows(&self, numbers: &[u64]) -> Result<Vec<SummaryRow>>;

    /// The numbers of sessions above `after`, in their order, listed or not: at most `limit`, which is at
    /// least one.
    ///
    /// # Errors
    ///
    /// Those of the engine.
    fn numbers(&self, after: u64, limit: usize) -> Result<Vec<u64>>;

    /// Summary rows, newest first.
    ///
    /// # Errors
    ///
    /// Those of the engine.
    fn list(&self, query: &RowQuery) -> Result<Vec<SummaryRow>>;

    /// Names of sessions, listed or not.
    ///
    /// # Errors
    ///
    /// Those of the engine.
    fn names(&self, query: &NameQuery) -> Result<Vec<SessionKey>>;

    /// How many children each of these sessions has. This default lists them.
    ///
    /// # Errors
    ///
    /// Those of the engine.
    fn children(&self, keys: &[SessionKey]) -> Result<Vec<Children>> {
        keys.iter().map(|key| children_of(self, key)).collect()
    }

    /// Cells of one owner.
    ///
    /// # Errors
    ///
    /// Those of the engine.
    fn cells(&self, query: &CellQuery) -> Result<Vec<KeyAndValue>>;

    /// All cells of several owners, in the order of owners and keys. This default asks for one owner
    /// after another.
    ///
    /// # Errors
    ///
    /// Those of the engine.
    fn cells_of(&self, table: Table, owners: &[u64]) -> Result<Vec<OwnedCell>> {
        let mut found = Vec::new();
        for owner in owners {
            let cells = self.cells(&CellQuery::of(table, *owner))?;
            found.extend(cells.into_iter().map(|(key, value)| (*owner, key, value)));
        }
        Ok(found)
    }

    /// Writes all of `changes`, or nothing. `Ok(false)` if something is not as it was seen: a row of
    /// another version, a name that another row has, a cell where there should be none.
    ///
    /// # Durability
    ///
    /// As durable as the engine's documentation says when this returns `Ok(true)`.
    ///
    /// # Errors
    ///
    /// [`CommitUnknown`](crate::Error::CommitUnknown) if all or nothing may be there; after any other
    /// error nothing is.
    fn commit(&self, changes: &Changes) -> Result<bool>;

    /// Sees to it that what reads have shown of a session is as durable as what [`commit`](Self::commit) said
    /// `Ok(true)` to: asked before a batch is answered that was there already. For an engine whose
    /// reads may show more than that, such as a server that has started again while its standby is away. This
    /// default does nothing.
    ///
    /// # Errors
    ///
    /// Those of the engine.
    fn settle(&self, key: &SessionKey) -> Result<()> {
        let _ = key;
        Ok(())
    }

    /// Calls `work` with an engine through which nobody else writes to that session until `work` has
    /// returned, as far as this engine can do that: what the calls do once others were faster. An engine that
    /// cannot hold anybody up calls `work` with itself.
    ///
    /// # Errors
    ///
    /// Those of `work`, and those of the engine.
    fn alone(
        &self,
        key: &SessionKey,
        work: &mut dyn FnMut(&dyn Engine) -> Result<()>,
    ) -> Result<()>;
}

/// The children of a session, by the list of them.
fn children_of(engine: &(impl Engine + ?Sized), key: &SessionKey) -> Result<Children> {
    const PAGE: usize = 1000;
    let mut children = Children::default();
    let mut query = RowQuery {
        agent: Some(key.agent().to_owned()),
        parent: Some(key.id().to_owned()),
        ..RowQuery::of(PAGE)
    };
    loop {
        let rows = engine.list(&query)?;
        for row in &rows {
            let columns = row.columns()?;
            children.all += 1;
            children.subagents += u64::from(columns.subagent);
            query.after = Some((columns.updated_us, row.number()));
        }
        if rows.len() < PAGE {
            return Ok(children);
        }
    }
}
