//! Sessions on their way to another store and from one, in cells.

use std::io::Read;

use super::attachments;
use super::cells::{CellQuery, Table};
use super::draft::Draft;
use super::engine::Engine;
use super::records;
use crate::codec::session_row::SessionRow;
use crate::model::error::{Error, Result};
use crate::store::addition;
use crate::store::carried::{Beside, Carried, Destination};
use crate::store::properties::Claims;

/// How often a session is read again that others write to meanwhile.
const ATTEMPTS: usize = 16;

/// The tables of which a session's cells are written anew, whatever is there.
const WRITTEN_ANEW: [Table; 6] = [
    Table::Exceptions,
    Table::Courses,
    Table::Batches,
    Table::FileOrders,
    Table::Properties,
    Table::Attachments,
];

/// Whether a session has cells of a table.
type Has = fn(&SessionRow) -> bool;

/// What is kept of sessions beside their lines: some reads for all of them.
pub(crate) fn beside(engine: &dyn Engine, numbers: &[u64]) -> Result<Vec<(u64, Beside)>> {
    let mut draft = Draft::over(engine);
    let mut rows = Vec::new();
    for stored in engine.rows(numbers)? {
        rows.push((stored.number(), draft.hold(&stored)?));
    }
    rows.sort_unstable_by_key(|(number, _)| *number);
    // What a row says that there is none of is not asked for.
    let tables: [(Table, Has); 6] = [
        (Table::Properties, |_| true),
        (Table::SessionSources, |_| true),
        (Table::FileOrders, |_| true),
        (Table::Exceptions, |row| row.exceptions > 0),
        (Table::Courses, |row| row.blocks > 0),
        (Table::Batches, addition::has_older),
    ];
    for (table, has) in tables {
        let having = rows.iter().filter(|(_, row)| has(row));
        let owners: Vec<u64> = having.map(|(number, _)| *number).collect();
        if !owners.is_empty() {
            draft.fetch(table, &owners)?;
        }
    }
    let rows = rows.into_iter();
    rows.map(|(number, row)| Ok((number, draft.beside(number, row)?)))
        .collect()
}

/// A session with everything that is kept of it. What others wrote between two reads has it read again.
pub(crate) fn carried(engine: &dyn Engine, number: u64) -> Result<Option<Carried>> {
    for _ in 0..ATTEMPTS {
        let draft = Draft::over(engine);
        let Some(row) = draft.row_if_there(number)? else {
            return Ok(None);
        };
        let read = draft.carried(number, row);
        if !draft.is_old()? {
            return read.map(Some);
        }
    }
    Err(Error::Busy {
        reason: format!("others write to session {number} all the time"),
    })
}

impl Draft<'_> {
    fn beside(&self, number: u64, row: SessionRow) -> Result<Beside> {
        let batches = if addition::has_older(&row) {
            self.older_batches(number)?
        } else {
            Vec::new()
        };
        let properties = self.properties(number)?;
        let beside = Beside {
            batches,
            course: self.course(number, &row)?,
            claims: self.places((number, &row), &properties.aliases)?,
            properties,
            file_order: self.file_order(number)?,
            sources: self.sources_of(number)?,
            row,
        };
        Ok(beside.normal())
    }

    fn carried(&self, number: u64, row: SessionRow) -> Result<Carried> {
        let has_files = row.attachments > 0;
        let mut attachments = Vec::new();
        if has_files {
            let kept = attachments::list(self.engine(), number)?.into_iter();
            attachments.extend(kept.map(|kept| kept.name));
        }
        Ok(Carried {
            beside: self.beside(number, row)?,
            segments: records::sealed(self.engine(), number)?,
            attachments,
        })
    }

    fn clear(&mut self, table: Table, number: u64) -> Result<()> {
        for (key, _) in self.cells(&CellQuery::of(table, number))? {
            self.remove(table, number, &key);
        }
        Ok(())
    }

    /// Takes away the parts of a session that come anew; its records too, unless they stay.
    fn clear_carried(&mut self, number: u64, from: u64) -> Result<()> {
        let old = self.row(number)?;
        let had = self.properties(number)?;
        self.change_claims((number, &old), (&had.aliases, &[]), Claims::InLine)?;
        for table in WRITTEN_ANEW {
            self.clear(table, number)?;
        }
        for source in self.sources_of(number)? {
            self.remove_source_of(number, &source.path, source.generation);
        }
        // What stays is all that there is before the first one that comes.
        if from == 0 {
            self.clear(Table::Records, number)?;
        }
        Ok(())
    }

    /// Writes a session that comes from another store.
    pub(crate) fn put_carried(&mut self, to: Destination, carried: &mut Carried) -> Result<u64> {
        let number = match to.number {
            Some(number) => {
                self.clear_carried(number, to.from)?;
                number
            }
            None => self.engine().new_number()?,
        };
        let segments = carried.take_segments(to.from)?;
        let beside = &carried.beside;
        let mut row = beside.row.clone();
        // First, so that reads of what a new session has ask nobody.
        self.put_written_row(number, &row)?;
        for sealed in &segments {
            self.put_segment(number, sealed);
        }
        self.put_course(number, &mut row, &beside.course);
        for (id, batch) in &beside.batches {
            self.put_older_batch(number, *id, *batch)?;
        }
        self.put_properties(number, &beside.properties)?;
        self.claim_at((number, &row), &beside.claims)?;
        if let Some(order) = &beside.file_order {
            self.put_file_order(number, order)?;
        }
        for source in &beside.sources {
            let mut source = source.clone();
            source.row.session = number;
            self.put_source(&source)?;
        }
        // Again: only now it has the numbers of its exceptions and blocks.
        self.put_written_row(number, &row)?;
        Ok(number)
    }

    /// Writes a file of a session whose row counts it already.
    pub(crate) fn put_carried_file(
        &mut self,
        number: u64,
        name: &str,
        content: &mut dyn Read,
    ) -> Result<()> {
        self.remove_attachment(number, name)?;
        self.put_file(number, name, content).map(drop)
    }
}
