//! All tables copied row by row, as they are, in the order of their keys.
//!
//! - Each row is checked by itself on the way: a damaged one stops the copy. That the rows fit
//!   each other is for a verification to say, of the source before or of the copy after.
//! - Into a file of its own a copy goes in transactions of bounded size: nobody else sees it. Into
//!   a store that is in use it goes in one, in place of all that is there.
//! - A table that is not in the list of tables would be lost without a word: it stops the copy too.

use std::collections::BTreeSet;
use std::ops::Bound;
use std::path::Path;

use redb::{
    CursorError, Database, Key, ReadOnlyTable, ReadTransaction, ReadableTable,
    ReadableTableMetadata as _, TableDefinition, TableError, TableHandle as _, Value,
    WriteTransaction,
};

use crate::model::error::{Error, Result};
use crate::store::redb::engine::errors::storage;
use crate::store::redb::engine::panics::commit;
use crate::store::redb::tables::each::{EachTable, Rows, each_table};
use crate::store::redb::tables::schema::{self, INFO_NEXT_SESSION, SESSIONS, STORE_INFO};
use crate::store::{Progress, Step, Watcher};

/// Bytes of rows in one transaction, where there may be several.
const BATCH_BYTES: usize = 32 * 1024 * 1024;

/// Rows between two calls that tell the progress.
const PROGRESS_ROWS: u64 = 1024;

/// Where a copy goes.
#[derive(Clone, Copy)]
pub(crate) enum CopyInto<'t> {
    /// To an empty database that nobody else has open.
    Database(&'t Database),
    /// In place of all that this transaction sees.
    Transaction(&'t WriteTransaction),
}

/// Copies everything that `from` sees. Damage is that of `backup`, if it is one that is read.
pub(crate) fn copy(
    from: &ReadTransaction,
    target: CopyInto<'_>,
    backup: Option<&Path>,
    progress: &mut Watcher<'_>,
) -> Result<()> {
    let of_source = |error| match backup {
        Some(path) => damaged(path, error),
        None => error,
    };
    // Before the first row is written: a copy that would lack a table is none.
    check_facts(from).map_err(of_source)?;
    // Tables know their lengths: the count costs no walk.
    let mut rows = CountRows { from, rows: 0 };
    each_table(&mut rows).map_err(of_source)?;
    let mut copier = Copier {
        from,
        target,
        of_source: &of_source,
        done: 0,
        total: rows.rows,
        progress,
    };
    each_table(&mut copier)?;
    copier.tell()
}

/// An error of reading a backup: damage is the backup's, and not the store's.
pub(crate) fn damaged(path: &Path, error: Error) -> Error {
    match error {
        Error::Corrupt { table, key, detail } => Error::DamagedBackup {
            path: path.to_owned(),
            detail: format!("table `{table}`, key {key}: {detail}"),
        },
        // Whatever is read after a page that is not there.
        Error::Storage { source, .. }
            if matches!(source.downcast_ref(), Some(redb::Error::PreviousIo)) =>
        {
            Error::DamagedBackup {
                path: path.to_owned(),
                detail: "it leads to pages that are not there".to_owned(),
            }
        }
        error => error,
    }
}

/// The number of the next session, as a transaction sees it.
pub(crate) fn next_session(info: &impl ReadableTable<&'static str, &'static [u8]>) -> Result<u64> {
    let stored = info
        .get(INFO_NEXT_SESSION)
        .map_err(storage("read `store_info`"))?;
    stored
        .and_then(|bytes| bytes.value().try_into().ok().map(u64::from_le_bytes))
        .ok_or_else(|| corrupt_info("the number of the next session is missing".to_owned()))
}

fn corrupt_info(detail: String) -> Error {
    Error::Corrupt {
        table: "store_info",
        key: INFO_NEXT_SESSION.to_owned(),
        detail,
    }
}

/// That there are no tables but those that are copied, and that the next session will not be given
/// the number of one that is there.
fn check_facts(from: &ReadTransaction) -> Result<()> {
    let mut known = Names(BTreeSet::new());
    each_table(&mut known)?;
    let tables = from.list_tables().map_err(storage("list the tables"))?;
    // A copy takes the tables that it knows: another one would be missing there, without a word.
    if let Some(table) = tables
        .into_iter()
        .find(|table| !known.0.contains(table.name()))
    {
        return Err(Error::Corrupt {
            table: "(tables)",
            key: table.name().to_owned(),
            detail: "a table that no store has".to_owned(),
        });
    }
    let info = from
        .open_table(STORE_INFO)
        .map_err(storage("read `store_info`"))?;
    let next = next_session(&info)?;
    let sessions = from
        .open_table(SESSIONS)
        .map_err(storage("read the sessions"))?;
    let last = sessions.last().map_err(storage("read the sessions"))?;
    match last.map(|(number, _)| number.value()) {
        Some(last) if last >= next => {
            Err(corrupt_info(format!("{next}, but session {last} is there")))
        }
        _ => Ok(()),
    }
}

/// Opens a table that may be missing: in a store of an older format, say. That it is there where
/// it has to be, a verification checks.
fn open<K: Key + 'static, V: Value + 'static>(
    from: &ReadTransaction,
    table: TableDefinition<'static, K, V>,
) -> Result<Option<ReadOnlyTable<K, V>>> {
    match from.open_table(table) {
        Ok(table) => Ok(Some(table)),
        Err(TableError::TableDoesNotExist(_)) => Ok(None),
        Err(error) => Err(storage("copy a table")(error)),
    }
}

/// The names of all tables.
struct Names(BTreeSet<String>);

impl EachTable for Names {
    fn table<K: Key + 'static, V: Value + 'static, R: Rows<K, V>>(
        &mut self,
        table: TableDefinition<'static, K, V>,
    ) -> Result<()> {
        self.0.insert(table.name().to_owned());
        Ok(())
    }
}

/// Counts the rows of all tables; reads none.
struct CountRows<'c> {
    from: &'c ReadTransaction,
    rows: u64,
}

