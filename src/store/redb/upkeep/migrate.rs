//! Which format a store has, and the steps from an older one to this one.
//!
//! Steps are numbered files in `migrations/`, run in one transaction each time a store of an older
//! format is opened for writing: afterwards the store has the new format, or is as it was.

#[path = "../../../../migrations/0001_tables.rs"]
mod step_0001;
#[path = "../../../../migrations/0002_properties.rs"]
mod step_0002;
#[path = "../../../../migrations/0003_chains.rs"]
mod step_0003;
#[path = "../../../../migrations/0004_locks.rs"]
mod step_0004;
#[path = "../../../../migrations/0005_beside_the_log.rs"]
mod step_0005;
#[path = "../../../../migrations/0005_contents.rs"]
mod step_0005_contents;
#[path = "../../../../migrations/0006_search.rs"]
mod step_0006;
#[path = "../../../../migrations/0007_written.rs"]
mod step_0007;

use std::path::Path;

use redb::{Database, ReadTransaction, ReadableDatabase as _, TableError, WriteTransaction};

use crate::model::error::{Error, Result};
use crate::store::Stamps;
use crate::store::redb::engine::errors::storage;
use crate::store::redb::engine::panics::commit;
use crate::store::redb::tables::schema::{
    FORMAT, FORMAT_OLDEST, INFO_FORMAT, INFO_FORMAT_READABLE, INFO_NEXT_SESSION, INFO_STORE_ID,
    INFO_WRITER, STORE_INFO,
};

/// A step: it leads from the format before its number to its number.
type Step = fn(&WriteTransaction) -> Result<()>;

/// Every step, in order; the first one leads from nothing to format 1.
const STEPS: &[Step] = &[
    step_0001::run,
    step_0002::run,
    step_0003::run,
    step_0004::run,
    step_0005::run,
    step_0006::run,
    step_0007::run,
];

/// Checks that this version can read the store.
pub(crate) fn check(path: &Path, txn: &ReadTransaction) -> Result<()> {
    let (format, readable) = formats(txn)?.ok_or_else(|| not_a_store(path))?;
    if format < FORMAT_OLDEST || readable > FORMAT {
        return Err(unsupported(path, format));
    }
    Ok(())
}

/// Checks that this version can write the store, after a migration perhaps. A newer format that
/// this version may read is still not for it to write.
pub(crate) fn check_writable(path: &Path, txn: &ReadTransaction) -> Result<()> {
    match formats(txn)? {
        Some((format, _)) if (FORMAT_OLDEST..=FORMAT).contains(&format) => Ok(()),
        Some((format, _)) => Err(unsupported(path, format)),
        // A kill between the creation of the file and its first commit.
        None if is_empty(txn)? => Ok(()),
        None => Err(not_a_store(path)),
    }
}

fn is_empty(txn: &ReadTransaction) -> Result<bool> {
    Ok(txn
        .list_tables()
        .map_err(storage("list its tables"))?
        .next()
        .is_none())
}

fn not_a_store(path: &Path) -> Error {
    Error::NotAStore {
        path: path.to_owned(),
        reason: "it is another program's redb database, or a copy of a store that was made while it was written".to_owned(),
    }
}

fn unsupported(path: &Path, found: u32) -> Error {
    Error::UnsupportedVersion {
        path: path.to_owned(),
        found,
        oldest: FORMAT_OLDEST,
        newest: FORMAT,
    }
}

/// Brings the store to this version's format.
pub(crate) fn migrate(path: &Path, database: &Database, stamps: &Stamps) -> Result<()> {
    let txn = database.begin_read().map_err(storage("begin reading"))?;
    check_writable(path, &txn)?;
    // Looked up in a read: an opening that has nothing to migrate waits for no writer.
    let current = formats(&txn)?.map_or(0, |(format, _)| format);
    drop(txn);
    if current >= FORMAT {
        return Ok(());
    }
    let txn = database.begin_write().map_err(storage("begin writing"))?;
    run_steps(&txn, STEPS, stamps)?;
    commit(txn)
}

