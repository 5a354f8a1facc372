//! A store of your own on the kit: in a folder, a file for each summary row and one for the cells of each
//! session. It keeps every contract:
//!
//! ```sh
//! cargo run --example folder_store --features conformance
//! ```
//!
//! What is written goes into a journal first, which is flushed, and then into its files: after a stop in
//! between the next opening writes them again. One process at a time; nothing here is fast.

use std::collections::{BTreeMap, BTreeSet};
use std::error::Error as StdError;
use std::fs::{self, File};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

use scrollback::conformance::{OpenStore, run_reopening, run_store};
use scrollback::kit::{
    Cell, CellQuery, Changes, Engine, Image, KeyAndValue, NameQuery, RowQuery, SummaryRow, Table,
};
use scrollback::{Error, Result, SessionKey, Stamps};

/// A store in a folder.
#[derive(Debug)]
struct FolderStore {
    folder: PathBuf,
    stamps: Stamps,
    held: Mutex<Held>,
}

/// The rows in memory, as their files have them; cells stay in theirs.
#[derive(Debug, Default)]
struct Held {
    rows: Image,
    last_number: u64,
}

/// What a file is to hold; `None` for no file.
type Files = BTreeMap<String, Option<Vec<u8>>>;

impl FolderStore {
    /// Opens the store in a folder, which is made if it is not there.
    fn open(folder: &Path) -> Result<Self> {
        fs::create_dir_all(folder).map_err(|error| failed("make", folder, error))?;
        let store = Self {
            folder: folder.to_owned(),
            stamps: Stamps::default(),
            held: Mutex::default(),
        };
        let journal = folder.join("journal");
        if journal.exists() {
            store.write_files(&parse(&read(&journal)?))?;
            fs::remove_file(&journal).map_err(|error| failed("remove", &journal, error))?;
        }
        {
            let mut held = store.held();
            for entry in fs::read_dir(folder).map_err(|error| failed("read", folder, error))? {
                let path = entry.map_err(|error| failed("read", folder, error))?.path();
                let name = path
                    .file_name()
                    .unwrap_or_default()
                    .to_string_lossy()
                    .into_owned();
                if let Some(number) = name.strip_prefix("row-").and_then(|n| n.parse().ok()) {
                    let bytes = read(&path)?;
                    let (version, row) = bytes.split_at_checked(8).unwrap_or_default();
                    let version = version.first_chunk().map_or(0, |v| u64::from_be_bytes(*v));
                    let row = SummaryRow::new(number, version, row.to_vec());
                    let columns = row.columns()?;
                    held.rows.put_row(row, &columns)?;
                }
            }
            let last = folder.join("last-number");
            let last = if last.exists() {
                read(&last)?
            } else {
                Vec::new()
            };
            let last = last
                .first_chunk()
                .map_or(0, |last| u64::from_be_bytes(*last));
            held.last_number = last.max(held.rows.last_number());
        }
        Ok(store)
    }

    fn held(&self) -> MutexGuard<'_, Held> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The cells of an owner, from their file.
    fn cells_of_owner(&self, owner: u64) -> Result<BTreeMap<Cell, Vec<u8>>> {
        let path = self.folder.join(format!("cells-{owner}"));
        if !path.exists() {
            return Ok(BTreeMap::new());
        }
        let cells = parse(&read(&path)?)
            .into_iter()
            .filter_map(|(name, value)| {
                let (table, key) = name.split_once('-')?;
                let table = Table::from_code(table.parse().ok()?)?;
                Some((Cell::new(table, owner, unhex(key)), value?))
            });
        Ok(cells.collect())
    }

    /// Writes files, each under another name first.
    fn write_files(&self, files: &Files) -> Result<()> {
        for (name, content) in files {
            let path = self.folder.join(name);
            let done = match content {
                Some(content) => write_whole(&path, content),
                None if path.exists() => fs::remove_file(&path),
                None => Ok(()),
            };
            done.map_err(|error| failed("write", &path, error))?;
        }
        Ok(())
    }

