//! `scrollback import`: session files and whole folders into the store.

use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use clap::builder::{PossibleValue, PossibleValuesParser};
use serde::Serialize;

use super::index;
use super::scrub::SCRUB_DUE;
use crate::exit::{self, Ending, Failure, Outcome};
use crate::open::Tool;
use crate::progress::Bar;
use crate::session_list::below_home;
use crate::table::{Align, Table};
use crate::{session_list, sizes};
use scrollback::provider::Places;
use scrollback::report::{ImportProblem, ImportReport};
use scrollback::{Error, ImportOptions, Ingest, KnownAgent, ListQuery, Result, Summary, import};

/// Problems that are printed for people.
const PROBLEMS_SHOWN: usize = 20;
/// Sessions that are listed after an import.
const SESSIONS_SHOWN: usize = 10;

const EXAMPLES: &str = "\
EXAMPLES
  scrollback import
  scrollback import ~
  scrollback import ~/.claude/projects ~/.codex/sessions
  scrollback import --dry-run --json ~ | jq .problems
  scrollback import --agent ggcode old-sessions
  scrollback import --again ~/.codex/sessions/2026

A second import adds only what is new. What was deleted here stays away; `scrollback deleted`
lists it. Nothing is ever changed in the folders that are read.";

/// What to import.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Args {
    /// Files and folders; folders are searched in depth, hidden ones too. Without any, the places where
    /// agents keep sessions by default
    #[arg(value_name = "PATH")]
    paths: Vec<PathBuf>,
    /// Take every file for a session of this agent, instead of finding out; without a path, look in this
    /// agent's places only
    #[arg(long, value_name = "NAME", value_parser = agent_names())]
    agent: Option<String>,
    /// Take sessions that were deleted here too, and forget that they were
    #[arg(long)]
    again: bool,
    /// Read and report everything, and store nothing
    #[arg(long)]
    dry_run: bool,
    /// Index nothing: searches read what is imported, until `scrollback index` is run
    #[arg(long)]
    no_index: bool,
}

/// Every agent that is known, by its name or another one that people use.
fn agent_names() -> PossibleValuesParser {
    let values = KnownAgent::all();
    PossibleValuesParser::new(
        values.map(|agent| PossibleValue::new(agent.name).aliases(agent.aliases)),
    )
}

/// What was imported, as JSON.
#[derive(Debug, Serialize)]
struct Told<'a> {
    #[serde(flatten)]
    report: &'a ImportReport,
    dry_run: bool,
    places: &'a [FoundPlace],
}

/// A default place that was found.
#[derive(Debug, Serialize)]
struct FoundPlace {
    agent: &'static str,
    path: PathBuf,
}

/// Imports files and folders.
pub(crate) fn run(args: &Args, tool: &mut Tool) -> Outcome {
    if args.paths.is_empty() {
        return import_places(args, tool);
    }
    let missing = missing(&args.paths);
    let mut done = missing.is_empty();
    // With nothing to read, no store is made either.
    if missing.len() < args.paths.len() {
        done &= import_paths(args, (&args.paths, &[]), tool)?;
    }
    for error in &missing {
        exit::explain(error, None, &mut tool.out);
    }
    Ok(if done { Ending::Done } else { Ending::Partly })
}

/// Imports what lies in the default places, and says which these are.
fn import_places(args: &Args, tool: &mut Tool) -> Outcome {
    let agent = args.agent.as_deref().map(KnownAgent::named).transpose()?;
    let is_wanted = |name: &'static str| agent.is_none_or(|agent| agent.name == name);
    let places = Places::from_environment();
    let shown = |path: &Path, tool: &Tool| {
        let path = below_home(&path.display().to_string(), tool.home());
        tool.out.field(&path).into_owned()
    };
    let mut found = places.sessions();
    found.retain(|(agent, _)| is_wanted(agent));
    if found.is_empty() {
        let looked: Vec<String> = places
            .candidates()
            .iter()
            .filter(|(agent, _)| is_wanted(agent))
            .map(|(_, path)| shown(path, tool))
            .collect();
        let looked = if looked.is_empty() {
            "there are none to look in".to_owned()
        } else {
            format!("looked in {}", looked.join(", "))
        };
        tool.out.error(&format!(
            "no sessions in the default places; {looked}. Name a path to import"
        ));
        // Not done: a machine that is set up wrongly would be told that all is imported.
        return Ok(Ending::Partly);
    }
    let found: Vec<FoundPlace> = found
        .into_iter()
        .map(|(agent, path)| FoundPlace { agent, path })
        .collect();
    for FoundPlace { agent, path } in &found {
        let path = shown(path, tool);
        tool.out.notice(&format!("found {agent}: {path}"));
    }
    let paths: Vec<PathBuf> = found.iter().map(|place| place.path.clone()).collect();
    let done = import_paths(args, (&paths, &found), tool)?;
    Ok(if done { Ending::Done } else { Ending::Partly })
}

