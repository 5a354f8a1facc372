//! The store beside SQLite and beside floors that nothing can beat, in one run:
//!
//! ```sh
//! cargo bench --bench store                              # 64 MB of generated sessions
//! SCROLLBACK_BENCH_BYTES=500000000 cargo bench --bench store -- import     # in 2,000 files
//! cargo bench --bench store -- import-floors             # the import without SQLite, or with it alone
//! SCROLLBACK_BENCH_FOLDER=~/.claude cargo bench --bench store
//! SCROLLBACK_BENCH_LARGE=1 cargo bench --bench store     # and a list of a million sessions
//! SCROLLBACK_BENCH_STORES=/tmp/made cargo bench --bench store    # keeps the large stores there
//! cargo bench --bench store -- list cleanup              # these parts alone
//! cargo build --release -p scrollback-cli && cargo bench --bench store -- search    # searches by the tool
//! cargo build --release -p scrollback-cli && cargo bench --bench store -- tasks     # ten tasks, on 2 GB
//! ```
//!
//! Contestants take turns, five rounds each, and the median counts. The figures that matter are
//! the ratios: they move less from machine to machine than times do.

#[path = "../generate/mod.rs"]
mod generate;

mod again;
mod append;
mod cleanup;
mod floors;
mod flushes;
mod import;
mod list;
mod load;
mod many;
mod measure;
mod memory;
mod moved;
mod newest;
mod processes;
mod real;
mod rival;
mod search;
mod size;
mod sources;
mod tasks;
mod threads;
mod typed;

use std::error::Error;
use std::path::{Path, PathBuf};

use crate::generate::{Agent, Plan};
use crate::many::Many;
use crate::measure::say;

/// What every part of this program gives.
type Outcome<T = ()> = Result<T, Box<dyn Error>>;

fn main() -> Outcome {
    let scratch = tempfile::tempdir()?;
    let scratch = scratch.path();
    // What cargo itself adds begins with dashes.
    let named: Vec<String> = std::env::args()
        .skip(1)
        .filter(|name| !name.starts_with('-'))
        .collect();
    if let [child, folder, store] = named.as_slice()
        && child == memory::CHILD
    {
        return memory::child(Path::new(folder), Path::new(store));
    }
    if let [child, index, words] = named.as_slice()
        && child == search::CHILD
    {
        return search::child(index, words);
    }
    let is_wanted = |part: &str| named.is_empty() || named.iter().any(|name| name == part);
    let imports = ["import", "import-floors", "import-sqlite"];
    if is_wanted("size") || imports.into_iter().any(is_wanted) {
        let folder = match std::env::var_os("SCROLLBACK_BENCH_FOLDER") {
            Some(folder) => PathBuf::from(folder),
            None => generated(scratch)?,
        };
        if is_wanted("size") {
            size::run(&folder, scratch)?;
            size::run(&tiny(scratch)?, scratch)?;
        }
        if is_wanted("import") || is_wanted("import-floors") {
            import::beside_floors(&folder, scratch)?;
        }
        if is_wanted("import") || is_wanted("import-sqlite") {
            import::beside_sqlite(&folder, scratch)?;
        }
    }
    if is_wanted("search") {
        let given = std::env::var_os("SCROLLBACK_BENCH_FOLDER").map(PathBuf::from);
        search::run(given, scratch)?;
    }
    // Not without being named: it makes two gigabytes.
    if named.iter().any(|name| name == "tasks") {
        tasks::run(scratch)?;
    }
    if is_wanted("again") {
        again::run(scratch)?;
    }
    if is_wanted("moved") {
        moved::run(scratch)?;
    }
    if is_wanted("memory") {
        memory::run(scratch)?;
    }
    if is_wanted("load") {
        load::run(scratch)?;
    }
    if is_wanted("newest") {
        newest::run(scratch)?;
    }
    if is_wanted("threads") {
        threads::run(scratch)?;
    }
    if is_wanted("batches") {
        append::batches(scratch)?;
    }
    if ["list", "cleanup", "append"].into_iter().any(is_wanted) {
        of_many(is_wanted, scratch)?;
    }
    Ok(())
}

/// What is measured in stores of many sessions.
fn of_many(is_wanted: impl Fn(&str) -> bool, scratch: &Path) -> Outcome {
    let kept = std::env::var_os("SCROLLBACK_BENCH_STORES").map(PathBuf::from);
    let made = kept.as_deref().unwrap_or(scratch);
    if is_wanted("list") {
        list::run(&Many::make(made, 1_000, 20)?)?;
        let many = Many::make(made, 100_000, 20)?;
        list::run(&many)?;
        if std::env::var_os("SCROLLBACK_BENCH_LARGE").is_some() {
            list::run(&Many::make(made, 1_000_000, 2)?)?;
        }
        list::processes(&many)?;
    }
    if is_wanted("cleanup") {
        cleanup::run(&Many::make(made, 100_000, 20)?, scratch)?;
    }
    if is_wanted("append") {
        // A million records.
        append::run(&Many::make(made, 50_000, 20)?, scratch)?;
    }
    Ok(())
}

/// The lines of one session of about so many bytes.
fn session(agent: Agent, bytes: u64, seed: u64) -> Outcome<String> {
    let folder = tempfile::tempdir()?;
    let plan = Plan {
        agent,
        files: 1,
        bytes,
        seed,
    };
    generate::folder(folder.path(), plan)?;
    for entry in walkdir::WalkDir::new(folder.path()) {
        let entry = entry?;
        if entry.file_type().is_file() {
            return Ok(std::fs::read_to_string(entry.path())?);
        }
    }
    Err("nothing was generated".into())
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
        let files = usize::try_from(bytes / 250_000)?.max(4);
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
