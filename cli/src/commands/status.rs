//! `scrollback status`: what is kept of each agent's sessions, and what an import would find.

use crate::exit::{Ending, Outcome};
use crate::open::Tool;
use crate::progress::Bar;
use crate::session_list::below_home;
use crate::sizes;
use crate::table::{Align, Table};
use scrollback::provider::Places;
use scrollback::report::AgentStatus;
use scrollback::{KnownAgent, Result, status};

const EXAMPLES: &str = "\
EXAMPLES
  scrollback status
  scrollback status --agent claude
  scrollback status --json | jq -r 'select(.only_here > 0) | .agent'

Exit code 0: all that lies in the agents' places is kept. 5: an import would find something new,
or an older version has read what is kept (BEHIND). 1: something there cannot be read.";

/// What to look at.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Args {
    /// This agent only
    #[arg(long, value_name = "NAME")]
    agent: Option<String>,
}

/// Compares the store with the places of agents.
pub(crate) fn run(args: &Args, tool: &mut Tool) -> Outcome {
    let wanted = match &args.agent {
        Some(name) => Some(KnownAgent::named(name)?.name),
        None => None,
    };
    // Without a store nothing is kept yet.
    let store = tool.open_to_rehearse()?;
    let mut bar = Bar::new(&tool.out);
    let found = status(&*store, &Places::from_environment(), &mut |progress| {
        bar.show(progress)
    });
    bar.finish();
    let mut agents = found?;
    agents.retain(|status| wanted.is_none_or(|wanted| status.agent == wanted));
    if tool.out.is_json() {
        for status in &agents {
            tool.out.json_line(status)?;
        }
    } else {
        print(&agents, tool)?;
    }
    let has_problems = |status: &AgentStatus| !status.problems.is_empty();
    Ok(if agents.iter().any(has_problems) {
        Ending::Partly
    } else if agents.iter().all(AgentStatus::is_up_to_date) {
        Ending::Done
    } else {
        Ending::Behind
    })
}

fn print(agents: &[AgentStatus], tool: &mut Tool) -> Result<()> {
    let mut table = Table::new(&[
        ("AGENT", Align::Left),
        ("THERE", Align::Right),
        ("SIZE", Align::Right),
        ("KEPT", Align::Right),
        ("LINES", Align::Right),
        ("NEW", Align::Right),
        ("CHANGED", Align::Right),
        ("ONLY HERE", Align::Right),
        ("BEHIND", Align::Right),
        ("PROBLEMS", Align::Right),
        ("PLACES", Align::Left),
    ]);
    let home = tool.home().map(std::path::Path::to_owned);
    let is_empty = |status: &&AgentStatus| {
        status.kept == 0
            && status.problems.is_empty()
            && !status.places.iter().any(|place| place.found)
    };
    // One line for the many agents that nobody has on one machine.
    let (absent, present): (Vec<&AgentStatus>, Vec<&AgentStatus>) =
        agents.iter().partition(is_empty);
    for status in present {
        let problems = status.problems.len() as u64 + status.problems_more;
        let places = status.places.iter().filter(|place| place.found);
        let places: Vec<String> = places
            .map(|place| below_home(&place.path.display().to_string(), home.as_deref()))
            .collect();
        let places = match (places.is_empty(), status.places.is_empty()) {
            (false, _) => places.join(", "),
            (true, false) => "none of its places is there".to_owned(),
            (true, true) => "-".to_owned(),
        };
        table.push(vec![
            status.agent.clone(),
            sizes::count(status.sessions_there),
            sizes::bytes(status.bytes_there),
            sizes::count(status.kept),
            sizes::bytes(status.kept_bytes),
            sizes::count(status.new),
            sizes::count(status.changed),
            sizes::count(status.only_here),
            sizes::count(status.behind),
            sizes::count(problems),
            tool.out.field(&places).into_owned(),
        ]);
    }
    table.print(&mut tool.out)?;
    if !absent.is_empty() {
        let names: Vec<&str> = absent.iter().map(|status| status.agent.as_str()).collect();
        tool.out.line(&format!(
            "Nothing there and nothing kept: {}",
            names.join(", ")
        ))?;
    }
    for status in agents {
        super::import::print_problems(&status.problems, status.problems_more, tool)?;
    }
    Ok(())
}
