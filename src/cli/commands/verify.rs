//! `scrollback verify`: reads everything and checks every checksum, count and index entry.

use serde::Serialize;

use crate::cli::exit::{Ending, Outcome};
use crate::cli::open::Tool;
use crate::cli::progress::Bar;
use crate::cli::sizes;
use crate::error::Result;
use crate::store::VerifyReport;

const EXAMPLES: &str = "\
EXAMPLES
  scrollback verify
  scrollback verify --json | jq '.problems[].session'

Exits with 3 if anything is wrong, and says what and where.";

/// No arguments of its own.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Args {}

/// What was found, as JSON.
#[derive(Debug, Serialize)]
struct Report<'a> {
    clean: bool,
    sessions: u64,
    records: u64,
    bytes: u64,
    attachments: u64,
    sources: u64,
    index_entries: u64,
    problems: Vec<Problem<'a>>,
    problems_more: u64,
}

/// One thing that is wrong, as JSON.
#[derive(Debug, Serialize)]
struct Problem<'a> {
    table: &'a str,
    key: &'a str,
    detail: &'a str,
    session: Option<String>,
}

/// Verifies the store.
pub(crate) fn run(_args: &Args, tool: &mut Tool) -> Outcome {
    let store = tool.open_to_read()?;
    let mut bar = Bar::new(&tool.out);
    let verified = store.verify(&mut |bytes, total| bar.show_bytes(bytes, total));
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
    if tool.out.is_json() {
        tool.out.json_line(&as_json(&report))?;
    } else {
        print(&report, tool)?;
    }
    Ok(if report.is_clean() {
        Ending::Done
    } else {
        Ending::Corrupt
    })
}

fn as_json(report: &VerifyReport) -> Report<'_> {
    let problems = report.problems.iter().map(|problem| Problem {
        table: problem.table,
        key: &problem.key,
        detail: &problem.detail,
        session: problem.session.as_ref().map(ToString::to_string),
    });
    Report {
        clean: report.is_clean(),
        sessions: report.sessions,
        records: report.records,
        bytes: report.bytes,
        attachments: report.attachments,
        sources: report.sources,
        index_entries: report.index_entries,
        problems: problems.collect(),
        problems_more: report.problems_more,
    }
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
    ))?;
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
