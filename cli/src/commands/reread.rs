//! `scrollback reread`: derives again what is derived from the lines of sessions that an older version
//! has read.

use clap::ArgGroup;

use crate::exit::{Ending, Outcome};
use crate::open::Tool;
use crate::progress::Bar;
use crate::{resolve, sizes};
use scrollback::report::Reread;

const EXAMPLES: &str = "\
EXAMPLES
  scrollback reread --all
  scrollback reread 0199c1f2

Lines stay as they are, byte for byte; what was given to a session stays too. A session that
this version has read is left alone. An import reads the sessions of its files again by itself.";

/// What to read again.
#[derive(Debug, clap::Args)]
#[command(
    after_help = EXAMPLES,
    group = ArgGroup::new("what").required(true).args(["ids", "all"])
)]
pub(crate) struct Args {
    /// The sessions: their ids, or the starts of them
    #[arg(value_name = "ID")]
    ids: Vec<String>,
    /// Every session that an older version has read
    #[arg(long)]
    all: bool,
}

/// Reads sessions again.
pub(crate) fn run(args: &Args, tool: &mut Tool) -> Outcome {
    let store = tool.open_file_to_change("be read again so")?;
    let mut reread = Reread::default();
    if args.all {
        let mut bar = Bar::new(&tool.out);
        let all = store.reread_all(&mut |progress| bar.show(progress));
        bar.finish();
        reread = all?;
    } else {
        let keys = resolve::sessions(&*store, &args.ids)?;
        for key in &keys {
            reread += store.reread(key)?;
        }
    }
    if tool.out.is_json() {
        tool.out.json_line(&reread)?;
    } else {
        let sessions = sizes::counted(reread.sessions, "session");
        let records = sizes::counted(reread.records, "record");
        let text = format!("read {sessions} again; something else is known of {records} now");
        tool.out.line(&text)?;
        if reread.damaged > 0 {
            let damaged = sizes::counted(reread.damaged, "damaged session");
            let text = format!("{damaged} could not be read; `verify` tells what is wrong");
            tool.out.notice(&text);
        }
    }
    Ok(if reread.damaged > 0 {
        Ending::Corrupt
    } else {
        Ending::Done
    })
}
