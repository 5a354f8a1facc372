//! A part of step 5: sessions `id~2`, `id~3`, ... become contents of their id, and the newest of them
//! gets the plain one; and the homes of ids that are not unique by themselves.
//!
//! Nothing is deleted and no line is read. Where ids are not unique, `id~2` may be another folder's
//! session: only what came from the folder of `id` is a content of it.

use std::collections::BTreeMap;

use redb::{ReadableTable as _, WriteTransaction};

use crate::agents;
use crate::codec::properties_row;
use crate::codec::row::RowError;
use crate::codec::session_row::SessionRow;
use crate::codec::source_row::{SourceKind, SourceRow};
use crate::model::error::{Error, Result};
use crate::model::key::SessionKey;
use crate::model::naming::numbered;
use crate::model::properties::Properties;
use crate::store::properties;
use crate::store::redb::engine::errors::storage;
use crate::store::redb::tables::contents::corrupt_content;
use crate::store::redb::tables::schema;
use crate::store::redb::tables::snapshot::corrupt_session;

const ACTION: &str = "bring sessions of one id together";

/// The folders of sessions, by their numbers.
type Folders = BTreeMap<u64, Vec<u8>>;

/// The contents of an id: numbers of contents, session numbers.
type Contents = Vec<(u32, u64)>;

/// Brings sessions of one id together.
pub(super) fn run(txn: &WriteTransaction) -> Result<()> {
    let folders = folders(txn)?;
    for ((agent, plain), contents) in groups(txn, &folders)? {
        join(txn, &SessionKey::new(agent, plain)?, &contents)?;
    }
    note_homes(txn, &folders)
}

/// The folder that each session of an agent without unique ids came from.
fn folders(txn: &WriteTransaction) -> Result<Folders> {
    let table = txn.open_table(schema::SOURCES).map_err(storage(ACTION))?;
    let mut folders = Folders::new();
    for entry in table.iter().map_err(storage(ACTION))? {
        let (key, value) = entry.map_err(storage(ACTION))?;
        let (path, generation) = key.value();
        // A damaged row is for the verification to tell.
        let Ok(row) = SourceRow::decode(path, generation, value.value()) else {
            continue;
        };
        if row.kind == SourceKind::Lines && !agents::of_agent(&row.agent).has_unique_ids() {
            let end = path.iter().rposition(|byte| *byte == b'/').unwrap_or(0);
            folders.insert(row.session, path.get(..end).unwrap_or_default().to_vec());
        }
    }
    Ok(folders)
}

/// Sessions whose ids are those of another, and a number behind it.
fn groups(
    txn: &WriteTransaction,
    folders: &Folders,
) -> Result<BTreeMap<(String, String), Contents>> {
    let table = txn
        .open_table(schema::SESSION_KEYS)
        .map_err(storage(ACTION))?;
    let mut groups: BTreeMap<(String, String), Contents> = BTreeMap::new();
    for entry in table.iter().map_err(storage(ACTION))? {
        let (key, number) = entry.map_err(storage(ACTION))?;
        let ((agent, id), number) = (key.value(), number.value());
        let Some((plain, content)) = numbered(id).filter(|(_, content)| *content > 1) else {
            continue;
        };
        let first = table.get((agent, plain)).map_err(storage(ACTION))?;
        let Some(first) = first.map(|first| first.value()) else {
            continue;
        };
        let is_one = agents::of_agent(agent).has_unique_ids()
            || (folders.contains_key(&first) && folders.get(&first) == folders.get(&number));
        if is_one {
            groups
                .entry((agent.to_owned(), plain.to_owned()))
                .or_insert_with(|| vec![(1, first)])
                .push((content, number));
        }
    }
    Ok(groups)
}

/// Makes sessions the contents of a plain id.
fn join(txn: &WriteTransaction, plain: &SessionKey, contents: &Contents) -> Result<()> {
    let mut rows = Vec::with_capacity(contents.len());
    {
        let sessions = txn.open_table(schema::SESSIONS).map_err(storage(ACTION))?;
        let mut table = txn.open_table(schema::CONTENTS).map_err(storage(ACTION))?;
        for (content, number) in contents {
            let stored = sessions.get(*number).map_err(storage(ACTION))?;
            let stored = stored
                .ok_or_else(|| corrupt_content(plain, *content, "its session is not there"))?;
            let row = SessionRow::decode(*number, stored.value())
                .map_err(|error| corrupt_session(*number, error.to_string()))?;
            let place = (plain.agent(), plain.id(), *content);
            table.insert(place, *number).map_err(storage(ACTION))?;
            rows.push((*number, *content, row));
        }
    }
    // A content without a message never stands for the id while another has one.
    let newest = rows
        .iter()
        .max_by_key(|(_, content, row)| (row.messages > 0, row.updated_us, row.messages, *content))
        .map(|(number, ..)| *number);
    let first = contents.first().map(|(_, number)| *number);
    let count = u32::try_from(rows.len()).unwrap_or(u32::MAX);
    for (number, content, row) in rows {
        let is_newest = newest == Some(number);
        let id = if is_newest {
            plain.id().to_owned()
        } else {
            format!("{}~{content}", plain.id())
        };
        let new = SessionRow {
            id,
            content,
            contents: if is_newest { count } else { 0 },
            ..row.clone()
        };
        put(txn, number, &row, &new)?;
    }
    match (first, newest) {
        (Some(first), Some(newest)) if first != newest => move_properties(txn, first, newest),
        _ => Ok(()),
    }
}