/// Brings what a transaction shows to this version's format.
pub(crate) fn migrate_within(txn: &WriteTransaction, stamps: &Stamps) -> Result<()> {
    run_steps(txn, STEPS, stamps)
}

/// Runs the steps that the store has not had; another process may have run them meanwhile.
fn run_steps(txn: &WriteTransaction, steps: &[Step], stamps: &Stamps) -> Result<()> {
    let action = storage("read its format");
    let table = txn
        .open_table(STORE_INFO)
        .map_err(storage("open `store_info`"))?;
    let current = {
        let stored = redb::ReadableTable::get(&table, INFO_FORMAT).map_err(&action)?;
        stored.and_then(|bytes| number(bytes.value())).unwrap_or(0)
    };
    // redb opens a table once at a time in a transaction, and a step may need it.
    drop(table);
    // In the transaction that writes the format: after a kill all of the steps are done, or none.
    for step in steps.iter().skip(current as usize) {
        step(txn)?;
    }
    let mut table = txn
        .open_table(STORE_INFO)
        .map_err(storage("open `store_info`"))?;
    let newest = u32::try_from(steps.len()).unwrap_or(u32::MAX);
    let write = storage("write its format");
    table
        .insert(INFO_FORMAT, newest.to_le_bytes().as_slice())
        .map_err(&write)?;
    table
        .insert(INFO_FORMAT_READABLE, newest.to_le_bytes().as_slice())
        .map_err(&write)?;
    table
        .insert(INFO_WRITER, env!("CARGO_PKG_VERSION").as_bytes())
        .map_err(&write)?;
    if current == 0 {
        table
            .insert(INFO_NEXT_SESSION, 1_u64.to_le_bytes().as_slice())
            .map_err(&write)?;
        table
            .insert(INFO_STORE_ID, stamps.new_id()?.as_bytes().as_slice())
            .map_err(&write)?;
    }
    Ok(())
}

/// The store's format, and the oldest one whose readers can read it. `None` if it is no store.
fn formats(txn: &ReadTransaction) -> Result<Option<(u32, u32)>> {
    let table = match txn.open_table(STORE_INFO) {
        Ok(table) => table,
        Err(TableError::Storage(error)) => return Err(storage("read `store_info`")(error)),
        // Missing, or another program's table of that name.
        Err(_) => return Ok(None),
    };
    let read = |name: &str| -> Result<Option<u32>> {
        let stored =
            redb::ReadableTable::get(&table, name).map_err(storage("read `store_info`"))?;
        Ok(stored.and_then(|bytes| number(bytes.value())))
    };
    let corrupt = || Error::Corrupt {
        table: "store_info",
        key: INFO_FORMAT.to_owned(),
        detail: "the store's format is missing".to_owned(),
    };
    let format = read(INFO_FORMAT)?.ok_or_else(corrupt)?;
    Ok(Some((
        format,
        read(INFO_FORMAT_READABLE)?.ok_or_else(corrupt)?,
    )))
}

/// The format of the store in a database; `None` if it is no store, or none yet.
pub(crate) fn format_of(database: &Database) -> Result<Option<u32>> {
    let txn = database.begin_read().map_err(storage("begin reading"))?;
    format(&txn)
}

/// The store's format; `None` if it is no store.
pub(crate) fn format(txn: &ReadTransaction) -> Result<Option<u32>> {
    Ok(formats(txn)?.map(|(format, _)| format))
}

fn number(bytes: &[u8]) -> Option<u32> {
    bytes
        .first_chunk::<4>()
        .map(|bytes| u32::from_le_bytes(*bytes))
}

#[cfg(test)]
mod tests {
    use redb::backends::InMemoryBackend;

    use super::*;

