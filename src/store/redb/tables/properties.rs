//! What is kept of a session beside its lines: a row a session, and the claims to other names.
//!
//! - A session without any properties has no row.
//! - Each alias that a session lists is a claim of its own: (agent, alias, place in line) -> the
//!   session's number. The first in line has the alias; where it goes, the next one has it.
//! - A store of format 1 that is only read has neither table: nothing is kept there yet.

use redb::{
    Key, ReadOnlyTable, ReadTransaction, ReadableTable, Table, TableDefinition, TableHandle, Value,
};

use super::ranges::within;
use super::schema::{ALIASES, FORMAT_WITH_PROPERTIES, PROPERTIES, SESSION_SOURCES, SESSIONS};
use super::snapshot::{Snapshot, row_behind};
use super::writer::Writer;
use crate::codec::properties_row;
use crate::codec::row::RowError;
use crate::codec::session_row::SessionRow;
use crate::model::error::{Error, Result};
use crate::model::key::SessionKey;
use crate::model::properties::{Properties, PropertiesChange};
use crate::store::properties::{self, Claims};
use crate::store::redb::engine::errors::storage;
use crate::store::redb::upkeep::migrate;

/// The key of the table of aliases: agent, alias, place in line.
type ClaimKey = (&'static str, &'static str, u64);

/// A table that came with format 2: `None` in a store of format 1.
pub(crate) fn open_table<K: Key + 'static, V: Value + 'static>(
    txn: &ReadTransaction,
    table: TableDefinition<'_, K, V>,
) -> Result<Option<ReadOnlyTable<K, V>>> {
    match txn.open_table(table) {
        Ok(table) => Ok(Some(table)),
        Err(redb::TableError::TableDoesNotExist(_))
            if migrate::format(txn)?.is_some_and(|format| format < FORMAT_WITH_PROPERTIES) =>
        {
            Ok(None)
        }
        Err(error) => Err(storage("read the properties")(error)),
    }
}

/// The properties of a session.
pub(crate) fn of_session(snapshot: &Snapshot<'_>, number: u64) -> Result<Properties> {
    let Some(table) = open_table(snapshot.txn(), PROPERTIES)? else {
        return Ok(Properties::default());
    };
    let found = read(&table, number)?;
    if found == Properties::default() {
        snapshot.check(PROPERTIES, &number, &number)?;
    }
    Ok(found)
}

fn read(table: &impl ReadableTable<u64, &'static [u8]>, number: u64) -> Result<Properties> {
    let stored = table
        .get(number)
        .map_err(storage("read the properties of a session"))?;
    match stored {
        Some(bytes) => {
            properties_row::decode(number, bytes.value()).map_err(|error| corrupt(number, &error))
        }
        None => Ok(Properties::default()),
    }
}

/// A damaged row of the table of properties.
pub(crate) fn corrupt(number: u64, error: &RowError) -> Error {
    Error::Corrupt {
        table: "properties",
        key: format!("session {number}"),
        detail: error.to_string(),
    }
}

/// The session that has an alias.
pub(crate) fn by_alias(snapshot: &Snapshot<'_>, alias: &SessionKey) -> Result<Option<SessionKey>> {
    let Some(table) = open_table(snapshot.txn(), ALIASES)? else {
        return Ok(None);
    };
    let first = claims(&table, alias)?.next().transpose()?;
    // Damage may hide the first in line.
    let reached = first.map_or(u64::MAX, |(place, _)| place);
    let line = |place| (alias.agent(), alias.id(), place);
    snapshot.check(ALIASES, &line(0), &line(reached))?;
    let Some((_, number)) = first else {
        return by_file(snapshot, alias);
    };
    snapshot.counts().indexes(1);
    let sessions = snapshot
        .txn()
        .open_table(SESSIONS)
        .map_err(storage("read a session"))?;
    let row = row_behind(&sessions, number, snapshot.counts())?;
    key_of(alias, &row).map(Some)
}

