//! The records of a session against the counts and the chain in its row, in one snapshot or in several.

use std::time::Instant;

use super::Checker;
use super::chain::Chains;
use crate::codec::session_row::SessionRow;
use crate::model::error::Result;
use crate::model::key::SessionKey;
use crate::model::record::RecordFlags;
use crate::store::order::Order;
use crate::store::query::ScanQuery;
use crate::store::redb::engine::errors::storage;
use crate::store::redb::tables::schema::SESSIONS;

/// How far a session was read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Read {
    /// To its end.
    All,
    /// Not to its end yet.
    Some,
    /// Up to a damage, which is noted; there is nothing to compare.
    Damaged,
}

/// A session while its records are read.
pub(super) struct Reading<'d> {
    row: SessionRow,
    seen: SessionRow,
    query: ScanQuery,
    last: Option<u64>,
    unterminated: bool,
    /// Whether it was read in several snapshots.
    is_sliced: bool,
    chains: Option<Chains<'d>>,
    /// The order of its file, where that is another one than that of the log.
    order: Option<Order>,
}

impl Reading<'_> {
    /// Goes on with the row that a later snapshot has: what was added comes at the end. Says whether that
    /// can be; else some of what was read is not there any more.
    pub(super) fn go_on(&mut self, row: SessionRow) -> bool {
        let (before, now) = (&self.row, &row);
        let is_longer = now.next >= before.next && now.records >= before.records;
        // Where the file's order is another one, what is hidden may have changed with it.
        let is_same = now.mark == before.mark
            && !now.reordered
            && !before.reordered
            && (now.chain.from, now.chain.rewrites) == (before.chain.from, before.chain.rewrites);
        if is_longer && is_same {
            self.row = row;
            self.is_sliced = true;
        }
        is_longer && is_same
    }

    /// Whether it may differ from its row because something else than its length changed between two
    /// snapshots, such as what a later version makes of its lines.
    pub(super) fn may_be_of_two_times(&self) -> bool {
        let (seen, row) = (&self.seen, &self.row);
        let fits = (
            seen.records,
            seen.messages,
            seen.hidden,
            seen.bytes,
            seen.malformed,
        ) == (
            row.records,
            row.messages,
            row.hidden,
            row.bytes,
            row.malformed,
        ) && self.chains.as_ref().is_none_or(|chains| chains.fit(row));
        self.is_sliced && !fits
    }

    /// Begins again, with the row that a later snapshot has.
    pub(super) fn begin_again(self, row: SessionRow, order: Option<Order>) -> Result<Self> {
        Ok(Self {
            chains: self.chains.map(|chains| chains.begun_again(&row)),
            ..Self::of(row, None, order)?
        })
    }
}

impl<'d> Reading<'d> {
    fn of(row: SessionRow, chains: Option<Chains<'d>>, order: Option<Order>) -> Result<Self> {
        Ok(Self {
            row,
            seen: SessionRow::new(&SessionKey::native("x")?, 0),
            query: ScanQuery::default(),
            last: None,
            unterminated: false,
            is_sliced: false,
            chains,
            order,
        })
    }
}

impl<'d> Checker<'_, '_, 'd> {
    /// The row of a session, if it is there and can be read: the last look at all rows tells of others.
    pub(super) fn row_now(&self, number: u64) -> Result<Option<SessionRow>> {
        let table = self
            .snapshot
            .txn()
            .open_table(SESSIONS)
            .map_err(storage("verify"))?;
        let value = table.get(number).map_err(storage("verify"))?;
        Ok(value.and_then(|value| SessionRow::decode(number, value.value()).ok()))
    }

    /// Begins with a session.
    pub(super) fn begin(&mut self, number: u64, row: SessionRow) -> Result<Reading<'d>> {
        let order = self.snapshot.order(number, &row)?;
        let chains = self.chains(&row);
        Reading::of(row, chains, order)
    }

    /// The records of a session against the counts in its row.
    pub(super) fn records(&mut self, number: u64) -> Result<()> {
        let Some(row) = self.found.rows.get(&number).cloned() else {
            return Ok(());
        };
        let mut reading = match self.begin(number, row) {
            Ok(reading) => reading,
            Err(error) => return self.note(error, Some(number)),
        };
        if self.read(number, &mut reading, None)? == Read::All {
            self.end(number, reading);
        }
        Ok(())
    }

    /// Reads on until a moment, and notes damage.
    pub(super) fn read(
        &mut self,
        number: u64,
        reading: &mut Reading<'d>,
        until: Option<Instant>,
    ) -> Result<Read> {
        loop {
            let page = match self.snapshot.scan(number, &reading.query) {
                Ok(page) => page,
                Err(error) => return self.note(error, Some(number)).map(|()| Read::Damaged),
            };
            let exceptions = match self.exceptions_of(number, &reading.row, &page.records) {
                Ok(exceptions) => exceptions,
                Err(error) => return self.note(error, Some(number)).map(|()| Read::Damaged),
            };
            for record in &page.records {
                if reading.last.is_some_and(|last| last >= record.sequence) {
                    let key = format!("session {number}, record {}", record.sequence);
                    self.problem("records", key, "out of order".to_owned(), Some(number));
                }
                reading.last = Some(record.sequence);
                if let Some(chains) = &mut reading.chains {
                    chains.take(record);
                }
                // Each record overwrites what the one before it said: only the last may lack its
                // terminator.
                reading.unterminated = record.header.flags.contains(RecordFlags::UNTERMINATED);
                let messages = u64::from(exceptions.shown(record.sequence, record.header.messages));
                let seen = &mut reading.seen;
                seen.records += 1;
                seen.bytes += record.line.len() as u64;
                seen.messages += messages;
                seen.malformed += u64::from(record.header.flags.contains(RecordFlags::DAMAGED));
                // In a file order the mark is a place in that order: numbers do not tell what
                // stands before it.
                let mark = reading.row.mark;
                let is_hidden = match &reading.order {
                    Some(order) => order.place(record.sequence) < order.place(mark),
                    None => record.sequence < mark,
                };
                if is_hidden {
                    seen.hidden += messages;
                }
            }
            match page.next {
                Some(next) => reading.query.from = Some(next),
                None => return Ok(Read::All),
            }
            if until.is_some_and(|until| Instant::now() >= until) {
                return Ok(Read::Some);
            }
        }
    }

    /// Compares what was read of a session.
    pub(super) fn end(&mut self, number: u64, reading: Reading<'d>) {
        let Reading {
            row,
            seen,
            last,
            unterminated,
            chains,
            ..
        } = reading;
        if let Some(chains) = chains {
            self.compare(number, chains);
        }
        self.found.report.records += seen.records;
        self.found.report.bytes += seen.bytes;
        for (what, found, expected) in [
            ("records", seen.records, row.records),
            ("messages", seen.messages, row.messages),
            ("hidden messages", seen.hidden, row.hidden),
            ("bytes of lines", seen.bytes, row.bytes),
            ("damaged records", seen.malformed, row.malformed),
            (
                "unterminated last records",
                u64::from(unterminated),
                u64::from(row.unterminated),
            ),
        ] {
            if found != expected {
                let detail = format!("{found} {what}, the summary row says {expected}");
                self.problem("records", format!("session {number}"), detail, Some(number));
            }
        }
        // The next append would be given a number that is taken.
        if last.is_some_and(|last| last >= row.next) {
            let detail = format!("a record beyond the next sequence number {}", row.next);
            self.problem("records", format!("session {number}"), detail, Some(number));
        }
    }
}
