//! Verification of what only other lines tell of records, and of what leads to that.

use std::collections::BTreeMap;

use redb::ReadableTable as _;

use super::Checker;
use crate::codec::session_row::SessionRow;
use crate::model::error::Result;
use crate::model::record::Record;
use crate::store::exceptions::Exceptions;
use crate::store::redb::engine::errors::storage;
use crate::store::redb::tables::courses;
use crate::store::redb::tables::schema::{COURSES, EXCEPTIONS, FORMAT_BESIDE_THE_LOG};
use crate::store::redb::upkeep::migrate;

impl Checker<'_, '_, '_> {
    /// What is to be known of records.
    pub(super) fn exceptions_of(
        &self,
        number: u64,
        row: &SessionRow,
        records: &[Record],
    ) -> Result<Exceptions> {
        let (Some(first), Some(last)) = (records.first(), records.last()) else {
            return Ok(Exceptions::default());
        };
        let range = (first.sequence, last.sequence);
        Ok(Exceptions::of(
            self.snapshot.exceptions((number, row), range)?,
        ))
    }

    /// Every row is whole and of a session that is there, and each session has as many as it says.
    pub(crate) fn courses(&mut self) -> Result<()> {
        let txn = self.snapshot.txn();
        // Such a store has neither table, and is only read.
        if migrate::format(txn)?.is_some_and(|format| format < FORMAT_BESIDE_THE_LOG) {
            return Ok(());
        }
        let read = storage("verify what is to be known of records");
        let mut found: BTreeMap<u64, (u64, u64)> = BTreeMap::new();
        let table = txn.open_table(EXCEPTIONS).map_err(storage("verify"))?;
        for entry in table.iter().map_err(&read)? {
            let (key, value) = entry.map_err(&read)?;
            let key = key.value();
            found.entry(key.0).or_default().0 += 1;
            if let Err(error) = courses::check_exception(key, value.value()) {
                self.note(error, Some(key.0))?;
            }
        }
        let table = txn.open_table(COURSES).map_err(storage("verify"))?;
        for entry in table.iter().map_err(&read)? {
            let (key, value) = entry.map_err(&read)?;
            let key = key.value();
            found.entry(key.0).or_default().1 += 1;
            if let Err(error) = courses::check_block(key, value.value()) {
                self.note(error, Some(key.0))?;
            }
        }
        let expected: BTreeMap<u64, (u64, u64)> = self
            .found
            .rows
            .iter()
            .map(|(number, row)| (*number, (row.exceptions, row.blocks)))
            .collect();
        for number in found.keys().filter(|number| !expected.contains_key(number)) {
            let detail = "rows of a session that is not there".to_owned();
            self.problem("exceptions", format!("session {number}"), detail, None);
        }
        for (number, expected) in expected {
            let found = found.get(&number).copied().unwrap_or_default();
            // Reads trust a row that says 0 and do not look into the table: what is there would
            // never be seen.
            for (table, found, expected) in [
                ("exceptions", found.0, expected.0),
                ("courses", found.1, expected.1),
            ] {
                if found != expected {
                    let detail = format!("{found} rows, the summary row says {expected}");
                    self.problem(table, format!("session {number}"), detail, Some(number));
                }
            }
        }
        Ok(())
    }
}
