//! Deleting sessions, with everything that belongs to them: from table to table, in the order of
//! their keys, the rows of neighbours in one pass. Which sessions a clean-up deletes, `sweep` says.
//!
//! Files of folders that no session needs any more go along (`folder_files`).

use std::collections::{BTreeMap, BTreeSet};

use redb::{ReadableTable as _, Table};

use super::folder_files::FolderFiles;
use crate::codec::deleted_row::DeletedSource;
use crate::codec::session_row::SessionRow;
use crate::model::error::{Error, Result};
use crate::model::key::SessionKey;
use crate::store::addition;
use crate::store::beginnings::{Line, first_lines, telling};
use crate::store::lines;
use crate::store::marks::{Origin, first_lines_of};
use crate::store::query::Removed;
use crate::store::redb::engine::errors::storage;
use crate::store::redb::ingest::agent_facts::for_each_record;
use crate::store::redb::ingest::contents::settle;
use crate::store::redb::store::RedbStore;
use crate::store::redb::tables::batches;
use crate::store::redb::tables::batches::BatchKey;
use crate::store::redb::tables::deleted;
use crate::store::redb::tables::file_orders;
use crate::store::redb::tables::properties;
use crate::store::redb::tables::schema::{
    ATTACHMENTS, BATCHES, BY_PARENT, BY_PROJECT, BY_UPDATED, DELETED, DeletedKey, FILE_ORDERS,
    FamilyKey, PROPERTIES, SEARCH_TAILS, SESSION_KEYS, SESSION_SOURCES, SESSIONS, SOURCES,
};
use crate::store::redb::tables::segments::RecordsKey;
use crate::store::redb::tables::snapshot;
use crate::store::redb::tables::writer::Writer;

/// How far apart two sessions may be whose rows are taken in one pass, which looks at the rows of the
/// sessions between them too.
const GAP: u64 = 2;

/// What errors say was being done.
pub(super) const ACTION: &str = "delete a session";

/// What sessions were imported from, by their numbers.
type Origins = BTreeMap<u64, Vec<Origin>>;

