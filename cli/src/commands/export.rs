//! `scrollback export`: sessions to standard output or to files.

use std::path::PathBuf;

use clap::{ArgGroup, ValueEnum};

use crate::exit::{Ending, Failure, Outcome};
use crate::open::Tool;
use crate::progress::Bar;
use crate::{resolve, sizes};
use scrollback::{ExportFormat, ExportOptions, StoreExt as _, export_all_as, export_session};

const EXAMPLES: &str = "\
EXAMPLES
  scrollback export 0199c1f2 > session.jsonl
  scrollback export 0199c1f2 --format markdown | less
  scrollback export 0199c1f2 --format html > page.html
  scrollback export --all --to backup

One session goes to standard output, unless `--to` is given; then what it started (its
sub-agents) is written too. Imported sessions are written at their paths relative to the
imported folder, below DIR/<agent>/; what a file held before, below DIR/.older/.";

/// What to export, and where to.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES, group = ArgGroup::new("what").required(true).args(["ids", "all"]))]
pub(crate) struct Args {
    /// The sessions: their ids, or the starts of them
    #[arg(value_name = "ID")]
    ids: Vec<String>,
    /// Every session, and every file that was kept beside them
    #[arg(long)]
    all: bool,
    /// Write files below this folder
    #[arg(long, value_name = "DIR")]
    to: Option<PathBuf>,
    /// Give files their old times, also where their agent deletes old files
    #[arg(long)]
    keep_times: bool,
    /// The form
    #[arg(long, value_enum, default_value_t = Format::Jsonl)]
    format: Format,
}

/// Damaged files that are named one by one.
const PROBLEMS_SHOWN: usize = 20;

/// The form of an export.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Format {
    /// The lines, byte for byte
    Jsonl,
    /// A transcript
    Markdown,
    /// A page for a browser, self-contained; with `--to` also an index page
    Html,
}

impl From<Format> for ExportFormat {
    fn from(format: Format) -> Self {
        match format {
            Format::Jsonl => Self::Jsonl,
            Format::Markdown => Self::Markdown,
            Format::Html => Self::Html,
        }
    }
}

/// Exports sessions.
pub(crate) fn run(args: &Args, tool: &mut Tool) -> Outcome {
    let format = ExportFormat::from(args.format);
    let Some(folder) = &args.to else {
        let [id] = args.ids.as_slice() else {
            let text = "several sessions are written to files: name a folder with `--to DIR`";
            return Err(Failure::Usage(text.to_owned()));
        };
        let store = tool.open_to_read()?;
        let key = store.resolve(id)?;
        tool.out
            .bytes(|out| export_session(store.as_ref(), &key, format, out))?;
        let below = store.descendants(&key, &|_| false)?.len() as u64;
        if below > 0 {
            let below = sizes::counted(below, "sub-agent");
            tool.out
                .notice(&format!("{below} not written; `--to DIR` takes them too"));
        }
        return Ok(Ending::Done);
    };
    let store = tool.open_to_read()?;
    let keys = if args.all {
        None
    } else {
        // What a sub-agent did is a part of the session, so it goes into the folder too.
        Some(resolve::families(&*store, &args.ids)?)
    };
    let mut bar = Bar::new(&tool.out);
    let mut options = ExportOptions::default();
    options.format = format;
    options.keep_times = args.keep_times;
    let exported = export_all_as(
        &*store,
        keys.as_deref(),
        &options,
        folder,
        &mut |progress| bar.show(progress),
    );
    bar.finish();
    let done = exported?;
    if tool.out.is_json() {
        tool.out.json_line(&done)?;
    } else {
        let line = format!(
            "wrote {} of {}, {}, below {}",
            sizes::counted(done.files, "file"),
            sizes::counted(done.sessions, "session"),
            sizes::bytes(done.bytes),
            folder.display()
        );
        let line = tool.out.field(&line).into_owned();
        tool.out.line(&line)?;
    }
    for note in done.notes.iter().take(PROBLEMS_SHOWN) {
        let text = format!("note: `{}` {}", note.path.display(), note.reason);
        let text = tool.out.field(&text).into_owned();
        tool.out.notice(&text);
    }
    let more = done.notes.len().saturating_sub(PROBLEMS_SHOWN) as u64;
    if more > 0 {
        let more = sizes::counted(more, "note");
        tool.out
            .notice(&format!("and {more} more; `--json` lists them"));
    }
    if done.problems.is_empty() {
        return Ok(Ending::Done);
    }
    for problem in done.problems.iter().take(PROBLEMS_SHOWN) {
        let text = format!("`{}` {}", problem.path.display(), problem.reason);
        let text = tool.out.field(&text).into_owned();
        tool.out.error(&text);
    }
    let count = sizes::counted(done.problems.len() as u64, "file");
    tool.out.notice(&format!(
        "\nhint: {count} not written; run `scrollback verify` for all of the damage"
    ));
    Ok(Ending::Corrupt)
}
