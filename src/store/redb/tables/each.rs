//! Something done to every table, and what is wrong with one row, as far as the row itself shows it:
//! for those that read tables whole.
//!
//! Rows of indexes have no checksum of their own: whether they are right shows in the rows that
//! they lead to, which `verify` compares.

use redb::{Key, TableDefinition, Value};

use super::schema::{
    ALIASES, ATTACHMENTS, BATCHES, BY_PARENT, BY_PROJECT, BY_UPDATED, CONTENTS, COURSES, DELETED,
    DeletedKey, EXCEPTIONS, FILE_ORDERS, HOMES, PROPERTIES, RECORDS, SEARCH_DOCUMENTS,
    SEARCH_GRAMS, SEARCH_RUNS, SEARCH_TAILS, SESSION_KEYS, SESSION_SOURCES, SESSIONS, SOURCES,
    STORE_INFO,
};
use super::snapshot::corrupt_session;
use super::{
    attachments, batches, courses, deleted, file_orders, properties, search, segments, sources,
};
use crate::codec::exception_row::ExceptionKey;
use crate::codec::properties_row;
use crate::codec::session_row::SessionRow;
use crate::codec::source_row::SourceRow;
use crate::model::error::{Error, Result};
use crate::model::key::SessionKey;

/// The rows of one table.
pub(crate) trait Rows<K: Key, V: Value> {
    /// Tells what is wrong with a row; the error names its table and its key.
    fn check(key: &K::SelfType<'_>, value: &V::SelfType<'_>) -> Result<()>;
}

/// Rows that nothing can be told of: they have no checksum.
pub(crate) struct Unchecked;

impl<K: Key, V: Value> Rows<K, V> for Unchecked {
    fn check(_key: &K::SelfType<'_>, _value: &V::SelfType<'_>) -> Result<()> {
        Ok(())
    }
}

/// Summary rows.
pub(crate) struct Sessions;

impl Rows<u64, &'static [u8]> for Sessions {
    fn check(number: &u64, value: &&[u8]) -> Result<()> {
        SessionRow::decode(*number, value)
            .map(drop)
            .map_err(|error| corrupt_session(*number, error.to_string()))
    }
}

/// Parts of segments.
pub(crate) struct Records;

impl Rows<segments::RecordsKey, &'static [u8]> for Records {
    fn check(key: &segments::RecordsKey, value: &&[u8]) -> Result<()> {
        segments::check_part(*key, value)
    }
}

/// Parts of attachments.
pub(crate) struct Attachments;

impl Rows<(u64, &'static str, u32), &'static [u8]> for Attachments {
    fn check(key: &(u64, &str, u32), value: &&[u8]) -> Result<()> {
        let (number, name, part) = *key;
        attachments::check_part(number, name, part, value)
    }
}

/// What is kept of sessions beside their lines.
pub(crate) struct Properties;

impl Rows<u64, &'static [u8]> for Properties {
    fn check(number: &u64, value: &&[u8]) -> Result<()> {
        properties_row::decode(*number, value)
            .map(drop)
            .map_err(|error| properties::corrupt(*number, &error))
    }
}

/// Claims to aliases.
pub(crate) struct Aliases;

impl Rows<(&'static str, &'static str, u64), &'static [u8]> for Aliases {
    fn check(key: &(&str, &str, u64), value: &&[u8]) -> Result<()> {
        let (agent, alias, place) = *key;
        let alias = SessionKey::new(agent, alias).map_err(|error| Error::Corrupt {
            table: "aliases",
            key: format!("{agent}:{alias}"),
            detail: error.to_string(),
        })?;
        properties_row::decode_claim(&alias, place, value)
            .map(drop)
            .map_err(|error| properties::corrupt_alias(&alias, &error))
    }
}

/// Batches that summary rows have no room for.
pub(crate) struct Batches;

impl Rows<batches::BatchKey, &'static [u8]> for Batches {
    fn check(key: &batches::BatchKey, value: &&[u8]) -> Result<()> {
        batches::check(*key, value)
    }
}

/// What only other lines tell of records.
pub(crate) struct Exceptions;

impl Rows<ExceptionKey, &'static [u8]> for Exceptions {
    fn check(key: &ExceptionKey, value: &&[u8]) -> Result<()> {
        courses::check_exception(*key, value).map(drop)
    }
}

/// What leads from ids to records.
pub(crate) struct Courses;

impl Rows<courses::CourseKey, &'static [u8]> for Courses {
    fn check(key: &courses::CourseKey, value: &&[u8]) -> Result<()> {
        courses::check_block(*key, value)
    }
}

/// Marks of sessions that were deleted.
pub(crate) struct Deleted;

impl Rows<DeletedKey, &'static [u8]> for Deleted {
    fn check(key: &(&str, &str, &[u8]), value: &&[u8]) -> Result<()> {
        deleted::check(*key, value)
    }
}

/// Which records sessions' files have.
pub(crate) struct FileOrders;

