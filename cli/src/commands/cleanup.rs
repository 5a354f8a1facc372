//! `scrollback cleanup`: removes sessions that were not updated for a while, through the index.

use scrollback::chrono::{DateTime, Utc};
use serde::Serialize;

use super::delete::told;
use crate::exit::{Ending, Failure, Outcome};
use crate::open::Tool;
use crate::times::{self, TimeArgument};
use crate::{session_list, sizes};
use scrollback::report::Removed;
use scrollback::{ListQuery, RedbStore, Result, Store as _, Summary};

const EXAMPLES: &str = "\
EXAMPLES
  scrollback cleanup --older-than 90d --dry-run
  scrollback cleanup --older-than 2026-01-01

T is an age (90m, 12h, 30d, 2w, 1y), a date (2026-01-01, midnight UTC) or a time
(2026-01-01T12:00:00Z). Pinned sessions stay, unless `--pinned-too` is given. The file keeps its size until `scrollback compact --all`.";

/// What to delete.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Args {
    /// Sessions updated strictly before this time
    #[arg(long, value_name = "T")]
    older_than: TimeArgument,
    /// Pinned sessions too
    #[arg(long)]
    pinned_too: bool,
    /// List what would go, and delete nothing
    #[arg(long)]
    dry_run: bool,
}

/// What was deleted, or would be, as JSON.
#[derive(Debug, Serialize)]
struct Report {
    before: String,
    dry_run: bool,
    #[serde(flatten)]
    removed: Removed,
    pinned_kept: u64,
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

/// What a cleanup came to.
#[derive(Debug, Default)]
struct Cleaned {
    removed: Removed,
    /// Pinned sessions that were old enough, and stay.
    pinned_kept: u64,
    listed: Vec<Listed>,
}

/// Deletes old sessions, or lists them.
pub(crate) fn run(args: &Args, tool: &mut Tool) -> Outcome {
    let before = args.older_than.resolve(tool.now());
    let cleaned = if args.dry_run {
        rehearse(before, args.pinned_too, tool)?
    } else {
        delete(before, args.pinned_too, tool)?
    };
    if tool.out.is_json() {
        tool.out.json_line(&Report {
            before: times::rfc3339(before),
            dry_run: args.dry_run,
            removed: cleaned.removed,
            pinned_kept: cleaned.pinned_kept,
            listed: cleaned.listed,
        })?;
        return Ok(Ending::Done);
    }
    let told = told(&cleaned.removed);
    tool.out.line(&if args.dry_run {
        format!("would delete {told}; nothing was deleted")
    } else {
        format!("deleted {told}")
    })?;
    if cleaned.pinned_kept > 0 {
        let kept = sizes::counted(cleaned.pinned_kept, "pinned session");
        tool.out
            .notice(&format!("{kept} kept; `--pinned-too` takes them too"));
    }
    Ok(Ending::Done)
}

/// The sessions of a cleanup: all of them, or only those that are pinned, or not.
fn query(before: DateTime<Utc>, pinned: Option<bool>) -> ListQuery {
    {
        let mut asked = ListQuery::default();
        asked.before = Some(before);
        asked.pinned = pinned;
        asked
    }
}

fn count_pinned(store: &RedbStore, before: DateTime<Utc>) -> Result<u64> {
    let mut pinned = 0;
    let query = query(before, Some(true));
    session_list::each_page(
        store,
        query,
        usize::MAX,
        &mut |_| Ok(true),
        &mut |sessions| {
            pinned += sessions.len() as u64;
            Ok(())
        },
    )?;
    Ok(pinned)
}

fn delete(
    before: DateTime<Utc>,
    pinned_too: bool,
    tool: &mut Tool,
) -> std::result::Result<Cleaned, Failure> {
    let store = tool.open_to_change()?;
    let mut cleaned = Cleaned::default();
    if pinned_too {
        cleaned.removed = store.cleanup_older_than(before)?;
    } else {
        cleaned.pinned_kept = count_pinned(&store, before)?;
        cleaned.removed = store.cleanup_unpinned_older_than(before)?;
    }
    Ok(cleaned)
}

fn rehearse(
    before: DateTime<Utc>,
    pinned_too: bool,
    tool: &mut Tool,
) -> std::result::Result<Cleaned, Failure> {
    let store = tool.open_to_read()?;
    let mut cleaned = Cleaned::default();
    if !pinned_too {
        cleaned.pinned_kept = count_pinned(&store, before)?;
    }
    let query = query(before, (!pinned_too).then_some(false));
    session_list::each_page(
        &*store,
        query,
        usize::MAX,
        &mut |_| Ok(true),
        &mut |sessions| {
            for summary in sessions {
                cleaned.removed.sessions += 1;
                cleaned.removed.records += summary.record_count;
                cleaned.removed.bytes += summary.bytes;
            }
            if tool.out.is_json() {
                cleaned.listed.extend(sessions.iter().map(Listed::new));
                return Ok(());
            }
            session_list::print_table(sessions, tool)
        },
    )?;
    Ok(cleaned)
}
