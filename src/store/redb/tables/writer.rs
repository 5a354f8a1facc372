//! Writing: one transaction that holds records, summary row and index entries together.

use redb::{Table, WriteTransaction};

use super::row_counts::ReadCounts;
use super::schema::{
    BY_PROJECT, BY_UPDATED, INFO_NEXT_SESSION, RECORDS, SESSION_KEYS, SESSIONS, STORE_INFO,
};
use super::segments::{self, Edge};
use super::snapshot::{self, corrupt_session};
use crate::codec::chain;
use crate::codec::segment::Packer;
use crate::codec::session_row::SessionRow;
use crate::model::error::{Error, Result};
use crate::model::key::SessionKey;
use crate::model::limits::{TAIL_BYTES, TAIL_RECORDS};
use crate::model::naming::numbered;
use crate::model::record::Record;
use crate::store::Stamps;
use crate::store::addition::{self, Added, Addition, Outcome};
use crate::store::course::Course;
use crate::store::fold;
use crate::store::lines;
use crate::store::query::Appended;
use crate::store::redb::engine::Engine;
use crate::store::redb::engine::errors::storage;
use crate::store::redb::pages::PageFile;
use crate::store::written;

/// A write transaction. Dropping it writes nothing.
pub(crate) struct Writer<'s> {
    txn: WriteTransaction,
    counts: &'s ReadCounts,
    engine: &'s Engine,
}

impl std::fmt::Debug for Writer<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Writer").finish_non_exhaustive()
    }
}

impl<'s> Writer<'s> {
    /// Begins a write transaction.
    pub(crate) fn begin(engine: &'s Engine, counts: &'s ReadCounts) -> Result<Self> {
        let txn = engine.begin_write()?;
        Ok(Self {
            txn,
            counts,
            engine,
        })
    }

    /// The transaction, for tables that only one path writes.
    pub(crate) fn txn(&self) -> &WriteTransaction {
        &self.txn
    }

