//! The store beside SQLite and beside floors that nothing can beat, in one run:
//!
//! ```sh
//! cargo bench --bench store                              # 64 MB of generated sessions
//! SCROLLBACK_BENCH_BYTES=1000000000 cargo bench --bench store
//! SCROLLBACK_BENCH_FOLDER=~/.claude cargo bench --bench store
//! ```
//!
//! Contestants take turns, five rounds each, and the median counts. The figures that matter are
//! the ratios: they move less from machine to machine than times do.

#[path = "../generate/mod.rs"]
mod generate;

mod append;
mod import;
mod list;
mod load;
mod measure;
mod size;
mod threads;

use std::error::Error;
use std::path::{Path, PathBuf};

use crate::generate::{Agent, Plan};
use crate::measure::say;

/// What every part of this program gives.
type Outcome<T = ()> = Result<T, Box<dyn Error>>;

fn main() -> Outcome {
    let scratch = tempfile::tempdir()?;
    let folder = match std::env::var_os("SCROLLBACK_BENCH_FOLDER") {
        Some(folder) => PathBuf::from(folder),
        None => generated(scratch.path())?,
    };
    size::run(&folder, scratch.path())?;
    size::run(&tiny(scratch.path())?, scratch.path())?;
    import::run(&folder, scratch.path())?;
    append::run(scratch.path())?;
    threads::run(scratch.path())?;
    for sessions in [1_000, 10_000] {
        list::run(sessions, scratch.path())?;
    }
    load::run(scratch.path())?;
    Ok(())
}

/// A folder of 1,000 sessions of 8 KB each, more or less.
fn tiny(scratch: &Path) -> Outcome<PathBuf> {
    let folder = scratch.join("tiny");
    let plan = Plan {
        agent: Agent::ClaudeCode,
        files: 1_000,
        bytes: 8_000_000,
        seed: 4,
    };
    generate::folder(&folder, plan)?;
    Ok(folder)
}

/// A folder of as many bytes as the environment asks for, half of each agent.
fn generated(scratch: &Path) -> Outcome<PathBuf> {
    let bytes: u64 = match std::env::var("SCROLLBACK_BENCH_BYTES") {
        Ok(bytes) => bytes.parse()?,
        Err(_) => 64_000_000,
    };
    let folder = scratch.join("sessions");
    for (seed, agent) in [(1, Agent::ClaudeCode), (2, Agent::Codex)] {
        let bytes = bytes / 2;
        let files = usize::try_from(bytes / 1_000_000)?.max(4);
        let made = generate::folder(
            &folder,
            Plan {
                agent,
                files,
                bytes,
                seed,
            },
        )?;
        say(&format!(
            "generated {} files, {} lines, {} bytes ({agent:?}, seed {seed})",
            made.files, made.lines, made.bytes
        ))?;
    }
    Ok(folder)
}