    const MARKS: redb::TableDefinition<'_, u64, u64> = redb::TableDefinition::new("marks");

    fn database() -> Database {
        redb::Builder::new()
            .create_with_backend(InMemoryBackend::new())
            .unwrap()
    }

    fn run(database: &Database, steps: &[Step]) -> Result<()> {
        let txn = database.begin_write().unwrap();
        run_steps(&txn, steps, &Stamps::default())?;
        commit(txn)
    }

    fn mark(txn: &WriteTransaction) -> Result<()> {
        let mut table = txn.open_table(MARKS).map_err(storage("mark"))?;
        let count = redb::ReadableTableMetadata::len(&table).map_err(storage("mark"))?;
        table.insert(count, count).map_err(storage("mark"))?;
        Ok(())
    }

    fn fail(txn: &WriteTransaction) -> Result<()> {
        mark(txn)?;
        Err(Error::InvalidLine {
            reason: "a step that fails",
        })
    }

    fn marks(database: &Database) -> u64 {
        let txn = database.begin_read().unwrap();
        txn.open_table(MARKS)
            .map_or(0, |table| redb::ReadableTableMetadata::len(&table).unwrap())
    }

    #[test]
    fn a_step_runs_once_and_in_order() {
        let database = database();
        run(&database, STEPS).unwrap();
        run(&database, STEPS).unwrap();
        assert_eq!(
            formats(&database.begin_read().unwrap()).unwrap(),
            Some((FORMAT, FORMAT))
        );
        let more = [STEPS, &[mark]].concat();
        run(&database, &more).unwrap();
        run(&database, &more).unwrap();
        assert_eq!(marks(&database), 1);
        assert_eq!(
            formats(&database.begin_read().unwrap()).unwrap(),
            Some((FORMAT + 1, FORMAT + 1))
        );
    }

    #[test]
    fn a_step_that_fails_leaves_the_store_as_it_was() {
        let database = database();
        run(&database, STEPS).unwrap();
        assert!(run(&database, &[STEPS, &[mark, fail]].concat()).is_err());
        assert_eq!(marks(&database), 0);
        assert_eq!(
            formats(&database.begin_read().unwrap()).unwrap(),
            Some((FORMAT, FORMAT))
        );
    }

    #[test]
    fn a_newer_format_is_read_only_if_it_says_so_and_never_written() {
        let path = Path::new("store.redb");
        for (format, readable, reads) in
            [(FORMAT + 1, FORMAT, true), (FORMAT + 1, FORMAT + 1, false)]
        {
            let database = database();
            run(&database, STEPS).unwrap();
            let txn = database.begin_write().unwrap();
            let mut info = txn.open_table(STORE_INFO).unwrap();
            info.insert(INFO_FORMAT, format.to_le_bytes().as_slice())
                .unwrap();
            info.insert(INFO_FORMAT_READABLE, readable.to_le_bytes().as_slice())
                .unwrap();
            drop(info);
            txn.commit().unwrap();
            let txn = database.begin_read().unwrap();
            assert_eq!(check(path, &txn).is_ok(), reads);
            let error = check_writable(path, &txn).unwrap_err();
            let said = format!(
                "has format {format}; this version reads formats {FORMAT_OLDEST} to {FORMAT}"
            );
            assert!(error.to_string().contains(&said), "{error}");
            assert!(error.hint().unwrap().contains("newer"));
        }
    }

    #[test]
    fn an_empty_database_is_a_store_to_be_and_another_programs_is_none() {
        let path = Path::new("store.redb");
        let database = database();
        assert!(check_writable(path, &database.begin_read().unwrap()).is_ok());
        let txn = database.begin_write().unwrap();
        mark(&txn).unwrap();
        txn.commit().unwrap();
        let error = check_writable(path, &database.begin_read().unwrap()).unwrap_err();
        assert!(matches!(error, Error::NotAStore { .. }), "{error}");
    }
}