    /// What the files hold after changes.
    fn files_after(&self, changes: &Changes, rows: &Image) -> Result<Option<Files>> {
        let mut files = Files::new();
        for change in &changes.rows {
            let row = rows.rows(&[change.number]).pop();
            let content = row.map(|row| [&row.version().to_be_bytes(), row.bytes()].concat());
            files.insert(format!("row-{}", change.number), content);
        }
        let owners = changes.cells.iter().map(|change| change.cell.owner);
        let owners: BTreeSet<u64> = owners.chain(changes.emptied.iter().copied()).collect();
        for owner in owners {
            let mut cells = if changes.emptied.contains(&owner) {
                BTreeMap::new()
            } else {
                self.cells_of_owner(owner)?
            };
            for change in changes
                .cells
                .iter()
                .filter(|change| change.cell.owner == owner)
            {
                if change.must_be_new() && cells.contains_key(&change.cell) {
                    return Ok(None);
                }
                match &change.value {
                    Some(value) => cells.insert(change.cell.clone(), value.clone()),
                    None => cells.remove(&change.cell),
                };
            }
            let named = cells.iter().map(|(cell, value)| {
                let name = format!("{}-{}", cell.table.code(), hex(&cell.key));
                (name, Some(value.clone()))
            });
            let content = format_of(&named.collect());
            files.insert(
                format!("cells-{owner}"),
                (!content.is_empty()).then_some(content),
            );
        }
        Ok(Some(files))
    }
}

impl Engine for FolderStore {
    fn stamps(&self) -> &Stamps {
        &self.stamps
    }

    fn own_file(&self) -> Option<&Path> {
        Some(&self.folder)
    }

    fn new_number(&self) -> Result<u64> {
        let mut held = self.held();
        held.last_number += 1;
        let path = self.folder.join("last-number");
        write_whole(&path, &held.last_number.to_be_bytes())
            .map_err(|error| failed("write", &path, error))?;
        Ok(held.last_number)
    }

    fn row(&self, key: &SessionKey) -> Result<Option<SummaryRow>> {
        Ok(self.held().rows.row(key))
    }

    fn rows(&self, numbers: &[u64]) -> Result<Vec<SummaryRow>> {
        Ok(self.held().rows.rows(numbers))
    }

    fn numbers(&self, after: u64, limit: usize) -> Result<Vec<u64>> {
        Ok(self.held().rows.numbers(after, limit))
    }

    fn list(&self, query: &RowQuery) -> Result<Vec<SummaryRow>> {
        Ok(self.held().rows.list(query))
    }

    fn names(&self, query: &NameQuery) -> Result<Vec<SessionKey>> {
        Ok(self.held().rows.names(query))
    }

    fn cells(&self, query: &CellQuery) -> Result<Vec<KeyAndValue>> {
        // Nobody writes meanwhile.
        let _held = self.held();
        let cells = self.cells_of_owner(query.owner)?;
        let is_meant = |cell: &Cell| cell.table == query.table && query.has(&cell.key);
        let meant = cells.into_iter().filter(|(cell, _)| is_meant(cell));
        let mut found: Vec<KeyAndValue> = meant.map(|(cell, value)| (cell.key, value)).collect();
        if query.backward {
            found.reverse();
        }
        found.truncate(query.limit);
        Ok(found)
    }

    fn commit(&self, changes: &Changes) -> Result<bool> {
        let mut held = self.held();
        let mut rows = held.rows.clone();
        if !rows.commit(&changes.rows_alone())? {
            return Ok(false);
        }
        let Some(files) = self.files_after(changes, &rows)? else {
            return Ok(false);
        };
        let journal = self.folder.join("journal");
        write_whole(&journal, &format_of(&files))
            .map_err(|error| failed("write", &journal, error))?;
        // From here on it is done: what follows is done again by the next opening, if need be.
        held.rows = rows;
        self.write_files(&files)?;
        fs::remove_file(&journal).map_err(|error| failed("remove", &journal, error))?;
        Ok(true)
    }

    fn alone(
        &self,
        _key: &SessionKey,
        work: &mut dyn FnMut(&dyn Engine) -> Result<()>,
    ) -> Result<()> {
        work(self)
    }
}

