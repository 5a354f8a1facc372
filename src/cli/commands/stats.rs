//! `scrollback stats`: how much there is, by agent.

use serde::Serialize;

use crate::cli::exit::{Ending, Outcome};
use crate::cli::open::Tool;
use crate::cli::sizes;
use crate::cli::table::{Align, Table};
use crate::model::error::Result;
use crate::store::{AgentStats, StoreStats};

const EXAMPLES: &str = "\
EXAMPLES
  scrollback stats
  scrollback stats --json | jq .ratio";

/// No arguments of its own.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Args {}

/// How much there is, as JSON.
#[derive(Debug, Serialize)]
struct Report<'a> {
    sessions: u64,
    messages: u64,
    records: u64,
    bytes: u64,
    malformed: u64,
    attachments: u64,
    attachment_bytes: u64,
    disk_bytes: u64,
    ratio: Option<f64>,
    agents: Vec<AgentReport<'a>>,
}

/// How much there is of one agent, as JSON.
#[derive(Debug, Serialize)]
struct AgentReport<'a> {
    agent: &'a str,
    sessions: u64,
    messages: u64,
    records: u64,
    bytes: u64,
    malformed: u64,
    attachments: u64,
}

/// Prints how much there is.
pub(crate) fn run(_args: &Args, tool: &mut Tool) -> Outcome {
    let store = tool.open_to_read()?;
    let stats = store.stats()?;
    let total = total(&stats.agents);
    if tool.out.is_json() {
        tool.out.json_line(&report(&stats, &total))?;
    } else {
        print(&stats, &total, tool)?;
    }
    Ok(Ending::Done)
}

fn total(agents: &[AgentStats]) -> AgentStats {
    let mut total = AgentStats {
        agent: "total".to_owned(),
        ..AgentStats::default()
    };
    for agent in agents {
        total.sessions += agent.sessions;
        total.messages += agent.messages;
        total.records += agent.records;
        total.bytes += agent.bytes;
        total.malformed += agent.malformed;
        total.attachments += agent.attachments;
    }
    total
}

fn report<'a>(stats: &'a StoreStats, total: &AgentStats) -> Report<'a> {
    let agent = |agent: &'a AgentStats| AgentReport {
        agent: &agent.agent,
        sessions: agent.sessions,
        messages: agent.messages,
        records: agent.records,
        bytes: agent.bytes,
        malformed: agent.malformed,
        attachments: agent.attachments,
    };
    Report {
        sessions: total.sessions,
        messages: total.messages,
        records: total.records,
        bytes: total.bytes,
        malformed: total.malformed,
        attachments: total.attachments,
        attachment_bytes: stats.attachment_bytes,
        disk_bytes: stats.disk_bytes,
        ratio: sizes::ratio_number(stats.disk_bytes, total.bytes),
        agents: stats.agents.iter().map(agent).collect(),
    }
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_total_is_the_sum_of_the_agents() {
        let of = |sessions, bytes| AgentStats {
            sessions,
            bytes,
            ..AgentStats::default()
        };
        let stats = StoreStats {
            agents: vec![of(2, 300), of(1, 100)],
            disk_bytes: 100,
            ..StoreStats::default()
        };
        let total = total(&stats.agents);
        assert_eq!((total.sessions, total.bytes), (3, 400));
        assert_eq!(report(&stats, &total).ratio, Some(0.25));
    }
}
