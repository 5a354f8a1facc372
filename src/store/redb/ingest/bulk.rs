//! Bulk writing and its bookkeeping: many sessions in one transaction, with their sources.

use std::io::Read;

use super::attached;
use crate::codec::chain::Digest;
use crate::codec::file_order::FileOrder;
use crate::codec::session_row::SessionRow;
use crate::model::error::Result;
use crate::model::key::SessionKey;
use crate::model::properties::PropertiesChange;
use crate::store::builder::SessionChunk;
use crate::store::carried::{Carried, Destination};
use crate::store::chunks::{check_base, digest_of_file, row_after, take_moved, take_replaced};
use crate::store::deleted::DeletedSession;
use crate::store::ingest::{Bulk, Source};
use crate::store::redb::engine::errors::storage;
use crate::store::redb::sessions::rechain;
use crate::store::redb::tables::attachments;
use crate::store::redb::tables::schema::{SESSION_SOURCES, SOURCES};
use crate::store::redb::tables::segments::{self, Edge};
use crate::store::redb::tables::sources::{corrupt_source, newest};
use crate::store::redb::tables::writer::Writer;

/// One write transaction of a bulk import. Dropping it without a commit writes nothing.
#[derive(Debug)]
pub(crate) struct RedbBulk<'s> {
    pub(crate) writer: Writer<'s>,
    pub(super) written_bytes: u64,
    pub(super) edge: Edge,
}

impl<'s> RedbBulk<'s> {
    /// Over a write transaction.
    pub(crate) fn new(writer: Writer<'s>) -> Self {
        Self {
            writer,
            written_bytes: 0,
            edge: Edge::default(),
        }
    }
}