impl EachTable for CountRows<'_> {
    fn table<K: Key + 'static, V: Value + 'static, R: Rows<K, V>>(
        &mut self,
        table: TableDefinition<'static, K, V>,
    ) -> Result<()> {
        if let Some(table) = open(self.from, table)? {
            self.rows += table.len().map_err(storage("count the rows"))?;
        }
        Ok(())
    }
}

struct Copier<'c> {
    from: &'c ReadTransaction,
    target: CopyInto<'c>,
    of_source: &'c dyn Fn(Error) -> Error,
    done: u64,
    total: u64,
    progress: &'c mut Watcher<'c>,
}

impl Copier<'_> {
    fn tell(&mut self) -> Result<()> {
        Progress::at(Step::Copying, self.done, self.total).tell(self.progress)
    }

    /// Copies rows of a table until there are `bytes_max` bytes of them. Returns whether it was
    /// the last of them.
    fn batch<K: Key + 'static, V: Value + 'static, R: Rows<K, V>>(
        &mut self,
        rows: &mut redb::Range<'_, K, V>,
        target: &mut redb::Table<'_, K, V>,
        bytes_max: usize,
    ) -> Result<bool> {
        let (read, write) = (storage("read a row to copy"), storage("write a copied row"));
        let mut bytes = 0;
        let mut is_last = false;
        let table = schema::name_of(target.name()).unwrap_or("(tables)");
        // Rows come in the order of their keys, so each goes behind the last one.
        let end = Bound::<K::SelfType<'_>>::Unbounded;
        let mut target = target.upper_bound_mut(end).map_err(&write)?;
        while bytes < bytes_max {
            let Some(row) = rows.next() else {
                is_last = true;
                break;
            };
            let (key, value) = row.map_err(&read).map_err(self.of_source)?;
            let (key, value) = (key.value(), value.value());
            R::check(&key, &value).map_err(self.of_source)?;
            bytes += K::as_bytes(&key).as_ref().len() + V::as_bytes(&value).as_ref().len();
            target
                .insert_before(&key, &value)
                .map_err(|error| match error {
                    CursorError::Storage(error) => write(error),
                    // Nobody wrote them so: a damaged page leads to others.
                    _ => (self.of_source)(out_of_order(table)),
                })?;
            self.done += 1;
            if self.done.is_multiple_of(PROGRESS_ROWS) {
                self.tell()?;
            }
        }
        target.close().map_err(&write)?;
        Ok(is_last)
    }
}

/// The error of rows that do not ascend.
fn out_of_order(table: &'static str) -> Error {
    Error::Corrupt {
        table,
        key: "(all)".to_owned(),
        detail: "its rows are not in the order of their keys".to_owned(),
    }
}

impl EachTable for Copier<'_> {
    fn table<K: Key + 'static, V: Value + 'static, R: Rows<K, V>>(
        &mut self,
        table: TableDefinition<'static, K, V>,
    ) -> Result<()> {
        let opening = storage("write a table");
        let source = open(self.from, table).map_err(self.of_source)?;
        let rows = source.as_ref().map(ReadableTable::iter).transpose();
        let mut rows = rows
            .map_err(storage("copy a table"))
            .map_err(self.of_source)?;
        // Emptied also where the backup has no such table: its rows are of sessions that go.
        match self.target {
            // In one transaction: others have the store open, and must never see a part of the
            // backup.
            CopyInto::Transaction(txn) => {
                let mut target = txn.open_table(table).map_err(&opening)?;
                target
                    .retain(|_, _| false)
                    .map_err(storage("empty a table"))?;
                if let Some(rows) = &mut rows {
                    self.batch::<_, _, R>(rows, &mut target, usize::MAX)?;
                }
            }
            CopyInto::Database(database) => {
                while let Some(left) = &mut rows {
                    let txn = database.begin_write().map_err(storage("begin writing"))?;
                    let mut target = txn.open_table(table).map_err(&opening)?;
                    let is_last = self.batch::<_, _, R>(left, &mut target, BATCH_BYTES)?;
                    drop(target);
                    commit(txn)?;
                    if is_last {
                        rows = None;
                    }
                }
            }
        }
        Ok(())
    }
}
