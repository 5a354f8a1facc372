//! `scrollback cleanup`: removes sessions that were not updated for a while, through the index.

use chrono::{DateTime, Utc};
use serde::Serialize;

use super::delete::told;
use crate::cli::exit::{Ending, Outcome};
use crate::cli::open::Tool;
use crate::cli::session_list;
use crate::cli::times::{self, TimeArgument};
use crate::model::session::Summary;
use crate::store::{ListQuery, Removed, Store as _};

const EXAMPLES: &str = "\
EXAMPLES
  scrollback cleanup --older-than 90d --dry-run
  scrollback cleanup --older-than 2026-01-01

T is an age (90m, 12h, 30d, 2w, 1y), a date (2026-01-01, midnight UTC) or a time
(2026-01-01T12:00:00Z). The file keeps its size until `scrollback compact --all`.";

/// What to delete.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Args {
    /// Sessions updated strictly before this time
    #[arg(long, value_name = "T")]
    older_than: TimeArgument,
    /// List what would go, and delete nothing
    #[arg(long)]
    dry_run: bool,
}

/// What was deleted, or would be, as JSON.
#[derive(Debug, Serialize)]
struct Report {
    before: String,
    dry_run: bool,
    sessions: u64,
    records: u64,
    bytes: u64,
    listed: Vec<Listed>,
}

/// One session that would go, as JSON.
#[derive(Debug, Serialize)]
struct Listed {
    id: String,
    agent: String,
    title: String,
    updated_at: String,
    records: u64,
    bytes: u64,
}

impl Listed {
    fn new(summary: &Summary) -> Self {
        Self {
            id: summary.key.id().to_owned(),
            agent: summary.key.agent().to_owned(),
            title: summary.title.clone(),
            updated_at: times::rfc3339(summary.updated_at),
            records: summary.record_count,
            bytes: summary.bytes,
        }
    }
}

/// Deletes old sessions, or lists them.
pub(crate) fn run(args: &Args, tool: &mut Tool) -> Outcome {
    let before = args.older_than.resolve(tool.now());
    if args.dry_run {
        return rehearse(before, tool);
    }
    let store = tool.open_to_change()?;
    let removed = store.cleanup_older_than(before)?;
    if tool.out.is_json() {
        tool.out
            .json_line(&report(before, false, &removed, Vec::new()))?;
    } else {
        tool.out.line(&format!("deleted {}", told(&removed)))?;
    }
    Ok(Ending::Done)
}

fn rehearse(before: DateTime<Utc>, tool: &mut Tool) -> Outcome {
    let store = tool.open_to_read()?;
    let query = ListQuery {
        before: Some(before),
        ..ListQuery::default()
    };
    let mut removed = Removed::default();
    let mut listed = Vec::new();
    session_list::each_page(&*store, query, usize::MAX, &mut |sessions| {
        for summary in sessions {
            removed.sessions += 1;
            removed.records += summary.record_count;
            removed.bytes += summary.bytes;
        }
        if tool.out.is_json() {
            listed.extend(sessions.iter().map(Listed::new));
            return Ok(());
        }
        session_list::print_table(sessions, tool)
    })?;
    if tool.out.is_json() {
        tool.out
            .json_line(&report(before, true, &removed, listed))?;
    } else {
        tool.out.line(&format!(
            "would delete {}; nothing was deleted",
            told(&removed)
        ))?;
    }
    Ok(Ending::Done)
}

fn report(before: DateTime<Utc>, dry_run: bool, removed: &Removed, listed: Vec<Listed>) -> Report {
    let before = times::rfc3339(before);
    let Removed {
        sessions,
        records,
        bytes,
    } = *removed;
    Report {
        before,
        dry_run,
        sessions,
        records,
        bytes,
        listed,
    }
}