impl Bulk for RedbBulk<'_> {
    fn newest(&self, path: &[u8]) -> Result<Option<Source>> {
        let action = storage("read the sources");
        let table = self.writer.txn().open_table(SOURCES).map_err(action)?;
        // Whether damage hides one was asked when the file was looked up (`Sources::known`): here only what
        // another process has stored since is of interest.
        newest(&table, path)
    }

    fn create(&mut self, key: &SessionKey) -> Result<u64> {
        let number = self.writer.new_number(key)?;
        self.writer
            .put_row(number, None, &SessionRow::new(key, 0))?;
        Ok(number)
    }

    fn create_content(&mut self, key: &SessionKey) -> Result<(u64, SessionKey)> {
        RedbBulk::create_content(self, key)
    }

    fn settle(&mut self, key: &SessionKey) -> Result<Option<u64>> {
        RedbBulk::settle(self, key)
    }

    fn contents(&self, key: &SessionKey) -> Result<Vec<(u32, u64)>> {
        self.writer.contents(key)
    }

    fn row(&self, number: u64) -> Result<SessionRow> {
        self.writer.row(number)
    }

    fn file_order(&self, number: u64) -> Result<Option<FileOrder>> {
        self.writer.file_order(number)
    }

    fn write_file_order(&mut self, number: u64, order: &FileOrder) -> Result<()> {
        RedbBulk::write_file_order(self, number, order)
    }

    fn put_home(&mut self, wanted: &SessionKey, home: &[u8], id: &str) -> Result<()> {
        self.writer.put_home(wanted, home, id)
    }

    fn number_of(&self, key: &SessionKey) -> Result<Option<u64>> {
        self.writer.number_of(key)
    }

    fn write_chunk(
        &mut self,
        number: u64,
        chunk: &SessionChunk,
        file: Option<Digest>,
    ) -> Result<Option<Digest>> {
        let old = self.writer.row(number)?;
        check_base(&old, chunk)?;
        let mut left = old.clone();
        let mut table = self.writer.records()?;
        if let Some(sequence) = chunk.replaced {
            // Before they are cut: the chain up to there is made anew from the lines, and compared.
            left.chain = rechain::before(&table, (number, &old), sequence, self.writer.counts())?;
            let moved = self.writer.cut_course(number, &mut left, sequence)?;
            for (at, header, bytes) in
                segments::cut(&mut table, number, sequence, self.writer.counts())?
            {
                let hidden = moved.get(&at).copied().unwrap_or(0);
                take_replaced(&mut left, (at, &header, bytes), hidden);
            }
            // A mark behind the cut would hide what comes in the place of what was cut.
            left.mark = left.mark.min(sequence);
        }
        for sealed in &chunk.sealed {
            self.written_bytes +=
                segments::insert(&mut table, number, sealed, Some(&mut self.edge))?;
        }
        drop(table);
        take_moved(&mut left, chunk, old.next);
        self.writer.write_course(number, &mut left, &chunk.course)?;
        let file = digest_of_file(&mut left.chain, chunk, file);
        let row = row_after(&old, &left, chunk);
        self.writer.put_row(number, Some(&old), &row)?;
        if let Some(sequence) = chunk.replaced {
            // Other records have their numbers now.
            self.writer.is_not_indexed_from(number, sequence)?;
        }
        Ok(file)
    }

    fn write_attachment(
        &mut self,
        number: u64,
        name: &str,
        content: &mut dyn Read,
    ) -> Result<(u64, u128)> {
        let written = attached::write(&self.writer, number, name, content)?;
        self.written_bytes += written.0;
        Ok(written)
    }

    fn remove_source(&mut self, source: &Source) -> Result<()> {
        attached::remove_source(&self.writer, source)
    }

    fn forget_deleted(&mut self, mark: &DeletedSession) -> Result<()> {
        let home = Some(mark.home_bytes.as_slice());
        self.writer.forget_deleted(&mark.key, home).map(drop)
    }

    fn write_source(&mut self, source: &Source) -> Result<()> {
        let action = storage("write a source");
        let Source {
            path,
            generation,
            row,
        } = source;
        let txn = self.writer.txn();
        let encoded = row
            .encode(path, *generation)
            .map_err(|error| corrupt_source(path, *generation, &error.to_string()))?;
        let mut sources = txn.open_table(SOURCES).map_err(storage("write a source"))?;
        sources
            .insert((path.as_slice(), *generation), encoded.as_slice())
            .map_err(&action)?;
        // The way back, so that a deletion finds the sources of a session without reading all of
        // them.
        let mut of_session = txn
            .open_table(SESSION_SOURCES)
            .map_err(storage("write a source"))?;
        of_session
            .insert((row.session, path.as_slice(), *generation), ())
            .map_err(&action)?;
        self.written_bytes += encoded.len() as u64;
        Ok(())
    }

    fn put_carried(&mut self, to: Destination, carried: &mut Carried) -> Result<u64> {
        RedbBulk::put_carried(self, to, carried)
    }

    fn put_carried_file(&mut self, number: u64, name: &str, content: &mut dyn Read) -> Result<()> {
        let written = attachments::write(&self.writer, number, name, content)?;
        self.written_bytes += written.bytes;
        Ok(())
    }

    fn put_content(&mut self, plain: &SessionKey, content: u32, number: u64) -> Result<()> {
        self.writer.put_content(plain, content, number)
    }

    fn put_deleted(&mut self, mark: &DeletedSession) -> Result<()> {
        self.writer.put_mark(mark)
    }

    fn written_bytes(&self) -> u64 {
        self.written_bytes
    }

    fn commit(self: Box<Self>) -> Result<()> {
        self.writer.commit()
    }

    fn change_properties(&mut self, session: u64, change: &PropertiesChange) -> Result<()> {
        RedbBulk::change_properties(self, session, change)
    }

    fn apply_times(
        &mut self,
        session: u64,
        created_us: Option<i64>,
        updated_us: Option<i64>,
    ) -> Result<()> {
        RedbBulk::apply_times(self, session, created_us, updated_us)
    }

    fn offer_title(&mut self, session: u64, title: &str, rank: u8) -> Result<()> {
        RedbBulk::offer_title(self, session, title, rank)
    }

    fn offer_project(&mut self, session: u64, project: &str) -> Result<()> {
        RedbBulk::offer_project(self, session, project)
    }

    fn offer_model(&mut self, session: u64, model: &str) -> Result<()> {
        RedbBulk::offer_model(self, session, model)
    }

    fn offer_parent(&mut self, session: u64, parent: &str) -> Result<()> {
        RedbBulk::offer_parent(self, session, parent)
    }

    fn hide_lines(&mut self, session: u64, lines: u64) -> Result<()> {
        RedbBulk::hide_lines(self, session, lines)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::agents;
    use crate::jsonl::LineReader;
    use crate::store::course::StoredCourse;
    use crate::store::ingest::IngestStore as _;
    use crate::store::{Options, RedbStore, ReplacedTail, SessionBuilder, Store as _};

    fn push(builder: &mut SessionBuilder, lines: &str) {
        let mut reader = LineReader::new(lines.as_bytes());
        while let Some(line) = reader.next_line().unwrap() {
            builder.push(&line);
        }
    }

    #[test]
    fn a_compaction_between_reading_and_writing_leaves_the_counts_right() {
        let folder = tempfile::tempdir().unwrap();
        let store = RedbStore::open(folder.path().join("s.redb"), Options::default()).unwrap();
        let key = SessionKey::new("picoclaw", "telegram:1").unwrap();
        let dialect = agents::of_agent("picoclaw");
        let said = |text: &str| format!("{{\"role\":\"user\",\"content\":\"{text}\"}}\n");
        let mut builder = SessionBuilder::new(&key, dialect, 5);
        let torn = "{\"role\":\"user\"";
        push(
            &mut builder,
            &format!("{}{}{torn}", said("one"), said("two")),
        );
        let mut bulk = Box::new(store.bulk().unwrap());
        let number = bulk.create(&key).unwrap();
        bulk.write_chunk(number, &builder.take_chunk(), None)
            .unwrap();
        bulk.commit().unwrap();

        // An import reads on behind what is stored, in place of the torn line.
        let row = store.sources().row(number).unwrap().unwrap();
        let tail = store.sources().last_record(number).unwrap().unwrap();
        let replaced = ReplacedTail {
            sequence: tail.sequence,
            records: vec![(tail.header, tail.line.len() as u64)],
        };
        let mut builder =
            SessionBuilder::resume(row, StoredCourse::default(), dialect, Some(replaced), 6);
        push(
            &mut builder,
            &format!("{torn},\"content\":\"three\"}}\n{}", said("four")),
        );
        let chunk = builder.take_chunk();

        // Meanwhile all of it is hidden and removed.
        store.truncate(&key, 0).unwrap();
        assert_eq!(store.compact(&key, None, None).unwrap().records, 3);
        let mut bulk = Box::new(store.bulk().unwrap());
        bulk.write_chunk(number, &chunk, None).unwrap();
        bulk.commit().unwrap();

        let summary = store.summary(&key).unwrap();
        assert_eq!((summary.record_count, summary.message_count), (2, 2));
        let report = store.verify(&mut crate::store::unwatched).unwrap();
        assert!(report.is_clean(), "{report:?}");
        assert_eq!(store.load(&key).unwrap().messages.len(), 2);
    }
}