    /// The counts to add to.
    pub(crate) fn counts(&self) -> &'s ReadCounts {
        self.counts
    }

    /// Makes everything written durable.
    pub(crate) fn commit(self) -> Result<()> {
        self.engine.commit(self.txn)?;
        self.counts.commit();
        Ok(())
    }

    /// The number of a session.
    pub(crate) fn number_of(&self, key: &SessionKey) -> Result<Option<u64>> {
        let table = self
            .txn
            .open_table(SESSION_KEYS)
            .map_err(storage("look a session up"))?;
        let number = snapshot::number_of(&table, key, self.counts)?;
        // A session whose name damage hides would be made a second time.
        if let (None, Some(pages)) = (number, self.pages()) {
            let place = (key.agent(), key.id());
            pages.check(SESSION_KEYS, &place, &place)?;
        }
        Ok(number)
    }

    /// The row of a session whose number is known.
    pub(crate) fn row(&self, number: u64) -> Result<SessionRow> {
        let table = self
            .txn
            .open_table(SESSIONS)
            .map_err(storage("read a session"))?;
        snapshot::row_behind(&table, number, self.counts)
    }

    /// The row of a session, if it is there.
    pub(crate) fn row_if_there(&self, number: u64) -> Result<Option<SessionRow>> {
        let table = self
            .txn
            .open_table(SESSIONS)
            .map_err(storage("read a session"))?;
        snapshot::row_by_number(&table, number, self.counts)
    }

    /// A session by its name.
    pub(crate) fn session(&self, key: &SessionKey) -> Result<Option<(u64, SessionRow)>> {
        let Some(number) = self.number_of(key)? else {
            let Some((plain, content)) = numbered(key.id()) else {
                return Ok(None);
            };
            // The newest content of an id may be called by its number too.
            let found = self.session(&SessionKey::new(key.agent(), plain)?)?;
            return Ok(found.filter(|(_, row)| row.content == content && row.contents > 1));
        };
        let row = self.row(number)?;
        if row.agent == key.agent() && row.id == key.id() {
            Ok(Some((number, row)))
        } else {
            Err(corrupt_session(
                number,
                format!("`{key}` led to it, but it is another session"),
            ))
        }
    }

    /// A session by its name, which has to be there.
    pub(crate) fn session_of(&self, key: &SessionKey) -> Result<(u64, SessionRow)> {
        self.session(key)?.ok_or_else(|| Error::NotFound {
            wanted: key.to_string(),
        })
    }

    /// Takes the next session number for a name that is free.
    pub(crate) fn new_number(&self, key: &SessionKey) -> Result<u64> {
        let action = storage("number a session");
        let mut info = self
            .txn
            .open_table(STORE_INFO)
            .map_err(storage("number a session"))?;
        let number = redb::ReadableTable::get(&info, INFO_NEXT_SESSION)
            .map_err(&action)?
            .and_then(|bytes| {
                bytes
                    .value()
                    .first_chunk::<8>()
                    .map(|bytes| u64::from_le_bytes(*bytes))
            })
            .ok_or_else(|| Error::Corrupt {
                table: "store_info",
                key: INFO_NEXT_SESSION.to_owned(),
                detail: "the number of the next session is missing".to_owned(),
            })?;
        self.check_free(number)?;
        // It only goes up: whoever still holds the number of a deleted session must not reach another
        // one by it.
        info.insert(INFO_NEXT_SESSION, (number + 1).to_le_bytes().as_slice())
            .map_err(&action)?;
        let mut keys = self
            .txn
            .open_table(SESSION_KEYS)
            .map_err(storage("name a session"))?;
        keys.insert((key.agent(), key.id()), number)
            .map_err(&action)?;
        Ok(number)
    }

    /// Checks that a new session's number is above all others: the number in the store has no
    /// checksum, and one that is taken would put a session in another's place.
    fn check_free(&self, number: u64) -> Result<()> {
        let action = storage("number a session");
        let sessions = self
            .txn
            .open_table(SESSIONS)
            .map_err(storage("number a session"))?;
        let last = redb::ReadableTable::last(&sessions).map_err(&action)?;
        match last.map(|(last, _)| last.value()) {
            Some(last) if last >= number => Err(Error::Corrupt {
                table: "store_info",
                key: INFO_NEXT_SESSION.to_owned(),
                detail: format!("the next session would be {number}, but session {last} is there"),
            }),
            _ => Ok(()),
        }
    }

    /// The engine.
    pub(crate) fn engine(&self) -> &'s Engine {
        self.engine
    }

    /// The file below the engine.
    pub(crate) fn pages(&self) -> Option<&'s PageFile> {
        self.engine.pages()
    }

    /// Writes a session's row, with the index entries that change. A time of update that lies more
    /// than a day ahead of the clock is not believed; that of the last write is now, if the row says
    /// anything that `old` does not.
    pub(crate) fn put_row(
        &self,
        number: u64,
        old: Option<&SessionRow>,
        row: &SessionRow,
    ) -> Result<()> {
        let now_us = self.now_us()?;
        let mut row = row.clone();
        fold::believe(&mut row, now_us);
        written::stamp_changed(&mut row, old, now_us);
        self.put_row_as_it_is(number, old, &row)
    }

    /// Writes the row of a session that is written to now, whatever the row says of that. Its time of update was
    /// believed already.
    pub(crate) fn put_written_row(
        &self,
        number: u64,
        old: Option<&SessionRow>,
        mut row: SessionRow,
    ) -> Result<()> {
        written::stamp(&mut row, old, self.now_us()?);
        self.put_row_as_it_is(number, old, &row)
    }

    /// Notes that something of a session was written of which its row says nothing.
    pub(crate) fn note_written(&self, number: u64) -> Result<()> {
        let old = self.row(number)?;
        self.put_written_row(number, Some(&old), old.clone())
    }

    fn now_us(&self) -> Result<i64> {
        Ok(lines::now(&self.engine.options.stamps)?.timestamp_micros())
    }

    /// Writes a session's row as it is, with the index entries that change.
    pub(crate) fn put_row_as_it_is(
        &self,
        number: u64,
        old: Option<&SessionRow>,
        row: &SessionRow,
    ) -> Result<()> {
        let action = storage("write a session");
        let encoded = row
            .encode(number)
            .map_err(|error| corrupt_session(number, error.to_string()))?;
        let mut sessions = self
            .txn
            .open_table(SESSIONS)
            .map_err(storage("write a session"))?;
        sessions
            .insert(number, encoded.as_slice())
            .map_err(&action)?;
        self.note_for_search(number, old, row)?;
        // Only the newest content of an id is in the indexes.
        let old = old.filter(|old| old.is_listed());
        let is_same = match (old, row.is_listed()) {
            (None, false) => return Ok(()),
            (Some(old), true) => old.updated_us == row.updated_us,
            _ => false,
        };
        if !is_same {
            let mut index = self
                .txn
                .open_table(BY_UPDATED)
                .map_err(storage("index a session"))?;
            if let Some(old) = old {
                index.remove((old.updated_us, number)).map_err(&action)?;
            }
            if row.is_listed() {
                index
                    .insert((row.updated_us, number), ())
                    .map_err(&action)?;
            }
        }
        // The time is in the key of this index too, so a change of either moves the entry.
        if !(is_same && old.is_some_and(|old| old.shown_project() == row.shown_project())) {
            let mut index = self
                .txn
                .open_table(BY_PROJECT)
                .map_err(storage("index a session"))?;
            if let Some((old, project)) = old.and_then(|old| Some((old, old.shown_project()?))) {
                index
                    .remove((project, old.updated_us, number))
                    .map_err(&action)?;
            }
            if let Some(project) = row.shown_project().filter(|_| row.is_listed()) {
                index
                    .insert((project, row.updated_us, number), ())
                    .map_err(&action)?;
            }
        }
        self.index_family(number, old, row)
    }

    /// The table of records.
    pub(crate) fn records(&self) -> Result<Table<'_, segments::RecordsKey, &'static [u8]>> {
        self.txn
            .open_table(RECORDS)
            .map_err(storage("write records"))
    }

    /// Adds lines to a session, which is created if need be.
    pub(crate) fn add(&self, addition: &Addition, stamps: &Stamps) -> Result<Appended> {
        let key = &addition.key;
        let there = self.session(key)?;
        let old = there.as_ref().map(|(_, row)| row);
        let older = match (&there, addition.batch_id) {
            (Some((number, row)), Some(id)) if addition::has_older(row) => {
                self.older_batch(*number, id.as_u128())?
            }
            _ => None,
        };
        let Added {
            mut row,
            made,
            course,
            appended,
            left,
            now_us,
            ..
        } = match addition::add_to(old, addition, older, stamps, || match &there {
            Some((number, row)) => Ok(self.course(*number, row)?.before(None)),
            None => Ok(Course::default()),
        })? {
            Outcome::Replayed(appended) => return Ok(appended),
            Outcome::Added(added) => *added,
        };
        // Behind everything that can refuse: appends that share the commit go on only where no
        // table was touched for one that was refused.
        let number = match &there {
            Some((number, _)) => *number,
            None => self.new_number(key)?,
        };
        if let Some(left) = left {
            self.note_older_batch(number, left, now_us)?;
        }
        for record in &made {
            // Here and not before the lock: only in the transaction is the chain's head known.
            row.chain.push(&chain::digest_of(&record.line));
        }
        self.write_course(number, &mut row, &course)?;
        self.insert_tail(number, &mut row, made)?;
        // Last: what is written before has put its counts into the row.
        self.put_row(number, old, &row)?;
        Ok(appended)
    }

    /// Writes new records behind the tail, or seals the tail with them when it is long enough.
    fn insert_tail(&self, number: u64, row: &mut SessionRow, made: Vec<Record>) -> Result<()> {
        let mut table = self.records()?;
        let bytes: u64 = made.iter().map(|record| record.line.len() as u64).sum();
        let tail_records = row.next.saturating_sub(row.tail_first);
        let mut packer = Packer::default();
        // A short tail stays as it is, a row a record: an append writes its own rows, not the tail
        // again.
        if row.tail_bytes + bytes < TAIL_BYTES && tail_records < TAIL_RECORDS {
            for record in made {
                packer.push(record.sequence, record.header, &record.line);
                if let Some(sealed) = packer.seal() {
                    segments::insert(&mut table, number, &sealed, None)?;
                }
            }
            row.tail_bytes += bytes;
            return Ok(());
        }
        let mut sealed = Vec::new();
        let mut pack = |sequence, header, line: &[u8]| {
            if packer.is_full_for(sequence, line.len()) {
                sealed.extend(packer.seal());
            }
            packer.push(sequence, header, line);
        };
        // Read before it is removed: its lines go into the new segments, and pack better together.
        let mut from = row.tail_first;
        while let Some(found) = segments::starting_from(&table, number, from, self.counts)? {
            for (sequence, header, line) in found.segment.records() {
                pack(sequence, header, line);
            }
            from = found.first + 1;
        }
        for record in &made {
            pack(record.sequence, record.header, &record.line);
        }
        sealed.extend(packer.seal());
        table
            .retain_in(
                (number, row.tail_first, 0)..=(number, u64::MAX, u32::MAX),
                |_, _| false,
            )
            .map_err(storage("seal the tail"))?;
        let mut edge = Edge::default();
        for sealed in &sealed {
            segments::insert(&mut table, number, sealed, Some(&mut edge))?;
        }
        row.tail_first = row.next;
        row.tail_bytes = 0;
        Ok(())
    }
}