/// The tables that a session has rows in.
pub(crate) struct Deletion<'w, 's> {
    pub(super) writer: &'w Writer<'s>,
    pub(super) sessions: Table<'w, u64, &'static [u8]>,
    pub(super) keys: Table<'w, (&'static str, &'static str), u64>,
    by_updated: Table<'w, (i64, u64), ()>,
    by_project: Table<'w, (&'static str, i64, u64), ()>,
    pub(super) by_parent: Table<'w, FamilyKey, ()>,
    properties: Table<'w, u64, &'static [u8]>,
    records: Table<'w, RecordsKey, &'static [u8]>,
    attachments: Table<'w, (u64, &'static str, u32), &'static [u8]>,
    sources: Table<'w, (&'static [u8], u32), &'static [u8]>,
    session_sources: Table<'w, (u64, &'static [u8], u32), ()>,
    batches: Table<'w, BatchKey, &'static [u8]>,
    file_orders: Table<'w, u64, &'static [u8]>,
    search_tails: Table<'w, u64, &'static [u8]>,
    deleted: Table<'w, DeletedKey, &'static [u8]>,
    /// By which of its lines a session is known that goes, by its number.
    told: BTreeMap<u64, Vec<DeletedSource>>,
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
            by_parent: txn.open_table(BY_PARENT).map_err(&open)?,
            properties: txn.open_table(PROPERTIES).map_err(&open)?,
            records: writer.records()?,
            attachments: txn.open_table(ATTACHMENTS).map_err(&open)?,
            sources: txn.open_table(SOURCES).map_err(&open)?,
            session_sources: txn.open_table(SESSION_SOURCES).map_err(&open)?,
            batches: txn.open_table(BATCHES).map_err(&open)?,
            file_orders: txn.open_table(FILE_ORDERS).map_err(&open)?,
            search_tails: txn.open_table(SEARCH_TAILS).map_err(&open)?,
            deleted: txn.open_table(DELETED).map_err(&open)?,
            told: BTreeMap::new(),
        })
    }

    /// Deletes a session.
    pub(crate) fn delete(&mut self, number: u64, row: SessionRow) -> Result<Removed> {
        // A damaged session can be deleted too.
        if !row.is_listed()
            && let Ok(Some(told)) = self.telling(number, &row)
        {
            self.told.insert(number, vec![told]);
        }
        self.delete_all(&BTreeMap::from([(number, row)]))
    }

    /// By which lines one of several contents is known.
    fn telling(&self, number: u64, row: &SessionRow) -> Result<Option<DeletedSource>> {
        let plain = SessionKey::new(row.agent.as_str(), row.plain_id())?;
        let lines = |number: u64| -> Result<Vec<Line>> {
            let stored = self.file_orders.get(number).map_err(storage(ACTION))?;
            let order = stored.map(|order| file_orders::decode(number, order.value()));
            let counts = self.writer.counts();
            first_lines(&row.agent, order.transpose()?.as_ref(), &mut |look| {
                for_each_record(&self.records, number, counts, look)
            })
        };
        let others = self.writer.contents(&plain)?.into_iter();
        let others = others.filter(|(_, other)| *other != number);
        let others = others.map(|(_, other)| lines(other));
        Ok(telling(
            &lines(number)?,
            &others.collect::<Result<Vec<_>>>()?,
        ))
    }

    /// With a session go all contents of its id.
    fn with_contents(
        &self,
        doomed: &BTreeMap<u64, SessionRow>,
    ) -> Result<BTreeMap<u64, SessionRow>> {
        let mut all = doomed.clone();
        for row in doomed.values().filter(|row| row.contents > 1) {
            let key = SessionKey::new(row.agent.as_str(), row.id.as_str())?;
            for (content, number) in self.writer.contents(&key)? {
                let other = snapshot::row_by_number(&self.sessions, number, self.writer.counts())?;
                if let Some(other) = other {
                    all.insert(number, other);
                }
                self.writer.remove_content(&key, content)?;
            }
        }
        Ok(all)
    }

    pub(super) fn delete_all(&mut self, doomed: &BTreeMap<u64, SessionRow>) -> Result<Removed> {
        let action = storage(ACTION);
        let doomed = &self.with_contents(doomed)?;
        self.delete_index_entries(doomed)?;
        let mut paths = BTreeSet::new();
        let mut origins = Origins::new();
        for (first, last) in neighbours(doomed) {
            // A damaged branch may lead to rows of other sessions: they stay.
            self.sessions
                .retain_in(first..=last, |number, _| !doomed.contains_key(&number))
                .map_err(&action)?;
            self.records
                .retain_in((first, 0, 0)..=(last, u64::MAX, u32::MAX), |key, _| {
                    !doomed.contains_key(&key.0)
                })
                .map_err(&action)?;
            self.delete_sources((first, last), doomed, (&mut origins, &mut paths))?;
        }
        for (number, row) in doomed.iter().filter(|(_, row)| row.is_listed()) {
            let key = SessionKey::new(row.agent.as_str(), row.id.as_str())?;
            // A beginning by which a copy was known goes on in the mark.
            let homes = self.writer.forget_homes(&key)?;
            self.told.insert(*number, first_lines_of(&homes));
        }
        self.mark(doomed, origins)?;
        let mut removed = Removed::default();
        for (number, row) in doomed {
            properties::remove(self.writer, &mut self.properties, *number, row)?;
            self.writer.remove_course(*number, row)?;
            if addition::has_older(row) {
                batches::remove(&mut self.batches, *number)?;
            }
            if row.attachments > 0 {
                self.attachments
                    .retain_in((*number, "", 0)..(number + 1, "", 0), |key, _| {
                        key.0 != *number
                    })
                    .map_err(&action)?;
            }
            self.file_orders.remove(*number).map_err(&action)?;
            self.search_tails.remove(*number).map_err(&action)?;
            removed += Removed {
                // Another content of an id was no session of its own in any list.
                sessions: u64::from(row.is_listed()),
                records: row.records,
                bytes: row.bytes,
            };
        }
        // Last: whether a folder is needed shows in the sources that are left.
        let mut folders = FolderFiles {
            sources: &mut self.sources,
            session_sources: &mut self.session_sources,
            attachments: &mut self.attachments,
        };
        folders.delete_unneeded(&paths)?;
        Ok(removed)
    }

    fn delete_index_entries(&mut self, doomed: &BTreeMap<u64, SessionRow>) -> Result<()> {
        let action = storage(ACTION);
        let mut rows: Vec<(u64, &SessionRow)> =
            doomed.iter().map(|(number, row)| (*number, row)).collect();
        // Each index in its own order: what stands on one page goes in one pass over it.
        rows.sort_unstable_by_key(|(_, row)| (row.agent.as_str(), row.id.as_str()));
        for (_, row) in &rows {
            self.keys
                .remove((row.agent.as_str(), row.id.as_str()))
                .map_err(&action)?;
        }
        rows.sort_unstable_by_key(|(number, row)| (row.updated_us, *number));
        for (number, row) in &rows {
            self.by_updated
                .remove((row.updated_us, *number))
                .map_err(&action)?;
        }
        // Stable: within a project they stay in the order of their times.
        rows.sort_by_key(|(_, row)| row.shown_project());
        for (number, row) in &rows {
            if let Some(project) = row.shown_project() {
                self.by_project
                    .remove((project, row.updated_us, *number))
                    .map_err(&action)?;
            }
        }
        for (number, row) in &rows {
            if let Some(parent) = row.shown_parent() {
                self.by_parent
                    .remove((row.agent.as_str(), parent, *number))
                    .map_err(&action)?;
            }
        }
        Ok(())
    }

    /// Deletes the sources of sessions from one to another, and notes their paths.
    fn delete_sources(
        &mut self,
        (first, last): (u64, u64),
        doomed: &BTreeMap<u64, SessionRow>,
        (origins, paths): (&mut Origins, &mut BTreeSet<Vec<u8>>),
    ) -> Result<()> {
        let action = storage(ACTION);
        let none: &[u8] = &[];
        let mut is_led_astray = false;
        let mut gone = Vec::new();
        self.session_sources
            .retain_in(
                (first, none, 0)..(last.saturating_add(1), none, 0),
                |(number, path, generation), ()| {
                    // A damaged branch leads elsewhere: what is found there would be deleted for
                    // somebody else.
                    is_led_astray |= number < first || number > last;
                    let goes = doomed.contains_key(&number);
                    if goes {
                        gone.push((number, path.to_vec(), generation));
                    }
                    !goes
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
        for (number, path, generation) in gone {
            let row = self
                .sources
                .remove((path.as_slice(), generation))
                .map_err(&action)?;
            if let Some(row) = row {
                let origin = Origin::of(path.clone(), generation, row.value());
                origins.entry(number).or_default().push(origin);
            }
            paths.insert(path);
        }
        Ok(())
    }

    /// Leaves marks, in the order of their keys.
    fn mark(&mut self, doomed: &BTreeMap<u64, SessionRow>, mut origins: Origins) -> Result<()> {
        // A clock that is wrong keeps nobody from deleting.
        let now = lines::now(&self.writer.engine().options.stamps);
        let now_us = now.map_or(0, |now| now.timestamp_micros());
        let mut rows: Vec<(u64, &SessionRow)> =
            doomed.iter().map(|(number, row)| (*number, row)).collect();
        rows.sort_unstable_by_key(|(_, row)| (row.agent.as_str(), row.id.as_str()));
        for (number, row) in rows {
            let sources = origins.remove(&number).unwrap_or_default();
            // Other contents of an id that goes are meant by its mark.
            let plain = row.plain_id();
            let is_head = |other: &SessionRow| {
                other.is_listed() && other.agent == row.agent && other.id == plain
            };
            let marked = if row.is_listed() || !doomed.values().any(is_head) {
                row.clone()
            } else {
                SessionRow {
                    id: plain.to_owned(),
                    ..row.clone()
                }
            };
            let lines = self.told.remove(&number).unwrap_or_default();
            deleted::mark(&mut self.deleted, &marked, (sources, &lines, now_us))?;
        }
        Ok(())
    }
}

/// The first and the last of sessions that are as good as next to each other.
fn neighbours(doomed: &BTreeMap<u64, SessionRow>) -> Vec<(u64, u64)> {
    let mut all: Vec<(u64, u64)> = Vec::new();
    for number in doomed.keys() {
        match all.last_mut() {
            Some((_, last)) if number - *last <= GAP => *last = *number,
            _ => all.push((*number, *number)),
        }
    }
    all
}

impl RedbStore {
    /// Deletes a session; with a sequence number only if its next record would get that one.
    pub(crate) fn delete_if_at(&self, key: &SessionKey, next: Option<u64>) -> Result<Removed> {
        let mut removed = None;
        let done = self.engine.freeing(|| {
            self.write(|writer| {
                let (number, row) = writer.session_of(key)?;
                if let Some(next) = next {
                    addition::check_next(key, next, row.next)?;
                }
                let older = (!row.is_listed()).then(|| (row.plain_id().to_owned(), row.content));
                let mut done = Deletion::open(writer)?.delete(number, row)?;
                if let Some((plain, content)) = older {
                    // One of several contents: the others stay.
                    let plain = SessionKey::new(key.agent(), plain)?;
                    writer.remove_content(&plain, content)?;
                    // Where one is left, it is no longer one of several.
                    settle(writer, &plain)?;
                    done.sessions = 1;
                }
                removed = Some(done);
                Ok(done)
            })
        });
        match (done, removed) {
            // The commit that a full disk seemed to have stopped was done.
            (Err(Error::NotFound { .. }), Some(removed)) => Ok(removed),
            (done, _) => done,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sessions_that_are_close_are_one_pass() {
        let row = SessionRow::new(&SessionKey::native("s").unwrap(), 0);
        let of = |numbers: &[u64]| {
            neighbours(
                &numbers
                    .iter()
                    .map(|number| (*number, row.clone()))
                    .collect(),
            )
        };
        assert_eq!(of(&[]), []);
        assert_eq!(of(&[7]), [(7, 7)]);
        assert_eq!(
            of(&[1, 2, 4, 7, 8, u64::MAX]),
            [(1, 4), (7, 8), (u64::MAX, u64::MAX)]
        );
    }
}
