//! Verification: everything is read, every checksum, count and index entry is checked, both ways;
//! then every page of the file.

mod attachments;
mod batches;
mod calls;
mod chain;
mod contents;
mod courses;
mod deleted;
pub(crate) mod depth;
mod families;
mod page_slices;
mod pages;
mod properties;
mod records;
mod search;
pub(crate) mod slices;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};

use redb::{ReadableTable as _, ReadableTableMetadata as _};

use crate::codec::session_row::SessionRow;
use crate::codec::source_row::{SourceKind, SourceRow};
use crate::model::error::{Cause, Error, Result};
use crate::model::key::SessionKey;
use crate::store::query::{StoreProblem, VerifyReport};
use crate::store::redb::copies::scrub_due;
use crate::store::redb::engine::errors::storage;
use crate::store::redb::engine::panics::guard;
use crate::store::redb::tables::ranges::within;
use crate::store::redb::tables::schema::{
    BY_PROJECT, BY_UPDATED, RECORDS, SESSION_KEYS, SESSION_SOURCES, SESSIONS, SOURCES,
};
use crate::store::redb::tables::snapshot::{Snapshot, corrupt_session};
use crate::store::{Progress, Step, Watcher};

use self::depth::{Depth, Listed};

/// What was found, in one snapshot or several.
#[derive(Default)]
struct Found<'d> {
    report: VerifyReport,
    rows: BTreeMap<u64, SessionRow>,
    /// Sessions whose records were checked before.
    checked: BTreeSet<u64>,
    /// What the chains are compared with; `None` if they are not looked at.
    listed: Option<Listed<'d>>,
    /// Whether the chains are looked at, and the index in depth.
    is_deep: bool,
}

impl<'d> Found<'d> {
    fn new(depth: Depth<'d>) -> Self {
        Self {
            listed: depth.listed(),
            is_deep: matches!(depth, Depth::Deep(_)),
            ..Self::default()
        }
    }

    /// The report of a verification that could not take another snapshot: redb reads nothing more once
    /// a page has led it behind the end of the file.
    fn ended(mut self, error: Error) -> Result<VerifyReport> {
        let has_problems = !self.report.problems.is_empty();
        // redb reads nothing more once a page has led it behind the file's end, which is damage.
        // Other errors of reads say nothing of the file, unless damage was found before.
        if !matches!(&error, Error::Storage { source, .. } if has_problems || is_behind_end(source))
        {
            return Err(error);
        }
        self.report.problems.push(StoreProblem {
            table: "(pages)",
            key: "unknown".to_owned(),
            detail: format!("not all could be read: {error}"),
            session: None,
        });
        Ok(self.report)
    }
}

/// Whether a page had led behind the end of the file before, in a read whose error nobody was told of.
fn is_behind_end(source: &Cause) -> bool {
    matches!(source.downcast_ref(), Some(redb::Error::PreviousIo))
}

struct Checker<'c, 's, 'd> {
    snapshot: &'c Snapshot<'s>,
    found: Found<'d>,
}

impl<'c, 's, 'd> Checker<'c, 's, 'd> {
    fn over(snapshot: &'c Snapshot<'s>, found: Found<'d>) -> Self {
        Self { snapshot, found }
    }

    /// Checks everything but the sessions' rows, which `are_read`, the records of sessions that were
    /// checked before, and the pages.
    fn rest(&mut self, are_read: bool, progress: &mut Watcher<'_>) -> Result<()> {
        // What is compared with the sessions makes no sense where not all of them can be read.
        if are_read {
            self.step(Self::indexes)?;
            self.step(Self::families)?;
            let rows = &self.found.rows;
            let total = rows.values().map(|row| row.bytes).sum();
            let checked = &self.found.checked;
            let left = rows.keys().filter(|number| !checked.contains(number));
            for number in left.copied().collect::<Vec<_>>() {
                self.step(|checker| checker.records(number))?;
                let done = self.found.report.bytes.min(total);
                Progress::at(Step::Verifying, done, total).tell(progress)?;
            }
            // Behind all sessions, each of which has taken what is its own off the list.
            self.missing();
            self.step(Self::strangers)?;
            let mut attached = BTreeSet::new();
            let are_read = self.step(|checker| {
                attached = checker.attachments()?;
                Ok(())
            })?;
            // Without all of them each source would seem to lead nowhere.
            if are_read {
                self.step(|checker| checker.sources(&attached))?;
            }
            self.step(|checker| {
                checker.found.report.scrub_due = scrub_due::is_noted(checker.snapshot.txn())?;
                Ok(())
            })?;
            self.step(Self::properties)?;
            self.step(Self::batches)?;
            self.step(Self::courses)?;
            self.step(Self::contents)?;
            self.step(Self::deleted)?;
            self.step(Self::search)?;
        }
        Ok(())
    }
}

