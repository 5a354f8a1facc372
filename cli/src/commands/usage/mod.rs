//! `scrollback usage`: tokens and money, from what lies beside the sessions: no record is read.

mod groups;
mod printing;

use std::path::PathBuf;

use self::groups::{By, grouped};
use crate::exit::{Ending, Outcome};
use crate::open::Tool;
use crate::prices::Prices;
use crate::times::TimeArgument;

const EXAMPLES: &str = "\
EXAMPLES
  scrollback usage
  scrollback usage --by model --since 30d
  scrollback usage --by project --json
  scrollback usage --prices my-prices.json

Days are those of UTC. Money is what the tokens cost at list prices, which says nothing of what a
subscription costs; a model that is not in the table of prices is unknown, and never guessed.";

/// What to tell.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Args {
    /// By what to sum up
    #[arg(long, value_name = "BY", value_enum, default_value_t = By::Day)]
    by: By,
    /// Answers of the day of this time, or later ones only
    #[arg(long, value_name = "T")]
    since: Option<TimeArgument>,
    /// A table of prices instead of the one that ships
    #[arg(long, value_name = "FILE")]
    prices: Option<PathBuf>,
}

/// Tells it.
pub(crate) fn run(args: &Args, tool: &mut Tool) -> Outcome {
    let prices = Prices::of(args.prices.as_deref())?;
    let since = args.since.map(|time| time.resolve(tool.now()).date_naive());
    let store = tool.open_file_to_read("sum up what sessions took")?;
    let mut parts = store.session_usage()?;
    if let Some(since) = since {
        // What states no day cannot be said to lie behind one.
        parts.retain(|one| one.sum.day.is_some_and(|day| day >= since));
    }
    let groups = grouped(&parts, args.by, &prices);
    if tool.out.is_json() {
        for group in &groups {
            tool.out.json_line(group)?;
        }
        return Ok(Ending::Done);
    }
    if groups.is_empty() {
        tool.out.notice("no answer that fits says what it took");
        return Ok(Ending::Done);
    }
    printing::print(&groups, args.by, &prices, tool)?;
    Ok(Ending::Done)
}
