//! Reading everything of an engine's store: whether it is what was written, and how much it is.

use std::collections::BTreeMap;

use super::attachments;
use super::cells::{CellQuery, Table};
use super::draft::Draft;
use super::engine::Engine;
use super::records;
use super::row::SummaryRow;
use crate::codec::chain::{Chain, digest_of};
use crate::codec::session_row::SessionRow;
use crate::model::error::{Error, Result};
use crate::store::progress::{Progress, Step, Watcher};
use crate::store::query::{AgentStats, SessionDigest, StoreProblem, StoreStats, VerifyReport};

/// Rows that are asked for at once.
const PAGE: usize = 1000;

/// How often a session is read that others write to meanwhile.
const ATTEMPTS: usize = 16;

/// Shows `each` every session, listed or not, once: by their numbers, which stay whatever is written meanwhile.
fn each_session(
    engine: &dyn Engine,
    each: &mut dyn FnMut(Draft<'_>, u64, SessionRow) -> Result<()>,
) -> Result<()> {
    let mut after = 0;
    loop {
        let numbers = engine.numbers(after, PAGE)?;
        let Some(last) = numbers.last() else {
            return Ok(());
        };
        after = *last;
        let mut rows = engine.rows(&numbers)?;
        rows.sort_unstable_by_key(SummaryRow::number);
        for stored in &rows {
            let draft = Draft::over(engine);
            let row = draft.hold(stored)?;
            each(draft, stored.number(), row)?;
        }
    }
}

/// Reads and checks everything: every line against its session's digest chain.
pub(crate) fn verify(engine: &dyn Engine, progress: &mut Watcher<'_>) -> Result<VerifyReport> {
    let mut report = VerifyReport {
        deep: true,
        ..VerifyReport::default()
    };
    // By the rows alone, for the progress: lines are read in the second walk.
    let mut total = 0;
    each_session(engine, &mut |_, _, row| {
        total += row.bytes;
        Ok(())
    })?;
    each_session(engine, &mut |draft, number, row| {
        report.sessions += 1;
        match check(draft, (number, &row), &mut report) {
            Err(Error::Corrupt { table, key, detail }) => {
                note(&mut report, &row, (table, key, detail));
            }
            checked => checked?,
        }
        Progress::at(Step::Verifying, report.bytes, total).tell(progress)
    })?;
    Ok(report)
}

fn note(
    report: &mut VerifyReport,
    row: &SessionRow,
    (table, key, detail): (&'static str, String, String),
) {
    if report.problems.len() >= VerifyReport::PROBLEMS_MAX {
        report.problems_more += 1;
        return;
    }
    report.problems.push(StoreProblem {
        table,
        key,
        detail,
        session: row.key().ok(),
    });
}

/// Checks one session, by the row that a draft holds. What was written meanwhile is no damage: then it is read
/// again.
fn check(
    mut draft: Draft<'_>,
    (number, row): (u64, &SessionRow),
    report: &mut VerifyReport,
) -> Result<()> {
    let mut row = row.clone();
    for _ in 0..ATTEMPTS {
        match checked(&draft, (number, &row)) {
            // Somebody compacted it, or replaced its lines.
            Err(Error::Corrupt { .. }) if draft.is_old()? => {}
            Err(error) => return Err(error),
            Ok(found) => {
                report.records += found.records;
                report.bytes += found.bytes;
                report.sources += found.sources;
                report.attachments += row.attachments;
                report.digests.push(found.digest);
                return Ok(());
            }
        }
        draft = Draft::over(draft.engine());
        match draft.row_if_there(number)? {
            Some(now) => row = now,
            // Deleted meanwhile.
            None => return Ok(()),
        }
    }
    Err(Error::Busy {
        reason: format!("others write to session {number} all the time"),
    })
}

/// What a session has that is as its row says.
struct Sound {
    digest: SessionDigest,
    records: u64,
    bytes: u64,
    sources: u64,
}

/// Compares a session with its row.
fn checked(draft: &Draft<'_>, (number, row): (u64, &SessionRow)) -> Result<Sound> {
    let engine = draft.engine();
    let moved = draft.moved(number, row)?;
    let mut read = Chain::starting_at(row.chain.from);
    let (mut records, mut bytes, mut messages) = (0_u64, 0_u64, 0_u64);
    records::walk(engine, number, (0, true), &mut |segment| {
        // What was appended since the row was read is not among what it counts.
        for (sequence, header, line) in segment.records().filter(|record| record.0 < row.next) {
            read.take(sequence, &digest_of(line));
            records += 1;
            bytes += line.len() as u64;
            let hidden = moved.get(&sequence).copied().unwrap_or(0);
            messages += u64::from(header.messages.saturating_sub(hidden));
        }
        Ok(true)
    })?;
    let kept = attachments::list(engine, number)?.len() as u64;
    let differing = [
        ("records", row.records, records),
        ("bytes of lines", row.bytes, bytes),
        ("messages", row.messages, messages),
        ("attachments", row.attachments, kept),
    ];
    let wrong = differing.iter().find(|(_, stated, found)| stated != found);
    let wrong = wrong.map(|(what, stated, found)| format!("{found} {what}, the row says {stated}"));
    if let Some(detail) = wrong.or_else(|| row.chain.differs_from(&read)) {
        return Err(super::row::corrupt(number, detail));
    }
    draft.course(number, row)?;
    draft.properties(number)?;
    let key = row
        .key()
        .map_err(|error| super::row::corrupt(number, error.0))?;
    Ok(Sound {
        records,
        bytes,
        sources: draft.sources_of(number)?.len() as u64,
        digest: SessionDigest {
            key,
            from: read.from,
            records: read.records,
            rewrites: row.chain.rewrites,
            digest: read.digest,
        },
    })
}

/// How much there is, by agent.
pub(crate) fn stats(engine: &dyn Engine) -> Result<StoreStats> {
    let mut agents = BTreeMap::<String, AgentStats>::new();
    let mut attachment_bytes = 0;
    each_session(engine, &mut |_, number, row| {
        if row.attachments > 0 {
            let kept = attachments::list(engine, number)?;
            attachment_bytes += kept.iter().map(|kept| kept.bytes).sum::<u64>();
        }
        agents.entry(row.agent.clone()).or_default().count(row);
        Ok(())
    })?;
    let of_folders = engine.cells(&CellQuery::of(Table::SessionSources, 0))?;
    for (key, value) in &of_folders {
        let source = super::origins::decode(key, value)?;
        attachment_bytes += source.row.size;
        let agent = agents.entry(source.row.agent.clone()).or_default();
        agent.agent = source.row.agent;
        agent.attachments += 1;
    }
    Ok(StoreStats {
        index_bytes: 0,
        agents: agents.into_values().collect(),
        disk_bytes: engine.disk_bytes()?,
        attachment_bytes,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::key::SessionKey;
    use crate::model::message::{Message, Role};
    use crate::store::{Expect, MemoryStore, NewRecord, Store as _};

    /// A walk by the time of the last update would miss the session that moves to the front, and one that keeps
    /// to the rows of a page would leave out what was compacted since.
    #[test]
    fn what_is_written_during_a_verification_is_checked_all_the_same() {
        let store = MemoryStore::default();
        let key = |number: usize| SessionKey::native(format!("s{number}")).unwrap();
        let said = NewRecord::message(Message::text(Role::User, "what is said"));
        let line = [said.clone(), said];
        let count = PAGE + 1;
        for number in 0..count {
            store
                .append(&key(number), Expect::Any, None, &line)
                .unwrap();
        }
        let mut is_first = true;
        let report = verify(&store, &mut |_| {
            if std::mem::take(&mut is_first) {
                for number in [0, count - 1] {
                    store
                        .append(&key(number), Expect::Any, None, &line)
                        .unwrap();
                }
                store.truncate(&key(5), 0).unwrap();
                store.compact(&key(5), None, None).unwrap();
                store.delete(&key(6)).unwrap();
            }
            std::ops::ControlFlow::Continue(())
        });
        let report = report.unwrap();
        assert_eq!(report.problems, []);
        let checked = report.digests.iter().map(|digest| digest.key.clone());
        let checked: std::collections::BTreeSet<SessionKey> = checked.collect();
        let missing: Vec<_> = (0..count)
            .map(key)
            .filter(|key| !checked.contains(key))
            .collect();
        assert_eq!(missing, [key(6)]);
        // Two of each session but the two that are gone, and two more at the front.
        assert_eq!(report.records, (2 * count - 2 * 2 + 2) as u64);
    }
}
