//! What a repair says is missing: of one session, and of rows that nothing is known of.

use std::collections::BTreeSet;

use super::rebuild::Rebuilder;
use super::report::Loss;
use crate::codec::session_row::SessionRow;

impl Rebuilder<'_> {
    pub(super) fn lose(&mut self, table: &'static str, number: Option<u64>, detail: String) {
        let session = number.and_then(|number| {
            let there = self.kept.get(&number).and_then(|row| row.key().ok());
            there.or_else(|| self.known_name(number))
        });
        self.report.losses.push(Loss {
            table,
            session,
            number,
            detail,
            records: Vec::new(),
        });
        // Number 0 is of all folders: one file that is lost would drop the import states of all
        // their files.
        self.partly.extend(number.filter(|number| *number != 0));
    }

    /// Says what a session lacks.
    pub(super) fn tell(
        &mut self,
        number: u64,
        old: Option<&SessionRow>,
        is_whole: bool,
        gaps: Vec<(u64, u64)>,
    ) {
        let Some(row) = self.kept.get(&number).cloned() else {
            return;
        };
        if let Some(old) = old.filter(|old| old.attachments > row.attachments) {
            let missing = old.attachments - row.attachments;
            self.lose(
                "attachments",
                Some(number),
                format!("{missing} are missing"),
            );
        }
        // All that the row counts is there.
        if is_whole {
            return;
        }
        let (table, detail) = match old {
            None => (
                "sessions",
                "its summary row is lost: its mark, the ids of its batches, and whether records \
                 are missing behind the last one"
                    .to_owned(),
            ),
            Some(old) if old.records > row.records => {
                let missing = old.records - row.records;
                (
                    "records",
                    format!("{missing} of {} are missing", old.records),
                )
            }
            Some(_) => (
                "records",
                "they do not add up: some may be older".to_owned(),
            ),
        };
        self.lose(table, Some(number), detail);
        if let Some(loss) = self.report.losses.last_mut() {
            loss.records = gaps;
        }
    }

    /// Says how many rows are missing that nothing is known of.
    pub(super) fn missing(&mut self) {
        let listed = self
            .report
            .losses
            .iter()
            .filter(|loss| loss.table == "sessions");
        let listed: BTreeSet<u64> = listed.filter_map(|loss| loss.number).collect();
        // A session whose loss is told by its number is known: it is not counted here again.
        let sessions = self
            .kept
            .keys()
            .chain(&listed)
            .collect::<BTreeSet<_>>()
            .len() as u64;
        let found = |table: &str| match table {
            "sessions" => sessions,
            table => self.gathered.found(table),
        };
        let mut missing = Vec::new();
        for table in [
            "sessions",
            "attachments",
            "properties",
            "aliases",
            "sources",
            "deleted",
            "file_orders",
        ] {
            match self.gathered.expected.get(table) {
                Some(expected) if *expected > found(table) => {
                    let rows = expected - found(table);
                    missing.push((table, format!("{rows} rows of which nothing is known")));
                }
                Some(_) => {}
                None => missing.push((table, "nobody knows whether rows are missing".to_owned())),
            }
        }
        // A row of `sources` is missed by nobody: the next import reads the file again.
        for (table, detail) in missing {
            self.lose(table, None, detail);
        }
    }
}
