//! `scrollback copy`: everything of one store into another, of whatever kind.

use std::path::PathBuf;

use serde::Serialize;

use crate::exit::{Ending, Failure, Outcome};
use crate::open::Tool;
use crate::progress::Bar;
use crate::sizes;
use scrollback::report::CopyReport;
use scrollback::{Result, copy_store};

/// Refusals that are printed for people.
const REFUSED_SHOWN: usize = 20;

const EXAMPLES: &str = "\
EXAMPLES
  scrollback copy sessions.redb postgres://worker@db.internal/sessions
  scrollback copy postgres://worker@db.internal/sessions sessions.redb
  scrollback copy --json old.redb new.redb | jq .refused

FROM and TO are files or URLs of servers; TO is made if it is not there. Lines keep their
numbers and digests, and what was copied is read back. A second run copies what is new, and one
after a stop goes on. What TO has of its own stays.";

/// What to copy, and where.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Args {
    /// The store to copy: a file, or the URL of a server
    #[arg(value_name = "FROM")]
    from: PathBuf,
    /// The store that gets it
    #[arg(value_name = "TO")]
    to: PathBuf,
}

/// What was copied, as JSON.
#[derive(Debug, Serialize)]
struct Told<'a> {
    from: String,
    to: String,
    #[serde(flatten)]
    report: &'a CopyReport,
}

/// Copies a store.
pub(crate) fn run(args: &Args, tool: &mut Tool) -> Outcome {
    if tool.named_store().is_some() {
        let text = "`copy` names both stores itself: leave `--store` out";
        return Err(Failure::Usage(text.to_owned()));
    }
    let from = tool.open_other_to_read(&args.from)?;
    let to = tool.open_other_or_create(&args.to)?;
    let mut bar = Bar::new(&tool.out);
    let copied = copy_store(&*from, &*to, &mut |progress| bar.show(progress));
    bar.finish();
    let report = copied?;
    // A URL may hold a password, so neither is printed as it was given.
    let (from, to) = (Tool::name_of(&args.from), Tool::name_of(&args.to));
    if tool.out.is_json() {
        let report = &report;
        tool.out.json_line(&Told { from, to, report })?;
    } else {
        print(&report, &to, tool)?;
    }
    if report.is_complete() {
        return Ok(Ending::Done);
    }
    let refused = report.refused.len() as u64 + report.refused_more;
    tool.out.error(&format!(
        "not everything was copied: {refused} refused, `refused` says why"
    ));
    Ok(Ending::Partly)
}

fn print(report: &CopyReport, to: &str, tool: &mut Tool) -> Result<()> {
    let more = match report.updated {
        0 => String::new(),
        updated => format!(
            ", and what {} had more,",
            sizes::counted(updated, "other one")
        ),
    };
    let line = format!(
        "copied {}{more} to {to}: {}, {}; {} were there",
        sizes::counted(report.sessions, "session"),
        sizes::counted(report.records, "record"),
        sizes::bytes(report.bytes),
        report.unchanged,
    );
    let line = tool.out.field(&line).into_owned();
    tool.out.line(&line)?;
    if report.files + report.marks > 0 {
        let line = format!(
            "and {} ({}), {}",
            sizes::counted(report.files, "file"),
            sizes::bytes(report.file_bytes),
            sizes::counted(report.marks, "deletion mark"),
        );
        tool.out.line(&line)?;
    }
    for refusal in report.refused.iter().take(REFUSED_SHOWN) {
        let line = format!("refused {}: {}", refusal.what, refusal.reason);
        let line = tool.out.field(&line).into_owned();
        tool.out.line(&line)?;
    }
    Ok(())
}
