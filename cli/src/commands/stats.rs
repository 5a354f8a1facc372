//! `scrollback stats`: how much there is, by agent.

use crate::exit::{Ending, Outcome};
use crate::open::Tool;
use crate::sizes;
use crate::table::{Align, Table};
use scrollback::Result;
use scrollback::report::{AgentStats, StoreStats, StoredFile};

const EXAMPLES: &str = "\
EXAMPLES
  scrollback stats
  scrollback stats --json | jq .ratio
  scrollback stats --files";

/// What to count.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Args {
    /// List every file that is kept beside sessions instead: agent, session, bytes and name
    #[arg(long)]
    files: bool,
}

/// Prints how much there is.
pub(crate) fn run(args: &Args, tool: &mut Tool) -> Outcome {
    if args.files {
        let store = tool.open_file_to_read("list its files yet")?;
        list_files(&store.files()?, tool)?;
        return Ok(Ending::Done);
    }
    let stats = tool.open_to_read()?.stats()?;
    let total = stats.total();
    if tool.out.is_json() {
        tool.out.json_line(&stats)?;
    } else {
        print(&stats, &total, tool)?;
    }
    Ok(Ending::Done)
}

fn list_files(files: &[StoredFile], tool: &mut Tool) -> Result<()> {
    if tool.out.is_json() {
        return files.iter().try_for_each(|file| tool.out.json_line(file));
    }
    let mut table = Table::new(&[
        ("AGENT", Align::Left),
        ("SESSION", Align::Left),
        ("BYTES", Align::Right),
        ("NAME", Align::Left),
    ]);
    for file in files {
        let session = file.session.as_ref().map_or("", |key| key.id());
        let name = if file.is_database {
            format!("{} (a database: `scrollback scrub` removes it)", file.name)
        } else {
            file.name.clone()
        };
        table.push(vec![
            file.agent.clone(),
            tool.out.field(session).into_owned(),
            sizes::count(file.bytes),
            tool.out.field(&name).into_owned(),
        ]);
    }
    table.print(&mut tool.out)
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
    let index = stats.index_bytes;
    sum(
        "bytes of the index",
        sizes::count(index),
        sizes::bytes(index),
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
    let path = format!("store: {}", tool.store_name());
    let path = tool.out.field(&path).into_owned();
    tool.out.line(&path)
}
