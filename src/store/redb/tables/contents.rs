//! The contents of an id, and the homes of ids that are not unique by themselves.
//!
//! - The newest content of an id has the plain id as its key, and is the one that lists show; the
//!   others are called `ID~1`, `ID~2`, ... by the order of their arrival.
//! - Only ids of several contents have rows in `contents`.
//! - A home is a row of `homes`: whose chat `cli:direct` is in a folder. So is a beginning: the digest of
//!   the first lines of a file, by which a copy in another home is known.

use redb::{ReadableTable, TableHandle};

use super::ranges::within;
use super::schema::{CONTENTS, FORMAT_BESIDE_THE_LOG, HOMES, SESSION_KEYS};
use super::snapshot::{Snapshot, all_read};
use super::writer::Writer;
use crate::agents;
use crate::codec::session_row::SessionRow;
use crate::model::error::{Error, Result};
use crate::model::key::SessionKey;
use crate::model::naming::numbered;
use crate::store::ingest::HomeId;
use crate::store::redb::engine::errors::storage;
use crate::store::redb::upkeep::migrate;

const READ: &str = "read the contents of an id";

/// The key of the home of a file among those of its id: its folder.
pub(crate) fn home_key(path: &[u8]) -> Vec<u8> {
    let end = path.iter().rposition(|byte| *byte == b'/').unwrap_or(0);
    [&b"h"[..], path.get(..end).unwrap_or_default()].concat()
}

/// Numbers of contents and session numbers, in their order.
fn of(
    table: &(impl ReadableTable<(&'static str, &'static str, u32), u64> + TableHandle),
    key: &SessionKey,
) -> Result<Vec<(u32, u64)>> {
    let range = (key.agent(), key.id(), 0)..=(key.agent(), key.id(), u32::MAX);
    within(table, range, READ)?
        .map(|entry| {
            let (key, number) = entry?;
            Ok((key.value().2, number.value()))
        })
        .collect()
}

impl Writer<'_> {
    /// The contents of a plain id, by their numbers: none where the id is not there, or has one.
    pub(crate) fn contents(&self, key: &SessionKey) -> Result<Vec<(u32, u64)>> {
        let table = self.txn().open_table(CONTENTS).map_err(storage(READ))?;
        of(&table, key)
    }

    /// Notes which session a content is.
    pub(crate) fn put_content(&self, key: &SessionKey, content: u32, number: u64) -> Result<()> {
        let mut table = self.txn().open_table(CONTENTS).map_err(storage(READ))?;
        table
            .insert((key.agent(), key.id(), content), number)
            .map_err(storage("note a content"))?;
        Ok(())
    }

    /// Forgets a content.
    pub(crate) fn remove_content(&self, key: &SessionKey, content: u32) -> Result<()> {
        let mut table = self.txn().open_table(CONTENTS).map_err(storage(READ))?;
        table
            .remove((key.agent(), key.id(), content))
            .map_err(storage("forget a content"))?;
        Ok(())
    }

    /// Notes the home, or a beginning, of the session that is kept under an id.
    pub(crate) fn put_home(&self, wanted: &SessionKey, home: &[u8], id: &str) -> Result<()> {
        let mut table = self
            .txn()
            .open_table(HOMES)
            .map_err(storage("note a home"))?;
        table
            .insert((wanted.agent(), wanted.id(), home), id)
            .map_err(storage("note a home"))?;
        Ok(())
    }

    /// Forgets the homes of the session that was kept under an id, where its id is not unique, and says
    /// which there were.
    pub(crate) fn forget_homes(&self, key: &SessionKey) -> Result<Vec<Vec<u8>>> {
        let mut gone = Vec::new();
        if agents::of_agent(key.agent()).has_unique_ids() {
            return Ok(gone);
        }
        let mut table = self
            .txn()
            .open_table(HOMES)
            .map_err(storage("forget a home"))?;
        // A session that is called `ID~1` may be noted under `ID`, as its file calls it.
        let plain = numbered(key.id()).map(|(plain, _)| plain);
        for wanted in [Some(key.id()), plain].into_iter().flatten() {
            let none: &[u8] = &[];
            let mut homes: Vec<Vec<u8>> = Vec::new();
            for entry in within(&table, (key.agent(), wanted, none).., "forget a home")? {
                let (found, id) = entry?;
                let (agent, of, home) = found.value();
                if (agent, of) != (key.agent(), wanted) {
                    break;
                }
                if id.value() == key.id() {
                    homes.push(home.to_vec());
                }
            }
            for home in &homes {
                table
                    .remove((key.agent(), wanted, home.as_slice()))
                    .map_err(storage("forget a home"))?;
            }
            gone.append(&mut homes);
        }
        Ok(gone)
    }

    /// Gives a session another key, which is free; its other rows stay.
    pub(crate) fn rename(&self, number: u64, row: &SessionRow, id: &str) -> Result<SessionRow> {
        let action = storage("rename a session");
        let mut keys = self
            .txn()
            .open_table(SESSION_KEYS)
            .map_err(storage("rename a session"))?;
        // Of two that change names one may have the other's key already: that entry stays.
        let leads_here = keys
            .get((row.agent.as_str(), row.id.as_str()))
            .map_err(&action)?
            .is_some_and(|found| found.value() == number);
        if leads_here {
            keys.remove((row.agent.as_str(), row.id.as_str()))
                .map_err(&action)?;
        }
        keys.insert((row.agent.as_str(), id), number)
            .map_err(&action)?;
        Ok(SessionRow {
            id: id.to_owned(),
            ..row.clone()
        })
    }
}