fn failed(action: &'static str, path: &Path, source: io::Error) -> Error {
    Error::Io {
        action,
        path: path.to_owned(),
        source,
    }
}

fn read(path: &Path) -> Result<Vec<u8>> {
    fs::read(path).map_err(|error| failed("read", path, error))
}

/// Writes a file so that it is there whole or as it was, and on the disk.
fn write_whole(path: &Path, content: &[u8]) -> io::Result<()> {
    let beside = path.with_extension("new");
    let mut file = File::create(&beside)?;
    file.write_all(content)?;
    file.sync_all()?;
    fs::rename(&beside, path)
}

/// Names and contents, one behind another, each with its length.
fn format_of(files: &Files) -> Vec<u8> {
    let mut bytes = Vec::new();
    for (name, content) in files {
        let length = content
            .as_ref()
            .map_or(u64::MAX, |content| content.len() as u64);
        bytes.extend_from_slice(&(name.len() as u64).to_be_bytes());
        bytes.extend_from_slice(name.as_bytes());
        bytes.extend_from_slice(&length.to_be_bytes());
        bytes.extend_from_slice(content.as_deref().unwrap_or_default());
    }
    bytes
}

/// The reverse.
fn parse(mut bytes: &[u8]) -> Files {
    let mut files = Files::new();
    while let Some((name, content)) = take(&mut bytes) {
        files.insert(String::from_utf8_lossy(name).into_owned(), content);
    }
    files
}

fn take<'b>(bytes: &mut &'b [u8]) -> Option<(&'b [u8], Option<Vec<u8>>)> {
    let mut next = |length: Option<u64>| {
        let length = usize::try_from(length?).ok()?;
        let (head, rest) = bytes.split_at_checked(length)?;
        *bytes = rest;
        Some(head)
    };
    let number = |bytes: &[u8]| bytes.first_chunk::<8>().map(|n| u64::from_be_bytes(*n));
    let length = number(next(Some(8))?);
    let name = next(length)?;
    match number(next(Some(8))?) {
        Some(u64::MAX) => Some((name, None)),
        length => Some((name, Some(next(length)?.to_vec()))),
    }
}

fn hex(bytes: &[u8]) -> String {
    let digits = bytes.iter().flat_map(|byte| [byte >> 4, byte & 15]);
    digits
        .filter_map(|digit| char::from_digit(u32::from(digit), 16))
        .collect()
}

fn unhex(text: &str) -> Vec<u8> {
    let digits: Vec<u8> = text
        .chars()
        .filter_map(|digit| digit.to_digit(16))
        .filter_map(|digit| u8::try_from(digit).ok())
        .collect();
    digits
        .chunks(2)
        .map(|pair| pair.iter().fold(0, |byte, digit| byte << 4 | digit))
        .collect()
}

#[expect(
    clippy::expect_used,
    reason = "what makes stores for contracts has no other way to fail"
)]
fn new_folder() -> tempfile::TempDir {
    tempfile::tempdir().expect("a temporary folder")
}

#[expect(clippy::expect_used, reason = "as above")]
fn opened(folder: &tempfile::TempDir) -> FolderStore {
    FolderStore::open(folder.path()).expect("a store")
}

fn main() -> std::result::Result<(), Box<dyn StdError>> {
    // Folders go once all contracts have been asked.
    let folders: &'static Mutex<Vec<tempfile::TempDir>> = Box::leak(Box::default());
    let report = run_store(&move || {
        let folder = new_folder();
        let store = opened(&folder);
        let mut kept = folders.lock().unwrap_or_else(PoisonError::into_inner);
        kept.push(folder);
        Box::new(store)
    });
    writeln!(io::stdout(), "a store: {report}")?;
    let reopening = run_reopening(&move || -> OpenStore {
        let folder = new_folder();
        Box::new(move || Box::new(opened(&folder)))
    });
    writeln!(io::stdout(), "opened again: {reopening}")?;
    folders
        .lock()
        .unwrap_or_else(PoisonError::into_inner)
        .clear();
    if report.is_clean() && reopening.is_clean() {
        Ok(())
    } else {
        Err("a contract does not hold".into())
    }
}
