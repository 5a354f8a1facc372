//! Verification of the digest chains: each session's lines against the chain in its row, and against
//! a list of chains that was kept elsewhere.
//!
//! The list is compared with the lines themselves, from the record on with which the listed chain
//! begins and for as many as it covers; the row only tells whether records went since.

use super::Checker;
use crate::codec::chain::{Chain, digest_of};
use crate::codec::session_row::SessionRow;
use crate::model::record::Record;
use crate::store::query::{SessionDigest, StoreProblem};

/// The chains of one session while its records are read.
pub(crate) struct Chains<'d> {
    /// Over what the chain in the row covers.
    read: Chain,
    /// The chains of the past, each with the one over what it covers.
    past: Vec<(&'d SessionDigest, Chain)>,
}

impl Chains<'_> {
    /// The same chains, before the first record.
    pub(crate) fn begun_again(self, row: &SessionRow) -> Self {
        let past = self.past.into_iter();
        Self {
            read: Chain::starting_at(row.chain.from),
            past: past
                .map(|(digest, _)| (digest, Chain::starting_at(digest.from)))
                .collect(),
        }
    }

    /// Whether they fit a row.
    pub(crate) fn fit(&self, row: &SessionRow) -> bool {
        row.chain.differs_from(&self.read).is_none()
    }

    /// Takes the next record.
    pub(crate) fn take(&mut self, record: &Record) {
        let digest = digest_of(&record.line);
        self.read.take(record.sequence, &digest);
        for (listed, read) in &mut self.past {
            if read.records < listed.records {
                read.take(record.sequence, &digest);
            }
        }
    }
}

impl<'d> Checker<'_, '_, 'd> {
    /// The chains of a session, before its first record; `None` if they are not looked at.
    pub(crate) fn chains(&mut self, row: &SessionRow) -> Option<Chains<'d>> {
        let listed = self.found.listed.as_mut()?;
        let past = row.key().ok().and_then(|key| listed.remove(&key));
        let past = past.unwrap_or_default().into_iter();
        Some(Chains {
            read: Chain::starting_at(row.chain.from),
            past: past
                .map(|digest| (digest, Chain::starting_at(digest.from)))
                .collect(),
        })
    }

    /// Compares what was read of a session with what its chains say.
    pub(crate) fn compare(&mut self, number: u64, chains: Chains<'d>) {
        let Some(row) = self.found.rows.get(&number) else {
            return;
        };
        let (stored, key) = (row.chain, row.key());
        match (stored.differs_from(&chains.read), key) {
            (Some(detail), _) => {
                self.problem("records", format!("session {number}"), detail, Some(number));
            }
            (None, Ok(key)) => self.found.report.digests.push(SessionDigest {
                key,
                from: stored.from,
                records: stored.records,
                rewrites: stored.rewrites,
                digest: stored.digest,
            }),
            // Noted where the row was read.
            (None, Err(_)) => {}
        }
        for (listed, read) in chains.past {
            if (read.records, read.digest) == (listed.records, listed.digest) {
                continue;
            }
            // A compaction or an import has removed or replaced records since: the list cannot
            // tell.
            if stored.rewrites > listed.rewrites {
                self.found.report.rewritten.push(listed.key.clone());
                continue;
            }
            let detail = format!(
                "the {} records from {} on are not those of the list",
                listed.records, listed.from
            );
            self.problem("records", format!("session {number}"), detail, Some(number));
        }
    }

    /// Sessions that the list has, and the store has not.
    pub(crate) fn missing(&mut self) {
        for (key, digests) in self.found.listed.take().unwrap_or_default() {
            let records = digests.iter().map(|digest| digest.records).max();
            let detail = format!(
                "is not there; the list has {} of its records",
                records.unwrap_or_default()
            );
            self.push(StoreProblem {
                table: "sessions",
                key: key.to_string(),
                detail,
                session: Some(key.clone()),
            });
        }
    }
}