impl Snapshot<'_> {
    /// The contents of a plain id, by their numbers: none where the id is not there, or has one.
    pub(crate) fn contents(&self, key: &SessionKey) -> Result<Vec<(u32, u64)>> {
        // Only a store of an older format, which is read, may lack the table; elsewhere that is
        // damage.
        let table = match self.txn().open_table(CONTENTS) {
            Err(redb::TableError::TableDoesNotExist(_)) if self.is_before_contents()? => {
                return Ok(Vec::new());
            }
            opened => opened.map_err(storage(READ))?,
        };
        let found = of(&table, key)?;
        if found.is_empty() {
            let place = |content| (key.agent(), key.id(), content);
            self.check(CONTENTS, &place(0), &place(u32::MAX))?;
        }
        Ok(found)
    }

    /// The id under which the session of a home is kept, or of a beginning.
    pub(crate) fn at_home(&self, wanted: &SessionKey, home: &[u8]) -> Result<Option<String>> {
        let table = match self.txn().open_table(HOMES) {
            Err(redb::TableError::TableDoesNotExist(_)) if self.is_before_contents()? => {
                return Ok(None);
            }
            opened => opened.map_err(storage("look a home up"))?,
        };
        let place = (wanted.agent(), wanted.id(), home);
        let found = table.get(place).map_err(storage("look a home up"))?;
        let Some(id) = found else {
            self.check(HOMES, &place, &place)?;
            return Ok(None);
        };
        Ok(Some(id.value().to_owned()))
    }

    fn is_before_contents(&self) -> Result<bool> {
        Ok(migrate::format(self.txn())?.is_some_and(|format| format < FORMAT_BESIDE_THE_LOG))
    }
}

/// Every home and beginning.
pub(crate) fn homes(snapshot: &Snapshot<'_>) -> Result<Vec<HomeId>> {
    let table = match snapshot.txn().open_table(HOMES) {
        Err(redb::TableError::TableDoesNotExist(_)) if snapshot.is_before_contents()? => {
            return Ok(Vec::new());
        }
        opened => opened.map_err(storage("read the homes"))?,
    };
    let read = storage("read the homes");
    let mut homes = Vec::new();
    for entry in table.iter().map_err(&read)? {
        let (key, id) = entry.map_err(&read)?;
        let (agent, wanted, home) = key.value();
        homes.push(HomeId {
            wanted: SessionKey::new(agent, wanted)?,
            place: home.to_vec(),
            id: id.value().to_owned(),
        });
    }
    // A walk ends early where a page is lost, without an error: the table knows how many there are.
    let all = redb::ReadableTableMetadata::len(&table).map_err(&read)?;
    all_read("homes", homes.len() as u64, all)?;
    Ok(homes)
}

/// A content that is not what its entry says.
pub(crate) fn corrupt_content(key: &SessionKey, content: u32, detail: &str) -> Error {
    Error::Corrupt {
        table: "contents",
        key: format!("{key}, content {content}"),
        detail: detail.to_owned(),
    }
}
