//! Reading everything of an engine's store: whether it is what was written, and how much it is.

use std::collections::BTreeMap;

use super::attachments;
use super::cells::{CellQuery, Table};
use super::draft::Draft;
use super::engine::Engine;
use super::records;
use super::row::RowQuery;
use crate::codec::chain::{Chain, digest_of};
use crate::codec::session_row::SessionRow;
use crate::model::error::{Error, Result};
use crate::model::key::SessionKey;
use crate::store::progress::{Progress, Step, Watcher};
use crate::store::query::{AgentStats, SessionDigest, StoreProblem, StoreStats, VerifyReport};

/// Rows that are asked for at once.
const PAGE: usize = 1000;

/// Shows `each` every session, the newest first, and behind each the other contents of its id.
fn each_session(
    engine: &dyn Engine,
    each: &mut dyn FnMut(&Draft<'_>, u64, SessionRow) -> Result<()>,
) -> Result<()> {
    let mut query = RowQuery::of(PAGE);
    loop {
        let rows = engine.list(&query)?;
        for stored in &rows {
            let draft = Draft::over(engine);
            let row = draft.hold(stored)?;
            query.after = Some((row.updated_us, stored.number()));
            // Lists show the newest content of an id alone: the others are found through it.
            if row.contents > 1 {
                let key = SessionKey::new(row.agent.as_str(), row.id.as_str())?;
                for (_, number) in draft.contents(&key)? {
                    if number != stored.number() {
                        each(&draft, number, draft.row(number)?)?;
                    }
                }
            }
            each(&draft, stored.number(), row)?;
        }
        if rows.len() < PAGE {
            return Ok(());
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
        let checked = check(draft, (number, &row), &mut report);
        match checked {
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

/// Checks one session. What was written meanwhile is no damage: then it is read again.
fn check(
    draft: &Draft<'_>,
    (number, row): (u64, &SessionRow),
    report: &mut VerifyReport,
) -> Result<()> {
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
    report.records += records;
    report.bytes += bytes;
    let differing = [
        ("records", row.records, records),
        ("bytes of lines", row.bytes, bytes),
        ("messages", row.messages, messages),
    ];
    let wrong = differing.iter().find(|(_, stated, found)| stated != found);
    let wrong = wrong.map(|(what, stated, found)| format!("{found} {what}, the row says {stated}"));
    if let Some(detail) = wrong.or_else(|| row.chain.differs_from(&read)) {
        if draft.is_old()? {
            // Somebody compacted it, or replaced its lines, meanwhile.
            return Ok(());
        }
        return Err(super::row::corrupt(number, detail));
    }
    draft.course(number, row)?;
    draft.properties(number)?;
    report.sources += draft.sources_of(number)?.len() as u64;
    let kept = attachments::list(engine, number)?.len() as u64;
    report.attachments += kept;
    if kept != row.attachments && !draft.is_old()? {
        let detail = format!("{kept} attachments, the row says {}", row.attachments);
        return Err(super::row::corrupt(number, detail));
    }
    let key = row
        .key()
        .map_err(|error| super::row::corrupt(number, error.0))?;
    report.digests.push(SessionDigest {
        key,
        from: read.from,
        records: read.records,
        rewrites: row.chain.rewrites,
        digest: read.digest,
    });
    Ok(())
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
