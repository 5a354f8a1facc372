//! Reading sessions again: all that is derived from their lines, by the readers of this version. Lines,
//! numbers and digest chain stay. A session is one transaction, so it is read again whole or not at all.

use crate::agents;
use crate::codec::segment::Packer;
use crate::codec::session_row::SessionRow;
use crate::model::error::{Error, Result};
use crate::model::key::SessionKey;
use crate::model::limits::SEGMENT_BYTES;
use crate::model::record::{RecordFlags, RecordHeader};
use crate::store::fold::Fold;
use crate::store::order::Order;
use crate::store::query::Reread;
use crate::store::redb::engine::errors::storage;
use crate::store::redb::store::RedbStore;
use crate::store::redb::tables::schema::SESSIONS;
use crate::store::redb::tables::segments::{self, Found};
use crate::store::redb::tables::writer::Writer;
use crate::store::row_title;
use crate::store::{Progress, Step, Watcher};

/// The flags that the reader of the file knew, and no line tells.
const OF_FILE: [RecordFlags; 2] = [RecordFlags::UNTERMINATED, RecordFlags::CONTINUES];

impl RedbStore {
    /// Derives again what is derived from a session's lines, if an older version of its agent's reader
    /// has read them: kinds and roles, title, counts, what was written again or taken back. The lines
    /// stay, with their numbers and their digest chain; so does what was given to the session, and what
    /// files beside it told. Returns what changed.
    ///
    /// # Durability
    ///
    /// One transaction: on disk when this returns `Ok`; after an error the session is as it was.
    ///
    /// # Errors
    ///
    /// [`NotFound`](crate::Error::NotFound), or [`Corrupt`](crate::Error::Corrupt).
    ///
    /// ```
    /// use scrollback::{Expect, NewRecord, Options, RedbStore, SessionKey, Store};
    ///
    /// let folder = tempfile::tempdir()?;
    /// let store = RedbStore::open(folder.path().join("sessions.redb"), Options::default())?;
    /// let key = SessionKey::native("chat-1")?;
    /// store.append(&key, Expect::Any, None, &[NewRecord::line("{}")])?;
    /// // This version has read it.
    /// assert_eq!(store.reread(&key)?.sessions, 0);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn reread(&self, key: &SessionKey) -> Result<Reread> {
        self.write(|writer| {
            let (number, row) = writer.session_of(key)?;
            read_again(writer, number, &row)
        })
    }

    /// Reads every session again that an older version has read, each in a transaction of its own. Those
    /// that cannot be read are left as they are: [`verify`](Self::verify) tells what is wrong with them.
    ///
    /// # Durability
    ///
    /// As [`reread`](Self::reread), session by session: what was done stays after an error.
    ///
    /// # Errors
    ///
    /// Storage errors, and [`Cancelled`](crate::Error::Cancelled).
    pub fn reread_all(&self, progress: &mut Watcher<'_>) -> Result<Reread> {
        let behind = self.behind()?;
        let total = behind.iter().map(|(_, bytes)| bytes).sum();
        let (mut all, mut done) = (Reread::default(), 0);
        for (number, bytes) in behind {
            match self.read_number_again(number) {
                Ok(one) => all += one,
                // It stays as it was, and keeps no other from being read.
                Err(Error::Corrupt { .. }) => all.damaged += 1,
                Err(error) => return Err(error),
            }
            done += bytes;
            Progress::at(Step::Rereading, done, total).tell(progress)?;
        }
        Ok(all)
    }

    /// How many sessions an older version has read.
    ///
    /// # Errors
    ///
    /// [`Corrupt`](crate::Error::Corrupt).
    pub fn behind_count(&self) -> Result<u64> {
        Ok(self.behind()?.len() as u64)
    }

    /// The numbers of the sessions that an older version has read, with the bytes of their lines.
    fn behind(&self) -> Result<Vec<(u64, u64)>> {
        self.read(|snapshot| {
            let read = storage("look for sessions that an older version has read");
            let table = snapshot.txn().open_table(SESSIONS);
            let table = table.map_err(storage("read the sessions"))?;
            let mut behind = Vec::new();
            for entry in redb::ReadableTable::iter(&table).map_err(&read)? {
                let (number, value) = entry.map_err(&read)?;
                let number = number.value();
                // What is damaged is not for here to tell.
                if let Ok(row) = SessionRow::decode(number, value.value())
                    && is_behind(&row)
                {
                    behind.push((number, row.bytes));
                }
            }
            Ok(behind)
        })
    }

    /// Reads the session of a number again, if it is still there.
    pub(crate) fn read_number_again(&self, number: u64) -> Result<Reread> {
        self.write(|writer| match writer.row_if_there(number)? {
            Some(row) => read_again(writer, number, &row),
            None => Ok(Reread::default()),
        })
    }
}

