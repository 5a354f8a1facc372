//! `scrollback repair`: saves what can be read of a damaged store into a new one.

use std::path::PathBuf;

use serde::Serialize;

use crate::cli::exit::{Ending, Failure, Outcome};
use crate::cli::open::Tool;
use crate::cli::progress::Bar;
use crate::cli::sizes;
use crate::model::error::{Error, Result};
use crate::store::{Loss, RepairReport};

const EXAMPLES: &str = "\
EXAMPLES
  scrollback repair --to repaired.redb
  scrollback --store damaged.redb repair --to repaired.redb --json | jq '.losses[]'

The damaged store is only read; let nobody write to it meanwhile. What is lost is listed: where files
that were imported are still there, import them into the new store. A session of which lines are
missing then comes as a second one, `id~2`, that has all of them.

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
    sessions: u64,
    sessions_whole: u64,
    records: u64,
    bytes: u64,
    attachments: u64,
    sources: u64,
    sources_dropped: u64,
    pages_damaged: u64,
    losses: Vec<Lost<'a>>,
}

/// One thing that is lost, as JSON.
#[derive(Debug, Serialize)]
struct Lost<'a> {
    table: &'a str,
    session: Option<String>,
    number: Option<u64>,
    detail: &'a str,
    records: &'a [(u64, u64)],
}

/// Repairs the store.
pub(crate) fn run(args: &Args, tool: &mut Tool) -> Outcome {
    let mut bar = Bar::new(&tool.out);
    let repaired = tool.repair(&args.to, &mut |done, all| bar.show_bytes(done, all));
    bar.finish();
    let report = repaired.map_err(hinted)?;
    if tool.out.is_json() {
        tool.out.json_line(&as_json(&report))?;
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

fn as_json(report: &RepairReport) -> Report<'_> {
    let losses = report.losses.iter().map(|loss| Lost {
        table: loss.table,
        session: loss.session.as_ref().map(ToString::to_string),
        number: loss.number,
        detail: &loss.detail,
        records: &loss.records,
    });
    Report {
        whole: report.is_whole(),
        sessions: report.sessions,
        sessions_whole: report.sessions_whole,
        records: report.records,
        bytes: report.bytes,
        attachments: report.attachments,
        sources: report.sources,
        sources_dropped: report.sources_dropped,
        pages_damaged: report.pages_damaged,
        losses: losses.collect(),
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
