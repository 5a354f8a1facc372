//! Every attachment is whole, and each session has as many as its row says; databases among them are
//! named.

use std::collections::BTreeSet;

use redb::ReadableTable as _;

use super::Checker;
use crate::model::error::{Error, Result};
use crate::store::redb::engine::errors::storage;
use crate::store::redb::tables::attachments;
use crate::store::redb::tables::schema::ATTACHMENTS;
use crate::store::redb::upkeep::files::Files;

impl Checker<'_, '_, '_> {
    /// Reads every attachment; gives their names.
    pub(super) fn attachments(&mut self) -> Result<BTreeSet<(u64, String)>> {
        let read = storage("verify the attachments");
        let table = self
            .snapshot
            .txn()
            .open_table(ATTACHMENTS)
            .map_err(storage("verify"))?;
        let mut files = Files::default();
        let mut names = BTreeSet::new();
        let mut open: Option<(u64, String, u32)> = None;
        for entry in table.iter().map_err(&read)? {
            let (key, value) = entry.map_err(&read)?;
            let (number, name, part) = key.value();
            let goes_on = open
                .take()
                .map(|(n, of, last)| n == number && of == name && last + 1 == part);
            if goes_on == Some(false) || (goes_on.is_none() && part != 0) {
                let key = format!("session {number}, attachment `{name}`, part {part}");
                self.problem(
                    "attachments",
                    key,
                    "a part is missing".to_owned(),
                    Some(number),
                );
            }
            match attachments::open_part(number, name, part, value.value()) {
                Ok((is_last, data)) => {
                    files.take((number, name, part), &data);
                    open = (!is_last).then(|| (number, name.to_owned(), part));
                }
                Err(error) => self.note(error, Some(number))?,
            }
            names.insert((number, name.to_owned()));
        }
        if let Some((number, name, _)) = open {
            let key = format!("session {number}, attachment `{name}`");
            self.problem(
                "attachments",
                key,
                "its last part is missing".to_owned(),
                Some(number),
            );
        }
        self.found.report.attachments = names.len() as u64;
        match files.told(self.snapshot) {
            Ok(told) => {
                let databases = told.into_iter().filter(|file| file.is_database);
                self.found.report.databases = databases.collect();
            }
            // The rows that it looks at are checked one by one.
            Err(Error::Corrupt { .. }) => {}
            Err(error) => return Err(error),
        }
        // An attachment that is gone as a whole leaves no part that could tell: only the row knows
        // of it.
        let rows: Vec<(u64, u64)> = self
            .found
            .rows
            .iter()
            .map(|(number, row)| (*number, row.attachments))
            .collect();
        for (number, expected) in rows {
            let from = (number, String::new());
            let found = names.range(from..(number + 1, String::new())).count() as u64;
            if found != expected {
                let detail = format!("{found} attachments, the summary row says {expected}");
                self.problem(
                    "attachments",
                    format!("session {number}"),
                    detail,
                    Some(number),
                );
            }
        }
        Ok(names)
    }
}