/// Whether an older version of its agent's reader has read a session.
pub(crate) fn is_behind(row: &SessionRow) -> bool {
    row.reader < agents::of_agent(&row.agent).reader_version()
}

fn read_again(writer: &Writer<'_>, number: u64, old: &SessionRow) -> Result<Reread> {
    if !is_behind(old) {
        return Ok(Reread::default());
    }
    let dialect = agents::of_agent(&old.agent);
    let key = SessionKey::new(old.agent.as_str(), old.id.as_str())?;
    let mut row = SessionRow::new(&key, old.created_us);
    (row.updated_us, row.mark) = (old.updated_us, old.mark);
    // What is hidden stands before the mark in the file's order, which need not be that of the numbers.
    let order = writer.file_order(number)?.filter(|_| old.reordered);
    let order = order.map(|order| Order::of(&order, old.next));
    let place = |sequence| {
        order
            .as_ref()
            .map_or(sequence, |order| order.place(sequence))
    };
    let mark = place(old.mark);
    let (mut fold, mut hidden, mut changed) = (Fold::default(), 0, 0);
    let mut table = writer.records()?;
    let (mut from, mut is_piece) = (0, false);
    while let Some(found) = segments::starting_from(&table, number, from, writer.counts())? {
        from = found.segment.last_sequence() + 1;
        let mut headers = Vec::new();
        let mut differs = false;
        for (sequence, header, line) in found.segment.records() {
            let mut described = dialect.describe(line);
            let flags = header.flags;
            let goes_on = flags.contains(RecordFlags::CONTINUES);
            if is_piece || goes_on {
                // A piece of a long line is not read.
                described.header = header;
                described.facts = agents::Facts::default();
            }
            is_piece = goes_on;
            let of_file = OF_FILE.into_iter().filter(|flag| flags.contains(*flag));
            let flags = of_file.fold(RecordFlags::default(), RecordFlags::with);
            // The fold counts on by one, and numbers have holes where a compaction was.
            row.next = sequence;
            let before = row.messages;
            let read = fold.add(&mut row, &described, flags, line.len());
            if place(sequence) < mark {
                hidden += row.messages.saturating_sub(before);
            }
            differs |= read != header;
            changed += u64::from(read != header);
            headers.push(read);
        }
        if differs {
            write_again(&mut table, number, &found, &headers)?;
        }
    }
    drop(table);
    let course = fold.take_changes();
    let row = derived(row, old, hidden);
    writer.remove_course(number, old)?;
    let mut row = SessionRow {
        exceptions: 0,
        blocks: 0,
        reader: dialect.reader_version(),
        ..row
    };
    writer.write_course(number, &mut row, &course)?;
    writer.put_row(number, Some(old), &row)?;
    Ok(Reread {
        sessions: 1,
        records: changed,
        damaged: 0,
    })
}

/// The row of a session, with what its lines tell now and what only the old one knows.
fn derived(read: SessionRow, old: &SessionRow, hidden: u64) -> SessionRow {
    // A title of a file beside the lines stays, unless the lines have a better one now.
    let is_told_beside = old.title_rank == agents::INDEX_TITLE_RANK;
    let mut read = read;
    if is_told_beside && read.title_rank < old.title_rank {
        row_title::put(&mut read, old.title_rank, old.title.clone(), true);
    }
    let parent = old.parent.clone().filter(|parent| *parent != old.id);
    SessionRow {
        project: read.project.or_else(|| old.project.clone()),
        title: read.title,
        title_rank: read.title_rank,
        beaten_titles: read.beaten_titles,
        created_us: if read.created_stated {
            read.created_us
        } else {
            read.created_us.min(old.created_us)
        },
        updated_us: old.updated_us.max(read.updated_us),
        time_stated: read.time_stated || old.time_stated,
        created_stated: read.created_stated || old.created_stated,
        model: read.model,
        branch: read.branch,
        subagent: read.subagent || (read.parent.is_none() && old.subagent),
        parent: read.parent.or(parent),
        messages: read.messages,
        hidden,
        malformed: read.malformed,
        header_sequence: read.header_sequence,
        ..old.clone()
    }
}

