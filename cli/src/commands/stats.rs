//! `scrollback stats`: how much there is, by agent.

use crate::exit::{Ending, Outcome};
use crate::open::Tool;
use crate::sizes;
use crate::table::{Align, Table};
use scrollback::Result;
use scrollback::report::{AgentStats, StoreStats};

const EXAMPLES: &str = "\
EXAMPLES
  scrollback stats
  scrollback stats --json | jq .ratio";

/// No arguments of its own.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Args {}

/// Prints how much there is.
pub(crate) fn run(_args: &Args, tool: &mut Tool) -> Outcome {
    let store = tool.open_to_read()?;
    let stats = store.stats()?;
    let total = stats.total();
    if tool.out.is_json() {
        tool.out.json_line(&stats)?;
    } else {
        print(&stats, &total, tool)?;
    }
    Ok(Ending::Done)
}

fn print(stats: &StoreStats, total: &AgentStats, tool: &mut Tool) -> Result<()> {
    let mut table = Table::new(&[
        ("AGENT", Align::Left),
        ("SESSIONS", Align::Right),
        ("MESSAGES", Align::Right),
        ("RECORDS", Align::Right),
        ("LINES", Align::Right),
        ("MALFORMED", Align::Right),
        ("ATTACHMENTS", Align::Right),
    ]);
    for agent in stats.agents.iter().chain([total]) {
        table.push(vec![
            agent.agent.clone(),
            sizes::count(agent.sessions),
            sizes::count(agent.messages),
            sizes::count(agent.records),
            sizes::bytes(agent.bytes),
            sizes::count(agent.malformed),
            sizes::count(agent.attachments),
        ]);
    }
    table.print(&mut tool.out)?;
    let mut sums = Table::new(&[("", Align::Left), ("", Align::Right), ("", Align::Left)]);
    let mut sum = |name: &str, value: String, note: String| {
        sums.push(vec![name.to_owned(), value, note]);
    };
    sum(
        "bytes of lines",
        sizes::count(total.bytes),
        sizes::bytes(total.bytes),
    );
    let attached = stats.attachment_bytes;
    sum(
        "bytes of attachments",
        sizes::count(attached),
        sizes::bytes(attached),
    );
    sum(
        "bytes on disk",
        sizes::count(stats.disk_bytes),
        sizes::bytes(stats.disk_bytes),
    );
    let ratio = sizes::ratio(stats.disk_bytes, total.bytes);
    sum("ratio", ratio, "bytes on disk to bytes of lines".to_owned());
    tool.out.line("")?;
    sums.print(&mut tool.out)?;
    let path = format!("store: {}", tool.store_path().display());
    let path = tool.out.field(&path).into_owned();
    tool.out.line(&path)
}
