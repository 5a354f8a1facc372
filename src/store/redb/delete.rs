//! Deleting sessions, with everything that belongs to them.
//!
//! Whoever deletes many sessions keeps the tables open from one to the next, and deletes as many in a
//! transaction as others can wait for: pages of the indexes, in which old and new sessions stand
//! side by side, are then written once for all of them.

use std::iter::Peekable;
use std::slice::Chunks;
use std::time::{Duration, Instant};

use redb::Table;

use super::super::query::Removed;
use super::errors::storage;
use super::properties;
use super::read;
use super::schema::{
    ATTACHMENTS, BY_PROJECT, BY_UPDATED, PROPERTIES, SESSION_KEYS, SESSION_SOURCES, SESSIONS,
    SOURCES,
};
use super::segments::RecordsKey;
use super::write::Writer;
use crate::codec::session_row::SessionRow;
use crate::error::{Error, Result};

/// Sessions that a cleanup deletes before it looks at the clock.
pub(crate) const BATCH: usize = if cfg!(test) { 2 } else { 100 };

/// After so long a cleanup commits: other processes wait about as long. So does an import.
const TURN: Duration = Duration::from_millis(if cfg!(test) { 0 } else { 250 });

/// What errors say was being done.
const ACTION: &str = "delete a session";

/// The tables that a session has rows in.
pub(crate) struct Deletion<'w, 's> {
    writer: &'w Writer<'s>,
    sessions: Table<'w, u64, &'static [u8]>,
    keys: Table<'w, (&'static str, &'static str), u64>,
    by_updated: Table<'w, (i64, u64), ()>,
    by_project: Table<'w, (&'static str, i64, u64), ()>,
    properties: Table<'w, u64, &'static [u8]>,
    records: Table<'w, RecordsKey, &'static [u8]>,
    attachments: Table<'w, (u64, &'static str, u32), &'static [u8]>,
    sources: Table<'w, (&'static [u8], u32), &'static [u8]>,
    session_sources: Table<'w, (u64, &'static [u8], u32), ()>,
}

impl<'w, 's> Deletion<'w, 's> {
    /// Opens the tables.
    pub(crate) fn open(writer: &'w Writer<'s>) -> Result<Self> {
        let (txn, open) = (writer.txn(), storage(ACTION));
        Ok(Self {
            writer,
            sessions: txn.open_table(SESSIONS).map_err(&open)?,
            keys: txn.open_table(SESSION_KEYS).map_err(&open)?,
            by_updated: txn.open_table(BY_UPDATED).map_err(&open)?,
            by_project: txn.open_table(BY_PROJECT).map_err(&open)?,
            properties: txn.open_table(PROPERTIES).map_err(&open)?,
            records: writer.records()?,
            attachments: txn.open_table(ATTACHMENTS).map_err(&open)?,
            sources: txn.open_table(SOURCES).map_err(&open)?,
            session_sources: txn.open_table(SESSION_SOURCES).map_err(&open)?,
        })
    }

    /// Deletes a session.
    pub(crate) fn delete(&mut self, number: u64, row: &SessionRow) -> Result<Removed> {
        let action = storage(ACTION);
        self.sessions.remove(number).map_err(&action)?;
        self.keys
            .remove((row.agent.as_str(), row.id.as_str()))
            .map_err(&action)?;
        self.by_updated
            .remove((row.updated_us, number))
            .map_err(&action)?;
        if let Some(project) = row.shown_project() {
            self.by_project
                .remove((project, row.updated_us, number))
                .map_err(&action)?;
        }
        properties::remove(self.writer, &mut self.properties, number, row)?;
        // A damaged branch may lead to rows of other sessions: they stay.
        self.records
            .retain_in((number, 0, 0)..=(number, u64::MAX, u32::MAX), |key, _| {
                key.0 != number
            })
            .map_err(&action)?;
        if row.attachments > 0 {
            self.attachments
                .retain_in((number, "", 0)..(number + 1, "", 0), |key, _| {
                    key.0 != number
                })
                .map_err(&action)?;
        }
        self.delete_sources(number)?;
        Ok(Removed {
            sessions: 1,
            records: row.records,
            bytes: row.bytes,
        })
    }

    fn delete_sources(&mut self, number: u64) -> Result<()> {
        let action = storage(ACTION);
        let none: &[u8] = &[];
        let mut is_led_astray = false;
        let mut gone = Vec::new();
        self.session_sources
            .retain_in(
                (number, none, 0)..(number + 1, none, 0),
                |(of, path, generation), ()| {
                    if of == number {
                        gone.push((path.to_vec(), generation));
                    }
                    is_led_astray |= of != number;
                    of != number
                },
            )
            .map_err(&action)?;
        if is_led_astray {
            return Err(Error::Corrupt {
                table: "session_sources",
                key: "a page on the way to it".to_owned(),
                detail: format!("cannot {ACTION}: a search leads to other keys"),
            });
        }
        for (path, generation) in gone {
            self.sources
                .remove((path.as_slice(), generation))
                .map_err(&action)?;
        }
        Ok(())
    }

    /// Deletes those of the sessions that are still there, and still as old as they were.
    fn delete_old(&mut self, numbers: &[u64], before_us: i64) -> Result<Removed> {
        let mut removed = Removed::default();
        for number in numbers {
            let there = read::row_by_number(&self.sessions, *number, self.writer.counts())?;
            if let Some(row) = there.filter(|row| row.updated_us < before_us) {
                removed.add(self.delete(*number, &row)?);
            }
        }
        Ok(removed)
    }
}

/// Deletes as many of the sessions, those that are still as old as they were, as one transaction
/// has time for.
pub(crate) fn old(
    writer: &Writer<'_>,
    batches: &mut Peekable<Chunks<'_, u64>>,
    before_us: i64,
) -> Result<Removed> {
    let began = Instant::now();
    let mut removed = Removed::default();
    let mut deletion = Deletion::open(writer)?;
    for numbers in batches.by_ref() {
        removed.add(deletion.delete_old(numbers, before_us)?);
        if began.elapsed() >= TURN {
            break;
        }
    }
    Ok(removed)
}