/// The session that was imported from the file where its agent would keep one of this key, if nothing
/// but the file's name tells its key: no file beside it, and no session that has the key.
fn by_file(snapshot: &Snapshot<'_>, key: &SessionKey) -> Result<Option<SessionKey>> {
    let Some(named) = properties::named_by_file(key) else {
        return Ok(None);
    };
    let Some((number, row)) = snapshot.session(&named)? else {
        return Ok(None);
    };
    if row.attachments > 0 || snapshot.session(key)?.is_some() {
        return Ok(None);
    }
    let sources = snapshot
        .txn()
        .open_table(SESSION_SOURCES)
        .map_err(storage("read the sources"))?;
    let none: &[u8] = &[];
    let range = (number, none, 0)..(number.saturating_add(1), none, 0);
    let is_imported = within(&sources, range, "read the sources")?
        .next()
        .transpose()?
        .is_some();
    Ok(is_imported.then_some(named))
}

/// The key of the session that a claim led to.
fn key_of(alias: &SessionKey, row: &SessionRow) -> Result<SessionKey> {
    properties::claimer(alias, row).map_err(|error| corrupt_alias(alias, &error))
}

/// A damaged row of the table of aliases.
pub(crate) fn corrupt_alias(alias: &SessionKey, error: &RowError) -> Error {
    Error::Corrupt {
        table: "aliases",
        key: alias.to_string(),
        detail: error.to_string(),
    }
}

