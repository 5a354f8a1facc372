//! `scrollback put-back`: a session's files, written where its agent looks for them.

use std::path::PathBuf;

use crate::exit::{Ending, Failure, Outcome};
use crate::open::Tool;
use crate::sizes;
use scrollback::provider::Places;
use scrollback::report::PutBack;
use scrollback::{Error, RedbStore, Result, SessionKey, StoreExt as _, put_back};

const EXAMPLES: &str = "\
EXAMPLES
  scrollback put-back 0199c1f2
  scrollback put-back 0199c1f2 --to ~/.claude

Files that are there are never replaced: where one has another content, nothing is written.";

/// What to put back, and where.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Args {
    /// The session: its id, or the start of it
    #[arg(value_name = "ID")]
    id: String,
    /// The home of its agent, such as ~/.claude [default: where the agent keeps it]
    #[arg(long, value_name = "HOME")]
    to: Option<PathBuf>,
}

/// Puts a session back.
pub(crate) fn run(args: &Args, tool: &mut Tool) -> Outcome {
    let store = tool.open_file_to_read("put a session back")?;
    let key = store.resolve(&args.id)?;
    let done = written(&store, &key, args.to.clone())?;
    if tool.out.is_json() {
        tool.out.json_line(&done)?;
    } else {
        print(&done, tool)?;
    }
    Ok(Ending::Done)
}

/// Writes the files below a home, or the default one of the session's agent.
pub(super) fn written(
    store: &RedbStore,
    key: &SessionKey,
    home: Option<PathBuf>,
) -> Result<PutBack, Failure> {
    let home = home.or_else(|| home_of(key)).ok_or_else(|| Failure::Error {
        error: Error::Unsupported {
            action: "put a session back",
            agent: key.agent().to_owned(),
        },
        hint: Some("the agent has no home that is known here; `scrollback export` writes the files elsewhere".to_owned()),
    })?;
    put_back(store, key, &home).map_err(|error| {
        let hint = match &error {
            Error::FileExists { .. } => Some(
                "nothing was written; the agent may have gone on with it: `scrollback import` brings that in, or write \
                 elsewhere with `--to HOME`",
            ),
            Error::Unsupported { .. } => Some("`scrollback export` writes its files elsewhere"),
            _ => None,
        };
        Failure::Error {
            error,
            hint: hint.map(str::to_owned),
        }
    })
}

/// The default home of a session's agent.
pub(super) fn home_of(key: &SessionKey) -> Option<PathBuf> {
    let places = Places::from_environment();
    places.home(key.agent()).map(PathBuf::from)
}

/// Says what was written.
pub(super) fn print(done: &PutBack, tool: &mut Tool) -> Result<()> {
    for file in &done.files {
        let path = file.path.display().to_string();
        let there = if file.written { "" } else { "  (was there)" };
        let line = format!(
            "{}  {}{there}",
            tool.out.field(&path),
            sizes::bytes(file.bytes)
        );
        tool.out.line(&line)?;
    }
    for note in &done.notes {
        tool.out.notice(&format!("note: {note}"));
    }
    Ok(())
}
