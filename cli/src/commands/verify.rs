//! `scrollback verify`: reads everything and checks every checksum, count and index entry; deep, it
//! recomputes the digest chains of the lines too.

use std::path::PathBuf;

use super::scrub::SCRUB_DUE;
use crate::digest_list;
use crate::exit::{Ending, Outcome};
use crate::open::Tool;
use crate::progress::Bar;
use crate::sizes;
use scrollback::Result;
use scrollback::report::VerifyReport;

const EXAMPLES: &str = "\
EXAMPLES
  scrollback verify
  scrollback verify --json | jq '.problems[].session'
  scrollback verify --deep --json > /elsewhere/digests.json
  scrollback verify --deep --against /elsewhere/digests.json

Exits with 3 if anything is wrong, and says what and where.";

/// How much to verify.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Args {
    /// Recompute the digest chain of each session's lines: a line that was changed, removed, added
    /// or moved shows, also where every checksum was made to fit again
    #[arg(long)]
    deep: bool,
    /// Compare with the chains in a file, as `verify --deep --json` printed them: sessions that are
    /// gone, or were changed in more than growing, are named
    #[arg(long, value_name = "FILE", requires = "deep")]
    against: Option<PathBuf>,
}

/// Verifies the store.
pub(crate) fn run(args: &Args, tool: &mut Tool) -> Outcome {
    let past = match &args.against {
        Some(path) => digest_list::read(path)?,
        None => Vec::new(),
    };
    let mut bar = Bar::new(&tool.out);
    let mut progress = |progress| bar.show(progress);
    let verified = if args.deep && (args.against.is_some() || !tool.is_on_server()) {
        let store = tool.open_file_to_read("be compared with a list yet")?;
        store.verify_deep(&past, &mut progress)
    } else {
        // On a server every line is compared with its chain.
        tool.open_to_read()?.verify(&mut progress)
    };
    bar.finish();
    let report = verified?;
    if let Some(mode) = tool.shared_mode() {
        let path = tool.store_path().display();
        let text = format!(
            "note: others than its owner may open the store (mode {mode:o}); `chmod 600 {path}` \
             makes it private"
        );
        tool.out.notice(&text);
    }
    for file in &report.databases {
        tool.out.notice(&format!(
            "note: the database `{}` of {} is kept whole and may hold credentials; `scrollback scrub` \
             removes it",
            file.name, file.agent
        ));
    }
    if report.scrub_due {
        tool.out.notice(SCRUB_DUE);
    }
    if tool.out.is_json() {
        tool.out.json_line(&report)?;
    } else {
        print(&report, tool)?;
        if args.deep {
            print_chains(&report, past.len() as u64, args.against.is_some(), tool)?;
        }
        print_problems(&report, tool)?;
    }
    Ok(if report.is_clean() {
        Ending::Done
    } else {
        Ending::Corrupt
    })
}

fn print(report: &VerifyReport, tool: &mut Tool) -> Result<()> {
    tool.out.line(&format!(
        "read {}, {} ({}), {}, {}, {}",
        sizes::counted(report.sessions, "session"),
        sizes::counted(report.records, "record"),
        sizes::bytes(report.bytes),
        sizes::counted(report.attachments, "attachment"),
        sizes::counted(report.sources, "source"),
        if report.index_entries == 1 {
            "1 index entry".to_owned()
        } else {
            format!("{} index entries", sizes::count(report.index_entries))
        },
    ))
}

/// What the digest chains say, and what could not be compared with those of the list.
fn print_chains(report: &VerifyReport, listed: u64, compared: bool, tool: &mut Tool) -> Result<()> {
    let covered = report.digests.iter().map(|digest| digest.records).sum();
    tool.out.line(&format!(
        "digest chains of {} fit, over {} of {}",
        sizes::counted(report.digests.len() as u64, "session"),
        sizes::count(covered),
        sizes::counted(report.records, "record"),
    ))?;
    if !compared {
        return Ok(());
    }
    tool.out.line(&format!(
        "compared with {} of the list",
        sizes::counted(listed, "session")
    ))?;
    for key in &report.rewritten {
        let line = format!("session {key}: compacted or imported anew since, cannot be compared");
        let line = tool.out.field(&line).into_owned();
        tool.out.line(&line)?;
    }
    Ok(())
}

fn print_problems(report: &VerifyReport, tool: &mut Tool) -> Result<()> {
    for problem in &report.problems {
        let mut line = format!("{}, key {}: {}", problem.table, problem.key, problem.detail);
        if let Some(session) = &problem.session {
            line = format!("{line} (session {session})");
        }
        let line = tool.out.field(&line).into_owned();
        tool.out.line(&line)?;
    }
    let all = (report.problems.len() as u64).saturating_add(report.problems_more);
    match (all, report.problems_more) {
        (0, _) => tool.out.line("nothing is wrong"),
        (all, 0) => tool
            .out
            .line(&format!("{} found", sizes::counted(all, "problem"))),
        (all, more) => tool.out.line(&format!(
            "{} found, {} of them not listed",
            sizes::counted(all, "problem"),
            sizes::count(more)
        )),
    }
}