/// Returns whether each of the paths could be imported. Those of default places are taken for what
/// they are.
fn import_paths(
    args: &Args,
    (paths, places): (&[PathBuf], &[FoundPlace]),
    tool: &mut Tool,
) -> Result<bool, Failure> {
    let store = if args.dry_run {
        tool.open_to_rehearse()?
    } else {
        tool.open_or_create()?
    };
    let mut options = ImportOptions::default();
    options.agent = args.agent.clone().filter(|_| places.is_empty());
    options.dry_run = args.dry_run;
    options.again = args.again;
    let mut bar = Bar::new(&tool.out);
    let imported = import(&*store, paths, &options, &mut |progress| bar.show(progress));
    bar.finish();
    let report = imported?;
    if !args.dry_run && !args.no_index {
        index_imported(tool);
    }
    if tool.out.is_json() {
        let (report, dry_run) = (&report, args.dry_run);
        tool.out.json_line(&Told {
            report,
            dry_run,
            places,
        })?;
    } else {
        print(&report, args.dry_run, tool)?;
        print_problems(&report.problems, report.problems_more, tool)?;
        if !args.dry_run {
            print_newest(&*store, tool)?;
        }
    }
    explain_unread(&args.paths, &report, tool);
    if report.paths_failed > 0 {
        explain_refused(paths, &report, tool);
    }
    // Those that were named are explained one by one above.
    let within = report.skipped.saturating_sub(report.paths_failed);
    if within > 0 {
        let files = sizes::counted(within, "file");
        tool.out.error(&format!(
            "{files} could not be imported, or not all of it; `problems` says why"
        ));
    }
    // Whoever deletes what was imported looks at the exit code alone.
    Ok(report.paths_failed == 0 && report.skipped == 0)
}

/// Indexes what was imported. That this cannot be done now takes nothing from the import.
/// A store on a server has no index of its own.
fn index_imported(tool: &mut Tool) {
    let Some(store) = tool.file_store() else {
        return;
    };
    match index::build(&store, tool) {
        Ok(_) | Err(Error::Cancelled) => {}
        Err(error) => tool.out.notice(&format!(
            "what was imported is not indexed yet, and each search reads it; `scrollback index` \
             goes on: {error}"
        )),
    }
}

/// Says on standard error what was seen and not read, and that nothing was found.
fn explain_unread(paths: &[PathBuf], report: &ImportReport, tool: &mut Tool) {
    let seen: Vec<String> = report.not_read.iter().map(ToString::to_string).collect();
    if !seen.is_empty() {
        tool.out.notice(&format!("not read: {}", seen.join(", ")));
    }
    if report.kept_databases > 0 {
        let databases = sizes::counted(report.kept_databases, "database");
        tool.out.notice(&format!(
            "{databases} of agents, kept by an earlier version, may hold credentials; \
             `scrollback scrub` removes what should not be here"
        ));
    }
    if report.scrub_due {
        tool.out.notice(SCRUB_DUE);
    }
    if report.sessions_found == 0 && report.paths_failed == 0 {
        let paths: Vec<String> = paths
            .iter()
            .map(|path| path.display().to_string())
            .collect();
        let text = format!("no sessions found in `{}`", paths.join("`, `"));
        tool.out.notice(&text);
    }
}

/// Says on standard error why a path that is there was not imported: the report is data.
fn explain_refused(paths: &[PathBuf], report: &ImportReport, tool: &mut Tool) {
    let there = paths.iter().filter(|path| path.symlink_metadata().is_ok());
    for path in there {
        // A problem names a file as it was found, or where a link to it leads.
        let names = [path.canonicalize().ok(), std::path::absolute(path).ok()];
        let about = |problem: &&ImportProblem| {
            let names = names.iter().flatten().chain([path]);
            problem.line.is_none() && names.into_iter().any(|name| *name == problem.path)
        };
        if let Some(problem) = report.problems.iter().find(about) {
            let path = path.display();
            tool.out
                .error(&format!("cannot import `{path}`: {}", problem.reason));
        }
    }
}

