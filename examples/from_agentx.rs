//! What somebody who used agentx's `sessions` package would write: which agents ran here, their
//! sessions, and the first messages of the newest one.
//!
//! With an argument it looks in that home folder instead of yours. Nothing is written anywhere.

#![expect(clippy::print_stdout, reason = "an example shows what it does")]

use std::error::Error;
use std::ops::ControlFlow;

use scrollback::provider::{Places, ProviderRegistry};

/// Messages that are shown of a session.
const SHOWN: usize = 3;

fn main() -> Result<(), Box<dyn Error>> {
    let home = std::env::args_os().nth(1).map(std::path::absolute);
    let places = home
        .transpose()?
        .map_or_else(Places::from_environment, Places::under);
    let registry = ProviderRegistry::with_places(&places);

    // sessions.ListAllSessions(), with what upstream passes over in silence.
    let all = registry.list_all_sessions();
    for (agent, sessions) in &all.sessions {
        println!("{agent}: {} sessions", sessions.len());
        for session in sessions {
            println!(
                "  {} [{}] {} messages, {} unread lines: {:?}",
                session.id,
                session.project.as_deref().unwrap_or("no project"),
                session.message_count,
                session.unread_lines,
                session
                    .summary
                    .as_ref()
                    .or(session.first_prompt.as_ref())
                    .map_or("", String::as_str),
            );
        }
    }
    for problem in &all.problems {
        println!("{}: {}: {}", problem.agent, problem.about, problem.error);
    }

    // sessions.ProviderFor(agent), then ScanMessages with an early stop.
    let newest = all.sessions.values().flatten();
    let Some(newest) = newest.max_by_key(|session| session.updated_at) else {
        println!("no sessions here");
        return Ok(());
    };
    let provider = registry.provider_for(&newest.agent)?;
    let mut left = SHOWN;
    let scan = provider.scan_messages(&newest.id, &mut |message| {
        println!(
            "{} {} {}: {:?} ({} bytes of JSON)",
            message.id,
            message.role.word(),
            message.message_type.word(),
            message.content.lines().next().unwrap_or_default(),
            message.raw_json.len(),
        );
        left -= 1;
        if left == 0 {
            ControlFlow::Break(())
        } else {
            ControlFlow::Continue(())
        }
    })?;
    println!("stopped early: {}", scan.stopped);
    Ok(())
}