impl Rows<u64, &'static [u8]> for FileOrders {
    fn check(number: &u64, value: &&[u8]) -> Result<()> {
        file_orders::decode(*number, value).map(drop)
    }
}

/// The import state of files.
pub(crate) struct Sources;

impl Rows<(&'static [u8], u32), &'static [u8]> for Sources {
    fn check(key: &(&[u8], u32), value: &&[u8]) -> Result<()> {
        let (path, generation) = *key;
        SourceRow::decode(path, generation, value)
            .map(drop)
            .map_err(|error| sources::corrupt_source(path, generation, &error.to_string()))
    }
}

/// Runs of the index of messages.
pub(crate) struct SearchRuns;

impl Rows<u32, &'static [u8]> for SearchRuns {
    fn check(run: &u32, value: &&[u8]) -> Result<()> {
        search::run(*run, value).map(drop)
    }
}

/// Documents of runs.
pub(crate) struct SearchDocuments;

impl Rows<(u32, u32), &'static [u8]> for SearchDocuments {
    fn check(key: &(u32, u32), value: &&[u8]) -> Result<()> {
        search::documents(*key, value).map(drop)
    }
}

/// Lists of runs.
pub(crate) struct SearchGrams;

impl Rows<(u32, u32), &'static [u8]> for SearchGrams {
    fn check(key: &(u32, u32), value: &&[u8]) -> Result<()> {
        search::lists(*key, 0, value).map(drop)
    }
}

/// From where on sessions are not indexed.
pub(crate) struct SearchTails;

impl Rows<u64, &'static [u8]> for SearchTails {
    fn check(session: &u64, value: &&[u8]) -> Result<()> {
        search::tail(*session, value).map(drop)
    }
}

/// Something that is done to every table.
pub(crate) trait EachTable {
    /// Does it to one table; `R` tells what is wrong with a row of it.
    fn table<K: Key + 'static, V: Value + 'static, R: Rows<K, V>>(
        &mut self,
        table: TableDefinition<'static, K, V>,
    ) -> Result<()>;
}

/// Visits every table that a store has: the one list of them.
pub(crate) fn each_table(work: &mut impl EachTable) -> Result<()> {
    work.table::<_, _, Unchecked>(STORE_INFO)?;
    work.table::<_, _, Sessions>(SESSIONS)?;
    work.table::<_, _, Unchecked>(SESSION_KEYS)?;
    work.table::<_, _, Unchecked>(BY_UPDATED)?;
    work.table::<_, _, Unchecked>(BY_PROJECT)?;
    work.table::<_, _, Unchecked>(BY_PARENT)?;
    work.table::<_, _, Records>(RECORDS)?;
    work.table::<_, _, Attachments>(ATTACHMENTS)?;
    work.table::<_, _, Properties>(PROPERTIES)?;
    work.table::<_, _, Aliases>(ALIASES)?;
    work.table::<_, _, Batches>(BATCHES)?;
    work.table::<_, _, Exceptions>(EXCEPTIONS)?;
    work.table::<_, _, Courses>(COURSES)?;
    work.table::<_, _, FileOrders>(FILE_ORDERS)?;
    work.table::<_, _, Unchecked>(CONTENTS)?;
    work.table::<_, _, Unchecked>(HOMES)?;
    work.table::<_, _, Sources>(SOURCES)?;
    work.table::<_, _, Unchecked>(SESSION_SOURCES)?;
    work.table::<_, _, Deleted>(DELETED)?;
    work.table::<_, _, SearchRuns>(SEARCH_RUNS)?;
    work.table::<_, _, SearchDocuments>(SEARCH_DOCUMENTS)?;
    work.table::<_, _, SearchGrams>(SEARCH_GRAMS)?;
    work.table::<_, _, SearchTails>(SEARCH_TAILS)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use redb::{ReadableDatabase as _, TableHandle as _};

    use super::*;
    use crate::store::redb::tables::schema::NAMES;
    use crate::store::{Options, RedbStore};

    #[derive(Default)]
    struct Names(BTreeSet<String>);

    impl EachTable for Names {
        fn table<K: Key + 'static, V: Value + 'static, R: Rows<K, V>>(
            &mut self,
            table: TableDefinition<'static, K, V>,
        ) -> Result<()> {
            assert!(self.0.insert(table.name().to_owned()), "listed twice");
            Ok(())
        }
    }

    #[test]
    fn a_store_has_the_tables_of_the_list_and_no_other() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("s.redb");
        drop(RedbStore::open(&path, Options::default()).unwrap());
        let database = redb::Database::open(&path).unwrap();
        let txn = database.begin_read().unwrap();
        let found: BTreeSet<String> = txn
            .list_tables()
            .unwrap()
            .map(|table| table.name().to_owned())
            .collect();
        let mut listed = Names::default();
        each_table(&mut listed).unwrap();
        assert_eq!(found, listed.0);
        assert_eq!(listed.0, NAMES.map(str::to_owned).into());
        assert_eq!(txn.list_multimap_tables().unwrap().count(), 0);
    }
}
