//! One write transaction of a bulk import, as a draft.

use std::io::Read;

use super::draft::Draft;
use crate::codec::chain::Digest;
use crate::codec::file_order::FileOrder;
use crate::codec::segment::Segment;
use crate::codec::session_row::SessionRow;
use crate::model::error::{Error, Result};
use crate::model::key::SessionKey;
use crate::model::properties::PropertiesChange;
use crate::store::builder::SessionChunk;
use crate::store::carried::{Carried, Destination};
use crate::store::chunks::{check_base, digest_of_file, row_after, take_moved, take_replaced};
use crate::store::deleted::DeletedSession;
use crate::store::file_lines::{
    self, Look, take_model, take_parent, take_project, take_times, take_title,
};
use crate::store::ingest::{Bulk, Source};
use crate::store::order::Order;
use crate::store::properties::Claims;
use crate::store::rechain::Rechain;

impl Draft<'_> {
    /// Shows a look all records of a session, until it has enough.
    pub(crate) fn each_record(&self, number: u64, look: &mut Look<'_>) -> Result<()> {
        for (_, segment) in self.segments(number)? {
            for (sequence, header, line) in segment.records() {
                if !look(sequence, header, line) {
                    return Ok(());
                }
            }
        }
        Ok(())
    }

    fn change_row(&mut self, number: u64, change: impl FnOnce(&mut SessionRow)) -> Result<()> {
        let old = self.row(number)?;
        let mut row = old.clone();
        change(&mut row);
        if row == old {
            return Ok(());
        }
        self.put_row(number, &row)
    }

    /// Takes the records from one on out of a session, with what they told.
    fn replace_from(
        &mut self,
        (number, old): (u64, &SessionRow),
        left: &mut SessionRow,
        sequence: u64,
    ) -> Result<()> {
        // Before they are cut: the chain up to there is made anew from the lines, and compared.
        let mut rechain = Rechain::of(old);
        for (_, segment) in self.segments(number)? {
            for record in segment.records().map(Segment::owned) {
                let stays = record.sequence < sequence;
                rechain.take(record.sequence, &record.line, stays);
            }
        }
        left.chain = rechain.finish(number)?;
        let moved = self.cut_course(number, left, sequence)?;
        for record in self.cut(number, sequence)? {
            let hidden = moved.get(&record.sequence).copied().unwrap_or(0);
            let bytes = record.line.len() as u64;
            take_replaced(left, (record.sequence, &record.header, bytes), hidden);
        }
        // A mark behind the cut would hide what comes in the place of what was cut.
        left.mark = left.mark.min(sequence);
        Ok(())
    }
}

