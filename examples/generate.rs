//! Makes folders of sessions for benches and big tests, from a seed:
//!
//! ```sh
//! cargo run --release --example generate -- DIR --files 100000 --bytes 300000000 --seed 1
//! cargo run --release -- --store big.redb import DIR
//! ```

#[path = "../benches/generate/mod.rs"]
mod generate;

use std::error::Error;
use std::io::Write as _;
use std::path::PathBuf;

use crate::generate::{Agent, Plan, folder};

const USAGE: &str =
    "usage: generate DIR [--files N] [--bytes B] [--seed S] [--agent claude-code|codex]";

fn main() -> Result<(), Box<dyn Error>> {
    let mut target = None;
    let mut plan = Plan {
        agent: Agent::ClaudeCode,
        files: 100,
        bytes: 64_000_000,
        seed: 1,
    };
    let mut arguments = std::env::args().skip(1);
    while let Some(argument) = arguments.next() {
        let mut value = || arguments.next().ok_or(USAGE);
        match argument.as_str() {
            "--files" => plan.files = value()?.parse()?,
            "--bytes" => plan.bytes = value()?.parse()?,
            "--seed" => plan.seed = value()?.parse()?,
            "--agent" => plan.agent = agent(&value()?).ok_or(USAGE)?,
            path if !path.starts_with('-') && target.is_none() => {
                target = Some(PathBuf::from(path));
            }
            _ => return Err(USAGE.into()),
        }
    }
    let made = folder(&target.ok_or(USAGE)?, plan)?;
    writeln!(
        std::io::stdout(),
        "{} files, {} lines, {} bytes",
        made.files,
        made.lines,
        made.bytes
    )?;
    Ok(())
}

fn agent(name: &str) -> Option<Agent> {
    match name {
        "claude-code" => Some(Agent::ClaudeCode),
        "codex" => Some(Agent::Codex),
        _ => None,
    }
}