/// An error for each path that is not there.
fn missing(paths: &[PathBuf]) -> Vec<Error> {
    let missing = paths
        .iter()
        // Not following links: one that leads nowhere is there, and the import says what is wrong
        // with it.
        .filter_map(|path| match path.symlink_metadata() {
            Err(source)
                if matches!(
                    source.kind(),
                    ErrorKind::NotFound | ErrorKind::NotADirectory
                ) =>
            {
                Some(Error::Io {
                    action: "import",
                    path: path.clone(),
                    source,
                })
            }
            _ => None,
        });
    missing.collect()
}

fn print(report: &ImportReport, dry_run: bool, tool: &mut Tool) -> Result<()> {
    if dry_run {
        tool.out.line("nothing is stored; an import would add:\n")?;
    }
    summary(report).print(&mut tool.out)
}

fn summary(report: &ImportReport) -> Table {
    let noted = |number: u64, note: &str| {
        if number > 0 {
            format!("{} {note}", sizes::count(number))
        } else {
            String::new()
        }
    };
    let rows = [
        (
            "files",
            report.files,
            [
                noted(report.unchanged, "unchanged since the last import"),
                noted(report.skipped, "not taken"),
            ],
        ),
        (
            "sessions",
            report.sessions,
            [
                noted(report.sessions_grown, "more have grown"),
                noted(
                    report.generations,
                    "beside an older content of the same file",
                ),
            ],
        ),
        (
            "records",
            report.records,
            [
                noted(report.malformed, "not understood, and kept all the same"),
                String::new(),
            ],
        ),
        ("messages", report.messages, [String::new(), String::new()]),
        (
            "bytes",
            report.bytes,
            [sizes::bytes(report.bytes), String::new()],
        ),
        (
            "attachments",
            report.attachments,
            [sizes::bytes(report.attachment_bytes), String::new()],
        ),
    ];
    let deleted = (
        "deleted",
        report.deleted,
        [
            "sessions that were deleted here, passed over".to_owned(),
            String::new(),
        ],
    );
    let rows = rows
        .into_iter()
        .chain((report.deleted > 0).then_some(deleted));
    let mut table = Table::new(&[("", Align::Left), ("", Align::Right), ("", Align::Left)]);
    for (name, number, [first, second]) in rows {
        let comma = if first.is_empty() || second.is_empty() {
            ""
        } else {
            ", "
        };
        let notes = format!("{first}{comma}{second}");
        table.push(vec![name.to_owned(), sizes::count(number), notes]);
    }
    table
}

/// Prints the first problems, and how many more there are.
pub(super) fn print_problems(problems: &[ImportProblem], more: u64, tool: &mut Tool) -> Result<()> {
    if problems.is_empty() {
        return Ok(());
    }
    tool.out.line("\nproblems:")?;
    for problem in problems.iter().take(PROBLEMS_SHOWN) {
        let path = problem.path.display();
        let line = match (problem.line, problem.offset) {
            (Some(line), Some(offset)) => {
                format!("  {path}:{line} (byte {offset}): {}", problem.reason)
            }
            (Some(line), None) => format!("  {path}:{line}: {}", problem.reason),
            (None, Some(offset)) => format!("  {path} (byte {offset}): {}", problem.reason),
            (None, None) => format!("  {path}: {}", problem.reason),
        };
        let line = tool.out.field(&line).into_owned();
        tool.out.line(&line)?;
    }
    let more = (problems.len().saturating_sub(PROBLEMS_SHOWN) as u64).saturating_add(more);
    if more > 0 {
        tool.out.line(&format!(
            "  and {} more; `--json` lists them",
            sizes::count(more)
        ))?;
    }
    Ok(())
}

fn print_newest(store: &dyn Ingest, tool: &mut Tool) -> Result<()> {
    let mut newest: Vec<Summary> = Vec::new();
    session_list::each_page(
        store,
        ListQuery::default(),
        SESSIONS_SHOWN,
        &mut |_| Ok(true),
        &mut |sessions| {
            newest.extend_from_slice(sessions);
            Ok(())
        },
    )?;
    if newest.is_empty() {
        return Ok(());
    }
    tool.out.line("")?;
    session_list::print_table(&newest, tool)
}