/// The claims to an alias: places in line, and session numbers. Reads no more of them than are
/// taken: any number of imported sessions can have the same alias.
fn claims(
    table: &(impl ReadableTable<ClaimKey, &'static [u8]> + TableHandle),
    alias: &SessionKey,
) -> Result<impl DoubleEndedIterator<Item = Result<(u64, u64)>>> {
    let range = (alias.agent(), alias.id(), 0)..=(alias.agent(), alias.id(), u64::MAX);
    Ok(within(table, range, "look an alias up")?.map(move |entry| {
        let (key, value) = entry?;
        let place = key.value().2;
        let number = properties_row::decode_claim(alias, place, value.value())
            .map_err(|error| corrupt_alias(alias, &error))?;
        Ok((place, number))
    }))
}

/// Changes the properties of a session; returns what they are then.
pub(crate) fn change(
    writer: &Writer<'_>,
    number: u64,
    change: &PropertiesChange,
    manner: Claims,
) -> Result<Properties> {
    let row = writer.row(number)?;
    let mut table = writer
        .txn()
        .open_table(PROPERTIES)
        .map_err(storage("write the properties of a session"))?;
    let old = read(&table, number)?;
    let new = properties::changed(&old, change, &row.id, manner)?;
    let archived_by_agent = properties::stays_archived(row.archived_by_agent, change);
    if new == old && archived_by_agent == row.archived_by_agent {
        return Ok(new);
    }
    change_claims(writer, (number, &row), &old.aliases, &new.aliases, manner)?;
    put(&mut table, number, &new)?;
    drop(table);
    let changed = SessionRow {
        given: properties::given(&new),
        archived_by_agent,
        ..row.clone()
    };
    // Aliases, a summary and a scope are in no row.
    writer.put_written_row(number, Some(&row), changed)?;
    Ok(new)
}

fn put(
    table: &mut Table<'_, u64, &'static [u8]>,
    number: u64,
    properties: &Properties,
) -> Result<()> {
    let action = storage("write the properties of a session");
    if *properties == Properties::default() {
        table.remove(number).map_err(&action)?;
        return Ok(());
    }
    let encoded = properties_row::encode(number, properties);
    let encoded = encoded.map_err(|error| corrupt(number, &error))?;
    table.insert(number, encoded.as_slice()).map_err(&action)?;
    Ok(())
}

/// The places of a session in the lines for its aliases.
pub(crate) fn places(
    snapshot: &Snapshot<'_>,
    (number, row): (u64, &SessionRow),
    aliases: &[String],
) -> Result<Vec<(String, u64)>> {
    let mut found = Vec::new();
    let Some(table) = open_table(snapshot.txn(), ALIASES)? else {
        return Ok(found);
    };
    for alias in aliases {
        let of = SessionKey::new(row.agent.as_str(), alias.as_str())?;
        for claim in claims(&table, &of)? {
            let (place, other) = claim?;
            if other == number {
                found.push((alias.clone(), place));
            }
        }
    }
    Ok(found)
}

/// Writes the properties of a session that has none, and its claims: each at a place, or, where that is
/// taken, behind the last one.
pub(crate) fn put_carried(
    writer: &Writer<'_>,
    (number, row): (u64, &SessionRow),
    properties: &Properties,
    wanted: &[(String, u64)],
) -> Result<()> {
    let open = storage("write the properties of a session");
    let mut table = writer.txn().open_table(PROPERTIES).map_err(&open)?;
    put(&mut table, number, properties)?;
    let mut aliases = writer.txn().open_table(ALIASES).map_err(&open)?;
    for (alias, place) in wanted {
        let alias = SessionKey::new(row.agent.as_str(), alias.as_str())?;
        let all: Vec<(u64, u64)> = claims(&aliases, &alias)?.collect::<Result<_>>()?;
        let corrupt = |error| corrupt_alias(&alias, &error);
        // A copy keeps the places in line, so that an alias leads to the same session as before;
        // where others are in line already, it stands behind them.
        let place = if all.iter().any(|(other, _)| other == place) {
            properties::place_behind(all.last().map(|(last, _)| *last)).map_err(corrupt)?
        } else {
            *place
        };
        let claim = properties_row::encode_claim(&alias, place, number).map_err(corrupt)?;
        aliases
            .insert((alias.agent(), alias.id(), place), claim.as_slice())
            .map_err(storage("write an alias"))?;
    }
    Ok(())
}

/// Takes away what is kept of a session beside its lines, and its claims.
pub(crate) fn remove_all(writer: &Writer<'_>, number: u64, row: &SessionRow) -> Result<()> {
    let open = storage("write the properties of a session");
    let mut table = writer.txn().open_table(PROPERTIES).map_err(open)?;
    remove(writer, &mut table, number, row)
}

/// Gives up the aliases that a session no longer lists, and claims those that are new to it.
fn change_claims(
    writer: &Writer<'_>,
    (number, row): (u64, &SessionRow),
    old: &[String],
    new: &[String],
    manner: Claims,
) -> Result<()> {
    if old == new {
        return Ok(());
    }
    let action = storage("write an alias");
    let mut table = writer
        .txn()
        .open_table(ALIASES)
        .map_err(storage("write an alias"))?;
    for alias in old.iter().filter(|alias| !new.contains(alias)) {
        release(
            &mut table,
            &SessionKey::new(row.agent.as_str(), alias.as_str())?,
            number,
        )?;
    }
    for alias in new.iter().filter(|alias| !old.contains(alias)) {
        let alias = SessionKey::new(row.agent.as_str(), alias.as_str())?;
        // The first in line has the name.
        let first = claims(&table, &alias)?.next().transpose()?;
        if let (Claims::Exclusive, Some((_, other))) = (manner, first) {
            return Err(Error::AliasTaken {
                by: key_of(&alias, &writer.row(other)?)?,
                alias: alias.id().to_owned(),
            });
        }
        let corrupt = |error| corrupt_alias(&alias, &error);
        let last = claims(&table, &alias)?.next_back().transpose()?;
        let place = properties::place_behind(last.map(|(last, _)| last)).map_err(corrupt)?;
        let claim = properties_row::encode_claim(&alias, place, number).map_err(corrupt)?;
        table
            .insert((alias.agent(), alias.id(), place), claim.as_slice())
            .map_err(&action)?;
    }
    Ok(())
}

/// Takes a session out of the line for an alias.
fn release(
    table: &mut Table<'_, ClaimKey, &'static [u8]>,
    alias: &SessionKey,
    number: u64,
) -> Result<()> {
    let is_its = |claim: &Result<(u64, u64)>| match claim {
        Ok((_, other)) => *other == number,
        Err(_) => true,
    };
    // A session claims an alias once.
    let its = claims(table, alias)?.find(is_its).transpose()?;
    if let Some((place, _)) = its {
        table
            .remove((alias.agent(), alias.id(), place))
            .map_err(storage("write an alias"))?;
    }
    Ok(())
}

/// Removes what is kept of a session beside its lines.
pub(crate) fn remove(
    writer: &Writer<'_>,
    table: &mut Table<'_, u64, &'static [u8]>,
    number: u64,
    row: &SessionRow,
) -> Result<()> {
    let action = storage("delete a session");
    let Some(stored) = table.remove(number).map_err(&action)? else {
        return Ok(());
    };
    let aliases = properties_row::decode(number, stored.value()).map(|stored| stored.aliases);
    match aliases {
        Ok(aliases) => change_claims(writer, (number, row), &aliases, &[], Claims::InLine),
        // A damaged row does not tell which aliases it had, and must not keep its session either.
        Err(_) => release_all(writer, number),
    }
}

/// Takes a session out of every line.
fn release_all(writer: &Writer<'_>, number: u64) -> Result<()> {
    let mut table = writer
        .txn()
        .open_table(ALIASES)
        .map_err(storage("delete a session"))?;
    table
        .retain(|(agent, alias, place), value| {
            let of = SessionKey::new(agent, alias)
                .ok()
                .and_then(|alias| properties_row::decode_claim(&alias, place, value).ok());
            // A claim that cannot be read stays: nobody knows whose it is.
            of != Some(number)
        })
        .map_err(storage("delete a session"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::session::Session;
    use crate::store::{Options, RedbStore, Store as _};

    #[test]
    fn a_line_that_is_full_is_an_error_and_no_other_claim() {
        let folder = tempfile::tempdir().unwrap();
        let store = RedbStore::open(folder.path().join("s.redb"), Options::default()).unwrap();
        let [one, two] = ["one", "two"].map(|id| SessionKey::native(id).unwrap());
        for key in [&one, &two] {
            store.ensure_meta(&Session::new(key.clone())).unwrap();
        }
        let alias = SessionKey::native("x").unwrap();
        let last = (alias.agent(), alias.id(), u64::MAX);
        let claim = properties_row::encode_claim(&alias, u64::MAX, 1).unwrap();
        let listed = Properties {
            aliases: vec!["x".to_owned()],
            ..Properties::default()
        };
        let row = properties_row::encode(1, &listed).unwrap();
        let write = |writer: &Writer<'_>| {
            let mut claims = writer.txn().open_table(ALIASES).unwrap();
            claims.insert(last, claim.as_slice()).unwrap();
            let mut rows = writer.txn().open_table(PROPERTIES).unwrap();
            rows.insert(1, row.as_slice()).unwrap();
            Ok(())
        };
        store.write(write).unwrap();
        let wanted = PropertiesChange {
            aliases: Some(listed.aliases),
            ..PropertiesChange::default()
        };
        let full = store.write(|writer| change(writer, 2, &wanted, Claims::InLine));
        assert!(
            matches!(
                full,
                Err(Error::Corrupt {
                    table: "aliases",
                    ..
                })
            ),
            "{full:?}"
        );
        assert_eq!(store.by_alias(&alias).unwrap(), Some(one));
    }
    #[test]
    fn a_session_that_has_lost_its_properties_has_no_row() {
        let folder = tempfile::tempdir().unwrap();
        let store = RedbStore::open(folder.path().join("s.redb"), Options::default()).unwrap();
        let key = SessionKey::native("s").unwrap();
        store.ensure_meta(&Session::new(key.clone())).unwrap();
        let rows = || {
            let count = |writer: &Writer<'_>| {
                let table = writer.txn().open_table(PROPERTIES).unwrap();
                Ok(redb::ReadableTableMetadata::len(&table).unwrap())
            };
            store.write(count).unwrap()
        };
        let pin = |pinned| PropertiesChange {
            pinned: Some(pinned),
            ..PropertiesChange::default()
        };
        store.update_properties(&key, &pin(true)).unwrap();
        assert_eq!(rows(), 1);
        store.update_properties(&key, &pin(false)).unwrap();
        assert_eq!(rows(), 0);
    }
}
