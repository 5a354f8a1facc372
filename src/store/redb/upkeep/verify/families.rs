//! Verification of the index of families.

use redb::{ReadableTable as _, ReadableTableMetadata as _};

use super::Checker;
use crate::model::error::Result;
use crate::store::redb::engine::errors::storage;
use crate::store::redb::tables::families;

impl Checker<'_, '_, '_> {
    /// Every entry leads to a listed session that shows this parent, and every listed session that
    /// shows one has its entry: what is another content of an id has none.
    pub(crate) fn families(&mut self) -> Result<()> {
        let Some(table) = families::open(self.snapshot)? else {
            return Ok(());
        };
        let read = storage("verify the families");
        let mut wrong = Vec::new();
        for entry in table.iter().map_err(&read)? {
            let key = entry.map_err(&read)?.0;
            let (agent, parent, number) = key.value();
            self.found.report.index_entries += 1;
            let row = self.found.rows.get(&number);
            if !row.is_some_and(|row| {
                row.agent == agent && row.shown_parent() == Some(parent) && row.is_listed()
            }) {
                wrong.push((format!("{agent}:{parent}"), number));
            }
        }
        for (key, number) in wrong {
            let detail =
                format!("leads to session {number}, which is not there or has another parent");
            self.problem("by_parent", key, detail, Some(number));
        }
        let listed = self.found.rows.values().filter(|row| row.is_listed());
        let expected = listed.filter(|row| row.shown_parent().is_some()).count() as u64;
        // Entries are right one by one and differ from each other.
        let found = table.len().map_err(&read)?;
        if found != expected {
            let detail = format!("{found} entries for {expected} sessions");
            self.problem("by_parent", "(all)".to_owned(), detail, None);
        }
        Ok(())
    }
}