/// Writes the row of a session.
fn write_row(txn: &WriteTransaction, number: u64, row: &SessionRow) -> Result<()> {
    let encoded = row
        .encode(number)
        .map_err(|error| corrupt_session(number, error.to_string()))?;
    let mut sessions = txn.open_table(schema::SESSIONS).map_err(storage(ACTION))?;
    sessions
        .insert(number, encoded.as_slice())
        .map_err(storage(ACTION))?;
    Ok(())
}

/// Writes a row with another name, and takes it out of the lists unless it is the newest.
fn put(txn: &WriteTransaction, number: u64, old: &SessionRow, new: &SessionRow) -> Result<()> {
    write_row(txn, number, new)?;
    let mut keys = txn
        .open_table(schema::SESSION_KEYS)
        .map_err(storage(ACTION))?;
    let old_place = (old.agent.as_str(), old.id.as_str());
    let is_its = keys
        .get(old_place)
        .map_err(storage(ACTION))?
        .is_some_and(|found| found.value() == number);
    if is_its {
        keys.remove(old_place).map_err(storage(ACTION))?;
    }
    keys.insert((new.agent.as_str(), new.id.as_str()), number)
        .map_err(storage(ACTION))?;
    reindex(txn, number, old, new)
}

/// Brings the lists up to date; the index of families is made behind this.
fn reindex(txn: &WriteTransaction, number: u64, old: &SessionRow, new: &SessionRow) -> Result<()> {
    let mut by_updated = txn
        .open_table(schema::BY_UPDATED)
        .map_err(storage(ACTION))?;
    if !new.is_listed() {
        by_updated
            .remove((old.updated_us, number))
            .map_err(storage(ACTION))?;
    }
    let mut by_project = txn
        .open_table(schema::BY_PROJECT)
        .map_err(storage(ACTION))?;
    if let Some(project) = old.shown_project() {
        by_project
            .remove((project, old.updated_us, number))
            .map_err(storage(ACTION))?;
    }
    if let Some(project) = new.shown_project().filter(|_| new.is_listed()) {
        by_project
            .insert((project, new.updated_us, number), ())
            .map_err(storage(ACTION))?;
    }
    Ok(())
}

/// Gives what was given to an id to its newest content, which had nothing yet.
fn move_properties(txn: &WriteTransaction, from: u64, to: u64) -> Result<()> {
    let mut table = txn
        .open_table(schema::PROPERTIES)
        .map_err(storage(ACTION))?;
    let damaged = |error: RowError| Error::Corrupt {
        table: "properties",
        key: format!("session {from}"),
        detail: error.to_string(),
    };
    let decode = |number: u64, bytes: &[u8]| properties_row::decode(number, bytes).map_err(damaged);
    let had = match table.get(from).map_err(storage(ACTION))? {
        Some(stored) => decode(from, stored.value())?,
        None => return Ok(()),
    };
    if table.get(to).map_err(storage(ACTION))?.is_some() {
        return Ok(());
    }
    // Claims to aliases lead to the session that had them: they are claimed anew by who is asked.
    let moved = Properties {
        aliases: Vec::new(),
        summary: String::new(),
        ..had.clone()
    };
    let left = Properties {
        aliases: had.aliases,
        summary: had.summary,
        ..Properties::default()
    };
    for (number, properties) in [(from, &left), (to, &moved)] {
        if *properties == Properties::default() {
            table.remove(number).map_err(storage(ACTION))?;
        } else {
            let encoded = properties_row::encode(number, properties).map_err(damaged)?;
            table
                .insert(number, encoded.as_slice())
                .map_err(storage(ACTION))?;
        }
    }
    drop(table);
    for number in [from, to] {
        let old = {
            let sessions = txn.open_table(schema::SESSIONS).map_err(storage(ACTION))?;
            let stored = sessions.get(number).map_err(storage(ACTION))?;
            let stored = stored
                .map(|stored| stored.value().to_vec())
                .unwrap_or_default();
            SessionRow::decode(number, &stored)
                .map_err(|error| corrupt_session(number, error.to_string()))?
        };
        let given = if number == to {
            properties::given(&moved)
        } else {
            properties::given(&left)
        };
        let new = SessionRow {
            given,
            ..old.clone()
        };
        write_row(txn, number, &new)?;
        reindex(txn, number, &old, &new)?;
    }
    Ok(())
}

/// Notes the home of every session whose agent's ids are not unique.
fn note_homes(txn: &WriteTransaction, folders: &Folders) -> Result<()> {
    let sessions = txn.open_table(schema::SESSIONS).map_err(storage(ACTION))?;
    let mut homes = txn.open_table(schema::HOMES).map_err(storage(ACTION))?;
    for (number, folder) in folders {
        let stored = sessions.get(*number).map_err(storage(ACTION))?;
        let row = stored.and_then(|stored| SessionRow::decode(*number, stored.value()).ok());
        let Some(row) = row.filter(SessionRow::is_listed) else {
            continue;
        };
        let wanted = numbered(&row.id).map_or(row.id.as_str(), |(plain, _)| plain);
        let home = [&b"h"[..], folder].concat();
        homes
            .insert(
                (row.agent.as_str(), wanted, home.as_slice()),
                row.id.as_str(),
            )
            .map_err(storage(ACTION))?;
    }
    Ok(())
}
