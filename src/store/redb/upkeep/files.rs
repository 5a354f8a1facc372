//! Every file that is kept beside sessions: what it is called, how large it is, whose it is, and whether it
//! is an agent's database, which may hold credentials.

use std::collections::{BTreeMap, HashMap};

use crate::agents::{self, database};
use crate::codec::session_row::SessionRow;
use crate::codec::source_row::{SourceKind, SourceRow};
use crate::model::error::Result;
use crate::store::query::StoredFile;
use crate::store::redb::engine::errors::storage;
use crate::store::redb::store::RedbStore;
use crate::store::redb::tables::attachments;
use crate::store::redb::tables::ranges::within;
use crate::store::redb::tables::schema::{ATTACHMENTS, SESSION_SOURCES, SESSIONS, SOURCES};
use crate::store::redb::tables::snapshot::{Snapshot, row_by_number};
use crate::store::redb::tables::sources::{decode, key_of};

/// A file, by the number of its session (0 for a folder's) and its name.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Kept {
    /// Its bytes.
    pub bytes: u64,
    /// Whether it is a database.
    pub is_database: bool,
}

/// Files, one after the other, as their parts are read.
#[derive(Debug, Default)]
pub(crate) struct Files(pub BTreeMap<(u64, String), Kept>);

impl Files {
    /// Takes a part of a file.
    pub(crate) fn take(&mut self, (number, name, part): (u64, &str, u32), data: &[u8]) {
        let kept = self.0.entry((number, name.to_owned())).or_default();
        kept.bytes += data.len() as u64;
        // What a session's tool has put out may be one: that is the session's.
        kept.is_database |= number == 0 && part == 0 && database::looks_like_one(data);
    }

    /// The files as a caller sees them. The agents of folders' files, and what is a database by its name,
    /// come from the sources.
    pub(crate) fn told(self, snapshot: &Snapshot<'_>) -> Result<Vec<StoredFile>> {
        let of_folders = of_folders(snapshot)?;
        let sessions = snapshot
            .txn()
            .open_table(SESSIONS)
            .map_err(storage("list the files"))?;
        let mut rows: HashMap<u64, Option<SessionRow>> = HashMap::new();
        let mut files = Vec::new();
        for ((number, name), kept) in self.0 {
            let source = of_folders.get(&name).filter(|_| number == 0);
            // A session may have many files: its row is read once.
            let row = match rows.entry(number) {
                std::collections::hash_map::Entry::Occupied(row) => row.into_mut(),
                std::collections::hash_map::Entry::Vacant(place) => {
                    place.insert(row_by_number(&sessions, number, snapshot.counts())?)
                }
            };
            let agent = match (&row, source) {
                (Some(row), _) => row.agent.clone(),
                (None, Some(source)) => source.0.agent.clone(),
                (None, None) => String::new(),
            };
            let is_named_so = source.is_some_and(|(row, path)| is_kept_database(row, path));
            files.push(StoredFile {
                agent,
                session: row.as_ref().map(|row| key_of(number, row)).transpose()?,
                name,
                bytes: kept.bytes,
                is_database: kept.is_database || is_named_so,
            });
        }
        Ok(files)
    }
}

/// Whether a source led to a database of its agent that is kept as a file, by its name.
pub(crate) fn is_kept_database(row: &SourceRow, path: &[u8]) -> bool {
    row.kind == SourceKind::Attachment
        && !row.name.is_empty()
        && agents::is_database_of(&row.agent, path)
}

/// The sources of folders, by the names of their attachments.
fn of_folders(snapshot: &Snapshot<'_>) -> Result<HashMap<String, (SourceRow, Vec<u8>)>> {
    let (open, read) = (storage("list the files"), storage("list the files"));
    let of_session = snapshot.txn().open_table(SESSION_SOURCES).map_err(&open)?;
    let sources = snapshot.txn().open_table(SOURCES).map_err(&open)?;
    let none: &[u8] = &[];
    let mut found = HashMap::new();
    for entry in within(&of_session, (0, none, 0)..(1, none, 0), "list the files")? {
        let (key, _) = entry?;
        let (_, path, generation) = key.value();
        if let Some(value) = sources.get((path, generation)).map_err(&read)? {
            let source = decode(path, generation, value.value())?;
            found.insert(source.row.name.clone(), (source.row, source.path));
        }
    }
    Ok(found)
}

impl RedbStore {
    /// Every file that is kept beside sessions, in the order of their sessions and names. Costs a read of
    /// all of them.
    ///
    /// # Errors
    ///
    /// [`Error::Corrupt`](crate::Error::Corrupt).
    pub fn files(&self) -> Result<Vec<StoredFile>> {
        self.read(files)
    }
}

/// Every file, as a snapshot has it.
pub(crate) fn files(snapshot: &Snapshot<'_>) -> Result<Vec<StoredFile>> {
    read_all(snapshot)?.told(snapshot)
}

/// Reads every file.
pub(crate) fn read_all(snapshot: &Snapshot<'_>) -> Result<Files> {
    let table = snapshot
        .txn()
        .open_table(ATTACHMENTS)
        .map_err(storage("list the files"))?;
    let mut files = Files::default();
    for entry in within(&table, (0, "", 0).., "list the files")? {
        let (key, value) = entry?;
        let (number, name, part) = key.value();
        let (_, data) = attachments::open_part(number, name, part, value.value())?;
        files.take((number, name, part), &data);
    }
    Ok(files)
}
