//! Another file order of a session: which of its records are hidden then, and what the header that
//! stands first says, is in `store::file_lines`.

use super::agent_facts::{for_each_from, for_each_record};
use super::bulk::RedbBulk;
use crate::codec::file_order::FileOrder;
use crate::model::error::Result;
use crate::store::file_lines;

impl RedbBulk<'_> {
    /// Writes the file order of a session, in the transaction of its records. What its agent has
    /// dropped is hidden; what was hidden here stays so.
    pub(crate) fn write_file_order(&mut self, number: u64, order: &FileOrder) -> Result<()> {
        let old = self.writer.row(number)?;
        let before = self.writer.file_order(number)?;
        self.writer.put_file_order(number, order)?;
        let is_moved = file_lines::is_moved(&old, before.as_ref(), order);
        let table = self.writer.records()?;
        let counts = self.writer.counts();
        let row = match before {
            Some(before) if file_lines::only_drops(&old, &before, order) => {
                // A part of a file that is rewritten: it would cost a read of the session each time.
                let mut row = old.clone();
                for_each_from(
                    &table,
                    (number, before.next),
                    counts,
                    |sequence, header, _| {
                        let is_new = sequence >= before.next;
                        row.hidden += u64::from(is_new) * u64::from(header.messages);
                        true
                    },
                )?;
                row
            }
            before => file_lines::reorder(&old, before, order, &mut |look| {
                for_each_record(&table, number, counts, look)
            })?,
        };
        drop(table);
        if row != old {
            self.writer.put_row(number, Some(&old), &row)?;
        } else if is_moved {
            self.writer.note_written(number)?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::codec::file_order::Run;
    use crate::model::key::SessionKey;
    use crate::store::ingest::IngestStore;
    use crate::store::{Expect, MemoryStore, NewRecord, Options, RedbStore};

    #[test]
    fn another_order_is_a_write_though_the_row_says_the_same() {
        let folder = tempfile::tempdir().unwrap();
        let file = RedbStore::open(folder.path().join("s.redb"), Options::default()).unwrap();
        let memory = MemoryStore::default();
        let key = SessionKey::new("jsonl", "s").unwrap();
        let stores: [&dyn IngestStore; 2] = [&file, &memory];
        for store in stores {
            let lines = [0, 1, 2, 3].map(|n| NewRecord::line(format!("{{\"n\":{n}}}")));
            store.append(&key, Expect::Any, None, &lines).unwrap();
            let mark = store.restored_mark().unwrap();
            let put = |places: [u64; 4]| {
                let order = FileOrder {
                    runs: places
                        .map(|at| Run {
                            first: at,
                            last: at,
                        })
                        .to_vec(),
                    next: 4,
                    ..FileOrder::none()
                };
                let number = store.summary(&key).unwrap().number;
                let mut bulk = store.begin(&mark).unwrap();
                bulk.write_file_order(number, &order).unwrap();
                bulk.commit().unwrap();
                store.summary(&key).unwrap()
            };
            let first = put([0, 2, 1, 3]);
            let second = put([0, 3, 1, 2]);
            assert!(second.written_at > first.written_at);
            let as_first = crate::model::session::Summary {
                written_at: first.written_at,
                ..second.clone()
            };
            assert_eq!(as_first, first);
            assert_eq!(put([0, 3, 1, 2]), second);
        }
    }
}