impl Checker<'_, '_, '_> {
    fn problem(&mut self, table: &'static str, key: String, detail: String, number: Option<u64>) {
        let row = number.and_then(|number| self.found.rows.get(&number));
        let session: Option<SessionKey> = row.and_then(|row| row.key().ok());
        self.push(StoreProblem {
            table,
            key,
            detail,
            session,
        });
    }

    fn push(&mut self, problem: StoreProblem) {
        if self.found.report.problems.len() >= VerifyReport::PROBLEMS_MAX {
            self.found.report.problems_more += 1;
            return;
        }
        self.found.report.problems.push(problem);
    }

    /// Takes a step of the verification, and notes what ends it: damage, or redb's panic at it. Gives
    /// whether it came to its end.
    fn step(&mut self, work: impl FnOnce(&mut Self) -> Result<()>) -> Result<bool> {
        match guard(|| work(self)) {
            Ok(()) => Ok(true),
            // redb reads nothing more once a page has led it behind the end of the file.
            Err(Error::Storage { source, .. })
                if !self.found.report.problems.is_empty() || is_behind_end(&source) =>
            {
                let detail = format!("not all could be read: {source}");
                self.problem("(pages)", "unknown".to_owned(), detail, None);
                Ok(false)
            }
            Err(error) => self.note(error, None).map(|()| false),
        }
    }

    /// Notes what a read found to be damaged; gives back what is no damage.
    fn note(&mut self, error: Error, number: Option<u64>) -> Result<()> {
        match error {
            Error::Corrupt { table, key, detail } => {
                self.problem(table, key, detail, number);
                Ok(())
            }
            error => Err(error),
        }
    }

    fn sessions(&mut self) -> Result<()> {
        let read = storage("verify the sessions");
        let table = self
            .snapshot
            .txn()
            .open_table(SESSIONS)
            .map_err(storage("verify"))?;
        for entry in table.iter().map_err(&read)? {
            let (number, value) = entry.map_err(&read)?;
            let number = number.value();
            self.found.report.sessions += 1;
            match SessionRow::decode(number, value.value()) {
                Ok(row) => {
                    // A row can be read and still say what no list can show, such as a time beyond
                    // every calendar.
                    if let Err(error) = row.clone().into_summary(number) {
                        self.note(corrupt_session(number, error.to_string()), None)?;
                    }
                    self.found.rows.insert(number, row);
                }
                Err(error) => self.note(corrupt_session(number, error.to_string()), None)?,
            }
        }
        Ok(())
    }

    /// Every index entry leads to a session that has it, and every session has its entries.
    fn indexes(&mut self) -> Result<()> {
        let mut entries = 0;
        let mut wrong: Vec<(&'static str, String, u64)> = Vec::new();
        let txn = self.snapshot.txn();
        let read = storage("verify the indexes");

        let table = txn.open_table(SESSION_KEYS).map_err(storage("verify"))?;
        for entry in table.iter().map_err(&read)? {
            let (key, number) = entry.map_err(&read)?;
            let ((agent, id), number) = (key.value(), number.value());
            entries += 1;
            if !self
                .found
                .rows
                .get(&number)
                .is_some_and(|row| row.agent == agent && row.id == id)
            {
                wrong.push(("session_keys", format!("{agent}:{id}"), number));
            }
        }
        let keys = table.len().map_err(&read)?;
        let table = txn.open_table(BY_UPDATED).map_err(storage("verify"))?;
        for entry in table.iter().map_err(&read)? {
            let (updated, number) = entry.map_err(&read)?.0.value();
            entries += 1;
            if self
                .found
                .rows
                .get(&number)
                .is_none_or(|row| row.updated_us != updated || !row.is_listed())
            {
                wrong.push(("by_updated", format!("time {updated}"), number));
            }
        }
        let updated = table.len().map_err(&read)?;
        let table = txn.open_table(BY_PROJECT).map_err(storage("verify"))?;
        for entry in table.iter().map_err(&read)? {
            let key = entry.map_err(&read)?.0;
            let (project, updated, number) = key.value();
            entries += 1;
            let right = self.found.rows.get(&number).is_some_and(|row| {
                row.updated_us == updated && row.shown_project() == Some(project) && row.is_listed()
            });
            if !right {
                wrong.push(("by_project", format!("{project}, time {updated}"), number));
            }
        }
        let projects = table.len().map_err(&read)?;

        self.found.report.index_entries += entries;
        for (table, key, number) in wrong {
            let detail =
                format!("leads to session {number}, which is not there or has another key");
            self.problem(table, key, detail, Some(number));
        }
        // Entries are right one by one and differ from each other: equal counts mean that none is
        // missing.
        let sessions = self.found.rows.len() as u64;
        let listed = || self.found.rows.values().filter(|row| row.is_listed());
        let listed_sessions = listed().count() as u64;
        let with_project = listed().filter(|row| row.shown_project().is_some()).count() as u64;
        for (table, found, expected) in [
            ("session_keys", keys, sessions),
            ("by_updated", updated, listed_sessions),
            ("by_project", projects, with_project),
        ] {
            if found != expected {
                let detail = format!("{found} entries for {expected} sessions");
                self.problem(table, "(all)".to_owned(), detail, None);
            }
        }
        Ok(())
    }

    /// Rows of records whose session is not there.
    fn strangers(&mut self) -> Result<()> {
        let table = self
            .snapshot
            .txn()
            .open_table(RECORDS)
            .map_err(storage("verify"))?;
        // A search a session, and not a walk through every row of the largest table.
        let mut from = 0;
        loop {
            let number = {
                let mut rows = within(&table, (from, 0, 0).., "verify the records")?;
                match rows.next() {
                    Some(Ok((key, _))) => key.value().0,
                    Some(Err(error)) => return self.note(error, None),
                    None => return Ok(()),
                }
            };
            if !self.found.rows.contains_key(&number) {
                let detail = "records of a session that is not there".to_owned();
                self.problem("records", format!("session {number}"), detail, None);
            }
            let Some(next) = number.checked_add(1) else {
                return Ok(());
            };
            from = next;
        }
    }

    /// Every source leads to its session or attachment, and its session to it.
    fn sources(&mut self, attached: &BTreeSet<(u64, String)>) -> Result<()> {
        let read = storage("verify the sources");
        let txn = self.snapshot.txn();
        let table = txn.open_table(SOURCES).map_err(storage("verify"))?;
        let of_session = txn.open_table(SESSION_SOURCES).map_err(storage("verify"))?;
        for entry in table.iter().map_err(&read)? {
            let (key, value) = entry.map_err(&read)?;
            let (path, generation) = key.value();
            self.found.report.sources += 1;
            let shown = format!(
                "`{}`, generation {generation}",
                String::from_utf8_lossy(path)
            );
            let row = match SourceRow::decode(path, generation, value.value()) {
                Ok(row) => row,
                Err(error) => {
                    self.problem("sources", shown, error.to_string(), None);
                    continue;
                }
            };
            let there = match row.kind {
                SourceKind::Lines => self.found.rows.contains_key(&row.session),
                // A database that is only read has no content here.
                SourceKind::Attachment if row.name.is_empty() => row.session == 0,
                SourceKind::Attachment => attached.contains(&(row.session, row.name.clone())),
            };
            if !there {
                let detail = format!("session {} or its attachment is not there", row.session);
                self.problem("sources", shown.clone(), detail, None);
            }
            if of_session
                .get((row.session, path, generation))
                .map_err(&read)?
                .is_none()
            {
                let detail = format!("session {} does not lead back to it", row.session);
                self.problem("session_sources", shown, detail, Some(row.session));
            }
        }
        let (sources, back) = (
            table.len().map_err(&read)?,
            of_session.len().map_err(&read)?,
        );
        self.found.report.index_entries += back;
        // Each source has its entry, as was just seen: one more leads nowhere.
        if sources != back {
            let detail = format!("{back} entries for {sources} sources");
            self.problem("session_sources", "(all)".to_owned(), detail, None);
        }
        Ok(())
    }
}