impl Bulk for Draft<'_> {
    fn newest(&self, path: &[u8]) -> Result<Option<Source>> {
        Ok(self.generations(path, 1)?.pop())
    }

    fn create(&mut self, key: &SessionKey) -> Result<u64> {
        Draft::create(self, key)
    }

    fn create_content(&mut self, key: &SessionKey) -> Result<(u64, SessionKey)> {
        Draft::create_content(self, key)
    }

    fn settle(&mut self, key: &SessionKey) -> Result<Option<u64>> {
        Draft::settle(self, key)
    }

    fn contents(&self, key: &SessionKey) -> Result<Vec<(u32, u64)>> {
        Draft::contents(self, key)
    }

    fn row(&self, number: u64) -> Result<SessionRow> {
        Draft::row(self, number)
    }

    fn file_order(&self, number: u64) -> Result<Option<FileOrder>> {
        Draft::file_order(self, number)
    }

    fn write_file_order(&mut self, number: u64, order: &FileOrder) -> Result<()> {
        let old = Draft::row(self, number)?;
        let before = Draft::file_order(self, number)?;
        self.put_file_order(number, order)?;
        let is_moved = file_lines::is_moved(&old, before.as_ref(), order);
        let row = file_lines::reorder(&old, before, order, &mut |look| {
            self.each_record(number, look)
        })?;
        if row == old && is_moved {
            return self.note_written(number);
        }
        self.change_row(number, |old| *old = row)
    }

    fn put_home(&mut self, wanted: &SessionKey, home: &[u8], id: &str) -> Result<()> {
        Draft::put_home(self, wanted, home, id);
        Ok(())
    }

    fn number_of(&self, key: &SessionKey) -> Result<Option<u64>> {
        Draft::number_of(self, key)
    }

    fn write_chunk(
        &mut self,
        number: u64,
        chunk: &SessionChunk,
        file: Option<Digest>,
    ) -> Result<Option<Digest>> {
        let old = Draft::row(self, number)?;
        check_base(&old, chunk)?;
        let mut left = old.clone();
        // First: the chunk's lines take the numbers of those that they replace.
        if let Some(sequence) = chunk.replaced {
            self.replace_from((number, &old), &mut left, sequence)?;
        }
        for sealed in &chunk.sealed {
            self.put_segment(number, sealed);
        }
        take_moved(&mut left, chunk, old.next);
        let open = self.open_block(number, &left)?;
        self.write_course((number, &mut left), &chunk.course, open)?;
        let file = digest_of_file(&mut left.chain, chunk, file);
        self.put_row(number, &row_after(&old, &left, chunk))?;
        Ok(file)
    }

    fn write_attachment(
        &mut self,
        number: u64,
        name: &str,
        content: &mut dyn Read,
    ) -> Result<(u64, u128)> {
        self.put_attachment(number, name, content)
    }

    fn remove_source(&mut self, source: &Source) -> Result<()> {
        let (number, name) = (source.row.session, &source.row.name);
        self.remove_source_of(number, &source.path, source.generation);
        // A folder's files are named by their whole paths, each of which has one row.
        let is_shared = number != 0
            && self
                .sources_of(number)?
                .iter()
                .any(|other| other.row.name == *name);
        if !name.is_empty() && !is_shared && self.remove_attachment(number, name)? {
            self.count_attachments(number, |count| count.saturating_sub(1))?;
        }
        Ok(())
    }

    fn write_source(&mut self, source: &Source) -> Result<()> {
        self.put_source(source)
    }

    fn change_properties(&mut self, session: u64, change: &PropertiesChange) -> Result<()> {
        Draft::change_properties(self, session, change, Claims::InLine).map(drop)
    }

    fn apply_times(
        &mut self,
        session: u64,
        created_us: Option<i64>,
        updated_us: Option<i64>,
    ) -> Result<()> {
        self.change_row(session, |row| take_times(row, created_us, updated_us))
    }

    fn offer_title(&mut self, session: u64, title: &str, rank: u8) -> Result<()> {
        self.change_row(session, |row| take_title(row, title, rank))
    }

    fn offer_project(&mut self, session: u64, project: &str) -> Result<()> {
        self.change_row(session, |row| take_project(row, project))
    }

    fn offer_model(&mut self, session: u64, model: &str) -> Result<()> {
        self.change_row(session, |row| take_model(row, model))
    }

    fn offer_parent(&mut self, session: u64, parent: &str) -> Result<()> {
        self.change_row(session, |row| take_parent(row, parent))
    }

    fn hide_lines(&mut self, session: u64, lines: u64) -> Result<()> {
        let old = Draft::row(self, session)?;
        let order = Draft::file_order(self, session)?.filter(|_| old.reordered);
        let order = order.map(|order| Order::of(&order, old.next));
        let row = file_lines::hide(&old, lines, order.as_ref(), &mut |look| {
            self.each_record(session, look)
        })?;
        self.change_row(session, |old| *old = row)
    }

    fn forget_deleted(&mut self, mark: &DeletedSession) -> Result<()> {
        self.forget_mark(mark);
        Ok(())
    }

    fn put_carried(&mut self, to: Destination, carried: &mut Carried) -> Result<u64> {
        Draft::put_carried(self, to, carried)
    }

    fn put_carried_file(&mut self, number: u64, name: &str, content: &mut dyn Read) -> Result<()> {
        Draft::put_carried_file(self, number, name, content)
    }

    fn put_content(&mut self, plain: &SessionKey, content: u32, number: u64) -> Result<()> {
        Draft::put_content(self, plain, content, number);
        Ok(())
    }

    fn put_deleted(&mut self, mark: &DeletedSession) -> Result<()> {
        self.put_mark(mark)
    }

    fn written_bytes(&self) -> u64 {
        self.bytes()
    }

    fn commit(self: Box<Self>) -> Result<()> {
        let engine = self.engine();
        let changes = self.into_changes()?;
        if changes.is_empty() || engine.commit(&changes)? {
            return Ok(());
        }
        // Not tried again: what it read has decided what it writes, and is another by now.
        Err(Error::Busy {
            reason: "another process wrote to the same sessions".to_owned(),
        })
    }
}