/// Writes a segment again, with other headers.
fn write_again(
    table: &mut redb::Table<'_, segments::RecordsKey, &'static [u8]>,
    number: u64,
    found: &Found,
    headers: &[RecordHeader],
) -> Result<()> {
    segments::remove(table, number, found.first)?;
    let mut packer = Packer::default();
    for ((sequence, _, line), header) in found.segment.records().zip(headers) {
        // The only line of its segment: packed alone it is not copied once more.
        if line.len() > SEGMENT_BYTES {
            let sealed = Packer::seal_alone(sequence, *header, line);
            return segments::insert(table, number, &sealed, None).map(drop);
        }
        packer.push(sequence, *header, line);
    }
    match packer.seal() {
        Some(sealed) => segments::insert(table, number, &sealed, None).map(drop),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::codec::file_order::{FileOrder, Run};
    use crate::model::session::Summary;
    use crate::store::ingest::IngestStore as _;
    use crate::store::query::{Expect, NewRecord, ScanQuery};
    use crate::store::{MemoryStore, Options, Store};

    const LINES: [&str; 5] = [
        r#"{"sessionId":"s","projectHash":"ab","startTime":"2026-04-03T09:00:00.000Z","kind":"main"}"#,
        r#"{"id":"m1","timestamp":"2026-04-03T09:00:01.000Z","type":"user","content":"which port?"}"#,
        r#"{"id":"m2","timestamp":"2026-04-03T09:00:02.000Z","type":"gemini","content":"80","model":"g"}"#,
        r#"{"id":"m2","timestamp":"2026-04-03T09:00:02.000Z","type":"gemini","content":"8080","model":"g"}"#,
        r#"{"$rewindTo":"m2"}"#,
    ];

    fn lines() -> [NewRecord; 5] {
        LINES.map(NewRecord::line)
    }

    /// Makes of a session what a version would have left that knew nothing of its format.
    fn forget(store: &RedbStore, key: &SessionKey) {
        let forget = |writer: &Writer<'_>| {
            let (number, old) = writer.session_of(key)?;
            writer.remove_course(number, &old)?;
            let mut table = writer.records()?;
            let found = segments::starting_from(&table, number, 0, writer.counts())?.unwrap();
            let headers: Vec<RecordHeader> = found
                .segment
                .records()
                .map(|(_, header, _)| RecordHeader {
                    kind: crate::model::record::RecordKind::Unknown,
                    role: None,
                    messages: 0,
                    ..header
                })
                .collect();
            write_again(&mut table, number, &found, &headers)?;
            drop(table);
            let row = SessionRow {
                reader: 0,
                exceptions: 0,
                blocks: 0,
                messages: 77,
                title: "<wrong>".to_owned(),
                title_rank: 10,
                ..old.clone()
            };
            writer.put_row(number, Some(&old), &row)
        };
        store.write(forget).unwrap();
    }

    /// A summary says what an earlier one did, but that the session was written to since.
    #[track_caller]
    fn assert_same(mut now: Summary, fresh: &Summary) {
        assert!(now.written_at > fresh.written_at);
        now.written_at = fresh.written_at;
        assert_eq!(now, *fresh);
    }

    #[test]
    fn a_session_that_was_read_wrongly_is_as_if_it_had_come_now() {
        let folder = tempfile::tempdir().unwrap();
        let store = RedbStore::open(folder.path().join("s.redb"), Options::default()).unwrap();
        let key = SessionKey::new("gemini", "s").unwrap();
        store.append(&key, Expect::Any, None, &lines()).unwrap();
        let fresh = store.summary(&key).unwrap();
        let records = |store: &dyn Store| store.scan(&key, &ScanQuery::default()).unwrap().records;
        let all = |store: &dyn Store| store.exceptions(&key, 0, u64::MAX).unwrap();
        let (before, told) = (records(&store), all(&store));
        let kept = store
            .verify_deep(&[], &mut crate::store::unwatched)
            .unwrap();
        forget(&store, &key);
        assert_eq!(store.behind_count().unwrap(), 1);
        let reread = store.reread_all(&mut crate::store::unwatched).unwrap();
        assert_eq!((reread.sessions, reread.damaged), (1, 0));
        assert!(reread.records > 0);
        assert_same(store.summary(&key).unwrap(), &fresh);
        assert_eq!((records(&store), all(&store)), (before, told));
        assert_eq!(store.behind_count().unwrap(), 0);
        assert_eq!(store.reread(&key).unwrap(), Reread::default());
        let digests = &kept.digests;
        let report = store
            .verify_deep(digests, &mut crate::store::unwatched)
            .unwrap();
        assert!(report.is_clean(), "{report:?}");
    }

    #[test]
    fn what_is_hidden_of_a_file_with_an_order_of_its_own_stays_so() {
        let folder = tempfile::tempdir().unwrap();
        let store = RedbStore::open(folder.path().join("s.redb"), Options::default()).unwrap();
        let key = SessionKey::new("gemini", "s").unwrap();
        let said = |id: u64| {
            NewRecord::line(format!(
                r#"{{"id":"m{id}","timestamp":"2026-04-03T09:00:0{id}.000Z","type":"user","content":"said {id}"}}"#
            ))
        };
        let lines = [1, 2, 3, 4].map(said);
        store.append(&key, Expect::Any, None, &lines).unwrap();
        let number = store.summary(&key).unwrap().number;
        let order = FileOrder {
            runs: vec![Run { first: 2, last: 3 }, Run { first: 0, last: 1 }],
            next: 4,
            ..FileOrder::none()
        };
        let mut bulk = store.begin(&store.restored_mark().unwrap()).unwrap();
        bulk.write_file_order(number, &order).unwrap();
        bulk.commit().unwrap();
        // What is left is record 1, and three stand before it.
        store.truncate(&key, 1).unwrap();
        let fresh = store.summary(&key).unwrap();
        assert_eq!((fresh.message_count, fresh.hidden_count), (4, 3));
        forget(&store, &key);
        assert_eq!(store.reread(&key).unwrap().sessions, 1);
        assert_same(store.summary(&key).unwrap(), &fresh);
    }

    #[test]
    fn what_was_given_and_hidden_stays() {
        let folder = tempfile::tempdir().unwrap();
        let store = RedbStore::open(folder.path().join("s.redb"), Options::default()).unwrap();
        let key = SessionKey::new("gemini", "s").unwrap();
        store.append(&key, Expect::Any, None, &lines()).unwrap();
        store.truncate(&key, 1).unwrap();
        let change = crate::model::properties::PropertiesChange {
            title: Some(Some("Mine".to_owned())),
            ..Default::default()
        };
        store.update_properties(&key, &change).unwrap();
        let fresh = store.summary(&key).unwrap();
        forget(&store, &key);
        assert_eq!(store.reread(&key).unwrap().sessions, 1);
        assert_same(store.summary(&key).unwrap(), &fresh);
    }

    #[test]
    fn both_stores_derive_the_same() {
        let folder = tempfile::tempdir().unwrap();
        let store = RedbStore::open(folder.path().join("s.redb"), Options::default()).unwrap();
        let memory = MemoryStore::default();
        let key = SessionKey::new("gemini", "s").unwrap();
        for line in lines() {
            let line = [line];
            store.append(&key, Expect::Any, None, &line).unwrap();
            memory.append(&key, Expect::Any, None, &line).unwrap();
        }
        let all = |store: &dyn Store| {
            let mut all = store.exceptions(&key, 0, u64::MAX).unwrap();
            all.sort_by_key(|exception| (exception.kind, exception.first));
            (all, store.summary(&key).unwrap().message_count)
        };
        assert_eq!(all(&store), all(&memory));
        assert_eq!(store.find_message(&key, "m2").unwrap(), Some(2));
    }
}
