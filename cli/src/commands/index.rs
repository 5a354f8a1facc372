//! `scrollback index`: builds what is missing of the index of messages, or drops it.

use crate::exit::{Ending, Outcome};
use crate::open::Tool;
use crate::progress::Bar;
use crate::sizes;
use scrollback::RedbStore;
use scrollback::report::Indexed;
use serde::Serialize;

const EXAMPLES: &str = "\
EXAMPLES
  scrollback index
  scrollback index --drop

An import indexes what it brings, unless it is told `--no-index`. What is not indexed is found all
the same: each search reads it.";

/// What to do to the index.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Args {
    /// Drop the index: searches read every message then, until it is built again
    #[arg(long)]
    drop: bool,
}

/// What was done, as JSON.
#[derive(Debug, Serialize)]
struct Told {
    #[serde(flatten)]
    indexed: Indexed,
    dropped: bool,
    index_bytes: u64,
}

/// Builds the index, or drops it.
pub(crate) fn run(args: &Args, tool: &mut Tool) -> Outcome {
    let store = tool.open_file_to_change("be indexed")?;
    let indexed = if args.drop {
        store.drop_index()?;
        Indexed::default()
    } else {
        build(&store, tool)?
    };
    let index_bytes = store.index_bytes()?;
    if tool.out.is_json() {
        tool.out.json_line(&Told {
            indexed,
            dropped: args.drop,
            index_bytes,
        })?;
    } else if args.drop {
        tool.out
            .line("dropped the index; searches read every message")?;
    } else {
        let sessions = sizes::counted(indexed.sessions, "session");
        let (bytes, size) = (sizes::bytes(indexed.bytes), sizes::bytes(index_bytes));
        tool.out.line(&format!(
            "indexed {sessions}, {bytes} of lines; the index has {size}"
        ))?;
    }
    if indexed.damaged == 0 {
        return Ok(Ending::Done);
    }
    let damaged = sizes::counted(indexed.damaged, "damaged session");
    tool.out.notice(&format!(
        "{damaged} could not be read; `verify` tells what is wrong"
    ));
    Ok(Ending::Corrupt)
}

/// Builds what is missing, with a bar.
pub(super) fn build(store: &RedbStore, tool: &Tool) -> scrollback::Result<Indexed> {
    let mut bar = Bar::new(&tool.out);
    let indexed = store.index(&mut |progress| bar.show(progress));
    bar.finish();
    indexed
}
