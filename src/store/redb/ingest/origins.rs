//! Where sessions came from: reads of the table of sources by session and by path.

use crate::model::error::Result;
use crate::model::key::SessionKey;
use crate::store::ingest::{Filed, Source};
use crate::store::redb::engine::errors::storage;
use crate::store::redb::store::RedbStore;
use crate::store::redb::tables::ranges::within;
use crate::store::redb::tables::schema::{SESSION_KEYS, SESSION_SOURCES, SOURCES};
use crate::store::redb::tables::snapshot::{self, Snapshot};
use crate::store::redb::tables::sources::{decode, of_session_in};

/// The number of the session of that name, if there is one.
pub(crate) fn number_of(snapshot: &Snapshot<'_>, key: &SessionKey) -> Result<Option<u64>> {
    let open = storage("look a session up");
    let table = snapshot.txn().open_table(SESSION_KEYS).map_err(open)?;
    let number = snapshot::number_of(&table, key, snapshot.counts())?;
    if number.is_none() {
        let place = (key.agent(), key.id());
        snapshot.check(SESSION_KEYS, &place, &place)?;
    }
    Ok(number)
}

/// Every content of a plain id, with its file: in one snapshot, since an import asks for each file that it
/// compares.
pub(crate) fn filed(snapshot: &Snapshot<'_>, plain: &SessionKey) -> Result<(Vec<Filed>, usize)> {
    let filed = |number, row| {
        Ok(Filed {
            number,
            row,
            order: snapshot.file_order(number)?,
            sources: of_session(snapshot, number)?,
        })
    };
    // The row of nearly every id says that it has one content: then no list of them is looked for.
    let number = number_of(snapshot, plain)?;
    if let Some(number) = number
        && let Some(row) = snapshot.row(number)?
        && row.contents == 1
    {
        return Ok((vec![filed(number, row)?], 1));
    }
    let contents = snapshot.contents(plain)?.into_iter();
    let mut numbers: Vec<u64> = contents.map(|(_, number)| number).collect();
    // The name of an older content is no plain id.
    if numbers.is_empty() {
        numbers.extend(number);
    }
    let mut found = Vec::with_capacity(numbers.len());
    for number in &numbers {
        if let Some(row) = snapshot.row(*number)? {
            found.push(filed(*number, row)?);
        }
    }
    Ok((found, numbers.len()))
}

/// Every generation of a path, the newest first.
pub(crate) fn generations(store: &RedbStore, path: &[u8]) -> Result<Vec<Source>> {
    store.read(|snapshot| {
        let table = snapshot
            .txn()
            .open_table(SOURCES)
            .map_err(storage("read the sources"))?;
        let mut found = Vec::new();
        let range = (path, 0)..=(path, u32::MAX);
        for entry in within(&table, range, "read the sources")?.rev() {
            let (key, value) = entry?;
            found.push(decode(path, key.value().1, value.value())?);
        }
        snapshot.check(SOURCES, &(path, 0), &(path, u32::MAX))?;
        Ok(found)
    })
}

/// The sources of a session.
pub(crate) fn of_session(snapshot: &Snapshot<'_>, number: u64) -> Result<Vec<Source>> {
    let none: &[u8] = &[];
    let open = storage("read the sources");
    let of_session = snapshot.txn().open_table(SESSION_SOURCES).map_err(&open)?;
    let sources = snapshot.txn().open_table(SOURCES).map_err(&open)?;
    let found = of_session_in(&of_session, &sources, number)?;
    let last = (number.saturating_add(1), none, 0);
    snapshot.check(SESSION_SOURCES, &(number, none, 0), &last)?;
    Ok(found)
}

/// How many paths begin with these bytes. Reads keys alone.
pub(crate) fn count_below(store: &RedbStore, prefix: &[u8]) -> Result<u64> {
    store.read(|snapshot| {
        let open = storage("read the sources");
        let table = snapshot.txn().open_table(SOURCES).map_err(open)?;
        let mut count = 0;
        let mut last: Vec<u8> = Vec::new();
        for entry in within(&table, (prefix, 0).., "read the sources")? {
            let (key, _) = entry?;
            let (path, _) = key.value();
            if !path.starts_with(prefix) {
                break;
            }
            if path != last.as_slice() {
                count += 1;
                last = path.to_vec();
            }
        }
        Ok(count)
    })
}
