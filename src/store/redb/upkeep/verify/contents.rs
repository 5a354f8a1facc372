//! Verification of file orders, and of the contents of ids.

use std::collections::BTreeMap;

use redb::ReadableTable as _;

use super::Checker;
use crate::codec::session_row::SessionRow;
use crate::model::error::Result;
use crate::store::redb::engine::errors::storage;
use crate::store::redb::tables::file_orders;
use crate::store::redb::tables::schema::{
    CONTENTS, FILE_ORDERS, FORMAT_BESIDE_THE_LOG, SESSION_KEYS,
};
use crate::store::redb::upkeep::migrate;

const READ: &str = "verify the contents";

impl Checker<'_, '_, '_> {
    /// File orders and contents, against the rows of their sessions.
    pub(crate) fn contents(&mut self) -> Result<()> {
        let txn = self.snapshot.txn();
        // Such a store has none of these tables, and is only read.
        if migrate::format(txn)?.is_some_and(|format| format < FORMAT_BESIDE_THE_LOG) {
            return Ok(());
        }
        self.orders()?;
        let mut of_ids: BTreeMap<(String, String), u32> = BTreeMap::new();
        let table = txn.open_table(CONTENTS).map_err(storage(READ))?;
        let keys = txn.open_table(SESSION_KEYS).map_err(storage(READ))?;
        for entry in table.iter().map_err(storage(READ))? {
            let (key, number) = entry.map_err(storage(READ))?;
            let ((agent, id, content), number) = (key.value(), number.value());
            let is_its = self.found.rows.get(&number).is_some_and(|row| {
                row.agent == agent && row.plain_id() == id && row.content == content
            });
            if !is_its {
                let detail = format!("leads to session {number}, which is not that content");
                let key = format!("{agent}:{id}, content {content}");
                self.problem("contents", key, detail, Some(number));
            }
            *of_ids.entry((agent.to_owned(), id.to_owned())).or_insert(0) += 1;
        }
        self.contents_of_rows(&of_ids);
        for ((agent, id), count) in of_ids {
            let plain = keys
                .get((agent.as_str(), id.as_str()))
                .map_err(storage(READ))?;
            let row = plain.and_then(|plain| self.found.rows.get(&plain.value()));
            // A session whose row says 1 is read and deleted without a look here: the others would
            // be left.
            if row.is_none_or(|row| row.contents != count || !row.is_listed()) {
                let detail = format!("has {count} contents, and its plain id does not say so");
                self.problem("contents", format!("{agent}:{id}"), detail, None);
            }
        }
        Ok(())
    }

    /// Every id of which a row says that it has several contents has entries. Without any, the others would be
    /// listed by nobody and stay when the id is deleted.
    fn contents_of_rows(&mut self, of_ids: &BTreeMap<(String, String), u32>) {
        let is_lost = |row: &SessionRow| {
            // First: of nearly all rows nothing more is asked.
            row.contents > 1
                && !of_ids.contains_key(&(row.agent.clone(), row.plain_id().to_owned()))
        };
        let rows = self.found.rows.iter().filter(|(_, row)| is_lost(row));
        let lost: Vec<(u64, String, u32)> = rows
            .map(|(number, row)| {
                let id = format!("{}:{}", row.agent, row.plain_id());
                (*number, id, row.contents)
            })
            .collect();
        for (number, id, contents) in lost {
            let detail = format!("its row says that it has {contents} contents, and none is noted");
            self.problem("contents", id, detail, Some(number));
        }
    }

    /// Every file order belongs to a session, and has no record that is still to come; a session whose
    /// row says so has one.
    fn orders(&mut self) -> Result<()> {
        let table = self
            .snapshot
            .txn()
            .open_table(FILE_ORDERS)
            .map_err(storage(READ))?;
        for entry in table.iter().map_err(storage(READ))? {
            let (number, value) = entry.map_err(storage(READ))?;
            let number = number.value();
            let order = match file_orders::decode(number, value.value()) {
                Ok(order) => order,
                Err(error) => {
                    self.note(error, Some(number))?;
                    continue;
                }
            };
            let detail = match self.found.rows.get(&number) {
                None => Some("of a session that is not there".to_owned()),
                Some(row) if order.next > row.next => Some(format!(
                    "has records up to {}, the session up to {}",
                    order.next, row.next
                )),
                // Reads ask the row alone: they would give the lines in the log's order, or seek an
                // order in vain.
                Some(row) if order.is_reordered(row.next) != row.reordered => Some(
                    "the session's row does not say whether it has an order of its own".to_owned(),
                ),
                Some(_) => None,
            };
            if let Some(detail) = detail {
                self.problem(
                    "file_orders",
                    format!("session {number}"),
                    detail,
                    Some(number),
                );
            }
        }
        let reordered: Vec<u64> = self
            .found
            .rows
            .iter()
            .filter(|(_, row)| row.reordered)
            .map(|(number, _)| *number)
            .collect();
        for number in reordered {
            if table.get(number).map_err(storage(READ))?.is_none() {
                let detail = "the session has an order of its own, which is missing".to_owned();
                self.problem(
                    "file_orders",
                    format!("session {number}"),
                    detail,
                    Some(number),
                );
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use redb::ReadableTableMetadata as _;

    use super::*;
    use crate::store::redb::store::RedbStore;
    use crate::store::{ListQuery, Options, Store as _};
    use crate::transfer::{ImportOptions, import};
    use crate::unwatched;

    #[test]
    fn contents_that_are_noted_nowhere_are_told() {
        let folder = tempfile::tempdir().unwrap();
        let store = RedbStore::open(folder.path().join("s.redb"), Options::default()).unwrap();
        let id = "00000000-1111-4222-8333-000000000001";
        for place in ["one", "two"] {
            let place = folder.path().join(place).join(".claude/projects/p");
            fs::create_dir_all(&place).unwrap();
            let line = format!(
                "{{\"type\":\"user\",\"uuid\":\"u\",\"sessionId\":\"{id}\",\"message\":\
                 {{\"role\":\"user\",\"content\":\"said in {}\"}}}}\n",
                place.display()
            );
            fs::write(place.join(format!("{id}.jsonl")), line).unwrap();
            import(&store, &[place], &ImportOptions::default(), &mut unwatched).unwrap();
        }
        let list = store.list(&ListQuery::default()).unwrap();
        assert_eq!(list.sessions.len(), 1);
        assert_eq!(list.sessions[0].contents, 2);
        assert!(store.verify_deep(&[], &mut unwatched).unwrap().is_clean());
        store
            .write(|writer| {
                let table = writer.txn().open_table(CONTENTS);
                let mut table = table.map_err(storage(READ))?;
                assert_eq!(table.len().map_err(storage(READ))?, 2);
                table.retain(|_, _| false).map_err(storage(READ))
            })
            .unwrap();
        let report = store.verify_deep(&[], &mut unwatched).unwrap();
        let told: Vec<_> = report.problems.iter().map(|told| &told.detail).collect();
        assert!(
            told.iter().any(|told| told.contains("none is noted")),
            "{told:?}"
        );
    }
}
