//! Reads of sources, and of their sessions, for planning an import or an export.

use std::io::Write;

use redb::{ReadableTable as _, ReadableTableMetadata as _};

use super::{agent_facts, carry, known, origins};
use crate::codec::file_order::FileOrder;
use crate::codec::session_row::SessionRow;
use crate::model::error::{Error, Result};
use crate::model::key::SessionKey;
use crate::model::record::Record;
use crate::store::callers::TheirOutput;
use crate::store::carried::{Beside, Carried};
use crate::store::course::StoredCourse;
use crate::store::ingest::{Filed, HomeId, Known, Source, Sources, StateParts};
use crate::store::query::{Direction, ScanQuery};
use crate::store::redb::engine::errors::storage;
use crate::store::redb::store::RedbStore;
use crate::store::redb::tables::attachments;
use crate::store::redb::tables::contents;
use crate::store::redb::tables::schema::SOURCES;
use crate::store::redb::tables::snapshot::all_read;
use crate::store::redb::tables::sources::{decode, key_of, newest};

impl Sources for RedbStore {
    fn newest(&self, path: &[u8]) -> Result<Option<Source>> {
        self.read(|snapshot| {
            let table = snapshot
                .txn()
                .open_table(SOURCES)
                .map_err(storage("read the sources"))?;
            let found = newest(&table, path)?;
            let reached = found.as_ref().map_or(0, |source| source.generation);
            snapshot.check(SOURCES, &(path, reached), &(path, u32::MAX))?;
            Ok(found)
        })
    }

    fn for_each(&self, visit: &mut dyn FnMut(Source) -> Result<()>) -> Result<()> {
        let read = storage("read the sources");
        self.read(|snapshot| {
            let table = snapshot
                .txn()
                .open_table(SOURCES)
                .map_err(storage("read the sources"))?;
            let mut count = 0;
            for entry in table.iter().map_err(&read)? {
                let (key, value) = entry.map_err(&read)?;
                let (path, generation) = key.value();
                visit(decode(path, generation, value.value())?)?;
                count += 1;
            }
            all_read("sources", count, table.len().map_err(&read)?)
        })
    }

    fn file_order(&self, number: u64) -> Result<Option<FileOrder>> {
        self.read(|snapshot| snapshot.file_order(number))
    }

    fn contents(&self, key: &SessionKey) -> Result<Vec<(u32, u64)>> {
        self.read(|snapshot| snapshot.contents(key))
    }

    fn filed(&self, plain: &SessionKey) -> Result<(Vec<Filed>, usize)> {
        self.read(|snapshot| origins::filed(snapshot, plain))
    }

    fn at_home(&self, wanted: &SessionKey, home: &[u8]) -> Result<Option<String>> {
        self.read(|snapshot| snapshot.at_home(wanted, home))
    }

    fn row(&self, number: u64) -> Result<Option<SessionRow>> {
        self.read(|snapshot| snapshot.row(number))
    }

    fn course(&self, number: u64) -> Result<StoredCourse> {
        self.read(|snapshot| match snapshot.row(number)? {
            Some(row) => snapshot.course(number, &row),
            None => Ok(StoredCourse::default()),
        })
    }

    fn key(&self, number: u64) -> Result<Option<SessionKey>> {
        Sources::row(self, number)?
            .map(|row| key_of(number, &row))
            .transpose()
    }

    fn last_record(&self, number: u64) -> Result<Option<Record>> {
        let query = ScanQuery {
            direction: Direction::Backward,
            records_max: 1,
            ..ScanQuery::default()
        };
        let mut page = self.read(|snapshot| snapshot.scan(number, &query))?;
        Ok(page.records.pop())
    }

    fn records(&self, number: u64, first: u64, end: u64) -> Result<Vec<Record>> {
        let mut records = Vec::new();
        let mut from = Some(first);
        while from.is_some_and(|from| from < end) {
            let query = ScanQuery {
                from,
                ..ScanQuery::default()
            };
            let page = self.read(|snapshot| snapshot.scan(number, &query))?;
            records.extend(page.records);
            from = page.next;
        }
        records.retain(|record| record.sequence < end);
        Ok(records)
    }

    fn read_attachment(&self, number: u64, name: &str, out: &mut dyn Write) -> Result<()> {
        let found =
            self.read(|snapshot| attachments::read(snapshot, number, name, &mut TheirOutput(out)))?;
        if found {
            Ok(())
        } else {
            Err(Error::NotFound {
                wanted: name.to_owned(),
            })
        }
    }

    fn known(&self, paths: &[Vec<u8>]) -> Result<Vec<Option<Known>>> {
        known::known(self, paths)
    }

    fn generations(&self, path: &[u8]) -> Result<Vec<Source>> {
        origins::generations(self, path)
    }

    fn of_session(&self, number: u64) -> Result<Vec<Source>> {
        self.read(|snapshot| origins::of_session(snapshot, number))
    }

    fn count_below(&self, prefix: &[u8]) -> Result<u64> {
        origins::count_below(self, prefix)
    }

    fn number_of(&self, key: &SessionKey) -> Result<Option<u64>> {
        self.read(|snapshot| origins::number_of(snapshot, key))
    }

    fn session_numbers(&self, after: u64, limit: usize) -> Result<Vec<u64>> {
        carry::numbers(self, after, limit)
    }

    fn beside(&self, numbers: &[u64]) -> Result<Vec<(u64, Beside)>> {
        carry::beside(self, numbers)
    }

    fn carried(&self, number: u64) -> Result<Option<Carried>> {
        carry::carried(self, number)
    }

    fn homes(&self) -> Result<Vec<HomeId>> {
        self.read(contents::homes)
    }

    fn session_state_parts(&self, number: u64) -> Result<StateParts> {
        agent_facts::state_parts(self, number)
    }
}
