//! `scrollback cleanup`: removes sessions that were not updated for a while, through the index.

use serde::Serialize;

use super::delete::told;
use super::list::canonical;
use crate::exit::{Ending, Outcome};
use crate::open::Tool;
use crate::project::project_path;
use crate::times::{self, TimeArgument};
use crate::{session_list, sizes};
use scrollback::report::Cleaned;
use scrollback::{CleanupQuery, Summary};

const EXAMPLES: &str = "\
EXAMPLES
  scrollback cleanup --older-than 90d --dry-run
  scrollback cleanup --older-than 2026-01-01
  scrollback cleanup --older-than 30d --agent codex --project ~/code/shop

T is an age (90m, 12h, 30d, 2w, 1y), a date (2026-01-01, midnight UTC) or a time
(2026-01-01T12:00:00Z). What a session started (its sub-agents) goes with it. Pinned sessions
stay, and what they started, unless `--pinned-too` is given. What is deleted is not imported
again (`scrollback deleted`). The file keeps its size until `scrollback compact --all`.";

/// What to delete.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Args {
    /// Sessions updated strictly before this time
    #[arg(long, value_name = "T")]
    older_than: TimeArgument,
    /// Sessions of this agent only
    #[arg(long, value_name = "A")]
    agent: Option<String>,
    /// Sessions of this project only: a whole path, its last components, or `.` for this folder
    #[arg(long, value_name = "P")]
    project: Option<String>,
    /// Pinned sessions too, and what they started
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
    cleaned: Cleaned,
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
    let mut query = CleanupQuery::older_than(before);
    query.agent = args.agent.as_deref().map(canonical);
    query.project = args.project.as_deref().map(project_path).transpose()?;
    query.pinned_too = args.pinned_too;
    query.preview = args.dry_run;
    // A preview needs no right to write.
    let store = if args.dry_run {
        tool.open_to_read()?
    } else {
        tool.open_to_change()?
    };
    let cleaned = store.cleanup(&query)?;
    if tool.out.is_json() {
        let listed = cleaned.listed.iter().map(Listed::new).collect();
        tool.out.json_line(&Report {
            before: times::rfc3339(before),
            dry_run: args.dry_run,
            cleaned,
            listed,
        })?;
        return Ok(Ending::Done);
    }
    if !cleaned.listed.is_empty() {
        session_list::print_table(&cleaned.listed, tool)?;
    }
    let told = told(&cleaned);
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
