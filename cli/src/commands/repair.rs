//! `scrollback repair`: saves what can be read of a damaged store into a new one.

use std::path::PathBuf;

use serde::Serialize;

use crate::exit::{Ending, Failure, Outcome};
use crate::open::Tool;
use crate::progress::Bar;
use crate::sizes;
use scrollback::report::{Loss, RepairReport};
use scrollback::{Error, Result};

const EXAMPLES: &str = "\
EXAMPLES
  scrollback repair --to repaired.redb
  scrollback --store damaged.redb repair --to repaired.redb --json | jq '.losses[]'

The damaged store is only read; let nobody write to it meanwhile. What is lost is listed: where
files that were imported are still there, import them into the new store. A session of which
lines are missing gets them back then.

Exits with 3 if something could not be saved.";

/// Runs of missing records that are shown of one session.
const RUNS_MAX: usize = 8;

/// What to repair, and where to.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Args {
    /// The new store: a file that does not exist yet
    #[arg(long, value_name = "NEW")]
    to: PathBuf,
}

/// What was saved and what was not, as JSON.
#[derive(Debug, Serialize)]
struct Report<'a> {
    whole: bool,
    #[serde(flatten)]
    report: &'a RepairReport,
}

/// Repairs the store.
pub(crate) fn run(args: &Args, tool: &mut Tool) -> Outcome {
    let mut bar = Bar::new(&tool.out);
    let repaired = tool.repair(&args.to, &mut |progress| bar.show(progress));
    bar.finish();
    let report = repaired.map_err(hinted)?;
    if tool.out.is_json() {
        let whole = report.is_whole();
        let report = &report;
        tool.out.json_line(&Report { whole, report })?;
    } else {
        print(&report, args, tool)?;
    }
    Ok(if report.is_whole() {
        Ending::Done
    } else {
        Ending::Corrupt
    })
}

/// A target that is there is no folder that is missing: the general hint would mislead.
fn hinted(failure: Failure) -> Failure {
    match failure {
        Failure::Error {
            error:
                Error::Io {
                    source,
                    action,
                    path,
                },
            ..
        } if source.kind() == std::io::ErrorKind::AlreadyExists => Failure::Error {
            error: Error::Io {
                source,
                action,
                path,
            },
            hint: Some("name a file that does not exist yet with `--to`".to_owned()),
        },
        failure => failure,
    }
}

fn print(report: &RepairReport, args: &Args, tool: &mut Tool) -> Result<()> {
    let target = args.to.display().to_string();
    let target = tool.out.field(&target).into_owned();
    tool.out.line(&format!(
        "saved {}, {} ({}), {} to {target}",
        sizes::counted(report.sessions, "session"),
        sizes::counted(report.records, "record"),
        sizes::bytes(report.bytes),
        sizes::counted(report.attachments, "attachment"),
    ))?;
    for loss in &report.losses {
        let line = shown(loss);
        let line = tool.out.field(&line).into_owned();
        tool.out.line(&line)?;
    }
    if report.sources_dropped > 0 {
        let files = sizes::counted(report.sources_dropped, "file");
        tool.out
            .line(&format!("{files} to import again, if still there"))?;
    }
    if report.is_whole() {
        tool.out.line("nothing is lost")
    } else {
        let lost = sizes::counted(report.losses.len() as u64, "thing");
        let partly = report.sessions.saturating_sub(report.sessions_whole);
        tool.out.line(&format!(
            "{lost} lost; {} of the saved sessions not whole",
            sizes::count(partly)
        ))
    }
}

fn shown(loss: &Loss) -> String {
    let whose = match (&loss.session, loss.number) {
        (Some(session), _) => format!("session {session}"),
        (None, Some(number)) => format!("session number {number}"),
        (None, None) => "the store".to_owned(),
    };
    let mut line = format!("lost of {whose}: {}, {}", loss.table, loss.detail);
    for (at, (first, last)) in loss.records.iter().take(RUNS_MAX).enumerate() {
        line.push_str(if at == 0 { "; records " } else { ", " });
        line.push_str(&first.to_string());
        line.push_str(" to ");
        line.push_str(&last.to_string());
    }
    if loss.records.len() > RUNS_MAX {
        line.push_str(", ...");
    }
    line
}
